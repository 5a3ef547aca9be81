"""`outcrop ask --schema`: the form of the answer, and an answer of that form on stdout."""

from __future__ import annotations

import argparse
import sys
from dataclasses import replace
from typing import TextIO

from tui.core.errors import InputError, OutcropError
from tui.core.events import AnswerChecked, SessionEvent
from tui.core.items import Outcome, Turn
from tui.core.structured.output_format import format_problems
from tui.core.structured.strict import Problem
from tui.core.text import storable, visible
from tui.session.session import Session
from tui.subcommands.ask_words import say, words_of

__all__ = ["StructuredText", "choose_schema", "not_valid"]

_SHOWN = 20


async def choose_schema(session: Session, conversation_id: str, options: argparse.Namespace) -> None:
    """Ask for what `--schema` says, mended with `--mend-schema`.

    Raises:
        InputError: There is no such schema, or it breaks a strict rule; the sentence tells the places.
    """
    words: str | None = getattr(options, "schema", None)
    if words is None:
        if getattr(options, "mend_schema", False):
            raise InputError("--mend-schema needs --schema.")
        return
    text_format = await session.find_format(words)
    if problems := format_problems(text_format):
        if not getattr(options, "mend_schema", False):
            lines = [f"  {problem}" for problem in problems[:_SHOWN]]
            offer = "--mend-schema mends it" if any(problem.mendable for problem in problems) else ""
            more = f"  … and {len(problems) - _SHOWN} more" if len(problems) > _SHOWN else ""
            raise InputError(
                "\n".join(
                    part
                    for part in ("The schema breaks strict rules:", *lines, more, offer and f"{offer}.")
                    if part
                )
            )
        from tui.session.schemas import mended_format

        text_format = mended_format(text_format)
        say(f"The schema was mended at {len(problems)} place{'s' * (len(problems) != 1)}.", sys.stderr)
    controls = session.conversation(conversation_id).controls
    await session.set_controls(conversation_id, replace(controls, text_format=text_format or None))


def not_valid(turn: Turn, problems: tuple[Problem, ...] | None) -> bool:
    """Whether a turn that was asked for in a form ended without a valid answer."""
    return bool(turn.text_format) and (bool(problems) or bool(turn.refusal))


class StructuredText:
    """The JSON on stdout when it is whole, and everything else on stderr."""

    def __init__(self, stdout: TextIO, stderr: TextIO) -> None:
        self._stdout = stdout
        self._stderr = stderr
        self._checked: AnswerChecked | None = None

    def show(self, event: SessionEvent) -> None:
        """Say what a person should know; the text waits until it is whole."""
        match event:
            case AnswerChecked():
                self._checked = event
            case _:
                self._say(words_of(event))

    def step(self, turn: Turn) -> None:
        """Nothing is printed before the answer is whole."""

    def end(self, turn: Turn, conversation_id: str, error: OutcropError | None) -> None:
        """Print the answer, and on stderr why it is none, or what is wrong with it."""
        if turn.error and turn.outcome is not Outcome.CANCELLED:
            self._say(turn.error)
        if turn.refusal:
            self._say(f"The model refused: {turn.refusal}")
        elif turn.outcome is Outcome.INCOMPLETE and turn.text:
            self._say(
                f"{len(turn.text):,} characters of JSON that is not whole are kept in conversation "
                f"{conversation_id}."
            )
        if self._checked is None:
            return
        problems = self._checked.problems
        is_json = not (problems and problems[0].text.startswith("the answer is no JSON: "))
        text = turn.text.rstrip("\n") + "\n"
        stream = self._stdout if is_json else self._stderr
        stream.write(visible(text) if stream.isatty() else storable(text))
        stream.flush()
        for problem in problems:
            self._say(str(problem))

    def _say(self, sentence: str) -> None:
        say(sentence, self._stderr)
