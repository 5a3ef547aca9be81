"""Playing a cassette back: `--replay FILE`. Nothing is sent, and nothing comes into the history.

Part of the session layer: the session of such a run is an ordinary one whose transport is the cassette and
whose history is in a folder that goes when it ends.
"""

from __future__ import annotations

import argparse
import asyncio
import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

from tui.config.settings import Settings, load_settings
from tui.core.cassette import Cassette, read_cassette
from tui.core.errors import InputError
from tui.core.text import visible_line
from tui.core.token import SANDBOX_TOKEN
from tui.credentials.credentials import VARIABLE, Credentials
from tui.export_files import open_regular

__all__ = ["Playback", "settings_and_playback", "speed_of"]

_LARGEST: Final = 1_000_000_000


@dataclass(frozen=True, slots=True)
class Playback:
    """A cassette that is about to be played.

    Attributes:
        name: Of its file, for people.
        cassette: What is in it.
        speed: 1 is as it was recorded; `None` does not wait.
        folder: Holds the history of the run.
    """

    name: str
    cassette: Cassette
    speed: float | None
    folder: TemporaryDirectory[str]

    def credentials(self, settings: Settings) -> Credentials:
        """A token that is none: nothing is sent, and no real one is looked for."""
        return Credentials({VARIABLE: SANDBOX_TOKEN}, settings.region)

    async def aclose(self) -> None:
        """Remove the folder."""
        await asyncio.to_thread(self.folder.cleanup)


def speed_of(text: str) -> float | None:
    """Read `--replay-speed`: a factor, or `max` for no waiting at all.

    Raises:
        InputError: It is neither.
    """
    if text == "max":
        return None
    try:
        speed = float(text)
    except ValueError:
        speed = math.nan
    if not 0.01 <= speed <= 1000:  # which NaN is not either
        raise InputError("--replay-speed takes max, or a number from 0.01 to 1000 such as 1 or 2.5.")
    return speed


def _bytes(path: Path) -> bytes:
    """A cassette's file, which is no pipe and no device, and not larger than any cassette.

    Raises:
        InputError: It is none, or cannot be read.
    """
    try:
        place = path.expanduser()
    except RuntimeError:
        place = path
    with open_regular(place) as file:
        data = file.read(_LARGEST + 1)
    if len(data) > _LARGEST:
        raise InputError(f"It is larger than {_LARGEST:,} bytes, which no cassette is.")
    return data


def settings_and_playback(
    options: argparse.Namespace, environ: Mapping[str, str]
) -> tuple[Settings, Playback | None]:
    """The settings of a run, and the cassette that it plays if `--replay` is given.

    Raises:
        ConfigError: Something in the settings is not allowed.
        InputError: The file is no cassette, or an option does not go with it.
    """
    flags: dict[str, Any] = vars(options)
    path: str | None = flags.get("replay")
    if path is None:
        return load_settings(flags, environ), None
    for name in ("sandbox", "base_url", "profile", "continue_latest", "conversation"):
        if flags.get(name):
            raise InputError(f"--replay does not go with --{name.removesuffix('_latest').replace('_', '-')}.")
    shown = visible_line(path)
    speed = speed_of(flags.get("replay_speed", "1"))
    try:
        cassette = read_cassette(_bytes(Path(path)))
    except InputError as error:
        raise InputError(f"{shown}: {error}") from None
    if not cassette.base_url:
        raise InputError(f"{shown} holds no request for a response: there is nothing to play.")
    made_with = cassette.conversation
    chosen: dict[str, Any] = {"base_url": cassette.base_url, "endpoint": None, "profile": None}
    for name in ("model", "region", "continuation", "api"):
        chosen[name] = flags.get(name) or made_with.get(name)
    settings = load_settings({**flags, **chosen}, environ)
    folder = TemporaryDirectory(prefix="outcrop-replay-")
    name = Path(path).name
    settings = replace(
        settings, data_dir=Path(folder.name), cleanup_stored_responses=False, replays=visible_line(name)
    )
    return settings, Playback(name, cassette, speed, folder)
