"""The rows of a block: its title line, and the pieces of its text that are whole."""

from __future__ import annotations

from typing import Final

from rich.segment import Segment
from rich.style import Style

from tui.core.text import visible_line
from tui.widgets.transcript.block import Block, BlockKind
from tui.widgets.transcript.growing import fence_rows
from tui.widgets.transcript.markdown import MEASURE, render_markdown
from tui.widgets.transcript.palette import Palette
from tui.widgets.transcript.piece import GUTTER, Paper
from tui.widgets.transcript.rows import Row, indent, pad
from tui.widgets.transcript.split import Cut
from tui.widgets.transcript.syntax import References
from tui.widgets.transcript.wrap import wrap

__all__ = ["blank_row", "finished", "palette_of", "piece_rows", "title_rows"]

_STATES: Final = {
    "running": "⋯",
    "stopped": "■ stopped",
    "failed": "✕ failed",
    "incomplete": "◐ incomplete",
    "refused": "⊘ refused",
}

_QUIET: Final = (BlockKind.TOOL, BlockKind.NOTICE, BlockKind.USAGE, BlockKind.ATTACHMENT)


def palette_of(kind: BlockKind, paper: Paper) -> Palette:
    """The styles of a block's text."""
    return paper.dimmed if kind is BlockKind.REASONING else paper.palette


def blank_row(paper: Paper) -> Row:
    """The row between two pieces."""
    return Row([Segment(" " * paper.width, paper.palette.text)], skip=0, end=0)


def finished(rows: list[Row], kind: BlockKind, paper: Paper) -> list[Row]:
    """Add the bar at the left, and fill the rows up, in place."""
    char, style = paper.palette.bar_of(kind)
    bar = Segment(f" {char} ", style)
    indent(rows, bar, bar, copied=False)
    for row in rows:
        pad(row, paper.width, paper.palette.text)
    return rows


def piece_rows(cut: Cut, kind: BlockKind, paper: Paper, references: References) -> list[Row]:
    """A piece that is not followed while it grows, without the blank row after it."""
    palette, width = palette_of(kind, paper), paper.text_width
    rows: list[Row] | None = None
    if cut.kind == "plain":
        style = palette.muted if kind in _QUIET else palette.text
        source = cut.source.rstrip("\n") if cut.gap else cut.source.removesuffix("\n")
        if cut.gap and not source:
            return []
        rows = wrap([(source.expandtabs(4), style)], min(width, MEASURE))
    elif cut.kind == "fence" and cut.final:
        rows = fence_rows(cut.source, min(width, MEASURE), palette)
    if rows is None:
        rows = render_markdown(
            cut.source, width, palette, references=references, number=cut.number, whole=cut.final
        )
    return finished(rows, kind, paper)


def title_rows(block: Block, text: str, lines: int, paper: Paper) -> list[Row]:
    """The title line: a fold mark, the title, how much is folded away, the state.

    Args:
        block: Whose.
        text: Of the block, as far as it came.
        lines: How many of it are folded away; 0 for none.
        paper: What it is drawn on.
    """
    palette = paper.palette
    style: Style = {
        BlockKind.USER: palette.user,
        BlockKind.ASSISTANT: palette.assistant,
        BlockKind.ERROR: palette.error,
        BlockKind.NOTICE: palette.notice,
    }.get(block.kind, palette.muted)
    spans: list[tuple[str, Style]] = []
    title = visible_line(block.title)
    if block.folded or block.has_fold_mark:
        style = style + Style.from_meta({"fold": block.id})
        spans.append(("▸ " if block.folded else "▾ ", style))
        if not title and lines and not block.has_fold_mark:
            # What has no title of its own is told by how it begins.
            title = visible_line(text.strip().partition("\n")[0])[: paper.text_width - 16]
            lines = lines if lines > 1 else 0
        title = title or block.kind.value.capitalize()
    elif block.kind is BlockKind.ATTACHMENT:
        spans.append(("▤ ", palette.marker))
    spans.append((title, style))
    if lines and not (block.title and block.kind is BlockKind.USAGE):
        spans.append((f" · {lines} line{'s' * (lines != 1)}", style))
    if block.state:
        mark = _STATES.get(block.state, visible_line(block.state))
        color = palette.error if block.state == "failed" else palette.notice
        spans.append((("  " if title else "") + mark, palette.muted if block.state == "running" else color))
    rows = wrap(spans, paper.text_width)
    if spans[0][0] in ("▸ ", "▾ ", "▤ "):
        rows[0].skip = 2  # A mark is no text to be copied.
    if not block.folded:
        return finished(rows, block.kind, paper)
    bar = Segment(" " * GUTTER, palette.text)
    indent(rows, bar, bar, copied=False)
    for row in rows:
        pad(row, paper.width, palette.text)
    return rows
