"""The tools there are: which are on in this conversation, and what each of them runs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Final, Literal, Protocol, cast

from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal
from textual.content import Content
from textual.widgets import Button, Static, TextArea

from tui.core.text import visible, visible_line
from tui.screens.base import ModalScreen
from tui.screens.list_dialog import ListDialog
from tui.widgets.columns import Cell, Column, layout, table_row, titles_row
from tui.widgets.dialog import Dialog
from tui.widgets.rows import Row

__all__ = ["ToolHost", "ToolLine", "ToolSourceScreen", "ToolsScreen"]

_COLUMNS: Final = (
    Column("on", "", 1, 1, 0),
    Column("name", "Name", 14, 30, 0),
    Column("state", "", 10, 22, 1),
    Column("kind", "Kind", 8, 10, 3),
    Column("runs", "Runs", 20, 70, 2),
)


@dataclass(frozen=True, slots=True)
class ToolLine:
    """A line of the list.

    Attributes:
        name: The tool's, the server's; the tool's name that a rule is about.
        what: `tool`, `server` (of MCP, whose tools come when it is turned on) or `rule`.
        on: Whether it is on in this conversation.
        state: More about it, in words.
        kind: `function`, `custom`, `MCP server`, `rule`.
        runs: What it is, in a few words.
        description: For below the list.
        source: What it runs, whole.
        rule: The number of a rule.
    """

    name: str
    what: Literal["tool", "server", "rule"]
    on: bool
    state: str
    kind: str
    runs: str
    description: str
    source: str = ""
    rule: int = 0


class ToolHost(Protocol):
    """What the dialog asks of the chat screen."""

    async def tool_lines(self) -> Sequence[ToolLine]:
        """The tools as they are now."""
        ...

    async def switch_tool(self, line: ToolLine) -> str:
        """Turn a tool on or off, connect a server, forget a rule; returns what is wrong, or nothing."""
        ...


class _Lines:
    """The tools as rows."""

    def __init__(self, lines: Sequence[ToolLine]) -> None:
        self.lines = lines

    def __len__(self) -> int:
        """How many."""
        return len(self.lines)

    def row(self, index: int, width: int) -> Row:
        """The tool at `index`."""
        line = self.lines[index]
        cells: dict[str, Cell] = {
            "on": ("●" if line.on else "○", "success" if line.on else "dim"),
            "name": (line.name, None if line.on else "dim"),
            "state": (line.state, "accent"),
            "kind": (line.kind, "dim"),
            "runs": (line.runs, "dim"),
        }
        return table_row(layout(_COLUMNS, width), cells)


class ToolsScreen(ListDialog[None]):
    """Lists the tools; Enter turns one on, after its code was shown, or off.

    Args (of the constructor):
        host: The chat screen.
        lines: The tools as they are.
        where: The file of the config folder, for who has none.
    """

    NAME: ClassVar[str] = "tools"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "close", "Close", show=False, id="dialog.close"),
    ]

    def __init__(self, host: ToolHost, lines: Sequence[ToolLine], where: str) -> None:
        super().__init__()
        self._host = host
        self._lines = lines
        self._where = where
        self._problem = ""

    def compose(self) -> ComposeResult:
        """The list."""
        yield self._framed(title="Tools of this conversation", keys="Enter turns on or off   Esc closes")

    def on_mount(self) -> None:
        """Show what there is."""
        self._draw(0)

    def _draw(self, cursor: int) -> None:
        nothing = (
            "There are no tools. Declare them in\n"
            f"{visible_line(self._where)}\nor start with --tools FILE; /preset brightcart brings an example."
        )
        self._show_rows(_Lines(self._lines), cursor, nothing)
        self._describe()
        self._list.focus()

    def _titles_row(self, width: int) -> Row:
        return titles_row(_COLUMNS, width)

    def _line(self) -> ToolLine | None:
        index = self._list.cursor or 0
        return self._lines[index] if index < len(self._lines) else None

    def _describe(self) -> None:
        line = self._line()
        if self._problem:
            self._say(self._problem, "$text-error")
        elif line is not None:
            self._say(line.description.split("\n\n")[0].replace("\n", " "), above=line.runs)

    def _choose(self) -> None:
        line = self._line()
        if line is None:
            return
        self._problem = ""
        if line.on or line.what == "rule":
            self._switch(line)
            return

        def answered(yes: bool | None) -> None:
            if yes:
                self._switch(line)

        # The app's type is generic and unknown here.
        cast("Any", self).app.push_screen(ToolSourceScreen(line.name, line.source), answered)

    @work(exclusive=True)
    async def _switch(self, line: ToolLine) -> None:
        cursor = self._list.cursor or 0
        self._say("One moment …")
        self._problem = await self._host.switch_tool(line)
        self._lines = await self._host.tool_lines()
        self._draw(min(cursor, max(0, len(self._lines) - 1)))

    def action_close(self) -> None:
        """Go back to the conversation."""
        self.dismiss(None)


class ToolSourceScreen(ModalScreen[bool]):
    """What a tool runs, before it is turned on; gives whether it is to be.

    Args (of the constructor):
        name: What is to be turned on.
        source: Its code, or its command.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "cancel", "Cancel", show=False, id="dialog.close"),
    ]
    DEFAULT_CSS = """
    ToolSourceScreen {
        align: center middle;
        & Dialog { max-width: 120; padding: 0 1; }
        & Static { height: auto; color: $text-muted; padding: 0 1; }
        & TextArea { height: 1fr; min-height: 3; border: none; padding: 0 1; background: $panel; }
        & TextArea:focus { border: none; }
        & Horizontal { height: 1; align-horizontal: right; margin-top: 1; }
        & Button { margin-left: 2; }
    }
    """

    def __init__(self, name: str, source: str) -> None:
        super().__init__()
        self._name = name
        self._source = source

    def compose(self) -> ComposeResult:
        """The code, and the two answers."""
        said = (
            "This runs on your machine, as you, each time you allow a call. The model reads its description."
        )
        yield Dialog(
            Static(Content(said)),
            TextArea(visible(self._source), read_only=True, soft_wrap=True, id="tool-source"),
            Horizontal(
                Button(Content("Cancel"), id="tool-cancel", compact=True),
                Button(Content("Turn on"), id="tool-on", variant="primary", compact=True),
            ),
            title=f"Turn on {visible_line(self._name)}",
            keys="Tab to the buttons   Esc cancels",
        )

    def on_mount(self) -> None:
        """Enter turns on what was read."""
        self.query_one("#tool-on", Button).focus()

    @on(Button.Pressed)
    def _pressed(self, event: Button.Pressed) -> None:
        event.stop()
        self.dismiss(event.button.id == "tool-on")

    def action_cancel(self) -> None:
        """Leave it off."""
        self.dismiss(False)
