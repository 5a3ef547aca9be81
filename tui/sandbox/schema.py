"""A value that fits a JSON schema, drawn from the prompt: for structured output and for tool arguments."""

from __future__ import annotations

import math
import re
from fractions import Fraction
from typing import Any

from . import pattern, samples
from .shapes import Json, is_array, is_object, object_at

_DEEPEST = 40
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
    root = schema if root is None else root
    if "$ref" in schema:
        return example(_referred(root, schema["$ref"]), prompt, name, root, depth + 1, said)
    for key in ("const", "default"):
        if key in schema:
            return schema[key]
    if depth > _DEEPEST:
        return None
    if schema.get("enum"):
        return _mentioned(schema["enum"], prompt)
    if options := schema.get("anyOf") or schema.get("oneOf"):
        simple = min(options, key=_weight) if depth > 6 else options[0]
        return example(simple, prompt, name, root, depth + 1, said)
    kind: Any = schema.get("type")
    if is_array(kind):
        kind = (
            "null" if depth > 6 and "null" in kind else next((one for one in kind if one != "null"), "null")
        )
        schema = {**schema, "type": kind}
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


def unsound(value: object, place: str = "schema", depth: int = 0) -> str | None:
    """What keeps a value from being a schema that `example` can read, or None where nothing does."""
    if not is_object(value):
        return f"{place} is not of type 'object'"
    if depth > _DEEPEST:
        return f"{place} is nested too deep"
    inner: list[tuple[str, Any]] = [("items", value["items"])] if "items" in value else []
    for name in ("enum", "required", "anyOf", "oneOf"):
        if not is_array(value.get(name, [])):
            return f"{place}.{name} is not of type 'array'"
    for name in ("anyOf", "oneOf"):
        inner += [(f"{name}.{index}", one) for index, one in enumerate(value.get(name, ()))]
    for name in ("properties", "$defs", "definitions"):
        members: Any = value.get(name, {})
        if not is_object(members):
            return f"{place}.{name} is not of type 'object'"
        inner += [(f"{name}.{key}", one) for key, one in members.items()]
    found = (unsound(one, f"{place}.{name}", depth + 1) for name, one in inner)
    return next((problem for problem in found if problem), None)


def _lines(said: tuple[str, ...], name: str, least: int, most: int) -> list[str]:
    """What was said, for a list of texts; a list of rules gets what sounds like one, and no facts."""
    if not _FOR_RULES.search(name):
        return list(said[:most])
    rules = [text for text in said if _RULE.search(text)]
    others = [text for text in said if text not in rules]
    return [*rules, *others[: max(0, least - len(rules))]][:most]


def _weight(schema: Json) -> int:
    """What ends a recursion comes first."""
    if "$ref" in schema or "anyOf" in schema:
        return 3
    return 2 if "properties" in schema or schema.get("type") in ("object", "array") else 0


def _referred(root: Json, reference: str) -> Json:
    found: Any = root
    for step in reference.removeprefix("#").strip("/").split("/"):
        if is_array(found):
            found = found[int(step)]
        elif step:
            found = found[step.replace("~1", "/").replace("~0", "~")]
    return found


def _mentioned(values: list[Any], prompt: str) -> Any:
    lowered = prompt.lower()
    return next((v for v in values if str(v).lower() in lowered), values[samples.pick(prompt, len(values))])


def _number(schema: Json, prompt: str, name: str) -> int | float:
    said = re.findall(r"-?\d+(?:\.\d+)?", prompt)
    value = Fraction(said[0]) if said else Fraction(1 + samples.pick(prompt + name, 40))
    whole = schema.get("type") == "integer"
    given = Fraction(str(schema["multipleOf"])) if "multipleOf" in schema else None
    step = Fraction(given.numerator if given else 1) if whole else given
    low, high = schema.get("minimum"), schema.get("maximum")
    over, under = schema.get("exclusiveMinimum"), schema.get("exclusiveMaximum")
    grain = step or Fraction(1, 64)
    lows = [Fraction(str(low))] if low is not None else []
    lows += [Fraction(str(over)) + grain / 64] if over is not None else []
    highs = [Fraction(str(high))] if high is not None else []
    highs += [Fraction(str(under)) - grain / 64] if under is not None else []
    value = min([max([value, *lows]), *highs])
    if step:
        value = math.ceil(value / step) * step
        if highs and value > min(highs):
            value = math.floor(min(highs) / step) * step
    return int(value) if value.denominator == 1 else float(value)


_SAMPLES = {
    "date": "2026-11-22",
    "date-time": "2026-11-22T00:00:00Z",
    "time": "12:30:00Z",
    "duration": "P3DT4H",
    "email": "someone@example.com",
    "hostname": "example.com",
    "ipv4": "192.0.2.1",
    "ipv6": "2001:db8::1",
    "uuid": "123e4567-e89b-42d3-a456-426614174000",
}


def _string(schema: Json, prompt: str, name: str) -> str:
    if known := _SAMPLES.get(schema.get("format", "")):
        return known
    least, most = schema.get("minLength", 0), schema.get("maxLength", 200)
    text = _named(prompt)[:most].ljust(least, "x")
    if "pattern" not in schema or re.search(schema["pattern"], text):
        return text
    return pattern.matching(schema["pattern"], least, most) or text


def _named(prompt: str) -> str:
    # An identifier in the prompt (letters with digits, quoted text, a capitalised word) is most likely meant.
    for pattern_of in (
        r"[\"“']([^\"”']+)[\"”']",
        r"\b([A-Za-z]*-?\d[\w-]*)\b",
        r"(?<=[a-z] )([A-Z][a-z]+)\b",
    ):
        if match := re.search(pattern_of, prompt):
            return match[1]
    return samples.topic(prompt)
