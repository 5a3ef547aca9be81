"""Structured answers in the app: asking for them, the tree, what is taken out of it, the table."""

from __future__ import annotations

import csv
import json
import stat
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from support.sessions import make_session
from textual.pilot import Pilot
from textual.widgets import Input
from ui_real import ready, send
from ui_stand_in import until

from tui.app import OutcropApp
from tui.sandbox.server import SandboxServer
from tui.screens.answers import AnswersScreen
from tui.screens.mend_schema import MendSchema
from tui.screens.save_file import SaveFile
from tui.screens.schemas import SchemaScreen
from tui.widgets.transcript.tree_view import TreeView

ADA = {"name": "Ada", "age": 36, "tags": ["x", "y"], "home": {"street": "Dorset St", "zip": 7}}
FIELDS = "name, age int, tags: list of string, home {street, zip int}"


@pytest.fixture
async def app(sandbox: SandboxServer) -> AsyncIterator[tuple[OutcropApp, Pilot[Any]]]:
    made = OutcropApp(make_session(sandbox))
    async with made.run_test(size=(80, 30)) as pilot:
        await ready(made, pilot)
        yield made, pilot
        await made.chat.shut_down()
        await made.session.aclose()


async def asks_for(program: OutcropApp, pilot: Pilot[Any], words: str) -> None:
    chat = program.chat
    chat.command_given("conversation.schema", words)
    await until(pilot, lambda: bool(program.session.conversation(chat.conversation_id).controls.text_format))


def screen_text(program: OutcropApp) -> str:
    pane = program.chat.pane
    return "\n".join(row.text.rstrip() for _, row in pane._window)


def tree(program: OutcropApp) -> TreeView:
    return [view for view in program.chat.pane._flow.views if isinstance(view, TreeView)][-1]


async def to_line(program: OutcropApp, pilot: Pilot[Any], text: str) -> None:
    pane = program.chat.pane
    pane.focus()
    await pilot.pause()
    pane.action_scroll_home()
    for line_id, row in pane._window:
        if text in row.text:
            pane._cursor = (line_id, row.skip)
            pane.cursor_moved()
            await pilot.pause()
            return
    raise AssertionError(f"{text!r} is not in sight:\n{screen_text(program)}")


async def test_an_answer_is_a_tree_that_folds_and_gives_values(
    app: tuple[OutcropApp, Pilot[Any]], sandbox: SandboxServer, tmp_path: Path
) -> None:
    program, pilot = app
    copied: list[str] = []
    program.copy_to_clipboard = lambda text, what="": copied.append(text)  # type: ignore[method-assign]
    await asks_for(program, pilot, FIELDS)
    sandbox.fault({"answer": json.dumps(ADA)})
    await send(program, pilot, "who")
    drawn = screen_text(program)
    for words in ("· answer", "▾ tags  2 items", '[0]: "x"', "age: 36", 'street: "Dorset St"', "4 fields"):
        assert words in drawn, drawn
    # Folding, by the key and by the mouse's own way.
    await to_line(program, pilot, "tags  2 items")
    await pilot.press("space")
    assert "▸ tags  2 items" in screen_text(program) and '[1]: "y"' not in screen_text(program)
    await pilot.press("space")
    assert '[1]: "y"' in screen_text(program)
    await to_line(program, pilot, "street:")
    await pilot.press("x", "p")
    await until(pilot, lambda: len(copied) == 2)
    assert copied == ["Dorset St", "$.home.street"]
    await to_line(program, pilot, "home  2 fields")
    await pilot.press("x", "y")
    await until(pilot, lambda: len(copied) == 4)
    assert json.loads(copied[2]) == ADA["home"] and json.loads(copied[3]) == ADA
    # What is looked for is unfolded.
    await pilot.press("space")
    program.chat.pane.find("Dorset")
    await until(pilot, lambda: program.chat.pane.search is not None and program.chat.pane.search.done)
    await until(pilot, lambda: "Dorset St" in screen_text(program))
    # Saved, readable by its owner alone, and asked about before it is replaced.
    path = tmp_path / "ada.json"
    program.chat.action_save_json(str(path))
    await until(pilot, lambda: path.exists() and not isinstance(program.screen, SaveFile))
    assert json.loads(path.read_text()) == ADA
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    path.write_text("mine")
    program.chat.action_save_json(str(path))
    await until(pilot, lambda: isinstance(program.screen, SaveFile) and bool(program.screen._asked))
    assert path.read_text() == "mine"
    await pilot.press("enter")
    await until(pilot, lambda: path.read_text() != "mine" and not isinstance(program.screen, SaveFile))


