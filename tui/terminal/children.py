"""What the programs inherit that are started from here (editor, browser, clipboard): all but secrets."""

from __future__ import annotations

import os
from collections.abc import Iterable
from typing import Final

__all__ = ["child_environment", "environment_with_secrets", "own_process"]

_TOKEN: Final = "AWS_BEARER_TOKEN_BEDROCK"
_KEYS: Final = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN")

_named: set[str] = {_TOKEN, *_KEYS}
_taken: dict[str, str] = {}
_owned: list[bool] = []


def own_process() -> None:
    """Say that this process is Outcrop's alone: it may do with the environment as it likes.

    Memory is not to be written to a disk when it crashes, either: the token is in it.
    """
    _owned[:] = [True]
    try:
        import resource
    except ImportError:
        return  # Windows has no such limit.
    _, highest = resource.getrlimit(resource.RLIMIT_CORE)
    # The soft limit: a program that is started from here may want its own back.
    resource.setrlimit(resource.RLIMIT_CORE, (0, highest))


def environment_with_secrets(variables: Iterable[str]) -> dict[str, str]:
    """The environment with the tokens that are or were in it.

    In a process of our own they are taken out of it: a library that starts programs (botocore does, for a
    profile's `credential_process`) gives each of them all of the environment.

    Args:
        variables: Names of those that hold tokens of profiles.
    """
    _named.update(variables)
    if _owned:
        _taken.update((name, os.environ.pop(name)) for name in _named - {*_KEYS} if name in os.environ)
    return {**os.environ, **_taken}


def child_environment() -> dict[str, str]:
    """The environment of a program that is started from here."""
    return {name: value for name, value in os.environ.items() if name not in _named}
