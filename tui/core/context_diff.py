"""Where two contexts stop being equal, in words.

What stands before the items (text format, tools, instructions) is compared first, as the prompt has it
first: a change there makes everything after it another prefix.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from tui.core.effective_context import Context, Piece
from tui.core.json_diff import json_changes

__all__ = ["Cause", "CauseKind", "difference", "shared_pieces"]

CauseKind = Literal[
    "first", "model", "region", "endpoint", "key", "retention", "expired", "format", "tools", "instructions",
    "item", "minimum", "unknown",
]  # fmt: skip


@dataclass(frozen=True, slots=True)
class Cause:
    """A reason why the cache could not serve all of the prompt, in words."""

    kind: CauseKind
    words: str


def shared_pieces(before: Context, now: Context) -> int:
    """How many pieces both begin with."""
    if before.missing != now.missing:
        # What the server remembers of one is not known: nothing after the settings can be compared.
        known = min(_settings(before), _settings(now))
        before, now = Context(before.pieces[:known]), Context(now.pieces[:known])
    count = 0
    for old, new in zip(before.pieces, now.pieces, strict=False):
        if (old.kind, old.text) != (new.kind, new.text):
            break
        count += 1
    return count


def _settings(context: Context) -> int:
    return sum(piece.kind != "item" for piece in context.pieces)


def difference(before: Context, now: Context, shared: int) -> list[Cause]:
    """The place where the context stops being equal; none where it only goes on, or ends earlier."""
    old, new = before.pieces[shared:], now.pieces[shared:]
    kinds = {piece.kind for piece in (*old[:1], *new[:1])}
    # Settings stand before the items, so one that came or went shows as an item on the other side.
    if kinds - {"item"} or (_settings(before) != _settings(now)):
        return _settings_changed(before, now)
    if before.missing != now.missing:
        missing = now.missing or before.missing
        words = f"what the server remembers before {missing} is not recorded here, so it cannot be compared"
        return [Cause("unknown", words)]
    return [_item_changed(old, new)] if old and new else []


def _settings_changed(before: Context, now: Context) -> list[Cause]:
    return [
        *_one_changed("format", "text format", before, now),
        *_tools_changed(before, now),
        *_one_changed("instructions", "instructions", before, now),
    ][:1]


def _one_changed(
    kind: Literal["format", "instructions"], name: str, before: Context, now: Context
) -> list[Cause]:
    old = next((piece for piece in before.pieces if piece.kind == kind), None)
    new = next((piece for piece in now.pieces if piece.kind == kind), None)
    if (old is None and new is None) or (old and new and old.text == new.text):
        return []
    if old is None or new is None:
        return [Cause(kind, f"{name} {'removed' if new is None else 'added'}")]
    return [Cause(kind, f"{name} changed: {_detail(old, new)}")]


def _tools_changed(before: Context, now: Context) -> list[Cause]:
    old = [piece for piece in before.pieces if piece.kind == "tool"]
    new = [piece for piece in now.pieces if piece.kind == "tool"]
    old_texts, new_texts = [piece.text for piece in old], [piece.text for piece in new]
    if old_texts == new_texts:
        return []
    if sorted(old_texts) == sorted(new_texts):
        names = [", ".join(piece.name.removeprefix("tool ") for piece in tools) for tools in (old, new)]
        return [Cause("tools", f"tool list reordered: {names[0]} before, {names[1]} now")]
    gone = [piece for piece in old if piece.name not in {other.name for other in new}]
    come = [piece for piece in new if piece.name not in {other.name for other in old}]
    words = [f"{piece.name} removed" for piece in gone] + [f"{piece.name} added" for piece in come]
    by_name = {piece.name: piece for piece in old}
    for piece in new:
        earlier = by_name.get(piece.name)
        if earlier is not None and earlier.text != piece.text:
            words.append(f"{piece.name} changed: {_detail(earlier, piece)}")
    return [Cause("tools", "; ".join(words) or "tool list changed")]


def _item_changed(old: Sequence[Piece], new: Sequence[Piece]) -> Cause:
    first, now = old[0], new[0]
    later_new = {piece.text for piece in new[1:]}
    later_old = {piece.text for piece in old[1:]}
    if first.text in later_new and now.text not in later_old:
        return Cause("item", f"{now.name} is new: it stands before what was item {first.number}")
    if now.text in later_old and first.text not in later_new:
        return Cause("item", f"{first.name} of the previous request is missing")
    if _kind_of(first) != _kind_of(now):
        was = first.name.partition("(")[2].removesuffix(")")
        return Cause("item", f"{now.name} differs: it was {'an' if was[:1] in 'aeiou' else 'a'} {was}")
    return Cause("item", f"{now.name} differs: {_detail(first, now)}")


def _kind_of(piece: Piece) -> str:
    return piece.name.partition("(")[2]


def _detail(old: Piece, new: Piece) -> str:
    changes = json_changes(old.value, new.value)
    if not changes:
        return "the same members in another order"
    words = changes[0].words().removeprefix("$: ").removeprefix("$.")
    more = f" (and {len(changes) - 1} more)" if len(changes) > 1 else ""
    return words + more
