"""The next request before it is sent: in each continuation mode, beside each other or one above the other."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import ClassVar, Final

from textual import events
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Container
from textual.content import Content
from textual.widgets import Static

from tui.core import figures
from tui.core.errors import OutcropError
from tui.core.estimate import TurnEstimate
from tui.core.items import ContinuationMode, Outcome
from tui.core.preview import Preview, PreviewItem
from tui.core.text import visible_line
from tui.screens.base import ModalScreen
from tui.widgets.dialog import Dialog
from tui.widgets.rows import Mark, Row, RowList, fit, row, wrap
from tui.widgets.virtual_lines import VirtualLines

__all__ = ["BESIDE_FROM", "PreviewScreen", "preview_rows"]

BESIDE_FROM: Final = 100
"""Columns from which the two modes stand beside each other."""

_DAYS: Final = 30
"""How long the service keeps a stored response (bedrock-facts.md 8)."""

_ENDED: Final = {Outcome.CANCELLED: "stopped", Outcome.FAILED: "failed", Outcome.INCOMPLETE: "incomplete"}


def preview_rows(
    look: Preview, width: int, *, chosen: bool, empty: bool, estimate: TurnEstimate | None = None
) -> list[Row]:
    """One mode's request as rows.

    Args:
        look: The request.
        width: Cells to fill.
        chosen: Whether it is the conversation's mode, in which Enter sends.
        empty: Whether there is no prompt and no file yet.
        estimate: What it is likely to take; without one, the tokens of what is in the body.
    """
    arrow = "⇄" if look.mode == "stateful" else "⇉"
    title: list[str | tuple[str, Mark]] = [
        (f"{arrow} {look.mode}", "heading"),
        (f"  {figures.size(look.size)}", "number"),
    ]
    if estimate is None:
        title.append(f"  ~{look.tokens:,} tokens")
    if chosen:
        title.append(("  nothing to send yet", "warning") if empty else ("  Enter sends this", "accent"))
    sends = f"  instructions of {look.instructions:,} characters" if look.instructions else ""
    body: list[Row] = [
        row(*title),
        *(_estimate_rows(estimate) if estimate else ()),
        row(("previous  ", "key"), look.previous_response_id or ("none", "dim"), hang=10),
        _needs(look),
        row(("store     ", "key"), ("true" if look.store else "false", "word"), sends, hang=10),
        row(("input     ", "key"), _items_words(len(look.items))),
    ]
    if look.refused and not empty:
        body.insert(1, row(("refused   ", "key"), (visible_line(look.refused), "error"), hang=10, words=True))
    items = [_item_row(item, width, empty=empty) for item in look.items]
    left = [
        row(("left out  ", "key"), f"{kind}: {reason}", hang=10, words=True)
        for kind, reason in _counted(look.left_out)
    ]
    return [*wrap(body, width), *items, *([row("")] if left else []), *wrap(left, width)]


def _estimate_rows(estimate: TurnEstimate) -> list[Row]:
    """Cost, tokens, cache and window as they are likely to be."""
    likely = figures.money(estimate.cost.usd, estimate=True) if estimate.cost else figures.UNKNOWN
    most = figures.money(estimate.cost_most.usd, estimate=True) if estimate.cost_most else figures.UNKNOWN
    doubt = "?" if estimate.cost is not None and estimate.cost.uncertain else ""
    full = (
        "–"
        if estimate.window_share is None
        else f"~{figures.share(estimate.window_share)}".replace("~<", "<")
    )
    answer = f"answer ~{estimate.output_tokens:,}"
    answer += f", at most {estimate.output_most:,}" if estimate.output_most else ""
    return [
        row(("cost      ", "key"), "likely ", (f"{likely}{doubt}", "number"), f", at most {most}", hang=10),
        row(
            ("tokens    ", "key"),
            f"~{estimate.input_tokens:,} in, of which ~{estimate.draft_tokens:,} are this draft; {answer}",
            hang=10,
            words=True,
        ),
        row(("cache     ", "key"), _cache_words(estimate), hang=10, words=True),
        row(("window    ", "key"), f"{full} full after it", hang=10),
    ]


def _cache_words(estimate: TurnEstimate) -> str | tuple[str, Mark]:
    if estimate.cacheable_tokens is None:
        return "nobody knows whether this model caches", "dim"
    if not estimate.cacheable_tokens:
        return "nothing of it can come from the cache", "dim"
    part = figures.share(estimate.cacheable_tokens / max(1, estimate.input_tokens))
    return (
        f"~{estimate.cacheable_tokens:,} ({part}) could come from the cache, "
        f"~{estimate.cached_tokens:,} are likely to"
    )


def _items_words(count: int) -> str:
    return "1 item" if count == 1 else f"{count:,} items"


def _needs(look: Preview) -> Row:
    """What the server must still have."""
    if not look.remembered_turns:
        return row(("needs     ", "key"), ("nothing remembered by the server", "success"), hang=10)
    turns = "turn" if look.remembered_turns == 1 else f"{look.remembered_turns:,} turns"
    tokens = (
        f"; ~{look.remembered_tokens:,} tokens that count as input too"
        if look.remembered_tokens is not None
        else "; how many tokens was never reported"
    )
    which = (
        "that response, with its" if look.remembered_turns == 1 else "that response, with the chain of its"
    )
    return row(("needs     ", "key"), f"{which} {turns}, kept {_DAYS} days{tokens}", hang=10, words=True)


def _item_row(item: PreviewItem, width: int, *, empty: bool) -> Row:
    mark: Mark = "accent" if item.new else "warning" if item.unfinished else "dim"
    sign = "+" if item.new else "!" if item.unfinished else " "
    words = item.words
    if item.new and empty:
        words = "nothing is typed yet"
    if item.unfinished:
        words = f"({_ENDED.get(item.unfinished, item.unfinished)}) {words}"
    head = f" {sign} {fit(visible_line(item.kind), 13)} {fit(figures.size(item.size), 7, right=True)}  "
    return row((head[:3], mark), head[3:], (fit(visible_line(words), max(0, width - len(head))), mark))


def _counted(left_out: Sequence[tuple[str, str]]) -> list[tuple[str, str]]:
    """Equal lines once, with how often."""
    counts: dict[tuple[str, str], int] = {}
    for entry in left_out:
        counts[entry] = counts.get(entry, 0) + 1
    return [(f"{count} × {kind}" if count > 1 else kind, reason) for (kind, reason), count in counts.items()]


class PreviewScreen(ModalScreen[bool]):
    """Gives whether it is to be sent, in the conversation's mode.

    Args (of the constructor):
        looks: The stateful request and the stateless one.
        mode: The conversation's mode.
        switch: Changes the conversation's mode and gives the new one.
        empty: Whether there is nothing to send yet.
        waits: Whether an answer is arriving, so that the prompt would wait.
        estimates: What it is likely to take in each mode.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,f5", "cancel", "Cancel", show=False, id="dialog.close"),
        Binding("enter", "send", "Send", show=False, priority=True, id="preview.send"),
        Binding("t", "switch", "Switch mode", show=False, id="preview.switch"),
        Binding(
            "tab,left,right",
            "app.focus_next",
            "The other mode",
            show=False,
            priority=True,
            id="preview.other",
        ),
    ]
    DEFAULT_CSS = """
    PreviewScreen {
        align: center middle;
        & #preview-both { height: 1fr; layout: horizontal; }
        &.-stacked #preview-both { layout: vertical; }
        & VirtualLines {
            width: 1fr; height: 1fr; padding: 0 1; border-left: blank; scrollbar-gutter: stable;
        }
        & VirtualLines:focus { border-left: thick $primary; }
    }
    """

    def __init__(
        self,
        looks: tuple[Preview, Preview],
        mode: ContinuationMode,
        switch: Callable[[], Awaitable[ContinuationMode]],
        *,
        empty: bool,
        waits: bool,
        estimates: Mapping[ContinuationMode, TurnEstimate] | None = None,
    ) -> None:
        super().__init__()
        self._looks = looks
        self._mode: ContinuationMode = mode
        self._switch = switch
        self._empty = empty
        self._waits = waits
        self._estimates = estimates or {}
        self._pages = {look.mode: VirtualLines(id=f"preview-{look.mode}") for look in looks}

    def compose(self) -> ComposeResult:
        """Both modes and a line about how the figures came to be."""
        yield Dialog(
            Container(*self._pages.values(), id="preview-both"),
            Static("", id="preview-detail", classes="dialog--detail", markup=False),
            title="What would be sent",
            keys="Enter send   t switch mode   Tab other side   ↑↓ scroll   Esc close",
        )

    def on_mount(self) -> None:
        """The conversation's mode has the focus."""
        self.set_class(self.size.width < BESIDE_FROM, "-stacked")
        self._pages[self._mode].focus()
        self._say()
        self.call_after_refresh(self._fill)

    def on_resize(self, event: events.Resize) -> None:
        """Beside each other where there is room."""
        self.set_class(event.size.width < BESIDE_FROM, "-stacked")
        self.call_after_refresh(self._fill)

    def _fill(self) -> None:
        for look in self._looks:
            page = self._pages[look.mode]
            width = page.room
            if width > 0:
                estimate = self._estimates.get(look.mode)
                chosen = look.mode == self._mode
                rows = preview_rows(look, width, chosen=chosen, empty=self._empty, estimate=estimate)
                page.replace(RowList(rows))

    def _say(self, sentence: str = "") -> None:
        """Say something, or else how the figures came to be."""
        text = Content.styled(
            self._basis(),
            "$text-muted",
        )
        if self._waits:
            sentence = (
                sentence or "An answer is still arriving: this would wait, and how that ends may change it."
            )
        if sentence:
            text = Content("\n").join([Content.styled(visible_line(sentence), "$text-warning"), text])
        self.query_one("#preview-detail", Static).update(text)

    def _basis(self) -> str:
        """What the estimates rest on."""
        learned = max((estimate.learned for estimate in self._estimates.values()), default=0)
        if not learned:
            return "~ is an estimate by rules of thumb: it learns from the server's counts, turn by turn."
        counts = "1 count" if learned == 1 else f"{learned} counts"
        return (
            f"~ is an estimate, learned from {counts} of the server's in this conversation; prices are dated."
        )

    def action_send(self) -> None:
        """Send it in the conversation's mode."""
        if self._empty:
            self._say("There is nothing to send: type a message or attach a file.")
        else:
            self.dismiss(True)

    def action_switch(self) -> None:
        """Use the other mode from now on."""
        self.run_worker(
            self._to_other_mode, group="mode", name="mode", description="switch mode", exclusive=True
        )

    async def _to_other_mode(self) -> None:
        try:
            self._mode = await self._switch()
        except OutcropError as error:
            self._say(str(error))
            return
        self._pages[self._mode].focus()
        self._fill()

    def action_cancel(self) -> None:
        """Back to the composer; nothing is sent."""
        self.dismiss(False)
