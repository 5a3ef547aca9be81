"""The event stream of a response (bedrock-facts.md section 3)."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

from . import longform
from .shapes import Json, encode
from .tokens import Split

_PADDING = tuple(b"q7Xw2LmZ9RtKc4Ub"[:length] for length in range(16))


class Frame(NamedTuple):
    """One event, ready to send.

    Attributes:
        data: `event:` and `data:` line and the blank line.
        kind: the event's type.
        cost: output tokens it stands for; a delta's is 1 or more.
    """

    data: bytes
    kind: str
    cost: int = 0


@dataclass(slots=True)
class Writer:
    """Numbers events. Section 3: each has a type and a sequence_number, from 0 (ASSUMED: without gaps).

    Attributes:
        split: how text becomes deltas.
        pads: whether deltas carry `obfuscation`; section 3, VERIFIED (sdk): unless
            `stream_options.include_obfuscation` is false. ASSUMED: that mantle sends it, and its length.
    """

    split: Split
    pads: bool = True
    number: int = 0

    def event(self, kind: str, cost: int = 0, **fields: Any) -> Frame:
        """The next event."""
        data = encode({"type": kind, "sequence_number": self.number, **fields})
        self.number += 1
        return Frame(b"event: %b\ndata: %b\n\n" % (kind.encode(), data), kind, cost)

    def deltas(self, kind: str, pieces: Iterable[str], **fields: Any) -> Iterator[Frame]:
        """One event a piece; what is the same in all of them is serialized once."""
        head = f'event: {kind}\ndata: {{"type":"{kind}","sequence_number":'.encode()
        middle = b"," + encode(fields)[1:-1] + b',"delta":'
        cost = 0
        for piece in pieces:
            cost += 1
            if not piece:
                # A character of several tokens comes with the last of them.
                continue
            text = json.dumps(piece).encode()
            padding = b',"obfuscation":"%b"' % _PADDING[-(len(text) + self.number) % 16] if self.pads else b""
            data = b"%b%d%b%b%b}\n\n" % (head, self.number, middle, text, padding)
            self.number += 1
            yield Frame(data, kind, cost)
            cost = 0


def stream(writer: Writer, begun: Json, ended: Json, terminal: bool = True) -> Iterator[Frame]:
    """All events of a turn, in the order of section 3 (ASSUMED there: OpenAI's contract).

    created -> [queued] -> in_progress -> each item in order -> completed | incomplete.
    Usage is on the terminal event.

    Args:
        writer: numbers them.
        begun: the response at its beginning.
        ended: the response at its end.
        terminal: False leaves the last event to the caller.
    """
    if begun["background"]:
        queued = {**begun, "status": "queued"}
        yield writer.event("response.created", response=queued)
        yield writer.event("response.queued", response=queued)
    else:
        yield writer.event("response.created", response=begun)
    yield writer.event("response.in_progress", response=begun)
    for index, item in enumerate(ended["output"]):
        yield from _item(writer, index, item, ended["model"])
    if terminal:
        yield writer.event(f"response.{ended['status']}", response=ended)


def _item(writer: Writer, index: int, item: Json, model: str) -> Iterator[Frame]:
    kind = item["type"]
    opened: Json = {**item}
    if kind == "message":
        opened |= {"status": "in_progress", "content": []}
    elif kind == "reasoning":
        # The content is not known before the reasoning has ended (ASSUMED).
        opened = {"id": item["id"], "type": "reasoning", "summary": []}
    elif kind == "function_call":
        opened |= {"status": "in_progress", "arguments": ""}
    else:
        opened |= {"input": ""}
    yield writer.event("response.output_item.added", output_index=index, item=opened)
    where: Json = {"item_id": item["id"], "output_index": index}
    if kind == "message":
        yield from _content(writer, where, item["content"], model)
    elif kind == "reasoning":
        yield from _summary(writer, where, item["summary"])
        yield from _thoughts(writer, where, item.get("content", []))
    elif kind == "function_call":
        pieces = writer.split(item["arguments"])
        yield from writer.deltas("response.function_call_arguments.delta", pieces, **where)
        # The published schema has `name` here as well; section 3 (sdk): it is on the item only.
        done = "response.function_call_arguments.done"
        yield writer.event(done, **where, name=item["name"], arguments=item["arguments"])
    else:
        yield from writer.deltas(
            "response.custom_tool_call_input.delta", writer.split(item["input"]), **where
        )
        yield writer.event("response.custom_tool_call_input.done", **where, input=item["input"])
    yield writer.event("response.output_item.done", output_index=index, item=item)


def _content(writer: Writer, where: Json, parts: list[Json], model: str) -> Iterator[Frame]:
    for content_index, part in enumerate(parts):
        here = {**where, "content_index": content_index}
        name, key = ("refusal", "refusal") if part["type"] == "refusal" else ("output_text", "text")
        yield writer.event("response.content_part.added", **here, part={**part, key: ""})
        extra: Json = {"logprobs": []} if key == "text" else {}
        pieces = _pieces(writer, part[key], model)
        yield from writer.deltas(f"response.{name}.delta", pieces, **here, **extra)
        yield writer.event(f"response.{name}.done", **here, **{key: part[key]}, **extra)
        yield writer.event("response.content_part.done", **here, part=part)


def _pieces(writer: Writer, text: str, model: str) -> Iterable[str]:
    if model.startswith("fake-"):
        return longform.benchmark(model)
    return writer.split(text)


def _thoughts(writer: Writer, where: Json, parts: list[Json]) -> Iterator[Frame]:
    for content_index, part in enumerate(parts):
        here = {**where, "content_index": content_index}
        yield from writer.deltas("response.reasoning_text.delta", writer.split(part["text"]), **here)
        yield writer.event("response.reasoning_text.done", **here, text=part["text"])


def _summary(writer: Writer, where: Json, parts: list[Json]) -> Iterator[Frame]:
    for summary_index, part in enumerate(parts):
        here = {**where, "summary_index": summary_index}
        yield writer.event("response.reasoning_summary_part.added", **here, part={**part, "text": ""})
        yield from writer.deltas("response.reasoning_summary_text.delta", writer.split(part["text"]), **here)
        yield writer.event("response.reasoning_summary_text.done", **here, text=part["text"])
        yield writer.event("response.reasoning_summary_part.done", **here, part=part)
