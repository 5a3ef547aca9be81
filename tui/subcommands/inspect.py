"""`outcrop inspect`: the request inspector without the TUI."""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import sys
from collections.abc import Generator, Iterable
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from tui.config.settings import load_settings
from tui.core.byte_diff import byte_diff
from tui.core.cache_analysis import CacheReport, CacheRules, cache_report, previous_create
from tui.core.errors import InputError, NoSuchConversation
from tui.core.exchange import Exchange
from tui.core.exchange_filter import parse_filter
from tui.core.export import Export, Unsupported, export, export_har
from tui.core.json_diff import Change, json_changes
from tui.core.text import storable, visible, visible_line
from tui.export_files import taken, write_export
from tui.store.history import History
from tui.subcommands import inspect_text

__all__ = ["run"]

_SHORTEST: Final = 3


def run(options: argparse.Namespace) -> int:
    """List, show, export, compare or replay; returns the exit status.

    Raises:
        InputError: There is no such exchange, it has no such form, or a file is there already.
        StoreError: The history cannot be read or written.
        TokenError: A replay has no usable token.
    """
    if options.action == "replay":
        from tui.subcommands.inspect_replay import replay

        return asyncio.run(replay(options))
    with opened() as history:
        match options.action:
            case "list":
                _list(history, options)
            case "show":
                _show(history, options)
            case "export":
                _export(history, options)
            case _:
                _diff(history, options)
    return 0


@contextmanager
def opened() -> Generator[History]:
    """The history of this machine, closed afterwards."""
    history = History(load_settings({}, os.environ).data_dir / "history.db")
    try:
        yield history
    finally:
        history.close()


def exchange_named(history: History, name: str, conversation_id: str | None) -> Exchange:
    """The exchange that a word of the command line means.

    Args:
        history: Where to look.
        name: `last`, `-N`, an id or its beginning; within a conversation also a number.
        conversation_id: Only in this conversation.

    Raises:
        InputError: There is none, or more than one.
    """
    places = history.exchange_places(conversation_id)
    if not places:
        where = f"in the conversation {visible_line(conversation_id)}" if conversation_id else "yet"
        raise InputError(f"No request is recorded {where}.")
    shown = visible_line(name)
    back = 1 if name == "last" else int(name[1:]) if name[:1] == "-" and name[1:].isdigit() else 0
    if back or name[:1] == "-":
        if not 0 < back <= len(places):
            raise InputError(f"There is no request {shown}: {len(places):,} are recorded, -1 is the last.")
        found = [places[-back].id]
    elif conversation_id and name.isdigit():
        found = [place.id for place in places if place.number == int(name)][-1:]
    else:
        found = [place.id for place in places if place.id == name]
        if not found and len(name) >= _SHORTEST:
            found = [place.id for place in places if place.id.startswith(name)]
    if len(found) > 1:
        raise InputError(f"{len(found)} requests have an id that begins with {shown}; give more of it.")
    exchange = history.load_exchange(found[0]) if found else None
    if exchange is None:
        raise InputError(f"There is no request {shown}; `outcrop inspect list` shows those there are.")
    return exchange


def _list(history: History, options: argparse.Namespace) -> None:
    wanted = parse_filter(" ".join(options.filter))
    found: list[Exchange | dict[str, Any] | str] = []
    for place in reversed(history.exchange_places(options.conversation)):
        if options.limit and len(found) >= options.limit:
            break
        # One at a time: with their bodies they may be megabytes each.
        exchange = history.load_exchange(place.id)
        if exchange is not None and wanted.matches(exchange):
            found.append(
                inspect_text.row_document(exchange) if options.json else inspect_text.exchange_line(exchange)
            )
    found.reverse()
    if options.json:
        print(json.dumps(found, indent=2))
        return
    if not found:
        print(
            "No such request is recorded." if options.filter else "No request is recorded.", file=sys.stderr
        )
    for line in found:
        print(visible_line(str(line)))


