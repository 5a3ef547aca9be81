"""The shape of a request: what it asks for, a line for each parameter and each input item."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal, cast

from tui.core import figures
from tui.core.apis import RESPONSES
from tui.core.apis.recorded import api_of
from tui.core.continuation import LeftOut
from tui.core.data_url import folded, size_of
from tui.core.exchange import Exchange
from tui.core.items import dump_json
from tui.core.json_values import loads

__all__ = [
    "ItemShape",
    "Parameter",
    "Shape",
    "Spelling",
    "json_size",
    "parameter_of",
    "preview_text",
    "shape_item",
    "shape_of",
]

Spelling = Literal["text", "word", "number", "absent"]
"""How a value is written in JSON; `absent` is a parameter that was not sent."""

_LONG: Final = 100_000
_FIRST: Final = (
    *("model", "previous_response_id", "store", "stream", "background", "max_output_tokens", "reasoning"),
    *("text", "include", "service_tier", "prompt_cache_key", "prompt_cache_retention"),
    *("prompt_cache_options", "truncation", "temperature", "top_p", "instructions", "tools", "tool_choice"),
    *("parallel_tool_calls", "metadata"),
)
_ALWAYS: Final = frozenset({"model", "max_output_tokens", "store", "previous_response_id"})


@dataclass(frozen=True, slots=True)
class Parameter:
    """A top-level parameter of a request.

    Attributes:
        name: As it is called in the body.
        text: Its value in words.
        spelling: What kind of value it is.
    """

    name: str
    text: str
    spelling: Spelling = "text"


@dataclass(frozen=True, slots=True)
class ItemShape:
    """An item of a request's input.

    Attributes:
        kind: The role of a message, the type of any other item.
        size: Bytes as compact JSON.
        words: What is in it, in one line.
    """

    kind: str
    size: int
    words: str


@dataclass(frozen=True, slots=True)
class Shape:
    """What a request asks for.

    Attributes:
        line: Method and URL.
        body: What the body is, in words.
        parameters: In a fixed order, those that always matter also when they were not sent.
        input_words: What the input is, in words; empty when the body is no JSON object.
        items: The input's items; a single one for an input that is a text.
        left_out: Items that were not sent, each with the reason.
    """

    line: str
    body: str
    parameters: tuple[Parameter, ...] = ()
    input_words: str = ""
    items: tuple[ItemShape, ...] = ()
    left_out: tuple[tuple[ItemShape, str], ...] = ()


def shape_of(exchange: Exchange, left_out: Sequence[LeftOut], limit: int) -> Shape:
    """Summarize the request of an exchange; it reads the whole body, so call it off the event loop.

    Args:
        exchange: The exchange.
        left_out: Items of the conversation that were not sent, with the reason.
        limit: Most characters of a preview.
    """
    line = f"{exchange.method} {exchange.url}"
    left = tuple((shape_item(entry.item.payload, limit), entry.reason) for entry in left_out)
    size = len(exchange.sent)
    body = _object(exchange.sent.outline.data)
    if body is None:
        said = "none" if not size else f"{figures.size(size)}, not a JSON object (see Request)"
        return Shape(line, said, left_out=left)
    said = f"{figures.size(size)} of JSON"
    api = api_of(exchange)
    if api is not None and api != RESPONSES:
        # It is written with what is defined here.
        from tui.core.apis.shape import input_of, parameters_of

        words, items = input_of(body, api, limit)
        return Shape(line, said, parameters_of(exchange, body, api, limit), words, items, left)
    words, items = _input(body.get("input"), limit)
    return Shape(line, said, tuple(_parameters(body, limit)), words, items, left)


def _object(body: bytes) -> dict[str, Any] | None:
    try:
        value = loads(body)
    except (ValueError, RecursionError):
        return None
    return cast("dict[str, Any]", value) if isinstance(value, dict) else None


def _parameters(body: Mapping[str, Any], limit: int) -> Iterator[Parameter]:
    known = [name for name in _FIRST if name in body or name in _ALWAYS]
    others = [name for name in body if name not in _FIRST and name != "input"]
    for name in (*known, *others):
        if name not in body:
            yield Parameter(name, "not sent", "absent")
            continue
        yield parameter_of(name, body[name], limit)


def parameter_of(name: str, value: object, limit: int) -> Parameter:
    """A parameter as it is shown; `limit` is as for `shape_of`."""
    text, spelling = _value(name, value, limit)
    return Parameter(name, text, spelling)


def _value(name: str, value: Any, limit: int) -> tuple[str, Spelling]:
    if value is None:
        return "null", "word"
    if isinstance(value, bool):
        return ("true" if value else "false"), "word"
    if isinstance(value, int):
        return f"{value:,}", "number"
    if name == "instructions" and isinstance(value, str):
        return f"{len(value):,} characters  {preview_text(value, limit)}", "text"
    if name == "tools" and isinstance(value, list):
        return _tools(cast("list[object]", value)), "text"
    if name == "include" and isinstance(value, list):
        return ", ".join(str(entry) for entry in cast("list[object]", value)) or "nothing", "text"
    if isinstance(value, str):
        return value, "text"
    flat = _flat(value)
    return (flat if len(flat) <= 400 else preview_text(flat, limit)), "text"


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


def _input(value: object, limit: int) -> tuple[str, tuple[ItemShape, ...]]:
    if isinstance(value, str):
        words = f"{len(value):,} characters  {preview_text(value, limit)}"
        return "a text", (ItemShape("text", json_size(value), words),)
    if not isinstance(value, list):
        return "none", ()
    items = tuple(shape_item(item, limit) for item in cast("list[object]", value))
    return f"{len(items)} item" + ("" if len(items) == 1 else "s"), items


def shape_item(item: object, limit: int) -> ItemShape:
    """An input item in three words: role or type, size, what is in it."""
    if not isinstance(item, dict):
        return ItemShape("not an object", json_size(item), "")
    payload = cast("dict[str, Any]", item)
    kind = str(payload.get("type") or "message")
    role = str(payload.get("role") or "")
    said = _SAID.get(kind, _other)(payload, limit)
    return ItemShape((role or kind) if kind == "message" else kind, json_size(payload), said)


def json_size(value: object) -> int:
    """Bytes of a value as compact JSON; a long text is counted rather than written out again."""
    if isinstance(value, str) and len(value) > _LONG and value.isascii():
        return len(value) + 2
    if isinstance(value, dict):
        pairs = cast("dict[str, object]", value).items()
        return 2 + max(0, len(pairs) - 1) + sum(json_size(k) + 1 + json_size(v) for k, v in pairs)
    if isinstance(value, list):
        entries = cast("list[object]", value)
        return 2 + max(0, len(entries) - 1) + sum(map(json_size, entries))
    return size_of(dump_json(value))


def _message(payload: Mapping[str, Any], limit: int) -> str:
    content: object = payload.get("content")
    if isinstance(content, str):
        return preview_text(content, limit)
    parts = cast("list[object]", content) if isinstance(content, list) else []
    return "  +  ".join(_part(part, limit) for part in parts)


def _part(part: object, limit: int) -> str:
    if not isinstance(part, dict):
        return "not an object"
    entry = cast("dict[str, Any]", part)
    for key in ("text", "refusal"):
        if isinstance(entry.get(key), str):
            return preview_text(cast("str", entry[key]), limit)
    for key in ("file_data", "image_url"):
        value: object = entry.get(key)
        if isinstance(value, str):
            name = str(entry.get("filename") or "")
            return f"{name} ({folded(value) or preview_text(value, limit)})".strip()
    return str(entry.get("type") or "part")


def _reasoning(payload: Mapping[str, Any], limit: int) -> str:
    sealed: object = payload.get("encrypted_content")
    if isinstance(sealed, str) and sealed:
        return f"encrypted content, {figures.size(len(sealed))}"
    return "without encrypted content"


def _call(payload: Mapping[str, Any], limit: int) -> str:
    sent = str(payload.get("arguments", payload.get("input", "")))
    return f"{payload.get('name', '?')}  {preview_text(sent, limit)}"


def _call_output(payload: Mapping[str, Any], limit: int) -> str:
    output: object = payload.get("output")
    return preview_text(output if isinstance(output, str) else dump_json(output), limit)


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


def preview_text(text: str, limit: int) -> str:
    """The beginning of a text in one line, in quotes, with how long all of it is when it is cut."""
    most = min(limit or 200, 200)
    line = " ".join(text[: most * 2].split())
    if len(text) <= most * 2 and len(line) <= most:
        return f"“{line}”"
    return f"“{line[:most]}…” ({len(text):,} characters)"
