"""Opening what is about the server and no turn: what it keeps, and whether it works."""

from __future__ import annotations

from tui.screens.chat_views import ChatViews

__all__ = ["ChatResponses"]

_ALL = 100_000


class ChatResponses(ChatViews):
    """The chat screen with the list of stored responses, and the checks."""

    def action_open_responses(self) -> None:
        """List the responses that the server keeps."""
        from tui.screens.responses import ResponsesScreen

        if not self._conversation_id or isinstance(self.outcrop.screen, ResponsesScreen):
            return
        self._lacks("stored_responses")  # what other conversations left there is listed all the same
        session = self.session

        async def titles() -> dict[str, str]:
            return {summary.id: summary.title for summary in await session.list(_ALL)}

        self.outcrop.push_screen(
            ResponsesScreen(session.responses, titles, max_display_chars=session.settings.max_display_chars)
        )

    def action_open_checks(self) -> None:
        """Check what this conversation is sent to, from the key to background answers."""
        from tui.screens.checks import ChecksScreen

        if not self._conversation_id or isinstance(self.outcrop.screen, ChecksScreen):
            return
        self.outcrop.push_screen(ChecksScreen(self.session, self.session.target(self._conversation_id)))
