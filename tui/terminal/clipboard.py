"""The system's clipboard: the operating system's own tool, and the terminal's OSC 52, whichever works.

A tool is known to have worked; a terminal never answers to OSC 52, so where only that was possible the
words say "sent", not "copied". Over SSH the tool would fill the clipboard of the wrong machine, unless a
display is forwarded: the terminal is asked there too.
Sources: xterm's control sequences ("Manipulate Selection Data"); tmux(1), `set-clipboard` and
`load-buffer -w`; GNU screen's manual on device control strings.
"""

from __future__ import annotations

import asyncio
import base64
import sys
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import PurePath
from shutil import which
from typing import Final

from tui.terminal.children import child_environment

__all__ = ["OSC52_CERTAIN", "OSC52_MOST", "Copied", "Tool", "amount", "copy", "osc52", "tools_for"]

OSC52_CERTAIN: Final = 74_994
"""Bytes of text that terminals are known to take: 100,000 of base64, less the sequence around it."""

OSC52_MOST: Final = 750_000
"""Bytes above which nothing is sent: tmux drops input of more than 1 MB, and others the connection."""

_TIME_LIMIT: Final = 5.0
_SCREEN_CHUNK: Final = 240


@dataclass(frozen=True, slots=True)
class Tool:
    """A program that takes the clipboard's text from its standard input.

    Attributes:
        name: As people know it.
        command: What is run.
        encoding: In which it reads.
    """

    name: str
    command: tuple[str, ...]
    encoding: str = "utf-8"


@dataclass(frozen=True, slots=True)
class Copied:
    """What came of it.

    Attributes:
        tool: The tool that took it; empty if none did.
        sent: Whether it was sent to the terminal.
        size: Of the text in bytes.
        problem: What went wrong with the tool, as a sentence; empty for nothing.
    """

    tool: str = ""
    sent: bool = False
    size: int = 0
    problem: str = ""

    @property
    def worked(self) -> bool:
        """Whether the text may be on the clipboard."""
        return bool(self.tool) or self.sent

    def sentence(self, what: str) -> str:
        """Say it; `what` was copied, e.g. `12 lines`."""
        if self.tool:
            also = ", and sent to the terminal (OSC 52)" if self.sent else ""
            return f"Copied {what} with {self.tool}{also}."
        large = f" Many terminals take no more than {OSC52_CERTAIN // 1000} kB of it."
        if self.sent:
            return (
                f"Copied {what} by the terminal (OSC 52).{large if self.size > OSC52_CERTAIN else ''}"
                f"{' ' if self.problem else ''}{self.problem}"
            )
        why = self.problem or "There is no clipboard tool here."
        return (
            f"Not copied: {why} For the terminal (OSC 52) {self.size / 1000:,.0f} kB are too much."
            if self.size > OSC52_MOST
            else f"Not copied: {why}"
        )


def amount(text: str) -> str:
    """How much a text is: `12 lines`, or `40 characters` where it is one line."""
    lines = text.rstrip("\n").count("\n") + 1
    if lines > 1:
        return f"{lines:,} lines"
    return "1 character" if len(text) == 1 else f"{len(text):,} characters"


def tools_for(environ: Mapping[str, str], platform: str = sys.platform) -> list[Tool]:
    """The tools that may work here, the best one first; only those on PATH."""
    wanted: list[Tool] = []
    remote = _is_remote(environ)
    if platform == "darwin" and not remote:
        wanted.append(Tool("pbcopy", ("pbcopy",)))
    if platform == "win32" or environ.get("WSL_DISTRO_NAME"):
        wanted.append(Tool("clip.exe", ("clip.exe",), "utf-16-le"))
    if environ.get("TERMUX_VERSION"):
        wanted.append(Tool("termux-clipboard-set", ("termux-clipboard-set",)))
    if environ.get("WAYLAND_DISPLAY"):
        wanted.append(Tool("wl-copy", ("wl-copy", "--type", "text/plain")))
    if environ.get("DISPLAY"):
        wanted.append(Tool("xclip", ("xclip", "-selection", "clipboard", "-in")))
        wanted.append(Tool("xsel", ("xsel", "--clipboard", "--input")))
    if environ.get("TMUX"):
        # By `-w` tmux passes it on to the terminal around it; a program inside may not ask for that where
        # `set-clipboard` is `external`, as it is by default.
        wanted.append(Tool("tmux", ("tmux", "load-buffer", "-w", "-")))
    path = environ.get("PATH")
    return [tool for tool in wanted if which(tool.command[0], path=path)]


def _is_remote(environ: Mapping[str, str]) -> bool:
    return bool(environ.get("SSH_CONNECTION") or environ.get("SSH_TTY") or environ.get("MOSH_CONNECTION"))


def osc52(text: str, environ: Mapping[str, str]) -> str:
    """The sequence by which a terminal takes `text` to its clipboard, wrapped for what is around it."""
    data = base64.b64encode(text.encode("utf-8", "replace")).decode("ascii")
    sequence = f"\x1b]52;c;{data}\x07"
    if environ.get("TMUX"):
        # As it is for `set-clipboard on`; wrapped for `allow-passthrough on`. tmux drops what it may not do.
        return f"{sequence}\x1bPtmux;\x1b{sequence}\x1b\\"
    if environ.get("STY"):
        chunks = [sequence[at : at + _SCREEN_CHUNK] for at in range(0, len(sequence), _SCREEN_CHUNK)]
        return "".join(f"\x1bP{chunk}\x1b\\" for chunk in chunks)
    return sequence


async def copy(
    text: str,
    write: Callable[[str], None] | None,
    environ: Mapping[str, str],
    *,
    tools: list[Tool] | None = None,
) -> Copied:
    """Put `text` on the clipboard.

    Args:
        text: What.
        write: Writes to the terminal; `None` if there is none.
        environ: The environment of the process.
        tools: Instead of those for this machine.
    """
    size = len(await asyncio.to_thread(text.encode, "utf-8", "replace"))
    took, problem = "", ""
    for tool in tools_for(environ) if tools is None else tools:
        problem = await _run(tool, text)
        if not problem:
            took = tool.name
            break
    terminal = (
        write is not None and size <= OSC52_MOST and (not took or (_is_remote(environ) and took != "tmux"))
    )
    if terminal and write is not None:
        with suppress(OSError):
            write(osc52(text, environ))
            return Copied(took, True, size, problem if not took else "")
    return Copied(took, False, size, problem if not took else "")


async def _run(tool: Tool, text: str) -> str:
    """Hand the text to a tool; returns what went wrong, or nothing."""
    name = PurePath(tool.name).name
    data = await asyncio.to_thread(text.encode, tool.encoding, "replace")
    try:
        process = await asyncio.create_subprocess_exec(
            *tool.command,
            stdin=asyncio.subprocess.PIPE,
            # xclip and wl-copy stay behind to serve the clipboard: with our pipes they would hold us up.
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.DEVNULL,
            env=child_environment(),
            start_new_session=True,
        )
    except OSError as error:
        return f"{name} does not start ({error.strerror or type(error).__name__})."
    try:
        async with asyncio.timeout(_TIME_LIMIT):
            await process.communicate(data)
    except TimeoutError:
        with suppress(ProcessLookupError):
            process.kill()
        await process.wait()
        return f"{name} did not answer within {_TIME_LIMIT:.0f} s."
    return "" if process.returncode == 0 else f"{name} failed (status {process.returncode})."
