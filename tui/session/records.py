"""The session's side of the history: what waits for the disk and what does not."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any, Concatenate, Final, ParamSpec, TypeVar

from tui.core.errors import StoreError
from tui.core.exchange import Exchange
from tui.core.items import Turn
from tui.store.history import History
from tui.store.thread import StoreThread

__all__ = ["Records", "TurnRecords"]

_DAY: Final = 86_400.0
_BEFORE_PRUNING: Final = 3.0
_BETWEEN_STEPS: Final = 0.05
_BETWEEN_PRUNINGS: Final = 900.0

P = ParamSpec("P")
T = TypeVar("T")


class Records:
    """The history, reached from the event loop; a chat goes on also where its file cannot be used.

    Attributes:
        failure: Why the last write that nobody waited for failed.
    """

    def __init__(self, path: Path) -> None:
        self.failure: StoreError | None = None
        self._store = StoreThread(path, self._take)
        self._writes: set[asyncio.Future[Any]] = set()
        self._told: Callable[[str], object] | None = None
        self._untold: list[str] = []
        self._telling = threading.Lock()

    def tell(self, told: Callable[[str], object]) -> None:
        """Have `told` called, in a thread of the history's, with each sentence that the user should read.

        It is called at once with what there was to say before.
        """
        with self._telling:
            self._told = told
            untold, self._untold = self._untold, []
        for sentence in untold:
            told(sentence)

    @property
    def in_memory(self) -> bool:
        """Whether what is said now is in memory only, as the file cannot be used."""
        return self._store.in_memory

    @property
    def unsaved(self) -> bool:
        """Whether something that was said or typed would be lost if the program ended now."""
        return self._store.unsaved

    def _take(self, sentence: str) -> None:
        with self._telling:
            if self._told is None:
                self._untold.append(sentence)
                return
        self._told(sentence)

    async def call(
        self, method: Callable[Concatenate[History, P], T], *args: P.args, **kwargs: P.kwargs
    ) -> T:
        """Run a method of the history in its thread and wait for it.

        Raises:
            StoreError: The history cannot be read or written.
        """
        return await self._store.call(method, *args, **kwargs)

    def later(
        self, method: Callable[Concatenate[History, P], object], *args: P.args, **kwargs: P.kwargs
    ) -> None:
        """Run a method of the history in its thread, in order, without waiting; `aclose` waits for it."""
        try:
            future = self._store.submit(method, *args, **kwargs)
        except StoreError as error:
            self.failure = error
            return
        self._writes.add(future)
        future.add_done_callback(self._written)

    def _written(self, future: asyncio.Future[Any]) -> None:
        self._writes.discard(future)
        if not future.cancelled() and isinstance(error := future.exception(), StoreError):
            self.failure = error

    async def prune(self, most_bytes: int, days: int, now: Callable[[], float]) -> None:
        """Delete recorded exchanges that are too old or too many, some at a time, again and again.

        Args:
            most_bytes: What they may take; 0 is no limit.
            days: How old they may be; 0 is no limit.
            now: Seconds since the epoch.
        """
        try:
            await asyncio.sleep(_BEFORE_PRUNING)
            while True:
                before = now() - days * _DAY if days else float("-inf")
                while await self.call(History.prune_exchanges, most_bytes, before):  # noqa: ASYNC110 - it polls nothing
                    # What the user does goes to the same thread, and comes first.
                    await asyncio.sleep(_BETWEEN_STEPS)
                await asyncio.sleep(_BETWEEN_PRUNINGS)
        except StoreError as error:
            self.failure = error

    async def aclose(self) -> None:
        """Finish what is being written and end the thread."""
        if self._writes:
            await asyncio.wait(self._writes)
        await asyncio.to_thread(self._store.close)


class TurnRecords:
    """What a running turn writes; see `turns.TurnKeeper`."""

    def __init__(self, records: Records, conversation_id: str, refused: Callable[[str], object]) -> None:
        self._records = records
        self._conversation_id = conversation_id
        self._refused = refused

    async def save_turn(self, turn: Turn) -> None:
        """Put the turn on disk; the answer is shown all the same when that fails."""
        try:
            await self._records.call(History.save_turn, self._conversation_id, turn)
        except StoreError as error:
            self._records.failure = error

    def save_partial(self, turn: Turn) -> None:
        """Put what has come so far on disk soon."""
        self._records.later(
            History.save_partial,
            turn.id,
            turn.partial_text,
            turn.partial_reasoning,
            turn.output,
            turn.response_id,
            stored=turn.stored,
        )

    def save_exchange(self, exchange: Exchange) -> None:
        """Put an ended exchange on disk soon."""
        self._records.later(History.save_exchange, exchange)

    def refused(self, parameter: str) -> None:
        """Remember that this model and endpoint refuse a parameter."""
        self._refused(parameter)
