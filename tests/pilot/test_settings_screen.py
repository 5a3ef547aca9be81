"""The settings of a conversation: the page and the commands, against the real session and server."""

from __future__ import annotations

import json
from typing import Any, cast

import pytest
from support.sessions import make_session, take_turn
from textual import events
from textual.pilot import Pilot
from textual.widgets import TextArea
from ui_samples import OneWidget, text_of
from ui_stand_in import settled, typed, until

from tui.app import OutcropApp
from tui.core.controls import Controls
from tui.sandbox.server import SandboxServer
from tui.screens.settings import SettingsScreen
from tui.session.instructions import load_library
from tui.session.session import Session
from tui.widgets.choice_line import ChoiceLine


async def begun(sandbox: SandboxServer, **flags: object) -> tuple[Session, str, OutcropApp]:
    session = make_session(sandbox, **flags)
    conversation = await session.new()
    await take_turn(session, conversation.id, "one")
    return session, conversation.id, OutcropApp(session, theme=None, continue_latest=True)


async def opened(pilot: Pilot[Any], conversation_id: str, key: str = "f10") -> SettingsScreen:
    app = cast("OutcropApp", pilot.app)
    await until(pilot, lambda: app.chat.conversation_id == conversation_id)
    await settled(pilot)
    await pilot.press(key)
    await until(pilot, lambda: isinstance(app.screen, SettingsScreen) and app.screen.focused is not None)
    await pilot.pause()
    return cast("SettingsScreen", app.screen)


def line_with(app: OutcropApp, words: str) -> str:
    return next((line for line in text_of(app).splitlines() if words in line), "")


@pytest.mark.parametrize("size", [(80, 24), (160, 48)])
async def test_what_is_chosen_by_keys_is_kept_and_sent(sandbox: SandboxServer, size: tuple[int, int]) -> None:
    session, conversation_id, app = await begun(sandbox)
    async with app.run_test(size=size) as pilot:
        await opened(pilot, conversation_id)
        model = session.catalogue.model("openai.gpt-5.4")
        assert model is not None
        effort = line_with(app, "Effort ")
        assert "● unset" in effort
        assert all(value in effort for value in model.effort_values)
        assert f"{model.default_effort}*" in effort
        await pilot.press(*["right"] * (1 + model.effort_values.index("high")))
        await pilot.press("down", "right", "down", "down", "right", "tab")
        assert "with effort none only" in text_of(app)  # sampling is three fields on a line
        await pilot.press("tab", "tab", "tab")
        assert "admission" in text_of(app)
        await typed(pilot, "2048")
        await pilot.press("tab", "tab")
        await typed(pilot, "Be brief.")
        assert "● own" in line_with(app, "Instructions ")
        await pilot.press("escape")
        await until(pilot, lambda: app.screen is app.chat)
        await until(pilot, lambda: session.conversation(conversation_id).controls.effort == "high")
        kept = session.conversation(conversation_id)
        assert kept.controls == Controls("high", "low", 2048, None, "auto")
        assert kept.instructions == "Be brief."
        await until(pilot, lambda: "effort high" in text_of(app) or size[0] == 80)
        assert app.chat.status.state.effort == "high"
        await typed(pilot, "go")
        await pilot.press("enter")
        await until(pilot, lambda: len(session.conversation(conversation_id).turns) == 2)
        await until(pilot, lambda: app.chat.answers_arriving == 0)
        body = json.loads(session.exchanges(conversation_id)[1].request_body or b"")
        assert body["reasoning"]["effort"] == "high"
        assert body["text"] == {"verbosity": "low"}
        assert body["max_output_tokens"] == 2048
        assert body["instructions"] == "Be brief."
    await session.aclose()


