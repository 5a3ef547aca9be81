"""Reading JSON of unknown shape without guessing."""

from __future__ import annotations

import json
from typing import Any, TypeGuard

Json = dict[str, Any]


def encode(value: object) -> bytes:
    """A value as JSON; a lone surrogate, which UTF-8 cannot hold, stays the escape that it came as."""
    try:
        return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()
    except UnicodeEncodeError:
        return json.dumps(value, separators=(",", ":")).encode()


def is_object(value: object) -> TypeGuard[Json]:
    """Whether a value out of `json.loads` is an object."""
    return isinstance(value, dict)


def is_array(value: object) -> TypeGuard[list[Any]]:
    """Whether a value out of `json.loads` is an array."""
    return isinstance(value, list)


def object_at(body: Json, key: str) -> Json:
    """The object under a key; an empty one where it is absent, null or something else."""
    value = body.get(key)
    return value if is_object(value) else {}


def array_at(body: Json, key: str) -> list[Any]:
    """The array under a key; an empty one where it is absent, null or something else."""
    value = body.get(key)
    return value if is_array(value) else []
