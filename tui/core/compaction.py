"""Compaction: a conversation summed up by the model, so that it can go on without its old turns.

The summary object is the guide's (bedrock-facts.md section 2 "Compaction"): durable facts, policy
constraints, next action. It is asked for with a strict JSON schema, and the user may change it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final, cast

from tui.core.continuation import Continuation, Options, Request
from tui.core.conversation import Conversation
from tui.core.errors import InputError
from tui.core.items import ContinuationMode, Item, Outcome, Target, Turn
from tui.core.meter import context_share

__all__ = [
    "CONTEXT_MANAGEMENT",
    "SCHEMA",
    "Summary",
    "Unstored",
    "compact_threshold",
    "compacted_turn",
    "parse_summary",
    "share_to_offer",
    "summary_prompt",
    "summary_request_options",
    "summary_turn",
]

CONTEXT_MANAGEMENT: Final = "context_management"
"""The parameter that lets the server compact by itself; contested on Bedrock, so it is an opt-in."""

SCHEMA: Final[Mapping[str, Any]] = {
    "type": "object",
    "properties": {
        "durable_facts": {
            "type": "array",
            "items": {"type": "string"},
            "description": "Facts, decisions, names, figures and file contents that later turns may need.",
        },
        "policy_constraints": {
            "type": "array",
            "items": {"type": "string"},
            "description": "Rules, preferences and limits that the user or the instructions set.",
        },
        "next_action": {"type": "string", "description": "What is to be done next; what is still open."},
    },
    "required": ["durable_facts", "policy_constraints", "next_action"],
    "additionalProperties": False,
}
"""The summary's strict JSON schema: every property required, no others."""

_FORMAT: Final[Mapping[str, Any]] = {
    "type": "json_schema",
    "name": "conversation_summary",
    "strict": True,
    "schema": SCHEMA,
}
_PROMPT: Final = (
    "Summarize this conversation so that it can go on without its earlier turns. Keep every fact, decision, "
    "name, number and quotation that a later turn may need, also those from attached files; keep the rules "
    "and preferences that were set; say what is to be done next. Leave out small talk. Write in the "
    "language of the conversation."
)
_INTRODUCTION: Final = (
    "The earlier turns of this conversation were replaced by this summary of them. "
    "Take what it says as known from the conversation itself."
)


@dataclass(frozen=True, slots=True)
class Summary:
    """What is kept of a conversation.

    Attributes:
        durable_facts: Facts that later turns may need.
        policy_constraints: Rules that hold.
        next_action: What is to be done next; may be empty.
    """

    durable_facts: tuple[str, ...]
    policy_constraints: tuple[str, ...]
    next_action: str

    def as_json(self) -> dict[str, Any]:
        """The object of the schema."""
        return {
            "durable_facts": list(self.durable_facts),
            "policy_constraints": list(self.policy_constraints),
            "next_action": self.next_action,
        }

    @property
    def text(self) -> str:
        """The object as indented JSON, to be shown and edited; `parse_summary` reads it."""
        return json.dumps(self.as_json(), ensure_ascii=False, indent=2)

    @property
    def is_empty(self) -> bool:
        """Whether it says nothing at all."""
        return not (self.durable_facts or self.policy_constraints or self.next_action)

    def as_item(self) -> Item:
        """The developer message that stands for the old turns."""
        return Item.of({"role": "developer", "content": f"{_INTRODUCTION}\n\n{self.text}"})


