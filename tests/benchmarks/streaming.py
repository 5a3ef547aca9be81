"""The whole program while an answer streams over real SSE: CPU, final paint, the longest frame, memory.

    python tests/benchmarks/streaming.py [--quick] [--only WORD]

Each case alternates with the floor (`floor.py`): a Textual app of one line that reads the same stream. CPU
is counted from Enter; what sends was imported while the prompt was typed, and is not in it.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import timed_loop
from harness import END, PROMPT, Report, Server, Terminal, environment, main, outcrop, place

SETTLE = 1.0
HERE = Path(__file__).parent


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
        frame: CPU milliseconds of the longest callback of the event loop; 0 where it was not looked at.
    """

    per_1k: float
    share: float
    final: float
    before: float
    after: float
    frame: float = 0.0


def stream(
    server: Server,
    tokens: int,
    rate: int,
    shape: str = "",
    *,
    cores: set[int] | None = None,
    frames: bool = False,
    doing: Callable[[Terminal, float], None] | None = None,
) -> Stream:
    """Ask for one answer and watch it come.

    Args:
        server: Where.
        tokens: How many.
        rate: Tokens a second; 0 for as fast as they go.
        shape: What they make up; a mixed answer by default.
        cores: What the program may run on.
        frames: Whether to time the callbacks of its event loop.
        doing: What the user does meanwhile; gets the terminal and the time at which the answer will end.
    """
    model = f"fake-{tokens}-{rate}" + (f"-{shape}" if shape else "")
    server.warm(model)
    server.clear()
    limit = 60 + (tokens / rate if rate else tokens / 500)
    with place() as folder:
        command, held = outcrop(server, model), folder / "held"
        if frames:
            command = [sys.executable, str(HERE / "timed_loop.py"), str(held), *command[3:]]
        with Terminal(command, environment(folder), cores=cores) as program:
            program.wait_for(PROMPT, 20)
            program.quiet(1.0, 10)
            time.sleep(0.5)
            before = program.memory()
            program.send(b"go")
            program.idle()
            entered, cpu = program.send(b"\r"), program.cpu()
            if doing is not None:
                doing(program, entered + tokens / rate)
            painted = program.wait_for(END, limit, entered)
            first, last = server.sent(limit)
            streamed = program.cpu() - cpu
            time.sleep(max(0.0, max(last, painted) + SETTLE - time.monotonic()))
            return Stream(
                (program.cpu() - cpu) * 1000 / tokens,
                streamed / (max(last, painted) - entered),
                painted - last,
                before,
                program.memory(),
                timed_loop.longest(held, first, max(last, painted) + SETTLE) if frames else 0.0,
            )


def floor(server: Server, tokens: int, rate: int, shape: str = "") -> float:
    """CPU seconds per 1,000 tokens of the app that shows one line of the same stream."""
    model = f"fake-{tokens}-{rate}" + (f"-{shape}" if shape else "")
    server.warm(model)
    command = [sys.executable, str(HERE / "floor.py"), server.url, model]
    with place() as folder, Terminal(command, environment(folder)) as program:
        program.wait_for(PROMPT, 20)
        program.quiet(0.5, 10)
        cpu = program.cpu()
        entered = program.send(b"\r")
        program.wait_for(END, 60 + (tokens / rate if rate else tokens / 500), entered)
        time.sleep(0.3)
        return (program.cpu() - cpu) * 1000 / tokens


def page_about(program: Terminal, end: float) -> None:
    """Two pages up and one down, all the time."""
    time.sleep(2.0)
    while time.monotonic() < end - 1.0:
        for key in (b"\x1b[5~", b"\x1b[5~", b"\x1b[6~"):
            program.send(key)
            time.sleep(0.25)
    program.send(b"\x1b[1;5F")
    program.send(b"\x1b[1;5F")


def drag_about(program: Terminal, end: float) -> None:
    """Hold the mouse down and move it over the answer, back and forth."""
    time.sleep(2.0)
    program.send(b"\x1b[<0;20;10M")
    step = 0
    while time.monotonic() < end - 1.0:
        step += 1
        program.send(b"\x1b[<32;%d;%dM" % (20 + step * 7 % 60, 10 + step % 14))
        time.sleep(0.05)
    program.send(b"\x1b[<0;30;12m")
    time.sleep(1.5)
    program.send(b"\x1b[1;5F")


