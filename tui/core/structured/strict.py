"""The rules that a JSON Schema must keep so that a model can be held to it (`strict: true`).

That every property is required and `additionalProperties` false is in bedrock-facts.md section 2; which
keywords there are, and the limits, are those of OpenAI's guide "Structured model outputs", which Bedrock's
page refers to.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final, cast

from tui.core.json_places import Step, path_text

__all__ = [
    "FORMATS",
    "KEYWORDS",
    "MOST_NESTING",
    "Problem",
    "check_schema",
    "is_good",
    "is_object",
    "resolve",
    "types_of",
]

MOST_PROPERTIES: Final = 5000
MOST_NESTING: Final = 10
MOST_ENUM_VALUES: Final = 1000
MOST_CHARACTERS: Final = 120_000
"""Of all names of properties and definitions, enum values and constants together."""

TYPES: Final = ("string", "number", "integer", "boolean", "object", "array", "null")
FORMATS: Final = ("date-time", "time", "date", "duration", "email", "hostname", "ipv4", "ipv6", "uuid")


@dataclass(frozen=True, slots=True)
class Problem:
    """Something that is wrong at a place of a schema, or of an answer.

    Attributes:
        path: The steps from the root to the place.
        text: What is wrong, a sentence without a full stop.
        mendable: Whether `mend_schema` can do something about it.
    """

    path: tuple[Step, ...]
    text: str
    mendable: bool = True

    def __str__(self) -> str:
        """`$.properties.age: …`."""
        return f"{path_text(self.path)}: {self.text}"


def is_object(value: object) -> bool:
    """Whether a JSON value is an object."""
    return isinstance(value, Mapping)


def _is_type(value: object) -> bool:
    if isinstance(value, list):
        names = cast("list[object]", value)
        return (
            bool(names) and all(name in TYPES for name in names) and len(set(map(str, names))) == len(names)
        )
    return value in TYPES


def _is_count(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _is_pattern(value: object) -> bool:
    try:
        re.compile(cast("str", value))
    except (re.error, TypeError, RecursionError, OverflowError):
        return False
    return isinstance(value, str)


def _is_text(value: object) -> bool:
    return isinstance(value, str)


def _is_list(value: object) -> bool:
    return isinstance(value, list) and bool(cast("list[object]", value))


KEYWORDS: Final[dict[str, Callable[[object], bool]]] = {
    "type": _is_type,
    "title": _is_text,
    "description": _is_text,
    "enum": _is_list,
    "const": lambda _: True,
    "anyOf": _is_list,
    "$ref": _is_text,
    "$defs": is_object,
    "definitions": is_object,
    "properties": is_object,
    "required": lambda value: isinstance(value, list),
    "additionalProperties": lambda value: value is False,
    "items": is_object,
    "minItems": _is_count,
    "maxItems": _is_count,
    "pattern": _is_pattern,
    "format": lambda value: value in FORMATS,
    "minLength": _is_count,
    "maxLength": _is_count,
    "minimum": _is_number,
    "maximum": _is_number,
    "exclusiveMinimum": _is_number,
    "exclusiveMaximum": _is_number,
    "multipleOf": lambda value: _is_number(value) and cast("float", value) > 0,
}
"""The supported keywords, each with what its value must be."""


def is_good(name: str, value: object) -> bool:
    """Whether a keyword is supported and its value makes sense."""
    return name in KEYWORDS and KEYWORDS[name](value)


def types_of(schema: Mapping[str, Any]) -> tuple[str, ...]:
    """The names in `type`, one or several; none where it is missing or unknown."""
    value: object = schema.get("type")
    if not _is_type(value):
        return ()
    return tuple(cast("list[str]", value)) if isinstance(value, list) else (cast("str", value),)


def resolve(root: Mapping[str, Any], reference: object) -> Mapping[str, Any] | None:
    """What a local `$ref` (`#`, `#/$defs/name`) points at; `None` where there is no object."""
    if not isinstance(reference, str) or not reference.startswith("#"):
        return None
    found: object = root
    for step in reference[1:].split("/")[1:]:
        name = step.replace("~1", "/").replace("~0", "~")
        if isinstance(found, Mapping):
            found = cast("Mapping[str, object]", found).get(name)
        elif isinstance(found, list) and name.isascii() and name.isdecimal():
            entries = cast("list[object]", found)
            found = entries[int(name)] if int(name) < len(entries) else None
        else:
            return None
    return cast("Mapping[str, Any]", found) if isinstance(found, Mapping) else None


def check_schema(schema: object) -> list[Problem]:
    """What keeps a schema from being sent with `strict: true`, in the order of its text."""
    if not isinstance(schema, Mapping):
        return [Problem((), "a schema is a JSON object")]
    root = cast("Mapping[str, Any]", schema)
    checker = _Checker(root)
    found: list[Problem] = []
    if "anyOf" in root:
        found.append(Problem(("anyOf",), "the root must be one object, not a choice"))
    elif types_of(root) != ("object",):
        found.append(Problem((), "the root must have the type object"))
    found += checker.node(root, (), 1)
    found += checker.limits()
    return found


class _Checker:
    def __init__(self, root: Mapping[str, Any]) -> None:
        self._root = root
        self._properties = self._values = self._characters = 0
        self._deep = False

    def limits(self) -> Iterator[Problem]:
        """What is too much of the whole."""
        for name, count, most in (
            ("properties", self._properties, MOST_PROPERTIES),
            ("enum values", self._values, MOST_ENUM_VALUES),
            ("characters of names, enum values and constants", self._characters, MOST_CHARACTERS),
        ):
            if count > most:
                yield Problem((), f"{count:,} {name}; {most:,} are allowed", mendable=False)

    def node(self, value: object, path: tuple[Step, ...], level: int) -> Iterator[Problem]:
        """The problems of a schema and of all inside it."""
        if not isinstance(value, Mapping):
            yield Problem(path, "a schema is a JSON object")
            return
        schema = cast("Mapping[str, Any]", value)
        if level > MOST_NESTING:
            if not self._deep:
                self._deep = True
                yield Problem(path, f"nested deeper than {MOST_NESTING} levels", mendable=False)
            return
        yield from self._keywords(schema, path)
        if "$ref" in schema:
            if resolve(self._root, schema["$ref"]) is None:
                yield Problem((*path, "$ref"), "points at nothing in this schema")
            if others := [name for name in schema if name not in ("$ref", "$defs", "definitions", "$schema")]:
                yield Problem(path, f"nothing may stand beside $ref: {', '.join(others)}")
        elif "anyOf" not in schema and not types_of(schema) and "type" not in schema:
            yield Problem(path, "type is missing")
        self._count(schema)
        yield from self._object(schema, path)
        if "array" in types_of(schema) and "items" not in schema:
            yield Problem(path, "an array needs items")
        yield from self._inside(schema, path, level)

    def _keywords(self, schema: Mapping[str, Any], path: tuple[Step, ...]) -> Iterator[Problem]:
        for name, value in schema.items():
            if name == "$schema" and not path:
                continue
            if name not in KEYWORDS:
                yield Problem((*path, name), f"the keyword {name} is not supported")
            elif name == "additionalProperties":
                if value is not False:
                    yield Problem((*path, name), "additionalProperties must be false")
            elif name == "format" and isinstance(value, str) and not is_good(name, value):
                yield Problem((*path, name), f"the format {value} is not supported")
            elif name != "items" and not is_good(name, value):
                yield Problem((*path, name), f"{name} cannot have this value")

    def _object(self, schema: Mapping[str, Any], path: tuple[Step, ...]) -> Iterator[Problem]:
        properties: object = schema.get("properties", {})
        if "object" not in types_of(schema) and "properties" not in schema:
            return
        if "properties" in schema and "type" in schema and "object" not in types_of(schema):
            yield Problem((*path, "properties"), "only an object has properties")
        if "additionalProperties" not in schema:
            yield Problem(path, "additionalProperties must be false, and is missing")
        if not isinstance(properties, Mapping):
            return
        names = cast("Mapping[str, object]", properties)
        listed: object = schema.get("required", [])
        required = cast("list[object]", listed) if isinstance(listed, list) else []
        for name in names:
            if name not in required:
                yield Problem((*path, "properties", name), "is not in required; every property must be")
        for name in required:
            if not isinstance(name, str) or name not in names:
                yield Problem((*path, "required"), f"{name} is no property")

    def _inside(self, schema: Mapping[str, Any], path: tuple[Step, ...], level: int) -> Iterator[Problem]:
        deeper = level + ("object" in types_of(schema) or "array" in types_of(schema))
        for name in ("properties", "$defs", "definitions"):
            inner: object = schema.get(name)
            if isinstance(inner, Mapping):
                for key, value in cast("Mapping[str, object]", inner).items():
                    below = deeper if name == "properties" else 1
                    yield from self.node(value, (*path, name, key), below)
        if "items" in schema:
            yield from self.node(schema["items"], (*path, "items"), deeper)
        choices: object = schema.get("anyOf")
        if isinstance(choices, list):
            for index, value in enumerate(cast("list[object]", choices)):
                yield from self.node(value, (*path, "anyOf", index), level)

    def _count(self, schema: Mapping[str, Any]) -> None:
        for name in ("properties", "$defs", "definitions"):
            inner: object = schema.get(name)
            if isinstance(inner, Mapping):
                keys = cast("Mapping[str, object]", inner)
                self._properties += len(keys) if name == "properties" else 0
                self._characters += sum(map(len, keys))
        values: object = schema.get("enum")
        if isinstance(values, list):
            listed = cast("list[object]", values)
            self._values += len(listed)
            self._characters += sum(len(str(value)) for value in listed)
        self._characters += len(str(schema.get("const", "")))
