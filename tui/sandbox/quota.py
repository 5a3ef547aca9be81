"""Tokens a minute (bedrock-facts.md section 4 "Throttled")."""

from __future__ import annotations

import math
import threading
from collections import deque

from . import errors

_MINUTE = 60.0


class Quota:
    """Admission by tokens in the last minute, and by nothing else.

    VERIFIED (aws-quota): there is no quota of requests; a request counts its input without cached reads, and
    its max_output_tokens, which is the model's maximum where it is not set. ASSUMED: what was not used is not
    given back.

    Args:
        tokens: how many a minute.
        tells: whether a refusal says when to come back; section 4 "Retry-After": not documented.
    """

    def __init__(self, tokens: int, *, tells: bool = True) -> None:
        self._tokens = tokens
        self._tells = tells
        self._admitted: deque[tuple[float, int]] = deque()
        self._lock = threading.Lock()

    def admit(self, cost: int, now: float) -> None:
        """Count a request.

        Raises:
            ApiError: 429; its `retry-after` is the seconds until the oldest request has left the minute.
        """
        with self._lock:
            while self._admitted and now - self._admitted[0][0] >= _MINUTE:
                self._admitted.popleft()
            used = sum(tokens for _, tokens in self._admitted)
            if used + cost > self._tokens:
                oldest = self._admitted[0][0] if self._admitted else now
                wait = max(1, math.ceil(oldest + _MINUTE - now))
                raise errors.throttled(wait if self._tells else None)
            self._admitted.append((now, cost))
