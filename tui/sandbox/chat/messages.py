"""`messages` of Chat Completions as input items of the Responses API."""

from __future__ import annotations

from .. import errors
from ..models import Model
from ..shapes import Json, is_array, is_object

_ROLES = ("developer", "system", "user", "assistant", "tool")
_IMAGE, _FILE = "image_url", "file"


def items_of(messages: list[object], model: Model) -> list[Json]:
    """The conversation.

    Raises:
        ApiError: 400 in OpenAI's words (ASSUMED for Bedrock): an unknown role or part, a tool message without
            its call, a call without its tool message.
    """
    if not messages:
        raise errors.invalid("messages", "empty array. Expected an array with minimum length 1")
    items: list[Json] = []
    waiting: list[str] = []
    for index, message in enumerate(messages):
        if not is_object(message):
            raise errors.unknown_variant(f"messages[{index}]")
        role = message.get("role")
        if role not in _ROLES:
            raise errors.unsupported_value(f"messages[{index}].role", role, model.id, _ROLES)
        if role == "tool":
            items.append(_result(message, index, waiting))
            continue
        _check_answered(waiting)
        content = _content(message, index, model)
        calls = _calls(message, index)
        if content is None and not calls:
            raise errors.invalid(f"messages[{index}].content", "expected a string, got null")
        if content is not None:
            items.append({"role": role, "content": content})
        items += calls
        waiting = [call["call_id"] for call in calls]
    _check_answered(waiting)
    return items


def _check_answered(waiting: list[str]) -> None:
    if waiting:
        raise errors.invalid(
            "messages",
            "An assistant message with 'tool_calls' must be followed by tool messages responding to each"
            f" 'tool_call_id'. The following tool_call_ids did not have response messages: "
            f"{', '.join(waiting)}",
        )


def _result(message: Json, index: int, waiting: list[str]) -> Json:
    call_id: object = message.get("tool_call_id")
    if not isinstance(call_id, str):
        raise errors.missing(f"messages[{index}].tool_call_id")
    if call_id not in waiting:
        raise errors.invalid(
            f"messages[{index}].role",
            "messages with role 'tool' must be a response to a preceding message with 'tool_calls'",
        )
    waiting.remove(call_id)
    parts = _parts(message.get("content"), index)
    return {
        "type": "function_call_output",
        "call_id": call_id,
        "output": "".join(str(part.get("text") or "") for part in parts),
    }


def _content(message: Json, index: int, model: Model) -> str | list[Json] | None:
    content: object = message.get("content")
    if content is None:
        return str(message["refusal"]) if message.get("refusal") else None
    if isinstance(content, str):
        return content
    assistant = message["role"] == "assistant"
    return [_part(part, index, assistant, model) for part in _parts(content, index)]


def _parts(content: object, index: int) -> list[Json]:
    if isinstance(content, str):
        return [{"type": "text", "text": content}]
    if not is_array(content) or not content or not all(is_object(part) for part in content):
        raise errors.unknown_variant(f"messages[{index}].content")
    return content


def _part(part: Json, index: int, assistant: bool, model: Model) -> Json:
    """One part; section 5: gpt-oss takes text only, VERIFIED (seed2)."""
    kind = part.get("type")
    if kind == "text" and isinstance(part.get("text"), str):
        return {"type": "output_text" if assistant else "input_text", "text": part["text"]}
    if kind == "refusal" and assistant:
        return {"type": "refusal", "refusal": str(part.get("refusal") or "")}
    if assistant or kind not in (_IMAGE, _FILE) or not is_object(part.get(kind)):
        raise errors.unknown_variant(f"messages[{index}].content")
    if not model.sees:
        raise errors.invalid("messages", f"the model '{model.id}' takes text only, not '{kind}'")
    inner: Json = part[kind]
    if kind == _IMAGE:
        if not str(inner.get("url")).startswith("data:"):
            raise errors.invalid("messages", "'image_url' must be a data URL")
        return {"type": "input_image", "image_url": inner["url"]}
    if not isinstance(inner.get("file_data"), str):
        raise errors.invalid("messages", "send the file as 'file_data'")
    return {"type": "input_file", "filename": inner.get("filename"), "file_data": inner["file_data"]}


def _calls(message: Json, index: int) -> list[Json]:
    given = message.get("tool_calls")
    if given is None:
        return []
    if message["role"] != "assistant" or not is_array(given) or not given:
        raise errors.invalid(f"messages[{index}].tool_calls", "expected an array of the assistant's calls")
    calls: list[Json] = []
    for call in given:
        function = call.get("function") if is_object(call) else None
        if (
            not is_object(function)
            or not isinstance(call.get("id"), str)
            or not isinstance(function.get("name"), str)
            or not isinstance(function.get("arguments"), str)
        ):
            raise errors.unknown_variant(f"messages[{index}].tool_calls")
        calls.append(
            {
                "type": "function_call",
                "call_id": call["id"],
                "name": function["name"],
                "arguments": function["arguments"],
            }
        )
    return calls
