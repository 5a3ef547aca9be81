"""Another API in the app: chosen in mid conversation, named, and what it has none of is said."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from support.sessions import make_session, take_turn
from textual.pilot import Pilot
from ui_samples import text_of
from ui_stand_in import settled, typed, until

from tui.app import OutcropApp
from tui.core.controls import Controls
from tui.core.items import Turn
from tui.sandbox.server import SandboxServer
from tui.screens.settings import SettingsScreen
from tui.session.session import Session


async def session_on(sandbox: SandboxServer, **flags: object) -> Session:
    """A session that has the sandbox's regions, endpoints and APIs."""
    session = make_session(sandbox, sandbox=True, base_url=None, **flags)
    await session.warm_up()
    session.settings = session.settings.with_sandbox(sandbox.base_url())
    return session


async def said(pilot: Pilot[Any], *texts: str) -> None:
    """Wait for a notification with these texts."""

    def there() -> bool:
        notes = [note.message for note in pilot.app._notifications]  # pyright: ignore[reportPrivateUsage]
        return any(all(text in note for text in texts) for note in notes)

    await until(pilot, there)


async def command(pilot: Pilot[Any], text: str) -> None:
    await typed(pilot, text)
    await pilot.press("enter")
    await pilot.pause()


def bodies(session: Session, conversation_id: str) -> Sequence[dict[str, Any]]:
    return [json.loads(exchange.request_body or b"{}") for exchange in session.exchanges(conversation_id)]


def last_turn(session: Session, conversation_id: str) -> Turn:
    return session.conversation(conversation_id).path()[-1]


async def test_an_api_is_chosen_in_mid_conversation(sandbox: SandboxServer) -> None:
    """Responses, stateful, then Converse: the same conversation, stateless, and why is said at the switch."""
    session = await session_on(sandbox, model="openai.gpt-oss-20b", guardrail="sandboxguard")
    conversation_id = (await session.new()).id
    first = await take_turn(session, conversation_id, "My name is Ada. Write to ada@example.org.")
    assert any("does not apply: Responses on mantle" in notice for notice in first.notices)
    await session.set_controls(conversation_id, Controls(service_tier="auto"))
    second = await take_turn(session, conversation_id, "Say more.")
    assert second.notices == []  # once is enough
    app = OutcropApp(session, theme=None, continue_latest=True)
    async with app.run_test(size=(100, 30)) as pilot:
        await until(pilot, lambda: app.chat.conversation_id == conversation_id)
        await settled(pilot)
        state = app.chat.status.state
        assert (state.api, state.continuation) == ("", "stateful")

        await command(pilot, "/api converse")
        await said(pilot, "openai.gpt-oss-20b-1:0 on runtime: that is taken")
        await said(pilot, "Over Converse the server keeps nothing", "stateless")
        state = app.chat.status.state
        assert (state.api, state.endpoint, state.continuation) == ("Converse", "runtime", "stateless")
        assert "Converse" in text_of(app).splitlines()[-1]
        await pilot.press("ctrl+t")
        await said(pilot, "Only the Responses API continues by id")
        for words, sentence in (
            ("/background", "Converse on runtime has no background turns"),
            ("/cache", "Converse on runtime has no cache controls"),
            ("/verbosity low", "Converse takes no verbosity"),
            ("/api soap", "There is no API soap"),
            ("/responses", "Converse on runtime has no stored responses; use Responses on mantle for that"),
        ):
            await command(pilot, words)
            await said(pilot, sentence)
        await pilot.press("escape")
        await until(pilot, lambda: app.screen is app.chat)

        await pilot.press("f10")
        await until(pilot, lambda: isinstance(app.screen, SettingsScreen) and app.screen.focused is not None)
        await pilot.pause()
        page = text_of(app)
        assert "gpt-oss 20b · Converse" in page
        assert "medium*" in page
        assert "temperature 1.0" in page
        assert "sandboxguard, version DRAFT, trace off" in page
        await pilot.press("down")
        await pilot.pause()
        assert "Converse takes no verbosity." in text_of(app)
        await pilot.press("tab", "tab", "tab")
        await typed(pilot, "0.5")
        await pilot.press("tab", "tab")
        await typed(pilot, "END, STOP")
        await pilot.press("escape")
        await until(pilot, lambda: app.screen is app.chat)
        await until(pilot, lambda: session.conversation(conversation_id).controls.temperature == 0.5)

        await command(pilot, "What am I called?")
        await until(pilot, lambda: len(session.conversation(conversation_id).turns) == 3)
        await until(pilot, lambda: app.chat.answers_arriving == 0)
        turn = last_turn(session, conversation_id)
        assert "Ada" in turn.text
        assert turn.target is not None
        assert (turn.target.api, turn.continuation) == ("converse", "stateless")
        body = bodies(session, conversation_id)[-1]
        assert [message["role"] for message in body["messages"]] == ["user", "assistant"] * 2 + ["user"]
        assert body["inferenceConfig"] == {
            "maxTokens": 8192, "temperature": 0.5, "topP": 1.0, "stopSequences": ["END", "STOP"],
        }  # fmt: skip
        assert body["guardrailConfig"]["guardrailIdentifier"] == "sandboxguard"

        await command(pilot, "/api chat")
        await said(pilot, "Chat Completions takes no service tier: it is not sent.")
        await until(pilot, lambda: app.chat.status.state.api == "Chat Completions")
        await command(pilot, "What is volcano insurance?")
        await until(pilot, lambda: len(session.conversation(conversation_id).turns) == 4)
        await until(pilot, lambda: app.chat.answers_arriving == 0)
        assert "The guardrail intervened." in last_turn(session, conversation_id).notices
        await until(pilot, lambda: "The guardrail intervened." in text_of(app))
        await command(pilot, "/api responses")
        await until(pilot, lambda: app.chat.status.state.api == "")
        assert app.chat.status.state.continuation == "stateful"
