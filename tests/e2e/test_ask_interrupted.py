"""`outcrop ask` that is told to stop: the turn is kept, the server sees the connection close."""

from __future__ import annotations

import signal

import pytest
from support.programs import Finished, Program

from tui.sandbox.server import SandboxServer


@pytest.mark.parametrize(("number", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_in_a_stalled_stream(
    program: Program, server: SandboxServer, number: signal.Signals, status: int
) -> None:
    server.fault({"stall_events": 12})
    with program.running("ask", "--json", "Write 60 words about granite") as process:
        assert process.stdout is not None
        seen: list[bytes] = []
        while b'"text.delta"' not in b"".join(seen):  # sent is not yet read
            seen.append(process.stdout.readline())
            assert seen[-1], seen
        process.send_signal(number)
        rest, err = process.communicate(timeout=10)
    out = b"".join([*seen, rest])
    assert process.returncode == status
    assert err == b""
    record = server.log.wait_for(lambda record: bool(record.ended))
    assert record.ended == "disconnected"
    (turn,) = program.conversation()["turns"]
    assert turn["outcome"] == "cancelled"
    assert turn["text"]
    ended = Finished(process.returncode, out, err).ended
    assert ended["outcome"] == "cancelled"
    assert ended["text"] == turn["text"]
    assert ended["usage"] is None
    assert ended["error"]["message"] == "Interrupted."


def test_a_signal_before_the_first_byte(program: Program, server: SandboxServer) -> None:
    server.fault({"wait": 30})
    with program.running("ask", "hi") as process:
        server.log.wait_for(lambda record: record.body != b"", timeout=20)
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=10)
    assert (process.returncode, out, err) == (130, b"", b"")
    (turn,) = program.conversation()["turns"]
    assert (turn["prompt"], turn["outcome"], turn["text"]) == ("hi", "cancelled", "")


def test_the_next_turn_sends_what_was_kept(program: Program, server: SandboxServer) -> None:
    server.fault({"stall_events": 12})
    with program.running("ask", "Write 60 words about granite") as process:
        server.log.wait_for(lambda record: record.events >= 12, timeout=20)
        process.send_signal(signal.SIGINT)
        out, _ = process.communicate(timeout=10)
    finished = program.ask("-c", "Reply with exactly: hi")
    assert (finished.status, finished.out) == (0, "hi")
    assert server.log[-1].json["input"] == [
        {"role": "user", "content": "Write 60 words about granite"},
        {"role": "assistant", "content": out.decode()},
        {"role": "user", "content": "Reply with exactly: hi"},
    ]
