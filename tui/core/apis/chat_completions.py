"""A planned request as the body of Chat Completions.

Items become messages: a call is part of the assistant's message that it stands beside, and what a tool gave
is a message of the role `tool`. Instructions go first, as the developer's message. What cannot be said is
refused before anything is sent; what the program wants only of the Responses API is not asked for.
Source: OpenAI API reference, "Chat Completions"; bedrock-facts.md section 5.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, cast

from tui.core.errors import InputError
from tui.core.items import dump_json
from tui.core.text import visible_line

if TYPE_CHECKING:
    from tui.core.continuation import Request

__all__ = ["body_of", "encode"]

Payload = Mapping[str, Any]
Message = dict[str, Any]

_ROLES: Final = ("user", "assistant", "developer", "system")
_UNSAID: Final = frozenset(
    {"include", "context_management", "truncation", "background", "max_tool_calls", "conversation", "prompt"}
)
"""Parameters that only the Responses API has a meaning for; nobody loses what was said when they are not."""


def encode(request: Request, *, stream: bool) -> bytes:
    """The body of `POST /chat/completions`.

    A stream is asked to tell its tokens at the end; it would not otherwise.

    Raises:
        InputError: Something of the path or of what is asked for cannot be said in Chat Completions.
    """
    body = {"model": request.target.model, **body_of(request)}
    if stream:
        body |= {"stream": True, "stream_options": {"include_usage": True}}
    return dump_json(body).encode()


def body_of(request: Request) -> dict[str, Any]:
    """The body without `model` and `stream`, which is that of InvokeModel.

    Raises:
        InputError: As `encode`.
    """
    conversation = _Conversation()
    if instructions := str(request.params.get("instructions") or ""):
        conversation.messages.append({"role": "developer", "content": instructions})
    for item in request.items:
        conversation.add(item.payload)
    if not any(message["role"] != "developer" for message in conversation.messages):
        raise InputError("There is nothing to send: Chat Completions answers a message, and there is none.")
    body: dict[str, Any] = {"messages": conversation.messages}
    for name, value in request.params.items():
        if name != "instructions" and name not in _UNSAID:
            body |= _said(name, value)
    if request.guardrail is not None:
        body |= request.guardrail.body()
    return body


# -- items ----------------------------------------------------------------------------------------------


@dataclass(slots=True)
class _Conversation:
    """Messages as they are put together."""

    messages: list[Message] = field(default_factory=list[Message])

    def add(self, payload: Payload) -> None:
        """Add an item.

        Raises:
            InputError: There is no message that says it.
        """
        match payload.get("type") or "message":
            case "message":
                self._message(payload)
            case "function_call":
                function = {
                    "name": str(payload.get("name") or ""),
                    "arguments": str(payload.get("arguments") or "{}"),
                }
                call = {"id": str(payload.get("call_id") or ""), "type": "function", "function": function}
                self._answer().setdefault("tool_calls", []).append(call)
            case "function_call_output":
                output = _text_of(payload.get("output"), "a tool's output")
                call_id = str(payload.get("call_id") or "")
                self.messages.append({"role": "tool", "tool_call_id": call_id, "content": output})
            case kind:
                raise InputError(f"Chat Completions has nothing like {visible_line(str(kind))}.")

    def _message(self, payload: Payload) -> None:
        role = str(payload.get("role") or "user")
        if role not in _ROLES:
            raise InputError(f"Chat Completions knows no role {visible_line(role)}.")
        content: object = payload.get("content")
        if role == "user":
            self.messages.append({"role": role, "content": _content(content)})
            return
        text = _text_of(content, f"{'an' if role == 'assistant' else 'a'} {role}'s message")
        if role != "assistant":
            self.messages.append({"role": role, "content": text})
        elif text and self._has_calls():
            # Tools' outputs must follow the message with the calls at once: text after a call goes into it.
            before = self.messages[-1]["content"]
            self.messages[-1]["content"] = f"{before}\n\n{text}" if before else text
        elif text:
            self.messages.append({"role": role, "content": text})

    def _has_calls(self) -> bool:
        return bool(self.messages) and "tool_calls" in self.messages[-1]

    def _answer(self) -> Message:
        """The assistant's message that a call belongs to."""
        if not self.messages or self.messages[-1]["role"] != "assistant":
            self.messages.append({"role": "assistant", "content": None})
        return self.messages[-1]


