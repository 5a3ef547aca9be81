"""How much CPU the conversation pane takes while an answer streams.

    python tests/benchmarks/pane_stream.py [RUNS]

Each case runs in a real pseudo-terminal of 120x40 in a process of its own, alternating with a
floor: the smallest Textual app that shows streamed text at 30 frames a second, one line of it.
Printed are medians: CPU seconds per 1,000 tokens, the ratio to the floor, the longest time that the
event loop did not answer, and the time from the last token to the painted end.
"""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import json
import os
import pty
import random
import re
import statistics
import struct
import subprocess
import sys
import tempfile
import termios
import threading
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
WORDS = re.findall(
    r"\w+",
    "a request leaves the client and an event comes back while the reader keeps on reading what has been "
    "written so far about regions models prices tokens caches turns and the order in which they arrive",
)
TOKEN = re.compile(r"\n+| *\w{1,10}| *[^\w\s]{1,4}| +")
CASES = [
    ("mixed", 1000, 200),
    ("mixed", 4000, 200),
    ("mixed", 16000, 200),
    ("mixed", 1000, 0),
    ("mixed", 4000, 0),
    ("mixed", 16000, 0),
    ("list", 4000, 1000),
    ("table", 4000, 1000),
    ("paragraph", 4000, 1000),
    ("fence", 4000, 1000),
]


def sentence(chance: random.Random, words: int) -> str:
    """Words, some of them marked up."""
    marks = ["{}"] * 12 + ["**{}**", "*{}*", "`{}`", "[{}](https://example.com/)"]
    return " ".join(chance.choice(marks).format(chance.choice(WORDS)) for _ in range(words)) + "."


def section(chance: random.Random, number: int) -> str:
    """What a model writes: headings, prose, lists, code, a table, a quote."""
    code = "\n".join(
        f"def step_{number}_{line}(value: int = {line}) -> str:\n"
        f"    return f'{{value}} {chance.choice(WORDS)}'  # note"
        for line in range(5)
    )
    rows = "\n".join(
        f"| {chance.choice(WORDS)} | {chance.randint(1, 999)} | {sentence(chance, 3)} |" for _ in range(5)
    )
    return "\n\n".join(
        [
            f"## Part {number}",
            sentence(chance, 50),
            "\n".join(f"- {sentence(chance, 10)}" for _ in range(4)),
            f"```python\n{code}\n```",
            f"| what | count | note |\n|---|--:|---|\n{rows}",
            "\n".join(f"{line}. {sentence(chance, 9)}" for line in range(1, 4)),
            f"> {sentence(chance, 20)}",
            "",
        ]
    )


def text_of(shape: str, size: int) -> str:
    """At least `size` characters of one shape."""
    chance = random.Random(11)
    parts = (
        ["| a | b | c |\n|---|---|---|\n"]
        if shape == "table"
        else ["```python\n"]
        if shape == "fence"
        else []
    )
    while sum(map(len, parts)) < size:
        match shape:
            case "list":
                parts.append(f"- {sentence(chance, 10)}\n")
            case "table":
                parts.append(
                    f"| {sentence(chance, 2)} | {chance.randint(1, 999)} | {sentence(chance, 4)} |\n"
                )
            case "paragraph":
                parts.append(sentence(chance, 40) + " ")
            case "fence":
                parts.append(
                    f"    value_{len(parts)} = call('{chance.choice(WORDS)}', {len(parts)})  # why\n"
                )
            case _:
                parts.append(section(chance, len(parts) + 1))
    return "".join(parts)


def tokens_of(shape: str, count: int) -> list[str]:
    """A deterministic answer of `count` tokens."""
    return TOKEN.findall(text_of(shape, count * 8))[:count]


