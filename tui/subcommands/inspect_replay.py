"""`outcrop inspect replay`: a recorded request sent again, with a table of what each came to."""

from __future__ import annotations

import argparse
import json
import os
import sys
from contextlib import aclosing
from dataclasses import asdict
from pathlib import Path

from tui.config.settings import load_settings
from tui.core.errors import InputError
from tui.core.events import TurnEnded
from tui.core.exchange import Exchange
from tui.core.items import Outcome
from tui.core.replays import Replay
from tui.exits import fail
from tui.session.session import Session
from tui.startup import make_session
from tui.subcommands import inspect_text
from tui.subcommands.inspect import exchange_named, opened, print_lines

__all__ = ["replay"]


async def replay(options: argparse.Namespace) -> int:
    """Send it again; 0 when each was completed, 4 when one came incomplete, else 1.

    Raises:
        InputError: There is no such request, or it cannot be sent from this run.
        TokenError: There is no usable token; nothing was sent.
        StoreError: The history cannot be read.
    """
    if options.times < 1:
        raise InputError("-n takes a number from 1 on.")
    with opened() as history:
        exchange = exchange_named(history, options.id, options.conversation)
    body = None if options.body is None else _read(options.body)
    session = make_session(load_settings(vars(options), os.environ))
    try:
        if options.keep:
            return await _keep(session, exchange, body, options)
        return await _table(session, exchange, body, options)
    finally:
        await session.aclose()


def _read(name: str) -> bytes:
    try:
        return sys.stdin.buffer.read() if name == "-" else Path(name).read_bytes()
    except OSError as error:
        raise InputError(f"{name} cannot be read: {error.strerror}.") from None


async def _table(
    session: Session, exchange: Exchange, body: bytes | None, options: argparse.Namespace
) -> int:
    rows: list[Replay] = []
    async with aclosing(session.replay(exchange, options.times, body=body, anyway=options.anyway)) as replays:
        async for row in replays:
            rows.append(row)
            if options.json:
                print(json.dumps(asdict(row)), flush=True)
                continue
            if len(rows) == 1:
                print(inspect_text.replay_titles())
            print_lines([inspect_text.replay_line(len(rows), row)])
            sys.stdout.flush()
    if len(rows) > 1 and not options.json:
        print_lines(["", *inspect_text.span_lines(rows)])
    return _status({row.outcome for row in rows})


async def _keep(session: Session, exchange: Exchange, body: bytes | None, options: argparse.Namespace) -> int:
    if options.times != 1:
        raise InputError("--keep makes one branch; leave -n out.")
    ended: TurnEnded | None = None
    sent = exchange.request_body if body is None else body
    async with aclosing(session.keep_as_branch(exchange, sent, anyway=options.anyway)) as events:
        async for event in events:
            if isinstance(event, TurnEnded):
                ended = event
    assert ended is not None  # the last event, always
    if ended.error is not None:
        return fail(ended.error)
    turn = ended.turn
    if options.json:
        document = {
            "conversation": exchange.conversation_id,
            "turn": turn.id,
            "outcome": turn.outcome,
            "text": turn.text,
        }
        print(json.dumps(document))
    else:
        print_lines(turn.text.split("\n"))
    return _status({str(turn.outcome)})


def _status(outcomes: set[str]) -> int:
    if outcomes <= {Outcome.COMPLETED.value}:
        return 0
    return 4 if outcomes <= {Outcome.COMPLETED.value, Outcome.INCOMPLETE.value} else 1
