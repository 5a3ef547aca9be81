"""Folders and files that only their owner may read, whatever the umask is."""

from __future__ import annotations

import os
from pathlib import Path

__all__ = ["make_private_folder", "open_private"]


def make_private_folder(folder: Path) -> None:
    """Make a folder and those above it that are missing, each 0700; one that is there stays as it is.

    Raises:
        OSError: It cannot be made.
    """
    missing: list[Path] = []
    while not folder.is_dir():
        missing.append(folder)
        if folder == folder.parent:
            break
        folder = folder.parent
    for one in reversed(missing):
        try:
            one.mkdir(mode=0o700)
        except FileExistsError:
            if not one.is_dir():
                raise
        else:
            # A umask that takes the owner's own rights away would leave a folder that nobody can use.
            one.chmod(0o700)


def open_private(path: Path, flags: int) -> int:
    """Open a file and have it 0600, as far as it is ours; returns the descriptor.

    Args:
        path: The file.
        flags: As for `os.open`.

    Raises:
        OSError: It cannot be opened.
    """
    descriptor = os.open(path, flags | getattr(os, "O_CLOEXEC", 0), 0o600)
    try:
        if os.name == "posix":
            status = os.fstat(descriptor)
            if status.st_mode & 0o777 != 0o600 and status.st_uid == os.geteuid():
                os.fchmod(descriptor, 0o600)
    except BaseException:
        os.close(descriptor)
        raise
    return descriptor
