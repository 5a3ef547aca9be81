"""Puts the session of a run together; with `--sandbox`, starts the embedded endpoint for it."""

from __future__ import annotations

import os

from tui.config import Settings
from tui.credentials import Credentials
from tui.session import Session

__all__ = ["make_session"]


def make_session(settings: Settings, *, sandbox_rate: float | None = None) -> Session:
    """The session of this run, with the sandbox ready to be started if it is asked for.

    Args:
        settings: As configured.
        sandbox_rate: The sandbox's pace in tokens a second; `None` is as fast as it can.
    """
    credentials = Credentials(
        os.environ,
        settings.region,
        sandbox=settings.sandbox,
        regions=settings.catalogue.regions,
    )
    if not settings.sandbox:
        return Session(settings, credentials)

    def start_sandbox() -> str:
        from tui.sandbox.server import SandboxServer

        server = SandboxServer(settings.data_dir / "sandbox", region=settings.region, rate=sandbox_rate)
        return server.start()

    return Session(settings, credentials, start_sandbox=start_sandbox)
