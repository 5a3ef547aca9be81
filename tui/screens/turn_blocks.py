"""Turns of the history as blocks of the conversation pane; `live_turn.py` has one that runs."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

from tui.core.attachments import file_kinds
from tui.core.conversation import BranchMark, Conversation
from tui.core.images import image_info
from tui.core.items import Item, Outcome, Turn
from tui.core.structured.output_format import format_name
from tui.core.structured.strict import Problem
from tui.core.text import visible_line
from tui.core.tools import is_tool_step
from tui.screens.tool_blocks import item_block
from tui.screens.turn_words import usage_block
from tui.session.validation import is_checked, turn_problems
from tui.widgets.attachment_chips import size_words
from tui.widgets.transcript.block import Block, BlockKind
from tui.widgets.transcript.split import LARGE, split_ahead
from tui.widgets.transcript.warm import warm_up

__all__ = [
    "STATES",
    "LaterTurn",
    "attachment_lines",
    "closing_blocks",
    "notice_blocks",
    "path_blocks",
    "prompt_title",
    "split_last",
    "split_promised",
    "structured",
    "turn_blocks",
]

STATES: Final = {Outcome.CANCELLED: "stopped", Outcome.FAILED: "failed", Outcome.INCOMPLETE: "incomplete"}
_AHEAD: Final = 1_000_000  # characters of promised turns that are split before anyone scrolls there
_FILENAME: Final = re.compile(r'"filename":("(?:[^"\\]|\\.)*")')
_DATA: Final = re.compile(r'"(file_data|image_url)":"data:([^;,"]*)[^,"]*,')
_HEAD: Final = 87_384  # characters of base64, 64 KB: enough to tell a picture's size
_AT_ONCE: Final = 40
"""How many of the last turns of a path are made at once; the others when they come near."""
_LONGEST: Final = 100_000
"""Characters of a turn that a guess of its height counts: more may be a file's, and is none to be read."""
_MARKS: Final = str.maketrans("", "", "*_~`\\")  # of markdown, and the backslash of JSON's escapes


def turn_blocks(turn: Turn, mark: BranchMark | None = None) -> list[Block]:
    """A turn as it is kept, as blocks. Reads large items: call it off the event loop for a whole history.

    Args:
        turn: The turn.
        mark: Which of several branches begins with it.
    """
    if turn.summary:
        return _summary_blocks(turn, mark)
    blocks = _input_blocks(turn, mark)
    # What was said about a turn was said before its answer: a chain is mended before anything comes.
    blocks += notice_blocks(turn)
    blocks += _output_blocks(turn)
    return blocks + closing_blocks(turn)


def prompt_title(mark: BranchMark | None) -> str:
    """The title of a prompt: where the conversation parts, with the place of its branch, `You  ‹ 2/3 ›`."""
    return "You" if mark is None else f"You  ‹ {mark} ›"


def _summary_blocks(turn: Turn, mark: BranchMark | None) -> list[Block]:
    """A turn that stands for others: what is said about it, and the summary to be unfolded."""
    blocks = notice_blocks(turn)
    if mark is not None:
        text = f"Branch {mark.number} of {mark.of} begins here."
        blocks.insert(0, Block(f"{turn.id}:branch", BlockKind.NOTICE, text))
    if turn.prompt:
        blocks.append(Block(f"{turn.id}:summary", BlockKind.TOOL, turn.prompt, "Summary", folded=True))
    return blocks


def _input_blocks(turn: Turn, mark: BranchMark | None) -> list[Block]:
    if is_tool_step(turn):
        # Its input is shown with the calls that it answers.
        text = "" if mark is None else f"Branch {mark.number} of {mark.of} begins here."
        return [Block(f"{turn.id}:branch", BlockKind.NOTICE, text)] if text else []
    blocks = [Block(f"{turn.id}:user", BlockKind.USER, turn.prompt, prompt_title(mark))]
    lines = [line for item in turn.input for line in attachment_lines(item)]
    blocks += [
        Block(f"{turn.id}:file{index}", BlockKind.ATTACHMENT, line) for index, line in enumerate(lines)
    ]
    return blocks


