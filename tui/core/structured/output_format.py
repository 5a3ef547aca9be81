"""What form an answer is asked for in: `text.format` of a request, as it is kept and as it is read.

Source: bedrock-facts.md section 2, "Structured JSON / JSON mode".
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Any, Final, cast

from tui.core.errors import InputError
from tui.core.items import dump_json
from tui.core.structured.short_form import expand
from tui.core.structured.strict import Problem, check_schema
from tui.core.text import visible_line

__all__ = [
    "JSON_MODE",
    "format_name",
    "format_of",
    "format_problems",
    "format_value",
    "read_format",
    "schema_of",
    "why_not_sendable",
    "with_schema",
]

JSON_MODE: Final = '{"type":"json_object"}'
"""The format of an answer that is any JSON object."""

_NAME: Final = re.compile(r"[^A-Za-z0-9_-]+")
_LONGEST_NAME: Final = 64


def format_of(schema: Mapping[str, Any], name: str) -> str:
    """The `text.format`, as JSON text, that holds a model to a schema."""
    called = _NAME.sub("_", name).strip("_")[:_LONGEST_NAME] or "answer"
    return dump_json({"type": "json_schema", "name": called, "strict": True, "schema": schema})


def read_format(text: str, name: str) -> str:
    """What a file, or a line, says that the answer should be, as the JSON text of a `text.format`.

    It may be a JSON Schema, a whole `text.format` (with its own `name` and `strict`), or the short form.

    Raises:
        InputError: It is none of them; the sentence says why.
    """
    if not text.lstrip().startswith("{"):
        return format_of(expand(text), name)
    try:
        value: object = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise InputError(f"The schema is no JSON: {visible_line(str(error))}.") from None
    fields = cast("dict[str, Any]", value)
    inner: object = fields.get("schema")
    if fields.get("type") == "json_object":
        return JSON_MODE
    if isinstance(inner, Mapping) and (fields.get("type") == "json_schema" or "name" in fields):
        called = str(fields.get("name") or name)
        made = json.loads(format_of(cast("Mapping[str, Any]", inner), called))
        made["strict"] = fields.get("strict") is not False
        return dump_json(made)
    return format_of(fields, str(fields.get("title") or name))


@lru_cache(maxsize=64)
def format_value(text: str) -> Mapping[str, Any]:
    """The `text.format` that is kept as `text`; empty where there is none, or nothing that can be read."""
    try:
        value: object = json.loads(text) if text else {}
    except ValueError:
        return {}
    return cast("Mapping[str, Any]", value) if isinstance(value, Mapping) else {}


def format_name(text: str) -> str:
    """What people call a format: the schema's name, `JSON mode`, or nothing."""
    value = format_value(text)
    if value.get("type") == "json_object":
        return "JSON mode"
    return visible_line(str(value.get("name") or "")) if value.get("type") == "json_schema" else ""


def schema_of(text: str) -> Mapping[str, Any] | None:
    """The schema of a format; `None` in JSON mode, and without a format."""
    schema: object = format_value(text).get("schema")
    return cast("Mapping[str, Any]", schema) if isinstance(schema, Mapping) else None


def with_schema(text: str, schema: Mapping[str, Any]) -> str:
    """The same format with another schema."""
    return dump_json({**format_value(text), "schema": schema})


def format_problems(text: str) -> list[Problem]:
    """What keeps a format from being sent; a schema that is not `strict` is the server's to judge."""
    value = format_value(text)
    if value.get("type") != "json_schema" or not value.get("strict"):
        return []
    return check_schema(value.get("schema"))


def why_not_sendable(text: str, prompt: str, instructions: str) -> str | None:
    """A sentence that says why a request of this format must not be sent; `None` where it may be."""
    if format_value(text).get("type") == "json_object":
        if "json" in f"{prompt} {instructions}".casefold():
            return None
        return (
            "In JSON mode the prompt or the instructions must say JSON: say in the prompt what the JSON "
            "should hold, or turn the mode off with /schema off."
        )
    problems = format_problems(text)
    if not problems:
        return None
    more = f" (and {len(problems) - 1} more)" if len(problems) > 1 else ""
    return f"The schema {format_name(text)} breaks a strict rule at {visible_line(str(problems[0]))}{more}."
