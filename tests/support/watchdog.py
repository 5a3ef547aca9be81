"""Watches an event loop: which callback took its thread too long, and what it was doing meanwhile.

From a Textual app's first paint to its end every callback of its loop is measured in CPU time of the loop's
thread. Where other processes share a core and its cache, the same work takes up to twice the CPU time: so
what is too long is measured against a yardstick that is run right after it and when the machine was quickest.
Steps of the test's own tasks are left out: those whose outermost coroutine is written in the tests' folder or
run by pytest's plugin.

In pytest, conftest.py asks for what was found and fails the test. In a program that a test starts,
`at_start/sitecustomize.py` begins the watch where `VARIABLE` names a folder; what is found is written there.
The standard library only, as it runs inside that program too.
"""

from __future__ import annotations

import asyncio
import asyncio.events
import gc
import os
import sys
import threading
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter, sleep, thread_time
from types import CodeType, FrameType
from typing import Any

__all__ = ["LIMIT", "VARIABLE", "Stall", "Watchdog", "calibrate", "limit_here", "read_stalls", "watch_apps"]

LIMIT = 0.050
"""Seconds of its thread's CPU time that a callback may take, on this machine when nothing else runs."""

CROWDED = 3
"""How many times that where several pytest workers keep more than every core busy: the yardstick sees a core
that is shared, but not a cache. `.ci/run` has a step with one worker, which holds programs to `LIMIT`."""

VARIABLE = "LOOP_WATCHDOG"
"""The environment variable that names the folder in which a started program leaves its stalls."""

QUICKEST = "LOOP_WATCHDOG_QUICKEST"
"""The environment variable with what the yardstick took when the tests began, before they were many."""

CROWD = "LOOP_WATCHDOG_CROWD"
"""The environment variable with how many times `LIMIT` a callback may take."""

_TESTS = str(Path(__file__).resolve().parents[1]) + os.sep
_OWN_PLUGINS = (os.sep + "pytest_asyncio" + os.sep, os.sep + "_pytest" + os.sep)
_FRESH = 0.001
_LOOK_EVERY = 0.015


@dataclass(frozen=True)
class Stall:
    """A callback that held the loop.

    Attributes:
        seconds: Of its thread's CPU time, at the machine's full speed.
        measured: The CPU time as it was.
        collecting: Seconds of them in which Python looked for garbage.
        who: The callback or, for a task's step, its coroutine and what that awaits.
        stacks: What was seen running, the most often seen first, with the times it was seen.
    """

    seconds: float
    measured: float
    collecting: float
    who: str
    stacks: tuple[str, ...]

    def __str__(self) -> str:
        garbage = f", {self.collecting * 1000:.0f} ms of them garbage collection" if self.collecting else ""
        seen = "".join(f"\n{stack}" for stack in self.stacks) or "\n  (over before it was looked at)"
        took = f"{self.seconds * 1000:.0f} ms on the event loop"
        took += f" ({self.measured * 1000:.0f} ms measured{garbage})"
        return f"{took}: {self.who}{seen}"