def _output_blocks(turn: Turn) -> list[Block]:
    """Reasoning and messages in the server's order, then what never finished."""
    pieces: list[tuple[BlockKind, str]] = []
    calls: dict[int, Block] = {}
    for item in turn.output:
        if call := item_block(f"{turn.id}:out{len(pieces)}", item, turn.calls):
            calls[len(pieces)] = call
            pieces.append((BlockKind.TOOL, call.text))
            continue
        alone = replace(turn, input=(), output=(item,), partial_text="", partial_reasoning="")
        # A look at the text spares most items a parse.
        if '"reasoning"' in item.text and alone.reasoning:
            pieces.append((BlockKind.REASONING, alone.reasoning))
        if alone.text:
            pieces.append((BlockKind.ASSISTANT, alone.text))
    if turn.partial_reasoning:
        pieces.append((BlockKind.REASONING, turn.partial_reasoning))
    if turn.partial_text:
        pieces.append((BlockKind.ASSISTANT, turn.partial_text))
    model = visible_line(turn.target.model) if turn.target else "Answer"
    state = STATES.get(turn.outcome, "") if turn.outcome else ""
    blocks: list[Block] = []
    for index, (kind, text) in enumerate(pieces):
        if index in calls:
            blocks.append(calls[index])
            continue
        last = index == len(pieces) - 1
        reasoning = kind is BlockKind.REASONING
        block = Block(
            f"{turn.id}:out{index}",
            kind,
            text,
            "Reasoning" if reasoning else model,
            folded=reasoning,
            state=state if last else "",
        )
        blocks.append(block if reasoning else structured(block, turn))
    return blocks


def structured(block: Block, turn: Turn, problems: tuple[Problem, ...] | None = None) -> Block:
    """The block of an answer as what it is: a tree where a form was asked for, a refusal, or prose.

    Args:
        block: Of the answer's text.
        turn: Whose answer it is.
        problems: What is wrong with it; by default it is checked here.
    """
    model = visible_line(turn.target.model) if turn.target else "Answer"
    if turn.refusal:
        return replace(block, json=False, title=model, state="refused")
    if not turn.text_format:
        return block
    if problems is None and is_checked(turn):
        problems = turn_problems(turn)
    name = format_name(turn.text_format)
    return replace(block, json=True, title=f"{model} · {name}", problems=problems or ())


def notice_blocks(turn: Turn, said: int = 0) -> list[Block]:
    """What was said about a turn, but for the first `said` lines."""
    return [
        Block(f"{turn.id}:notice{index}", BlockKind.NOTICE, text)
        for index, text in enumerate(turn.notices)
        if index >= said
    ]


def closing_blocks(turn: Turn) -> list[Block]:
    """How the turn ended when it did not complete."""
    blocks: list[Block] = []
    kind = BlockKind.ERROR if turn.outcome is Outcome.FAILED else BlockKind.NOTICE
    if turn.outcome is Outcome.CANCELLED and not turn.text and not turn.reasoning:
        blocks.append(Block(f"{turn.id}:error", kind, "Stopped before anything came."))
    elif turn.background and turn.outcome is None:
        blocks.append(Block(f"{turn.id}:job", BlockKind.NOTICE, "This answer is made in the background."))
    elif turn.error and turn.outcome is not Outcome.CANCELLED:
        blocks.append(Block(f"{turn.id}:error", kind, turn.error))
    if usage := usage_block(turn):
        blocks.append(usage)
    return blocks


