"""Continuation: how a conversation becomes the next request.

`Stateful` sends `previous_response_id` and the new items; `Stateless` sends the whole path. Both are pure,
and both give the server the same context, except reasoning items that cannot be replayed, which are
named in `Request.left_out`. Source: bedrock-facts.md sections 2 and 8; DESIGN.md, "Continuation".
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Protocol

from tui.core.apis import RESPONSES, encoder, why_not_carried
from tui.core.cache_controls import marked, with_breakpoint
from tui.core.conversation import Conversation
from tui.core.guardrail import Guardrail
from tui.core.items import ContinuationMode, Item, Outcome, Target, Turn, assistant_message, dump_json
from tui.core.tools import unanswered

__all__ = ["Continuation", "LeftOut", "Options", "Request", "Stateful", "Stateless", "continuation_named"]

ENCRYPTED_REASONING: Final = "reasoning.encrypted_content"


@dataclass(frozen=True, slots=True)
class Options:
    """What a request says beside its items; all of it is sent each time, as nothing is inherited.

    Attributes:
        target: Where the request goes.
        max_output_tokens: Always sent: admission counts the model's maximum otherwise (bedrock-facts.md 4).
        instructions: Left out when empty.
        effort: `reasoning.effort`; left out when `None`.
        verbosity: `text.verbosity`; left out when `None`.
        text_format: `text.format` as JSON text; left out when empty.
        summary: `reasoning.summary`; left out when `None` (mantle may reject it, bedrock-facts.md 8.6).
        encrypted_reasoning: Whether to ask for `reasoning.encrypted_content`.
        replay_reasoning: Whether reasoning items are replayed at all; off after the server refused them.
        storable: Whether the server may be asked to keep responses; off after an account refused that, and
            then every request carries the whole path.
        breakpoints: Where the prompt cache is told to write, see `cache_controls.BREAKPOINTS`.
        guardrail: What the request is sent with, over the APIs that have guardrails.
        extra: Further top-level parameters, sent as they are (tools, text format, cache key, ...).
    """

    target: Target
    max_output_tokens: int
    instructions: str = ""
    effort: str | None = None
    verbosity: str | None = None
    text_format: str = ""
    summary: str | None = None
    encrypted_reasoning: bool = True
    replay_reasoning: bool = True
    storable: bool = True
    breakpoints: str | None = None
    guardrail: Guardrail | None = None
    extra: Mapping[str, Any] = field(default_factory=dict[str, Any])


@dataclass(frozen=True, slots=True)
class LeftOut:
    """An item that stays here because the server could not use it, and why, in words."""

    item: Item
    reason: str


@dataclass(frozen=True, slots=True)
class Request:
    """A planned request, in the terms of the Responses API whatever API it goes over.

    Attributes:
        target: Where it goes.
        mode: The continuation mode that planned it.
        items: What goes into `input`, in order.
        previous_response_id: The response it continues by id, if any.
        store: Whether the server is asked to keep the response.
        params: Every other top-level parameter, in the order in which it is serialized.
        left_out: Items of the path that are not sent, with the reason.
        breakpoints: Places in `items` of the messages that are sent with a cache breakpoint at their end.
        guardrail: What it is sent with; `None` over APIs that have no guardrails.
    """

    target: Target
    mode: ContinuationMode
    items: tuple[Item, ...]
    previous_response_id: str | None
    store: bool
    params: Mapping[str, Any]
    left_out: tuple[LeftOut, ...] = ()
    breakpoints: frozenset[int] = frozenset()
    guardrail: Guardrail | None = None

    @property
    def headers(self) -> dict[str, str]:
        """Headers that it is sent with beside the client's own."""
        return {} if self.guardrail is None else self.guardrail.headers(self.target.api)

    def encode(self, *, stream: bool) -> bytes:
        """The request body as it goes over the wire, its keys always in the same order.

        Items are put in as the text they are, neither parsed nor rewritten: that is what keeps a replay
        byte for byte, and a 20 MB PDF cheap. Another API than Responses gets them in its own form.

        Raises:
            InputError: The API cannot carry something of it; the sentence says what.
        """
        if self.target.api != RESPONSES:
            return encoder(self.target.api)(self, stream=stream)
        head: dict[str, Any] = {"model": self.target.model}
        if self.previous_response_id is not None:
            head["previous_response_id"] = self.previous_response_id
        tail: dict[str, Any] = {**self.params, "store": self.store}
        if stream:
            tail["stream"] = True
        items = ",".join(
            with_breakpoint(item.text) if index in self.breakpoints else item.text
            for index, item in enumerate(self.items)
        )
        return f'{dump_json(head)[:-1]},"input":[{items}],{dump_json(tail)[1:]}'.encode()


class Continuation(Protocol):
    """A way to continue a conversation."""

    @property
    def mode(self) -> ContinuationMode:
        """The mode's name on the command line and in the status line."""
        ...

    def plan(self, conversation: Conversation, new_items: Sequence[Item], options: Options) -> Request:
        """Make the request that sends `new_items` after the conversation's tip."""
        ...