class Cases:
    """The rows about streaming, for a server and a report."""

    def __init__(self, server: Server, report: Report, only: str) -> None:
        self._server, self._report, self._only = server, report, only

    def _wanted(self, name: str) -> bool:
        return self._only in name

    def _add(self, what: str, figures: list[float], unit: str, reach: float | None = None) -> None:
        digits = 3 if unit == "s" and max(figures) < 0.3 else 0 if unit in ("ms", "%", "MiB") else 2
        self._report.add(what, figures, unit, reach, digits=digits)

    def paced(self) -> None:
        """A mixed answer at 200 tokens/s."""
        if not self._wanted("4,000 at 200/s"):
            return
        floors: list[float] = []
        rows: list[Stream] = []
        for _ in range(self._report.runs):
            floors.append(floor(self._server, 1000, 200))
            rows.append(stream(self._server, 4000, 200, frames=True))
        self._add("4,000 tokens at 200/s: CPU per 1,000", [row.per_1k for row in rows], "s", 1.0)
        ratios = [row.per_1k / least for row, least in zip(rows, floors, strict=True)]
        self._add("4,000 at 200/s: CPU over a Textual app of one line", ratios, "")
        self._add("4,000 at 200/s: last byte to final paint", [row.final * 1000 for row in rows], "ms", 60)
        self._add("4,000 at 200/s: longest frame, CPU", [row.frame for row in rows], "ms")
        self._add("memory at the prompt", [row.before for row in rows], "MiB", 55)

    def growth(self) -> None:
        """Whether a long answer costs more for each token; half as long with --quick."""
        if not self._wanted("16,000 over 1,000 at 200/s"):
            return
        runs = min(3, self._report.runs)
        tokens = 16000 if runs > 1 else 8000
        small = [stream(self._server, 1000, 200) for _ in range(runs)]
        large = [stream(self._server, tokens, 200) for _ in range(runs)]
        ratios = [one.per_1k / other.per_1k for one, other in zip(large, small, strict=True)]
        self._add(f"{tokens:,} tokens at 200/s: CPU per 1,000", [row.per_1k for row in large], "s")
        self._add(f"{tokens:,} over 1,000 at 200/s", ratios, "", 1.2)

    def flood(self) -> None:
        """As fast as it goes."""
        if self._wanted("20,000 unlimited"):
            floors: list[float] = []
            rows: list[Stream] = []
            for _ in range(self._report.runs):
                floors.append(floor(self._server, 20000, 0))
                rows.append(stream(self._server, 20000, 0, frames=True))
            self._add("20,000 tokens unlimited: CPU per 1,000", [row.per_1k for row in rows], "s", 0.15)
            ratios = [row.per_1k / least for row, least in zip(rows, floors, strict=True)]
            self._add("20,000 unlimited: CPU over a Textual app of one line", ratios, "")
            final = [row.final * 1000 for row in rows]
            self._add("20,000 unlimited: last byte to final paint", final, "ms", 800)
            self._add("20,000 unlimited: longest frame, CPU", [row.frame for row in rows], "ms")
        if self._wanted("64,000 unlimited"):
            rows = [stream(self._server, 64000, 0) for _ in range(self._report.runs)]
            self._add("64,000 tokens unlimited: CPU per 1,000", [row.per_1k for row in rows], "s")
            self._add("64,000 unlimited: last byte to final paint", [row.final * 1000 for row in rows], "ms")
            self._add("memory after 64,000 tokens", [row.after for row in rows], "MiB", 110)

    def blocks(self) -> None:
        """One block of 4,000 tokens."""
        for shape in ("table", "list", "paragraph", "fence"):
            if self._wanted(f"one {shape} at 1,000/s"):
                rows = [
                    stream(self._server, 4000, 1000, shape, frames=True) for _ in range(self._report.runs)
                ]
                share = [row.share * 100 for row in rows]
                self._add(f"one {shape} of 4,000 at 1,000/s: of a core", share, "%", 30)
                self._add(f"one {shape}: longest frame, CPU", [row.frame for row in rows], "ms", 50)
                final = [row.final * 1000 for row in rows]
                self._add(f"one {shape}: last byte to final paint", final, "ms")

    def scripts(self) -> None:
        """Wide characters and emoji."""
        for shape in ("cjk", "emoji"):
            if self._wanted(f"{shape} at 200/s"):
                tokens = 2000 if self._report.runs > 1 else 1000
                rows = [
                    stream(self._server, tokens, 200, shape, frames=True) for _ in range(self._report.runs)
                ]
                self._add(
                    f"{shape}, {tokens:,} at 200/s: CPU per 1,000", [row.per_1k for row in rows], "s", 1.0
                )
                self._add(f"{shape}: longest frame, CPU", [row.frame for row in rows], "ms")

    def hands(self) -> None:
        """The user pages or selects meanwhile."""
        cases = {"scrolling up": page_about, "selecting": drag_about}
        for name, doing in cases.items():
            if self._wanted(f"{name} while 2,000 stream at 200/s"):
                rows = [
                    stream(self._server, 2000, 200, frames=True, doing=doing)
                    for _ in range(self._report.runs)
                ]
                per_1k = [row.per_1k for row in rows]
                self._add(f"{name} while 2,000 stream at 200/s: CPU per 1,000", per_1k, "s")
                self._add(f"{name} while it streams: longest frame, CPU", [row.frame for row in rows], "ms")

    def one_core(self) -> None:
        """The program on one core; the server is where it likes."""
        for name, tokens, rate in (("4,000 at 200/s", 4000, 200), ("20,000 unlimited", 20000, 0)):
            if self._wanted(f"one core {name}"):
                rows = [stream(self._server, tokens, rate, cores={0}) for _ in range(self._report.runs)]
                reach = 1.0 if rate else None
                self._add(f"one core, {name}: CPU per 1,000", [row.per_1k for row in rows], "s", reach)
                final = [row.final * 1000 for row in rows]
                self._add(f"one core, {name}: last byte to final paint", final, "ms")


def measure(report: Report, only: str) -> None:
    """The rows about streaming."""
    with Server() as server:
        cases = Cases(server, report, only)
        for case in (
            *(cases.paced, cases.growth, cases.flood, cases.blocks),
            *(cases.scripts, cases.hands, cases.one_core),
        ):
            case()


if __name__ == "__main__":
    main(measure, __doc__)
