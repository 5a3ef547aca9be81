"""The tool loop: runs the calls of an answer, sends what came of them, and again until none remain.

Part of the session layer. A step of the loop is a turn like any other, with the outputs as its input; what
became of each call is kept with the turn that asked for it, and is on disk before anything runs.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

from tui.core.errors import InputError, StoreError
from tui.core.events import Notice, SessionEvent, ToolCallChanged, TurnEnded
from tui.core.items import Item, Outcome, Turn
from tui.core.text import storable
from tui.core.tool_calls import CallRecord, CallState
from tui.core.tools import (
    INTERRUPTED,
    Answer,
    Asker,
    Call,
    Question,
    Rule,
    ToolOn,
    exact_pattern,
    output_item,
    parse_arguments,
    pending_calls,
)
from tui.session.tool_settings import ToolSettings
from tui.store.history import History

if TYPE_CHECKING:
    pass

__all__ = ["ToolLooping"]

REFUSED = "The user did not allow this call."
_NOBODY_ASKED = "This call was not allowed: nobody could be asked."


@dataclass(slots=True)
class _Ready:
    """A call that may run."""

    call: Call
    on: ToolOn
    question: Question
    review: bool


class ToolLooping(ToolSettings):
    """Sends turns whose answers may call tools."""

    # -- the loop ----------------------------------------------------------------------------------

    async def with_tools(
        self, conversation_id: str, events: AsyncGenerator[SessionEvent, None], asker: Asker | None
    ) -> AsyncGenerator[SessionEvent, None]:
        """Follow a turn, and every step that its tool calls lead to; `TurnEnded` comes for each of them.

        Args:
            conversation_id: Where it runs.
            events: Of `send`, `resend`, or `resume_background`.
            asker: Asks the user; `None` where there is nobody: then only rules let a call run.

        Raises:
            InputError, TokenError, WireError, StoreError: As the events that are followed.
        """
        rounds = 0
        while True:
            turn: Turn | None = None
            async with aclosing(events) as following:
                async for event in following:
                    if isinstance(event, TurnEnded):
                        turn = event.turn
                    yield event
            if turn is None or turn.outcome is not Outcome.COMPLETED or not pending_calls(turn):
                return
            toolbox = await self.toolbox()
            rounds += 1
            if rounds > toolbox.rounds:
                yield await self._say(
                    conversation_id,
                    turn.id,
                    f"The limit of {toolbox.rounds} rounds of tool calls is reached: these were not run. "
                    "/tools continue goes on.",
                )
                return
            async with aclosing(self._run_calls(conversation_id, turn.id, asker)) as running:
                async for event in running:
                    yield event
            events = self._step(conversation_id, turn.id)

    def pending(self, conversation_id: str) -> tuple[tuple[Call, CallRecord], ...]:
        """The calls of the last answer where their outputs were not sent; none while they run.

        The program was ended, or the user stopped it, between a call and its output.
        """
        conversation = self._conversations[conversation_id]
        tip = None if conversation.tip is None else conversation.turns[conversation.tip]
        if tip is None or tip.outcome is not Outcome.COMPLETED or conversation_id in self._running:
            return ()
        return pending_calls(tip)

    async def resume_calls(
        self, conversation_id: str, how: Literal["run", "interrupted"], asker: Asker | None
    ) -> AsyncGenerator[SessionEvent, None]:
        """Go on after calls whose outputs were not sent.

        Args:
            conversation_id: An open conversation.
            how: `run` what has no output again, under the same approval; or let the model know that it was
                `interrupted`.
            asker: As for `with_tools`.

        Raises:
            InputError: There are none.
        """
        if not self.pending(conversation_id):
            raise InputError("No tool call of this conversation waits for its output.")
        turn_id = self._conversations[conversation_id].tip
        assert turn_id is not None
        if how == "run":
            async with aclosing(self._run_calls(conversation_id, turn_id, asker)) as running:
                async for event in running:
                    yield event
        steps = self.with_tools(conversation_id, self._step(conversation_id, turn_id), asker)
        async with aclosing(steps) as following:
            async for event in following:
                yield event

    def _step(self, conversation_id: str, turn_id: str) -> AsyncGenerator[SessionEvent, None]:
        """Send the outputs of a turn's calls, in whatever mode and to whatever target is chosen now."""
        conversation = self._conversations[conversation_id]
        turn = conversation.turns[turn_id]
        outputs: list[Item] = []
        for call, record in pending_calls(turn):
            known = record.state.has_ended
            outputs.append(output_item(call, record.output if known else INTERRUPTED))
        return self._run(conversation, turn_id, tuple(outputs), False)

    # -- the calls of one answer -------------------------------------------------------------------

    async def _run_calls(
        self, conversation_id: str, turn_id: str, asker: Asker | None
    ) -> AsyncGenerator[SessionEvent, None]:
        """Ask about each call that has no output, then run those that may, all at once."""
        self._claim(self._conversations[conversation_id])
        changed: asyncio.Queue[ToolCallChanged | None] = asyncio.Queue()
        work = asyncio.create_task(self._all_calls(conversation_id, turn_id, asker, changed))
        work.add_done_callback(lambda _: changed.put_nowait(None))
        try:
            while (event := await changed.get()) is not None:
                yield event
            await work
        finally:
            if not work.done():
                work.cancel()
                await asyncio.wait([work])
            self._running.discard(conversation_id)

    async def _all_calls(
        self,
        conversation_id: str,
        turn_id: str,
        asker: Asker | None,
        changed: asyncio.Queue[ToolCallChanged | None],
    ) -> None:
        async def mark(call: Call, record: CallRecord) -> None:
            turn = self._conversations[conversation_id].turns[turn_id]
            others = [known for known in turn.calls if known.call_id != record.call_id]
            turn = replace(turn, calls=(*others, record))
            self._conversations[conversation_id] = self._conversations[conversation_id].update(turn)
            changed.put_nowait(ToolCallChanged(turn, call, record))
            try:
                await self.records.call(History.save_turn, conversation_id, turn)
            except StoreError as error:
                self.records.failure = error

        calls = pending_calls(self._conversations[conversation_id].turns[turn_id])
        left = [call for call, record in calls if not record.state.has_ended]
        for call in left:
            await mark(call, CallRecord(call.call_id))
        ready: list[tuple[_Ready, CallRecord]] = []
        for number, call in enumerate(left, 1):
            decided = await self._decide(conversation_id, call, number, len(left), asker)
            if isinstance(decided, CallRecord):
                await mark(call, decided)
            else:
                ready.append(decided)
        toolbox = await self.toolbox()

        async def run(one: _Ready, record: CallRecord) -> None:
            record = replace(record, state=CallState.RUNNING, started_at=self._now())
            # On disk before it begins: whoever finds it running there knows that it may have had an effect.
            await mark(one.call, record)
            try:
                output = await toolbox.run(one.on, record.arguments or one.call.arguments)
            except asyncio.CancelledError:
                await mark(one.call, replace(record, state=CallState.STOPPED, ended_at=self._now()))
                raise
            state = CallState.FAILED if output.failed else CallState.DONE
            record = replace(record, state=state, output=storable(output.text), ended_at=self._now())
            if one.review and asker is not None:
                text = await asker.review(one.question, record.output)
                record = replace(record, output=storable(text), edited=text != record.output)
            await mark(one.call, record)

        async with asyncio.TaskGroup() as group:
            for one, record in ready:
                group.create_task(run(one, record))

    async def _decide(
        self, conversation_id: str, call: Call, number: int, of: int, asker: Asker | None
    ) -> CallRecord | tuple[_Ready, CallRecord]:
        """Whether a call may run: what rules say, else what the user says."""
        waiting = CallRecord(call.call_id)

        def ended(state: CallState, output: str) -> CallRecord:
            return replace(waiting, state=state, output=output, ended_at=self._now())

        on = self._conversations[conversation_id].tools.named(call.name)
        if on is None:
            return ended(CallState.FAILED, f"There is no tool called {call.name} in this conversation.")
        try:
            arguments = parse_arguments(call)
        except ValueError as error:
            return ended(CallState.FAILED, str(error))
        question = Question(conversation_id, call, arguments, number, of)
        rule = next((r for r in reversed(await self.tool_rules()) if r.decides(call, on.fingerprint)), None)
        if rule is not None and not rule.allow:
            return ended(CallState.REFUSED, REFUSED)
        if on.allowed or rule is not None:
            return _Ready(call, on, question, False), waiting
        if asker is None:
            return ended(CallState.REFUSED, _NOBODY_ASKED)
        answer = await asker.approve(question)
        await self._remember(conversation_id, on, question, answer)
        if answer.verdict in ("refuse", "never"):
            return ended(CallState.REFUSED, REFUSED)
        changed = answer.arguments
        if changed == call.arguments:
            changed = None
        return _Ready(call, on, question, answer.review), replace(waiting, arguments=changed)

    async def _remember(self, conversation_id: str, on: ToolOn, question: Question, answer: Answer) -> None:
        """Keep an answer that holds for more than this call."""
        if answer.verdict == "conversation":
            use = self._conversations[conversation_id].tools
            await self.set_tool_use(conversation_id, use.with_tool(replace(on, allowed=True)))
        elif answer.verdict in ("always", "never"):
            pattern = exact_pattern(question.arguments) if answer.pattern is None else answer.pattern
            rule = Rule(on.name, on.fingerprint, pattern, allow=answer.verdict == "always")
            await self.records.call(History.save_tool_rule, rule, self._now())

    async def _say(self, conversation_id: str, turn_id: str, text: str) -> Notice:
        """Say something about a turn, and keep it with it."""
        conversation = self._conversations[conversation_id]
        turn = conversation.turns[turn_id]
        turn = replace(turn, notices=(*turn.notices, text))
        self._conversations[conversation_id] = conversation.update(turn)
        self.records.later(History.save_turn, conversation_id, turn)
        return Notice(text)
