"""A turn while it runs: its blocks as they stream, whether or not a pane shows them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from time import monotonic
from typing import Literal, Protocol

from tui.core.attachments import Attachment
from tui.core.conversation import BranchMark
from tui.core.drafts import Draft, Span
from tui.core.events import (
    AnswerChecked,
    OutputItemDone,
    ReasoningDelta,
    SessionEvent,
    TextDelta,
    ToolCallChanged,
    TurnEnded,
    TurnStarted,
)
from tui.core.items import Item, Turn
from tui.core.structured.strict import Problem
from tui.core.text import visible_line
from tui.core.tools import calls_of, is_tool_step, pending_calls
from tui.screens.queue import EditedRequest
from tui.screens.tool_blocks import call_block, item_block
from tui.screens.turn_blocks import (
    STATES,
    attachment_lines,
    closing_blocks,
    notice_blocks,
    prompt_title,
    structured,
)
from tui.widgets.attachment_chips import describe
from tui.widgets.transcript.block import Block, BlockKind

__all__ = ["LiveTurn", "Pane", "Wait"]


class Pane(Protocol):
    """What a running turn needs of the conversation pane."""

    def append(self, block: Block) -> None:
        """Add a block at the end."""
        ...

    def insert_before(self, block_id: str, block: Block) -> None:
        """Add a block before another."""
        ...

    def feed(self, block_id: str, delta: str) -> None:
        """Add text to an open block."""
        ...

    def close_block(
        self, block_id: str, *, text: str | None = None, state: str = "", title: str | None = None
    ) -> None:
        """No more text will come for this block; `text` replaces what came where it differs."""
        ...

    def update_block(self, block: Block) -> None:
        """Replace a block by one of the same id."""
        ...

    def remove_block(self, block_id: str) -> None:
        """Take a block away."""
        ...


@dataclass(slots=True)
class _Live:
    """A block that may still grow."""

    block: Block
    parts: list[str] = field(default_factory=list[str])
    part_index: int = -1

    def whole(self) -> Block:
        """The block with all that came."""
        return replace(self.block, text="".join(self.parts)) if self.parts else self.block


@dataclass(frozen=True, slots=True)
class Wait:
    """A pause before the next attempt.

    Attributes:
        until: When it ends, on the monotonic clock.
        reason: What for.
    """

    until: float
    reason: str


class LiveTurn:
    """A turn while it runs: it keeps its blocks, whether or not a pane shows them.

    Args:
        conversation_id: The conversation it belongs to.
        number: Unique among the turns of this run; names its blocks until it is on disk.
        prompt: What the user typed.
        attachments: What goes with it.
        model: The model that is asked, for the title.
        again: The turn whose prompt is sent once more; the new turn is its sibling.

    Attributes:
        pastes: Which stretches of the prompt are long pastes.
        background: Whether it is sent in the background.
        held: Whether the server goes on with it when nobody watches.
        resumes: Whether it was sent before and is only watched.
        resumes_calls: How the loop goes on after calls whose outputs were not sent.
        waits: The pause before the next attempt; `None` while it goes on.
        edited: The body that is sent as it is; `None` for a turn that is planned.
        over: Whether the answer has ended; its tool calls may be running still.
    """

    background = False
    held = False
    resumes = False
    resumes_calls: Literal["run", "interrupted"] | None = None

    def __init__(
        self,
        conversation_id: str,
        number: int,
        prompt: str,
        attachments: Sequence[Attachment],
        model: str,
        again: Turn | None = None,
    ) -> None:
        self.conversation_id = conversation_id
        self.prompt = prompt
        self.attachments = tuple(attachments)
        self.pastes: tuple[Span, ...] = ()
        self.again = again
        self.since = monotonic()
        self.turn: Turn | None = None
        self.waits: Wait | None = None
        self.edited: EditedRequest | None = None
        self._key = f"live{number}"
        self._model = visible_line(model)
        self._pane: Pane | None = None
        self._live: list[_Live] = []
        self._open: _Live | None = None
        self._notices = 0
        self._problems: tuple[Problem, ...] = ()
        self._calls: dict[str, _Live] = {}
        self.over = False
        # A step of the tool loop carries nothing that the user typed.
        self._is_step = again is not None and is_tool_step(again)
        if not self._is_step:
            self._add(Block(f"{self._key}:user", BlockKind.USER, prompt, "You"))
        lines = [f"{visible_line(attachment.name)}  {describe(attachment)}" for attachment in attachments]
        if again is not None:
            lines = [line for item in again.input for line in attachment_lines(item)]
        for index, line in enumerate(lines):
            self._add(Block(f"{self._key}:file{index}", BlockKind.ATTACHMENT, line))
        self._answer()

    @classmethod
    def of_calls(
        cls, conversation_id: str, number: int, turn: Turn, how: Literal["run", "interrupted"]
    ) -> LiveTurn:
        """A turn that has ended, whose tool calls go on; it is drawn as it is kept."""
        model = turn.target.model if turn.target else "Answer"
        live = cls(conversation_id, number, turn.prompt, (), model, turn)
        live.turn, live.again, live.over, live.resumes_calls = turn, None, True, how
        live._close("")
        for item in turn.output:
            alone = replace(turn, input=(), output=(item,), partial_text="", partial_reasoning="")
            if block := item_block(f"{live._key}:out{len(live._live)}", item, turn.calls):
                added = live._add(block)
                for made in calls_of((item,)):
                    live._calls[made.call_id] = added
            elif alone.reasoning or alone.text:
                kind = BlockKind.REASONING if alone.reasoning else BlockKind.ASSISTANT
                title = "Reasoning" if alone.reasoning else live._model
                text = alone.reasoning or alone.text
                block = Block(f"{live._key}:out{len(live._live)}", kind, "", title, bool(alone.reasoning))
                live._add(block).parts.append(text)
        return live

    def blocks(self) -> list[Block]:
        """Everything so far, for a pane that shows this turn from now on."""
        return [live.whole() for live in self._live]

    def show_in(self, pane: Pane | None) -> None:
        """Draw what comes from now on in this pane; it has `blocks()` already. `None` shows it nowhere."""
        self._pane = pane

    @property
    def has_output(self) -> bool:
        """Whether anything of an answer has come."""
        return any(live.parts for live in self._live)

    @property
    def draft(self) -> Draft:
        """The prompt as it was written, for when it goes back."""
        return Draft(self.prompt, self.pastes, self.attachments)

    @property
    def group(self) -> str:
        """What the ids of its blocks begin with, up to the colon."""
        return self._key

    def mark(self, mark: BranchMark | None) -> None:
        """Say in the prompt's title which of several branches begins with it."""
        prompt = self._live[0]
        if prompt.block.kind is not BlockKind.USER:
            return
        prompt.block = replace(prompt.block, title=prompt_title(mark))
        if self._pane is not None:
            self._pane.update_block(prompt.block)

    def wait(self, seconds: float, reason: str) -> None:
        """Note that the next attempt comes after a pause."""
        self.waits = Wait(monotonic() + seconds, reason)

    def handle(self, event: SessionEvent) -> None:
        """Draw what one event brings; events that are not about blocks do nothing."""
        match event:
            case TurnStarted(turn=turn):
                self.turn = turn
                self._take_form(turn)
            case TextDelta(delta=delta):
                if event.refusal:
                    self._drop_form()
                self._text(delta)
            case AnswerChecked(problems=problems):
                self._problems = problems
            case ReasoningDelta(delta=delta, part_index=part):
                self._reasoning(delta, part)
            case OutputItemDone(item=item):
                self._item_done(item)
            case TurnEnded(turn=turn):
                self.end(turn)
            case ToolCallChanged(turn=turn, call=call, record=record):
                self.turn = turn
                if live := self._calls.get(call.call_id):
                    self._update(live, call_block(live.block.id, call, record, now=True))
            case _:
                pass

    def notice(self, text: str) -> None:
        """Say a line in the conversation, before the answer while nothing of it has come."""
        self._notices += 1
        self._add(
            Block(f"{self._key}:notice{self._notices}", BlockKind.NOTICE, text), before_empty_answer=True
        )

    def fail(self, sentence: str) -> None:
        """Close the turn with a sentence of ours, where no turn on disk says how it ended."""
        self._close("failed")
        self._add(Block(f"{self._key}:error", BlockKind.ERROR, sentence))

    def end(self, turn: Turn) -> None:
        """Close the turn as it is on disk: its state, its notices, its error; text that no delta brought."""
        self.turn = turn
        if self.over:
            # Its calls were stopped.
            for call, record in pending_calls(turn):
                if live := self._calls.get(call.call_id):
                    self._update(live, call_block(live.block.id, call, record))
            return
        self.over = True
        streamed = any(live.parts for live in self._live if live.block.kind is BlockKind.ASSISTANT)
        if turn.text and not streamed:
            self._text(turn.text)
        self._close(STATES.get(turn.outcome, "") if turn.outcome else "")
        if turn.text_format or turn.refusal:
            for live in self._live:
                if live.block.kind is BlockKind.ASSISTANT:
                    self._update(live, structured(live.block, turn, self._problems))
        for block in (*notice_blocks(turn, self._notices), *closing_blocks(turn)):
            self._add(block)

    # ---- blocks

    def _take_form(self, turn: Turn) -> None:
        """From now on answers are drawn as what was asked for: the empty one that waits, too."""
        if turn.text_format:
            for live in self._live:
                if live.block.kind is BlockKind.ASSISTANT:
                    self._update(live, structured(live.block, turn, ()))

    def _drop_form(self) -> None:
        """A refusal is prose."""
        live = self._open or self._live[-1]
        if live.block.json and not live.parts:
            self._update(live, replace(live.block, json=False))

    def _update(self, live: _Live, block: Block) -> None:
        if block != live.block:
            live.block = block
            if self._pane is not None:
                self._pane.update_block(live.whole())

    def _text(self, delta: str) -> None:
        if self._open is None or self._open.block.kind is not BlockKind.ASSISTANT:
            self._answer()
        self._feed(delta)

    def _reasoning(self, delta: str, part: int) -> None:
        if self._open is None or self._open.block.kind is not BlockKind.REASONING:
            block = Block(
                f"{self._key}:out{len(self._live)}",
                BlockKind.REASONING,
                "",
                "Reasoning",
                folded=True,
                state="running",
            )
            # The answer's empty block stays below: its title tells that the model is at work.
            self._open = self._add(block, before_empty_answer=True)
        if self._open.parts and part != self._open.part_index:
            self._feed("\n\n")
        self._open.part_index = part
        self._feed(delta)

    def _item_done(self, item: Item) -> None:
        if call := item_block(f"{self._key}:out{len(self._live)}", item):
            if self._open is not None and self._open.parts:
                self._settle(self._open, "")
                self._open = None
            added = self._add(call, before_empty_answer=True)
            for made in calls_of((item,)):
                self._calls[made.call_id] = added
            return
        if self._open is None or not self._open.parts:
            return
        kind = BlockKind.REASONING if item.type == "reasoning" else BlockKind.ASSISTANT
        if item.type in ("reasoning", "message") and self._open.block.kind is kind:
            self._settle(self._open, "")
            self._open = None

    def _answer(self) -> None:
        """Open the answer's block: the empty one that waits, or a new one."""
        last = self._live[-1] if self._live else None
        waits = last is not None and last.block.state == "running" and not last.parts
        if last is not None and waits and last.block.kind is BlockKind.ASSISTANT:
            if self._open is not None and self._open is not last:
                self._settle(self._open, "")
            self._open = last
            return
        if self._open is not None:
            self._settle(self._open, "")
        block = Block(
            f"{self._key}:out{len(self._live)}", BlockKind.ASSISTANT, "", self._model, state="running"
        )
        formed = self.turn is not None and self.turn.text_format
        self._open = self._add(structured(block, self.turn, ()) if formed and self.turn else block)

    def _feed(self, delta: str) -> None:
        assert self._open is not None
        self._open.parts.append(delta)
        if self._pane is not None:
            self._pane.feed(self._open.block.id, delta)

    def _add(self, block: Block, *, before_empty_answer: bool = False) -> _Live:
        live = _Live(block)
        last = self._live[-1] if self._live else None
        if before_empty_answer and last and last.block.kind is BlockKind.ASSISTANT and not last.parts:
            self._live.insert(len(self._live) - 1, live)
            if self._pane is not None:
                self._pane.insert_before(last.block.id, block)
        else:
            self._live.append(live)
            if self._pane is not None:
                self._pane.append(block)
        return live

    def _close(self, state: str) -> None:
        """Nothing more comes: the last block with text gets the state, an answer without any goes."""
        for live in [live for live in self._live if live.block.state == "running"]:
            if not live.parts and live.block.kind is BlockKind.ASSISTANT:
                self._live.remove(live)
                if self._pane is not None:
                    self._pane.remove_block(live.block.id)
            else:
                self._settle(live, "")
        last = next((live for live in reversed(self._live) if live.parts), None)
        if state and last is not None:
            self._settle(last, state)
        self._open = None

    def _settle(self, live: _Live, state: str) -> None:
        live.block = replace(live.block, state=state)
        if self._pane is not None:
            self._pane.close_block(live.block.id, state=state)
