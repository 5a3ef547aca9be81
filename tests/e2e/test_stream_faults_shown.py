"""What is drawn of a fault: the countdown, the sentence, what came, and the way on."""

from __future__ import annotations

import os
import pty
import re
import signal
import subprocess
from pathlib import Path
from typing import Any

from support.programs import OUTCROP, Program, until
from support.sessions import make_session
from textual.pilot import Pilot
from ui_real import ready, send
from ui_stand_in import shown, typed
from ui_stand_in import until as seen

from tui.app import OutcropApp
from tui.core.items import Outcome
from tui.sandbox.server import SandboxServer
from tui.screens.picker import PickerScreen
from tui.screens.token_dialog import TokenDialog

PROMPT = "Reply with exactly: alpha beta gamma delta"
LONG = "prompt tokens (1055489) exceed model maximum (1050000) for openai.gpt-5.6-sol"


def refused(status: int, message: str, **more: Any) -> dict[str, Any]:
    return {"status": status, "body": {"error": {"message": message, "param": "input"}}, **more}


def picture(app: OutcropApp, name: str) -> None:
    """For who looks: `FAULT_PICTURES=folder` keeps what the screen shows."""
    if folder := os.environ.get("FAULT_PICTURES"):
        Path(folder, f"{name}.svg").write_text(app.export_screenshot())


async def test_the_screen_says_what_happened_keeps_what_came_and_leads_on(sandbox: SandboxServer) -> None:
    app = OutcropApp(make_session(sandbox))
    async with app.run_test(size=(80, 24)) as pilot:
        await ready(app, pilot)
        await _counted_down(app, pilot, sandbox)
        await _led_on(app, pilot, sandbox)
        await app.chat.shut_down()
        await app.session.aclose()


async def _counted_down(app: OutcropApp, pilot: Pilot[Any], sandbox: SandboxServer) -> None:
    notice = app.chat.notice
    long = "Too many tokens for this account in this region. " * 10
    sandbox.fault(refused(429, long, headers={"retry-after": "75"}))
    await typed(pilot, PROMPT)
    await pilot.press("enter")
    await seen(pilot, lambda: re.search(r"Next attempt in 7[45] s · Esc stops$", notice.text) is not None)
    assert notice.text.startswith(
        "The server is throttling (429): too many tokens a minute. It said: Too many"
    )
    assert notice.region.height <= 3 and notice.region.bottom <= app.chat.composer.region.y
    picture(app, "countdown")
    await pilot.press("escape")
    await seen(pilot, lambda: not app.chat.answers_arriving)
    assert notice.text == "" and "Stopped before anything came." in shown(app)
    assert len(sandbox.log) == 1
    # Longer than anybody waits: it is told, and not waited.
    sandbox.fault(refused(429, "Too many tokens.", headers={"retry-after": "3600"}))
    turn = await send(app, pilot, PROMPT)
    assert turn.outcome is Outcome.FAILED
    assert "left alone for 60 min" in shown(app)
    assert notice.text == "Ctrl+X r answers once more; what came stays, as a branch"
    assert len(sandbox.log) == 2


async def _led_on(app: OutcropApp, pilot: Pilot[Any], sandbox: SandboxServer) -> None:
    notice = app.chat.notice
    sandbox.fault({"cut_events": 7})
    turn = await send(app, pilot, PROMPT)
    assert turn.outcome is Outcome.FAILED and turn.text and turn.text in shown(app)
    assert "broke off" in shown(app)
    assert notice.text.startswith("Ctrl+X r answers once more")
    picture(app, "cut")
    await pilot.press("ctrl+x", "r")
    await seen(pilot, lambda: "alpha beta gamma delta" in shown(app).rpartition("assistant|")[2])
    await seen(pilot, lambda: not app.chat.answers_arriving)
    assert notice.text == ""
    sandbox.fault(refused(404, "The model 'x' does not exist"))
    await send(app, pilot, PROMPT)
    assert notice.text.endswith(" lists the models, and where each can be asked")
    picture(app, "model")
    await pilot.click("NoticeBar")
    await seen(pilot, lambda: isinstance(app.screen, PickerScreen))
    await pilot.press("escape")
    await seen(pilot, lambda: app.screen is app.chat)
    # Too long: the prompt is the user's again, the path is as it was, a summary is offered.
    conversation = app.session.conversation(app.chat.conversation_id)
    before = len(conversation.path())
    sandbox.fault(refused(400, LONG))
    await send(app, pilot, "A prompt that is too long")
    await seen(pilot, lambda: app.chat.composer.text == "A prompt that is too long")
    assert notice.text.endswith(" goes on from a summary: the conversation is longer than the model takes")
    assert len(app.session.conversation(conversation.id).path()) == before
    picture(app, "too_long")
    sandbox.fault(refused(401, "expired"))
    await pilot.press("enter")
    await seen(pilot, lambda: isinstance(app.screen, TokenDialog))
    await pilot.press("escape")
    await seen(pilot, lambda: app.screen is app.chat)
    assert app.chat.composer.text == "A prompt that is too long"
    await pilot.press("enter")
    await seen(pilot, lambda: app.chat.composer.text == "" and not app.chat.answers_arriving)
    assert app.session.conversation(conversation.id).path()[-1].outcome is Outcome.COMPLETED


def test_ask_counts_down_on_a_terminal_and_ctrl_c_ends_it(program: Program, server: SandboxServer) -> None:
    server.fault(refused(429, "slow", headers={"retry-after": "60"}))
    master, slave = pty.openpty()
    written = b""

    def found(words: bytes) -> bool:
        nonlocal written
        try:
            written += os.read(master, 65536)
        except OSError:
            return words in written
        return words in written

    with subprocess.Popen(
        [*OUTCROP, "ask", PROMPT], stdin=slave, stdout=slave, stderr=slave, env=program.environ(),
        cwd=program.cwd, start_new_session=True, preexec_fn=_take_terminal,
    ) as process:  # fmt: skip
        try:
            os.close(slave)
            os.set_blocking(master, False)
            until(lambda: found(b"Trying again in 60.0 s (attempt 2); Ctrl+C stops.\r\n"), "the wait", 60)
            until(lambda: found(b"\rNext attempt in 58 s"), "the countdown", 60)
            os.write(master, b"\x03")
            assert process.wait(30) == 130
            found(b"")
        finally:
            if process.poll() is None:
                process.send_signal(signal.SIGKILL)
            os.close(master)
    # The line is taken away.
    assert re.search(rb"\r +\r", written)
    assert b"Traceback" not in written
    assert len(server.log) == 1
    assert program.conversation()["turns"][0]["outcome"] == "cancelled"


def _take_terminal() -> None:
    import fcntl
    import termios

    # Ctrl+C is a signal only in the terminal that controls the process.
    fcntl.ioctl(0, termios.TIOCSCTTY, 0)
