"""The meter, opened: where each turn's tokens went, what it cost, what the cache gave, how fast it was."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import ClassVar, Final

from rich.cells import cell_len
from textual import events, on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Grid, Vertical
from textual.content import Content
from textual.widgets import Input, Static

from tui.core import figures
from tui.core.errors import InputError
from tui.core.meter import ConversationFigures, TurnFigures
from tui.core.text import visible_line
from tui.screens.base import Screen
from tui.screens.usage_table import TurnFiguresTable
from tui.widgets.charts import Chart, TokenChart, ValueChart
from tui.widgets.columns import TableTitles
from tui.widgets.compositor import ThriftyCompositor
from tui.widgets.inspection.tab_strip import TabStrip
from tui.widgets.meter import cost_text
from tui.widgets.virtual_lines import VirtualLines

__all__ = ["UsageScreen"]

_TABS: Final = ("Tokens", "Cost", "Cache", "Speed", "Table")
_ALL_AT_ONCE: Final = (100, 32)
"""Columns and rows from which there is room for every chart at once."""
_INPUT: Final = ("cached", "written", "uncached")
_OUTPUT: Final = ("reasoning", "visible")


def _tokens(value: float) -> str:
    return figures.count(round(value))


def _money(value: float) -> str:
    if not value:
        return "$0"
    return f"${value:.4f}" if value < 0.01 else f"${value:.3f}" if value < 1 else f"${value:.2f}"


def _seconds(value: float) -> str:
    if value < 1:
        return f"{value * 1000:.0f} ms" if value else "0 s"
    return f"{value:.1f} s" if value < 10 else f"{value:.0f} s"


def _cost(turn: TurnFigures) -> float | None:
    return float(turn.cost.usd) if turn.cost is not None else None


def _running(turn: TurnFigures) -> float | None:
    return float(turn.running.usd) if turn.running is not None else None


def _charts() -> tuple[Chart, ...]:
    return (
        TokenChart("Input", _INPUT, _tokens, classes="usage-part on-0"),
        TokenChart("Output", _OUTPUT, _tokens, classes="usage-part on-0"),
        ValueChart(
            "Served from the cache",
            lambda turn: turn.cached_share,
            lambda value: f"{value * 100:.0f}%",
            "cached",
            whole=1.0,
            as_line=True,
            classes="usage-part on-2",
        ),
        ValueChart("Cost of each turn, estimated", _cost, _money, "cost", classes="usage-part on-1"),
        ValueChart("Running cost", _running, _money, "running", as_line=True, classes="usage-part on-1"),
        ValueChart(
            "Time to first token",
            lambda turn: turn.timing.first_token,
            _seconds,
            "reasoning",
            classes="usage-part on-3",
        ),
    )


class UsageScreen(Screen[str | None]):
    """Gives the id of a command to run next, or `None`.

    Args (of the constructor):
        found: The path's figures; `show` brings newer ones.
        title: The conversation's.
        window: Context window of the model asked next; `None` when unknown.
        cache_words: What is asked of the prompt cache, in a few words.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,f7,q", "close", "Close", show=False, id="usage.close"),
        *(
            Binding(str(number), f"tab({number - 1})", name, show=False, id=f"usage.{name.lower()}")
            for number, name in enumerate(_TABS, 1)
        ),
        Binding("left", "tab_by(-1)", "Tab before", show=False, id="usage.tab_before"),
        Binding("right,tab", "tab_by(1)", "Next tab", show=False, id="usage.tab_after"),
        Binding("w", "export", "Write as CSV or JSON", show=False, id="usage.export"),
        Binding("c", "cache", "Prompt cache controls", show=False, id="usage.cache"),
        Binding("i", "inspect", "Why the cache missed", show=False, id="usage.inspect"),
    ]
    DEFAULT_CSS = """
    UsageScreen {
        background: $background;
        & #usage-title { height: 1; padding: 0 1; background: $primary-background; color: $text; }
        & #usage-totals { height: 1; padding: 0 1; }
        & TabStrip { display: none; }
        & #usage-body { height: 1fr; }
        & #usage-charts { height: 1fr; grid-size: 3 2; grid-rows: 1fr 1fr; padding: 0 1; }
        & #usage-table { max-height: 45%; padding: 0 1; }
        &.-tabs #usage-table { height: 1fr; max-height: 100%; }
        & #usage-table VirtualLines { height: 1fr; }
        & #usage-path { display: none; height: 1; border: none; padding: 0 1; background: $panel; }
        & #usage-path:focus { border: none; }
        & #usage-keys { height: 1; padding: 0 1; color: $text-muted; }
        & #usage-empty { display: none; height: 1fr; padding: 1 2; color: $text-muted; }
        &.-asking #usage-path { display: block; }
        &.-empty #usage-empty { display: block; }
        &.-empty #usage-body, &.-empty TabStrip { display: none; }
        &.-tabs TabStrip { display: block; }
        &.-tabs .usage-part { display: none; }
        &.-tabs #usage-charts { height: 1fr; grid-size: 1; grid-rows: 1fr; grid-gutter: 0; }
        &.-tab-0 .on-0, &.-tab-1 .on-1, &.-tab-2 .on-2, &.-tab-3 .on-3, &.-tab-4 .on-4 { display: block; }
        &.-tabs.-tab-4 #usage-charts { display: none; }
    }
    """

    def __init__(
        self, found: ConversationFigures, *, title: str, window: int | None, cache_words: str = ""
    ) -> None:
        super().__init__()
        self._compositor = ThriftyCompositor()
        self._found = found
        self._title = visible_line(title)
        self._window = window
        self._cache_words = cache_words
        self._charts = _charts()
        self._table = TurnFiguresTable(found)
        self._lines = VirtualLines(id="usage-lines")
        self._tabs = TabStrip(_TABS, id="usage-tabs")
        self._warned = ""

    def compose(self) -> ComposeResult:
        """A title, the totals, the charts, the table, the keys."""
        name = f"Usage  ·  {self._title}" if self._title else "Usage"
        yield Static(name, id="usage-title", markup=False)
        yield Static("", id="usage-totals", markup=False)
        yield self._tabs
        yield Static(
            "Nothing has been sent in this conversation yet: there are no figures.",
            id="usage-empty",
            markup=False,
        )
        with Vertical(id="usage-body"):
            yield Grid(*self._charts, id="usage-charts")
            with Vertical(id="usage-table", classes="usage-part on-4"):
                yield TableTitles(lambda width: self._table.titles(width))
                yield self._lines
        yield Input(id="usage-path", select_on_focus=False)
        yield Static("", id="usage-keys", markup=False)

    def on_mount(self) -> None:
        """The table has the keys for scrolling."""
        self._arrange(self.size.width, self.size.height)
        self._lines.focus()
        self.call_after_refresh(self.show, self._found)
        self._say()

    def on_resize(self, event: events.Resize) -> None:
        """Everything at once where there is room, one part after the other elsewhere."""
        self._arrange(event.size.width, event.size.height)

    def _arrange(self, width: int, height: int) -> None:
        self._choose_tab(self._tabs.active, tabs=width < _ALL_AT_ONCE[0] or height < _ALL_AT_ONCE[1])
        self._size_table()
        self._say()
        self.query_one("#usage-totals", Static).update(self._totals())

    def _size_table(self) -> None:
        """A short table leaves its room to the charts."""
        self.query_one("#usage-table").styles.height = "1fr" if self._in_tabs else len(self._table) + 1

    @property
    def _in_tabs(self) -> bool:
        return self.has_class("-tabs")

    def show(self, found: ConversationFigures) -> None:
        """Show newer figures."""
        self._found = found
        self._table = TurnFiguresTable(found)
        self.set_class(not found.turns, "-empty")
        self._lines.show(self._table)
        self._lines.action_edge(1)
        self._size_table()
        for chart in self._charts:
            chart.show(found.turns)
        self.query_one("#usage-totals", Static).update(self._totals())
        self.query_one(TableTitles).refresh()

    def _totals(self) -> Content:
        found, usage = self._found, self._found.usage
        turns = "1 turn" if len(found.turns) == 1 else f"{len(found.turns):,} turns"
        parts = [
            turns,
            f"{figures.count(usage.input_tokens)} in, {figures.share(found.cached_share)} of it from cache",
            f"{figures.count(usage.output_tokens)} out",
            f"{cost_text(found.cost)}",
        ]
        if found.unreported:
            parts.append(f"{found.unreported} without counts")
        last = next((turn for turn in reversed(found.turns) if turn.outcome), None)
        if last is not None:
            of = f" of {figures.count(self._window)}" if self._window else ""
            parts.append(f"window {figures.share(last.context_share)}{of}")
        if self._cache_words:
            parts.append(f"cache: {visible_line(self._cache_words)}")
        text = parts[0]
        for part in parts[1:]:
            # What does not fit is left out whole.
            if cell_len(text) + cell_len(part) + 5 <= self.size.width - 2:
                text += f"  ·  {part}"
        return Content(text)

    def _say(self, words: str = "", style: str = "$text-muted") -> None:
        keys = "↑↓ scroll   w write CSV or JSON   c cache controls   i why the cache missed   Esc close"
        if self._in_tabs:
            keys = "1-5 ←→ part   ↑↓ scroll   w write   c cache   i why it missed   Esc close"
        self.query_one("#usage-keys", Static).update(Content.styled(visible_line(words or keys), style))

    # ---- parts

    @on(TabStrip.Activated)
    def _tab_clicked(self, event: TabStrip.Activated) -> None:
        event.stop()
        self._choose_tab(event.index)

    def action_tab(self, index: int) -> None:
        """Show this part."""
        self._choose_tab(index)

    def action_tab_by(self, step: int) -> None:
        """Show the part before or after."""
        self._choose_tab((self._tabs.active + step) % len(_TABS))

    def _choose_tab(self, index: int, tabs: bool | None = None) -> None:
        self._tabs.active = index
        before = self.classes
        if tabs is not None:
            self.set_class(tabs, "-tabs", update=False)
        for number in range(len(_TABS)):
            self.set_class(self._in_tabs and number == index, f"-tab-{number}", update=False)
        if self.classes != before:
            # Once for all of them: every widget's styles are looked up again.
            self.update_node_styles()

    # ---- writing

    def action_export(self) -> None:
        """Ask for a path; its ending says the form."""
        self.add_class("-asking")
        path = self.query_one("#usage-path", Input)
        path.value = path.value or "usage.csv"
        path.cursor_position = len(path.value)
        path.focus()
        self._say("Type a path that ends in .csv or .json.   Enter write   Esc cancel")

    @on(Input.Submitted, "#usage-path")
    async def _path_given(self, event: Input.Submitted) -> None:
        event.stop()
        try:
            await self._write(event.value)
        except InputError as error:
            self._warned = event.value if "is there already" in str(error) else ""
            more = " Enter again replaces it." if self._warned else ""
            self._say(f"{error}{more}", "$text-error")

    async def _write(self, typed: str) -> None:
        from tui.core.export.request import Export
        from tui.core.figures_export import figures_csv, figures_json
        from tui.export_files import export_path, write_export

        path = export_path(typed)
        make: Callable[[ConversationFigures], str] | None
        make = {".csv": figures_csv, ".json": figures_json}.get(path.suffix.lower())
        if make is None:
            raise InputError("The path must end in .csv or .json: that says what is written.")
        made = Export(make(self._found).encode(), path.suffix[1:])
        await asyncio.to_thread(write_export, made, path, over=self._warned == typed)
        self._stop_asking()
        self._say(f"Written: {path}", "$text-success")

    def _stop_asking(self) -> None:
        self._warned = ""
        self.remove_class("-asking")
        self._lines.focus()
        self._say()

    # ---- elsewhere

    def action_cache(self) -> None:
        """Go to the prompt cache's controls."""
        self.dismiss("cache.open")

    def action_inspect(self) -> None:
        """Go to the inspector's explanation of the last turn's cache."""
        self.dismiss("cache.explain")

    def action_close(self) -> None:
        """Back to the conversation, or to the page from the path."""
        if self.has_class("-asking"):
            self._stop_asking()
        else:
            self.dismiss(None)
