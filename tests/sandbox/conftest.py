from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from support.sandbox_api import Api, Clock, make_pdf

from tui.sandbox.server import SandboxServer


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def api(tmp_path: Path, clock: Clock) -> Iterator[Api]:
    server = SandboxServer(tmp_path / "state", clock=clock)
    made = Api(server, server.start(), clock)
    yield made
    made.http.close()
    server.stop()


@pytest.fixture(scope="module")
def _module_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Api]:
    clock = Clock()
    server = SandboxServer(tmp_path_factory.mktemp("shared"), clock=clock)
    made = Api(server, server.start(), clock)
    yield made
    made.http.close()
    server.stop()


@pytest.fixture
def shared_api(_module_server: Api) -> Api:
    """One server for a module whose tests neither stop it nor look at its files."""
    _module_server.server.clear_faults()
    _module_server.server.log.clear()
    _module_server.clock.now = Clock().now
    return _module_server


@pytest.fixture
def start(tmp_path: Path, clock: Clock) -> Iterator[Callable[..., Api]]:
    """Starts servers with options of their own, on one folder; they are stopped after the test."""
    started: list[Api] = []

    def make(**options: Any) -> Api:
        server = SandboxServer(tmp_path / "state", clock=clock, **options)
        started.append(Api(server, server.start(), clock))
        return started[-1]

    yield make
    for one in started:
        one.http.close()
        one.server.stop()


@pytest.fixture(scope="session")
def pdf_bytes() -> bytes:
    return make_pdf(
        ["Survey of the northern ridge", "The granite layer is 42 metres thick.", "Basalt was not found."],
        ["Second page", "The budget for drilling was 9000 crowns."],
    )
