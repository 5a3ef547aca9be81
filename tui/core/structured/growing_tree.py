"""JSON as the lines of a tree, made while it arrives.

A parser of whole texts would read everything again with each delta; this one goes on where it stopped, and
lines that are finished never change. It shows and does not judge: whether the whole is JSON is for the
standard library to say.
"""

from __future__ import annotations

import json
import re
from typing import Final, Literal

from tui.core.json_places import Step

__all__ = ["GrowingTree", "TreeLine"]

Kind = Literal["object", "array", "string", "number", "word", "text"]

_SPACE: Final = re.compile(r"[ \t\r\n]*")
_CHUNK: Final = re.compile(r'(?:[^"\\]|\\.)*', re.DOTALL)
_SCALAR: Final = re.compile(r"[-+.0-9A-Za-z]+")
_NUMBER: Final = re.compile(r"-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][-+]?\d+)?\Z")
_WORDS: Final = ("true", "false", "null")


class TreeLine:
    """One value, or the head of an object or array.

    Attributes:
        path: The steps from the root to the value.
        kind: What it is; "text" is what is no JSON, from there on.
        closed: Whether it is complete.
        count: Of an object or array, how many members have come.
        end: Of an object or array that is closed, the index of the line after its last one; else -1.
    """

    __slots__ = ("_parts", "closed", "count", "end", "kind", "path")

    def __init__(self, path: tuple[Step, ...], kind: Kind, text: str = "") -> None:
        self.path = path
        self.kind: Kind = kind
        self._parts = [text]
        self.closed = False
        self.count = 0
        self.end = -1

    @property
    def text(self) -> str:
        """A scalar as it is written, a string with its quotes, as far as it has come; else empty."""
        if len(self._parts) > 1:
            self._parts = ["".join(self._parts)]
        return self._parts[0]

    @property
    def depth(self) -> int:
        """How deep it lies; the root is at 0."""
        return len(self.path)

    @property
    def folds(self) -> bool:
        """Whether there is anything in it to fold away."""
        return self.kind in ("object", "array") and self.count > 0

    def add(self, text: str) -> None:
        """More of a scalar has come."""
        self._parts.append(text)

    def same(self, other: TreeLine) -> bool:
        """Whether both say the same."""
        return (self.path, self.kind, self.text, self.closed, self.count, self.end) == (
            other.path, other.kind, other.text, other.closed, other.count, other.end
        )  # fmt: skip


class GrowingTree:
    """The tree of a JSON text that may still arrive.

    Attributes:
        lines: In the order of the text; only those in `changed` were changed since the last `feed`.
        changed: Indexes of lines that were there before the last `feed` and are drawn otherwise now.
    """

    def __init__(self, text: str = "") -> None:
        self.lines: list[TreeLine] = []
        self.changed: set[int] = set()
        self._open: list[int] = []
        self._expect = "value"
        self._mode = ""
        self._carry = ""
        self._key = ""
        if text:
            self.feed(text)

    @property
    def is_whole(self) -> bool:
        """Whether the root is complete and nothing but blanks followed."""
        return self._expect == "done" and not self._mode and bool(self.lines)

    @property
    def is_broken(self) -> bool:
        """Whether what came is no JSON from some place on."""
        return self._expect == "broken"

    def feed(self, delta: str) -> None:
        """Read on."""
        self.changed = set()
        text, self._carry = self._carry + delta, ""
        at = 0
        while at < len(text):
            if self._expect == "broken":
                self._grow(text[at:])
                return
            if self._mode:
                at = self._inside(text, at)
                continue
            space = _SPACE.match(text, at)
            at = space.end() if space else at
            if at < len(text):
                at = self._sign(text, at)

    def finish(self) -> None:
        """Nothing more comes: a number at the very end is complete."""
        self.changed = set()
        if self._mode == "scalar":
            self._end_scalar()

    # -- in a token ---------------------------------------------------------------------------

    def _inside(self, text: str, at: int) -> int:
        if self._mode == "scalar":
            match = _SCALAR.match(text, at)
            if match is None:
                self._end_scalar()
                return at
            self._grow(match[0])
            return match.end()
        match = _CHUNK.match(text, at)
        end = match.end() if match else at
        chunk = text[at:end]
        closes = text[end : end + 1] == '"'
        if not closes and end < len(text):
            # A backslash at the end: what it escapes comes with the next delta.
            self._carry = text[end:]
        if self._mode == "key":
            self._key += chunk
        else:
            self._grow(chunk + '"' * closes)
        if not closes:
            return len(text)
        if self._mode == "key":
            self._expect = "colon"
        else:
            self._end_value(len(self.lines) - 1)
        self._mode = ""
        return end + 1

    def _grow(self, text: str) -> None:
        if text:
            self.lines[-1].add(text)
            self.changed.add(len(self.lines) - 1)

    def _end_scalar(self) -> None:
        self._mode = ""
        line = self.lines[-1]
        if line.text in _WORDS:
            line.kind = "word"
        elif not _NUMBER.match(line.text):
            line.kind = "text"
            self._expect = "broken"
            return
        self._end_value(len(self.lines) - 1)

    # -- between tokens -----------------------------------------------------------------------

    def _sign(self, text: str, at: int) -> int:
        sign = text[at]
        if self._expect == "colon" and sign == ":":
            self._expect = "value"
        elif self._expect == "comma" and sign == ",":
            self._expect = "key" if self._inner().kind == "object" else "value"
        elif self._ends(sign):
            self._end_value(self._open.pop())
        elif self._expect in ("key", "key or end") and sign == '"':
            self._mode, self._key = "key", ""
        elif self._expect in ("value", "value or end"):
            return self._value(text, at)
        else:
            self._break(text, at)
            return len(text)
        return at + 1

    def _ends(self, sign: str) -> bool:
        if sign not in ("}", "]") or not self._open:
            return False
        wanted = "object" if sign == "}" else "array"
        return self._expect in ("comma", "key or end", "value or end") and self._inner().kind == wanted

    def _inner(self) -> TreeLine:
        return self.lines[self._open[-1]]

    def _value(self, text: str, at: int) -> int:
        sign = text[at]
        if sign == "{":
            self._add("object")
            self._open.append(len(self.lines) - 1)
            self._expect = "key or end"
        elif sign == "[":
            self._add("array")
            self._open.append(len(self.lines) - 1)
            self._expect = "value or end"
        elif sign == '"':
            self._add("string", '"')
            self._mode = "string"
        elif _SCALAR.match(sign):
            self._add("number")
            self._mode = "scalar"
            return at
        else:
            self._break(text, at)
            return len(text)
        return at + 1

    def _add(self, kind: Kind, text: str = "") -> None:
        path: tuple[Step, ...] = ()
        if self._open:
            index = self._open[-1]
            parent = self.lines[index]
            path = (*parent.path, parent.count if parent.kind == "array" else _name(self._key))
            parent.count += 1
            self.changed.add(index)
        self.lines.append(TreeLine(path, kind, text))

    def _end_value(self, index: int) -> None:
        line = self.lines[index]
        line.closed = True
        if line.kind in ("object", "array"):
            line.end = len(self.lines)
        self.changed.add(index)
        self._expect = "comma" if self._open else "done"

    def _break(self, text: str, at: int) -> None:
        self._expect = "broken"
        path = self._inner().path if self._open else ()
        self.lines.append(TreeLine(path, "text", text[at:]))


def _name(key: str) -> str:
    """A name without its escapes."""
    try:
        return str(json.loads(f'"{key}"', strict=False))
    except ValueError:
        return key
