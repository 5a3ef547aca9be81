"""What `outcrop inspect` prints: an exchange, a diff, a table of replays, as lines and as JSON."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any, Final
from urllib.parse import urlsplit

from tui.core import figures
from tui.core.answer import answer_object
from tui.core.byte_diff import ByteDiff
from tui.core.cache_analysis import CacheReport
from tui.core.exchange import Exchange
from tui.core.json_diff import Change
from tui.core.json_places import path_text
from tui.core.replays import Replay, spans_of
from tui.core.shape import Shape, shape_of
from tui.core.stream_timing import phases_of, rates_of, stream_row

__all__ = [
    "change_document", "diff_lines", "exchange_document", "exchange_line", "replay_line", "replay_titles",
    "row_document", "span_lines", "stream_lines", "summary_lines",
]  # fmt: skip

_PREVIEW: Final = 120
_LABEL: Final = 22


def exchange_line(exchange: Exchange) -> str:
    """One line of the list."""
    when = datetime.fromtimestamp(exchange.started_at).strftime("%Y-%m-%d %H:%M:%S")
    outcome = "running" if exchange.outcome is None else exchange.outcome.value
    cells = (
        exchange.id, when, f"{exchange.number}.{exchange.attempt}".rjust(5),
        str(exchange.status or figures.UNKNOWN).rjust(3), outcome.ljust(10), exchange.method.ljust(6),
        urlsplit(exchange.url).path, exchange.model or figures.UNKNOWN,
        f"{figures.seconds(exchange.timings.first_byte)} first",
        f"{figures.seconds(exchange.timings.ended)} all",
        f"↑ {figures.size(len(exchange.sent))}", f"↓ {figures.size(exchange.chunks.size)}",
        exchange.usage_line,
    )  # fmt: skip
    return "  ".join(cells).rstrip()


def row_document(exchange: Exchange) -> dict[str, Any]:
    """A row of the list for scripts."""
    return {
        "id": exchange.id,
        "number": exchange.number,
        "attempt": exchange.attempt,
        "conversation": exchange.conversation_id or None,
        "turn": exchange.turn_id or None,
        "started_at": exchange.started_at,
        "method": exchange.method,
        "url": exchange.url,
        "model": exchange.model or None,
        "status": exchange.status,
        "outcome": None if exchange.outcome is None else exchange.outcome.value,
        "error": exchange.error,
        "request_id": exchange.request_id,
        "timings": asdict(exchange.timings),
        "bytes_sent": len(exchange.sent),
        "bytes_received": exchange.chunks.size,
        "events": len(exchange.events),
    }


def exchange_document(exchange: Exchange, report: CacheReport | None) -> dict[str, Any]:
    r"""Everything about an exchange for scripts; bodies are text, bytes that are no UTF-8 as `\xNN`."""
    return {
        **row_document(exchange),
        "request_headers": [list(pair) for pair in exchange.request_headers],
        "request_body": exchange.request_body.decode("utf-8", "backslashreplace"),
        "response_headers": [list(pair) for pair in exchange.response_headers],
        "response_body": exchange.response_body.decode("utf-8", "backslashreplace"),
        "response": answer_object(exchange),
        "rates": asdict(rates_of(exchange)),
        "phases": [asdict(phase) for phase in phases_of(exchange)],
        "cache": None if report is None else asdict(report),
    }


def summary_lines(exchange: Exchange, report: CacheReport | None) -> Iterator[str]:
    """An exchange for people: what was asked, how it went, what the cache did."""
    yield from _shape_lines(shape_of(exchange, (), _PREVIEW))
    yield ""
    yield "Answer"
    status = "none" if exchange.status is None else str(exchange.status)
    yield _field("status", status)
    yield _field("outcome", "running" if exchange.outcome is None else exchange.outcome.value)
    if exchange.error:
        yield _field("error", exchange.error)
    yield _field("request id", exchange.request_id or "the server gave none")
    yield _field("tokens", exchange.usage_line or "not said")
    yield _field("body", figures.size(exchange.chunks.size))
    yield ""
    yield "Time"
    for phase in phases_of(exchange):
        ended = "…" if phase.end is None else figures.seconds(phase.end)
        moment = phase.start == phase.end
        yield _field(phase.name, ended if moment else f"{figures.seconds(phase.start)} to {ended}")
    rates = rates_of(exchange)
    if rates.events:
        yield _field("events", f"{rates.events:,}, {_rate(rates.events_per_second)}")
        yield _field(
            "output tokens", f"{figures.count(rates.output_tokens)}, {_rate(rates.tokens_per_second)}"
        )
        yield _field("longest gap", f"{figures.seconds(rates.longest_gap)}, before event {rates.gap_before}")
    if report is not None:
        yield ""
        yield "Cache"
        yield from _cache_lines(report)


def _shape_lines(shape: Shape) -> Iterator[str]:
    yield "Request"
    yield _field("line", shape.line)
    yield _field("body", shape.body)
    for parameter in shape.parameters:
        yield _field(parameter.name, parameter.text)
    if shape.input_words:
        yield f"Input  {shape.input_words}"
    for number, item in enumerate(shape.items, 1):
        yield f"  {number:>3}  {item.kind.ljust(22)}  {figures.size(item.size):>8}  {item.words}"


def _cache_lines(report: CacheReport) -> Iterator[str]:
    yield f"  {report.verdict}"
    if report.previous:
        yield _field("compared with", report.previous)
        prefix = report.prefix
        about = "" if prefix.counted else "about "
        remembered = f", {prefix.remembered} of them remembered by the server" if prefix.remembered else ""
        parts = f"{prefix.pieces} part{'' if prefix.pieces == 1 else 's'}, items {prefix.items}{remembered}"
        yield _field("same beginning", f"{parts}; {about}{prefix.tokens:,} tokens")
    yield _field("cached", figures.UNKNOWN if report.cached_tokens is None else f"{report.cached_tokens:,}")
    yield _field(
        "written", figures.UNKNOWN if report.written_tokens is None else f"{report.written_tokens:,}"
    )


def _rate(value: float | None) -> str:
    return f"{figures.UNKNOWN} per second" if value is None else f"{value:,.1f} per second"


def _field(label: str, text: str) -> str:
    return "  " + f"{label} ".ljust(_LABEL) + text


def stream_lines(exchange: Exchange) -> Iterator[str]:
    """A line for each event: milliseconds, gap, type, size, preview."""
    for index in range(len(exchange.events)):
        row = stream_row(exchange.events, index, _PREVIEW)
        yield (
            f"{row.number:>6}  {row.offset * 1000:>9,.1f} ms  +{row.gap * 1000:>8,.1f}"
            f"  {row.type.ljust(40)}  {figures.size(row.size):>7}  {row.preview}"
        )


def diff_lines(changes: Sequence[Change], bodies: ByteDiff) -> Iterator[str]:
    """Two bodies compared, in structure and in bytes."""
    if bodies.offset is None:
        yield f"The bodies are the same, byte for byte: {bodies.old_size:,} bytes."
        return
    if not changes:
        yield "The values are the same; the bytes are not."
    for change in changes:
        yield f"{_SIGNS[change.kind]} {change.words()}"
    yield ""
    yield (
        f"The first byte that differs is number {bodies.offset:,}, counted from 0, "
        f"of {bodies.old_size:,} and {bodies.new_size:,}."
    )
    for hunk in bodies.hunks:
        yield hunk.title
        yield from hunk.lines


_SIGNS: Final = {"added": "+", "removed": "-", "changed": "~", "moved": ">"}


def change_document(change: Change) -> dict[str, Any]:
    """A difference for scripts."""
    return {
        "kind": change.kind,
        "before": None if change.before is None else path_text(change.before),
        "after": None if change.after is None else path_text(change.after),
        "old": change.old,
        "new": change.new,
    }


_COLUMNS: Final = (
    ("#", 4), ("status", 6), ("outcome", 10), ("first", 8), ("text", 8), ("all", 8), ("input", 9),
    ("cached", 9), ("written", 9), ("output", 8),
)  # fmt: skip


def replay_titles() -> str:
    """The line above the table of replays."""
    return "  ".join(title.rjust(width) for title, width in _COLUMNS)


def replay_line(number: int, replay: Replay) -> str:
    """A row of the table; an error stands behind it."""
    cells = [
        str(number), str(replay.status or figures.UNKNOWN), replay.outcome,
        *map(figures.seconds, (replay.first_byte, replay.first_text, replay.total)),
        *map(_count, (replay.input_tokens, replay.cached_tokens)),
        *map(_count, (replay.written_tokens, replay.output_tokens)),
    ]  # fmt: skip
    line = "  ".join(cell.rjust(width) for cell, (_, width) in zip(cells, _COLUMNS, strict=True))
    return f"{line}  {replay.error}" if replay.error else line


def span_lines(replays: Sequence[Replay]) -> Iterator[str]:
    """Least, median and most, below the table."""
    for span in spans_of(replays):
        if span.name.endswith("tokens"):
            values = [f"{value:,.0f}" for value in (span.least, span.middle, span.most)]
        else:
            values = [figures.seconds(value) for value in (span.least, span.middle, span.most)]
        name = span.name.replace("_", " ")
        yield f"{name.ljust(14)}  least {values[0]}, median {values[1]}, most {values[2]}"


def _count(value: int | None) -> str:
    return figures.UNKNOWN if value is None else f"{value:,}"
