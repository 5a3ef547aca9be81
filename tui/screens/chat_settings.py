"""What a conversation's turns are sent with: one page, and a command for each."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from tui.core.controls import LEAST_OUTPUT, VERBOSITIES, Controls
from tui.core.errors import InputError
from tui.core.text import visible_line
from tui.screens.chat_views import ChatViews

if TYPE_CHECKING:
    from tui.screens.settings import Chosen
    from tui.session.instructions import Library
    from tui.session.session import Session

__all__ = ["ChatSettings"]

_UNSET = ("unset", "default")


class ChatSettings(ChatViews):
    """The chat screen with the settings of its conversation."""

    def __init__(self, session: Session, keys: dict[str, str]) -> None:
        super().__init__(session, keys)
        self._library: Library | None = None

    def action_open_settings(self, focus: str = "") -> None:
        """Show effort, verbosity, limits and instructions on one page."""
        if self._conversation_id:
            self._do(partial(self._open_settings, focus), "settings", exclusive=True, keys_wait=True)

    async def _open_settings(self, focus: str) -> None:
        from tui.screens.settings import Chosen, SettingsScreen, effort_choices

        session, conversation_id = self.session, self._conversation_id
        self._library = library = await session.instructions_library()
        if self._conversation_id != conversation_id or self.outcrop.screen is not self:
            return
        conversation = session.conversation(conversation_id)
        target = session.target(conversation_id)
        model_id = target.model
        model = session.catalogue.model(model_id)

        def chosen(choice: Chosen | None) -> None:
            if choice is not None:
                self._do(partial(self._keep_settings, conversation_id, choice), "settings")

        screen = SettingsScreen(
            Chosen(conversation.controls, conversation.instructions),
            model,
            effort_choices(model, session.catalogue.models),
            session.settings.max_output_tokens or session.catalogue.default_max_output(model_id),
            library,
            rules=session.catalogue.rules(target.api, target.endpoint),
            sampling=session.sampling_unset(conversation_id),
            guardrail=session.guardrail_words(conversation_id),
            summary_refused=session.summary_was_refused(conversation_id),
            unsent=session.unsent(conversation_id),
            focus=focus,
        )
        self.outcrop.push_screen(screen, chosen)

    async def _keep_settings(self, conversation_id: str, choice: Chosen) -> None:
        name = choice.controls.instructions_name
        await self.session.set_instructions(conversation_id, choice.instructions, name)
        kept = self.session.conversation(conversation_id).controls.instructions_name
        await self.session.set_controls(conversation_id, replace(choice.controls, instructions_name=kept))
        self._refresh_target()

    # ---- by command

    def command_given(self, command_id: str, argument: str) -> bool:
        """`/effort`, `/verbosity`, `/maxtokens` and `/instructions` with a value."""
        if not argument or not self._conversation_id:
            return super().command_given(command_id, argument)
        unset = argument.casefold() in _UNSET
        match command_id:
            case "conversation.effort":
                self._do(
                    partial(self._control, "Effort", effort=None if unset else argument.casefold()),
                    "settings",
                )
            case "conversation.verbosity":
                value = None if unset else argument.casefold()
                self._do(partial(self._control, "Verbosity", verbosity=value), "settings")
            case "conversation.maxtokens":
                digits = argument.replace(",", "").replace("_", "")
                if unset or (digits.isdecimal() and digits.isascii()):
                    limit = None if unset else int(digits)
                    self._do(
                        partial(self._control, "Most output tokens", max_output_tokens=limit), "settings"
                    )
                else:
                    self._complain(f"The limit must be a whole number, {LEAST_OUTPUT} or more, or 'unset'.")
            case "conversation.instructions":
                self._do(partial(self._instruct, argument), "settings")
            case _:
                return super().command_given(command_id, argument)
        return True

    async def _control(self, words: str, **change: str | int | None) -> None:
        """Change one control; what the model refuses is said and changes nothing."""
        conversation_id = self._conversation_id
        before = self.session.conversation(conversation_id).controls
        controls: Controls = replace(before, **change)  # pyright: ignore[reportArgumentType]
        try:
            await self.session.set_controls(conversation_id, controls)
        except InputError as error:
            self._complain(str(error))
            return
        (value,) = change.values()
        shown = "is unset" if value is None else f"is {value:,}" if isinstance(value, int) else f"is {value}"
        self._complain(f"{words} {shown} from the next turn on.", "information")
        self._refresh_target()

    async def _instruct(self, name: str) -> None:
        """Take named instructions, or none."""
        conversation_id = self._conversation_id
        if name.casefold() == "off":
            await self.session.set_instructions(conversation_id, "")
            self._complain("No instructions are sent from the next turn on.", "information")
            return
        self._library = await self.session.instructions_library()
        entry = self._library.named(name)
        if entry is None:
            there = ", ".join(entry.name for entry in self._library.entries)
            self._complain(f"There are no instructions {visible_line(name)}. There are: {there}.")
        else:
            await self.session.set_instructions(conversation_id, entry.text, entry.name)
            self._complain(f"The instructions are “{entry.name}” from the next turn on.", "information")

    def _choices(self, command: str) -> Iterable[tuple[str, str]]:
        """What these commands take, for the composer's completion."""
        if not self._conversation_id:
            return super()._choices(command)
        session = self.session
        model_id = session.target(self._conversation_id).model
        model = session.catalogue.model(model_id)
        match command:
            case "effort":
                from tui.screens.settings import effort_choices

                values = [
                    (value, "the model's own" if words != value else "")
                    for value, words in effort_choices(model, session.catalogue.models)
                ]
                return [*values, ("unset", "leaves it to the model")]
            case "verbosity":
                return [*((value, "") for value in VERBOSITIES), ("unset", "leaves it to the model")]
            case "maxtokens":
                default = session.catalogue.default_max_output(model_id)
                most = model.max_output if model is not None else None
                rows = [(str(default), "what is sent otherwise")]
                return [*rows, *([(str(most), "the most this model gives")] if most else []), ("unset", "")]
            case "instructions":
                return [*self._library_choices(), ("off", "sends none")]
            case _:
                return super()._choices(command)

    def _library_choices(self) -> list[tuple[str, str]]:
        """The named instructions as last read; they are read when the list is first asked for."""
        if self._library is None:
            self._do(self._read_library, "library", exclusive=True)
            return []
        return [(entry.name, entry.description) for entry in self._library.entries]

    async def _read_library(self) -> None:
        self._library = await self.session.instructions_library()
        self.composer.offer_again()
