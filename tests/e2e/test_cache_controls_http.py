"""The prompt cache's controls: what reaches the server, what it does there, and what it refuses."""

from __future__ import annotations

import json
import os
from typing import Any

import pytest
from support.openai_schemas import validate
from support.sessions import make_session, take_turn

from tui.config.settings import load_settings
from tui.core.cache_controls import with_breakpoint
from tui.core.controls import Controls
from tui.core.errors import InputError
from tui.core.items import user_message
from tui.credentials.credentials import Credentials
from tui.sandbox.server import SandboxServer
from tui.session.session import Session

TERRA = "openai.gpt-5.6-terra"
POINT = {"prompt_cache_breakpoint": {"mode": "explicit"}}
LONG = "gneiss and granite " * 700


def session_of(sandbox: SandboxServer, **flags: Any) -> Session:
    settings = load_settings({"sandbox": True, **flags}, os.environ)
    url = f"http://127.0.0.1:{sandbox.port}/openai/v1"
    return Session(settings, Credentials({}, settings.region, sandbox=True), start_sandbox=lambda: url)


def bodies(sandbox: SandboxServer) -> list[dict[str, Any]]:
    sent = [record.json for record in sandbox.log if record.method == "POST"]
    for body in sent:
        validate("CreateResponse", body)
    return sent


async def test_the_key_is_the_conversations_unless_another_or_none_is_chosen(sandbox: SandboxServer) -> None:
    session = session_of(sandbox)
    one, two = await session.new(), await session.new()
    await take_turn(session, one.id, "Hi")
    await take_turn(session, two.id, "Hi")
    await session.set_controls(two.id, Controls(cache_key="shared", cache_keep="in_memory"))
    await take_turn(session, two.id, "Hi")
    await session.set_controls(two.id, Controls(cache_key="none"))
    await take_turn(session, two.id, "Hi")
    keys = [body.get("prompt_cache_key") for body in bodies(sandbox)]
    assert keys == [one.id, two.id, "shared", None]
    assert [body.get("prompt_cache_retention") for body in bodies(sandbox)] == [None, None, "in_memory", None]
    with pytest.raises(InputError, match="64 characters"):
        await session.set_controls(two.id, Controls(cache_key="k" * 65))
    with pytest.raises(InputError, match="keep for in_memory, not 30m"):
        await session.set_controls(two.id, Controls(cache_keep="30m"))
    with pytest.raises(InputError, match="takes no cache breakpoints"):
        await session.set_controls(two.id, Controls(cache_breakpoints="prompts"))
    await session.aclose()


@pytest.mark.parametrize("mode", ["stateful", "stateless"])
async def test_explicit_breakpoints_reach_the_server_and_save_what_is_written(
    sandbox: SandboxServer, mode: Any
) -> None:
    session = session_of(sandbox, model=TERRA)
    conversation = await session.new()
    await session.set_continuation(conversation.id, mode)
    await session.set_controls(conversation.id, Controls(cache_keep="30m", cache_breakpoints="prompts"))
    first = await take_turn(session, conversation.id, LONG)
    second = await take_turn(session, conversation.id, "And basalt?")
    assert first.turn.usage is not None and second.turn.usage is not None
    assert (first.turn.usage.cache_write_tokens or 0) > 1024
    assert (second.turn.usage.cached_tokens or 0) > 1024
    await session.set_controls(conversation.id, Controls(cache_breakpoints="nowhere"))
    third = await take_turn(session, conversation.id, LONG + "once more")
    written = third.turn.usage.cache_write_tokens if third.turn.usage else None
    # The breakpoints of earlier prompts are in what the server keeps of a chain.
    assert written == 0 if mode == "stateless" else 0 < (written or 0) < 300
    one, two, three = bodies(sandbox)
    assert one["prompt_cache_options"] == {"mode": "explicit", "ttl": "30m"}
    asked = [item for item in two["input"] if item.get("role") == "user"]
    assert len(asked) == (1 if mode == "stateful" else 2)
    assert all(item["content"][-1]["prompt_cache_breakpoint"] == {"mode": "explicit"} for item in asked)
    assert three["prompt_cache_options"] == {"mode": "explicit"}
    assert "breakpoint" not in json.dumps(three["input"])
    # What is kept is what was typed: another model is sent it without.
    kept = session.conversation(conversation.id).path()[0].input[0].payload
    assert kept == {"role": "user", "content": LONG}
    await session.set_target(conversation.id, model="openai.gpt-5.4")
    await take_turn(session, conversation.id, "Hi")
    last = bodies(sandbox)[-1]
    assert "prompt_cache_options" not in last and "breakpoint" not in json.dumps(last["input"])
    assert any("takes no cache breakpoints" in said for said in session.unsent(conversation.id))
    await session.aclose()


async def test_what_the_server_refuses_is_left_out_and_remembered(sandbox: SandboxServer) -> None:
    # The catalogue does not know what this model takes, and it takes no such retention.
    session = make_session(sandbox, model="fake-5-0")
    conversation = await session.new()
    await session.set_controls(conversation.id, Controls(cache_keep="30m"))
    taken = await take_turn(session, conversation.id, "Hi")
    assert any("does not take prompt_cache_options" in notice for notice in taken.notices)
    again = await take_turn(session, conversation.id, "Hi")
    assert again.notices == []
    asked = ["prompt_cache_options" in record.json for record in sandbox.log if record.method == "POST"]
    assert asked == [True, False, False]
    assert any("refused prompt_cache_options" in said for said in session.unsent(conversation.id))
    await session.aclose()


@pytest.mark.parametrize(
    ("message", "content"),
    [
        (user_message("a"), [{"type": "input_text", "text": "a", **POINT}]),
        (user_message('ends "}]}'), [{"type": "input_text", "text": 'ends "}]}', **POINT}]),
        (
            user_message('b "}]}', [{"type": "input_file", "filename": "f", "file_data": "data:,"}]),
            [
                {"type": "input_file", "filename": "f", "file_data": "data:,"},
                {"type": "input_text", "text": 'b "}]}', **POINT},
            ],
        ),
        (
            user_message("", [{"type": "input_text", "text": "x", "more": {}}]),
            [{"type": "input_text", "text": "x", "more": {}, **POINT}],
        ),
    ],
)
def test_a_breakpoint_stands_at_the_end_of_the_message(message: Any, content: list[Any]) -> None:
    once = with_breakpoint(message.text)
    assert json.loads(once) == {"role": "user", "content": content}
    assert with_breakpoint(once) == once