class Watchdog:
    """Measures the callbacks of the loops that it is told to watch.

    Args:
        found: Called with each stall, in the loop's thread.
        limit: Seconds of CPU time from which a callback is one.
        garbage: Whether it counts for how long Python looked through all objects for garbage. Where pytest's
            and the test's objects are among them it says nothing of the program.
    """

    def __init__(self, found: Callable[[Stall], None], limit: float = LIMIT, *, garbage: bool = True) -> None:
        self.longest: tuple[float, str] = (0.0, "")
        self.callbacks = 0
        self._found = found
        self._limit = limit
        self._garbage = garbage
        self._loops: Counter[asyncio.AbstractEventLoop] = Counter()
        self._run: Any = None
        self._running: tuple[float, int] | None = None
        self._samples: Counter[str] = Counter()
        self._sampler: threading.Thread | None = None
        self._awake = threading.Event()
        self._collecting = [0.0, 0.0]
        self._quickest = float(os.environ.get(QUICKEST, "1"))

    def watch(self, loop: asyncio.AbstractEventLoop) -> None:
        """Measure this loop's callbacks from the next one on; once more for each further app on it."""
        self._loops[loop] += 1
        self._quickest = min(self._quickest, *(_yardstick() for _ in range(2)))
        if self._run is None:
            self._install()
            self._awake.set()
        if self._sampler is None:
            self._sampler = threading.Thread(target=self._look, name="loop watchdog", daemon=True)
            self._sampler.start()

    def leave(self, loop: asyncio.AbstractEventLoop) -> None:
        """Stop measuring this loop."""
        self._loops[loop] -= 1
        if self._loops[loop] <= 0:
            del self._loops[loop]
        if not self._loops and self._run is not None:
            self._awake.clear()
            setattr(asyncio.events.Handle, "_run", self._run)  # noqa: B010
            gc.callbacks.remove(self._collected)
            self._run = None

    def _install(self) -> None:
        handle: Any = asyncio.events.Handle
        self._run = run = handle._run
        loops = self._loops
        # Reading the CPU's clock is a system call. One reading a millisecond is enough: what the thread used
        # between it and the callback's start is less than the time that passed, and is taken off.
        read_at = cpu = 0.0

        def measured(this: Any) -> None:
            nonlocal read_at, cpu
            if this._loop not in loops:
                return run(this)
            began = perf_counter()
            if began - read_at > _FRESH:
                cpu, read_at = thread_time(), began
            before, earlier = cpu, began - read_at
            self._collecting[1] = 0.0
            # Both are kept here: a callback forgets what it was when it ends.
            self._running = (began, threading.get_ident())
            try:
                return run(this)
            finally:
                self._running = None
                self.callbacks += 1
                if perf_counter() - began > min(self.longest[0], self._limit):
                    cpu, read_at = thread_time(), perf_counter()
                    self._ended(this, cpu - before - earlier)
                if self._samples:
                    self._samples.clear()

        setattr(handle, "_run", measured)  # noqa: B010
        gc.callbacks.append(self._collected)

    def _ended(self, handle: Any, seconds: float) -> None:
        if not self._garbage:
            seconds -= self._collecting[1]
        if seconds <= min(self.longest[0], self._limit) or _is_the_tests(handle._callback):
            return
        who = _name(handle._callback)
        measured = seconds
        if seconds > self._limit:
            samples, self._samples = self._samples, Counter()
            seconds = measured / self._slowness()
            if seconds > self._limit:
                stacks = tuple(f"  seen {n} times:\n{stack}" for stack, n in samples.most_common(6))
                self._found(Stall(seconds, measured, self._collecting[1], who, stacks))
        if seconds > self.longest[0]:
            self.longest = (seconds, who)

    def _slowness(self) -> float:
        """How many times longer work takes now than at the quickest it was seen; at least 1."""
        now = min(_yardstick() for _ in range(4))
        self._quickest = min(now, self._quickest)
        return now / self._quickest

    def _collected(self, phase: str, info: dict[str, int]) -> None:
        if phase == "start":
            self._collecting[0] = thread_time() if info["generation"] == 2 else 0.0
        elif self._collecting[0]:
            self._collecting[1] += thread_time() - self._collecting[0]

    def _look(self) -> None:
        """Look now and then whether a callback runs for long, and at what it is doing.

        Only one that may become too long is: the frames of a thread that runs are walked for no other.
        """
        while True:
            self._awake.wait()
            sleep(_LOOK_EVERY)
            running = self._running
            if running is not None and perf_counter() - running[0] > self._limit / 2:
                frame = sys._current_frames().get(running[1])
                if frame is not None and self._running is running:
                    self._samples[_stack(frame)] += 1


