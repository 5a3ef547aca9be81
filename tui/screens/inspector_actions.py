"""What is done with the request under the inspector's cursor: copied, saved, edited, sent again."""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import AsyncGenerator
from functools import partial
from typing import TYPE_CHECKING, Any, cast

from tui.core.errors import InputError
from tui.core.text import visible_line
from tui.screens.chat_reading import ChatReading

if TYPE_CHECKING:
    from tui.core.conversation import Conversation
    from tui.core.exchange import Exchange
    from tui.core.items import Item, Turn
    from tui.core.replays import Replay
    from tui.screens.chat import ChatScreen
    from tui.screens.edit_request import Edited
    from tui.screens.queue import Queued
    from tui.session.session import Session
    from tui.widgets.inspector import Inspector

__all__ = ["ChatRequests", "RequestActions"]


class RequestActions:
    """For a screen that holds the inspector: the chat screen below does what is asked."""

    @property
    def _chat(self) -> ChatScreen:
        return cast("ChatScreen", cast("Any", self).app.chat)

    def action_copy_request_as(self) -> None:
        """Copy or save the request in another form."""
        self._chat.action_copy_request_as()

    def action_edit_request(self) -> None:
        """Change the request's body and send it."""
        self._chat.action_edit_request()

    def action_replay_request(self) -> None:
        """Send the request again."""
        self._chat.action_replay_request()


