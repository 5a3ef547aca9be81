"""The screen that people spend their hours on: turns, the queue, drafts, commands."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from textual import on
from textual.binding import BindingType
from textual.worker import WorkerError

from tui.core.errors import OutcropError, TokenError, TokenRefused
from tui.core.items import Outcome
from tui.keymap import bindings
from tui.screens.chat_background import ChatBackground
from tui.screens.chat_compaction import ChatCompaction
from tui.screens.chat_responses import ChatResponses
from tui.screens.chat_turns import ChatTurns
from tui.screens.queue import Queue, Queued
from tui.widgets.composer import Composer

if TYPE_CHECKING:
    from tui.core.conversation import Conversation
    from tui.core.items import Turn
    from tui.screens.turn_blocks import LiveTurn
    from tui.session import Session
    from tui.widgets.transcript.block import Block

__all__ = ["ChatScreen", "StartWith"]


@dataclass(frozen=True, slots=True)
class StartWith:
    """What the command line asked for.

    Attributes:
        conversation: Id of a conversation to open.
        latest: Open the one last used.
        files: Paths to attach.
    """

    conversation: str | None = None
    latest: bool = False
    files: tuple[str, ...] = ()


class ChatScreen(ChatBackground, ChatCompaction, ChatResponses, ChatTurns):
    """Shows one conversation; turns of others may run on behind it."""

    BINDINGS: ClassVar[list[BindingType]] = [*bindings("screen.")]

    def __init__(self, session: Session, start: StartWith, keys: dict[str, str]) -> None:
        super().__init__(session, keys)
        self._start = start
        self._ready = asyncio.Event()
        self._queue = Queue()
        self._unsent: Queued | None = None

    def on_mount(self) -> None:
        """Everything that is not on the first picture happens after it."""
        self.welcome.opening(bool(self._start.conversation) or self._start.latest)
        self.call_after_refresh(lambda: self._do(self._begin(), "start"))

    # ---- start

    async def _begin(self) -> None:
        """Warm up, open what was asked for, bring the draft and the files, then look for the token."""
        session = self.session
        try:
            await session.warm_up()
            conversation = await self._first_conversation()
        except (OutcropError, OSError) as error:
            self._complain(str(error))
            conversation = await session.new()
        try:
            await self.show_conversation(conversation)
        finally:
            self.welcome.opening(False)
            self._ready.set()
        for path in self._start.files:
            await self._attach_file(path)
        await self._check_token()
        await self.resume_all()

    async def _first_conversation(self) -> Conversation:
        start = self._start
        if start.conversation:
            return await self.session.open(start.conversation)
        latest = await self.session.latest() if start.latest else None
        if start.latest and latest is None:
            self._complain("There is no earlier conversation to continue; this is a new one.", "information")
        return latest or await self.session.new()

    async def show_conversation(self, conversation: Conversation) -> None:
        """Show another conversation, a turn of which may be running."""
        await self._save_draft_now()
        if shown := self._live.get(self._conversation_id):
            shown.show_in(None)
        self._conversation_id = conversation.id
        self.seen(conversation.id)
        self.take_up(conversation)
        if not await self.draw():
            return
        self._show_running(self._live.get(conversation.id))
        self._hush()
        await self._restore_draft()
        self._refresh_queue()
        self._exchanges_shown()
        self.offer_compaction()
        self.go_on()

    async def draw(self) -> bool:
        """Draw the path of the conversation anew; whether it is still the one that is shown."""
        conversation = self.session.conversation(self._conversation_id)
        live = self._live.get(conversation.id)
        blocks = await asyncio.to_thread(_blocks, conversation, live.turn.id if live and live.turn else None)
        if self._conversation_id != conversation.id:
            return False
        if self._live.get(conversation.id) is not live:
            return await self.draw()
        drawn = live if live and self.is_on_path(live) else None
        self.pane.replace([*blocks, *(drawn.blocks() if drawn else [])])
        if live:
            live.show_in(self.pane if drawn else None)
        self.set_class(bool(blocks) or drawn is not None, "-talking")
        self.composer.set_history([turn.prompt for turn in conversation.path() if not turn.summary])
        self._refresh_target()
        self._refresh_meter()
        return True

    # ---- drafts

    def _draft_id(self) -> str:
        """Where the draft is kept: a conversation without a turn is in no history yet."""
        with suppress(KeyError):
            if self.session.conversation(self._conversation_id).turns:
                return self._conversation_id
        return ""

    def _draft_text(self) -> str:
        """All that was typed and is not on disk as a turn: what is queued or on its way comes first."""
        waiting = [queued.text for queued in self._queue.of(self._conversation_id)]
        sending = [self._unsent.text] if self._unsent and not self._unsent.again else []
        return "\n\n".join(text for text in [*sending, *waiting, self.composer.text] if text.strip())

    async def _save_draft_now(self) -> None:
        if self._conversation_id:
            try:
                await self.session.save_draft(self._draft_id(), self._draft_text())
            except OutcropError as error:
                self._complain(str(error))

    async def _restore_draft(self) -> None:
        draft = ""
        with suppress(OutcropError):
            draft = await self.session.load_draft(self._draft_id())
        if (
            draft
            and not self._queue.of(self._conversation_id)
            and draft.strip() != self.composer.text.strip()
        ):
            # Somebody may have typed already while the program was warming up.
            self.composer.put_back(draft)

    @on(Composer.DraftChanged)
    def _draft_changed(self) -> None:
        if self._ready.is_set():
            self._do(self._save_draft_now, "draft", exclusive=True)

    # ---- sending

    @on(Composer.Submitted)
    def _submitted(self, event: Composer.Submitted) -> None:
        if not event.text and not self._attachments:
            return
        queued = Queued(event.text, tuple(self._attachments))
        self._attachments.clear()
        self._do(self.chips.show(()), "chips")
        if self.is_answering:
            self._queue.of(self._conversation_id).append(queued)
            self._refresh_queue()
        else:
            self._send(queued)

    def _send(self, queued: Queued) -> None:
        self._unsent = queued
        self._do(self._send_when_ready(queued), "send")

    async def _send_when_ready(self, queued: Queued) -> None:
        """Show the turn and start its worker; the wire may still be on its way in."""
        if not self._ready.is_set():
            self._say("Getting ready …")
            await self._ready.wait()
            self._hush()
        conversation_id = self._conversation_id
        if queued.again is not None:
            base = self.session.conversation(conversation_id).at(queued.again.parent_id)
            self.pane.replace(await asyncio.to_thread(_blocks, base, None))
        live = self.new_live(conversation_id, queued)
        self.set_class(True, "-talking")
        for block in live.blocks():
            self.pane.append(block)
        self.pane.action_scroll_end()
        live.show_in(self.pane)
        self.run_live(live)
        self._show_running(live)

    def run_live(self, live: LiveTurn) -> None:
        """Let a turn run, or watch it, until it ends."""
        from tui.screens.turn_worker import run_turn

        self._live[live.conversation_id] = live
        self._workers[live.conversation_id] = self.run_worker(
            run_turn(self.session, live, self), group=f"turn {live.conversation_id}", exit_on_error=False
        )
        self.watch_jobs()

    def _show_running(self, live: LiveTurn | None) -> None:
        self.status.running(live.since if live else None, "cancels" if live and live.background else "stops")

    def _shown(self, live: LiveTurn) -> bool:
        return live.conversation_id == self._conversation_id

    def turn_started(self, live: LiveTurn) -> None:
        """The prompt is on disk: no draft needs to hold it any longer."""
        self._unsent = None
        if self._shown(live):
            self._refresh_target()
            self._do(self._forget_first_draft(), "forget")

    async def _forget_first_draft(self) -> None:
        with suppress(OutcropError):
            await self.session.save_draft("", "")
        await self._save_draft_now()

    def turn_waits(self, live: LiveTurn, seconds: float, reason: str) -> None:
        """Count down to the next attempt."""
        if self._shown(live):
            self._urgent = True
            self.notice.count_down(seconds, reason, self._keys.get("turn.stop", "Esc"))

    def turn_silent(self, live: LiveTurn, seconds: float) -> None:
        """Say how long nothing has come."""
        if self._shown(live):
            self._urgent = True
            self.notice.say(
                f"No event for {seconds:.0f} s · {self._keys.get('turn.stop', 'Esc')} stops", "turn.stop"
            )

    def turn_moves(self, live: LiveTurn) -> None:
        """A countdown or a silence is over."""
        if self._urgent and self._shown(live):
            self._hush()

    def exchanges_changed(self, live: LiveTurn) -> None:
        """Let the inspector look again."""
        if self._shown(live):
            self._exchanges_shown()

    def turn_over(self, live: LiveTurn, outcome: Outcome | None, error: Exception | None) -> None:
        """Clear away what belongs to the running turn; go on with the queue, or give the prompt back."""
        self._live.pop(live.conversation_id, None)
        self._workers.pop(live.conversation_id, None)
        self.watch_jobs()
        self._unsent = None
        shown = self._shown(live)
        if shown:
            self.status.running(None)
            self._hush()
            self._exchanges_shown()
            self._refresh_meter()
        if self.is_attached and outcome is not None:
            self.announce(live, outcome)
        self._refresh_target()
        if not self.is_attached:
            return
        if live.held:
            self.job_left(live, error)
        elif outcome is None or isinstance(error, TokenRefused):
            self._do(self._give_back(live, error), "give back")
        elif shown and outcome is Outcome.COMPLETED:
            self.offer_compaction()
            self._send_next()
        elif shown:
            self._return_queue("The queue is back in the composer, because the answer did not complete.")

    async def _give_back(self, live: LiveTurn, error: Exception | None) -> None:
        """Nothing was sent, or the token was refused: the prompt is the user's again."""
        session = self.session
        if isinstance(error, TokenRefused) and live.turn is not None:
            # The refused attempt stays in the tree; the next one is its sibling, not its child.
            before = live.again
            await session.set_tip(
                live.conversation_id,
                session.conversation(live.conversation_id).newest_leaf(before.id)
                if before
                else live.turn.parent_id,
            )
        if live.again is not None:
            if self._shown(live):
                await self.draw()
        elif not self._shown(live):
            self._queue.of(live.conversation_id).insert(0, Queued(live.prompt, live.attachments))
        else:
            self._return_queue("")
            self.composer.put_back(live.prompt)
            self._attachments[:0] = live.attachments
            await self.chips.show(self._attachments)
            if live.turn is None or isinstance(error, TokenRefused):
                await self.draw()
        if error is not None:
            self._complain(str(error))
        if isinstance(error, TokenError):
            self.action_ask_token()

    # ---- the queue

    def go_on(self) -> None:
        """Send what was queued while nobody could send it: after an answer that arrived unseen, say."""
        if not self.is_answering and self._queue.of(self._conversation_id):
            last = self.session.conversation(self._conversation_id).path()[-1:]
            if all(turn.outcome is Outcome.COMPLETED for turn in last):
                self._send_next()
            else:
                self._return_queue("The queue is back in the composer, because the answer did not complete.")

    def _send_next(self) -> None:
        queue = self._queue.of(self._conversation_id)
        if queue:
            self._send(queue.pop(0))
            self._refresh_queue()

    def _return_queue(self, why: str) -> None:
        queue = self._queue.of(self._conversation_id)
        if queue:
            for queued in reversed(queue):
                self._take(queued)
            queue.clear()
            self._refresh_queue()
            if why:
                self._complain(why, "information")

    def _take(self, queued: Queued) -> None:
        self.composer.put_back(queued.text)
        self._attachments[:0] = queued.attachments
        self._do(self.chips.show(list(self._attachments)), "chips")

    @on(Composer.TakeBackRequested)
    def action_take_back(self) -> None:
        """Return the last queued prompt to the composer."""
        queue = self._queue.of(self._conversation_id)
        if queue:
            self._take(queue.pop())
            self._refresh_queue()

    def _refresh_queue(self) -> None:
        queue = self._queue.of(self._conversation_id)
        self.queue_line.show([queued.text for queued in queue])
        self.composer.take_back_first = bool(queue)
        self._draft_changed()

    # ---- commands

    @property
    def is_answering(self) -> bool:
        """Whether a turn of the conversation that is shown runs or is about to."""
        return self._conversation_id in self._live or self._unsent is not None or self.is_summing_up

    def send_again(self, turn: Turn) -> None:
        """Have a turn answered once more, as a branch beside it."""
        self._send(Queued(turn.prompt, again=turn))

    async def action_new_conversation(self) -> None:
        """Begin another conversation."""
        await self.show_conversation(await self.session.new())

    async def open_conversation(self, conversation_id: str) -> None:
        """Show a conversation of the history."""
        await self.show_conversation(await self.session.open(conversation_id))

    def action_stop_turn(self) -> None:
        """Stop the answer that is arriving in this conversation."""
        if self.stop_summing_up() or self.cancel_job():
            return
        worker = self._workers.get(self._conversation_id)
        if worker is not None:
            worker.cancel()

    async def shut_down(self) -> None:
        """Stop every turn, wait until what came is on disk, save the draft."""
        if not self._ready.is_set() and self.composer.text.strip():
            # What was typed while the program warmed up can be saved only when it has.
            with suppress(TimeoutError):
                async with asyncio.timeout(5):
                    await self._ready.wait()
        workers = list(self._workers.values())
        for worker in workers:
            worker.cancel()
        for worker in workers:
            with suppress(WorkerError):
                await worker.wait()
        await self._save_draft_now()


def _blocks(conversation: Conversation, running: str | None) -> list[Block]:
    """The blocks of a path; imported here, as nothing of it is on the first picture."""
    from tui.screens.turn_blocks import path_blocks

    return path_blocks(conversation, running)
