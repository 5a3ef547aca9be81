"""Requests of the other APIs sent again, edited into branches, and played from a cassette."""

from __future__ import annotations

import argparse
import json
from contextlib import aclosing
from pathlib import Path
from typing import Any

import pytest
from support.programs import Program
from support.sessions import make_session, take_turn

from tui.core.cassette import cassette_text
from tui.core.errors import InputError
from tui.core.events import TurnEnded
from tui.core.exchange import Exchange
from tui.core.items import Outcome, Turn
from tui.sandbox.server import SandboxServer
from tui.session.playback import settings_and_playback
from tui.session.playback_session import PlaybackSession
from tui.session.replay import BodyRefused
from tui.session.session import Session

MODEL = "openai.gpt-oss-20b-1:0"
PATHS = {
    "chat_completions": "/openai/v1/chat/completions",
    "converse": "/model/openai.gpt-oss-20b-1%3A0/converse-stream",
    "invoke_model": "/model/openai.gpt-oss-20b-1%3A0/invoke",
}


async def two_turns(server: SandboxServer, api: str) -> tuple[Session, str, Exchange]:
    session = make_session(server, sandbox=True, base_url=None, model=MODEL, endpoint="runtime", api=api)
    session.settings = session.settings.with_sandbox(f"http://127.0.0.1:{server.port}/openai/v1")
    conversation_id = (await session.new()).id
    await take_turn(session, conversation_id, "My name is Ada.")
    await take_turn(session, conversation_id, "What am I called?")
    return session, conversation_id, session.exchanges(conversation_id)[-1]


def edited(exchange: Exchange, number: int, text: str) -> bytes:
    body = json.loads(exchange.request_body)
    message = body["messages"][number]
    message["content"] = text if isinstance(message["content"], str) else [{"text": text}]
    return json.dumps(body).encode()


@pytest.mark.parametrize("api", PATHS)
async def test_a_request_is_sent_again_edited_and_kept(sandbox: SandboxServer, api: str) -> None:
    session, conversation_id, exchange = await two_turns(sandbox, api)
    assert exchange.url.endswith(PATHS[api])
    (row,) = [row async for row in session.replay(exchange)]
    assert (row.status, row.outcome, row.error) == (200, "completed", None)
    assert row.input_tokens and row.output_tokens
    assert sandbox.log[-1].body == exchange.request_body
    with pytest.raises(BodyRefused, match="messages"):
        [row async for row in session.replay(exchange, body=b'{"model": "x"}')]

    async def keep(body: bytes) -> Turn:
        async with aclosing(session.keep_as_branch(exchange, body)) as events:
            (ended,) = [event async for event in events if isinstance(event, TurnEnded)]
        return ended.turn

    first, second = session.conversation(conversation_id).path()
    beside = await keep(edited(exchange, -1, "Tell me of slate."))
    assert (beside.parent_id, beside.prompt, beside.outcome) == (
        first.id,
        "Tell me of slate.",
        Outcome.COMPLETED,
    )
    assert "My name is Ada" in beside.text
    before = await keep(edited(exchange, 0, "My name is Bea."))
    assert before.parent_id is None and "Your name is **Bea**" in before.text
    assert [item.payload.get("role") for item in before.input] == ["user", "assistant", "user"]
    with pytest.raises(InputError, match="nothing that is not in the conversation"):
        await keep(json.dumps({**json.loads(exchange.request_body), "messages": []}).encode())
    assert session.conversation(conversation_id).turns[second.id] == second
    assert not await session.responses.left_to_delete()
    await session.aclose()


@pytest.mark.parametrize("api", PATHS)
async def test_a_cassette_is_played_without_a_network(
    sandbox: SandboxServer, tmp_path: Path, api: str
) -> None:
    session, conversation_id, _ = await two_turns(sandbox, api)
    said = [turn.text for turn in session.conversation(conversation_id).path()]
    path = tmp_path / "talk.json"
    made_with = {"model": MODEL, "region": session.settings.region, "continuation": "stateless", "api": api}
    path.write_text(cassette_text(session.exchanges(conversation_id), made_with), encoding="utf-8")
    await session.aclose()
    sandbox.stop()
    settings, playback = settings_and_playback(argparse.Namespace(replay=str(path), replay_speed="max"), {})
    assert playback is not None
    player = PlaybackSession(settings, playback.credentials(settings), playback)
    played: list[Any] = []
    conversation = await player.new()
    for prompt in player.prompts:
        text = str(prompt.payload["content"])
        played.append((await take_turn(player, conversation.id, text)).turn)
    assert [turn.text for turn in played] == said
    assert {turn.target.api for turn in played} == {api}
    await player.aclose()


def test_ask_over_chat_completions(program: Program) -> None:
    chosen = ("--api", "chat", "--model", "openai.gpt-5.6-luna")
    first = program.run("ask", *chosen, "--json", "My name is Ada.").ended
    assert (first["outcome"], first["continuation"]) == ("completed", "stateless")
    again = program.run("ask", "--conversation", first["conversation"], "What am I called?")
    assert again.status == 0 and "Your name is **Ada**" in again.out
