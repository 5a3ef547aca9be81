"""A value that fits a JSON schema, drawn from the prompt: for structured output and for tool arguments."""

from __future__ import annotations

import re
from typing import Any

from . import samples
from .shapes import Json, is_array, object_at

_FOR_RULES = re.compile(r"constraint|policy|rule", re.I)
_RULE = re.compile(r"\b(must|never|always|only|please|do not|don['’]t)\b", re.I)


def example(
    schema: Json,
    prompt: str,
    name: str = "value",
    root: Json | None = None,
    depth: int = 0,
    said: tuple[str, ...] = (),
) -> Any:
    """A value that is valid under `schema` and repeats for the same prompt.

    Args:
        schema: types, enum, const, properties, items, anyOf, $ref and bounds are heeded.
        prompt: where strings and numbers are taken from.
        name: of the property; names a string.
        root: the outermost schema, for `$ref`.
        depth: how deep this value lies; recursion ends with empty arrays.
        said: what texts are drawn from instead of the prompt, when it asks for a summary.
    """
    root = root or schema
    if "$ref" in schema:
        return example(_referred(root, schema["$ref"]), prompt, name, root, depth + 1, said)
    for key in ("const", "default"):
        if key in schema:
            return schema[key]
    if schema.get("enum"):
        return _mentioned(schema["enum"], prompt)
    if options := schema.get("anyOf") or schema.get("oneOf"):
        simple = options[-1] if depth > 6 else options[0]
        return example(simple, prompt, name, root, depth + 1, said)
    kind: Any = schema.get("type")
    if is_array(kind):
        kind = kind[0]
    if kind == "object" or "properties" in schema:
        properties: Json = schema.get("properties") or {}
        return {key: example(value, prompt, key, root, depth + 1, said) for key, value in properties.items()}
    if kind == "array":
        least = schema.get("minItems", 0)
        if said and object_at(schema, "items").get("type") == "string":
            return _lines(said, name, least, schema.get("maxItems", 4))
        count = least if depth > 6 else max(least, min(2, schema.get("maxItems", 2)))
        return [
            example(schema.get("items") or {}, prompt, f"{name} {n + 1}", root, depth + 1, said)
            for n in range(count)
        ]
    if kind in ("integer", "number"):
        return _number(schema, prompt, name)
    if kind == "boolean":
        return bool(samples.pick(prompt + name, 2))
    if kind == "null":
        return None
    return _string(schema, f"“{said[-1]}”" if said else prompt, name)


def _lines(said: tuple[str, ...], name: str, least: int, most: int) -> list[str]:
    """What was said, for a list of texts; a list of rules gets what sounds like one, and no facts."""
    if not _FOR_RULES.search(name):
        return list(said[:most])
    rules = [text for text in said if _RULE.search(text)]
    others = [text for text in said if text not in rules]
    return [*rules, *others[: max(0, least - len(rules))]][:most]


def _referred(root: Json, reference: str) -> Json:
    found: Any = root
    for step in reference.removeprefix("#").strip("/").split("/"):
        found = found[step] if step else found
    return found


def _mentioned(values: list[Any], prompt: str) -> Any:
    lowered = prompt.lower()
    return next((v for v in values if str(v).lower() in lowered), values[samples.pick(prompt, len(values))])


def _number(schema: Json, prompt: str, name: str) -> int | float:
    said = re.findall(r"-?\d+(?:\.\d+)?", prompt)
    value = float(said[0]) if said else float(1 + samples.pick(prompt + name, 40))
    value = max(value, float(schema.get("minimum", value)))
    value = min(value, float(schema.get("maximum", value)))
    return int(value) if schema.get("type") == "integer" or value.is_integer() else value


def _string(schema: Json, prompt: str, name: str) -> str:
    formats = {"date": "2026-11-22", "date-time": "2026-11-22T00:00:00Z", "email": "someone@example.com"}
    if known := formats.get(schema.get("format", "")):
        return known
    # An identifier in the prompt (letters with digits, quoted text, a capitalised word) is most likely meant.
    for pattern in (r"[\"“']([^\"”']+)[\"”']", r"\b([A-Za-z]*-?\d[\w-]*)\b", r"(?<=[a-z] )([A-Z][a-z]+)\b"):
        if match := re.search(pattern, prompt):
            text = match[1]
            break
    else:
        text = samples.topic(prompt)
    text = text[: schema.get("maxLength", 200)]
    return text.ljust(schema.get("minLength", 0), "x")
