"""Copying or saving a request in another form: curl, Python, HTTPie, HTTP, JSON, HAR."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, ClassVar, Final, cast

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal
from textual.content import Content
from textual.widgets import Input, Static

from tui.core import figures
from tui.core.errors import InputError
from tui.core.exchange import Exchange
from tui.core.export import FORMS, Export, Unsupported, export, export_har
from tui.core.text import visible_line
from tui.export_files import export_path, taken, write_export
from tui.screens.base import ModalScreen
from tui.widgets.dialog import Dialog
from tui.widgets.inspection.code_rows import code_rows
from tui.widgets.path_input import PathInput
from tui.widgets.rows import Row, RowList, row, wrap
from tui.widgets.virtual_lines import VirtualLines

__all__ = ["Choice", "CopyAs", "CopyRequest"]

_KEYS: Final = "↑↓ form   c copy   s save   PgUp PgDn preview   Esc close"
_SAVE_KEYS: Final = "Tab complete   Enter save   Esc back"
_LISTED: Final = 12
"""Names of files that the completion lists."""


@dataclass(frozen=True, slots=True)
class Choice:
    """A form in the list.

    Attributes:
        name: As `/copy-as` and `/export` take it.
        label: For people.
        stem: Of the file's name.
        make: Makes the export; may take long.
    """

    name: str
    label: str
    stem: str
    make: Callable[[], Export]


def _choices(exchange: Exchange, conversation: Sequence[Exchange]) -> list[Choice]:
    stem = f"exchange-{exchange.number}.{exchange.attempt}"
    choices = [
        Choice(
            form.name,
            "HAR of this request" if form.name == "har" else form.label,
            stem,
            partial(export, exchange, form.name),
        )
        for form in FORMS.values()
        if form.is_for(exchange)
    ]
    whole = f"HAR of all {len(conversation):,}" if len(conversation) > 1 else "HAR of all"
    return [*choices, Choice("har-all", whole, "conversation", partial(export_har, conversation))]


class CopyAs(ModalScreen[None]):
    """Shows something in each form, copies it and saves it; gives nothing.

    Args (of the constructor):
        what: What it is, for the title.
        choices: The forms.
        form: The form under the cursor at first, by its name.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "close", "Close", show=False, id="dialog.close"),
        Binding("c,y,enter", "copy", "Copy", show=False, id="copy_as.copy"),
        Binding("s", "save", "Save", show=False, id="copy_as.save"),
        Binding("pageup", "scroll(-1)", "Preview up", show=False, priority=True, id="copy_as.up"),
        Binding("pagedown", "scroll(1)", "Preview down", show=False, priority=True, id="copy_as.down"),
    ]
    DEFAULT_CSS = """
    CopyAs {
        align: center middle;
        & #copy-both { height: 1fr; }
        & #copy-forms { width: 23; height: 1fr; border-right: solid $panel; }
        & #copy-preview { width: 1fr; height: 1fr; padding: 0 0 0 1; }
        & #copy-path { display: none; margin: 0 0 0 0; }
        &.-saving #copy-path { display: block; }
    }
    """

    def __init__(self, what: str, choices: Sequence[Choice], form: str = "") -> None:
        super().__init__()
        self._what = what
        self._choices = list(choices)
        names = [choice.name for choice in self._choices]
        self._made: dict[str, Export | str] = {}
        self._forms = VirtualLines(
            RowList([row(f" {choice.label}") for choice in self._choices]), cursor=True, id="copy-forms"
        )
        self._first = names.index(form) if form in names else 0
        self._preview = VirtualLines(id="copy-preview")
        self._path = PathInput(placeholder="Path of the file", id="copy-path")
        self._detail = Static("", id="copy-detail", classes="dialog--detail", markup=False)

    def compose(self) -> ComposeResult:
        """The forms, the text of the one under the cursor, what to know of it, where it is saved."""
        yield Dialog(
            Horizontal(self._forms, self._preview, id="copy-both"),
            self._detail,
            self._path,
            title=f"Copy or save {self._what}",
            keys=_KEYS,
        )

    def on_mount(self) -> None:
        """The keys go to the forms."""
        self._forms.move_cursor(self._first)
        self._forms.focus()

    def on_resize(self) -> None:
        """Lines are broken for the width there is."""
        self.call_after_refresh(self._show)

    # ---- the preview

    @property
    def _choice(self) -> Choice:
        return self._choices[self._forms.cursor or 0]

    @on(VirtualLines.Highlighted, "#copy-forms")
    def _moved(self, event: VirtualLines.Highlighted) -> None:
        event.stop()
        self._leave_path()
        self._show()

    @on(VirtualLines.Chosen, "#copy-forms")
    def _chosen(self, event: VirtualLines.Chosen) -> None:
        # A click looks; Enter copies.
        event.stop()
        self._show()

    def _show(self) -> None:
        choice, width = self._choice, self._preview.room
        if width <= 0:
            return
        if choice.name not in self._made:
            self._preview.show(RowList([row(("Making it …", "dim"))]))
            self._detail.update("")
        self.run_worker(
            partial(self._prepare, choice, width),
            group="copy-preview",
            name="copy-preview",
            description="makes the preview",
            exclusive=True,
        )

    async def _prepare(self, choice: Choice, width: int) -> None:
        """Make the export and its rows in a thread: bodies may be large."""
        made = await self._export(choice)

        def rows() -> list[Row]:
            if isinstance(made, str):
                return wrap([row((made, "dim"), words=True)], width)
            return wrap(code_rows(made.text, made.ending), width)

        drawn = await asyncio.to_thread(rows)
        if self._choice is choice:
            self._preview.show(RowList(drawn))
            self._tell(made)

    async def _export(self, choice: Choice) -> Export | str:
        """What was made, or why it cannot be."""
        made = self._made.get(choice.name)
        if made is None:
            try:
                made = await asyncio.to_thread(choice.make)
            except Unsupported as error:
                made = str(error)
            self._made[choice.name] = made
        return made

    def _tell(self, made: Export | str) -> None:
        if isinstance(made, str):
            self._say("")
            return
        lines = [f"{figures.size(len(made.data))}; the token is read from $AWS_BEARER_TOKEN_BEDROCK."]
        if b"AWS's tools find" in made.data:
            lines = [f"{figures.size(len(made.data))}; the keys are found as AWS's tools find them."]
        elif b"$AWS_ACCESS_KEY_ID" in made.data:
            lines = [f"{figures.size(len(made.data))}; the keys are read from $AWS_ACCESS_KEY_ID and so on."]
        elif b"AWS_BEARER_TOKEN_BEDROCK" not in made.data:
            lines = [f"{figures.size(len(made.data))}; no token is in it."]
        if made.files:
            lines.append(f"Beside it: {_names(made)}. Saving writes this too; copying does not.")
        self._say("\n".join([*lines, *(f"{note[:1].upper()}{note[1:]}." for note in made.notes)]))

    def _say(self, text: str, style: str = "$text-muted") -> None:
        lines = [Content.styled(visible_line(line), style) for line in text.split("\n")]
        self._detail.update(Content("\n").join(lines))

    def action_scroll(self, step: int) -> None:
        """Scroll the preview by what is visible."""
        self._preview.action_page(step)

    # ---- copying

    def action_copy(self) -> None:
        """Put the whole text on the clipboard."""
        self.run_worker(partial(self._copy, self._choice), group="copy", exclusive=True)

    async def _copy(self, choice: Choice) -> None:
        made = await self._export(choice)
        if isinstance(made, str):
            self._say(made, "$text-warning")
            return
        cast("Any", self).app.copy_to_clipboard(made.text, choice.label)
        if made.files:
            self._say(
                f"It reads {_names(made)}, which is not on the clipboard: s writes both.", "$text-warning"
            )

    # ---- saving

    def action_save(self) -> None:
        """Ask for the path."""
        self.run_worker(partial(self._ask_path, self._choice), group="copy", exclusive=True)

    async def _ask_path(self, choice: Choice) -> None:
        made = await self._export(choice)
        if isinstance(made, str):
            self._say(made, "$text-warning")
            return
        self.add_class("-saving")
        self.query_one(Dialog).border_subtitle = Content(_SAVE_KEYS)
        with self._path.prevent(Input.Changed):
            self._path.value = f"{choice.stem}.{made.ending}"
        self._path.focus()
        self._say(f"Into {visible_line(str(Path.cwd()))}, unless the path says otherwise.")

    @on(PathInput.Offered)
    def _offered(self, event: PathInput.Offered) -> None:
        event.stop()
        shown = [file.shown for file in event.choices[:_LISTED]]
        more = len(event.choices) - len(shown)
        self._say("  ".join([*shown, *([f"and {more:,} more"] if more else [])]))

    @on(Input.Submitted, "#copy-path")
    def _entered(self, event: Input.Submitted) -> None:
        event.stop()
        made = self._made.get(self._choice.name)
        if not isinstance(made, Export):
            return
        try:
            path = export_path(event.value)
        except InputError as error:
            self._say(str(error), "$text-error")
            return
        there = taken(made, path)
        if there:
            self._ask_over(made, path, there)
        else:
            self._write(made, path)

    def _ask_over(self, made: Export, path: Path, there: Sequence[Path]) -> None:
        from tui.screens.history import ConfirmScreen

        names = " and ".join(visible_line(str(target)) for target in there)
        verb = "is" if len(there) == 1 else "are"

        def answered(yes: bool | None) -> None:
            if yes:
                self._write(made, path, over=True)

        question = f"{names} {verb} there already. Write over {'it' if len(there) == 1 else 'them'}?"
        cast("Any", self).app.push_screen(ConfirmScreen(question, yes="Write over", no="Keep"), answered)

    def _write(self, made: Export, path: Path, *, over: bool = False) -> None:
        self.run_worker(partial(self._write_now, made, path, over), group="copy", exclusive=True)

    async def _write_now(self, made: Export, path: Path, over: bool) -> None:
        try:
            written = await asyncio.to_thread(write_export, made, path, over=over)
        except InputError as error:
            self._say(str(error), "$text-error")
            return
        self._leave_path()
        lines = [f"{target} ({figures.size(size)})" for target, size in written]
        self._say("Saved, for you alone to read: " + ", ".join(lines), "$text-success")

    def _leave_path(self) -> None:
        if self.has_class("-saving"):
            self.remove_class("-saving")
            self.query_one(Dialog).border_subtitle = Content(_KEYS)
            self._forms.focus()

    def action_close(self) -> None:
        """Leave the path, or the dialog."""
        if self.has_class("-saving"):
            self._leave_path()
            self._tell(self._made.get(self._choice.name, ""))
        else:
            self.dismiss(None)


def _names(made: Export) -> str:
    return ", ".join(f"{file.name} ({figures.size(len(file.data))})" for file in made.files)


class CopyRequest(CopyAs):
    """Shows a request in each form, copies it and saves it; gives nothing.

    Args (of the constructor):
        exchange: The request.
        conversation: All requests of its conversation, oldest first.
        form: The form under the cursor at first, by its name.
    """

    def __init__(self, exchange: Exchange, conversation: Sequence[Exchange], form: str = "") -> None:
        what = f"#{exchange.number}.{exchange.attempt} {exchange.method} {visible_line(exchange.model)}"
        super().__init__(what.strip(), _choices(exchange, conversation), form)
