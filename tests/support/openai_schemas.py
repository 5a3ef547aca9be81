"""Checks against OpenAI's published schemas, where they are at hand.

The file lies beside the checkout (`../shared/spec/openai-schemas.json`), not in it. Where it is missing,
`validate` does nothing, and the tests that call it still assert the behaviour they are about.

Two known differences are built in: `cache_write_tokens` may be absent (models before gpt-5.6 do not tell it)
and `usage` is null before the end of a response.
"""

from __future__ import annotations

import functools
import json
from pathlib import Path
from typing import Any

import jsonschema
from jsonschema.protocols import Validator

SPEC = Path(__file__).resolve().parents[2].parent / "shared" / "spec" / "openai-schemas.json"


class SchemaMismatch(AssertionError):
    """An object is not what the published schema says."""


@functools.cache
def schemas() -> dict[str, Any] | None:
    """`components.schemas` with the two known differences applied, or None where the file is absent."""
    if not SPEC.is_file():
        return None
    found: dict[str, Any] = _nullable(json.loads(SPEC.read_text("utf-8"))["components"]["schemas"])
    details = found["ResponseUsage"]["properties"]["input_tokens_details"]
    details["required"] = [name for name in details["required"] if name != "cache_write_tokens"]
    response = next(part for part in found["Response"]["allOf"] if "usage" in part.get("properties", {}))
    response["properties"]["usage"] = {"anyOf": [response["properties"]["usage"], {"type": "null"}]}
    return found


def _nullable(schema: Any) -> Any:
    """A copy in which OpenAPI 3.0's `nullable`, which JSON Schema does not know, is a choice with null."""
    if isinstance(schema, list):
        return [_nullable(one) for one in schema]
    if not isinstance(schema, dict):
        return schema
    made = {key: _nullable(value) for key, value in schema.items() if key != "nullable"}
    return {"anyOf": [made, {"type": "null"}]} if schema.get("nullable") is True else made


def available() -> bool:
    """Whether `validate` checks anything."""
    return schemas() is not None


@functools.cache
def _validator(name: str) -> Validator:
    found = schemas()
    assert found is not None
    if name not in found:
        raise KeyError(f"no schema {name}")
    document = {"$ref": f"#/components/schemas/{name}", "components": {"schemas": found}}
    return jsonschema.Draft202012Validator(document)


@functools.cache
def _event_schemas() -> dict[str, str]:
    """Event type -> the one schema that has it, so that not all of fifty are tried for each event."""
    found = schemas() or {}
    names = [option["$ref"].rpartition("/")[2] for option in found["ResponseStreamEvent"]["anyOf"]]
    return {kind: name for name in names for kind in found[name]["properties"]["type"]["enum"]}


@functools.cache
def _request_names() -> frozenset[str]:
    """Every top-level name that a create request may have."""
    found = schemas() or {}

    def names(schema: dict[str, Any]) -> set[str]:
        if "$ref" in schema:
            return names(found[schema["$ref"].rpartition("/")[2]])
        return set(schema.get("properties", {})).union(
            *(names(part) for part in schema.get("allOf", [])), set()
        )

    return frozenset(names(found["CreateResponse"]))


def validate(name: str, value: Any) -> None:
    """Check a value against the schema of that name.

    Args:
        name: of `components.schemas`: ResponseStreamEvent, Response, CreateResponse, ErrorResponse ...
        value: what `json.loads` gave.

    Raises:
        SchemaMismatch: with place and reason. Beyond the schema: an event of an unknown type, a create
            request with an unknown name, an ended response without usage.
    """
    if not available():
        return
    if name == "ResponseStreamEvent":
        kind = value.get("type")
        if kind not in _event_schemas():
            raise SchemaMismatch(f"unknown event type {kind!r}")
        name = _event_schemas()[kind]
    if name == "CreateResponse" and (unknown := set(value) - _request_names()):
        raise SchemaMismatch(f"CreateResponse: unknown names {sorted(unknown)}")
    error = jsonschema.exceptions.best_match(_validator(name).iter_errors(value))
    if error is not None:
        raise SchemaMismatch(f"{name} at {error.json_path}: {error.message[:500]}")
    response = value if name == "Response" else value.get("response") if isinstance(value, dict) else None
    if (
        isinstance(response, dict)
        and response.get("status") in ("completed", "incomplete")
        and not response.get("usage")
    ):
        raise SchemaMismatch(f"{name}: a response that has ended carries no usage")
