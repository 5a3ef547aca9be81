"""Responses API items, turns and token usage.

An item is what the Responses API calls an item: one entry of `input` or `output` (a message, a
reasoning item, a function call, ...). What the server sent is replayed as it came, so an item keeps its
JSON text; nothing in this program rewrites it.
Source: OpenAI API reference, "Responses"; bedrock-facts.md sections 2 and 8.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Final, Literal, cast

if TYPE_CHECKING:
    from tui.core.tool_calls import CallRecord


__all__ = [
    "ContinuationMode",
    "Item",
    "Outcome",
    "Target",
    "Turn",
    "Usage",
    "assistant_message",
    "dump_json",
    "encodable",
    "user_message",
]

Payload = Mapping[str, Any]
ContinuationMode = Literal["stateful", "stateless"]
_SURROGATE: Final = re.compile("[\ud800-\udfff]")


def dump_json(value: object) -> str:
    """Serialize the one way this program serializes: compact, key order kept, not ASCII-escaped.

    The prompt cache works on exact prefixes, so two requests must write equal values as equal bytes.
    """
    return encodable(json.dumps(value, ensure_ascii=False, separators=(",", ":")))


def encodable(text: str) -> str:
    """A JSON text with lone surrogates, which UTF-8 cannot carry, as their escapes: the same value."""
    if text.isascii() or not _SURROGATE.search(text):
        return text
    return _SURROGATE.sub(lambda found: f"\\u{ord(found[0]):04x}", text)


@dataclass(frozen=True, slots=True)
class Item:
    """One Responses API item.

    Attributes:
        text: The item as compact JSON, its keys in the order in which they were received or built.
    """

    text: str

    @classmethod
    def of(cls, payload: Payload) -> Item:
        """Make an item of a JSON object."""
        return cls(dump_json(dict(payload)))

    @property
    def payload(self) -> dict[str, Any]:
        """The item as a fresh JSON object; changing it does not change the item."""
        return cast("dict[str, Any]", json.loads(self.text))

    @property
    def type(self) -> str:
        """The item's `type`; a message may leave it out (EasyInputMessage)."""
        return str(self.payload.get("type") or "message")


def user_message(text: str, attachments: Iterable[Payload] = ()) -> Item:
    """Make the user's message: the attachments' content parts first, then the text.

    Args:
        text: What the user typed; may be empty when there are attachments.
        attachments: Content parts such as `{"type": "input_file", "filename": ..., "file_data": ...}`.
    """
    parts = [dict(part) for part in attachments]
    if not parts:
        return Item.of({"role": "user", "content": text})
    if text:
        parts.append({"type": "input_text", "text": text})
    return Item.of({"role": "user", "content": parts})


def assistant_message(text: str) -> Item:
    """Make the form in which text of an unfinished turn goes back to the model."""
    return Item.of({"role": "assistant", "content": text})


class Outcome(StrEnum):
    """How a turn or an exchange ended; `incomplete` only where the server says so."""

    COMPLETED = "completed"
    INCOMPLETE = "incomplete"
    FAILED = "failed"
    CANCELLED = "cancelled"


@dataclass(frozen=True, slots=True)
class Target:
    """Where a request goes: a chain of responses and encrypted reasoning are valid only within one.

    Attributes:
        model: The model id as sent, e.g. `openai.gpt-5.4`.
        region: AWS region, e.g. `us-west-2`.
        endpoint: `mantle` or `runtime` (bedrock-facts.md 1.1), or `custom` for a base URL of the user's own.
        base_url: Without a trailing slash, e.g. `https://bedrock-mantle.us-west-2.api.aws/openai/v1`.
        sandbox: The embedded endpoint. Its port changes from run to run, its chains do not.
        api: The API by which it is asked, a key of `catalogue.API_NAMES`.
    """

    model: str
    region: str
    endpoint: str
    base_url: str
    sandbox: bool = False
    api: str = "responses"

    def shares_state_with(self, other: Target) -> bool:
        """Whether a response generated at `other` can be continued by id, or its reasoning replayed, here."""
        same_place = self.sandbox == other.sandbox and (self.sandbox or self.base_url == other.base_url)
        return (
            same_place
            and self.model == other.model
            and self.region == other.region
            and self.endpoint == other.endpoint
            and self.api == other.api
        )


@dataclass(frozen=True, slots=True)
class Usage:
    """Token counts as the server reported them; `None` is "the server did not say", never 0.

    The buckets are inclusive: cached and written tokens are inside `input_tokens`, reasoning tokens
    inside `output_tokens`.
    """

    input_tokens: int | None = None
    cached_tokens: int | None = None
    cache_write_tokens: int | None = None
    output_tokens: int | None = None
    reasoning_tokens: int | None = None
    total_tokens: int | None = None

    @classmethod
    def from_payload(cls, payload: object) -> Usage | None:
        """Read a response's `usage` object; `None` when there is none.

        A count that is missing, null or no whole number is unknown.
        """
        if not isinstance(payload, Mapping):
            return None
        usage = cast("Mapping[str, object]", payload)
        details_in = usage.get("input_tokens_details")
        details_out = usage.get("output_tokens_details")
        return cls(
            input_tokens=_count(usage, "input_tokens"),
            cached_tokens=_count(details_in, "cached_tokens"),
            cache_write_tokens=_count(details_in, "cache_write_tokens"),
            output_tokens=_count(usage, "output_tokens"),
            reasoning_tokens=_count(details_out, "reasoning_tokens"),
            total_tokens=_count(usage, "total_tokens"),
        )

    def as_dict(self) -> dict[str, int | None]:
        """The counts by name, in the order of the command line's contract."""
        return {
            "input_tokens": self.input_tokens,
            "cached_tokens": self.cached_tokens,
            "cache_write_tokens": self.cache_write_tokens,
            "output_tokens": self.output_tokens,
            "reasoning_tokens": self.reasoning_tokens,
            "total_tokens": self.total_tokens,
        }

    @classmethod
    def total(cls, usages: Iterable[Usage]) -> Usage:
        """Add up several usages field by field; a field nobody reported stays unknown."""
        rows = [usage.as_dict() for usage in usages]
        sums: dict[str, int | None] = {}
        for name in cls().as_dict():
            known = [count for row in rows if (count := row[name]) is not None]
            sums[name] = sum(known) if known else None
        return cls(**sums)


