from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from itertools import count
from typing import Any

import pytest

from tui.core.continuation import Options, Stateful
from tui.core.conversation import Conversation
from tui.core.errors import (
    ConnectError,
    HttpStatusError,
    ResponseError,
    SilenceError,
    StreamError,
    TokenRefused,
    WireError,
)
from tui.core.events import AttemptEnded, AttemptStarted, ResponseEnded, RetryWaiting, Silence, TextDelta
from tui.core.exchange import Exchange
from tui.core.items import Outcome, Target, user_message
from tui.sandbox.server import SandboxServer
from tui.wire.client import ClientSettings, ResponsesClient
from tui.wire.recorder import AttemptLabel

PROMPT = "Reply with exactly: alpha beta gamma delta"


class Waits:
    """Stands for the clock between attempts: notes how long each wait would have been."""

    def __init__(self) -> None:
        self.seconds: list[float] = []

    async def __call__(self, seconds: float) -> None:
        self.seconds.append(seconds)


def target(port: int) -> Target:
    return Target("openai.gpt-5.4", "us-west-2", "mantle", f"http://127.0.0.1:{port}/openai/v1")


def client(port: int, waits: Waits | None = None, token: str = "sandbox", **settings: Any) -> ResponsesClient:
    numbers = count(1)
    ids = count(1)
    return ResponsesClient(
        target(port),
        lambda: token,
        ClientSettings(
            number=lambda _: next(numbers), new_id=lambda: f"x{next(ids)}", sleep=waits or Waits(), **settings
        ),
    )


def body(port: int, prompt: str = PROMPT) -> bytes:
    options = Options(target(port), 2048)
    return Stateful().plan(Conversation("c", 0.0), [user_message(prompt)], options).encode(stream=True)


@pytest.fixture
async def clients(sandbox: SandboxServer) -> AsyncIterator[Any]:
    made: list[ResponsesClient] = []

    def make(**settings: Any) -> ResponsesClient:
        made.append(client(sandbox.port, **settings))
        return made[-1]

    yield make
    for each in made:
        await each.aclose()


class Result:
    def __init__(self) -> None:
        self.events: list[Any] = []
        self.error: WireError | None = None

    @property
    def text(self) -> str:
        return "".join(event.delta for event in self.events if isinstance(event, TextDelta))

    @property
    def exchanges(self) -> list[Exchange]:
        return [event.exchange for event in self.events if isinstance(event, AttemptStarted)]

    def of(self, kind: type) -> list[Any]:
        return [event for event in self.events if isinstance(event, kind)]


async def run(made: ResponsesClient, sent: bytes) -> Result:
    result = Result()
    try:
        async for event in made.stream(sent, AttemptLabel("c", "t", 1, "openai.gpt-5.4")):
            result.events.append(event)
    except WireError as error:
        result.error = error
    return result


async def test_a_streamed_answer_and_its_record(sandbox: SandboxServer, clients: Any) -> None:
    sent = body(sandbox.port)
    result = await run(clients(), sent)
    assert result.error is None
    assert result.text == "alpha beta gamma delta"
    assert isinstance(result.events[0], AttemptStarted)
    assert isinstance(result.events[-2], ResponseEnded)
    assert isinstance(result.events[-1], AttemptEnded)
    (exchange,) = result.exchanges
    served = sandbox.log[-1]
    assert exchange.request_body == sent == served.body
    assert exchange.response_body == served.sent
    assert [record.type for record in exchange.events][-1] == "response.completed"
    joined = b"".join(exchange.response_body[record.start : record.end] for record in exchange.events)
    assert joined == served.sent
    assert exchange.outcome is Outcome.COMPLETED
    assert exchange.status == 200
    assert exchange.request_id is not None
    assert dict(exchange.request_headers)["Authorization"] == "Bearer [token]"
    moments = exchange.timings
    assert 0 <= moments.connected <= moments.request_sent <= moments.headers <= moments.first_byte  # type: ignore[operator]
    assert moments.first_byte <= moments.first_text <= moments.ended  # type: ignore[operator]


async def test_one_byte_chunks_give_the_same_text(sandbox: SandboxServer, clients: Any) -> None:
    sandbox.fault({"one_byte": True})
    assert (await run(clients(), body(sandbox.port))).text == "alpha beta gamma delta"


async def test_a_duplicate_event_does_not_double_the_text(sandbox: SandboxServer, clients: Any) -> None:
    sandbox.fault({"duplicate_events": 5})
    assert (await run(clients(), body(sandbox.port))).text == "alpha beta gamma delta"


