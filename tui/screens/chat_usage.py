"""What turns cost: the page behind the meter, the estimate while one writes, budgets, the prompt cache."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from textual import on

from tui.core.catalogue import ENDPOINTS
from tui.core.errors import InputError, OutcropError
from tui.core.text import visible_line
from tui.screens.chat_picker import ChatPicker
from tui.widgets.composer import Composer

if TYPE_CHECKING:
    from tui.core.controls import Controls
    from tui.core.meter import ConversationFigures
    from tui.screens.queue import Queued
    from tui.screens.usage import UsageScreen
    from tui.session.session import Session
    from tui.widgets.draft_hint import DraftHint

__all__ = ["ChatUsage"]


class ChatUsage(ChatPicker):
    """The chat screen with all that is about tokens and money."""

    def __init__(self, session: Session, keys: dict[str, str]) -> None:
        super().__init__(session, keys)
        self._usage_page: UsageScreen | None = None
        self._hint: DraftHint | None = None
        self._told: set[str] = set()

    # ---- the page behind the meter

    def action_open_usage(self) -> None:
        """Show where each turn's tokens and money went."""
        if self._conversation_id:
            self._do(self._open_usage, "usage", exclusive=True, keys_wait=True)

    async def _open_usage(self) -> None:
        from tui.core.ahead import imported

        # The plotting library takes a moment to import.
        await imported("tui.screens.usage", "tui.screens.cache_controls", "textual_plot")
        from tui.screens.cache_controls import cache_words
        from tui.screens.usage import UsageScreen

        if self.outcrop.screen is not self:
            return
        conversation = self.session.conversation(self._conversation_id)
        target = self.session.target(conversation.id)
        model = self.session.catalogue.model(target.model)
        controls, _ = conversation.controls.checked(model)
        figures = await self._all_figures()
        if self.outcrop.screen is not self or conversation.id != self._conversation_id:
            return

        def closed(command: str | None) -> None:
            self._usage_page = None
            if command == "cache.open":
                self.action_open_cache()
            elif command == "cache.explain":
                self.action_explain_cache()

        self._usage_page = UsageScreen(
            figures,
            title=conversation.title,
            window=model.context if model else None,
            cache_words=cache_words(controls, model, target.endpoint in ENDPOINTS),
        )
        self.outcrop.push_screen(self._usage_page, closed)

    def _refresh_meter(self) -> None:
        super()._refresh_meter()
        if self._usage_page is not None and self._usage_page.is_attached:
            self._do(self._show_figures, "figures", exclusive=True)
        self._tell_of_the_cache()

    async def _all_figures(self) -> ConversationFigures:
        """The figures of every turn, beside the event loop: of 5,000 turns they take 0.2 s."""
        from tui.core.meter import figures_of

        path, timings = self.timed_path()
        return await asyncio.to_thread(figures_of, path, self.session.catalogue, timings)

    async def _show_figures(self) -> None:
        figures = await self._all_figures()
        if self._usage_page is not None and self._usage_page.is_attached:
            self._usage_page.show(figures)

    def _tell_of_the_cache(self) -> None:
        """Point to the explanation where the cache has served much less than it did, once for a turn."""
        from tui.core import figures
        from tui.core.meter import cache_drop

        drop = cache_drop(self.last_figures())
        if drop is None or drop.turn_id in self._told:
            return
        self._told.add(drop.turn_id)
        key = self._keys.get("cache.explain", "/why")
        self._say(
            f"The cache served {figures.share(drop.now)} of the input, {figures.share(drop.before)} "
            f"the turn before · {key} shows why",
            "cache.explain",
        )

    # ---- the prompt cache

    def command_given(self, command_id: str, argument: str) -> bool:
        """`/cache KEY` chooses the key; `own` is the conversation's, `none` sends none."""
        if command_id != "cache.open" or not argument or not self._conversation_id:
            return super().command_given(command_id, argument)
        before = self.session.conversation(self._conversation_id).controls
        key = None if argument.casefold() == "own" else argument
        self._do(partial(self._keep_cache, self._conversation_id, replace(before, cache_key=key)), "settings")
        return True

    def action_open_cache(self) -> None:
        """Choose the prompt cache's key, how long it keeps, where it is written."""
        from tui.screens.cache_controls import CacheControlsScreen

        if not self._conversation_id or self._lacks("prompt_cache"):
            return
        conversation = self.session.conversation(self._conversation_id)
        target = self.session.target(conversation.id)
        model = self.session.catalogue.model(target.model)
        own = conversation.id if target.endpoint in ENDPOINTS and (model is None or model.cache) else ""

        def chosen(controls: Controls | None) -> None:
            if controls is not None:
                self._do(partial(self._keep_cache, conversation.id, controls), "settings")

        unsent = [said for said in self.session.unsent(conversation.id) if "cache" in said]
        screen = CacheControlsScreen(conversation.controls, model, own if model else "", unsent=unsent)
        self.outcrop.push_screen(screen, chosen)

    async def _keep_cache(self, conversation_id: str, controls: Controls) -> None:
        try:
            await self.session.set_controls(conversation_id, controls)
        except InputError as error:
            self._complain(str(error))
            return
        self._complain("The prompt cache is asked so from the next turn on.", "information")

    def action_explain_cache(self) -> None:
        """Show the inspector where it says why the cache gave what it gave."""
        if self._inspector is None or not self._inspector.is_attached:
            self.action_toggle_inspector()
        inspector = self._inspector
        if inspector is not None:
            from tui.widgets.inspection.views import Tab

            inspector.call_after_refresh(inspector.action_tab, Tab.CACHE)

    # ---- before sending

    @on(Composer.DraftChanged)
    def _estimate_draft(self) -> None:
        """The text has rested for a moment: say what it would take."""
        self._do(self._hint_now, "estimate", exclusive=True)

    def _draft_prompt(self) -> str:
        from tui.commands import split_slash

        text = self.composer.text
        return "" if split_slash(text) else text.strip()

    async def _hint_now(self) -> None:
        conversation_id, prompt, files = self._conversation_id, self._draft_prompt(), tuple(self._attachments)
        estimate = None
        if conversation_id and (prompt or files):
            try:
                found = await self.session.estimates.of(conversation_id, prompt, files)
                estimate = found.get(self.session.conversation(conversation_id).continuation)
            except (OutcropError, KeyError):
                return  # a hint that cannot be had is no news
        if (self._conversation_id, self._draft_prompt()) != (conversation_id, prompt):
            return
        if self._hint is None:
            if estimate is None:
                return
            from tui.widgets.draft_hint import DraftHint

            self._hint = DraftHint()
            self.composer.styles.layers = "default hint"
            await self.composer.mount(self._hint)
        self._hint.show(estimate)

    async def within_budget(self, queued: Queued, conversation_id: str) -> bool:
        """Whether a prompt may be sent: near a budget it is said, at the limit it is asked."""
        settings = self.session.settings
        if settings.budget_per_conversation is None and settings.budget_per_day is None:
            return True
        decision = await self.session.estimates.budget(conversation_id, queued.text, queued.attachments)
        if decision.state == "ok":
            return True
        if decision.state == "warn":
            self._complain(visible_line(decision.text))
            return True
        from tui.core.ahead import imported

        await imported("tui.screens.history")
        from tui.screens.history import ConfirmScreen

        answer: asyncio.Future[bool] = asyncio.get_running_loop().create_future()

        def answered(yes: bool | None) -> None:
            if not answer.done():
                answer.set_result(bool(yes))

        question = f"{decision.text} Send it all the same?"
        self.outcrop.push_screen(
            ConfirmScreen(question, yes="Send", no="Do not send", title="Over budget"), answered
        )
        return await answer
