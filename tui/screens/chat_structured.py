"""Structured answers: what form is asked for, and what is done with the answers."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Protocol, cast

from tui.core.text import visible, visible_line
from tui.screens.chat_turns import ChatTurns

if TYPE_CHECKING:
    from tui.core.items import Turn
    from tui.session.schemas import SchemaLibrary

__all__ = ["ChatStructured"]


class _Copier(Protocol):
    def copy_to_clipboard(self, text: str, what: str = "") -> None: ...


class ChatStructured(ChatTurns):
    """The chat screen with schemas, and with trees to take values out of."""

    _schemas: SchemaLibrary | None = None

    def command_given(self, command_id: str, argument: str) -> bool:
        """`/schema`, and `/save-json` with a path."""
        if command_id == "conversation.schema" and argument and self._conversation_id:
            self._do(partial(self._take_schema, argument), "schema")
        elif command_id == "answer.save" and argument:
            self.action_save_json(argument)
        else:
            return super().command_given(command_id, argument)
        return True

    def _choices(self, command: str) -> Iterable[tuple[str, str]]:
        if command != "schema":
            return super()._choices(command)
        if self._schemas is None:
            self._do(self._read_schemas, "schemas", exclusive=True)
            named: list[tuple[str, str]] = []
        else:
            named = [(entry.name, ", ".join(entry.fields)) for entry in self._schemas.entries]
        return [*named, ("json", "any JSON object; the prompt must say JSON"), ("off", "prose again")]

    async def _read_schemas(self) -> None:
        self._schemas = await self.session.schema_library()
        self.composer.offer_again()

    # ---- what is asked for

    def action_open_schemas(self) -> None:
        """List the schemas there are; one may also be typed."""
        if self._conversation_id and not self._lacks("json_schema"):
            self._do(self._open_schemas, "schema", exclusive=True, keys_wait=True)

    async def _open_schemas(self) -> None:
        from tui.screens.schemas import SchemaScreen

        self._schemas = library = await self.session.schema_library()
        now = self.session.conversation(self._conversation_id).controls.text_format or ""

        def chosen(words: str | None) -> None:
            if words:
                self._do(partial(self._take_schema, words), "schema")

        self.outcrop.push_screen(SchemaScreen(library, now), chosen)

    async def _take_schema(self, words: str) -> None:
        from tui.core.structured.output_format import format_problems

        conversation_id = self._conversation_id
        text_format = await self.session.find_format(words)
        problems = format_problems(text_format)
        if not problems:
            await self._ask_for(conversation_id, text_format)
            return
        from tui.screens.mend_schema import MendSchema
        from tui.session.schemas import mended_format

        def answered(mend: bool | None) -> None:
            if mend:
                self._do(partial(self._ask_for, conversation_id, mended_format(text_format)), "schema")

        self.outcrop.push_screen(MendSchema(text_format, problems), answered)

    async def _ask_for(self, conversation_id: str, text_format: str) -> None:
        from tui.core.structured.output_format import JSON_MODE, format_name

        controls = self.session.conversation(conversation_id).controls
        await self.session.set_controls(conversation_id, replace(controls, text_format=text_format or None))
        if not text_format:
            said = "Answers are prose again from the next turn on."
        elif text_format == JSON_MODE:
            said = "JSON mode from the next turn on; the prompt or the instructions must say JSON."
        else:
            said = f"Answers follow the schema “{format_name(text_format)}” from the next turn on."
        self._complain(said, "information", instead=True)
        self._refresh_target()

    # ---- what is done with answers

    def action_copy_value(self) -> None:
        """Copy the value under the cursor."""
        self._copy_here(self.pane.value_here if self._conversation_pane else "", "this value")

    def action_copy_path(self) -> None:
        """Copy the path of the value under the cursor."""
        self._copy_here(self.pane.path_here if self._conversation_pane else "", "its path")

    def _copy_here(self, text: str, what: str) -> None:
        if self._conversation_pane is None or self.pane.tree_at_cursor is None:
            key = self._keys.get("read.open", "")
            self._complain(f"Put the cursor on a value of a JSON answer first ({key}).", "information")
        else:
            cast("_Copier", self.outcrop).copy_to_clipboard(visible(text), what)

    def _structured_turn(self) -> Turn | None:
        """The structured answer that is read, or the last one."""
        from tui.core.structured.table import structured_text

        path = self.session.conversation(self._conversation_id).path() if self._conversation_id else ()
        found = [turn for turn in path if structured_text(turn)]
        view = self.pane.cursor_view if self._conversation_pane is not None else None
        here = self.turn_of_block(view.block.id) if view is not None else ""
        return next((turn for turn in found if turn.id == here), found[-1] if found else None)

    def action_save_json(self, path: str = "") -> None:
        """Write a structured answer to a file."""
        import json

        turn = self._structured_turn()
        if turn is None:
            self._complain("There is no JSON answer in this conversation.", "information", instead=True)
            return
        try:
            text = json.dumps(json.loads(turn.text), ensure_ascii=False, indent=2) + "\n"
        except ValueError:
            text = turn.text
        self._save(text, path or "answer.json", "Save this answer", at_once=bool(path))

    def _save(self, text: str, path: str, title: str, *, at_once: bool = False) -> None:
        from tui.screens.save_file import SaveFile

        def written(said: str | None) -> None:
            if said:
                self._complain(f"Written: {visible_line(said)}", "information", instead=True)

        self.outcrop.push_screen(SaveFile(text.encode("utf-8", "replace"), path, title, at_once), written)

    def action_open_answers(self) -> None:
        """Show the structured answers of the path as one table."""
        from tui.core.structured.table import answers_of, answers_table
        from tui.screens.answers import AnswersScreen

        if not self._conversation_id:
            return
        answers = answers_of(self.session.conversation(self._conversation_id).path())
        self.outcrop.push_screen(AnswersScreen(answers_table(answers), self._save))
