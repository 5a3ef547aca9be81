"""Controls, instructions and refusals: what reaches the server, and what stays for later runs."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest
from support.openai_schemas import validate
from support.sessions import make_session, take_turn

from tui.core.controls import Controls
from tui.core.errors import InputError
from tui.core.items import Outcome
from tui.sandbox.server import SandboxServer
from tui.session.session import Session

PLAIN = {
    "model": "openai.gpt-5.4",
    "max_output_tokens": 16384,
    "include": ["reasoning.encrypted_content"],
    "store": True,
    "stream": True,
}
ALL = Controls(effort="high", verbosity="low", max_output_tokens=2048, service_tier="auto", summary="auto")


@pytest.fixture
async def session(sandbox: SandboxServer) -> AsyncIterator[Session]:
    made = make_session(sandbox)
    yield made
    await made.aclose()


@pytest.fixture
def strict(tmp_path: Path) -> Iterator[SandboxServer]:
    """A server that refuses `reasoning.summary` for every model."""
    with SandboxServer(tmp_path / "strict-state", refuse_summary=True) as server:
        yield server


def bodies(sandbox: SandboxServer) -> list[dict[str, Any]]:
    sent = [record.json for record in sandbox.log if record.method == "POST"]
    for body in sent:
        validate("CreateResponse", body)
    return sent


def without_items(body: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in body.items() if key not in ("input", "previous_response_id")}


@pytest.mark.parametrize("mode", ["stateful", "stateless"])
async def test_every_control_is_sent_with_every_request(
    sandbox: SandboxServer, session: Session, mode: Any
) -> None:
    conversation = await session.new()
    await session.set_continuation(conversation.id, mode)
    await session.set_controls(conversation.id, ALL)
    await session.set_instructions(conversation.id, "Be brief.")
    for prompt in ("My name is Ada.", "What is my name?"):
        taken = await take_turn(session, conversation.id, prompt)
        assert taken.turn.outcome is Outcome.COMPLETED
        assert taken.notices == []
    for body in bodies(sandbox):
        assert without_items(body) == {
            **PLAIN,
            "instructions": "Be brief.",
            "max_output_tokens": 2048,
            "reasoning": {"effort": "high", "summary": "auto"},
            "text": {"verbosity": "low"},
            "service_tier": "auto",
            "store": mode == "stateful",
        }
    one, two = [record.body for record in sandbox.log if record.method == "POST"]
    # What comes after the items is the same bytes, in the same order.
    assert one[one.rindex(b',"instructions"') :] == two[two.rindex(b',"instructions"') :]


async def test_what_is_not_chosen_is_not_sent(sandbox: SandboxServer, session: Session) -> None:
    conversation = await session.new()
    await session.set_controls(conversation.id, ALL)
    await session.set_instructions(conversation.id, "Be brief.", "short")
    await session.set_controls(conversation.id, Controls())
    await session.set_instructions(conversation.id, "")
    await take_turn(session, conversation.id, "Hello")
    assert [without_items(body) for body in bodies(sandbox)] == [PLAIN]


async def test_controls_and_instructions_are_kept_with_the_conversation(
    sandbox: SandboxServer, session: Session
) -> None:
    conversation = await session.new()
    await session.set_controls(conversation.id, ALL)
    await session.set_instructions(conversation.id, "Be brief.", "short")
    await take_turn(session, conversation.id, "Hello")
    await session.set_controls(conversation.id, Controls(effort="low", instructions_name="short"))
    await session.aclose()
    later = make_session(sandbox)
    try:
        opened = await later.open(conversation.id)
        assert opened.instructions == "Be brief."
        assert opened.controls == Controls(effort="low", instructions_name="short")
        await take_turn(later, conversation.id, "Again")
        assert without_items(bodies(sandbox)[-1]) == {
            **PLAIN,
            "instructions": "Be brief.",
            "reasoning": {"effort": "low"},
        }
    finally:
        await later.aclose()


@pytest.mark.parametrize(
    ("controls", "words"),
    [
        (Controls(effort="max"), "GPT-5.4 takes effort none, low, medium, high or xhigh, not max"),
        (Controls(verbosity="loud"), "Verbosity may be low, medium or high, not loud"),
        (Controls(service_tier="gold"), "not gold"),
        (Controls(summary="none"), "not none"),
        (Controls(max_output_tokens=15), "must be 16 or more"),
        (Controls(max_output_tokens=128_001), "128,000 output tokens at most"),
    ],
)
async def test_what_the_model_refuses_cannot_be_chosen(
    sandbox: SandboxServer, session: Session, controls: Controls, words: str
) -> None:
    conversation = await session.new()
    await session.set_controls(conversation.id, Controls(effort="low"))
    with pytest.raises(InputError, match=words):
        await session.set_controls(conversation.id, controls)
    assert session.conversation(conversation.id).controls == Controls(effort="low")


async def test_an_effort_that_another_model_does_not_take_waits_for_one_that_does(
    sandbox: SandboxServer, session: Session
) -> None:
    conversation = await session.new()
    await session.set_target(conversation.id, model="openai.gpt-5.6-sol", region="us-east-1")
    await session.set_controls(conversation.id, Controls(effort="max"))
    assert session.unsent(conversation.id) == []
    await session.set_target(conversation.id, model="openai.gpt-5.4", region="us-west-2")
    (said,) = session.unsent(conversation.id)
    assert "GPT-5.4 takes effort" in said
    # Something else can be changed meanwhile.
    await session.set_controls(conversation.id, Controls(effort="max", verbosity="low"))
    taken = await take_turn(session, conversation.id, "Hello")
    assert taken.turn.outcome is Outcome.COMPLETED
    (body,) = bodies(sandbox)
    assert without_items(body) == {**PLAIN, "text": {"verbosity": "low"}}
    await session.set_target(conversation.id, model="openai.gpt-5.6-sol")
    request = session.preview(conversation.id, "Hello")
    assert request.params["reasoning"] == {"effort": "max"}


async def test_a_refused_summary_is_dropped_once_and_never_asked_for_again(strict: SandboxServer) -> None:
    session = make_session(strict)
    conversation = await session.new()
    await session.set_controls(conversation.id, Controls(effort="low", summary="auto"))
    first = await take_turn(session, conversation.id, "Hello")
    assert first.turn.outcome is Outcome.COMPLETED
    (notice,) = first.notices
    assert "refuses reasoning summaries" in notice
    assert first.turn.notices == (notice,)
    assert [body.get("reasoning") for body in bodies(strict)] == [
        {"effort": "low", "summary": "auto"},
        {"effort": "low"},
    ]
    assert [exchange.status for exchange in session.exchanges(conversation.id)] == [400, 200]
    second = await take_turn(session, conversation.id, "Again")
    assert second.notices == []
    assert "refused reasoning summaries" in " ".join(session.unsent(conversation.id))
    await session.aclose()

    later = make_session(strict)
    try:
        other = await later.new()
        await later.set_controls(other.id, Controls(summary="detailed"))
        third = await take_turn(later, other.id, "Hello")
        assert (third.turn.outcome, third.notices) == (Outcome.COMPLETED, [])
        assert [body.get("reasoning") for body in bodies(strict)[2:]] == [{"effort": "low"}, None]
        # It was this model: another one is asked.
        await later.set_target(other.id, model="openai.gpt-6-astra")
        fourth = await take_turn(later, other.id, "Hello")
        assert len(fourth.notices) == 1
        assert bodies(strict)[4]["reasoning"] == {"summary": "detailed"}
        assert "reasoning" not in bodies(strict)[5]
    finally:
        await later.aclose()


async def test_a_summary_refused_at_one_endpoint_is_asked_for_at_another(
    strict: SandboxServer, sandbox: SandboxServer
) -> None:
    for server, reasoning in ((strict, None), (sandbox, {"effort": "high", "summary": "auto"})):
        session = make_session(server)
        conversation = await session.new()
        await session.set_controls(conversation.id, Controls(effort="high", summary="auto"))
        taken = await take_turn(session, conversation.id, "Why is basalt dark?")
        assert taken.turn.outcome is Outcome.COMPLETED
        assert bool(taken.turn.reasoning) == (reasoning is not None)
        await session.aclose()


async def test_two_refusals_in_one_turn_are_an_error_and_no_third_request(strict: SandboxServer) -> None:
    session = make_session(strict)
    try:
        conversation = await session.new()
        await session.set_controls(conversation.id, Controls(summary="auto", service_tier="flex"))
        taken = await take_turn(session, conversation.id, "Hello")
        assert taken.turn.outcome is Outcome.FAILED
        assert len(bodies(strict)) == 2
    finally:
        await session.aclose()


async def test_a_chain_deleted_behind_its_back_is_mended_in_one_re_plan(
    sandbox: SandboxServer, session: Session
) -> None:
    from tui.wire.recorder import AttemptLabel

    conversation = await session.new()
    for prompt in ("My name is Ada.", "I live in Turin.", "I like basalt."):
        await take_turn(session, conversation.id, prompt)
    client = session.client(session.target(conversation.id))
    for turn in session.conversation(conversation.id).path():
        assert turn.response_id is not None
        await client.delete(turn.response_id, AttemptLabel())
    taken = await take_turn(session, conversation.id, "What is my name?")
    assert taken.turn.outcome is Outcome.COMPLETED
    assert "Ada" in taken.turn.text
    assert len(taken.notices) == 1
    last = bodies(sandbox)[-1]
    assert "previous_response_id" not in last
    assert len(bodies(sandbox)) == 5
