"""Prompt cache accounting (bedrock-facts.md sections 2 and 8.7)."""

from __future__ import annotations

import hashlib
import threading

SMALLEST, STEP = (
    1024,
    128,
)  # section 8.7, VERIFIED for models before 5.6 (Prompt Caching 201), ASSUMED for later ones
_SECONDS = {"in_memory": 600, "24h": 86400, "30m": 1800}


class PromptCache:
    """Which prefixes were seen, by model and prompt_cache_key.

    In memory: a hit is never promised (section 8.7, VERIFIED).
    """

    def __init__(self) -> None:
        self._until: dict[bytes, float] = {}
        self._lock = threading.Lock()

    def look_up(
        self, pieces: list[str], scope: str, retention: str, now: float, keep: int | None = None
    ) -> int:
        """How many leading tokens were cached; the prompt is cached from now on, as far as it is kept.

        Args:
            pieces: the prompt's tokens, in order.
            scope: model and cache key; other scopes share nothing (ASSUMED; no key is a scope too).
            retention: "in_memory" (ASSUMED 10 minutes), "24h" or "30m".
            now: seconds since the epoch.
            keep: only so many leading tokens are cached; None means all.
        """
        digest = hashlib.sha256(scope.encode())
        cached = 0
        with self._lock:
            for end in range(STEP, len(pieces) + 1, STEP):
                digest.update("\x1f".join(pieces[end - STEP : end]).encode("utf-8", "replace"))
                if end < SMALLEST:
                    continue
                key = digest.digest()
                if self._until.get(key, 0) > now:
                    cached = end
                if keep is None or end <= keep or cached == end:
                    self._until[key] = max(self._until.get(key, 0), now + _SECONDS.get(retention, 600))
            if len(self._until) > 200_000:
                self._until = {key: until for key, until in self._until.items() if until > now}
        return cached
