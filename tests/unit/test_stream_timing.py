"""Rows, rates and the timeline of an exchange."""

from __future__ import annotations

import pytest
from support.exchanges import created, made_up

from tui.core.exchange import Events, SseRecord, Timings
from tui.core.items import Outcome
from tui.core.stream_timing import Phase, StreamRates, phases_of, rates_of, stream_row

BODY = {"model": "openai.gpt-5.4", "input": "Hi", "stream": True}


def test_rows() -> None:
    exchange = created(BODY, answer="Hello 漢")
    row = stream_row(exchange.events, 4, 6)
    raw = exchange.response_body[exchange.events[4].start : exchange.events[4].end]
    assert (row.number, row.type, row.size, row.preview) == (
        5,
        "response.output_text.delta",
        len(raw),
        "Hello ",
    )
    assert (row.offset, row.gap) == (1.0, pytest.approx(0.1))
    assert stream_row(exchange.events, 0, 99).gap == 0
    assert stream_row(exchange.events, 1, 99).preview == "reasoning  rs_1"
    odd = [SseRecord(0, "", "[DONE]", 0, 14), SseRecord(0, "x", "y" * 9000, 14, 9020)]
    assert stream_row(odd, 0, 99).preview == "[DONE]"
    assert stream_row(odd, 1, 5).preview == "yyyyy"


def test_rates() -> None:
    exchange = created(BODY, usage={"input_tokens": 9, "output_tokens": 26})
    rates = rates_of(exchange)
    assert (rates.events, rates.output_tokens, rates.gap_before) == (7, 26, 3)
    assert rates.seconds == pytest.approx(1.3)
    assert rates.events_per_second == pytest.approx(6 / 1.3)
    assert rates.tokens_per_second == pytest.approx(20)
    assert rates.longest_gap == pytest.approx(0.5)
    assert rates_of(made_up(BODY)) == StreamRates(0)
    at_once = created(BODY, events=[SseRecord(1.0, "x", "{}", 0, 2)] * 3)
    assert rates_of(at_once).events_per_second is None


def test_the_timeline() -> None:
    assert phases_of(created(BODY)) == [
        Phase("connect", 0.0, 0.1),
        Phase("TLS", 0.1, 0.2),
        Phase("send", 0.2, 0.21),
        Phase("wait", 0.21, 0.25),
        Phase("headers to body", 0.25, 0.3),
        Phase("receive", 0.3, 1.7),
        Phase("first text", 1.0, 1.0),
        Phase("reasoning", 0.4, 0.9),
        Phase("message", 0.9, 1.5),
        Phase("end", 1.7, 1.7),
    ]
    running = created(BODY, outcome=None, timings=Timings(request_sent=0.1, headers=0.2, first_byte=0.3))
    running.events = Events(running.chunks, running.events[:5])
    assert phases_of(running)[:4] == [
        Phase("send", 0.0, 0.1),
        Phase("wait", 0.1, 0.2),
        Phase("headers to body", 0.2, 0.3),
        Phase("receive", 0.3, None),
    ]
    assert phases_of(running)[-1] == Phase("message", 0.9, None)
    unreached = made_up(BODY, outcome=Outcome.FAILED, timings=Timings(ended=0.5))
    assert phases_of(unreached) == [Phase("wait", 0.0, 0.5), Phase("end", 0.5, 0.5)]
