"""What a running turn tells the rest of the program.

Stream events are named after the Responses API's own (`response.output_text.delta` is `TextDelta`); the
others are the session's. Dispatch is on the `type` string of the wire, in `wire/decode.py`; an event
that nobody knows is `Unknown` and is kept, not dropped. Source: bedrock-facts.md section 3.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tui.core.errors import OutcropError
from tui.core.exchange import Exchange
from tui.core.items import Item, Turn
from tui.core.structured.strict import Problem
from tui.core.tool_calls import CallRecord
from tui.core.tools import Call

__all__ = [
    "AnswerChecked",
    "ArgumentsDelta",
    "AttemptEnded",
    "AttemptStarted",
    "BackgroundStarted",
    "BackgroundStatus",
    "Notice",
    "OutputItemAdded",
    "OutputItemDone",
    "ReasoningDelta",
    "ResponseEnded",
    "ResponseStarted",
    "RetryWaiting",
    "ServerError",
    "SessionEvent",
    "Silence",
    "StreamEvent",
    "TextDelta",
    "ToolCallChanged",
    "TurnEnded",
    "TurnStarted",
    "Unknown",
]


@dataclass(frozen=True, slots=True)
class ResponseStarted:
    """`response.created`, `response.queued` or `response.in_progress`."""

    response_id: str | None
    status: str
    response: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class OutputItemAdded:
    """`response.output_item.added`: the server began an item."""

    output_index: int
    item_id: str
    item_type: str


@dataclass(frozen=True, slots=True)
class TextDelta:
    """`response.output_text.delta` or `response.refusal.delta`."""

    output_index: int
    item_id: str
    delta: str
    refusal: bool = False


@dataclass(frozen=True, slots=True)
class ReasoningDelta:
    """`response.reasoning_summary_text.delta` or `response.reasoning_text.delta`.

    Attributes:
        part_index: The summary part or content part it belongs to; parts are paragraphs.
    """

    output_index: int
    item_id: str
    part_index: int
    delta: str


@dataclass(frozen=True, slots=True)
class ArgumentsDelta:
    """`response.function_call_arguments.delta` or `response.custom_tool_call_input.delta`."""

    output_index: int
    item_id: str
    delta: str


@dataclass(frozen=True, slots=True)
class OutputItemDone:
    """`response.output_item.done`: the item, verbatim."""

    output_index: int
    item: Item


@dataclass(frozen=True, slots=True)
class ResponseEnded:
    """A terminal event: `response.completed`, `.incomplete`, `.failed` or `.cancelled`.

    Attributes:
        status: `completed`, `incomplete`, `failed` or `cancelled`.
        response: The final response object.
    """

    status: str
    response: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class ServerError:
    """An `error` event, in any of the forms it comes in."""

    code: str
    message: str
    param: str = ""


@dataclass(frozen=True, slots=True)
class Unknown:
    """An event that this program does not use; it is in the inspector all the same."""

    type: str


StreamEvent = (
    ResponseStarted
    | OutputItemAdded
    | TextDelta
    | ReasoningDelta
    | ArgumentsDelta
    | OutputItemDone
    | ResponseEnded
    | ServerError
    | Unknown
)


@dataclass(frozen=True, slots=True)
class TurnStarted:
    """The user's turn is on disk and about to be sent."""

    turn: Turn


@dataclass(frozen=True, slots=True)
class AttemptStarted:
    """A request is on its way."""

    exchange: Exchange


@dataclass(frozen=True, slots=True)
class AttemptEnded:
    """An exchange has its outcome."""

    exchange: Exchange


@dataclass(frozen=True, slots=True)
class RetryWaiting:
    """Before the next attempt: how long, and why, in words."""

    seconds: float
    reason: str
    attempt: int


@dataclass(frozen=True, slots=True)
class Notice:
    """Something the user should know about this turn, in words."""

    text: str


@dataclass(frozen=True, slots=True)
class Silence:
    """No event has come for this many seconds; said so that the user may stop the turn."""

    seconds: float


@dataclass(frozen=True, slots=True)
class BackgroundStarted:
    """The server has taken the turn on and goes on without us; it is on disk with its response id."""

    turn: Turn


@dataclass(frozen=True, slots=True)
class BackgroundStatus:
    """What the server says of a background turn that has not ended.

    Attributes:
        status: `queued` or `in_progress`.
        elapsed: Seconds since the turn was sent.
    """

    status: str
    elapsed: float


@dataclass(frozen=True, slots=True)
class AnswerChecked:
    """A structured answer is whole and was held against its schema; comes right before `TurnEnded`.

    Attributes:
        problems: What is wrong with it, with paths; empty for nothing.
    """

    turn: Turn
    problems: tuple[Problem, ...]


@dataclass(frozen=True, slots=True)
class TurnEnded:
    """The turn has its outcome and is on disk.

    Attributes:
        error: What it failed with, where it did.
    """

    turn: Turn
    error: OutcropError | None = None


@dataclass(frozen=True, slots=True)
class ToolCallChanged:
    """A tool call of a turn that has completed is at another point; the turn on disk says the same.

    Attributes:
        turn: The turn that asked for it, with the records of all its calls.
        call: As the model wrote it.
        record: Where it is.
    """

    turn: Turn
    call: Call
    record: CallRecord


SessionEvent = (
    StreamEvent
    | TurnStarted
    | AttemptStarted
    | AttemptEnded
    | RetryWaiting
    | Notice
    | Silence
    | BackgroundStarted
    | BackgroundStatus
    | AnswerChecked
    | ToolCallChanged
    | TurnEnded
)
