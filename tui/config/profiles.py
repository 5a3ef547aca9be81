"""Profiles: OpenAI-compatible base URLs of the user's own, each under a name and with a token of its own.

They are tables of the config file:

    [profiles.gateway]
    base_url = "https://gateway.example/v1"
    model = "gpt-5.4"              # taken with this profile unless --model says otherwise
    token_env = "GATEWAY_TOKEN"    # the variable that holds its token; else the keyring is asked
    token_name = "gateway"         # its name in the keyring; by default the profile's

A profile's token is sent to its base URL and nowhere else, and a Bedrock key never to a profile's.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, cast
from urllib.parse import urlsplit

from tui.config.values import closest, normalized_base_url, shown
from tui.core.errors import ConfigError

__all__ = ["PROFILE_PREFIX", "Profile", "read_profiles"]

PROFILE_PREFIX: Final = "profile:"
_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,39}")
_VARIABLE: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,99}")
_TAKEN: Final = frozenset({"mantle", "runtime", "custom", "sandbox", "default"})
_FIELDS: Final = ("base_url", "model", "token_env", "token_name")


@dataclass(frozen=True, slots=True)
class Profile:
    """A named base URL.

    Attributes:
        name: As given with `--profile`; it is also the name of its endpoint.
        base_url: Normalized.
        model: The model to take with it; empty for that of the settings.
        token_env: The environment variable that holds its token; empty for none.
        token_name: The token's name in the keyring.
    """

    name: str
    base_url: str
    model: str
    token_env: str
    token_name: str

    @property
    def token_place(self) -> str:
        """Under what the credentials know its token; no region is spelled so."""
        return PROFILE_PREFIX + self.token_name


def read_profiles(document: Mapping[str, Any], path: Path) -> dict[str, Profile]:
    """The profiles of a config file, by name.

    Raises:
        ConfigError: A table holds something it must not, or two profiles share a token and not a host.
    """
    tables: object = document.get("profiles", {})
    if not isinstance(tables, dict):
        raise ConfigError(f"{path}, profiles: must be tables, e.g. [profiles.gateway] with a base_url.")
    found: dict[str, Profile] = {}
    for name, table in cast("dict[str, object]", tables).items():
        where = f"{path}, profiles.{name if _NAME.fullmatch(name) else shown(name)}"
        if not _NAME.fullmatch(name) or name.lower() in _TAKEN:
            taken = f"{', '.join(sorted(_TAKEN))} are taken"
            raise ConfigError(f"{where}: a name is letters, digits, '.', '-' and '_'; {taken}.")
        if not isinstance(table, dict):
            raise ConfigError(f"{where}: must be a table with a base_url.")
        found[name] = _profile(name, cast("dict[str, object]", table), where)
    _check_tokens(found, path)
    return found


def _profile(name: str, table: Mapping[str, object], where: str) -> Profile:
    for key in table:
        if key in _FIELDS:
            continue
        if key.lower() in ("token", "api_key", "bearer_token", "key"):
            raise ConfigError(
                f"{where}: a token does not belong in a file; name its variable with token_env, or use "
                f"`outcrop token set --profile {name}`."
            )
        raise ConfigError(
            f"{where}: unknown key {shown(key)}{closest(key, _FIELDS)}. Allowed: {', '.join(_FIELDS)}."
        )
    texts = {key: _text(table, key, where) for key in _FIELDS}
    if not texts["base_url"]:
        raise ConfigError(f"{where}: base_url is missing.")
    if texts["token_env"] and not _VARIABLE.fullmatch(texts["token_env"]):
        raise ConfigError(
            f"{where}, token_env: {shown(texts['token_env'])} is not the name of a variable. "
            "It names where the token is, it does not hold it."
        )
    token_name = texts["token_name"] or name
    if not _NAME.fullmatch(token_name):
        raise ConfigError(f"{where}, token_name: a name is letters, digits, '.', '-' and '_'.")
    base_url = normalized_base_url(texts["base_url"], f"{where}, base_url")
    return Profile(name, base_url, texts["model"], texts["token_env"], token_name)


def _text(table: Mapping[str, object], key: str, where: str) -> str:
    value = table.get(key, "")
    if not isinstance(value, str) or any(not c.isprintable() or c.isspace() for c in value.strip()):
        raise ConfigError(f"{where}, {key}: must be one word as a text.")
    return value.strip()


def _check_tokens(profiles: Mapping[str, Profile], path: Path) -> None:
    """A token that two profiles share would go to two hosts."""
    for profile in profiles.values():
        for other in profiles.values():
            if urlsplit(profile.base_url)[:2] == urlsplit(other.base_url)[:2]:
                continue
            for key in ("token_env", "token_name"):
                if (shared := getattr(profile, key)) and shared == getattr(other, key):
                    raise ConfigError(
                        f"{path}: the profiles {profile.name} and {other.name} share the {key} "
                        f"{shown(shared)} and not the host; a profile's token goes to its own host only."
                    )
