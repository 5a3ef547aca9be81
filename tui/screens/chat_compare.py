"""One prompt to several targets: each column is a conversation, and its turn one of those that run."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any, cast

from tui.core.drafts import Draft
from tui.core.errors import TokenError, TokenRefused
from tui.core.items import Outcome
from tui.core.text import visible_line
from tui.screens.chat_open import ChatOpen
from tui.screens.chat_sending import ChatSending
from tui.screens.queue import Queued

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from tui.screens.compare import Answering, CompareScreen
    from tui.screens.compare_setup import Order
    from tui.screens.live_turn import LiveTurn
    from tui.session.compare import Column, Comparing
    from tui.session.session import Session

__all__ = ["ChatCompare"]


@dataclass(frozen=True, slots=True)
class _Sent:
    """A comparison whose answers arrive.

    Attributes:
        columns: By conversation.
        lives: Their turns.
        draft: What was sent to all of them.
    """

    columns: Mapping[str, Column]
    lives: Sequence[LiveTurn]
    draft: Draft


class ChatCompare(ChatSending, ChatOpen):
    """The chat screen with comparisons."""

    def __init__(self, session: Session, keys: dict[str, str]) -> None:
        super().__init__(session, keys)
        self._compare_line = ""
        # By the conversations whose turns run.
        self._compared: dict[str, _Sent] = {}
        self._compare_screen: CompareScreen | None = None

    def command_given(self, command_id: str, argument: str) -> bool:
        """`/compare` takes the prompt."""
        if command_id != "compare.open" or not argument:
            return super().command_given(command_id, argument)
        self.action_open_compare(argument)
        return True

    def action_open_compare(self, prompt: str = "") -> None:
        """Choose targets for what is written, or for another prompt; nothing is sent before it is said."""
        self._do(partial(self._open_compare, prompt), "compare", exclusive=True, keys_wait=True)

    async def _open_compare(self, prompt: str) -> None:
        from tui.screens.compare_setup import CompareSetup
        from tui.session.compare import Comparing

        await self.warmed_up()
        if self.outcrop.screen is not self:
            if prompt:
                self.composer.put_back(prompt)
            return
        written = self._composed()
        draft = Draft(prompt, (), written.attachments) if prompt else written
        comparing = Comparing(self.session, self._conversation_id)
        base = comparing.base
        line = self._compare_line or f"{comparing.words_for(base)}, "

        def efforts(model_id: str) -> Sequence[str]:
            model = self.session.catalogue.model(model_id)
            return model.effort_values if model else ()

        def ordered(order: Order | None) -> None:
            if order is not None:
                self._compare_line = order.line
                self._do(partial(self._ordered, comparing, draft, order, typed=not prompt), "compare")

        setup = CompareSetup(comparing, line, draft.text, draft.attachments, self.target_picker, efforts)
        self.outcrop.push_screen(setup, ordered)

    async def _ordered(self, comparing: Comparing, draft: Draft, order: Order, *, typed: bool) -> None:
        """Send the prompt; or give back what was typed."""
        changed = draft if order.prompt == draft.text else Draft(order.prompt, (), draft.attachments)
        if not order.send or not await self._may_compare(comparing, order.columns):
            if order.prompt != self.composer.text:
                # The files are still where they were.
                back = replace(changed, attachments=())
                if typed:
                    self.composer.draft = back
                else:
                    self.composer.put_back(back)
            return
        if typed:
            self.composer.text = ""
        self._attachments.clear()
        self.attachments_changed()
        await comparing.name(order.columns, order.prompt)
        self._begin_columns(comparing, order.columns, changed)

    async def _may_compare(self, comparing: Comparing, columns: Sequence[Column]) -> bool:
        from tui.screens.history import ConfirmScreen

        decision = await comparing.budget(columns)
        if decision.state == "warn":
            self._complain(visible_line(decision.text))
        if decision.state != "ask":
            return True
        question = ConfirmScreen(
            f"{decision.text} Send it all the same?", yes="Send", no="Do not send", title="Over budget"
        )
        return bool(await cast("Any", self.outcrop).push_screen_wait(question))

    def _begin_columns(self, comparing: Comparing, columns: Sequence[Column], draft: Draft) -> None:
        """Let the turns of all columns run, and show them."""
        from tui.core.compare.targets import labels
        from tui.screens.compare import Answering, CompareActions, CompareScreen

        queued = Queued.of_draft(draft)
        names = labels([column.asked for column in columns])
        by_id = {column.conversation_id: column for column in columns}
        shown = [
            Answering(column.conversation_id, name, self.new_live(column.conversation_id, queued))
            for column, name in zip(columns, names, strict=True)
        ]
        actions = CompareActions(
            figures=lambda one: comparing.figures(by_id[one.conversation_id]),
            stop=self._stop_columns,
            inspect=self._inspect_column,
            copy=self._copy_answer,
        )
        self._compare_screen = CompareScreen(draft.text, shown, actions)
        sent = _Sent(by_id, [one.live for one in shown], draft)
        self._compared.update(dict.fromkeys(by_id, sent))
        # Until one of them is on disk, the prompt is a draft: once, not once for each.
        self._sending[columns[0].conversation_id] = queued
        for one in shown:
            self._opened.setdefault(one.conversation_id)
            self.run_live(one.live)
        self.outcrop.push_screen(self._compare_screen, self._compare_closed)

    def _compare_closed(self, conversation_id: str | None) -> None:
        if conversation_id is not None:
            self._do(partial(self.open_conversation, conversation_id), "open", keys_wait=True)

    def _stop_columns(self, conversation_ids: Sequence[str]) -> None:
        for conversation_id in conversation_ids:
            if (worker := self._workers.get(conversation_id)) is not None:
                worker.cancel()

    def _copy_answer(self, text: str) -> None:
        self.outcrop.copy_to_clipboard(text)

    def _inspect_column(self, answering: Answering) -> None:
        from tui.screens.inspecting import prepare_inspector
        from tui.screens.inspector_screen import InspectorScreen

        session, conversation_id = self.session, answering.conversation_id
        screen = InspectorScreen(
            session.exchanges(conversation_id),
            title=f"Compare · {answering.name}",
            left_out=session.left_out(conversation_id),
            max_display_chars=session.settings.max_display_chars,
        )
        prepare_inspector(screen.inspector, session)
        self.outcrop.push_screen(screen)

    # ---- the turns

    def announce(self, live: LiveTurn, outcome: Outcome) -> None:
        """Nothing is announced of what is being looked at."""
        screen = self._compare_screen
        if screen is None or not screen.is_current or all(live is not one.live for one in screen.columns):
            super().announce(live, outcome)

    def turn_over(self, live: LiveTurn, outcome: Outcome | None, error: Exception | None) -> None:
        """A column has ended: its prompt is not given back, as it was sent to the others, too."""
        sent = self._compared.pop(live.conversation_id, None)
        if sent is None:
            super().turn_over(live, outcome, error)
            return
        if outcome is None:
            column = sent.columns[live.conversation_id]
            column.error = str(error) if error is not None else "It was stopped before it was sent."
            if error is None or isinstance(error, TokenError):
                live.fail(column.error)
            self._opened.pop(live.conversation_id, None)
        refused = isinstance(error, TokenRefused)
        super().turn_over(live, Outcome.FAILED if outcome is None or refused else outcome, None)
        if not any(one in self._compared for one in sent.columns) and all(
            one.turn is None for one in sent.lives
        ):
            # Nothing of it is on disk.
            self.composer.put_back(sent.draft)
            self._attachments[:0] = sent.draft.attachments
            self.attachments_changed()
