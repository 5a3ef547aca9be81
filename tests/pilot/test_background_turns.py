"""Background turns in the app, with the real session: the server's clock is the test's."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from support.sandbox_api import Clock
from textual.pilot import Pilot
from ui_real import ready
from ui_stand_in import shown, typed, until

from tui.app import OutcropApp
from tui.config.settings import load_settings
from tui.core.items import Outcome, Turn
from tui.credentials.credentials import Credentials
from tui.sandbox.server import SandboxServer
from tui.screens.background_turn import clock_words
from tui.screens.history import ConfirmScreen
from tui.screens.token_dialog import TokenDialog
from tui.session.session import Session

ANSWER = "alpha beta gamma"
PROMPT = f"Reply with exactly: {ANSWER}"


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def slow(tmp_path: Path, clock: Clock) -> Iterator[SandboxServer]:
    """A server at which a background answer takes 60 seconds of the test's clock."""
    with SandboxServer(tmp_path / "state", clock=clock, background_seconds=60.0) as server:
        yield server


@pytest.fixture
async def start(slow: SandboxServer, clock: Clock) -> AsyncIterator[Callable[..., OutcropApp]]:
    """Starts apps on one history, one after the other."""
    sessions: list[Session] = []

    async def soon(seconds: float) -> None:
        await asyncio.sleep(0.02)

    def make(options: dict[str, Any] | None = None, **flags: object) -> OutcropApp:
        base_url = f"http://127.0.0.1:{slow.port}/openai/v1"
        settings = load_settings({"base_url": base_url, **flags}, os.environ)
        credentials = Credentials({"AWS_BEARER_TOKEN_BEDROCK": "sandbox"}, settings.region)
        sessions.append(Session(settings, credentials, sleep=soon, now=clock))
        return OutcropApp(sessions[-1], **(options or {}))

    yield make
    for session in sessions:
        await session.aclose()