def _show(history: History, options: argparse.Namespace) -> None:
    exchange = exchange_named(history, options.id, options.conversation)
    if options.json:
        document = inspect_text.exchange_document(exchange, _report(history, exchange))
        print(json.dumps(document, indent=2))
    elif options.part == "request":
        _write(export(exchange, "http").data)
    elif options.part == "response":
        _write(exchange.response_body)
    elif options.part == "stream":
        print_lines(inspect_text.stream_lines(exchange))
    else:
        print_lines(inspect_text.summary_lines(exchange, _report(history, exchange)))


def _report(history: History, exchange: Exchange) -> CacheReport | None:
    """What the cache did; with the conversation's other requests and turns, where they are kept."""
    if not exchange.conversation_id:
        return None
    try:
        conversation = history.load(exchange.conversation_id)
    except NoSuchConversation:
        conversation = None
    others = history.load_exchanges(exchange.conversation_id)
    rules = CacheRules.of(load_settings({}, os.environ).catalogue.model(exchange.model))
    return cache_report(exchange, others, conversation, rules)


def _export(history: History, options: argparse.Namespace) -> None:
    if options.id == "all":
        if options.form != "har":
            raise InputError("Only a HAR holds several requests: `--as har`.")
        conversation_id = options.conversation or exchange_named(history, "last", None).conversation_id
        made = export_har(history.load_exchanges(conversation_id))
    else:
        exchange = exchange_named(history, options.id, options.conversation)
        try:
            made = export(exchange, options.form)
        except Unsupported as error:
            raise InputError(str(error)) from None
    if options.output:
        _save(made, Path(options.output), force=options.force)
        return
    if made.files:
        names = ", ".join(file.name for file in made.files)
        raise InputError(f"It needs a file beside it ({names}): give -o FILE, and both are written.")
    _write(made.data)


def _save(made: Export, path: Path, *, force: bool) -> None:
    there = taken(made, path)
    if there and not force:
        raise InputError(f"{visible_line(str(there[0]))} is there already; --force writes over it.")
    for target, size in write_export(made, path, over=force):
        print(visible_line(f"{target}: {size:,} bytes"), file=sys.stderr)


def _diff(history: History, options: argparse.Namespace) -> None:
    new = exchange_named(history, options.a, options.conversation)
    if options.b is None:
        before = previous_create(new, history.load_exchanges(new.conversation_id))
        if before is None:
            raise InputError("There is no request before it in its conversation; name another: diff A B.")
        old = before
    else:
        old, new = new, exchange_named(history, options.b, options.conversation)
    changes = _changes(old, new)
    bodies = byte_diff(old.request_body, new.request_body)
    if options.json:
        document = {
            "a": old.id,
            "b": new.id,
            "changes": [inspect_text.change_document(change) for change in changes],
            "first_different_byte": bodies.offset,
            "bytes": [bodies.old_size, bodies.new_size],
            "hunks": [{"title": hunk.title, "lines": hunk.lines} for hunk in bodies.hunks],
        }
        print(json.dumps(document, indent=2))
    else:
        print_lines(inspect_text.diff_lines(changes, bodies))


def _changes(old: Exchange, new: Exchange) -> list[Change]:
    try:
        return json_changes(json.loads(old.request_body or b"null"), json.loads(new.request_body or b"null"))
    except (ValueError, RecursionError):
        raise InputError(
            "One of the two bodies is no JSON; compare them as bytes with `show --part request`."
        ) from None


def print_lines(lines: Iterable[str]) -> None:
    """Print foreign lines: made safe for a terminal, as they are through a pipe."""
    clean = visible_line if sys.stdout.isatty() else storable
    for line in lines:
        print(clean(line))


def _write(data: bytes) -> None:
    """Bytes as they are through a pipe; to a terminal only what cannot act on it."""
    if sys.stdout.isatty():
        text = visible(data.decode("utf-8", "backslashreplace"))
        print(text, end="" if text.endswith("\n") else "\n")
    else:
        sys.stdout.flush()
        sys.stdout.buffer.write(data)
