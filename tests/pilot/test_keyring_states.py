"""A keyring that is locked, or does not answer, is said to be that; it is asked again, and found late."""

from __future__ import annotations

import os
import threading
import time
from pathlib import Path

import pytest
from support.keyring_support import DictKeyring
from ui_real import ready
from ui_samples import text_of
from ui_stand_in import until

from tui.app import OutcropApp
from tui.config.settings import load_settings
from tui.core.errors import KeyringLocked
from tui.credentials.credentials import Credentials
from tui.screens.token_dialog import TokenDialog
from tui.session.session import Session

LOCKED = "The keyring is locked. Unlock it and try again."


def app_with(keyring: DictKeyring) -> OutcropApp:
    settings = load_settings({"base_url": "http://127.0.0.1:9/openai/v1"}, os.environ)
    return OutcropApp(Session(settings, Credentials({}, settings.region, keyring=keyring)))


def words(app: OutcropApp) -> str:
    return " ".join(text_of(app).replace("│", " ").split())


def notes(app: OutcropApp) -> list[str]:
    return [str(note.message) for note in app._notifications]


async def closed(app: OutcropApp) -> None:
    await app.chat.shut_down()
    await app.session.aclose()


async def test_a_locked_keyring_is_no_missing_key_and_is_asked_again(tmp_path: Path) -> None:
    keyring = DictKeyring({"default": "kept-key"})
    keyring.error = KeyringLocked(LOCKED)
    app = app_with(keyring)
    async with app.run_test(size=(100, 30)) as pilot:
        await ready(app, pilot)
        await until(pilot, lambda: isinstance(app.screen, TokenDialog))
        await until(pilot, lambda: LOCKED in words(app))
        assert "There is no" not in words(app)
        await pilot.press("escape")
        await until(pilot, lambda: not isinstance(app.screen, TokenDialog))
        # Still locked, and then unlocked.
        app.chat.action_ask_token()
        await until(pilot, lambda: isinstance(app.screen, TokenDialog))
        await pilot.press("escape")
        keyring.error = None
        app.chat.action_ask_token()
        await until(pilot, lambda: app.session.credentials.status("us-west-2").usable)
        await until(pilot, lambda: "Key from the keyring." in notes(app))
        assert not isinstance(app.screen, TokenDialog) and "kept-key" not in words(app)
        await closed(app)


async def test_a_keyring_that_hangs_holds_nobody_up_and_its_late_answer_counts(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    gate = threading.Event()
    monkeypatch.setattr(Credentials.load, "__defaults__", (1.5, None))
    app = app_with(DictKeyring({"default": "kept-key"}, gate))
    try:
        async with app.run_test(size=(100, 30)) as pilot:
            await ready(app, pilot)
            begun = time.thread_time()
            await pilot.press("g", "r")
            assert app.chat.composer.text == "gr"
            assert time.thread_time() - begun < 0.2
            await until(pilot, lambda: "did not answer within 1.5 s" in words(app))
            assert "There is no" not in words(app)
            await pilot.press("escape")
            gate.set()
            await until(pilot, lambda: "The keyring has answered: there is a key now." in notes(app))
            assert app.session.credentials.status("us-west-2").source == "keyring"
            assert app.chat.composer.text == "gr"
            await closed(app)
    finally:
        gate.set()
