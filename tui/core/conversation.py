"""A conversation: an immutable tree of turns with a tip."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from tui.core.controls import Controls
from tui.core.items import ContinuationMode, Turn

__all__ = ["Conversation", "ConversationSummary"]


@dataclass(frozen=True, slots=True)
class Conversation:
    """A tree of turns; the path from a root to the tip is what the next request continues.

    Nothing is ever overwritten: editing an earlier turn or generating it again adds a sibling.

    Attributes:
        id: Local id.
        title: A line for lists; empty until the first turn gives one.
        created_at: Seconds since the epoch.
        sandbox: Whether it was held with the sandbox; it never continues with the service, nor the reverse.
        continuation: The mode the next turn is sent in.
        instructions: Sent with each request; they are not inherited through `previous_response_id`.
        model: The model last chosen in this conversation; `None` follows the settings.
        region: The region last chosen; `None` follows the settings.
        turns: Every turn by id, in the order in which they were added.
        tip: The id of the last turn of the current path; `None` when it is empty.
        lost: Ids of responses that the server no longer knows, so that no plan chains from them again.
        controls: Effort, verbosity and the like, for the next turns.
    """

    id: str
    created_at: float
    title: str = ""
    sandbox: bool = False
    continuation: ContinuationMode = "stateful"
    instructions: str = ""
    model: str | None = None
    region: str | None = None
    turns: Mapping[str, Turn] = field(default_factory=dict[str, Turn])
    tip: str | None = None
    lost: frozenset[str] = frozenset()
    controls: Controls = field(default_factory=Controls)

    def path(self, to: str | None = None) -> tuple[Turn, ...]:
        """The turns from the root to `to` (the tip by default), oldest first.

        Raises:
            KeyError: `to` is no turn of this conversation.
        """
        turn_id = self.tip if to is None else to
        backwards: list[Turn] = []
        while turn_id is not None:
            turn = self.turns[turn_id]
            backwards.append(turn)
            turn_id = turn.parent_id
        return tuple(reversed(backwards))

    def append(self, turn: Turn) -> Conversation:
        """Add a turn after the tip, or under its own parent, and make it the tip.

        Raises:
            ValueError: The turn's id is taken, or its parent is no turn of this conversation.
        """
        if turn.id in self.turns:
            raise ValueError(f"turn {turn.id} is in the conversation already")
        if turn.parent_id is not None and turn.parent_id not in self.turns:
            raise ValueError(f"the parent {turn.parent_id} of turn {turn.id} is not in the conversation")
        return replace(self, turns={**self.turns, turn.id: turn}, tip=turn.id)

    def update(self, turn: Turn) -> Conversation:
        """Put a newer state of a turn in the place of the old one; the tip stays.

        Raises:
            KeyError: The turn is not in this conversation.
        """
        if turn.id not in self.turns:
            raise KeyError(turn.id)
        return replace(self, turns={**self.turns, turn.id: turn})

    def at(self, tip: str | None) -> Conversation:
        """The same tree with another tip: the way to fork from `tip`, or to start over with `None`.

        Raises:
            KeyError: `tip` is no turn of this conversation.
        """
        if tip is not None and tip not in self.turns:
            raise KeyError(tip)
        return replace(self, tip=tip)

    def forget(self, response_ids: Iterable[str]) -> Conversation:
        """Remember that the server no longer has these responses."""
        return replace(self, lost=self.lost | frozenset(response_ids))

    def siblings(self, turn_id: str) -> tuple[Turn, ...]:
        """The turns that share `turn_id`'s parent, itself included, in the order they were added."""
        parent = self.turns[turn_id].parent_id
        return tuple(turn for turn in self.turns.values() if turn.parent_id == parent)


@dataclass(frozen=True, slots=True)
class ConversationSummary:
    """A line of the history list.

    Attributes:
        id: The conversation's local id.
        title: First words of the first prompt, or a title of the user's.
        created_at: Seconds since the epoch.
        updated_at: When its last turn began or ended, seconds since the epoch.
        turns: How many turns its tree holds.
        sandbox: Whether it was held with the sandbox.
        model: The model of its last turn; empty before one was sent.
        excerpt: In search results, the words around the hit; empty otherwise.
    """

    id: str
    title: str
    created_at: float
    updated_at: float
    turns: int
    sandbox: bool
    model: str = ""
    excerpt: str = ""
