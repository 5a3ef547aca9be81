"""What the chat screen opens: the token dialog, the inspector, the picker, the history."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from textual import events, on

from tui.commands import Command, by_id
from tui.core.errors import KeyringError
from tui.messages import CommandRequested
from tui.screens.chat_composer import ChatComposer

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine
    from typing import Any

    from textual.timer import Timer

    from tui.credentials.credentials import KeyStatus
    from tui.screens.token_dialog import TokenChoice
    from tui.session.session import Session
    from tui.widgets.inspector import Inspector

__all__ = ["ChatViews"]

_LOOK_EVERY = 0.25
BESIDE_FROM = 120
"""Columns from which the inspector stands beside the conversation."""


class ChatViews(ChatComposer):
    """The chat screen with everything that opens over or beside it."""

    def __init__(self, session: Session, keys: dict[str, str]) -> None:
        super().__init__(session, keys)
        self._inspector: Inspector | None = None
        self._watch_timer: Timer | None = None
        self._key_status: KeyStatus | None = None

    def command_given(self, command_id: str, argument: str) -> bool:
        """Run a slash command with what was typed after it; whether it is one that takes something here."""
        return False

    @on(CommandRequested)
    async def _command_requested(self, event: CommandRequested) -> None:
        event.stop()
        command = by_id(event.command_id)
        if command is None:
            return
        from tui.screens.needed import waits_for_session

        run = partial(self._run_command, command, event.argument)
        if not (waits_for_session(command.action) and self.put_off(run)):
            await run()

    async def _run_command(self, command: Command, argument: str) -> None:
        match command.id:
            case "turn.attach" if argument:
                self.read_files((argument,))
            case "composer.paste" if argument:
                self.action_open_paste(argument)
            case "turn.detach":
                self.action_detach(argument)
            case "target.pick" | "target.region" | "target.api" if argument:
                await self._choose_named(command.id, argument)
            case "history.open" if argument:
                self.action_open_history(argument)
            case "theme.pick" if argument:
                self.wardrobe.use_theme(argument)
            case _ if self.command_given(command.id, argument):
                pass
            case _:
                await self.run_action(command.action)

    def put_off(self, work: Callable[[], Coroutine[Any, Any, object]]) -> bool:
        """Do it once the session is there; whether it is not there yet."""
        raise NotImplementedError

    async def _choose_named(self, command_id: str, name: str) -> None:
        match command_id:
            case "target.pick":
                await self._choose(model=name)
            case "target.region":
                await self._choose(region=name)
            case _:
                await self._choose_api(name)

    # ---- the token

    async def _check_token(self) -> None:
        """Ask for a token where there is none; the keyring may take its time, the composer does not wait."""
        if self.session.settings.sandbox or not self._conversation_id:
            return
        place = self._token_place()
        credentials = self.session.credentials
        self._key_status = await credentials.load(place, on_late=self._key_came_late)
        self._refresh_target()
        status = credentials.status(place)
        if not status.usable and self.is_current and credentials.signing(place):
            self.pick_aws_profile(status.sentence)
        elif not status.usable and self.is_current:
            asked = self._key_status
            # A keyring that does not open may well hold a key: only one that was read can say "none".
            shut = status.source == "none" and asked.state in ("locked", "unavailable", "failed")
            said = (asked.sentence,) if shut else (status.sentence, asked.sentence)
            self._ask_token(" ".join(filter(None, said)))

    def _key_came_late(self, status: KeyStatus) -> None:
        """The keyring answered after all."""
        self._key_status = status
        self._refresh_target()
        if status.state == "found":
            self._complain("The keyring has answered: there is a key now.", "information")
        elif status.sentence:
            self._complain(status.sentence)

    def _token_place(self) -> str:
        """Under what the credentials know the token that the next turn needs."""
        return self.session.settings.token_place(self.session.target(self._conversation_id))

    def action_ask_token(self) -> None:
        """Open the dialog for the bearer token."""
        if self.session.settings.sandbox:
            self._complain("The sandbox has a token of its own; no other is read.", "information")
        elif self._conversation_id:
            credentials, place = self.session.credentials, self._token_place()
            status, signing = credentials.status(place), credentials.signing(place)
            if signing and not status.usable:
                self.pick_aws_profile(status.sentence)
            elif status.source == "none":
                # The keyring may have been unlocked meanwhile.
                self._do(self._ask_keyring_again, "token")
            else:
                instead = " A key that is entered here is sent instead." if signing else ""
                self._ask_token(status.sentence + instead)

    async def _ask_keyring_again(self) -> None:
        await self._check_token()
        if (status := self.session.credentials.status(self._token_place())).usable:
            self._complain(status.sentence, "information")

    def pick_aws_profile(self, alarm: str = "") -> None:
        """Ask for another AWS profile."""
        raise NotImplementedError

    def _ask_token(self, message: str) -> None:
        from tui.screens.token_dialog import TokenDialog

        if isinstance(self.outcrop.screen, TokenDialog):
            return
        reachable = self._key_status is None or self._key_status.state not in ("unavailable", "locked")

        def entered(choice: TokenChoice | None) -> None:
            if choice is not None:
                self._do(partial(self._use_token, choice), "token")

        self.outcrop.push_screen(TokenDialog(message, keyring_available=reachable), entered)

    async def _use_token(self, choice: TokenChoice) -> None:
        """Keep what was entered where it was wanted; where the keyring does not do it, for this run."""
        credentials, place = self.session.credentials, self._token_place()
        target = self.session.target(self._conversation_id)
        # A Bedrock key says itself for which region it is; a profile's token is for that profile alone.
        only_for = place if place != target.region else None
        try:
            credentials.remember(choice.token, only_for)
            if signing := credentials.signing(place):
                signing.use("")
            if choice.keep == "keyring":
                await credentials.store(choice.token, only_for)
        except KeyringError as error:
            self._complain(f"{error} The key is used for this run only.")
        status = credentials.status(place)
        self._complain(status.sentence, "information" if status.usable else "warning")
        self._refresh_target()

    # ---- looking closer

    def _exchanges_shown(self) -> None:
        """Let the inspector look again: the list itself, or what came for the last of it."""
        if self._inspector is not None and self._inspector.is_attached:
            session = self.session
            self._inspector.show_exchanges(
                session.exchanges(self._conversation_id), session.left_out(self._conversation_id)
            )

    def _look_again(self) -> None:
        if self._inspector is not None and self._inspector.is_attached:
            self._inspector.refresh_live()

    def action_toggle_inspector(self) -> None:
        """Show the inspector beside the conversation, or over it where that is too narrow; or put it away."""
        from tui.screens.inspecting import prepare_inspector
        from tui.widgets.inspector import Inspector

        if self._inspector is not None and self._inspector.is_attached:
            self._close_inspector()
            return
        exchanges = self.session.exchanges(self._conversation_id)
        left_out = self.session.left_out(self._conversation_id)
        if self.size.width >= BESIDE_FROM:
            self._inspector = Inspector(id="inspector")
            prepare_inspector(self._inspector, self.session)
            self._inspector.show_exchanges(exchanges, left_out)
            self.query_one("#chat-body").mount(self._inspector)
            self.call_after_refresh(self._inspector.focus)
        else:
            from tui.screens.inspector_screen import InspectorScreen

            title = self.session.conversation(self._conversation_id).title if self._conversation_id else ""
            chars = self.session.settings.max_display_chars
            screen = InspectorScreen(exchanges, title=title, left_out=left_out, max_display_chars=chars)
            self._inspector = screen.inspector
            prepare_inspector(self._inspector, self.session)
            self.outcrop.push_screen(screen)
        if self._watch_timer is None:
            self._watch_timer = self.set_interval(_LOOK_EVERY, self._look_again)

    def on_inspector_closed(self) -> None:
        """Escape in the inspector puts it away."""
        self._close_inspector()

    def _close_inspector(self) -> None:
        if self._inspector is not None and self._inspector.screen is self:
            self._inspector.remove()
        self._inspector = None
        if self._watch_timer is not None:
            self._watch_timer.stop()
            self._watch_timer = None
        self.composer.input.focus()

    def on_resize(self, event: events.Resize) -> None:
        """Too narrow for two: the conversation stays."""
        beside = (
            self._inspector is not None and self._inspector.is_attached and self._inspector.screen is self
        )
        if beside and event.size.width < BESIDE_FROM:
            self._close_inspector()

    def action_open_history(self, words: str = "") -> None:
        """List the conversations kept on this machine."""
        from tui.screens.history import HistoryScreen

        session = self.session

        def chosen(conversation_id: str | None) -> None:
            if conversation_id is not None:
                self._do(partial(self.open_conversation, conversation_id), "open", keys_wait=True)

        self.outcrop.push_screen(
            HistoryScreen(
                session.list,
                session.search,
                self.delete_conversation,
                kept=self.kept_at_server,
                current=self._conversation_id,
                query=words,
            ),
            chosen,
        )

    async def kept_at_server(self, conversation_id: str) -> int:
        """How many responses of a conversation the server keeps, as far as is known here."""
        rows = await self.session.responses.list()
        return sum(row.response.conversation_id == conversation_id for row in rows)

    async def delete_conversation(self, conversation_id: str) -> None:
        """Delete a conversation from the history."""
        raise NotImplementedError

    async def open_conversation(self, conversation_id: str) -> None:
        """Show a conversation of the history."""
        raise NotImplementedError
