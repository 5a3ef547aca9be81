"""A place in a conversation that outlives the pane's blocks: for who comes back to it."""

from __future__ import annotations

from dataclasses import dataclass

from tui.widgets.transcript.flow import Anchor, Flow

__all__ = ["Place", "anchor_of", "place_of"]


@dataclass(frozen=True, slots=True)
class Place:
    """A row, told by its turn: a turn that was drawn as it ran has other block ids once it is drawn anew.

    Attributes:
        group: The group of the block.
        index: Which of the group's blocks, counted from 0.
        piece: The piece in the block.
        row: The row in the piece, at the width of then.
    """

    group: str
    index: int
    piece: int
    row: int


def place_of(flow: Flow, anchor: Anchor) -> Place:
    """Where a row is."""
    group = anchor.view.block.group
    index = 0
    for view in reversed(flow.views[: anchor.view.index]):
        if view.block.group != group:
            break
        index += 1
    return Place(group, index, anchor.piece, anchor.row)


def anchor_of(flow: Flow, place: Place) -> Anchor | None:
    """The row at a place; None where its turn is not shown."""
    flow.make_group(place.group)
    views = [view for view in flow.views if view.block.group == place.group]
    if not views:
        return None
    if place.index < len(views):
        return Anchor(views[place.index], place.piece, place.row)
    return Anchor(views[-1], 0, 0)
