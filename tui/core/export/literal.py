"""JSON values as Python source."""

from __future__ import annotations

import math
from typing import Any, Final, cast

from tui.core.export.request import Packed

__all__ = ["DATA_URL", "literal", "quoted"]

DATA_URL: Final = (
    "",
    "",
    "def data_url(name, media_type):",
    "    data = (HERE / name).read_bytes()",
    '    return f"data:{media_type};base64,{base64.b64encode(data).decode()}"',
    "",
    "",
)
"""What a program needs that reads its data URLs from files; it imports `base64` and defines `HERE`."""


def literal(value: object, depth: int = 0, packed: str = "data_url({name!r}, {media_type!r})") -> str:
    """A JSON value as Python, a member or an element a line.

    Args:
        value: A JSON value, in which a `Packed` may stand for what is read from a file.
        depth: How far its inside is indented, in steps of four.
        packed: How a `Packed` is written: a format of its `name` and `media_type`.
    """
    pad = "    " * (depth + 1)
    if isinstance(value, Packed):
        return packed.format(name=value.file.name, media_type=value.media_type)
    if isinstance(value, dict) and value:
        fields = cast("dict[str, object]", value)
        rows = [
            f"{pad}{quoted(name)}: {literal(inner, depth + 1, packed)},\n" for name, inner in fields.items()
        ]
        return "{\n" + "".join(rows) + pad[4:] + "}"
    if isinstance(value, list) and value:
        entries = cast("list[object]", value)
        rows = [f"{pad}{literal(entry, depth + 1, packed)},\n" for entry in entries]
        return "[\n" + "".join(rows) + pad[4:] + "]"
    if isinstance(value, float) and not math.isfinite(value):
        return f'float("{value}")'
    return quoted(value) if isinstance(value, str) else repr(cast("Any", value))


def quoted(text: str) -> str:
    """A string literal in double quotes where that needs no more escapes than Python's own choice."""
    written = repr(text)
    return f'"{written[1:-1]}"' if written[0] == "'" and '"' not in text and "\\'" not in written else written
