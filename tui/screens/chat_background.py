"""Turns that run in the background, and answers that arrive where nobody looks."""

from __future__ import annotations

import os
from contextlib import suppress
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any, Final, cast

from tui.core.errors import InputError, OutcropError, TokenError
from tui.core.items import Outcome
from tui.core.text import visible_line
from tui.screens.chat_views import ChatViews
from tui.terminal.notification import notification

if TYPE_CHECKING:
    from textual.timer import Timer
    from textual.worker import Worker

    from tui.core.conversation import Conversation
    from tui.screens.background_turn import BackgroundTurn
    from tui.screens.live_turn import LiveTurn
    from tui.screens.queue import Queued
    from tui.screens.token_dialog import TokenChoice
    from tui.session.session import Session
    from tui.widgets.status_line import StatusState

__all__ = ["ChatBackground"]

_OUTCOMES: Final = {
    Outcome.COMPLETED: "The answer in “{title}” is there.",
    Outcome.INCOMPLETE: "The answer in “{title}” is there, but incomplete.",
    Outcome.FAILED: "The answer in “{title}” failed.",
    Outcome.CANCELLED: "The answer in “{title}” was cancelled.",
}


class ChatBackground(ChatViews):
    """The chat screen with what goes on without being looked at."""

    def __init__(self, session: Session, keys: dict[str, str]) -> None:
        super().__init__(session, keys)
        self._live: dict[str, LiveTurn] = {}
        self._workers: dict[str, Worker[None]] = {}
        self._turns_begun = 0
        self._in_background: set[str] = set()
        self._arrived: dict[str, Outcome] = {}
        self._job_timer: Timer | None = None

    # ---- what the screen has

    def run_live(self, live: LiveTurn) -> None:
        """Let a turn run, or watch it, until it ends."""
        raise NotImplementedError

    async def draw(self) -> bool:
        """Draw the path of the conversation anew; whether it is still the one that is shown."""
        raise NotImplementedError

    # ---- sending in the background

    def action_toggle_background(self) -> None:
        """Send the next turns of this conversation in the background, or no longer."""
        conversation_id = self._conversation_id
        if not conversation_id:
            return
        if conversation_id in self._in_background:
            self._in_background.discard(conversation_id)
            self._complain("The next turns are sent as usual.", "information", instead=True)
        elif why_not := self._why_not_in_background(conversation_id):
            self._complain(why_not, instead=True)
        else:
            self._in_background.add(conversation_id)
            self._complain(
                "The next turns run in the background: they go on when you leave, and their answers come when"
                " they are done.",
                "information",
                instead=True,
            )
        self._refresh_target()

    def _why_not_in_background(self, conversation_id: str) -> str | None:
        from tui.core.background import why_not_in_background

        session = self.session
        target = session.target(conversation_id)
        mode = session.conversation(conversation_id).continuation
        return why_not_in_background(target, mode, session.catalogue)

    def new_live(self, conversation_id: str, queued: Queued) -> LiveTurn:
        """The turn that is about to be sent."""
        from tui.screens.background_turn import BackgroundTurn
        from tui.screens.live_turn import LiveTurn

        self._turns_begun += 1
        model = self.session.target(conversation_id).model
        what = (conversation_id, self._turns_begun, queued.text, queued.attachments, model, queued.again)
        in_background = conversation_id in self._in_background and queued.edited is None
        live = BackgroundTurn(*what, self._cancel_words) if in_background else LiveTurn(*what)
        live.pastes = queued.pastes
        live.edited = queued.edited
        return live

    @property
    def _cancel_words(self) -> str:
        key = self._keys.get("turn.stop")
        return f"{key} cancels it" if key else ""

    # ---- turns that run already

    async def resume_all(self) -> None:
        """Take up every background turn of earlier runs, also of conversations that are not shown."""
        for conversation_id in await self.session.background_conversations():
            with suppress(InputError):
                self.take_up(await self.session.open(conversation_id))
        self._refresh_target()

    def take_up(self, conversation: Conversation) -> bool:
        """Watch a background turn of a conversation, the one on its path first; whether one runs."""
        from tui.screens.background_turn import BackgroundTurn

        if conversation.id in self._live:
            return False
        turns = self.session.background_turns(conversation.id)
        if not turns:
            return False
        on_path = {turn.id for turn in conversation.path()}
        turn = next((turn for turn in turns if turn.id in on_path), turns[0])
        self._turns_begun += 1
        live = BackgroundTurn.resumed(conversation.id, self._turns_begun, turn, self._cancel_words)
        self.run_live(live)
        return True

    def is_on_path(self, live: LiveTurn) -> bool:
        """Whether a running turn belongs to the path that is shown."""
        conversation = self.session.conversation(live.conversation_id)
        return live.turn is None or live.turn.id in {turn.id for turn in conversation.path()}

    def watch_jobs(self) -> None:
        """Show how the time of background turns goes by, as long as there are any."""
        if self._jobs and self._job_timer is None:
            self._job_timer = self.set_interval(1.0, self._tick_jobs)
        elif not self._jobs and self._job_timer is not None:
            self._job_timer.stop()
            self._job_timer = None

    def _tick_jobs(self) -> None:
        for live in self._jobs:
            live.tick()

    @property
    def _jobs(self) -> list[BackgroundTurn]:
        return [cast("BackgroundTurn", live) for live in self._live.values() if live.background]

    @property
    def answers_arriving(self) -> int:
        """How many turns run that end when the program does, shown or not."""
        return sum(not live.held for live in self._live.values())

    @property
    def unsaved(self) -> bool:
        """Whether something that was said would be lost if the program ended now."""
        return bool(self._conversation_id) and self.session.records.unsaved

    @property
    def answers_in_background(self) -> int:
        """How many turns are watched that go on without the program."""
        return sum(live.held for live in self._live.values())

    def cancel_job(self) -> bool:
        """Ask whether to cancel the background turn of this conversation; whether there is one."""
        from tui.screens.history import ConfirmScreen

        conversation_id = self._conversation_id
        live = self._live.get(conversation_id)
        if live is not None and not live.held:
            return False
        if live is None and not self._left_running(conversation_id):
            return False
        turn_id = live.turn.id if live is not None and live.turn is not None else None

        def answered(yes: bool | None) -> None:
            if yes:
                self._do(partial(self._cancel_job, conversation_id, turn_id), "cancel")

        self.outcrop.push_screen(
            ConfirmScreen("Cancel this answer at the server?", yes="Cancel it", no="Let it run"), answered
        )
        return True

    def _left_running(self, conversation_id: str) -> bool:
        return bool(conversation_id) and bool(self.session.background_turns(conversation_id))

    async def _cancel_job(self, conversation_id: str, turn_id: str | None) -> None:
        running = {turn.id for turn in self.session.background_turns(conversation_id)}
        if not running or (turn_id is not None and turn_id not in running):
            self._complain("It had ended already.", "information")
            return
        await self.session.cancel_background(conversation_id, turn_id)
        if conversation_id == self._conversation_id and conversation_id not in self._live:
            await self.draw()

    def job_left(self, live: LiveTurn, error: Exception | None) -> None:
        """A background turn is not watched any more, although it goes on."""
        if error is None or live.conversation_id != self._conversation_id:
            return
        self._complain(f"{error} The answer is still being made; opening the conversation looks again.")
        if isinstance(error, TokenError):
            self.action_ask_token()

    async def _use_token(self, choice: TokenChoice) -> None:
        """With another key, what could not be watched may be."""
        await super()._use_token(choice)
        conversation = self.session.conversation(self._conversation_id)
        if self.take_up(conversation):
            await self.draw()

    # ---- answers that arrive where nobody looks

    def announce(self, live: LiveTurn, outcome: Outcome) -> None:
        """Tell about a turn that ended where nobody looks, and louder about one from the background."""
        shown = live.conversation_id == self._conversation_id
        focused = self.outcrop.app_focus
        if shown and self.is_current and focused:
            return
        if not shown:
            self._arrived[live.conversation_id] = outcome
        elif not live.background:
            return
        short = self._title_of(live.conversation_id, live.prompt)
        sentence = _OUTCOMES[outcome].format(title=short or "Untitled")
        self._complain(sentence, "information" if outcome is Outcome.COMPLETED else "warning")
        if live.background and self.session.settings.notify:
            self.ring(sentence)

    def _title_of(self, conversation_id: str, prompt: str = "") -> str:
        """The title of a conversation, or what is being asked there before it has one; safe and short."""
        title = ""
        with suppress(KeyError):
            title = self.session.conversation(conversation_id).title
        if not title and not prompt and (live := self._live.get(conversation_id)) is not None:
            prompt = live.prompt
        short = visible_line(title or prompt.strip().split("\n", 1)[0])
        return short if len(short) <= 60 else f"{short[:59]}…"

    def ring(self, sentence: str) -> None:
        """Have the terminal say it."""
        self.write_terminal(notification(sentence, os.environ))

    def write_terminal(self, sequence: str) -> None:
        """Write a control sequence of ours; a terminal that is not there is no reason to fail."""
        driver = cast("Any", self.outcrop)._driver
        if driver is not None:
            with suppress(OSError):
                driver.write(sequence)

    async def action_open_arrived(self) -> None:
        """Go to the conversation whose answer has arrived."""
        waiting = next(iter(self._arrived), None)
        if waiting is None:
            self._complain("No answer has ended in another conversation.", "information")
            return
        try:
            await self.open_conversation(waiting)
        except OutcropError as error:
            self._arrived.pop(waiting, None)
            self._complain(str(error))
            self._refresh_target()

    def seen(self, conversation_id: str) -> None:
        """What had arrived there is on the screen now."""
        self._arrived.pop(conversation_id, None)

    def with_turns(self, state: StatusState) -> StatusState:
        """Add what runs and what has ended elsewhere, and how the next turn is sent."""
        elsewhere = sum(live.conversation_id != self._conversation_id for live in self._live.values())
        first = next(iter(self._arrived), None)
        return replace(
            state,
            elsewhere=elsewhere,
            ready=sum(outcome is not Outcome.FAILED for outcome in self._arrived.values()),
            failed=sum(outcome is Outcome.FAILED for outcome in self._arrived.values()),
            arrived="" if first is None else self._title_of(first),
            background=self._conversation_id in self._in_background,
        )
