"""What a model answers where nothing is stored: common to Chat Completions, Converse and InvokeModel.

Each of them puts its request into the Responses API's form, out of which the answer is made, and the answer
into its own.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

from . import context, generate
from .counting import count
from .faults import Fault
from .guardrail import Assessed, Guard
from .models import Model
from .place import Place
from .quota import Quota
from .request import CreateRequest
from .service import Service
from .shapes import Json

End = Literal["end", "length", "calls", "stop", "guardrail"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Prompt:
    """A request that passed its API's checks.

    Attributes:
        model: that it is for.
        items: the conversation as input items of the Responses API, system messages among them.
        raw: of that API's parameters: max_output_tokens, tools, tool_choice, parallel_tool_calls, text.
        effort: the reasoning effort that holds.
        stop: texts that end the answer and are not part of it.
        guard: the guardrail of the request, or None.
    """

    model: Model
    items: list[Json]
    raw: Json
    effort: str
    stop: tuple[str, ...] = ()
    guard: Guard | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What the model said.

    Attributes:
        reasoning: its text; empty where the model reasons in silence.
        closed: False where the limit was met while it reasoned.
        text: of the answer.
        calls: `function_call` items of the Responses API.
        refusal: instead of text, or None.
        ended: why it ended.
        stop: which of the stop texts ended it.
        cached: input tokens out of the prompt cache.
        written: input tokens written to it.
        output_tokens: reasoning included.
        assessed: what the guardrail did, or None where there is none.
        model: whose answer it is.
    """

    model: Model
    reasoning: str = ""
    closed: bool = True
    text: str = ""
    calls: tuple[Json, ...] = ()
    refusal: str | None = None
    ended: End = "end"
    stop: str | None = None
    input_tokens: int = 0
    cached: int = 0
    written: int = 0
    output_tokens: int = 0
    reasoning_tokens: int = 0
    assessed: Assessed | None = None


def answer(service: Service, place: Place, quota: Quota | None, prompt: Prompt, fault: Fault) -> Answer:
    """Ask the model.

    Raises:
        ApiError: 400 for a prompt that is too long or cannot be read, 429 of the quota.
    """
    now = service.clock()
    guard, assessed = prompt.guard, None
    items = prompt.items
    if guard is not None:
        assessed = guard.assess_input(items)
        items = guard.without_tags(items)
    asked = CreateRequest(prompt.raw, prompt.model, items, prompt.effort, store=False)
    split = service.tokenizer.split
    seen = context.read(items, None, split, prompt.raw.get("tools") or ())
    input_tokens, cached, written = count(service, place, asked, seen, now)
    if quota is not None:
        quota.admit(
            input_tokens - cached + (prompt.raw.get("max_output_tokens") or prompt.model.most_output), now
        )
    service.saw(items)
    counted = Answer(
        model=prompt.model, input_tokens=input_tokens, cached=cached, written=written, assessed=assessed
    )
    if assessed is not None and assessed.blocked:
        # The model is not asked, so that nothing is billed for its output (ASSUMED).
        return replace(counted, text=assessed.message, ended="guardrail")
    if fault.empty:
        return counted
    said = replace(seen, instructions=_instructions(items))
    made = generate.generate(asked, said, service.ids, str(place), fault.refusal, fault.answer)
    answered = _stopped(_of_items(counted, made, split), prompt.stop, split)
    if guard is None or assessed is None or answered.calls:
        return answered
    after = guard.assess_output(assessed, answered.text)
    return replace(
        answered,
        # What is withheld is withheld whole (ASSUMED).
        reasoning="" if after.blocked else answered.reasoning,
        text=after.message if after.blocked else after.text,
        ended="guardrail" if after.blocked else answered.ended,
        assessed=after,
    )


def _instructions(items: list[Json]) -> str | None:
    system = [item for item in items if item.get("role") in ("system", "developer")]
    return "\n\n".join(message.text for message in context.read(system, None, list).messages) or None


def _of_items(counted: Answer, made: generate.Generated, split: context.Split) -> Answer:
    """The generated items as an answer."""
    kinds = {item["type"]: item for item in made.items}
    reasoning = "\n\n".join(part["text"] for part in kinds.get("reasoning", {}).get("content", ()))
    calls = tuple(item for item in made.items if item["type"] == "function_call")
    text, refusal = "", None
    if "message" in kinds:
        part: Json = kinds["message"]["content"][0]
        text, refusal = str(part.get("text") or ""), part.get("refusal")
    closed = made.reason is None or "message" in kinds
    if not closed:
        reasoning = "".join(split(reasoning)[: made.reasoning_tokens])
    ended: End = "calls" if calls else "length" if made.reason else "end"
    return replace(
        counted,
        reasoning=reasoning, closed=closed, text=text, calls=calls, refusal=refusal, ended=ended,
        output_tokens=made.output_tokens, reasoning_tokens=made.reasoning_tokens,
    )  # fmt: skip


def _stopped(answered: Answer, stop: tuple[str, ...], split: context.Split) -> Answer:
    """The answer up to the first of the stop texts."""
    found = [(at, text) for text in stop if (at := answered.text.find(text)) >= 0]
    if not found or answered.calls:
        return answered
    at, which = min(found)
    text = answered.text[:at]
    spent = answered.reasoning_tokens + len(split(text))
    return replace(answered, text=text, ended="stop", stop=which, output_tokens=spent)
