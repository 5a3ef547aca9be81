"""What every test gets: private folders, a clean environment, and no network but this machine's."""

from __future__ import annotations

import ipaddress
import os
import socket
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import pytest
from support.watchdog import VARIABLE
from support.watched_loops import (
    pytest_configure,
    pytest_runtest_call,
    pytest_runtest_setup,
    pytest_runtest_teardown,
    pytest_terminal_summary,
    stalls_of_programs,
)

from tui.sandbox.server import SandboxServer

__all__ = [
    "pytest_configure",
    "pytest_runtest_call",
    "pytest_runtest_setup",
    "pytest_runtest_teardown",
    "pytest_terminal_summary",
]

_OURS = ("AWS_", "BEDROCK_", "OUTCROP_", "OPENAI_", "OTEL_")
_PROXIES = ("http_proxy", "https_proxy", "all_proxy", "no_proxy")


_LONG_FIRST: Final = (
    "terminal",
    "signals",
    "token_search",
    "screenshots",
    "kill",
    "session_machine",
    "history",
)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the files that take longest: a worker gets whole files, and the last one works alone."""

    def place(item: pytest.Item) -> int:
        folder, name = item.path.parent.name, item.path.name
        if folder in ("e2e", "pilot") and any(part in name for part in _LONG_FIRST):
            return 0
        return {"e2e": 1, "leaving": 1, "keyring": 1, "pilot": 2, "pane": 3}.get(folder, 4)

    items.sort(key=place)


def pytest_xdist_auto_num_workers(config: pytest.Config) -> int | None:
    """Three workers for two cores, as tests wait for terminals and servers; none for a few files."""
    cores = os.cpu_count() or 1
    return cores + cores // 2 if config.args == config.getini("testpaths") else 0


@pytest.fixture(autouse=True)
def private_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> None:
    for name in list(os.environ):
        if name.startswith(_OURS) or name.lower() in _PROXIES:
            monkeypatch.delenv(name)
    monkeypatch.setenv("OUTCROP_CONFIG_DIR", str(tmp_path / "config"))
    monkeypatch.setenv("OUTCROP_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    # Beside the test's folder, which is the test's to list.
    stalls = tmp_path.with_name(f"{tmp_path.name}-stalls")
    monkeypatch.setenv(VARIABLE, str(stalls))
    stalls_of_programs(request.node, stalls)


@pytest.fixture(autouse=True)
def no_keyring_of_the_machine(monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> None:
    """What tests of the keyring keep in it is not to be found by the tests beside them."""
    if request.node.get_closest_marker("keyring") is None:
        monkeypatch.setenv("PYTHON_KEYRING_BACKEND", "keyring.backends.fail.Keyring")
    # The library chooses its backend once in a process: each test is to choose its own.
    if "keyring.core" in sys.modules:
        monkeypatch.setattr("keyring.core._keyring_backend", None)


def _is_here(family: int, address: Any) -> bool:
    if family == socket.AF_UNIX:
        return True
    host = str(address[0])
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


@pytest.fixture(autouse=True)
def only_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    connect, connect_ex = socket.socket.connect, socket.socket.connect_ex

    def guard(sock: socket.socket, address: Any) -> None:
        if not _is_here(sock.family, address):
            raise AssertionError(f"a test tried to reach {address!r}")

    def guarded(sock: socket.socket, address: Any) -> None:
        guard(sock, address)
        connect(sock, address)

    def guarded_ex(sock: socket.socket, address: Any) -> int:
        guard(sock, address)
        return connect_ex(sock, address)

    monkeypatch.setattr(socket.socket, "connect", guarded)
    monkeypatch.setattr(socket.socket, "connect_ex", guarded_ex)


@pytest.fixture
def sandbox(tmp_path: Path) -> Iterator[SandboxServer]:
    """A real server on loopback, as fast as it can be."""
    server = SandboxServer(tmp_path / "sandbox-state", tokenizer="words")
    server.start()
    try:
        yield server
    finally:
        server.stop()
