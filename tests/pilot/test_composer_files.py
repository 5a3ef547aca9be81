"""Files: the chooser, the list of attachments, pictures and models, drafts, the queue."""

from __future__ import annotations

from pathlib import Path

import pytest
from support.pdfs import make_pdf
from support.pictures import png
from support.sessions import make_session
from textual import events
from textual.widgets import Input, TextArea
from ui_real import ready, send
from ui_samples import text_of
from ui_stand_in import Held, StandInSession, app_for, settled, typed, until

from tui.app import OutcropApp
from tui.sandbox.server import SandboxServer
from tui.screens.attachments import AttachmentsScreen
from tui.screens.file_chooser import FileChooser
from tui.screens.queue_list import QueueScreen


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    home = tmp_path / "home"
    (home / "papers" / "deep").mkdir(parents=True)
    (home / "papers" / "a.pdf").write_bytes(make_pdf("A"))
    (home / "papers" / "b.pdf").write_bytes(make_pdf("B", "two"))
    (home / "papers" / "copy of a.pdf").write_bytes(make_pdf("A"))
    (home / "papers" / "deep" / "map.png").write_bytes(png(640, 480))
    (home / "notes.md").write_text("rock\n```\ncode\n```")
    (home / "broken.pdf").write_text("no")
    monkeypatch.chdir(home)
    return home


def names(app: OutcropApp) -> list[str]:
    return [file.name for file in app.chat._attachments]


def said(app: OutcropApp) -> str:
    return "\n".join(note.message for note in app._notifications)


async def test_files_are_chosen_looked_at_reordered_and_removed(home: Path, sandbox: SandboxServer) -> None:
    session = make_session(sandbox)
    app = OutcropApp(session)
    async with app.run_test(size=(100, 30), notifications=True) as pilot:
        await ready(app, pilot)
        await typed(pilot, "/attach")
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(app.screen, FileChooser) and "papers/" in text_of(app))
        # A file that cannot be attached says so before it is chosen.
        await until(pilot, lambda: "is not a PDF" in text_of(app))
        await pilot.press(*"map")
        await until(pilot, lambda: "papers/deep/map.png" in text_of(app) and "640 × 480" in text_of(app))
        await pilot.press("tab")
        app.screen.query_one(Input).value = "papers/"
        await until(pilot, lambda: "copy of a.pdf" in text_of(app))
        await pilot.press("tab", "tab", "tab", "ctrl+s")
        await until(pilot, lambda: len(names(app)) == 3)
        # In the order of marking; the same bytes under another name are said, not taken twice.
        assert names(app) == ["map.png", "a.pdf", "b.pdf"]
        already = "copy of a.pdf is attached already: it is the same file as a.pdf."
        await until(pilot, lambda: already in said(app))
        await pilot.press("f3")
        await until(pilot, lambda: isinstance(app.screen, FileChooser))
        await pilot.press("shift+tab", "shift+tab")
        await until(pilot, lambda: "broken.pdf" in text_of(app))
        await pilot.press("escape")
        await until(pilot, lambda: app.screen is app.chat)
        # Reordered on the chips, and in the list; removed there.
        await until(pilot, lambda: len(app.chat.query("Chip")) == 3)
        # Each says as much as there is room for.
        assert max(chip.region.right for chip in app.chat.query("Chip")) <= 100
        assert "map.png  ~350 tokens" in text_of(app)
        app.chat.query("Chip")[0].focus()
        await pilot.press("shift+right")
        await until(pilot, lambda: names(app) == ["a.pdf", "map.png", "b.pdf"])
        await pilot.press("alt+a")
        await until(pilot, lambda: isinstance(app.screen, AttachmentsScreen))
        await settled(pilot)
        shown = text_of(app)
        assert "640 × 480" in shown and "~350" in shown and "2 pages" in shown
        tokens = sum(file.estimated_tokens for file in app.chat._attachments)
        assert f"● stateful    nothing is sent again; ~{tokens:,} input tokens" in shown
        assert f"KB again; ~{tokens:,} input tokens" in shown
        await pilot.press("shift+down", "delete")
        await until(pilot, lambda: names(app) == ["map.png", "b.pdf"])
        await pilot.press("escape")
        # What the server got is in this order.
        await send(app, pilot, "what are these")
        content = sandbox.last_context()[0]["content"]
        assert [part["type"] for part in content] == ["input_image", "input_file", "input_text"]
    await session.aclose()


async def test_a_model_without_pictures_is_said_at_every_door(home: Path, sandbox: SandboxServer) -> None:
    session = make_session(sandbox)
    app = OutcropApp(session)
    async with app.run_test(size=(100, 30), notifications=True) as pilot:
        conversation_id = await ready(app, pilot)
        app.chat.composer.text = "/model openai.gpt-oss-20b"
        await pilot.press("enter")
        await until(pilot, lambda: session.target(conversation_id).model.endswith("oss-20b"))
        app.post_message(events.Paste(str(home / "papers/deep/map.png")))
        await until(pilot, lambda: "takes no images: remove map.png" in said(app))
        app.clear_notifications()
        before = len(sandbox.log)
        await typed(pilot, "look")
        await pilot.press("enter")
        # Sending gives the prompt and the picture back, and asks nobody.
        await until(pilot, lambda: "takes no images" in said(app) and app.chat.composer.text == "look")
        assert names(app) == ["map.png"]
        assert len(sandbox.log) == before
        app.chat.composer.text = "/model openai.gpt-5.4"
        await pilot.press("enter")
        await until(pilot, lambda: session.target(conversation_id).model.endswith("5.4"))
        await send(app, pilot, "look")
        app.clear_notifications()
        app.chat.composer.text = "/model openai.gpt-oss-20b"
        await pilot.press("enter")
        await until(pilot, lambda: "turn 1 of this conversation holds an image" in said(app))
    await session.aclose()


