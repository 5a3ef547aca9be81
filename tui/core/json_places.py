"""Where the values of a JSON text stand in it, without walking it character by character.

A request body may hold tens of megabytes, nearly all of them in a few strings. The standard library's
scanner passes over a value at the speed of C; here it is only told where to start.
"""

from __future__ import annotations

import json
import re
from array import array
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from json import decoder
from typing import Any, Final, cast

__all__ = [
    "Place",
    "Step",
    "byte_ranges",
    "large_members",
    "line_and_column",
    "members",
    "path_text",
    "place_of",
]

Step = str | int
"""A step of a path: the name of a member, or the index of an element."""

_SPACE: Final = re.compile(r"[ \t\r\n]*")
_NAME: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*\Z")
_DECODER: Final = json.JSONDecoder()
# The scanner of strings is public and has no types.
_scan_string = cast("Callable[[str, int, bool], tuple[str, int]]", cast("Any", decoder).scanstring)


@dataclass(frozen=True, slots=True)
class Place:
    """A value in a JSON text; `start` and `end` are indexes of characters, `end` after the last."""

    start: int
    end: int


def path_text(path: Sequence[Step]) -> str:
    """A path as JSONPath writes it: `$.input[2].content`, `$['odd name']` (RFC 9535)."""
    parts = ["$"]
    for step in path:
        if isinstance(step, int):
            parts.append(f"[{step}]")
        elif _NAME.match(step):
            parts.append(f".{step}")
        else:
            escaped = json.dumps(step, ensure_ascii=False)[1:-1].replace('\\"', '"').replace("'", "\\'")
            parts.append(f"['{escaped}']")
    return "".join(parts)


def members(text: str, at: int = 0) -> Iterator[tuple[Step, Place]]:
    """The members of the object, or the elements of the array, that begins at `at`; nothing for a scalar.

    Args:
        text: A JSON text.
        at: Where the value begins; blanks before it are passed over.

    Raises:
        ValueError: It is no JSON, or nested too deep.
    """
    at = _past_space(text, at)
    opening = text[at : at + 1]
    if opening not in ("{", "["):
        return
    closing = "}" if opening == "{" else "]"
    at = _past_space(text, at + 1)
    index = 0
    while text[at : at + 1] != closing:
        step: Step = index
        if opening == "{":
            if text[at : at + 1] != '"':
                raise ValueError(f"a name was expected at character {at}")
            step, at = _scan_string(text, at + 1, True)
            at = _past(text, at, ":")
        try:
            _, end = _DECODER.raw_decode(text, at)
        except RecursionError as error:
            raise ValueError("nested too deep") from error
        yield step, Place(at, end)
        index += 1
        at = _past_space(text, end)
        if text[at : at + 1] != closing:
            at = _past(text, at, ",")
    return


def large_members(text: str) -> Iterator[tuple[Step, Place | array[int]]]:
    """The members of the object that a large text is; of an array, where each of its elements stands.

    Nothing is held in memory but these places, and other threads run between two elements.

    Raises:
        ValueError: It is no JSON object, or nested too deep.
    """
    at = _past(text, 0, "{")
    while text[at : at + 1] != "}":
        if text[at : at + 1] != '"':
            raise ValueError(f"a name was expected at character {at}")
        step, at = _scan_string(text, at + 1, True)
        at = _past(text, at, ":")
        if text[at : at + 1] == "[":
            places = array("q")
            end = at + 1
            for _, place in members(text, at):
                end = place.end
                places.extend((place.start, place.end))
            end = _past_space(text, end) + 1
            yield step, places
        else:
            _, end = _DECODER.raw_decode(text, at)
            yield step, Place(at, end)
        at = _past_space(text, end)
        if text[at : at + 1] != "}":
            at = _past(text, at, ",")
    if _past_space(text, at + 1) != len(text):
        raise ValueError(f"nothing was expected at character {at + 1}")


def place_of(text: str, path: Sequence[Step]) -> Place | None:
    """Where the value at `path` stands; the last one of a name that comes twice; `None` when there is none.

    Raises:
        ValueError: As `members`.
    """
    start = _past_space(text, 0)
    place = Place(start, len(text.rstrip(" \t\r\n")))
    for step in path:
        found: Place | None = None
        for name, inner in members(text, place.start):
            # True == 1, but no JSON name or index is a bool.
            if name == step and type(name) is type(step):
                found = inner
        if found is None:
            return None
        place = found
    return place


def byte_ranges(text: str, places: Sequence[Place]) -> list[tuple[int, int]]:
    """The places as ranges of the UTF-8 bytes of the text; they must be in order and not overlap."""
    if text.isascii():
        return [(place.start, place.end) for place in places]
    ranges: list[tuple[int, int]] = []
    seen = octets = 0
    for place in places:
        octets += _size(text[seen : place.start])
        length = _size(text[place.start : place.end])
        ranges.append((octets, octets + length))
        octets += length
        seen = place.end
    return ranges


def line_and_column(text: str, at: int) -> tuple[int, int]:
    """Line and column of a character, both counted from 1."""
    return text.count("\n", 0, at) + 1, at - text.rfind("\n", 0, at)


def _size(text: str) -> int:
    return len(text.encode("utf-8", "surrogatepass"))


def _past(text: str, at: int, sign: str) -> int:
    at = _past_space(text, at)
    if text[at : at + 1] != sign:
        raise ValueError(f"{sign!r} was expected at character {at}")
    return _past_space(text, at + 1)


def _past_space(text: str, at: int) -> int:
    match = _SPACE.match(text, at)
    assert match is not None
    return match.end()
