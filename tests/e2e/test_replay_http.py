"""Sending a recorded request again over real HTTP: unchanged, edited, and kept as a branch."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
from support.sessions import make_session, take_turn

from tui.core.errors import InputError
from tui.core.events import SessionEvent, TurnEnded
from tui.core.exchange import Exchange
from tui.core.items import Outcome, Turn
from tui.core.replays import Replay, spans_of
from tui.sandbox.server import SandboxServer
from tui.session.replay import BodyRefused
from tui.session.session import Session
from tui.store.history import History

LONG = "Basalt is dark and dense, and forms columns as it cools. " * 130


@pytest.fixture
async def session(sandbox: SandboxServer) -> AsyncIterator[Session]:
    made = make_session(sandbox)
    yield made
    await made.aclose()


async def replays(session: Session, exchange: Exchange, *args: Any, **more: Any) -> list[Replay]:
    return [row async for row in session.replay(exchange, *args, **more)]


def edited(exchange: Exchange, **changes: Any) -> bytes:
    return json.dumps({**json.loads(exchange.request_body), **changes}, indent=2).encode()


async def test_the_same_bytes_again_and_again(sandbox: SandboxServer, session: Session) -> None:
    conversation = await session.new()
    first = await take_turn(session, conversation.id, LONG + "Reply with exactly: yes")
    original = session.exchanges(conversation.id)[-1]
    sandbox.fault({"status": 503})
    rows = await replays(session, original, 3)
    posts = [record for record in sandbox.log if record.method == "POST"]
    assert {record.body for record in posts} == {original.request_body}
    assert [record.status for record in posts] == [200, 503, 200, 200, 200]
    assert [(row.attempts, row.status, row.outcome, row.error) for row in rows] == [
        (2, 200, "completed", None), (1, 200, "completed", None), (1, 200, "completed", None),
    ]  # fmt: skip
    for row in rows:
        assert row.first_byte is not None
        assert row.total is not None
        assert row.first_text is not None
        assert row.first_byte <= row.first_text <= row.total
        assert row.cached_tokens is not None
        assert row.cached_tokens >= 1024
    spans = {span.name: span for span in spans_of(rows)}
    assert spans["input_tokens"].least == spans["input_tokens"].most == rows[0].input_tokens
    assert spans["total"].least <= spans["total"].middle <= spans["total"].most
    # The conversation is as it was; its exchanges, and what the server keeps, are known.
    assert session.conversation(conversation.id).tip == first.turn.id
    assert len(session.conversation(conversation.id).turns) == 1
    assert [exchange.number for exchange in session.exchanges(conversation.id)] == [1, 2, 3, 4, 5]
    assert [
        exchange.id for exchange in await session.records.call(History.load_exchanges, conversation.id)
    ] == [exchange.id for exchange in session.exchanges(conversation.id)]
    assert len(await session.responses.list()) == 4


async def test_an_edited_body_goes_out_byte_for_byte(sandbox: SandboxServer, session: Session) -> None:
    conversation = await session.new()
    await session.set_continuation(conversation.id, "stateless")
    await take_turn(session, conversation.id, "Hello")
    original = session.exchanges(conversation.id)[-1]
    body = edited(original, input="Reply with exactly: edited", store=False, stream=False)
    (row,) = await replays(session, original, body=body)
    assert (row.outcome, row.first_text) == ("completed", None)
    assert sandbox.log[-1].body == body
    answer = json.loads(session.exchanges(conversation.id)[-1].response_body)
    assert answer["output"][-1]["content"][0]["text"] == "edited"
    assert await session.responses.list() == []

    before = len(sandbox.log)
    with pytest.raises(BodyRefused, match=r"line 1, column 2: this is no JSON") as refused:
        await replays(session, original, body=b"{nope", anyway=True)
    assert [finding.syntax for finding in refused.value.findings] == [True]
    wrong = edited(original, stroe=True)
    with pytest.raises(BodyRefused, match=r"column 3: \$\.stroe is not known here; is store meant\?"):
        await replays(session, original, body=wrong)
    assert len(sandbox.log) == before
    (row,) = await replays(session, original, body=wrong, anyway=True)
    assert (row.status, row.outcome) == (400, "failed")
    assert "Unknown parameter" in str(row.error)
    assert sandbox.log[-1].body == wrong


async def kept(session: Session, exchange: Exchange, body: bytes) -> Turn:
    events: list[SessionEvent] = [event async for event in session.keep_as_branch(exchange, body)]
    assert isinstance(events[-1], TurnEnded)
    return events[-1].turn


@pytest.mark.parametrize("mode", ["stateful", "stateless"])
async def test_an_edited_request_is_kept_as_a_branch(
    sandbox: SandboxServer, session: Session, mode: Any
) -> None:
    conversation = await session.new()
    await session.set_continuation(conversation.id, mode)
    first = await take_turn(session, conversation.id, "My name is Ada.")
    second = await take_turn(session, conversation.id, "Reply with exactly: one")
    original = session.exchanges(conversation.id)[-1]
    body = json.loads(original.request_body)
    body["input"][-1]["content"] = "What is my name?"
    turn = await kept(session, original, json.dumps(body).encode())
    assert "Ada" in turn.text
    assert sandbox.log[-1].body == json.dumps(body).encode()
    now = session.conversation(conversation.id)
    assert (turn.parent_id, turn.prompt, now.tip) == (first.turn.id, "What is my name?", turn.id)
    assert [sibling.id for sibling in now.siblings(turn.id)] == [second.turn.id, turn.id]
    # The branch goes on like any other, in a later run too.
    await session.aclose()
    later = make_session(sandbox)
    try:
        opened = await later.open(conversation.id)
        assert opened.tip == turn.id
        third = await take_turn(later, conversation.id, "What is my name?")
        assert "Ada" in third.turn.text
        assert third.turn.parent_id == turn.id
    finally:
        await later.aclose()


async def test_an_earlier_item_edited_branches_at_the_root(sandbox: SandboxServer, session: Session) -> None:
    conversation = await session.new()
    await session.set_continuation(conversation.id, "stateless")
    await take_turn(session, conversation.id, "My name is Ada.")
    await take_turn(session, conversation.id, "What is my name?")
    original = session.exchanges(conversation.id)[-1]
    body = json.loads(original.request_body)
    body["input"][0]["content"] = "My name is Grace."
    turn = await kept(session, original, json.dumps(body).encode())
    assert "Grace" in turn.text
    assert turn.parent_id is None
    assert [item.payload for item in turn.input] == body["input"]
    again = await take_turn(session, conversation.id, "What is my name?")
    assert "Grace" in again.turn.text
    assert "Ada" not in again.turn.text


async def test_what_cannot_be_kept_or_sent_is_said(sandbox: SandboxServer, session: Session) -> None:
    conversation = await session.new()
    first = await take_turn(session, conversation.id, "Hello")
    original = session.exchanges(conversation.id)[-1]
    for changes, words in (
        ({"previous_response_id": "resp_x"}, "the response of no turn in this conversation"),
        (
            {"previous_response_id": first.turn.response_id, "input": []},
            "nothing that is not in the conversation",
        ),
        ({"background": True}, "take background out"),
    ):
        with pytest.raises(InputError, match=words):
            await kept(session, original, edited(original, **changes))
    assert len(session.conversation(conversation.id).turns) == 1
    # A refusal is the answer: nothing is planned anew.
    turn = await kept(
        session,
        original,
        edited(
            original,
            reasoning={"effort": "low"},
            include=["message.output_text.logprobs"],
            max_output_tokens=16,
        ),
    )
    assert turn.outcome is not None
    sandbox.fault({"status": 400})
    count = len(sandbox.log)
    refused = await kept(session, original, edited(original, store=True))
    assert refused.outcome is Outcome.FAILED
    assert len(sandbox.log) == count + 1
    from tui.wire.recorder import AttemptLabel

    label = AttemptLabel()
    await session.client(session.target(conversation.id)).retrieve(str(first.turn.response_id), label)
    assert label.exchange is not None
    with pytest.raises(InputError, match=r"can be sent again; this one is GET /responses/resp_"):
        await replays(session, label.exchange)
    original.url = "https://elsewhere.example/v1/responses"
    original.turn_id = original.conversation_id = ""
    with pytest.raises(
        InputError, match=r"start with --base-url https://elsewhere\.example/v1 to send it again"
    ):
        await replays(session, original)


async def test_the_sandbox_of_a_later_run_takes_it_at_its_new_port(
    sandbox: SandboxServer, session: Session
) -> None:
    conversation = await session.new()
    await take_turn(session, conversation.id, "Hello")
    original = session.exchanges(conversation.id)[-1]
    original.conversation_id = ""
    rows = await replays(session, original, 2)
    assert [row.outcome for row in rows] == ["completed"] * 2
    assert session.exchanges(conversation.id) == [original]


@pytest.mark.parametrize("mode", ["stateful", "stateless"])
async def test_the_cache_report_of_real_exchanges(
    sandbox: SandboxServer, session: Session, mode: Any
) -> None:
    """What the sandbox's cache does is what the report says it should do."""
    conversation = await session.new()
    await session.set_continuation(conversation.id, mode)
    await session.set_instructions(conversation.id, LONG + LONG)
    await take_turn(session, conversation.id, "One")
    await take_turn(session, conversation.id, "Two")
    original = session.exchanges(conversation.id)[-1]

    async def report(**changes: Any) -> Any:
        async for _ in session.replay(original, body=edited(original, **changes)):
            pass
        found = await session.cache_report(session.exchanges(conversation.id)[-1])
        assert found is not None
        return found

    served = await session.cache_report(original)
    assert served is not None
    assert served.causes == ()
    assert served.cached_tokens
    assert served.prefix.whole
    for changes, kind in (
        ({"prompt_cache_key": "another"}, "key"),
        ({"prompt_cache_key": "another", "instructions": "Short. " + LONG}, "instructions"),
        ({"prompt_cache_key": "third", "instructions": "Short. " + LONG}, "key"),
    ):
        found = await report(**changes)
        assert found.cached_tokens == 0
        assert found.causes[0].kind == kind
        assert found.verdict.startswith("Nothing came from the cache: ")
