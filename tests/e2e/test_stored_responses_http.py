"""What the server keeps, over real HTTP: listing, retrieving, deleting, cleaning up, trying again."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest
from support.sessions import make_session, take_turn

from tui.config.settings import load_settings
from tui.core.errors import ConnectError, InputError, OutcropError, TokenMissing, TokenRefused, WireError
from tui.core.items import Outcome, Target
from tui.credentials.credentials import Credentials
from tui.sandbox.server import SandboxServer
from tui.session.responses import Deletion, StoredRow
from tui.session.session import Session

DAY = 86_400.0


@pytest.fixture
async def start(sandbox: SandboxServer) -> AsyncIterator[Callable[..., Session]]:
    """Starts sessions on one history, one after the other; they are ended with the test."""
    started: list[Session] = []

    def make(**flags: object) -> Session:
        session = make_session(sandbox, **flags)
        started.append(session)
        return session

    yield make
    for session in started:
        await session.aclose()


async def turns(session: Session, *prompts: str) -> tuple[str, list[str]]:
    """A conversation of these prompts; its id and its responses' ids."""
    conversation = await session.new()
    ids: list[str] = []
    for prompt in prompts:
        taken = await take_turn(session, conversation.id, prompt)
        assert taken.turn.response_id is not None
        ids.append(taken.turn.response_id)
    return conversation.id, ids


def asked(sandbox: SandboxServer, method: str) -> list[str]:
    return [record.path.rpartition("/")[2] for record in sandbox.log if record.method == method]


async def kept(session: Session) -> list[str]:
    return [row.response.response_id for row in await session.responses.list()]


def outcomes(results: Any) -> list[tuple[str, type[OutcropError] | None]]:
    return [(one.response_id, None if one.error is None else type(one.error)) for one in results]


async def until_retried(session: Session) -> None:
    await session.warm_up()
    if session._retry is not None:
        await asyncio.wait_for(asyncio.shield(session._retry), 10)


async def test_every_stored_response_is_listed_and_none_of_a_stateless_turn(start) -> None:
    session = start()
    conversation, (first, second) = await turns(session, "My name is Ada.", "What is my name?")
    await session.set_continuation(conversation, "stateless")
    await take_turn(session, conversation, "Hello")
    rows = await session.responses.list()
    assert [row.response.response_id for row in rows] == [second, first]
    for row in rows:
        assert row.response.target == session.target(conversation)
        assert row.response.conversation_id == conversation
        assert 0 <= row.age < 60
        assert 30 * DAY - 60 < row.left <= 30 * DAY
        assert row.reachable
        assert not row.response.delete_wanted


async def test_a_deleted_conversation_leaves_what_the_server_keeps(start) -> None:
    session = start()
    conversation, ids = await turns(session, "Hello")
    await session.delete(conversation)
    assert await kept(session) == ids
    assert outcomes(await session.responses.clean()) == [(ids[0], None)]
    assert await kept(session) == []


async def test_the_raw_object_is_what_the_server_has(start, sandbox: SandboxServer) -> None:
    session = start()
    conversation, (first,) = await turns(session, "My name is Ada.")
    raw = await session.responses.retrieve(first)
    assert raw["id"] == first
    assert raw["object"] == "response"
    assert raw["status"] == "completed"
    turn = session.conversation(conversation).path()[0]
    assert raw["output"] == [item.payload for item in turn.output]
    # What no list here knows is asked for all the same.
    with pytest.raises(WireError) as refusal:
        await session.responses.retrieve("resp_of_somebody")
    assert refusal.value.status == 404
    with pytest.raises(InputError):
        await session.responses.retrieve(" ")
    assert asked(sandbox, "GET") == [first, "resp_of_somebody"]