async def test_named_instructions_are_chosen_and_become_ones_own_when_edited(sandbox: SandboxServer) -> None:
    session, conversation_id, app = await begun(sandbox)
    names = [entry.name for entry in load_library(session.settings.config_dir).entries]
    async with app.run_test(size=(100, 30)) as pilot:
        await typed(pilot, "/instructions")
        screen = None
        await settled(pilot)
        await pilot.press("escape", "enter")
        await until(pilot, lambda: isinstance(app.screen, SettingsScreen) and app.screen.focused is not None)
        screen = app.screen
        text = screen.query_one(TextArea)
        assert screen.focused is text
        await pilot.press("shift+tab", "right", "right")
        entry = load_library(session.settings.config_dir).named(names[0])
        assert entry is not None
        assert f"● {names[0]}" in line_with(app, "Instructions ")
        assert text.text == entry.text
        await pilot.press("escape")
        await until(pilot, lambda: session.conversation(conversation_id).instructions == entry.text)
        assert session.conversation(conversation_id).controls.instructions_name == names[0]

        screen = await opened(pilot, conversation_id)
        assert f"● {names[0]}" in line_with(app, "Instructions ")
        text = screen.query_one(TextArea)
        text.focus()
        await typed(pilot, "X")
        await pilot.pause()
        assert "● own" in line_with(app, "Instructions ")
        await pilot.press("ctrl+s")
        await until(pilot, lambda: session.conversation(conversation_id).instructions == "X" + entry.text)
        assert session.conversation(conversation_id).controls.instructions_name == ""
    await session.aclose()


async def test_what_cannot_be_kept_is_said_and_a_second_escape_leaves_all_as_it_was(
    sandbox: SandboxServer,
) -> None:
    session, conversation_id, app = await begun(sandbox)
    async with app.run_test(size=(100, 30)) as pilot:
        screen = await opened(pilot, conversation_id)
        screen.query_one("#settings-max").focus()
        await typed(pilot, "3")
        await pilot.press("escape")
        await pilot.pause()
        assert "must be 16 or more" in text_of(app)
        assert app.screen is screen
        await pilot.press("escape")
        await until(pilot, lambda: app.screen is app.chat)
        assert session.conversation(conversation_id).controls == Controls()

        screen = await opened(pilot, conversation_id)
        await pilot.press("right", "right")
        await pilot.press("ctrl+r")
        assert "● unset" in line_with(app, "Effort ")
        await pilot.press("escape")
        await until(pilot, lambda: app.screen is app.chat)
        assert session.conversation(conversation_id).controls == Controls()
    await session.aclose()


async def test_the_mouse_chooses_and_closes(sandbox: SandboxServer) -> None:
    session, conversation_id, app = await begun(sandbox)
    async with app.run_test(size=(160, 48)) as pilot:
        await opened(pilot, conversation_id)
        lines = text_of(app).splitlines()
        row = next(number for number, line in enumerate(lines) if "Verbosity " in line)
        await pilot.click(offset=(lines[row].index("medium") + 1, row))
        await pilot.pause()
        assert "● medium" in line_with(app, "Verbosity ")
        await pilot.click(offset=(1, 1))
        await until(pilot, lambda: session.conversation(conversation_id).controls.verbosity == "medium")
    await session.aclose()


async def test_commands_set_values_and_say_what_the_model_does_not_take(sandbox: SandboxServer) -> None:
    session, conversation_id, app = await begun(sandbox)

    async def command(pilot: Pilot[Any], text: str) -> None:
        await typed(pilot, text)
        await pilot.press("enter")
        await settled(pilot)

    def controls() -> Controls:
        return session.conversation(conversation_id).controls

    async with app.run_test(size=(120, 40), notifications=True) as pilot:
        await until(pilot, lambda: app.chat.conversation_id == conversation_id)
        await command(pilot, "/effort low")
        await until(pilot, lambda: controls().effort == "low")
        await until(pilot, lambda: "effort low" in text_of(app).splitlines()[-1])
        await command(pilot, "/effort frantic")
        await until(pilot, lambda: "not frantic" in text_of(app))
        assert controls().effort == "low"
        await command(pilot, "/effort unset")
        await until(pilot, lambda: controls().effort is None)
        await command(pilot, "/verbosity high")
        await until(pilot, lambda: controls().verbosity == "high")
        await command(pilot, "/maxtokens 4,096")
        await until(pilot, lambda: controls().max_output_tokens == 4096)
        await command(pilot, "/maxtokens many")
        await until(pilot, lambda: "whole number" in text_of(app))
        await command(pilot, "/instructions plain words")
        await until(pilot, lambda: controls().instructions_name == "plain words")
        assert "everyday words" in session.conversation(conversation_id).instructions
        await command(pilot, "/instructions off")
        await until(pilot, lambda: session.conversation(conversation_id).instructions == "")
        await command(pilot, "/instructions nobody")
        await until(pilot, lambda: "There are no instructions nobody" in text_of(app))
        assert controls() == Controls(verbosity="high", max_output_tokens=4096)
    await session.aclose()