def listen(app: OutcropApp, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What the app has its terminal say."""
    said: list[str] = []
    monkeypatch.setattr(type(app.chat), "ring", lambda chat, sentence: said.append(sentence))
    return said


async def send_in_background(app: OutcropApp, pilot: Pilot[Any], prompt: str = PROMPT) -> None:
    if not app.chat.status.state.background:
        await pilot.press("f8")
    assert app.chat.status.state.background
    await typed(pilot, prompt)
    await pilot.press("enter")
    await until(pilot, lambda: app.chat.answers_in_background == 1)


def only_turn(app: OutcropApp, conversation_id: str) -> Turn:
    (turn,) = app.session.conversation(conversation_id).turns.values()
    return turn


async def test_a_background_turn_tells_how_far_it_is_and_then_its_answer(
    start: Callable[..., OutcropApp], clock: Clock
) -> None:
    app = start()
    async with app.run_test(size=(100, 30)) as pilot:
        conversation = await ready(app, pilot)
        await send_in_background(app, pilot)
        await until(pilot, lambda: "In the background: queued · 0:00" in shown(app))
        assert "Esc cancels it" in shown(app)
        assert "Esc cancels" in app.chat.status.render().plain
        assert app.chat.answers_arriving == 0
        clock.now += 83
        await until(pilot, lambda: not app.chat.answers_in_background)
        await app.chat.pane.drained()
        assert f"assistant||{ANSWER}" in shown(app).splitlines()
        assert "In the background" not in shown(app)
        live = shown(app)
        await app.chat.draw()
        assert shown(app) == live
        assert only_turn(app, conversation).background


async def test_the_elapsed_time_is_the_servers_and_goes_on(
    start: Callable[..., OutcropApp], clock: Clock
) -> None:
    app = start()
    async with app.run_test(size=(100, 30)) as pilot:
        await ready(app, pilot)
        await send_in_background(app, pilot)
        clock.now += 42
        await until(pilot, lambda: "in progress · 0:42" in shown(app))
        clock.now += 60
        await until(pilot, lambda: not app.chat.answers_in_background)


@pytest.mark.parametrize(
    ("seconds", "words"), [(0.0, "0:00"), (7.9, "0:07"), (83.0, "1:23"), (3723.0, "1:02:03"), (-1.0, "0:00")]
)
def test_a_growing_time_in_words(seconds: float, words: str) -> None:
    assert clock_words(seconds) == words


async def test_why_it_cannot_be_is_said_before_anything_is_sent(
    start: Callable[..., OutcropApp], slow: SandboxServer
) -> None:
    app = start(continuation="stateless")
    async with app.run_test(size=(100, 30), notifications=True) as pilot:
        await ready(app, pilot)
        await pilot.press("f8")
        await until(pilot, lambda: any("switch to stateful" in note.message for note in app._notifications))
        assert not app.chat.status.state.background
        assert len(slow.log) == 0


async def test_switched_to_stateless_afterwards_the_prompt_comes_back_with_the_reason(
    start: Callable[..., OutcropApp], slow: SandboxServer
) -> None:
    app = start()
    async with app.run_test(size=(100, 30), notifications=True) as pilot:
        await ready(app, pilot)
        await pilot.press("f8", "ctrl+t")
        await until(pilot, lambda: app.chat.status.state.continuation == "stateless")
        await typed(pilot, "precious")
        await pilot.press("enter")
        await until(pilot, lambda: app.chat.composer.text == "precious")
        assert any("switch to stateful" in note.message for note in app._notifications)
        assert len(slow.log) == 0


async def test_other_conversations_go_on_meanwhile_and_the_answer_is_announced(
    start: Callable[..., OutcropApp], clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = start()
    async with app.run_test(size=(140, 30), notifications=True) as pilot:
        said = listen(app, monkeypatch)
        first = await ready(app, pilot)
        await send_in_background(app, pilot)
        await pilot.press("ctrl+n")
        await until(pilot, lambda: app.chat.conversation_id != first)
        await until(pilot, lambda: app.chat.status.state.elsewhere == 1)
        assert not app.chat.status.state.background
        await typed(pilot, "Reply with exactly: delta")
        await pilot.press("enter")
        await until(pilot, lambda: "assistant||delta" in shown(app))
        clock.now += 100
        await until(pilot, lambda: app.chat.status.state.ready == 1)
        assert app.chat.status.state.elsewhere == 0
        assert "1 ready" in app.chat.status.render().plain
        assert len(said) == 1 and "is there" in said[0]
        # A toast is a message to the app: it is there when that has been dealt with.
        await until(pilot, lambda: any(note.message == said[0] for note in app._notifications))
        app.chat.composer.text = "/ready"
        await pilot.press("enter")
        await until(pilot, lambda: app.chat.conversation_id == first)
        await until(pilot, lambda: f"assistant||{ANSWER}" in shown(app))
        assert app.chat.status.state.ready == 0


async def test_an_answer_that_comes_before_the_users_eyes_rings_nothing(
    start: Callable[..., OutcropApp], clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = start()
    async with app.run_test(size=(100, 30), notifications=True) as pilot:
        said = listen(app, monkeypatch)
        await ready(app, pilot)
        await send_in_background(app, pilot)
        clock.now += 100
        await until(pilot, lambda: not app.chat.answers_in_background)
        assert said == []
        await send_in_background(app, pilot, "again")
        app.app_focus = False
        clock.now += 100
        await until(pilot, lambda: len(said) == 1)
        assert app.chat.status.state.ready == 0


async def test_without_notify_there_is_no_bell(
    start: Callable[..., OutcropApp], clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = Path(os.environ["OUTCROP_CONFIG_DIR"])
    config.mkdir(exist_ok=True)
    (config / "config.toml").write_text("notify = false\n")
    app = start()
    async with app.run_test(size=(100, 30), notifications=True) as pilot:
        said = listen(app, monkeypatch)
        await ready(app, pilot)
        await send_in_background(app, pilot)
        app.app_focus = False
        clock.now += 100
        await until(pilot, lambda: any("is there" in note.message for note in app._notifications))
        assert said == []


async def test_escape_asks_and_cancels_at_the_server(start: Callable[..., OutcropApp]) -> None:
    app = start()
    async with app.run_test(size=(100, 30)) as pilot:
        conversation = await ready(app, pilot)
        await send_in_background(app, pilot)
        await pilot.press("escape")
        await until(pilot, lambda: isinstance(app.screen, ConfirmScreen))
        await pilot.press("n")
        await until(pilot, lambda: app.screen is app.chat)
        assert app.chat.answers_in_background == 1
        await pilot.press("escape")
        await until(pilot, lambda: isinstance(app.screen, ConfirmScreen))
        await pilot.press("y")
        await until(pilot, lambda: only_turn(app, conversation).outcome is Outcome.CANCELLED)
        await until(pilot, lambda: "Stopped before anything came." in shown(app))


async def test_quitting_leaves_it_running_and_the_next_start_brings_the_answer(
    start: Callable[..., OutcropApp], clock: Clock, slow: SandboxServer, capsys: pytest.CaptureFixture[str]
) -> None:
    app = start()
    async with app.run_test(size=(100, 30)) as pilot:
        conversation = await ready(app, pilot)
        await send_in_background(app, pilot)
        await typed(pilot, "next one")
        await pilot.press("enter", "ctrl+q")
        await until(pilot, lambda: app._exit)
    said = " ".join(capsys.readouterr().err.split())
    assert "1 answer is still being made in the background" in said
    assert only_turn(app, conversation).outcome is None
    assert not any(record.path.endswith("/cancel") for record in slow.log)

    later = start({"continue_latest": True})
    async with later.run_test(size=(100, 30)) as pilot:
        await until(pilot, lambda: later.chat.answers_in_background == 1)
        await until(pilot, lambda: "In the background: queued" in shown(later))
        assert "user||" + PROMPT in shown(later)
        assert "next one" in later.chat.composer.text
        clock.now += 100
        await until(pilot, lambda: not later.chat.answers_in_background)
        await later.chat.pane.drained()
        assert f"assistant||{ANSWER}" in shown(later)
        assert "In the background" not in shown(later)


async def test_a_start_in_another_conversation_takes_it_up_too(
    start: Callable[..., OutcropApp], clock: Clock
) -> None:
    app = start()
    async with app.run_test(size=(100, 30)) as pilot:
        conversation = await ready(app, pilot)
        await send_in_background(app, pilot)
        await pilot.press("ctrl+q")
        await until(pilot, lambda: app._exit)
    clock.now += 100
    later = start()
    async with later.run_test(size=(140, 30)) as pilot:
        await until(pilot, lambda: later.chat.status.state.ready == 1)
        assert later.chat.conversation_id != conversation
        await later.chat.open_conversation(conversation)
        assert f"assistant||{ANSWER}" in shown(later)


async def test_what_cannot_be_watched_now_says_so_and_is_not_lost(
    start: Callable[..., OutcropApp], clock: Clock, slow: SandboxServer
) -> None:
    app = start()
    async with app.run_test(size=(100, 30), notifications=True) as pilot:
        conversation = await ready(app, pilot)
        await send_in_background(app, pilot)
        slow.fault({"on": "retrieve", "status": 403})
        await until(pilot, lambda: isinstance(app.screen, TokenDialog))
        assert app.chat.answers_in_background == 0
        await until(pilot, lambda: any("still being made" in note.message for note in app._notifications))
        assert only_turn(app, conversation).outcome is None
        assert app.chat.composer.text == ""
        clock.now += 100
        await pilot.press(*"sandbox", "enter")
        await until(pilot, lambda: f"assistant||{ANSWER}" in shown(app))


async def test_a_prompt_waits_for_the_answer_in_its_own_conversation(
    start: Callable[..., OutcropApp], clock: Clock
) -> None:
    app = start()
    async with app.run_test(size=(100, 30)) as pilot:
        first = await ready(app, pilot)
        await send_in_background(app, pilot)
        await pilot.press("f8")
        await typed(pilot, "Reply with exactly: epsilon")
        await pilot.press("enter")
        assert app.chat.queue_line.display
        await pilot.press("ctrl+n")
        await until(pilot, lambda: app.chat.conversation_id != first)
        clock.now += 100
        await until(pilot, lambda: app.chat.status.state.ready == 1)
        await app.chat.open_conversation(first)
        await until(pilot, lambda: "assistant||epsilon" in shown(app))