async def test_what_is_deleted_is_continued_from_local_items_without_a_failed_request(
    start, sandbox: SandboxServer
) -> None:
    session = start()
    conversation, (first, second) = await turns(session, "My name is Ada.", "Hello")
    results = await session.responses.delete([second, first, second])
    assert list(results) == [Deletion(second), Deletion(first)]
    assert await kept(session) == []
    gone = await session.responses.list(deleted=True)
    assert {row.response.response_id for row in gone} == {first, second}
    assert {row.left for row in gone} == {0.0}
    taken = await take_turn(session, conversation, "What is my name?")
    assert "Ada" in taken.turn.text
    assert taken.notices == []
    assert [record.status for record in sandbox.log if record.method == "POST"] == [200, 200, 200]
    await session.aclose()
    # The same in a later run: it is in the history.
    later = start()
    await later.open(conversation)
    assert {first, second} <= later.conversation(conversation).lost


async def test_a_refused_delete_is_kept_and_tried_again_at_the_next_start(
    start, sandbox: SandboxServer
) -> None:
    session = start()
    _, (first, second) = await turns(session, "One", "Two")
    sandbox.fault({"on": "delete", "status": 401, "body": {"error": {"message": "no", "code": "x"}}})
    results = await session.responses.delete([first])
    assert outcomes(results) == [(first, TokenRefused)]
    states = {row.response.response_id: row.response.delete_wanted for row in await session.responses.list()}
    assert states == {first: True, second: False}
    await session.aclose()
    later = start()
    await until_retried(later)
    assert await kept(later) == [second]
    assert asked(sandbox, "DELETE") == [first, first]
    await later.aclose()
    third = start()
    await until_retried(third)
    assert asked(sandbox, "DELETE") == [first, first]


async def test_what_the_server_says_twice_that_it_does_not_know_is_gone(
    start, sandbox: SandboxServer
) -> None:
    session = start()
    _, (first,) = await turns(session, "One")
    sandbox.fault({"on": "delete", "status": 404, "times": 2, "body": {"error": {"message": "unknown"}}})
    (result,) = await session.responses.delete([first])
    assert isinstance(result.error, WireError) and result.error.status == 404
    (row,) = await session.responses.list()
    assert row.response.delete_wanted
    await session.aclose()
    later = start()
    await until_retried(later)
    assert await kept(later) == []
    assert [row.response.response_id for row in await later.responses.list(deleted=True)] == [first]


async def test_no_network_is_tolerated_and_tried_again(start, sandbox: SandboxServer) -> None:
    session = start()
    _, ids = await turns(session, "One", "Two")
    sandbox.stop()
    results = await session.responses.clean()
    assert outcomes(results) == [(ids[1], ConnectError), (ids[0], ConnectError)]
    await session.aclose()
    sandbox.start()
    later = start()
    await until_retried(later)
    assert await kept(later) == []


async def test_no_token_is_tolerated_and_nothing_is_sent(start, sandbox: SandboxServer) -> None:
    session = start()
    _, ids = await turns(session, "One")
    await session.aclose()
    settings = load_settings({"base_url": f"http://127.0.0.1:{sandbox.port}/openai/v1"}, os.environ)
    bare = Session(settings, Credentials({}, settings.region))
    try:
        (result,) = await bare.responses.delete(ids)
        assert isinstance(result.error, TokenMissing)
        assert [row.response.delete_wanted for row in await bare.responses.list()] == [True]
    finally:
        await bare.aclose()
    assert asked(sandbox, "DELETE") == []


async def test_nothing_is_deleted_at_the_end_unless_it_is_set(start, sandbox: SandboxServer) -> None:
    session = start()
    await turns(session, "One")
    await session.aclose()
    assert asked(sandbox, "DELETE") == []


