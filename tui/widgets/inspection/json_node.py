"""The values of a JSON text as nodes that open and close, made when they are asked for."""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Iterator
from typing import Any, Final, cast

from tui.core import figures
from tui.core.data_url import folded
from tui.core.json_places import Step, path_text
from tui.core.text import visible_line
from tui.widgets.inspection.json_rows import Number, Pairs

__all__ = ["Node", "brief", "close_all", "entries_of", "is_data", "open_some", "walk"]

_INDENT: Final = 2
_OPEN_AT_FIRST: Final = 2_000
"""Rows up to which a tree is opened when it is made."""
_SHORT: Final = 400
"""Characters of a text up to which it is open at first."""
_DATA: Final = 256


def is_data(text: str) -> bool:
    """Whether a text is a data URL of some size, whole or in outline."""
    return text.startswith("data:") and (len(text) >= _DATA or text.endswith("›"))


def entries_of(value: Any) -> list[object]:
    """The elements of an array, or the pairs of an object; none in anything else."""
    return cast("list[object]", value) if isinstance(value, list) else []


class Node:
    """A value of the tree.

    Attributes:
        key: Its name in the object, or its index in the array; `None` for the whole.
        value: As `json_value` gives it.
        parent: What it stands in.
        depth: 0 for the whole.
        open: Whether what is in it is shown.
    """

    __slots__ = ("_children", "_data", "depth", "key", "open", "parent", "value")

    def __init__(self, key: Step | None, value: object, parent: Node | None) -> None:
        self.key = key
        self.value = value
        self.parent = parent
        self.depth = 0 if parent is None else parent.depth + 1
        self.open = isinstance(value, str) and (len(value) <= _SHORT or is_data(value))
        self._children: list[Node] | None = None
        self._data = ("", "")

    @property
    def count(self) -> int:
        """How many values are in it."""
        return len(entries_of(self.value))

    @property
    def children(self) -> list[Node]:
        """The values in it; made when they are first asked for."""
        if self._children is None:
            if isinstance(self.value, Pairs):
                self._children = [Node(name, inner, self) for name, inner in self.value]
            else:
                self._children = [Node(index, one, self) for index, one in enumerate(entries_of(self.value))]
        return self._children

    @property
    def steps(self) -> tuple[Step, ...]:
        """Its path."""
        steps: list[Step] = []
        node: Node | None = self
        while node is not None and node.key is not None:
            steps.append(node.key)
            node = node.parent
        return tuple(reversed(steps))

    @property
    def path(self) -> str:
        """Its path as JSONPath."""
        return path_text(self.steps)

    @property
    def is_data(self) -> bool:
        """Whether it is a data URL of some size."""
        return isinstance(self.value, str) and is_data(self.value)

    @property
    def text(self) -> str:
        """The value as JSON, numbers in their own spelling; a text as it is, without quotes."""
        if isinstance(self.value, str):
            return str(self.value)
        return "".join(_spelled(self.value, 0))

    @property
    def counted(self) -> bool:
        """Whether the digest of a data URL was found."""
        return bool(self._data[1])

    def count_data(self) -> None:
        """Find the digest of a data URL, which takes as long as the data is large."""
        if not self._data[1]:
            value = cast("str", self.value)
            data = folded(value)
            if data is not None and data.sha256 == "…":
                return
            if data is None or data.size is None:
                self._data = (f"data URL, {len(value):,} characters, not valid base64", "none")
            else:
                words = f"{data.media_type}, {figures.size(data.size)} ({data.size:,} bytes)"
                self._data = (words, data.sha256)

    @property
    def data_words(self) -> tuple[str, str]:
        """Media type and size of a data URL, and its digest; `…` before `count_data` has found it."""
        if self._data[1]:
            return self._data
        value = cast("str", self.value)
        kind, _, rest = value[:_DATA].partition(",")
        outline = folded(value) if value.endswith("›") else None
        octets = (outline.size or 0) if outline else (len(value) - len(kind) - 1) * 3 // 4 if rest else 0
        return f"{kind.removeprefix('data:').partition(';')[0]}, {figures.size(octets)}", "…"


def _spelled(value: object, depth: int) -> Iterator[str]:
    """A value as indented JSON."""
    pad = " " * (depth * _INDENT)
    if isinstance(value, Number):
        yield str(value)
    elif isinstance(value, list) and value:
        opening, closing = ("{", "}") if isinstance(value, Pairs) else ("[", "]")
        for number, entry in enumerate(entries_of(value)):
            yield f"{',' if number else opening}\n{pad}  "
            inner = entry
            if isinstance(value, Pairs):
                name, inner = cast("tuple[str, object]", entry)
                yield f"{json.dumps(name, ensure_ascii=False)}: "
            yield from _spelled(inner, depth + 1)
        yield f"\n{pad}{closing}"
    elif isinstance(value, Pairs):
        yield "{}"
    else:
        yield json.dumps(value, ensure_ascii=False)


def open_some(top: Node, *, texts: bool = False) -> None:
    """Open what is in a node, from the outside in, until there are too many rows."""
    room = _OPEN_AT_FIRST
    waiting = deque([top])
    while waiting and room > 0:
        node = waiting.popleft()
        if isinstance(node.value, list):
            if node.count > room and node is not top:
                continue
            node.open = True
            room -= node.count
            waiting.extend(node.children)
        elif texts:
            node.open = True
            room -= len(node.value) // 40 if isinstance(node.value, str) else 0


def close_all(top: Node) -> None:
    """Close a node and all that is open in it."""
    waiting = [top]
    while waiting:
        node = waiting.pop()
        if node.open:
            waiting.extend(node.children)
        node.open = False


def walk(value: object) -> Iterator[tuple[tuple[int, ...], str, object]]:
    """Every value in the order of the text: which child of which it is, its name if it has one, itself.

    It makes no nodes, so that a thread may do it while the tree is drawn.
    """
    waiting: list[tuple[tuple[int, ...], str, object]] = [((), "", value)]
    while waiting:
        places, name, inner = waiting.pop()
        yield places, name, inner
        if isinstance(inner, Pairs):
            waiting += [((*places, n), key, one) for n, (key, one) in reversed(list(enumerate(inner)))]
        elif isinstance(inner, list):
            waiting += [((*places, n), "", one) for n, one in reversed(list(enumerate(entries_of(inner))))]


def brief(value: object, room: int) -> str:
    """What is in a folded object or array, in a few words."""
    if isinstance(value, Pairs):
        return ", ".join(f"{name}: {_short(inner)}" for name, inner in value[:6])[:room]
    return ", ".join(_short(inner) for inner in entries_of(value)[:6])[:room]


def _short(value: object) -> str:
    if isinstance(value, Pairs):
        kind = next((inner for name, inner in value if name in ("type", "role")), None)
        return f"{{{kind}}}" if isinstance(kind, str) else "{…}"
    if isinstance(value, list):
        return f"[{len(cast('list[object]', value))}]"
    if isinstance(value, Number):
        return str(value)
    if isinstance(value, str):
        end = '"' if len(value) <= 40 else "…"
        return json.dumps(visible_line(value[:40]), ensure_ascii=False)[:-1] + end
    return json.dumps(value)
