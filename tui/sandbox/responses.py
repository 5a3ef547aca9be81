"""The Response object (bedrock-facts.md section 2 "Response fields" and "usage", VERIFIED, sdk)."""

from __future__ import annotations

from .generate import Generated
from .request import CreateRequest
from .shapes import Json, array_at, object_at


def begin(request: CreateRequest, response_id: str, now: int) -> Json:
    """The object as `response.created` carries it: in progress, no output, no usage."""
    raw = request.raw
    text = object_at(raw, "text")
    response: Json = {
        "id": response_id,
        "object": "response",
        "created_at": now,
        "completed_at": None,
        "status": "in_progress",
        "background": bool(raw.get("background")),
        "error": None,
        "incomplete_details": None,
        "instructions": raw.get("instructions"),
        "max_output_tokens": raw.get("max_output_tokens"),
        "max_tool_calls": raw.get("max_tool_calls"),
        "metadata": raw.get("metadata") or {},
        "model": request.model.id,
        "output": [],
        "parallel_tool_calls": raw.get("parallel_tool_calls") is not False,
        "previous_response_id": raw.get("previous_response_id"),
        "prompt_cache_key": raw.get("prompt_cache_key"),
        "prompt_cache_retention": raw.get("prompt_cache_retention"),
        "reasoning": {"effort": request.effort, "summary": request.summary},
        "safety_identifier": raw.get("safety_identifier"),
        # Section 1.4, VERIFIED (cb): `auto` comes back as `default`.
        "service_tier": "default",
        "store": request.store,
        "temperature": raw.get("temperature", 1.0),
        "text": {
            "format": text.get("format") or {"type": "text"},
            "verbosity": text.get("verbosity") or "medium",
        },
        "tool_choice": raw.get("tool_choice") or "auto",
        "tools": [_echo(tool) for tool in array_at(raw, "tools")],
        "top_logprobs": 0,
        "top_p": raw.get("top_p", 1.0),
        "truncation": "disabled",
        "usage": None,
    }
    if raw.get("prompt_cache_options") is not None:
        response["prompt_cache_options"] = {"mode": "implicit", "ttl": "30m", **raw["prompt_cache_options"]}
    return response


def end(response: Json, generated: Generated, usage: Json | None, now: int) -> Json:
    """The same response after its end: completed, or incomplete where a limit was met."""
    reason = generated.reason
    return {
        **response,
        "status": "incomplete" if reason else "completed",
        "completed_at": None if reason else now,
        "incomplete_details": {"reason": reason} if reason else None,
        "output": generated.items,
        "usage": usage,
    }


def fail(response: Json, items: list[Json], usage: Json | None = None) -> Json:
    """The same response, failed. Section 3: VERIFIED code and message (codex#27185, aether#403)."""
    message = "The server had an error while processing your request. Sorry about that!"
    error = {"code": "server_error", "message": message}
    return {**response, "status": "failed", "error": error, "output": items, "usage": usage}


def usage_of(
    request: CreateRequest, input_tokens: int, cached: int, written: int, generated: Generated
) -> Json:
    """Section 2 "usage"; `cache_write_tokens` only from gpt-5.6 on (VERIFIED, probe; 8.7, oai-caching)."""
    details: Json = {"cached_tokens": cached}
    if request.model.bills_writes:
        details["cache_write_tokens"] = written
    return {
        "input_tokens": input_tokens,
        "input_tokens_details": details,
        "output_tokens": generated.output_tokens,
        "output_tokens_details": {"reasoning_tokens": generated.reasoning_tokens},
        "total_tokens": input_tokens + generated.output_tokens,
    }


def _echo(tool: Json) -> Json:
    if tool["type"] == "function":
        return {
            "description": None,
            "parameters": None,
            **tool,
            "strict": tool.get("strict", True) is not False,
        }
    return tool
