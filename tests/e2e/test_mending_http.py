"""A refused request is planned once more, in front of the user: each rule of core/mending.py over HTTP."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from support.sessions import make_session, take_turn

from tui.core.controls import Controls
from tui.core.items import Outcome
from tui.sandbox.server import SandboxServer


def bodies(server: SandboxServer) -> list[dict[str, Any]]:
    return [record.json for record in server.log if record.method == "POST"]


async def test_an_account_that_keeps_nothing_gets_the_whole_conversation_each_time(tmp_path: Path) -> None:
    with SandboxServer(tmp_path / "state", retention=False, tokenizer="words") as server:
        session = make_session(server)
        try:
            conversation = await session.new()
            first = await take_turn(session, conversation.id, "My name is Ada.")
            assert first.turn.outcome is Outcome.COMPLETED
            assert not first.turn.stored
            assert len(first.notices) == 1
            assert "keeps no responses" in first.notices[0]
            second = await take_turn(session, conversation.id, "What is my name?")
            assert second.notices == []
            assert "Ada" in second.turn.text
            sent = bodies(server)
            assert [(body["store"], len(body["input"])) for body in sent] == [
                (True, 1),
                (False, 1),
                (False, 3),
            ]
            assert second.turn.continuation == "stateful"
        finally:
            await session.aclose()


async def test_encrypted_reasoning_that_is_refused_is_left_out_once_and_said(tmp_path: Path) -> None:
    with SandboxServer(tmp_path / "state", tokenizer="words") as server:
        session = make_session(server)
        try:
            conversation = await session.new()
            await session.set_continuation(conversation.id, "stateless")
            await session.set_controls(conversation.id, Controls(effort="low"))
            first = await take_turn(session, conversation.id, "My name is Ada.")
            assert [item.type for item in first.turn.output] == ["reasoning", "message"]
            refusal = {"error": {"code": "invalid_encrypted_content", "message": "It could not be verified."}}
            server.fault({"status": 400, "body": refusal})
            second = await take_turn(session, conversation.id, "What is my name?")
            assert second.turn.outcome is Outcome.COMPLETED
            assert "Ada" in second.turn.text
            assert len(second.notices) == 1
            assert "refused the encrypted reasoning" in second.notices[0]
            refused, accepted = bodies(server)[1:]
            assert [item.get("type", "message") for item in refused["input"]] == [
                "message", "reasoning", "message", "message",
            ]  # fmt: skip
            assert [item.get("type", "message") for item in accepted["input"]] == ["message"] * 3
            assert [exchange.attempt for exchange in session.exchanges(conversation.id)] == [1, 1, 2]
        finally:
            await session.aclose()


@pytest.mark.parametrize("status", [400, 404])
async def test_any_refusal_of_a_chain_is_a_lost_chain_and_there_is_one_replan(
    sandbox: SandboxServer, status: int
) -> None:
    session = make_session(sandbox)
    try:
        conversation = await session.new()
        await take_turn(session, conversation.id, "My name is Ada.")
        sandbox.fault({"status": status, "body": {"error": {"message": "no"}}, "times": 2})
        second = await take_turn(session, conversation.id, "What is my name?")
        assert second.turn.outcome is Outcome.FAILED
        assert len(second.notices) == 1
        assert len(bodies(sandbox)) == 3, "it was planned more than once again"
        third = await take_turn(session, conversation.id, "What is my name?")
        assert "Ada" in third.turn.text
    finally:
        await session.aclose()


async def test_a_context_that_is_too_long_is_no_lost_chain(sandbox: SandboxServer) -> None:
    session = make_session(sandbox)
    try:
        conversation = await session.new()
        await take_turn(session, conversation.id, "Hello")
        words = "prompt tokens (1055489) exceed model maximum (1050000) for openai.gpt-5.4"
        sandbox.fault({"status": 400, "body": {"error": {"code": "validation_error", "message": words}}})
        second = await take_turn(session, conversation.id, "More")
        assert second.turn.outcome is Outcome.FAILED
        assert second.notices == []
        assert "exceed model maximum" in (second.turn.error or "")
    finally:
        await session.aclose()


@pytest.mark.parametrize(
    "body",
    [
        {
            "code": "bad",
            "message": "Invalid previous response: context expired",
            "param": "previous_response_id",
        },
        {"code": "not_found_error", "message": "No such context.", "param": None},
        {"message": "bad tool"},
    ],
)
async def test_a_refusal_in_words_nobody_expected_is_a_lost_chain(
    sandbox: SandboxServer, body: dict[str, Any]
) -> None:
    session = make_session(sandbox)
    try:
        conversation = await session.new()
        await take_turn(session, conversation.id, "My name is Ada.")
        sandbox.fault({"status": 404, "body": {"error": body}})
        second = await take_turn(session, conversation.id, "What is my name?")
        assert second.turn.outcome is Outcome.COMPLETED
        assert "Ada" in second.turn.text
    finally:
        await session.aclose()


async def test_a_refused_parameter_is_no_lost_chain(sandbox: SandboxServer) -> None:
    session = make_session(sandbox)
    try:
        conversation = await session.new()
        await take_turn(session, conversation.id, "Hello")
        sandbox.fault(
            {"status": 400, "body": {"error": {"message": "too small", "param": "max_output_tokens"}}}
        )
        second = await take_turn(session, conversation.id, "More")
        assert second.turn.outcome is Outcome.FAILED
        assert second.notices == []
    finally:
        await session.aclose()


async def test_another_account_knows_neither_the_response_nor_the_reasoning(sandbox: SandboxServer) -> None:
    session = make_session(sandbox)
    try:
        conversation = await session.new()
        await session.set_controls(conversation.id, Controls(effort="low"))
        first = await take_turn(session, conversation.id, "My name is Ada.")
        assert first.turn.output[0].type == "reasoning"
        unknown = {"message": "not found", "param": "previous_response_id"}
        sandbox.fault({"status": 404, "body": {"error": unknown}})
        sandbox.fault(
            {"status": 400, "body": {"error": {"code": "invalid_encrypted_content", "message": "no"}}}
        )
        second = await take_turn(session, conversation.id, "What is my name?")
        assert second.turn.outcome is Outcome.COMPLETED
        assert "Ada" in second.turn.text
        assert len(second.notices) == 2
        sent = bodies(sandbox)[-1]
        assert [item.get("type", "message") for item in sent["input"]] == ["message"] * 3
        left_out = session.left_out(conversation.id)[session.exchanges(conversation.id)[-1].id]
        assert [left.item.type for left in left_out] == ["reasoning"]
    finally:
        await session.aclose()
