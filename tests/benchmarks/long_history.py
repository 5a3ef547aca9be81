"""A conversation of 10,000 turns on the screen, and the search over 100,000 turns.

    python tests/benchmarks/long_history.py [--quick] [--only WORD]

The conversation (10 MB) is opened by `--conversation` in a real pseudo-terminal, alternating with an empty
one; its time and memory are what it takes more. A page up counts from the key to the last byte that it has
written to the terminal, a resize from the signal to the last byte of the picture that follows.
"""

from __future__ import annotations

import random
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from harness import OUTCROP, ROOT, Report, Terminal, environment, main, percentile, place

sys.path.insert(0, str(ROOT))

from tui.core.conversation import Conversation
from tui.core.items import Item, Outcome, Target, Turn, Usage, user_message
from tui.store.history import History

WORDS = [
    *(["request", "leaves", "client", "event", "comes", "back", "reader", "keeps", "reading"]),
    *(["what", "was", "written", "regions", "models", "prices", "tokens", "caches", "turns"]),
    *(["order", "arrive", "server", "answers", "stream", "record", "header", "status", "latency"]),
    *(["summary", "branch"]),
]
TARGET = Target("openai.gpt-5.4", "us-west-2", "mantle", "http://127.0.0.1:9/openai/v1", sandbox=False)
LAST = "lastwordofall"
RARE = "sesquipedalian"
TURN_CHARS = 1000


def text(chance: random.Random, size: int) -> str:
    """Prose of about `size` characters."""
    parts: list[str] = []
    while size > 0:
        parts.append(chance.choice(WORDS))
        size -= len(parts[-1]) + 1
    return " ".join(parts)


def fill(history: History, conversation_id: str, turns: int, size: int, last: str) -> None:
    """Put a conversation of so many turns on disk, the last of them with a word to look for."""
    history._db.connection.execute("PRAGMA synchronous = OFF")  # it is for a while only
    chance = random.Random(conversation_id)
    history.save_conversation(Conversation(conversation_id, time.time()))
    parent: str | None = None
    for number in range(turns):
        words = text(chance, size) + (f" {last}" if number == turns - 1 else "")
        message = Item.of(
            {"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": words}]}
        )
        turn = Turn(
            id=f"{conversation_id}-{number}",
            parent_id=parent,
            input=(user_message(f"Question {number}: {chance.choice(WORDS)}?"),),
            created_at=time.time(),
            output=(message,),
            outcome=Outcome.COMPLETED,
            target=TARGET,
            usage=Usage(
                size // 4 + number % 7 + 2000, 1024 + number % 900, None, size // 4, 0, size // 2 + 2000
            ),
            ended_at=time.time(),
        )
        history.save_turn(conversation_id, turn)
        parent = turn.id


def painted(program: Terminal, since: float, gap: float) -> float:
    """Milliseconds from `since` to the last byte of what was written for it; NaN if nothing was."""
    deadline = since + 3
    while time.monotonic() < deadline:
        last = program.chunks[-1][0]
        if last > since and time.monotonic() - last > gap:
            return (last - since) * 1000
        time.sleep(0.005)
    return float("nan")


def opened(folder: Path, conversation_id: str, marker: bytes) -> tuple[float, float, list[float], float]:
    """Seconds to the marker, MiB a second later, milliseconds of 30 pages up, milliseconds of a resize."""
    command = [*OUTCROP, "--conversation", conversation_id]
    with Terminal(command, environment(folder)) as program:
        shown = program.wait_for(marker, 30) - program.began
        program.quiet(0.7, 10)
        memory = program.memory()
        pages = [
            painted(program, program.send(b"\x1b[5~"), 0.06)
            for _ in range(30 if conversation_id == "long" else 0)
        ]
        resized = painted(program, program.resize(100, 30), 0.3)
        return shown, memory, pages, resized


def measure_conversation(report: Report) -> None:
    """Opening, paging and resizing."""
    more_time: list[float] = []
    more_memory: list[float] = []
    pages: list[float] = []
    resizes: list[float] = []
    with place() as folder:
        history = History(folder / "data" / "history.db")
        fill(history, "long", 10_000, TURN_CHARS, LAST)
        fill(history, "short", 1, 20, LAST)
        history.close()
        for _ in range(max(2, report.runs)):
            short, little, _, _ = opened(folder, "short", LAST.encode())
            shown, memory, up, resized = opened(folder, "long", LAST.encode())
            more_time.append(shown - short)
            more_memory.append(memory - little)
            pages.append(percentile(up, 0.95))
            resizes.append(resized)
    report.add("10,000 turns (10 MB) over one turn: time to the last word", more_time, "s", 0.3)
    report.add("10,000 turns over one turn: memory", more_memory, "MiB", 25, digits=0)
    report.add("10,000 turns: page up, p95", pages, "ms", 40, digits=0)
    report.add("10,000 turns: resize", resizes, "ms", 150, digits=0)


def timed(history: History, words: str) -> float:
    """Milliseconds of one search."""
    began = time.perf_counter()
    history.search(words)
    return (time.perf_counter() - began) * 1000


def measure_search(report: Report, conversations: int = 1000) -> None:
    """Searches over 100 turns in each of so many conversations: rare, common, and nowhere."""
    with place() as folder:
        history = History(folder / "history.db")
        for number in range(conversations):
            fill(history, f"c{number}", 100, 300, RARE if number == conversations // 2 else "")
        kinds: Sequence[tuple[str, str]] = (
            ("a rare word", RARE),
            ("a common word", "tokens"),
            ("two words", "server answers"),
            ("a word that is nowhere", "glyphwork"),
            ("one of common letters that is nowhere", "antennae"),
        )
        for kind, words in kinds:
            timed(history, words)
            runs = [timed(history, words) for _ in range(max(5, report.runs))]
            name = f"search over {conversations * 100:,} turns: {kind}"
            report.add(name, runs, "ms", 50, digits=1)
        history.close()


def measure(report: Report, only: str) -> None:
    """The rows about long histories; quick runs search a fifth of the turns."""
    if only in "10,000 turns page up resize":
        measure_conversation(report)
    if only in "search over 100,000 turns":
        measure_search(report, 200 if report.runs <= 3 else 1000)


if __name__ == "__main__":
    main(measure, __doc__)
