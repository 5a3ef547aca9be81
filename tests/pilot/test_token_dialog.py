from __future__ import annotations

import base64
from pathlib import Path
from typing import Any

import pytest
from textual import events
from textual.pilot import Pilot
from textual.widgets import RadioButton
from ui_samples import OneWidget, picture, text_of

from tui.screens.token_dialog import SecretInput, TokenChoice, TokenDialog, why_unusable

SECRET = "bedrock-api-key-Zm9vYmFy+/="
SIZES = [(80, 24), (160, 48)]


async def opened(pilot: Pilot[Any], results: list[Any], *, keyring: bool = True) -> SecretInput:
    screen = TokenDialog("There is no key for us-west-2 yet.", keyring_available=keyring)
    await pilot.app.push_screen(screen, results.append)
    await pilot.pause()
    return pilot.app.screen.query_one(SecretInput)


async def paste(pilot: Pilot[Any], text: str) -> None:
    pilot.app.screen.query_one(SecretInput).post_message(events.Paste(text))
    await pilot.pause()


@pytest.mark.parametrize("size", SIZES)
async def test_a_pasted_key_is_masked_everywhere_and_kept_in_the_keyring(
    size: tuple[int, int], tmp_path: Path
) -> None:
    results: list[Any] = []
    app = OneWidget()
    async with app.run_test(size=size) as pilot:
        secret = await opened(pilot, results)
        assert "There is no key for us-west-2 yet." in text_of(app)
        await paste(pilot, f"  {SECRET} \n")
        assert "•" * len(SECRET) in text_of(app)
        drawn = picture(app, tmp_path, "dialog.svg").read_text(encoding="utf-8")
        assert "••••" in drawn.replace("&#160;", "")
        for form in (SECRET, SECRET.replace("+", "%2B"), base64.b64encode(SECRET.encode()).decode()):
            assert form not in drawn
            assert form not in text_of(app)
        await pilot.press("enter")
        await pilot.pause()
        assert secret.value == "", "nothing is left in the widget"
    (choice,) = results
    assert choice == TokenChoice(SECRET, "keyring")
    assert SECRET not in repr(choice)


async def test_this_run_only_is_a_choice_for_the_keyboard() -> None:
    results: list[Any] = []
    app = OneWidget()
    async with app.run_test(size=(80, 24)) as pilot:
        await opened(pilot, results)
        await pilot.press("tab", "down", "space", "shift+tab")
        await paste(pilot, SECRET)
        await pilot.press("enter")
        await pilot.pause()
    assert results == [TokenChoice(SECRET, "run")]


@pytest.mark.parametrize("size", SIZES)
async def test_without_a_keyring_it_says_so_and_offers_the_other_ways(size: tuple[int, int]) -> None:
    results: list[Any] = []
    app = OneWidget()
    async with app.run_test(size=size) as pilot:
        await opened(pilot, results, keyring=False)
        screen = " ".join(text_of(app).replace("│", " ").split())
        assert "No keyring can be reached here" in screen
        assert "AWS_BEARER_TOKEN_BEDROCK" in screen
        assert app.screen.query_one("#keep-keyring", RadioButton).disabled
        await pilot.click("#keep-keyring")
        await paste(pilot, SECRET)
        app.screen.query_one(SecretInput).focus()
        await pilot.press("enter")
        await pilot.pause()
    assert results == [TokenChoice(SECRET, "run")]


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ("", "Nothing was entered"),
        ("   ", "Nothing was entered"),
        (f"Bearer {SECRET}", "white space inside"),
        ("key-übung", "characters that no key has"),
        ("key\x1b[31m", "characters that no key has"),
        ("key\u202eabc", "characters that no key has"),
    ],
)
async def test_what_no_header_could_carry_is_refused_without_being_shown(typed: str, said: str) -> None:
    results: list[Any] = []
    app = OneWidget()
    async with app.run_test(size=(80, 24)) as pilot:
        secret = await opened(pilot, results)
        secret.value = typed
        await pilot.press("enter")
        await pilot.pause()
        screen = " ".join(text_of(app).split())
        assert said in screen
        assert results == []
        if typed.strip():
            assert typed.strip() not in screen
        await pilot.press("x")
        await pilot.pause()
        assert said not in " ".join(text_of(app).split()), "typing takes the complaint away"


async def test_escape_gives_nothing_and_empties_the_input() -> None:
    results: list[Any] = []
    app = OneWidget()
    async with app.run_test(size=(80, 24)) as pilot:
        secret = await opened(pilot, results)
        await paste(pilot, SECRET)
        await pilot.press("escape")
        await pilot.pause()
        assert secret.value == ""
    assert results == [None]


async def test_the_value_cannot_be_copied_and_messages_do_not_show_it() -> None:
    app = OneWidget()
    async with app.run_test(size=(80, 24)) as pilot:
        secret = await opened(pilot, [])
        await paste(pilot, SECRET)
        await pilot.press("ctrl+a", "ctrl+c")
        secret.select_all()
        secret.action_copy()
        secret.action_cut()
        await pilot.pause()
        assert app.copied == ""
        assert secret.value == ""
        assert SECRET not in repr(SecretInput.Changed(secret, SECRET))


def test_a_usable_key_has_no_complaint() -> None:
    assert why_unusable(SECRET) is None
