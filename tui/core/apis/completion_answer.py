"""What a chat.completion and its chunks say, in the terms of the Responses API.

The text of an answer becomes a message, what stands between `<reasoning>` tags in it a reasoning item, each
tool call a call. An answer that came whole is told through the same events as one that was streamed.
Source: OpenAI API reference, "Chat Completions"; bedrock-facts.md section 5.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, cast

from tui.core.apis.completion import response_of
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
)
from tui.core.items import Item
from tui.core.json_values import object_in

__all__ = ["CompletionAnswer"]

Payload = Mapping[str, Any]


class CompletionAnswer:
    """Turns the chunks of one answer into stream events.

    Args:
        mask: Masks the token in the items, which are put together of pieces.
    """

    def __init__(self, mask: Callable[[str], str] = str) -> None:
        self._mask = mask
        self._tags = ReasoningTags()
        self._items: dict[object, OpenItem] = {}
        self._said: dict[str, Any] = {}  # the top level of the chunks, the later one's values
        self._finish_reason: str | None = None
        self._started = False
        self._ended = False

    def chunk(self, body: Payload) -> Iterator[StreamEvent]:
        """What one chunk says; the one that tells the tokens, after the finish reason, ends the answer."""
        self._said |= {name: value for name, value in body.items() if value is not None}
        if not self._started:
            yield self._start()
        choices = _objects(body.get("choices"))
        for choice in choices[:1]:
            yield from self._delta(object_in(choice, "delta"))
            if isinstance(choice.get("finish_reason"), str):
                self._finish_reason = choice["finish_reason"]
        if not choices and "usage" in self._said:
            yield from self.end()

    def whole(self, body: Payload) -> Iterator[StreamEvent]:
        """What a completion says that came whole; its message has what deltas have, all at once."""
        self._said = dict(body)
        yield self._start()
        for choice in _objects(body.get("choices"))[:1]:
            yield from self._delta(object_in(choice, "message"))
            self._finish_reason = str(choice.get("finish_reason") or "stop")
        yield from self.end()

    def end(self) -> Iterator[StreamEvent]:
        """The answer's end, once: nothing, where it never said that it had finished."""
        if self._ended or self._finish_reason is None:
            return
        self._ended = True
        yield from self._split(self._tags.finish())
        if answer := self._tags.overlooked:
            reasoning = self._items["reasoning"]
            reasoning.pieces = ["".join(reasoning.pieces).removesuffix(answer)]
            yield from self._write("message", answer)
        output: list[dict[str, Any]] = []
        for item in self._items.values():
            payload = item.payload(self._mask)
            output.append(payload)
            yield OutputItemDone(item.index, Item.of(payload))
        response = response_of(self._said, self._finish_reason, output)
        yield ResponseEnded(response["status"], response)

    def _start(self) -> ResponseStarted:
        self._started = True
        identity: object = self._said.get("id")
        head = {"id": identity, "model": self._said.get("model"), "store": False}
        return ResponseStarted(identity if isinstance(identity, str) else None, "in_progress", head)

    def _delta(self, delta: Payload) -> Iterator[StreamEvent]:
        for name in ("reasoning_content", "reasoning"):
            # Not in Bedrock's answers; other servers of these models put the reasoning there.
            if isinstance(delta.get(name), str):
                yield from self._write("reasoning", delta[name])
        if isinstance(delta.get("content"), str):
            yield from self._split(self._tags.feed(delta["content"]))
        if isinstance(delta.get("refusal"), str) and delta["refusal"]:
            yield from self._refuse(delta["refusal"])
        for place, call in enumerate(_objects(delta.get("tool_calls"))):
            index: object = call.get("index")
            yield from self._call(index if isinstance(index, int) else place, call)

    # -- items -------------------------------------------------------------------------------------------

    def _split(self, parts: Iterable[tuple[bool, str]]) -> Iterator[StreamEvent]:
        for is_reasoning, text in parts:
            yield from self._write("reasoning" if is_reasoning else "message", text)

    def _write(self, kind: str, text: str) -> Iterator[StreamEvent]:
        if not text:
            return
        item = self._items.get(kind)
        if item is None:
            item = self._items[kind] = OpenItem(len(self._items), kind)
            yield OutputItemAdded(item.index, "", kind)
        item.pieces.append(text)
        if kind == "message":
            yield TextDelta(item.index, "", text)
        else:
            yield ReasoningDelta(item.index, "", 0, text)

    def _refuse(self, text: str) -> Iterator[StreamEvent]:
        item = self._items.get("message")
        if item is None:
            item = self._items["message"] = OpenItem(len(self._items), "message")
            yield OutputItemAdded(item.index, "", "message")
        item.refusal.append(text)
        yield TextDelta(item.index, "", text, refusal=True)

    def _call(self, place: object, call: Payload) -> Iterator[StreamEvent]:
        function = object_in(call, "function")
        item = self._items.get(place)
        if item is None:
            item = self._items[place] = OpenItem(len(self._items), "function_call")
            item.call_id, item.name = str(call.get("id") or ""), str(function.get("name") or "")
            yield OutputItemAdded(item.index, item.call_id, "function_call")
        if isinstance(function.get("arguments"), str) and function["arguments"]:
            item.pieces.append(function["arguments"])
            yield ArgumentsDelta(item.index, item.call_id, function["arguments"])


def _objects(value: object) -> list[Payload]:
    entries = cast("list[object]", value) if isinstance(value, list) else []
    return [cast("Payload", entry) for entry in entries if isinstance(entry, Mapping)]
