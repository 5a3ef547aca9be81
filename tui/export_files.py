"""Writing an export to disk: the main file and what belongs beside it, readable by its owner alone."""

from __future__ import annotations

import os
import stat
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from tui.core.errors import InputError
from tui.core.export import Export
from tui.core.text import visible_line
from tui.private_files import open_private

__all__ = ["export_path", "open_regular", "taken", "write_export"]


def export_path(typed: str) -> Path:
    """The file that a typed path means.

    Raises:
        InputError: Nothing was typed, or it is a folder, or its folder is not there.
    """
    if not typed.strip():
        raise InputError("Type the path of a file.")
    path = Path(typed.strip()).expanduser()
    if path.is_dir() or typed.strip().endswith(("/", os.sep)):
        raise InputError(f"{visible_line(typed.strip())} is a folder; add a file's name.")
    if not path.parent.is_dir():
        raise InputError(f"There is no folder {visible_line(str(path.parent))}.")
    return path


@contextmanager
def open_regular(path: Path) -> Generator[BinaryIO]:
    """Open a regular file for reading, and nothing that would be waited for.

    Raises:
        InputError: It is none, or cannot be read; the sentence does not name it.
    """
    try:
        # Without O_NONBLOCK, a pipe that nobody writes to would be waited for.
        descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_CLOEXEC", 0))
        with os.fdopen(descriptor, "rb") as file:
            if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
                raise InputError("It is no regular file.")
            yield file
    except OSError as error:
        raise InputError(f"It cannot be read: {(error.strerror or 'no reason given').lower()}.") from None


def taken(made: Export, path: Path) -> list[Path]:
    """Which of the files that would be written are there already."""
    return [target for target, _ in _files(made, path) if target.exists() or target.is_symlink()]


def write_export(made: Export, path: Path, *, over: bool = False) -> list[tuple[Path, int]]:
    """Write the main file and its side files beside it; new files, of mode 0600.

    Args:
        made: What to write.
        path: Of the main file.
        over: Whether files that are there are replaced.

    Returns:
        Each path with its size in bytes.

    Raises:
        InputError: One of them is there already, or cannot be written.
    """
    there = taken(made, path)
    if there and not over:
        raise InputError(f"{visible_line(str(there[0]))} is there already.")
    rows = _files(made, path)
    for target, data in rows:
        try:
            # A new file each time, so that nobody has it open, and its mode is ours.
            target.unlink(missing_ok=True)
            with os.fdopen(open_private(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL), "wb") as file:
                file.write(data)
        except OSError as error:
            reason = (error.strerror or "no reason given").lower()
            raise InputError(f"{visible_line(str(target))} cannot be written: {reason}.") from None
    return [(target, len(data)) for target, data in rows]


def _files(made: Export, path: Path) -> list[tuple[Path, bytes]]:
    return [(path, made.data), *((path.parent / file.name, file.data) for file in made.files)]
