"""One line about where the next turn goes and what is running."""

from __future__ import annotations

from dataclasses import dataclass, field
from time import monotonic
from typing import Any, Self, cast

from rich.segment import Segment
from textual import events
from textual.app import App
from textual.content import Content
from textual.geometry import Region
from textual.strip import Strip
from textual.timer import Timer
from textual.widget import Widget

from tui.core.text import visible_line
from tui.messages import CommandRequested

__all__ = ["StatusLine", "StatusState"]

_SPINNER = "⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏"
_TICK = 0.25


@dataclass(frozen=True, slots=True)
class StatusState:
    """What the line tells.

    Attributes:
        model: The model that will be asked.
        region: Its region.
        endpoint: `mantle`, `runtime` or `custom`.
        continuation: `stateful` or `stateless`.
        token: A few words on the token's source and expiry; empty before it is known.
        token_alarm: The token is missing, expired or about to be.
        sandbox: The embedded endpoint is in use.
        elsewhere: How many conversations that are not shown have a turn running.
        effort: The reasoning effort that is chosen; empty where the model's own is taken.
        ready: How many conversations that are not shown have an answer that nobody has seen.
        failed: How many conversations that are not shown have a turn that failed, which nobody has seen.
        arrived: The title of the first of either.
        background: The next turn is sent in the background.
        api: The API's name where it is another than Responses; empty else.
        replays: A cassette is played back: nothing is sent.
        branch: Which branch the next turn belongs to, e.g. `2/3`; empty where there is one only.
        unsaved: The history cannot be written: what is said is in memory only.
    """

    model: str = ""
    region: str = ""
    endpoint: str = ""
    continuation: str = "stateful"
    token: str = ""
    token_alarm: bool = False
    sandbox: bool = False
    elsewhere: int = 0
    effort: str = ""
    branch: str = ""
    ready: int = 0
    failed: int = 0
    arrived: str = ""
    background: bool = False
    api: str = ""
    replays: bool = False
    unsaved: bool = False


@dataclass(slots=True)
class _Segment:
    text: str
    style: str
    command: str = ""
    rank: int = 0  # the highest goes first when the line is too narrow
    columns: tuple[int, int] = field(default=(0, 0))


