"""What recording costs: a stream of 20,000 deltas with the recorder on and off, in alternation.

    python tests/benchmarks/recorder.py [--runs N] [--quick] [--only headless|TUI|TUI-1000|TUI-200]

Off means: no token is looked for in the bytes (in the text that is shown it is), no piece of the body and no
event is noted, and no exchange is written to the history. All else is as always, on both sides: the bytes are
read, put together, taken apart and decoded by the same functions, and the headers are masked. Each figure is
the least of the runs (15 by default) of one side over the least of the other. Headless, the client decodes
the stream from memory in the pieces in which a server sends events one by one. The TUI runs in a
pseudo-terminal, against a server that sends as fast as it can, 1,000 deltas a second, or 200, the pace of the
fastest models (run 5 and 3 times at most: each takes 20 or 100 seconds). Both have a token of the usual
length: the word that the sandbox takes is not looked for.

One run of a TUI differs from the next by more than what is looked for. So there is a second figure for each
pace, the median of three runs: the CPU that the recorder's own functions took, on whatever thread, over what
the program took without it. It leaves out what recording does to the rest (memory, caches), and nothing else;
what the clock itself takes is measured by an empty function, called as often, and taken off.
"""

from __future__ import annotations

import asyncio
import base64
import gc
import json
import statistics
import sys
import tempfile
import threading
import time
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from harness import END, PROMPT, Report, Server, Terminal, environment, main, outcrop, place

DELTAS: Final = 20_000
PACES: Final = {"TUI": 0, "TUI-1000": 1000, "TUI-200": 200}
"""Deltas a second; 0 is as fast as the server can."""
MOST_RUNS: Final = {0: 99, 1000: 5, 200: 3}
REGION: Final = "us-west-2"
ON: Final = "--record"
OFF: Final = "--record-nothing"
COUNTED: Final = "--record-counted"
"""As `ON`; the next argument is the file for the seconds that the recorder took."""


def record_nothing(*, but_record: bool = False) -> None:
    """Take the recorder out of the program; or only import the same, so that both sides begin alike."""
    from tui.core.recorded_body import Chunks
    from tui.core.recorded_events import Events
    from tui.session.records import TurnRecords
    from tui.store.history import History
    from tui.wire.redact import StreamRedactor

    if but_record:
        return

    def nothing(*_: Any, **__: Any) -> None:
        return

    Chunks.add = Chunks.add_all = nothing  # type: ignore[method-assign]
    Events.note = Events.note_all = nothing  # type: ignore[method-assign]
    StreamRedactor.feed = lambda self, piece: piece  # type: ignore[method-assign]
    StreamRedactor.passes = lambda self, data: True  # type: ignore[method-assign]
    TurnRecords.save_exchange = nothing  # type: ignore[method-assign]
    History.save_exchange = nothing  # type: ignore[method-assign]


def count_recording(file: Path) -> None:
    """Write the CPU seconds within the recorder's functions to a file, after each exchange that is saved."""
    from tui.core.recorded_body import Chunks
    from tui.core.recorded_events import Events
    from tui.session.records import TurnRecords
    from tui.store.history import History
    from tui.wire.arriving import Arriving
    from tui.wire.redact import StreamRedactor

    inside = threading.local()
    spent: list[float] = []
    empty: list[float] = []

    def counted(function: Callable[..., Any], spent: list[float] = spent) -> Callable[..., Any]:
        def call(*args: Any, **more: Any) -> Any:
            if getattr(inside, "one", False):
                return function(*args, **more)
            inside.one, began = True, time.thread_time()
            try:
                return function(*args, **more)
            finally:
                spent.append(time.thread_time() - began)
                inside.one = False

        return call

    save, nothing, take = counted(History.save_exchange), counted(lambda: None, empty), Arriving.take

    def save_exchange(*args: Any) -> None:
        save(*args)
        file.write_text(str(sum(spent) - len(spent) * statistics.fmean(empty)))

    def take_and_count_nothing(arriving: Arriving) -> Any:
        nothing()
        return take(arriving)

    Chunks.add, Chunks.add_all = counted(Chunks.add), counted(Chunks.add_all)  # type: ignore[method-assign]
    Events.note_all = counted(Events.note_all)  # type: ignore[method-assign]
    StreamRedactor.feed = counted(StreamRedactor.feed)  # type: ignore[method-assign]
    StreamRedactor.passes = counted(StreamRedactor.passes)  # type: ignore[method-assign]
    TurnRecords.save_exchange = counted(TurnRecords.save_exchange)  # type: ignore[method-assign]
    History.save_exchange = save_exchange  # type: ignore[method-assign]
    Arriving.take = take_and_count_nothing  # type: ignore[method-assign]


