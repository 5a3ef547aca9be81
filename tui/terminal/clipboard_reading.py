"""What the system's clipboard holds, for a Ctrl+V that reached the program as a key.

Most terminals paste by a key of their own (often Ctrl+Shift+V) and send the text; then none of this is used.
Files and pictures do not come that way: the operating system's own tool is asked for them.
Sources: wl-paste(1); xclip(1); xsel(1); RFC 2483 (text/uri-list); AppleScript's `the clipboard`; PowerShell's
Get-Clipboard; tmux(1), `save-buffer`.
"""

from __future__ import annotations

import asyncio
import re
import sys
from asyncio.subprocess import DEVNULL, PIPE
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from shutil import which
from typing import Final

from tui.terminal.children import child_environment

__all__ = ["Clipping", "read_clipboard"]

_SECONDS: Final = 3.0
_LARGEST: Final = 64_000_000
_FILES: Final = ("x-special/gnome-copied-files", "text/uri-list")
_TEXTS: Final = ("text/plain;charset=utf-8", "UTF8_STRING", "text/plain", "STRING", "TEXT")
_IMAGES: Final = ("image/png", "image/jpeg", "image/webp", "image/gif")
_HEX: Final = re.compile(rb"PNGf([0-9A-Fa-f]+)")


@dataclass(frozen=True, slots=True)
class Clipping:
    """What was found.

    Attributes:
        text: Text, or the paths or URLs of files, one on a line.
        image: A picture's bytes; empty for none.
        tool: Which program was asked; empty where there is none.
    """

    text: str = ""
    image: bytes = b""
    tool: str = ""

    @property
    def is_empty(self) -> bool:
        """Whether there was nothing that can be pasted."""
        return not self.text and not self.image


async def read_clipboard(environ: Mapping[str, str], platform: str = sys.platform) -> Clipping:
    """Read the clipboard with the first tool there is; three seconds at most for each question."""
    if platform == "darwin" and which("pbpaste"):
        return await _mac()
    if environ.get("WAYLAND_DISPLAY") and which("wl-paste"):
        return await _typed("wl-paste", ("--list-types",), ("--no-newline", "--type"))
    if environ.get("DISPLAY") and which("xclip"):
        of_type = ("-selection", "clipboard", "-o", "-t")
        return await _typed("xclip", (*of_type, "TARGETS"), of_type)
    if environ.get("DISPLAY") and which("xsel"):
        return await _text("xsel", ("xsel", "--clipboard", "--output"))
    shell = which("powershell.exe") or (which("powershell") if platform == "win32" else None)
    if shell:
        command = (
            "$f = Get-Clipboard -Format FileDropList; if ($f) { $f.FullName } else { Get-Clipboard -Raw }"
        )
        return await _text("powershell", (shell, "-NoProfile", "-Command", command))
    if environ.get("TMUX") and which("tmux"):
        return await _text("tmux", ("tmux", "save-buffer", "-"))
    return Clipping()


async def _typed(tool: str, list_types: Sequence[str], of_type: Sequence[str]) -> Clipping:
    """Ask which kinds there are, then for the best: files, text, a picture."""
    kinds = (await _run((tool, *list_types))).decode("utf-8", "replace").split("\n")
    present = {kind.strip() for kind in kinds}
    for wanted in (*_FILES, *_TEXTS, *_IMAGES):
        if wanted in present:
            data = await _run((tool, *of_type, wanted))
            if data and wanted in _IMAGES:
                return Clipping(image=data, tool=tool)
            if data:
                return Clipping(text=_decoded(data), tool=tool)
    return Clipping(tool=tool)


async def _mac() -> Clipping:
    files = await _run(("osascript", "-e", "POSIX path of (the clipboard as «class furl»)"))
    if files.strip():
        return Clipping(text=_decoded(files).strip(), tool="osascript")
    text = await _run(("pbpaste",))
    if text:
        return Clipping(text=_decoded(text), tool="pbpaste")
    printed = await _run(("osascript", "-e", "the clipboard as «class PNGf»"))
    # Megabytes of hexadecimal digits.
    return Clipping(image=await asyncio.to_thread(_of_hex, printed), tool="osascript")


def _of_hex(printed: bytes) -> bytes:
    found = _HEX.search(printed)
    return bytes.fromhex(found[1].decode()) if found else b""


async def _text(tool: str, command: Sequence[str]) -> Clipping:
    return Clipping(text=_decoded(await _run(command)), tool=tool)


def _decoded(data: bytes) -> str:
    return data.decode("utf-8", "replace").replace("\r\n", "\n")


async def _run(command: Sequence[str]) -> bytes:
    """What a command prints; empty when it fails, takes too long or prints too much."""
    try:
        process = await asyncio.create_subprocess_exec(
            *command, stdin=DEVNULL, stdout=PIPE, stderr=DEVNULL, env=child_environment()
        )
    except OSError:
        return b""
    assert process.stdout is not None
    try:
        async with asyncio.timeout(_SECONDS):
            parts: list[bytes] = []
            size = 0
            while part := await process.stdout.read(1 << 16):
                parts.append(part)
                size += len(part)
                if size > _LARGEST:
                    return b""
            return b"".join(parts) if await process.wait() == 0 else b""
    except TimeoutError:
        return b""
    finally:
        if process.returncode is None:
            with suppress(ProcessLookupError):
                process.kill()
            await process.wait()
