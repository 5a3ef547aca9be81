"""What is asked beside turns, such as to delete: each fault is one failed exchange, in words."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Awaitable, Callable
from contextlib import aclosing
from itertools import count
from typing import Any

import pytest

from tui.core.errors import HttpStatusError, StreamError, TokenRefused, WireError
from tui.core.events import AttemptStarted, ResponseStarted
from tui.core.exchange import Exchange
from tui.core.items import Outcome, Target
from tui.sandbox.faults import OPERATIONS
from tui.sandbox.server import SandboxServer
from tui.wire.client import ClientSettings, ResponsesClient
from tui.wire.recorder import AttemptLabel


async def polled(client: ResponsesClient, response: str, label: AttemptLabel) -> None:
    exchange: Exchange | None = None
    try:
        async with aclosing(client.poll(response, label)) as events:
            async for event in events:
                if isinstance(event, AttemptStarted):
                    exchange = event.exchange
    finally:
        label.exchange = exchange


BODY = json.dumps(
    {"model": "openai.gpt-5.4", "input": "Reply with exactly: x", "stream": True, "store": True}
).encode()
Asked = Callable[[ResponsesClient, str, AttemptLabel], Awaitable[Any]]
ASKED: dict[str, tuple[str, Asked]] = {
    "retrieve": ("retrieve", lambda client, response, label: client.retrieve(response, label)),
    "a poll": ("retrieve", polled),
    "cancel": ("cancel", lambda client, response, label: client.cancel(response, label)),
    "delete": ("delete", lambda client, response, label: client.delete(response, label)),
    "models": ("models", lambda client, response, label: client.models(label)),
}
FAULTS: dict[str, tuple[dict[str, Any], type[WireError], str]] = {
    "500": ({"status": 500, "body": {"error": {"message": "oops"}}}, HttpStatusError, "had an error (500)"),
    "429": ({"status": 429, "headers": {"retry-after": "9"}}, HttpStatusError, "throttling (429)"),
    "401": ({"status": 401, "body": {"error": "expired"}}, TokenRefused, "refused the token (401)"),
    "403": ({"status": 403, "body": {"Message": "not allowed"}}, TokenRefused, "not allowed"),
    "404": ({"status": 404, "body": "<html></html>"}, HttpStatusError, "(404)"),
    "307": ({"status": 307, "headers": {"location": "http://x.example/"}}, HttpStatusError, "redirects to"),
    "a page": ({"status": 200, "body": "<html>Log in</html>"}, StreamError, "not JSON"),
    "cut": ({"cut_bytes": 5}, StreamError, "broke off"),
    "ended early": ({"end_bytes": 5}, StreamError, "not JSON"),
    "late": ({"wait": 5.0}, WireError, "sent no response within 0.3 s"),
}


@pytest.mark.parametrize("asked", ASKED)
async def test_each_fault_is_one_failed_exchange_and_the_next_one_gets_through(
    sandbox: SandboxServer, asked: str
) -> None:
    operation, ask = ASKED[asked]
    numbers = count(1)

    def client(route: str, seconds: float = 30.0) -> ResponsesClient:
        limits = ClientSettings(
            number=lambda _: next(numbers), new_id=lambda: f"x{next(numbers)}", request_timeout=seconds
        )
        target = Target("openai.gpt-5.4", "us-west-2", "mantle", sandbox.base_url(route=route))
        return ResponsesClient(target, lambda: "sandbox", limits)

    making = client("/openai/v1")
    usual, hasty = (client("/v1" if asked == "models" else "/openai/v1", limit) for limit in (30.0, 0.3))
    for name, (fault, kind, words) in {**FAULTS, "": ({}, WireError, "")}.items():
        asking = hasty if name == "late" else usual
        made = [event async for event in making.stream(BODY, AttemptLabel())]
        (response,) = {event.response_id for event in made if isinstance(event, ResponseStarted)}
        assert response is not None
        if name:
            sandbox.fault({"on": operation, **fault})
        before = len(sandbox.log)
        label = AttemptLabel()
        async with asyncio.timeout(5):
            if not name:
                # Then all is well.
                await ask(asking, response, label)
                assert label.exchange is not None and label.exchange.outcome is Outcome.COMPLETED
                break
            with pytest.raises(kind, match=re.escape(words)) as failed:
                await ask(asking, response, label)
        sandbox.clear_faults()
        assert "Error" not in str(failed.value), name
        assert label.exchange is not None and label.exchange.outcome is Outcome.FAILED, name
        assert len(sandbox.log) == before + 1, name
    for one in (usual, hasty, making):
        await one.aclose()


def test_every_operation_of_the_sandbox_is_a_turn_s_a_batch_job_s_or_here() -> None:
    turns = {"create", "responses", "chat", "converse", "invoke"}
    here = {operation for operation, _ in ASKED.values()}
    # A batch job is asked for through AWS's own client: tests/leaving/test_batch_jobs.py.
    assert set(OPERATIONS) == turns | here | {"job"}
