"""Two requests compared, as rows: what changed in structure, in bytes, and both side by side."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from tui.core import figures
from tui.core.answer import assembled_object, final_object
from tui.core.byte_diff import byte_diff
from tui.core.exchange import Exchange
from tui.core.json_diff import Change, json_changes, value_words
from tui.core.json_values import loads
from tui.core.shape import Parameter, shape_of
from tui.core.side_by_side import side_by_side
from tui.core.stream_timing import rates_of
from tui.widgets.inspection.pages import decoded
from tui.widgets.rows import Mark, Row, fit, row

__all__ = ["byte_rows", "change_rows", "pair_rows"]

_SIGNS: Final[dict[str, tuple[str, Mark]]] = {
    "added": ("+", "success"),
    "removed": ("-", "error"),
    "changed": ("~", "warning"),
    "moved": (">", "accent"),
}
_WORDS: Final = 300
_GUTTER: Final = " │ "


def _title(old: Exchange, new: Exchange, how: str) -> list[Row]:
    return [
        row(
            (f"{how}  ", "heading"),
            (_name(old), "error"),
            (" before, ", "dim"),
            (_name(new), "success"),
            (" now", "dim"),
        ),
        Row(""),
    ]


def _name(exchange: Exchange) -> str:
    return f"#{exchange.number}.{exchange.attempt}"


def change_rows(old: Exchange, new: Exchange) -> list[Row]:
    """What was added, removed, changed and moved in the body; off the event loop."""
    rows = _title(old, new, "Structure")
    try:
        values = [loads(one.sent.outline.data or b"null") for one in (old, new)]
    except (ValueError, RecursionError):
        return [*rows, row(("One of the bodies is no JSON: see the bytes.", "warning"))]
    changes = json_changes(*values)
    if not changes:
        same = old.request_body == new.request_body
        words = (
            "The bodies are the same, byte for byte." if same else "The values are the same, the bytes not."
        )
        return [*rows, row((words, "success" if same else "warning"))]
    counts = ", ".join(
        f"{count:,} {kind}" for kind in _SIGNS if (count := sum(change.kind == kind for change in changes))
    )
    rows[-1:] = [row((counts, "dim")), Row("")]
    for change in changes:
        rows += _change(change)
    return rows


def _change(change: Change) -> Iterator[Row]:
    sign, mark = _SIGNS[change.kind]
    yield row((f"{sign} ", mark), (change.path, "key"), (f"  {change.kind}", "dim"), hang=2)
    if change.kind == "moved":
        yield row(f"    {change.words()}", hang=6)
        return
    if change.kind == "changed" and isinstance(change.old, str) and isinstance(change.new, str):
        before, _, after = change.words(_WORDS).removeprefix(f"{change.path}: ").partition(" became ")
        yield row(("    - ", "error"), (before, "error"), hang=6)
        yield row(("    + ", "success"), (after, "success"), hang=6)
        return
    if change.kind in ("removed", "changed"):
        yield row(("    - ", "error"), (value_words(change.old, _WORDS), "error"), hang=6)
    if change.kind in ("added", "changed"):
        yield row(("    + ", "success"), (value_words(change.new, _WORDS), "success"), hang=6)


def byte_rows(old: Exchange, new: Exchange) -> list[Row]:
    """Where the bytes begin to differ, and a unified diff; off the event loop."""
    rows = _title(old, new, "Bytes")
    outlines = (old.sent.outline.text, new.sent.outline.text)
    found = byte_diff(old.request_body, new.request_body, outlines=outlines)
    if found.offset is None:
        return [*rows, row((f"The same, byte for byte: {found.new_size:,} bytes.", "success"))]
    rows += [
        row(
            "The first byte that differs is number ",
            (f"{found.offset:,}", "number"),
            f", counted from 0, of {found.old_size:,} and {found.new_size:,}.",
            words=True,
        ),
        row(
            ("Below, both as indented JSON; texts above 2,000 characters with their digest.", "dim"),
            words=True,
        ),
        Row(""),
    ]
    marks: dict[str, Mark] = {"+": "success", "-": "error"}
    for hunk in found.hunks:
        rows.append(row((hunk.title, "accent")))
        rows += [row((line, marks.get(line[:1], "dim")), hang=4) for line in hunk.lines]
    return rows


def pair_rows(left: Exchange, right: Exchange, width: int, limit: int) -> list[Row]:
    """Two exchanges side by side for `width` cells: facts, request, answer; off the event loop."""
    half = max(8, (width - len(_GUTTER)) // 2)
    rows = [_pair(_name(left), _name(right), half, "heading")]
    facts = [_facts(one, limit) for one in (left, right)]
    for name in dict.fromkeys([*facts[0], *facts[1]]):
        one, other = (fact.get(name, figures.UNKNOWN) for fact in facts)
        rows.append(_pair(f"{name}: {one}", f"{name}: {other}", half, None if one == other else "warning"))
    for title, texts in (
        ("Request", [one.sent.outline.text for one in (left, right)]),
        ("Answer", [_answer(one) for one in (left, right)]),
    ):
        rows += [_pair("", "", half, None), _pair(title, title, half, "heading")]
        rows += _aligned(texts[0], texts[1], half)
    return rows


def _answer(exchange: Exchange) -> str:
    made = final_object(exchange.events) or assembled_object(exchange)
    return decoded(exchange.response_body) if made is None else made


def _facts(exchange: Exchange, limit: int) -> dict[str, str]:
    timings = exchange.timings
    rates = rates_of(exchange)
    facts = {
        "status": str(exchange.status or figures.UNKNOWN),
        "outcome": "running" if exchange.outcome is None else exchange.outcome.value,
        "first byte": figures.seconds(timings.first_byte),
        "all": figures.seconds(timings.ended),
        "sent": f"{len(exchange.sent):,} bytes",
        "got": f"{exchange.chunks.size:,} bytes",
        "events": f"{rates.events:,}",
        "tokens": exchange.usage_line or figures.UNKNOWN,
    }
    shape = shape_of(exchange, (), limit)
    return {**facts, **{entry.name: _one_line(entry) for entry in shape.parameters}}


def _one_line(entry: Parameter) -> str:
    return " ".join(entry.text.split())[:200]


def _aligned(old: str, new: str, half: int) -> Iterator[Row]:
    for left, right in side_by_side(old, new):
        mark: Mark | None = None if left == right else "success" if left is None else "warning"
        yield from _folded(left or "", right or "", half, "error" if right is None else mark)


def _folded(left: str, right: str, half: int, mark: Mark | None) -> Sequence[Row]:
    """A pair of lines, each over as many rows as the longer one needs, up to four."""
    count = min(4, max(1, *(-(-len(text) // half) for text in (left, right))))
    rows: list[Row] = []
    for step in range(count):
        last = step == count - 1
        pieces = [
            text[step * half :] if last else text[step * half : (step + 1) * half] for text in (left, right)
        ]
        rows.append(_pair(pieces[0], pieces[1], half, mark))
    return rows


def _pair(left: str, right: str, half: int, mark: Mark | None) -> Row:
    texts = [row(text).text for text in (left, right)]
    one, other = fit(texts[0], half), fit(texts[1], half)
    if mark is None:
        return row(one, (_GUTTER, "dim"), other)
    if mark == "warning":
        return row((one, "error"), (_GUTTER, "dim"), (other, "success"))
    return row((one, mark), (_GUTTER, "dim"), (other, mark))
