"""What one server has in common for all its endpoints: options, stored responses, cache, log and faults."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from . import context
from .cache import PromptCache
from .errors import ApiError
from .faults import FaultQueue
from .ids import random_id
from .log import ServedLog
from .place import EndpointName, Place
from .shapes import Json
from .store import ResponseStore
from .tokens import Tokenizer, TokenizerName


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """How the server behaves where the service's behaviour depends on the account or is not documented.

    The defaults are `SandboxServer`'s.

    Attributes:
        region: the one of base URLs that name none.
        rate: output tokens per second; None for as fast as possible.
        clock: seconds since the epoch.
        ids: makes an id from a prefix (`resp`, `msg`, `rs`, `fc`, `ctc`, `call`, `req`).
        refuse_summary: refuse `reasoning.summary` always (True), never (False) or, None, as the models do
            (section 8.6).
        background_seconds: how long a background response takes.
        resume_streams: whether a background stream can be taken up again with `starting_after`; section 3:
            untested on mantle.
        retention: False stands for an account whose retention mode is none (section 1.5).
        tokens_per_minute: the quota of each endpoint in each region; None for no limit.
        retry_after: whether a 429 of the quota says when to come back (section 4: not documented).
        tokenizer: `bpe`, `words`, or `auto`: bpe-openai where it is installed.
    """

    region: str
    rate: float | None
    clock: Callable[[], float]
    ids: Callable[[str], str] | None
    refuse_summary: bool | None
    background_seconds: float
    resume_streams: bool
    retention: bool
    tokens_per_minute: int | None
    retry_after: bool
    tokenizer: TokenizerName


class Service:
    """The state of one server.

    Args:
        state_dir: the folder of stored responses.
        options: see there.
    """

    def __init__(self, state_dir: Path, options: Options) -> None:
        self.options = options
        self.clock = options.clock
        self.ids = options.ids or random_id
        self.store = ResponseStore(state_dir)
        self.cache = PromptCache()
        self.tokenizer = Tokenizer(options.tokenizer)
        self.log = ServedLog()
        self.faults = FaultQueue()
        self._seen: list[Json] | None = None
        self._lock = threading.Lock()

    def place(self, endpoint: EndpointName, region: str | None) -> Place:
        """The place that a path names; without a region, this server's."""
        return Place(endpoint, region or self.options.region)

    def saw(self, items: list[Json]) -> None:
        """Remember what the newest create request put before the model."""
        with self._lock:
            self._seen = items

    def last_context(self) -> list[Json]:
        """The input items of the newest accepted create request, the chain's first; stored or not.

        Raises:
            LookupError: there was none.
        """
        with self._lock:
            if self._seen is None:
                raise LookupError("no create request was served yet")
            return self._seen

    def context_of(self, response_id: str) -> list[Json]:
        """The input items that a stored response was made from, out of the store alone.

        Inputs and outputs of the responses before it in its chain, oldest first, then its own input.

        Raises:
            LookupError: it, or one before it, is not stored.
        """
        scope = self.store.scope_of(response_id)
        store = self.store.within(scope or "")
        record = store.load(response_id, self.clock())
        if record is None:
            raise LookupError(f"{response_id} is not stored")
        previous: str | None = record["response"]["previous_response_id"]
        try:
            earlier = context.chain(store, previous, self.clock()) if previous else []
        except ApiError as error:
            raise LookupError(f"the chain of {response_id} is broken: {error}") from None
        return [*earlier, *record["input"]]
