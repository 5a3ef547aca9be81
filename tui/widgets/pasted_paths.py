"""Whether a pasted text names files to attach: terminals paste a path when a file is dropped on them."""

from __future__ import annotations

import os
import shlex
from functools import partial
from urllib.parse import unquote, urlsplit

from tui.core.suffixes import IMAGE_SUFFIXES, PDF_SUFFIX

__all__ = ["files_of_paste", "pasted_paths"]

_LONGEST = 8192  # A longer paste is a text, whatever is in it.
_SUFFIXES = (PDF_SUFFIX, *IMAGE_SUFFIXES)


async def files_of_paste(text: str) -> tuple[str, ...]:
    """As `pasted_paths`, beside the event loop; a place that does not answer in time holds no files."""
    if not _may_name_files(text):
        return ()
    from tui.widgets.file_search import ask_disk

    return await ask_disk(partial(pasted_paths, text), ())


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
