"""`outcrop history`: the conversations on this machine, without the TUI."""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Iterable
from datetime import datetime
from typing import Any

from tui.config.settings import load_settings
from tui.core.conversation import Conversation, ConversationSummary
from tui.core.items import Turn
from tui.core.text import storable, visible, visible_line
from tui.store.history import History

__all__ = ["run"]

_MOST = 1_000_000


def run(options: argparse.Namespace) -> int:
    """List, show, search, delete, export or import.

    Raises:
        NoSuchConversation: There is none of the id that was given.
        StoreError: The history cannot be read or written.
    """
    if options.action in ("export", "import"):
        from tui.subcommands import leaving

        return leaving.run(options) if options.action == "export" else leaving.take_in(options)
    settings = load_settings({}, os.environ)
    history = History(settings.data_dir / "history.db")
    try:
        match options.action:
            case "list":
                _print_rows(history.list(_MOST), options.json)
            case "search":
                _print_rows(history.search(options.text, _MOST), options.json)
            case "show":
                _show(history.load(options.id), options.json)
            case _:
                _delete(history, options.id, options.json)
    finally:
        history.close()
    return 0


def _delete(history: History, conversation_id: str, as_json: bool) -> None:
    history.load(conversation_id)
    history.delete(conversation_id)
    if as_json:
        print(json.dumps({"deleted": conversation_id}))
    else:
        print(f"Conversation {conversation_id} is deleted.", file=sys.stderr)


def _print_rows(rows: Iterable[ConversationSummary], as_json: bool) -> None:
    rows = list(rows)
    if as_json:
        print(json.dumps([_row(row) for row in rows], indent=2))
        return
    if not rows:
        print("No conversations.", file=sys.stderr)
    for row in rows:
        when = datetime.fromtimestamp(row.updated_at).strftime("%Y-%m-%d %H:%M")
        turns = "turn" if row.turns == 1 else "turns"
        mark = " (sandbox)" if row.sandbox else ""
        print(f"{row.id}  {when}  {row.turns:>3} {turns:<5}  {visible_line(row.title)}{mark}")
        if row.excerpt:
            print(f"              {visible_line(row.excerpt)}")


def _row(row: ConversationSummary) -> dict[str, Any]:
    return {
        "id": row.id,
        "title": row.title,
        "created_at": row.created_at,
        "updated_at": row.updated_at,
        "turns": row.turns,
        "model": row.model or None,
        "sandbox": row.sandbox,
        "excerpt": row.excerpt or None,
    }


def _show(conversation: Conversation, as_json: bool) -> None:
    path = conversation.path()
    if as_json:
        print(json.dumps(_document(conversation, path), indent=2))
        return
    clean = visible if sys.stdout.isatty() else storable
    for turn in path:
        print(clean(f"## You\n\n{turn.prompt}\n"))
        name = turn.target.model if turn.target else "Assistant"
        print(clean(f"## {name}\n\n{turn.text}\n"))
        if turn.error:
            print(clean(f"({turn.error})\n"))


def _document(conversation: Conversation, path: Iterable[Turn]) -> dict[str, Any]:
    return {
        "id": conversation.id,
        "title": conversation.title,
        "created_at": conversation.created_at,
        "sandbox": conversation.sandbox,
        "continuation": conversation.continuation,
        "turns": [
            {
                "id": turn.id,
                "created_at": turn.created_at,
                "outcome": turn.outcome,
                "model": turn.target.model if turn.target else None,
                "region": turn.target.region if turn.target else None,
                "continuation": turn.continuation,
                "response_id": turn.response_id,
                "request_id": turn.request_id,
                "prompt": turn.prompt,
                "text": turn.text,
                "reasoning": turn.reasoning,
                "usage": turn.usage.as_dict() if turn.usage else None,
                "error": turn.error,
            }
            for turn in path
        ],
    }