async def test_an_at_sign_attaches_and_inserts(home: Path) -> None:
    session = StandInSession(home.parent)
    app = app_for(session)
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: bool(app.chat.conversation_id))
        composer = app.chat.composer
        await typed(pilot, "mail a@b.c ")
        await settled(pilot)
        assert composer.offers == ()
        await typed(pilot, "@b.pd")
        await until(pilot, lambda: composer.offers[:1] == ("papers/b.pdf",))
        await pilot.press("tab")
        await until(pilot, lambda: names(app) == ["b.pdf"])
        assert composer.text == "mail a@b.c "
        await typed(pilot, "@note")
        await until(pilot, lambda: composer.offers == ("notes.md",))
        await pilot.press("enter")
        await until(pilot, lambda: len(composer.pastes) == 1)
        assert composer.text.endswith("notes.md:\n\n````\nrock\n```\ncode\n```\n````\n")
        assert session.sent == []
        await typed(pilot, " @papers")
        await until(pilot, lambda: "papers/" in composer.offers)
        while composer._list.chosen().label != "papers/":
            await pilot.press("down")
        await pilot.press("tab")
        await until(pilot, lambda: "deep/" in composer.offers)
        await pilot.press("escape")
        assert composer.text.endswith(" @papers/")


async def test_each_conversation_has_its_draft_with_files_also_in_the_next_run(
    home: Path, sandbox: SandboxServer
) -> None:
    session = make_session(sandbox)
    app = OutcropApp(session)
    async with app.run_test(size=(80, 24)) as pilot:
        first = await ready(app, pilot)
        await send(app, pilot, "hello")
        app.post_message(events.Paste("x" * 3000))
        app.post_message(events.Paste(str(home / "papers/b.pdf")))
        await until(pilot, lambda: names(app) == ["b.pdf"])
        await pilot.press("ctrl+n")
        await until(pilot, lambda: app.chat.conversation_id != first and app.chat.composer.text == "")
        assert names(app) == []
        await typed(pilot, "another")
        await app.chat.open_conversation(first)
        await until(pilot, lambda: app.chat.composer.pastes == ("x" * 3000,) and names(app) == ["b.pdf"])
        # The bytes are kept, not the path: the file may go.
        (home / "papers/b.pdf").unlink()
        await app.chat._save_draft_now()
    await session.aclose()
    session = make_session(sandbox)
    app = OutcropApp(session, open_conversation=first)
    async with app.run_test(size=(80, 24)) as pilot:
        await ready(app, pilot)
        await until(pilot, lambda: app.chat.composer.pastes == ("x" * 3000,) and names(app) == ["b.pdf"])
        turn = await send(app, pilot, " read")
        assert turn.prompt == "x" * 3000 + " read"
        await until(pilot, lambda: names(app) == [])
        assert (await session.load_draft(first)).is_empty
    await session.aclose()


async def test_the_queue_is_edited_reordered_and_taken_back(tmp_path: Path) -> None:
    held = Held()
    session = StandInSession(tmp_path, held)
    app = app_for(session)
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: bool(app.chat.conversation_id))
        for text in ("one", "two", "three", "four", "five"):
            await typed(pilot, text)
            await pilot.press("enter")
            await until(pilot, lambda: len(session.sent) == 1)

        def waiting() -> list[str]:
            return [queued.text for queued in app.chat.queued()]

        assert waiting() == ["two", "three", "four", "five"]
        await settled(pilot)
        assert "Next  two" in text_of(app) and "and 1 more" in text_of(app)
        await until(pilot, lambda: session.drafts.get("c1") == "two\n\nthree\n\nfour\n\nfive")
        await pilot.press("alt+q")
        await until(pilot, lambda: isinstance(app.screen, QueueScreen))
        await pilot.press("shift+down")
        assert waiting() == ["three", "two", "four", "five"]
        await pilot.press("e")
        await until(pilot, lambda: bool(app.screen.query(TextArea)))
        app.screen.query_one(TextArea).load_text("2")
        await pilot.press("ctrl+s")
        await until(pilot, lambda: waiting() == ["three", "2", "four", "five"])
        await pilot.press("down", "delete")
        assert waiting() == ["three", "2", "five"]
        await pilot.press("t")
        await until(pilot, lambda: app.screen is app.chat and app.chat.composer.text == "five")
        assert waiting() == ["three", "2"]
        held.go.set()
        await until(pilot, lambda: [prompt for prompt, _ in session.sent] == ["one", "three", "2"])
        await until(pilot, lambda: app.chat.answers_arriving == 0)
