"""Checking the body of POST /responses (bedrock-facts.md sections 2, 4 and 8)."""

from __future__ import annotations

import re
from dataclasses import dataclass

from . import errors, strict
from .models import Model
from .schema import unsound
from .shapes import Json, array_at, is_array, is_object, object_at

_NAMES = """
background context_management conversation include input instructions max_output_tokens max_tool_calls
metadata model moderation parallel_tool_calls previous_response_id prompt prompt_cache_key
prompt_cache_options prompt_cache_retention reasoning safety_identifier service_tier store stream
stream_options temperature text tool_choice tools top_logprobs top_p truncation user
"""
_KNOWN = frozenset(_NAMES.split())
_TYPES: dict[str, type | tuple[type, ...]] = {
    "background": bool, "store": bool, "stream": bool, "parallel_tool_calls": bool, "model": str,
    "instructions": str, "previous_response_id": str, "prompt_cache_key": str, "max_output_tokens": int,
    "temperature": (int, float), "top_p": (int, float), "metadata": dict, "reasoning": dict, "text": dict,
    "include": list, "tools": list, "tool_choice": (str, dict), "stream_options": dict,
    "prompt_cache_retention": str, "prompt_cache_options": dict,
}  # fmt: skip
_INCLUDES = frozenset({"reasoning.encrypted_content", "message.output_text.logprobs"})
_TIERS = ("auto", "default")
_ROLES = frozenset({"user", "assistant", "system", "developer"})
# Section 2 "Compaction": compaction items were refused (VERIFIED, litellm#36546), so they are not here.
_ITEM_FIELDS: dict[str, tuple[str, ...]] = {
    "message": ("role", "content"),
    # Section 8.4: clients strip ids, so none is needed.
    "reasoning": ("summary",),
    "function_call": ("call_id", "name", "arguments"),
    "function_call_output": ("call_id", "output"),
    "custom_tool_call": ("call_id", "name", "input"),
    "custom_tool_call_output": ("call_id", "output"),
    "item_reference": ("id",),
}
_PART_FIELDS = {
    "input_text": "text",
    "output_text": "text",
    "refusal": "refusal",
    "input_file": "",
    "input_image": "",
}


@dataclass(frozen=True, slots=True)
class CreateRequest:
    """A body that passed the checks.

    Attributes:
        raw: the body.
        items: its input as a list of items; a string is one user message.
        effort: the reasoning effort that holds, asked for or by default.
        store: section 1.5, VERIFIED: true unless refused (aws-resp), false without retention (aws-ret).
    """

    raw: Json
    model: Model
    items: list[Json]
    effort: str
    store: bool

    @property
    def wants_encrypted(self) -> bool:
        """Whether reasoning items carry `encrypted_content`. Section 2, VERIFIED (cb)."""
        return "reasoning.encrypted_content" in array_at(self.raw, "include")

    @property
    def summary(self) -> str | None:
        """The kind of reasoning summary asked for, or None."""
        return object_at(self.raw, "reasoning").get("summary")


def check_shape(body: Json) -> None:
    """Top-level names and types. ASSUMED: an unknown name is refused as OpenAI does.

    Raises:
        ApiError: 400.
    """
    for name, value in body.items():
        if name not in _KNOWN:
            raise errors.ApiError(400, "unknown_parameter", f"Unknown parameter: '{name}'.", param=name)
        expected = _TYPES.get(name)
        if value is None or expected is None:
            continue
        wrong_bool = isinstance(value, bool) and expected is not bool
        if wrong_bool or not isinstance(value, expected):
            raise errors.invalid(name, "wrong type")
    metadata = object_at(body, "metadata")
    if len(metadata) > 16 or not all(isinstance(value, str) for value in metadata.values()):
        raise errors.invalid("metadata", "expected at most 16 pairs of strings")
    if (limit := body.get("max_output_tokens")) is not None and limit < 16:
        raise errors.invalid("max_output_tokens", "integer below minimum value: expected 16 or more")
    for name in ("conversation", "context_management", "prompt"):
        # Section 8.8: conversations are undocumented; section 2: compaction is contested. ASSUMED.
        if body.get(name) is not None:
            raise errors.ApiError(
                400, "unsupported_parameter", f"Unsupported parameter: '{name}'.", param=name
            )


