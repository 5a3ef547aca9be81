"""Several structured answers as one table, and as CSV and JSON Lines."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, cast

from tui.core.items import Outcome, Turn, dump_json
from tui.core.json_places import Step, path_text

__all__ = ["Answer", "AnswerTable", "answers_of", "answers_table", "cell_text", "structured_text"]

_MOST_COLUMNS: Final = 2000


@dataclass(frozen=True, slots=True)
class Answer:
    """A structured answer.

    Attributes:
        turn: The number of its turn on the path, from 1.
        value: What the JSON says.
    """

    turn: int
    value: object


@dataclass(frozen=True, slots=True)
class AnswerTable:
    """Answers in rows, what they hold in columns.

    Attributes:
        columns: Paths from the answer's root (`order.id`, `tags[0]`), in the order in which they first come.
        rows: For each answer its values by column; a column that it has nothing for is not in it.
        answers: What the rows are made of.
    """

    columns: tuple[str, ...]
    rows: tuple[Mapping[str, object], ...]
    answers: tuple[Answer, ...]

    def csv(self) -> str:
        """The table with a line of titles; a text that a spreadsheet would take for a formula is quoted."""
        text = io.StringIO()
        writer = csv.writer(text, lineterminator="\r\n")
        writer.writerow(["turn", *map(_text_cell, self.columns)])
        for answer, row in zip(self.answers, self.rows, strict=True):
            writer.writerow([answer.turn, *(_cell(row, column) for column in self.columns)])
        return text.getvalue()

    def json_lines(self) -> str:
        """One answer a line, nested as it came."""
        return "".join(f"{dump_json(answer.value)}\n" for answer in self.answers)


def structured_text(turn: Turn) -> str:
    """The text of a turn that was asked for in a form; empty where it was not, or refused."""
    return turn.text if turn.text_format and not turn.refusal else ""


def answers_of(path: Sequence[Turn]) -> list[Answer]:
    """The structured answers of a path; what is no whole JSON is left out."""
    found: list[Answer] = []
    for number, turn in enumerate(path, 1):
        text = structured_text(turn)
        if not text or turn.outcome is not Outcome.COMPLETED:
            continue
        try:
            found.append(Answer(number, json.loads(text)))
        except (ValueError, RecursionError):
            continue
    return found


def answers_table(answers: Sequence[Answer]) -> AnswerTable:
    """One table of them all; its columns are all that any of them has."""
    rows: list[dict[str, object]] = []
    columns: dict[str, None] = {}
    for answer in answers:
        row: dict[str, object] = {}
        _flatten(answer.value, (), row)
        rows.append(row)
        columns.update(dict.fromkeys(row))
    return AnswerTable(tuple(columns)[:_MOST_COLUMNS], tuple(rows), tuple(answers))


def _flatten(value: object, path: tuple[Step, ...], row: dict[str, object]) -> None:
    if isinstance(value, Mapping) and value:
        for name, inner in cast("Mapping[str, object]", value).items():
            _flatten(inner, (*path, name), row)
    elif isinstance(value, list) and value:
        for index, inner in enumerate(cast("list[object]", value)):
            _flatten(inner, (*path, index), row)
    else:
        row[path_text(path).removeprefix("$").removeprefix(".") or "value"] = value


def cell_text(value: object) -> str:
    """A value in a cell: a text as it is, anything else as JSON."""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _cell(row: Mapping[str, Any], column: str) -> str:
    if column not in row or row[column] is None:
        return ""
    value: object = row[column]
    return _text_cell(value) if isinstance(value, str) else cell_text(value)


def _text_cell(text: str) -> str:
    # A spreadsheet takes a cell that begins so for a formula, blanks before it or not.
    return (
        f"'{text}"
        if text.lstrip()[:1] in ("=", "+", "-", "@", "|", "%") or text[:1] in ("\t", "\r", "\n")
        else text
    )
