"""A conversation: an immutable tree of turns with a tip."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from tui.core.controls import Controls
from tui.core.items import ContinuationMode, Turn
from tui.core.tools import ToolUse

__all__ = ["BranchContents", "BranchMark", "Conversation", "ConversationSummary"]


@dataclass(frozen=True, slots=True)
class BranchMark:
    """Which of several branches goes on here: 2 of 3.

    Attributes:
        number: Counted from 1, in the order in which they were begun.
        of: How many there are; for a turn that is still to be sent, with that one.
    """

    number: int
    of: int

    def __str__(self) -> str:
        """As it stands in lists: `2/3`."""
        return f"{self.number}/{self.of}"


@dataclass(frozen=True, slots=True)
class BranchContents:
    """What would go with a branch.

    Attributes:
        turns: How many turns it has, all of its own branches included.
        words: How many words were typed and answered in them.
        stored: Ids of the responses of those turns that the server keeps, as far as is known here.
        everything: Whether the conversation has no other turn.
    """

    turns: int
    words: int
    stored: tuple[str, ...]
    everything: bool


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
        endpoint: `mantle`, `runtime` or the name of a profile, as last chosen; `None` follows the settings.
        api: The API last chosen, a key of `catalogue.API_NAMES`; `None` follows the settings.
        turns: Every turn by id, in the order in which they were added.
        tip: The id of the last turn of the current path; `None` when it is empty.
        lost: Ids of responses that the server no longer knows, so that no plan chains from them again.
        controls: Effort, verbosity and the like, for the next turns.
        tools: What tools the next turns offer the model.
    """

    id: str
    created_at: float
    title: str = ""
    sandbox: bool = False
    continuation: ContinuationMode = "stateful"
    instructions: str = ""
    model: str | None = None
    region: str | None = None
    endpoint: str | None = None
    api: str | None = None
    turns: Mapping[str, Turn] = field(default_factory=dict[str, Turn])
    tip: str | None = None
    lost: frozenset[str] = frozenset()
    controls: Controls = field(default_factory=Controls)
    tools: ToolUse = field(default_factory=ToolUse)

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
        return self.children(self.turns[turn_id].parent_id)

    def children(self, turn_id: str | None) -> tuple[Turn, ...]:
        """The turns that go on from `turn_id`, in the order they were added; the first turns for `None`."""
        return tuple(turn for turn in self.turns.values() if turn.parent_id == turn_id)

    def newest_leaf(self, turn_id: str) -> str:
        """The last turn of the branch that was continued last among those that go through `turn_id`.

        Raises:
            KeyError: It is no turn of this conversation.
        """
        leaf = self.turns[turn_id].id
        through = {leaf}
        # Children come after their parents, so the turn added last is one without children.
        for turn in self.turns.values():
            if turn.parent_id in through:
                through.add(turn.id)
                leaf = turn.id
        return leaf

    def branch_marks(self) -> dict[str | None, BranchMark]:
        """Where the current path parts from others: a mark for each of its turns that has siblings.

        The key `None` stands for the turn that would be sent next, where turns go on from the tip already.
        """
        path = self.path()
        if len(path) == len(self.turns):
            return {}  # Every turn is on it.
        taken: dict[str | None, str | None] = {turn.parent_id: turn.id for turn in path}
        taken[self.tip] = None
        found: dict[str | None, list[str]] = {parent: [] for parent in taken}
        for turn in self.turns.values():
            if turn.parent_id in found:
                found[turn.parent_id].append(turn.id)
        marks: dict[str | None, BranchMark] = {}
        for parent, mine in taken.items():
            rows = found[parent]
            if mine is None and rows:
                marks[None] = BranchMark(len(rows) + 1, len(rows) + 1)
            elif mine is not None and len(rows) > 1:
                marks[mine] = BranchMark(rows.index(mine) + 1, len(rows))
        return marks

    @property
    def branch(self) -> BranchMark | None:
        """The mark of the last place where the path parts; `None` while it is the only one."""
        marks = self.branch_marks()
        if None in marks:
            return marks[None]
        return next((marks[turn.id] for turn in reversed(self.path()) if turn.id in marks), None)

    def beside(self, turn_id: str | None, step: int) -> str | None:
        """The tip of the branch that is `step` places beside the one through `turn_id`, or `None`.

        Args:
            turn_id: A turn of the path; `None` for the turn that would be sent next.
            step: -1 for the branch before, 1 for the one after.

        Raises:
            KeyError: It is no turn of this conversation.
        """
        parent = self.tip if turn_id is None else self.turns[turn_id].parent_id
        rows = [turn.id for turn in self.children(parent)]
        place = (len(rows) if turn_id is None else rows.index(turn_id)) + step
        return self.newest_leaf(rows[place]) if 0 <= place < len(rows) else None

    def branch_from(self, turn_id: str) -> tuple[Turn, ...]:
        """A turn and all that was ever continued from it, in the order in which they were added.

        Raises:
            KeyError: It is no turn of this conversation.
        """
        branch = {turn_id: self.turns[turn_id]}
        for turn in self.turns.values():
            if turn.parent_id in branch:
                branch[turn.id] = turn
        return tuple(branch.values())

    def without(self, turn_id: str) -> Conversation:
        """The tree without the branch that begins at a turn.

        Where the tip goes with it, the branch beside it is taken, the one before rather than the one after;
        where there is none, the turn before.

        Raises:
            KeyError: It is no turn of this conversation.
        """
        gone = {turn.id for turn in self.branch_from(turn_id)}
        tip = self.tip
        if tip in gone:
            tip = self.beside(turn_id, -1) or self.beside(turn_id, 1) or self.turns[turn_id].parent_id
        turns = {other: turn for other, turn in self.turns.items() if other not in gone}
        return replace(self, turns=turns, tip=tip)

    def contents(self, turn_id: str) -> BranchContents:
        """What is in the branch that begins at a turn. Reads every item: call it off the event loop.

        Raises:
            KeyError: It is no turn of this conversation.
        """
        branch = self.branch_from(turn_id)
        words = sum(len(text.split()) for turn in branch for text in (turn.prompt, turn.text))
        stored = tuple(
            turn.response_id
            for turn in branch
            if turn.stored and turn.response_id is not None and turn.response_id not in self.lost
        )
        return BranchContents(len(branch), words, stored, len(branch) == len(self.turns))


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
