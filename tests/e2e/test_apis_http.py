"""The same conversation over each API, with real HTTP against the sandbox; and one that changes its API."""

from __future__ import annotations

import asyncio
import json
from contextlib import aclosing
from pathlib import Path
from typing import Any

import pytest
from support.pdfs import make_pdf
from support.sessions import make_session, take_turn
from support.tool_files import Says, write_tools

from tui.core.controls import Controls
from tui.core.errors import InputError
from tui.core.events import AnswerChecked, TextDelta, TurnEnded
from tui.core.items import Outcome, Turn
from tui.sandbox.server import SandboxServer
from tui.session.session import Session

RUNTIME_ID = "openai.gpt-oss-20b-1:0"
APIS = {
    # API: model, endpoint, URL path that the server sees (as far as it says what was asked).
    "responses": ("openai.gpt-oss-20b", "mantle", "/v1/responses"),
    "chat_completions on mantle": ("openai.gpt-oss-20b", "mantle", "/v1/chat/completions"),
    "chat_completions": (RUNTIME_ID, "runtime", "/openai/v1/chat/completions"),
    "converse": (RUNTIME_ID, "runtime", "/converse-stream"),
    "invoke_model": (RUNTIME_ID, "runtime", "/invoke"),
}
# The sandbox's ordinary answers end with what it can see of the conversation: its first message.
TURNS = (
    ("My name is Ada.", "My name is Ada"),
    *(
        (f"Tell me of {stone}.", "My name is Ada")
        for stone in ("granite", "slate", "gneiss", "chalk", "flint")
    ),
    ("What am I called?", "Your name is **Ada**"),
    ("Tell me of basalt.", "My name is Ada"),
    ("Tell me of tuff.", "My name is Ada"),
    ("Tell me my name once more.", "Your name is **Ada**"),
)


async def talk(server: SandboxServer, name: str, **flags: object) -> tuple[Session, str]:
    model, endpoint, _ = APIS[name]
    flags = {"model": model, "endpoint": endpoint, "api": name.partition(" ")[0], **flags}
    session = make_session(server, sandbox=True, base_url=None, **flags)
    session.settings = session.settings.with_sandbox(f"http://127.0.0.1:{server.port}/openai/v1")
    return session, (await session.new()).id


@pytest.mark.parametrize("name", APIS)
async def test_ten_turns_over_each_api(sandbox: SandboxServer, name: str) -> None:
    session, conversation_id = await talk(sandbox, name)
    for number, (prompt, words) in enumerate(TURNS, 1):
        turn = (await take_turn(session, conversation_id, prompt)).turn
        assert (turn.outcome, turn.error) == (Outcome.COMPLETED, None)
        assert words in turn.text and "<reasoning>" not in turn.text
        assert turn.reasoning and "<reasoning>" not in turn.reasoning
        assert turn.usage is not None and turn.usage.input_tokens and turn.usage.output_tokens
        assert turn.target is not None and turn.target.api == name.partition(" ")[0]
        assert turn.stored is (name == "responses")
        if number == 5:
            # A fork, and back: both branches are in the tree.
            await session.set_tip(conversation_id, session.conversation(conversation_id).path()[2].id)
            aside = (await take_turn(session, conversation_id, "Tell me of loess.")).turn
            assert "My name is Ada" in aside.text
            await session.set_tip(conversation_id, turn.id)
    kept = session.conversation(conversation_id)
    assert len(kept.path()) == 10 and len(kept.turns) == 11
    exchange = session.exchanges(conversation_id)[-1]
    assert exchange.url.endswith(APIS[name][2])
    assert exchange.outcome is Outcome.COMPLETED
    assert exchange.usage_line
    assert b"".join(exchange.response_body[row.start : row.end] for row in exchange.events) in (
        exchange.response_body, b"",
    )  # fmt: skip
    again = Session(session.settings, session.credentials)
    reopened = await again.open(conversation_id)
    assert [turn.text for turn in reopened.path()] == [turn.text for turn in kept.path()]
    assert again.target(conversation_id).api == name.partition(" ")[0]
    await again.aclose()
    await session.aclose()


async def test_one_conversation_over_responses_chat_and_responses(sandbox: SandboxServer) -> None:
    session, conversation_id = await talk(sandbox, "responses")
    turns: list[Turn] = []
    for number, (prompt, words) in enumerate(TURNS, 1):
        if number in (4, 8):
            await session.set_target(conversation_id, api="responses" if number == 8 else "chat_completions")
        turns.append((await take_turn(session, conversation_id, prompt)).turn)
        assert words in turns[-1].text
    assert [turn.continuation for turn in turns] == ["stateful"] * 3 + ["stateless"] * 4 + ["stateful"] * 3
    sent = [json.loads(exchange.request_body) for exchange in session.exchanges(conversation_id)]
    assert [len(body["messages"]) for body in sent[3:7]] == [7, 9, 11, 13]
    # Back on Responses the chain is taken up where it was left, with what came between it and now inline.
    assert sent[7]["previous_response_id"] == turns[2].response_id
    assert [item.get("role") for item in sent[7]["input"]] == ["user", "assistant"] * 4 + ["user"]
    assert sent[8]["previous_response_id"] == turns[7].response_id
    left_out = session.left_out(conversation_id)[session.exchanges(conversation_id)[3].id]
    assert {left.reason for left in left_out} == {"Chat Completions takes no reasoning back"}
    with pytest.raises(InputError, match="has no background turns"):
        await session.set_target(conversation_id, api="chat_completions")
        async with aclosing(session.send(conversation_id, "x", background=True)) as events:
            await anext(events)
    await session.aclose()


