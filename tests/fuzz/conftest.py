"""Says how many examples each property saw, where that was asked for."""

from __future__ import annotations

from collections.abc import Generator
from typing import Any

import pytest
from support.fuzzing import COUNTS, SECONDS


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Generator[None, Any, None]:
    if SECONDS and call.when == "call" and item.name in COUNTS:
        item.user_properties.append(("examples", COUNTS[item.name]))
    yield


def pytest_terminal_summary(terminalreporter: Any) -> None:
    reports = [each for kind in ("passed", "failed") for each in terminalreporter.stats.get(kind, ())]
    found = {
        report.nodeid.rpartition("::")[2]: dict(report.user_properties)["examples"]
        for report in reports
        if "examples" in dict(report.user_properties)
    }
    if found:
        terminalreporter.section("examples tried")
        for name, examples in sorted(found.items()):
            terminalreporter.write_line(f"{examples:8,}  {name}")
        terminalreporter.write_line(f"{sum(found.values()):8,}  together")
