"""Every key and command as it is now, searched as one types; made from the tables that make them work."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator
from functools import lru_cache
from typing import TYPE_CHECKING, ClassVar, Final

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.widgets import Input

from tui.core.text import visible_line
from tui.keys.key_names import display_key
from tui.keys.key_table import Entry, Section, sections
from tui.keys.keymap import Keymap
from tui.screens.base import ModalScreen
from tui.widgets.dialog import Dialog
from tui.widgets.rows import Mark, Row, RowList, row
from tui.widgets.virtual_lines import VirtualLines

if TYPE_CHECKING:
    from tui.config.settings import Settings

__all__ = ["HelpScreen", "sections"]

_KEYS: Final = 12
_CHORDS: Final = 13
_WIDEST: Final = 100
_FRAME: Final = 12  # columns of the page that are not text: margins, border, padding, scrollbar


class HelpScreen(ModalScreen[None]):
    """A page to search and scroll; Escape empties the search, then closes.

    Args:
        settings: For the composer's keys and the config file's place.
        keymap: The commands' keys.
        found: All keys and commands, as `sections` gives them.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "back", "Empty the search, or close", show=False, id="help.back", priority=True),
        Binding("f1", "close", "Close", show=False, id="help.close", priority=True),
        Binding("up", "scroll(-1)", "Up", show=False, id="list.up", priority=True),
        Binding("down", "scroll(1)", "Down", show=False, id="list.down", priority=True),
        Binding("pageup", "page(-1)", "Page up", show=False, id="list.page_up", priority=True),
        Binding("pagedown", "page(1)", "Page down", show=False, id="list.page_down", priority=True),
        Binding("ctrl+home", "edge(-1)", "To the top", show=False, id="help.top", priority=True),
        Binding("ctrl+end", "edge(1)", "To the bottom", show=False, id="help.bottom", priority=True),
    ]
    DEFAULT_CSS = """
    HelpScreen {
        align: center middle;
        & Dialog { max-width: 100; }
        & VirtualLines {
            height: 1fr;
            margin-top: 1;
            padding: 0 1;
            background: $surface;
            scrollbar-background: $surface;
            scrollbar-gutter: stable;
        }
        & VirtualLines > .virtual-lines--heading { color: $text-secondary; }
        & VirtualLines > .virtual-lines--success { text-style: bold; }
    }
    """

    def __init__(self, settings: Settings, keymap: Keymap, found: tuple[Section, ...]) -> None:
        super().__init__()
        self._page = VirtualLines(id="help-page")
        self._page.can_focus = False
        self._settings = settings
        self._keymap = keymap
        composer, *prose = _prose(settings)
        self._sections = (
            composer,
            *(section for section in found if not section.local),
            *prose,
            *(section for section in found if section.local),
        )

    def compose(self) -> ComposeResult:
        """The search and the page in their frame."""
        yield Dialog(
            Input(placeholder="Search keys and commands", id="help-search"),
            self._page,
            title="Help",
            keys="↑↓ PgUp PgDn scroll   Esc close",
        )

    def on_mount(self) -> None:
        """Typing searches."""
        self.query_one(Input).focus()

    def on_resize(self) -> None:
        """The text is set in columns for the width there is."""
        self._show()

    @on(Input.Changed)
    def _typed(self, event: Input.Changed) -> None:
        event.stop()
        self._show()

    def _show(self) -> None:
        width = max(40, min(_WIDEST, self.size.width) - _FRAME)
        self._page.show(RowList(self.page(width, self.query_one(Input).value)))

    def page(self, width: int, query: str = "") -> list[Row]:
        """All rows, `width` columns wide, or what of them has every word of `query`."""
        words = query.casefold().split()
        lines: list[Row] = []
        for section in self._sections:
            entries = [entry for entry in section.entries if _matches(entry, section, words)]
            if entries:
                lines += [Row("")] * bool(lines) + [_heading(section.title)]
                for entry in entries:
                    lines += _rows(entry, width)
        if not words:
            lines += self._own_keys(width)
        if not lines:
            lines += _wrapped(f"Nothing here has “{visible_line(query.strip())}” in it.", width, "dim")
        return lines

    def _own_keys(self, width: int) -> Iterator[Row]:
        """How keys are changed, and what is wrong with those that were."""
        where = visible_line(str(self._settings.config_dir / "config.toml"))
        leader = self._keymap.leader
        yield from (Row(""), _heading("Your own keys"))
        yield from _wrapped(
            f"The table [keymap] of {where} gives anything on this page other keys or chords, by the name at "
            "the end of its description. `outcrop keys` prints them all.",
            width,
            "dim",
        )
        for line in ("[keymap]", f'turn.preview = "f5, {leader.lower()} p"', 'leader = "ctrl+b"'):
            yield row((f"    {line}", "accent"))
        for problem in self._keymap.problems:
            yield from _wrapped(visible_line(problem), width, "warning")

    def action_scroll(self, lines: int) -> None:
        """Scroll the page by lines."""
        self._page.action_move(lines)

    def action_page(self, pages: int) -> None:
        """Scroll by what is visible."""
        self._page.action_page(pages)

    def action_edge(self, which: int) -> None:
        """Go to the top or the bottom."""
        self._page.action_edge(which)

    def action_back(self) -> None:
        """Empty the search; close where it is empty."""
        search = self.query_one(Input)
        if search.value:
            search.value = ""
        else:
            self.dismiss(None)

    def action_close(self) -> None:
        """Back to the conversation."""
        self.dismiss(None)


