"""`outcrop token`: the bearer token in the OS keyring. The token is never an argument and never printed."""

from __future__ import annotations

import argparse
import asyncio
import getpass
import os
import sys

from tui.config import Settings, load_settings
from tui.core.errors import InputError, KeyringError, TokenMissing
from tui.credentials import Credentials

__all__ = ["run"]


def run(options: argparse.Namespace) -> int:
    """Keep, describe or remove.

    Raises:
        TokenError: What was entered cannot be a token.
        KeyringError: The keyring did not do what was asked.
        InputError: The region is no region.
    """
    settings = load_settings({"region": options.region}, os.environ)
    credentials = Credentials(os.environ, settings.region, regions=settings.catalogue.regions)
    match options.action:
        case "set":
            return _set(credentials, options.region)
        case "status":
            return asyncio.run(_status(credentials, settings))
        case _:
            return _clear(credentials, options.region)


def _set(credentials: Credentials, region: str | None) -> int:
    name = asyncio.run(credentials.store(_entered(), region))
    which = "every region without a key of its own" if name == "default" else name
    print(f"The key is kept in the keyring, for {which}.", file=sys.stderr)
    return 0


def _entered() -> str:
    """The token: typed without echo, or piped in."""
    if sys.stdin.isatty():
        try:
            return getpass.getpass("Bedrock key (not shown): ")
        except EOFError:
            raise TokenMissing("Nothing was entered; the keyring is as it was.") from None
    try:
        return sys.stdin.buffer.read(65536).decode("ascii")
    except UnicodeDecodeError:
        raise InputError("Standard input holds no key: a key is printable ASCII text.") from None


async def _status(credentials: Credentials, settings: Settings) -> int:
    asked = await credentials.load(settings.region)
    status = credentials.status(settings.region)
    named = settings.region in status.sentence
    print(status.sentence if named else f"{settings.region}: {status.sentence}")
    if asked.sentence and status.source == "none":
        print(asked.sentence)
    return 0 if status.usable else 3


def _clear(credentials: Credentials, region: str | None) -> int:
    try:
        removed = asyncio.run(credentials.clear(region))
    except KeyringError as error:
        raise KeyringError(f"Nothing was removed. {error}") from None
    if removed:
        print(f"Removed from the keyring: {', '.join(removed)}.", file=sys.stderr)
    else:
        print("The keyring holds no key of Outcrop's.", file=sys.stderr)
    return 0
