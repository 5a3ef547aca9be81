"""Opening a link in the browser: only when asked, and only what a browser or a mail program is for."""

from __future__ import annotations

import asyncio
import sys
from contextlib import suppress
from dataclasses import dataclass
from typing import Final
from urllib.parse import unquote, urlsplit

from tui.core.text import visible_line
from tui.terminal.children import child_environment

__all__ = ["Link", "open_link", "read_link"]

_SCHEMES: Final = frozenset({"http", "https", "mailto"})
_TIME_LIMIT: Final = 10.0
# In a process of its own session, without a terminal: what a browser prints cannot get onto the screen, and
# one that draws in the terminal fails instead of taking ours.
_OPEN: Final = "import sys, webbrowser; sys.exit(not webbrowser.open(sys.argv[1]))"


@dataclass(frozen=True, slots=True)
class Link:
    """Where a link leads.

    Attributes:
        href: As written, made safe to show.
        place: The host or the mail address; empty where it is neither.
        refusal: Why it is not opened, as a sentence; empty if it may be.
        caution: What to look at before opening it; empty for nothing.
    """

    href: str
    place: str = ""
    refusal: str = ""
    caution: str = ""


def read_link(href: str) -> Link:
    """Take a link apart; nothing is looked up."""
    shown = visible_line(href)
    try:
        parts = urlsplit(href.strip())
        host = parts.hostname or ""
    except ValueError:
        return Link(shown, refusal="This is no address that a browser could open.")
    scheme = parts.scheme.lower()
    if scheme not in _SCHEMES:
        what = f"It begins with {visible_line(scheme)}:" if scheme else "It has no http:// or https://"
        return Link(shown, refusal=f"{what}; only http, https and mailto links are opened.")
    if any(not char.isprintable() or char.isspace() for char in href.strip()):
        return Link(shown, refusal="It holds characters that no address has, so it is not opened.")
    if scheme == "mailto":
        more = f"It fills in more of the mail: {visible_line(unquote(parts.query))}." if parts.query else ""
        return Link(shown, visible_line(parts.path), caution=more)
    if "\\" in href:
        # A browser takes it for a slash, and another part of the address for the host.
        return Link(shown, refusal="It holds a backslash, which no address has, so it is not opened.")
    if not host:
        return Link(shown, refusal="It names no host, so it is not opened.")
    caution = ""
    if "@" in parts.netloc:
        caution = f"What stands before the @ is no host: it leads to {visible_line(host)}."
    elif "xn--" in host or not host.isascii():
        caution = "The host's name has letters that may look like others."
    return Link(shown, visible_line(host), caution=caution)


async def open_link(href: str) -> str:
    """Have the desktop open a link that `read_link` does not refuse; returns what went wrong, or nothing."""
    try:
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-c",
            _OPEN,
            href.strip(),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.DEVNULL,
            env=child_environment(),
            start_new_session=True,
        )
    except OSError as error:
        return f"The browser does not start ({error.strerror or type(error).__name__})."
    try:
        async with asyncio.timeout(_TIME_LIMIT):
            status = await process.wait()
    except TimeoutError:
        with suppress(ProcessLookupError):
            process.kill()
        await process.wait()
        return f"The browser did not answer within {_TIME_LIMIT:.0f} s."
    return "" if status == 0 else "There is no browser here that could open it."
