"""What the conversation pane shows: a sequence of blocks."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from tui.core.structured.strict import Problem

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


@dataclass(frozen=True, slots=True)
class Block:
    """One block of the conversation.

    Attributes:
        id: Stable and unique in the pane; see `group`.
        kind: What it is.
        text: Markdown for ASSISTANT and REASONING, else plain text, drawn line by line as it is.
        title: The quiet heading line; empty for none.
        folded: Drawn as one line alone: its title, or how it begins.
        state: "", "running", "stopped", "failed", "incomplete" or "refused": a short mark in the title line.
        json: Whether the text is JSON, drawn as a tree.
        problems: What is wrong with the JSON, said below the value it is about.
    """

    id: str
    kind: BlockKind
    text: str
    title: str = ""
    folded: bool = False
    state: str = ""
    json: bool = False
    problems: tuple[Problem, ...] = ()

    @property
    def is_markdown(self) -> bool:
        """Whether the text is markdown."""
        return self.kind.is_markdown and not self.json

    @property
    def group(self) -> str:
        """What it belongs to: the id up to its first colon. The blocks of a turn share it."""
        return self.id.partition(":")[0]

    @property
    def has_fold_mark(self) -> bool:
        """Whether its title line says that it can be folded; all can, the others by a key."""
        quiet = self.kind is BlockKind.USAGE and bool(self.title)
        return quiet or self.kind in (BlockKind.REASONING, BlockKind.TOOL)

    @property
    def begins_turn(self) -> bool:
        """Whether a turn begins with it: a prompt, or the summary that stands for others."""
        return self.kind is BlockKind.USER or self.id.endswith(":summary")
