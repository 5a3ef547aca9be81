"""The main job over real HTTP: stateful and stateless turns, a PDF, a lost chain, what reaches the server."""

from __future__ import annotations

import base64
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from support.openai_schemas import validate
from support.pdfs import make_pdf
from support.sessions import make_session, take_turn

from tui.core.items import Outcome
from tui.sandbox.server import SandboxServer
from tui.session.session import Session


@pytest.fixture
async def session(sandbox: SandboxServer) -> AsyncIterator[Session]:
    made = make_session(sandbox)
    yield made
    await made.aclose()


def bodies(sandbox: SandboxServer) -> list[dict[str, Any]]:
    sent = [record.json for record in sandbox.log if record.method == "POST"]
    for body in sent:
        validate("CreateResponse", body)
    return sent


COMMON = {
    "model": "openai.gpt-5.4",
    "max_output_tokens": 16384,
    "include": ["reasoning.encrypted_content"],
    "stream": True,
}


async def test_two_stateful_turns(sandbox: SandboxServer, session: Session) -> None:
    conversation = await session.new()
    first = await take_turn(session, conversation.id, "My name is Ada.")
    second = await take_turn(session, conversation.id, "What is my name?")
    assert "Ada" in second.turn.text
    one, two = bodies(sandbox)
    assert one == {**COMMON, "input": [{"role": "user", "content": "My name is Ada."}], "store": True}
    assert two == {
        **COMMON,
        "previous_response_id": first.turn.response_id,
        "input": [{"role": "user", "content": "What is my name?"}],
        "store": True,
    }
    assert first.turn.stored
    assert second.turn.usage is not None
    assert second.turn.usage.cache_write_tokens is None


async def test_two_stateless_turns(sandbox: SandboxServer, session: Session) -> None:
    conversation = await session.new()
    await session.set_continuation(conversation.id, "stateless")
    first = await take_turn(session, conversation.id, "My name is Ada.")
    second = await take_turn(session, conversation.id, "What is my name?")
    assert "Ada" in second.turn.text
    one, two = bodies(sandbox)
    assert one == {**COMMON, "input": [{"role": "user", "content": "My name is Ada."}], "store": False}
    assert two == {
        **COMMON,
        "input": [
            {"role": "user", "content": "My name is Ada."},
            *[item.payload for item in first.turn.output],
            {"role": "user", "content": "What is my name?"},
        ],
        "store": False,
    }
    assert not first.turn.stored


async def test_switching_at_every_turn_keeps_the_first_turn_known(
    sandbox: SandboxServer, session: Session
) -> None:
    conversation = await session.new()
    await take_turn(session, conversation.id, "My name is Ada.")
    for mode in ("stateless", "stateful", "stateless", "stateful", "stateful"):
        await session.set_continuation(conversation.id, mode)
        taken = await take_turn(session, conversation.id, "What is my name?")
        assert "Ada" in taken.turn.text
    sent = bodies(sandbox)
    # A stateful request chains from the last response the server keeps and carries what came after inline.
    assert [("previous_response_id" in body, len(body["input"])) for body in sent] == [
        (False, 1), (False, 3), (True, 3), (False, 7), (True, 3), (True, 1),
    ]  # fmt: skip


