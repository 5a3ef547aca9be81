"""What a schema must keep to be taken with `strict: true` (bedrock-facts.md section 2).

That every property is required and `additionalProperties` false, which keywords there are and how much is
too much are OpenAI's rules, all ASSUMED for Bedrock; so are the words of the refusals.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from .errors import ApiError
from .shapes import Json, is_array, is_object

_ANYWHERE = "type title description enum const anyOf $ref $defs definitions"
_OBJECT = "properties required additionalProperties"
_SCALAR = (
    "pattern format minLength maxLength minimum maximum exclusiveMinimum exclusiveMaximum multipleOf "
    "items minItems maxItems"
)
_KNOWN = frozenset(f"{_ANYWHERE} {_OBJECT} {_SCALAR}".split())
_TYPES = frozenset(["string", "number", "integer", "boolean", "object", "array", "null"])
_FORMATS = frozenset(["date-time", "time", "date", "duration", "email", "hostname", "ipv4", "ipv6", "uuid"])
_DEEPEST, _PROPERTIES, _VALUES = 10, 5000, 1000


def check(schema: Json) -> None:
    """Refuse a schema that a model cannot be held to.

    Raises:
        ApiError: 400 with the place of the first mistake.
    """
    if schema.get("type") != "object" or "anyOf" in schema:
        raise _refuse((), "schema must be a JSON Schema of 'type: \"object\"'")
    counted = [0, 0]
    for place, problem in _problems(schema, schema, (), 1, counted):
        raise _refuse(place, problem)
    if counted[0] > _PROPERTIES or counted[1] > _VALUES:
        raise _refuse((), "too many properties or enum values")


def _refuse(place: tuple[str, ...], problem: str) -> ApiError:
    return ApiError(
        400,
        "invalid_json_schema",
        f"Invalid schema for response_format: In context={place!r}, {problem}.",
        param="text.format.schema",
    )


def _problems(
    root: Json, value: object, place: tuple[str, ...], level: int, counted: list[int]
) -> Iterator[tuple[tuple[str, ...], str]]:
    if not is_object(value):
        yield place, "a schema must be an object"
        return
    if level > _DEEPEST:
        yield place, f"{level} levels of nesting exceeds limit of {_DEEPEST}"
        return
    schema: Json = value
    for name in schema:
        if name not in _KNOWN and not (name == "$schema" and not place):
            yield place, f"'{name}' is not permitted"
    yield from _of_type(root, schema, place)
    if "format" in schema and schema["format"] not in _FORMATS:
        yield place, f"'{schema['format']}' is not a valid format"
    kinds = _kinds(schema)
    if "object" in kinds or "properties" in schema:
        yield from _of_object(schema, place)
    if "array" in kinds and "items" not in schema:
        yield place, "array schema missing items"
    inside = level + ("object" in kinds or "array" in kinds)
    for name in ("properties", "$defs", "definitions"):
        members: Any = schema.get(name) or {}
        if not is_object(members):
            yield place, f"'{name}' must be an object"
            return
        counted[0] += len(members) * (name == "properties")
        for key, inner in members.items():
            yield from _problems(
                root, inner, (*place, name, key), inside if name == "properties" else 1, counted
            )
    if "items" in schema:
        yield from _problems(root, schema["items"], (*place, "items"), inside, counted)
    choices: Any = schema.get("anyOf") or []
    for index, inner in enumerate(choices if is_array(choices) else [choices]):
        yield from _problems(root, inner, (*place, "anyOf", str(index)), level, counted)
    values: Any = schema.get("enum") or []
    counted[1] += len(values) if is_array(values) else 0


def _of_type(root: Json, schema: Json, place: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], str]]:
    if "$ref" in schema:
        if others := set(schema) - {"$ref", "$defs", "definitions", "$schema"}:
            yield place, f"$ref cannot have keywords {sorted(others)}"
        if not _resolves(root, schema["$ref"]):
            yield place, f"reference can only point to definitions defined at the top level: {schema['$ref']}"
    elif "anyOf" not in schema and not _kinds(schema):
        yield place, "schema must have a 'type' key"


def _of_object(schema: Json, place: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], str]]:
    if schema.get("additionalProperties") is not False:
        yield place, "'additionalProperties' is required to be supplied and to be false"
    names = set(schema.get("properties") or {})
    required: Any = schema.get("required")
    if not is_array(required) or {str(name) for name in required} != names:
        yield (
            place,
            "'required' is required to be supplied and to be an array including every key in properties",
        )


def _kinds(schema: Json) -> frozenset[str]:
    kind: Any = schema.get("type")
    kinds = frozenset(str(one) for one in (kind if is_array(kind) else [kind]))
    return kinds if kinds <= _TYPES else frozenset()


def _resolves(root: Json, reference: object) -> bool:
    if not isinstance(reference, str) or not reference.startswith("#"):
        return False
    found: Any = root
    for step in reference[1:].split("/")[1:]:
        if is_object(found) and step in found:
            found = found[step]
        elif is_array(found) and step.isdecimal() and int(step) < len(found):
            found = found[int(step)]
        else:
            return False
    return is_object(found)