async def test_the_values_are_completed(sandbox: SandboxServer) -> None:
    session, conversation_id, app = await begun(sandbox)
    async with app.run_test(size=(120, 40)) as pilot:
        await until(pilot, lambda: app.chat.conversation_id == conversation_id)
        await settled(pilot)
        model = session.catalogue.model("openai.gpt-5.4")
        assert model is not None
        await typed(pilot, "/effort ")
        await until(pilot, lambda: app.chat.composer.offers == (*model.effort_values, "unset"))
        app.chat.composer.clear()
        await typed(pilot, "/instructions pl")
        await until(pilot, lambda: app.chat.composer.offers == ("plain words",))
        await pilot.press("enter")
        await until(
            pilot, lambda: session.conversation(conversation_id).controls.instructions_name == "plain words"
        )
    await session.aclose()


async def test_a_value_left_from_another_model_and_a_refused_summary_are_said(sandbox: SandboxServer) -> None:
    session, conversation_id, app = await begun(sandbox)
    target = session.target(conversation_id)
    session._options.refuser(target)("reasoning.summary")
    other = next(
        model
        for model in session.catalogue.models
        if "none" not in model.effort_values and model.effort_values
    )
    await session.set_controls(conversation_id, Controls(effort="none", summary="auto"))
    async with app.run_test(size=(120, 40)) as pilot:
        screen = await opened(pilot, conversation_id)
        screen.query_one("#settings-summary").focus()
        await pilot.pause()
        assert "Some models refuse it" in text_of(app)
        assert "This model refused it here before" in text_of(app)
        await pilot.press("escape")
        await session.set_target(conversation_id, model=other.id)
        await opened(pilot, conversation_id)
        assert "none (not taken)" in text_of(app)
        assert "not none." in " ".join(text_of(app).split())
        await pilot.press("escape")
        await until(pilot, lambda: app.screen is app.chat)
        assert session.conversation(conversation_id).controls.effort == "none"
    await session.aclose()


async def test_many_values_in_a_narrow_line_keep_the_chosen_one_in_sight() -> None:
    options = [(f"v{number}", f"value number {number}") for number in range(12)]
    line = ChoiceLine("Names", options, "v0")
    app = OneWidget(line)
    async with app.run_test(size=(60, 5)) as pilot:
        line.focus()
        for number in range(12):
            await pilot.pause()
            assert f"● value number {number}" in text_of(app)
            assert ("›" in text_of(app)) == (number < 11)
            await pilot.press("right")
        await pilot.press("home")
        await pilot.pause()
        assert line.value == "v0"


async def test_foreign_names_are_text() -> None:
    line = ChoiceLine("Names", [("a", "[red]x[/]\x1b[31m")], "a")
    app = OneWidget(line)
    async with app.run_test(size=(60, 5)) as pilot:
        await pilot.pause()
        assert "[red]x[/]" in text_of(app)
        assert "\x1b" not in text_of(app)


async def test_alt_s_opens_the_settings_from_the_composer_and_types_nothing(sandbox: SandboxServer) -> None:
    session, conversation_id, app = await begun(sandbox)
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: app.chat.conversation_id == conversation_id)
        await settled(pilot)
        await typed(pilot, "one")
        app.post_message(events.Key("alt+s", "s"))
        await until(pilot, lambda: isinstance(app.screen, SettingsScreen))
        assert app.chat.composer.text == "one"
    await session.aclose()
