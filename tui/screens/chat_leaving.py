"""A conversation leaves: shown in each form, copied, saved."""

from __future__ import annotations

from functools import partial

from tui.core.text import visible_line
from tui.screens.chat_turns import ChatTurns

__all__ = ["ChatLeaving"]


class ChatLeaving(ChatTurns):
    """The chat screen with what takes its conversation elsewhere."""

    def command_given(self, command_id: str, argument: str) -> bool:
        """`/export` takes a form."""
        if command_id != "conversation.export" or not argument:
            return super().command_given(command_id, argument)
        self.action_export_conversation(argument)
        return True

    def action_export_conversation(self, form: str = "") -> None:
        """Show the conversation as text, as data and as programs that go on with it."""
        from tui.core.leaving.forms import LEAVING_FORMS
        from tui.screens.copy_request import Choice, CopyAs

        if not self._conversation_id:
            return
        conversation = self.session.conversation(self._conversation_id)
        if not conversation.path():
            self._complain("There is nothing in this conversation yet.", "information", instead=True)
            return
        if form and form not in LEAVING_FORMS:
            names = ", ".join(LEAVING_FORMS)
            self._complain(f"There is no form {visible_line(form)}; there are {names}.")
            return
        stem, session = "conversation", self.session
        choices = [
            Choice(one.name, one.label, stem, partial(session.leave, conversation, one.name, f"{stem}-"))
            for one in LEAVING_FORMS.values()
        ]
        self.outcrop.push_screen(CopyAs("this conversation", choices, form))
