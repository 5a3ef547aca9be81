"""Program text as coloured rows, for looking at what would be copied; made in a thread."""

from __future__ import annotations

from typing import Any, Final, cast

from tui.core.text import visible_line
from tui.widgets.rows import Mark, Row, row

__all__ = ["code_rows"]

_MOST: Final = 200_000
"""Characters that are shown; copying and saving take all."""

_LEXERS: Final = {"sh": "bash", "py": "python", "json": "json", "har": "json"}
_MARKS: Final[tuple[tuple[str, Mark], ...]] = (
    ("Token.Comment", "dim"),
    ("Token.Keyword.Constant", "word"),
    ("Token.Keyword", "accent"),
    ("Token.Name.Tag", "key"),
    ("Token.Name.Builtin", "key"),
    ("Token.Name.Variable", "word"),
    ("Token.Name.Function", "key"),
    ("Token.Literal.String.Interpol", "word"),
    ("Token.Literal.String", "string"),
    ("Token.Literal.Number", "number"),
    ("Token.Punctuation", "dim"),
)


def code_rows(text: str, ending: str) -> list[Row]:
    """A text as rows.

    Args:
        text: Of any length; its beginning is shown, and how much is left out.
        ending: Of the file's name, which tells the language.
    """
    shown = text[:_MOST]
    left = len(text) - len(shown)
    name = _LEXERS.get(ending)
    rows = [Row(visible_line(line)) for line in shown.split("\n")] if name is None else _coloured(shown, name)
    while rows and not rows[-1].text:
        rows.pop()
    if left:
        rows.append(row((f"… {left:,} more characters, which copying and saving take too", "fold")))
    return rows


def _mark(kind: str) -> Mark | None:
    return next((mark for start, mark in _MARKS if kind.startswith(start)), None)


def _coloured(text: str, name: str) -> list[Row]:
    import pygments.lexers

    # pygments has no types.
    lexer = cast("Any", pygments.lexers).get_lexer_by_name(name, stripnl=False, ensurenl=False)
    rows: list[Row] = []
    parts: list[str | tuple[str, Mark]] = []
    for kind, value in lexer.get_tokens(text):
        mark = _mark(str(kind))
        for number, piece in enumerate(str(value).split("\n")):
            if number:
                rows.append(row(*parts, hang=2))
                parts = []
            if piece:
                parts.append(piece if mark is None else (piece, mark))
    rows.append(row(*parts, hang=2))
    return rows