class ChatRequests(ChatReading):
    """The chat screen with what is done with recorded requests."""

    def __init__(self, session: Session, keys: dict[str, str]) -> None:
        super().__init__(session, keys)
        # Edited bodies that were left, by exchange: nothing that was typed is lost.
        self._edited_texts: dict[str, str] = {}

    def command_given(self, command_id: str, argument: str) -> bool:
        """`/copy-as` takes a form, `/replay` how often."""
        match command_id:
            case "request.copy_as" if argument:
                self.action_copy_request_as(argument)
            case "request.replay" if argument:
                self.action_replay_request(argument)
            case _:
                return super().command_given(command_id, argument)
        return True

    def send_edited(self, queued: Queued) -> None:
        """Send an edited request as a turn beside the one it was made of."""
        raise NotImplementedError

    # ---- which

    @property
    def current_exchange(self) -> Exchange | None:
        """The request under the inspector's cursor, else the last one of the conversation that is shown."""
        # One that is a screen of its own, that of the checks, is the one that is looked at.
        inspector: Inspector | None = getattr(self.outcrop.screen, "inspector", None) or self._inspector
        if inspector is not None and inspector.is_attached:
            selected = inspector.selected
            if selected is not None:
                return selected
        exchanges = self.session.exchanges(self._conversation_id) if self._conversation_id else []
        return exchanges[-1] if exchanges else None

    def _some_exchange(self) -> Exchange | None:
        exchange = self.current_exchange
        if exchange is None:
            self._complain("No request has been sent in this conversation yet.", "information", instead=True)
        return exchange

    def show_exchange(self, exchange_id: str) -> None:
        """Put the inspector's cursor on an exchange; the inspector is opened where it is not."""
        if self._inspector is None or not self._inspector.is_attached:
            self.action_toggle_inspector()
        self._exchanges_shown()
        if self._inspector is not None:
            self._inspector.select(exchange_id)

    # ---- copying and saving

    def action_copy_request_as(self, form: str = "") -> None:
        """Show a request as curl, Python, HTTPie, HTTP, JSON and HAR, to be copied or saved."""
        from tui.core.export import FORMS
        from tui.screens.copy_request import CopyRequest

        exchange = self._some_exchange()
        if exchange is None:
            return
        if form and form not in FORMS and form != "har-all":
            names = ", ".join([*FORMS, "har-all"])
            self._complain(f"There is no form {visible_line(form)}; there are {names}.")
            return
        exchanges = self.session.exchanges(self._conversation_id)
        self.outcrop.push_screen(CopyRequest(exchange, exchanges, form))

    # ---- sending again

    def action_replay_request(self, times: str = "1") -> None:
        """Ask how often, then send a request again as it was."""
        exchange = self._some_exchange()
        if exchange is not None:
            if times.isdecimal() and 0 < int(times) < 1000:
                self._replay(exchange, int(times))
            else:
                self._complain(f"How often? {visible_line(times)} is no number from 1 to 999.")

    def _replay(self, exchange: Exchange, times: int, edited: Edited | None = None) -> None:
        from tui.screens.replay_request import ReplayRequest, Sender

        session, conversation_id = self.session, exchange.conversation_id

        def send(count: int) -> AsyncGenerator[Replay, None]:
            body = None if edited is None else edited.body
            return session.replay(exchange, count, body=body, anyway=edited is not None and edited.anyway)

        def newest() -> Exchange | None:
            exchanges = session.exchanges(conversation_id) if conversation_id else []
            return exchanges[-1] if exchanges else None

        def shown(exchange_id: str | None) -> None:
            self._exchanges_shown()
            if exchange_id is not None and conversation_id == self._conversation_id:
                self.show_exchange(exchange_id)
                if edited is not None and any(
                    one.id == exchange_id and one.status == 200 for one in session.exchanges(conversation_id)
                ):
                    self._edited_texts.pop(exchange.id, None)

        what = "Send again" if edited is None else "Sending the edited request"
        title = f"{what} · {_named(exchange)}"
        sender = Sender(send, newest, lambda count: self._cost(exchange, count))
        self.outcrop.push_screen(ReplayRequest(title, sender, times=times, ask=edited is None), shown)

    def _cost(self, exchange: Exchange, times: int) -> str:
        from tui.core.resend import cost_words

        model = self.session.catalogue.model(exchange.model)
        return cost_words(exchange, model, times, sandbox=self.session.settings.sandbox)

    # ---- editing

    def action_edit_request(self) -> None:
        """Change a request's body and send it."""
        exchange = self._some_exchange()
        if exchange is not None:
            self._do(partial(self._edit_request, exchange), "edit request", keys_wait=True)

    async def _edit_request(self, exchange: Exchange) -> None:
        from tui.core.apis.asked import asked_of
        from tui.core.body_text import EditableBody
        from tui.screens.edit_request import Editing, EditRequest

        asked = asked_of(exchange)
        if asked is None:
            raise InputError("Only requests for a response can be sent again; this one is none.")
        body = await asyncio.to_thread(EditableBody.of, exchange.request_body)

        def keep_text(text: str | None) -> None:
            if text is None:
                self._edited_texts.pop(exchange.id, None)
            else:
                self._edited_texts[exchange.id] = text

        async def why_not(changed: bytes) -> str:
            try:
                await self._branch_of(exchange, changed)
            except InputError as error:
                return str(error)
            return ""

        def entered(edited: Edited | None) -> None:
            if edited is None:
                return
            if edited.keep:
                self._do(partial(self._keep_as_branch, exchange, edited), "branch")
            else:
                self._replay(exchange, 1, edited)

        editing = Editing(
            f"Edit and send · {_named(exchange)}",
            body,
            self._edited_texts.get(exchange.id),
            self._cost(exchange, 1),
            self._edit_json_outside,
            why_not,
            keep_text,
            asked.api,
        )
        self.outcrop.push_screen(EditRequest(editing), entered)

    async def _edit_json_outside(self, text: str) -> str:
        from tui.terminal.external_editor import edit_text, editor_command

        command = editor_command(os.environ)
        return await edit_text(text, command, self._run_in_terminal, what="body", suffix=".json")

    async def _branch_of(
        self, exchange: Exchange, body: bytes
    ) -> tuple[Conversation, str | None, tuple[Item, ...]]:
        """Where an edited body goes in the conversation's tree, and what is new there."""
        from tui.core.apis.branching import branch_of

        if not exchange.conversation_id or exchange.conversation_id != self._conversation_id:
            raise InputError("This request belongs to another conversation.")
        if sentence := self._why_not():
            raise InputError(sentence)
        conversation = self.session.conversation(exchange.conversation_id)
        target = self.session.target(exchange.conversation_id)

        def find() -> tuple[str | None, tuple[Item, ...]]:
            fields = json.loads(body)
            if fields.get("background") is True:
                raise InputError(
                    "A request for a background answer cannot be kept as a branch: take background out."
                )
            return branch_of(exchange, fields, conversation, target)

        try:
            parent, items = await asyncio.to_thread(find)
        except ValueError as error:
            raise InputError(str(error)) from None
        return conversation, parent, items

    async def _keep_as_branch(self, exchange: Exchange, edited: Edited) -> None:
        """Send it as a turn, drawn as it streams; the inspector shows its request."""
        from tui.core.items import Turn
        from tui.screens.queue import EditedRequest, Queued

        conversation, parent, items = await self._branch_of(exchange, edited.body)
        beside: Turn | None = conversation.turns.get(exchange.turn_id)
        turn_id = beside.id if beside else parent or conversation.tip or ""
        instead = Turn(id=turn_id, parent_id=parent, input=items, created_at=0.0)
        request = EditedRequest(exchange, edited.body, edited.anyway)
        self.send_edited(Queued(instead.prompt, again=instead, edited=request))


def _named(exchange: Exchange) -> str:
    return f"#{exchange.number}.{exchange.attempt} {visible_line(exchange.model)}".strip()
