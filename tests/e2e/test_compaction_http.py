"""Compaction over real HTTP: the summary, asked for, gone on from; the server's own way, refused and not."""

from __future__ import annotations

import json
import os
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from support.openai_schemas import validate
from support.sessions import make_session, take_turn

from tui.config.settings import load_settings
from tui.core.compaction import SCHEMA, Summary
from tui.core.errors import InputError, ResponseError
from tui.core.items import Outcome
from tui.credentials.credentials import Credentials
from tui.sandbox.server import SandboxServer
from tui.session.session import Session

SUMMARY = Summary(("The user is called Ada.",), ("Answer briefly.",), "Ask what is next.")


def config(text: str) -> None:
    path = Path(os.environ["OUTCROP_CONFIG_DIR"]) / "config.toml"
    path.parent.mkdir(exist_ok=True)
    path.write_text(text)


@pytest.fixture
async def session(sandbox: SandboxServer) -> AsyncIterator[Session]:
    made = make_session(sandbox)
    yield made
    await made.aclose()


def bodies(sandbox: SandboxServer) -> list[dict[str, Any]]:
    return [record.json for record in sandbox.log if record.method == "POST"]


async def talk(session: Session, mode: Any = "stateful") -> str:
    conversation = await session.new()
    await session.set_continuation(conversation.id, mode)
    await take_turn(session, conversation.id, "My name is Ada. The basalt weighs 812 grams.")
    await take_turn(session, conversation.id, "How heavy is it?")
    return conversation.id


@pytest.mark.parametrize("mode", ["stateful", "stateless"])
async def test_the_summary_is_asked_for_with_a_strict_schema_and_adds_no_turn(
    sandbox: SandboxServer, session: Session, mode: Any
) -> None:
    conversation_id = await talk(session, mode)
    before = session.conversation(conversation_id)
    summary = await session.summarize(conversation_id)
    assert not summary.is_empty
    assert session.conversation(conversation_id) == before
    body = bodies(sandbox)[-1]
    validate("CreateResponse", body)
    assert body["text"]["format"]["type"] == "json_schema"
    assert body["text"]["format"]["strict"] is True
    assert body["text"]["format"]["schema"] == SCHEMA
    assert body["store"] is False
    seen = json.dumps(sandbox.last_context())
    assert "812 grams" in seen
    assert "Summarize this conversation" in seen
    assert ("previous_response_id" in body) == (mode == "stateful")
    exchange = session.exchanges(conversation_id)[-1]
    assert exchange.turn_id == ""
    assert json.loads(exchange.request_body) == body


@pytest.mark.parametrize("mode", ["stateful", "stateless"])
async def test_a_new_branch_goes_on_from_the_summary_alone(
    sandbox: SandboxServer, session: Session, mode: Any
) -> None:
    conversation_id = await talk(session, mode)
    old = session.conversation(conversation_id)
    await session.continue_from(conversation_id, SUMMARY)
    conversation = session.conversation(conversation_id)
    assert set(old.turns) < set(conversation.turns)
    (root,) = conversation.path()
    assert root.summary
    assert root.parent_id is None
    assert root.outcome is Outcome.COMPLETED
    taken = await take_turn(session, conversation_id, "And now?")
    body = bodies(sandbox)[-1]
    assert "previous_response_id" not in body
    assert body["input"] == [SUMMARY.as_item().payload, {"role": "user", "content": "And now?"}]
    seen = json.dumps(sandbox.last_context())
    assert "The user is called Ada." in seen
    assert "812 grams" not in seen
    # What comes after it has the summary as well, by id or by items.
    await take_turn(session, conversation_id, "And then?")
    assert sandbox.last_context()[0] == SUMMARY.as_item().payload
    assert len(sandbox.last_context()) == 4
    # The old branch can be gone back to.
    await session.set_tip(conversation_id, old.tip)
    await take_turn(session, conversation_id, "What is my name?")
    assert "812 grams" in json.dumps(sandbox.last_context())
    assert taken.turn.id in session.conversation(conversation_id).turns


async def test_the_branch_is_there_in_a_later_run(sandbox: SandboxServer, session: Session) -> None:
    conversation_id = await talk(session)
    before = session.conversation(conversation_id)
    await session.continue_from(conversation_id, SUMMARY)
    await session.aclose()
    later = make_session(sandbox)
    try:
        opened = await later.open(conversation_id)
        assert set(before.turns) < set(opened.turns)
        (root,) = opened.path()
        assert root.summary
        assert root.input == (SUMMARY.as_item(),)
        await take_turn(later, conversation_id, "And now?")
        assert bodies(sandbox)[-1]["input"][0] == SUMMARY.as_item().payload
    finally:
        await later.aclose()


async def test_there_must_be_something_to_sum_up(session: Session) -> None:
    conversation = await session.new()
    with pytest.raises(InputError, match="nothing to sum up"):
        await session.summarize(conversation.id)
    with pytest.raises(InputError, match="nothing to sum up"):
        await session.continue_from(conversation.id, SUMMARY)
    await take_turn(session, conversation.id, "Hello")
    with pytest.raises(InputError, match="says nothing"):
        await session.continue_from(conversation.id, Summary((), (), ""))


@pytest.mark.parametrize(
    "fault",
    [{"refusal": "I will not."}, {"failed_deltas": -1}, {"empty": True}],
    ids=["refused", "failed", "empty"],
)
async def test_what_is_no_summary_is_an_error_and_changes_nothing(
    sandbox: SandboxServer, session: Session, fault: dict[str, Any]
) -> None:
    conversation_id = await talk(session)
    before = session.conversation(conversation_id)
    sandbox.fault(fault)
    with pytest.raises(ResponseError):
        await session.summarize(conversation_id)
    assert session.conversation(conversation_id) == before
    # Nothing is left claimed by the failed request.
    assert not (await session.summarize(conversation_id)).is_empty


