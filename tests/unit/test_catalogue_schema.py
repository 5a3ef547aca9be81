"""The catalogue's data file against a JSON schema: what a row must say, and that each says where from."""

from __future__ import annotations

import copy
import tomllib
from pathlib import Path
from typing import Any

import jsonschema
import pytest

import tui.core.catalogue as module

DOCUMENT = tomllib.loads(Path(module.__file__).with_name("catalogue.toml").read_text(encoding="utf-8"))

TEXT = {"type": "string", "minLength": 1}
DAY = {"type": "string", "pattern": r"^20\d\d-\d\d(-\d\d)?$"}
REGIONS = {
    "type": "array",
    "items": {"type": "string", "pattern": r"^[a-z]{2}(-[a-z]+)+-\d$"},
    "minItems": 1,
    "uniqueItems": True,
}
MONEY = {"type": "number", "minimum": 0, "maximum": 1000}
TOKENS = {"type": "integer", "minimum": 1}


def names(*allowed: str, least: int = 0) -> dict[str, Any]:
    return {"type": "array", "items": {"enum": list(allowed)}, "minItems": least, "uniqueItems": True}


PLACE = {
    "type": "object",
    "additionalProperties": False,
    "required": ["endpoint", "route", "apis", "regions", "source"],
    "properties": {
        "endpoint": {"enum": ["mantle", "runtime"]},
        "route": {"enum": ["/openai/v1", "/v1"]},
        "apis": names("responses", "chat_completions", "converse", "invoke_model", least=1),
        "regions": REGIONS,
        "ids": {"type": "array", "items": TEXT, "minItems": 1, "uniqueItems": True},
        "source": TEXT,
        "uncertain": names("regions", "apis", "ids", least=1),
    },
    # Runtime has no /v1, and its models go under ids of their own (bedrock-facts.md 1.1).
    "if": {"properties": {"endpoint": {"const": "runtime"}}},
    "then": {"properties": {"route": {"const": "/openai/v1"}}, "required": ["ids"]},
}
PRICE = {
    "type": "object",
    "additionalProperties": False,
    "required": ["kind", "input", "output", "date", "source"],
    "properties": {
        "kind": {"enum": ["in-region", "global", "list"]},
        "above": TOKENS,
        "input": MONEY,
        "cached": MONEY,
        "cache_write": MONEY,
        "output": MONEY,
        "date": {"type": "string", "pattern": r"^20\d\d-\d\d-\d\d$"},
        "source": TEXT,
        "uncertain": {"const": True},
    },
}
MODEL = {
    "type": "object",
    "additionalProperties": False,
    "required": [
        *("id", "label", "launched", "effort_values", "context", "default_max_output", "inputs"),
        *("features", "cache", "sampling", "place", "price", "source"),
    ],
    "properties": {
        "id": {"type": "string", "pattern": r"^openai\.[a-z0-9.-]+$"},
        "label": TEXT,
        "launched": DAY,
        "effort_values": names("none", "low", "medium", "high", "xhigh", "max", least=1),
        "default_effort": {"enum": ["none", "low", "medium", "high", "xhigh", "max"]},
        "context": TOKENS,
        "max_output": TOKENS,
        "default_max_output": TOKENS,
        "inputs": names("text", "image", "pdf", least=1),
        "features": names("background", "encrypted_reasoning", "stored_responses", "cache_breakpoints"),
        "cache": {"enum": ["", "in_memory", "24h", "prompt_cache_options"]},
        "cache_ttls": {"type": "array", "items": {"type": "string", "pattern": r"^\d+[mh]$"}, "minItems": 1},
        "cacheable_from": TOKENS,
        "cache_step": TOKENS,
        "sampling": {"enum": ["always", "effort_none", "never"]},
        "recommended": {
            "type": "object",
            "additionalProperties": False,
            "properties": {"effort": TEXT, "temperature": MONEY, "top_p": MONEY},
        },
        "notes": TEXT,
        "uncertain": {"type": "array", "items": TEXT, "uniqueItems": True},
        "source": TEXT,
        "place": {"type": "array", "items": PLACE, "minItems": 1},
        "price": {"type": "array", "items": PRICE, "minItems": 1},
    },
}
API_FEATURES = (
    *("streaming", "tools", "custom_tools", "json_schema", "stored_responses", "background", "input_items"),
    *("compaction", "encrypted_reasoning", "prompt_cache", "guardrails", "model_inherited"),
)
API_PARAMETERS = ("effort", "verbosity", "service_tier", "summary", "temperature", "top_p", "stop")
API = {
    "type": "object",
    "additionalProperties": False,
    "required": ["name", "endpoint", "features", "parameters", "source"],
    "properties": {
        "name": {"enum": ["responses", "chat_completions", "converse", "invoke_model"]},
        "endpoint": {"enum": ["mantle", "runtime"]},
        "route": {"const": ""},
        "features": names(*API_FEATURES, least=1),
        "parameters": names(*API_PARAMETERS, least=1),
        "source": TEXT,
        "uncertain": names(*API_FEATURES, *API_PARAMETERS, least=1),
    },
    # Only the native APIs are below the host itself, and only runtime has them.
    "if": {"properties": {"name": {"enum": ["converse", "invoke_model"]}}},
    "then": {"required": ["route"], "properties": {"endpoint": {"const": "runtime"}}},
    "else": {"not": {"required": ["route"]}},
}
SCHEMA = {
    "type": "object",
    "additionalProperties": False,
    "required": ["date", "regions", "api", "model"],
    "properties": {
        "date": DAY,
        "regions": REGIONS,
        "api": {"type": "array", "items": API, "minItems": 6},
        "model": {"type": "array", "items": MODEL, "minItems": 10},
    },
}


def test_the_file_has_the_schemas_form() -> None:
    jsonschema.Draft202012Validator.check_schema(SCHEMA)
    jsonschema.validate(DOCUMENT, SCHEMA)


@pytest.mark.parametrize(
    ("at", "key", "value"),
    [
        ((), "source", None),
        ((), "cache", "48h"),
        ((), "context", "big"),
        (("place", 0), "source", None),
        (("place", 0), "route", "/v2"),
        (("place", 0), "apis", ["soap"]),
        (("price", 0), "date", None),
        (("price", 0), "source", ""),
        (("price", 0), "input", -1),
        ((), "sampling", "sometimes"),
        ((), "recommended", {"top_k": 1}),
    ],
)
def test_a_row_that_says_less_or_otherwise_is_refused(at: tuple[Any, ...], key: str, value: Any) -> None:
    document = copy.deepcopy(DOCUMENT)
    row = document["model"][0]
    for step in at:
        row = row[step]
    if value is None:
        del row[key]
    else:
        row[key] = value
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(document, SCHEMA)
