"""`outcrop cassette save`: a conversation's requests and answers in one file, to be played with --replay."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

from tui.config.settings import load_settings
from tui.core.cassette import cassette_text
from tui.core.conversation import Conversation
from tui.core.errors import InputError
from tui.core.export import Export
from tui.core.text import visible_line
from tui.export_files import write_export
from tui.store.history import History

__all__ = ["run"]


def run(options: argparse.Namespace) -> int:
    """Write the file, for this user only; returns the exit status.

    Raises:
        InputError: There is no such conversation, or nothing of it is recorded, or the file is there already.
        StoreError: The history cannot be read.
    """
    history = History(load_settings({}, os.environ).data_dir / "history.db")
    try:
        named = None if options.id == "last" else options.id
        conversation_id = named or history.latest(options.sandbox)
        if conversation_id is None:
            raise InputError("There is no conversation yet.")
        conversation = history.load(conversation_id)
        exchanges = history.load_exchanges(conversation_id)
    finally:
        history.close()
    if not exchanges:
        raise InputError(f"Of conversation {visible_line(conversation_id)} no request is recorded.")
    made_with = {
        "title": conversation.title,
        "model": conversation.model,
        "region": conversation.region,
        "continuation": conversation.continuation,
        "api": _first_api(conversation),
        "instructions": conversation.instructions,
        "controls": conversation.controls.as_json(),
        "path": [turn.id for turn in conversation.path()],
    }
    data = cassette_text(exchanges, made_with).encode()
    for path, size in write_export(Export(data, "json"), Path(options.output), over=options.force):
        print(visible_line(f"{path}: {len(exchanges):,} exchanges, {size:,} bytes"), file=sys.stderr)
    return 0


def _first_api(conversation: Conversation) -> str | None:
    """The API over which it was begun: it is played from its beginning."""
    targets = [turn.target for turn in conversation.path() if turn.target is not None]
    return targets[0].api if targets else conversation.api
