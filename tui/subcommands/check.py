"""`outcrop check`: the guide's smoke checks as one command."""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import shutil
import sys
import textwrap
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from tui.checks.context import CheckContext
from tui.checks.running import CheckRun, left_out, left_out_lines
from tui.checks.table import CHECKS, chosen, price_words
from tui.config.settings import load_settings
from tui.core.checks.report import document, junit_xml
from tui.core.checks.results import CheckResult
from tui.core.errors import InputError
from tui.core.text import printable, visible_line
from tui.startup import make_session
from tui.subcommands.ask_tools import terminal_line
from tui.subcommands.check_table import row_lines, summary_lines, title_lines

if TYPE_CHECKING:
    from tui.checks.definition import Check
    from tui.session.session import Session

__all__ = ["run"]


def run(options: argparse.Namespace) -> int:
    """Run the checks; returns the exit status: 0, or 1 where one failed and that was asked for.

    Raises:
        InputError: A check's name is none, a file cannot be written, or something is paid for and nobody said
            that it may be sent.
        ConfigError: Something in the settings is not allowed.
    """
    if options.list:
        _print_list(options.json)
        return 0
    settings = load_settings(vars(options), os.environ)
    # Before anything is sent: what is wrong with the arguments is said at once.
    checks, left = chosen(options.only or (), free=options.free, timing=settings.responsiveness_check)
    if not checks:
        raise InputError("Every check that was named is paid for, and --free leaves those out.")
    if options.json and options.junit == "-":
        raise InputError("--json and --junit - both write to standard output; give --junit a file.")
    return asyncio.run(_act(make_session(settings), checks, left, options))


async def _act(
    session: Session, checks: Sequence[Check], left: Sequence[Check], options: argparse.Namespace
) -> int:
    try:
        await session.warm_up()
        target = session.settings.target()
        price = price_words(checks, target, session.catalogue)
        if price and not target.sandbox and not options.yes and not await _agreed(price):
            checks, left, options.free = (*_free(checks),), (*left, *_paid(checks)), True
        began = time.time()
        conversation = await session.new()
        work = CheckRun(CheckContext(session, target, conversation.id))
        results = await _results(work, checks, left, options)
        if options.json:
            text = json.dumps(document(results, work.about, began), indent=2, ensure_ascii=False)
            print(printable(text, sys.stdout.isatty()))
        if options.junit:
            _write_junit(options.junit, junit_xml(results, work.about, began))
        failed = any(result.state == "failed" for result in results)
        return int(failed and session.settings.fail_on_check_failure)
    finally:
        await session.aclose()


def _free(checks: Sequence[Check]) -> list[Check]:
    return [check for check in checks if not check.paid]


def _paid(checks: Sequence[Check]) -> list[Check]:
    return [check for check in checks if check.paid]


async def _agreed(price: str) -> bool:
    """Ask whether what is paid for may be sent.

    Raises:
        InputError: There is nobody to ask.
    """
    if not (sys.stdin.isatty() and sys.stderr.isatty()):
        raise InputError(
            f"This sends {price} There is no terminal to ask at: give --yes to send them, --free to leave "
            "them out."
        )
    print(visible_line(f"This sends {price}"), file=sys.stderr)
    answer = await terminal_line("Send them? y yes, n only what is free: ")
    if not answer:
        raise KeyboardInterrupt
    return answer.strip().lower() in ("y", "yes")


async def _results(
    work: CheckRun, checks: Sequence[Check], left: Sequence[Check], options: argparse.Namespace
) -> list[CheckResult]:
    """Run them; where the table is wanted, each one's lines come when it has ended."""
    table = not options.json and options.junit != "-"
    width = shutil.get_terminal_size((80, 24)).columns
    results: list[CheckResult] = []

    def add(result: CheckResult) -> None:
        results.append(result)
        if table:
            print("\n".join(row_lines(result, results, width)), flush=True)

    if table:
        print("\n".join(title_lines(width)), flush=True)
    async for result in work.run(checks):
        if result.state != "running":
            add(result)
    if table:
        print("\n" + "\n".join(summary_lines(results, work.target.sandbox)))
        for words in left_out_lines(left, options.free):
            print("\n".join(textwrap.wrap(words, width)))
    results += [left_out(check, free=options.free) for check in left]
    order = {check.name: number for number, check in enumerate(CHECKS)}
    return sorted(results, key=lambda result: order[result.name])


def _write_junit(name: str, data: bytes) -> None:
    """Write the file.

    Raises:
        InputError: It cannot be written.
    """
    if name == "-":
        sys.stdout.write(printable(data.decode(), sys.stdout.isatty()))
        return
    try:
        Path(name).write_bytes(data)
    except OSError as error:
        raise InputError(f"{visible_line(name)} cannot be written: {error.strerror}.") from None


def _print_list(as_json: bool) -> None:
    rows = [
        {"name": check.name, "title": check.title, "paid": check.paid, "requests": check.requests}
        for check in CHECKS
    ]
    if as_json:
        print(json.dumps(rows, indent=2))
        return
    for check in CHECKS:
        price = "free"
        if check.paid:
            price = "1 paid request" if check.requests == 1 else f"{check.requests} paid requests"
        if check.shares:
            price = f"paid: the answer of {check.shares}"
        print(f"{check.name:<16}{check.title:<36}{price}")