async def test_wrong_refused_and_incomplete_answers_are_shown_as_what_they_are(
    app: tuple[OutcropApp, Pilot[Any]], sandbox: SandboxServer
) -> None:
    program, pilot = app
    await asks_for(program, pilot, FIELDS)
    sandbox.fault({"answer": json.dumps({**ADA, "age": "old", "home": {"street": ""}})})
    await send(program, pilot, "who")
    drawn = screen_text(program)
    assert "✕ this is not of type 'integer'" in drawn
    assert drawn.index("age:") < drawn.index("'integer'") < drawn.index("tags")
    assert "✕ 'zip' is a required property" in drawn
    sandbox.fault({"refusal": "I cannot help."})
    await send(program, pilot, "who")
    drawn = screen_text(program)
    assert "⊘ refused" in drawn and "I cannot help." in drawn
    sandbox.fault({"answer": json.dumps({"name": "word " * 70_000})})
    await send(program, pilot, "who")
    assert "incomplete" in screen_text(program)
    assert not tree(program)._tree.is_whole
    # From the history it is drawn the same.
    before = [
        (view.block.json, view.block.problems, view.block.state) for view in program.chat.pane._flow.views
    ]
    await program.chat.draw()
    after = [
        (view.block.json, view.block.problems, view.block.state) for view in program.chat.pane._flow.views
    ]
    assert after == before and any(problems for _, problems, _ in after)


async def test_a_schema_is_chosen_mended_and_turned_off(
    app: tuple[OutcropApp, Pilot[Any]], tmp_path: Path
) -> None:
    program, pilot = app
    session, conversation_id = program.session, program.chat.conversation_id
    folder = session.settings.config_dir / "schemas"
    folder.mkdir(parents=True)
    (folder / "loose.json").write_text('{"type": "object", "properties": {"a": {"type": "string"}}}')
    program.chat.action_open_schemas()
    await until(pilot, lambda: isinstance(program.screen, SchemaScreen))
    await pilot.press("down", "down", "down", "enter")
    await until(pilot, lambda: isinstance(program.screen, MendSchema))
    assert not session.conversation(conversation_id).controls.text_format
    await pilot.press("m")
    await until(pilot, lambda: bool(session.conversation(conversation_id).controls.text_format))
    kept = json.loads(session.conversation(conversation_id).controls.text_format or "")
    assert kept["schema"]["properties"] == {"a": {"type": ["string", "null"]}}
    program.chat.action_open_schemas()
    await until(pilot, lambda: isinstance(program.screen, SchemaScreen))
    program.screen.query_one(Input).value = "off"
    await pilot.press("enter")
    await until(pilot, lambda: not session.conversation(conversation_id).controls.text_format)


async def test_answers_become_a_table_and_files(
    app: tuple[OutcropApp, Pilot[Any]], sandbox: SandboxServer, tmp_path: Path
) -> None:
    program, pilot = app
    await asks_for(program, pilot, FIELDS)
    for value in (ADA, {**ADA, "name": "=SUM(A1)", "more": True}):
        sandbox.fault({"answer": json.dumps(value)})
        await send(program, pilot, "who")
    program.chat.action_open_answers()
    await until(pilot, lambda: isinstance(program.screen, AnswersScreen))
    screen = program.screen
    assert isinstance(screen, AnswersScreen)
    assert "home.zip" in screen._table.columns and len(screen._table.rows) == 2
    for key, name in (("c", "a.csv"), ("j", "a.jsonl")):
        await pilot.press(key)
        await until(pilot, lambda: isinstance(program.screen, SaveFile))
        program.screen.query_one(Input).value = str(tmp_path / name)
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(program.screen, AnswersScreen))
    rows = list(csv.DictReader((tmp_path / "a.csv").read_text().splitlines()))
    assert [row["name"] for row in rows] == ["Ada", "'=SUM(A1)"]
    lines = (tmp_path / "a.jsonl").read_text().splitlines()
    assert json.loads(lines[0]) == ADA and len(lines) == 2
    await pilot.press("escape")
