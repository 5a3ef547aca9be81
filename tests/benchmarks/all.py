"""Every benchmark, one Markdown table with the target beside each figure.

    python tests/benchmarks/all.py [--quick] [--only WORD]

Takes about an hour (ten minutes with --quick); the machine should do nothing else meanwhile.
"""

from __future__ import annotations

import inspector
import key_echo
import long_history
import recorder
import startup
import streaming
from harness import Report, main


def measure(report: Report, only: str) -> None:
    """All of them, one after the other."""
    startup.measure(report, only)
    key_echo.measure(report, only)
    streaming.measure(report, only)
    long_history.measure(report, only)
    recorder.measure(report, only)
    inspector.measure(report, only)


if __name__ == "__main__":
    main(measure, __doc__)
