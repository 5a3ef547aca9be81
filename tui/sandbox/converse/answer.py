"""The answer of Converse (section 6: its blocks VERIFIED, ren8k, bifrost#978; its members botocore's)."""

from __future__ import annotations

import json

from .. import longform, tags
from ..shapes import Json
from ..stateless import Answer
from ..tokens import Split

_REASONS = {
    "end": "end_turn",
    "stop": "stop_sequence",
    "length": "max_tokens",
    "calls": "tool_use",
    "guardrail": "guardrail_intervened",
}


def converse(answer: Answer, form: str | None, split: Split, latency: int) -> Json:
    """The whole answer.

    Args:
        answer: what the model said.
        form: of `tags.FORMS` where the reasoning leaks into the text (section 6, VERIFIED, ren8k); None for
            blocks of its own.
        split: cuts text into tokens.
        latency: milliseconds.
    """
    blocks: list[Json] = []
    if form is None and answer.reasoning:
        blocks.append({"reasoningContent": {"reasoningText": {"text": answer.reasoning}}})
    if text := "".join(pieces(answer, form, split)):
        blocks.append({"text": text})
    for call in answer.calls:
        use = {"toolUseId": call_id(call), "name": call["name"], "input": json.loads(call["arguments"])}
        blocks.append({"toolUse": use})
    made: Json = {
        "output": {"message": {"role": "assistant", "content": blocks}},
        "stopReason": reason(answer),
        "usage": usage_of(answer),
        "metrics": {"latencyMs": latency},
    }
    if answer.assessed is not None and answer.assessed.traced:
        made["trace"] = {"guardrail": answer.assessed.converse()}
    return made


def pieces(answer: Answer, form: str | None, split: Split) -> list[str]:
    """The pieces of the text block."""
    if answer.model.benchmark is not None:
        return list(longform.benchmark(answer.model.id))
    text = split(answer.refusal if answer.refusal is not None else answer.text)
    found = text if form is None else tags.deltas(form, split(answer.reasoning), text, closed=answer.closed)
    return [piece for piece in found if piece]


def call_id(call: Json) -> str:
    """`tooluse_…`, at most 64 characters."""
    return "tooluse_" + str(call["call_id"]).partition("_")[2]


def reason(answer: Answer) -> str:
    """`stopReason`."""
    return "content_filtered" if answer.refusal is not None else _REASONS[answer.ended]


def usage_of(answer: Answer) -> Json:
    """Usage; gpt-oss tells no cached tokens (ASSUMED)."""
    return {
        "inputTokens": answer.input_tokens,
        "outputTokens": answer.output_tokens,
        "totalTokens": answer.input_tokens + answer.output_tokens,
    }
