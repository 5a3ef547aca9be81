"""Changes one key of `config.toml`, and leaves the user's comments and order as they are."""

from __future__ import annotations

import os
import stat
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import Any

from tui.core.errors import ConfigError
from tui.core.text import visible_line
from tui.private_files import make_private_folder

__all__ = ["write_setting"]


def write_setting(path: Path, key: str, value: str | int | float | bool) -> None:
    """Set a top-level key of the config file; the file and its folder are made where they are missing.

    The new file takes the old one's place at once, so that a crash leaves the one or the other. A symbolic
    link stays: what it leads to is replaced. A file keeps its mode; a new one is the user's alone.

    Raises:
        ConfigError: It cannot be read, is no TOML, is no plain file, or cannot be written; nothing changed.
    """
    import tomlkit
    from tomlkit.exceptions import TOMLKitError

    target = Path(os.path.realpath(path))
    shown = visible_line(str(path))
    try:
        old = _old(target)
        document: Any = tomlkit.parse(old or "")
        if document.get(key) == value and old is not None:
            return
        document[key] = value
        _replace(
            target, tomlkit.dumps(document), None if old is None else stat.S_IMODE(target.stat().st_mode)
        )
    except (TOMLKitError, UnicodeDecodeError):
        raise ConfigError(f"{shown} is not valid TOML, so {key} is not kept in it.") from None
    except OSError as error:
        why = os.strerror(error.errno).lower() if error.errno else "it is no plain file"
        raise ConfigError(f"{shown} cannot be written, so {key} is not kept: {why}.") from None


def _old(target: Path) -> str | None:
    """The file's text; `None` where there is none."""
    try:
        if not stat.S_ISREG(target.stat().st_mode):
            raise OSError("no plain file")
    except FileNotFoundError:
        return None
    # As bytes: reading as text would turn CR LF into LF, and the whole file would change.
    return target.read_bytes().decode("utf-8")


def _replace(target: Path, text: str, mode: int | None) -> None:
    make_private_folder(target.parent)
    # mkstemp's file is new, readable for its owner only, and no link that somebody put there.
    handle, name = tempfile.mkstemp(prefix=".config-", suffix=".toml", dir=target.parent)
    try:
        with os.fdopen(handle, "w", encoding="utf-8", newline="") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        os.chmod(name, 0o600 if mode is None else mode)
        os.replace(name, target)
    except BaseException:
        with suppress(OSError):
            os.unlink(name)
        raise
