"""A server between the program and the sandbox that hands an answer on as badly as networks do.

Requests go on to the sandbox as they are, so that it says what it was asked and what it made; how the answer
goes back is a trouble's choice. The sandbox's own faults are those of the API, these are those of the wire.
"""

from __future__ import annotations

import asyncio
import json
import re
import socket
import struct
import zlib
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

import httpx

__all__ = ["Answer", "Meddler", "Trouble", "delivered_text", "event_ends"]


@dataclass
class Answer:
    """An answer of the sandbox, and the way back to whoever asked.

    Attributes:
        delivered: What was handed on of the body, before it was packed.
    """

    status: int
    kind: str
    body: bytes
    writer: asyncio.StreamWriter
    asked: bytes = b""
    delivered: bytearray = field(default_factory=bytearray)

    @property
    def ends(self) -> list[int]:
        """Where its events, or frames, end."""
        return event_ends(self.body)

    async def raw(self, data: bytes) -> None:
        """Bytes as they are."""
        self.writer.write(data)
        await self.writer.drain()

    async def head(self, *more: str, status: int | None = None, kind: str | None = None) -> None:
        """The status line and headers; without a length the body ends with the connection."""
        lines = [f"HTTP/1.1 {status or self.status} OK", "connection: close", "x-request-id: req_meddler"]
        kind = self.kind if kind is None else kind
        lines += [f"content-type: {kind}"] if kind else []
        await self.raw("\r\n".join([*lines, *more, "", ""]).encode())

    async def send(self, body: bytes) -> None:
        """A part of the body."""
        self.delivered += body
        await self.raw(body)

    async def whole(self, body: bytes, *more: str) -> None:
        """An answer in good order."""
        await self.head(f"content-length: {len(body)}", *more)
        await self.send(body)

    async def forever(self, data: bytes, every: float = 0.02) -> None:
        """The same again and again, until the client has gone."""
        while not self.writer.is_closing():
            self.writer.write(data)
            await self.writer.drain()
            await asyncio.sleep(every)

    def reset(self) -> None:
        """Close the connection with a RST."""
        sock = self.writer.get_extra_info("socket")
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.writer.transport.abort()


Trouble = Callable[[Answer], Awaitable[None]]


async def well(answer: Answer) -> None:
    """No trouble."""
    await answer.whole(answer.body)


class Meddler:
    """Listens on loopback, in the loop of the test.

    Args:
        port: Of the sandbox.

    Attributes:
        troubles: What is done with the answer to a prompt that holds the key, and then no more.
        answers: What was handed on, oldest first.
        requests: How many requests came.
    """

    def __init__(self, port: int) -> None:
        self._upstream = f"http://127.0.0.1:{port}"
        self._client = httpx.AsyncClient(timeout=30)
        self._server: asyncio.Server | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self.troubles: dict[str, Trouble] = {}
        self.answers: list[Answer] = []
        self.requests = 0
        self.port = 0

    async def __aenter__(self) -> Meddler:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._server is not None
        self._server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._client.aclose()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        try:
            await self._answer(reader, writer)
        except (ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass
        finally:
            self._tasks.discard(task)
            writer.close()

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
        first, *lines = head.strip().split("\r\n")
        method, path, _ = first.split(" ")
        headers = dict(line.split(": ", 1) for line in lines)
        length = next((int(value) for name, value in headers.items() if name.lower() == "content-length"), 0)
        self.requests += 1
        body = await reader.readexactly(length)
        trouble = next((self.troubles.pop(key) for key in list(self.troubles) if key.encode() in body), well)
        made = await self._client.request(method, self._upstream + path, content=body, headers=headers)
        kind = made.headers.get("content-type", "")
        answer = Answer(made.status_code, kind, made.content, writer, body)
        self.answers.append(answer)
        await trouble(answer)


# -- reading what was delivered, written from the specifications ------------------------------------------


def event_ends(body: bytes) -> list[int]:
    """Where the events of a body end, or the frames of an AWS event stream."""
    if body[:1] not in (b"e", b"d", b":", b"\xef", b"{"):
        ends, at = [], 0
        while at + 12 <= len(body):
            at += struct.unpack_from(">I", body, at)[0]
            ends.append(at)
        return [end for end in ends if end <= len(body)]
    return [match.end() for match in re.finditer(rb"\n\n|\r\r|\r\n\r\n", body)]


def delivered_text(api: str, body: bytes) -> str:
    """The answer's text in the events of a body that are whole; a body that is one object is not streamed."""
    if body[:1] == b"{":
        return ""
    text, at = "", 0
    # What lacks its blank line counts where it is whole.
    for end in [*event_ends(body), *([] if api == "converse" else [len(body)])]:
        event, at = body[at:end], end
        payload = _frame_payload(event) if api == "converse" else _data(event)
        try:
            said = json.loads(payload)
        except (ValueError, RecursionError):
            return text
        text += _delta(api, said) if isinstance(said, dict) else ""
    return text


def _data(event: bytes) -> bytes:
    lines = re.split(rb"\r\n|\r|\n", event.removeprefix(b"\xef\xbb\xbf"))
    return b"\n".join(line.partition(b":")[2].strip() for line in lines if line.startswith(b"data")) or b"{}"


def _frame_payload(frame: bytes) -> bytes:
    if zlib.crc32(frame[:-4]) != struct.unpack(">I", frame[-4:])[0]:
        return b""
    if zlib.crc32(frame[:8]) != struct.unpack_from(">I", frame, 8)[0]:
        return b""
    return frame[12 + struct.unpack_from(">I", frame, 4)[0] : -4]


def _delta(api: str, said: dict[str, object]) -> str:
    match api:
        case "responses":
            return str(said["delta"]) if said.get("type") == "response.output_text.delta" else ""
        case "chat_completions":
            choices = said.get("choices")
            content = (
                choices[0].get("delta", {}).get("content") if isinstance(choices, list) and choices else ""
            )
            return content or ""
        case _:
            delta = said.get("delta")
            return str(delta.get("text", "")) if isinstance(delta, dict) else ""
