"""`outcrop export`, `outcrop history export` and `import`: conversations leave, and come back."""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from pathlib import Path
from typing import Any, Final

from tui import __version__
from tui.config.settings import load_settings
from tui.core.conversation import Conversation
from tui.core.errors import AttachmentError, InputError
from tui.core.export.request import Export, Unsupported
from tui.core.ids import new_id
from tui.core.leaving.document import as_document, read_document
from tui.core.leaving.markdown import read_markdown
from tui.core.text import visible, visible_line
from tui.export_files import export_path, open_regular, write_export
from tui.session.leaving import leave
from tui.session.options import refused_before
from tui.store.history import History

__all__ = ["read_file", "run", "take_in"]

_LARGEST: Final = 1_000_000_000
"""Bytes of a file that is imported."""

_MOST: Final = 1_000_000


def run(options: argparse.Namespace) -> int:
    """Export a conversation, or all of them; returns the exit status.

    Raises:
        InputError: There is no such conversation, it has no such form, or a file is there already.
        StoreError: The history cannot be read.
    """
    settings = load_settings({}, os.environ)
    path = export_path(options.output) if options.output else None
    beginning = f"{path.stem}-" if path else "outcrop-"
    history = History(settings.data_dir / "history.db")
    try:
        if options.id == "all":
            if options.form != "json":
                raise InputError("All conversations leave as JSON only: --as json.")
            conversations = [history.load(row.id) for row in reversed(history.list(_MOST))]
            if not conversations:
                raise InputError("There is no conversation yet.")
            made = as_document(conversations, __version__)
        else:
            conversation = _one(history, options)
            refused = refused_before(history.refused_parameters())
            made = leave(settings, conversation, options.form, beginning, refused)
    except Unsupported as error:
        raise InputError(str(error)) from None
    finally:
        history.close()
    _give(made, path, over=options.force)
    return 0


def _one(history: History, options: argparse.Namespace) -> Conversation:
    conversation_id = options.id or history.latest(options.sandbox)
    if conversation_id is None:
        other = "; with --sandbox, the last one with the sandbox" if history.latest(True) else ""
        raise InputError(f"There is no conversation yet{other}.")
    return history.load(conversation_id)


def _give(made: Export, path: Path | None, *, over: bool) -> None:
    if path is None and made.files:
        names = ", ".join(file.name for file in made.files)
        raise InputError(f"Its attachments go into files beside it ({visible_line(names)}): give -o FILE.")
    if path is None:
        sys.stdout.write(visible(made.text) if sys.stdout.isatty() else made.text)
    else:
        for target, size in write_export(made, path, over=over):
            print(visible_line(f"{target}: {size:,} bytes"), file=sys.stderr)
    for note in made.notes:
        print(f"{visible_line(note[:1].upper() + note[1:])}.", file=sys.stderr)


# -- coming back -----------------------------------------------------------------------------------------


def take_in(options: argparse.Namespace) -> int:
    """Add the conversations of files to the history; returns the exit status.

    Every file is read before the first is added, so that a bad one leaves nothing half done.

    Raises:
        InputError: A file cannot be read, or holds no conversations.
        StoreError: The history cannot be written.
    """
    settings = load_settings({}, os.environ)
    found: list[Conversation] = []
    for name in options.files:
        try:
            found += _conversations_of(Path(name).expanduser(), settings.attachment_limit)
        except InputError as error:
            raise InputError(f"{visible_line(name)}: {error}") from None
    history = History(settings.data_dir / "history.db")
    rows: list[dict[str, Any]] = []
    try:
        for conversation in found:
            added = history.add_conversation(conversation)
            title = history.load(added.id).title
            rows.append({"id": added.id, "was": conversation.id, "turns": len(added.turns), "title": title})
    finally:
        history.close()
    if options.json:
        print(json.dumps(rows, indent=2))
        return 0
    for row in rows:
        turns = "turn" if row["turns"] == 1 else "turns"
        other = "" if row["id"] == row["was"] else f" (was {row['was']}, which is taken)"
        print(f"{row['id']}  {row['turns']:>3} {turns:<5}  {visible_line(row['title'])}{other}")
    return 0


def _conversations_of(path: Path, limit: int) -> list[Conversation]:
    data = read_file(path)
    if data.lstrip(b"\xef\xbb\xbf \t\r\n")[:1] in (b"{", b"["):
        return list(read_document(data))
    conversation, missing = read_markdown(
        data, new_id(), new_id, time.time(), lambda name: _beside(path.parent / name, limit)
    )
    for name in missing:
        print(
            f"{visible_line(name)} does not lie beside {visible_line(path.name)}: left out.", file=sys.stderr
        )
    return [conversation]


def _beside(path: Path, limit: int) -> dict[str, Any] | None:
    """The content part of a PDF or picture beside a file; `None` where there is none that can be sent."""
    from tui.session.attachments import read_attachment

    try:
        return read_attachment(path, limit=limit).content_part()
    except AttachmentError:
        return None


def read_file(path: Path) -> bytes:
    """A regular file, whole, from one descriptor.

    Raises:
        InputError: It is no such file, too large, or cannot be read.
    """
    with open_regular(path) as file:
        size = os.fstat(file.fileno()).st_size
        if size > _LARGEST:
            raise InputError(f"It has {size:,} bytes; {_LARGEST:,} are read at most.")
        return file.read(_LARGEST)
