"""Choose model and region in one list: type to search, Enter takes it, what is impossible says why."""

from __future__ import annotations

from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Input, Static

from tui.core.catalogue import Catalogue
from tui.core.text import visible_line
from tui.widgets.columns import TableTitles
from tui.widgets.dialog import Dialog
from tui.widgets.pairings import Choice, PairingTable, all_choices, detail_of, search
from tui.widgets.rows import Mark
from tui.widgets.virtual_lines import VirtualLines

__all__ = ["PickerScreen"]

_STYLES: dict[Mark | None, str] = {
    None: "$foreground",
    "key": "$text-primary bold",
    "error": "$text-error",
    "warning": "$text-warning",
    "dim": "$text-muted",
}


class PickerScreen(ModalScreen[tuple[str, str] | None]):
    """Gives the chosen (model id, region), or `None`.

    Args (of the constructor):
        catalogue: Models and regions.
        model: The model id in use.
        region: The region in use.
        endpoint: `mantle`, `runtime` or `custom`.
        token_region: The region that the token is bound to, if it is a short-term key.
        query: What the search begins with.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "cancel", "Cancel", show=False, id="dialog.close"),
        Binding("up,ctrl+p", "move(-1)", "Up", show=False, priority=True, id="list.up"),
        Binding("down,ctrl+n", "move(1)", "Down", show=False, priority=True, id="list.down"),
        Binding("pageup", "page(-1)", "Page up", show=False, priority=True, id="list.page_up"),
        Binding("pagedown", "page(1)", "Page down", show=False, priority=True, id="list.page_down"),
    ]
    DEFAULT_CSS = """
    PickerScreen { align: center middle; }
    """

    def __init__(
        self,
        catalogue: Catalogue,
        model: str,
        region: str,
        endpoint: str,
        token_region: str | None = None,
        *,
        query: str = "",
    ) -> None:
        super().__init__()
        self._current = (model, region)
        self._all = all_choices(catalogue, self._current, endpoint, token_region)
        self._shown: list[Choice] = []
        self._table = PairingTable(self._all, self._current)
        self._query = query
        self._refused: Choice | None = None
        self._endpoint = endpoint
        self._list = VirtualLines(cursor=True, id="picker-list", classes="-active")
        self._list.can_focus = False

    def compose(self) -> ComposeResult:
        """Search, list, and what there is to say of the row under the cursor."""
        yield Dialog(
            Input(
                self._query, placeholder="Search model and region", id="picker-search", select_on_focus=False
            ),
            TableTitles(self._table.titles),
            self._list,
            Static("", id="picker-detail", classes="dialog--detail", markup=False),
            title=f"Model and region on {visible_line(self._endpoint)}",
            keys="↑↓ move   Enter take   Esc cancel",
        )

    def on_mount(self) -> None:
        """The pairing in use is under the cursor."""
        self._search(self._query)
        self.query_one(Input).focus()

    @on(Input.Changed, "#picker-search")
    def _typed(self, event: Input.Changed) -> None:
        event.stop()
        self._search(event.value)

    def _search(self, typed: str) -> None:
        self._shown = search(self._all, typed)
        places = [(choice.model_id, choice.region) for choice in self._shown]
        cursor = places.index(self._current) if not typed.strip() and self._current in places else 0
        self._list.show(self._table.of(self._shown), cursor=cursor)
        self._say()

    @property
    def _highlighted(self) -> Choice | None:
        index = self._list.cursor
        return None if index is None else self._shown[index]

    def _say(self) -> None:
        """Tell about the row under the cursor."""
        self._refused = None
        choice = self._highlighted
        if choice is None:
            lines: list[tuple[str, Mark | None]] = [("Nothing matches. Fewer letters find more.", "dim")]
        else:
            lines = detail_of(choice)
        self._tell(lines)

    def _tell(self, lines: list[tuple[str, Mark | None]]) -> None:
        parts = [Content.styled(visible_line(text), _STYLES.get(mark, "")) for text, mark in lines]
        self.query_one("#picker-detail", Static).update(Content("\n").join(parts))

    @on(VirtualLines.Highlighted)
    def _moved(self, event: VirtualLines.Highlighted) -> None:
        event.stop()
        self._say()

    @on(VirtualLines.Chosen)
    def _clicked(self, event: VirtualLines.Chosen) -> None:
        event.stop()
        self._take()

    @on(Input.Submitted, "#picker-search")
    def _entered(self, event: Input.Submitted) -> None:
        event.stop()
        self._take()

    def _take(self) -> None:
        """Choose the row; an impossible one says why, and a second time gives the nearest that works."""
        choice = self._highlighted
        if choice is None:
            return
        if choice.pairing.possible:
            self.dismiss((choice.model_id, choice.region))
            return
        near = choice.pairing.nearest
        if self._refused is choice and near is not None:
            self.dismiss(near)
            return
        lines: list[tuple[str, Mark | None]] = [(choice.pairing.reason, "error")]
        if near is None:
            lines.append(("Nothing near it works on this endpoint.", None))
        else:
            lines.append((f"The nearest that works: {near[0]} in {near[1]}. Enter again takes it.", "key"))
        self._tell(lines)
        self._refused = choice

    def action_move(self, step: int) -> None:
        """Move the cursor; the search keeps the keys."""
        self._list.action_move(step)

    def action_page(self, step: int) -> None:
        """Move by what is visible."""
        self._list.action_page(step)

    def action_cancel(self) -> None:
        """Change nothing."""
        self.dismiss(None)
