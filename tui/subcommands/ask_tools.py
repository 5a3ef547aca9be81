"""`outcrop ask` with tools: which are on, what is asked about a call, and its lines of JSON."""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
from pathlib import Path
from typing import Final

from tui.core.events import ToolCallChanged
from tui.core.items import Turn
from tui.core.text import storable, visible, visible_line
from tui.core.tools import Answer, Question, calls_of
from tui.session.session import Session

__all__ = ["TerminalAsker", "call_row", "choose_tools", "step_row", "terminal_line"]

_ANSWERS: Final = {"y": "once", "yes": "once", "c": "conversation", "a": "always", "never": "never"}


async def choose_tools(session: Session, conversation_id: str, options: argparse.Namespace) -> None:
    """Turn on what `--tools` and `--preset` name: who names a file for one question wants its tools.

    Raises:
        InputError: A file or a preset is not there, or a tool cannot be used.
    """
    files = tuple(Path(path) for path in getattr(options, "tools", None) or ())
    session.tool_files = files
    if files:
        toolbox = await session.toolbox()
        for path in files:
            await session.turn_on(conversation_id, [tool.name for tool in toolbox.of_file(path)])
            for server in toolbox.servers:
                if server.origin == str(path):
                    names = [tool.name for tool in await toolbox.connect(server.name)]
                    await session.turn_on(conversation_id, names)
    preset = getattr(options, "preset", None)
    if preset:
        await session.use_preset(conversation_id, preset)


class TerminalAsker:
    """Asks on the terminal; with `--yes` it allows everything, and without a terminal nothing.

    Args:
        yes: Whether `--yes` was given.
    """

    def __init__(self, *, yes: bool) -> None:
        self._yes = yes
        self._lock = asyncio.Lock()

    async def approve(self, question: Question) -> Answer:
        """Ask whether a call may run."""
        if self._yes:
            return Answer("once")
        name = visible_line(question.call.name)
        if not (sys.stdin.isatty() and sys.stderr.isatty()):
            print(
                f"outcrop: {name} was not run: there is no terminal to ask at; --yes lets tools run.",
                file=sys.stderr,
            )
            return Answer("refuse")
        async with self._lock:
            given = json.dumps(dict(question.arguments), ensure_ascii=False, indent=2)
            print(f"\noutcrop: the model calls {name} with\n{visible(given)}", file=sys.stderr)
            said = await terminal_line(
                "Run it? y yes, c yes in this conversation, a always with these, n no, never: "
            )
        return Answer(_ANSWERS.get(said.strip().casefold(), "refuse"))  # pyright: ignore[reportArgumentType]

    async def review(self, question: Question, output: str) -> str:
        """Nothing is changed here."""
        return output


async def terminal_line(prompt: str) -> str:
    """A line of standard input, empty at its end; a signal while it waits is not held up."""
    print(prompt, end="", file=sys.stderr, flush=True)
    loop = asyncio.get_running_loop()
    line: asyncio.Future[str] = loop.create_future()
    loop.add_reader(sys.stdin, lambda: line.done() or line.set_result(sys.stdin.readline()))
    try:
        return await line
    finally:
        loop.remove_reader(sys.stdin)


def call_row(event: ToolCallChanged) -> dict[str, object]:
    """A tool call's line of JSON."""
    record = event.record
    given = event.call.arguments if record.arguments is None else record.arguments
    return {
        "type": "tool.call",
        "turn": event.turn.id,
        "call_id": event.call.call_id,
        "name": event.call.name,
        "kind": event.call.kind,
        "state": record.state,
        "arguments": storable(given),
        "output": storable(record.output) if record.state.has_ended else None,
        "seconds": record.seconds,
    }


def step_row(turn: Turn) -> dict[str, object]:
    """The line of JSON of a turn that is followed by the outputs of its calls."""
    return {
        "type": "step.ended",
        "turn": turn.id,
        "outcome": turn.outcome,
        "response_id": turn.response_id,
        "continuation": turn.continuation,
        "calls": [call.name for call in calls_of(turn.output)],
        "text": turn.text,
        "usage": turn.usage.as_dict() if turn.usage else None,
    }
