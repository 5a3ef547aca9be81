"""The turns of a path as a table, made as it is looked at; and the search through them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from tui.core import figures
from tui.core.conversation import Conversation
from tui.core.items import Outcome, Turn
from tui.core.tools import is_tool_step
from tui.screens.turn_blocks import attachment_lines
from tui.widgets.columns import Cell, Column, layout, table_row, titles_row
from tui.widgets.rows import Mark, Row

__all__ = ["OUTCOMES", "TurnLine", "TurnTable", "TurnWords", "find_lines", "is_large", "turn_lines"]

_COLUMNS: Final = (
    Column("number", "turn", 4, 5, 0, right=True),
    Column("branch", "branch", 6, 7, 0),
    Column("prompt", "prompt", 20, 90, 0),
    Column("outcome", "ended", 10, 10, 1),
    Column("mode", "sent", 9, 9, 2),
    Column("input", "in", 5, 5, 3, right=True),
    Column("output", "out", 5, 5, 3, right=True),
    Column("when", "when", 15, 16, 4),
    Column("model", "model", 14, 24, 5),
)
OUTCOMES: Final[dict[Outcome | None, tuple[str, Mark]]] = {
    Outcome.COMPLETED: ("completed", "success"),
    Outcome.INCOMPLETE: ("incomplete", "warning"),
    Outcome.CANCELLED: ("stopped", "warning"),
    Outcome.FAILED: ("failed", "error"),
    None: ("running", "accent"),
}
_LONGEST: Final = 400
"""Characters of a prompt that a line keeps."""
_LARGE: Final = 100_000
"""Characters of a turn's input from which it is not read while the list is drawn."""


@dataclass(frozen=True, slots=True)
class TurnLine:
    """A turn as it stands in the list.

    Attributes:
        turn: The turn; `None` for the one that would be sent next, where a branch begins.
        number: Its place on the path, counted from 1.
        branch: Which of several branches it begins, `2/3`; empty where the path does not part.
    """

    turn: Turn | None
    number: int
    branch: str


@dataclass(frozen=True, slots=True)
class TurnWords:
    """What a line says of the prompt.

    Attributes:
        prompt: Its beginning, one line.
        files: Name and size of each file sent with it.
        step: Whether it is no prompt: the turn carries what tools returned.
    """

    prompt: str
    files: tuple[str, ...] = ()
    step: bool = False

    @classmethod
    def of(cls, turn: Turn) -> TurnWords:
        """Read a turn's input, which may be large."""
        if is_tool_step(turn):
            calls = len(turn.input)
            return cls("output of a tool call" if calls == 1 else f"outputs of {calls} tool calls", step=True)
        words = " ".join(turn.prompt[: 4 * _LONGEST].split())[:_LONGEST]
        return cls(words, tuple(line for item in turn.input for line in attachment_lines(item)))


def turn_lines(conversation: Conversation) -> list[TurnLine]:
    """The lines of the path; no item is read for them, so that ten thousand are there at once."""
    marks = conversation.branch_marks()
    path = conversation.path()
    lines = [
        TurnLine(turn, number, str(marks[turn.id]) if turn.id in marks else "")
        for number, turn in enumerate(path, 1)
    ]
    if mark := marks.get(None):
        lines.append(TurnLine(None, len(path) + 1, str(mark)))
    return lines


def find_lines(lines: Sequence[TurnLine], text: str) -> list[TurnLine]:
    """The lines whose prompt or answer holds every word, or whose number it is. Reads every item."""
    words = text.casefold().split()
    found: list[TurnLine] = []
    for line in lines:
        if text.strip() == str(line.number):
            found.append(line)
        elif line.turn is not None:
            body = f"{line.turn.prompt}\n{line.turn.text}".casefold()
            if all(word in body for word in words):
                found.append(line)
    return found


class TurnTable:
    """The lines as rows.

    Args:
        lines: The lines.
        words: What was read of prompts already, by the turn's id; more is added here.
        now: Seconds since the epoch, for how times are said.
    """

    def __init__(
        self, lines: Sequence[TurnLine] = (), words: dict[str, TurnWords] | None = None, now: float = 0.0
    ) -> None:
        self.lines = lines
        self._words: dict[str, TurnWords] = {} if words is None else words
        self._now = now

    def words(self, line: TurnLine) -> TurnWords:
        """What a line says of its prompt; of a large one nothing, before it was read in a thread."""
        turn = line.turn
        if turn is None:
            return TurnWords("what you send next")
        if turn.id not in self._words:
            if is_large(turn):
                return TurnWords("…")
            self._words[turn.id] = TurnWords.of(turn)
        return self._words[turn.id]

    def __len__(self) -> int:
        """How many lines."""
        return len(self.lines)

    def titles(self, width: int) -> Row:
        """The line above the columns."""
        return titles_row(_COLUMNS, width)

    def row(self, index: int, width: int) -> Row:
        """The turn at `index`."""
        line = self.lines[index]
        turn = line.turn
        usage = turn.usage if turn is not None else None
        words, mark = OUTCOMES[turn.outcome] if turn is not None else ("", "dim")
        said = self.words(line)
        prompt: Cell = (said.prompt or ", ".join(said.files), None)
        if turn is None or turn.summary:
            prompt = (f"summary: {said.prompt}" if turn is not None else said.prompt, "dim")
            words = "" if turn is not None else words
        elif said.step:
            prompt = (said.prompt, "dim")
        cells: dict[str, Cell] = {
            "number": (str(line.number), "number"),
            "branch": (line.branch, "accent"),
            "prompt": prompt,
            "outcome": (words, mark),
            "mode": (turn.continuation if turn is not None else "", "key"),
            "input": (figures.count(usage.input_tokens) if usage else "", "number"),
            "output": (figures.count(usage.output_tokens) if usage else "", "number"),
            "when": (figures.when(turn.created_at, self._now) if turn is not None else "", "key"),
            "model": (turn.target.model if turn is not None and turn.target else "", "dim"),
        }
        return table_row(layout(_COLUMNS, width), cells)


def is_large(turn: Turn) -> bool:
    """Whether reading a turn's input takes long enough to be felt."""
    return sum(len(item.text) for item in turn.input) > _LARGE
