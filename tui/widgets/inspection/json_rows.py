"""JSON as rows: indented, coloured, data URLs folded, long strings cut to a preview.

Numbers are shown as they were written and a key that comes twice is shown twice: this is for people who
want to see what was sent.
"""

from __future__ import annotations

import json
from array import array
from collections.abc import Iterator
from typing import Final, SupportsIndex, cast, overload

from tui.core.data_url import folded
from tui.core.json_places import large_members
from tui.core.text import visible_line
from tui.widgets.rows import Mark, Row, row

__all__ = ["Number", "Pairs", "json_rows", "json_value", "text_rows"]

_INDENT: Final = 2
_PIECE: Final = 1 << 18
_LARGE: Final = 300_000
"""Characters from which an object is parsed in parts."""

_Part = str | tuple[str, Mark]


class Pairs(list[tuple[str, object]]):
    """An object, its pairs in the order in which they were written."""

    __slots__ = ()


def _pairs(pairs: list[tuple[str, object]]) -> Pairs:
    # A function of Python's own, so that the interpreter lets other threads in while a large body is parsed.
    return Pairs(pairs)


class Elements(list[object]):
    """The elements of a large array, each parsed when it is asked for.

    Args:
        text: The text they are in.
        places: Where each begins and ends, one after the other.
    """

    __slots__ = ("_places", "_text")

    def __init__(self, text: str, places: array[int]) -> None:
        super().__init__()
        self._text = text
        self._places = places

    def __len__(self) -> int:
        """How many."""
        return len(self._places) // 2

    @overload
    def __getitem__(self, index: SupportsIndex) -> object: ...
    @overload
    def __getitem__(self, index: slice) -> list[object]: ...
    def __getitem__(self, index: SupportsIndex | slice) -> object:
        """An element, or a list of them."""
        if isinstance(index, slice):
            return [self[number] for number in range(*index.indices(len(self)))]
        at = index.__index__() * 2
        return json_value(self._text[self._places[at] : self._places[at + 1]])

    def __iter__(self) -> Iterator[object]:
        """One after the other."""
        return (self[number] for number in range(len(self)))


class Number(str):
    """A number as it was written."""

    __slots__ = ()


def json_value(text: str) -> object:
    """Parse for showing: objects are `Pairs`, numbers keep their spelling.

    Raises:
        ValueError: It is no JSON, or nested too deep to be shown as such.
    """
    try:
        if len(text) >= _LARGE and text.startswith("{"):
            return _large(text)
        return json.loads(
            text, object_pairs_hook=_pairs, parse_int=Number, parse_float=Number, parse_constant=Number
        )
    except RecursionError as error:
        raise ValueError("nested too deep") from error


def _large(text: str) -> Pairs:
    """An object of megabytes: only where the elements of its arrays stand is found out."""
    found = Pairs()
    for name, at in large_members(text):
        if isinstance(at, array):
            found.append((str(name), Elements(text, at)))
        else:
            found.append((str(name), json_value(text[at.start : at.end])))
    return found


def json_rows(text: str, limit: int) -> list[Row]:
    """Show a JSON text; a text that is no JSON is shown as it is.

    Args:
        text: What was sent or received.
        limit: Characters of one string to show; what is left is counted. 0 shows all.
    """
    try:
        return list(_rows(json_value(text), 0, "", "", limit))
    except (ValueError, RecursionError):
        return text_rows(text)


def text_rows(text: str) -> list[Row]:
    """Show a text line by line, as it is."""
    return [Row(_safe(line.removesuffix("\r"))) for line in text.split("\n")]


def _safe(line: str) -> str:
    """As `visible_line`, in pieces: a line may be a whole body, and the interface waits meanwhile."""
    if len(line) <= _PIECE:
        return visible_line(line)
    return "".join(visible_line(line[start : start + _PIECE]) for start in range(0, len(line), _PIECE))


def _rows(value: object, depth: int, key: str, comma: str, limit: int) -> Iterator[Row]:
    pad = " " * (depth * _INDENT)
    head: list[_Part] = [pad]
    if key:
        head.append((key, "key"))
        head.append((": ", "dim"))
    hang = (depth + 2) * _INDENT
    if isinstance(value, Pairs):
        if not value:
            yield row(*head, ("{}" + comma, "dim"), hang=hang)
            return
        yield row(*head, ("{", "dim"), hang=hang)
        for number, (name, inner) in enumerate(value, 1):
            yield from _rows(inner, depth + 1, _quoted(name), "," if number < len(value) else "", limit)
        yield row(pad, ("}" + comma, "dim"))
    elif isinstance(value, list):
        entries = cast("list[object]", value)
        if not entries:
            yield row(*head, ("[]" + comma, "dim"), hang=hang)
            return
        yield row(*head, ("[", "dim"), hang=hang)
        for number, inner in enumerate(entries, 1):
            yield from _rows(inner, depth + 1, "", "," if number < len(entries) else "", limit)
        yield row(pad, ("]" + comma, "dim"))
    else:
        yield row(*head, *_scalar(value, limit), (comma, "dim"), hang=hang)


def _scalar(value: object, limit: int) -> list[_Part]:
    if isinstance(value, Number):
        return [(str(value), "number")]
    if isinstance(value, str):
        data = folded(value)
        if data is not None:
            return [(f"‹{data}›", "fold")]
        if limit and len(value) > limit:
            rest = f" ‹{len(value) - limit:,} more characters›"
            return [(_quoted(value[:limit])[:-1] + "…", "string"), (rest, "fold")]
        return [(_quoted(value), "string")]
    return [({True: "true", False: "false"}.get(cast("bool", value), "null"), "word")]


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)
