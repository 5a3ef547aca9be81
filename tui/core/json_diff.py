"""What differs between two request bodies in their structure.

Equal parts are told by comparing and hashing them whole, which the interpreter does at the speed of
memory, so that megabytes of base64 that stand in both cost next to nothing.
"""

from __future__ import annotations

import difflib
import hashlib
import json
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal, cast

from tui.core.byte_diff import common_length
from tui.core.data_url import folded
from tui.core.items import dump_json
from tui.core.json_places import Step, path_text

__all__ = ["Change", "json_changes", "value_words"]

Kind = Literal["added", "removed", "changed", "moved"]

_MOST_CELLS: Final = 4_000_000
"""Items of one array times those of the other up to which they are aligned; beyond, they go in pairs."""

_IDENTITY: Final = ("id", "call_id", "name", "filename")


@dataclass(frozen=True, slots=True)
class Change:
    """One difference.

    Attributes:
        kind: `moved` is an element that stands in both arrays as it was, in another order.
        before: Its path in the first body; `None` when it was added.
        after: Its path in the second body; `None` when it was removed.
        old: The value in the first body.
        new: The value in the second body.
    """

    kind: Kind
    before: tuple[Step, ...] | None
    after: tuple[Step, ...] | None
    old: object = None
    new: object = None

    @property
    def path(self) -> str:
        """Where it is, as JSONPath: in the second body, or in the first for what was removed."""
        return path_text(self.after if self.after is not None else self.before or ())

    def words(self, limit: int = 80) -> str:
        """The difference in one line, values cut to `limit` characters and data URLs folded."""
        if self.kind == "moved":
            return f"{self.path} moved from {path_text(self.before or ())}"
        if self.kind == "added":
            return f"{self.path} added: {value_words(self.new, limit)}"
        if self.kind == "removed":
            return f"{self.path} removed: {value_words(self.old, limit)}"
        old, new = _around_difference(self.old, self.new, limit)
        return f"{self.path}: {old} became {new}"


def json_changes(old: object, new: object) -> list[Change]:
    """The differences of two JSON values, in the order of the second one.

    Elements of arrays are aligned by the longest common subsequence of equal ones; those between are paired
    by id, call id, name or file name where they have one, else by type and role in their order.
    """
    return list(_changes(old, new, (), ()))


def _changes(old: object, new: object, before: tuple[Step, ...], after: tuple[Step, ...]) -> Iterator[Change]:
    if _same(old, new):
        return
    one, other = cast("Any", old), cast("Any", new)
    if isinstance(old, dict) and isinstance(new, dict):
        yield from _members(one, other, before, after)
    elif isinstance(old, list) and isinstance(new, list):
        yield from _elements(one, other, before, after)
    else:
        yield Change("changed", before, after, one, other)


def _same(old: object, new: object) -> bool:
    """Whether two JSON values are equal; to `==`, `true` is 1 and 1 is 1.0."""
    if type(old) is not type(new):
        return False
    if isinstance(old, dict):
        one, other = cast("dict[str, object]", old), cast("dict[str, object]", new)
        return one.keys() == other.keys() and all(_same(value, other[name]) for name, value in one.items())
    if isinstance(old, list):
        ones, others = cast("list[object]", old), cast("list[object]", new)
        return len(ones) == len(others) and all(map(_same, ones, others))
    return old == new


def _members(
    old: Mapping[str, object], new: Mapping[str, object], before: tuple[Step, ...], after: tuple[Step, ...]
) -> Iterator[Change]:
    for name, value in new.items():
        if name in old:
            yield from _changes(old[name], value, (*before, name), (*after, name))
        else:
            yield Change("added", None, (*after, name), None, value)
    for name, value in old.items():
        if name not in new:
            yield Change("removed", (*before, name), None, value)


def _elements(
    old: Sequence[object], new: Sequence[object], before: tuple[Step, ...], after: tuple[Step, ...]
) -> Iterator[Change]:
    old_keys, new_keys = [_key(value) for value in old], [_key(value) for value in new]
    gone: list[int] = []
    come: list[int] = []
    pairs: list[tuple[int, int]] = []
    for start, end, begin, stop in _unequal_blocks(old_keys, new_keys):
        found, left, right = _paired(old, new, range(start, end), range(begin, stop))
        pairs += found
        gone += left
        come += right
    moved = _moved(gone, come, old_keys, new_keys)
    rows: list[tuple[int, Iterator[Change]]] = []
    for i, j in pairs:
        rows.append((j, _changes(old[i], new[j], (*before, i), (*after, j))))
    for j in come:
        i = moved.get(j)
        if i is None:
            rows.append((j, iter([Change("added", None, (*after, j), None, new[j])])))
        else:
            rows.append((j, iter([Change("moved", (*before, i), (*after, j), old[i], new[j])])))
    for _, changes in sorted(rows, key=lambda row: row[0]):
        yield from changes
    taken = set(moved.values())
    for i in gone:
        if i not in taken:
            yield Change("removed", (*before, i), None, old[i])


def _key(value: object) -> bytes:
    """A digest by which equal JSON values are known, the order of an object's members aside."""
    digest = hashlib.blake2b(digest_size=16)
    _feed(digest, value)
    return digest.digest()


