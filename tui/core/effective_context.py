"""What the model was given with a request, as the server puts it together.

The body alone would mislead: a stateful one leaves out everything that the server remembers, and writes
`instructions` after `input`, though they come before it. Here the context is put together the other way:
from the bodies and answers of the exchanges that a request chains from, and where one of those is no longer
kept, from the conversation's turns.
Source: bedrock-facts.md sections 2 and 8 (instructions and tools are not inherited, 8.1).
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal, cast

from tui.core.answer import answer_object
from tui.core.apis import RESPONSES
from tui.core.apis.recorded import api_of, parts_of
from tui.core.conversation import Conversation
from tui.core.exchange import Exchange
from tui.core.items import Item, assistant_message, dump_json
from tui.core.json_places import Place, Step, members
from tui.core.json_values import loads
from tui.core.request_body import outlined

__all__ = ["Context", "Contexts", "Piece", "PieceKind", "is_create", "request_object"]

PieceKind = Literal["format", "tool", "instructions", "item"]

_NO_WORDS: Final = frozenset({"id", "status"})
"""Members of an item that the model is not shown."""

_EMPTY_EXTRAS: Final = ("annotations", "logprobs")


@dataclass(frozen=True, slots=True)
class Piece:
    """A part of the context.

    Attributes:
        kind: What it is. Text format, tools and instructions come before the items.
        number: Counts from 1 among those of its kind.
        name: What it is called in a sentence, e.g. `tool get_order`, `item 4 (user message)`.
        value: What is compared: for an item without what the model is not shown (ids, status).
        text: The value as compact JSON; two pieces are equal when their texts are.
        place: Where it stands in the text of the body's outline; `None` for what the server remembers.
    """

    kind: PieceKind
    number: int
    name: str
    value: object
    text: str
    place: Place | None = None


@dataclass(frozen=True, slots=True)
class Context:
    """Everything the model was given.

    Attributes:
        pieces: In the order in which the prompt is taken to be built: format, tools, instructions, items.
        remembered: How many of the items the server had and the body did not carry.
        missing: The response that the request chains from and that is nowhere recorded here; what was before
            it is not known then. Empty where the context is whole.
    """

    pieces: tuple[Piece, ...]
    remembered: int = 0
    missing: str = ""


def is_create(exchange: Exchange) -> bool:
    """Whether an exchange asked for a new answer, over any API."""
    return api_of(exchange) is not None


def request_object(exchange: Exchange) -> dict[str, Any] | None:
    """The request's body in outline, parsed; `None` when it is no JSON object."""
    try:
        value = loads(exchange.sent.outline.data)
    except (ValueError, RecursionError):
        return None
    return cast("dict[str, Any]", value) if isinstance(value, dict) else None


class Contexts:
    """Puts contexts together; make it for the exchanges of one conversation.

    Reads whole bodies: use it off the event loop.

    Args:
        exchanges: Those of the conversation, in any order.
        conversation: Its turns stand in for exchanges that are no longer kept; optional.
    """

    def __init__(self, exchanges: Iterable[Exchange], conversation: Conversation | None = None) -> None:
        self._conversation = conversation
        self._bodies: dict[str, dict[str, Any] | None] = {}
        self._requests: dict[str, Exchange] = {}
        self._answers: dict[str, dict[str, Any]] = {}
        for exchange in exchanges:
            if api_of(exchange) not in (None, RESPONSES):
                # Over other APIs nothing is remembered.
                continue
            answer = answer_object(exchange) if exchange.outcome is not None else None
            response_id = None if answer is None else answer.get("id")
            if answer is None or not isinstance(response_id, str):
                continue
            if is_create(exchange):
                self._requests[response_id] = exchange
            # A background response is first answered as queued, and whole only when it is asked for again.
            known = self._answers.get(response_id)
            if known is None or answer.get("status") not in ("queued", "in_progress"):
                self._answers[response_id] = answer

    def body(self, exchange: Exchange) -> dict[str, Any] | None:
        """A request's body as `request_object` gives it, parsed once."""
        if exchange.id not in self._bodies:
            self._bodies[exchange.id] = request_object(exchange)
        return self._bodies[exchange.id]

    def of(self, exchange: Exchange) -> Context:
        """The context of a request; without pieces when its body is no JSON object."""
        body = self.body(exchange)
        if body is None:
            return Context(())
        text = exchange.sent.outline.data.decode("utf-8", "replace")
        api = api_of(exchange)
        if api is not None and api != RESPONSES:
            return Context(tuple(_pieces(body, text, api)))
        remembered, missing = self._remembered(body.get("previous_response_id"))
        places = dict(members(text))
        pieces = _settings(body, text, places)
        items: list[tuple[object, Place | None]] = [(item, None) for item in remembered]
        items += _input(body, text, places)
        for number, (item, place) in enumerate(items, 1):
            value = _as_seen(item)
            pieces.append(
                Piece("item", number, f"item {number} ({_kind(value)})", value, _sorted_text(value), place)
            )
        return Context(tuple(pieces), len(remembered), missing)

    def _remembered(self, response_id: object) -> tuple[list[object], str]:
        """The items that the server has under a response id, oldest first, and where the record ends."""
        links: list[list[object]] = []
        seen: set[str] = set()
        missing = ""
        while isinstance(response_id, str) and response_id and response_id not in seen:
            seen.add(response_id)
            request, answer = self._requests.get(response_id), self._answers.get(response_id)
            body = None if request is None else self.body(request)
            if body is None or answer is None:
                told = self._told_by_turns(response_id)
                if told is None:
                    missing = response_id
                else:
                    links.append(told)
                break
            output: object = answer.get("output")
            links.append([*(item for item, _ in _input(body, "", {})), *_entries(output)])
            response_id = body.get("previous_response_id")
        return [item for link in reversed(links) for item in link], missing

    def _told_by_turns(self, response_id: str) -> list[object] | None:
        """The same from the conversation's tree, where every turn says what was sent and what came."""
        if self._conversation is None:
            return None
        turns = self._conversation.turns.values()
        found = next((turn for turn in turns if turn.response_id == response_id), None)
        if found is None:
            return None
        items: list[Item] = []
        for turn in self._conversation.path(found.id):
            items += [*turn.input, *turn.output]
            if turn.partial_text:
                items.append(assistant_message(turn.partial_text))
        return [outlined(item.payload) for item in items]


