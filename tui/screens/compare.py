"""A comparison as it runs: answers beside each other or as tabs, their figures, where they differ."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import combinations
from time import monotonic
from typing import TYPE_CHECKING, ClassVar, Final

from textual import events, on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.widgets import Static

from tui.core.compare.differences import Difference, difference
from tui.core.compare.figures import ColumnFigures, cost_words
from tui.core.costs import total_cost
from tui.core.items import Outcome
from tui.core.text import visible_line
from tui.screens.base import ModalScreen
from tui.screens.compare_rows import FiguresTable, difference_rows
from tui.widgets.columns import TableTitles
from tui.widgets.compositor import ThriftyCompositor
from tui.widgets.conversation_pane import BlockKind, ConversationPane
from tui.widgets.dialog import Dialog
from tui.widgets.inspection.tab_strip import TabStrip
from tui.widgets.rows import RowList
from tui.widgets.virtual_lines import VirtualLines

if TYPE_CHECKING:
    from tui.screens.live_turn import LiveTurn

__all__ = ["BESIDE_FROM", "Answering", "CompareActions", "CompareScreen"]

BESIDE_FROM: Final = 120
"""Columns of the terminal from which the answers stand beside each other."""

_LOOK_EVERY: Final = 0.1
_ABOVE: Final = (BlockKind.USER, BlockKind.ATTACHMENT)
"""What is the same in all columns, and stands in the title."""


@dataclass(frozen=True, slots=True)
class Answering:
    """One column.

    Attributes:
        conversation_id: The conversation that it is.
        name: What tells its target from the others.
        live: Its turn, running or ended.
    """

    conversation_id: str
    name: str
    live: LiveTurn


@dataclass(frozen=True, slots=True)
class CompareActions:
    """What the screen asks of who opened it.

    Attributes:
        figures: What a column came to so far.
        stop: Stops the turns of these conversations.
        inspect: Shows the requests of a column.
        copy: Copies a text.
    """

    figures: Callable[[Answering], ColumnFigures]
    stop: Callable[[Sequence[str]], None]
    inspect: Callable[[Answering], None]
    copy: Callable[[str], None]


class CompareScreen(ModalScreen[str | None]):
    """Gives the conversation to go on with, or `None`.

    Args (of the constructor):
        prompt: What was asked.
        columns: Two to four.
        actions: What the screen asks for.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q", "leave", "Stop, then close", show=False, id="compare.leave"),
        Binding("enter", "go_on", "Go on with this one", show=False, id="compare.go_on"),
        Binding("left,h,shift+tab", "step(-1)", "Column before, or pair", show=False, id="compare.before"),
        Binding("right,l,tab", "step(1)", "Next column, or pair", show=False, id="compare.next"),
        *(
            Binding(str(number), f"column({number})", f"Column {number}", show=False, id=f"compare.{number}")
            for number in range(1, 5)
        ),
        Binding("d", "differences", "Differences, or the answers", show=False, id="compare.differences"),
        Binding("up,k", "scroll('up')", "Up", show=False, id="compare.up"),
        Binding("down,j", "scroll('down')", "Down", show=False, id="compare.down"),
        Binding("pageup", "scroll('page_up')", "Page up", show=False, id="compare.page_up"),
        Binding("pagedown,space", "scroll('page_down')", "Page down", show=False, id="compare.page_down"),
        Binding("home,g", "scroll('home')", "Start", show=False, id="compare.first"),
        Binding("end,G", "scroll('end')", "End", show=False, id="compare.last"),
        Binding("z", "fold", "Fold or unfold the reasoning", show=False, id="compare.fold"),
        Binding("y", "copy", "Copy the answer, or the differences", show=False, id="compare.copy"),
        Binding("i", "inspect", "Its requests", show=False, id="compare.inspect"),
    ]
    DEFAULT_CSS = """
    CompareScreen {
        align: center middle;
        /* It takes the whole terminal: what is below is not drawn for it. */
        background: $surface;
        & Dialog { max-width: 100%; max-height: 100%; margin: 0; }
        & #compare-columns { height: 1fr; }
        & .compare--column { width: 1fr; height: 1fr; border-left: solid $panel; padding: 0 1; }
        & .compare--column:first-child { border-left: none; padding-left: 0; }
        & .compare--head { height: 1; background: $panel; color: $text-muted; padding: 0 1; }
        & .-active .compare--head {
            background: $block-cursor-background; color: $block-cursor-foreground; text-style: bold;
        }
        & ConversationPane { height: 1fr; background: $surface; }
        & TabStrip { display: none; }
        & #compare-differences { display: none; padding: 0 1; scrollbar-gutter: stable; }
        & #compare-figures { height: 4; }
        & .dialog--detail { height: 3; max-height: 3; }
        &.-tabs {
            & TabStrip { display: block; }
            & .compare--column { display: none; border-left: none; padding: 0; }
            & .compare--column.-active { display: block; }
            & .compare--head { display: none; }
        }
        &.-differences {
            & #compare-columns, & TabStrip { display: none; }
            & #compare-differences { display: block; }
        }
    }
    """

    def __init__(self, prompt: str, columns: Sequence[Answering], actions: CompareActions) -> None:
        super().__init__()
        self._compositor = ThriftyCompositor()
        self.columns = tuple(columns)
        self._actions = actions
        self._title = visible_line(" ".join(prompt.split())[:200])
        self._at = 0
        self._pairs = list(combinations(range(len(columns)), 2))
        self._pair = 0
        self._found: Difference | None = None
        self._said = ""
        self._panes = [ConversationPane(id=f"compare-pane-{index}") for index in range(len(columns))]
        self._heads = [Static("", classes="compare--head", markup=False) for _ in columns]
        self._boxes = [
            Vertical(head, pane, classes="compare--column")
            for head, pane in zip(self._heads, self._panes, strict=True)
        ]
        for pane in self._panes:
            pane.can_focus = False
        self._short = [one.name.partition(" · ")[0] for one in columns]
        self._tabs = TabStrip(self._short)
        self._differences = VirtualLines(id="compare-differences")
        self._differences.can_focus = False
        self._figures = VirtualLines(cursor=True, id="compare-figures", classes="-active")
        self._figures.can_focus = False
        self._detail = Static("", id="compare-detail", classes="dialog--detail", markup=False)
        self._rows: list[ColumnFigures] = []

    def compose(self) -> ComposeResult:
        """The answers, or their differences; the figures; a line about the column in front."""
        yield Dialog(
            self._tabs,
            Horizontal(*self._boxes, id="compare-columns"),
            self._differences,
            TableTitles(FiguresTable.titles),
            self._figures,
            self._detail,
            title=f"Compare · {self._title}" if self._title else "Compare",
        )

    def on_mount(self) -> None:
        """From now on the turns draw here."""
        self.set_class(self.size.width < BESIDE_FROM, "-tabs")
        self._figures.styles.height = len(self.columns)
        for answering, pane in zip(self.columns, self._panes, strict=True):
            pane.replace([block for block in answering.live.blocks() if block.kind not in _ABOVE])
            answering.live.show_in(pane)
        self._look()
        self._show_column()
        self.set_interval(_LOOK_EVERY, self._look)

    def on_resize(self, event: events.Resize) -> None:
        """Beside each other where there is room."""
        self.set_class(event.size.width < BESIDE_FROM, "-tabs")
        if self._found is not None:
            self.call_after_refresh(self._draw_differences)

    # ---- figures

    def _look(self) -> None:
        rows = [self._figures_of(answering) for answering in self.columns]
        if rows == self._rows:
            return
        ended = [row.outcome for row in rows] != [row.outcome for row in self._rows]
        first = not self._rows
        self._rows = rows
        table = FiguresTable([(one.name, row) for one, row in zip(self.columns, rows, strict=True)])
        if first:
            self._figures.show(table, cursor=self._at)
        else:
            self._figures.replace(table)
        for index, (head, row) in enumerate(zip(self._heads, rows, strict=True)):
            head.update(Content(f"{row.glyph} {index + 1} {self.columns[index].name}"))
        self._describe()
        if ended and self._found is not None:
            self._compare()

    def _figures_of(self, answering: Answering) -> ColumnFigures:
        figures = self._actions.figures(answering)
        if figures.outcome is not None:
            return figures
        # In tenths: a table that is drawn again and again says nothing more.
        return replace(figures, running=True, seconds=round(monotonic() - answering.live.since, 1))

    def _describe(self) -> None:
        """What there is to say of the column in front, and of all together."""
        row, answering = self._rows[self._at], self.columns[self._at]
        total = total_cost(one.cost for one in self._rows)
        running = sum(one.outcome is None for one in self._rows)
        if self._said:
            text, style = self._said, "$text-warning"
        elif waits := answering.live.waits:
            left = max(0.0, waits.until - monotonic())
            text, style = f"{waits.reason} Trying again in {left:.0f} s.", "$text-warning"
        elif row.error:
            text, style = row.error, "$text-error" if row.outcome is Outcome.FAILED else "$text-warning"
        elif self._found is not None:
            first, second = (f"{index + 1} {self._short[index]}" for index in self._pairs[self._pair])
            text, style = f"{first} → {second}: {self._found.words}.", "$foreground"
        else:
            state = f"{running} of {len(self._rows)} still answer." if running else "All have ended."
            text = f"{self._at + 1} {answering.name}. {state} Together {cost_words(total)}."
            style = "$text-muted"
        self._detail.update(Content.styled(visible_line(text), style))
        self._keys(bool(running))

    def _keys(self, running: bool) -> None:
        what = "←/→ pair   d answers" if self._found is not None else "←/→ column   d differences"
        leave = "Esc stop" if running else "Esc close"
        text = f"Enter go on   {what}   y copy   i requests   {leave}"
        self.query_one(Dialog).border_subtitle = Content(text)

    # ---- columns

    def _show_column(self) -> None:
        for index, box in enumerate(self._boxes):
            box.set_class(index == self._at, "-active")
        self._tabs.active = self._at
        self._figures.move_cursor(self._at)
        self._describe()

    def action_column(self, number: int) -> None:
        """Bring a column to the front."""
        if number <= len(self.columns):
            self._said = ""
            self._at = number - 1
            self._show_column()

    def action_step(self, step: int) -> None:
        """Go to the column beside, or, among differences, to another pair."""
        if self._found is None:
            self.action_column((self._at + step) % len(self.columns) + 1)
        else:
            self._said = ""
            self._pair = (self._pair + step) % len(self._pairs)
            self._compare()

    @on(TabStrip.Activated)
    def _tab_clicked(self, event: TabStrip.Activated) -> None:
        event.stop()
        self.action_column(event.index + 1)

    @on(VirtualLines.Chosen, "#compare-figures")
    def _row_clicked(self, event: VirtualLines.Chosen) -> None:
        event.stop()
        self.action_column(event.index + 1)

    @on(VirtualLines.Highlighted)
    def _in_table(self, event: VirtualLines.Highlighted) -> None:
        event.stop()

    def action_scroll(self, where: str) -> None:
        """Scroll what is in front."""
        shown = self._differences if self._found is not None else self._panes[self._at]
        match where:
            case "up":
                shown.scroll_relative(y=-1, animate=False)
            case "down":
                shown.scroll_relative(y=1, animate=False)
            case "page_up":
                shown.scroll_page_up(animate=False)
            case "page_down":
                shown.scroll_page_down(animate=False)
            case "home":
                shown.scroll_home(animate=False)
            case _:
                shown.scroll_end(animate=False)

    def action_fold(self) -> None:
        """Show the reasoning of the column in front, or put it away."""
        for block in self.columns[self._at].live.blocks():
            if block.kind is BlockKind.REASONING:
                self._panes[self._at].toggle_fold(block.id)

    # ---- differences

    def action_differences(self) -> None:
        """Show where two answers differ, or the answers again."""
        self._said = ""
        if self._found is not None:
            self._found = None
            self.remove_class("-differences")
            self._describe()
            return
        first = (0, max(1, self._at))
        self._pair = self._pairs.index(first)
        self._compare()

    def _compare(self) -> None:
        self.run_worker(
            partial(self._differ, *self._pairs[self._pair]),
            group="differ",
            name="differ",
            description="compares",
            exclusive=True,
        )

    async def _differ(self, first: int, second: int) -> None:
        # Two long answers take a moment.
        self._found = await asyncio.to_thread(difference, self._text(first), self._text(second))
        self.add_class("-differences")
        self._describe()
        self.call_after_refresh(self._draw_differences)

    def _text(self, index: int) -> str:
        """An answer as far as it came."""
        blocks = self.columns[index].live.blocks()
        return "\n\n".join(block.text for block in blocks if block.kind is BlockKind.ASSISTANT and block.text)

    def _draw_differences(self) -> None:
        if self._found is not None:
            width = max(20, self._differences.room)
            self._differences.show(RowList(difference_rows(self._found, width)))

    # ---- the end

    @property
    def running(self) -> list[str]:
        """The conversations whose answers still arrive."""
        ids = (one.conversation_id for one in self.columns)
        return [name for name, row in zip(ids, self._rows, strict=True) if row.outcome is None]

    def action_copy(self) -> None:
        """Copy what is in front as text."""
        if self._found is None:
            self._actions.copy(self._text(self._at))
            return
        rows = difference_rows(self._found, 1_000_000)
        self._actions.copy("\n".join(row.text for row in rows))

    def action_inspect(self) -> None:
        """Show the requests of the column in front."""
        self._actions.inspect(self.columns[self._at])

    def action_go_on(self) -> None:
        """Go to the conversation in front; what still arrives in the others goes on there."""
        answering = self.columns[self._at]
        if answering.live.turn is None:
            self._said = "Nothing was sent there: there is no conversation to go on with."
            self._describe()
        else:
            self._leave(answering.conversation_id)

    def action_leave(self) -> None:
        """Stop what runs; then close. Every column stays in the history."""
        if self.running:
            self._actions.stop(self.running)
        else:
            self._leave(None)

    def _leave(self, conversation_id: str | None) -> None:
        # Before who comes next shows them.
        for answering in self.columns:
            answering.live.show_in(None)
        self.dismiss(conversation_id)