async def test_a_lost_chain_is_mended_for_the_summary_too(sandbox: SandboxServer, session: Session) -> None:
    from tui.wire.recorder import AttemptLabel

    conversation_id = await talk(session)
    client = session.client(session.target(conversation_id))
    for turn in session.conversation(conversation_id).path():
        assert turn.response_id is not None
        await client.delete(turn.response_id, AttemptLabel())
    assert not (await session.summarize(conversation_id)).is_empty
    assert "812 grams" in json.dumps(sandbox.last_context())
    taken = await take_turn(session, conversation_id, "What is my name?")
    assert taken.notices == []
    assert "Ada" in taken.turn.text


async def test_it_is_offered_from_the_set_share_on(sandbox: SandboxServer) -> None:
    config("compact_at = 0.000001")
    eager = make_session(sandbox)
    conversation_id = await talk(eager)
    share = eager.should_offer_compaction(conversation_id)
    usage = eager.conversation(conversation_id).path()[-1].usage
    model = eager.catalogue.model(eager.target(conversation_id).model)
    assert usage is not None and usage.total_tokens and model is not None and model.context
    assert share == pytest.approx(usage.total_tokens / model.context)
    await eager.continue_from(conversation_id, SUMMARY)
    assert eager.should_offer_compaction(conversation_id) is None
    await eager.aclose()
    for text in ("", "compact_at = 0"):
        config(text)
        patient = make_session(sandbox)
        await patient.open(conversation_id)
        await patient.set_tip(conversation_id, patient.conversation(conversation_id).tip)
        assert patient.should_offer_compaction(conversation_id) is None
        await patient.aclose()


async def test_context_management_is_an_opt_in_that_falls_back(sandbox: SandboxServer) -> None:
    config("server_compaction = true")
    session = make_session(sandbox)
    conversation = await session.new()
    first = await take_turn(session, conversation.id, "My name is Ada.")
    assert first.turn.outcome is Outcome.COMPLETED
    assert len(first.notices) == 1
    assert "does not compact by itself" in first.notices[0]
    one, two = bodies(sandbox)
    (entry,) = one["context_management"]
    assert entry["type"] == "compaction"
    assert 0 < entry["compact_threshold"] < 2_000_000
    assert "context_management" not in two
    second = await take_turn(session, conversation.id, "What is my name?")
    assert second.notices == []
    assert "context_management" not in bodies(sandbox)[-1]
    await session.aclose()
    # It is remembered for later runs as well.
    later = make_session(sandbox)
    other = await later.new()
    assert (await take_turn(later, other.id, "Hello")).notices == []
    await later.aclose()


async def test_a_server_without_compaction_is_asked_once(sandbox: SandboxServer, session: Session) -> None:
    conversation_id = await talk(session)
    before = session.conversation(conversation_id)
    assert await session.compact_on_server(conversation_id) is False
    served = len(sandbox.log)
    assert sandbox.log[-1].path.endswith("/responses/compact")
    assert await session.compact_on_server(conversation_id) is False
    assert len(sandbox.log) == served
    assert session.conversation(conversation_id) == before
    assert session.exchanges(conversation_id)[-1].outcome is Outcome.FAILED


class Compacting(httpx.AsyncBaseTransport):
    """A server that compacts: `/responses/compact` is answered here, the rest goes to the sandbox."""

    def __init__(self) -> None:
        self.inner = httpx.AsyncHTTPTransport(verify=False)
        self.asked: list[dict[str, Any]] = []
        self.created: list[dict[str, Any]] = []

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        if request.url.path.endswith("/responses/compact"):
            self.asked.append(json.loads(request.content))
            output = [
                {"role": "user", "type": "message", "content": "My name is Ada."},
                {"id": "cmp_1", "type": "compaction", "encrypted_content": "opaque"},
            ]
            return httpx.Response(
                200, json={"id": "resp_1", "object": "response.compaction", "output": output}, request=request
            )
        self.created.append(json.loads(request.content))
        return await self.inner.handle_async_request(request)

    async def aclose(self) -> None:
        await self.inner.aclose()


async def test_what_the_server_compacted_is_replayed_verbatim_to_it_and_to_no_other(
    sandbox: SandboxServer,
) -> None:
    settings = load_settings({"base_url": f"http://127.0.0.1:{sandbox.port}/openai/v1"}, os.environ)
    transport = Compacting()
    session = Session(
        settings, Credentials({"AWS_BEARER_TOKEN_BEDROCK": "sandbox"}, settings.region), transport=transport
    )
    conversation_id = await talk(session)
    old = session.conversation(conversation_id)
    assert await session.compact_on_server(conversation_id) is True
    asked = transport.asked[0]
    assert set(asked) == {"model", "input"}
    assert "812 grams" in json.dumps(asked["input"])
    assert [item for item in asked["input"] if item.get("role") == "user"][-1][
        "content"
    ] == "How heavy is it?"
    (root,) = session.conversation(conversation_id).path()
    assert root.summary
    assert set(old.turns) < set(session.conversation(conversation_id).turns)
    request = session.preview(conversation_id, "And now?", mode="stateless")
    assert [item.payload.get("type") for item in request.items] == ["message", "compaction", None]
    assert request.items[1].payload["encrypted_content"] == "opaque"
    await session.set_target(conversation_id, model="openai.gpt-5.5")
    elsewhere = session.preview(conversation_id, "And now?")
    assert [item.payload.get("type") for item in elsewhere.items] == ["message", None]
    assert [left.item.type for left in elsewhere.left_out] == ["compaction"]
    await session.aclose()
