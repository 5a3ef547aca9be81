"""Code blocks and tables in markdown, as a reader may want to take them away."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

from tui.core.text import visible
from tui.widgets.transcript.syntax import parser

__all__ = ["Part", "parts_of"]


@dataclass(frozen=True, slots=True)
class Part:
    """A code block or a table.

    Attributes:
        kind: "code" or "table".
        text: What is copied: the code without its fence, or the table's markdown.
        language: Of code; empty if it was not said.
        start: The line of the source where it begins, counted from 0.
        end: The line after its last one.
    """

    kind: str
    text: str
    language: str
    start: int
    end: int


@lru_cache(maxsize=128)
def parts_of(source: str) -> tuple[Part, ...]:
    """All code blocks and tables in markdown, nested ones too, in their order."""
    text = visible(source)
    if not ("```" in text or "~~~" in text or "|" in text or "    " in text or "\t" in text):
        return ()
    lines = text.split("\n")
    found: list[Part] = []
    for token in parser().parse(text):
        if token.map is None:
            continue
        start, end = token.map
        if token.type in ("fence", "code_block"):
            language = token.info.strip().split(maxsplit=1)[:1]
            code = token.content.removesuffix("\n")
            found.append(Part("code", code, language[0] if language else "", start, end))
        elif token.type == "table_open":
            taken = lines[start:end]
            # In a list it is indented, in a quote it is marked: neither belongs to the table.
            lead = taken[0][: len(taken[0]) - len(taken[0].lstrip(" >"))]
            table = "\n".join(line.removeprefix(lead).lstrip(" >") for line in taken)
            found.append(Part("table", table.strip("\n"), "", start, end))
    return tuple(found)
