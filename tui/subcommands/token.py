"""`outcrop token`: the bearer token in the OS keyring. The token is never an argument and never printed."""

from __future__ import annotations

import argparse
import asyncio
import codecs
import getpass
import os
import sys

from tui.config.profiles import PROFILE_PREFIX
from tui.config.settings import load_settings
from tui.core.errors import InputError, KeyringError, TokenMissing
from tui.credentials.credentials import Credentials
from tui.startup import aws_signing
from tui.terminal.children import environment_with_secrets

__all__ = ["run"]


def run(options: argparse.Namespace) -> int:
    """Keep, describe or remove.

    Raises:
        TokenError: What was entered cannot be a token.
        KeyringError: The keyring did not do what was asked.
        InputError: The region is no region.
    """
    asked = {name: getattr(options, name, None) for name in ("region", "profile", "aws_profile")}
    settings = load_settings(asked, os.environ)
    profile = settings.profiles.get(options.profile or "")
    credentials = Credentials(
        environment_with_secrets(each.token_env for each in settings.profiles.values()),
        settings.region,
        regions=settings.catalogue.regions,
        profiles=settings.profiles.values(),
        aws=aws_signing(settings, os.environ),
    )
    place = profile.token_place if profile else options.region
    match options.action:
        case "set":
            return _set(credentials, place)
        case "status":
            return asyncio.run(_status(credentials, place or settings.region))
        case _:
            return _clear(credentials, place)


def _set(credentials: Credentials, place: str | None) -> int:
    name = asyncio.run(credentials.store(_entered(), place))
    which = "every region without a key of its own" if name == "default" else _words(name)
    print(f"The key is kept in the keyring, for {which}.", file=sys.stderr)
    return 0


def _entered() -> str:
    """The token: typed without echo, or piped in."""
    if sys.stdin.isatty():
        try:
            return getpass.getpass("Bedrock key (not shown): ")
        except EOFError:
            raise TokenMissing("Nothing was entered; the keyring is as it was.") from None
    data = sys.stdin.buffer.read(65536)
    # Some shells pipe UTF-16.
    wide = data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
    text = data.decode("utf-16" if wide else "utf-8", "replace")
    if "\N{REPLACEMENT CHARACTER}" in text:
        # Not in a handler: the error of decoding holds what was entered.
        raise InputError("Standard input holds no key: a key is printable ASCII text.")
    return text


async def _status(credentials: Credentials, place: str) -> int:
    asked = await credentials.load(place)
    status = credentials.status(place)
    named = place.removeprefix(PROFILE_PREFIX) in status.sentence
    print(status.sentence if named else f"{_words(place)}: {status.sentence}")
    if asked.sentence and status.source == "none":
        print(asked.sentence)
    return 0 if status.usable else 3


def _words(place: str) -> str:
    """A region as it is; a profile's token by its name."""
    name = place.removeprefix(PROFILE_PREFIX)
    return f"the token named {name}" if name != place else place


def _clear(credentials: Credentials, place: str | None) -> int:
    try:
        removed = asyncio.run(credentials.clear(place))
    except KeyringError as error:
        raise KeyringError(f"Nothing was removed. {error}") from None
    if removed:
        print(f"Removed from the keyring: {', '.join(map(_words, removed))}.", file=sys.stderr)
    else:
        print("The keyring holds no key of Outcrop's.", file=sys.stderr)
    return 0
