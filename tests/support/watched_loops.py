"""The hooks of pytest that hold every test to `watchdog.limit_here()`; conftest.py takes them over.

A test fails when a callback of an app that it ran took longer, in its own process or in a program that it
started with `programs.Program`. `@pytest.mark.holds_the_loop(reason=...)` lets one through.
"""

from __future__ import annotations

import os
from collections.abc import Generator
from pathlib import Path
from typing import Any

import pytest
from support.at_start.after_import import after_import
from support.watchdog import Stall, Watchdog, calibrate, limit_here, read_stalls, watch_apps

__all__ = [
    "pytest_configure",
    "pytest_runtest_call",
    "pytest_runtest_setup",
    "pytest_runtest_teardown",
    "pytest_terminal_summary",
    "stalls_of_programs",
]

calibrate()
_stalls: list[Stall] = []
_watchdog = Watchdog(_stalls.append, limit_here(), garbage=False)
_folder = pytest.StashKey[Path]()
_PROPERTY = "longest callback"
_SHOWN = 3


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "holds_the_loop(reason): its callbacks may take longer than 50 ms")
    after_import("textual.app", lambda: watch_apps(_watchdog))


def stalls_of_programs(item: pytest.Item, folder: Path) -> None:
    """Have the test fail for what programs leave in this folder."""
    item.stash[_folder] = folder


def _found(item: pytest.Item) -> list[str]:
    """What there is of this test that was not told yet."""
    found = [str(stall) for stall in _stalls]
    _stalls.clear()
    folder = item.stash.get(_folder, None)
    if folder is not None:
        found += read_stalls(folder)
        for path in folder.glob("*"):
            path.unlink()
    return found


def _check(item: pytest.Item) -> None:
    found = _found(item)
    seen = os.environ.get("LOOP_WATCHDOG_LOG")  # a file that collects them instead, for who looks for stalls
    if seen and found:
        with open(seen, "a") as file:
            file.writelines(f"=== {item.nodeid}\n{stall}\n" for stall in found)
        return
    if found and item.get_closest_marker("holds_the_loop") is None:
        raise AssertionError("\n\n".join(found))


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    _found(item)
    _watchdog.longest = (0.0, "")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None]:
    try:
        yield
    finally:
        if _watchdog.longest[0]:
            item.user_properties.append((_PROPERTY, _watchdog.longest))
    _check(item)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_teardown(item: pytest.Item) -> Generator[None]:
    yield
    _check(item)


def pytest_terminal_summary(terminalreporter: Any) -> None:
    longest = [
        (*value, report.nodeid)
        for reports in terminalreporter.stats.values()
        for report in reports
        if isinstance(report, pytest.TestReport) and report.when == "call"
        for name, value in report.user_properties
        if name == _PROPERTY
    ]
    if longest:
        terminalreporter.write_sep("-", "the longest callbacks of event loops")
        for seconds, who, test in sorted(longest, reverse=True)[:_SHOWN]:
            terminalreporter.write_line(f"{seconds * 1000:5.1f} ms  {test}  ({who})")
