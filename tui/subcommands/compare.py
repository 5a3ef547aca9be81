"""`outcrop compare`: one prompt to several targets at once; figures, answers, differences."""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import shutil
import sys
import textwrap
from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from tui.config.settings import load_settings
from tui.core.attachments import doubts
from tui.core.compare.differences import Difference, difference, marked
from tui.core.compare.figures import ColumnFigures, document, likely_words, table_lines
from tui.core.compare.targets import TargetWords, labels, parse_target
from tui.core.errors import InputError, TokenError, TokenRefused
from tui.core.events import SessionEvent
from tui.core.items import Outcome
from tui.core.text import printable, visible, visible_line
from tui.session.compare import Column, Comparing, check_count
from tui.session.session import Session
from tui.startup import conversation_asked_for, make_session
from tui.subcommands.ask import Interrupts, read_prompt
from tui.subcommands.ask_structured import choose_schema
from tui.subcommands.ask_words import say, words_of

__all__ = ["run"]

_WIDTH: Final = 100
"""Columns where the output goes to no terminal."""


def run(options: argparse.Namespace) -> int:
    """Send the prompt to all targets; returns the exit status.

    0 where all answers completed, 1 where one failed, 3 where that was for want of a token, 4 where one came
    incomplete, 130 where it was interrupted.

    Raises:
        InputError: A target, the prompt or a file cannot be sent; then nothing was.
        ConfigError: Something in the settings is not allowed.
    """
    settings = load_settings(vars(options), os.environ)
    words = [parse_target(text, settings.catalogue) for text in options.targets]
    if len(words) == 1:
        # Against what is asked anyway.
        words.insert(0, TargetWords())
    check_count(words)
    prompt = read_prompt(options.prompt, sys.stdin)
    return asyncio.run(_compare(make_session(settings), words, prompt, options))


async def _compare(
    session: Session, words: Sequence[TargetWords], prompt: str, options: argparse.Namespace
) -> int:
    task = asyncio.current_task()
    assert task is not None
    interrupted = Interrupts(task)
    columns: list[Column] = []
    try:
        await session.get_ready()
        base = await conversation_asked_for(session, options)
        await choose_schema(session, base, options)
        comparing = Comparing(session, base)
        columns += [await comparing.column(one) for one in words]
        files: list[str] = getattr(options, "files", [])
        attachments = [await session.attach(path) for path in files]
        if not prompt and not attachments:
            raise InputError("There is no prompt: give PROMPT, pipe it in, or attach a file with -f.")
        for sentence in doubts(attachments):
            say(sentence, sys.stderr)
        await comparing.estimate(columns, prompt, attachments)
        await _say_before(comparing, columns, options)
        await comparing.name(columns, prompt)
        stopped = False
        try:
            await comparing.send(columns, prompt, attachments, _tell)
        except asyncio.CancelledError:
            if not interrupted.signal:
                raise
            # What came is shown; the next signal is not waited for.
            task.uncancel()
            stopped = True
        await _print(comparing, columns, prompt, options)
        return 128 + interrupted.signal if stopped else _status(comparing, columns)
    finally:
        await session.aclose()


async def _say_before(comparing: Comparing, columns: Sequence[Column], options: argparse.Namespace) -> None:
    """What is taken otherwise than was said, what it is likely to cost, what the budgets say of it.

    Raises:
        InputError: A budget is used up.
    """
    for number, column in enumerate(columns, 1):
        for sentence in column.said:
            say(f"{number}: {sentence}", sys.stderr)
    estimates = [column.estimate for column in columns]
    if not columns[0].asked.target.sandbox:
        say(f"{len(columns)} requests, {likely_words(estimates)}.", sys.stderr)
    decision = await comparing.budget(columns)
    if decision.state == "ask" and not options.over_budget:
        raise InputError(f"{decision.text} Nothing was sent; --over-budget sends it all the same.")
    for sentence in decision.sentences:
        say(sentence, sys.stderr)


def _tell(column: Column, event: SessionEvent) -> None:
    """Say what a person should know while it runs, with the model that it is about."""
    if sentence := words_of(event):
        say(f"{column.words or column.asked.target.model}: {sentence}", sys.stderr)


def _status(comparing: Comparing, columns: Sequence[Column]) -> int:
    figures = [comparing.figures(column) for column in columns]
    if any(isinstance(column.failure, TokenError | TokenRefused) for column in columns):
        return 3
    if any(one.outcome not in (Outcome.COMPLETED, Outcome.INCOMPLETE) for one in figures):
        return 1
    return 4 if any(one.outcome is Outcome.INCOMPLETE for one in figures) else 0


async def _print(
    comparing: Comparing, columns: Sequence[Column], prompt: str, options: argparse.Namespace
) -> None:
    texts = [turn.text if (turn := comparing.turn(column)) else "" for column in columns]
    found: list[tuple[int, int, Difference]] = []
    if options.diff:
        # All with the first: as a rule that is what the others are held against.
        for second in [index for index in range(1, len(columns)) if texts[0] and texts[index]]:
            compared = await asyncio.to_thread(difference, texts[0], texts[second])
            found.append((1, second + 1, compared))
    if options.json:
        rows = [
            (
                column.asked,
                column.conversation_id,
                _figures(comparing, column),
                comparing.turn(column),
                column.estimate,
            )
            for column in columns
        ]
        text = json.dumps(document(prompt, rows, found), indent=2, ensure_ascii=False)
        print(printable(text, sys.stdout.isatty()))
        return
    names = labels([column.asked for column in columns])
    width = shutil.get_terminal_size((_WIDTH, 24)).columns if sys.stdout.isatty() else _WIDTH
    figures = [_figures(comparing, column) for column in columns]
    lines = [visible_line(line) for line in table_lines(names, figures, width)]
    for number, (name, text) in enumerate(zip(names, texts, strict=True), 1):
        if text:
            lines += [
                "",
                _headed(f"{number} {name}", width),
                "",
                printable(text.rstrip("\n"), sys.stdout.isatty()),
            ]
    for first, second, compared in found:
        head = f"{first} → {second}: {compared.words}"
        lines += ["", _headed(head, width), "", *_difference_lines(compared, width)]
    print("\n".join(lines))


def _figures(comparing: Comparing, column: Column) -> ColumnFigures:
    found = comparing.figures(column)
    # The turn's own words are for the person who pressed a key.
    return replace(found, error="Interrupted.") if found.outcome is Outcome.CANCELLED else found


def _headed(title: str, width: int) -> str:
    return f"── {visible_line(title)} ".ljust(width, "─")


def _difference_lines(compared: Difference, width: int) -> list[str]:
    """The differences of two answers: by JSON path, or the text with `[-removed-]` and `{+added+}` in it."""
    if compared.is_none:
        return ["No difference."]
    if compared.changes is not None:
        return [visible_line(change.words()) for change in compared.changes]
    text = "".join(part for piece in compared.pieces for _, part in marked(piece))
    lines: list[str] = []
    for line in visible(text).split("\n"):
        lines += textwrap.wrap(line, width, drop_whitespace=True, break_on_hyphens=False) or [""]
    return lines
