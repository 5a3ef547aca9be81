"""Writing a text in the user's own editor: which one, its file, and what went wrong."""

from __future__ import annotations

import asyncio
import os
import shlex
import tempfile
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from shutil import which
from typing import Final

from tui.core.errors import InputError
from tui.core.text import storable, visible_line
from tui.terminal.children import child_environment

__all__ = ["edit_text", "editor_command"]

_USUAL: Final = ("sensible-editor", "nano", "vim", "vi", "notepad")


def editor_command(environ: Mapping[str, str]) -> list[str]:
    """The editor as it is to be run: `$VISUAL`, `$EDITOR` (words are told apart as in a shell), a usual one.

    Raises:
        InputError: There is none, or the variable names a program that is not there.
    """
    for name in ("VISUAL", "EDITOR"):
        value = environ.get(name, "").strip()
        if not value:
            continue
        try:
            words = shlex.split(value, posix=os.name == "posix")
        except ValueError:
            raise InputError(f"${name} cannot be read: a quotation mark is missing in it.") from None
        program = os.path.expanduser(words[0]) if words else ""
        if which(program) is None:
            raise InputError(f"${name} names {visible_line(program) or 'nothing'}, which cannot be run.")
        return [program, *words[1:]]
    found = next((name for name in _USUAL if which(name)), None)
    if found is None:
        raise InputError("There is no editor: set $VISUAL or $EDITOR to one.")
    return [found]


async def edit_text(
    text: str,
    command: Sequence[str],
    run: Callable[[Sequence[str]], Awaitable[int]] | None = None,
    *,
    what: str = "prompt",
    suffix: str = ".md",
) -> str:
    """Let the editor change a text; returns what was saved.

    The file is private to the user, and gone afterwards. The one line break that editors put at the end of a
    file goes.

    Args:
        text: What is edited.
        command: The editor, as `editor_command` gives it.
        run: Runs it and gives its exit status.
        what: What people call the text.
        suffix: Of the file, by which editors know how to colour it.

    Raises:
        InputError: The editor failed, or left what is no text; the sentence says what became of the text.
    """
    run = run or _run
    handle, name = tempfile.mkstemp(suffix=suffix, prefix=f"outcrop-{what}-")
    path = Path(name)
    try:
        with os.fdopen(handle, "w", encoding="utf-8", newline="\n") as file:
            file.write(storable(text))
        try:
            status = await run([*command, name])
        except OSError as error:
            reason = (error.strerror or "no reason given").lower()
            raise InputError(f"{visible_line(command[0])} cannot be run: {reason}.") from None
        if status != 0:
            raise InputError(
                f"{visible_line(command[0])} ended with status {status}; the {what} is as it was."
            )
        try:
            edited = await asyncio.to_thread(path.read_text, encoding="utf-8")
        except (OSError, UnicodeDecodeError):
            raise InputError(f"What the editor saved is no UTF-8 text; the {what} is as it was.") from None
    finally:
        with suppress(OSError):
            os.unlink(name)
    return edited if text.endswith("\n") else edited.removesuffix("\n")


async def _run(command: Sequence[str]) -> int:
    # Not in a thread, and without a shell: the program goes on streaming meanwhile.
    process = await asyncio.create_subprocess_exec(*command, env=child_environment())
    return await process.wait()
