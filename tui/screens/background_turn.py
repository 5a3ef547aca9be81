"""A turn that runs at the server: its block tells how far it is, while everything else goes on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from time import monotonic, time
from typing import Final

from tui.core.attachments import Attachment
from tui.core.events import BackgroundStarted, BackgroundStatus, SessionEvent, TurnEnded
from tui.core.items import Turn
from tui.core.text import visible_line
from tui.screens.live_turn import LiveTurn
from tui.widgets.transcript.block import Block, BlockKind

__all__ = ["BackgroundTurn", "clock_words"]

_STATUSES: Final = {"": "being sent", "queued": "queued", "in_progress": "in progress"}


def clock_words(seconds: float) -> str:
    """A duration that is still growing: `0:07`, `1:23`, `1:02:03`."""
    minutes, rest = divmod(int(max(0.0, seconds)), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{rest:02d}" if hours else f"{minutes}:{rest:02d}"


class BackgroundTurn(LiveTurn):
    """A background turn while it is watched.

    Args:
        conversation_id: The conversation it belongs to.
        number: Unique among the turns of this run.
        prompt: What the user typed.
        attachments: What goes with it.
        model: The model that is asked.
        again: The turn whose prompt is sent once more, or the very turn that is taken up.
        keys: What the block says after status and time: how to end it.
    """

    background = True

    def __init__(
        self,
        conversation_id: str,
        number: int,
        prompt: str,
        attachments: Sequence[Attachment],
        model: str,
        again: Turn | None = None,
        keys: str = "",
    ) -> None:
        super().__init__(conversation_id, number, prompt, attachments, model, again)
        self._keys = keys
        self._status = ""
        self._elapsed = 0.0
        self._told_at = monotonic()
        self._job = self._add(
            Block(f"{self._key}:job", BlockKind.NOTICE, self._words()), before_empty_answer=True
        )

    @classmethod
    def resumed(cls, conversation_id: str, number: int, turn: Turn, keys: str = "") -> BackgroundTurn:
        """A turn that was sent before, by this run or an earlier one; what had come of it is shown."""
        model = turn.target.model if turn.target else "Answer"
        live = cls(conversation_id, number, turn.prompt, (), model, turn, keys)
        live.turn, live.again = turn, None
        live.held = live.resumes = True
        live._take_form(turn)
        live.since = monotonic() - max(0.0, time() - turn.created_at)
        live._elapsed = max(0.0, time() - turn.created_at)
        live.tick()
        for text in turn.notices:
            live.notice(text)
        if turn.reasoning:
            live._reasoning(turn.reasoning, 0)
        if turn.text:
            live._text(turn.text)
        return live

    @property
    def elapsed(self) -> float:
        """Seconds since it was sent."""
        return self._elapsed + monotonic() - self._told_at

    def handle(self, event: SessionEvent) -> None:
        """Draw what one event brings."""
        match event:
            case BackgroundStarted(turn=turn):
                self.turn, self.held = turn, True
                self.tick()
            case BackgroundStatus(status=status, elapsed=elapsed):
                self._status, self._elapsed, self._told_at = status, elapsed, monotonic()
                self.tick()
            case TurnEnded():
                self.held = False
                self._drop_job()
                super().handle(event)
            case _:
                super().handle(event)

    def tick(self) -> None:
        """Show the time as it is now."""
        self._rewrite(self._words())

    def leave(self, sentence: str) -> None:
        """Nobody watches it any more, although it goes on: say so, and why."""
        self._close("")
        self._rewrite(sentence)

    def fail(self, sentence: str) -> None:
        """Close the turn with a sentence; one that the server has goes on."""
        if self.held:
            self.leave(sentence)
        else:
            self._drop_job()
            super().fail(sentence)

    def _words(self) -> str:
        status = _STATUSES.get(self._status) or visible_line(self._status)
        if self.held and not self._status:
            status = "at the server"
        parts = [f"In the background: {status}", clock_words(self.elapsed)]
        return " · ".join([*parts, self._keys] if self._keys and self.held else parts)

    def _rewrite(self, text: str) -> None:
        if self._job not in self._live or text == self._job.block.text:
            return
        self._job.block = replace(self._job.block, text=text)
        if self._pane is not None:
            self._pane.update_block(self._job.block)

    def _drop_job(self) -> None:
        if self._job in self._live:
            self._live.remove(self._job)
            if self._pane is not None:
                self._pane.remove_block(self._job.block.id)
