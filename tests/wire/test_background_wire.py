"""The requests of background turns against the real sandbox: created, polled, taken up again at any event."""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator, Iterator
from contextlib import aclosing
from itertools import count
from pathlib import Path
from typing import Any

import httpx
import pytest
from support.sandbox_api import Clock

from tui.core.background import last_sequence_number
from tui.core.errors import HttpStatusError, StreamError, WireError
from tui.core.events import (
    AttemptEnded,
    AttemptStarted,
    ResponseEnded,
    ResponseStarted,
    RetryWaiting,
    TextDelta,
)
from tui.core.items import Outcome, Target
from tui.sandbox.server import SandboxServer
from tui.wire.client import ClientSettings, ResponsesClient
from tui.wire.recorder import AttemptLabel

TEXT = "alpha beta gamma delta"


async def no_wait(seconds: float) -> None:
    """Stands for the wait before a retry."""


def make_client(port: int, transport: Any = None, **settings: Any) -> ResponsesClient:
    numbers, ids = count(1), count(1)
    limits = ClientSettings(
        number=lambda _: next(numbers), new_id=lambda: f"x{next(ids)}", sleep=no_wait, **settings
    )
    target = Target("openai.gpt-5.4", "us-west-2", "mantle", f"http://127.0.0.1:{port}/openai/v1")
    return ResponsesClient(target, lambda: "sandbox", limits, transport=transport)


def body(**more: Any) -> bytes:
    prompt = f"Reply with exactly: {TEXT}"
    asked = {"model": "openai.gpt-5.4", "input": prompt, "background": True, "store": True, **more}
    return json.dumps(asked).encode()


async def taken(events: AsyncGenerator[Any, None]) -> tuple[list[Any], WireError | None]:
    found: list[Any] = []
    try:
        async with aclosing(events):
            async for event in events:
                found.append(event)
    except WireError as error:
        return found, error
    return found, None


def text(events: list[Any]) -> str:
    return "".join(event.delta for event in events if isinstance(event, TextDelta))


def label() -> AttemptLabel:
    return AttemptLabel("c", "t", 1, "openai.gpt-5.4")


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def server(tmp_path: Path, clock: Clock) -> Iterator[SandboxServer]:
    with SandboxServer(tmp_path / "state", clock=clock, background_seconds=10.0) as made:
        yield made


async def test_created_without_a_stream_then_polled(server: SandboxServer, clock: Clock) -> None:
    client = make_client(server.port)
    events, error = await taken(client.create(body(), label()))
    assert error is None
    assert [type(event) for event in events] == [AttemptStarted, ResponseStarted, AttemptEnded]
    started = events[1]
    assert started.status == "queued"
    assert events[0].exchange.outcome is Outcome.COMPLETED
    clock.now += 5
    events, _ = await taken(client.poll(started.response_id, label()))
    assert [event.status for event in events if isinstance(event, ResponseStarted)] == ["in_progress"]
    assert not any(isinstance(event, ResponseEnded) for event in events)
    clock.now += 5
    events, _ = await taken(client.poll(started.response_id, label()))
    assert text(events) == TEXT
    assert isinstance(events[-2], ResponseEnded)
    assert isinstance(events[-1], AttemptEnded)
    assert events[-1].exchange.response_body == server.log[-1].sent
    await client.aclose()


async def test_creating_is_retried_only_where_nothing_was_begun(server: SandboxServer) -> None:
    client = make_client(server.port)
    server.fault({"status": 503})
    events, error = await taken(client.create(body(), label()))
    assert error is None
    assert any(isinstance(event, RetryWaiting) for event in events)
    assert [event.exchange.attempt for event in events if isinstance(event, AttemptStarted)] == [1, 2]
    posts = len(server.log)
    server.fault({"cut_bytes": 20})
    events, error = await taken(client.create(body(), label()))
    assert isinstance(error, StreamError)
    assert len(server.log) == posts + 1
    assert isinstance(events[-1], AttemptEnded)
    assert events[-1].exchange.outcome is Outcome.FAILED
    await client.aclose()


async def test_a_poll_is_one_attempt_and_its_failure_is_recorded(server: SandboxServer) -> None:
    client = make_client(server.port)
    events, error = await taken(client.poll("resp_unknown", label()))
    assert isinstance(error, HttpStatusError)
    assert error.status == 404
    assert [type(event) for event in events] == [AttemptStarted, AttemptEnded]
    assert events[-1].exchange.outcome is Outcome.FAILED
    server.fault({"on": "retrieve", "status": 503})
    _, error = await taken(client.poll("resp_unknown", label()))
    assert isinstance(error, HttpStatusError)
    assert len(server.log) == 2
    await client.aclose()


async def test_a_stream_cut_at_any_event_goes_on_where_it_was_cut(
    server: SandboxServer, clock: Clock
) -> None:
    client = make_client(server.port)
    whole, _ = await taken(client.stream(body(stream=True), label()))
    events_in_all = len(whole[0].exchange.events)
    clock.now += 60
    for cut in range(1, events_in_all):
        server.fault({"cut_events": cut})
        first, error = await taken(client.stream(body(stream=True), label()))
        assert isinstance(error, StreamError)
        after = last_sequence_number(first[0].exchange)
        assert after == cut - 1
        (response_id,) = {event.response_id for event in first if isinstance(event, ResponseStarted)}
        clock.now += 60
        rest, error = await taken(client.resume(response_id, after, label()))
        assert error is None
        assert text(first) + text(rest) == TEXT
        assert len(rest[0].exchange.events) == events_in_all - cut
        assert isinstance(rest[-2], ResponseEnded)
    await client.aclose()


@pytest.mark.parametrize("after", range(0, 12, 3))
async def test_a_server_that_sends_everything_again_doubles_nothing(after: int) -> None:
    kinds = [("response.created", {"response": {"id": "resp_1", "status": "in_progress"}})]
    kinds += [
        ("response.output_text.delta", {"output_index": 0, "item_id": "m", "delta": f"{n} "})
        for n in range(9)
    ]
    kinds += [("response.completed", {"response": {"id": "resp_1", "status": "completed", "output": []}})]
    frames = [
        f"event: {kind}\ndata: {json.dumps({'type': kind, 'sequence_number': number, **fields})}\n\n"
        for number, (kind, fields) in enumerate(kinds)
    ]

    def answer(request: httpx.Request) -> httpx.Response:
        assert request.url.params["starting_after"] == str(after)
        assert request.url.params["stream"] == "true"
        return httpx.Response(200, headers={"content-type": "text/event-stream"}, content="".join(frames))

    client = make_client(9, httpx.MockTransport(answer))
    events, error = await taken(client.resume("resp_1", after, label()))
    if after >= 10:  # the terminal event is number 10
        assert isinstance(error, StreamError)
    else:
        assert error is None
    assert text(events) == "".join(f"{n} " for n in range(after, 9))
    assert len(events[0].exchange.events) == len(frames)
    await client.aclose()


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"<html>", "not_json"),
        (b"[]", "not_a_response"),
        (b'{"id": 1, "status": "queued"}', "not_a_response"),
    ],
)
async def test_an_answer_that_is_no_response_is_an_error(content: bytes, code: str) -> None:
    client = make_client(9, httpx.MockTransport(lambda _: httpx.Response(200, content=content)))
    _, error = await taken(client.create(body(), label()))
    assert isinstance(error, StreamError)
    assert error.code == code
    _, error = await taken(client.resume("resp_1", 3, label()))
    assert isinstance(error, StreamError)
    assert error.code == "not_a_stream"
    await client.aclose()