async def test_an_unknown_event_is_kept_in_the_record(sandbox: SandboxServer, clients: Any) -> None:
    sandbox.fault({"unknown_events": 2})
    result = await run(clients(), body(sandbox.port))
    assert result.text == "alpha beta gamma delta"
    assert result.error is None


FAULTS: list[tuple[dict[str, Any], type[WireError], str]] = [
    ({"no_terminal": True}, StreamError, "ended before the answer did"),
    ({"cut_events": 6}, StreamError, "broke off|ended before"),
    ({"malformed_events": 6}, StreamError, "not JSON"),
    ({"error_deltas": 2}, ResponseError, "ended the answer with an error"),
    ({"error_deltas": 2, "error_body": True}, ResponseError, "ended the answer with an error"),
    ({"status": 200, "body": "<html><title>hi</title></html>"}, StreamError, "instead of an event stream"),
    ({"status": 200, "body": {"ok": True}}, StreamError, "instead of an event stream"),
    (
        {"status": 400, "body": {"error": {"message": "no\x1b[2J"}}},
        HttpStatusError,
        "refused the request.*no␛",
    ),
    ({"status": 403, "body": {"Message": "not authorized"}}, TokenRefused, "not authorized"),
    ({"status": 307, "headers": {"location": "http://example.com/"}}, HttpStatusError, "redirects"),
]


@pytest.mark.parametrize(("fault", "kind", "sentence"), FAULTS)
async def test_each_fault_is_one_failed_attempt_with_a_sentence(
    sandbox: SandboxServer, clients: Any, fault: dict[str, Any], kind: type[WireError], sentence: str
) -> None:
    sandbox.fault(fault)
    result = await run(clients(), body(sandbox.port))
    assert isinstance(result.error, kind)
    with pytest.raises(kind, match=sentence):
        raise result.error
    assert len(result.exchanges) == 1
    assert result.exchanges[0].outcome is Outcome.FAILED
    assert len(sandbox.log) == 1
    assert "alpha beta gamma delta".startswith(result.text)


async def test_a_terminal_failure_is_an_event_and_the_record_says_why(
    sandbox: SandboxServer, clients: Any
) -> None:
    sandbox.fault({"failed_deltas": -1})
    result = await run(clients(), body(sandbox.port))
    assert result.error is None
    assert result.of(ResponseEnded)[0].status == "failed"
    assert result.exchanges[0].outcome is Outcome.FAILED


@pytest.mark.parametrize("status", [408, 409, 429, 500, 502, 503, 504])
async def test_a_passing_status_is_retried_and_each_attempt_is_recorded(
    sandbox: SandboxServer, clients: Any, status: int
) -> None:
    sandbox.fault({"status": status, "body": {"error": {"message": "later"}}, "times": 2})
    waits = Waits()
    result = await run(clients(waits=waits), body(sandbox.port))
    assert result.text == "alpha beta gamma delta"
    assert [exchange.attempt for exchange in result.exchanges] == [1, 2, 3]
    assert [exchange.status for exchange in result.exchanges] == [status, status, 200]
    assert [exchange.outcome for exchange in result.exchanges] == [
        Outcome.FAILED, Outcome.FAILED, Outcome.COMPLETED,
    ]  # fmt: skip
    assert [event.seconds for event in result.of(RetryWaiting)] == waits.seconds
    assert len(waits.seconds) == 2


async def test_retries_end(sandbox: SandboxServer, clients: Any) -> None:
    sandbox.fault({"status": 500, "body": "<html></html>", "times": 9})
    result = await run(clients(max_retries=2), body(sandbox.port))
    assert isinstance(result.error, HttpStatusError)
    assert len(sandbox.log) == 3


async def test_the_server_s_wait_is_kept_and_a_too_long_one_is_not_waited(
    sandbox: SandboxServer, clients: Any
) -> None:
    throttled = {"status": 429, "body": {"error": {"message": "slow down"}}}
    waits = Waits()
    sandbox.fault({**throttled, "headers": {"retry-after": "2"}})
    assert (await run(clients(waits=waits), body(sandbox.port))).error is None
    assert waits.seconds == [2.0]
    sandbox.fault({**throttled, "headers": {"retry-after": "3600"}})
    result = await run(clients(waits=waits), body(sandbox.port))
    assert isinstance(result.error, HttpStatusError)
    assert result.error.retry_after == 3600
    assert waits.seconds == [2.0]


async def test_a_refused_token_is_not_retried(sandbox: SandboxServer, clients: Any) -> None:
    result = await run(clients(token="wrong-token-of-some-length"), body(sandbox.port))
    assert isinstance(result.error, TokenRefused)
    assert result.error.status == 401
    assert len(sandbox.log) == 1


