"""Putting bytes on the connection: pacing, faults of the transport, and noticing that the client went."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterator
from typing import Any

from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from .events import Frame
from .faults import TERMINALS, Fault
from .log import Served
from .shapes import encode

RECORD = "outcrop.record"
_LOOK = 0.02  # seconds between two looks at the clock
_BATCH = 64  # events an unpaced stream hands over at once


class CutError(Exception):
    """The fault says to close the connection here; uvicorn closes it when the answer is left unfinished."""


class EndError(Exception):
    """The fault says that the body ends here, as if it were whole."""


class _Wire:
    """The body of one answer, with the faults that concern bytes."""

    def __init__(self, scope: Scope, receive: Receive, send: Send, fault: Fault) -> None:
        self.record: Served = scope[RECORD]
        self._send = send
        self._fault = fault
        self._left = fault.cut_bytes if fault.cut_bytes is not None else fault.end_bytes
        self.gone = asyncio.create_task(_until_disconnect(receive))

    async def start(self, status: int, headers: list[tuple[bytes, bytes]]) -> None:
        if self._fault.wait and await self.pause(self._fault.wait):
            raise CutError
        await self._send({"type": "http.response.start", "status": status, "headers": headers})

    async def write(self, data: bytes) -> None:
        cut = self._left is not None and len(data) >= self._left
        if self._left is not None:
            data = data[: self._left]
            self._left -= len(data)
        if self._fault.one_byte:
            for value in data:
                await self._body(bytes((value,)))
                # Give the connection a turn, so that the bytes leave one by one.
                await asyncio.sleep(0)
        elif data:
            await self._body(data)
        if cut:
            raise CutError if self._fault.cut_bytes is not None else EndError

    async def finish(self) -> None:
        await self._send({"type": "http.response.body", "body": b"", "more_body": False})

    async def pause(self, seconds: float | None) -> bool:
        """Wait; True as soon as the client is gone."""
        await asyncio.wait({self.gone}, timeout=seconds)
        return self.gone.done()

    async def _body(self, data: bytes) -> None:
        now = time.monotonic()
        self.record.chunks.append(data)
        self.record.sent_at = (self.record.sent_at[0] if self.record.sent_at else now, now)
        await self._send({"type": "http.response.body", "body": data, "more_body": True})


async def _until_disconnect(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


class _Answer(Response):
    """What both kinds of answer share: the request id, the watch on the client, and how it ended."""

    def __init__(self, status: int, content_type: str, headers: dict[str, str], fault: Fault | None) -> None:
        super().__init__(status_code=status)
        self.fault = fault or Fault()
        pairs = {"content-type": content_type, **{k.lower(): v for k, v in headers.items()}}
        self.pairs = [(k.encode("latin-1"), v.encode("latin-1")) for k, v in pairs.items()]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send it; an answer that is cut returns unfinished, on which uvicorn closes the connection."""
        wire = _Wire(scope, receive, send, self.fault)
        try:
            await wire.start(self.status_code, self.pairs)
            if await self.run(wire):
                await wire.finish()
                wire.record.ended = wire.record.ended or "finished"
            else:
                wire.record.ended = wire.record.ended or "disconnected"
        except EndError:
            await wire.finish()
            wire.record.ended = "finished"
        except CutError:
            wire.record.ended = "disconnected" if wire.gone.done() else "cut"
        finally:
            wire.gone.cancel()

    async def run(self, wire: _Wire) -> bool:
        """Write the body; False where the client went before its end."""
        raise NotImplementedError


class JsonAnswer(_Answer):
    """A whole body.

    Args:
        status: the HTTP status.
        body: bytes as they are, or what becomes JSON.
        headers: additional headers.
        fault: of the transport.
        delay: seconds that generating it takes.
        commit: called when the body is about to be sent, and not when the client went before.
    """

    def __init__(
        self,
        status: int,
        body: Any,
        *,
        headers: dict[str, str] | None = None,
        fault: Fault | None = None,
        delay: float = 0.0,
        commit: Callable[[], bool] | None = None,
    ) -> None:
        self.data = body if isinstance(body, bytes) else encode(body)
        self.delay, self.commit = delay, commit
        length = (
            {}
            if fault and (fault.one_byte or fault.end_bytes is not None)
            else {"content-length": str(len(self.data))}
        )
        super().__init__(status, "application/json", {**length, **(headers or {})}, fault)

    async def run(self, wire: _Wire) -> bool:
        """Write the body in one piece."""
        if self.delay and await wire.pause(self.delay):
            return False
        if self.commit is not None:
            self.commit()
        await wire.write(self.data)
        return True


class EventStream(_Answer):
    """Server-sent events.

    Args:
        frames: the events; lazy, one is taken when its time has come.
        rate: output tokens per second, or None for as fast as the client reads.
        headers: additional headers; `content-type` for another kind of stream.
        fault: of the transport.
        commit: called before the terminal event is handed over, so that the client can chain to it at once;
            False where it must not come, as the response was cancelled or deleted meanwhile.
        due: whether the terminal event may come yet; asked again and again.
        comment: what a stall with `keepalive` sends.
    """

    def __init__(
        self,
        frames: Iterator[Frame],
        *,
        rate: float | None,
        headers: dict[str, str],
        fault: Fault | None,
        commit: Callable[[], bool] | None = None,
        due: Callable[[], bool] | None = None,
        comment: bytes = b": keep-alive\n\n",
    ) -> None:
        super().__init__(
            200, "text/event-stream; charset=utf-8", {"cache-control": "no-cache", **headers}, fault
        )
        self.frames, self.rate, self.commit, self.due = frames, rate, commit, due
        self.comment = comment

    async def run(self, wire: _Wire) -> bool:
        """Write every event; False where the client went."""
        loop = asyncio.get_running_loop()
        begun, cost, pending = loop.time(), 0, list[Frame]()
        for index, frame in enumerate(self.frames):
            if self.fault.stall_events == index:
                await self._flush(wire, pending)
                if await self._stall(wire):
                    return False
            if self.fault.cut_events == index:
                await self._flush(wire, pending)
                raise CutError
            if frame.cost and self.rate:
                cost += frame.cost
                due = begun + cost / self.rate - loop.time()
                if due > 0.0005:
                    await self._flush(wire, pending)
                    if await wire.pause(due):
                        return False
            if frame.kind in TERMINALS:
                await self._flush(wire, pending)
                while self.due is not None and not self.due():
                    if await wire.pause(_LOOK):
                        return False
                if self.commit is not None and not self.commit():
                    return True
            pending.append(frame)
            if len(pending) >= _BATCH:
                await self._flush(wire, pending)
                # A send that does not have to wait never yields: let the client's going be noticed.
                await asyncio.sleep(0)
                if wire.gone.done():
                    return False
        await self._flush(wire, pending)
        return True

    async def _flush(self, wire: _Wire, pending: list[Frame]) -> None:
        if pending:
            await wire.write(b"".join(frame.data for frame in pending))
            wire.record.events += len(pending)
            wire.record.last_event = pending[-1].kind
            pending.clear()

    async def _stall(self, wire: _Wire) -> bool:
        """Be silent, with or without comments; True where the client went."""
        left = self.fault.stall_seconds
        every = self.fault.keepalive
        while left is None or left > 0:
            step = min(s for s in (every, left, 3600.0) if s is not None)
            if await wire.pause(step):
                return True
            left = None if left is None else left - step
            if every is not None and self.comment:
                await wire.write(self.comment)
        return False