def _feed(digest: hashlib.blake2b, value: object) -> None:
    if isinstance(value, str):
        data = value.encode("utf-8", "surrogatepass")
        digest.update(b"s%d:" % len(data))
        digest.update(data)
    elif isinstance(value, dict):
        pairs = cast("dict[str, object]", value)
        digest.update(b"{%d:" % len(pairs))
        for name in sorted(pairs):
            _feed(digest, name)
            _feed(digest, pairs[name])
    elif isinstance(value, list):
        entries = cast("list[object]", value)
        digest.update(b"[%d:" % len(entries))
        for entry in entries:
            _feed(digest, entry)
    else:
        digest.update(f"v{dump_json(value)};".encode())


def _unequal_blocks(old: Sequence[bytes], new: Sequence[bytes]) -> Iterator[tuple[int, int, int, int]]:
    """The ranges between what both have in common: start and end in the old, begin and stop in the new."""
    head = 0
    while head < min(len(old), len(new)) and old[head] == new[head]:
        head += 1
    tail = 0
    while tail < min(len(old), len(new)) - head and old[-1 - tail] == new[-1 - tail]:
        tail += 1
    end, stop = len(old) - tail, len(new) - tail
    if (end - head) * (stop - head) > _MOST_CELLS:
        yield head, end, head, stop
        return
    matcher = difflib.SequenceMatcher(None, old[head:end], new[head:stop], autojunk=False)
    for tag, i1, i2, j1, j2 in matcher.get_opcodes():
        if tag != "equal":
            yield head + i1, head + i2, head + j1, head + j2


def _paired(
    old: Sequence[object], new: Sequence[object], olds: range, news: range
) -> tuple[list[tuple[int, int]], list[int], list[int]]:
    """Which unequal elements are the same one changed: pairs of indexes, and what is left on either side."""
    waiting: dict[tuple[object, ...], deque[int]] = {}
    for i in olds:
        for identity in _identities(old[i]):
            waiting.setdefault(identity, deque()).append(i)
    pairs: list[tuple[int, int]] = []
    taken: set[int] = set()
    left_new = list(news)
    # What has an id in common first, so that nothing of the same kind takes its partner away.
    for of_kind in (False, True):
        rest: list[int] = []
        for j in left_new:
            queues = [waiting.get(key) for key in _identities(new[j]) if (key[0] == "kind") is of_kind]
            i = next((i for queue in queues if queue and (i := _first(queue, taken)) is not None), None)
            if i is None:
                rest.append(j)
            else:
                taken.add(i)
                pairs.append((i, j))
        left_new = rest
    return pairs, [i for i in olds if i not in taken], left_new


def _first(queue: deque[int], taken: set[int]) -> int | None:
    while queue and queue[0] in taken:
        queue.popleft()
    return queue[0] if queue else None


def _identities(value: object) -> list[tuple[object, ...]]:
    if not isinstance(value, dict):
        return [("kind", type(value).__name__)]
    fields = cast("dict[str, Any]", value)
    kind = (str(fields.get("type") or "message"), fields.get("role") or "")
    named: list[tuple[object, ...]] = [
        (name, *kind, fields[name]) for name in _IDENTITY if isinstance(fields.get(name), str)
    ]
    # Two with different names are different tools, not one that changed.
    return named if "name" in fields else [*named, ("kind", *kind)]


def _moved(
    gone: Sequence[int], come: Sequence[int], old: Sequence[bytes], new: Sequence[bytes]
) -> dict[int, int]:
    """Of what came, by its new index, where in the old it stood as it is now."""
    places: dict[bytes, list[int]] = {}
    for i in reversed(gone):
        places.setdefault(old[i], []).append(i)
    return {j: places[new[j]].pop() for j in come if places.get(new[j])}


def value_words(value: object, limit: int = 80) -> str:
    """A value in one line: texts in quotes and cut, data URLs folded, the rest as compact JSON."""
    if isinstance(value, str):
        data = folded(value)
        if data is not None:
            return f"‹{data}›"
        cut = value[:limit]
        rest = f"… ({len(value):,} characters)" if len(value) > limit else ""
        return json.dumps(cut, ensure_ascii=False) + rest
    text = dump_json(_shortened(value, limit))
    return text if len(text) <= limit * 2 else text[: limit * 2] + "…"


def _shortened(value: object, limit: int) -> object:
    """A value without its long texts, so that writing it out stays cheap."""
    if isinstance(value, str) and len(value) > limit:
        data = folded(value)
        return f"‹{data}›" if data is not None else value[:limit] + "…"
    if isinstance(value, dict):
        return {name: _shortened(inner, limit) for name, inner in cast("dict[str, object]", value).items()}
    if isinstance(value, list):
        return [_shortened(inner, limit) for inner in cast("list[object]", value)]
    return value


def _around_difference(old: object, new: object, limit: int) -> tuple[str, str]:
    """Both values in words; of two long texts the part where they begin to differ."""
    if not (isinstance(old, str) and isinstance(new, str)) or max(len(old), len(new)) <= limit:
        return value_words(old, limit), value_words(new, limit)
    if folded(old) is not None or folded(new) is not None:
        return value_words(old, limit), value_words(new, limit)
    start = max(0, common_length(old, new) - limit // 4)
    return _cut(old, start, limit), _cut(new, start, limit)


def _cut(text: str, start: int, limit: int) -> str:
    piece = json.dumps(text[start : start + limit], ensure_ascii=False)
    return f"{'…' if start else ''}{piece}{'…' if start + limit < len(text) else ''}"
