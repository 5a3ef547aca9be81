"""What a reader takes out of the conversation: answers, code blocks, tables, and where links lead."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from rich.style import Style

from tui.widgets.transcript.block import BlockKind
from tui.widgets.transcript.flow import Anchor, Line
from tui.widgets.transcript.parts import Part, parts_of
from tui.widgets.transcript.reading import Reading
from tui.widgets.transcript.rows import Row
from tui.widgets.transcript.view import View

__all__ = ["Taken", "Taking"]


@dataclass(frozen=True, slots=True)
class Taken:
    """A code block or table of an answer.

    Attributes:
        group: The turn's blocks' group.
        number: Which of its kind in the answer, counted from 1.
        count: How many there are in the answer.
        part: What it is.
    """

    group: str
    number: int
    count: int
    part: Part


class Taking(Reading):
    """A reading canvas that knows the answers' parts."""

    # -- answers ------------------------------------------------------------------------------

    def answer_of(self, group: str) -> str:
        """The markdown of an answer: all of a turn's assistant blocks; empty for none."""
        texts = [view.text for view in self._answers(group)]
        return "\n\n".join(text.strip("\n") for text in texts if text)

    def _answers(self, group: str) -> list[View]:
        self._flow.make_group(group)
        return [
            view
            for view in self._flow.views
            if view.block.group == group and view.block.kind is BlockKind.ASSISTANT
        ]

    def last_group(self, kind: str = "") -> str:
        """The group of the last answer, or of the last one that has a part of this kind; empty for none."""
        seen, index = "", len(self._flow.views)
        while index > 0:
            view = self._flow.made(index - 1, last=True)
            index, group = view.index, view.block.group
            if view.block.kind is not BlockKind.ASSISTANT or group == seen or not view.size:
                continue
            seen = group
            if not kind or self.parts(group, kind):
                return group
        return ""

    # -- parts --------------------------------------------------------------------------------

    def parts(self, group: str, kind: str) -> list[Taken]:
        """The code blocks ("code") or tables ("table") of an answer, in their order."""
        found = [part for view in self._answers(group) for _, part in self._of_view(view, kind)]
        return [Taken(group, number, len(found), part) for number, part in enumerate(found, 1)]

    def _of_view(self, view: View, kind: str) -> Iterator[tuple[int, Part]]:
        """The parts of a block, each with the index of its piece."""
        if view.folded or self._flow.paper is None:
            yield from ((0, part) for part in parts_of(view.text) if part.kind == kind)
            return
        self._flow.open(view)
        for index, piece in enumerate(view.pieces):
            if piece.cut is not None:
                yield from ((index, part) for part in parts_of(piece.cut.source) if part.kind == kind)

    def part_at_cursor(self, kind: str) -> Taken | None:
        """The code block or table that the cursor is in."""
        anchor = self.cursor_anchor
        if anchor is None or anchor.view.block.kind is not BlockKind.ASSISTANT or anchor.view.folded:
            return None
        before = 0
        group = anchor.view.block.group
        for view in self._answers(group):
            if view is anchor.view:
                break
            before += sum(1 for _ in self._of_view(view, kind))
        here = list(self._of_view(anchor.view, kind))
        mine = [number for number, (index, _) in enumerate(here) if index == anchor.piece]
        number = self._that_holds(anchor, [here[number][1] for number in mine])
        return self.parts(group, kind)[before + mine[number]] if number is not None else None

    def _that_holds(self, anchor: Anchor, parts: list[Part]) -> int | None:
        """Which of a piece's parts the row belongs to."""
        piece = anchor.view.pieces[anchor.piece]
        if not parts or piece.cut is None:
            return None
        if piece.cut.kind in ("fence", "table"):
            return 0
        words = self._flow.rows(anchor.view, anchor.piece)[anchor.row].copyable.strip(" •◦▪")
        for number, part in enumerate(parts):
            cells = [cell.strip() for cell in words.split("│")] if part.kind == "table" else [words]
            if words and all(cell in part.text for cell in cells):
                return number
        return None

    def go_to_part(self, taken: Taken) -> None:
        """Put the cursor on a part, where there is a cursor."""
        number = taken.number
        for view in self._answers(taken.group):
            here = list(self._of_view(view, taken.part.kind))
            if number <= len(here):
                if not view.folded and self.has_focus:
                    piece = here[number - 1][0]
                    self.cursor_to(Anchor(view, piece, 0))
                return
            number -= len(here)

    def labels(self, window: list[Line]) -> dict[int, str]:
        """The number of each code block in sight, and the key for the one that the cursor is in."""
        labels: dict[int, str] = {}
        here = self.cursor_anchor
        done: set[int] = set()
        for line_id, row in window if here is not None else ():
            piece_id = line_id >> 20
            # The first row of a part that has room for it: a label never covers what one reads.
            if piece_id not in done and (label := self._label(line_id, here)) is not None:
                longest = label if "copies" in label else f"{label.rstrip()} · c copies "
                if self.has_room(row, longest):
                    done.add(piece_id)
                    labels[line_id] = label
        return {line_id: label for line_id, label in labels.items() if label.strip()}

    def _label(self, line_id: int, here: Anchor | None) -> str | None:
        """What is to be said of the part that a line belongs to; None where it belongs to none."""
        view = self._flow.views[min(self._flow.by_order(line_id >> 40), len(self._flow.views) - 1)]
        index = (line_id >> 20) & 0xFFFFF
        if (
            view.order != line_id >> 40
            or index >= len(view.pieces)
            or view.block.kind is not BlockKind.ASSISTANT
        ):
            return None
        cut = view.pieces[index].cut
        if cut is None or cut.kind not in ("fence", "table"):
            return None
        mine = here is not None and here.view is view and here.piece == index
        if cut.kind == "table":
            return " t copies " if mine else ""
        numbers = [at for at, _ in self._of_view(view, "code")]
        number = f"{numbers.index(index) + 1} " if len(numbers) > 1 and index in numbers else ""
        return f" {number}{'· ' if number and mine else ''}{'c copies ' if mine else ''}".rstrip() + " "

    # -- links --------------------------------------------------------------------------------

    @property
    def link_at_cursor(self) -> str:
        """Where the link under the cursor leads; empty if it is on none."""
        anchor = self.cursor_anchor
        if anchor is None or not anchor.view.pieces or self._cursor is None:
            return ""
        row = self._flow.rows(anchor.view, anchor.piece)[anchor.row]
        return next((href for start, end, href in _links(row) if start <= self._cursor[1] < end), "")

    def go_to_link(self) -> bool:
        """Put the cursor on the next link in sight, round the end of the viewport; False if there is none."""
        self._place_cursor()
        spots = [(line_id, start) for line_id, row in self._window for start, _, _ in _links(row)]
        if not spots or self._cursor is None:
            return False
        after = [spot for spot in spots if spot > self._cursor]
        self._move_to((after or spots)[0], extend=False)
        return True


def _links(row: Row) -> list[tuple[int, int, str]]:
    """The links of a row: from character to character, and where each leads."""
    found: list[tuple[int, int, str]] = []
    at = 0
    for segment in row.segments:
        end = at + len(segment.text)
        href = str((segment.style or Style.null()).meta.get("href") or "")
        if href and found and found[-1][1] == at and found[-1][2] == href:
            found[-1] = (found[-1][0], end, href)
        elif href:
            found.append((at, end, href))
        at = end
    return found
