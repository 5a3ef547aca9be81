"""What is done with a recorded request, over real HTTP: copied, saved, edited and sent, sent again."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from support.keyring_support import short_term_token
from support.pdfs import make_pdf
from support.sessions import make_session
from textual.pilot import Pilot
from textual.widgets import Input
from ui_real import ready, send
from ui_samples import text_of
from ui_stand_in import shown, typed, until

from tui.app import OutcropApp
from tui.core.export import export, export_har
from tui.core.items import Outcome
from tui.sandbox.server import SandboxServer
from tui.screens.copy_request import CopyRequest
from tui.screens.edit_request import EditRequest
from tui.screens.history import ConfirmScreen
from tui.screens.inspector_screen import InspectorScreen
from tui.screens.replay_request import ReplayRequest
from tui.store.history import History
from tui.widgets.inspector import Inspector
from tui.widgets.json_area import JsonArea

SECRET = short_term_token(made=time.time())


@pytest.fixture
async def app(
    sandbox: SandboxServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[tuple[OutcropApp, Pilot[Any]]]:
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    made = OutcropApp(make_session(sandbox, SECRET))
    async with made.run_test(size=(100, 30), notifications=True) as pilot:
        conversation_id = await ready(made, pilot)
        await made.session.set_continuation(conversation_id, "stateless")
        yield made, pilot
        await made.chat.shut_down()
        await made.session.aclose()


@pytest.fixture
def copied(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, str]]:
    """What would have been on the clipboard, and what it was called."""
    taken: list[tuple[str, str]] = []
    monkeypatch.setattr(
        OutcropApp, "copy_to_clipboard", lambda self, text, what="": taken.append((text, what))
    )
    return taken


def posts(sandbox: SandboxServer) -> list[bytes]:
    return [record.body for record in sandbox.log if record.method == "POST"]


def words(program: OutcropApp) -> str:
    """What is on the screen, without frames and line breaks."""
    return " ".join(text_of(program).replace("│", " ").split())


def inspector(program: OutcropApp) -> Inspector:
    assert isinstance(program.screen, InspectorScreen)
    return program.screen.inspector


async def test_every_form_is_copied_as_core_makes_it_and_saved_with_its_files(
    app: tuple[OutcropApp, Pilot[Any]], copied: list[tuple[str, str]], tmp_path: Path
) -> None:
    program, pilot = app
    await pilot.press("ctrl+x", "d", "c")
    await until(pilot, lambda: any("No request" in note.message for note in program._notifications))
    pdf = tmp_path / "order.pdf"
    pdf.write_bytes(make_pdf("Basalt"))
    await send(program, pilot, "first")
    program.chat._attachments.append(await program.session.attach(str(pdf)))
    await send(program, pilot, "second")
    exchanges = program.session.exchanges(program.chat.conversation_id)
    await pilot.press("f12")
    await until(pilot, lambda: isinstance(program.screen, InspectorScreen))
    await pilot.press("s")
    await until(pilot, lambda: "--data-binary @exchange-2.1.body.json" in text_of(program))
    assert "#2.1 POST openai.gpt-5.4" in text_of(program) and "HAR of all 2" in text_of(program)
    assert "the token is read from $AWS_BEARER_TOKEN_BEDROCK" in text_of(program)
    for form in ("curl", "python", "httpx", "httpie", "http", "json", "har", "har-all"):
        made = export_har(exchanges) if form == "har-all" else export(exchanges[-1], form)
        await pilot.press("c")
        await until(pilot, lambda made=made: bool(copied) and copied[-1][0] == made.text)
        assert SECRET not in copied[-1][0]
        # What it needs beside it is said: the clipboard cannot hold it.
        await until(pilot, lambda made=made: ("not on the clipboard" in words(program)) == bool(made.files))
        await pilot.press("down")
    assert [what for _, what in copied] == [
        "curl", "Python (openai SDK)", "Python (httpx)", "HTTPie", "raw HTTP", "JSON body",
        "HAR of this request", "HAR of all 2",
    ]  # fmt: skip
    await pilot.press("home")
    await pilot.press("s")
    await until(pilot, lambda: isinstance(program.focused, Input))
    assert program.focused.value == "exchange-2.1.sh"  # type: ignore[union-attr]
    (tmp_path / "here" / "kept").mkdir()
    program.focused.value = "ke"  # type: ignore[union-attr]
    await pilot.press("tab", *"a.sh", "enter")
    await until(pilot, lambda: "Saved, for you alone to read" in text_of(program))
    folder = tmp_path / "here" / "kept"
    made = export(exchanges[-1], "curl")
    files = {file.name: file.read_bytes() for file in folder.iterdir()}
    assert files == {"a.sh": made.data, made.files[0].name: exchanges[-1].request_body}
    assert {file.stat().st_mode & 0o777 for file in folder.iterdir()} == {0o600}
    # A file that is there is kept, unless that is said.
    (folder / "a.sh").write_text("mine")
    for answer, kept in (("n", b"mine"), ("y", made.data)):
        await pilot.press("s")
        await until(pilot, lambda: isinstance(program.focused, Input))
        program.focused.value = "kept/a.sh"  # type: ignore[union-attr]
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(program.screen, ConfirmScreen))
        await until(pilot, lambda: "Write over" in text_of(program) and "a.sh" in text_of(program))
        await pilot.press(answer)
        await until(pilot, lambda: isinstance(program.screen, CopyRequest))
        await until(pilot, lambda kept=kept: (folder / "a.sh").read_bytes() == kept)
        await pilot.press(*(["escape"] if answer == "n" else []))
    await pilot.press("escape")
    await until(pilot, lambda: isinstance(program.screen, InspectorScreen))


async def test_an_edited_body_is_checked_sent_and_shown(
    app: tuple[OutcropApp, Pilot[Any]], sandbox: SandboxServer
) -> None:
    program, pilot = app
    await send(program, pilot, "Reply with exactly: one")
    original = posts(sandbox)[-1]
    await pilot.press("f12")
    await until(pilot, lambda: isinstance(program.screen, InspectorScreen))
    await pilot.press("e")
    await until(pilot, lambda: isinstance(program.screen, EditRequest))
    await until(pilot, lambda: "Nothing wrong was found" in text_of(program))
    assert "A paid request. The recorded one cost ~$" in text_of(program)
    area = program.screen.query_one(JsonArea)
    right = area.text.replace("exactly: one", "exactly: two")
    area.replace_all(right.replace('"store"', '"stroe"'))
    await until(pilot, lambda: "$.stroe is not known here; is store meant?" in text_of(program))
    await pilot.press("ctrl+s")
    await until(pilot, lambda: "Ctrl+S once more sends it all the same" in text_of(program))
    # The cursor stands on the name that is wrong.
    row, column = area.cursor_location
    assert area.document.get_line(row)[column:].startswith('"stroe"')
    assert len(posts(sandbox)) == 1
    area.replace_all("{nope")
    await until(pilot, lambda: "1:2 this is no JSON" in text_of(program))
    await pilot.press("ctrl+s", "ctrl+s")
    await until(pilot, lambda: "Nothing was sent: this is no JSON object." in text_of(program))
    # What was left is there the next time.
    await pilot.press("escape")
    await until(pilot, lambda: isinstance(program.screen, InspectorScreen))
    await pilot.press("e")
    await until(pilot, lambda: "This is where you left off" in text_of(program))
    await pilot.press("alt+r")
    area = program.screen.query_one(JsonArea)
    await until(pilot, lambda: area.text.startswith('{\n  "model"'))
    area.replace_all(right)
    await pilot.press("ctrl+s")
    await until(pilot, lambda: len(posts(sandbox)) == 2)
    assert posts(sandbox)[1] == original.replace(b"exactly: one", b"exactly: two")
    await until(pilot, lambda: isinstance(program.screen, InspectorScreen))
    exchanges = program.session.exchanges(program.chat.conversation_id)
    await until(pilot, lambda: inspector(program).current_exchange is exchanges[-1])
    assert len(exchanges) == 2 and b"two" in exchanges[-1].response_body
    # The conversation is as it was.
    assert len(program.session.conversation(program.chat.conversation_id).turns) == 1
    assert "two" not in shown(program)


async def test_an_edited_request_becomes_a_branch_that_is_drawn(
    app: tuple[OutcropApp, Pilot[Any]],
    sandbox: SandboxServer,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    program, pilot = app
    first = await send(program, pilot, "My name is Ada.")
    second = await send(program, pilot, "Reply with exactly: hello")
    editor = tmp_path / "editor"
    editor.write_text(
        '#!/bin/sh\ncase "$1" in *.json) sed -i "s/exactly: hello/exactly: goodbye/" "$1";; esac\n'
    )
    editor.chmod(0o755)
    monkeypatch.setenv("VISUAL", str(editor))

    async def run(command: Any) -> int:
        # The pilot has no terminal to give away.
        return await (await asyncio.create_subprocess_exec(*command)).wait()

    monkeypatch.setattr(program.chat, "_run_in_terminal", run)
    await typed(pilot, "/edit-request")
    await pilot.press("enter")
    await until(pilot, lambda: isinstance(program.screen, EditRequest))
    area = program.screen.query_one(JsonArea)
    whole = area.text
    area.replace_all(whole.replace('"store": false', '"background": true'))
    await pilot.press("alt+k", "ctrl+s")
    await until(pilot, lambda: "cannot be kept as a" in words(program))
    assert isinstance(program.screen, EditRequest) and len(posts(sandbox)) == 2
    area.replace_all(whole)
    await pilot.press("alt+e")
    await until(pilot, lambda: "exactly: goodbye" in area.text)
    await pilot.press("ctrl+s")
    conversation_id = program.chat.conversation_id
    await until(pilot, lambda: len(program.session.conversation(conversation_id).turns) == 3)
    await until(pilot, lambda: not program.chat.answers_arriving)
    conversation = program.session.conversation(conversation_id)
    turn = conversation.turns[str(conversation.tip)]
    assert (turn.prompt, turn.parent_id, turn.outcome) == (
        "Reply with exactly: goodbye", first.id, Outcome.COMPLETED,
    )  # fmt: skip
    assert [sibling.id for sibling in conversation.siblings(turn.id)] == [second.id, turn.id]
    assert posts(sandbox)[-1] == posts(sandbox)[-2].replace(b"hello", b"goodbye")
    await program.chat.pane.drained()
    assert "goodbye" in shown(program) and "exactly: hello" not in shown(program)
    # It goes on as any branch does.
    await send(program, pilot, "What is my name?")
    assert "Ada" in shown(program).rpartition("assistant|")[2]


async def test_a_request_is_sent_again_several_times_and_stopped(
    app: tuple[OutcropApp, Pilot[Any]], sandbox: SandboxServer
) -> None:
    program, pilot = app
    await send(program, pilot, "Basalt is dark and dense. " * 3 + "Reply with exactly: yes")
    original = posts(sandbox)[-1]
    await typed(pilot, "/replay 3")
    await pilot.press("enter")
    await until(pilot, lambda: isinstance(program.screen, ReplayRequest))
    await until(pilot, lambda: "3 paid requests. At the ~$" in text_of(program))
    assert len(posts(sandbox)) == 1
    sandbox.fault({"status": 400})
    await pilot.press("enter")
    await until(pilot, lambda: "Least / median / most" in text_of(program))
    await until(pilot, lambda: "Esc close" in text_of(program))
    assert posts(sandbox) == [original] * 4
    rows = [line for line in text_of(program).split("\n") if " completed " in line or " failed " in line]
    assert [row.split("│")[1].split()[1:3] for row in rows] == [
        ["failed", "400"], ["completed", "200"], ["completed", "200"],
    ]  # fmt: skip
    # Once more, and stopped in the middle of the second.
    await pilot.press("a", "4")
    await until(pilot, lambda: "4 paid requests" in text_of(program))
    sandbox.fault({})
    sandbox.fault({"stall_events": 3})
    await pilot.press("enter")
    await until(pilot, lambda: len(posts(sandbox)) == 6 and " running " in text_of(program))
    await pilot.press("escape")
    await until(pilot, lambda: "Stopped; 3 were left." in text_of(program))
    await until(pilot, lambda: sandbox.log[-1].ended == "disconnected")
    assert " cancelled " in text_of(program) and len(posts(sandbox)) == 6
    exchanges = program.session.exchanges(program.chat.conversation_id)
    assert exchanges[-1].outcome is Outcome.CANCELLED
    # What was stopped is in the history, too.
    kept = await program.session.records.call(History.load_exchanges, program.chat.conversation_id)
    assert [one.outcome for one in kept] == [one.outcome for one in exchanges]
    # Enter shows the row's request in the inspector.
    await pilot.press("end", "enter")
    await until(pilot, lambda: isinstance(program.screen, InspectorScreen))
    await until(pilot, lambda: inspector(program).current_exchange is exchanges[-1])
    assert len(program.session.conversation(program.chat.conversation_id).turns) == 1
    assert json.loads(original)["store"] is False
