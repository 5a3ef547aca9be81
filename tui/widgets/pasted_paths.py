"""Whether a pasted text is the path of PDF files: terminals paste a path when a file is dropped on them."""

from __future__ import annotations

import os
import shlex
from urllib.parse import unquote, urlsplit

__all__ = ["pasted_pdf_paths"]

_LONGEST = 8192  # A longer paste is a text, whatever is in it.


def pasted_pdf_paths(text: str) -> tuple[str, ...]:
    """The existing `.pdf` files that the whole text names, in order; empty when it is anything else.

    Understood are a plain path, with spaces or `~` too, a quoted one, one with backslashes before spaces,
    `file://` URLs, and several of these separated by line breaks or spaces.
    """
    text = text.strip()
    if not text or len(text) > _LONGEST or ".pdf" not in text.lower():
        return ()
    for parts in ((text,), tuple(text.splitlines()), _shell_words(text)):
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
        if path.lower().endswith(".pdf") and "\0" not in path and "\n" not in path and os.path.isfile(path):
            return path
    return ""


def _of_url(url: str) -> str:
    try:
        parts = urlsplit(url)
    except ValueError:
        return ""
    return unquote(parts.path) if parts.netloc in ("", "localhost") else ""