def token() -> str:
    """A short-term key as the sandbox takes it: `bedrock-api-key-` and a URL in base64; nobody signed it."""
    day = datetime.now(UTC).strftime("%Y%m%d")
    moment = datetime.now(UTC).strftime("%Y%m%dT%H%M%SZ")
    credential = f"ASIAEXAMPLEEXAMPLE00%2F{day}%2F{REGION}%2Fbedrock%2Faws4_request"
    session = base64.b64encode(bytes(n * n * 7 % 251 for n in range(600))).decode().replace("+", "%2B")
    url = (
        "bedrock.amazonaws.com/?Action=CallWithBearerToken&X-Amz-Algorithm=AWS4-HMAC-SHA256"
        f"&X-Amz-Credential={credential}&X-Amz-Date={moment}&X-Amz-Expires=43200"
        f"&X-Amz-Security-Token={session}&X-Amz-Signature={'5d0c9e7b' * 8}&X-Amz-SignedHeaders=host&Version=1"
    )
    return "bedrock-api-key-" + base64.b64encode(url.encode()).decode()


def stream() -> list[bytes]:
    """The events of an answer, as a server sends them."""
    words = ("the", "basalt", "of", "this", "outcrop", "cooled", "slowly", "in", "columns", "six", "sides")
    item = {"item_id": "msg_" + "0123456789abcdef" * 3, "output_index": 0, "content_index": 0}
    deltas = [words[n * n % len(words)] + " " for n in range(DELTAS)]
    output = [{"type": "message", "id": item["item_id"], "role": "assistant", "status": "completed",
               "content": [{"type": "output_text", "text": "".join(deltas), "annotations": []}]}]  # fmt: skip
    response = {"id": "resp_1", "object": "response", "status": "completed", "output": output, "usage": None}
    bodies: list[dict[str, Any]] = [
        {"type": "response.created", "response": {**response, "status": "in_progress", "output": []}},
        *(
            {"type": "response.output_text.delta", **item, "delta": delta, "obfuscation": "x" * (n % 16)}
            for n, delta in enumerate(deltas)
        ),
        {"type": "response.output_item.done", "output_index": 0, "item": output[0]},
        {"type": "response.completed", "response": response},
    ]
    pieces: list[bytes] = []
    for number, body in enumerate(bodies):
        data = json.dumps({**body, "sequence_number": number}, separators=(",", ":"))
        pieces.append(f"event: {body['type']}\ndata: {data}\n\n".encode())
    return pieces


async def headless(pieces: list[bytes], secret: str, *, recorded: bool) -> float:
    """CPU seconds of decoding the stream, the writing of the exchange included."""
    import httpx

    from tui.core.events import AttemptStarted
    from tui.core.exchange import Exchange
    from tui.core.items import Target
    from tui.store.history import History
    from tui.wire.client import ClientSettings, ResponsesClient
    from tui.wire.recorder import AttemptLabel

    class Body(httpx.AsyncByteStream):
        async def __aiter__(self) -> AsyncIterator[bytes]:
            for piece in pieces:
                yield piece

    class Canned(httpx.AsyncBaseTransport):
        async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
            return httpx.Response(200, headers={"content-type": "text/event-stream"}, stream=Body())

    target = Target("openai.gpt-5.4", "us-west-2", "mantle", "https://host.invalid/openai/v1")
    settings = ClientSettings(number=lambda _: 1, new_id=lambda: "x")
    client = ResponsesClient(target, lambda: secret, settings, transport=Canned())
    with tempfile.TemporaryDirectory(prefix="outcrop-bench-") as folder:
        history = History(Path(folder) / "history.db")
        # As in a chat, whose turn is saved before anything is sent: the file is open and its schema read.
        history.save_exchange(Exchange("w", 1, 1, "c", "t", "GET", "https://host.invalid/", (), b"", 0.0))
        body = json.dumps({"model": "openai.gpt-5.4", "input": "x", "stream": True}).encode()
        gc.collect()
        began = time.process_time()
        async for event in client.stream(body, AttemptLabel()):
            if isinstance(event, AttemptStarted):
                exchange = event.exchange
        history.save_exchange(exchange)
        used = time.process_time() - began
        assert (exchange.chunks.size == sum(map(len, pieces))) is recorded
        history.close()
    await client.aclose()
    return used


