"""A turn's times and tokens, and its quiet blocks: tool calls and usage."""

from __future__ import annotations

import json
from datetime import datetime

from tui.core.items import Item, Turn, Usage
from tui.core.text import visible_line
from tui.widgets.transcript.block import Block, BlockKind

__all__ = ["clock", "span_words", "tool_block", "usage_block", "usage_rows"]

_LONGEST = 20_000
"""Characters of one value of a tool call that are shown; the inspector has the whole."""


def tool_block(block_id: str, item: Item) -> Block | None:
    """An output item that is neither reasoning nor message, as a folded block; `None` for those two."""
    payload = item.payload
    kind = str(payload.get("type") or "message")
    if kind in ("reasoning", "message", "compaction"):
        return None
    name = payload.get("name") or payload.get("server_label") or ""
    title = kind.replace("_", " ").capitalize() + (f" · {visible_line(str(name))}" if name else "")
    left_out = ("type", "id", "status", "name", "encrypted_content")
    lines: list[str] = []
    for key, value in payload.items():
        if key in left_out or value in (None, "", [], {}):
            continue
        text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, indent=2)
        text = text if len(text) <= _LONGEST else f"{text[:_LONGEST]} …"
        lines.append(f"{key}: {text}")
    status = str(payload.get("status") or "")
    state = status if status in ("failed", "incomplete") else ""
    return Block(block_id, BlockKind.TOOL, "\n".join(lines), title, folded=True, state=state)


def usage_block(turn: Turn) -> Block | None:
    """What a turn came to, as one quiet line that unfolds; `None` where the server did not say."""
    if turn.usage is None:
        return None
    rows = usage_rows(turn.usage)
    if not rows:
        return None
    usage = turn.usage
    title = [
        f"{count:,} {way}"
        for count, way in ((usage.input_tokens, "in"), (usage.output_tokens, "out"))
        if count is not None
    ]
    if turn.ended_at is not None:
        rows.append(
            (
                "Took",
                f"{span_words(turn.ended_at - turn.created_at)}, sent {clock(turn.created_at, day=True)}",
            )
        )
        title.append(span_words(turn.ended_at - turn.created_at))
    text = "\n".join(f"{name.ljust(8)}{value}" for name, value in rows)
    return Block(f"{turn.id}:usage", BlockKind.USAGE, text, " · ".join(title), folded=True)


def usage_rows(usage: Usage) -> list[tuple[str, str]]:
    """Token counts in words; what the server did not say is left out."""
    rows: list[tuple[str, str]] = []
    if usage.input_tokens is not None:
        inside = [
            f"{count:,} {name}"
            for count, name in (
                (usage.cached_tokens, "from the cache"),
                (usage.cache_write_tokens, "written to it"),
            )
            if count
        ]
        rows.append(("Input", f"{usage.input_tokens:,} tokens{_of(inside)}"))
    if usage.output_tokens is not None:
        inside = [f"{usage.reasoning_tokens:,} of them reasoning"] if usage.reasoning_tokens else []
        rows.append(("Output", f"{usage.output_tokens:,} tokens{_of(inside)}"))
    return rows


def _of(inside: list[str]) -> str:
    return f" ({', '.join(inside)})" if inside else ""


def clock(seconds: float, *, day: bool = False) -> str:
    """A moment as the clock on the wall has it: `14:05`, with the day if it is asked for or not today."""
    moment = datetime.fromtimestamp(seconds).astimezone()
    if day:
        return f"{moment:%Y-%m-%d %H:%M:%S}"
    today = datetime.now().astimezone().date() == moment.date()
    return f"{moment:%H:%M}" if today else f"{moment:%Y-%m-%d %H:%M}"


def span_words(seconds: float) -> str:
    """A stretch of time as people say it: `3.2 s`, `4 min 10 s`, `2 h 5 min`."""
    seconds = max(0.0, seconds)
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes} min {rest} s"
    return f"{minutes // 60} h {minutes % 60} min"
