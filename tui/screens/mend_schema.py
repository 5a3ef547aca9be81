"""A schema that breaks strict rules: where, and the offer to mend it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, VerticalScroll
from textual.content import Content
from textual.widgets import Button, Static

from tui.core.json_places import path_text
from tui.core.structured.output_format import format_name
from tui.core.structured.strict import Problem
from tui.core.text import visible_line
from tui.screens.base import ModalScreen
from tui.widgets.dialog import Dialog

__all__ = ["MendSchema"]

_MENDS = (
    "Mending asks for every property and lets those that were optional be null; it shuts objects for other "
    "names, and leaves out keywords that strict mode has not. Your file stays as it is."
)


class MendSchema(ModalScreen[bool]):
    """Gives whether the schema is to be mended."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,n", "answer(False)", "Leave it", show=False, id="mend.leave"),
        Binding("m,y", "answer(True)", "Mend it", show=False, id="mend.yes"),
        Binding("left", "app.focus_previous", "Other answer", show=False, id="mend.previous"),
        Binding("right", "app.focus_next", "Other answer", show=False, id="mend.next"),
    ]
    DEFAULT_CSS = """
    MendSchema {
        align: center middle;
        & Dialog { width: 84; max-width: 94%; height: auto; max-height: 90%; padding: 1 2; }
        & Static { height: auto; padding-bottom: 1; }
        & VerticalScroll { height: auto; max-height: 12; margin-bottom: 1; }
        & .mend--how { color: $text-muted; }
        & Horizontal { height: auto; align-horizontal: right; }
        & Button { margin-left: 2; }
    }
    """

    def __init__(self, text_format: str, problems: Sequence[Problem]) -> None:
        super().__init__()
        self._name = format_name(text_format)
        self._problems = problems
        self._mendable = all(problem.mendable for problem in problems)

    def compose(self) -> ComposeResult:
        """The problems with their places, what mending does, and the answers."""
        lines: list[Content] = []
        for problem in self._problems[:200]:
            where = visible_line(path_text(problem.path))
            lines.append(Content.assemble((where, "$text-primary"), "  ", visible_line(problem.text)))
        how = (
            _MENDS if self._mendable else "What is too large cannot be mended here: make the schema smaller."
        )
        answers = [Button("Leave it", id="mend-no", compact=True)]
        if self._mendable:
            answers.append(Button("Mend and use it", id="mend-yes", variant="primary", compact=True))
        count = len(self._problems)
        yield Dialog(
            VerticalScroll(Static(Content("\n").join(lines), id="mend-problems"), can_focus=False),
            Static(Content(how), classes="mend--how"),
            Horizontal(*answers),
            title=f"{self._name} breaks strict rules at {count} place{'s' * (count != 1)}",
            keys="m mends · Esc leaves it" if self._mendable else "Esc",
        )

    def on_mount(self) -> None:
        """Enter mends, where that helps."""
        self.query(Button).last().focus()

    @on(Button.Pressed)
    def _pressed(self, event: Button.Pressed) -> None:
        event.stop()
        self.action_answer(event.button.id == "mend-yes")

    def action_answer(self, mend: bool) -> None:
        """Answer with a key."""
        self.dismiss(mend and self._mendable)
