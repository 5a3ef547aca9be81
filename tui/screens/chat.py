"""The screen that people spend their hours on: turns, the queue, drafts, commands."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from contextvars import copy_context
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar, cast

from textual.binding import BindingType
from textual.worker import WorkerError

from tui.core.drafts import Draft
from tui.core.errors import OutcropError
from tui.core.garbage import collector_paused
from tui.core.text import visible_line
from tui.keys.keymap import bindings
from tui.screens.chat_aws import ChatAws
from tui.screens.chat_compare import ChatCompare
from tui.screens.chat_leaving import ChatLeaving
from tui.screens.chat_open import ChatOpen
from tui.screens.chat_responses import ChatResponses
from tui.screens.chat_sending import blocks_of
from tui.screens.chat_structured import ChatStructured
from tui.screens.chat_tools import ChatTools
from tui.screens.inspector_actions import ChatRequests

if TYPE_CHECKING:
    from tui.core.conversation import Conversation
    from tui.screens.turn_blocks import LaterTurn
    from tui.session.session import Session
    from tui.widgets.transcript.block import Block
    from tui.widgets.transcript.place import Place

__all__ = ["ChatScreen", "StartWith"]

_AFTER_THE_FIRST_PICTURE = (
    "tui.widgets.attachment_chips",
    "tui.widgets.notice_bar",
    "tui.core.meter",
    "tui.widgets.meter",
    "tui.widgets.conversation_pane",
    "tui.screens.turn_blocks",
    "tui.core.way_on",
)
_LONG = 20.0
"""Seconds for which a sentence stays that is said once."""
_OPENS_WITHIN = 10.0
"""Seconds that leaving waits for a history that is not open yet."""


async def _split_promised(blocks: Sequence[Block | LaterTurn]) -> None:
    from tui.screens.turn_blocks import split_promised

    await asyncio.to_thread(split_promised, blocks)


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
    preset: str = ""


class ChatScreen(
    ChatCompare, ChatTools, ChatOpen, ChatResponses, ChatRequests, ChatStructured, ChatLeaving, ChatAws
):
    """Shows one conversation; turns of others may run on behind it."""

    BINDINGS: ClassVar[list[BindingType]] = [*bindings("screen.")]

    def __init__(self, session: Session, start: StartWith, keys: dict[str, str]) -> None:
        super().__init__(session, keys)
        self._start = start
        self._wanted = ""
        self._places: dict[str, Place] = {}

    def on_mount(self) -> None:
        """Everything that is not on the first picture happens after it."""
        self.welcome.opening(bool(self._start.conversation) or self._start.latest)
        self.call_after_refresh(lambda: self._do(self._begin, "start"))

    # ---- start

    async def _begin(self) -> None:
        """Get ready, open what was asked for, bring the draft and the files, then look for the token."""
        # What is imported and read for the first conversation stays, as a rule, as long as the program.
        try:
            with collector_paused(freeze=True):
                await self._open_first()
        except Exception as error:  # The worker's edge.
            if self._ready.is_set():
                raise
            # Without a session every prompt would wait for one, for ever.
            cast("Any", self.outcrop).give_up(error)
            return
        if self.composer.text.strip():
            self.warm_up()
        if self._start.files:
            self.read_files(self._start.files)
        if self._start.preset:
            self.command_given("tools.preset", self._start.preset)
        await self._check_token()
        await self.resume_all()
        await self._play()

    async def _open_first(self) -> None:
        from tui.core.ahead import imported

        session = self.session
        await imported(*_AFTER_THE_FIRST_PICTURE)
        try:
            await session.get_ready()
            self._hear_of_history()
            conversation = await self._first_conversation()
        except (OutcropError, OSError) as error:
            self._complain(str(error))
            conversation = await session.new()
        try:
            await self.show_conversation(conversation)
        finally:
            self.welcome.opening(False)
            self._ready.set()

    def _hear_of_history(self) -> None:
        """Say what the history's thread finds, for longer than usual: it is said once."""
        loop, context = asyncio.get_running_loop(), copy_context()

        def show(sentence: str) -> None:
            self.outcrop.notify(visible_line(sentence), severity="warning", markup=False, timeout=_LONG)
            self._refresh_target()

        def hear(sentence: str) -> None:
            with suppress(RuntimeError):  # the loop may have ended
                loop.call_soon_threadsafe(show, sentence, context=context)

        self.session.records.tell(hear)

    async def _play(self) -> None:
        """Send the prompts of a cassette that is played, one after the other."""
        prompts = getattr(self.session, "prompts", ())
        if not prompts:
            return
        from tui.core.items import Turn
        from tui.screens.queue import Queued
        from tui.session.attachments import attachments_in

        self._complain(
            f"A cassette is played, {len(prompts)} prompts: nothing is sent, nothing is kept.", "information"
        )
        queued: list[Queued] = []
        for item in prompts:
            files = await asyncio.to_thread(attachments_in, item)
            queued.append(Queued(Turn("", None, (item,), 0.0).prompt, tuple(files)))
        self._queue.of(self._conversation_id).extend(queued[1:])
        self._send(queued[0], self._conversation_id)
        self._refresh_queue()

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
        self._wanted = conversation.id
        await self.recall(conversation.id)
        if self._wanted != conversation.id:
            return  # yet another one was asked for meanwhile
        if shown := self._live.get(self._conversation_id):
            shown.show_in(None)
        again = conversation.id != self._conversation_id
        self._keep_place()
        self.change_over(conversation.id)
        self.opened(conversation.id)
        self.take_up(conversation)
        if not await self.draw():
            return
        self._hush()
        if again:
            self._find_place(conversation.id)
        self._show_running(self._live.get(conversation.id))
        self._refresh_queue()
        self._exchanges_shown()
        self.offer_compaction()
        self.offer_calls()
        self.go_on()

    def _keep_place(self) -> None:
        """Remember what is read in the conversation that is left, for who comes back."""
        place = self._conversation_pane.place if self._conversation_pane is not None else None
        if place is not None and self._conversation_id:
            self._places[self._conversation_id] = place

    def _find_place(self, conversation_id: str) -> None:
        """Go to what was read there."""
        place = self._places.pop(conversation_id, None)
        if place is not None and not self.pane.go_to_place(place):
            # A turn that was drawn as it ran has ended meanwhile, and is drawn by its id now.
            group = self._turn_of_group.get(place.group, place.group)
            self.pane.go_to_place(replace(place, group=group))

    async def draw(self) -> bool:
        """Draw the path of the conversation anew; whether it is still the one that is shown."""
        conversation = self.session.conversation(self._conversation_id)
        live = self._live.get(conversation.id)
        running = live.turn.id if live and live.turn else None
        pane = self.pane  # to make it takes as long as to fill it
        blocks = await asyncio.to_thread(blocks_of, conversation, running)
        if self._conversation_id != conversation.id:
            return False
        if self._live.get(conversation.id) is not live:
            return await self.draw()
        drawn = live if live and self.is_on_path(live) else None
        self._do(partial(_split_promised, blocks), "ahead", exclusive=True)
        pane.replace([*blocks, *(drawn.blocks() if drawn else [])])
        if live:
            live.show_in(pane if drawn else None)
        self.set_class(bool(blocks) or drawn is not None, "-talking")
        # Every widget's styles were looked up again; the meter may have it done once more.
        await asyncio.sleep(0)
        if self._conversation_id != conversation.id:
            return False
        self.composer.set_history(self.earlier_prompts(conversation))
        self._refresh_target()
        self._refresh_meter()
        return True

    # ---- commands

    async def action_new_conversation(self) -> None:
        """Begin another conversation, or go to the one that was begun and has no turn yet."""
        for known in [self._conversation_id, *self.open_ids]:
            if known and not self.is_busy(known) and not self.session.conversation(known).turns:
                if known != self._conversation_id:
                    await self.show_conversation(self.session.conversation(known))
                return
        conversation = await self.session.new()
        # Nothing was ever written in it: the draft on disk may be that of a turn on its way there.
        self._written[conversation.id] = Draft()
        await self.show_conversation(conversation)

    async def open_conversation(self, conversation_id: str) -> None:
        """Show a conversation of the history."""
        await self.show_conversation(await self.session.open(conversation_id))

    def action_stop_turn(self) -> None:
        """Stop the answer that is arriving in this conversation."""
        if self.stop_reading_files() or self.stop_summing_up() or self.cancel_job():
            return
        worker = self._workers.get(self._conversation_id)
        if worker is not None:
            worker.cancel()

    async def shut_down(self) -> str:
        """Stop every turn, wait until what came is on disk, save the draft.

        Returns:
            What was written and cannot be saved, as the history did not open in time.
        """
        if not self._ready.is_set() and self.composer.text.strip():
            # What was typed while the program warmed up can be saved only when it has.
            with suppress(TimeoutError):
                async with asyncio.timeout(_OPENS_WITHIN):
                    await self._ready.wait()
        workers = list(self._workers.values())
        for worker in workers:
            worker.cancel()
        for worker in workers:
            with suppress(WorkerError):
                await worker.wait()
        for conversation_id in [self._conversation_id, *self._written]:
            await self._save_draft_now(conversation_id)
        self.restore_title()
        return "" if self._ready.is_set() else self.composer.text.strip()