def _pieces(body: Mapping[str, Any], text: str, api: str) -> Iterator[Piece]:
    """The context that a body of another API than Responses is by itself."""
    inside: dict[tuple[Step, ...], dict[Step, Place]] = {(): dict(members(text))}
    counts: dict[str, int] = {}
    for part in parts_of(body, api):
        for depth in range(1, len(part.path)):
            above = part.path[:depth]
            if above not in inside:
                inside[above] = dict(members(text, inside[above[:-1]][above[-1]].start))
        place = inside[part.path[:-1]][part.path[-1]]
        number = counts[part.kind] = counts.get(part.kind, 0) + 1
        name = {"format": "text format", "tool": f"tool {_tool_name(part.value)}"}.get(part.kind, part.kind)
        if part.kind == "item":
            name = f"item {number} ({_kind(part.value)})"
        yield Piece(part.kind, number, name, part.value, _sorted_text(part.value), place)


def _settings(body: Mapping[str, Any], text: str, at: Mapping[Step, Place]) -> list[Piece]:
    pieces: list[Piece] = []
    wording: object = body.get("text")
    form = cast("dict[str, Any]", wording).get("format") if isinstance(wording, dict) else None
    if form is not None and form != {"type": "text"}:
        place = dict(members(text, at["text"].start)).get("format")
        pieces.append(Piece("format", 1, "text format", form, dump_json(form), place))
    tools = _entries(body.get("tools"))
    places = [place for _, place in members(text, at["tools"].start)] if tools else []
    for number, tool in enumerate(tools, 1):
        name = f"tool {_tool_name(tool)}"
        pieces.append(Piece("tool", number, name, tool, dump_json(tool), places[number - 1]))
    instructions: object = body.get("instructions")
    if isinstance(instructions, str) and instructions:
        pieces.append(
            Piece("instructions", 1, "instructions", instructions, instructions, at["instructions"])
        )
    return pieces


def _input(body: Mapping[str, Any], text: str, at: Mapping[Step, Place]) -> list[tuple[object, Place | None]]:
    """The items of a body and where they stand in `text`; nowhere where `at` does not say."""
    value: object = body.get("input")
    place = at.get("input")
    if isinstance(value, str):
        return [({"role": "user", "content": value}, place)]
    items = _entries(value)
    if place is None:
        return [(item, None) for item in items]
    return list(zip(items, (inner for _, inner in members(text, place.start)), strict=True))


def _entries(value: object) -> Sequence[object]:
    return cast("list[object]", value) if isinstance(value, list) else []


def _tool_name(tool: object) -> str:
    fields = cast("dict[str, Any]", tool) if isinstance(tool, dict) else {}
    inner: object = fields.get("function") or fields.get("toolSpec")
    named = cast("dict[str, Any]", inner) if isinstance(inner, dict) else fields
    return str(named.get("name") or fields.get("type") or "?")


def _kind(value: object) -> str:
    fields = cast("dict[str, Any]", value) if isinstance(value, dict) else {}
    kind = str(fields.get("type") or "message")
    return f"{fields.get('role') or '?'} message" if kind == "message" else kind.replace("_", " ")


def _as_seen(item: object) -> object:
    """An item in the one form in which all its spellings are the same to the model."""
    if not isinstance(item, dict):
        return item
    fields = {
        name: value
        for name, value in cast("dict[str, Any]", item).items()
        if value is not None and name not in _NO_WORDS
    }
    if fields.setdefault("type", "message") != "message":
        return fields
    content: object = fields.get("content")
    if isinstance(content, str):
        kind = "output_text" if fields.get("role") == "assistant" else "input_text"
        fields["content"] = [{"type": kind, "text": content}]
    elif isinstance(content, list):
        fields["content"] = [_part_as_seen(part) for part in cast("list[object]", content)]
    return fields


def _part_as_seen(part: object) -> object:
    if not isinstance(part, dict):
        return part
    return {
        name: value
        for name, value in cast("dict[str, Any]", part).items()
        if value is not None and not (name in _EMPTY_EXTRAS and value == [])
    }


def _sorted_text(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"), sort_keys=True)
