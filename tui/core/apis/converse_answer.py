"""What Converse and ConverseStream say, in the terms of the Responses API.

The blocks of an answer become items: text a message, `reasoningContent` a reasoning item, `toolUse` a call.
Reasoning of the open-weight models also comes as `<reasoning>` inside text and is split from it there. An
answer that came whole is told through the same events as one that was streamed.
Source: AWS, "ConverseStream" and "Converse" (API reference); bedrock-facts.md section 6.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, cast

from tui.core.apis.open_item import OpenItem
from tui.core.apis.reasoning_tags import ReasoningTags
from tui.core.events import (
    ArgumentsDelta,
    OutputItemAdded,
    OutputItemDone,
    ReasoningDelta,
    ResponseEnded,
    ResponseStarted,
    StreamEvent,
    TextDelta,
    Unknown,
)
from tui.core.guardrail import REPORT_KEY, guardrail_report
from tui.core.items import Item, dump_json
from tui.core.json_values import object_in

__all__ = ["ConverseAnswer", "answer_events", "usage_of_converse"]

Payload = Mapping[str, Any]

_WHOLE: Final = frozenset({"end_turn", "stop_sequence", "tool_use"})
_REASONS: Final = {"max_tokens": "max_output_tokens", "content_filtered": "content_filter"}
"""Stop reasons that the Responses API has another word for; any other is said as it is."""

_FAILURES: Final = {
    "malformed_model_output": "the model wrote something that is no answer",
    "malformed_tool_use": "the model wrote a tool call that cannot be read",
}


@dataclass(slots=True)
class _Block:
    """A content block: the items it becomes by their kind, and the splitter of its text.

    All reasoning that stands in one text is one item, however often the tags are opened and closed.
    """

    tags: ReasoningTags = field(default_factory=ReasoningTags)
    items: dict[str, OpenItem] = field(default_factory=dict[str, OpenItem])


class ConverseAnswer:
    """Turns the events of one answer into stream events.

    Args:
        mask: Masks the token in the items, which are put together of pieces.
    """

    def __init__(self, mask: Callable[[str], str] = str) -> None:
        self._mask = mask
        self._blocks: dict[int, _Block] = {}
        self._output: dict[int, dict[str, Any]] = {}
        self._count = 0
        self._stop: dict[str, Any] | None = None
        self._metadata: dict[str, Any] | None = None
        self._ended = False

    def take(self, kind: str, payload: Payload) -> list[StreamEvent]:
        """What an event of this type says; a type that nobody knows is `Unknown`."""
        reader = _READERS.get(kind)
        return [Unknown(kind)] if reader is None else list(reader(self, payload))

    def ended(self) -> list[StreamEvent]:
        """The last event once nothing more comes: the answer is whole although its usage never came."""
        return [] if self._stop is None or self._ended else [self._end()]

    def started(self, _: Payload) -> Iterator[StreamEvent]:
        """`messageStart`."""
        yield ResponseStarted(None, "in_progress", {})

    def block_started(self, payload: Payload) -> Iterator[StreamEvent]:
        """`contentBlockStart`; only a tool call says anything in it."""
        use = object_in(object_in(payload, "start"), "toolUse")
        if use:
            block = self._block(payload)
            call_id, name = str(use.get("toolUseId") or ""), str(use.get("name") or "")
            yield from self._begin(block, "function_call", call_id, name)

    def block_grew(self, payload: Payload) -> Iterator[StreamEvent]:
        """`contentBlockDelta`."""
        block, delta = self._block(payload), object_in(payload, "delta")
        reasoning, use = object_in(delta, "reasoningContent"), object_in(delta, "toolUse")
        if isinstance(delta.get("text"), str):
            yield from self._split(block, block.tags.feed(delta["text"]))
        elif isinstance(reasoning.get("text"), str):
            yield from self._write(block, "reasoning", reasoning["text"])
        elif isinstance(use.get("input"), str):
            yield from self._write(block, "function_call", use["input"])
        else:
            yield Unknown("contentBlockDelta")

    def block_stopped(self, payload: Payload) -> Iterator[StreamEvent]:
        """`contentBlockStop`."""
        block = self._blocks.pop(_index(payload), None)
        if block is not None:
            yield from self._close(block)

    def stopped(self, payload: Payload) -> Iterator[StreamEvent]:
        """`messageStop`; the usage comes after it."""
        for index in sorted(self._blocks):
            yield from self._close(self._blocks.pop(index))
        self._stop = dict(payload)
        if self._metadata is not None:
            yield self._end()

    def measured(self, payload: Payload) -> Iterator[StreamEvent]:
        """`metadata`."""
        self._metadata = dict(payload)
        if self._stop is not None and not self._ended:
            yield self._end()

    # -- items -------------------------------------------------------------------------------------------

    def _block(self, payload: Payload) -> _Block:
        return self._blocks.setdefault(_index(payload), _Block())

    def _split(self, block: _Block, parts: Sequence[tuple[bool, str]]) -> Iterator[StreamEvent]:
        for is_reasoning, text in parts:
            yield from self._write(block, "reasoning" if is_reasoning else "message", text)

    def _write(self, block: _Block, kind: str, text: str) -> Iterator[StreamEvent]:
        if kind not in block.items:
            yield from self._begin(block, kind)
        if not text:
            return
        item = block.items[kind]
        item.pieces.append(text)
        match kind:
            case "message":
                yield TextDelta(item.index, "", text)
            case "reasoning":
                yield ReasoningDelta(item.index, "", 0, text)
            case _:
                yield ArgumentsDelta(item.index, item.call_id, text)

    def _begin(self, block: _Block, kind: str, call_id: str = "", name: str = "") -> Iterator[StreamEvent]:
        block.items[kind] = OpenItem(self._count, kind, call_id, name)
        yield OutputItemAdded(self._count, call_id, kind)
        self._count += 1

    def _close(self, block: _Block) -> Iterator[StreamEvent]:
        yield from self._split(block, block.tags.finish())
        if answer := block.tags.overlooked:
            reasoning = block.items["reasoning"]
            reasoning.pieces = ["".join(reasoning.pieces).removesuffix(answer)]
            yield from self._write(block, "message", answer)
        for item in block.items.values():
            payload = item.payload(self._mask)
            self._output[item.index] = payload
            yield OutputItemDone(item.index, Item.of(payload))

    # -- the end -----------------------------------------------------------------------------------------

    def _end(self) -> ResponseEnded:
        self._ended = True
        stop, metadata = self._stop or {}, self._metadata or {}
        reason = str(stop.get("stopReason") or "")
        status, details, error = "completed", None, None
        if reason in _FAILURES:
            status, error = "failed", {"code": reason, "message": _FAILURES[reason]}
        elif reason not in _WHOLE:
            status = "incomplete"
            details = {"reason": _REASONS.get(reason, reason or "the server gave no reason")}
        response: dict[str, Any] = {
            "id": None,
            "object": "response",
            "status": status,
            "error": error,
            "incomplete_details": details,
            "output": [self._output[index] for index in sorted(self._output)],
            "usage": usage_of_converse(metadata.get("usage")),
            "store": False,
        }
        if (report := guardrail_report(stop, metadata)) is not None:
            response[REPORT_KEY] = report
        return ResponseEnded(status, response)


def answer_events(body: Payload, mask: Callable[[str], str] = str) -> list[StreamEvent]:
    """The events that a stream would have brought for a whole answer of Converse, one delta a block."""
    answer = ConverseAnswer(mask)
    message = object_in(object_in(body, "output"), "message")
    events = answer.take("messageStart", {})
    content: object = message.get("content")
    for index, block in enumerate(cast("list[object]", content) if isinstance(content, list) else ()):
        place = {"contentBlockIndex": index}
        entry: Payload = cast("Payload", block) if isinstance(block, Mapping) else {}
        use = object_in(entry, "toolUse")
        if use:
            delta: Payload = {"toolUse": {"input": dump_json(use.get("input") or {})}}
            events += answer.take("contentBlockStart", {**place, "start": {"toolUse": use}})
        elif "reasoningContent" in entry:
            text = object_in(object_in(entry, "reasoningContent"), "reasoningText").get("text")
            delta = {"reasoningContent": {"text": text}}
        else:
            delta = {"text": entry.get("text")}
        events += answer.take("contentBlockDelta", {**place, "delta": delta})
        events += answer.take("contentBlockStop", place)
    # A body without a stop reason is no answer; whoever reads the events says so.
    if isinstance(body.get("stopReason"), str):
        events += answer.take("messageStop", body)
        events += answer.take("metadata", body)
    return events


def usage_of_converse(usage: object) -> dict[str, Any] | None:
    """Converse's counts as the Responses API has them: cached tokens are inside the input.

    Converse counts what was read from and written to the cache beside the input, as its total shows; where
    the total is input and output alone, they are inside already.
    """
    if not isinstance(usage, Mapping) or not usage:
        return None
    said = cast("Payload", usage)
    read, written = _count(said, "cacheReadInputTokens"), _count(said, "cacheWriteInputTokens")
    given, output, total = (_count(said, f"{name}Tokens") for name in ("input", "output", "total"))
    beside = (read or 0) + (written or 0)
    if given is not None and output is not None and total == given + output + beside:
        given += beside
    return {
        "input_tokens": given,
        "input_tokens_details": {"cached_tokens": read, "cache_write_tokens": written},
        "output_tokens": output,
        "total_tokens": total,
    }


def _count(said: Payload, name: str) -> int | None:
    value = said.get(name)
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def _index(payload: Payload) -> int:
    value = payload.get("contentBlockIndex")
    return value if isinstance(value, int) else 0


_READERS: Final[Mapping[str, Callable[[ConverseAnswer, Payload], Iterator[StreamEvent]]]] = {
    "messageStart": ConverseAnswer.started,
    "contentBlockStart": ConverseAnswer.block_started,
    "contentBlockDelta": ConverseAnswer.block_grew,
    "contentBlockStop": ConverseAnswer.block_stopped,
    "messageStop": ConverseAnswer.stopped,
    "metadata": ConverseAnswer.measured,
}