def attachment_lines(item: Item) -> list[str]:
    """Name and size of each file in an item, without decoding what may be tens of megabytes."""
    text = item.text
    if not file_kinds(item):
        return []
    names = _FILENAME.finditer(text)
    lines: list[str] = []
    for match in _DATA.finditer(text):
        end = text.find('"', match.end())
        size = size_words((end - match.end()) * 3 // 4)
        if match[1] == "image_url":
            lines.append(
                f"{_image_words(match[2], text[match.end() : min(end, match.end() + _HEAD)])}  {size}"
            )
        elif name := next(names, None):
            lines.append(f"{visible_line(str(json.loads(name[1])))}  {size}")
    return [*lines, *(visible_line(str(json.loads(name[1]))) for name in names)]


def _image_words(media_type: str, encoded: str) -> str:
    """A picture is sent without its name: what it is, and how large."""
    kind = visible_line(media_type.removeprefix("image/").upper())
    try:
        info = image_info(base64.b64decode(encoded[: len(encoded) // 4 * 4]))
    except ValueError:
        info = None
    return f"{kind} image" + (f"  {info.width} × {info.height}" if info else "")


@dataclass(frozen=True, slots=True)
class LaterTurn:
    """A turn whose blocks are made when they come near the viewport: what the pane asks for is `Later`.

    Attributes:
        turn: It begins with a prompt.
        mark: Which of several branches begins with it.
        size: About how many characters are drawn.
        lines: About how many line ends are in them.
    """

    turn: Turn
    mark: BranchMark | None
    size: int
    lines: int

    @classmethod
    def of(cls, turn: Turn, mark: BranchMark | None) -> LaterTurn:
        """Guess how much is drawn from the size of the items; what is in them is not read."""
        size = lines = 0
        for item in turn.input + turn.output:
            text = item.text
            head = text[:400]
            if '"type":"message"' in head or '"content":"' in head:
                if len(text) > 80:
                    size += len(text) - 80
                lines += text.count("\\n")
        if size > _LONGEST or lines > _LONGEST:
            size, lines = min(size, _LONGEST), min(lines, _LONGEST)
        return cls(turn, mark, size, lines)

    @property
    def group(self) -> str:
        """The turn's id."""
        return self.turn.id

    def blocks(self) -> list[Block]:
        """Make them."""
        return turn_blocks(self.turn, self.mark)

    def may_hold(self, word: str) -> bool:
        """Whether the word can be in the blocks, by a look at the items' JSON; in doubt it can."""
        turn = self.turn
        if turn.outcome is not Outcome.COMPLETED or turn.notices or turn.calls or turn.error:
            return True
        texts: Sequence[str] = [item.text for item in (*turn.input, *turn.output)]
        if any("\\u" in text or ";base64," in text or _is_shown_otherwise(text) for text in texts):
            return True
        if any(word in text.translate(_MARKS).lower() for text in texts):
            return True
        usage = usage_block(turn)
        return usage is not None and word in usage.text.lower()


def _is_shown_otherwise(item: str) -> bool:
    """Whether an item, given as JSON, is drawn as something else than its text."""
    return not any(mark in item[:400] for mark in ('"type":"message"', '"role":"', '"type":"reasoning"'))


def path_blocks(conversation: Conversation, running: str | None = None) -> list[Block | LaterTurn]:
    """The blocks of the whole path, oldest first, with a mark where it parts from others.

    Those of all but the last turns are only promised.

    Args:
        conversation: Its path is shown.
        running: The id of a turn that is left out, as it draws itself while it runs.
    """
    marks = conversation.branch_marks()
    blocks: list[Block | LaterTurn] = []
    path = conversation.path()
    for turn in path[:-_AT_ONCE]:
        if turn.id == running:
            continue
        # A look at the first item tells of most turns that they are no tool steps: there may be many.
        output_first = bool(turn.input) and "_call_output" in turn.input[0].text[:400]
        if turn.summary or (output_first and is_tool_step(turn)):
            blocks += turn_blocks(turn, marks.get(turn.id))
        else:
            blocks.append(LaterTurn.of(turn, marks.get(turn.id)))
    for turn in path[-_AT_ONCE:]:
        if turn.id != running:
            blocks += turn_blocks(turn, marks.get(turn.id))
    after = conversation.children(conversation.tip) if None in marks else ()
    # What only failed is not worth a line: the prompt is about to be sent again.
    if any(turn.outcome is not Outcome.FAILED or turn.output for turn in after):
        mark = marks[None]
        text = f"A new branch begins here, {mark.number} of {mark.of}; what went on from here stays."
        blocks.append(Block("next:branch", BlockKind.NOTICE, text))
    return blocks


def split_last(blocks: Sequence[Block | LaterTurn]) -> None:
    """Import what splits and split the answers at the path's end, shown first; off the event loop, please."""
    if blocks:
        warm_up()
    split_ahead(block.text for block in blocks if isinstance(block, Block) and block.is_markdown)


def split_promised(blocks: Sequence[Block | LaterTurn]) -> None:
    """Split the large answers of the turns that are only promised, the last ones first; off the loop too."""
    left = _AHEAD
    for turn in reversed(blocks):
        if isinstance(turn, LaterTurn) and turn.size >= LARGE and (left := left - turn.size) > 0:
            split_ahead(block.text for block in turn.blocks() if block.is_markdown)
