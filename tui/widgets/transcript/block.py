"""What the conversation pane shows: a sequence of blocks."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

__all__ = ["Block", "BlockKind"]


class BlockKind(StrEnum):
    """What a block is, which decides how its text is read and how it looks."""

    USER = "user"
    ASSISTANT = "assistant"
    REASONING = "reasoning"
    TOOL = "tool"
    ATTACHMENT = "attachment"
    ERROR = "error"
    NOTICE = "notice"
    USAGE = "usage"

    @property
    def is_markdown(self) -> bool:
        """Whether the text is markdown; all other kinds are drawn as they are."""
        return self in (BlockKind.ASSISTANT, BlockKind.REASONING)

    @property
    def is_foldable(self) -> bool:
        """Whether the block can be folded to its title line."""
        return self in (BlockKind.REASONING, BlockKind.TOOL)


@dataclass(frozen=True, slots=True)
class Block:
    """One block of the conversation.

    Attributes:
        id: Stable and unique in the pane.
        kind: What it is.
        text: Markdown for ASSISTANT and REASONING, else plain text, drawn line by line as it is.
        title: The quiet heading line; empty for none.
        folded: Drawn as its title line alone; only REASONING and TOOL can be folded.
        state: "", "running", "stopped", "failed" or "incomplete": a short mark in the title line.
    """

    id: str
    kind: BlockKind
    text: str
    title: str = ""
    folded: bool = False
    state: str = ""
