"""`outcrop ask`: one turn without the TUI, streamed to stdout.

Without `--json` stdout holds the answer's text and nothing else, or with `--schema` its JSON. With `--json`,
stdout holds JSON Lines, one object per event; the last one is `turn.ended`, also when nothing could be sent.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import signal
import stat
import sys
from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing
from dataclasses import dataclass, replace
from typing import Any, Final, TextIO

from tui.config.settings import Settings
from tui.core.attachments import Attachment, doubts
from tui.core.errors import InputError, OutcropError, TokenRefused, WireError
from tui.core.events import (
    AnswerChecked,
    AttemptEnded,
    AttemptStarted,
    Notice,
    OutputItemDone,
    ReasoningDelta,
    RetryWaiting,
    SessionEvent,
    Silence,
    TextDelta,
    ToolCallChanged,
    TurnEnded,
    TurnStarted,
)
from tui.core.items import Outcome, Turn
from tui.core.json_places import path_text
from tui.core.structured.strict import Problem
from tui.core.text import storable, visible
from tui.core.way_on import way_on
from tui.exits import exit_status, fail
from tui.session.options import guardrail_unsent
from tui.session.session import Session
from tui.startup import conversation_asked_for, make_session, settings_and_playback
from tui.subcommands.ask_structured import StructuredText, choose_schema, not_valid
from tui.subcommands.ask_tools import TerminalAsker, call_row, choose_tools, step_row
from tui.subcommands.ask_words import CountedLine, say, way_words, words_of

__all__ = ["Interrupts", "print_not_sent", "read_prompt", "run"]

_STATUS: Final = {Outcome.COMPLETED: 0, Outcome.FAILED: 1, Outcome.INCOMPLETE: 4, Outcome.CANCELLED: 130}


def run(options: argparse.Namespace) -> int:
    """Send one prompt; returns the exit status."""
    settings: Settings | None = None
    asked = _Asked()
    try:
        settings, playback = settings_and_playback(options, os.environ)
        prompt = read_prompt(options.prompt, sys.stdin)
        session = make_session(settings, playback=playback)
        output = JsonLines(sys.stdout) if options.json else PlainText(sys.stdout, sys.stderr)
        return asyncio.run(_ask(session, options, prompt, output, asked))
    except OutcropError as error:
        if options.json:
            print_not_sent(error, settings, asked.conversation_id)
        return fail(error)


@dataclass(slots=True)
class _Asked:
    """How far it went before it failed."""

    conversation_id: str | None = None


def read_prompt(given: str | None, stdin: TextIO) -> str:
    """The prompt: what is piped in, or PROMPT, or both, PROMPT first.

    Raises:
        InputError: There is nothing, or it is no text.
    """
    piped = _read_piped(stdin) if given == "-" or _is_piped(stdin) else ""
    words = "" if given is None or given == "-" else _as_utf8(given)
    if given == "-" and not piped.strip():
        raise InputError("Standard input is empty: there is no prompt.")
    prompt = "\n\n".join(part for part in (words, piped.rstrip("\n")) if part and part.strip())
    return storable(prompt)


def _as_utf8(argument: str) -> str:
    """An argument as it was typed, also where the locale cannot read it and Python kept its bytes."""
    if argument.isascii() or not any("\udc80" <= character <= "\udcff" for character in argument):
        return argument
    return os.fsencode(argument).decode("utf-8", "replace")


def _is_piped(stdin: TextIO) -> bool:
    """Whether standard input is a pipe, a file or a socket: something that was meant to be read."""
    try:
        mode = os.fstat(stdin.fileno()).st_mode
    except (OSError, ValueError, AttributeError):
        return False
    return stat.S_ISFIFO(mode) or stat.S_ISREG(mode) or stat.S_ISSOCK(mode)


def _read_piped(stdin: TextIO) -> str:
    if stdin.isatty():
        print("Type the prompt; Ctrl+D ends it.", file=sys.stderr)
    try:
        return stdin.buffer.read().decode("utf-8")
    except UnicodeDecodeError as error:
        raise InputError(
            f"Standard input is not UTF-8 text (byte {error.start}); attach files with -f FILE."
        ) from None


async def _ask(
    session: Session, options: argparse.Namespace, prompt: str, output: Output, asked: _Asked
) -> int:
    task = asyncio.current_task()
    assert task is not None
    interrupted = Interrupts(task)
    try:
        conversation_id = asked.conversation_id = await conversation_asked_for(session, options)
        await choose_tools(session, conversation_id, options)
        await choose_schema(session, conversation_id, options)
        if session.conversation(conversation_id).controls.text_format and not options.json:
            output = StructuredText(sys.stdout, sys.stderr)
        files: list[str] = getattr(options, "files", [])
        attachments = [await session.attach(path) for path in files]
        if not prompt and not attachments:
            raise InputError("There is no prompt: give PROMPT, pipe it in, or attach a file with -f.")
        for sentence in (*doubts(attachments), *_said_before(session, conversation_id)):
            say(sentence, sys.stderr)
        await _check_budget(session, options, conversation_id, prompt, attachments)
        asker = TerminalAsker(yes=getattr(options, "yes", False))
        events = session.with_tools(
            conversation_id, session.send(conversation_id, prompt, attachments), asker
        )
        return await _one_turn(session, conversation_id, events, output)
    except asyncio.CancelledError:
        if not interrupted.signal:
            raise
        return 128 + interrupted.signal
    finally:
        await session.aclose()


def _said_before(session: Session, conversation_id: str) -> list[str]:
    """What is taken otherwise than was asked for; what the turn itself will say is not said twice."""
    target = session.target(conversation_id)
    noticed = guardrail_unsent(session.settings, target)
    said = [session.settings.said, *session.unsent(conversation_id)]
    pairing = session.catalogue.pairing(target.model, target.region, target.endpoint, api=target.api)
    if session.settings.api and not pairing.possible:
        # It is tried all the same; an answer such as "unknown URL" would not tell.
        said.append(pairing.reason)
    return [sentence for sentence in said if sentence and sentence != noticed]


async def _check_budget(
    session: Session,
    options: argparse.Namespace,
    conversation_id: str,
    prompt: str,
    attachments: list[Attachment],
) -> None:
    """Warn near a budget; at it there is nobody to ask, so that only `--over-budget` goes on.

    Raises:
        InputError: A budget is used up.
    """
    decision = await session.estimates.budget(conversation_id, prompt, attachments)
    if decision.state == "ask" and not options.over_budget:
        raise InputError(f"{decision.text} Nothing was sent; --over-budget sends it all the same.")
    for sentence in decision.sentences:
        print(f"outcrop: {visible(sentence)}", file=sys.stderr)


async def _one_turn(
    session: Session, conversation_id: str, steps: AsyncGenerator[SessionEvent, None], output: Output
) -> int:
    ended: TurnEnded | None = None
    problems: tuple[Problem, ...] | None = None
    counted = CountedLine(sys.stderr)
    try:
        async with aclosing(steps) as events:
            async for event in events:
                counted.stop()
                if isinstance(event, TurnStarted) and ended is not None:
                    output.step(ended.turn)
                if isinstance(event, AnswerChecked):
                    problems = event.problems
                if isinstance(event, TurnEnded):
                    ended = event
                else:
                    output.show(event)
                if isinstance(event, RetryWaiting):
                    counted.start(event.seconds)
    except asyncio.CancelledError:
        conversation = session.conversation(conversation_id)
        turn = None if conversation.tip is None else conversation.turns[conversation.tip]
        if turn is not None and turn.outcome is Outcome.CANCELLED:
            # The turn's own words are for the person who pressed a key.
            output.end(replace(turn, error="Interrupted."), conversation_id, None)
        raise
    finally:
        counted.stop()
    assert ended is not None
    output.end(ended.turn, conversation_id, ended.error)
    if sys.stderr.isatty():
        say(way_words(way_on(ended.turn, ended.error)), sys.stderr)
    if isinstance(ended.error, TokenRefused):
        return exit_status(ended.error)
    if ended.turn.outcome is Outcome.COMPLETED and not_valid(ended.turn, problems):
        return _STATUS[Outcome.INCOMPLETE]
    return _STATUS[ended.turn.outcome or Outcome.FAILED]


class Interrupts:
    """Turns SIGINT, SIGTERM and SIGHUP into a cancellation, so that the turn is kept."""

    def __init__(self, task: asyncio.Task[Any]) -> None:
        self.signal = 0
        self._task = task
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            loop.add_signal_handler(number, self._cancel, number)

    def _cancel(self, number: int) -> None:
        if not self.signal:
            self.signal = number
            self._task.cancel()


class PlainText:
    """The answer on stdout, everything else on stderr."""

    def __init__(self, stdout: TextIO, stderr: TextIO) -> None:
        self._stdout = stdout
        self._stderr = stderr
        self._to_terminal = stdout.isatty()
        self._last = ""

    def show(self, event: SessionEvent) -> None:
        """Show what belongs to the answer, and say what else a person should know."""
        match event:
            case TextDelta():
                self._write(event.delta)
            case _:
                self._say(words_of(event))

    def step(self, turn: Turn) -> None:
        """What a tool returned is on its way; what was said before stands in a paragraph of its own."""
        if turn.text and not turn.text.endswith("\n"):
            self._write("\n\n")

    def end(self, turn: Turn, conversation_id: str, error: OutcropError | None) -> None:
        """End the line on a terminal; say why the turn did not complete."""
        if self._to_terminal and self._last and not self._last.endswith("\n"):
            self._write("\n")
        self._stdout.flush()
        if turn.error and turn.outcome is not Outcome.CANCELLED:
            self._say(turn.error)

    def _write(self, text: str) -> None:
        # Through a pipe the text stays as it is; a terminal must not be given control characters.
        self._stdout.write(visible(text) if self._to_terminal else storable(text))
        self._stdout.flush()
        self._last = text or self._last

    def _say(self, sentence: str) -> None:
        say(sentence, self._stderr)


class JsonLines:
    """One JSON object per line on stdout."""

    def __init__(self, stdout: TextIO) -> None:
        self._stdout = stdout

    def show(self, event: SessionEvent) -> None:
        """Print the event, if scripts can use it."""
        row = _row(event)
        if row is not None:
            self._print(row)

    def step(self, turn: Turn) -> None:
        """Print `step.ended`."""
        self._print(step_row(turn))

    def end(self, turn: Turn, conversation_id: str, error: OutcropError | None) -> None:
        """Print `turn.ended`."""
        self._print(_ended_row(turn, conversation_id, error))

    def _print(self, row: Mapping[str, object]) -> None:
        self._stdout.write(json.dumps(row) + "\n")
        self._stdout.flush()


Output = PlainText | StructuredText | JsonLines


def _row(event: SessionEvent) -> dict[str, object] | None:
    match event:
        case TurnStarted():
            return {"type": "turn.started", "turn": event.turn.id}
        case AttemptStarted():
            return {"type": "attempt.started", "attempt": event.exchange.attempt}
        case AttemptEnded():
            exchange = event.exchange
            return {
                "type": "attempt.ended",
                "attempt": exchange.attempt,
                "status": exchange.status,
                "outcome": exchange.outcome,
                "request_id": exchange.request_id,
                "error": exchange.error,
            }
        case TextDelta():
            return {"type": "text.delta", "delta": storable(event.delta)}
        case ReasoningDelta():
            return {"type": "reasoning.delta", "delta": storable(event.delta)}
        case OutputItemDone():
            return {"type": "item.done", "item": event.item.payload}
        case RetryWaiting():
            return {"type": "retry.waiting", "seconds": event.seconds, "reason": event.reason}
        case Notice():
            return {"type": "notice", "text": event.text}
        case ToolCallChanged():
            return call_row(event)
        case Silence():
            return {"type": "silence", "seconds": event.seconds}
        case AnswerChecked():
            rows = [{"path": path_text(one.path), "message": one.text} for one in event.problems]
            return {"type": "answer.checked", "valid": not rows, "problems": rows}
        case _:
            return None


def _ended_row(turn: Turn, conversation_id: str, error: OutcropError | None) -> dict[str, object]:
    target = turn.target
    return {
        "type": "turn.ended",
        "outcome": turn.outcome,
        "conversation": conversation_id,
        "response_id": turn.response_id,
        "request_id": turn.request_id,
        "model": target.model if target else None,
        "region": target.region if target else None,
        "continuation": turn.continuation,
        "text": turn.text,
        "usage": turn.usage.as_dict() if turn.usage else None,
        "error": _error_row(turn, error),
    }


def _error_row(turn: Turn, error: OutcropError | None) -> dict[str, object] | None:
    if turn.outcome is Outcome.COMPLETED:
        return None
    if isinstance(error, WireError):
        return error.as_dict()
    return {"message": turn.error, "code": str(turn.outcome), "status": None, "retryable": False}


def print_not_sent(error: OutcropError, settings: Settings | None, conversation_id: str | None) -> None:
    """Print the `turn.ended` of a turn that could not be sent."""
    row: dict[str, object] = {
        "type": "turn.ended",
        "outcome": Outcome.FAILED,
        "conversation": conversation_id,
        "response_id": None,
        "request_id": None,
        "model": settings.model if settings else None,
        "region": settings.region if settings else None,
        "continuation": settings.continuation if settings else None,
        "text": "",
        "usage": None,
        "error": {"message": str(error), "code": _code(error), "status": None, "retryable": False},
    }
    print(json.dumps(row), flush=True)


def _code(error: OutcropError) -> str:
    return {2: "bad_input", 3: "no_token"}.get(exit_status(error), "failed")
