"""Checks of what the program is made of: both continuations, structure, tools, files, cache, background."""

from __future__ import annotations

import asyncio
import base64
import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from tui.checks.definition import MOST_OUTPUT, CheckFailed, CheckSkipped, Found
from tui.core.attachments import Attachment
from tui.core.background import poll_interval
from tui.core.cache_controls import cache_params
from tui.core.checks.samples import CODE_WORD, ORDER_TOOL, TICKET_SCHEMA, long_prefix, sample_pdf
from tui.core.continuation import Options, Request, continuation_named
from tui.core.conversation import Conversation
from tui.core.discovery import CHECK_PROMPT
from tui.core.errors import HttpStatusError, OutcropError, WireError
from tui.core.figures import seconds
from tui.core.ids import new_id
from tui.core.items import ContinuationMode, Item, user_message
from tui.core.structured.output_format import format_of
from tui.core.text import visible_line
from tui.core.tools import calls_of, output_item
from tui.session.validation import answer_problems
from tui.store.history import History

if TYPE_CHECKING:
    from tui.checks.context import Answer, CheckContext

__all__ = ["background", "cache", "cleanup", "pdf", "stateful", "stateless", "structured", "tool"]

_WORD: Final = "basalt"
_SAY: Final = f"Remember this word for me: {_WORD}. {CHECK_PROMPT}"
_ASK: Final = "Which word did I ask you to remember? Reply with that word only."
_LONGEST_JOB: Final = 180.0
_SHIPPED: Final = "shipped on Monday"


# ---- continuing


async def stateful(context: CheckContext) -> Found:
    """A second turn by `previous_response_id` knows the first."""
    first, second = await _two_turns(context, "stateful")
    named = second.response.get("previous_response_id")
    if named not in (None, first.turn.response_id):
        raise CheckFailed(
            "The second answer names another response than the one it continues.",
            "Look at both requests in the inspector, and give AWS their request ids.",
        )
    return _remembered(second, "by previous_response_id")


async def stateless(context: CheckContext) -> Found:
    """A second turn that carries the whole path knows the first."""
    _, second = await _two_turns(context, "stateless")
    return _remembered(second, "from the items sent again")


async def _two_turns(context: CheckContext, mode: ContinuationMode) -> tuple[Answer, Answer]:
    """Two turns, planned as those of a conversation are."""
    conversation = Conversation(id="", created_at=context.now(), continuation=mode)
    replays = context.model is None or "encrypted_reasoning" in context.model.features
    options = Options(
        context.target,
        MOST_OUTPUT,
        encrypted_reasoning=replays and context.has("encrypted_reasoning"),
    )
    plan = continuation_named(mode).plan
    first = await context.send(plan(conversation, [user_message(_SAY)], options))
    conversation = conversation.append(replace(first.turn, id=new_id()))
    second = await context.send(plan(conversation, [user_message(_ASK)], options))
    return first, second


def _remembered(second: Answer, how: str) -> Found:
    said = visible_line(" ".join(second.text.split()))[:80]
    if _WORD not in second.text.lower():
        raise CheckFailed(
            f'The second answer does not know the first turn: it says "{said}".',
            "Run it again; if it stays, see in the inspector whether the first turn went with the second.",
        )
    counted = second.usage
    facts = {"input_tokens": counted.input_tokens if counted else None}
    return Found(f"The second turn knew the first, {how}.", facts)


# ---- structure and tools


async def structured(context: CheckContext) -> Found:
    """An answer in JSON that its schema accepts."""
    text_format = format_of(TICKET_SCHEMA, "ticket")
    prompt = "Make a support ticket in JSON of this: the invoice of June came twice, please look at it today."
    answer = await context.ask((user_message(prompt),), {"text": {"format": json.loads(text_format)}})
    problems = await asyncio.to_thread(answer_problems, answer.text, text_format)
    if problems:
        raise CheckFailed(
            f"The answer breaks its schema: {problems[0]}.",
            "Choose a model that takes JSON schemas (`outcrop models`), or run it again.",
        )
    return Found(f"Valid under its schema: {visible_line(answer.text)[:120]}", {"text": answer.text})


async def tool(context: CheckContext) -> Found:
    """The model calls a function, and goes on from what it returned."""
    asked = user_message("Where is order A-17? Look it up with get_order_status.")
    offered: dict[str, Any] = {"tools": [ORDER_TOOL], "parallel_tool_calls": False}
    note = ""
    try:
        first = await context.ask((asked,), {**offered, "tool_choice": "required"})
    except HttpStatusError as refusal:
        # The guide asks once more, with auto, where required is refused.
        if refusal.status != 400 or "tool_choice" not in f"{refusal.param} {refusal}":
            raise
        first = await context.ask((asked,), {**offered, "tool_choice": "auto"})
        note = " (tool_choice required was refused; auto did)"
    calls = calls_of(first.turn.output)
    if not calls:
        raise CheckFailed(
            "The model called no tool, although it had to.",
            "Choose a model that takes tools, or look at the answer in the inspector.",
        )
    call = calls[0]
    try:
        given: object = json.loads(call.arguments)
    except ValueError:
        given = None
    if call.name != ORDER_TOOL["name"] or not isinstance(given, dict) or "order_id" not in given:
        said = visible_line(f"{call.name}({call.arguments})")[:120]
        raise CheckFailed(
            f"The call is not as the tool is declared: {said}.",
            "Look at the answer in the inspector; a larger model may do better.",
        )
    items = (asked, *_replayable(first), output_item(call, json.dumps({"status": _SHIPPED})))
    second = await context.ask(items, {**offered, "tool_choice": "auto"})
    said = visible_line(" ".join(second.text.split()))[:80]
    if not said:
        raise CheckFailed("After the tool's output came no text.", "Run it again.")
    called = visible_line(f"{call.name}({call.arguments})")[:80]
    return Found(f'{called}, then "{said}"{note}.', {"arguments": call.arguments, "text": said})


