"""The files that go with the next prompt, one chip each."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar, Final

from textual import events
from textual.binding import Binding, BindingType
from textual.containers import HorizontalScroll
from textual.content import Content
from textual.widgets import Static

from tui.core.text import visible_line
from tui.messages import AttachmentMoved, AttachmentOpened, AttachmentRemoved, CommandRequested

if TYPE_CHECKING:
    from tui.core.attachments import Attachment

_AROUND: Final = 3
"""Cells of a chip beside its words: padding and margin."""

__all__ = ["AttachmentChips", "Chip", "ComingChip", "describe", "extent_words", "size_words"]


def size_words(size: int) -> str:
    """A size in bytes in one short word: `812 B`, `34 KB`, `2.1 MB`."""
    if size < 1000:
        return f"{size} B"
    if size < 1_000_000:
        return f"{size / 1000:.0f} KB"
    return f"{size / 1_000_000:.1f} MB"


def describe(attachment: Attachment) -> str:
    """Pages or pixels, size and the likely cost, e.g. `12 pages · 340 KB · ~9,600 tokens`."""
    tokens = f"~{attachment.estimated_tokens:,} tokens"
    return " · ".join([extent_words(attachment), size_words(attachment.size), tokens])


def extent_words(attachment: Attachment) -> str:
    """Pages of a PDF, pixels of a picture."""
    if attachment.width:
        return f"{attachment.width} × {attachment.height}"
    pages = attachment.pages
    return "pages unknown" if pages is None else f"{pages:,} page{'s' if pages != 1 else ''}"


def _cut(name: str, most: int) -> str:
    """A name with its middle left out where it is long: the end of a file's name tells its kind."""
    end = most // 3
    return name if len(name) <= most else f"{name[: most - end - 1]}…{name[-end:]}"


def _form(name: str, about: str, doubt: str) -> Content:
    about = f"  {about}  " if about else "  "
    sign = ("▪ ", "$warning" if doubt else "$secondary")
    return Content.assemble(sign, (name, "bold"), (about, "dim"), ("×", "bold"))


def _coming(name: str, words: str) -> Content:
    return Content.assemble(("▫ ", "$secondary"), name, (f"  {words}  ", "dim"), ("×", "bold"))


class Chip(Static, can_focus=True):
    """One attachment: Enter or a click tells more of it, Delete or a click on its cross removes it."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "open", "More about it", show=False, id="chip.open"),
        Binding("delete,backspace", "remove", "Remove", show=False, id="chip.remove"),
        Binding("shift+left", "move(-1)", "Move to the left", show=False, id="chip.earlier"),
        Binding("shift+right", "move(1)", "Move to the right", show=False, id="chip.later"),
        Binding("left", "app.focus_previous", "Previous", show=False, id="chip.before"),
        Binding("right", "app.focus_next", "Next", show=False, id="chip.after"),
    ]

    def __init__(self, index: int, attachment: Attachment) -> None:
        name = visible_line(attachment.name)
        tokens = f"~{attachment.estimated_tokens:,} tokens"
        # From the longest to the shortest: what there is room for is shown.
        self.forms = (
            _form(_cut(name, 40), describe(attachment), attachment.doubt),
            _form(_cut(name, 24), extent_words(attachment) if attachment.doubt else tokens, attachment.doubt),
            _form(_cut(name, 16), "", attachment.doubt),
        )
        super().__init__(self.forms[0], markup=False)
        self.index = index

    def action_remove(self) -> None:
        """Ask for this chip's attachment to go."""
        self.post_message(AttachmentRemoved(self.index))

    def action_open(self) -> None:
        """Ask for what there is to say of this attachment."""
        self.post_message(AttachmentOpened(self.index))

    def action_move(self, step: int) -> None:
        """Ask for this attachment to change places with its neighbour."""
        self.post_message(AttachmentMoved(self.index, step))

    def on_click(self, event: events.Click) -> None:
        """A click on the cross, or near it, removes; anywhere else it tells more."""
        event.stop()
        if event.x >= self.size.width - 3:
            self.action_remove()
        else:
            self.action_open()


class ComingChip(Static):
    """A file that is being read; a click ends that."""

    def __init__(self, name: str, then_sent: bool) -> None:
        words = (
            ("reading, then it is sent …", "then sent …", "then sent …")
            if then_sent
            else ("reading …", "…", "…")
        )
        self.forms = tuple(
            _coming(_cut(name, most), what) for most, what in zip((24, 16, 12), words, strict=True)
        )
        super().__init__(self.forms[0], markup=False)

    def on_click(self, event: events.Click) -> None:
        """Read it no further."""
        event.stop()
        self.post_message(CommandRequested("turn.stop"))


class AttachmentChips(HorizontalScroll, can_focus=False):
    """A row of chips; not there while it is empty."""

    DEFAULT_CSS = """
    AttachmentChips {
        height: auto;
        display: none;
        padding: 0 0 0 1;
        scrollbar-size-horizontal: 0;
        &.-any { display: block; }
        & > Chip, & > ComingChip {
            width: auto;
            height: 1;
            margin: 0 1 0 0;
            padding: 0 1;
            background: $panel;
            color: $foreground;
        }
        & > ComingChip { color: $text-muted; }
        & > Chip {
            &:hover { background: $panel-lighten-1; }
            &:focus { background: $primary; color: $background; text-style: bold; }
        }
    }
    """

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._lock = asyncio.Lock()

    def on_resize(self) -> None:
        """There may be room for more words, or for less."""
        self._fit([*self.query(Chip), *self.query(ComingChip)])

    def _fit(self, chips: Sequence[Chip | ComingChip]) -> None:
        """Say of all files as much as there is room for, of each the same."""
        room = self.size.width or self.screen.size.width
        for form in range(3):
            if sum(chip.forms[form].cell_length + _AROUND for chip in chips) <= room or form == 2:
                for chip in chips:
                    chip.update(chip.forms[form])
                return

    async def show(
        self,
        attachments: Sequence[Attachment],
        *,
        focus: int | None = None,
        coming: Sequence[str] = (),
        then_sent: bool = False,
    ) -> None:
        """Replace the chips.

        Args:
            attachments: The files.
            focus: The index of the one that gets the keys; by default the one that has them keeps them.
            coming: Names of files that are still being read.
            then_sent: Whether the prompt is sent when they are.
        """
        files = tuple(attachments)
        # One after the other: two at a time would mount both lists.
        async with self._lock:
            if focus is None:
                # Another file has come: the keys stay with the one that had them.
                focus = next((at for at, chip in enumerate(self.query(Chip)) if chip.has_focus), None)
            await self.remove_children()
            self.set_class(bool(files or coming), "-any")
            if files or coming:
                chips = [Chip(index, attachment) for index, attachment in enumerate(files)]
                others = [ComingChip(name, then_sent) for name in coming]
                await self.mount_all([*chips, *others])
                self._fit([*chips, *others])
                if focus is not None and 0 <= focus < len(chips):
                    chips[focus].focus()
