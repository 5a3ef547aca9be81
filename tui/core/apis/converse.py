"""A planned request as the body of Converse and ConverseStream, which take the same one.

Converse has blocks where the Responses API has items, and wants user and assistant to alternate, the user
first and last: items of one role that follow each other become one message. What Converse has no word for is
not asked for (the catalogue's rules say so to the user), and what cannot be carried is refused before
anything is sent.
Source: AWS, "Converse" (API reference) and the page on the open-weight models; bedrock-facts.md section 6.
The shapes are those of botocore's service model, which tests hold them against.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, cast

from tui.core.errors import InputError
from tui.core.items import dump_json
from tui.core.text import visible_line

if TYPE_CHECKING:
    from tui.core.continuation import Request

__all__ = ["encode"]

Payload = Mapping[str, Any]
Block = dict[str, Any]

_NO_OUTPUT: Final = "(no output)"
"""What a tool's empty output goes as: a blank text block is refused."""

_GO_ON: Final = "(The conversation begins with the answer below.)"
"""Put before an answer that nothing precedes: Converse takes no conversation that an assistant begins."""

_DATA_URL: Final = re.compile(r"data:([\w.+-]+/[\w.+-]+)(?:;[\w.+-]+=[\w.+-]+)*;base64,")
_IMAGES: Final = {"image/png": "png", "image/jpeg": "jpeg", "image/gif": "gif", "image/webp": "webp"}
_DOCUMENTS: Final = {
    "application/pdf": "pdf",
    "text/csv": "csv",
    "text/html": "html",
    "text/plain": "txt",
    "text/markdown": "md",
    "application/msword": "doc",
    "application/vnd.openxmlformats-officedocument.wordprocessingml.document": "docx",
    "application/vnd.ms-excel": "xls",
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet": "xlsx",
}
_UNNAMEABLE: Final = re.compile(r"[^A-Za-z0-9()\[\] -]+")
"""What a document's name may not hold; it may not hold two spaces in a row either."""

_LONGEST_NAME: Final = 200
_LONGEST_ID: Final = 64
_BAD_IN_ID: Final = re.compile(r"[^a-zA-Z0-9_.:-]")
_TIERS: Final = frozenset({"default", "flex", "priority"})
_OWN: Final = frozenset(
    {"instructions", "max_output_tokens", "temperature", "top_p", "stop", "reasoning", "text"}
    | {"tools", "tool_choice", "service_tier", "metadata"}
)
"""Parameters that have a place of their own in the body."""

_UNKNOWN: Final = frozenset(
    {"parallel_tool_calls", "prompt_cache_key", "prompt_cache_retention", "prompt_cache_options"}
    | {"context_management", "truncation", "background", "max_tool_calls", "top_logprobs", "include"}
    | {"store", "stream", "stream_options", "conversation", "prompt", "user", "safety_identifier"}
)
"""Parameters of the Responses API for which Converse has no word; any other is the model's own."""

_CACHE_POINT: Final = {"cachePoint": {"type": "default"}}


def encode(request: Request, *, stream: bool) -> bytes:
    """The body of `POST /model/{id}/converse` or, as the path alone makes the difference, `/converse-stream`.

    Raises:
        InputError: Something of the path or of what is asked for cannot be said in Converse.
    """
    conversation = _Conversation()
    if instructions := str(request.params.get("instructions") or "").strip():
        conversation.system.append({"text": instructions})
    for index, item in enumerate(request.items):
        conversation.add(item.payload)
        if index in request.breakpoints:
            conversation.mark()
    body: dict[str, Any] = {"messages": conversation.finished()}
    if conversation.system:
        body = {"system": conversation.system, **body}
    body |= _settings(request.params, conversation.tools)
    if request.guardrail is not None:
        body["guardrailConfig"] = request.guardrail.converse()
    return dump_json(body).encode()


# -- items ----------------------------------------------------------------------------------------------


