"""Sending: what is typed, what waits, what runs, in each conversation for itself."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import replace
from functools import partial
from time import monotonic
from typing import TYPE_CHECKING, cast

from textual import on

from tui.core.drafts import Draft
from tui.core.errors import OutcropError, TokenError, TokenRefused
from tui.core.items import Outcome
from tui.screens.chat_background import ChatBackground
from tui.screens.chat_compaction import ChatCompaction
from tui.screens.chat_usage import ChatUsage
from tui.screens.queue import Queue, Queued
from tui.widgets.composer import Composer

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine
    from typing import Any

    from tui.core.attachments import Attachment
    from tui.core.conversation import Conversation
    from tui.core.items import Turn
    from tui.screens.live_turn import LiveTurn
    from tui.screens.queue_list import QueueScreen
    from tui.screens.turn_blocks import LaterTurn
    from tui.screens.turn_worker import TurnHost
    from tui.session.session import Session
    from tui.widgets.transcript.block import Block

__all__ = ["ChatSending", "blocks_of"]


class ChatSending(ChatUsage, ChatBackground, ChatCompaction):
    """The chat screen with drafts, the queue and the turns that run, whichever conversation is shown."""

    def __init__(self, session: Session, keys: dict[str, str]) -> None:
        super().__init__(session, keys)
        self._ready = asyncio.Event()
        self._warming = False
        self._queue = Queue()
        # What is on its way to the disk: until a turn has begun, it is in no conversation.
        self._sending: dict[str, Queued] = {}
        self._written: dict[str, Draft] = {}
        self._queue_list: QueueScreen | None = None
        self._recent: tuple[str, ...] = ()
        self._files_saved: dict[str, tuple[str, ...]] = {}
        # Blocks of a turn that was drawn as it ran keep the names they had before it was on disk.
        self._turn_of_group: dict[str, str] = {}

    async def warmed_up(self) -> None:
        """Wait until the session is there and a conversation is shown."""
        await self._ready.wait()

    def put_off(self, work: Callable[[], Coroutine[Any, Any, object]]) -> bool:
        """Do it once the session is there; whether it is not there yet."""

        async def later() -> None:
            await self._got_ready()
            await work()

        if not self._ready.is_set():
            self._do(later, "early", keys_wait=True)
            return True
        return False

    async def _got_ready(self) -> None:
        """Wait until the session is there, and say so: somebody has asked for something."""
        if not self._ready.is_set():
            self._say("Getting ready …")
            await self.warmed_up()
            self._hush()

    # ---- drafts

    def _draft_id(self, conversation_id: str) -> str:
        """Where the draft is kept: a conversation without a turn is in no history yet."""
        with suppress(KeyError):
            if self.session.conversation(conversation_id).turns:
                return conversation_id
        return ""

    def _written_in(self, conversation_id: str) -> Draft:
        """What stands in the composer of a conversation, shown or not."""
        if conversation_id == self._conversation_id:
            return self._composed()
        return self._written.get(conversation_id, Draft())

    def _composed(self) -> Draft:
        """What stands in the composer now, its files with it."""
        return replace(self.composer.draft, attachments=tuple(self._attachments))

    def _draft_of(self, conversation_id: str) -> Draft:
        """All that was typed and is not on disk as a turn: what is queued or on its way comes first."""
        sending = self._sending.get(conversation_id)
        waiting = [sending] if sending and not sending.again else []
        waiting += self._queue.of(conversation_id)
        return Draft.joined([*(queued.draft for queued in waiting), self._written_in(conversation_id)])

    async def _save_draft_now(self, conversation_id: str = "") -> None:
        """Save the draft of a conversation, of the shown one by default."""
        conversation_id = conversation_id or self._conversation_id
        if not conversation_id:
            return
        draft_id = self._draft_id(conversation_id)
        draft = self._draft_of(conversation_id)
        if not draft_id:
            # Before its first turn is on disk, a conversation shares the one draft that belongs to none.
            known = dict.fromkeys([*self._sending, *self._written, self._conversation_id])
            draft = Draft.joined(self._draft_of(one) for one in known if one and not self._draft_id(one))
        try:
            await self.session.save_draft(draft_id, draft.text, draft.pastes)
            await self._save_files(draft_id, draft.attachments)
        except OutcropError as error:
            self._complain(str(error))

    def earlier_prompts(self, conversation: Conversation) -> Iterator[str]:
        """What Up goes back through: this path's prompts, then those of every conversation; oldest first."""
        turns = [turn for turn in conversation.path() if not turn.summary]
        here = [prompt for turn in turns if (prompt := turn.prompt)]
        known = set(here)
        yield from (prompt for prompt in self._recent if prompt not in known)
        yield from here

    async def _save_files(self, draft_id: str, files: tuple[Attachment, ...]) -> None:
        """Save the files of a draft where they have changed: they may be large, and keys are many."""
        digests = tuple(file.sha256 for file in files)
        if self._files_saved.get(draft_id, ()) != digests:
            self._files_saved[draft_id] = digests
            await self.session.save_draft_files(draft_id, files)

    async def recall(self, conversation_id: str) -> None:
        """Read what an earlier run left written in a conversation that is about to be shown."""
        if conversation_id in self._written or conversation_id == self._conversation_id:
            return
        draft = Draft()
        with suppress(OutcropError):
            self._recent = await self.session.recent_prompts()
            draft = await self.session.load_draft(self._draft_id(conversation_id))
        self._files_saved[self._draft_id(conversation_id)] = tuple(file.sha256 for file in draft.attachments)
        self._written.setdefault(conversation_id, draft)

    def change_over(self, conversation_id: str) -> None:
        """Keep what stands in the composer for the conversation that is left; bring what was written here."""
        left, self._conversation_id = self._conversation_id, conversation_id
        if left == conversation_id:
            return
        if left:
            self._written[left] = self._composed()
            self.composer.text = ""
            self._attachments.clear()
            self._do(partial(self._save_draft_now, left), "draft left")
        elif left in self._sending:
            # Sent before there was a conversation: it goes to the first one.
            self._sending[conversation_id] = self._sending.pop(left)
            self._queue.of(conversation_id).extend(self._queue.of(left))
            self._queue.of(left).clear()
        written = self._written.pop(conversation_id, Draft())
        # Somebody may have typed already while the program was warming up.
        if written.text and written.text.strip() != self.composer.text.strip():
            self.composer.put_back(written)
        self._attachments[:0] = written.attachments
        self._show_files()

    def keep_file(self, conversation_id: str, attachment: Attachment) -> None:
        """Put a file to what is written in a conversation that is not shown any longer."""
        if conversation_id not in self._written:
            return  # It was deleted meanwhile.
        written = self._written[conversation_id]
        self._written[conversation_id] = replace(written, attachments=(*written.attachments, attachment))
        self._do(partial(self._save_draft_now, conversation_id), "draft left")

    def has_draft(self, conversation_id: str) -> bool:
        """Whether something is written there that is not sent."""
        return not self._written_in(conversation_id).is_empty

    def waiting_prompts(self, conversation_id: str) -> int:
        """How many prompts are queued there."""
        return len(self._queue.of(conversation_id))

    def forget_written(self, conversation_id: str) -> None:
        """Drop what is written and queued in a conversation that was deleted."""
        self._written.pop(conversation_id, None)
        self._queue.of(conversation_id).clear()
        if conversation_id == self._conversation_id:
            # What is written now is for the next one.
            self._conversation_id = ""

    @on(Composer.DraftChanged)
    def _draft_changed(self) -> None:
        if self._ready.is_set():
            self._do(self._save_draft_now, "draft", exclusive=True)
            if self.composer.text.strip():
                self.warm_up()

    def warm_up(self) -> None:
        """Something is being written, and will be sent: import what sends it meanwhile, once."""
        if not self._warming:
            self._warming = True
            self._do(self._warm_up, "warm")

    async def _warm_up(self) -> None:
        from tui.widgets.transcript.warm import warmed_up

        # First, as it is the shorter: the event loop would stand still for it when the answer begins.
        await warmed_up()
        await self.session.warm_up()

    # ---- sending

    @on(Composer.Submitted)
    def _submitted(self, event: Composer.Submitted) -> None:
        if self.waits_for_files(event.draft) or (not event.text and not self._attachments):
            return
        queued = Queued.of_draft(replace(event.draft, attachments=tuple(self._attachments)))
        self._attachments.clear()
        self._do(partial(self.chips.show, ()), "chips")
        if self.is_answering:
            self._queue.of(self._conversation_id).append(queued)
            self._refresh_queue()
        else:
            self._send(queued, self._conversation_id)

    def send_again(self, turn: Turn) -> None:
        """Have a turn answered once more, as a branch beside it."""
        self._send(Queued(turn.prompt, again=turn), self._conversation_id)

    def send_edited(self, queued: Queued) -> None:
        """Send an edited request as a turn beside the one it was made of."""
        self._send(queued, self._conversation_id)

    def _send(self, queued: Queued, conversation_id: str) -> None:
        self._sending[conversation_id] = queued
        self._do(partial(self._send_when_ready, queued, conversation_id), "send")

    async def _send_when_ready(self, queued: Queued, conversation_id: str) -> None:
        """Show the turn and start its worker; the wire may still be on its way in."""
        await self._got_ready()
        conversation_id = conversation_id or self._conversation_id
        if not await self.within_budget(queued, conversation_id):
            self._not_sent(queued, conversation_id)
            return
        blocks: list[Block | LaterTurn] = []
        if queued.again is not None:
            base = self.session.conversation(conversation_id).at(queued.again.parent_id)
            blocks = await asyncio.to_thread(blocks_of, base, None)
        live = self.new_live(conversation_id, queued)
        if self._shown(live):
            if queued.again is not None:
                self.pane.replace(blocks)
            self.set_class(True, "-talking")
            for block in live.blocks():
                self.pane.append(block)
            self.pane.action_scroll_end()
            live.show_in(self.pane)
        self.run_live(live)
        if self._shown(live):
            self._show_running(live)

    def _not_sent(self, queued: Queued, conversation_id: str) -> None:
        """The prompt is the user's again, where it was written."""
        self._sending.pop(conversation_id, None)
        if queued.again is not None:
            return
        if conversation_id == self._conversation_id:
            self._take(queued)
            self._return_queue("")
        else:
            drafts = [queued.draft, self._written_in(conversation_id)]
            self._written[conversation_id] = Draft.joined(drafts)

    def run_live(self, live: LiveTurn) -> None:
        """Let a turn run, or watch it, until it ends."""
        from tui.screens.turn_worker import run_turn

        self._live[live.conversation_id] = live
        # The whole chat screen is the host; this part of it alone asks nothing about tools.
        host = cast("TurnHost", self)
        self._workers[live.conversation_id] = self.run_worker(
            partial(run_turn, self.session, live, host),
            group=f"turn {live.conversation_id}",
            exit_on_error=False,
        )
        self.watch_jobs()

    def turn_of_block(self, block_id: str) -> str | None:
        """The turn that a block of the pane belongs to; `None` for one that belongs to none on disk."""
        group = block_id.partition(":")[0]
        group = self._turn_of_group.get(group, group)
        return group if group in self.session.conversation(self._conversation_id).turns else None

    def _show_running(self, live: LiveTurn | None) -> None:
        self.status.running(live.since if live else None, "cancels" if live and live.background else "stops")
        if live is not None and live.waits is not None:
            self.turn_waits(live, live.waits.until - monotonic(), live.waits.reason)

    def _shown(self, live: LiveTurn) -> bool:
        return live.conversation_id == self._conversation_id

    def turn_started(self, live: LiveTurn) -> None:
        """The prompt is on disk: no draft needs to hold it any longer."""
        self._sending.pop(live.conversation_id, None)
        if live.turn is not None:
            self._turn_of_group[live.group] = live.turn.id
            conversation = self.session.conversation(live.conversation_id)
            if len(conversation.siblings(live.turn.id)) > 1:
                live.mark(conversation.branch_marks().get(live.turn.id))
        if self._shown(live):
            self._refresh_target()
        self._do(partial(self._forget_first_draft, live.conversation_id), "forget")

    async def _forget_first_draft(self, conversation_id: str) -> None:
        with suppress(OutcropError):
            await self.session.save_draft("", "")
            await self._save_files("", ())
        if self._conversation_id != conversation_id and not self._draft_id(self._conversation_id):
            # A new conversation is shown already: the first draft is its own.
            await self._save_draft_now()
        await self._save_draft_now(conversation_id)

    def turn_waits(self, live: LiveTurn, seconds: float, reason: str) -> None:
        """Count down to the next attempt."""
        live.wait(seconds, reason)
        if self._shown(live):
            self._urgent = True
            self.notice.count_down(max(0.0, seconds), reason, self._keys.get("turn.stop", "Esc"))

    def turn_silent(self, live: LiveTurn, seconds: float) -> None:
        """Say how long nothing has come."""
        if self._shown(live):
            self._urgent = True
            self.notice.say(
                f"No event for {seconds:.0f} s · {self._keys.get('turn.stop', 'Esc')} stops", "turn.stop"
            )

    def turn_moves(self, live: LiveTurn) -> None:
        """A countdown or a silence is over."""
        live.waits = None
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
        self._sending.pop(live.conversation_id, None)
        shown = self._shown(live)
        if shown:
            self.status.running(None)
            self._hush()
            self._exchanges_shown()
            self._refresh_meter()
        if self.is_attached and (outcome is not None or (error is not None and not live.held)):
            self.announce(live, outcome or Outcome.FAILED)
        self._refresh_target()
        if not self.is_attached:
            return
        if live.held:
            self.job_left(live, error)
        elif outcome is None or _gives_back(error):
            self._do(partial(self._give_back, live, error), "give back")
        elif outcome is Outcome.COMPLETED:
            if shown:
                self.offer_compaction()
            self._send_next(live.conversation_id)
        elif shown:
            self._return_queue("The queue is back in the composer, because the answer did not complete.")
        if shown and not live.held:
            self._offer_way(live.turn, error)

    def _offer_way(self, turn: Turn | None, error: Exception | None) -> None:
        """Say how to go on from a turn that did not complete; a missing key is asked for anyway."""
        from tui.commands import by_id
        from tui.core.way_on import way_on

        way = way_on(turn, error)
        if way is None or isinstance(error, TokenError):
            return
        command = by_id(way.command)
        key = self._keys.get(way.command) or f"/{command.slash if command else ''}"
        self._say(f"{key} {way.words}", way.command)

    async def _give_back(self, live: LiveTurn, error: Exception | None) -> None:
        """Nothing was sent, or the server took none of it: the prompt is the user's again."""
        session, conversation_id = self.session, live.conversation_id
        if _gives_back(error) and live.turn is not None:
            # The refused attempt stays in the tree; the next one is its sibling, not its child.
            before = live.again
            await session.set_tip(
                conversation_id,
                session.conversation(conversation_id).newest_leaf(before.id)
                if before
                else live.turn.parent_id,
            )
        if not self._shown(live):
            self._give_back_unseen(live)
        elif live.again is not None:
            await self.draw()
        else:
            self._return_queue("")
            self.composer.put_back(live.draft)
            self._attachments[:0] = live.attachments
            await self.chips.show(self._attachments)
            if live.turn is None or _gives_back(error):
                await self.draw()
        if error is not None:
            self._complain(str(error))
        if isinstance(error, TokenError):
            self.action_ask_token()

    def _give_back_unseen(self, live: LiveTurn) -> None:
        """What comes back to a conversation that is not shown waits there as written, not as sent."""
        queue = self._queue.of(live.conversation_id)
        back = [*([] if live.again else [Queued.of_draft(live.draft)]), *queue]
        queue.clear()
        drafts = [*(queued.draft for queued in back), self._written_in(live.conversation_id)]
        self._written[live.conversation_id] = Draft.joined(drafts)
        self._do(partial(self._save_draft_now, live.conversation_id), "draft left")

    # ---- the queue

    def go_on(self) -> None:
        """Send what was queued while nobody could send it: after an answer that arrived unseen, say."""
        if not self.is_answering and self._queue.of(self._conversation_id):
            last = self.session.conversation(self._conversation_id).path()[-1:]
            if all(turn.outcome is Outcome.COMPLETED for turn in last):
                self._send_next(self._conversation_id)
            else:
                self._return_queue("The queue is back in the composer, because the answer did not complete.")

    def _send_next(self, conversation_id: str) -> None:
        queue = self._queue.of(conversation_id)
        if queue:
            self._send(queue.pop(0), conversation_id)
            if conversation_id == self._conversation_id:
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
        self.composer.put_back(queued.draft)
        self._attachments[:0] = queued.attachments
        self._do(partial(self.chips.show, list(self._attachments)), "chips")

    @on(Composer.TakeBackRequested)
    def action_take_back(self) -> None:
        """Return the last queued prompt to the composer."""
        queue = self._queue.of(self._conversation_id)
        if queue:
            self._take(queue.pop())
            self._refresh_queue()

    def queued(self) -> Sequence[Queued]:
        """The prompts that wait in the conversation that is shown, next first."""
        return tuple(self._queue.of(self._conversation_id))

    def requeue(self, prompts: Sequence[Queued]) -> None:
        """Let these wait instead."""
        self._queue.of(self._conversation_id)[:] = prompts
        self._refresh_queue()

    def take_back(self, prompt: Queued) -> None:
        """Return a prompt that no longer waits to the composer."""
        self._take(prompt)
        self._draft_changed()

    def action_open_queue(self) -> None:
        """List the prompts that wait, to change, reorder or take them back."""
        from tui.screens.queue_list import QueueScreen

        self._queue_list = opened = QueueScreen(self)
        self.outcrop.push_screen(opened)

    def _refresh_queue(self) -> None:
        queue = self._queue.of(self._conversation_id)
        self.queue_line.show([(queued.text, len(queued.attachments)) for queued in queue])
        if self._queue_list is not None and self._queue_list.is_current:
            self._queue_list.look_again()
        self.composer.take_back_first = bool(queue)
        self._draft_changed()

    @property
    def is_answering(self) -> bool:
        """Whether a turn of the conversation that is shown runs or is about to."""
        return self.is_busy(self._conversation_id)

    def is_busy(self, conversation_id: str) -> bool:
        """Whether a turn of a conversation runs or is about to, or a summary of it is being made."""
        return (
            conversation_id in self._live
            or conversation_id in self._sending
            or conversation_id in self._summing
        )


def _gives_back(error: Exception | None) -> bool:
    """Whether the server refused a turn for what the user changes before it is sent again."""
    from tui.core.way_on import is_file_refused, is_too_long

    return isinstance(error, TokenRefused) or is_too_long(error) or is_file_refused(error)


def blocks_of(conversation: Conversation, running: str | None) -> list[Block | LaterTurn]:
    """The blocks of a path; imported here, as nothing of it is on the first picture."""
    from tui.screens.turn_blocks import path_blocks, split_last

    blocks = path_blocks(conversation, running)
    split_last(blocks)
    return blocks