async def test_a_turn_that_is_stopped_keeps_its_text_and_is_gone_on_from(sandbox: SandboxServer) -> None:
    session, conversation_id = await talk(sandbox, "chat_completions")
    sandbox.fault({"stall_events": 12, "reasoning": "none"})

    async def until_text() -> None:
        async with aclosing(session.send(conversation_id, "My name is Ada.")) as events:
            async for event in events:
                if isinstance(event, TextDelta):
                    return

    await asyncio.wait_for(until_text(), 20)
    (stopped,) = session.conversation(conversation_id).path()
    assert stopped.outcome is Outcome.CANCELLED and stopped.partial_text
    assert session.exchanges(conversation_id)[-1].outcome is Outcome.CANCELLED
    turn = (await take_turn(session, conversation_id, "What am I called?")).turn
    assert "Your name is **Ada**" in turn.text
    roles = [
        message["role"]
        for message in json.loads(session.exchanges(conversation_id)[-1].request_body)["messages"]
    ]
    assert roles == ["user", "assistant", "user"]
    await session.aclose()


@pytest.mark.parametrize("name", ["chat_completions", "converse", "invoke_model"])
async def test_tools_run_over_each_api(sandbox: SandboxServer, tmp_path: Path, name: str) -> None:
    session, conversation_id = await talk(sandbox, name)
    session.tool_files = (write_tools(tmp_path / "tools", rounds=16),)
    await session.turn_on(conversation_id, ("order_status",))
    events: list[Any] = []
    loop = session.with_tools(
        conversation_id, session.send(conversation_id, "Tell the order status of bc-17"), Says()
    )
    async with aclosing(loop) as coming:
        async for event in coming:
            events.append(event)
    ended = [event.turn for event in events if isinstance(event, TurnEnded)]
    assert [turn.outcome for turn in ended] == [Outcome.COMPLETED] * 2
    assert [item.type for item in ended[0].output][-1] == "function_call"
    assert ended[1].input[0].type == "function_call_output"
    assert "shipped" in ended[1].text.lower()
    # Over Responses the calls and their outputs are items as they always were.
    await session.set_target(conversation_id, model="openai.gpt-oss-20b", endpoint="mantle", api="responses")
    assert (await take_turn(session, conversation_id, "Tell me of slate.")).turn.outcome is Outcome.COMPLETED
    await session.aclose()


async def test_what_an_api_cannot_carry_is_said_before_anything_is_sent(
    sandbox: SandboxServer, tmp_path: Path
) -> None:
    session, conversation_id = await talk(sandbox, "chat_completions")
    (tmp_path / "a.pdf").write_bytes(make_pdf("Granite"))
    with pytest.raises(InputError, match="takes no PDFs"):
        await take_turn(session, conversation_id, "Read", await session.attach(str(tmp_path / "a.pdf")))
    session.tool_files = (write_tools(tmp_path / "tools", rounds=16),)
    await session.turn_on(conversation_id, ("normalize_text",))
    with pytest.raises(InputError, match="function tools only: turn normalize_text off"):
        await take_turn(session, conversation_id, "Normalize")
    assert session.conversation(conversation_id).turns == {} and not len(sandbox.log)
    await session.aclose()


async def test_recommended_values_and_limits_are_sent(sandbox: SandboxServer) -> None:
    session, conversation_id = await talk(sandbox, "chat_completions")
    await session.set_instructions(conversation_id, "Be brief")
    await take_turn(session, conversation_id, "My name is Ada.")
    body = json.loads(sandbox.log[-1].body)
    wanted = {"temperature": 1.0, "top_p": 1.0, "reasoning_effort": "medium", "max_completion_tokens": 8192}
    assert {name: body[name] for name in wanted} == wanted
    assert body["messages"][0] == {"role": "developer", "content": "Be brief"}
    await session.set_controls(conversation_id, Controls(effort="low", max_output_tokens=16))
    short = (await take_turn(session, conversation_id, "Tell me of granite at length, in 200 words.")).turn
    assert json.loads(sandbox.log[-1].body)["reasoning_effort"] == "low"
    assert (short.outcome, short.error) == (
        Outcome.INCOMPLETE, "The answer is incomplete: it reached the limit on output tokens.",
    )  # fmt: skip
    await session.aclose()


@pytest.mark.parametrize("name", ["chat_completions", "invoke_model"])
async def test_structured_answers_summaries_and_retries(sandbox: SandboxServer, name: str) -> None:
    session, conversation_id = await talk(sandbox, name)
    text_format = await session.find_format("name, age int")
    await session.set_controls(conversation_id, Controls(text_format=text_format))
    sandbox.fault({"status": 503})
    taken = await take_turn(session, conversation_id, "Ada Lovelace, 36")
    assert set(json.loads(taken.turn.text)) == {"name", "age"}
    assert [event.problems for event in taken.events if isinstance(event, AnswerChecked)] == [()]
    assert [exchange.attempt for exchange in session.exchanges(conversation_id)] == [1, 2]
    await session.set_controls(conversation_id, Controls())
    summary = await session.summarize(conversation_id)
    assert not summary.is_empty
    await session.continue_from(conversation_id, summary)
    assert (await take_turn(session, conversation_id, "Tell me of slate.")).turn.outcome is Outcome.COMPLETED
    assert not await session.compact_on_server(conversation_id)
    await session.aclose()
