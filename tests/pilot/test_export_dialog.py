"""The conversation's dialog: every form as core makes it, saved with its attachments, never over a file."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from support.pdfs import make_pdf
from support.sessions import make_session
from textual.pilot import Pilot
from textual.widgets import Input
from ui_real import ready, send
from ui_samples import text_of
from ui_stand_in import until

from tui.app import OutcropApp
from tui.core.leaving.forms import LEAVING_FORMS
from tui.sandbox.server import SandboxServer
from tui.screens.copy_request import CopyAs
from tui.session.leaving import leave
from tui.subcommands.leaving_arguments import FORMS


@pytest.fixture
async def app(
    sandbox: SandboxServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[tuple[OutcropApp, Pilot[Any]]]:
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    made = OutcropApp(make_session(sandbox))
    async with made.run_test(size=(100, 30), notifications=True) as pilot:
        await ready(made, pilot)
        yield made, pilot
        await made.chat.shut_down()
        await made.session.aclose()


async def test_the_conversation_is_shown_copied_and_saved_in_every_form(
    app: tuple[OutcropApp, Pilot[Any]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert tuple(LEAVING_FORMS) == FORMS
    copied: list[tuple[str, str]] = []
    monkeypatch.setattr(
        OutcropApp, "copy_to_clipboard", lambda self, text, what="": copied.append((text, what))
    )
    program, pilot = app
    await pilot.press("ctrl+x", "w", "c")
    await until(pilot, lambda: any("nothing in this" in note.message for note in program._notifications))
    pdf = tmp_path / "order.pdf"
    pdf.write_bytes(make_pdf("Basalt"))
    program.chat._attachments.append(await program.session.attach(str(pdf)))
    await send(program, pilot, "My name is Ada.")
    await send(program, pilot, "Reply with exactly: yes")
    conversation = program.session.conversation(program.chat.conversation_id)

    await pilot.press(*"/export pdf", "enter")
    await until(pilot, lambda: any("no form pdf" in note.message for note in program._notifications))
    await pilot.press(*"/export strands", "enter")
    await until(pilot, lambda: isinstance(program.screen, CopyAs))
    await until(pilot, lambda: "A conversation that left Outcrop" in text_of(program))
    await pilot.press("home")
    for form in FORMS:
        made = leave(program.session.settings, conversation, form, "conversation-")
        await pilot.press("c")
        await until(pilot, lambda made=made: bool(copied) and copied[-1][0] == made.text)
        await pilot.press("down")
    assert [what for _, what in copied] == [form.label for form in LEAVING_FORMS.values()]

    await pilot.press("home", "s")
    await until(pilot, lambda: isinstance(program.focused, Input))
    assert program.focused.value == "conversation.md"  # type: ignore[union-attr]
    await pilot.press("enter")
    await until(pilot, lambda: "Saved, for you alone to read" in text_of(program))
    folder = tmp_path / "here"
    assert sorted(file.name for file in folder.iterdir()) == ["conversation-order.pdf", "conversation.md"]
    assert (folder / "conversation-order.pdf").read_bytes() == pdf.read_bytes()
    assert {file.stat().st_mode & 0o777 for file in folder.iterdir()} == {0o600}
    await pilot.press("escape")
    await until(pilot, lambda: program.screen is program.chat)
