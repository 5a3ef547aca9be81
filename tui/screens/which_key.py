"""After the leader: which keys go on, and what each does."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from textual import events
from textual.app import ComposeResult
from textual.content import Content
from textual.widgets import Static

from tui.commands import Command
from tui.keys.key_names import display_key
from tui.keys.keymap import Keymap
from tui.screens.base import ModalScreen

__all__ = ["WAIT", "WhichKey"]

WAIT = 0.3
"""Seconds before the list appears: whoever knows the chord never sees it."""

_MORE = "And then"
_GAP = 3
_NARROWEST = 34  # of a column: the longest titles are cut a little at 80 columns, and never at 120


class WhichKey(ModalScreen[str]):
    """Waits for the rest of a chord; gives the id of its command, or nothing.

    Args:
        keymap: The keys as they are now.
        usable: Whether a command can be run where the user is.
        at_once: Show the list without waiting.
    """

    DEFAULT_CSS = """
    WhichKey {
        align: center bottom;
        background: transparent;
        & > Static {
            display: none;
            width: 100%;
            height: auto;
            max-height: 100%;
            padding: 0 2;
            background: $panel;
            border-top: tall $primary;
        }
        &.-shown > Static { display: block; }
    }
    """

    def __init__(self, keymap: Keymap, usable: Callable[[Command], bool], *, at_once: bool = False) -> None:
        super().__init__()
        self._keymap = keymap
        self._usable = usable
        self._at_once = at_once
        self._pressed: list[str] = []
        self._unknown = ""

    def compose(self) -> ComposeResult:
        """The list, empty until it is wanted."""
        yield Static("", markup=False)

    def on_mount(self) -> None:
        """Wait a moment: chords that the fingers know need no list."""
        if self._at_once:
            self._show()
        else:
            self.set_timer(WAIT, self._show)

    def on_resize(self) -> None:
        """The columns depend on the width."""
        if self.has_class("-shown"):
            self._show()

    def on_click(self) -> None:
        """A click anywhere leaves."""
        self.dismiss()

    def on_key(self, event: events.Key) -> None:
        """Every key is the chord's."""
        event.stop()
        event.prevent_default()
        key = event.key
        if key in ("escape", "ctrl+c", *self._keymap.keys["leader"]):
            self.dismiss()
        elif key == "backspace":
            self._pressed[-1:] = []
            self._unknown = ""
            self._show()
        else:
            self._follow(key)

    def _follow(self, key: str) -> None:
        found = self._next().get(key)
        self._unknown = ""
        if isinstance(found, Command):
            self.dismiss(found.id)
            return
        if found is None:
            self._unknown = key
        else:
            self._pressed.append(key)
        if found is None or self.has_class("-shown"):
            self._show()

    def _next(self) -> dict[str, Command | str]:
        """The keys that lead somewhere from here."""
        found = self._keymap.after(self._pressed)
        return {
            key: value
            for key, value in found.items()
            if (
                self._usable(value)
                if isinstance(value, Command)
                else any(
                    isinstance(below, Command) and self._usable(below)
                    for below in self._keymap.after([*self._pressed, key]).values()
                )
            )
        }

    def _show(self) -> None:
        self.add_class("-shown")
        self.query_one(Static).update(self.page(max(self.size.width - 4, 20)))

    def page(self, width: int) -> Content:
        """The list, `width` columns wide, and below it what can be done besides."""
        groups: dict[str, list[tuple[str, str]]] = {}
        prefixes: list[tuple[str, str]] = []
        for key, value in self._next().items():
            if isinstance(value, Command):
                groups.setdefault(value.group, []).append((key, value.title))
            else:
                prefixes.append((key, f"{value} …"))
        if prefixes:
            groups[_MORE] = sorted(prefixes)
        blocks = [_block(name, entries) for name, entries in groups.items()]
        lines = _in_columns(blocks, width)
        return Content("\n").join([*lines, Content(""), self._below()])

    def _below(self) -> Content:
        so_far = " ".join([self._keymap.leader, *map(display_key, self._pressed)])
        if self._unknown:
            said = f"{so_far} {display_key(self._unknown)} is no command."
            return Content.assemble((said, "$text-warning"), ("  Esc leaves", "$text-muted"))
        back = " · Backspace goes back" if self._pressed else ""
        return Content.assemble((so_far, "bold $text-primary"), (f" …  Esc leaves{back}", "$text-muted"))


def _block(name: str, entries: Sequence[tuple[str, str]]) -> list[Content]:
    """A heading and its keys."""
    return [
        Content.styled(name, "bold $text-secondary"),
        *(
            Content.assemble((f" {display_key(key):<2}", "bold $text-primary"), (f" {text}", "$text"))
            for key, text in entries
        ),
    ]


def _in_columns(blocks: Sequence[list[Content]], width: int) -> list[Content]:
    """Set the blocks one below the other in as many columns as there is room for, each about as long."""
    most = max(1, min((width + _GAP) // (_NARROWEST + _GAP), 4, len(blocks)))
    columns = _shared(blocks, most)
    each = (width - _GAP * (len(columns) - 1)) // len(columns)
    height = max((len(column) for column in columns), default=0)
    lines: list[Content] = []
    for row in range(height):
        cells = [
            (column[row] if row < len(column) else Content("")).truncate(each, ellipsis=True, pad=True)
            for column in columns
        ]
        lines.append(Content(" " * _GAP).join(cells).rstrip())
    return lines


def _shared(blocks: Sequence[list[Content]], count: int) -> list[list[Content]]:
    """Share blocks out to `count` columns in their order, with the shortest longest column."""
    if count == 1 or len(blocks) <= 1:
        column: list[Content] = []
        for block in blocks:
            column += [*([Content("")] if column else []), *block]
        return [column]
    best: list[list[Content]] = []
    for cut in range(1, len(blocks) - count + 2):
        first = _shared(blocks[:cut], 1)
        rest = _shared(blocks[cut:], count - 1)
        columns = [*first, *rest]
        if not best or max(map(len, columns)) < max(map(len, best)):
            best = columns
    return best
