"""JSON parsed off the event loop without holding it up, the beginning of a long text, and what is inside.

The standard parser holds the interpreter from the first byte to the last: a tenth of a second for ten
megabytes of small values.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any, Final, cast

__all__ = ["beginning_of", "loads", "object_in"]

_LARGE: Final = 300_000
"""Characters from which parsing takes more than a few milliseconds."""

_TOKEN: Final = re.compile(r'"(?:[^"\\]|\\.)*"|[{}\[\],"]', re.DOTALL)


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    # A function of Python's own: other threads get their turn between two objects.
    return dict(pairs)


def loads(text: str | bytes) -> object:
    """Parse JSON as the standard library does; in a thread, the others go on.

    Raises:
        ValueError, RecursionError: As `json.loads`.
    """
    if len(text) < _LARGE:
        return json.loads(text)
    return json.loads(text, object_pairs_hook=_object)


def beginning_of(text: str, most: int) -> str:
    """The beginning of a large JSON text as JSON of its own: what is open where it is cut is closed.

    Returns:
        At most about `most` characters; nothing where the text is not large, or its first value is longer.
    """
    if len(text) < _LARGE:
        return ""
    closing: list[str] = []
    whole = ""
    end = 0
    for match in _TOKEN.finditer(text, 0, most):
        sign = match[0]
        if sign == '"':
            break
        if sign in ("{", "["):
            closing.append("}" if sign == "{" else "]")
        elif sign in ("}", "]") and closing:
            closing.pop()
            end, whole = match.end(), "".join(reversed(closing))
        elif sign == ",":
            end, whole = match.start(), "".join(reversed(closing))
    return text[:end] + whole if end else ""


def object_in(payload: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    """The object under this name; an empty one where there is none, or something else."""
    value: object = payload.get(name)
    return cast("Mapping[str, Any]", value) if isinstance(value, Mapping) else {}
