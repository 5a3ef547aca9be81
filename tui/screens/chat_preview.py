"""What would be sent, looked at before it is sent."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import TYPE_CHECKING

from tui.commands import split_slash
from tui.core.apis import mode_in_force, why_not_stateful
from tui.core.errors import InputError, OutcropError
from tui.screens.chat_settings import ChatSettings
from tui.widgets.composer import Composer

if TYPE_CHECKING:
    from tui.core.items import ContinuationMode, Turn
    from tui.core.preview import Preview
    from tui.session.session import Session

__all__ = ["ChatPreview"]


class ChatPreview(ChatSettings):
    """The chat screen with the preview of the next request."""

    def __init__(self, session: Session, keys: dict[str, str]) -> None:
        super().__init__(session, keys)
        self._file_tokens: dict[str, int] = {}

    @property
    def is_answering(self) -> bool:
        """Whether a turn of the conversation that is shown runs or is about to."""
        raise NotImplementedError

    def command_given(self, command_id: str, argument: str) -> bool:
        """`/preview` takes a text, as the command itself stands where it would be written."""
        if command_id != "turn.preview" or not argument:
            return super().command_given(command_id, argument)
        self.composer.put_back(argument)
        self.action_preview()
        return True

    def action_preview(self) -> None:
        """Show what the composer's text and the attachments would become on the wire."""
        if self._conversation_id:
            self._do(self._preview, "preview", exclusive=True, keys_wait=True)

    async def _preview(self) -> None:
        from tui.screens.preview import PreviewScreen

        conversation_id = self._conversation_id
        prompt = self._prompt()
        looks = await self._looks(conversation_id, prompt)
        estimates = await self.session.estimates.of(conversation_id, prompt, tuple(self._attachments))
        if self._conversation_id != conversation_id or self.outcrop.screen is not self:
            return

        async def switch() -> ContinuationMode:
            if sentence := why_not_stateful(self.session.target(conversation_id).api):
                raise InputError(sentence)
            now = self.session.conversation(conversation_id).continuation
            await self.session.set_continuation(
                conversation_id, "stateless" if now == "stateful" else "stateful"
            )
            self._refresh_target()
            return self.session.conversation(conversation_id).continuation

        def decided(send: bool | None) -> None:
            if send and self._conversation_id == conversation_id and self._prompt() == prompt:
                self.composer.clear()
                self.post_message(Composer.Submitted(prompt))

        mode = mode_in_force(
            self.session.conversation(conversation_id).continuation, self.session.target(conversation_id).api
        )
        empty = not prompt and not self._attachments
        screen = PreviewScreen(looks, mode, switch, empty=empty, waits=self.is_answering, estimates=estimates)
        self.outcrop.push_screen(screen, decided)

    def _prompt(self) -> str:
        """What the composer would send: of a command, known or mistyped, nothing."""
        text = self.composer.text
        return "" if split_slash(text) else text.strip()

    async def _looks(self, conversation_id: str, prompt: str) -> tuple[Preview, Preview]:
        """The request in both modes; large bodies are built and read in a thread."""
        from tui.core.preview import preview_of

        session, attachments = self.session, tuple(self._attachments)
        conversation = session.conversation(conversation_id)
        await self._estimate(conversation_id, conversation.path())

        def look(mode: ContinuationMode) -> Preview:
            request = session.preview(conversation_id, prompt, attachments, mode)
            new = sum(attachment.estimated_tokens for attachment in attachments)
            return preview_of(request, conversation, lambda turn: self._file_tokens.get(turn.id, 0), new)

        stateful = await asyncio.to_thread(look, "stateful")
        return stateful, await asyncio.to_thread(look, "stateless")

    async def _estimate(self, conversation_id: str, path: tuple[Turn, ...]) -> None:
        """Estimate, once, what the files of earlier turns come to."""
        from tui.core.attachments import file_kinds

        for turn in path:
            if turn.id not in self._file_tokens and any(file_kinds(item) for item in turn.input):
                with suppress(OutcropError, KeyError):
                    files = await self.session.attachments_of(conversation_id, turn.id)
                    self._file_tokens[turn.id] = sum(file.estimated_tokens for file in files)
