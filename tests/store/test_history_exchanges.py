"""Exchanges come back with the same bytes, events and times."""

from __future__ import annotations

import base64
import json
import random
import zlib
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.store_support import conversation

from tui.core.errors import StoreError
from tui.core.exchange import Chunk, Chunks, Events, Exchange, SseRecord, Timings
from tui.core.items import Outcome
from tui.core.request_body import RequestBody
from tui.store.history import History


@pytest.fixture
def history(tmp_path: Path):
    history = History(tmp_path / "history.db")
    history.save_conversation(conversation())
    yield history
    history.close()


def streamed(number: int = 1, body: bytes = b'{"model":"m"}') -> Exchange:
    parts = [
        b'event: a\ndata: {"type":"a"}\n\n',
        b'data: {"type":"b"}\r\n\r\n: ping\n\n',
        b"data:one\ndata: two\xff\n\n",
    ]
    response = b"".join(parts)
    return Exchange(
        id=f"e{number}",
        number=number,
        attempt=2,
        conversation_id="c1",
        turn_id="t1",
        method="POST",
        url="https://host/openai/v1/responses",
        request_headers=(("Authorization", "Bearer [masked]"), ("X-Twice", "1"), ("X-Twice", "2")),
        request_body=body,
        started_at=12.5,
        status=200,
        http_version="HTTP/1.1",
        response_headers=(("x-request-id", "req_1"),),
        chunks=[Chunk(0.1, response[:20]), Chunk(0.2, b""), Chunk(0.3, response[20:])],
        events=[
            SseRecord(0.1, "a", '{"type":"a"}', 0, len(parts[0])),
            SseRecord(0.3, "b", '{"type":"b"}', len(parts[0]), len(parts[0]) + len(parts[1])),
            SseRecord(0.3, "odd", "not what the bytes say", 0, 5),
        ],
        timings=Timings(0.01, 0.02, 0.05, 0.1, 0.2, 0.4),
        outcome=Outcome.COMPLETED,
        usage_line="10 in, 5 out",
        model="m",
    )


def test_an_exchange_comes_back_as_it_was(history):
    exchange = streamed()
    history.save_exchange(exchange)
    assert history.load_exchanges("c1") == [exchange]
    assert history.load_exchanges("c1")[0].request_id == "req_1"
    assert history.load_exchanges("other") == []


def test_saving_again_updates_and_the_order_is_by_number(history):
    first, second = streamed(2), streamed(1)
    first.outcome = None
    history.save_exchange(first)
    history.save_exchange(second)
    assert [one.outcome for one in history.load_exchanges("c1")] == [Outcome.COMPLETED, None]
    first.outcome, first.error = Outcome.FAILED, "It broke."
    first.chunks.append(Chunk(0.9, b"more"))
    history.save_exchange(first)
    assert history.load_exchanges("c1") == [second, first]


def test_an_exchange_that_got_no_response_comes_back(history):
    exchange = Exchange("e", 1, 1, "c1", "", "POST", "https://h", (), b"", 1.0)
    exchange.outcome, exchange.error = Outcome.FAILED, "No connection."
    history.save_exchange(exchange)
    assert history.load_exchanges("c1") == [exchange]


def test_a_pdf_in_every_request_is_stored_once(history, tmp_path):
    encoded = base64.b64encode(random.Random(3).randbytes(300_000)).decode()
    bodies = []
    for number in range(10):
        part = {"type": "input_file", "file_data": f"data:application/pdf;base64,{encoded}"}
        bodies.append(json.dumps({"n": number, "input": [part, part]}).encode())
        history.save_exchange(streamed(number, bodies[-1]))
    assert [one.request_body for one in history.load_exchanges("c1")] == bodies
    history.close()
    assert sum(file.stat().st_size for file in tmp_path.iterdir()) < 700_000


@settings(max_examples=40, deadline=None)
@given(
    st.lists(st.binary(max_size=40), max_size=6),
    st.lists(st.tuples(st.integers(0, 250), st.integers(0, 250), st.text(max_size=9)), max_size=4),
    st.binary(max_size=300),
)
def test_any_bytes_and_events_come_back(tmp_path_factory, chunks, events, body):
    history = History(tmp_path_factory.mktemp("h") / "history.db")
    exchange = Exchange("e", 1, 1, "c1", "t", "POST", "https://h", (), body, 1.0, outcome=Outcome.CANCELLED)
    exchange.chunks = Chunks(Chunk(float(n), data) for n, data in enumerate(chunks))
    records = [SseRecord(0.0, "x", data, start, end) for start, end, data in events]
    exchange.events = Events(exchange.chunks, records)
    history.save_exchange(exchange)
    assert history.load_exchanges("c1") == [exchange]
    history.close()


def test_a_row_of_an_older_version_is_read_and_written_anew(history):
    exchange = streamed()
    history.save_exchange(exchange)
    body = exchange.response_body
    arrivals = {
        "chunks": [(chunk.offset, len(chunk.data)) for chunk in exchange.chunks],
        # The data stood beside the body where the body did not say the same.
        "events": [
            (event.offset, event.type, event.start, event.end, event.data if event.type == "odd" else None)
            for event in exchange.events
        ],
    }
    old = (zlib.compress(body), zlib.compress(json.dumps(arrivals).encode()), exchange.id)
    with history._db.transaction() as db:
        db.execute("UPDATE exchanges SET response_body = ?, arrivals = ? WHERE id = ?", old)
    (found,) = history.load_exchanges("c1")
    assert found == exchange and found.response_body == body
    history.save_exchange(found)
    assert history.load_exchanges("c1") == [exchange]


def test_a_large_body_stays_in_the_file_until_it_is_asked_for(history, tmp_path):
    pdf = b"%PDF " + random.Random(3).randbytes(60_000)
    body = b'{"file_data":"data:application/pdf;base64,' + base64.b64encode(pdf) + b'"}'
    history.save_exchange(streamed(1, body))
    (found,) = history.load_exchanges("c1")
    assert len(found.sent) == len(body)
    # Nothing of the file is in memory: what is kept is where to find it.
    assert found.sent._data == b""
    assert found.request_body == body and found == streamed(1, body)
    history.prune_exchanges(1, 1e12)
    for _ in range(2):
        # Two others, and the last one that was fetched is let go.
        assert RequestBody(fetch=lambda: b"").data == b""
    with pytest.raises(StoreError, match="no longer kept"):
        assert found.request_body == body
