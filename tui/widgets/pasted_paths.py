"""Whether a pasted text names files to attach: terminals paste a path when a file is dropped on them."""

from __future__ import annotations

import asyncio
import os
import shlex
import threading
from contextlib import suppress
from urllib.parse import unquote, urlsplit

from tui.core.suffixes import IMAGE_SUFFIXES, PDF_SUFFIX

__all__ = ["files_of_paste", "pasted_paths"]

_LONGEST = 8192  # A longer paste is a text, whatever is in it.
_SUFFIXES = (PDF_SUFFIX, *IMAGE_SUFFIXES)

_SECONDS = 2.0


async def files_of_paste(text: str) -> tuple[str, ...]:
    """As `pasted_paths`, beside the event loop; a place that does not answer within 2 s holds no files.

    A path may lead to a network that is gone, where to ask for a file takes for ever: the thread is a daemon,
    so that it does not hold the program's exit either.
    """
    if not _may_name_files(text):
        return ()
    loop = asyncio.get_running_loop()
    found: asyncio.Future[tuple[str, ...]] = loop.create_future()

    def deliver(paths: tuple[str, ...]) -> None:
        if not found.done():
            found.set_result(paths)

    def look() -> None:
        paths = pasted_paths(text)
        with suppress(RuntimeError):  # the loop was closed meanwhile; nobody waits
            loop.call_soon_threadsafe(deliver, paths)

    threading.Thread(target=look, name="outcrop-paste", daemon=True).start()
    with suppress(TimeoutError):
        async with asyncio.timeout(_SECONDS):
            return await found
    return ()


def _may_name_files(text: str) -> bool:
    return len(text) <= _LONGEST and any(suffix in text.lower() for suffix in _SUFFIXES)


def pasted_paths(text: str) -> tuple[str, ...]:
    """The existing PDFs and images that the whole text names, in order; empty when it is anything else.

    Understood are a plain path, with spaces or `~` too, a quoted one, one with backslashes before spaces,
    `file://` URLs, several of these separated by line breaks or spaces, and what file managers copy: a
    `text/uri-list` (RFC 2483) with its comments, or a first line `copy`.
    """
    text = text.strip()
    if not _may_name_files(text):
        return ()
    lines = [line for line in text.splitlines() if not line.startswith("#")]
    if len(lines) > 1 and lines[0].strip() in ("copy", "cut"):
        del lines[0]
    for parts in ((text,), tuple(lines), _shell_words(text)):
        paths = tuple(path for part in parts if (path := _path(part)))
        if paths and len(paths) == len([part for part in parts if part.strip()]):
            return paths
    return ()


def _shell_words(text: str) -> tuple[str, ...]:
    try:
        return tuple(shlex.split(text))
    except ValueError:  # an apostrophe that opens nothing
        return ()


def _path(text: str) -> str:
    """The file that one piece of text names, or an empty text."""
    text = text.strip()
    forms = [text]
    if len(text) > 1 and text[0] == text[-1] and text[0] in "'\"":
        forms.append(text[1:-1])
    if len(words := _shell_words(text)) == 1:
        forms.append(words[0])
    for form in forms:
        path = _of_url(form) if form.lower().startswith("file:") else os.path.expanduser(form)
        if (
            path.lower().endswith(_SUFFIXES)
            and "\0" not in path
            and "\n" not in path
            and os.path.isfile(path)
        ):
            return path
    return ""


def _of_url(url: str) -> str:
    try:
        parts = urlsplit(url)
    except ValueError:
        return ""
    return unquote(parts.path) if parts.netloc in ("", "localhost") else ""