def _count(container: object, name: str) -> int | None:
    if not isinstance(container, Mapping):
        return None
    value = cast("Mapping[str, object]", container).get(name)
    return value if isinstance(value, int) and not isinstance(value, bool) and value >= 0 else None


_TEXT_PARTS: Final = frozenset({"output_text", "input_text", "text"})


@dataclass(frozen=True, slots=True)
class Turn:
    """What the user sent and what came back, as one node of a conversation's tree.

    Attributes:
        id: Local id, unique in the history.
        parent_id: The turn before it on its path; `None` for a first turn.
        input: The user's items, as sent.
        created_at: When it was sent, seconds since the epoch.
        output: Finished output items, verbatim, in the server's order.
        partial_text: Text of a message that never finished; empty when every message did.
        partial_reasoning: Reasoning summary text of a reasoning item that never finished.
        outcome: `None` while it runs, and after a crash until the history is opened again.
        target: Where it was sent; `None` before the first attempt.
        continuation: The mode it was sent in.
        response_id: The server's id of the response, if one came.
        request_id: The server's request id, for support.
        stored: Whether the server keeps the response, so that it can be a `previous_response_id`.
        usage: Token counts; `None` when the server reported none.
        error: A sentence for the user when it did not complete.
        ended_at: Seconds since the epoch.
        notices: Lines said in the conversation about this turn (a mended chain, a refused include).
        background: Whether it was sent with `background: true`: the server goes on without a connection.
        summary: Whether it stands for the turns of another branch, which it sums up; it has no output.
        calls: What became of the tool calls in its output, as far as anything did.
        text_format: The `text.format` it was sent with, as JSON text; empty for an answer in prose.
    """

    id: str
    parent_id: str | None
    input: tuple[Item, ...]
    created_at: float
    output: tuple[Item, ...] = ()
    partial_text: str = ""
    partial_reasoning: str = ""
    outcome: Outcome | None = None
    target: Target | None = None
    continuation: ContinuationMode = "stateful"
    response_id: str | None = None
    request_id: str | None = None
    stored: bool = False
    usage: Usage | None = None
    error: str | None = None
    ended_at: float | None = None
    notices: tuple[str, ...] = field(default=())
    background: bool = False
    summary: bool = False
    calls: tuple[CallRecord, ...] = ()
    text_format: str = ""

    @property
    def text(self) -> str:
        """The assistant's text: every finished message, then what an unfinished one had so far."""
        return "".join([*(_message_text(item) for item in self.output), self.partial_text])

    @property
    def reasoning(self) -> str:
        """The reasoning summary, paragraphs joined by a blank line; empty when there is none."""
        parts = [part for item in self.output for part in _summary_parts(item)]
        if self.partial_reasoning:
            parts.append(self.partial_reasoning)
        return "\n\n".join(parts)

    @property
    def refusal(self) -> str:
        """What the model said instead of an answer, where it refused; empty where it did not."""
        refusing = [item.payload for item in self.output if '"refusal"' in item.text]
        parts = [part for payload in refusing for part in _objects(payload.get("content"))]
        return "".join(str(part.get("refusal") or "") for part in parts if part.get("type") == "refusal")

    @property
    def prompt(self) -> str:
        """The text the user typed, without attachments."""
        return "".join(_message_text(item) for item in self.input)


def _message_text(item: Item) -> str:
    payload = item.payload
    if payload.get("type", "message") != "message":
        return ""
    content: object = payload.get("content")
    if isinstance(content, str):
        return content
    texts: list[str] = []
    for part in _objects(content):
        if str(part.get("type")) in _TEXT_PARTS:
            texts.append(str(part.get("text") or ""))
        elif part.get("type") == "refusal":
            texts.append(str(part.get("refusal") or ""))
    return "".join(texts)


def _summary_parts(item: Item) -> list[str]:
    payload = item.payload
    if payload.get("type") != "reasoning":
        return []
    parts = [*_objects(payload.get("summary")), *_objects(payload.get("content"))]
    return [text for part in parts if (text := str(part.get("text") or ""))]


def _objects(value: object) -> list[Mapping[str, Any]]:
    if not isinstance(value, list):
        return []
    entries = cast("list[object]", value)
    return [cast("Mapping[str, Any]", entry) for entry in entries if isinstance(entry, Mapping)]