def _content(content: object) -> str | list[Message]:
    """A user's content: a text as it is, parts in the API's form."""
    if isinstance(content, str):
        return content
    parts = [_part(part) for part in _objects(content)]
    if len(parts) == 1 and parts[0]["type"] == "text":
        return str(parts[0]["text"])
    return parts


def _part(part: Payload) -> Message:
    kind = part.get("type")
    match kind:
        case "input_text" | "output_text" | "text":
            return {"type": "text", "text": str(part.get("text") or "")}
        case "input_image" if isinstance(part.get("image_url"), str):
            image = {"url": part["image_url"]}
            return {"type": "image_url", "image_url": {**image, **_detail(part)}}
        case "input_file" if isinstance(part.get("file_data"), str):
            file = {name: part[name] for name in ("filename", "file_data") if part.get(name)}
            return {"type": "file", "file": file}
        case "input_image" | "input_file":
            raise InputError("Chat Completions takes a file as data only, not by address or file id.")
        case _:
            raise InputError(f"Chat Completions has no content of type {visible_line(str(kind))}.")


def _detail(part: Payload) -> Message:
    return {"detail": part["detail"]} if part.get("detail") in ("auto", "low", "high") else {}


def _text_of(content: object, what: str) -> str:
    if isinstance(content, str):
        return content
    texts: list[str] = []
    for part in _objects(content):
        if part.get("type") not in ("input_text", "output_text", "text", "refusal"):
            kind = visible_line(str(part.get("type")))
            raise InputError(f"Chat Completions takes nothing but text as {what}, not {kind}.")
        texts.append(str(part.get("refusal" if part["type"] == "refusal" else "text") or ""))
    return "".join(texts)


# -- parameters -----------------------------------------------------------------------------------------


def _said(name: str, value: Any) -> dict[str, Any]:
    """A parameter of the Responses API in the words of this one; what has no words of its own is the same."""
    reader = _PARAMETERS.get(name)
    return {name: value} if reader is None else reader(value)


def _reasoning(value: Any) -> dict[str, Any]:
    effort = _member(value, "effort")
    return {} if effort is None else {"reasoning_effort": effort}


def _text(value: Any) -> dict[str, Any]:
    said: dict[str, Any] = {}
    if (verbosity := _member(value, "verbosity")) is not None:
        said["verbosity"] = verbosity
    form = _member(value, "format")
    match _member(form, "type"):
        case "json_schema":
            schema = {key: item for key, item in cast("Payload", form).items() if key != "type"}
            said["response_format"] = {"type": "json_schema", "json_schema": schema}
        case "json_object":
            said["response_format"] = {"type": "json_object"}
        case _:
            pass
    return said


def _tools(value: Any) -> dict[str, Any]:
    return {"tools": [_tool(tool) for tool in _objects(value)]}


def _tool(tool: Payload) -> Message:
    if tool.get("type") != "function":
        name = visible_line(str(tool.get("name") or tool.get("type")))
        raise InputError(
            f"Chat Completions takes function tools only: turn {name} off, or choose the Responses API."
        )
    return {"type": "function", "function": {key: item for key, item in tool.items() if key != "type"}}


def _tool_choice(value: Any) -> dict[str, Any]:
    if isinstance(value, str):
        return {"tool_choice": value}
    return {"tool_choice": {"type": "function", "function": {"name": _member(value, "name")}}}


_PARAMETERS: Final[Mapping[str, Callable[[Any], dict[str, Any]]]] = {
    "max_output_tokens": lambda value: {"max_completion_tokens": value},
    "reasoning": _reasoning,
    "text": _text,
    "tools": _tools,
    "tool_choice": _tool_choice,
    "stop": lambda value: {"stop": value} if value else {},
}


def _member(value: object, name: str) -> Any:
    return cast("Payload", value).get(name) if isinstance(value, Mapping) else None


def _objects(value: object) -> Iterator[Payload]:
    entries: Iterable[object] = cast("list[object]", value) if isinstance(value, list) else ()
    for entry in entries:
        if isinstance(entry, Mapping):
            yield cast("Payload", entry)
