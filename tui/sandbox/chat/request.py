"""Checking the body of POST /chat/completions, and putting it into the Responses API's form.

Section 5 has the parameters, VERIFIED (seed2, ren8k). That unknown ones are refused, and the words of the
refusals where section 4 has none, are ASSUMED: OpenAI's.
"""

from __future__ import annotations

from typing import Any

from .. import errors, strict
from ..guardrail import Guard
from ..models import Model
from ..request import check_tier
from ..schema import unsound
from ..shapes import Json, array_at, is_object, object_at
from ..stateless import Prompt
from .messages import items_of

GUARDRAIL = "amazon-bedrock-guardrailConfig"
_NUMBER = (int, float)
_TYPES: dict[str, type | tuple[type, ...]] = {
    "model": str, "messages": list, "stream": bool, "stream_options": dict, "max_completion_tokens": int,
    "max_tokens": int, "temperature": _NUMBER, "top_p": _NUMBER, "stop": (str, list), "n": int, "seed": int,
    "reasoning_effort": str, "verbosity": str, "tools": list, "tool_choice": (str, dict),
    "parallel_tool_calls": bool, "response_format": dict, "metadata": dict, "store": bool, "user": str,
    "frequency_penalty": _NUMBER, "presence_penalty": _NUMBER, "logit_bias": dict, "logprobs": bool,
    "top_logprobs": int, "service_tier": str, "prompt_cache_key": str, "safety_identifier": str,
    GUARDRAIL: dict,
}  # fmt: skip
_UNSERVED = ("audio", "modalities", "prediction", "functions", "function_call", "web_search_options")
_RANGES = {
    "temperature": (0, 2),
    "top_p": (0, 1),
    "frequency_penalty": (-2, 2),
    "presence_penalty": (-2, 2),
}


def check_shape(body: Json) -> None:
    """Names, types and ranges.

    Raises:
        ApiError: 400.
    """
    for name, value in body.items():
        if name in _UNSERVED:
            raise errors.unsupported_here(name)
        if name not in _TYPES:
            raise errors.ApiError(400, "unknown_parameter", f"Unknown parameter: '{name}'.", param=name)
        expected = _TYPES[name]
        if value is None:
            continue
        if (isinstance(value, bool) and expected is not bool) or not isinstance(value, expected):
            raise errors.invalid(name, "wrong type")
        if name not in _RANGES:
            continue
        low, high = _RANGES[name]
        if not low <= value <= high:
            raise errors.invalid(name, f"expected a value from {low} to {high}")
    if body.get("n") not in (None, 1):
        raise errors.invalid("n", "only 1 is supported")
    for name in ("max_completion_tokens", "max_tokens"):
        if body.get(name) is not None and body[name] < 1:
            raise errors.invalid(name, "integer below minimum value: expected 1 or more")
    if body.get("stream_options") is not None and not body.get("stream"):
        raise errors.invalid("stream_options", "only allowed when 'stream' is true")
    metadata = object_at(body, "metadata")
    if len(metadata) > 16 or not all(isinstance(value, str) for value in metadata.values()):
        raise errors.invalid("metadata", "expected at most 16 pairs of strings")


def check(body: Json, model: Model, guard: Guard | None) -> Prompt:
    """Check what depends on the model, and the conversation.

    Args:
        body: passed `check_shape`.
        model: as found for its `model`.
        guard: the guardrail of the request's headers.

    Raises:
        ApiError: 400.
    """
    if body.get("messages") is None:
        raise errors.missing("messages")
    check_tier(body, model)
    items = items_of(body["messages"], model)
    effort = body.get("reasoning_effort") or model.effort
    if effort not in model.efforts and model.benchmark is None:
        raise errors.unsupported_value("reasoning_effort", effort, model.id, model.efforts)
    for name in ("temperature", "top_p"):
        if body.get(name) is not None and effort != "none" and not model.samples:
            raise errors.unsupported(name, model.id)
    if body.get("logprobs") or body.get("top_logprobs"):
        raise errors.unsupported("logprobs", model.id)
    if body.get("max_tokens") is not None and not model.samples:
        raise errors.unsupported("max_tokens", model.id)
    raw: Json = {
        "max_output_tokens": body.get("max_completion_tokens") or body.get("max_tokens"),
        "prompt_cache_key": body.get("prompt_cache_key"),
        "parallel_tool_calls": body.get("parallel_tool_calls"),
        "tools": _tools(body),
        "text": {"verbosity": body.get("verbosity"), "format": _format(body, items)},
    }
    raw["tool_choice"] = _choice(body, raw["tools"])
    return Prompt(
        model=model,
        items=items,
        raw={name: value for name, value in raw.items() if value is not None},
        effort=effort,
        stop=_stop(body),
        guard=guard,
    )


