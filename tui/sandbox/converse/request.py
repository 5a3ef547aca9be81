"""Checking the body of Converse, and putting it into the Responses API's form.

Which field goes where: section 6, VERIFIED (seed2).
"""

from __future__ import annotations

import json
from typing import Any

from .. import aws, guardrail
from ..models import Model
from ..schema import unsound
from ..shapes import Json, array_at, is_array, is_object, object_at
from ..stateless import Prompt
from .messages import items_of, system_items

# What of Chat Completions has no field of its own here (section 6, VERIFIED, seed2: "the rest").
_NAMES = """
reasoning_effort seed user n frequency_penalty presence_penalty logit_bias parallel_tool_calls response_format
verbosity
"""
_ADDITIONAL = frozenset(_NAMES.split())


def check(body: Json, model: Model) -> Prompt:
    """A body as a prompt. Unknown members are not looked at, as in every service of AWS (ASSUMED).

    Raises:
        AwsError: 400.
    """
    tools = _tools(body)
    system, said_first = system_items(body.get("system"))
    items, guarded = items_of(body.get("messages"), has_tools=tools is not None)
    more = object_at(body, "additionalModelRequestFields")
    for name in more:
        if name not in _ADDITIONAL:
            raise aws.extraneous(name)
    effort = more.get("reasoning_effort") or model.effort
    if effort not in model.efforts and model.benchmark is None:
        raise aws.invalid(f"reasoning_effort: '{effort}' is not one of {', '.join(model.efforts)}.")
    limits = _inference(body)
    raw: Json = {
        "max_output_tokens": limits.get("maxTokens"),
        "tools": tools,
        "tool_choice": _choice(body, tools),
        "parallel_tool_calls": more.get("parallel_tool_calls"),
        "text": {"format": _format(body)},
    }
    return Prompt(
        model=model,
        items=[*system, *items],
        raw={name: value for name, value in raw.items() if value is not None},
        effort=effort,
        stop=tuple(limits.get("stopSequences") or ()),
        guard=_guard(body, [*said_first, *guarded]),
    )


def _inference(body: Json) -> Json:
    """Section 6; the ranges are the service model's, VERIFIED (botocore)."""
    given = body.get("inferenceConfig")
    if given is None:
        return {}
    if not is_object(given):
        raise aws.constraint(given, "inferenceConfig", "Member must be a structure")
    for name, low, high in (("maxTokens", 1, None), ("temperature", 0, 1), ("topP", 0, 1)):
        value, place = given.get(name), f"inferenceConfig.{name}"
        if value is None:
            continue
        if isinstance(value, bool) or not isinstance(value, int if name == "maxTokens" else (int, float)):
            raise aws.constraint(value, place, "Member must be a number")
        if value < low:
            raise aws.constraint(value, place, f"Member must have value greater than or equal to {low}")
        if high is not None and value > high:
            raise aws.constraint(value, place, f"Member must have value less than or equal to {high}")
    stop: Any = given.get("stopSequences") or []
    if not is_array(stop) or not all(isinstance(text, str) and text for text in stop):
        raise aws.constraint(stop, "inferenceConfig.stopSequences", "Member must be a list of strings")
    return given


def _tools(body: Json) -> list[Json] | None:
    given = body.get("toolConfig")
    if given is None:
        return None
    tools: list[Json] = []
    for index, tool in enumerate(array_at(given, "tools") if is_object(given) else []):
        spec = object_at(tool, "toolSpec") if is_object(tool) else {}
        place = f"toolConfig.tools.{index + 1}.member.toolSpec"
        schema = object_at(object_at(spec, "inputSchema"), "json")
        if not isinstance(spec.get("name"), str):
            raise aws.missing(f"{place}.name")
        if problem := unsound(schema, f"{place}.inputSchema.json"):
            raise aws.invalid(problem)
        if schema.get("type") != "object":
            raise aws.invalid(
                f"The value at toolConfig.tools.{index}.toolSpec.inputSchema.json.type must be one of the"
                " following: object."
            )
        tools.append(
            {
                "type": "function",
                "name": spec["name"],
                "description": spec.get("description"),
                "parameters": schema,
                "strict": spec.get("strict"),
            }
        )
    if not tools:
        raise aws.constraint("[]", "toolConfig.tools", "Member must have length greater than or equal to 1")
    return tools


def _choice(body: Json, tools: list[Json] | None) -> str | Json | None:
    choice = object_at(object_at(body, "toolConfig"), "toolChoice")
    if not tools or not choice or "auto" in choice:
        return None
    if "any" in choice:
        return "required"
    name = object_at(choice, "tool").get("name")
    if name not in [tool["name"] for tool in tools]:
        raise aws.invalid(f"The tool '{name}' at toolConfig.toolChoice.tool is not among toolConfig.tools.")
    return {"type": "function", "name": name}


def _format(body: Json) -> Json | None:
    """`outputConfig.textFormat`; the names VERIFIED (botocore), that gpt-oss has it is ASSUMED."""
    additional = object_at(object_at(body, "additionalModelRequestFields"), "response_format")
    if additional.get("type") == "json_schema":
        return {"type": "json_schema", "schema": _sound(object_at(additional, "json_schema").get("schema"))}
    if additional.get("type") == "json_object":
        return {"type": "json_object"}
    wanted = object_at(object_at(body, "outputConfig"), "textFormat")
    if not wanted:
        return None
    given = object_at(object_at(wanted, "structure"), "jsonSchema")
    try:
        schema: object = json.loads(given["schema"])
    except (KeyError, TypeError, ValueError):
        schema = None
    if wanted.get("type") != "json_schema":
        raise aws.constraint(
            wanted.get("type"),
            "outputConfig.textFormat.type",
            "Member must satisfy enum value set: [json_schema]",
        )
    return {"type": "json_schema", "schema": _sound(schema)}


def _sound(schema: object) -> object:
    if problem := unsound(schema):
        raise aws.invalid(f"The JSON schema of the output is not valid: {problem}.")
    return schema


def _guard(body: Json, guarded: list[str]) -> guardrail.Guard | None:
    """Section 5 "Guardrails"; here in the body, VERIFIED (botocore). guardContent alone is assessed then."""
    given = object_at(body, "guardrailConfig")
    try:
        return guardrail.chosen(
            given.get("guardrailIdentifier"),
            given.get("guardrailVersion"),
            str(given.get("trace") or "disabled"),
            only=tuple(guarded) or None,
        )
    except ValueError as error:
        raise aws.invalid(str(error)) from None