@dataclass(slots=True)
class _Conversation:
    """System blocks and messages as they are put together.

    Attributes:
        tools: Names of the tools that were called in it, in their order.
    """

    system: list[Block] = field(default_factory=list[Block])
    messages: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])
    tools: dict[str, None] = field(default_factory=dict[str, None])
    _documents: set[str] = field(default_factory=set[str])

    def add(self, payload: Payload) -> None:
        """Add an item."""
        kind = str(payload.get("type") or "message")
        reader = _ITEMS.get(kind)
        if reader is None:
            raise InputError(
                f"Converse has no place for an item of type {visible_line(kind)}: go on with the API that it "
                "came from, or fork the conversation before it."
            )
        reader(self, payload)

    def put(self, role: str, blocks: Sequence[Block]) -> None:
        """Add blocks to the last message, where it is of that role, else to one of their own."""
        if not blocks:
            return
        if not self.messages and role == "assistant":
            self.put("user", [{"text": _GO_ON}])
        if self.messages and self.messages[-1]["role"] == role:
            self.messages[-1]["content"] += blocks
        else:
            self.messages.append({"role": role, "content": list(blocks)})

    def mark(self) -> None:
        """End the part of the prompt that the cache is told to keep."""
        if self.messages:
            self.messages[-1]["content"].append(dict(_CACHE_POINT))

    def document_name(self, filename: str) -> str:
        """A document's name as Converse takes it, unlike every other in the request."""
        stem = filename.rpartition(".")[0] or filename
        base = " ".join(_UNNAMEABLE.sub(" ", stem).split())[: _LONGEST_NAME - 4].strip() or "document"
        name, count = base, 1
        while name in self._documents:
            count += 1
            name = f"{base} {count}"
        self._documents.add(name)
        return name

    def finished(self) -> list[dict[str, Any]]:
        """The messages.

        Raises:
            InputError: There is nothing to answer.
        """
        if not self.messages or self.messages[-1]["role"] != "user":
            raise InputError("Converse answers a user's message, and this request ends without one.")
        return self.messages


def _message(conversation: _Conversation, payload: Payload) -> None:
    role, content = payload.get("role"), payload.get("content")
    blocks = _blocks(conversation, content)
    if role not in ("system", "developer"):
        conversation.put("assistant" if role == "assistant" else "user", blocks)
        return
    if not all("text" in block for block in blocks):
        raise InputError("Converse takes nothing but text in a developer or system message.")
    conversation.system += blocks


def _blocks(conversation: _Conversation, content: object) -> list[Block]:
    parts: list[object] = [content] if isinstance(content, str) else cast("list[object]", content or [])
    return [block for part in parts if (block := _block(conversation, part)) is not None]


def _block(conversation: _Conversation, part: object) -> Block | None:
    """A content part as a block; `None` for a blank text, which Converse refuses."""
    if isinstance(part, str):
        return {"text": part} if part.strip() else None
    entry: Payload = cast("Payload", part) if isinstance(part, Mapping) else {}
    kind = entry.get("type")
    if kind in ("input_text", "output_text", "text", "refusal"):
        text = str(entry.get("refusal" if kind == "refusal" else "text") or "")
        return {"text": text} if text.strip() else None
    if kind == "input_image":
        return {"image": _source(entry.get("image_url"), _IMAGES, "a picture")}
    if kind == "input_file":
        made = _source(entry.get("file_data"), _DOCUMENTS, "a document")
        name = conversation.document_name(str(entry.get("filename") or ""))
        return {"document": {"format": made["format"], "name": name, "source": made["source"]}}
    raise InputError(f"Converse has no content of type {visible_line(str(kind))}.")


def _source(url: object, formats: Mapping[str, str], what: str) -> dict[str, Any]:
    """A data URL as format and bytes (base64 in JSON, as every blob of AWS)."""
    match = _DATA_URL.match(url, 0, 256) if isinstance(url, str) else None
    if match is None:
        raise InputError(f"Converse takes {what} as data only, not by address or file id.")
    known = formats.get(match[1].lower())
    if known is None:
        offered = ", ".join(formats.values())
        raise InputError(f"Converse takes {what} as {offered}, not {visible_line(match[1])}.")
    return {"format": known, "source": {"bytes": cast("str", url)[match.end() :]}}


def _call(conversation: _Conversation, payload: Payload) -> None:
    name = str(payload.get("name") or "")
    arguments = str(payload.get("arguments") or "")
    try:
        value: object = json.loads(arguments) if arguments.strip() else {}
    except (ValueError, RecursionError):
        value = arguments
    # A call that the model wrote badly goes back as the text it was: its answer says what was wrong.
    given: object = cast("object", value) if isinstance(value, dict) else {"arguments": value}
    _use(conversation, payload, name, given)


def _use(conversation: _Conversation, payload: Payload, name: str, value: object) -> None:
    conversation.tools[name] = None
    use = {"toolUseId": _tool_use_id(payload), "name": name, "input": value}
    conversation.put("assistant", [{"toolUse": use}])


def _call_output(conversation: _Conversation, payload: Payload) -> None:
    blocks = _blocks(conversation, payload.get("output"))
    result = {"toolUseId": _tool_use_id(payload), "content": blocks or [{"text": _NO_OUTPUT}]}
    conversation.put("user", [{"toolResult": result}])


