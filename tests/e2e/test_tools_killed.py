"""kill -9 between a call and its output: the conversation comes back, and nothing runs twice unasked."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

from support.programs import is_alive, until
from support.sessions import make_session
from support.tool_files import Says, write_tools

from tui.core.events import TurnEnded
from tui.core.items import Outcome
from tui.core.tool_calls import CallState
from tui.core.tools import INTERRUPTED
from tui.sandbox.server import SandboxServer


def wait_until_begun(pid_file: Path, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + 30
    while not pid_file.exists() or not pid_file.read_text():
        assert time.monotonic() < deadline and process.poll() is None, "the tool never began"
        time.sleep(0.02)


async def test_after_kill_9_the_call_waits_for_an_answer(sandbox: SandboxServer, tmp_path: Path) -> None:
    tools = write_tools(tmp_path / "tools")
    url = f"http://127.0.0.1:{sandbox.port}/openai/v1"
    arguments = ["ask", "--base-url", url, "--tools", str(tools), "--yes", "Do the endless thing"]
    process = subprocess.Popen(
        [sys.executable, "-m", "tui", *arguments],
        env={**os.environ, "AWS_BEARER_TOKEN_BEDROCK": "sandbox"},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    pid_file = tmp_path / "tools" / "child.pid"
    wait_until_begun(pid_file, process)
    process.kill()
    process.wait()
    until(lambda: not is_alive(int(pid_file.read_text())), "the end of the tool that nobody waits for")
    pid_file.unlink()
    with sqlite3.connect(tmp_path / "data" / "history.db") as db:
        assert db.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    session = make_session(sandbox)
    session.tool_files = (tools,)
    conversation = await session.latest()
    assert conversation is not None
    ((call, record),) = session.pending(conversation.id)
    assert call.name == "endless_thing" and record.state is CallState.RUNNING
    asker = Says()
    steps = session.resume_calls(conversation.id, "interrupted", asker)
    (ended,) = [event.turn async for event in steps if isinstance(event, TurnEnded)]
    assert ended.outcome is Outcome.COMPLETED and ended.input[0].payload["output"] == INTERRUPTED
    assert not asker.asked and not pid_file.exists(), "it ran again"
    await session.aclose()
