"""A text that matches a regular expression, for strings with a `pattern`."""

from __future__ import annotations

import re
from typing import Any, cast

_CATEGORIES = {
    "CATEGORY_DIGIT": "7",
    "CATEGORY_WORD": "a",
    "CATEGORY_SPACE": " ",
    "CATEGORY_NOT_DIGIT": "a",
    "CATEGORY_NOT_WORD": "-",
    "CATEGORY_NOT_SPACE": "a",
}
_CANDIDATES = "aA7 -_.,:/@#!€éß\n"


def matching(pattern: str, least: int = 0, most: int = 200) -> str | None:
    """A text in which `pattern` is found, with `least` to `most` characters; None where none is found.

    Assertions are not heeded while the text is made, so that a pattern that needs them may give None.
    """
    try:
        parsed = cast("Any", re)._parser.parse(pattern)
        found = re.compile(pattern)
    except (re.error, RecursionError, OverflowError):
        return None
    for more in range(least + 1):
        text = _of(parsed, more, {})
        for candidate in (text, text.ljust(least, "x"), text.rjust(least, "x")):
            if least <= len(candidate) <= most and found.search(candidate):
                return candidate
    return None


def _of(parsed: Any, more: int, groups: dict[int, str]) -> str:
    return "".join(_one(str(kind), value, more, groups) for kind, value in parsed)


def _one(kind: str, value: Any, more: int, groups: dict[int, str]) -> str:
    match kind:
        case "LITERAL":
            return chr(value)
        case "NOT_LITERAL":
            return next(character for character in _CANDIDATES if ord(character) != value)
        case "ANY":
            return "a"
        case "IN":
            return _in(value)
        case "MAX_REPEAT" | "MIN_REPEAT" | "POSSESSIVE_REPEAT":
            low, high, inner = value
            return "".join(_of(inner, 0, groups) for _ in range(min(int(high), int(low) + more, 1000)))
        case "SUBPATTERN":
            text = _of(value[3], more, groups)
            groups[value[0] or 0] = text
            return text
        case "ATOMIC_GROUP":
            return _of(value, more, groups)
        case "BRANCH":
            return _of(value[1][0], more, groups)
        case "GROUPREF":
            return groups.get(value, "")
        case _:
            return ""


def _in(members: Any) -> str:
    if str(members[0][0]) == "NEGATE":
        others = (one for one in _CANDIDATES if not any(_holds(member, one) for member in members[1:]))
        return next(others, "¤")
    kind, value = str(members[0][0]), members[0][1]
    if kind == "RANGE":
        return chr(value[0])
    return _CATEGORIES.get(str(value), "a") if kind == "CATEGORY" else chr(value)


def _holds(member: Any, character: str) -> bool:
    kind, value = str(member[0]), member[1]
    if kind == "RANGE":
        return value[0] <= ord(character) <= value[1]
    if kind == "LITERAL":
        return value == ord(character)
    tests = {
        "CATEGORY_DIGIT": character.isdigit(),
        "CATEGORY_WORD": character.isalnum() or character == "_",
        "CATEGORY_SPACE": character.isspace(),
    }
    name = str(value)
    return tests[name] if name in tests else not tests.get(name.replace("_NOT", ""), False)
