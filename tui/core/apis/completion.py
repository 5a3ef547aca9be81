"""What a chat.completion says of its end, in the terms of the Responses API. Source: bedrock-facts.md 5."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, cast

from tui.core.guardrail import REPORT_KEY, guardrail_report

__all__ = ["response_of", "usage_of_completion"]

Payload = Mapping[str, Any]

_INCOMPLETE: Final = {
    "length": "max_output_tokens",
    "content_filter": "content_filter",
    "guardrail_intervened": "guardrail_intervened",
}
"""Finish reasons by what the Responses API calls them; any other ends an answer that is whole."""


def response_of(body: Payload, finish_reason: str | None, output: list[Any] | None = None) -> dict[str, Any]:
    """A completion as a response object.

    Args:
        body: The completion, or the chunk that says most of it: `id`, `model`, `usage`, what a guardrail did.
        finish_reason: Of its choice.
        output: The items that it came to.
    """
    report = guardrail_report(body)
    why = _INCOMPLETE.get(finish_reason or "")
    if why == "content_filter" and report is not None and report["action"] == "INTERVENED":
        why = "guardrail_intervened"
    error = None
    if finish_reason == "error":
        error = {"code": "server_error", "message": "the model stopped with an error"}
    status = "failed" if error else "incomplete" if why else "completed"
    response: dict[str, Any] = {
        "id": body.get("id"),
        "object": "response",
        "status": status,
        "model": body.get("model"),
        "error": error,
        "incomplete_details": {"reason": why} if why else None,
        "output": output or [],
        "usage": usage_of_completion(body.get("usage")),
        "store": False,
    }
    return response if report is None else {**response, REPORT_KEY: report}


def usage_of_completion(usage: object) -> dict[str, Any] | None:
    """Token counts under the names of the Responses API; `None` when there are none."""
    if not isinstance(usage, Mapping):
        return None
    said = cast("Payload", usage)
    counted: dict[str, Any] = {}
    for name, other in (("input", "prompt"), ("output", "completion")):
        counted[f"{name}_tokens"] = said.get(f"{other}_tokens")
        details: object = said.get(f"{other}_tokens_details")
        if isinstance(details, Mapping):
            counted[f"{name}_tokens_details"] = dict(cast("Payload", details))
    counted["total_tokens"] = said.get("total_tokens")
    return counted
