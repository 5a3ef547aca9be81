"""Reading mode, find, copying and links in the app."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from textual.pilot import Pilot
from ui_stand_in import StandInSession, app_for, message_item, settled, until

from tui.app import OutcropApp
from tui.core.events import OutputItemDone, TextDelta
from tui.core.items import Item, Outcome, Target, Turn, Usage, user_message
from tui.screens.link_dialog import LinkDialog
from tui.screens.live_turn import LiveTurn
from tui.screens.turn_blocks import turn_blocks
from tui.screens.turn_info import TurnInfo, facts
from tui.widgets.transcript.block import BlockKind

ANSWER = """The **plan**, see [the guide](https://docs.example.com/guide).

```python
first = 1
```

| a | b |
|---|---|
| 1 | 2 |

```sh
ls -l
pwd
```
"""
CALL = Item.of(
    {"type": "function_call", "name": "look_up", "call_id": "c", "arguments": '{"q": "ore"}', "id": "f"}
)


def turn(number: int) -> Turn:
    return Turn(
        f"t{number}",
        f"t{number - 1}" if number > 1 else None,
        (user_message(f"Question {number}"),),
        1_000_000.0 + number,
        output=(CALL, message_item(ANSWER)),
        outcome=Outcome.COMPLETED,
        target=Target("openai.gpt-5.4", "us-west-2", "mantle", "http://127.0.0.1/", True),
        ended_at=1_000_004.25 + number,
        usage=Usage(1234, 1000, 0, 310, 64, 1544),
        response_id=f"resp_{number}",
    )


async def opened(session: StandInSession, app: OutcropApp, pilot: Pilot[Any], turns: int = 4) -> None:
    conversation = await session.new()
    for number in range(1, turns + 1):
        conversation = conversation.append(turn(number))
    session.add(conversation)
    await settled(pilot)
    await app.chat.open_conversation(conversation.id)
    await settled(pilot)


@pytest.fixture
def copied(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, str]]:
    """What would have been on the clipboard, and what it was called."""
    taken: list[tuple[str, str]] = []
    monkeypatch.setattr(
        OutcropApp, "copy_to_clipboard", lambda self, text, what="": taken.append((text, what))
    )
    return taken


async def test_reading_by_keys_copying_and_coming_back(tmp_path: Path, copied: list[tuple[str, str]]) -> None:
    session = StandInSession(tmp_path)
    app = app_for(session)
    async with app.run_test(size=(100, 40)) as pilot:
        await pilot.press("f6")
        assert app.focused is app.chat.composer.input, "there is nothing to read"
        await opened(session, app, pilot)
        await pilot.press("f6")
        await settled(pilot)
        line = app.chat.query_one("ReadingLine")
        assert app.chat.pane.has_focus and "Turn 4 of 4" in line.text and "openai.gpt-5.4" in line.text  # type: ignore[attr-defined]
        await pilot.press("c")
        await settled(pilot)
        assert copied[-1] == ("ls -l\npwd", "code block 2 of 2 (sh, 2 lines)")
        assert app.chat.pane.part_at_cursor("code") is not None, "the cursor is in what was copied"
        await pilot.press("t", "y")
        await settled(pilot)
        assert copied[-2] == ("| a | b |\n|---|---|\n| 1 | 2 |", "table (3 lines)")
        assert copied[-1] == (ANSWER.strip("\n"), "this answer as Markdown")
        await pilot.press("i")
        await settled(pilot)
        assert isinstance(app.screen, TurnInfo)
        starts = {value.region.x for value in app.screen.query(".info--value")}
        assert len(starts) == 1, "values stand below each other"
        await pilot.press("escape", "ctrl+up", "ctrl+up", "v", "dollar_sign", "y")
        await settled(pilot)
        assert copied[-1] == ("You", "") and "Turn 3 of 4" in line.text  # type: ignore[attr-defined]
        await pilot.press("escape", "escape")
        await settled(pilot)
        assert app.focused is app.chat.composer.input and not line.display
        for argument, what in (
            ("2", "code block 2 of 2 (sh, 2 lines)"),
            ("1", "code block 1 of 2 (python, 1 line)"),
        ):
            app.chat.action_copy_code(argument)
            assert copied[-1][1] == what
        app.chat.action_copy_code("")
        assert copied[-1][1].startswith("code block 2 of 2"), "round from the first to the last"
        app.chat.action_copy_code("7")
        app.chat.action_copy_answer("2")
        assert copied[-1] == (ANSWER, "the answer of turn 2 as Markdown")


async def test_find_counts_walks_and_returns(tmp_path: Path) -> None:
    session = StandInSession(tmp_path)
    app = app_for(session)
    async with app.run_test(size=(100, 30)) as pilot:
        await opened(session, app, pilot)
        await pilot.press("ctrl+f", *"guide")
        await settled(pilot)
        line: Any = app.chat.query_one("FindLine")
        await until(pilot, lambda: " of 8" in line.count)
        before = line.count[0]
        await pilot.press("enter")
        assert line.count[0] != before
        await pilot.press("up", "ctrl+f", "shift+enter")
        assert line.count[0] == before
        await pilot.press(*"zzz")
        await settled(pilot)
        assert line.count == "no hit"
        await pilot.press("escape")
        assert app.focused is app.chat.composer.input and not line.display and app.chat.pane.search is None
        app.chat.command_given("find.open", "Question 2")
        await settled(pilot)
        await until(pilot, lambda: line.count.startswith("1 of 1"))
        assert "t2:user" in app.chat.pane.blocks_in_sight()
        await pilot.press("escape", "f6", "slash")
        await settled(pilot)
        assert line.words == "Question 2" and line.input.has_focus
        await pilot.press("escape")
        assert app.chat.pane.has_focus, "back to where the keys were"
        assert app.chat.pane.current_block == "t2:user"
        assert app.chat.composer.text == ""


async def test_the_find_line_tells_its_keys_where_there_is_room(tmp_path: Path) -> None:
    session = StandInSession(tmp_path)
    app = app_for(session)
    async with app.run_test(size=(100, 30)) as pilot:
        await opened(session, app, pilot)
        await pilot.press("ctrl+f", *"guide")
        line: Any = app.chat.query_one("FindLine")
        await until(pilot, lambda: line.count.endswith(" of 8  ↓ ↑ go on · Esc closes"))
        await pilot.resize_terminal(50, 30)
        await until(pilot, lambda: line.count.endswith(" of 8"))
        await pilot.resize_terminal(100, 30)
        await until(pilot, lambda: line.count.endswith("Esc closes"))


async def test_a_link_is_shown_and_asked_about_and_only_then_opened(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, copied: list[tuple[str, str]]
) -> None:
    asked: list[str] = []

    async def open_link(href: str) -> str:
        asked.append(href)
        return ""

    monkeypatch.setattr("tui.terminal.open_link.open_link", open_link)
    session = StandInSession(tmp_path)
    app = app_for(session)
    async with app.run_test(size=(100, 40)) as pilot:
        await opened(session, app, pilot)
        await pilot.press("f6", "o", "enter")
        await settled(pilot)
        assert isinstance(app.screen, LinkDialog) and not asked
        await pilot.press("enter")
        await settled(pilot)
        assert not asked, "the careful answer has the focus"
        await pilot.press("o", "c")
        assert copied[-1] == ("https://docs.example.com/guide", "the address")
        await pilot.press("o", "y")
        await until(pilot, lambda: asked == ["https://docs.example.com/guide"])
        pane = app.chat.pane
        pane.post_message(pane.LinkClicked(pane, "file:///etc/passwd"))
        await settled(pilot)
        await pilot.press("y")
        assert isinstance(app.screen, LinkDialog), "it cannot be opened"
        await pilot.press("escape")
        assert len(asked) == 1


async def test_the_mouse_copies_only_when_the_settings_say_so(
    tmp_path: Path, copied: list[tuple[str, str]]
) -> None:
    session = StandInSession(tmp_path)
    app = app_for(session)
    async with app.run_test(size=(100, 30)) as pilot:
        await opened(session, app, pilot)
        pane = app.chat.pane

        async def drag() -> None:
            await pilot.mouse_down(pane, offset=(3, 2))
            await pilot.hover(pane, offset=(30, 4))
            await pilot.mouse_up(pane, offset=(30, 4))
            await settled(pilot)

        await drag()
        assert app.screen.get_selected_text() and not copied
        assert app.focused is app.chat.composer.input, "what is typed next goes into the prompt"
        await pilot.press("ctrl+c")
        assert copied == [(app.screen.get_selected_text(), "")]
        session.settings = replace(session.settings, copy_on_select=True)
        await drag()
        assert len(copied) == 2


async def test_a_copy_says_how_in_the_app(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tool = tmp_path / "xsel"
    tool.write_text(f'#!/bin/sh\ncat >"{tmp_path}/taken"\n')
    tool.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    monkeypatch.setenv("DISPLAY", ":9")
    for name in ("WAYLAND_DISPLAY", "SSH_CONNECTION", "SSH_TTY", "TMUX"):
        monkeypatch.delenv(name, raising=False)
    session = StandInSession(tmp_path)
    app = app_for(session)
    said: list[str] = []
    monkeypatch.setattr(app, "notify", lambda message, **_: said.append(message))
    async with app.run_test(size=(100, 30)) as pilot:
        await opened(session, app, pilot)
        app.chat.action_copy_answer("1")
        await until(pilot, lambda: said[-1:] == ["Copied the answer of turn 1 as Markdown with xsel."])
        assert (tmp_path / "taken").read_text() == ANSWER


def test_tool_calls_and_usage_are_quiet_blocks_streamed_as_they_are_kept() -> None:
    kept = turn_blocks(turn(1))
    assert [(block.kind, block.title, block.folded) for block in kept] == [
        (BlockKind.USER, "You", False),
        (BlockKind.TOOL, "look_up · q=ore · not run", True),
        (BlockKind.ASSISTANT, "openai.gpt-5.4", False),
        (BlockKind.USAGE, "1,234 in · 310 out · 4.2 s", True),
    ]
    assert '"q": "ore"' in kept[1].text and "64 of them reasoning" in kept[3].text
    live = LiveTurn("c", 1, "Question 1", (), "openai.gpt-5.4")
    live.handle(OutputItemDone(0, CALL))
    live.handle(TextDelta(1, "m", ANSWER))
    live.end(turn(1))
    assert [(b.kind, b.title, b.text, b.folded) for b in live.blocks()] == [
        (b.kind, b.title, b.text, b.folded) for b in kept
    ]


def test_the_facts_of_a_turn_leave_out_what_is_not_known() -> None:
    known = dict(facts(turn(1)))
    assert known["Outcome"] == "completed after 4.2 s" and known["Model"] == "openai.gpt-5.4"
    assert known["Region"] == "us-west-2 · mantle" and known["Input"] == "1,234 tokens (1,000 from the cache)"
    running = dict(facts(Turn("t", None, (), 0.0)))
    assert running["Outcome"] == "still arriving" and "Model" not in running and "Input" not in running
