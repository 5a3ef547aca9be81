"""Several conversations at once: which are open, how each stands, and the ways between them."""

from __future__ import annotations

import os
from contextlib import suppress
from functools import partial
from time import monotonic
from typing import TYPE_CHECKING

from tui.core.items import Outcome
from tui.core.text import visible_line
from tui.screens.chat_background import ChatBackground

if TYPE_CHECKING:
    from tui.screens.open_conversations import OpenChoice, OpenConversation, OpenState
    from tui.session.session import Session
    from tui.widgets.status_line import StatusState

__all__ = ["ChatOpen"]

_UNREAD: dict[Outcome, OpenState] = {
    Outcome.COMPLETED: "ready",
    Outcome.INCOMPLETE: "incomplete",
    Outcome.CANCELLED: "stopped",
    Outcome.FAILED: "failed",
}


class ChatOpen(ChatBackground):
    """The chat screen with the list of open conversations and the keys that go through it."""

    def __init__(self, session: Session, keys: dict[str, str]) -> None:
        super().__init__(session, keys)
        self._opened: dict[str, None] = {}
        self._named = ""

    # ---- what the screen has

    async def action_new_conversation(self) -> None:
        """Begin another conversation."""
        raise NotImplementedError

    def is_busy(self, conversation_id: str) -> bool:
        """Whether a turn of a conversation runs or is about to."""
        raise NotImplementedError

    def waiting_prompts(self, conversation_id: str) -> int:
        """How many prompts are queued there."""
        raise NotImplementedError

    def has_draft(self, conversation_id: str) -> bool:
        """Whether something is written there that is not sent."""
        raise NotImplementedError

    def forget_written(self, conversation_id: str) -> None:
        """Drop what is written and queued there, as it is deleted."""
        raise NotImplementedError

    # ---- which are open

    def opened(self, conversation_id: str) -> None:
        """A conversation is shown: it stays open, and what had arrived there is on the screen now."""
        self._opened.setdefault(conversation_id)
        self.seen(conversation_id)

    @property
    def open_ids(self) -> list[str]:
        """Every conversation of this run that was shown or in which a turn runs, in the order of opening."""
        for conversation_id in self._live:
            self._opened.setdefault(conversation_id)
        known: list[str] = []
        for conversation_id in self._opened:
            with suppress(KeyError):
                known.append(self.session.conversation(conversation_id).id)
        return known

    def open_conversations(self) -> list[OpenConversation]:
        """How each open conversation stands now."""
        return [self._standing(conversation_id) for conversation_id in self.open_ids]

    def _standing(self, conversation_id: str) -> OpenConversation:
        from tui.screens.open_conversations import OpenConversation

        conversation = self.session.conversation(conversation_id)
        live = self._live.get(conversation_id)
        state: OpenState = "idle"
        if live is not None and live.waits is not None:
            state = "waiting"
        elif live is not None and live.background:
            state = "background"
        elif live is not None:
            state = "streaming"
        elif self.is_busy(conversation_id):
            state = "starting"
        elif (outcome := self._arrived.get(conversation_id)) is not None:
            state = _UNREAD[outcome]
        elif self.has_draft(conversation_id):
            state = "draft"
        return OpenConversation(
            id=conversation_id,
            title=self._title_of(conversation_id),
            state=state,
            shown=conversation_id == self._conversation_id,
            turns=len(conversation.turns),
            queued=self.waiting_prompts(conversation_id),
            seconds=None if live is None else monotonic() - live.since,
            branch=str(conversation.branch or ""),
            model=self.session.target(conversation_id).model,
        )

    # ---- going there

    def action_open_list(self) -> None:
        """List the open conversations and how each stands."""
        from tui.screens.open_conversations import OpenConversationsScreen

        if not self._conversation_id or isinstance(self.outcrop.screen, OpenConversationsScreen):
            return

        def chosen(choice: OpenChoice | None) -> None:
            if choice is not None and choice.conversation_id is None:
                self._do(self.action_new_conversation, "open", keys_wait=True)
            elif choice is not None and choice.conversation_id is not None:
                self._do(partial(self.open_conversation, choice.conversation_id), "open", keys_wait=True)

        self.outcrop.push_screen(
            OpenConversationsScreen(self.open_conversations, self._close_conversation), chosen
        )

    def _close_conversation(self, conversation_id: str) -> str:
        """Take a conversation off the list; it stays in the history. Says why where that cannot be."""
        if conversation_id == self._conversation_id:
            return "This conversation is shown; go to another one first."
        if self.is_busy(conversation_id) or self.waiting_prompts(conversation_id):
            return "Something is running or waiting there; stop it first."
        if self.has_draft(conversation_id) and not self.session.conversation(conversation_id).turns:
            return "Nothing of it was sent yet, and something is written there."
        self._opened.pop(conversation_id, None)
        self._arrived.pop(conversation_id, None)
        self._refresh_target()
        return ""

    async def action_step_conversation(self, step: int) -> None:
        """Go to the open conversation before or after the one that is shown, around the ends."""
        known = self.open_ids
        if self._conversation_id not in known or len(known) < 2:
            self._complain("No other conversation is open.", "information", instead=True)
            return
        place = (known.index(self._conversation_id) + step) % len(known)
        await self.open_conversation(known[place])

    # ---- the terminal's title

    def with_turns(self, state: StatusState) -> StatusState:
        """The status line changes when the title may: a turn began or ended, another one is shown."""
        self._name_terminal()
        return super().with_turns(state)

    def _name_terminal(self) -> None:
        from tui.terminal.title import SAVE, title_sequence, title_words, understands_titles

        if not self.session.settings.terminal_title or not understands_titles(os.environ):
            return
        words = title_words(self._title_of(self._conversation_id), len(self._arrived))
        if words != self._named:
            self.write_terminal(("" if self._named else SAVE) + title_sequence(words))
            self._named = words

    def restore_title(self) -> None:
        """Give the terminal the title that it had."""
        from tui.terminal.title import RESTORE

        if self._named:
            self.write_terminal(RESTORE)
            self._named = ""

    # ---- names

    def action_rename(self) -> None:
        """Ask for another title for the conversation that is shown."""
        from tui.screens.rename import RenameScreen

        if not self._conversation_id or isinstance(self.outcrop.screen, RenameScreen):
            return
        conversation_id = self._conversation_id

        def named(title: str | None) -> None:
            if title is not None:
                self._do(partial(self._rename, conversation_id, title), "rename")

        title = self.session.conversation(conversation_id).title
        self.outcrop.push_screen(RenameScreen(title), named)

    async def _rename(self, conversation_id: str, title: str) -> None:
        conversation = await self.session.rename(conversation_id, title)
        name = visible_line(conversation.title)
        self._complain(f"This conversation is “{name}” now." if name else "It has no title.", "information")
        self._refresh_target()

    def command_given(self, command_id: str, argument: str) -> bool:
        """`/rename` takes the title."""
        if command_id == "conversation.rename" and argument and self._conversation_id:
            self._do(partial(self._rename, self._conversation_id, argument), "rename")
            return True
        return super().command_given(command_id, argument)

    # ---- deleting

    async def delete_conversation(self, conversation_id: str) -> None:
        """Delete a conversation from the history, also the one that is shown: then there is a new one.

        Raises:
            InputError: An answer is arriving in it.
            StoreError: The history cannot be written.
        """
        await self.session.delete(conversation_id)
        self._opened.pop(conversation_id, None)
        self._arrived.pop(conversation_id, None)
        shown = conversation_id == self._conversation_id
        self.forget_written(conversation_id)
        if shown:
            await self.action_new_conversation()
        else:
            self._refresh_target()
