"""The shape of a request as rows: a line for each parameter and each input item."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from tui.core import figures
from tui.core.continuation import LeftOut
from tui.core.exchange import Exchange
from tui.core.shape import ItemShape, Shape, Spelling, shape_of
from tui.widgets.rows import Mark, Row, row

__all__ = ["shape_rows"]

_LABEL: Final = 22
_MARKS: Final[dict[Spelling, Mark]] = {"word": "word", "number": "number", "absent": "dim"}


def shape_rows(exchange: Exchange, left_out: Sequence[LeftOut], limit: int) -> list[Row]:
    """Summarize the request of an exchange.

    Args:
        exchange: The exchange.
        left_out: Items of the conversation that were not sent, with the reason.
        limit: Most characters of a preview.
    """
    shape = shape_of(exchange, left_out, limit)
    rows = [row(("Request", "heading")), _field("line", shape.line), _field("body", shape.body)]
    rows += [_field(entry.name, entry.text, _MARKS.get(entry.spelling)) for entry in shape.parameters]
    if shape.input_words:
        rows += [Row(""), row(("Input", "heading"), (f"  {shape.input_words}", "dim"))]
        rows.extend(_items(shape))
    if shape.left_out:
        rows += [Row(""), row(("Left out", "heading"), ("  kept here, not sent", "dim"))]
        rows.extend(_left_out(shape.left_out))
    return rows


def _field(label: str, text: str, mark: Mark | None = None) -> Row:
    shown: str | tuple[str, Mark] = text if mark is None else (text, mark)
    return row("  ", (f"{label} ".ljust(_LABEL), "key"), shown, hang=_LABEL + 2, words=True)


def _items(shape: Shape) -> Iterator[Row]:
    wide = len(str(len(shape.items)))
    for index, item in enumerate(shape.items, 1):
        if shape.input_words == "a text":
            yield _field(item.kind, item.words)
            continue
        yield row(
            "  ",
            (str(index).rjust(wide), "dim"),
            "  ",
            (item.kind.ljust(20), "key"),
            (figures.size(item.size).rjust(8), "number"),
            "  ",
            item.words,
            hang=wide + 34,
            words=True,
        )


def _left_out(left_out: Sequence[tuple[ItemShape, str]]) -> Iterator[Row]:
    for item, reason in left_out:
        size = figures.size(item.size).rjust(8)
        yield row("  ", (item.kind.ljust(_LABEL), "key"), (size, "number"), "  ", reason, hang=_LABEL + 12)
