"""A JSON text as a foldable tree, a row for each value; what is folded costs nothing.

Numbers keep their spelling and a name that comes twice is there twice. A long text is one row until it is
opened; a data URL is its media type, size and digest.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator, Sequence
from itertools import islice, takewhile
from typing import Final, cast

from rich.cells import cell_len

from tui.core.json_places import Step
from tui.core.text import visible, visible_line
from tui.widgets.inspection.found import Hit, PageRows, occurrences
from tui.widgets.inspection.json_node import Node, brief, close_all, is_data, open_some, walk
from tui.widgets.inspection.json_rows import Number, Pairs, json_value, text_rows
from tui.widgets.rows import Mark, Row, fit, row, wrap

__all__ = ["JsonTree"]

_INDENT: Final = 2
_DEEPEST: Final = 16
"""Levels that are indented; deeper ones stand below each other."""
_Part = str | tuple[str, Mark]


_Line = tuple[Node | None, Row | None]


class JsonTree(PageRows):
    """The rows of a tree, below rows that stand above it.

    Make it off the event loop: it parses. The rows are for one width; `rewrap` is for another.

    Args:
        text: A JSON text; any other is shown line by line.
        head: Rows above it.
        width: Cells.
        limit: Most characters of a text to show; 0 shows all.
        tinted: Paths whose rows are marked at their left, with all that is in them; `None` marks none.
    """

    def __init__(
        self,
        text: str,
        head: Sequence[Row],
        width: int,
        limit: int,
        *,
        tinted: frozenset[tuple[Step, ...]] | None = None,
    ) -> None:
        super().__init__()
        self._head = list(head)
        self._width = width
        self._limit = limit
        self._tinted = tinted
        self._plain: list[Row] = []
        self._lines: list[_Line] = []
        self._changing = threading.RLock()  # a thread opens what has many values in it
        self.root: Node | None = None
        try:
            self.root = Node(None, json_value(text), None)
        except (ValueError, RecursionError):
            self._plain = text_rows(text)
        if self.root is not None:
            open_some(self.root)
        self._lay_out()

    def __len__(self) -> int:
        """How many rows are not folded away."""
        return len(self._lines)

    def rewrap(self, width: int) -> None:
        """Lay the rows out for another width; what is open stays open."""
        if width != self._width:
            self._width = width
            self._lay_out()

    def _lay_out(self) -> None:
        with self._changing:
            lines: list[_Line] = [(None, line) for line in wrap([*self._head, *self._plain], self._width)]
            if self.root is not None:
                lines.extend(self._under(self.root))
            self._lines = lines

    def _under(self, top: Node) -> Iterator[_Line]:
        """The lines of a node and of all that is open in it."""
        waiting = [top]
        while waiting:
            node = waiting.pop()
            yield node, None
            if node.open:
                yield from ((node, line) for line in self._text_lines(node))
                waiting.extend(reversed(node.children))

    def _fits(self, node: Node) -> bool:
        """Whether a text needs no row but its own."""
        value = cast("str", node.value)
        name = json.dumps(node.key, ensure_ascii=False) if isinstance(node.key, str) else str(node.key or 0)
        room = self._width - self._indent(node) - 4 - cell_len(visible(name))
        return len(value) <= room and cell_len(json.dumps(visible_line(value), ensure_ascii=False)) <= room

    def _text_lines(self, node: Node) -> list[Row]:
        if not isinstance(node.value, str) or isinstance(node.value, Number) or not self.can_fold(node):
            return []
        if node.is_data:
            return self._digest_lines(node)
        shown = node.value[: self._limit] if self._limit else node.value
        indent = self._indent(node) + 2
        rows: list[Row] = []
        room = max(8, self._width - indent - 2)
        for line in visible(shown).split("\n"):
            for piece in wrap([Row(line.expandtabs(4), words=True)], room):
                rows.append(row(" " * indent, ("│ ", "dim"), (piece.text, "string")))
        if len(shown) < len(node.value):
            more = f"‹{len(node.value) - len(shown):,} more characters›"
            rows.append(row(" " * indent, ("│ ", "dim"), (more, "fold")))
        return rows

    def _digest_lines(self, node: Node) -> list[Row]:
        """The digest below the size of the data: it is too long for a line with both on most screens."""
        indent = self._indent(node) + 2
        pieces = wrap([Row(f"sha256 {node.data_words[1]}")], max(8, self._width - indent - 2))
        return [row(" " * indent, ("│ ", "dim"), (piece.text, "fold")) for piece in pieces]

    def _indent(self, node: Node) -> int:
        return min(node.depth, _DEEPEST) * _INDENT + (2 if self._tinted is not None else 0)

    # What is shown.

    def plain_row(self, index: int, width: int) -> Row:
        """The row at `index`, without what was searched for."""
        node, line = self._lines[index]
        if node is None:
            return line or Row("")
        shown = self._head_row(node) if line is None else line
        if self._tinted is None:
            return shown
        if self._is_tinted(node):
            text = "▌" + shown.text[1:]
            return Row(text, ((0, len(text), "success"),))
        return Row(shown.text, ((0, len(shown.text), "dim"),))

    def _is_tinted(self, node: Node) -> bool:
        steps = node.steps
        tinted = self._tinted or frozenset()
        return any(steps[:length] in tinted for length in range(1, min(len(steps), 3) + 1))

    def can_fold(self, node: Node) -> bool:
        """Whether there is more of it than its row."""
        if node.count:
            return True
        plain = isinstance(node.value, str) and not isinstance(node.value, Number)
        return plain and (node.is_data or not self._fits(node))

    def _head_row(self, node: Node) -> Row:
        sign = ("▾ " if node.open else "▸ ") if self.can_fold(node) else "  "
        parts: list[_Part] = [" " * self._indent(node), (sign, "accent")]
        if isinstance(node.key, str):
            name = node.key if node.key.isidentifier() else json.dumps(node.key, ensure_ascii=False)
            parts.extend([(name, "key"), (": ", "dim")])
        elif node.key is not None:
            parts.extend([(str(node.key), "number"), (": ", "dim")])
        room = max(
            8, self._width - sum(cell_len(part if isinstance(part, str) else part[0]) for part in parts)
        )
        return row(*parts, *self._value_parts(node, room))

    def _value_parts(self, node: Node, room: int) -> Sequence[_Part]:
        value = whole = node.value
        if isinstance(value, list):
            count = node.count
            words = f"{{{count}}}" if isinstance(value, Pairs) else f"[{count}]"
            inside = "" if node.open or not count else f"  {brief(whole, room)}"
            return [(words, "dim"), (fit(visible_line(inside), max(2, room - len(words))).rstrip(), "dim")]
        if isinstance(value, Number):
            return [(str(value), "number")]
        if not isinstance(value, str):
            return [({True: "true", False: "false"}.get(cast("bool", value), "null"), "word")]
        if node.is_data:
            return [(f"‹{node.data_words[0]}›", "fold")]
        if self._fits(node):
            return [(json.dumps(value, ensure_ascii=False), "string")]
        size = f"{len(value):,} characters"
        if node.open:
            return [(size, "dim")]
        quoted = json.dumps(value[: room + 1], ensure_ascii=False)[:-1]
        preview = fit(visible_line(quoted), max(2, room - len(size) - 2)).rstrip().removesuffix("…")
        return [(preview + "…", "string"), (f"  {size}", "fold")]

    def count_data(self) -> bool:
        """Find the digests of the data URLs that are shown; off the event loop. Whether there were any."""
        nodes = [node for node, line in list(self._lines) if node is not None and line is None]
        data = [node for node in nodes if node.is_data and not node.counted]
        for node in data:
            node.count_data()
        return bool(data)

    def lay_out_again(self) -> None:
        """Lay the rows out again: some have become longer."""
        self._lay_out()

    # Folding.

    def node_at(self, index: int) -> Node | None:
        """The node whose row, or text, is at `index`; `None` above the tree."""
        return self._lines[index][0] if 0 <= index < len(self._lines) else None

    def index_of(self, node: Node) -> int:
        """The row of a node that is shown."""
        return next(n for n, (other, line) in enumerate(self._lines) if other is node and line is None)

    def fold(self, index: int, open_: bool | None = None) -> int:
        """Open or close what is at `index`; the other of the two by default. Returns the node's row."""
        node = self.node_at(index)
        if node is None:
            return index
        with self._changing:
            at = self.index_of(node)
            wanted = not node.open if open_ is None else open_
            if self.can_fold(node) and wanted != node.open:
                self._change(node, at, lambda: setattr(node, "open", wanted))
        return at

    def fold_all(self, index: int, open_: bool) -> int:
        """Open or close what is at `index` and all in it, as far as there is room for it."""
        node = self.node_at(index) or self.root
        if node is None:
            return index
        with self._changing:
            at = self.index_of(node)
            self._change(node, at, lambda: open_some(node, texts=True) if open_ else close_all(node))
        return at

    def _change(self, node: Node, at: int, change: Callable[[], object]) -> None:
        shown = sum(1 for _ in self._under(node))
        change()
        self._lines[at : at + shown] = list(self._under(node))

    def parent_of(self, index: int) -> int:
        """The row of what the value at `index` stands in."""
        node = self.node_at(index)
        return self.index_of(node.parent) if node is not None and node.parent is not None else index

    # Searching.

    def search(self, words: str, most: int) -> list[Hit]:
        """Find words in names and values, folded ones too; off the event loop."""
        head = [line or Row("") for _, line in takewhile(lambda line: line[0] is None, list(self._lines))]
        hits = self.hits_in(head, words, most)
        if self.root is None:
            return hits
        for places, name, value in walk(self.root.value):
            if words in name.casefold():
                hits.append(Hit(0, places))
            if isinstance(value, str) and not is_data(value):
                hits += [Hit(0, places, at) for at in islice(occurrences(value, words), most)]
            elif (value is None or isinstance(value, bool)) and words == json.dumps(value):
                hits.append(Hit(0, places))
            if len(hits) >= most:
                break
        return hits[:most]

    def reveal(self, hit: Hit) -> int:
        """Open what hides a hit, and say in which row it is."""
        node = self.root
        if hit.places is None or node is None:
            return hit.index
        for place in hit.places:
            if not node.open:
                self.fold(self.index_of(node), True)
            node = node.children[place]
        at = self.index_of(node)
        if hit.at >= 0 and self.can_fold(node):
            self.fold(at, True)
            end = at + 1
            while end < len(self._lines) and self._lines[end][0] is node:
                end += 1
            return self._row_of(node, hit.at, at, end)
        return at

    def _row_of(self, node: Node, at: int, first: int, end: int) -> int:
        """In which of the rows of an open text a character is."""
        # What wrapping took away is blanks only, so the characters before it say where it is.
        wanted = len("".join(visible(cast("str", node.value)[:at]).split()))
        seen = 0
        for index in range(first + 1, end):
            line = self._lines[index][1]
            seen += len("".join(line.text.partition("│ ")[2].split())) if line else 0
            if seen > wanted:
                return index
        return end - 1 if end > first + 1 else first