def check(body: Json, model: Model, *, refuse_summary: bool | None, retention: bool = True) -> CreateRequest:
    """Check everything that depends on the model, and the input.

    Args:
        body: passed `check_shape`.
        model: as found for its `model`.
        refuse_summary: refuse `reasoning.summary` always, never, or (None) as the model does.
        retention: False refuses what must be kept.

    Raises:
        ApiError: 400.
    """
    if body.get("input") is None:
        raise errors.missing("input")
    items = parse_input(body["input"])
    for include in array_at(body, "include"):
        if include not in _INCLUDES:
            raise errors.invalid("include", "value did not match any expected variant")
    reasoning = object_at(body, "reasoning")
    refuse = refuse_summary if refuse_summary is not None else not model.takes_summary
    if "summary" in reasoning and refuse:
        # Section 8.6, VERIFIED (gist-blog): null fails like any other value.
        raise errors.unsupported("reasoning.summary", model.id)
    effort = reasoning.get("effort") or model.effort
    if effort not in model.efforts:
        # Section 1.4, VERIFIED (stdapi) for `minimal`.
        raise errors.unsupported_value("reasoning.effort", effort, model.id, model.efforts)
    if effort != "none" and not model.samples:
        for name in ("temperature", "top_p"):
            # Section 2, VERIFIED for GPT-6 (litellm#42523), ASSUMED for the others.
            if body.get(name) is not None:
                raise errors.unsupported(name, model.id)
    check_tier(body, model)
    _check_cache(body, model)
    _check_breakpoints(items, model)
    _check_tools(body)
    _check_format(body, items)
    if not model.sees:
        _check_text_only(items, model)
    if not retention and (body.get("store") or body.get("background")):
        raise errors.must_not_store()
    return CreateRequest(body, model, items, effort, retention and body.get("store") is not False)


def parse_input(value: object) -> list[Json]:
    """The items of `input`.

    Raises:
        ApiError: 400 in the documented words for anything that is no known item (section 4).
    """
    if isinstance(value, str):
        return [{"role": "user", "content": value}]
    if not is_array(value):
        raise errors.unknown_variant()
    items: list[Json] = []
    for item in value:
        if not is_object(item):
            raise errors.unknown_variant()
        _check_item(item)
        items.append(item)
    return items


def check_tier(body: Json, model: Model) -> None:
    """Section 1.4: Standard is the only tier on the cards, VERIFIED (cb, cards-x); others fail: ASSUMED.

    Raises:
        ApiError: 400.
    """
    tier: object = body.get("service_tier")
    if tier not in (None, *_TIERS):
        raise errors.unsupported_value("service_tier", tier, model.id, _TIERS)


def _check_cache(body: Json, model: Model) -> None:
    """Section 2 "Prompt caching": which models take what is VERIFIED (cb, sdk), the refusals are ASSUMED."""
    retention: object = body.get("prompt_cache_retention")
    if retention is not None and retention not in model.retentions and model.benchmark is None:
        raise errors.unsupported_value("prompt_cache_retention", retention, model.id, model.retentions)
    options = object_at(body, "prompt_cache_options")
    if body.get("prompt_cache_options") is not None and not model.takes_cache_options:
        raise errors.unsupported("prompt_cache_options", model.id)
    for name, allowed in (("mode", ("implicit", "explicit")), ("ttl", ("30m",))):
        if options.get(name) not in (None, *allowed):
            raise errors.unsupported_value(f"prompt_cache_options.{name}", options[name], model.id, allowed)
    if len(str(body.get("prompt_cache_key") or "")) > 64:
        raise errors.invalid("prompt_cache_key", "string too long: expected 64 characters at most")


def _check_breakpoints(items: list[Json], model: Model) -> None:
    """Section 2 "Prompt caching": per block, from gpt-5.6 on, VERIFIED (sdk); the refusals are ASSUMED."""
    for item in items:
        content = item.get("content")
        for part in content if is_array(content) else ():
            if (found := part.get("prompt_cache_breakpoint")) is None:
                continue
            if not model.takes_cache_options:
                raise errors.unsupported("prompt_cache_breakpoint", model.id)
            if found != {"mode": "explicit"}:
                raise errors.invalid("prompt_cache_breakpoint", "expected {'mode': 'explicit'}")


def _check_text_only(items: list[Json], model: Model) -> None:
    """Section 2 "PDF": gpt-oss is text only, VERIFIED (seed2); status and words ASSUMED."""
    for item in items:
        content = item.get("content")
        for part in content if is_array(content) else ():
            if part["type"] in ("input_file", "input_image"):
                raise errors.invalid("input", f"the model '{model.id}' takes text only, not '{part['type']}'")


