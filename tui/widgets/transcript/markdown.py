"""Markdown to rows: markdown-it-py parses, everything that is seen is made here."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from rich.cells import cell_len
from rich.segment import Segment
from rich.style import Style

from tui.core.text import visible_line
from tui.widgets.transcript.code import code_rows
from tui.widgets.transcript.inline import inline_spans, math_style
from tui.widgets.transcript.palette import Palette
from tui.widgets.transcript.rows import Row, indent
from tui.widgets.transcript.syntax import References, parser
from tui.widgets.transcript.table import read_table, table_rows
from tui.widgets.transcript.wrap import wrap

if TYPE_CHECKING:
    from markdown_it.token import Token

__all__ = ["MEASURE", "render_markdown"]

_BULLETS: Final = "•◦▪"
MEASURE: Final = 100
"""Prose is not set wider than this many cells: longer lines are hard to read back to."""

_HEADINGS: Final = {
    "h1": Style(bold=True, underline=True),
    "h2": Style(bold=True),
    "h3": Style(bold=True),
    "h4": Style(bold=True, italic=True),
    "h5": Style(bold=False, italic=True),
    "h6": Style(bold=False, italic=True, dim=True),
}
_NARROWEST: Final = 6
"""Nothing is indented so far that less than this many cells are left for its text."""


class _Renderer:
    """Renders the tokens of one top-level block."""

    __slots__ = ("lines", "palette", "whole")

    def __init__(self, source: str, palette: Palette, whole: bool) -> None:
        self.lines = source.split("\n")
        self.palette = palette
        self.whole = whole

    def blocks(self, tokens: Sequence[Token], width: int, base: Style, depth: int) -> list[Row]:
        """Render sibling blocks, with a blank row between them where the source has one."""
        rows: list[Row] = []
        index = 0
        while index < len(tokens):
            token = tokens[index]
            end = _end(tokens, index)
            if end == index + 2:
                rows.extend(self.unread(token, width, base))
            part = self.block(tokens[index:end], width, base, depth)
            if rows and part and self._blank_before(token):
                rows.append(Row([]))
            rows.extend(part)
            index = end
        return rows

    def unread(self, token: Token, width: int, base: Style) -> list[Row]:
        """Render as it is what is nested deeper than the parser goes; `token` opens an empty block."""
        if token.map is None or token.level + 3 < parser().options["maxNesting"]:
            return []
        text = "\n".join(self.lines[token.map[0] : token.map[1]]).strip()
        return wrap([(text.expandtabs(4), base)], width)

    def _blank_before(self, token: Token) -> bool:
        if token.map is None or token.map[0] < 1:
            return False
        return not self.lines[token.map[0] - 1].strip(" \t>") or token.type in ("fence", "table_open")

    def block(self, tokens: Sequence[Token], width: int, base: Style, depth: int) -> list[Row]:
        """Render one block, given as its tokens from opening to closing."""
        token, palette = tokens[0], self.palette
        width = max(4, width)
        prose = min(width, MEASURE)
        match token.type:
            case "paragraph_open":
                return wrap(inline_spans(tokens[1].children or [], palette, base), prose)
            case "heading_open":
                return self.heading(tokens, prose, base)
            case "fence":
                # Entities in the info string are read: they may stand for controls.
                info = visible_line(token.info.strip()).split(maxsplit=1)
                code = token.content.removesuffix("\n")
                return code_rows(code, info[0] if info else "", prose, palette, whole=self.whole)
            case "code_block":
                return code_rows(token.content.removesuffix("\n"), "", prose, palette, whole=self.whole)
            case "blockquote_open":
                style = palette.quote if base == palette.text else base
                if width - 2 < _NARROWEST:
                    return self.blocks(tokens[1:-1], width, style, depth)
                rows = self.blocks(tokens[1:-1], width - 2, style, depth)
                bar = Segment("▎ ", palette.quote_bar)
                indent(rows, bar, bar, copied=False)
                return rows
            case "bullet_list_open" | "ordered_list_open":
                return self.items(tokens, width, base, depth)
            case "table_open":
                return table_rows(read_table(tokens, palette, base), width, palette)
            case "hr":
                return [Row([Segment("─" * prose, palette.faint)], end=0)]
            case "math_block":
                text = token.content.expandtabs(4)
                return wrap([(text, math_style(palette, base))], prose)
            case "footnote_open":
                style = palette.muted if base == palette.text else base
                return self.marked(tokens, f"[{visible_line(token.content)}] ", width, style, depth)
            case "html_block":
                text = token.content.rstrip("\n").expandtabs(4)
                return wrap([(text, palette.muted)], prose)
            case _:
                return []

    def heading(self, tokens: Sequence[Token], width: int, base: Style) -> list[Row]:
        """Render a heading; without colours its hashes tell the level."""
        tag = tokens[0].tag
        style = self.palette.heading if tag in ("h1", "h2") else self.palette.heading_low
        style = base + style + _HEADINGS[tag]
        spans = inline_spans(tokens[1].children or [], self.palette, style)
        if self.palette.plain:
            spans.insert(0, ("#" * int(tag[1]) + " ", style))
        return wrap(spans, width)

    def items(
        self, tokens: Sequence[Token], width: int, base: Style, depth: int, number: int | None = None
    ) -> list[Row]:
        """Render a list; `number` overrides where an ordered one starts."""
        ordered = tokens[0].type == "ordered_list_open"
        if number is None:
            number = int(tokens[0].attrGet("start") or 0) if tokens[0].attrGet("start") is not None else 1
        count = sum(
            1 for token in tokens if token.type == "list_item_open" and token.level == tokens[0].level + 1
        )
        # One width for all markers of a list; a list that streams cannot know how long it gets.
        digits = max(2 if depth == 0 else 1, len(str(number)) if depth == 0 else len(str(number + count - 1)))
        rows: list[Row] = []
        index = 1
        while index < len(tokens) - 1:
            end = _end(tokens, index)
            if ordered:
                marker = f"{number:>{digits}}. "
                number += 1
            else:
                marker = f"{_BULLETS[min(depth, 2)]} "
            part = self.item(tokens[index:end], marker, width, base, depth)
            if rows and self._blank_before(tokens[index]):
                rows.append(Row([]))
            rows.extend(part)
            index = end
        return rows

    def item(self, tokens: Sequence[Token], marker: str, width: int, base: Style, depth: int) -> list[Row]:
        """Render one list item with its marker; `[ ]` and `[x]` replace a bullet."""
        if len(tokens) > 2 and tokens[1].type == "paragraph_open" and (children := tokens[2].children):
            first = children[0]
            if first.type == "text" and first.content[:4].lower() in ("[ ] ", "[x] "):
                marker = marker.rstrip("•◦▪ ")
                marker += (" " if marker else "") + ("☐ " if first.content[1] == " " else "☑ ")
                first.content = first.content[4:]
        return self.marked(tokens, marker, width, base, depth + 1)

    def marked(self, tokens: Sequence[Token], marker: str, width: int, base: Style, depth: int) -> list[Row]:
        """Render the blocks inside `tokens` with a hanging marker, or under it where there is no room."""
        size = cell_len(marker)
        if len(tokens) == 2 and (unread := self.unread(tokens[0], width, base)):
            return unread
        if width - size < _NARROWEST:
            rows = wrap([(marker.rstrip(), self.palette.marker)], width)
            return rows + self.blocks(tokens[1:-1], width, base, depth)
        rows = self.blocks(tokens[1:-1], width - size, base, depth) or [Row([])]
        indent(rows, Segment(marker, self.palette.marker), Segment(" " * size, base), copied=True)
        return rows


def _end(tokens: Sequence[Token], index: int) -> int:
    """The index after the token that closes the block opened at `index`."""
    if tokens[index].nesting != 1:
        return index + 1
    level = tokens[index].level
    index += 1
    while tokens[index].level != level or tokens[index].nesting != -1:
        index += 1
    return index + 1


def render_markdown(
    source: str,
    width: int,
    palette: Palette,
    *,
    references: References | None = None,
    number: int | None = None,
    whole: bool = True,
) -> list[Row]:
    """Render markdown to rows, without a gutter.

    Args:
        source: Markdown that has passed `visible`.
        width: In cells.
        palette: The styles.
        references: Link reference definitions of the text around it.
        number: The number of the first item, if `source` is one item of an ordered list.
        whole: Whether code is highlighted as a whole, or line by line while it still grows.
    """
    renderer = _Renderer(source, palette, whole)
    tokens = parser().parse(source, {"references": dict(references or {})})
    if number is not None and tokens and tokens[0].type == "ordered_list_open":
        end = _end(tokens, 0)
        rows = renderer.items(tokens[:end], width, palette.text, 0, number)
        return rows + renderer.blocks(tokens[end:], width, palette.text, 0)
    return renderer.blocks(tokens, width, palette.text, 0)
