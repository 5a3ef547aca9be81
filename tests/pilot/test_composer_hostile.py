"""Files that take long, or harm who reads them, on their way into a prompt: seen, held for, stopped."""

from __future__ import annotations

import os
from pathlib import Path
from time import monotonic

import pytest
from support.hostile_files import hostile_pdfs, slow_pdf
from support.pdfs import make_pdf
from support.sessions import make_session
from textual import events
from textual.widgets import Input
from ui_real import ready, send
from ui_samples import text_of
from ui_stand_in import typed, until

from tui.app import OutcropApp
from tui.core.items import Outcome
from tui.pdf.reading import Limits
from tui.sandbox.server import SandboxServer
from tui.screens.attachments import AttachmentsScreen
from tui.screens.file_chooser import FileChooser


def names(app: OutcropApp) -> list[str]:
    return [file.name for file in app.chat._attachments]


def said(app: OutcropApp) -> str:
    return "\n".join(note.message for note in app._notifications)


async def test_a_file_that_takes_for_ever_is_shown_held_for_and_stopped(
    tmp_path: Path, sandbox: SandboxServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The watchdog of conftest.py holds every callback of this to 50 ms."""
    slow, other, good = tmp_path / "slow.pdf", tmp_path / "other.pdf", tmp_path / "good.pdf"
    slow.write_bytes(slow_pdf(20))
    other.write_bytes(slow_pdf(21))
    good.write_bytes(make_pdf("Granite"))
    session = make_session(sandbox)
    app = OutcropApp(session)
    async with app.run_test(size=(80, 24), notifications=True) as pilot:
        first = await ready(app, pilot)
        app.post_message(events.Paste(str(slow)))
        # Keys are answered while it is read; what is sent meanwhile waits: it is not meant to go without it.
        await typed(pilot, "what is in it")
        await pilot.press("enter")
        await until(pilot, lambda: "slow.pdf  reading, then it is sent …" in text_of(app))
        assert app.chat.composer.text == "what is in it" and not sandbox.log
        await pilot.press("escape")
        await until(pilot, lambda: "The prompt was not sent" in said(app))
        assert "reading" not in text_of(app) and names(app) == []
        assert app.chat.composer.text == "what is in it" and not sandbox.log
        # It goes where it was given, whichever conversation is shown when it has been read.
        app.clear_notifications()
        app.post_message(events.Paste(str(good)))
        await until(pilot, lambda: names(app) == ["good.pdf"])
        turn = await send(app, pilot, "")
        assert turn.outcome is Outcome.COMPLETED and turn.prompt == "what is in it"
        monkeypatch.setattr("tui.session.attachments.DEFAULT_LIMITS", Limits(1.5))
        app.post_message(events.Paste(f"{other}\n{good}"))
        await until(pilot, lambda: "other.pdf  reading …" in text_of(app))
        await pilot.press("ctrl+n")
        await until(pilot, lambda: app.chat.conversation_id != first)
        assert "reading" not in text_of(app)
        await until(pilot, lambda: not app.chat._readings)
        assert names(app) == []
        await app.chat.open_conversation(first)
        await until(pilot, lambda: names(app) == ["other.pdf", "good.pdf"])
        # Its page was counted; it is its text that takes for ever, of which only the estimate knows.
        assert app.chat._attachments[0].pages == 1
        # Who leaves while a file is read does not wait for it.
        monkeypatch.undo()
        slow.write_bytes(slow_pdf(22))
        app.post_message(events.Paste(str(slow)))
        await until(pilot, lambda: "slow.pdf" in text_of(app))
        left = monotonic()
    await session.aclose()
    assert monotonic() - left < 5.0


async def test_what_is_not_known_of_a_file_is_said_in_the_choice_the_list_and_the_chips(
    tmp_path: Path, sandbox: SandboxServer
) -> None:
    bombs = hostile_pdfs()
    (tmp_path / "a cut.pdf").write_bytes(bombs["cut"])
    (tmp_path / "b bomb.pdf").write_bytes(bombs["content grows"])
    os.mkfifo(tmp_path / "c pipe.pdf")
    session = make_session(sandbox)
    app = OutcropApp(session)
    async with app.run_test(size=(80, 24), notifications=True) as pilot:
        conversation_id = await ready(app, pilot)
        app.chat._chooser_folder = str(tmp_path)
        await pilot.press("f3")
        await until(pilot, lambda: isinstance(app.screen, FileChooser))
        await until(pilot, lambda: "Its pages are unknown" in text_of(app))
        assert "pages unknown · " in text_of(app)
        await pilot.press("tab")
        await until(pilot, lambda: "1 page · " in text_of(app))
        await pilot.press("tab")
        await until(pilot, lambda: "c pipe.pdf is no regular file" in text_of(app))
        app.screen.query_one(Input).value = ""
        await pilot.press("ctrl+s")
        await until(pilot, lambda: names(app) == ["a cut.pdf", "b bomb.pdf"])
        assert "a cut.pdf is attached. Its pages are unknown: the PDF is damaged or unusual" in said(app)
        await until(pilot, lambda: "pages unknown" in text_of(app))
        app.clear_notifications()
        await pilot.press("alt+a")
        await until(pilot, lambda: isinstance(app.screen, AttachmentsScreen))
        await until(pilot, lambda: "Its pages are unknown: the PDF is damaged" in text_of(app))
        await pilot.press("escape")
        # The service refuses it: prompt and files are the user's again, and nothing of it is in the way.
        await typed(pilot, "read")
        await pilot.press("enter")
        await until(pilot, lambda: app.chat.composer.text == "read" and len(names(app)) == 2)
        await until(pilot, lambda: "takes the file away that is refused" in text_of(app))
        app.chat.action_detach("2")
        app.chat.action_detach("1")
        await until(pilot, lambda: names(app) == [])
        turn = await send(app, pilot, " on")
        assert turn.outcome is Outcome.COMPLETED
        assert len(session.conversation(conversation_id).path()) == 1
    await session.aclose()
