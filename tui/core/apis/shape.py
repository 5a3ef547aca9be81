"""The shape of a request over another API than Responses: its parameters and its messages, a line each."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final, cast

from tui.core import figures
from tui.core.apis.asked import asked_of
from tui.core.apis.recorded import model_of, parts_of
from tui.core.data_url import folded
from tui.core.exchange import Exchange
from tui.core.items import dump_json
from tui.core.shape import ItemShape, Parameter, json_size, parameter_of, preview_text

__all__ = ["input_of", "parameters_of"]

_FIRST: Final = (
    *("stream", "max_completion_tokens", "inferenceConfig", "reasoning_effort"),
    *("additionalModelRequestFields", "temperature", "top_p", "stop", "response_format", "outputConfig"),
    *("service_tier", "serviceTier", "guardrailConfig", "tools", "tool_choice", "toolConfig"),
)
_SHOWN_AS_INPUT: Final = frozenset({"model", "messages", "system"})
_LIMITS: Final = {"chat_completions": "max_completion_tokens", "invoke_model": "max_completion_tokens"}


def parameters_of(exchange: Exchange, body: Mapping[str, Any], api: str, limit: int) -> tuple[Parameter, ...]:
    """The model, whether it streams, then every other parameter; a limit also when none was sent."""
    asked = asked_of(exchange)
    in_path = asked is not None and bool(asked.model)
    model = str(model_of(exchange, body) or "not sent")
    rows = [Parameter("model", f"{model}, in the path" if in_path else model)]
    if asked is not None and asked.streams is not None:
        words = "streams" if asked.streams else "comes whole"
        rows.append(Parameter("answer", f"{words}, as the path says"))
    limits = _LIMITS.get(api, "inferenceConfig")
    known = [name for name in _FIRST if name in body or name == limits]
    others = [name for name in body if name not in _FIRST and name not in _SHOWN_AS_INPUT]
    for name in (*known, *others):
        if name not in body:
            rows.append(Parameter(name, "not sent", "absent"))
        elif name in ("tools", "toolConfig"):
            rows.extend(_tools(name, body, api, limit))
        else:
            rows.append(parameter_of(name, body[name], limit))
    return tuple(rows)


def _tools(name: str, body: Mapping[str, Any], api: str, limit: int) -> Iterator[Parameter]:
    names = [_tool_name(part.value) for part in parts_of(body, api) if part.kind == "tool"]
    yield Parameter(name, f"{len(names)}: {', '.join(names)}" if names else "none")
    config: object = body[name]
    if isinstance(config, dict):
        rest = {key: value for key, value in cast("dict[str, Any]", config).items() if key != "tools"}
        for key, value in rest.items():
            yield parameter_of(key, value, limit)


def _tool_name(tool: object) -> str:
    entry = _fields(tool)
    inner = _fields(entry.get("toolSpec") or entry.get("function") or entry)
    return str(inner.get("name") or "?")


def input_of(body: Mapping[str, Any], api: str, limit: int) -> tuple[str, tuple[ItemShape, ...]]:
    """What the input is, in words, and a line for each system block and message."""
    items: list[ItemShape] = []
    messages = 0
    for part in parts_of(body, api):
        if part.kind == "instructions":
            blocks = _entries(part.value)
            items += [ItemShape("system", json_size(block), _block(block, limit)) for block in blocks]
        elif part.kind == "item":
            messages += 1
            role = str(_fields(part.value).get("role") or "no role")
            items.append(ItemShape(role, json_size(part.value), _message(_fields(part.value), limit)))
    return f"{messages} message" + ("" if messages == 1 else "s"), tuple(items)


def _message(message: Mapping[str, Any], limit: int) -> str:
    content: object = message.get("content")
    said: list[str] = []
    if isinstance(content, str):
        said.append(preview_text(content, limit))
    elif isinstance(content, list):
        said += [_block(block, limit) for block in cast("list[object]", content)]
    for call in _entries(message.get("tool_calls")):
        function = _fields(_fields(call).get("function"))
        said.append(f"{function.get('name') or '?'}  {preview_text(str(function.get('arguments')), limit)}")
    return "  +  ".join(said)


def _block(block: object, limit: int) -> str:
    """A content part of Chat Completions, or a block of Converse."""
    entry = _fields(block)
    for name in ("text", "refusal"):
        if isinstance(entry.get(name), str):
            return preview_text(cast("str", entry[name]), limit)
    if use := _fields(entry.get("toolUse")):
        return f"{use.get('name') or '?'}  {preview_text(dump_json(use.get('input')), limit)}"
    if result := _fields(entry.get("toolResult")):
        return "result: " + "  +  ".join(_block(inner, limit) for inner in _entries(result.get("content")))
    for kind in ("image", "document"):
        if source := _fields(_fields(entry.get(kind)).get("source")):
            found = _fields(entry[kind])
            size = len(str(source.get("bytes") or "")) * 3 // 4
            words = " ".join(str(found[name]) for name in ("name", "format") if found.get(name))
            return f"{kind} ({words}, {figures.size(size)})"
    if url := _fields(entry.get("image_url")).get("url"):
        return f"image ({folded(str(url)) or preview_text(str(url), limit)})"
    if file := _fields(entry.get("file")):
        data = str(file.get("file_data") or "")
        return f"{file.get('filename') or 'file'} ({folded(data) or preview_text(data, limit)})"
    return str(entry.get("type") or next(iter(entry), "block"))


def _fields(value: object) -> Mapping[str, Any]:
    return cast("Mapping[str, Any]", value) if isinstance(value, Mapping) else {}


def _entries(value: object) -> Sequence[object]:
    return cast("list[object]", value) if isinstance(value, list) else []