def parse_summary(text: str) -> Summary:
    """Read a summary, from the model or from the user who edited it; blank entries are left out.

    Raises:
        InputError: It is not the object of the schema, or says nothing; the sentence says what is wrong.
    """
    try:
        value: object = json.loads(text)
    except ValueError as error:
        where = f" at line {error.lineno}" if isinstance(error, json.JSONDecodeError) else ""
        raise InputError(f"The summary is no valid JSON{where}.") from None
    if not isinstance(value, Mapping):
        raise InputError("The summary must be a JSON object.")
    fields = cast("Mapping[str, object]", value)
    for name in fields:
        if name not in SCHEMA["properties"]:
            raise InputError(f"The summary has no field '{name}': it has {', '.join(SCHEMA['required'])}.")
    action = fields.get("next_action")
    if not isinstance(action, str):
        raise InputError("In the summary, next_action must be a text.")
    summary = Summary(_texts(fields, "durable_facts"), _texts(fields, "policy_constraints"), action.strip())
    if summary.is_empty:
        raise InputError("The summary says nothing: there would be nothing to go on from.")
    return summary


def _texts(fields: Mapping[str, object], name: str) -> tuple[str, ...]:
    value = fields.get(name)
    entries = cast("Sequence[object]", value) if isinstance(value, list) else None
    if entries is None or not all(isinstance(entry, str) for entry in entries):
        raise InputError(f"In the summary, {name} must be a list of texts.")
    return tuple(text for entry in entries if (text := str(entry).strip()))


def summary_prompt() -> Item:
    """The message that asks for the summary."""
    return Item.of({"role": "user", "content": _PROMPT})


def summary_request_options(options: Options) -> Options:
    """The conversation's options, asking for the summary object and for no tool call."""
    extra = {key: value for key, value in options.extra.items() if key != CONTEXT_MANAGEMENT}
    if extra.get("tools"):
        extra["tool_choice"] = "none"
    extra["text"] = {"format": _FORMAT}
    return replace(options, extra=extra, verbosity=None, text_format="")


@dataclass(frozen=True, slots=True)
class Unstored:
    """A continuation whose response the server is not asked to keep: no turn will continue it."""

    inner: Continuation

    @property
    def mode(self) -> ContinuationMode:
        """The mode of the continuation inside."""
        return self.inner.mode

    def plan(self, conversation: Conversation, new_items: Sequence[Item], options: Options) -> Request:
        """Plan as the continuation inside does, with `store: false`."""
        return replace(self.inner.plan(conversation, new_items, options), store=False)


def summary_turn(turn_id: str, summary: Summary, replaced: int, now: float) -> Turn:
    """The first turn of the branch that goes on from a summary.

    Args:
        turn_id: Its id.
        summary: What it says.
        replaced: How many turns it stands for.
        now: Seconds since the epoch.
    """
    return _root(turn_id, (summary.as_item(),), (), replaced, now)


def compacted_turn(turn_id: str, output: Sequence[Item], replaced: int, now: float, target: Target) -> Turn:
    """The first turn of the branch that goes on from what the server compacted; only it can read that."""
    return replace(_root(turn_id, (), tuple(output), replaced, now), target=target)


def _root(turn_id: str, sent: tuple[Item, ...], output: tuple[Item, ...], replaced: int, now: float) -> Turn:
    turns = "turn is" if replaced == 1 else "turns are"
    return Turn(
        id=turn_id,
        parent_id=None,
        input=sent,
        created_at=now,
        output=output,
        outcome=Outcome.COMPLETED,
        ended_at=now,
        notices=(f"The conversation goes on from a summary; its {replaced} {turns} kept in the history.",),
        summary=True,
    )


def compact_threshold(window: int | None, compact_at: float) -> int | None:
    """From how many tokens on the server is to compact; `None` when that cannot be told."""
    return int(window * compact_at) or None if window else None


def share_to_offer(conversation: Conversation, window: int | None, compact_at: float) -> float | None:
    """How full the context window is, 0 to 1 and above, when it is full enough to offer compaction.

    Args:
        conversation: Its path's last turn with a known usage counts.
        window: Tokens the model takes; `None` when unknown: nothing is offered then.
        compact_at: The share from which on to offer; 0 never offers.
    """
    if compact_at <= 0:
        return None
    for turn in reversed(conversation.path()):
        if turn.summary:
            return None
        share = context_share(turn.usage, window)
        if share is not None:
            return share if share >= compact_at else None
    return None
