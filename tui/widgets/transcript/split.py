"""Splitting markdown into pieces that can be rendered once: the key to streaming without lag.

A piece is a top-level block, or one item of a top-level list, so that what is still open stays
small. A piece is final once the line that starts the next one is complete; until then it is
provisional and split again with each delta. Open fences and tables are followed line by line,
without the parser. `split_all` is the truth: a stream that ends is split once more as a whole.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any, Final

from tui.core.garbage import collector_paused
from tui.core.text import visible
from tui.widgets.transcript.code import Fence, fence_closes, parse_fence
from tui.widgets.transcript.syntax import References, parser

if TYPE_CHECKING:
    from markdown_it.token import Token

__all__ = [
    "LARGE",
    "LONG_PARAGRAPH",
    "Cut",
    "PlainSplitter",
    "Splitter",
    "is_split",
    "split_ahead",
    "split_all",
]

LARGE: Final = 8_000
"""Characters from which on a text is better split before it is drawn."""
LONG_PARAGRAPH: Final = 1500
"""Characters from which on an open paragraph is followed piece by piece."""

_LINE: Final = 40
_FOLLOWED: Final = 12_000
"""Characters of an open block, and `_LINE` more for each line, from which on it is not read anew with all
that comes."""

# Where such a block ends at the latest, nearly always; the end of the stream tells.
_ENDS: Final = re.compile(r"\n[ \t]*\n(?=[^\s>])")
_ENDS_ITEM: Final = re.compile(r"\n(?:[ \t]*\n(?=[^\s>])|(?=(?:[-*+]|\d{1,9}[.)])[ \t]))")

# A line that has begun like this is a line of its paragraph, whatever comes before its end: it is no
# heading, no rule, no table's head, no definition and no HTML.
_SETTLED: Final = re.compile(r"(?=[^\[<|]*$)[ ]{0,3}[^\W\d_]+[^\n]{60}")


class Cut:
    """A piece of markdown source.

    Attributes:
        source: The lines, with their newlines.
        kind: "block", "paragraph", "item", "fence" or "table".
        marker: The delimiter of a list item ("-", ".", …), "" for other kinds.
        number: The number to show, for an item of an ordered list.
        gap: Whether a blank row follows.
        final: Whether it can still change.
    """

    __slots__ = ("final", "gap", "kind", "marker", "number", "source")

    def __init__(
        self, source: str, kind: str, marker: str = "", number: int | None = None, *, final: bool = False
    ) -> None:
        self.source = source
        self.kind = kind
        self.marker = marker
        self.number = number
        self.gap = True
        self.final = final

    def same(self, other: Cut) -> bool:
        """Whether it is drawn like `other`, while neither changes."""
        return (
            self.source == other.source
            and self.number == other.number
            and self.gap == other.gap
            and self.kind == other.kind
            and (self.final == other.final or not self.is_rough)
        )

    @property
    def is_rough(self) -> bool:
        """Whether it is drawn roughly until it is final: fenced code, and a paragraph that grows long."""
        return self.is_long or "```" in self.source or "~~~" in self.source

    @property
    def is_long(self) -> bool:
        """Whether it is a paragraph too long to be read anew with each frame."""
        return self.kind == "paragraph" and len(self.source) > LONG_PARAGRAPH


class _Unit:
    __slots__ = ("end", "kind", "marker", "start", "value")

    def __init__(self, kind: str, lines: Sequence[int], marker: str = "", value: int | None = None) -> None:
        self.kind = kind
        self.start, self.end = lines
        self.marker = marker
        self.value = value


def _units(tokens: Sequence[Token]) -> list[_Unit]:
    units: list[_Unit] = []
    start: int | None = None
    for token in tokens:
        if token.level == 0 and token.nesting >= 0 and token.map is not None:
            match token.type:
                case "ordered_list_open":
                    value = token.attrGet("start")
                    start = 1 if value is None else int(value)
                case "bullet_list_open":
                    start = None
                case "footnote_open":
                    # As items of a list: a blank row stands between two only where the source has one.
                    units.append(_Unit("item", token.map, "[^"))
                case "fence" | "table_open":
                    units.append(_Unit(token.type.removesuffix("_open"), token.map))
                case "paragraph_open":
                    units.append(_Unit("paragraph", token.map))
                case _:
                    units.append(_Unit("block", token.map))
        elif token.level == 1 and token.type == "list_item_open" and token.map is not None:
            units.append(_Unit("item", token.map, token.markup, start))
            start = None if start is None else start + 1
    return units


def _parse(source: str, references: References) -> tuple[list[_Unit], References]:
    markdown = parser()
    env: dict[str, Any] = {"references": dict(references)}
    tokens: list[Token] = []
    markdown.block.parse(source, markdown, env, tokens)
    return _units(tokens), env["references"]


def _cut(units: Sequence[_Unit], lines: Sequence[str], before: Cut | None) -> list[Cut]:
    """Make cuts of units; numbers go on over what was cut `before`."""
    cuts: list[Cut] = []
    previous, end = before, 0
    for unit in units:
        cut = Cut("".join(lines[unit.start : unit.end]), unit.kind, unit.marker, unit.value)
        if (
            previous is not None
            and previous.kind == "item" == unit.kind
            and previous.marker == unit.marker
            and not "".join(lines[end : unit.start]).strip()
        ):
            if previous.number is not None:
                cut.number = previous.number + 1
            above = (
                lines[unit.start - 1]
                if unit.start
                else previous.source.rpartition("\n")[0].rpartition("\n")[2]
            )
            previous.gap = not above.strip()
        cuts.append(cut)
        previous, end = cut, unit.end
    return cuts


def split_all(text: str) -> tuple[list[Cut], References]:
    """Split a whole text.

    Args:
        text: Markdown that has passed `visible`.

    Returns:
        The pieces, all final, and the link reference definitions.
    """
    if not text:
        return [], {}  # an answer that is waited for: the parser may not be imported yet
    known = _ahead.get(text) if len(text) >= LARGE else None
    if known is not None:
        return list(known[0]), known[1]
    units, references = _parse(text, {})
    cuts = _cut(units, _lines(text), None)
    for cut in cuts:
        cut.final = True
    return cuts, references


def split_ahead(texts: Iterable[str]) -> None:
    """Split large texts in this thread, so that who draws them on another one finds it done.

    What was split last stays known: another theme or width has the same pieces.
    """
    for text in texts:
        if len(text) < LARGE or (text := visible(text)) in _ahead:
            continue
        with collector_paused():
            cuts = split_all(text)
        with _changing:
            _ahead[text] = cuts
            while sum(map(len, _ahead)) > _KEPT and len(_ahead) > 1:
                del _ahead[next(iter(_ahead))]


def is_split(text: str) -> bool:
    """Whether splitting this text is done already."""
    return visible(text) in _ahead


def _lines(text: str) -> list[str]:
    lines = text.split("\n")
    last = lines.pop()
    return [line + "\n" for line in lines] + ([last] if last else [])


_KEPT: Final = 2_000_000
_ahead: dict[str, tuple[list[Cut], References]] = {}
_changing = threading.Lock()


class Splitter:
    """Splits a text that grows.

    Attributes:
        open: The provisional pieces at the end, after all the final ones.
        references: Link reference definitions of the complete lines so far.
    """

    def __init__(self) -> None:
        self.open: list[Cut] = []
        self.references: References = {}
        self._tail = ""
        self._fence: Fence | None = None
        self._fence_lines: list[str] = []
        self._table: list[str] = []
        self._before: Cut | None = None

    def append(self, text: str) -> list[Cut]:
        """Take more text; returns the pieces that became final. `open` is new after this."""
        final: list[Cut] = []
        if self._lengthen(text):
            return final
        self._tail += text
        if self._follow(len(text), final):
            return final
        while self._step(final):
            pass
        if final:
            self._before = final[-1]
        return final

    def _lengthen(self, text: str) -> bool:
        """Whether `text` only makes a paragraph's last line longer; then there is nothing to split."""
        if len(self.open) != 1 or self.open[0].kind != "paragraph" or "\n" in text:
            return False
        if self._tail.endswith("\n"):
            return False
        cut = self.open[0]
        if not cut.source.endswith(self._tail[-LONG_PARAGRAPH:]):
            return False
        start = cut.source.rfind("\n") + 1
        if cut.source.lstrip().startswith("["):
            # A link definition whose title may end here.
            return False
        if _SETTLED.match(cut.source[start : start + 200]) is None:
            return False
        longer = Cut(cut.source + text, cut.kind)
        longer.gap = cut.gap
        self.open = [longer]
        self._tail += text
        return True

    def _follow(self, came: int, final: list[Cut]) -> bool:
        """Take more of a very large open block without reading it; whether it is not at its end.

        That is a guess, as much is in a stream: at its end it is split anew, as a whole.
        """
        last = self.open[-1] if self.open else None
        if last is None or last.kind not in ("block", "item", "paragraph"):
            return False
        if len(last.source) + _LINE * last.source.count("\n") < _FOLLOWED:
            return False
        source = last.source.rstrip()
        start = len(self._tail[: len(self._tail) - came].rstrip()) - len(source)
        if start < 0 or not self._tail.startswith(source, start):
            return False
        ends = _ENDS_ITEM if last.kind == "item" else _ENDS
        match = ends.search(self._tail, max(start, len(self._tail) - came - 200))
        end = len(self._tail) if match is None else match.end()
        longer = Cut(self._tail[start:end], last.kind, last.marker, last.number)
        longer.gap = last.gap
        self.open = [*self.open[:-1], longer]
        if match is None:
            return True
        for cut in self.open:
            cut.final = True
        final += self.open
        self.open, self._tail = [], self._tail[end:]
        return False

    def _step(self, final: list[Cut]) -> bool:
        """Split the tail once; True if it should be done again."""
        if self._fence is not None:
            return self._step_fence(self._fence, final)
        if self._table:
            return self._step_table(final)
        units, references = _parse(self._tail, self.references)
        lines = _lines(self._tail)
        complete = self._tail.count("\n")
        cuts = _cut(units, lines, final[-1] if final else self._before)
        done = 0
        while done + 1 < len(units) and units[done + 1].start < complete:
            done += 1
        for cut in cuts[:done]:
            cut.final = True
            final.append(cut)
        consumed = units[done - 1].end if done else 0
        self._keep(references, complete)
        self.open = cuts[done:]
        if done < len(units):
            unit = units[done]
            if unit.kind == "fence" and unit.start < complete:
                self._fence = parse_fence(lines[unit.start])
                if self._fence is not None:
                    self._fence_lines = [lines[unit.start]]
                    self._tail = "".join(lines[unit.start + 1 :])
                    return True
            elif unit.kind == "table" and unit.start + 1 < complete:
                self._table = lines[unit.start : unit.start + 2]
                self._tail = "".join(lines[unit.start + 2 :])
                return True
        if done:
            self._tail = "".join(lines[consumed:])
        return False

    def _keep(self, references: References, limit: int) -> None:
        """Remember definitions whose lines are complete."""
        for label, value in references.items():
            if label not in self.references and value.get("map", [0, 0])[1] <= limit:
                self.references = {**self.references, label: value}

    def _step_fence(self, fence: Fence, final: list[Cut]) -> bool:
        while "\n" in self._tail:
            line, _, self._tail = self._tail.partition("\n")
            self._fence_lines.append(line + "\n")
            if fence_closes(fence, line):
                final.append(Cut("".join(self._fence_lines), "fence", final=True))
                self._fence, self._fence_lines, self.open = None, [], []
                return True
        self.open = [Cut("".join(self._fence_lines) + self._tail, "fence")]
        return False

    def _step_table(self, final: list[Cut]) -> bool:
        head = "".join(self._table[:2])
        lines = _lines(self._tail)
        complete = self._tail.count("\n")
        units, _ = _parse(head + self._tail, self.references)
        rows = units[0].end - 2
        ended = rows < complete
        taken = rows if ended else complete
        self._table += lines[:taken]
        self._tail = "".join(lines[taken:])
        if ended:
            final.append(Cut("".join(self._table), "table", final=True))
            self._table, self.open = [], []
            return True
        partial = self._tail if rows > complete else ""
        self.open = [Cut("".join(self._table) + partial, "table")]
        if self._tail and not partial:
            self.open += _cut(_parse(self._tail, self.references)[0], _lines(self._tail), None)
        return False


class PlainSplitter:
    """Splits text that is no markdown into pieces of a hundred lines."""

    SIZE = 100

    def __init__(self) -> None:
        self.open: list[Cut] = []
        self.references: References = {}
        self._tail = ""

    def append(self, text: str) -> list[Cut]:
        """As `Splitter.append`."""
        self._tail += text
        final: list[Cut] = []
        if self._tail.count("\n") > self.SIZE:
            lines = _lines(self._tail)
            at = 0
            while len(lines) - at > self.SIZE:
                cut = Cut("".join(lines[at : at + self.SIZE]), "plain", final=True)
                cut.gap = False
                final.append(cut)
                at += self.SIZE
            self._tail = "".join(lines[at:])
        self.open = [Cut(self._tail, "plain")]
        return final
