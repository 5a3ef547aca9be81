"""Finding files by a part of their name: one folder, or a folder with all that is below it.

Reads folders and files: call it off the event loop.
"""

from __future__ import annotations

import os
import re
import stat
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from time import monotonic
from typing import Final, TypeVar

from tui.core.daemon import in_daemon
from tui.core.suffixes import IMAGE_SUFFIXES, PDF_SUFFIX
from tui.core.text import visible_line

__all__ = [
    "FoundFile",
    "Walk",
    "ask_disk",
    "fuzzy",
    "kind_of",
    "list_folder",
    "read_text",
    "split_path",
    "walk",
]

_MOST: Final = 20_000
_SECONDS: Final = 1.5
_SKIPPED: Final = frozenset({"__pycache__", "node_modules", "site-packages", "target", "venv"})
_LONGEST_TEXT: Final = 1_000_000
_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class FoundFile:
    """A file or folder.

    Attributes:
        path: Below the folder that was searched, with `/` between the parts and none at the end.
        is_folder: Whether it is a folder.
    """

    path: str
    is_folder: bool = False

    @property
    def name(self) -> str:
        """The last part of the path."""
        return self.path.rpartition("/")[2]

    @property
    def shown(self) -> str:
        """The path as it can be drawn, a folder's with a slash."""
        return visible_line(self.path) + ("/" if self.is_folder else "")


@dataclass(frozen=True, slots=True)
class Walk:
    """What is below a folder.

    Attributes:
        files: Files and folders, those near the top first.
        whole: Whether that is all; else there was too much.
    """

    files: tuple[FoundFile, ...]
    whole: bool


async def ask_disk(work: Callable[[], _T], nothing: _T, *, seconds: float = 2.0) -> _T:
    """What work on the file system gives, beside the event loop; `nothing` where it takes longer.

    A path may lead to a network that is gone, where to ask for a file takes for ever: the thread is a daemon,
    so that it does not hold the program's exit either. An error of the work is raised here.
    """
    found = await in_daemon(work, seconds, name="outcrop-disk")
    return nothing if found is None else found[0]


def kind_of(name: str) -> str:
    """What a file's name says it is: `PDF`, `image` or an empty text."""
    lowered = name.lower()
    if lowered.endswith(PDF_SUFFIX):
        return "PDF"
    return "image" if lowered.endswith(IMAGE_SUFFIXES) else ""


def list_folder(folder: str, *, hidden: bool = False) -> tuple[FoundFile, ...]:
    """What lies in a folder, folders last, by name; empty where it cannot be read."""
    entries: list[FoundFile] = []
    try:
        with os.scandir(folder) as listing:
            for entry in listing:
                if hidden or not entry.name.startswith("."):
                    entries.append(FoundFile(entry.name, _is_folder(entry)))
    except OSError:
        return ()
    return tuple(sorted(entries, key=lambda entry: (entry.is_folder, entry.name.lower())))


def walk(folder: str, *, most: int = _MOST, seconds: float = _SECONDS) -> Walk:
    """What lies in a folder and below it, but for hidden files and folders that programs fill.

    Links to folders are shown and not followed, so that it ends.
    """
    until = monotonic() + seconds
    found: list[FoundFile] = []
    waiting = deque([""])
    while waiting:
        below = waiting.popleft()
        for entry in list_folder(os.path.join(folder, below)):
            path = f"{below}/{entry.path}" if below else entry.path
            found.append(FoundFile(path, entry.is_folder))
            link = entry.is_folder and os.path.islink(os.path.join(folder, path))
            if entry.is_folder and not link and entry.path not in _SKIPPED:
                waiting.append(path)
            if len(found) >= most:
                return Walk(tuple(found), False)
        if monotonic() > until:
            return Walk(tuple(found), not waiting)
    return Walk(tuple(found), True)


def fuzzy(typed: str, files: Iterable[FoundFile], most: int = 200) -> list[FoundFile]:
    """The files whose path has the letters typed, in their order; the best first.

    Words (between blanks) are looked for one by one. A name that begins with what is typed comes before one
    that holds it, then a path that holds it, then letters spread over the path; the shorter path first.
    """
    words = [word.lower() for word in typed.split()]
    if not words:
        return list(files)[:most]
    spread = [re.compile(".*?".join(map(re.escape, word))) for word in words]
    ranked: list[tuple[int, int, str, FoundFile]] = []
    for file in files:
        path = file.path.lower()
        if all(pattern.search(path) for pattern in spread):
            rank = sum(_rank(word, path) for word in words)
            ranked.append((rank, len(path), path, file))
    ranked.sort(key=lambda entry: entry[:3])
    return [entry[3] for entry in ranked[:most]]


def split_path(typed: str, base: str) -> tuple[str, str]:
    """The folder that a typed path names, and what is typed of the name in it.

    Args:
        typed: Such as `~/papers/gra`, `/tmp/`, `../x`; without a slash all of it is the name.
        base: The folder that a relative path starts from.
    """
    folder, slash, start = typed.rpartition("/")
    if typed in ("~", "..", "."):
        folder, slash, start = typed, "/", ""
    if not slash:
        return base, typed
    return os.path.normpath(os.path.join(base, os.path.expanduser(f"{folder}/"))), start


def read_text(path: str) -> str:
    """The text of a regular file, to be put into a prompt.

    Raises:
        ValueError: It is no text that can be put there; a sentence says why.
    """
    name = visible_line(os.path.basename(path))
    try:
        # Without waiting for a pipe's writer; a device is not read either.
        descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_CLOEXEC", 0))
        with os.fdopen(descriptor, "rb") as file:
            if not stat.S_ISREG(os.fstat(descriptor).st_mode):
                raise ValueError(f"{name} is no regular file.")
            data = file.read(_LONGEST_TEXT + 1)
    except OSError as error:
        raise ValueError(f"{name} cannot be read: {(error.strerror or 'no reason given').lower()}.") from None
    if len(data) > _LONGEST_TEXT:
        raise ValueError(f"{name} is longer than 1 MB; nothing was inserted.")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = "\0"
    if "\0" in text:
        raise ValueError(f"{name} is no text, no PDF and no image; it cannot go with a prompt.")
    return text


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:  # a link in a circle
        return False


def _rank(word: str, path: str) -> int:
    name = path.rpartition("/")[2]
    tests: Sequence[bool] = (name.startswith(word), word in name, word in path)
    return next((number for number, true in enumerate(tests) if true), len(tests))