def _yardstick() -> float:
    """Seconds of CPU time that a little of what programs do takes: objects, dictionaries, text."""
    began = thread_time()
    kept: dict[int, tuple[int, str]] = {}
    for number in range(4000):
        kept[number % 997] = (number, f"{number}")
    return thread_time() - began


def _stack(frame: FrameType) -> str:
    """The calls under the callback, outermost first; of libraries only the innermost ones."""
    lines: list[str] = []
    walked: FrameType | None = frame
    while walked is not None and walked.f_code.co_filename != __file__:
        code: CodeType = walked.f_code
        ours = f"{os.sep}tui{os.sep}" in code.co_filename or code.co_filename.startswith(_TESTS)
        if ours or len(lines) < 5:
            name = os.sep.join(code.co_filename.rsplit(os.sep, 3)[1:])
            lines.append(f"    {name}:{walked.f_lineno} {code.co_qualname}")
        walked = walked.f_back
    return "\n".join(lines[:14][::-1])


def _is_the_tests(callback: Any) -> bool:
    """Whether it is a step of a task that the test or its plugin began with a coroutine of their own."""
    task = getattr(callback, "__self__", None)
    if not isinstance(task, asyncio.Task):
        return False
    code = getattr(task.get_coro(), "cr_code", None) or getattr(task.get_coro(), "ag_code", None)
    if code is None:
        return False
    return code.co_filename.startswith(_TESTS) or any(part in code.co_filename for part in _OWN_PLUGINS)


def _name(callback: Any) -> str:
    task = getattr(callback, "__self__", None)
    if not isinstance(task, asyncio.Task):
        return str(getattr(callback, "__qualname__", repr(callback)))
    chain: list[str] = []
    inner: Any = task.get_coro()
    while inner is not None and len(chain) < 12:
        chain.append(getattr(inner, "__qualname__", type(inner).__name__))
        inner = getattr(inner, "cr_await", None)
    return f"task {task.get_name()}: {' > '.join(chain)}"


def limit_here() -> float:
    """Seconds that a callback may take in this process, or in one that a test of this process started."""
    return LIMIT * float(os.environ.get(CROWD, "1"))


def calibrate() -> None:
    """Run the yardstick while nothing else runs, for this process and all that it starts."""
    if int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1")) > 1:
        os.environ[CROWD] = str(CROWDED)
    if QUICKEST not in os.environ:
        os.environ[QUICKEST] = f"{min(_yardstick() for _ in range(10)):.6f}"


def watch_apps(watchdog: Watchdog) -> None:
    """Watch the loop of every Textual app from its first paint to its end."""
    from textual.app import App

    whole: Any = App
    display, process = whole._display, whole._process_messages
    painted: dict[Any, asyncio.AbstractEventLoop] = {}

    def displayed(self: Any, screen: Any, renderable: Any) -> None:
        display(self, screen, renderable)
        if self not in painted and renderable is not None and self._running and not self._batch_count:
            painted[self] = self._loop
            # As Outcrop does at its first paint: pytest's heap is not the program's to look through.
            gc.freeze()
            # The callback that paints is not measured any more.
            watchdog.watch(self._loop)

    async def processed(self: Any, *args: Any, **kwargs: Any) -> None:
        try:
            await process(self, *args, **kwargs)
        finally:
            if self in painted:
                watchdog.leave(painted.pop(self))
                gc.unfreeze()

    whole._display, whole._process_messages = displayed, processed


def begin_in_program() -> None:
    """Watch the app of this process, which a test started; write what is found into the test's folder."""
    folder = Path(os.environ[VARIABLE])

    def found(stall: Stall) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        with (folder / f"{os.getpid()}").open("a", encoding="utf-8") as file:
            file.write(f"{' '.join(sys.argv[1:])}: {stall}\0")

    watch_apps(Watchdog(found, limit_here()))


def read_stalls(folder: Path) -> list[str]:
    """What programs left in a folder."""
    if not folder.is_dir():
        return []
    return [part for path in sorted(folder.iterdir()) for part in path.read_text().split("\0") if part]