def child(shape: str, count: int, rate: int, report: str) -> None:
    """The process that is measured."""
    sys.path.insert(0, str(ROOT))
    from textual.app import App, ComposeResult
    from textual.widgets import Static

    from tui.widgets.conversation_pane import Block, BlockKind, ConversationPane

    floor = shape == "floor"
    deltas = tokens_of("mixed" if floor else shape, count)

    class Bench(App[None]):
        def compose(self) -> ComposeResult:
            yield Static("", markup=False) if floor else ConversationPane()

        async def on_mount(self) -> None:
            self.run_worker(self.measure())

        async def measure(self) -> None:
            await asyncio.sleep(0.5)
            lag = [0.0]
            ticker = asyncio.ensure_future(self.tick(lag))
            cpu, start = time.process_time(), time.perf_counter()
            await (self.stream_line(deltas, rate) if floor else self.stream(deltas, rate))
            last = time.perf_counter()
            if not floor:
                pane = self.query_one(ConversationPane)
                pane.close_block("a", state="")
                await pane.drained()
            end = time.perf_counter()
            ticker.cancel()
            used = time.process_time() - cpu
            figures = {
                "cpu": used * 1000 / len(deltas),
                "share": used / (end - start),
                "lag": lag[0] * 1000,
                "final": (end - last) * 1000,
            }
            Path(report).write_text(json.dumps(figures))
            self.exit()

        async def tick(self, lag: list[float]) -> None:
            while True:
                before = time.perf_counter()
                await asyncio.sleep(0.01)
                lag[0] = max(lag[0], time.perf_counter() - before - 0.01)

        async def stream(self, deltas: list[str], rate: int) -> None:
            pane = self.query_one(ConversationPane)
            pane.append(Block("u", BlockKind.USER, "Tell me.", "You"))
            pane.append(Block("a", BlockKind.ASSISTANT, "", "model", state="running"))
            start = time.perf_counter()
            for number, delta in enumerate(deltas):
                if rate:
                    ahead = start + number / rate - time.perf_counter()
                    if ahead > 0:
                        await asyncio.sleep(ahead)
                elif number % 64 == 0:
                    await asyncio.sleep(0)
                pane.feed("a", delta)

        async def stream_line(self, deltas: list[str], rate: int) -> None:
            line = self.query_one(Static)
            text = ""
            start = painted = time.perf_counter()
            for number, delta in enumerate(deltas):
                if rate:
                    ahead = start + number / rate - time.perf_counter()
                    if ahead > 0:
                        await asyncio.sleep(ahead)
                elif number % 64 == 0:
                    await asyncio.sleep(0)
                text = (text + delta.replace("\n", " "))[-100:]
                now = time.perf_counter()
                if now - painted > 1 / 30:
                    painted = now
                    line.update(text)

    Bench().run()


def run(shape: str, count: int, rate: int) -> dict[str, float]:
    """Run one case in a pseudo-terminal and return its figures."""
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "figures.json"
        master, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 40, 120, 0, 0))
        environment = {**os.environ, "TERM": "xterm-256color", "COLORTERM": "truecolor"}
        process = subprocess.Popen(
            [sys.executable, __file__, "--child", shape, str(count), str(rate), str(report)],
            stdin=slave,
            stdout=slave,
            stderr=slave,
            env=environment,
            start_new_session=True,
        )
        os.close(slave)
        output = bytearray()

        def drain() -> None:
            with contextlib.suppress(OSError):
                while data := os.read(master, 1 << 16):
                    output[:] = (output + data)[-4000:]

        reader = threading.Thread(target=drain, daemon=True)
        reader.start()
        process.wait(timeout=300)
        reader.join(timeout=2)
        os.close(master)
        if not report.exists():
            raise SystemExit(output.decode(errors="replace"))
        figures: dict[str, float] = json.loads(report.read_text())
        return figures


def main() -> None:
    """Print a table of all cases."""
    runs = int(sys.argv[1]) if len(sys.argv) > 1 else 3
    only = sys.argv[2] if len(sys.argv) > 2 else ""
    print(f"{'case':<26}{'CPU s/1k':>9}{'x floor':>9}{'of a core':>11}{'stall ms':>10}{'final ms':>10}")
    for shape, count, rate in CASES:
        name = f"{shape} {count:,} at {rate or 'any'}/s"
        if only and only not in name:
            continue
        floors: list[float] = []
        figures: list[dict[str, float]] = []
        for _ in range(runs):
            floors.append(run("floor", min(count, 2000), rate)["cpu"])
            figures.append(run(shape, count, rate))
        middle = {key: statistics.median(figure[key] for figure in figures) for key in figures[0]}
        floor = statistics.median(floors)
        print(
            f"{name:<26}{middle['cpu']:>9.3f}{middle['cpu'] / floor:>9.1f}{middle['share']:>10.0%} "
            f"{middle['lag']:>10.0f}{middle['final']:>10.0f}",
            flush=True,
        )


if __name__ == "__main__":
    if sys.argv[1:2] == ["--child"]:
        child(sys.argv[2], int(sys.argv[3]), int(sys.argv[4]), sys.argv[5])
    else:
        main()
