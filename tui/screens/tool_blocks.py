"""A tool call as one block: name, arguments, state, time, output."""

from __future__ import annotations

import json
from collections.abc import Iterable
from contextlib import suppress
from typing import Final

from tui.core.items import Item
from tui.core.text import visible, visible_line
from tui.core.tool_calls import CallRecord, CallState
from tui.core.tools import Call, calls_of
from tui.screens.turn_words import span_words, tool_block
from tui.widgets.transcript.block import Block, BlockKind

__all__ = ["call_block", "item_block"]

_LONGEST: Final = 20_000
_STATES: Final = {
    CallState.RUNNING: "running",
    CallState.FAILED: "failed",
    CallState.REFUSED: "refused",
    CallState.STOPPED: "stopped",
}


def item_block(block_id: str, item: Item, records: Iterable[CallRecord] = ()) -> Block | None:
    """An output item that is neither reasoning nor message, with what became of it where it is a call."""
    calls = calls_of((item,))
    if not calls:
        return tool_block(block_id, item)
    record = next((known for known in records if known.call_id == calls[0].call_id), None)
    return call_block(block_id, calls[0], record)


def call_block(block_id: str, call: Call, record: CallRecord | None, *, now: bool = False) -> Block:
    """The block of a call.

    Args:
        block_id: Its id.
        call: As the model wrote it.
        record: What became of it; `None` where nothing did.
        now: Whether it is watched as it runs. What is found running otherwise was interrupted.
    """
    state = record.state if record is not None else CallState.WAITING
    title = [visible_line(call.name), _argument_words(record.arguments if record else None, call)]
    lines = ["Arguments" if call.kind == "function" else "Text", _pretty(call.arguments, call)]
    if record is not None:
        if record.arguments is not None:
            lines += ["", "Changed by you to", _pretty(record.arguments, call)]
        if state.has_ended:
            lines += [
                "",
                "Output, changed by you" if record.edited else "Output",
                _cut(visible(record.output)),
            ]
        if record.seconds is not None:
            title.append(span_words(record.seconds))
    mark = _STATES.get(state, "")
    if state is CallState.RUNNING and not now:
        mark = "stopped"
        lines += ["", "It was interrupted; whether it had an effect is not known."]
    elif state is CallState.WAITING:
        title.append("waits" if now else "not run")
    return Block(
        block_id, BlockKind.TOOL, "\n".join(lines), " · ".join(filter(None, title)), folded=True, state=mark
    )


def _argument_words(changed: str | None, call: Call) -> str:
    """The arguments as they fit into a title line."""
    text = call.arguments if changed is None else changed
    if call.kind == "function":
        try:
            value: object = json.loads(text or "{}")
        except ValueError:
            value = None
        if isinstance(value, dict):
            pairs: list[str] = [
                f"{name}={entry if isinstance(entry, str) else json.dumps(entry, ensure_ascii=False)}"
                for name, entry in value.items()  # pyright: ignore[reportUnknownVariableType]
            ]
            text = ", ".join(pairs)
    line = visible_line(" ".join(text.split()))
    return line if len(line) <= 60 else f"{line[:59]}…"


def _pretty(arguments: str, call: Call) -> str:
    if call.kind == "function":
        with suppress(ValueError, RecursionError):
            arguments = json.dumps(json.loads(arguments or "{}"), ensure_ascii=False, indent=2)
    return _cut(visible(arguments))


def _cut(text: str) -> str:
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]} …"
