"""Fenced code: highlighting, and the panel it stands in."""

from __future__ import annotations

import re
import threading
from collections import OrderedDict
from collections.abc import Callable, Iterable
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final

from rich.segment import Segment

from tui.widgets.transcript.palette import Palette
from tui.widgets.transcript.rows import HARD, Row, Span, pad
from tui.widgets.transcript.wrap import fold, glue

if TYPE_CHECKING:
    from pygments.lexer import Lexer

__all__ = [
    "FENCE",
    "Fence",
    "code_rows",
    "fence_closes",
    "highlight_nothing",
    "lex_whole",
    "parse_fence",
]

FENCE: Final = re.compile(r"( {0,3})(`{3,}|~{3,})([^\n]*)")
CONTINUED: Final = "↪ "
_LIMIT: Final = 64 * 1024
"""Code longer than this (characters) is highlighted line by line: lexing it whole stalls the keys."""

_ROLES: Final = (
    ("Token.Keyword.Type", "code_type"),
    ("Token.Keyword.Constant", "code_number"),
    ("Token.Keyword", "code_keyword"),
    ("Token.Operator.Word", "code_keyword"),
    ("Token.Operator", "code_operator"),
    ("Token.Punctuation", "code_operator"),
    ("Token.Comment", "code_comment"),
    ("Token.Literal.String", "code_string"),
    ("Token.Literal.Number", "code_number"),
    ("Token.Name.Function", "code_name"),
    ("Token.Name.Decorator", "code_name"),
    ("Token.Name.Tag", "code_keyword"),
    ("Token.Name.Attribute", "code_name"),
    ("Token.Name.Class", "code_type"),
    ("Token.Name.Builtin", "code_type"),
    ("Token.Name.Exception", "code_type"),
    ("Token.Generic.Heading", "code_keyword"),
    ("Token.Generic.Subheading", "code_type"),
    ("Token.Generic.Inserted", "code_added"),
    ("Token.Generic.Deleted", "code_removed"),
)

Pieces = tuple[tuple[str, str], ...]
"""One line of code: texts and the palette's names of their styles."""


class Fence:
    """A fence's first line, taken apart."""

    __slots__ = ("indent", "language", "mark")

    def __init__(self, indent: int, mark: str, language: str) -> None:
        self.indent = indent
        self.mark = mark
        self.language = language


def parse_fence(line: str) -> Fence | None:
    """Read the opening line of a fence; None if it is none."""
    match = FENCE.fullmatch(line.rstrip("\n"))
    if match is None or (match[2][0] == "`" and "`" in match[3]):
        return None
    info = match[3].strip().split(maxsplit=1)
    return Fence(len(match[1]), match[2], info[0] if info else "")


def fence_closes(fence: Fence, line: str) -> bool:
    """Whether `line` ends `fence`."""
    stripped = line.rstrip(" \t\n")
    body = stripped.lstrip(" ")
    return (
        len(stripped) - len(body) <= 3
        and len(body) >= len(fence.mark)
        and not body.strip(fence.mark[0])
        and bool(body)
    )


_finding: Final = threading.Lock()


@lru_cache(maxsize=64)
def _lexer(language: str) -> Lexer | None:
    # Imported at the first code block, after the first paint: it costs a tenth of a second.
    from pygments import lexers
    from pygments.util import ClassNotFound

    if not language:
        return None
    find: Callable[[str], Lexer] = lexers.get_lexer_by_name  # pyright: ignore[reportUnknownMemberType, reportUnknownVariableType]
    try:
        # The first one of a language compiles its rules into the class, step by step.
        with _finding:
            return find(language.lower())
    except ClassNotFound:
        return None


@lru_cache(maxsize=256)
def _role(token_type: Any) -> str:
    name = str(token_type)
    for prefix, role in _ROLES:
        if name.startswith(prefix):
            return role
    return "code"


def _lex(language: str, code: str) -> list[Pieces]:
    lexer = _lexer(language)
    if lexer is None:
        return [((line, "code"),) if line else () for line in code.split("\n")]
    lines: list[list[tuple[str, str]]] = [[]]
    tokens: Iterable[tuple[int, Any, str]] = lexer.get_tokens_unprocessed(code + "\n")
    for _, token_type, value in tokens:
        role = _role(token_type)
        first, *others = value.split("\n")
        if first:
            lines[-1].append((first, role))
        for other in others:
            lines.append([(other, role)] if other else [])
    lines.pop()
    return [tuple(line) for line in lines]


_lexed: OrderedDict[tuple[str, str], list[Pieces]] = OrderedDict()
"""Code highlighted as a whole, most recent last; also filled from a thread, see `lex_whole`."""


def lex_whole(language: str, code: str) -> list[Pieces]:
    """Highlight all of `code`, or take it from the last 32; safe to call from a thread."""
    lines = _lexed.get((language, code))
    if lines is None:
        lines = _lexed[(language, code)] = _lex(language, code)
        while len(_lexed) > 32:
            _lexed.popitem(last=False)
    return lines


@lru_cache(maxsize=2048)
def _lex_line(language: str, line: str) -> Pieces:
    return _lex(language, line)[0] if line else ()


def highlight_nothing() -> None:
    """Have pygments imported, and the lexer that is asked for most."""
    _lex_line("python", "pass")


def code_rows(code: str, language: str, width: int, palette: Palette, *, whole: bool) -> list[Row]:
    """Render code in its panel.

    Args:
        code: Without the newline at its end; tabs are expanded here.
        language: The first word of the info string; empty for none.
        width: Of the panel in cells.
        palette: The styles.
        whole: Highlight all of it at once (right), or line by line (cheap, while it grows).
    """
    code = code.expandtabs(4)
    if whole and len(code) <= _LIMIT:
        lines = lex_whole(language, code)
    else:
        lines = [_lex_line(language, line) for line in code.split("\n")]
    rows: list[Row] = []
    if language:
        name = fold(glue([(language, palette.code_title)]), width - 4)
        more = "…" if len(name) > 1 else ""
        text = "".join(part for part, _ in name[0])
        title = Row([Segment(f"  {text}{more}", palette.code_title)], skip=0, end=0)
        rows.append(pad(title, width, palette.code_title))
    for pieces in lines:
        rows.extend(line_rows(pieces, width, palette))
    return rows


def line_rows(pieces: Pieces, width: int, palette: Palette) -> list[Row]:
    """The rows of one line of code, wrapped where it is too long."""
    lead = Segment("  ", palette.code)
    spans: list[Span] = glue([(text, getattr(palette, role)) for text, role in pieces])
    rows: list[Row] = []
    inner = max(1, width - 4)
    parts = fold(spans, inner)
    for number, part in enumerate(parts):
        start = lead if number == 0 else Segment(CONTINUED, palette.code_title)
        segments = [start, *(Segment(text, style) for text, style in part)]
        row = Row(segments, skip=2, join=HARD if number == 0 else "")
        rows.append(pad(row, width, palette.code))
    return rows
