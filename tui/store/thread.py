"""The history on a thread of its own, so that the event loop never waits for a disk."""

from __future__ import annotations

import asyncio
import atexit
import queue
import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any, Concatenate, ParamSpec, TypeVar

from tui.core.errors import StoreError
from tui.store.history import History
from tui.store.steady import SteadyHistory

__all__ = ["StoreThread"]

P = ParamSpec("P")
T = TypeVar("T")

_Finish = Callable[[Any, BaseException | None], None]
_Job = tuple[Callable[[SteadyHistory], Any], _Finish]


class StoreThread:
    """Runs calls on a `History`, one after the other, in the order in which they were made.

    The file is opened at the first call, in the thread; for as long as it cannot be used, the history goes
    on in memory (see `SteadyHistory`). The thread is a daemon: it never holds the exit, but `close` waits
    for what was asked before.

    Args:
        path: The history's file.
        tell: Called in the thread with each sentence that the user should read.
    """

    def __init__(self, path: Path, tell: Callable[[str], None] = lambda _: None) -> None:
        self._path = path
        self._jobs: queue.SimpleQueue[_Job | None] = queue.SimpleQueue()
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None
        self._closed = False
        self._history = SteadyHistory(path, tell)

    @property
    def in_memory(self) -> bool:
        """Whether the file cannot be used at this moment."""
        return self._history.in_memory

    @property
    def unsaved(self) -> bool:
        """Whether something that was said or typed waits to be written."""
        return self._history.unsaved

    async def call(
        self, function: Callable[Concatenate[History, P], T], *args: P.args, **kwargs: P.kwargs
    ) -> T:
        """Run `function(history, *args, **kwargs)` in the thread, e.g. `call(History.save_turn, id, turn)`.

        Cancelling the caller does not take the work back: what was to be saved is saved.

        Raises:
            StoreError: The history cannot be used, or is closed.
        """
        return await self.submit(function, *args, **kwargs)

    def submit(
        self, function: Callable[Concatenate[History, P], T], *args: P.args, **kwargs: P.kwargs
    ) -> asyncio.Future[T]:
        """As `call`, for a caller that does not wait: its place in the order is the moment of this call."""
        loop = asyncio.get_running_loop()
        future: asyncio.Future[T] = loop.create_future()

        def settle(result: T | None, error: BaseException | None) -> None:
            if future.done():  # the caller was cancelled
                return
            if error is not None:
                future.set_exception(error)
            else:
                future.set_result(result)  # type: ignore[arg-type]

        def finish(result: T | None, error: BaseException | None) -> None:
            # The loop may have been closed meanwhile; then nobody waits.
            if not loop.is_closed():
                try:
                    loop.call_soon_threadsafe(settle, result, error)
                except RuntimeError:
                    return

        self._put((lambda history: history.run(function, *args, **kwargs), finish))
        return future

    def call_now(
        self, function: Callable[Concatenate[History, P], T], *args: P.args, **kwargs: P.kwargs
    ) -> T:
        """As `call`, for code without an event loop: waits, at most five seconds.

        Raises:
            StoreError: The history cannot be used, is closed, or does not answer.
        """
        done = threading.Event()
        outcome: list[Any] = []

        def finish(result: T | None, error: BaseException | None) -> None:
            outcome.extend((result, error))
            done.set()

        self._put((lambda history: history.run(function, *args, **kwargs), finish))
        if not done.wait(5.0):
            raise StoreError(f"The history {self._path} did not answer.")
        if outcome[1] is not None:
            raise outcome[1]
        return outcome[0]

    def close(self, timeout: float = 5.0) -> bool:
        """Finish what was asked, close the file, end the thread; more calls are refused.

        Args:
            timeout: Seconds to wait at most.

        Returns:
            Whether everything was finished in time.
        """
        with self._lock:
            if not self._closed:
                self._closed = True
                self._jobs.put(None)
            thread = self._thread
        atexit.unregister(self.close)
        if thread is None or thread is threading.current_thread():
            return thread is None
        thread.join(timeout)
        return not thread.is_alive()

    async def aclose(self) -> None:
        """As `close`, without stopping the event loop meanwhile."""
        if self._thread is not None and not self._closed:
            with suppress(StoreError):
                await self.call(_nothing)
        self.close()

    def _put(self, job: _Job) -> None:
        with self._lock:
            if self._closed:
                raise StoreError("The history is closed.")
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="outcrop-store", daemon=True)
                self._thread.start()
                atexit.register(self.close)
            self._jobs.put(job)

    def _run(self) -> None:
        history = self._history
        while (job := self._next(history)) is not None:
            work, finish = job
            try:
                result = work(history)
            except Exception as error:  # the worker's edge: the caller gets it
                finish(None, error)
            else:
                finish(result, None)
            del job, work, finish
        history.close()

    def _next(self, history: SteadyHistory) -> _Job | None:
        """The next job; while there is none, what could not be written is tried again now and then."""
        while True:
            try:
                return self._jobs.get(timeout=history.seconds_to_next_try())
            except queue.Empty:
                history.mend()


def _nothing(history: History) -> None:
    """Comes after everything that was asked before."""
