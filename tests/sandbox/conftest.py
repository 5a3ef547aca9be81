from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

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


@pytest.fixture(scope="session")
def pdf_bytes() -> bytes:
    return make_pdf(
        ["Survey of the northern ridge", "The granite layer is 42 metres thick.", "Basalt was not found."],
        ["Second page", "The budget for drilling was 9000 crowns."],
    )
