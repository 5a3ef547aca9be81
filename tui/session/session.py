"""The async layer: conversations in memory and on disk, and the turns that run.

Everything above talks to this; everything below (wire, store, credentials, config) is reached through it.
`conversations.py` has what concerns a conversation as such, `sending.py` how a turn is sent; here is what
goes beyond a turn: watching one that runs in the background, and summing up many.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import aclosing
from typing import TYPE_CHECKING, Any

from tui.config.settings import Settings
from tui.core.apis import RESPONSES
from tui.core.background import running_turns
from tui.core.compaction import Summary, share_to_offer, summary_turn
from tui.core.continuation import Options, continuation_named
from tui.core.conversation import Conversation
from tui.core.errors import InputError
from tui.core.events import SessionEvent
from tui.core.ids import new_id
from tui.core.items import Target, Turn, Usage
from tui.core.text import visible_line
from tui.core.usage import usage_record
from tui.session.background import BackgroundRun, resumable
from tui.session.compaction import COMPACT_PATH, check_compactable, compacted, summarized
from tui.session.tool_loop import ToolLooping
from tui.session.turns import TurnPlan
from tui.store.history import History

if TYPE_CHECKING:
    from tui.core.export.request import Export

__all__ = ["Session"]


class Session(ToolLooping):
    """One run of the program; its arguments are those of `Sending`."""

    # -- leaving -----------------------------------------------------------------------------------

    def leave(self, conversation: Conversation, form: str, beginning: str = "") -> Export:
        """A conversation in one of the forms of `core.leaving.forms`; call it off the event loop.

        Args:
            conversation: As it is now.
            form: The form's name.
            beginning: Of the names of files beside it.

        Raises:
            Unsupported: It has no such form; the text is a sentence.
        """
        from tui.session.leaving import leave

        return leave(self.settings, conversation, form, beginning, self._options.is_refused)

    # -- background turns --------------------------------------------------------------------------

    def background_turns(self, conversation_id: str) -> tuple[Turn, ...]:
        """The background turns of an open conversation that have not ended, watched or not."""
        return running_turns(self._conversations[conversation_id])

    async def background_conversations(self) -> tuple[str, ...]:
        """Ids of the conversations, open or not, with a background turn that has not ended.

        Raises:
            StoreError: The history cannot be read.
        """
        return await self.records.call(History.in_background, self.settings.sandbox)

    async def resume_background(
        self, conversation_id: str, turn_id: str
    ) -> AsyncGenerator[SessionEvent, None]:
        """Watch a background turn that this run or an earlier one sent; events and end are those of `send`.

        `BackgroundStarted` comes first. Only what of the text the turn does not hold yet comes as deltas.

        Raises:
            KeyError: It is no turn of this conversation.
            InputError: It does not run in the background, is being watched, or was sent to a base URL that
                this run does not talk to.
            TokenError, WireError: It cannot be watched now; it can be resumed later.
        """
        conversation = self._conversations[conversation_id]
        turn = resumable(conversation, turn_id)
        if turn_id in self._jobs:
            raise InputError("This answer is being waited for already.")
        run = await self._job_again(conversation, turn)
        async with aclosing(self._follow(run, run.resumed())) as events:
            async for event in events:
                yield event

    async def cancel_background(self, conversation_id: str, turn_id: str | None = None) -> None:
        """Let the server end a background turn, or all of a conversation; who watches one gets its end.

        Raises:
            KeyError: It is no turn of this conversation.
            InputError: None is running in the background.
            TokenError, WireError: The server could not be asked.
        """
        conversation = self._conversations[conversation_id]
        turns = running_turns(conversation) if turn_id is None else (resumable(conversation, turn_id),)
        if not turns:
            raise InputError("No answer of this conversation is being made in the background.")
        for turn in turns:
            watching = self._jobs.get(turn.id)
            run = watching or await self._job_again(conversation, turn)
            await run.cancel()
            if watching is None:
                self._settle(run)

    async def _job_again(self, conversation: Conversation, turn: Turn) -> BackgroundRun:
        target = turn.target
        assert target is not None  # it has a response id
        _check_reachable(target, self.settings)
        await self.check_token(target)
        await self.warm_up()
        if target.sandbox:
            # Its port is another in each run.
            target = self.settings.target(target.model, target.region, target.endpoint, target.api)
        options = Options(target, 0)
        plan = TurnPlan(
            conversation,
            continuation_named("stateful"),
            options,
            self._sender(conversation.id, turn),
            self._now,
        )
        return self._job(turn, plan)

    # -- compaction --------------------------------------------------------------------------------

    def should_offer_compaction(self, conversation_id: str) -> float | None:
        """How full the context window is, 0 to 1 and above, when it is full enough to offer a summary.

        The setting `compact_at` says from which share on. `None` also when the window is not known.
        """
        conversation = self._conversations[conversation_id]
        model = self.catalogue.model(self.target(conversation_id).model)
        return share_to_offer(conversation, model.context if model else None, self.settings.compact_at)

    async def summarize(self, conversation_id: str) -> Summary:
        """Ask the model for a summary of the current path; the conversation stays as it is.

        Raises:
            InputError: There is nothing to sum up, or an answer is arriving.
            TokenError, WireError: It failed, or what came is no summary.
        """
        conversation = self._conversations[conversation_id]
        check_compactable(conversation)
        self._claim(conversation)
        try:
            await self.check_token(self.target(conversation_id))
            await self.warm_up()
            options = self._options.of(self.settings, conversation)
            summary, after = await summarized(
                conversation,
                options,
                self.records,
                self._options.refuser(options.target),
                self._sender(conversation_id),
                self._now,
                lambda exchange, request: self._note(conversation_id, exchange, request),
            )
            self._forget(conversation_id, after.lost)
            return summary
        finally:
            self._running.discard(conversation_id)

    async def continue_from(self, conversation_id: str, summary: Summary) -> None:
        """Begin a branch that goes on from a summary; the turns so far stay in the tree (`set_tip`).

        Raises:
            InputError: The summary says nothing, or an answer is arriving.
            StoreError: It could not be put on disk.
        """
        conversation = self._conversations[conversation_id]
        check_compactable(conversation)
        if summary.is_empty:
            raise InputError("The summary says nothing: there would be nothing to go on from.")
        turn = summary_turn(new_id(), summary, len(conversation.path()), self._now())
        await self._begin(conversation.at(None), turn)

    async def compact_on_server(self, conversation_id: str) -> bool:
        """Let the server compact the current path and go on from that in a new branch, if it can.

        Returns:
            Whether it did. Where not, that is remembered, and `summarize` is the way.

        Raises:
            InputError: There is nothing to compact, or an answer is arriving.
            TokenError, WireError: It failed otherwise.
        """
        conversation = self._conversations[conversation_id]
        check_compactable(conversation)
        target = self.target(conversation_id)
        if target.api != RESPONSES or self._options.is_refused(target, COMPACT_PATH):
            return False
        self._claim(conversation)
        try:
            await self.check_token(target)
            await self.warm_up()
            options = self._options.of(self.settings, conversation)
            turn = await compacted(
                conversation, options, self._compactor(conversation_id, options), self._now
            )
            if turn is None:
                self._options.refuser(options.target)(COMPACT_PATH)
                return False
            await self._begin(self._conversations[conversation_id].at(None), turn)
            return True
        finally:
            self._running.discard(conversation_id)

    def _compactor(
        self, conversation_id: str, options: Options
    ) -> Callable[[bytes], Awaitable[dict[str, Any]]]:
        async def compact(body: bytes) -> dict[str, Any]:
            from tui.wire.recorder import AttemptLabel

            label = AttemptLabel(conversation_id, "", 1, options.target.model)
            try:
                answer = await self.client(options.target).compact(body, label)
                usage = Usage.from_payload(answer.get("usage"))
                record = usage_record("compaction", conversation_id, self._now(), options.target, usage)
                self.records.later(History.record_usage, record)
                return answer
            finally:
                if label.exchange is not None:
                    self._note(conversation_id, label.exchange)
                    self.records.later(History.save_exchange, label.exchange)

        return compact


def _check_reachable(target: Target, settings: Settings) -> None:
    """Make sure that a turn of an earlier run is asked for where this run's settings send the token."""
    if not target.sandbox and not settings.reaches(target):
        where = visible_line(target.base_url)
        raise InputError(f"This answer is made at {where}: start with --base-url {where} to get it.")