@pytest.mark.parametrize("mode", ["stateful", "stateless"])
async def test_a_pdf_reaches_the_server_byte_for_byte_and_stays_known(
    sandbox: SandboxServer, session: Session, tmp_path: Path, mode: Any
) -> None:
    data = make_pdf("Order 4711\nThe basalt sample weighs 812 grams.", "Second page")
    path = tmp_path / "order form.pdf"
    path.write_bytes(data)
    conversation = await session.new()
    await session.set_continuation(conversation.id, mode)
    attachment = await session.attach(str(path))
    assert attachment.pages == 2
    first = await take_turn(session, conversation.id, "How much does the basalt sample weigh?", attachment)
    assert "812 grams" in first.turn.text
    second = await take_turn(session, conversation.id, "How many pages does the PDF have?")
    assert "2" in second.turn.text
    one = bodies(sandbox)[0]
    (message,) = one["input"]
    file, text = message["content"]
    assert {key: file[key] for key in ("type", "filename")} == {
        "type": "input_file",
        "filename": "order form.pdf",
    }
    assert set(file) == {"type", "filename", "file_data"}
    head, _, encoded = file["file_data"].partition(",")
    assert head == "data:application/pdf;base64"
    assert base64.b64decode(encoded, validate=True) == data
    assert text == {"type": "input_text", "text": "How much does the basalt sample weigh?"}


async def test_a_lost_chain_is_mended_once_and_said(sandbox: SandboxServer, session: Session) -> None:
    from tui.wire.recorder import AttemptLabel

    conversation = await session.new()
    first = await take_turn(session, conversation.id, "My name is Ada.")
    client = session.client(session.target(conversation.id))
    assert first.turn.response_id is not None
    await client.delete(first.turn.response_id, AttemptLabel())
    second = await take_turn(session, conversation.id, "What is my name?")
    assert second.turn.outcome is Outcome.COMPLETED
    assert "Ada" in second.turn.text
    assert len(second.notices) == 1
    assert "no longer has the previous response" in second.notices[0]
    assert second.turn.notices == tuple(second.notices)
    attempts = [exchange.status for exchange in session.exchanges(conversation.id)]
    assert attempts[1] in (400, 404)
    assert attempts[2] == 200
    assert [exchange.attempt for exchange in session.exchanges(conversation.id)] == [1, 1, 2]
    third = await take_turn(session, conversation.id, "What is my name?")
    assert third.notices == []
    assert bodies(sandbox)[-1]["previous_response_id"] == second.turn.response_id


async def test_a_later_process_continues_the_chain(sandbox: SandboxServer, session: Session) -> None:
    conversation = await session.new()
    first = await take_turn(session, conversation.id, "My name is Ada.")
    await session.aclose()
    later = make_session(sandbox)
    try:
        latest = await later.latest()
        assert latest is not None
        assert latest.id == conversation.id
        taken = await take_turn(later, latest.id, "What is my name?")
        assert "Ada" in taken.turn.text
        assert bodies(sandbox)[-1]["previous_response_id"] == first.turn.response_id
        assert [exchange.number for exchange in later.exchanges(latest.id)] == [1, 2]
    finally:
        await later.aclose()


async def test_an_error_in_the_middle_keeps_the_text_and_the_next_turn_sends_it(
    sandbox: SandboxServer, session: Session
) -> None:
    conversation = await session.new()
    first = await take_turn(session, conversation.id, "My name is Ada.")
    sandbox.fault({"error_deltas": 3})
    cut = await take_turn(session, conversation.id, "Reply with exactly: one two three four five six")
    assert cut.turn.outcome is Outcome.FAILED
    assert cut.turn.partial_text
    assert "one two three four five six".startswith(cut.turn.partial_text)
    await take_turn(session, conversation.id, "What is my name?")
    last = bodies(sandbox)[-1]
    assert last["previous_response_id"] == first.turn.response_id
    assert last["input"] == [
        {"role": "user", "content": "Reply with exactly: one two three four five six"},
        {"role": "assistant", "content": cut.turn.partial_text},
        {"role": "user", "content": "What is my name?"},
    ]


async def test_a_conversation_of_the_sandbox_is_not_continued_with_the_service(
    sandbox: SandboxServer, session: Session
) -> None:
    conversation = await session.new()
    await take_turn(session, conversation.id, "Hello")
    await session.aclose()
    other = make_session(sandbox, sandbox=True)
    try:
        assert await other.latest() is None
        with pytest.raises(Exception, match="held with the service"):
            await other.open(conversation.id)
    finally:
        await other.aclose()
