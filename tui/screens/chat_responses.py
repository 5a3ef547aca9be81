"""Opening the list of what the server keeps."""

from __future__ import annotations

from tui.screens.chat_views import ChatViews

__all__ = ["ChatResponses"]

_ALL = 100_000


class ChatResponses(ChatViews):
    """The chat screen with the list of stored responses."""

    def action_open_responses(self) -> None:
        """List the responses that the server keeps."""
        from tui.screens.responses import ResponsesScreen

        if not self._conversation_id or isinstance(self.outcrop.screen, ResponsesScreen):
            return
        session = self.session

        async def titles() -> dict[str, str]:
            return {summary.id: summary.title for summary in await session.list(_ALL)}

        self.outcrop.push_screen(
            ResponsesScreen(session.responses, titles, max_display_chars=session.settings.max_display_chars)
        )
