"""The shape of a request: what it asks for, a line for each parameter and each input item."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Final, cast

from tui.core import figures
from tui.core.continuation import LeftOut
from tui.core.data_url import folded
from tui.core.exchange import Exchange
from tui.core.items import dump_json
from tui.widgets.rows import Mark, Row, row

__all__ = ["item_line", "shape_rows"]

_LABEL: Final = 22
_LONG: Final = 100_000
_FIRST: Final = (
    *("model", "previous_response_id", "store", "stream", "background", "max_output_tokens", "reasoning"),
    *("text", "include", "service_tier", "prompt_cache_key", "prompt_cache_retention"),
    *("prompt_cache_options", "truncation", "temperature", "top_p", "instructions", "tools", "tool_choice"),
    *("parallel_tool_calls", "metadata"),
)
_ALWAYS: Final = frozenset({"model", "max_output_tokens", "store", "previous_response_id"})


def shape_rows(exchange: Exchange, left_out: Sequence[LeftOut], limit: int) -> list[Row]:
    """Summarize the request of an exchange.

    Args:
        exchange: The exchange.
        left_out: Items of the conversation that were not sent, with the reason.
        limit: Most characters of a preview.
    """
    rows = [row(("Request", "heading")), _field("line", f"{exchange.method} {exchange.url}")]
    body = _object(exchange.request_body)
    if body is None:
        size = len(exchange.request_body)
        said = "none" if not size else f"{figures.size(size)}, not a JSON object (see Request)"
        rows.append(_field("body", said))
    else:
        rows.append(_field("body", f"{figures.size(len(exchange.request_body))} of JSON"))
        rows.extend(_parameters(body, limit))
        rows.extend(_input(body.get("input"), limit))
    if left_out:
        rows += [Row(""), row(("Left out", "heading"), ("  kept here, not sent", "dim"))]
        rows.extend(_left_out(left_out, limit))
    return rows


def _object(body: bytes) -> dict[str, Any] | None:
    try:
        value: object = json.loads(body)
    except (ValueError, RecursionError):
        return None
    return cast("dict[str, Any]", value) if isinstance(value, dict) else None


def _field(label: str, text: str, mark: Mark | None = None) -> Row:
    shown: str | tuple[str, Mark] = text if mark is None else (text, mark)
    return row("  ", (label.ljust(_LABEL), "key"), shown, hang=_LABEL + 2, words=True)


def _parameters(body: Mapping[str, Any], limit: int) -> Iterator[Row]:
    known = [name for name in _FIRST if name in body or name in _ALWAYS]
    others = [name for name in body if name not in _FIRST and name != "input"]
    for name in (*known, *others):
        if name not in body:
            yield _field(name, "not sent", "dim")
            continue
        text, mark = _value(name, body[name], limit)
        yield _field(name, text, mark)


def _value(name: str, value: Any, limit: int) -> tuple[str, Mark | None]:
    if value is None:
        return "null", "word"
    if isinstance(value, bool):
        return ("true" if value else "false"), "word"
    if isinstance(value, int):
        return f"{value:,}", "number"
    if name == "instructions" and isinstance(value, str):
        return f"{len(value):,} characters  {_preview(value, limit)}", None
    if name == "tools" and isinstance(value, list):
        return _tools(cast("list[object]", value)), None
    if name == "include" and isinstance(value, list):
        return ", ".join(str(entry) for entry in cast("list[object]", value)) or "nothing", None
    if isinstance(value, str):
        return value, None
    flat = _flat(value)
    return (flat if len(flat) <= 400 else _preview(flat, limit)), None


def _flat(value: object) -> str:
    """`{"effort": "low"}` as `effort low`; what is nested deeper as compact JSON."""
    if isinstance(value, dict):
        pairs = cast("dict[str, object]", value)
        return ", ".join(f"{k} {v if isinstance(v, str) else dump_json(v)}" for k, v in pairs.items())
    return dump_json(value)


def _tools(tools: list[object]) -> str:
    names: list[str] = []
    for tool in tools:
        if isinstance(tool, dict):
            entry = cast("dict[str, object]", tool)
            names.append(str(entry.get("name") or entry.get("type") or "?"))
        else:
            names.append("?")
    return f"{len(names)}: {', '.join(names)}" if names else "none"


def _input(value: object, limit: int) -> Iterator[Row]:
    yield Row("")
    if isinstance(value, str):
        yield row(("Input", "heading"), ("  a text", "dim"))
        yield _field("text", f"{len(value):,} characters  {_preview(value, limit)}")
        return
    if not isinstance(value, list):
        yield row(("Input", "heading"), ("  none", "dim"))
        return
    items = cast("list[object]", value)
    number = f"{len(items)} item" + ("" if len(items) == 1 else "s")
    yield row(("Input", "heading"), (f"  {number}", "dim"))
    wide = len(str(len(items)))
    for index, item in enumerate(items, 1):
        kind, size, what = item_line(item, limit)
        yield row(
            "  ",
            (str(index).rjust(wide), "dim"),
            "  ",
            (kind.ljust(20), "key"),
            (size.rjust(8), "number"),
            "  ",
            what,
            hang=wide + 34,
            words=True,
        )


def _left_out(left_out: Sequence[LeftOut], limit: int) -> Iterator[Row]:
    for entry in left_out:
        kind, size, _ = item_line(entry.item.payload, limit)
        yield row(
            "  ", (kind.ljust(_LABEL), "key"), (size.rjust(8), "number"), "  ", entry.reason, hang=_LABEL + 12
        )


def item_line(item: object, limit: int) -> tuple[str, str, str]:
    """An input item in three words: role or type, size, what is in it."""
    if not isinstance(item, dict):
        return "not an object", figures.size(len(dump_json(item).encode())), ""
    payload = cast("dict[str, Any]", item)
    kind = str(payload.get("type") or "message")
    role = str(payload.get("role") or "")
    size = figures.size(_json_size(payload))
    said = _SAID.get(kind, _other)(payload, limit)
    return (role or kind) if kind == "message" else kind, size, said


def _json_size(value: object) -> int:
    """Bytes of a value as compact JSON; a long text is counted rather than written out again."""
    if isinstance(value, str) and len(value) > _LONG and value.isascii():
        return len(value) + 2
    if isinstance(value, dict):
        pairs = cast("dict[str, object]", value).items()
        return 2 + max(0, len(pairs) - 1) + sum(_json_size(k) + 1 + _json_size(v) for k, v in pairs)
    if isinstance(value, list):
        entries = cast("list[object]", value)
        return 2 + max(0, len(entries) - 1) + sum(map(_json_size, entries))
    return len(dump_json(value).encode("utf-8", "replace"))


def _message(payload: Mapping[str, Any], limit: int) -> str:
    content: object = payload.get("content")
    if isinstance(content, str):
        return _preview(content, limit)
    parts = cast("list[object]", content) if isinstance(content, list) else []
    return "  +  ".join(_part(part, limit) for part in parts)


def _part(part: object, limit: int) -> str:
    if not isinstance(part, dict):
        return "not an object"
    entry = cast("dict[str, Any]", part)
    for key in ("text", "refusal"):
        if isinstance(entry.get(key), str):
            return _preview(cast("str", entry[key]), limit)
    for key in ("file_data", "image_url"):
        value: object = entry.get(key)
        if isinstance(value, str):
            name = str(entry.get("filename") or "")
            return f"{name} ({folded(value) or _preview(value, limit)})".strip()
    return str(entry.get("type") or "part")


def _reasoning(payload: Mapping[str, Any], limit: int) -> str:
    sealed: object = payload.get("encrypted_content")
    if isinstance(sealed, str) and sealed:
        return f"encrypted content, {figures.size(len(sealed))}"
    return "without encrypted content"


def _call(payload: Mapping[str, Any], limit: int) -> str:
    sent = str(payload.get("arguments", payload.get("input", "")))
    return f"{payload.get('name', '?')}  {_preview(sent, limit)}"


def _call_output(payload: Mapping[str, Any], limit: int) -> str:
    output: object = payload.get("output")
    return _preview(output if isinstance(output, str) else dump_json(output), limit)


def _other(payload: Mapping[str, Any], limit: int) -> str:
    return str(payload.get("id") or "")


_SAID: Final[dict[str, Callable[[Mapping[str, Any], int], str]]] = {
    "message": _message,
    "reasoning": _reasoning,
    "function_call": _call,
    "custom_tool_call": _call,
    "function_call_output": _call_output,
    "custom_tool_call_output": _call_output,
}


def _preview(text: str, limit: int) -> str:
    """The beginning of a text in one line, in quotes, with how long all of it is when it is cut."""
    most = min(limit or 200, 200)
    line = " ".join(text[: most * 2].split())
    if len(text) <= most * 2 and len(line) <= most:
        return f"“{line}”"
    return f"“{line[:most]}…” ({len(text):,} characters)"