async def test_a_broken_stream_is_not_sent_again(sandbox: SandboxServer, clients: Any) -> None:
    sandbox.fault({"cut_events": 6})
    waits = Waits()
    assert (await run(clients(waits=waits), body(sandbox.port))).error is not None
    assert waits.seconds == []
    assert len(sandbox.log) == 1


async def test_keep_alives_do_not_hide_silence(sandbox: SandboxServer, clients: Any) -> None:
    sandbox.fault({"stall_events": 5, "keepalive": 0.02})
    result = await run(clients(idle_timeout=0.15, silence_notice=0.05), body(sandbox.port))
    assert isinstance(result.error, SilenceError)
    assert len(result.of(Silence)) >= 1
    assert result.exchanges[0].outcome is Outcome.FAILED


async def test_no_headers_in_time(sandbox: SandboxServer, clients: Any) -> None:
    sandbox.fault({"wait": 5.0})
    result = await run(clients(request_timeout=0.1), body(sandbox.port))
    assert isinstance(result.error, WireError)
    assert "BEDROCK_REQUEST_TIMEOUT_SECONDS" in str(result.error)
    assert len(result.exchanges) == 1


async def test_nobody_listens(clients: Any, unused_tcp_port: int) -> None:
    waits = Waits()
    made = client(unused_tcp_port, waits)
    result = await run(made, body(unused_tcp_port))
    await made.aclose()
    assert isinstance(result.error, ConnectError)
    assert "refused" in str(result.error)
    assert len(waits.seconds) == 2


async def test_cancelling_closes_the_connection(sandbox: SandboxServer, clients: Any) -> None:
    sandbox.fault({"stall_events": 6})
    seen = asyncio.Event()
    exchanges: list[Exchange] = []

    async def consume() -> None:
        async for event in clients().stream(body(sandbox.port), AttemptLabel("c", "t", 1, "m")):
            if isinstance(event, AttemptStarted):
                exchanges.append(event.exchange)
            if isinstance(event, TextDelta):
                seen.set()

    task = asyncio.create_task(consume())
    await seen.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert exchanges[0].outcome is Outcome.CANCELLED
    async with asyncio.timeout(2):
        while sandbox.log[-1].ended != "disconnected":  # noqa: ASYNC110 - another thread's list
            await asyncio.sleep(0.01)


async def test_every_cut_ends_in_one_outcome_with_a_prefix_of_the_text(
    sandbox: SandboxServer, clients: Any
) -> None:
    made = clients()
    await run(made, body(sandbox.port, "Reply with exactly: üx"))
    length = len(sandbox.log[-1].sent)
    for cut in [*range(0, length, 97), length - 1]:
        sandbox.fault({"cut_bytes": cut})
        result = await run(made, body(sandbox.port, "Reply with exactly: üx"))
        outcome = result.exchanges[0].outcome
        if result.error is None:
            assert outcome is Outcome.COMPLETED
        else:
            assert isinstance(result.error, StreamError)
            assert outcome is Outcome.FAILED
        assert "üx".startswith(result.text)
        assert result.exchanges[0].response_body == sandbox.log[-1].sent[:cut]


async def test_stored_responses(sandbox: SandboxServer, clients: Any) -> None:
    made = clients()
    result = await run(made, body(sandbox.port))
    response_id = result.of(ResponseEnded)[0].response["id"]
    found = await made.retrieve(response_id, AttemptLabel())
    assert found["id"] == response_id
    assert (await made.cancel(response_id, AttemptLabel()))["status"] == "completed"
    label = AttemptLabel()
    await made.delete(response_id, label)
    assert label.exchange is not None
    assert label.exchange.outcome is Outcome.COMPLETED
    with pytest.raises(HttpStatusError) as gone:
        await made.retrieve(response_id, AttemptLabel())
    assert gone.value.status == 404


async def test_the_request_is_the_sdk_s(sandbox: SandboxServer, clients: Any) -> None:
    await run(clients(), body(sandbox.port))
    (record,) = sandbox.log
    assert json.loads(record.body)["model"] == "openai.gpt-5.4"


async def test_the_sdk_takes_an_httpx_client_although_it_is_typed_for_another() -> None:
    """Guards the one cast in wire/client.py: a release of the SDK that refuses httpx shows here."""
    made = client(9)
    assert type(made._sdk._client).__module__.partition(".")[0] == "httpx"  # pyright: ignore[reportPrivateUsage]
    await made.aclose()
