"""Checks an edited body before it is sent, and says where in the text each finding stands."""

from __future__ import annotations

import difflib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final, cast

from tui.core.json_diff import value_words
from tui.core.json_places import Step, line_and_column, path_text, place_of
from tui.core.request_schema import CONVERSATION, CREATE_RESPONSE, Node

__all__ = ["Finding", "check_body"]

_MOST: Final = 20
_TYPES: Final[Mapping[str, tuple[type, ...]]] = {
    "string": (str,), "integer": (int,), "number": (int, float), "boolean": (bool,), "object": (dict,),
    "array": (list,),
}  # fmt: skip
_ARTICLES: Final = {"string": "a text", "integer": "a whole number", "number": "a number",
                    "boolean": "true or false", "object": "an object", "array": "a list"}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Finding:
    """Something about a body that the server will most likely refuse.

    Attributes:
        line: In the text, counted from 1.
        column: In that line, in characters, counted from 1.
        path: Where it is, as JSONPath; empty where the text is no JSON.
        words: What is wrong.
        syntax: Whether the text is no JSON object at all, so that it cannot be sent as one.
    """

    line: int
    column: int
    path: str
    words: str
    syntax: bool = False

    def __str__(self) -> str:
        """One line: the place, then what is wrong."""
        where = f" {self.path}" if self.path else ""
        return f"line {self.line}, column {self.column}:{where} {self.words}"


def check_body(body: bytes, api: str = "responses") -> list[Finding]:
    """Check a body of an API against what is known of it; empty when nothing was found.

    It reads the whole body, so call it off the event loop when that is large. At most 20 findings.
    """
    try:
        text = body.decode("utf-8")
    except UnicodeDecodeError as error:
        before = body[: error.start].decode("utf-8")
        line, column = line_and_column(before, len(before))
        return [Finding(line, column, "", "this is no UTF-8 text", syntax=True)]
    try:
        value: object = json.loads(text, parse_constant=_no_constant)
    except json.JSONDecodeError as error:
        words = f"this is no JSON: {error.msg[:1].lower()}{error.msg[1:]}"
        return [Finding(error.lineno, error.colno, "", words, syntax=True)]
    except (ValueError, RecursionError) as error:
        words = "nested too deep" if isinstance(error, RecursionError) else str(error)
        return [Finding(1, 1, "", f"this is no JSON: {words}", syntax=True)]
    if not isinstance(value, dict):
        return [Finding(1, 1, "", "the body must be a JSON object", syntax=True)]
    found: list[Finding] = []
    for path, words, at_name in _problems(
        cast("Any", value), CREATE_RESPONSE if api == "responses" else CONVERSATION, ()
    ):
        found.append(_finding(text, path, words, at_name))
        if len(found) == _MOST:
            break
    return sorted(found, key=lambda finding: (finding.line, finding.column))


def _no_constant(name: str) -> object:
    raise ValueError(f"{name} is no JSON value")


def _finding(text: str, path: tuple[Step, ...], words: str, at_name: bool) -> Finding:
    place = place_of(text, path)
    start = 0 if place is None else place.start
    if at_name and place is not None:
        # A name that is wrong stands before its value.
        start = text.rfind(json.dumps(path[-1], ensure_ascii=False), 0, start)
        start = place.start if start < 0 else start
    return Finding(*line_and_column(text, start), path_text(path), words)


_Problem = tuple[tuple[Step, ...], str, bool]


def _problems(value: object, node: Node, path: tuple[Step, ...]) -> Iterator[_Problem]:
    if value is None and node.get("null"):
        return
    wanted = node.get("type")
    if wanted is not None and not _is_of(value, wanted):
        yield path, f"must be {_wanted(wanted)}, not {_said(value)}", False
        return
    if "enum" in node and value not in node["enum"]:
        yield path, f"must be one of {', '.join(node['enum'])}, not {_said(value)}", False
    if isinstance(value, int | float) and not isinstance(value, bool):
        yield from _bounds(value, node, path)
    if isinstance(value, dict):
        yield from _object(cast("dict[str, object]", value), node, path)
    elif isinstance(value, list) and "items" in node:
        for index, entry in enumerate(cast("list[object]", value)):
            yield from _problems(entry, node["items"], (*path, index))


def _is_of(value: object, wanted: str | tuple[str, ...]) -> bool:
    names = (wanted,) if isinstance(wanted, str) else wanted
    if isinstance(value, bool):
        return "boolean" in names
    return any(isinstance(value, _TYPES[name]) for name in names)


def _wanted(wanted: str | tuple[str, ...]) -> str:
    names = (wanted,) if isinstance(wanted, str) else wanted
    return " or ".join(_ARTICLES[name] for name in names)


def _said(value: object) -> str:
    if isinstance(value, dict | list):
        return "an object" if isinstance(value, dict) else "a list"
    return value_words(value, 40)


def _bounds(value: float, node: Node, path: tuple[Step, ...]) -> Iterator[_Problem]:
    least, most = node.get("least"), node.get("most")
    if least is not None and value < least:
        yield path, f"must be {least} or more, not {value}", False
    if most is not None and value > most:
        yield path, f"must be {most} or less, not {value}", False


def _object(value: dict[str, object], node: Node, path: tuple[Step, ...]) -> Iterator[_Problem]:
    if "by" in node:
        yield from _case(value, node, path)
        return
    members: Mapping[str, Any] | None = node.get("members")
    for name in node.get("needs", ()):
        if name not in value:
            yield path, f"{name} is missing", False
    for name, inner in value.items():
        if members is not None and name in members:
            yield from _problems(inner, members[name], (*path, name))
        elif members is not None and not node.get("open"):
            near = difflib.get_close_matches(name, members, 1)
            hint = f"; is {near[0]} meant?" if near else ""
            yield (*path, name), f"is not known here{hint}", True
        elif "values" in node:
            yield from _problems(inner, node["values"], (*path, name))


def _case(value: dict[str, object], node: Node, path: tuple[Step, ...]) -> Iterator[_Problem]:
    by, cases = str(node["by"]), cast("Mapping[str, Node]", node["cases"])
    kind = value.get(by)
    if kind is None:
        kind = node.get("otherwise")
    if kind is None:
        yield path, f"{by} is missing", False
    elif not isinstance(kind, str) or kind not in cases:
        near = difflib.get_close_matches(str(kind), cases, 1)
        hint = f"; is {near[0]} meant?" if near else ""
        yield (*path, by), f"{_said(kind)} is not known here{hint}", False
    else:
        yield from _object(value, cases[kind], path)