@dataclass(frozen=True, slots=True)
class Stateful:
    """`previous_response_id` where the server has the chain, the rest of the path inline, `store: true`."""

    mode: ContinuationMode = "stateful"

    def plan(self, conversation: Conversation, new_items: Sequence[Item], options: Options) -> Request:
        """Chain from the last response this target completed and keeps; send what came after inline.

        Over another API than Responses there is no chain, and the plan is that of `Stateless`.
        """
        if options.target.api != RESPONSES:
            return Stateless().plan(conversation, new_items, options)
        if not options.storable:
            return Stateless(self.mode).plan(conversation, new_items, options)
        path = conversation.path()
        anchor = _last_chainable(path, conversation.lost, options.target)
        previous = path[anchor].response_id if anchor is not None else None
        inline = path if anchor is None else path[anchor + 1 :]
        last = None if anchor is None else path[anchor]
        return _request(
            "stateful", last, inline, new_items, options, previous_response_id=previous, store=True
        )


@dataclass(frozen=True, slots=True)
class Stateless:
    """The whole path as items, `store: false`: the server keeps nothing."""

    mode: ContinuationMode = "stateless"

    def plan(self, conversation: Conversation, new_items: Sequence[Item], options: Options) -> Request:
        """Replay the path from local items."""
        return _request(
            self.mode, None, conversation.path(), new_items, options, previous_response_id=None, store=False
        )


def continuation_named(mode: ContinuationMode) -> Continuation:
    """The continuation of that name."""
    return Stateful() if mode == "stateful" else Stateless()


def _last_chainable(path: Sequence[Turn], lost: frozenset[str], target: Target) -> int | None:
    """Index of the last turn whose response the next request can name, or `None`.

    A turn that failed, was cancelled or came incomplete is no link, although the server may have kept it:
    what it kept need not be what is shown here.
    """
    for index in range(len(path) - 1, -1, -1):
        turn = path[index]
        if (
            turn.outcome is Outcome.COMPLETED
            and turn.stored
            and turn.response_id is not None
            and turn.response_id not in lost
            and turn.target is not None
            and target.shares_state_with(turn.target)
        ):
            return index
    return None


def _request(
    mode: ContinuationMode,
    before: Turn | None,
    inline: Iterable[Turn],
    new_items: Sequence[Item],
    options: Options,
    *,
    previous_response_id: str | None,
    store: bool,
) -> Request:
    items: list[Item] = []
    left_out: list[LeftOut] = []
    # `before` is the turn that the server has and that the first of these follows.
    for turn in inline:
        if before is not None:
            items.extend(unanswered(before, turn.input))
        before = turn
        items.extend(turn.input)
        for item in turn.output:
            reason = _why_not_replayable(item, turn, options)
            if reason is None:
                items.append(item)
            else:
                left_out.append(LeftOut(item, reason))
        if turn.partial_text:
            items.append(assistant_message(turn.partial_text))
    if before is not None:
        items.extend(unanswered(before, new_items))
    sent = (*items, *new_items)
    if options.target.api != RESPONSES:
        sent = _carried(sent, options.target.api, left_out)
    return Request(
        target=options.target,
        mode=mode,
        items=sent,
        previous_response_id=previous_response_id,
        store=store,
        params=_params(options),
        left_out=tuple(left_out),
        breakpoints=marked(sent, options.breakpoints),
        guardrail=options.guardrail,
    )


def _carried(items: Iterable[Item], api: str, left_out: list[LeftOut]) -> tuple[Item, ...]:
    """The items that an API beside Responses carries; the others are put to those left out."""
    carried: list[Item] = []
    for item in items:
        # What the user sent begins so, and may be megabytes that need not be read.
        reason = None if item.text.startswith('{"role":') else why_not_carried(api, item)
        if reason is None:
            carried.append(item)
        else:
            left_out.append(LeftOut(item, reason))
    return tuple(carried)


def _why_not_replayable(item: Item, turn: Turn, options: Options) -> str | None:
    if options.target.api != RESPONSES:
        return None  # see _carried
    payload = item.payload
    if payload.get("type") == "compaction":
        if turn.target is None or not options.target.shares_state_with(turn.target):
            return "what the server compacted can be read by the same model, region and endpoint only"
        return None
    if payload.get("type") != "reasoning":
        return None
    if not options.replay_reasoning:
        return "the server refused its encrypted content"
    if not payload.get("encrypted_content"):
        return "it came without encrypted content"
    if turn.target is None or not options.target.shares_state_with(turn.target):
        return "its encrypted content belongs to another model, region or endpoint"
    return None


def _params(options: Options) -> dict[str, Any]:
    params: dict[str, Any] = {}
    if options.instructions:
        params["instructions"] = options.instructions
    params["max_output_tokens"] = options.max_output_tokens
    reasoning = {
        key: value
        for key, value in (("effort", options.effort), ("summary", options.summary))
        if value is not None
    }
    if reasoning:
        params["reasoning"] = reasoning
    text: dict[str, Any] = {}
    if options.verbosity is not None:
        text["verbosity"] = options.verbosity
    if options.text_format:
        text["format"] = json.loads(options.text_format)
    if text:
        params["text"] = text
    if options.encrypted_reasoning:
        params["include"] = [ENCRYPTED_REASONING]
    params.update(options.extra)
    return params