def _prose(settings: Settings) -> tuple[Section, ...]:
    """What no table of keys says: the composer, the modes, the mouse."""

    def entry(keys: str, text: str) -> Entry:
        return Entry("", (keys,), (), text)

    send, newline = display_key(settings.send_key), display_key(settings.newline_key)
    return (
        Section(
            "The composer",
            (
                entry(send, "Sends. While an answer arrives the prompt waits in a queue."),
                entry(
                    newline,
                    "Begins a new line; Shift+Enter and Alt+Enter too, where the terminal tells them apart.",
                ),
                entry("/", "At the beginning lists the commands below; Tab completes, paths of files too."),
                entry("@", "Names a file: a PDF or an image is attached, the text of any other inserted."),
                entry(
                    "\\ Enter",
                    "Goes on in the next line, in every terminal; a text that ends with one has two.",
                ),
                entry(
                    "① ②",
                    "Long pastes: one sign each, sent in full. Tab goes to their chips, Enter opens one.",
                ),
                entry(
                    "↑ ↓", "On the first and last line go through earlier prompts; ↑ takes a queued one back."
                ),
                entry(
                    "Ctrl+Z",
                    "Undo; Ctrl+Y does it again. Pasting never sends; a pasted path attaches its file.",
                ),
                entry(
                    "Ctrl+C", "Copies what is selected; else empties the composer; twice when empty, quits."
                ),
                entry(
                    "Tab",
                    "Goes on to the attachments, the conversation and the inspector; letters come back.",
                ),
            ),
        ),
        Section(
            "Modes",
            (
                entry(
                    "stateful",
                    "The server keeps the conversation (store: true); a request carries what is new and the "
                    "id of the response before it. What is kept there can be listed and deleted.",
                ),
                entry(
                    "stateless",
                    "The server keeps nothing (store: false); each request carries the whole conversation. "
                    "The mode can be switched at any turn, in both directions.",
                ),
                entry(
                    "background",
                    "The answer is made at the server even when this program ends, and fetched when done.",
                ),
                entry(
                    "sandbox",
                    "With --sandbox an endpoint in this program answers: offline, without a key or costs.",
                ),
                entry(
                    "plain",
                    "With --plain it is a linear dialogue, for screen readers and the simplest terminals.",
                ),
                entry(
                    "still",
                    "With reduced_motion = true in config.toml, or OUTCROP_REDUCED_MOTION=1, nothing moves "
                    "by itself: no spinner, no blinking cursor, and answers are drawn five times a second.",
                ),
                entry(
                    "colours",
                    "NO_COLOR=1 takes all colours away; the theme `ansi` needs only the terminal's sixteen.",
                ),
            ),
        ),
        Section(
            "The mouse",
            (
                entry(
                    "Click", "A hint, a part of the status line, a link, the cross of a chip, a folded block."
                ),
                entry("Drag", "Selects text in the conversation; Ctrl+C copies it."),
                entry("Wheel", "Scrolls; the conversation follows the end again once it is in sight."),
            ),
        ),
    )


def _matches(entry: Entry, section: Section, words: list[str]) -> bool:
    text = _searched(entry, section.title)
    return all(word in text for word in words)


@lru_cache(maxsize=1024)
def _searched(entry: Entry, section: str) -> str:
    parts = (section, entry.title, entry.help, entry.slash, entry.id, *entry.keys, *entry.chords)
    return " ".join(parts).casefold()


def _heading(text: str) -> Row:
    return row((text, "heading"))


def _wrapped(text: str, width: int, mark: Mark) -> Iterator[Row]:
    for line in textwrap.wrap(text, width):
        yield row((line, mark))


@lru_cache(maxsize=2048)
def _rows(entry: Entry, width: int) -> tuple[Row, ...]:
    """An entry: keys and chord in columns of their own, its words beside them."""
    keys, chords = "  ".join(entry.keys), "  ".join(entry.chords)
    if len(keys) >= _KEYS + (0 if chords else _CHORDS):
        keys = entry.keys[0]
    indent = _KEYS + (_CHORDS if entry.help else 0)
    column = width - indent
    left: tuple[str, Mark] = (f"{keys:<{_KEYS}}", "success" if entry.yours else "key")
    if entry.help:
        rows = [row(left, (f"{chords:<{_CHORDS}}", "key"), *_titled(entry, column))]
        told = f"{entry.help}  {entry.id}"
        for line in textwrap.wrap(told, column, break_long_words=False, break_on_hyphens=False):
            words, name, _ = line.rpartition(entry.id)
            rows.append(row(" " * indent, (words if name else line, "dim"), (name, "faint")))
        return tuple(rows)
    first, *rest = textwrap.wrap(entry.title, column - len(entry.id) - 2) or [""]
    named: tuple[str, Mark] = (f"  {entry.id}" if entry.id else "", "faint")
    return row(left, first, named), *(row(" " * indent + more) for more in rest)


def _titled(entry: Entry, width: int) -> tuple[str | tuple[str, Mark], ...]:
    """The title, and the slash command at the right edge."""
    gap = width - len(entry.title) - len(entry.slash)
    if not entry.slash or gap < 2:
        return (entry.title,)
    return entry.title, " " * gap, (entry.slash, "accent")
