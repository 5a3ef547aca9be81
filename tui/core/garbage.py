"""When Python looks for garbage: not while much is made that stays.

The collector looks through all objects again whenever a quarter has come to them. While the SDK is imported
or ten thousand turns are read, that is several times, each time a tenth of a second, and nothing is found.
"""

from __future__ import annotations

import gc
import threading
from collections.abc import Generator
from contextlib import contextmanager

__all__ = ["begin_collecting", "collector_paused"]

_THRESHOLDS = (3000, 10, 200)
"""As `gc.set_threshold`: a look at all objects is 35 ms after a long answer, in which no key is answered, and
finds next to nothing. What lives shortly is looked at as ever."""

_lock = threading.Lock()
_pauses = 0
_was_on = False


def begin_collecting() -> None:
    """Collect from now on, or from the end of a pause; what there is now is left out for ever."""
    global _was_on
    with _lock:
        gc.freeze()
        gc.set_threshold(*_THRESHOLDS)
        _was_on = True
        if not _pauses:
            gc.enable()


@contextmanager
def collector_paused(*, freeze: bool = False) -> Generator[None]:
    """Have no garbage collected meanwhile, in any thread.

    Args:
        freeze: Never look again at what there is afterwards: for imports, which stay as long as the program.
    """
    global _pauses, _was_on
    with _lock:
        if not _pauses:
            _was_on = gc.isenabled()
            gc.disable()
        _pauses += 1
    try:
        yield
    finally:
        with _lock:
            _pauses -= 1
            if freeze:
                gc.freeze()
            if not _pauses and _was_on:
                gc.enable()
