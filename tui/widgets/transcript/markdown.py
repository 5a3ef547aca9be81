"""Markdown to rows: markdown-it-py parses, everything that is seen is made here."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final

from rich.segment import Segment
from rich.style import Style

from tui.widgets.transcript.code import code_rows
from tui.widgets.transcript.inline import inline_spans
from tui.widgets.transcript.palette import Palette
from tui.widgets.transcript.rows import Row, indent
from tui.widgets.transcript.table import read_table, table_rows
from tui.widgets.transcript.wrap import wrap

if TYPE_CHECKING:
    from markdown_it import MarkdownIt
    from markdown_it.rules_block.state_block import StateBlock
    from markdown_it.token import Token

__all__ = ["MEASURE", "References", "parser", "render_markdown"]

References = dict[str, dict[str, Any]]
"""Link reference definitions, as markdown-it keeps them: label -> title, href, map."""

_BULLETS: Final = "•◦▪"
MEASURE: Final = 100
"""Prose is not set wider than this many cells: longer lines are hard to read back to."""

_HEADINGS: Final = {
    "h1": Style(bold=True, underline=True),
    "h2": Style(bold=True),
    "h3": Style(bold=True),
    "h4": Style(bold=True, italic=True),
    "h5": Style(bold=False, italic=True),
    "h6": Style(bold=False, italic=True),
}


@lru_cache(maxsize=1)
def parser() -> MarkdownIt:
    """The parser: CommonMark, tables, strikethrough. Imported when the first markdown is drawn."""
    from markdown_it import MarkdownIt
    from markdown_it.rules_block.reference import reference

    def definition(state: StateBlock, start: int, end: int, silent: bool) -> bool:
        # "[^1]: https://…" is a footnote for its author and must stay legible.
        position = state.bMarks[start] + state.tShift[start]
        return not state.src.startswith("[^", position) and reference(state, start, end, silent)

    markdown = MarkdownIt("commonmark").enable(["table", "strikethrough"])
    markdown.block.ruler.at("reference", definition)
    return markdown


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
            part = self.block(tokens[index:end], width, base, depth)
            if rows and part and self._blank_before(token):
                rows.append(Row([]))
            rows.extend(part)
            index = end
        return rows

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
                style = palette.heading if token.tag in ("h1", "h2") else palette.heading_low
                style = base + style + _HEADINGS[token.tag]
                return wrap(inline_spans(tokens[1].children or [], palette, style), prose)
            case "fence":
                language = token.info.strip().split(maxsplit=1)
                code = token.content.removesuffix("\n")
                return code_rows(code, language[0] if language else "", prose, palette, whole=self.whole)
            case "code_block":
                return code_rows(token.content.removesuffix("\n"), "", prose, palette, whole=self.whole)
            case "blockquote_open":
                style = palette.quote if base == palette.text else base
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
            case "html_block":
                text = token.content.rstrip("\n").expandtabs(4)
                return wrap([(text, palette.muted)], prose)
            case _:
                return []

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
        size = len(marker)
        rows = self.blocks(tokens[1:-1], width - size, base, depth + 1) or [Row([])]
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
