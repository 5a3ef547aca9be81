"""From a request and its context to the output items of the response."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass

from . import answers, calling, longform, recall, samples, schema
from .context import Context
from .request import CreateRequest
from .sealed import seal
from .shapes import Json, object_at

Ids = Callable[[str], str]
# ASSUMED: more effort, more tokens; how many is made up.
_REASONING = {"low": 24, "medium": 96, "high": 256, "xhigh": 512, "max": 1024, "minimal": 8}


@dataclass(frozen=True, slots=True)
class Generated:
    """What the response holds when it has ended.

    Attributes:
        items: finished output items; the last is cut off where the limit was met.
        output_tokens: reasoning included (section 2, VERIFIED, sdk).
        reason: of `incomplete_details`, or None where the answer is whole.
    """

    items: list[Json]
    output_tokens: int
    reasoning_tokens: int
    reason: str | None = None


def generate(
    request: CreateRequest,
    context: Context,
    ids: Ids,
    place: str,
    refusal: str | None,
    said: str | None = None,
) -> Generated:
    """Make the answer.

    Args:
        request: the checked request.
        context: everything in sight.
        ids: prefix -> id.
        place: endpoint and region; the encrypted reasoning is bound to it.
        refusal: refuse with this text instead of answering.
        said: answer with this text, whatever was asked for.
    """
    if request.model.benchmark is not None:
        # A benchmark wants the tokens in its name, so max_output_tokens does not apply.
        text = "".join(longform.benchmark(request.model.id))
        return Generated([_message(ids, text)], request.model.benchmark[0], 0)
    limit: int = request.raw.get("max_output_tokens") or 1_000_000
    items: list[Json] = []
    thought = 0
    if request.effort != "none":
        wanted = _REASONING[request.effort] + samples.pick(context.asked.text, 16)
        thought = min(wanted, limit)
        items.append(_reasoning(request, context, ids, place))
        if thought < wanted or thought == limit:
            # Section 2, VERIFIED (sdk): the limit counts reasoning too; nothing else may come back.
            return Generated(items, thought, thought, "max_output_tokens")
    if refusal is not None:
        items.append(_message(ids, refusal, refused=True))
        return Generated(items, thought + len(context.split(refusal)), thought)
    if calls := calling.calls(request, context, ids):
        cost = sum(len(context.split(call.get("arguments") or call.get("input") or "")) + 8 for call in calls)
        return Generated([*items, *calls], thought + cost, thought)
    cut = context.split(said if said is not None else _text(request, context))
    room = limit - thought
    whole = len(cut) <= room
    items.append(_message(ids, "".join(cut[:room]), status="completed" if whole else "incomplete"))
    return Generated(items, thought + min(len(cut), room), thought, None if whole else "max_output_tokens")


def _text(request: CreateRequest, context: Context) -> str:
    text = object_at(request.raw, "text")
    wanted = object_at(text, "format") or {"type": "text"}
    if wanted["type"] == "json_schema":
        said = _said(context) if "summar" in context.asked.text.lower() else ()
        value = schema.example(
            wanted["schema"], f"{calling.returned(context.items)} {context.asked.text}".strip(), said=said
        )
        return json.dumps(value, ensure_ascii=False)
    if wanted["type"] == "json_object":
        answer = recall.remembered(context) or "This is Outcrop's sandbox, not a model."
        return json.dumps({"topic": samples.topic(context.asked.text), "answer": answer}, ensure_ascii=False)
    return answers.answer(context, text.get("verbosity") or "medium")


def _said(context: Context) -> tuple[str, ...]:
    """What the user said before, a line each, and what the documents are called."""
    texts = [recall.one_line(m.text, 160) for m in context.earlier if m.role == "user" and m.text.strip()]
    files = [f"{document.filename} was attached." for m in context.earlier for document in m.pdfs]
    files += [f"An image of {p.width} × {p.height} was attached." for m in context.earlier for p in m.images]
    return tuple(dict.fromkeys([*texts, *files]))


def _message(ids: Ids, text: str, *, status: str = "completed", refused: bool = False) -> Json:
    part: Json = {"type": "output_text", "text": text, "annotations": [], "logprobs": []}
    if refused:
        part = {"type": "refusal", "refusal": text}
    return {"id": ids("msg"), "type": "message", "status": status, "role": "assistant", "content": [part]}


def _reasoning(request: CreateRequest, context: Context, ids: Ids, place: str) -> Json:
    """Section 2: a reasoning item only when reasoning happened, in front of its result. VERIFIED (cb)."""
    name = samples.topic(context.asked.text)
    summary = [
        f"**Reading the question**\n\nIt is about {name}; {len(context.earlier)} message(s) came before it.",
        "**Choosing a form**\n\nHeadings, a list and a table show most of what a terminal can draw.",
    ]
    item: Json = {"id": ids("rs"), "type": "reasoning", "summary": []}
    if request.model.thinks_aloud:
        item["content"] = [{"type": "reasoning_text", "text": text} for text in summary]
    if request.summary is not None:
        item["summary"] = [{"type": "summary_text", "text": text} for text in summary]
    if request.wants_encrypted:
        item["encrypted_content"] = seal("\n\n".join(summary), item["id"], request.model.id, place)
    return item
