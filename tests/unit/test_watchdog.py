"""The watchdog catches what holds the event loop wherever the program does so, and not what tests do."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from pathlib import Path
from time import thread_time
from typing import Any

import pytest
from support.watchdog import LIMIT, VARIABLE, Stall, Watchdog, _yardstick, read_stalls
from textual.app import App
from textual.message import Message

TESTS = Path(__file__).resolve().parents[1]


def hold(seconds: float) -> None:
    end = thread_time() + seconds
    while thread_time() < end:
        pass


class Asked(Message):
    pass


class Holding(App[None]):
    """Holds the loop where it is told to."""

    seconds = 0.0
    held = 0

    def hold(self) -> None:
        hold(self.seconds)
        self.held += 1

    async def in_worker(self) -> None:
        await asyncio.sleep(0)
        self.hold()

    def on_asked(self) -> None:
        self.hold()


PLACES = {
    "in_worker": lambda app: app.run_worker(app.in_worker),
    "on_asked": lambda app: app.post_message(Asked()),
    "call_later": lambda app: app.call_later(app.hold),
    "a timer": lambda app: app.set_timer(0.001, app.hold),
    "call_soon": lambda app: asyncio.get_running_loop().call_soon(app.hold),
}


@pytest.fixture
def watched(monkeypatch: pytest.MonkeyPatch) -> list[Stall]:
    """What a watchdog of this test's own finds, taking the time as it is; the suite's lets all through."""
    from support import watched_loops

    found: list[Stall] = []
    monkeypatch.setattr(watched_loops._watchdog, "_slowness", lambda: 100.0)
    monkeypatch.setattr(Watchdog, "_slowness", lambda self: 1.0)
    return found


async def run(found: list[Stall], seconds: float, *places: Any, limit: float = LIMIT) -> Watchdog:
    """Run an app that holds the loop in these places, one after the other."""
    watchdog = Watchdog(found.append, limit)
    app = Holding()
    app.seconds = seconds
    async with app.run_test() as pilot:
        await pilot.pause()
        watchdog.watch(asyncio.get_running_loop())
        for number, place in enumerate(places, 1):
            place(app)
            while app.held < number:
                await pilot.pause(0.005)
        await pilot.pause()
        watchdog.leave(asyncio.get_running_loop())
    return watchdog


def in_hold(found: list[Stall]) -> list[Stall]:
    """Without what a busy machine made long."""
    return [stall for stall in found if "hold" in "".join(stall.stacks)]


async def test_60_ms_are_caught_in_each_place_and_the_stack_says_where(watched: list[Stall]) -> None:
    watchdog = await run(watched, 0.060, *PLACES.values())
    caught = in_hold(watched)
    assert len(caught) == len(PLACES), [str(stall) for stall in watched]
    assert all(0.058 <= stall.seconds == stall.measured < 0.15 for stall in caught)
    assert watchdog.longest[0] >= LIMIT
    for stall, name in zip(caught, PLACES, strict=True):
        if name in ("in_worker", "on_asked"):
            assert name in str(stall), str(stall)
        assert "Holding.hold" in str(stall)


async def test_what_is_short_is_let_through(watched: list[Stall]) -> None:
    watchdog = await run(watched, 0.020, *PLACES.values())
    assert in_hold(watched) == []
    assert watchdog.longest[0] >= 0.018 and watchdog.callbacks > 20


async def test_what_the_tests_own_tasks_do_is_theirs(watched: list[Stall]) -> None:
    watchdog = Watchdog(watched.append)

    async def beside() -> None:
        await asyncio.sleep(0)
        hold(0.070)

    async with Holding().run_test() as pilot:
        await pilot.pause()
        watchdog.watch(asyncio.get_running_loop())
        hold(0.070)
        await pilot.pause()
        hold(0.070)
        await asyncio.gather(beside(), beside())
        watchdog.leave(asyncio.get_running_loop())
    assert in_hold(watched) == []
    # And what comes after the last app's end is nobody's.
    asyncio.get_running_loop().call_soon(hold, 0.070)
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert in_hold(watched) == []


def test_a_machine_that_is_slow_now_is_told_from_a_program_that_is() -> None:
    watchdog = Watchdog(lambda stall: None)
    watchdog._quickest = _yardstick() / 50
    assert watchdog._slowness() > 5
    watchdog._quickest = 1.0
    assert watchdog._slowness() == 1.0


_TEST = """
import asyncio, pytest
from textual.app import App
from test_watchdog import hold

@pytest.mark.parametrize("seconds", [0.8, 0.0])
async def test_one(seconds):
    async with App().run_test() as pilot:
        await pilot.pause()
        pilot.app.call_later(hold, seconds)
        await pilot.pause()

@pytest.mark.holds_the_loop(reason="to be let through")
async def test_marked():
    await test_one(0.8)
"""
_PROGRAM = """
import asyncio, sys
from textual.app import App
from test_watchdog import hold

class Program(App):
    def on_mount(self):
        hold(0.2)  # before the first paint
        self.set_timer(0.05, lambda: (hold(float(sys.argv[1])), self.exit()))

asyncio.run(Program().run_async(headless=True, size=(80, 24)))
"""


def test_a_test_fails_by_it_and_a_program_that_a_test_starts_leaves_what_it_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "test_one.py").write_text(_TEST)
    (tmp_path / "conftest.py").write_text("from support.watched_loops import *\n")
    paths = [TESTS / "support" / "at_start", TESTS, TESTS / "unit", TESTS.parent]
    monkeypatch.delenv("LOOP_WATCHDOG_LOG", raising=False)
    environ = {**os.environ, "PYTHONPATH": os.pathsep.join(map(str, paths))}
    pytest_ = [sys.executable, "-m", "pytest", "-q", "-p", "no:xdist", "-o", "asyncio_mode=auto"]
    stalls = tmp_path / "stalls"
    program = [sys.executable, "-c", _PROGRAM]
    runs = [
        subprocess.Popen(
            command, env={**environ, VARIABLE: str(stalls)}, cwd=tmp_path, stdout=subprocess.PIPE, text=True
        )
        for command in ([*pytest_, "-c", os.devnull, "--rootdir", "."], [*program, "0.8"], [*program, "0"])
    ]
    said = [run.communicate(timeout=60)[0] for run in runs]
    assert "1 failed, 2 passed" in said[0], said[0]
    assert "ms on the event loop" in said[0] and "test_one[0.8]" in said[0] and "hold" in said[0]
    assert [run.returncode for run in runs[1:]] == [0, 0], said
    (found,) = (stall for stall in read_stalls(stalls) if stall.startswith("0") and "hold" in stall)
    assert found.startswith("0.8: ") and "ms on the event loop" in found
