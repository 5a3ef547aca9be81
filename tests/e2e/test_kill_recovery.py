"""kill -9 in the middle of a stream: at the next start the prompt and the text so far are there."""

from __future__ import annotations

import os
import signal
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from support.programs import OUTCROP, Program, until
from support.terminal import have_tmux, terminal

from tui.core.items import Outcome
from tui.sandbox.log import Served
from tui.sandbox.server import SandboxServer
from tui.store.history import History

RATE = 50
PROMPT = "Write 4000 words about granite"
SENTENCE = "Outcrop was ended while this answer was arriving"


@pytest.fixture
def slow(tmp_path: Path) -> Iterator[SandboxServer]:
    with SandboxServer(tmp_path / "slow", rate=RATE) as server:
        yield server


def deltas_sent(record: Served) -> str:
    """The answer's text as far as the server has handed it to the connection."""
    import json

    text: list[str] = []
    for block in record.sent.decode().split("\n\n"):
        _, _, data = block.partition("data: ")
        if data and '"response.output_text.delta"' in data:
            text.append(json.loads(data)["delta"])
    return "".join(text)


def kill_in_the_stream(slow: SandboxServer, pid: int) -> str:
    """Kill when text has been coming for a while; returns what had been sent half a second before."""
    record = slow.log.wait_for(lambda record: record.events > 10, 20)
    until(lambda: len(deltas_sent(record)) > 300, "300 characters")
    before = deltas_sent(record)
    # The promise: all but the last half second of text is on disk, plus a moment to get it there.
    moment = time.monotonic() + 0.6
    until(lambda: time.monotonic() >= moment, "half a second")
    os.kill(pid, signal.SIGKILL)
    return before


def kept(program: Program, before: str, record: Served) -> dict[str, Any]:
    conversation = program.conversation()
    (turn,) = conversation["turns"]
    assert turn["prompt"] == PROMPT
    assert turn["outcome"] == "failed"
    assert SENTENCE in turn["error"]
    assert len(before) > 300
    assert turn["text"].startswith(before), (len(turn["text"]), len(before))
    assert deltas_sent(record).startswith(turn["text"])
    assert turn["usage"] is None
    with closing(sqlite3.connect(program.data / "history.db")) as db:
        assert db.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    return conversation


@pytest.mark.skipif(not have_tmux(), reason="tmux is not installed")
def test_the_tui_killed(program: Program, slow: SandboxServer, tmp_path: Path) -> None:
    program.base_url = f"http://127.0.0.1:{slow.port}/openai/v1"
    with terminal(tmp_path / "a", OUTCROP, program.environ(), cwd=program.cwd) as window:
        window.wait_for("Message", "stateful")
        window.type(PROMPT)
        window.wait_for(PROMPT)
        window.press("Enter")
        before = kill_in_the_stream(slow, window.pid)
        assert window.status() == 128 + signal.SIGKILL
    record = slow.log.wait_for(lambda record: record.ended == "disconnected")
    kept(program, before, record)
    # And on the screen: its end first, the prompt at the top.
    command = [*OUTCROP, "-c"]
    with terminal(
        tmp_path / "b", command, program.environ(), cwd=program.cwd, columns=160, rows=48
    ) as window:
        window.wait_for("Outcrop was ended while this answer was arriving")
        window.press("C-Home")
        window.wait_for(PROMPT, "sandbox, not a model")
        window.press("C-q")
        assert window.status() == 0


@pytest.mark.skipif(not have_tmux(), reason="tmux is not installed")
def test_two_conversations_that_stream_killed(program: Program, slow: SandboxServer, tmp_path: Path) -> None:
    """Nothing that was sent, queued or typed in either is lost, and of each answer half a second at most."""
    program.base_url = f"http://127.0.0.1:{slow.port}/openai/v1"
    with terminal(tmp_path / "a", OUTCROP, program.environ(), cwd=program.cwd) as window:
        window.wait_for("Message", "stateful")
        window.type("Write 4000 words about granite")
        window.press("Enter")
        slow.log.wait_for(lambda record: record.events > 10, 20)
        window.type("queued there")
        window.press("Enter")
        window.wait_for("queued there", "Next")
        title = ("display", "-p", "-t", "p", "#{pane_title}")
        assert window.tmux(*title).strip() == "Write 4000 words about granite · Outcrop"
        window.press("C-n")
        window.wait_for("1 running elsewhere", "Message")
        assert window.tmux(*title).strip() == "Outcrop"
        window.type("Write 4000 words about basalt")
        window.press("Enter")
        window.wait_for("Write 4000 words about basalt", "Esc stops")
        until(lambda: len(slow.log) == 2 and slow.log[1].events > 10, "the second answer")
        window.type("a thought")
        window.wait_for("a thought")
        records = [slow.log[0], slow.log[1]]
        until(lambda: all(len(deltas_sent(record)) > 300 for record in records), "300 characters of each")
        before = [deltas_sent(record) for record in records]
        moment = time.monotonic() + 0.6
        until(lambda: time.monotonic() >= moment, "half a second")
        os.kill(window.pid, signal.SIGKILL)
        assert window.status() == 128 + signal.SIGKILL
    for record in records:
        until(lambda record=record: record.ended == "disconnected", "the end of the connection")
    history = History(program.data / "history.db")
    try:
        found = {line.title: history.load(line.id) for line in history.list()}
        assert set(found) == {"Write 4000 words about granite", "Write 4000 words about basalt"}
        for record, text, (title, draft) in zip(
            records,
            before,
            [
                ("Write 4000 words about granite", "queued there"),
                ("Write 4000 words about basalt", "a thought"),
            ],
            strict=True,
        ):
            conversation = found[title]
            (turn,) = conversation.turns.values()
            assert (turn.prompt, turn.outcome) == (title, Outcome.FAILED)
            assert turn.text.startswith(text)
            assert deltas_sent(record).startswith(turn.text)
            assert history.load_draft(conversation.id).text == draft
    finally:
        history.close()
