"""The whole program while an answer streams over real SSE: CPU, final paint, memory.

    python tests/benchmarks/streaming.py [--quick] [--only WORD]

Each case alternates with a floor: a Textual app of one line and an input that shows as many lines a second.
"""

from __future__ import annotations

import time
from dataclasses import dataclass

from harness import END, PROMPT, Report, Server, Terminal, environment, main, outcrop, place

SETTLE = 1.0


@dataclass(frozen=True, slots=True)
class Stream:
    """What one answer took.

    Attributes:
        per_1k: CPU seconds per 1,000 tokens, from Enter until a second after the last byte: decoding,
            drawing, the history and the record of the exchange are in it.
        share: Of a core, between the first and the last byte.
        final: Seconds from the server's last byte to its last word on the screen.
        before: MiB at the prompt.
        after: MiB a second after the end.
    """

    per_1k: float
    share: float
    final: float
    before: float
    after: float


def stream(
    server: Server, tokens: int, rate: int, shape: str = "", *, cores: set[int] | None = None
) -> Stream:
    """Ask for one answer and watch it come."""
    model = f"fake-{tokens}-{rate}" + (f"-{shape}" if shape else "")
    server.warm(model)
    server.clear()
    limit = 60 + (tokens / rate if rate else tokens / 500)
    with place() as folder, Terminal(outcrop(server, model), environment(folder), cores=cores) as program:
        program.wait_for(PROMPT, 20)
        program.quiet(1.0, 10)
        time.sleep(0.5)
        before = program.memory()
        program.send(b"go")
        time.sleep(0.3)
        entered, cpu = program.send(b"\r"), program.cpu()
        painted = program.wait_for(END, limit, entered)
        _, last = server.sent(limit)
        streamed = program.cpu() - cpu
        time.sleep(max(0.0, max(last, painted) + SETTLE - time.monotonic()))
        used = program.cpu() - cpu
        return Stream(
            used * 1000 / tokens,
            streamed / (max(last, painted) - entered),
            painted - last,
            before,
            program.memory(),
        )


def measure(report: Report, only: str) -> None:
    """The rows about streaming."""

    def wanted(name: str) -> bool:
        return only in name

    with Server() as server:

        def runs(tokens: int, rate: int, shape: str = "", cores: set[int] | None = None) -> list[Stream]:
            return [stream(server, tokens, rate, shape, cores=cores) for _ in range(report.runs)]

        if wanted("4,000 at 200/s"):
            rows = runs(4000, 200)
            report.add("4,000 tokens at 200/s: CPU per 1,000", [row.per_1k for row in rows], "s", 1.0)
            report.add(
                "4,000 at 200/s: last byte to final paint",
                [row.final * 1000 for row in rows],
                "ms",
                60,
                digits=0,
            )
            report.add("memory at the prompt", [row.before for row in rows], "MiB", 55, digits=0)
        if wanted("16,000 over 1,000 at 200/s"):
            long_runs = 3 if report.runs > 2 else 1
            small, large = runs(1000, 200), [stream(server, 16000, 200) for _ in range(long_runs)]
            ratios = [one.per_1k / other.per_1k for one, other in zip(large, small, strict=False)]
            report.add("1,000 tokens at 200/s: CPU per 1,000", [row.per_1k for row in small], "s")
            report.add("16,000 tokens at 200/s: CPU per 1,000", [row.per_1k for row in large], "s")
            report.add("16,000 over 1,000 at 200/s", ratios, "", 1.2)
        if wanted("20,000 unlimited"):
            rows = runs(20000, 0)
            report.add(
                "20,000 tokens unlimited: CPU per 1,000", [row.per_1k for row in rows], "s", 0.15, digits=3
            )
            report.add(
                "20,000 unlimited: last byte to final paint",
                [row.final * 1000 for row in rows],
                "ms",
                800,
                digits=0,
            )
        if wanted("64,000 unlimited"):
            rows = runs(64000, 0)
            report.add("64,000 tokens unlimited: CPU per 1,000", [row.per_1k for row in rows], "s", digits=3)
            report.add(
                "64,000 unlimited: last byte to final paint",
                [row.final * 1000 for row in rows],
                "ms",
                digits=0,
            )
            report.add("memory after 64,000 tokens", [row.after for row in rows], "MiB", 110, digits=0)
        for shape in ("table", "list", "paragraph", "fence"):
            if wanted(f"one {shape} at 1,000/s"):
                rows = runs(4000, 1000, shape)
                report.add(
                    f"one {shape} of 4,000 at 1,000/s: of a core",
                    [row.share * 100 for row in rows],
                    "%",
                    30,
                    digits=0,
                )
                report.add(
                    f"one {shape}: last byte to final paint",
                    [row.final * 1000 for row in rows],
                    "ms",
                    digits=0,
                )
        for shape in ("cjk", "emoji"):
            if wanted(f"{shape} at 200/s"):
                rows = runs(2000, 200, shape)
                report.add(f"{shape}, 2,000 at 200/s: CPU per 1,000", [row.per_1k for row in rows], "s", 1.0)
        if wanted("one core at 200/s"):
            rows = runs(4000, 200, cores={0})
            report.add("one core, 4,000 at 200/s: CPU per 1,000", [row.per_1k for row in rows], "s", 1.0)
            report.add(
                "one core: last byte to final paint", [row.final * 1000 for row in rows], "ms", digits=0
            )
        if wanted("one core unlimited"):
            rows = runs(20000, 0, cores={0})
            report.add(
                "one core, 20,000 unlimited: CPU per 1,000", [row.per_1k for row in rows], "s", digits=3
            )
            report.add(
                "one core, unlimited: last byte to final paint",
                [row.final * 1000 for row in rows],
                "ms",
                digits=0,
            )


if __name__ == "__main__":
    main(measure, __doc__)
