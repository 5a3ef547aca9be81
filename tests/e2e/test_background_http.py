"""Background turns over real HTTP: sent, watched, left, taken up by a later run, cancelled, forgotten.

The server's clock is the test's, and the wait between two looks moves it: nothing here really waits.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncGenerator, AsyncIterator, Iterator
from contextlib import aclosing
from pathlib import Path
from typing import Any

import pytest
from support.openai_schemas import validate
from support.sandbox_api import Clock
from support.sessions import take_turn

from tui.config.settings import load_settings
from tui.core.errors import InputError, TokenError
from tui.core.events import (
    BackgroundStarted,
    BackgroundStatus,
    RetryWaiting,
    SessionEvent,
    TextDelta,
    TurnEnded,
    TurnStarted,
)
from tui.core.items import Outcome, Turn
from tui.credentials.credentials import Credentials
from tui.sandbox.server import SandboxServer
from tui.session.session import Session

PROMPT = "Reply with exactly: alpha beta gamma delta epsilon"
ANSWER = "alpha beta gamma delta epsilon"


class Waits:
    """Stands for sleeping: notes how long, and lets that much time pass at the server."""

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self.seconds: list[float] = []

    async def __call__(self, seconds: float) -> None:
        self.seconds.append(seconds)
        self.clock.now += seconds
        await asyncio.sleep(0)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def waits(clock: Clock) -> Waits:
    return Waits(clock)


@pytest.fixture
def slow(tmp_path: Path, clock: Clock) -> Iterator[SandboxServer]:
    """A server at which a background answer takes 60 seconds."""
    with SandboxServer(tmp_path / "state", clock=clock, background_seconds=60.0) as server:
        yield server


class Sessions:
    """Makes sessions on the same data folder, one after the other."""

    def __init__(self, server: SandboxServer, waits: Waits) -> None:
        self.server = server
        self.waits = waits
        self.made: list[Session] = []

    def __call__(self, config: str = "", *, sleep: Any = None, **flags: object) -> Session:
        settings_file = Path(os.environ["OUTCROP_CONFIG_DIR"]) / "config.toml"
        settings_file.parent.mkdir(exist_ok=True)
        settings_file.write_text(config)
        base_url = f"http://127.0.0.1:{self.server.port}/openai/v1"
        settings = load_settings({"base_url": base_url, **flags}, os.environ)
        credentials = Credentials({"AWS_BEARER_TOKEN_BEDROCK": "sandbox"}, settings.region)
        session = Session(settings, credentials, sleep=sleep or self.waits, now=self.waits.clock)
        self.made.append(session)
        return session


@pytest.fixture
async def sessions(slow: SandboxServer, waits: Waits) -> AsyncIterator[Sessions]:
    made = Sessions(slow, waits)
    yield made
    for session in made.made:
        await session.aclose()


async def never(seconds: float) -> None:
    """A sleep that only cancellation ends."""
    await asyncio.Event().wait()


async def collect(events: AsyncGenerator[SessionEvent, None]) -> list[SessionEvent]:
    async with aclosing(events):
        return [event async for event in events]


def ended(events: list[SessionEvent]) -> Turn:
    last = events[-1]
    assert isinstance(last, TurnEnded)
    return last.turn


def shown(events: list[SessionEvent]) -> str:
    return "".join(event.delta for event in events if isinstance(event, TextDelta))


async def leave_running(session: Session, conversation_id: str, prompt: str = PROMPT) -> Turn:
    """Send in the background and go away as soon as the server has the turn."""
    async with aclosing(session.send(conversation_id, prompt, background=True)) as events:
        async for event in events:
            if isinstance(event, BackgroundStarted):
                return event.turn
    raise AssertionError("the turn did not start")


def requests(server: SandboxServer, method: str) -> list[Any]:
    return [record for record in server.log if record.method == method]


async def test_a_background_turn_is_polled_in_growing_intervals_until_it_ends(
    slow: SandboxServer, sessions: Sessions, waits: Waits
) -> None:
    session = sessions()
    conversation = await session.new()
    events = await collect(session.send(conversation.id, PROMPT, background=True))
    turn = ended(events)
    assert turn.outcome is Outcome.COMPLETED
    assert turn.text == shown(events) == ANSWER
    assert turn.background
    assert turn.stored
    assert turn.usage is not None
    body = requests(slow, "POST")[0].json
    validate("CreateResponse", body)
    assert body["background"] is True
    assert body["store"] is True
    assert "stream" not in body
    kinds = [type(event) for event in events]
    assert kinds.index(TurnStarted) < kinds.index(BackgroundStarted) < kinds.index(BackgroundStatus)
    statuses = [event for event in events if isinstance(event, BackgroundStatus)]
    assert [status.status for status in statuses][:1] == ["queued"]
    assert [status.status for status in statuses][-1:] == ["in_progress"]
    assert [status.elapsed for status in statuses] == sorted(status.elapsed for status in statuses)
    assert waits.seconds == sorted(waits.seconds)
    assert waits.seconds[0] < waits.seconds[3] <= 15.0
    assert len(requests(slow, "GET")) == len(waits.seconds) < 15
    # Each request is in the record, and on disk as the conversation is.
    later = sessions()
    again = await later.open(conversation.id)
    assert again.turns[turn.id] == turn
    assert len(later.exchanges(conversation.id)) == 1 + len(waits.seconds)


async def test_a_background_turn_is_continued_by_its_id(slow: SandboxServer, sessions: Sessions) -> None:
    session = sessions()
    conversation = await session.new()
    first = ended(await collect(session.send(conversation.id, "My name is Ada.", background=True)))
    second = await take_turn(session, conversation.id, "What is my name?")
    assert "Ada" in second.turn.text
    assert requests(slow, "POST")[-1].json["previous_response_id"] == first.response_id


@pytest.mark.parametrize("gap", [0.0, 20.0, 3600.0])
async def test_a_later_run_gets_the_result(sessions: Sessions, clock: Clock, gap: float) -> None:
    session = sessions()
    conversation = await session.new()
    left = await leave_running(session, conversation.id)
    assert left.outcome is None
    assert [turn.id for turn in session.background_turns(conversation.id)] == [left.id]
    await session.aclose()
    clock.now += gap
    later = sessions()
    opened = await later.open(conversation.id)
    (running,) = later.background_turns(conversation.id)
    assert running.id == left.id == opened.tip
    assert running.response_id == left.response_id
    events = await collect(later.resume_background(conversation.id, running.id))
    assert isinstance(events[0], BackgroundStarted)
    assert ended(events).outcome is Outcome.COMPLETED
    assert ended(events).text == shown(events) == ANSWER
    assert later.background_turns(conversation.id) == ()
    assert later.conversation(conversation.id).turns[left.id].text == ANSWER


async def test_the_server_may_be_another_process_meanwhile(
    tmp_path: Path, clock: Clock, waits: Waits
) -> None:
    with SandboxServer(tmp_path / "state", clock=clock, background_seconds=60.0) as first:
        session = Sessions(first, waits)()
        conversation = await session.new()
        left = await leave_running(session, conversation.id)
        port = first.port
        await session.aclose()
    with SandboxServer(tmp_path / "state", clock=clock, background_seconds=60.0, port=port) as second:
        later = Sessions(second, waits)()
        await later.open(conversation.id)
        turn = ended(await collect(later.resume_background(conversation.id, left.id)))
        assert turn.text == ANSWER
        await later.aclose()


async def test_other_turns_go_on_meanwhile_but_none_after_it(sessions: Sessions) -> None:
    session = sessions()
    conversation = await session.new()
    await take_turn(session, conversation.id, "My name is Ada.")
    root = session.conversation(conversation.id).tip
    left = await leave_running(session, conversation.id)
    with pytest.raises(InputError, match="still being made in the background"):
        await take_turn(session, conversation.id, "And then?")
    other = await session.new()
    assert (await take_turn(session, other.id, "Reply with exactly: free")).turn.text == "free"
    # A fork from before it goes on as well, while it is watched.
    watching = asyncio.create_task(collect(session.resume_background(conversation.id, left.id)))
    await session.set_tip(conversation.id, root)
    fork = await take_turn(session, conversation.id, "What is my name?")
    assert "Ada" in fork.turn.text
    watched = ended(await watching)
    assert watched.text == ANSWER, watched
    assert session.conversation(conversation.id).tip == fork.turn.id
    assert session.conversation(conversation.id).turns[left.id].text == ANSWER


async def test_a_watched_turn_is_cancelled_at_once(slow: SandboxServer, sessions: Sessions) -> None:
    session = sessions(sleep=never)
    conversation = await session.new()
    watching = asyncio.create_task(collect(session.send(conversation.id, PROMPT, background=True)))
    while not session.background_turns(conversation.id):  # noqa: ASYNC110  # there is no event to wait for
        await asyncio.sleep(0.01)
    await session.cancel_background(conversation.id)
    events = await watching
    turn = ended(events)
    assert turn.outcome is Outcome.CANCELLED
    assert turn.error == "You stopped this answer."
    assert [record.path for record in requests(slow, "POST")][-1].endswith("/cancel")
    assert any(exchange.url.endswith("/cancel") for exchange in session.exchanges(conversation.id))
    # The next turn does not chain from it.
    follow = await take_turn(session, conversation.id, "Reply with exactly: on")
    assert follow.turn.text == "on"
    assert "previous_response_id" not in requests(slow, "POST")[-1].json


async def test_an_unwatched_turn_is_cancelled_by_a_later_run(sessions: Sessions) -> None:
    session = sessions()
    conversation = await session.new()
    left = await leave_running(session, conversation.id)
    await session.aclose()
    later = sessions()
    await later.open(conversation.id)
    await later.cancel_background(conversation.id, left.id)
    turn = later.conversation(conversation.id).turns[left.id]
    assert turn.outcome is Outcome.CANCELLED
    assert turn.error == "You stopped this answer."
    await later.aclose()
    third = sessions()
    assert (await third.open(conversation.id)).turns[left.id] == turn
    with pytest.raises(InputError, match="No answer of this conversation"):
        await third.cancel_background(conversation.id)
    with pytest.raises(InputError, match="not running in the background"):
        await collect(third.resume_background(conversation.id, left.id))


async def test_cancelling_what_has_just_ended_brings_the_answer(sessions: Sessions, clock: Clock) -> None:
    session = sessions()
    conversation = await session.new()
    left = await leave_running(session, conversation.id)
    clock.now += 3600
    await session.cancel_background(conversation.id)
    turn = session.conversation(conversation.id).turns[left.id]
    assert turn.outcome is Outcome.COMPLETED
    assert turn.text == ANSWER


async def test_a_job_that_the_server_forgot_is_a_failed_turn(
    slow: SandboxServer, sessions: Sessions, clock: Clock
) -> None:
    session = sessions()
    conversation = await session.new()
    left = await leave_running(session, conversation.id)
    clock.now += 31 * 86_400
    events = await collect(session.resume_background(conversation.id, left.id))
    turn = ended(events)
    assert turn.outcome is Outcome.FAILED
    assert turn.error is not None
    assert "no longer knows this background answer" in turn.error
    assert session.background_turns(conversation.id) == ()
    # And so when it is cancelled.
    other = await session.new()
    left = await leave_running(session, other.id)
    clock.now += 31 * 86_400
    await session.cancel_background(other.id, left.id)
    assert session.conversation(other.id).turns[left.id].outcome is Outcome.FAILED


async def test_polls_that_do_not_get_through_are_said_and_repeated(
    slow: SandboxServer, sessions: Sessions, waits: Waits
) -> None:
    session = sessions()
    conversation = await session.new()
    slow.fault({"on": "retrieve", "status": 503})
    slow.fault({"on": "retrieve", "status": 429, "headers": {"retry-after": "33"}})
    slow.fault({"on": "retrieve", "cut_bytes": 10})
    slow.fault({"on": "retrieve", "status": 404})
    events = await collect(session.send(conversation.id, PROMPT, background=True))
    assert ended(events).text == ANSWER
    said = [event for event in events if isinstance(event, RetryWaiting)]
    assert ["503" in said[0].reason, "429" in said[1].reason, "broke off" in said[2].reason] == [True] * 3
    assert waits.seconds[2] == said[1].seconds == 33.0
    assert waits.seconds[1] > 1.0


async def test_a_refused_token_stops_watching_and_the_turn_can_be_resumed(
    slow: SandboxServer, sessions: Sessions
) -> None:
    session = sessions()
    conversation = await session.new()
    slow.fault({"on": "retrieve", "status": 401})
    with pytest.raises(TokenError):
        await collect(session.send(conversation.id, PROMPT, background=True))
    (running,) = session.background_turns(conversation.id)
    assert ended(await collect(session.resume_background(conversation.id, running.id))).text == ANSWER


@pytest.mark.parametrize(
    ("flags", "mode", "sentence"),
    [
        (
            {"endpoint": "runtime", "base_url": None},
            "stateful",
            "Responses on runtime has no background turns",
        ),
        ({}, "stateless", "switch to stateful"),
    ],
)
async def test_it_says_before_sending_why_it_cannot_be_in_the_background(
    slow: SandboxServer, sessions: Sessions, flags: dict[str, object], mode: Any, sentence: str
) -> None:
    session = sessions(**flags)
    conversation = await session.new()
    await session.set_continuation(conversation.id, mode)
    with pytest.raises(InputError, match=sentence):
        await collect(session.send(conversation.id, PROMPT, background=True))
    assert list(slow.log) == []
    assert session.conversation(conversation.id).turns == {}


@pytest.mark.parametrize("place", ["no retention", "runtime"])
async def test_a_server_that_refuses_the_background_is_quoted(
    tmp_path: Path, clock: Clock, waits: Waits, place: str
) -> None:
    retention = place != "no retention"
    with SandboxServer(tmp_path / "state", clock=clock, retention=retention) as server:
        made = Sessions(server, waits)
        # A base URL of the user's own may lead to anything.
        url = server.base_url("runtime" if retention else "mantle")
        session = made(base_url=url, model="us.openai.gpt-5.6-sol" if retention else None)
        conversation = await session.new()
        turn = ended(await collect(session.send(conversation.id, PROMPT, background=True)))
        assert turn.outcome is Outcome.FAILED
        assert turn.error is not None
        wanted = "takes no background turns" if retention else "keeps no responses"
        assert wanted in turn.error
        assert len(requests(server, "POST")) == 1
        await session.aclose()


STREAMED = "stream_background = true"


@pytest.mark.parametrize("events_before_the_cut", [1, 2, 5, 6, 9, 11])
async def test_a_streamed_turn_is_taken_up_where_it_was_cut(
    slow: SandboxServer, sessions: Sessions, events_before_the_cut: int, clock: Clock
) -> None:
    session = sessions(STREAMED)
    conversation = await session.new()
    clock.now += 100  # the terminal event waits for the answer's time, which the polls would let pass
    slow.fault({"cut_events": events_before_the_cut})
    slow.fault({"on": "retrieve", "cut_events": 2})
    task = asyncio.create_task(collect(session.send(conversation.id, PROMPT, background=True)))
    while not requests(slow, "GET") and not task.done():  # noqa: ASYNC110  # the server is in a thread
        await asyncio.sleep(0.01)
    clock.now += 100
    events = await task
    turn = ended(events)
    assert turn.outcome is Outcome.COMPLETED
    assert turn.text == shown(events) == ANSWER
    posts, gets = requests(slow, "POST"), requests(slow, "GET")
    assert len(posts) == 1
    assert posts[0].json["stream"] is True
    assert len(gets) == 2
    numbers = [int(exchange.url.rpartition("=")[2]) for exchange in session.exchanges(conversation.id)[1:]]
    assert numbers == [events_before_the_cut - 1, events_before_the_cut + 1]


async def test_a_stream_that_cannot_be_taken_up_is_polled(tmp_path: Path, clock: Clock, waits: Waits) -> None:
    with SandboxServer(tmp_path / "state", clock=clock, resume_streams=False, background_seconds=9) as server:
        session = Sessions(server, waits)(STREAMED)
        conversation = await session.new()
        server.fault({"cut_events": 8})
        events = await collect(session.send(conversation.id, PROMPT, background=True))
        assert ended(events).text == shown(events) == ANSWER
        assert shown(events).startswith("alpha")
        assert any(isinstance(event, BackgroundStatus) for event in events)
        await session.aclose()


async def test_a_later_run_adds_only_what_was_not_there(
    slow: SandboxServer, sessions: Sessions, clock: Clock
) -> None:
    session = sessions(STREAMED)
    conversation = await session.new()
    slow.fault({"stall_events": 9})
    seen = ""
    async with aclosing(session.send(conversation.id, PROMPT, background=True)) as events:
        async for event in events:
            if isinstance(event, TextDelta):
                seen += event.delta
                if len(seen) > len("alpha beta"):
                    break
    await session.aclose()
    clock.now += 100
    later = sessions()
    await later.open(conversation.id)
    (running,) = later.background_turns(conversation.id)
    assert running.text == seen
    again = await collect(later.resume_background(conversation.id, running.id))
    assert seen + shown(again) == ANSWER == ended(again).text


async def test_cancelling_a_stream_keeps_what_had_come(slow: SandboxServer, sessions: Sessions) -> None:
    session = sessions(STREAMED)
    conversation = await session.new()
    slow.fault({"stall_events": 9})
    cancelling: asyncio.Task[None] | None = None
    events: list[SessionEvent] = []
    async with aclosing(session.send(conversation.id, PROMPT, background=True)) as stream:
        async for event in stream:
            events.append(event)
            if shown(events) and cancelling is None:
                cancelling = asyncio.create_task(session.cancel_background(conversation.id))
    assert cancelling is not None
    await cancelling
    turn = ended(events)
    assert turn.outcome is Outcome.CANCELLED
    assert turn.partial_text == shown(events) != ""
    assert turn.error == "You stopped this answer."


async def test_two_cannot_wait_for_the_same_answer(sessions: Sessions) -> None:
    session = sessions()
    conversation = await session.new()
    async with aclosing(session.send(conversation.id, PROMPT, background=True)) as events:
        async for event in events:
            if isinstance(event, BackgroundStarted):
                with pytest.raises(InputError, match="waited for already"):
                    await collect(session.resume_background(conversation.id, event.turn.id))
                break


async def test_leaving_does_not_delete_what_is_still_being_made(sessions: Sessions) -> None:
    session = sessions("cleanup_stored_responses = true")
    conversation = await session.new()
    left = await leave_running(session, conversation.id)
    await session.aclose()
    later = sessions()
    await later.open(conversation.id)
    assert ended(await collect(later.resume_background(conversation.id, left.id))).text == ANSWER
