"""Puts the session of a run together; with `--sandbox`, starts the embedded endpoint for it.

The session's modules take as long to import as the rest of the first picture, and nothing on that picture
needs them. So the TUI gets a session that is made when it warms up (DESIGN.md, "Start-up must be fast").
"""

from __future__ import annotations

import asyncio
import os
import sys
from typing import TYPE_CHECKING, Any, cast

from tui.config.settings import Settings, default_dirs, load_settings
from tui.core.errors import InputError
from tui.core.garbage import collector_paused
from tui.core.text import visible
from tui.crash import Crashes, install
from tui.credentials.credentials import Credentials
from tui.terminal.children import environment_with_secrets

if TYPE_CHECKING:
    import argparse
    from collections.abc import Mapping
    from pathlib import Path

    from tui.core.aws import AwsKeys
    from tui.core.catalogue import Catalogue
    from tui.credentials.aws_signing import AwsSigning
    from tui.session.playback import Playback
    from tui.session.session import Session

__all__ = [
    "aws_signing",
    "conversation_asked_for",
    "make_session",
    "session_after_first_paint",
    "settings_and_playback",
]


def settings_and_playback(
    options: argparse.Namespace, environ: Mapping[str, str]
) -> tuple[Settings, Playback | None]:
    """The settings of a run, and the cassette that it plays if `--replay` is given.

    Raises:
        ConfigError: Something in the settings is not allowed.
        InputError: The file is no cassette, or an option does not go with it.
    """
    if getattr(options, "replay", None) is None:
        return load_settings(vars(options), environ), None
    from tui.session.playback import settings_and_playback as read

    return read(options, environ)


def make_session(
    settings: Settings, *, sandbox_rate: float | None = None, playback: Playback | None = None
) -> Session:
    """The session of this run, with the sandbox ready to be started if it is asked for.

    What there is to say of the history goes to stderr, until somebody else takes it (`Records.tell`).

    Args:
        settings: As configured.
        sandbox_rate: The sandbox's pace in tokens a second; `None` is as fast as it can.
        playback: The cassette that is played instead of asking a server.
    """
    session = _session(settings, _credentials(settings, playback), sandbox_rate, playback)
    session.records.tell(lambda sentence: print(f"outcrop: {visible(sentence)}", file=sys.stderr))
    return session


def session_after_first_paint(
    settings: Settings, *, sandbox_rate: float | None = None, playback: Playback | None = None
) -> Session:
    """As `make_session`; until `get_ready` has ended it has settings, credentials and catalogue only."""
    return cast("Session", _DeferredSession(settings, sandbox_rate, playback))


class _DeferredSession:
    """Stands in front of a session that is made, in a thread, when it gets ready."""

    def __init__(self, settings: Settings, sandbox_rate: float | None, playback: Playback | None) -> None:
        self.credentials = _credentials(settings, playback)
        self.tool_files: tuple[Path, ...] = ()
        self._playback = playback
        self._settings = settings
        self._sandbox_rate = sandbox_rate
        self._making: asyncio.Task[Session] | None = None
        self._made: Session | None = None

    @property
    def settings(self) -> Settings:
        return self._made.settings if self._made is not None else self._settings

    @property
    def catalogue(self) -> Catalogue:
        return self.settings.catalogue

    async def get_ready(self) -> None:
        """Import, make the session, and have it get ready."""
        if self._making is None:
            self._making = asyncio.create_task(self._make())
        with collector_paused(freeze=True):
            made = await asyncio.shield(self._making)
            made.tool_files = self.tool_files
            self._made = made
            await made.get_ready()

    async def warm_up(self) -> None:
        """Get ready, and import what sends."""
        await self.get_ready()
        assert self._made is not None
        await self._made.warm_up()

    async def _make(self) -> Session:
        from tui.core.ahead import imported

        played = ["tui.session.playback_session"] if self._playback is not None else []
        await imported("tui.session.session", *played)
        return _session(self._settings, self.credentials, self._sandbox_rate, self._playback)

    async def aclose(self) -> None:
        """Close the session, if it was made."""
        if self._made is not None:
            await self._made.aclose()

    def __getattr__(self, name: str) -> Any:
        if self._made is None:
            raise RuntimeError(f"session.{name} was used before get_ready ended")
        return getattr(self._made, name)


def _credentials(settings: Settings, playback: Playback | None) -> Credentials:
    credentials = (
        Credentials(
            environment_with_secrets(profile.token_env for profile in settings.profiles.values()),
            settings.region,
            sandbox=settings.sandbox,
            regions=settings.catalogue.regions,
            profiles=settings.profiles.values(),
            aws=aws_signing(settings, os.environ) if settings.aws_profile else None,
            make_aws=lambda: aws_signing(settings, os.environ),
        )
        if playback is None
        else playback.credentials(settings)
    )
    # The history of a replay goes with it; a report stays.
    folder = settings.data_dir if playback is None else default_dirs(os.environ)[1]
    install(Crashes(folder, lambda: credentials.secrets))
    return credentials


def aws_signing(settings: Settings, environ: Mapping[str, str]) -> AwsSigning:
    """What signs with the AWS profile of the settings, or with one that is chosen later."""
    from tui.credentials.aws_signing import AwsSigning

    def find(profile: str) -> AwsKeys:
        from tui.wire.aws_keys import find_keys

        return find_keys(profile)

    return AwsSigning(settings.aws_profile, find, environ)


def _session(
    settings: Settings, credentials: Credentials, sandbox_rate: float | None, playback: Playback | None
) -> Session:
    from tui.session.session import Session

    if playback is not None:
        from tui.session.playback_session import PlaybackSession

        return PlaybackSession(settings, credentials, playback)
    if not settings.sandbox:
        return Session(settings, credentials)

    def start_sandbox() -> str:
        from tui.sandbox.server import SandboxServer

        # Approximate token counts: the real vocabulary takes a second or more to load.
        server = SandboxServer(
            settings.data_dir / "sandbox",
            region=settings.region,
            rate=sandbox_rate,
            tokenizer="words",
        )
        return server.start()

    return Session(settings, credentials, start_sandbox=start_sandbox)


async def conversation_asked_for(session: Session, options: argparse.Namespace) -> str:
    """Open the conversation that the command line names, the latest with `-c`, or a new one.

    Returns:
        Its id; the flags of this run hold for it.

    Raises:
        InputError: There is none of that id.
    """
    named: str | None = getattr(options, "conversation", None)
    if named is not None:
        if not named.strip():
            raise InputError("The id of the conversation is empty.")
        conversation = await session.open(named)
    elif getattr(options, "continue_latest", False):
        conversation = await session.latest() or await session.new()
    else:
        conversation = await session.new()
    await session.apply_flags(conversation.id)
    return conversation.id
