"""The conversation pane: one widget that draws the whole conversation line by line.

A tree of widgets cannot keep up with 200 tokens/s; this one hands the compositor rows it has
already rendered. How it works: `transcript.split` cuts markdown into pieces, `transcript.view`
renders a piece when it comes into sight, `transcript.flow` knows which rows are where, and
`transcript.canvas` keeps the viewport's rows and repaints those that differ; `transcript.reading` adds
cursor, selections and hits. This module has what the rest of the program sees.
"""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from time import perf_counter
from typing import TYPE_CHECKING, Any, ClassVar, Final, cast

from textual import events
from textual.message import Message

from tui.core.keys_first import rest_for
from tui.core.text import visible
from tui.widgets.transcript.block import Block, BlockKind
from tui.widgets.transcript.flow import Anchor
from tui.widgets.transcript.later import Later
from tui.widgets.transcript.palette import COMPONENTS, PANE_CSS, Palette
from tui.widgets.transcript.pane_keys import PaneKeys
from tui.widgets.transcript.piece import Cuts, Paper
from tui.widgets.transcript.reading import READING_COMPONENTS, READING_CSS
from tui.widgets.transcript.split import split_ahead, split_all
from tui.widgets.transcript.view import View
from tui.widgets.transcript.warm import warm_up

if TYPE_CHECKING:
    from textual.app import App

__all__ = ["Block", "BlockKind", "ConversationPane"]

_FRAME: Final = 1 / 16
_STILL_FRAME: Final = 1 / 5  # seconds between pictures for who wants no motion
_FLOOD_FRAME: Final = 1 / 8
_FLOOD: Final = 1200
"""Characters in one frame from which on nobody reads along: fewer pictures, so that the end comes soon."""
_SLICE: Final = 4096
_BUDGET: Final = 0.006
"""Seconds of splitting in one turn of the event loop: a key that comes meanwhile waits for it."""
_REST: Final = 6.0
"""A flush of t seconds comes this many t after the last: drawing takes a quarter of a core at most."""
_LONG: Final = 6000
"""Characters of an answer from which on it is split as a whole, at its end, in a thread."""
_PAINTED: Final = 0.06
"""Seconds after which the end of an answer is on the screen: a thread that worked before would delay it."""