class StatusLine(Widget):
    """Model, region, endpoint, continuation, token; a running turn's time; its parts can be clicked."""

    DEFAULT_CSS = """
    StatusLine {
        height: 1;
        padding: 0 1;
        background: $background;
        color: $text-muted;
    }
    """

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self.state = StatusState()
        self.keys: dict[str, str] = {}
        self._since: float | None = None
        self._end = "stops"
        self._timer: Timer | None = None
        self._segments: list[_Segment] = []
        # What was drawn, and how it began: while a turn runs, that alone changes, four times a second.
        self._drawn: tuple[str, Strip] | None = None

    def show(self, state: StatusState) -> None:
        """Replace what is shown."""
        if state != self.state:
            self.state = state
            self.refresh()

    def running(self, since: float | None, end: str = "stops") -> None:
        """A turn of the shown conversation began at `since` on the monotonic clock, or none runs.

        Args:
            since: When.
            end: What the key does that ends it.
        """
        if (since, end) == (self._since, self._end):
            return
        self._since, self._end = since, end
        if since is None:
            if self._timer is not None:
                self._timer.stop()
                self._timer = None
        elif self._timer is None:
            self._timer = self.set_interval(_TICK if self._moves else 1.0, self._tick)
        self.refresh()

    def refresh(self, *regions: Region, **how: bool) -> Self:
        """As any widget's; what was drawn is drawn anew unless only a part of it is asked for."""
        if not regions:
            self._drawn = None
        return super().refresh(*regions, **how)

    def _tick(self) -> None:
        """Draw the time that passed, and the rest as it was."""
        head = self._running_words()
        if self._drawn is None or len(head) != len(self._drawn[0]):
            self.refresh()
            return
        first, *others = self._drawn[1]
        text = head + first.text[len(head) :]
        self._drawn = (head, Strip([Segment(text, first.style), *others], self._drawn[1].cell_length))
        self.refresh(Region(0, 0, len(head), 1))

    def render_line(self, y: int) -> Strip:
        """The line; where only its beginning has changed, that alone is made."""
        if self._drawn is not None:
            return self._drawn[1]
        strip = super().render_line(y)
        head = self._running_words() if self._since is not None else ""
        if head and next(iter(strip)).text.startswith(head):
            self._drawn = (head, strip)
        return strip

    def _running_words(self) -> str:
        seconds = 0.0 if self._since is None else monotonic() - self._since
        frame = "●" if not self._moves else _SPINNER[int(seconds / _TICK) % len(_SPINNER)]
        return f"{frame} {seconds:.0f} s  {self.keys.get('turn.stop', 'Esc')} {self._end}"

    @property
    def _moves(self) -> bool:
        return cast("App[object]", cast("Any", self).app).animation_level != "none"

    def render(self) -> Content:
        """Segments from the left, hints at the right; the least needed ones give way first."""
        width = max(0, self.content_size.width)
        left, right = self._left(), self._right()
        between = _WIDE if _width(left, _WIDE) + _width(right, _WIDE) + 2 <= width else _NARROW
        while _width(left, between) + _width(right, between) + 2 > width and (
            droppable := [segment for segment in left + right if segment.rank]
        ):
            worst = max(droppable, key=lambda segment: segment.rank)
            (left if worst in left else right).remove(worst)
        gap = width - _width(left, between) - _width(right, between) if right else 0
        start = _width(left, between) + gap
        content = _join(left, between, 0) + Content(" " * gap) + _join(right, between, start)
        self._segments = left + right
        return content

    def _left(self) -> list[_Segment]:
        state = self.state
        segments: list[_Segment] = []
        if self._since is not None:
            segments.append(_Segment(self._running_words(), "bold $text-primary", "turn.stop"))
        if state.replays:
            segments.append(_Segment("REPLAY", "bold $text-warning"))
        if state.sandbox:
            segments.append(_Segment("SANDBOX", "bold $text-warning"))
        if state.unsaved:
            segments.append(_Segment("not saved", "bold $text-error", "conversation.export"))
        segments += [
            _Segment(visible_line(state.model), "bold $foreground", "target.pick"),
            _Segment(visible_line(state.region), "", "target.pick", rank=2),
            _Segment(visible_line(state.endpoint), "", "target.pick", rank=4),
            _Segment(visible_line(state.api), "$text-accent", "target.pick"),
            _Segment(
                ("⇄ " if state.continuation == "stateful" else "⇉ ") + state.continuation,
                "$text-secondary" if state.continuation == "stateful" else "$text-accent",
                "continuation.toggle",
            ),
        ]
        if state.background:
            segments.append(_Segment("background", "$text-accent", "background.toggle"))
        if state.effort:
            segments.append(
                _Segment(f"effort {visible_line(state.effort)}", "", "conversation.settings", rank=3)
            )
        if state.branch:
            segments.append(_Segment(f"branch {state.branch}", "$text-accent", "turns.open", rank=1))
        if state.token:
            style = "bold $text-error" if state.token_alarm else ""
            segments.append(
                _Segment(visible_line(state.token), style, "token.enter", rank=0 if state.token_alarm else 5)
            )
        return [segment for segment in segments if segment.text]

    def _right(self) -> list[_Segment]:
        segments: list[_Segment] = []
        segments += self._ended_elsewhere()
        if self.state.elsewhere:
            words = f"{self.state.elsewhere} running elsewhere"
            segments.append(_Segment(words, "$text-warning", "conversations.open", rank=3))
        for command, word, rank in (("palette.open", "commands", 6), ("help.open", "help", 7)):
            if key := self.keys.get(command):
                segments.append(_Segment(f"{key} {word}", "$text-muted", command, rank=rank))
        return segments

    def _ended_elsewhere(self) -> list[_Segment]:
        """What has ended where nobody looked: how many, the first one's title, the key that goes there."""
        state = self.state
        segments: list[_Segment] = []
        if state.failed:
            segments.append(_Segment(f"✗ {state.failed} failed", "bold $text-error", "arrived.open"))
        if state.ready:
            segments.append(_Segment(f"✓ {state.ready} ready", "bold $text-success", "arrived.open"))
        if segments:
            key = self.keys.get("arrived.open", "/ready")
            title = visible_line(state.arrived)
            title = title if len(title) <= _TITLE else f"{title[: _TITLE - 1]}…"
            if title:
                segments.append(_Segment(f"“{title}”", "", "arrived.open", rank=4))
            segments.append(_Segment(f"{key} goes there", "$text-muted", "arrived.open", rank=2))
        return segments

    def on_click(self, event: events.Click) -> None:
        """Run the command of the part under the pointer."""
        event.stop()
        column = event.x - self.styles.padding.left
        for segment in self._segments:
            if segment.command and segment.columns[0] <= column < segment.columns[1]:
                self.post_message(CommandRequested(segment.command))
                return


_TITLE = 24
"""Cells that a title takes at most."""
_WIDE, _NARROW = "  ·  ", " · "


def _width(segments: list[_Segment], between: str) -> int:
    cells = sum(Content(segment.text).cell_length for segment in segments)
    return cells + len(between) * max(0, len(segments) - 1)


def _join(segments: list[_Segment], between: str, start: int) -> Content:
    """Draw segments and remember where each is."""
    content = Content("")
    for index, segment in enumerate(segments):
        if index:
            content += Content.styled(between, "$text-disabled")
        begin = start + content.cell_length
        content += Content.styled(segment.text, segment.style)
        segment.columns = (begin, start + content.cell_length)
    return content
