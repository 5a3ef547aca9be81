"""Which targets are compared, with which prompt; what that is likely to cost, before anything is sent."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar, Final, cast

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.widgets import Input, Static, TextArea

from tui.core.compare.figures import likely_words
from tui.core.compare.targets import MOST, Asked, TargetWords, parse_targets
from tui.core.errors import OutcropError
from tui.core.text import visible_line
from tui.screens.base import ModalScreen
from tui.screens.compare_rows import AskedTable
from tui.session.compare import Column, Comparing, check_count
from tui.widgets.columns import TableTitles
from tui.widgets.dialog import Dialog
from tui.widgets.safe_text_area import SafeTextArea
from tui.widgets.virtual_lines import VirtualLines

if TYPE_CHECKING:
    from tui.core.attachments import Attachment
    from tui.core.items import ContinuationMode, Target
    from tui.screens.picker import PickerScreen
    from tui.widgets.pairings import Place

__all__ = ["CompareSetup", "Order"]

_PAUSE: Final = 0.15
"""Seconds without a key before what is typed is read and estimated."""


@dataclass(frozen=True, slots=True)
class Order:
    """What the screen gives back.

    Attributes:
        send: Whether it is to be sent; where not, what was typed goes back to where it came from.
        prompt: As it is written now.
        line: The targets in words, for the next time.
        columns: The columns, estimated; empty where nothing is sent.
    """

    send: bool
    prompt: str
    line: str
    columns: tuple[Column, ...] = ()


class CompareSetup(ModalScreen[Order]):
    """Gives an `Order`.

    Args (of the constructor):
        comparing: Makes the columns.
        line: Targets in words to begin with.
        prompt: What to begin with.
        attachments: What goes with it.
        picker: Makes the picker of a target.
        efforts: The values of effort that a model takes.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "leave", "Leave; the prompt is kept", show=False, id="dialog.close"),
        Binding("ctrl+s", "send", "Send to all", show=False, priority=True, id="compare.send"),
        Binding("ctrl+o,f2", "pick", "Another target", show=False, priority=True, id="compare.pick"),
        Binding("alt+a", "add", "Add a target", show=False, priority=True, id="compare.add"),
        Binding("alt+d", "remove", "Remove the target", show=False, priority=True, id="compare.remove"),
        Binding("alt+e", "effort", "Next effort", show=False, priority=True, id="compare.effort"),
        Binding("alt+m", "mode", "Stateful or stateless", show=False, priority=True, id="compare.mode"),
    ]
    DEFAULT_CSS = """
    CompareSetup {
        align: center middle;
        & Dialog { max-width: 130; max-height: 30; }
        & .compare--title { height: 1; color: $text-muted; padding: 0 1; }
        & #compare-targets { height: 4; }
        & SafeTextArea {
            height: 1fr; min-height: 3; border: none; padding: 0 1; background: $panel;
            scrollbar-size-vertical: 1;
        }
        & SafeTextArea:focus { border: none; }
        & #compare-detail { min-height: 3; max-height: 8; }
    }
    """

    def __init__(
        self,
        comparing: Comparing,
        line: str,
        prompt: str,
        attachments: Sequence[Attachment],
        picker: Callable[[Target], Awaitable[PickerScreen]],
        efforts: Callable[[str], Sequence[str]],
    ) -> None:
        super().__init__()
        self._comparing = comparing
        self._line = Input(line, placeholder="gpt-5.5@us-east-2 effort=low, gpt-oss-20b api=chat",
                           id="compare-line", select_on_focus=False)  # fmt: skip
        self._prompt = SafeTextArea(prompt, id="compare-prompt", soft_wrap=True)
        self._attachments = tuple(attachments)
        self._picker = picker
        self._efforts = efforts
        self._known: dict[tuple[TargetWords, int], Column] = {}
        self._columns: list[Column] = []
        # What the line says: ahead of the columns while they are being made.
        self._asked: list[Asked] = []
        self._list = VirtualLines(cursor=True, id="compare-targets", classes="-active")
        self._list.can_focus = False
        self._detail = Static("", id="compare-detail", classes="dialog--detail", markup=False)

    def compose(self) -> ComposeResult:
        """The targets as a line and as a table, the prompt, what it is likely to cost."""
        files = len(self._attachments)
        with_files = f", with {files} file{'s' * (files != 1)}" if files else ""
        yield Dialog(
            Static("Targets, separated by commas", classes="compare--title", markup=False),
            self._line,
            TableTitles(AskedTable.titles),
            self._list,
            Static(f"Prompt{with_files}", classes="compare--title", markup=False),
            self._prompt,
            self._detail,
            title="Compare",
            keys="Ctrl+S send  Ctrl+O change  Alt: A add  D remove  E effort  M mode  Esc",
        )

    def on_mount(self) -> None:
        """Where something is missing, the keys go."""
        self._line.focus()
        self._line.cursor_position = len(self._line.value)
        self._look(0.0)

    # ---- what is typed

    @on(Input.Changed, "#compare-line")
    @on(TextArea.Changed, "#compare-prompt")
    def _typed(self) -> None:
        self._look(_PAUSE)

    def _look(self, pause: float) -> None:
        self.run_worker(
            partial(self._read, pause), group="read", name="read", description="estimates", exclusive=True
        )

    async def _read(self, pause: float) -> bool:
        """Read the line and estimate its targets; whether they can be sent."""
        await asyncio.sleep(pause)
        try:
            await self._read_line()
            check_count(self._columns)
        except OutcropError as error:
            self._say([(str(error), "$text-warning")])
            return False
        said = [f"{number}: {one}" for number, column in enumerate(self._columns, 1) for one in column.said]
        count, costs = len(self._columns), [column.estimate for column in self._columns]
        sandbox = " The sandbox costs nothing." if self._columns[0].asked.target.sandbox else ""
        lines = [(f"{count} requests, {likely_words(costs)}.{sandbox}", "$foreground")]
        self._say([*lines, *((sentence, "$text-warning") for sentence in said)])
        return True

    async def _read_line(self) -> None:
        words = parse_targets(self._line.value, self._comparing.catalogue)
        columns: list[Column] = []
        try:
            for one in words:
                # The same target twice is two columns.
                key = (one, words[: len(columns)].count(one))
                if key not in self._known:
                    self._known[key] = await self._comparing.column(one)
                columns.append(self._known[key])
            await self._comparing.estimate(columns, self._prompt.text, self._attachments)
        finally:
            self._columns = columns
            self._asked = [column.asked for column in columns]
            table = AskedTable([(column.asked, column.estimate) for column in columns])
            if self._list.cursor is None:
                self._list.show(table)
            else:
                self._list.replace(table)

    def _say(self, lines: Sequence[tuple[str, str]]) -> None:
        parts = [Content.styled(visible_line(text), style) for text, style in lines]
        self._detail.update(Content("\n").join(parts))

    # ---- a target

    @property
    def _at(self) -> int:
        return self._list.cursor or 0

    def _write(self, asked: Sequence[Asked], cursor: int) -> None:
        """Write other targets into the line."""
        self._asked = list(asked)
        words = [str(self._comparing.words_for(one)) for one in asked]
        self._line.value = ", ".join(words)
        self._line.cursor_position = len(self._line.value)
        self._list.show(AskedTable([(one, None) for one in asked]), cursor=cursor)
        self._look(0.0)

    def action_pick(self, add: bool = False) -> None:
        """Choose the target under the cursor with the picker."""
        now = self._asked[self._at] if self._asked else self._comparing.base
        self.run_worker(partial(self._pick, now, add), group="pick", name="pick", description="picks")

    async def _pick(self, now: Asked, add: bool) -> None:
        screen = await self._picker(now.target)
        place: Place | None = await cast("Any", self).app.push_screen_wait(screen)
        if place is None:
            return
        target = self._comparing.target(*place)
        asked, at = list(self._asked), self._at
        taken = replace(now, target=target)
        if add or not asked:
            asked.append(taken)
            at = len(asked) - 1
        else:
            asked[at] = taken
        self._write(asked, at)

    def action_add(self) -> None:
        """Choose one more with the picker."""
        if len(self._asked) < MOST:
            self.action_pick(True)
        else:
            self._say([(f"A comparison takes {MOST} targets at most.", "$text-warning")])

    def action_remove(self) -> None:
        """Take the target under the cursor off the line."""
        asked = list(self._asked)
        if asked:
            del asked[self._at]
            self._write(asked, max(0, self._at - 1))

    def action_effort(self) -> None:
        """The next value of effort that the model under the cursor takes."""
        if self._asked:
            asked = list(self._asked)
            now = asked[self._at]
            values = [None, *self._efforts(now.target.model)]
            place = values.index(now.effort) + 1 if now.effort in values else 0
            asked[self._at] = replace(now, effort=values[place % len(values)])
            self._write(asked, self._at)

    def action_mode(self) -> None:
        """Continue the target under the cursor the other way."""
        if self._asked:
            asked = list(self._asked)
            now = asked[self._at]
            other: ContinuationMode = "stateless" if now.mode == "stateful" else "stateful"
            asked[self._at] = replace(now, mode=other)
            self._write(asked, self._at)

    def on_key(self, event: Any) -> None:
        """Up and down in the line move in the table."""
        if self.focused is self._line and event.key in ("up", "down"):
            event.stop()
            self._list.action_move(-1 if event.key == "up" else 1)

    @on(VirtualLines.Chosen)
    @on(VirtualLines.Highlighted)
    def _in_table(self, event: VirtualLines.Chosen | VirtualLines.Highlighted) -> None:
        event.stop()

    # ---- the end

    @on(Input.Submitted, "#compare-line")
    def _entered(self, event: Input.Submitted) -> None:
        event.stop()
        if self._prompt.text.strip() or self._attachments:
            self.action_send()
        else:
            self._prompt.focus()

    def action_send(self) -> None:
        """Send the prompt to all of them."""
        self.run_worker(self._send, group="read", name="read", description="estimates", exclusive=True)

    async def _send(self) -> None:
        if not self._prompt.text.strip() and not self._attachments:
            self._say([("There is nothing to send yet: type a prompt.", "$text-warning")])
            self._prompt.focus()
        elif await self._read(0.0):
            self.dismiss(Order(True, self._prompt.text, self._line.value, tuple(self._columns)))

    def action_leave(self) -> None:
        """Send nothing."""
        self.dismiss(Order(False, self._prompt.text, self._line.value))
