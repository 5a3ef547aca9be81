"""Blocking work in a daemon thread, which never holds the exit as `asyncio.to_thread` does."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    import asyncio

__all__ = ["in_daemon"]

T = TypeVar("T")


async def in_daemon(
    work: Callable[[], T],
    timeout: float,  # noqa: ASYNC109 - the thread goes on after it, asyncio.timeout would not
    late: Callable[[T], None] | None = None,
    name: str = "outcrop-daemon",
) -> tuple[T] | None:
    """Run work, and raise what it raises.

    Args:
        work: Blocks.
        timeout: Seconds to wait for it.
        late: Called on the event loop with what comes after that; an error that comes late is dropped.
        name: Of the thread.

    Returns:
        What came, in a tuple, or `None` when nothing came in time.
    """
    import asyncio
    import contextvars
    import functools
    import threading

    # A thread begins with an empty one, and whoever is told late may ask which app it belongs to.
    context = contextvars.copy_context()
    loop = asyncio.get_running_loop()
    future: asyncio.Future[T] = loop.create_future()
    gone = False

    def deliver(outcome: T) -> None:
        if not gone:
            future.set_result(outcome)
        elif late is not None:
            late(outcome)

    def fail(error: Exception) -> None:
        if not gone:
            future.set_exception(error)

    def run() -> None:
        try:
            told = functools.partial(deliver, work())
        except Exception as error:  # Across the thread's edge; raised again on the loop.
            told = functools.partial(fail, error)
        try:
            loop.call_soon_threadsafe(told, context=context)
        except RuntimeError:  # the loop was closed meanwhile; nobody waits
            return

    threading.Thread(target=run, name=name, daemon=True).start()
    try:
        await asyncio.wait((future,), timeout=timeout)
    finally:
        gone = not future.done()
    return None if gone else (future.result(),)