async def test_clean_up_deletes_what_this_run_stored_and_nothing_else(
    start, sandbox: SandboxServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = start()
    conversation, (old,) = await turns(before, "My name is Ada.")
    await before.aclose()
    monkeypatch.setenv("BEDROCK_CLEANUP_STORED_RESPONSES", "Yes")
    session = start()
    await session.open(conversation)
    own = [(await take_turn(session, conversation, text)).turn.response_id for text in ("One", "Two")]
    await session.aclose()
    assert sorted(asked(sandbox, "DELETE")) == sorted(map(str, own))
    monkeypatch.delenv("BEDROCK_CLEANUP_STORED_RESPONSES")
    later = start()
    assert await kept(later) == [old]
    await later.open(conversation)
    taken = await take_turn(later, conversation, "What is my name?")
    assert (taken.turn.outcome, taken.notices) == (Outcome.COMPLETED, [])
    assert "Ada" in taken.turn.text
    last = [record.json for record in sandbox.log if record.method == "POST"][-1]
    assert last["previous_response_id"] == old
    assert [item["content"] for item in last["input"] if item.get("role") == "user"] == [
        "One", "Two", "What is my name?",
    ]  # fmt: skip


async def test_a_clean_up_that_takes_too_long_is_finished_at_the_next_start(
    start, sandbox: SandboxServer
) -> None:
    session = start()
    _, ids = await turns(session, "One")
    sandbox.fault({"on": "delete", "wait": 30.0})
    await asyncio.wait_for(session.responses.clean_up(0.1), 5)
    sandbox.clear_faults()
    assert [row.response.delete_wanted for row in await session.responses.list()] == [True]
    await session.aclose()
    later = start()
    await until_retried(later)
    assert await kept(later) == []
    assert asked(sandbox, "DELETE")[-1] == ids[0]


async def test_what_was_made_elsewhere_is_listed_and_never_asked_for_here(
    start, sandbox: SandboxServer, tmp_path: Path
) -> None:
    session = start()
    await turns(session, "One")
    await session.aclose()
    with SandboxServer(tmp_path / "elsewhere") as elsewhere:
        other = make_session(elsewhere)
        try:
            (row,) = await other.responses.list()
            assert not row.reachable
            assert f"--base-url http://127.0.0.1:{sandbox.port}/openai/v1" in row.unreachable
            assert list(await other.responses.clean()) == []
            (result,) = await other.responses.delete([row.response.response_id])
            assert isinstance(result.error, InputError)
            with pytest.raises(InputError, match="--base-url"):
                await other.responses.retrieve(row.response.response_id)
            # The next run must not try in vain for ever.
            assert [one.response.delete_wanted for one in await other.responses.list()] == [False]
        finally:
            await other.aclose()
        assert len(elsewhere.log) == 0
    assert asked(sandbox, "DELETE") == []


async def test_a_response_of_the_sandbox_is_not_asked_for_at_the_service(start) -> None:
    session = start(sandbox=True)
    conversation = await session.new()
    target = session.target(conversation.id)
    assert target.sandbox
    await turns(session, "One")
    await session.aclose()
    service = start()
    (row,) = await service.responses.list()
    assert "start with --sandbox" in row.unreachable


async def test_responses_are_gone_after_thirty_days(start, sandbox: SandboxServer) -> None:
    clock = [1_700_000_000.0]
    settings = load_settings({"base_url": f"http://127.0.0.1:{sandbox.port}/openai/v1"}, os.environ)
    credentials = Credentials({"AWS_BEARER_TOKEN_BEDROCK": "sandbox"}, settings.region)
    session = Session(settings, credentials, now=lambda: clock[0])
    try:
        await turns(session, "One")
        clock[0] += 10 * DAY
        (row,) = await session.responses.list()
        assert (row.age, row.left) == (10 * DAY, 20 * DAY)
        clock[0] += 20 * DAY + 1
        assert await session.responses.list() == []
        (row,) = await session.responses.list(deleted=True)
        assert row.response.deleted_at == 1_700_000_000.0 + 30 * DAY
        assert isinstance(row, StoredRow) and isinstance(row.response.target, Target)
    finally:
        await session.aclose()


async def test_a_stopped_answer_s_response_is_known_too(start, sandbox: SandboxServer) -> None:
    session = start()
    conversation = await session.new()
    sandbox.fault({"stall_events": 4})
    stream = session.send(conversation.id, "Hello")
    async for event in stream:
        if type(event).__name__ in ("TextDelta", "ItemStarted", "ResponseStarted"):
            break
    await stream.aclose()
    (turn,) = session.conversation(conversation.id).path()
    assert turn.outcome is Outcome.CANCELLED
    assert turn.response_id is not None
    assert await kept(session) == [turn.response_id]