def _stop(body: Json) -> tuple[str, ...]:
    given: Any = body.get("stop")
    stop = [given] if isinstance(given, str) else given or []
    if len(stop) > 4 or not all(isinstance(text, str) and text for text in stop):
        raise errors.invalid("stop", "expected up to 4 strings")
    return tuple(stop)


def _tools(body: Json) -> list[Json] | None:
    """Chat's nested functions, flat."""
    tools: list[Json] = []
    for tool in array_at(body, "tools"):
        function = object_at(tool, "function") if is_object(tool) else {}
        if not is_object(tool) or tool.get("type") != "function":
            kind = tool.get("type") if is_object(tool) else tool
            raise errors.ApiError(
                400, "unsupported_value", f"Tool type '{kind}' is not supported.", param="tools"
            )
        if not isinstance(function.get("name"), str) or not function["name"]:
            raise errors.missing(f"tools[{len(tools)}].function.name")
        if function.get("parameters") is not None:
            if problem := unsound(function["parameters"], f"tools[{len(tools)}].function.parameters"):
                raise errors.invalid("tools", problem)
            if function.get("strict"):
                strict.check(function["parameters"])
        tools.append({"type": "function", **function})
    return tools or None


def _choice(body: Json, tools: list[Json] | None) -> str | Json | None:
    choice: object = body.get("tool_choice")
    if choice is None:
        return None
    if not tools:
        raise errors.invalid("tool_choice", "only allowed when 'tools' are specified")
    if isinstance(choice, str):
        if choice not in ("none", "auto", "required"):
            raise errors.unknown_variant("tool_choice")
        return choice
    name = object_at(choice if is_object(choice) else {}, "function").get("name")
    if name not in [tool["name"] for tool in tools]:
        raise errors.invalid("tool_choice", "the named tool is not among 'tools'")
    return {"type": "function", "name": name}


def _format(body: Json, items: list[Json]) -> Json | None:
    """Section 2 "Structured JSON / JSON mode"; that Chat Completions of these models have it is ASSUMED."""
    wanted = body.get("response_format")
    if wanted is None:
        return None
    kind = wanted.get("type")
    if kind == "text":
        return {"type": "text"}
    if kind == "json_object":
        if "json" not in str(items).lower():
            raise errors.invalid(
                "messages",
                "messages must contain the word 'json' to use 'response_format' of type 'json_object'",
            )
        return {"type": "json_object"}
    if kind != "json_schema":
        raise errors.unknown_variant("response_format")
    schema = object_at(wanted, "json_schema")
    if not isinstance(schema.get("name"), str) or not is_object(schema.get("schema")):
        raise errors.missing("response_format.json_schema.schema")
    if problem := unsound(schema["schema"]):
        raise errors.invalid("response_format", problem)
    if schema.get("strict"):
        strict.check(schema["schema"])
    return {"type": "json_schema", **schema}


def stream_usage(body: Json) -> bool:
    """Whether a last chunk is to tell usage."""
    return object_at(body, "stream_options").get("include_usage") is True


def tag_suffix(body: Json) -> str:
    """Section 5 "Guardrails", VERIFIED (seed2): which tags mark what is assessed.

    Raises:
        ApiError: 400; how long it may be is ASSUMED.
    """
    suffix: object = object_at(body, GUARDRAIL).get("tagSuffix")
    if suffix is None:
        return ""
    if not isinstance(suffix, str) or not suffix.isalnum() or len(suffix) > 20:
        raise errors.invalid(f"{GUARDRAIL}.tagSuffix", "expected 1 to 20 letters and digits")
    return suffix
