"""Runs of the program in one process that share a history: sessions that end, crash and live side by side.

Each has an owner's mark of its own in the history, as two processes have; a crash is a copy of the folder,
taken between two writes, in which nobody of those who wrote it is alive.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from support.sandbox_api import Clock

from tui.config.settings import load_settings
from tui.credentials.credentials import Credentials
from tui.sandbox.server import SandboxServer
from tui.session.session import Session

__all__ = ["ProgramsAtOnce", "rows_of"]


class ProgramsAtOnce:
    """The runs and their folder.

    Args:
        server: What they talk to, as to the sandbox of each.
        folder: Where their histories are made.
        clock: The server's; waiting moves it.
        patch: Gives each run its own mark.

    Attributes:
        data: The folder of the history in use.
    """

    def __init__(self, server: SandboxServer, folder: Path, clock: Clock, patch: pytest.MonkeyPatch) -> None:
        self._server = server
        self._clock = clock
        self._folder = folder
        self._made = 0
        self._alive: dict[Session, str] = {}
        self._opening = ""
        patch.setattr("tui.store.history.this_process", lambda: self._opening)
        patch.setattr("tui.store.abandoned.is_alive", lambda owner: owner in self._alive.values())
        self.data = folder / "0"

    async def start(self) -> Session:
        """Begin a run on the history in use."""
        self._made += 1
        self._opening = f"run {self._made}"
        environ = {"OUTCROP_DATA_DIR": str(self.data), "OUTCROP_CONFIG_DIR": os.environ["OUTCROP_CONFIG_DIR"]}
        settings = load_settings({}, environ).with_sandbox(self._server.base_url())
        credentials = Credentials({"AWS_BEARER_TOKEN_BEDROCK": "sandbox"}, settings.region)
        session = Session(settings, credentials, sleep=self._sleep)
        self._alive[session] = self._opening
        await session.records.call(lambda history: None)  # opened now, under this run's mark
        return session

    async def end(self, session: Session) -> None:
        """End a run in good order."""
        await session.aclose()
        del self._alive[session]

    async def crash(self, session: Session) -> Path:
        """What is on disk at this moment, in a folder that the next runs use; the runs themselves go on."""
        self._made += 1
        left = self._folder / str(self._made)
        await session.records.call(lambda history: shutil.copytree(self.data, left))
        return left

    async def _sleep(self, seconds: float) -> None:
        self._clock.now += seconds
        await asyncio.sleep(0)


def rows_of(data: Path, sql: str) -> list[Any]:
    """What another reader finds in the history's file."""
    with closing(sqlite3.connect(f"file:{data / 'history.db'}?mode=ro", uri=True)) as db:
        return db.execute(sql).fetchall()