def _check_item(item: Json) -> None:
    kind = item.get("type", "message" if "role" in item else None)
    fields = _ITEM_FIELDS.get(kind) if isinstance(kind, str) else None
    if fields is None or any(name not in item for name in fields):
        raise errors.unknown_variant()
    if kind == "message":
        if item["role"] not in _ROLES:
            raise errors.unknown_variant()
        _check_content(item["content"])


def _check_content(content: object) -> None:
    if isinstance(content, str):
        return
    if not is_array(content):
        raise errors.unknown_variant()
    for part in content:
        if not is_object(part) or part.get("type") not in _PART_FIELDS:
            raise errors.unknown_variant()
        if (field := _PART_FIELDS[part["type"]]) and not isinstance(part.get(field), str):
            raise errors.unknown_variant()
        if part["type"] == "input_file":
            _check_file(part)
        elif part["type"] == "input_image":
            _check_image(part)


def _check_file(part: Json) -> None:
    """Section 4 "PDF": send file_data; file ids and URLs are undocumented on Bedrock. ASSUMED 400."""
    for name in ("file_url", "file_id"):
        if part.get(name) is not None:
            raise errors.ApiError(
                400,
                "unsupported_parameter",
                f"Unsupported parameter: '{name}' is not supported. Send the file as 'file_data'.",
                param="input",
            )
    if not isinstance(part.get("file_data"), str):
        raise errors.unknown_variant()


def _check_image(part: Json) -> None:
    """A picture is a data URL; its size and kind are read with the context.

    Section 1.4: GPT models take images, VERIFIED (cb). That file ids are refused, and URLs, which this server
    could not fetch, and what `detail` may be, are ASSUMED (OpenAI's values).
    """
    url: object = part.get("image_url")
    if part.get("file_id") is not None:
        raise errors.ApiError(
            400,
            "unsupported_parameter",
            "Unsupported parameter: 'file_id' is not supported. Send the image as 'image_url'.",
            param="input",
        )
    if not isinstance(url, str):
        raise errors.unknown_variant()
    if not url.startswith("data:"):
        raise errors.invalid("input", "'image_url' must be a data URL")
    if part.get("detail") not in (None, "low", "high", "auto", "original"):
        raise errors.unknown_variant()


def _check_tools(body: Json) -> None:
    names: list[str] = []
    for tool in array_at(body, "tools"):
        if not is_object(tool):
            raise errors.unknown_variant("tools")
        if tool.get("type") not in ("function", "custom"):
            # Section 8.8, VERIFIED (oai-bed): most hosted tools are not available; the body is ASSUMED. Web
            # search (mantle), tool search and computer use are, but not in this sandbox.
            raise errors.ApiError(
                400,
                "unsupported_value",
                f"Tool type '{tool.get('type')}' is not supported.",
                param="tools",
            )
        if not isinstance(tool.get("name"), str) or not tool["name"]:
            raise errors.unknown_variant("tools")
        if tool.get("parameters") is not None and (problem := unsound(tool["parameters"], "parameters")):
            raise errors.invalid("tools", problem)
        names.append(tool["name"])
    choice: object = body.get("tool_choice")
    if isinstance(choice, str) and choice not in ("none", "auto", "required"):
        raise errors.unknown_variant("tool_choice")
    if is_object(choice) and choice.get("name") not in names:
        raise errors.invalid("tool_choice", "the named tool is not among 'tools'")


def _check_format(body: Json, items: list[Json]) -> None:
    """Section 2 "Structured JSON / JSON mode": both rules here are ASSUMED (OpenAI's)."""
    wanted = object_at(object_at(body, "text"), "format") or {"type": "text"}
    kind = wanted.get("type")
    if kind not in ("text", "json_object", "json_schema"):
        raise errors.unknown_variant("text.format")
    if kind == "json_object":
        said = f"{body.get('instructions') or ''} {items}".lower()
        if "json" not in said:
            raise errors.invalid(
                "input", "messages must contain the word 'json' to use a format of type 'json_object'"
            )
    if kind == "json_schema":
        if not isinstance(wanted.get("name"), str) or not isinstance(wanted.get("schema"), dict):
            raise errors.missing("text.format.schema")
        if not re.fullmatch(r"[A-Za-z0-9_-]{1,64}", wanted["name"]):
            raise errors.invalid("text.format.name", "string does not match pattern '^[a-zA-Z0-9_-]+$'")
        if problem := unsound(wanted["schema"]):
            raise errors.invalid("text.format.schema", problem)
        if wanted.get("strict"):
            strict.check(wanted["schema"])
