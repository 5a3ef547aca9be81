"""Going on from a summary: asked for, offered, read, changed; the conversation itself stays as it is."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from tui.core import figures
from tui.core.text import visible_line
from tui.screens.chat_views import ChatViews

if TYPE_CHECKING:
    from textual.worker import Worker

    from tui.core.compaction import Summary
    from tui.session.session import Session

__all__ = ["ChatCompaction"]


@dataclass(frozen=True, slots=True)
class _Made:
    """A summary that nobody has answered to.

    Attributes:
        summary: What it says.
        tip: The last turn it sums up.
    """

    summary: Summary
    tip: str | None


class ChatCompaction(ChatViews):
    """The chat screen with summaries."""

    def __init__(self, session: Session, keys: dict[str, str]) -> None:
        super().__init__(session, keys)
        self._summing: dict[str, Worker[None]] = {}
        self._made: dict[str, _Made] = {}
        self._offered: set[str] = set()

    # ---- what the screen has

    @property
    def is_answering(self) -> bool:
        """Whether a turn of the conversation that is shown runs or is about to."""
        raise NotImplementedError

    async def draw(self) -> bool:
        """Draw the path of the conversation anew; whether it is still the one that is shown."""
        raise NotImplementedError

    def go_on(self) -> None:
        """Send what was queued meanwhile."""
        raise NotImplementedError

    # ---- asking

    @property
    def is_summing_up(self) -> bool:
        """Whether a summary of the conversation that is shown is being made."""
        return self._conversation_id in self._summing

    def action_compact(self) -> None:
        """Ask the model for a summary, or show the one that nobody has answered to."""
        conversation_id = self._conversation_id
        if not conversation_id:
            return
        conversation = self.session.conversation(conversation_id)
        made = self._made.get(conversation_id)
        if made is not None and made.tip == conversation.tip:
            self._show_summary(conversation_id, made)
        elif self.is_answering:
            self._complain("A summary can be made when the answer is there.", "information")
        else:
            self._summing[conversation_id] = self._do(partial(self._sum_up, conversation_id), "compact")

    def stop_summing_up(self) -> bool:
        """Stop making the summary of this conversation; whether one was being made."""
        worker = self._summing.get(self._conversation_id)
        if worker is None:
            return False
        worker.cancel()
        return True

    async def _sum_up(self, conversation_id: str) -> None:
        session = self.session
        stop = self._keys.get("turn.stop", "Esc")
        self._say(f"The conversation is being summed up … · {stop} stops", "turn.stop")
        try:
            tip = session.conversation(conversation_id).tip
            if session.settings.server_compaction and await session.compact_on_server(conversation_id):
                if conversation_id == self._conversation_id:
                    await self.draw()
                self._summed_up(conversation_id)
                self.go_on()
                return
            made = _Made(await session.summarize(conversation_id), tip)
        except asyncio.CancelledError:
            self._complain("No summary was made; the conversation is as it was.", "information")
            raise
        finally:
            self._summed_up(conversation_id)
        self._made[conversation_id] = made
        if conversation_id == self._conversation_id and self.is_current:
            self._show_summary(conversation_id, made)
        else:
            title = visible_line(session.conversation(conversation_id).title or "Untitled")
            self._complain(f"The summary of “{title}” is ready: /compact shows it there.", "information")

    def _summed_up(self, conversation_id: str) -> None:
        """Nothing is being made there any more, or nothing is needed."""
        if self._summing.pop(conversation_id, None) is not None and conversation_id == self._conversation_id:
            self._hush()
            self._exchanges_shown()

    def _show_summary(self, conversation_id: str, made: _Made) -> None:
        from tui.screens.summary import SummaryScreen

        def answered(summary: Summary | None) -> None:
            self._made.pop(conversation_id, None)
            if summary is None:
                self.go_on()
            else:
                self._do(partial(self._continue_from, conversation_id, summary), "compact")

        turns = len(self.session.conversation(conversation_id).path())
        self.outcrop.push_screen(SummaryScreen(made.summary, turns), answered)

    async def _continue_from(self, conversation_id: str, summary: Summary) -> None:
        await self.session.continue_from(conversation_id, summary)
        if conversation_id == self._conversation_id:
            await self.draw()
            self.go_on()

    # ---- offering

    def offer_compaction(self) -> None:
        """Say in one line, once for each turn, that the context window is nearly full."""
        conversation = self.session.conversation(self._conversation_id)
        if conversation.tip is None or conversation.tip in self._offered or self.is_answering:
            return
        share = self.session.should_offer_compaction(conversation.id)
        if share is None:
            return
        self._offered.add(conversation.tip)
        key = self._keys.get("conversation.compact", "/compact")
        self._say(
            f"{figures.share(share)} of the context window is used · {key} goes on from a summary",
            "conversation.compact",
        )
