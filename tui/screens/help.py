"""Keys and commands as they are now, made from the table that makes them work."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING, ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical, VerticalScroll
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Static

from tui.commands import COMMANDS
from tui.core.text import visible_line
from tui.key_names import display_key
from tui.keymap import Keymap

if TYPE_CHECKING:
    from tui.config import Settings

__all__ = ["HelpScreen"]

_KEY_WIDTH = 17
_WIDEST = 92
_MOUSE = (
    ("Click", "a hint, a part of the status line, a link, the cross of a chip, a folded block"),
    ("Drag", "selects text in the conversation; Ctrl+C copies it"),
    ("Wheel", "scrolls; the conversation follows the end again once it is in sight"),
)


class HelpScreen(ModalScreen[None]):
    """A page to read and scroll; Escape closes it."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,f1,q", "close", "Close", show=False),
        Binding("up,k", "scroll(-1)", "Up", show=False),
        Binding("down,j", "scroll(1)", "Down", show=False),
        Binding("pageup", "scroll(-12)", "Page up", show=False),
        Binding("pagedown,space", "scroll(12)", "Page down", show=False),
    ]
    DEFAULT_CSS = """
    HelpScreen {
        align: center middle;
        background: $background 60%;
        & > Vertical {
            width: 92;
            max-width: 100%;
            height: auto;
            max-height: 100%;
            padding: 1 1 1 2;
            background: $panel;
            border: round $primary;
            border-title-color: $text-primary;
            border-subtitle-color: $text-muted;
        }
        & VerticalScroll {
            height: auto;
            max-height: 100%;
            background: $panel;
            scrollbar-size-vertical: 1;
            scrollbar-background: $panel;
        }
        & Static { width: 1fr; height: auto; }
    }
    """

    def __init__(self, settings: Settings, keymap: Keymap) -> None:
        super().__init__()
        self._settings = settings
        self._keymap = keymap

    def compose(self) -> ComposeResult:
        """The page in its frame."""
        with Vertical() as box:
            box.border_title = "Help"
            box.border_subtitle = "↑ ↓ PgUp PgDn · Esc closes"
            with VerticalScroll(can_focus=False):
                yield Static("", markup=False)

    def on_resize(self) -> None:
        """The text is set in two columns for the width there is."""
        self.query_one(Static).update(self.page(max(40, min(_WIDEST, self.size.width) - 8)))

    def page(self, width: int) -> Content:
        """The whole text, `width` columns wide."""

        def _row(keys: str, text: str, slash: str = "") -> Content:
            return _set_row(keys, text, slash, width)

        lines = [_heading("The composer"), *(_row(key, text) for key, text in self._composer())]
        groups = dict.fromkeys(command.group for command in COMMANDS)
        for group in groups:
            lines += [Content(""), _heading(group)]
            for command in COMMANDS:
                if command.group == group:
                    keys = "  ".join(self._keymap.shown(command.id))
                    slash = f"/{command.slash} {command.argument}".rstrip() if command.slash else ""
                    text = f"{command.title}. {command.help}"
                    lines.append(_row(keys, text, slash) if keys else _row(slash, text))
        lines += [Content(""), _heading("The mouse"), *(_row(key, text) for key, text in _MOUSE)]
        where = visible_line(str(self._settings.config_dir / "config.toml"))
        ids = ", ".join(command.id for command in COMMANDS)
        lines += [
            Content(""),
            _heading("Your own keys"),
            Content.styled(
                f"The table [keys] of {where} gives commands other keys, by these ids: {ids}.", "dim"
            ),
        ]
        return Content("\n").join(lines)

    def _composer(self) -> tuple[tuple[str, str], ...]:
        settings = self._settings
        return (
            (display_key(settings.send_key), "Sends. While an answer arrives the prompt waits in a queue."),
            (
                display_key(settings.newline_key),
                "Begins a new line; Shift+Enter and Alt+Enter too, where the terminal can tell them apart.",
            ),
            ("/", "At the beginning lists the commands below; Tab completes, paths of /attach too."),
            ("↑ ↓", "On the first and last line go through earlier prompts; ↑ takes a queued one back."),
            ("Ctrl+Z Ctrl+Y", "Undo and redo. Pasting never sends; a pasted path of a PDF attaches it."),
            (
                "Ctrl+C",
                "Copies what is selected; else empties the composer; pressed twice when empty, quits.",
            ),
            (
                "Tab",
                "Goes to the attachments and the conversation: arrows scroll it, Enter unfolds, Del removes.",
            ),
        )

    def action_scroll(self, lines: int) -> None:
        """Scroll the page."""
        self.query_one(VerticalScroll).scroll_relative(y=lines, animate=False)

    def action_close(self) -> None:
        """Back to the conversation."""
        self.dismiss(None)


def _heading(text: str) -> Content:
    return Content.styled(text, "bold $text-secondary")


def _set_row(keys: str, text: str, slash: str, width: int) -> Content:
    """A row with the text in a column of its own, the slash command after it."""
    lines = textwrap.wrap(text, width - _KEY_WIDTH)
    if slash and len(lines[-1]) + 2 + len(slash) > width - _KEY_WIDTH:
        lines.append("")
    column = Content("\n" + " " * _KEY_WIDTH).join([Content(line) for line in lines])
    if len(keys) >= _KEY_WIDTH:
        keys += "\n" + " " * _KEY_WIDTH
    row = Content.styled(f"{keys:<{_KEY_WIDTH}}", "bold $text-primary") + column
    return row + Content.styled(f"{'  ' if lines[-1] else ''}{slash}", "$text-accent") if slash else row