def _replayable(answer: Answer) -> tuple[Item, ...]:
    """What goes back to the model: reasoning that came without encrypted content cannot (facts 8.4)."""
    return tuple(item for item in answer.turn.output if item.type != "reasoning")


# ---- files and the cache


async def pdf(context: CheckContext) -> Found:
    """The model reads a word in a one-page PDF."""
    data = sample_pdf(f"The code word of this page is {CODE_WORD}.")
    file = Attachment("outcrop-check.pdf", "", "application/pdf", data, "", 1, 500)
    prompt = "What is the code word in the attached document? Reply with that word only."
    answer = await context.ask((user_message(prompt, [file.content_part()]),))
    said = visible_line(" ".join(answer.text.split()))[:80]
    if CODE_WORD not in answer.text.lower():
        raise CheckFailed(
            f'The model did not read the page: it says "{said}".',
            "Choose a model that takes PDFs (`outcrop models` says which do).",
        )
    return Found(f"It read the word in a PDF of {len(base64.b64encode(data)):,} characters of base64.")


async def cache(context: CheckContext) -> Found:
    """Two equal requests; the second may read the first one's prefix from the cache."""
    # The key is new in each run, so that the first of the two is not read from an earlier run's.
    key = f"outcrop-check-{new_id()}"
    params = cache_params(context.model, key, None, None, None) if context.has("prompt_cache") else {}
    prefix = Item.of({"role": "system", "content": f"Run {key}.\n{long_prefix()}"})
    items = (prefix, user_message(CHECK_PROMPT))
    answers = [await context.ask(items, params) for _ in range(2)]
    counts = [answer.usage.cached_tokens if answer.usage else None for answer in answers]
    sent = answers[1].usage.input_tokens if answers[1].usage else None
    facts = {"cached_tokens": counts, "input_tokens": sent}
    if counts[1] is None:
        return Found("Both were answered; the server does not say what its cache did.", facts)
    total = "" if sent is None else f" of {sent:,}"
    if not counts[1]:
        said = f"The second of two equal requests read 0{total} tokens from the cache"
        return Found(f"{said}: no error, the cache does what it can.", facts)
    took = ", ".join(seconds(answer.seconds) for answer in answers)
    return Found(f"The second read {counts[1]:,}{total} tokens from the cache ({took}).", facts)


# ---- what the server does by itself


async def background(context: CheckContext) -> Found:
    """The server goes on without a connection, and its answer is fetched."""
    target = context.target
    items = (user_message(CHECK_PROMPT),)
    params: dict[str, Any] = {"max_output_tokens": MOST_OUTPUT, "background": True}
    request = Request(target, "stateful", items, None, True, params)
    client, began, polls = context.reach.client(target), context.monotonic(), 0
    reading = await context.read(
        request, client.create(request.encode(stream=False), context.label(target.model))
    )
    response_id = reading.assembly.response_id or ""
    while reading.is_running:
        if context.monotonic() - began > _LONGEST_JOB:
            raise CheckFailed(
                f"It has not ended after {_LONGEST_JOB:g} s.",
                f"Look later with `outcrop responses show {visible_line(response_id)}`.",
            )
        # Somebody waits for this one, and it is short.
        await context.sleep(poll_interval(polls) / 4)
        polls += 1
        reading = await context.read(request, client.poll(response_id, context.label(target.model)))
    context.answer_of(request, reading)
    took, times = seconds(context.monotonic() - began), "once" if polls == 1 else f"{polls} times"
    return Found(f"It ended in the background after {took}, asked for {times}.", {"polls": polls})


async def cleanup(context: CheckContext) -> Found:
    """What the checks had the server keep is deleted there."""
    if not context.stored:
        raise CheckSkipped("The server keeps nothing of these checks.")
    client, records = context.reach.client(context.target), context.reach.records
    wanted, failed = len(context.stored), list[OutcropError]()
    for response_id in list(context.stored):
        label = context.label()
        try:
            await client.delete(response_id, label)
        except WireError as error:
            # What is not there needs no deleting.
            if error.status != 404:
                failed.append(error)
                continue
        finally:
            context.note(label.exchange)
            context.save(label.exchange)
        del context.stored[response_id]
        records.later(History.mark_response_deleted, response_id, context.now())
    facts = {"stored": wanted, "deleted": wanted - len(failed)}
    if failed:
        records.later(History.want_response_deleted, list(context.stored))
        raise CheckFailed(
            f"{len(failed)} of {wanted} stored responses could not be deleted: {failed[0]}",
            "They are tried again when Outcrop starts next, and go by themselves after 30 days.",
            facts,
        )
    many = "1 stored response is" if wanted == 1 else f"{wanted} stored responses are"
    return Found(f"{many} deleted again.", facts)
