"""Where the next turn goes and how it continues: what is changed, and what cannot be had there."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tui.core.api_rules import API_NAMES, api_named
from tui.core.apis import why_not_stateful
from tui.core.errors import OutcropError
from tui.core.items import ContinuationMode
from tui.core.text import visible_line
from tui.screens.chat_frame import ChatFrame

if TYPE_CHECKING:
    from textual.notifications import SeverityLevel

__all__ = ["ChatTarget"]


class ChatTarget(ChatFrame):
    """The chat screen with model, region, endpoint, API and continuation of its conversation."""

    def action_toggle_continuation(self) -> None:
        """Switch between stateful and stateless."""
        if self._conversation_id:
            now = self.session.conversation(self._conversation_id).continuation
            self._set_continuation("stateless" if now == "stateful" else "stateful")

    def action_continuation(self, mode: ContinuationMode) -> None:
        """Continue in this mode from the next turn on."""
        if self._conversation_id:
            self._set_continuation(mode)

    def _set_continuation(self, mode: ContinuationMode) -> None:
        why_not = why_not_stateful(self.session.target(self._conversation_id).api)
        if why_not is not None:
            self._complain(why_not, instead=True)
            return

        async def change() -> None:
            await self.session.set_continuation(self._conversation_id, mode)
            self._refresh_target()

        self._do(change, "continuation")

    async def _choose(
        self,
        *,
        model: str | None = None,
        region: str | None = None,
        endpoint: str | None = None,
        api: str | None = None,
    ) -> None:
        """Change model, region, endpoint or API; an impossible pairing is said, and tried if it is wanted."""
        session, conversation_id = self.session, self._conversation_id
        before, unsent = session.target(conversation_id), session.unsent(conversation_id)
        try:
            said = await session.set_target(
                conversation_id, model=model, region=region, endpoint=endpoint, api=api
            )
            target = session.target(conversation_id)
        except OutcropError as error:
            self._complain(str(error))
            return
        pairing = session.catalogue.pairing(target.model, target.region, target.endpoint, api=target.api)
        if not pairing.possible and (api is not None or not target.sandbox):
            self._complain(pairing.reason)
        if said:
            self._complain(said, "information")
        stateful = session.conversation(conversation_id).continuation == "stateful"
        why_not = why_not_stateful(target.api) if stateful and target.api != before.api else None
        if why_not is not None:
            self._complain(why_not, "information")
        if target.api != before.api:
            self._lacks("streaming", "information")
        for sentence in session.unsent(conversation_id):
            if sentence not in unsent:
                self._complain(sentence)
        self._refresh_target()

    def _lacks(self, feature: str, severity: SeverityLevel = "warning") -> bool:
        """Say it where the API in force has not one of `api_rules.FEATURES`."""
        if not self._conversation_id:
            return False
        target = self.session.target(self._conversation_id)
        why_not = self.session.catalogue.why_not(feature, target.model, target.endpoint, target.api)
        if why_not is not None:
            self._complain(why_not, severity)
        return why_not is not None

    async def _choose_api(self, words: str) -> None:
        """Take the API that a spelling means."""
        api = api_named(words)
        if api is None:
            self._complain(f"There is no API {visible_line(words)}. There are: {', '.join(API_NAMES)}.")
        else:
            await self._choose(api=api)
