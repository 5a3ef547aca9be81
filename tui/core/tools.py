"""Tools: what a conversation offers the model, the calls in its answers, and what is allowed to run.

Pure. Shapes: OpenAI API reference, "Function calling"; bedrock-facts.md section 2 ("Function tools", "Custom
tool"). A call is answered by an item of the next request that names its `call_id`, and a request in which one
is left without an answer is refused.
"""

from __future__ import annotations

import fnmatch
import glob
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final, Literal, Protocol, cast

from tui.core.items import Item, Turn, dump_json
from tui.core.tool_calls import CallRecord, CallState

__all__ = [
    "CHOICES",
    "INTERRUPTED",
    "NOT_RUN",
    "Answer",
    "Asker",
    "Call",
    "Question",
    "Rule",
    "ToolKind",
    "ToolOn",
    "ToolUse",
    "Verdict",
    "answered_ids",
    "calls_of",
    "carries_prompt",
    "exact_pattern",
    "is_tool_step",
    "output_item",
    "parse_arguments",
    "pattern_matches",
    "pending_calls",
    "told",
    "tool_params",
    "unanswered",
]

ToolKind = Literal["function", "custom"]
CHOICES: Final = ("auto", "required", "none")

NOT_RUN: Final = "This call was not run: the user went on without it."
INTERRUPTED: Final = "This call was interrupted; whether it had an effect is not known."
_CALLS: Final[Mapping[str, ToolKind]] = {"function_call": "function", "custom_tool_call": "custom"}
_TEXT: Final = "input"
"""What the one argument of a custom tool is called in patterns."""


@dataclass(frozen=True, slots=True)
class Call:
    """A call as the model wrote it.

    Attributes:
        call_id: Names it in its output.
        name: The tool's.
        kind: `function` calls have arguments in JSON, `custom` ones free text.
        arguments: That JSON, or that text.
    """

    call_id: str
    name: str
    kind: ToolKind
    arguments: str


@dataclass(frozen=True, slots=True)
class ToolOn:
    """A tool that is on in a conversation, as it was when it was turned on.

    Attributes:
        name: Its name.
        definition: Its entry of `tools`, as JSON text, sent as it is.
        fingerprint: Of what runs (code or command). Another one now is another tool, and that one is off.
        allowed: Whether its calls run without a question in this conversation.
    """

    name: str
    definition: str
    fingerprint: str
    allowed: bool = False


@dataclass(frozen=True, slots=True)
class ToolUse:
    """What tools a conversation offers.

    Attributes:
        on: The tools, in the order in which they are sent.
        choice: `auto`, `required`, `none`, or the name of the tool that has to be called.
        parallel: Whether the model may ask for several calls at once.
    """

    on: tuple[ToolOn, ...] = ()
    choice: str = "auto"
    parallel: bool = True

    def named(self, name: str) -> ToolOn | None:
        """The tool of that name, if it is on."""
        return next((tool for tool in self.on if tool.name == name), None)

    def with_tool(self, tool: ToolOn) -> ToolUse:
        """With a tool turned on, in its place where it was on already."""
        if self.named(tool.name) is None:
            return replace(self, on=(*self.on, tool))
        return replace(self, on=tuple(tool if known.name == tool.name else known for known in self.on))

    def without(self, name: str) -> ToolUse:
        """With a tool turned off; a choice of that tool goes with it."""
        on = tuple(tool for tool in self.on if tool.name != name)
        return replace(self, on=on, choice="auto" if self.choice == name else self.choice)

    def as_json(self) -> dict[str, Any]:
        """For the history; empty where nothing was ever chosen."""
        if self == ToolUse():
            return {}
        on = [[tool.name, tool.definition, tool.fingerprint, tool.allowed] for tool in self.on]
        return {"on": on, "choice": self.choice, "parallel": self.parallel}

    @classmethod
    def from_json(cls, value: object) -> ToolUse:
        """Read what `as_json` gave; what cannot be read is off."""
        if not isinstance(value, Mapping):
            return cls()
        fields = cast("Mapping[str, Any]", value)
        on: list[ToolOn] = []
        rows: object = fields.get("on")
        for row in cast("list[object]", rows) if isinstance(rows, list) else ():
            match row:
                case [str(name), str(definition), str(fingerprint), bool(allowed)]:
                    on.append(ToolOn(name, definition, fingerprint, allowed))
                case _:
                    continue
        choice = fields.get("choice")
        return cls(
            tuple(on), choice if isinstance(choice, str) else "auto", fields.get("parallel") is not False
        )


def tool_params(use: ToolUse, *, first: bool) -> dict[str, Any]:
    """The request's parameters for tools, in one order; none where no tool is on.

    Args:
        use: What is on.
        first: Whether this is the request of a prompt. What follows a tool's output is `auto`: a forced call
            would otherwise be forced for ever.
    """
    if not use.on:
        return {}
    params: dict[str, Any] = {"tools": [json.loads(tool.definition) for tool in use.on]}
    if use.choice == "none" or (first and use.choice == "required"):
        params["tool_choice"] = use.choice
    elif first and (named := use.named(use.choice)) is not None:
        kind = json.loads(named.definition).get("type", "function")
        params["tool_choice"] = {"type": kind, "name": named.name}
    if not use.parallel:
        params["parallel_tool_calls"] = False
    return params


# -- calls and outputs -------------------------------------------------------------------------------


def calls_of(output: Iterable[Item]) -> tuple[Call, ...]:
    """The calls among output items, in the server's order."""
    calls: list[Call] = []
    for item in output:
        if "_call" not in item.text:
            continue
        payload = item.payload
        kind = _CALLS.get(str(payload.get("type")))
        if kind is not None:
            text = payload.get("arguments" if kind == "function" else "input")
            calls.append(
                Call(str(payload.get("call_id", "")), str(payload.get("name", "")), kind, str(text or ""))
            )
    return tuple(calls)


