"""The chat.completion object (bedrock-facts.md section 5; its names VERIFIED in OpenAI's schemas)."""

from __future__ import annotations

from collections.abc import Callable

from .. import longform, tags
from ..shapes import Json
from ..stateless import Answer
from ..tokens import Split

_REASONS = {
    "end": "stop",
    "stop": "stop",
    "length": "length",
    "calls": "tool_calls",
    # ASSUMED: OpenAI's word for an answer that was withheld.
    "guardrail": "content_filter",
}


def envelope(kind: str, answer: Answer, ids: Callable[[str], str], now: int) -> Json:
    """What a completion and each chunk of one begin with."""
    return {
        "id": ids("chatcmpl").replace("_", "-", 1),
        "object": kind,
        "created": now,
        "model": answer.model.id,
        # Section 1.4, VERIFIED (cb): Standard is the only tier.
        "service_tier": "default",
        "system_fingerprint": "fp_sandbox",
    }


def completion(answer: Answer, head: Json, form: str, split: Split, *, usage: bool = True) -> Json:
    """The whole answer in one object.

    Args:
        answer: what the model said.
        head: of `envelope`.
        form: of `tags.FORMS`; how reasoning lies in the content.
        split: cuts text into tokens.
        usage: False leaves it out.
    """
    text = "".join(content(answer, form, split))
    message: Json = {"role": "assistant", "content": text or None, "refusal": answer.refusal}
    if answer.calls:
        message["tool_calls"] = [
            {
                "id": call["call_id"],
                "type": "function",
                "function": {"name": call["name"], "arguments": call["arguments"]},
            }
            for call in answer.calls
        ]
    choice = {"index": 0, "message": message, "logprobs": None, "finish_reason": reason(answer)}
    made = {**head, "choices": [choice]}
    if usage:
        made["usage"] = usage_of(answer)
    return {**made, **(answer.assessed.fields() if answer.assessed else {})}


def content(answer: Answer, form: str, split: Split) -> list[str]:
    """The pieces of the content, reasoning in its tags among them."""
    if answer.model.benchmark is not None:
        return list(longform.benchmark(answer.model.id))
    pieces = tags.deltas(form, split(answer.reasoning), split(answer.text), closed=answer.closed)
    return [piece for piece in pieces if piece]


def reason(answer: Answer) -> str:
    """`finish_reason`."""
    return _REASONS[answer.ended]


def usage_of(answer: Answer) -> Json:
    """Usage in Chat Completions' words; reasoning is part of the completion."""
    return {
        "prompt_tokens": answer.input_tokens,
        "completion_tokens": answer.output_tokens,
        "total_tokens": answer.input_tokens + answer.output_tokens,
        "prompt_tokens_details": {"cached_tokens": answer.cached, "audio_tokens": 0},
        "completion_tokens_details": {
            "reasoning_tokens": answer.reasoning_tokens,
            "audio_tokens": 0,
            "accepted_prediction_tokens": 0,
            "rejected_prediction_tokens": 0,
        },
    }
