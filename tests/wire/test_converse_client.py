"""The client of Converse: paths, headers, errors, and what it says where botocore is missing."""

from __future__ import annotations

import json
import sys
from itertools import count
from typing import Any

import httpx
import pytest
from support.frames import event

from tui.core.errors import HttpStatusError, OutcropError, TokenRefused, WireError
from tui.core.events import AttemptEnded, AttemptStarted, Notice, ResponseEnded, RetryWaiting, TextDelta
from tui.core.items import Outcome, Target
from tui.wire.attempts import ClientSettings
from tui.wire.converse import ConverseClient
from tui.wire.recorder import AttemptLabel

HOST = "https://bedrock-runtime.us-west-2.amazonaws.com"
MODEL = "openai.gpt-oss-20b-1:0"
BODY = b'{"messages":[{"role":"user","content":[{"text":"Hi"}]}]}'
STREAM = b"".join(
    [
        event("messageStart", {"role": "assistant"}),
        event("contentBlockDelta", {"contentBlockIndex": 0, "delta": {"text": "Hello."}}),
        event("contentBlockStop", {"contentBlockIndex": 0}),
        event("messageStop", {"stopReason": "end_turn"}),
        event("metadata", {"usage": {"inputTokens": 9, "outputTokens": 5, "totalTokens": 14}}),
    ]
)
WHOLE = {
    "output": {"message": {"role": "assistant", "content": [{"text": "Hello."}]}},
    "stopReason": "end_turn",
    "usage": {"inputTokens": 9, "outputTokens": 5, "totalTokens": 14},
    "metrics": {"latencyMs": 3},
}
ID = {"x-amzn-RequestId": "0f-1"}
FRAMES = {"content-type": "application/vnd.amazon.eventstream", **ID}


class Run:
    """One request of a client to a server that answers as it is told."""

    def __init__(self, *answers: httpx.Response) -> None:
        self.requests: list[httpx.Request] = []
        self.events: list[Any] = []
        self.error: OutcropError | None = None
        self._answers = iter(answers)

    def _answer(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        return next(self._answers)

    async def go(self, operation: str = "stream") -> Run:
        numbers, target = count(1), Target(MODEL, "us-west-2", "runtime", HOST, api="converse")

        async def sleep(_: float) -> None:
            return

        settings = ClientSettings(lambda _: next(numbers), lambda: f"x{next(numbers)}", sleep=sleep)
        client = ConverseClient(
            target, lambda: "secret-token-1", settings, transport=httpx.MockTransport(self._answer)
        )
        label = AttemptLabel("c", "t", 1, MODEL, {"X-Own": "1"})
        try:
            async for each in getattr(client, operation)(BODY, label):
                self.events.append(each)
        except OutcropError as error:
            self.error = error
        await client.aclose()
        return self

    def of(self, kind: type) -> list[Any]:
        return [each for each in self.events if isinstance(each, kind)]


async def test_a_streamed_answer_and_its_record() -> None:
    run = await Run(httpx.Response(200, headers=FRAMES, content=STREAM)).go()
    (request,) = run.requests
    assert str(request.url) == f"{HOST}/model/openai.gpt-oss-20b-1%3A0/converse-stream"
    assert request.headers["authorization"] == "Bearer secret-token-1"
    assert request.headers["accept"] == "application/vnd.amazon.eventstream"
    assert request.headers["x-own"] == "1"
    assert request.content == BODY
    assert isinstance(run.events[0], AttemptStarted) and isinstance(run.events[-1], AttemptEnded)
    assert "".join(each.delta for each in run.of(TextDelta)) == "Hello."
    exchange = run.events[0].exchange
    assert exchange.response_body == STREAM
    assert b"".join(STREAM[row.start : row.end] for row in exchange.events) == STREAM
    assert [row.type for row in exchange.events][-2:] == ["messageStop", "metadata"]
    # A frame's payload is read from its bytes, and not kept beside them.
    assert exchange.events.parts()[3] == {}
    assert json.loads(exchange.events[-2].data) == {"stopReason": "end_turn"}
    assert (exchange.outcome, exchange.request_id) == (Outcome.COMPLETED, "0f-1")
    assert exchange.timings.first_text is not None
    assert "secret" not in str(exchange.request_headers)


async def test_a_whole_answer() -> None:
    run = await Run(httpx.Response(200, headers=ID, json=WHOLE)).go("create")
    assert str(run.requests[0].url) == f"{HOST}/model/openai.gpt-oss-20b-1%3A0/converse"
    assert [each.delta for each in run.of(TextDelta)] == ["Hello."]
    (ended,) = run.of(ResponseEnded)
    assert ended.response["usage"]["input_tokens"] == 9
    assert run.events[-1].exchange.outcome is Outcome.COMPLETED


@pytest.mark.parametrize(
    "body", [{}, {"message": "x"}, {"stopReason": 5}, {"output": [], "stopReason": None}]
)
async def test_something_else_is_no_answer(body: Any) -> None:
    run = await Run(httpx.Response(200, json=body)).go("create")
    assert isinstance(run.error, WireError) and run.error.code == "not_a_response"
    run = await Run(httpx.Response(200, json=body)).go()
    assert isinstance(run.error, WireError) and run.error.code == "not_a_stream"


ERRORS = [
    (403, {"Message": "Authentication failed: is your API Key valid?"}, TokenRefused, "API Key"),
    (400, {"message": "The model returned errors: x"}, HttpStatusError, "(400). It said: The model"),
    (404, {"message": "Could not resolve the foundation model"}, HttpStatusError, "Could not resolve"),
    (424, {"message": "x", "originalStatusCode": 500}, HttpStatusError, "The model failed to answer (424)"),
]  # fmt: skip


@pytest.mark.parametrize(("status", "body", "kind", "words"), ERRORS)
async def test_aws_errors_are_said(status: int, body: Any, kind: type, words: str) -> None:
    headers = {**ID, "x-amzn-ErrorType": "ValidationException:http://internal.amazon.com/coral/"}
    run = await Run(httpx.Response(status, headers=headers, json=body)).go()
    assert isinstance(run.error, kind) and words in str(run.error)
    assert isinstance(run.error, WireError)
    assert (run.error.code, run.error.request_id) == ("ValidationException", "0f-1")
    assert len(run.requests) == 1


async def test_throttling_before_an_answer_is_tried_again() -> None:
    refused = httpx.Response(429, json={"message": "Too many tokens, please wait before trying again."})
    run = await Run(refused, httpx.Response(200, headers=FRAMES, content=STREAM)).go()
    assert run.error is None and len(run.of(RetryWaiting)) == 1
    assert json.loads(run.requests[1].content) == json.loads(BODY)


async def test_without_botocore_the_answer_comes_whole_and_the_way_to_a_stream_is_said(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(sys.modules, "botocore.eventstream", None)
    run = await Run(httpx.Response(200, json=WHOLE)).go()
    assert run.error is None
    assert str(run.requests[0].url).endswith("/converse")
    assert isinstance(run.events[0], Notice) and "pip install 'outcrop[converse]'" in run.events[0].text
    assert [each.delta for each in run.of(TextDelta)] == ["Hello."]