def output_item(call: Call, output: str) -> Item:
    """The item that answers a call."""
    kind = "function_call_output" if call.kind == "function" else "custom_tool_call_output"
    return Item.of({"type": kind, "call_id": call.call_id, "output": output})


def answered_ids(items: Iterable[Item]) -> frozenset[str]:
    """Which calls are answered by these items of an input."""
    found: set[str] = set()
    for item in items:
        # A data URL of megabytes is not parsed to learn that it is none.
        if "_call_output" in item.text[:400]:
            payload = item.payload
            if str(payload.get("type")).endswith("_call_output"):
                found.add(str(payload.get("call_id", "")))
    return frozenset(found)


def unanswered(turn: Turn, after: Sequence[Item]) -> list[Item]:
    """An output for each call of a turn that what comes after it leaves without one.

    What became of the call is told where that is known. The same turn gives the same items each time, so that
    a conversation reads the same however it is continued.
    """
    calls = calls_of(turn.output)
    if not calls:
        return []
    answered = answered_ids(after)
    records = {record.call_id: record for record in turn.calls}
    items: list[Item] = []
    for call in calls:
        if call.call_id not in answered:
            items.append(output_item(call, told(records.get(call.call_id))))
    return items


def told(record: CallRecord | None) -> str:
    """What the model is told of a call: its output, or why there is none."""
    if record is None or record.state is CallState.WAITING:
        return NOT_RUN
    return record.output if record.state.has_ended else INTERRUPTED


def carries_prompt(items: Iterable[Item]) -> bool:
    """Whether there is more in an input than the outputs of tools."""
    return any("_call_output" not in item.text[:400] for item in items)


def is_tool_step(turn: Turn) -> bool:
    """Whether a turn carries tools' outputs and nothing that the user typed."""
    return bool(turn.input) and not carries_prompt(turn.input)


def pending_calls(turn: Turn) -> tuple[tuple[Call, CallRecord], ...]:
    """The calls of a turn with what is known of each; a call of which nothing is known waits."""
    records = {record.call_id: record for record in turn.calls}
    return tuple(
        (call, records.get(call.call_id) or CallRecord(call.call_id)) for call in calls_of(turn.output)
    )


# -- asking the user ---------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Question:
    """A call that nothing has decided about yet.

    Attributes:
        conversation_id: Where it was made.
        call: As the model wrote it.
        arguments: By name; a custom tool's text is called `input`.
        number: Which of the calls of its answer it is, from 1.
        of: How many there are.
    """

    conversation_id: str
    call: Call
    arguments: Mapping[str, Any]
    number: int = 1
    of: int = 1


Verdict = Literal["once", "conversation", "always", "refuse", "never"]


@dataclass(frozen=True, slots=True)
class Answer:
    """What the user says to a call.

    Attributes:
        verdict: Run it `once`, or from now on in this `conversation`, or `always` where the pattern matches;
            `refuse` it, or `never` run what matches.
        arguments: What it is given instead: JSON, or a custom tool's text; `None` for what the model wrote.
        pattern: For `always` and `never`; `None` for exactly these arguments.
        review: Whether the output is shown, and may be changed, before it goes back.
    """

    verdict: Verdict
    arguments: str | None = None
    pattern: Mapping[str, str] | None = None
    review: bool = False


class Asker(Protocol):
    """Whoever can ask the user."""

    async def approve(self, question: Question) -> Answer:
        """Ask whether a call may run."""
        ...

    async def review(self, question: Question, output: str) -> str:
        """Show an output; returns what goes back to the model."""
        ...


# -- what may run ------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Rule:
    """An answer that holds for every call of a tool whose arguments match.

    Attributes:
        tool: The tool's name.
        fingerprint: Of the tool that was meant; a changed one is asked about again.
        pattern: Argument name -> glob over its value (a text as it is, anything else as compact JSON).
            Arguments that are not named do not match.
        allow: Run without a question, or refuse without one.
        id: Of the history; 0 before it is kept.
    """

    tool: str
    fingerprint: str
    pattern: Mapping[str, str] = field(default_factory=dict[str, str])
    allow: bool = True
    id: int = 0

    def decides(self, call: Call, fingerprint: str) -> bool:
        """Whether this call is one that was meant."""
        if call.name != self.tool or fingerprint != self.fingerprint:
            return False
        try:
            return pattern_matches(self.pattern, parse_arguments(call))
        except ValueError:
            return False


def parse_arguments(call: Call) -> dict[str, Any]:
    """The arguments by name; a custom tool's text is called `input`.

    Raises:
        ValueError: They are no JSON object; the sentence is for the model.
    """
    if call.kind == "custom":
        return {_TEXT: call.arguments}
    try:
        value: object = json.loads(call.arguments or "{}")
    except (ValueError, RecursionError) as error:
        raise ValueError(f"The arguments are no valid JSON: {error}.") from None
    if not isinstance(value, dict):
        raise ValueError("The arguments are no JSON object.")
    return cast("dict[str, Any]", value)


def exact_pattern(arguments: Mapping[str, Any]) -> dict[str, str]:
    """The pattern that only these arguments match."""
    return {name: glob.escape(_as_text(value)) for name, value in arguments.items()}


def pattern_matches(pattern: Mapping[str, str], arguments: Mapping[str, Any]) -> bool:
    """Whether every argument matches what the pattern says of it, and none is missing on either side."""
    return pattern.keys() == arguments.keys() and all(
        fnmatch.fnmatchcase(_as_text(arguments[name]), wanted) for name, wanted in pattern.items()
    )


def _as_text(value: object) -> str:
    return value if isinstance(value, str) else dump_json(value)