def tui(server: Server, pace: int, *side: str) -> float:
    """CPU seconds of the program from Enter until a second after the last word.

    Args:
        server: What it talks to.
        pace: Deltas a second; 0 is as fast as the server can.
        *side: `ON`, `OFF`, or `COUNTED` and its file.
    """
    model = f"fake-{DELTAS}-{pace}"
    server.warm(model)
    command = [sys.executable, __file__, *side, *outcrop(server, model)[3:]]
    with (
        place() as folder,
        Terminal(command, environment(folder, AWS_BEARER_TOKEN_BEDROCK=token())) as program,
    ):
        program.wait_for(PROMPT, 20)
        program.quiet(1.0, 10)
        program.send(b"go")
        program.idle()  # what sends is imported meanwhile
        entered, cpu = program.send(b"\r"), program.cpu()
        program.wait_for(END, 60 + (DELTAS / pace if pace else 60), entered)
        time.sleep(1.0)
        return program.cpu() - cpu


def headless_child(recorded: str) -> None:
    """One process measures one side, so that neither heap has the other's history."""
    if recorded == "off":
        record_nothing()
    pieces = stream()
    print(min(asyncio.run(headless(pieces, token(), recorded=recorded == "on")) for _ in range(2)))


def measure(report: Report, only: str) -> None:
    """The rows about recording."""
    if only in ("", "headless"):
        import os
        import subprocess

        env = {**os.environ, "PYTHONPATH": str(Path(__file__).resolve().parents[2])}
        on: list[float] = []
        off: list[float] = []
        for _ in range(report.runs):
            for side, found in (("on", on), ("off", off)):
                command = [sys.executable, __file__, "--headless", side]
                found.append(float(subprocess.check_output(command, env=env)))
        _row(report, f"headless decode of {DELTAS:,} deltas", on, off, 30)
    for name, pace in PACES.items():
        if only not in ("", name):
            continue
        with Server() as server:
            on, off = [], []
            for _ in range(min(report.runs, MOST_RUNS[pace])):
                on.append(tui(server, pace, ON))
                off.append(tui(server, pace, OFF))
            within = [_within(server, pace) for _ in range(min(report.runs, 3))]
        at = f"at {pace:,}/s" if pace else "as fast as they come"
        _row(report, f"TUI, {DELTAS:,} deltas {at}", on, off, 3)
        note = f"{statistics.median(spent for spent, _ in within) * 1000:.0f} ms of CPU"
        shares = [spent / (whole - spent) * 100 for spent, whole in within]
        report.add("  of that within the recorder's functions", shares, "%", 3, note, digits=1)


def _within(server: Server, pace: int) -> tuple[float, float]:
    """CPU seconds of the recorder's functions in a run, and of the whole program."""
    with tempfile.TemporaryDirectory(prefix="outcrop-bench-") as folder:
        file = Path(folder) / "spent"
        whole = tui(server, pace, COUNTED, str(file))
        return float(file.read_text()), whole


def _row(report: Report, what: str, on: list[float], off: list[float], target: float) -> None:
    cost = (min(on) / min(off) - 1) * 100
    note = f"on {min(on):.3f} s, off {min(off):.3f} s, least of {len(on)}"
    report.add(f"{what}: recording costs", [cost], "%", target, note, digits=1)


if __name__ == "__main__":
    if sys.argv[1:2] == ["--headless"]:
        headless_child(sys.argv[2])
    elif sys.argv[1:2] in ([ON], [OFF], [COUNTED]):
        from tui.cli import main as run_program

        record_nothing(but_record=sys.argv[1] != OFF)
        if sys.argv[1] == COUNTED:
            count_recording(Path(sys.argv.pop(2)))
        sys.exit(run_program(sys.argv[2:]))
    else:
        if not any(option in sys.argv for option in ("--runs", "--quick")):
            sys.argv += ["--runs", "15"]
        main(measure, __doc__)
