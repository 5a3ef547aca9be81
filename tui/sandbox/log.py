"""What was served, for tests and for people who debug a client. The authorization header is not in it."""

from __future__ import annotations

import json
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

_MOST = 500
_MOST_BYTES = 128 * 1024 * 1024


@dataclass(slots=True)
class Served:
    """One request and its answer.

    Attributes:
        headers: the request's, lower-case names, without `authorization` and the session token.
        body: the request's bytes.
        query: what follows the `?` of the path.
        status: of the answer; None until it began.
        ended: "" at first, then "finished", "disconnected" (by the client), "cut" (a fault) or "stopped".
        events: how many SSE events were sent whole.
        last_event: the type of the last of them.
        sent_at: when the first and the newest bytes of the body were handed over (`time.monotonic`).
    """

    method: str
    path: str
    headers: dict[str, str]
    body: bytes = b""
    query: str = ""
    status: int | None = None
    request_id: str = ""
    response_headers: dict[str, str] = field(default_factory=dict[str, str])
    chunks: list[bytes] = field(default_factory=list[bytes])
    ended: str = ""
    events: int = 0
    last_event: str = ""
    sent_at: tuple[float, float] | None = None

    @property
    def json(self) -> Any:
        """The parsed request body; None where it is not JSON."""
        try:
            return json.loads(self.body)
        except ValueError:
            return None

    @property
    def sent(self) -> bytes:
        """The body's bytes as they were handed to the connection."""
        return b"".join(self.chunks)

    @property
    def size(self) -> int:
        """Bytes held."""
        return len(self.body) + sum(map(len, self.chunks))


class ServedLog:
    """The newest requests, oldest first; bounded in number and bytes. Safe to read from any thread."""

    def __init__(self) -> None:
        self._records: deque[Served] = deque()
        self._changed = threading.Condition()

    def __len__(self) -> int:
        with self._changed:
            return len(self._records)

    def __iter__(self) -> Iterator[Served]:
        with self._changed:
            return iter(list(self._records))

    def __getitem__(self, index: int) -> Served:
        with self._changed:
            return self._records[index]

    def clear(self) -> None:
        """Forget everything."""
        with self._changed:
            self._records.clear()

    def begin(self, record: Served) -> None:
        """Add a request that just arrived."""
        with self._changed:
            self._records.append(record)
            while len(self._records) > _MOST or (
                len(self._records) > 1 and sum(r.size for r in self._records) > _MOST_BYTES
            ):
                self._records.popleft()
            self._changed.notify_all()

    def end(self, record: Served, how: str) -> None:
        """Say how a request ended; the first word stands."""
        with self._changed:
            record.ended = record.ended or how
            self._changed.notify_all()

    def wait_for(self, predicate: Callable[[Served], bool], timeout: float = 2.0) -> Served:
        """Block until a record satisfies the predicate.

        Raises:
            TimeoutError: none did within `timeout` seconds.
        """
        deadline = time.monotonic() + timeout
        with self._changed:
            while True:
                for record in self._records:
                    if predicate(record):
                        return record
                # Chunks and events are counted without a notification, so look again after a moment.
                left = deadline - time.monotonic()
                if left <= 0:
                    raise TimeoutError(f"no such request in {timeout} s")
                self._changed.wait(min(left, 0.02))
