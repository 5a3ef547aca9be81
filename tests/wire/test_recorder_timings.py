"""When what happened: the recorder reads it from the transport's own trace."""

from __future__ import annotations

import itertools

import httpx
import pytest

from tui.core.stream_timing import phases_of
from tui.wire.recorder import AttemptLabel, RecordingTransport, attempt_label


class Traced(httpx.AsyncBaseTransport):
    """Reports what httpcore reports for a new connection, and answers."""

    def __init__(self, *names: str) -> None:
        self._names = names

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        for name in self._names:
            await request.extensions["trace"](name, {})
        return httpx.Response(200, stream=httpx.ByteStream(b"{}"))


@pytest.mark.parametrize(
    ("names", "phases"),
    [
        (("connection.connect_tcp.complete", "connection.start_tls.complete"), ["connect", "TLS", "send"]),
        (("connection.connect_tcp.complete", "proxy.start_tls.complete"), ["connect", "TLS", "send"]),
        (("connection.connect_tcp.complete",), ["connect", "send"]),
        ((), ["send"]),
    ],
)
async def test_connection_and_tls_are_told_apart(names: tuple[str, ...], phases: list[str]) -> None:
    ticks = itertools.count()
    recorder = RecordingTransport(
        Traced(*names, "http11.send_request_body.complete"),
        number=lambda _: 1,
        new_id=lambda: "x",
        now=lambda: 0.0,
        monotonic=lambda: float(next(ticks)),
    )
    label = AttemptLabel()
    reset = attempt_label.set(label)
    try:
        async with httpx.AsyncClient(transport=recorder) as client:
            await client.get("https://a.test/x")
    finally:
        attempt_label.reset(reset)
    assert label.exchange is not None
    rows = phases_of(label.exchange)
    assert [phase.name for phase in rows] == [*phases, "wait", "headers to body", "receive", "end"]
    starts = [phase.start for phase in rows[:-1]]
    assert starts == [float(n) for n in range(len(starts))]
