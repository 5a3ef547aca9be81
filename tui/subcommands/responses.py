"""`outcrop responses`: what the server keeps of what was sent from this machine."""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import sys
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from tui.config.settings import load_settings
from tui.core.errors import OutcropError, WireError
from tui.core.text import storable, visible, visible_line
from tui.exits import exit_status
from tui.session.responses import Deletion, StoredRow
from tui.session.session import Session
from tui.startup import make_session

__all__ = ["run"]

_DAY = 86_400.0


def run(options: argparse.Namespace) -> int:
    """List, show, delete or clean; returns the exit status.

    Raises:
        InputError: An id is empty, or the response was made where this run does not talk to.
        TokenError: There is no usable token.
        WireError: The server could not be asked, or does not know the response (404).
        StoreError: The history cannot be read or written.
    """
    settings = load_settings(vars(options), os.environ)
    return asyncio.run(_act(make_session(settings), options))


async def _act(session: Session, options: argparse.Namespace) -> int:
    try:
        match options.action:
            case "list":
                return await _list(session, options)
            case "show":
                _print_object(await session.responses.retrieve(options.id))
                return 0
            case "delete":
                return _report(await session.responses.delete(options.ids), options.json)
            case _:
                return await _clean(session, options.json)
    finally:
        await session.aclose()


async def _list(session: Session, options: argparse.Namespace) -> int:
    rows = await session.responses.list()
    if options.all:
        rows += await session.responses.list(deleted=True)
    if {"sandbox", "base_url"} & vars(options).keys():
        rows = [row for row in rows if row.reachable]
    if options.json:
        print(json.dumps([_document(row) for row in rows], indent=2))
        return 0
    if not rows:
        print("No stored response is known here.", file=sys.stderr)
    for row in rows:
        kept = row.response
        when = datetime.fromtimestamp(kept.created_at).strftime("%Y-%m-%d %H:%M")
        where = "sandbox" if kept.target.sandbox else f"{kept.target.region} {kept.target.endpoint}"
        line = f"{kept.response_id}  {when}  {kept.target.model}  {where}  {_state(row)}"
        print(visible_line(line))
    return 0


async def _clean(session: Session, as_json: bool) -> int:
    status = _report(await session.responses.clean(), as_json)
    others = [row.response.target.sandbox for row in await session.responses.list() if not row.reachable]
    if others and not as_json:
        print(f"outcrop: {_out_of_reach(others, session.settings.sandbox)}", file=sys.stderr)
    return status


def _out_of_reach(sandboxes: Sequence[bool], here: bool) -> str:
    """How many stay because this run does not talk to where they were made, and what reaches them.

    Args:
        sandboxes: Of each, whether it was made with the sandbox.
        here: Whether this run talks to the sandbox.
    """
    other_kind = sum(sandbox != here for sandbox in sandboxes)
    kind = "with the service (run it without --sandbox)" if here else "with the sandbox (--sandbox)"
    parts = [f"{other_kind} made {kind}"] if other_kind else []
    if elsewhere := len(sandboxes) - other_kind:
        parts.append(f"{elsewhere} made at another base URL (--base-url; `responses show ID` says which)")
    return f"Not reached from this run: {', '.join(parts)}."


def _state(row: StoredRow) -> str:
    if row.state == "deleted":
        return "deleted"
    if row.state == "unknown":
        days = "unknown: the answer never ended"
    else:
        days = f"kept for {row.left / _DAY:.0f} more days"
    return f"{days}, to be deleted" if row.response.delete_wanted else days


def _document(row: StoredRow) -> dict[str, Any]:
    kept = row.response
    return {
        "id": kept.response_id,
        "model": kept.target.model,
        "region": kept.target.region,
        "endpoint": kept.target.endpoint,
        "sandbox": kept.target.sandbox,
        "created_at": kept.created_at,
        "age_days": round(row.age / _DAY, 3),
        "days_left": round(row.left / _DAY, 3),
        "conversation": kept.conversation_id,
        "deleted_at": kept.deleted_at,
        "delete_wanted": kept.delete_wanted,
        "state": row.state,
    }


def _print_object(value: dict[str, Any]) -> None:
    text = json.dumps(value, indent=2, ensure_ascii=False)
    print(visible(text) if sys.stdout.isatty() else storable(text))


def _report(results: Sequence[Deletion], as_json: bool) -> int:
    """What became of each; 0 when all are deleted, else the status of the first failure."""
    if as_json:
        rows = [
            {"id": one.response_id, "deleted": one.deleted, "error": _error(one.error)} for one in results
        ]
        print(json.dumps(rows, indent=2))
    failed = [one for one in results if one.error is not None]
    for one in failed:
        print(visible_line(f"outcrop: {one.response_id} is not deleted: {one.error}"), file=sys.stderr)
    if not as_json:
        count = len(results) - len(failed)
        print(f"{count} {'response is' if count == 1 else 'responses are'} deleted.", file=sys.stderr)
    return next((exit_status(one.error) for one in failed if one.error is not None), 0)


def _error(error: OutcropError | None) -> dict[str, object] | None:
    if error is None:
        return None
    if isinstance(error, WireError):
        return error.as_dict()
    return {"message": str(error), "code": None, "status": None, "retryable": False}
