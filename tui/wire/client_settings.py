"""How a client of the API behaves: limits, retries, clocks."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

__all__ = ["ClientSettings"]


@dataclass(frozen=True, slots=True)
class ClientSettings:
    """How a client behaves.

    Attributes:
        max_retries: How often a request is sent again at most.
        request_timeout: Longest wait for the response's headers, seconds.
        idle_timeout: Longest gap between two events, seconds; keep-alives do not count.
        silence_notice: After how many seconds without an event to say so.
        number: Gives the next exchange number of a conversation.
        new_id: Gives a new exchange id.
        now: Wall clock, seconds since the epoch.
        monotonic: Clock for offsets and limits, seconds.
        sleep: Waits before a retry.
    """

    number: Callable[[str], int]
    new_id: Callable[[], str]
    max_retries: int = 2
    request_timeout: float = 60.0
    idle_timeout: float = 600.0
    silence_notice: float = 20.0
    now: Callable[[], float] = time.time
    monotonic: Callable[[], float] = time.monotonic
    sleep: Callable[[float], Awaitable[None]] = field(default=asyncio.sleep)
