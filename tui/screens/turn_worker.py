"""The bridge between a running turn and the screen: one worker for each turn, and short."""

from __future__ import annotations

import asyncio
from contextlib import aclosing
from typing import TYPE_CHECKING, Protocol

from tui.core.errors import OutcropError, TokenError
from tui.core.events import (
    AttemptEnded,
    AttemptStarted,
    Notice,
    RetryWaiting,
    SessionEvent,
    Silence,
    TurnEnded,
    TurnStarted,
)
from tui.core.items import Outcome
from tui.crash import report
from tui.widgets.transcript.warm import warmed_up

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from tui.core.items import Turn
    from tui.core.tools import Answer, Question
    from tui.screens.live_turn import LiveTurn
    from tui.session.session import Session

__all__ = ["TurnHost", "run_turn"]

SILENT_AFTER = 20.0
"""Seconds without an event after which the user is told."""


class TurnHost(Protocol):
    """What a running turn asks of its screen; calls about a conversation that is not shown draw nothing."""

    def turn_started(self, live: LiveTurn) -> None:
        """The prompt is on disk."""
        ...

    def turn_waits(self, live: LiveTurn, seconds: float, reason: str) -> None:
        """The next attempt comes after a pause."""
        ...

    def turn_silent(self, live: LiveTurn, seconds: float) -> None:
        """Nothing has come for this long."""
        ...

    def turn_moves(self, live: LiveTurn) -> None:
        """Something came; a countdown or a silence is over."""
        ...

    def exchanges_changed(self, live: LiveTurn) -> None:
        """An attempt began or ended."""
        ...

    def next_step(self, live: LiveTurn, turn: Turn) -> LiveTurn:
        """The outputs of its tool calls are on their way: the turn that draws what comes now."""
        ...

    async def approve(self, question: Question) -> Answer:
        """Ask whether a tool call may run."""
        ...

    async def review(self, question: Question, output: str) -> str:
        """Show a tool's output; returns what goes back to the model."""
        ...

    def turn_over(self, live: LiveTurn, outcome: Outcome | None, error: Exception | None) -> None:
        """The turn has ended; `outcome` is `None` when nothing was sent."""
        ...


async def run_turn(session: Session, live: LiveTurn, host: TurnHost) -> None:
    """Send a turn and draw what comes, until it ends, fails or is cancelled; only that is raised."""
    outcome: Outcome | None = None
    problem: Exception | None = None
    try:
        steps = session.with_tools(live.conversation_id, _events(session, live, host), host)
        async with aclosing(steps) as events:
            async for event in events:
                if isinstance(event, TurnStarted) and live.over:
                    live = host.next_step(live, event.turn)
                live.handle(event)
                _tell(event, live, host)
                if isinstance(event, TurnStarted):
                    # Who pastes and presses Enter at once has left no time to warm up.
                    await warmed_up()
                if isinstance(event, TurnEnded):
                    outcome, problem = event.turn.outcome, event.error
    except asyncio.CancelledError:
        # What the server has goes on without us.
        outcome = Outcome.CANCELLED if live.turn is not None and not live.held else None
        _end_as_kept(session, live)
        raise
    except TokenError as error:
        problem = error
        if live.held:
            live.fail(str(error))
    except OutcropError as error:
        problem = error
        live.fail(str(error))
        outcome = Outcome.FAILED if live.turn is not None and not live.held else None
    except Exception as error:  # The worker's edge: a fault of ours must not take the program down.
        problem = error
        outcome = Outcome.FAILED if live.turn is not None and not live.held else None
        live.fail(f"{report(error)} What came is kept.")
    finally:
        host.turn_over(live, outcome, problem)


def _events(session: Session, live: LiveTurn, host: TurnHost) -> AsyncGenerator[SessionEvent, None]:
    if live.resumes and live.turn is not None:
        return session.resume_background(live.conversation_id, live.turn.id)
    if live.edited is not None:
        edited = live.edited
        return session.keep_as_branch(edited.exchange, edited.body, anyway=edited.anyway)
    if live.resumes_calls is not None:
        return session.resume_calls(live.conversation_id, live.resumes_calls, host)
    if live.again is not None:
        return session.resend(live.conversation_id, live.again.id, background=live.background)
    return session.send(live.conversation_id, live.prompt, live.attachments, background=live.background)


def _tell(event: SessionEvent, live: LiveTurn, host: TurnHost) -> None:
    match event:
        case TurnStarted():
            host.turn_started(live)
        case Notice(text=text):
            live.notice(text)
        case RetryWaiting(seconds=seconds, reason=reason):
            host.turn_waits(live, seconds, reason)
            return
        case Silence(seconds=seconds):
            if seconds >= SILENT_AFTER:
                host.turn_silent(live, seconds)
            return
        case AttemptStarted() | AttemptEnded():
            host.exchanges_changed(live)
        case _:
            pass
    host.turn_moves(live)


def _end_as_kept(session: Session, live: LiveTurn) -> None:
    """After a cancellation the turn on disk says how it ended."""
    if live.turn is None:
        return
    kept = session.conversation(live.conversation_id).turns.get(live.turn.id)
    if kept is not None and kept.outcome is not None:
        live.end(kept)
