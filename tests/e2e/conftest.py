"""One server for all tests of a module that run the program itself, and a private place for each test."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from support.programs import Program

from tui.sandbox.server import SandboxServer


@pytest.fixture(scope="module")
def shared_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SandboxServer]:
    with SandboxServer(tmp_path_factory.mktemp("server")) as server:
        yield server


@pytest.fixture
def server(shared_server: SandboxServer) -> Iterator[SandboxServer]:
    """The module's server with an empty log and no faults left over."""
    shared_server.log.clear()
    yield shared_server
    shared_server.clear_faults()


@pytest.fixture
def program(server: SandboxServer, tmp_path: Path) -> Program:
    """The program, talking to the server as to any endpoint."""
    return Program(tmp_path, f"http://127.0.0.1:{server.port}/openai/v1")


@pytest.fixture
def offline(tmp_path: Path) -> Program:
    """The program with a base URL where nobody listens, for what must not get as far as sending."""
    return Program(tmp_path, "http://127.0.0.1:9/openai/v1")


@pytest.fixture
def slow(tmp_path: Path) -> Iterator[SandboxServer]:
    """A server of the test's own that writes as quickly as a quick model."""
    with SandboxServer(tmp_path / "slow", rate=60) as server:
        yield server
