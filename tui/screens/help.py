"""Every key and command as it is now, searched as one types; made from the tables that make them work."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import TYPE_CHECKING, ClassVar, Final

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Input, Static

from tui.core.text import visible_line
from tui.keys.key_names import display_key
from tui.keys.key_table import Entry, Section, sections
from tui.keys.keymap import Keymap
from tui.widgets.dialog import Dialog

if TYPE_CHECKING:
    from tui.config.settings import Settings

__all__ = ["HelpScreen"]

_KEYS: Final = 12
_CHORDS: Final = 13
_WIDEST: Final = 100
_FRAME: Final = 12  # columns of the page that are not text: margins, border, padding, scrollbar


class HelpScreen(ModalScreen[None]):
    """A page to search and scroll; Escape empties the search, then closes.

    Args:
        settings: For the composer's keys and the config file's place.
        keymap: The commands' keys.
        local: The user's keys inside dialogs and panes.
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
        & VerticalScroll {
            height: 1fr;
            margin-top: 1;
            background: $surface;
            scrollbar-size-vertical: 1;
            scrollbar-background: $surface;
        }
        & Static { width: 1fr; height: auto; padding: 0 1; }
    }
    """

    def __init__(self, settings: Settings, keymap: Keymap, local: Mapping[str, str]) -> None:
        super().__init__()
        self._settings = settings
        self._keymap = keymap
        composer, *prose = _prose(settings)
        found = sections(keymap, local)
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
            VerticalScroll(Static("", markup=False), can_focus=False),
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
        self.query_one(VerticalScroll).scroll_home(animate=False)

    def _show(self) -> None:
        width = max(40, min(_WIDEST, self.size.width) - _FRAME)
        self.query_one(Static).update(self.page(width, self.query_one(Input).value))

    def page(self, width: int, query: str = "") -> Content:
        """The whole text, `width` columns wide, or what of it has every word of `query`."""
        words = query.casefold().split()
        lines: list[Content] = []
        for section in self._sections:
            entries = [entry for entry in section.entries if _matches(entry, section, words)]
            if entries:
                lines += [Content("")] * bool(lines) + [_heading(section.title)]
                for entry in entries:
                    lines += _rows(entry, width)
        if not words:
            lines += self._own_keys(width)
        if not lines:
            said = f"Nothing here has “{visible_line(query.strip())}” in it."
            return Content.styled(said, "$text-muted")
        return Content("\n").join(lines)

    def _own_keys(self, width: int) -> Iterator[Content]:
        """How keys are changed, and what is wrong with those that were."""
        where = visible_line(str(self._settings.config_dir / "config.toml"))
        leader = self._keymap.leader
        yield from (Content(""), _heading("Your own keys"))
        yield from _wrapped(
            f"The table [keymap] of {where} gives anything on this page other keys or chords, by the name at "
            "the end of its description. `outcrop keys` prints them all.",
            width,
            "$text-muted",
        )
        for line in ("[keymap]", f'turn.preview = "f5, {leader.lower()} p"', 'leader = "ctrl+b"'):
            yield Content.styled(f"    {line}", "$text-accent")
        for problem in self._keymap.problems:
            yield from _wrapped(visible_line(problem), width, "$text-warning")

    def action_scroll(self, lines: int) -> None:
        """Scroll the page by lines."""
        self.query_one(VerticalScroll).scroll_relative(y=lines, animate=False)

    def action_page(self, pages: int) -> None:
        """Scroll by what is visible."""
        page = self.query_one(VerticalScroll)
        page.scroll_relative(y=pages * max(1, page.size.height - 2), animate=False)

    def action_edge(self, which: int) -> None:
        """Go to the top or the bottom."""
        page = self.query_one(VerticalScroll)
        page.scroll_home(animate=False) if which < 0 else page.scroll_end(animate=False)

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


def _heading(text: str) -> Content:
    return Content.styled(text, "bold $text-secondary")


def _wrapped(text: str, width: int, style: str) -> Iterator[Content]:
    for line in textwrap.wrap(text, width):
        yield Content.styled(line, style)


def _rows(entry: Entry, width: int) -> Iterator[Content]:
    """An entry: keys and chord in columns of their own, its words beside them."""
    keys, chords = "  ".join(entry.keys), "  ".join(entry.chords)
    if len(keys) >= _KEYS + (0 if chords else _CHORDS):
        keys = entry.keys[0]
    indent = _KEYS + (_CHORDS if entry.help else 0)
    column = width - indent
    style = "bold $text-success" if entry.yours else "bold $text-primary"
    left = Content.styled(f"{keys:<{_KEYS}}", style)
    if entry.help:
        left += Content.styled(f"{chords:<{_CHORDS}}", "$text-primary")
        yield left + _titled(entry, column)
        told = f"{entry.help}  {entry.id}"
        for line in textwrap.wrap(told, column, break_long_words=False, break_on_hyphens=False):
            words, name, _ = line.rpartition(entry.id)
            text = Content.assemble((words if name else line, "$text-muted"), (name, "$text-disabled"))
            yield Content(" " * indent) + text
        return
    first, *rest = textwrap.wrap(entry.title, column - len(entry.id) - 2) or [""]
    line = left + Content(first)
    if entry.id:
        line += Content.styled(f"  {entry.id}", "$text-disabled")
    yield line
    for more in rest:
        yield Content(" " * indent + more)


def _titled(entry: Entry, width: int) -> Content:
    """The title, and the slash command at the right edge."""
    gap = width - len(entry.title) - len(entry.slash)
    if not entry.slash or gap < 2:
        return Content.styled(entry.title, "$foreground")
    return Content.assemble((entry.title, "$foreground"), " " * gap, (entry.slash, "$text-accent"))