def _tool_use_id(payload: Payload) -> str:
    """The call's id; one that Converse would refuse, as another API made it, is told by its digest."""
    identity = str(payload.get("call_id") or "")
    if identity and len(identity) <= _LONGEST_ID and not _BAD_IN_ID.search(identity):
        return identity
    return "call_" + hashlib.sha256(identity.encode("utf-8", "replace")).hexdigest()[:32]


def _entries(value: object) -> Iterator[Payload]:
    for entry in cast("list[object]", value) if isinstance(value, list) else ():
        if isinstance(entry, Mapping):
            yield cast("Payload", entry)


_ITEMS: Final[Mapping[str, Callable[[_Conversation, Payload], None]]] = {
    "message": _message,
    "function_call": _call,
    "function_call_output": _call_output,
}


# -- parameters -----------------------------------------------------------------------------------------


def _settings(params: Mapping[str, Any], called: Mapping[str, None]) -> dict[str, Any]:
    body: dict[str, Any] = {}
    inference: dict[str, Any] = {}
    for name, word in (("max_output_tokens", "maxTokens"), ("temperature", "temperature"), ("top_p", "topP")):
        if params.get(name) is not None:
            inference[word] = params[name]
    stop: object = params.get("stop")
    if stop:
        inference["stopSequences"] = [stop] if isinstance(stop, str) else list(cast("list[str]", stop))
    if inference:
        body["inferenceConfig"] = inference
    own: dict[str, Any] = {}
    reasoning: object = params.get("reasoning")
    effort = cast("Payload", reasoning).get("effort") if isinstance(reasoning, Mapping) else None
    if effort is not None:
        own["reasoning_effort"] = effort
    own |= {name: value for name, value in params.items() if name not in _OWN | _UNKNOWN}
    if own:
        body["additionalModelRequestFields"] = own
    if tools := _tool_config(params, called):
        body["toolConfig"] = tools
    text: object = params.get("text")
    answer_format = cast("Payload", text).get("format") if isinstance(text, Mapping) else None
    if isinstance(answer_format, Mapping) and cast("Payload", answer_format).get("type") != "text":
        body["outputConfig"] = {"textFormat": _text_format(cast("Payload", answer_format))}
    if params.get("service_tier") in _TIERS:
        body["serviceTier"] = {"type": params["service_tier"]}
    if params.get("metadata"):
        body["requestMetadata"] = params["metadata"]
    return body


def _tool_config(params: Mapping[str, Any], called: Mapping[str, None]) -> dict[str, Any]:
    tools = [_tool(tool) for tool in _entries(params.get("tools"))]
    choice: object = params.get("tool_choice")
    if not tools or choice == "none":
        # Converse refuses a conversation with calls in it and no tools beside it, and has no way to say that
        # none may be called: those that were called are then named without being described.
        described = {tool["toolSpec"]["name"]: tool for tool in tools}
        unsaid = [described.get(name) or _undescribed(name) for name in called]
        return {"tools": unsaid} if unsaid else {}
    known = {tool["toolSpec"]["name"] for tool in tools}
    config: dict[str, Any] = {
        "tools": [*tools, *(_undescribed(name) for name in called if name not in known)]
    }
    if chosen := _choice(choice):
        config["toolChoice"] = chosen
    return config


def _tool(tool: Payload) -> Block:
    name = str(tool.get("name") or "")
    if tool.get("type") != "function":
        what = visible_line(name or str(tool.get("type")))
        raise InputError(f"Converse takes function tools only: turn {what} off, or choose the Responses API.")
    spec: Block = {"name": name}
    if description := str(tool.get("description") or "").strip():
        spec["description"] = description
    spec["inputSchema"] = {"json": tool.get("parameters") or {"type": "object", "properties": {}}}
    if tool.get("strict"):
        spec["strict"] = True
    return {"toolSpec": spec}


def _undescribed(name: str) -> Block:
    return {"toolSpec": {"name": name, "inputSchema": {"json": {"type": "object"}}}}


def _choice(choice: object) -> Block | None:
    if choice == "required":
        return {"any": {}}
    if choice == "auto":
        return {"auto": {}}
    if isinstance(choice, Mapping):
        return {"tool": {"name": str(cast("Payload", choice).get("name") or "")}}
    return None


def _text_format(answer_format: Payload) -> Block:
    if answer_format.get("type") != "json_schema":
        raise InputError(
            "Converse has no JSON mode: give a schema (/schema), or choose an API that has the mode."
        )
    schema: Block = {"schema": dump_json(answer_format.get("schema") or {})}
    for name in ("name", "description"):
        if answer_format.get(name):
            schema[name] = answer_format[name]
    return {"type": "json_schema", "structure": {"jsonSchema": schema}}
