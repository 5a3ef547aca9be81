"""Cassettes: what is written is read again, what is no cassette is said, and requests get their answers."""

from __future__ import annotations

import json
from typing import Any

import httpx
import pytest
from support.exchanges import created, made_up

from tui.core.cassette import Cassette, cassette_text, read_cassette
from tui.core.errors import InputError
from tui.core.exchange import Chunk
from tui.core.items import Outcome
from tui.session.playback import speed_of
from tui.wire.playback import PlaybackTransport

MADE_WITH = {"model": "m", "region": "us-west-2", "continuation": "stateful", "controls": {"effort": "low"}}


def asked(text: str, **more: Any) -> dict[str, Any]:
    return {"model": "m", "input": [{"role": "user", "content": text}], "stream": True, **more}


def talk() -> list[Any]:
    return [
        made_up(asked("one"), number=1, turn_id="t1", status=429, chunks=[Chunk(0.2, b"\xff no")],
                outcome=Outcome.FAILED, error="HTTP status 429", http_version="HTTP/1.1", model="m"),
        created(asked("one"), number=2, turn_id="t1", attempt=2, answer="Grüße"),
        created(asked("two", previous_response_id="resp_2"), number=3, turn_id="t2"),
        made_up(None, number=4, method="GET", url="https://h/openai/v1/responses/resp_2?x=1"),
    ]  # fmt: skip


def test_what_is_written_is_read_again() -> None:
    made = talk()
    found = read_cassette(cassette_text(made, MADE_WITH).encode())
    assert found.conversation == MADE_WITH
    for one, other in zip(found.exchanges, made, strict=True):
        for name in ("method", "url", "status", "request_body", "request_headers", "response_headers",
                     "response_body", "timings", "outcome", "error", "turn_id", "attempt"):  # fmt: skip
            assert getattr(one, name) == getattr(other, name), name
        assert one.chunks == other.chunks
    assert [item.payload["content"] for item in found.prompts] == ["one", "two"]
    assert found.base_url == "https://bedrock-mantle.us-west-2.api.aws/openai/v1"


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        (b"\xff\xfe", "no JSON"),
        (b"[1]", "`format`"),
        (b'{"format":"outcrop cassette","version":99}', "version 99"),
        (b'{"format":"outcrop cassette","version":1}', "damaged"),
        (b'{"format":"outcrop cassette","version":1,"exchanges":[{"url":3}]}', "damaged"),
    ],
)
def test_what_is_no_cassette_is_said(data: bytes, sentence: str) -> None:
    with pytest.raises(InputError, match=sentence):
        read_cassette(data)


def test_arrivals_that_are_not_the_body_s_are_said() -> None:
    document = json.loads(cassette_text(talk(), {}))
    document["exchanges"][1]["arrivals"].pop()
    with pytest.raises(InputError, match="arrivals of exchange 2"):
        read_cassette(json.dumps(document).encode())


def test_speeds() -> None:
    assert (speed_of("1"), speed_of("2.5"), speed_of("max")) == (1.0, 2.5, None)
    for wrong in ("0", "fast", "nan", "-1"):
        with pytest.raises(InputError, match="--replay-speed"):
            speed_of(wrong)


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    async def sleep(self, seconds: float) -> None:
        self.now += seconds


def playing(speed: float | None, clock: Clock | None = None) -> httpx.AsyncClient:
    clock = clock or Clock()
    cassette: Cassette = read_cassette(cassette_text(talk(), {}).encode())
    transport = PlaybackTransport(cassette.exchanges, speed, sleep=clock.sleep, monotonic=lambda: clock.now)
    return httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:9/openai/v1")


async def test_requests_get_their_answers_in_order_at_the_recorded_pace() -> None:
    clock = Clock()
    made = talk()
    async with playing(2.0, clock) as client:
        first = await client.post("/responses", json=asked("one"))
        assert (first.status_code, first.content) == (429, b"\xff no")
        began = clock.now
        second = await client.post("/responses", json=asked("one", max_output_tokens=9))
        assert second.content == made[1].response_body
        assert clock.now - began == pytest.approx(made[1].chunks[-1].offset / 2)
        third = await client.post("/responses", json=asked("two", previous_response_id="resp_2"))
        assert third.content == made[2].response_body


async def test_what_does_not_match_says_where_and_the_recording_waits() -> None:
    async with playing(None) as client:
        other = await client.post("/responses", json=asked("else"))
        assert other.status_code == 422
        said = other.json()["error"]
        assert said["code"] == "not_in_cassette"
        assert '$.input[0].content: "one" became "else"' in said["message"]
        missing = await client.get("/responses/resp_9")
        assert "no more GET /responses/resp_9; 4 other requests" in missing.json()["error"]["message"]
        assert (await client.post("/responses", json=asked("one"))).status_code == 429
        with pytest.raises(httpx.ConnectError):
            await client.get("/responses/resp_2?x=1")


async def test_what_belongs_to_another_branch_or_a_replay_is_passed_over() -> None:
    branch = created(asked("two, edited", previous_response_id="resp_2"), number=5, turn_id="t3")
    replayed = created(asked("one"), number=6, turn_id="")
    made = [*talk()[:3], replayed, branch]
    cassette = read_cassette(cassette_text(made, {"path": ["t1", "t3"]}).encode())
    assert [item.payload["content"] for item in cassette.prompts] == ["one", "two, edited"]
    transport = PlaybackTransport(cassette.exchanges[1:], None)
    async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:9/openai/v1") as client:
        for body, answer in ((asked("one"), made[1]), (json.loads(branch.request_body), branch)):
            got = await client.post("/responses", json=body)
            assert got.content == answer.response_body