class ConversationPane(PaneKeys, can_focus=True):
    """Shows blocks of a conversation; knows nothing of sessions or the network.

    Attributes:
        empty_text: Drawn quietly in the middle while there are no blocks.
    """

    COMPONENT_CLASSES: ClassVar[set[str]] = set(COMPONENTS | READING_COMPONENTS)
    DEFAULT_CSS = PANE_CSS + READING_CSS

    class LinkClicked(Message):
        """A link was clicked; whether to open it is the receiver's decision."""

        def __init__(self, pane: ConversationPane, href: str) -> None:
            super().__init__()
            self.pane = pane
            self.href = href

        @property
        def control(self) -> ConversationPane:
            """The pane."""
            return self.pane

    class FoldToggled(Message):
        """The user folded or unfolded a block; it is already drawn so."""

        def __init__(self, pane: ConversationPane, block_id: str, folded: bool) -> None:
            super().__init__()
            self.pane = pane
            self.block_id = block_id
            self.folded = folded

        @property
        def control(self) -> ConversationPane:
            """The pane."""
            return self.pane

    class FollowChanged(Message):
        """The pane began or ceased to follow the end, or more came below.

        Attributes:
            following: Whether the end is in sight and stays so.
            below: How many lines are below the viewport, partly guessed; 0 while following.
            came: How many of them have come since the end was out of sight.
        """

        def __init__(self, pane: ConversationPane, following: bool, below: int, came: int = 0) -> None:
            super().__init__()
            self.pane = pane
            self.following = following
            self.below = below
            self.came = came

        @property
        def control(self) -> ConversationPane:
            """The pane."""
            return self.pane

    class CursorMoved(Message):
        """The cursor came, went or moved; the pane knows where it is."""

    class SearchChanged(Message):
        """There is another count, or another current hit; the pane's `search` knows them."""

    class SelectedByMouse(Message):
        """The mouse was let go over selected text."""

    class Left(Message):
        """Escape was pressed: the keys belong to the composer again."""

    def __init__(
        self,
        *,
        empty_text: str = "",
        name: str | None = None,
        id: str | None = None,
        classes: str | None = None,
    ) -> None:
        super().__init__(empty_text, name, id, classes)
        self._fed: dict[str, list[str]] = {}
        self._flush_handle: asyncio.TimerHandle | None = None
        self._flush_ready_at = self._painted_at = 0.0
        self._fed_size = 0  # characters since the last picture
        self._splitting: dict[str, View] = {}
        self._drawing: list[_Job] = []  # the first one is under way
        self._idle = asyncio.Event()
        self._idle.set()

    # -- blocks -------------------------------------------------------------------------------

    def replace(self, blocks: Sequence[Block | Later]) -> None:
        """Show another conversation, at its end; only what is in sight is made and rendered.

        Raises:
            ValueError: Two blocks have the same id.
        """
        self._fed.clear()
        self._splitting.clear()
        self._flow.fill(blocks)
        self.following, self._anchor = True, None
        self._drop_selection()
        self._settle()

    def append(self, block: Block) -> None:
        """Add a block at the end.

        Raises:
            ValueError: The id is taken.
        """
        self._flow.insert(len(self._flow.views), block)
        self._settle()

    def insert_before(self, block_id: str, block: Block) -> None:
        """Add a block before another one.

        Raises:
            KeyError: There is no block `block_id`.
            ValueError: The new block's id is taken.
        """
        spots = self.keep_spots()
        self._flow.insert(self._flow[block_id].index, block)
        self.find_spots(spots)
        self._settle()

    def feed(self, block_id: str, delta: str) -> None:
        """Add streamed text to a block; drawn with the next frame.

        Raises:
            KeyError: There is no such block.
        """
        if block_id not in self._flow:
            raise KeyError(block_id)
        if delta:
            self._fed.setdefault(block_id, []).append(delta)
            self._idle.clear()
            self._schedule()

    def close_block(
        self, block_id: str, *, text: str | None = None, state: str = "", title: str | None = None
    ) -> None:
        """End the stream of a block.

        Args:
            block_id: Which.
            text: The final text, which replaces what was fed if it differs; None if that stands.
            state: See `Block.state`.
            title: A new title; None keeps it.

        Raises:
            KeyError: There is no such block.
        """
        view = self._flow[block_id]
        spots = self.keep_spots(view)
        rest = "".join(self._fed.pop(block_id, ()))
        later = view.is_followed and view.size + len(rest) > _LONG and text in (None, view.text + rest)
        if rest:
            view.feed(rest, self._flow.paper if later or view.is_followed else None)
        block = view.block
        view.block = replace(block, text="", title=block.title if title is None else title, state=state)
        if later:
            self._close_later(view)
        else:
            view.close(text, self._flow.paper)
        view.retitle()
        self._flow.touch(view)
        self.find_spots(spots)
        self._settle()

    def _close_later(self, view: View) -> None:
        """Split a long text as a whole in a thread; until then what was followed is drawn."""
        text, loop = view.text, asyncio.get_running_loop()
        self._splitting[view.block.id] = view
        self._idle.clear()

        def work() -> None:
            split_ahead([text])
            cuts = split_all(visible(text))
            # The loop may be closed by now: then nobody waits.
            with contextlib.suppress(RuntimeError):
                loop.call_soon_threadsafe(self.call_next, self._close_now, view, text, cuts)

        loop.call_later(_PAINTED, threading.Thread(target=work, daemon=True).start)

    def _close_now(self, view: View, text: str, cuts: Cuts) -> None:
        """Draw a closed block from its text as it was split as a whole, if it is still that text."""
        if self._splitting.get(view.block.id) is view:
            del self._splitting[view.block.id]
            spots = self.keep_spots(view)
            view.close(None, self._flow.paper, cuts if view.text == text else None)
            self._flow.touch(view)
            self.find_spots(spots)
            self._settle()
        self._rest()

    def update_block(self, block: Block) -> None:
        """Replace a block by one of the same id; cheap if only title or state differ.

        Raises:
            KeyError: There is no such block.
        """
        view = self._flow[block.id]
        spots = self.keep_spots(view)
        self._fed.pop(block.id, None)
        if block.json != view.block.json:
            # A tree and a text are kept in different ways.
            anchored = self._anchor is not None and self._anchor.view is view
            self._splitting.pop(block.id, None)
            self._flow.remove(view)
            view = self._flow.insert(view.index, block)
            if anchored:
                self._anchor = Anchor(view, 0, 0)
        else:
            view.replace(block, self._flow.paper)
        self._flow.touch(view)
        self.find_spots(spots)
        self._settle()

    def remove_block(self, block_id: str) -> None:
        """Take a block away.

        Raises:
            KeyError: There is no such block.
        """
        view = self._flow[block_id]
        self._fed.pop(block_id, None)
        self._splitting.pop(block_id, None)
        index, spots = view.index, self.keep_spots(view)
        self._flow.remove(view)
        self.find_spots(spots)
        if self._anchor is not None and self._anchor.view is view:
            views = self._flow.views
            self._anchor = Anchor(self._flow.made(min(index, len(views) - 1)), 0, 0) if views else None
        self._settle()

    def clear(self) -> None:
        """Take all blocks away."""
        self.replace(())

    def plain_text(self, block_id: str) -> str:
        """The source text of a block as it came, for copying.

        Raises:
            KeyError: There is no such block.
        """
        return self._flow[block_id].text + "".join(self._fed.get(block_id, ()))

    def toggle_fold(self, block_id: str) -> None:
        """Fold or unfold a block, and say so.

        Raises:
            KeyError: There is no such block.
        """
        view = self._flow[block_id]
        block = view.block
        folded = not block.folded
        spots, came = self.keep_spots(view), self._came()
        view.replace(replace(block, text=view.text, folded=folded), self._flow.paper)
        self._flow.touch(view)
        self.find_spots(spots)
        self._leave_at(came)
        if self.following and not folded and view.index < len(self._flow.views) - 1:
            # What was asked for must come into sight: stay where the title is.
            self._anchor, self.following = self._anchor, False
        self._settle()
        self.post_message(self.FoldToggled(self, block_id, folded))

    def follow_changed(self, following: bool, below: int, came: int) -> None:
        """Say so to the parent."""
        self.post_message(self.FollowChanged(self, following, below, came))

    def cursor_moved(self) -> None:
        """Say so to the parent."""
        self.post_message(self.CursorMoved())

    def search_changed(self) -> None:
        """Say so to the parent."""
        self.post_message(self.SearchChanged())

    def selected_by_mouse(self) -> None:
        """Say so to the parent."""
        self.post_message(self.SelectedByMouse())

    def link_asked(self, href: str) -> None:
        """Say so to the parent."""
        self.post_message(self.LinkClicked(self, href))

    def left(self) -> None:
        """Say so to the parent."""
        self.post_message(self.Left())

    def unfold(self, view: View) -> None:
        """Show all of a folded block."""
        if view.folded:
            self.toggle_fold(view.block.id)

    def on_mount(self) -> None:
        """Import what renders, once the first frame is on the screen."""
        self.call_after_refresh(threading.Thread(target=warm_up, daemon=True).start)

    def new_paper(self, width: int, palette: Palette) -> Paper:
        """Paper from which what is large is passed on to a thread."""
        paper = super().new_paper(width, palette)

        def later(view: View, work: Callable[[], Any], done: Callable[[Any], None]) -> None:
            self._draw_later(_Job(paper, view, work, done))

        paper.later = later
        return paper

    def _draw_later(self, job: _Job) -> None:
        """Have rows of something very large made in a thread, one thing after the other."""
        self._drawing.append(job)
        self._idle.clear()
        if len(self._drawing) == 1:
            self._draw_next()

    def _draw_next(self) -> None:
        loop, job = asyncio.get_running_loop(), self._drawing[0]

        def work() -> None:
            failure, result = None, None
            try:
                # With the collector on: with a pause, its next look is long, and on the event loop.
                result = job.work()
            except Exception as error:  # A thread's edge: it is raised where it is seen.
                failure = error
            # The loop may be closed by now: then nobody waits.
            with contextlib.suppress(RuntimeError):
                loop.call_soon_threadsafe(self.call_next, self._drew, job, result, failure)

        threading.Thread(target=work, daemon=True).start()

    def _drew(self, job: _Job, result: Any, failure: Exception | None) -> None:
        """Draw what a thread has made, at the same place of the block."""
        flow = self._flow
        del self._drawing[0]
        # What was asked for last is what is in sight; what other paper asked for is nothing any more.
        self._drawing = [other for other in self._drawing if other.paper is flow.paper][::-1]
        if self._drawing:
            self._draw_next()
        view = job.view
        if job.paper is flow.paper and view.index < len(flow.views) and flow.views[view.index] is view:
            if failure is not None:
                raise failure
            spots, came, held = self.keep_spots(view), self._came(), self._hold_piece(view)
            job.done(result)
            flow.touch(view)
            self.find_spots(spots)
            self._leave_at(came)
            if held is not None:
                self._anchor = self._found_piece(*held)
            self._settle()
        self._rest()

    def _rest(self) -> None:
        """Say that all is drawn, if it is."""
        if not (self._fed or self._splitting or self._drawing):
            self._idle.set()

    # -- streaming ----------------------------------------------------------------------------

    async def drained(self) -> None:
        """Return when all fed text is laid out and painted; at once if the pane is going away."""
        painted = asyncio.Event()
        waiting = False
        while self.is_attached and self.is_running and self.app.is_running and not painted.is_set():  # pyright: ignore[reportUnknownMemberType]
            event = painted if self._idle.is_set() else self._idle
            if event is painted and not waiting:
                waiting = self.call_after_refresh(painted.set)
            # An app that ends for an error never answers: look up now and then.
            with contextlib.suppress(asyncio.TimeoutError):
                await asyncio.wait_for(event.wait(), 0.5)

    def _schedule(self) -> None:
        if self._flush_handle is None:
            loop = asyncio.get_running_loop()
            delay = self._flush_ready_at - perf_counter()
            self._flush_handle = loop.call_later(max(0.0, delay), self._next_frame)

    def _next_frame(self) -> None:
        if rest := rest_for():
            self._flush_handle = asyncio.get_running_loop().call_later(rest, self._frame)
        else:
            self._frame()

    def _frame(self) -> None:
        """Flush and paint, without waiting for the widget's and the screen's queues: each turn costs."""
        self._flush_handle = None
        if not (self.is_attached and self.is_running):
            return
        self._at_once = True
        try:
            with self._context():
                self._flush()
        except Exception as error:  # A callback's edge: asyncio would log it, and the pane stand still.
            self.call_next(_raise, error)
        finally:
            self._at_once = False

    def _flush(self) -> None:
        """Lay out fed text for at most the time budget; paint it if all is, or a frame is due."""
        started = perf_counter()
        self._fed_size += sum(len(delta) for deltas in self._fed.values() for delta in deltas)
        self._lay_out(started + _BUDGET)
        now = perf_counter()
        if self._fed:
            # More has come than that takes: half of a core until it is drawn, keys and pictures in between.
            self._fed_size -= sum(len(delta) for deltas in self._fed.values() for delta in deltas)
            if now - self._painted_at < _FLOOD_FRAME:
                self._flush_ready_at = now + (now - started)
                self._schedule()
                return
        self._settle()
        self._painted_at = now = perf_counter()
        still = cast("App[object]", cast("Any", self).app).animation_level == "none"
        frame = _STILL_FRAME if still else _FLOOD_FRAME if self._fed_size > _FLOOD else _FRAME
        self._fed_size = 0
        self._flush_ready_at = started + max(frame, min(_REST * (now - started), _FLOOD_FRAME))
        if self._fed:
            self._flush_ready_at = now + (now - started)
            self._schedule()
        else:
            self._rest()

    def _lay_out(self, until: float) -> None:
        """Take over fed text until then, a slice at least."""
        flow = self._flow
        while self._fed:
            block_id, deltas = next(iter(self._fed.items()))
            text = "".join(deltas)
            view = flow[block_id]
            spots = self.keep_spots(view)
            # Rows are made with these slices, which takes longer than to split them.
            size = _SLICE // 4 if view.is_growing and self.following else _SLICE
            view.feed(text[:size], flow.paper)
            if flow.paper is not None and self.following:
                # With the slice, not all of it with the picture: that could be too much at once.
                view.grow(flow.paper)
            flow.touch(view)
            self.find_spots(spots)
            if len(text) > size:
                self._fed[block_id] = [text[size:]]
            else:
                del self._fed[block_id]
            if perf_counter() > until:
                break

    # -- mouse --------------------------------------------------------------------------------

    def on_click(self, event: events.Click) -> None:
        """Open a link, or fold; a double click selects a word and not, as elsewhere, everything."""
        meta = event.style.meta if event.style else {}
        if event.chain >= 2:
            event.prevent_default()
            self._select_at(event.x, event.y, word=event.chain == 2)
            self.selected_by_mouse()
        elif self.text_selection is not None:
            return
        elif href := meta.get("href"):
            event.stop()
            self.link_asked(str(href))
        elif (block_id := meta.get("fold")) is not None and block_id in self._flow:
            event.stop()
            self.toggle_fold(str(block_id))
        elif (node := meta.get("node")) is not None and str(meta.get("tree")) in self._flow:
            event.stop()
            self.toggle_node(self._flow[str(meta.get("tree"))], int(node))


@dataclass(frozen=True, slots=True)
class _Job:
    """Something to be done in a thread for a view, on the paper of then."""

    paper: Paper
    view: View
    work: Callable[[], Any]
    done: Callable[[Any], None]


def _raise(error: Exception) -> None:
    raise error
