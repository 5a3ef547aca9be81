"""Making a schema keep the strict rules, as near as can be to what it said.

What was optional becomes something that may be null, a choice stays a choice, and what cannot be said in
strict mode is left out: the validation at the end then has less to check.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final, cast

from tui.core.structured.strict import MOST_NESTING, check_schema, is_good, resolve, types_of

__all__ = ["mend_schema"]

_ROUNDS: Final = 6
_NULL: Final = {"type": "null"}
_HINTS: Final = (
    ("object", ("properties", "additionalProperties", "required", "patternProperties")),
    ("array", ("items", "prefixItems", "minItems", "maxItems", "uniqueItems")),
    ("number", ("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf")),
)
_OF_OBJECT: Final = ("properties", "required", "additionalProperties")
_OF_ARRAY: Final = ("items", "minItems", "maxItems")
_DEFINITIONS: Final = ("$defs", "definitions")


def mend_schema(schema: object) -> dict[str, Any]:
    """A schema that keeps the strict rules, but for the limits on size; one that does is given back equal."""
    root = dict(cast("Mapping[str, Any]", schema)) if isinstance(schema, Mapping) else {"type": "string"}
    # What a reference pointed at may itself have been left out: then the next round leaves it out too.
    for _ in range(_ROUNDS):
        root = _Mender(root).node(root, root=True)
        if types_of(root) != ("object",) or "anyOf" in root or "$ref" in root:
            root = _wrapped(root)
        if not any(problem.mendable for problem in check_schema(root)):
            break
    return root


class _Mender:
    def __init__(self, root: Mapping[str, Any]) -> None:
        self._root = root

    def node(self, value: object, *, root: bool = False, depth: int = 0) -> dict[str, Any]:
        """One schema and all inside it."""
        if not isinstance(value, Mapping) or depth > 8 * MOST_NESTING:
            return {"type": "string"}
        schema = self._plain(dict(cast("Mapping[str, Any]", value)))
        if "$ref" in schema:
            return self._reference(schema, depth, root=root)
        kept = {
            name: inner
            for name, inner in schema.items()
            if is_good(name, inner) or (name == "$schema" and root) or name in (*_OF_OBJECT, "items")
        }
        self._give_type(kept, schema)
        for name in _DEFINITIONS:
            if name in kept:
                kept[name] = {key: self.node(inner, depth=depth + 1) for key, inner in kept[name].items()}
        if "anyOf" in kept:
            kept["anyOf"] = [self.node(choice, depth=depth + 1) for choice in kept["anyOf"]]
        kinds = types_of(kept)
        if "object" in kinds:
            self._object(kept, depth)
        else:
            for name in _OF_OBJECT:
                kept.pop(name, None)
        if "array" in kinds:
            kept["items"] = self._items(schema, depth)
        else:
            for name in _OF_ARRAY:
                kept.pop(name, None)
        return kept

    def _plain(self, schema: dict[str, Any]) -> dict[str, Any]:
        """Without `oneOf` and `allOf`."""
        if isinstance(choices := schema.get("oneOf"), list) and "anyOf" not in schema:
            schema = {("anyOf" if name == "oneOf" else name): inner for name, inner in schema.items()}
            schema["anyOf"] = choices
        parts: object = schema.get("allOf")
        if not isinstance(parts, list):
            return schema
        del schema["allOf"]
        for part in cast("list[object]", parts):
            if not isinstance(part, Mapping):
                continue
            more = dict(cast("Mapping[str, Any]", part))
            if len(cast("list[object]", parts)) == 1 and "$ref" in more and _OF_OBJECT[0] not in schema:
                return more
            more = dict(resolve(self._root, more["$ref"]) or {}) if "$ref" in more else more
            schema = _merged(schema, more)
        schema.pop("allOf", None)
        return schema

    def _reference(self, schema: dict[str, Any], depth: int, *, root: bool) -> dict[str, Any]:
        if resolve(self._root, schema["$ref"]) is None:
            rest = {name: inner for name, inner in schema.items() if name != "$ref"}
            return self.node(rest or {"type": "string"}, root=root, depth=depth)
        kept: dict[str, Any] = {"$ref": schema["$ref"]}
        for name in _DEFINITIONS:
            if isinstance(schema.get(name), Mapping):
                kept[name] = {key: self.node(inner, depth=depth + 1) for key, inner in schema[name].items()}
        return kept

    def _give_type(self, kept: dict[str, Any], schema: Mapping[str, Any]) -> None:
        """Every schema has a type, a choice or a reference."""
        if "type" in kept or "anyOf" in kept:
            return
        values = kept.get("enum", [kept["const"]] if "const" in kept else None)
        if values is not None:
            kinds = list(dict.fromkeys(map(_kind_of, values)))
            kept["type"] = kinds[0] if len(kinds) == 1 else kinds
            return
        found = next((kind for kind, names in _HINTS if any(name in schema for name in names)), "string")
        kept["type"] = found

    def _object(self, kept: dict[str, Any], depth: int) -> None:
        given: object = kept.get("properties")
        properties = cast("Mapping[str, Any]", given) if isinstance(given, Mapping) else dict[str, Any]()
        listed: object = kept.get("required")
        required = cast("list[object]", listed) if isinstance(listed, list) else []
        mended: dict[str, Any] = {}
        for name, inner in properties.items():
            node = self.node(inner, depth=depth + 1)
            mended[name] = node if name in required else _or_null(node, self._root)
        kept["properties"] = mended
        kept["required"] = required if set(map(str, required)) == set(mended) else list(mended)
        kept["additionalProperties"] = False

    def _items(self, schema: Mapping[str, Any], depth: int) -> dict[str, Any]:
        given: object = schema.get("items")
        if isinstance(given, Mapping):
            return self.node(cast("Mapping[str, Any]", given), depth=depth + 1)
        places = cast("object", given if isinstance(given, list) else schema.get("prefixItems"))
        found = cast("list[object]", places) if isinstance(places, list) else []
        choices = [self.node(place, depth=depth + 1) for place in found]
        if len(choices) > 1:
            return {"anyOf": choices}
        return choices[0] if choices else {"type": "string"}


def _merged(one: dict[str, Any], other: Mapping[str, Any]) -> dict[str, Any]:
    """What both ask for, as far as it can be said in one."""
    result = dict(one)
    for name, value in other.items():
        mine: object = result.get(name)
        if name in ("properties", *_DEFINITIONS) and isinstance(mine, Mapping) and isinstance(value, Mapping):
            result[name] = {**cast("Mapping[str, Any]", value), **cast("Mapping[str, Any]", mine)}
        elif name == "required" and isinstance(mine, list) and isinstance(value, list):
            both = [*cast("list[object]", mine), *cast("list[object]", value)]
            result[name] = [entry for index, entry in enumerate(both) if entry not in both[:index]]
        elif name not in result:
            result[name] = value
    return result


def _or_null(schema: dict[str, Any], root: Mapping[str, Any]) -> dict[str, Any]:
    """The schema, or null where there is nothing to say."""
    if "$ref" in schema:
        return {"anyOf": [schema, dict(_NULL)]}
    if "anyOf" in schema:
        if any(types_of(choice) == ("null",) for choice in schema["anyOf"]):
            return schema
        return {**schema, "anyOf": [*schema["anyOf"], dict(_NULL)]}
    kinds = types_of(schema)
    if "null" in kinds:
        return schema
    if "const" in schema:
        return {"anyOf": [schema, dict(_NULL)]}
    result = {**schema, "type": [*kinds, "null"]}
    if "enum" in schema and None not in schema["enum"]:
        result["enum"] = [*schema["enum"], None]
    return result


def _wrapped(schema: dict[str, Any]) -> dict[str, Any]:
    """An object that holds, as `value`, what was not one; references are moved with it."""
    definitions: dict[str, Any] = {}
    for name in _DEFINITIONS:
        definitions.update(schema.get(name, {}))
    name = "value"
    while name in definitions:
        name += "_"
    inner = {key: part for key, part in schema.items() if key not in (*_DEFINITIONS, "$schema")}
    if inner.get("$ref") == "#":
        inner = {"type": "string"}
    moved = cast("dict[str, Any]", _moved({**definitions, name: inner}, name))
    root: dict[str, Any] = {
        "type": "object",
        "properties": {"value": {"$ref": f"#/$defs/{name}"}},
        "required": ["value"],
        "additionalProperties": False,
        "$defs": moved,
    }
    if not definitions and '"$ref"' not in json.dumps(inner):
        del root["$defs"]
        root["properties"]["value"] = inner
    return root


def _moved(value: object, name: str) -> object:
    if isinstance(value, list):
        return [_moved(entry, name) for entry in cast("list[object]", value)]
    if not isinstance(value, Mapping):
        return value
    schema = cast("Mapping[str, object]", value)
    result = {key: _moved(inner, name) for key, inner in schema.items()}
    reference = result.get("$ref")
    if isinstance(reference, str) and reference.startswith("#"):
        place = reference[1:]
        for word in _DEFINITIONS:
            if place.startswith(f"/{word}/"):
                result["$ref"] = f"#/$defs/{place.removeprefix(f'/{word}/')}"
                return result
        result["$ref"] = f"#/$defs/{name}{place}"
    return result


def _kind_of(value: object) -> str:
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "boolean"
    if isinstance(value, int):
        return "integer"
    if isinstance(value, float):
        return "number"
    if isinstance(value, str):
        return "string"
    return "array" if isinstance(value, list) else "object"
