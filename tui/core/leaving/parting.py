"""What a program that goes on with a conversation is made of: the current path, ready for one API."""

from __future__ import annotations

import base64
import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final, cast

from tui.core.attachments import file_kinds
from tui.core.continuation import Options, Request, Stateless
from tui.core.conversation import Conversation
from tui.core.errors import InputError
from tui.core.export.request import TOKEN_VARIABLE, Packed, SideFile, Unsupported, side_file
from tui.core.items import Item, user_message
from tui.core.tools import calls_of, parse_arguments, told

__all__ = [
    "Parting",
    "RecordedCall",
    "body_of",
    "branches_note",
    "functions_only",
    "planned",
    "recorded_calls",
    "unpacked_blobs",
    "without_files",
]

_PLACEHOLDER: Final = "."
"""Stands for the next prompt while the path is put into an API's form, as those answer a user only."""

_ENDINGS: Final = {"jpeg": "jpg"}


@dataclass(frozen=True, slots=True)
class Parting:
    """A conversation on its way out.

    Attributes:
        conversation: Its current path leaves.
        options: What its next request would say, where it would go, and by which API.
        beginning: Of the names of files beside the program.
        notes: What is otherwise than in the conversation, in words.
        token_variable: The environment variable that holds the token.
    """

    conversation: Conversation
    options: Options
    beginning: str = ""
    notes: tuple[str, ...] = ()
    token_variable: str = TOKEN_VARIABLE


@dataclass(frozen=True, slots=True)
class RecordedCall:
    """What a tool gave in the conversation: its name, the arguments as they were given, its output."""

    name: str
    arguments: object
    output: str


def branches_note(conversation: Conversation) -> tuple[str, ...]:
    """That only the current path leaves, where there are other branches."""
    others = len(conversation.turns) - len(conversation.path())
    if not others:
        return ()
    what = "1 turn of another branch stays" if others == 1 else f"{others} turns of other branches stay"
    return (f"it holds the current path; {what} here",)


def functions_only(parting: Parting) -> Parting:
    """The same with custom tools as functions of one text, for what knows functions only."""
    tools = [cast("dict[str, Any]", tool) for tool in parting.options.extra.get("tools", [])]
    if all(tool.get("type") == "function" for tool in tools):
        return parting
    changed = [tool if tool.get("type") == "function" else _function(tool) for tool in tools]
    names = ", ".join(str(tool.get("name")) for tool in tools if tool.get("type") != "function")
    options = replace(parting.options, extra={**parting.options.extra, "tools": changed})
    note = f"the tool {names} takes free text; here it is a function of one text"
    return replace(parting, options=options, notes=(*parting.notes, note))


def _function(tool: Mapping[str, Any]) -> dict[str, Any]:
    schema: dict[str, Any] = {"type": "object", "properties": {"input": {"type": "string"}}}
    schema |= {"required": ["input"], "additionalProperties": False}
    made: dict[str, Any] = {"type": "function", "name": tool.get("name")}
    if tool.get("description"):
        made["description"] = tool["description"]
    return {**made, "parameters": schema}


def without_files(parting: Parting, taken: Collection[str]) -> Parting:
    """The same with a line of text for each file that the model does not take.

    Args:
        parting: What leaves.
        taken: Out of `pdf` and `image`.
    """
    lost: dict[str, None] = {}

    def item(old: Item) -> Item:
        kinds = [kind for kind in file_kinds(old) if kind not in taken]
        content: object = old.payload.get("content") if kinds else None
        if not isinstance(content, list):
            return old
        parts = [
            _mentioned(cast("dict[str, Any]", part), taken, lost) for part in cast("list[object]", content)
        ]
        return Item.of({**old.payload, "content": parts})

    old = parting.conversation
    turns = {turn.id: replace(turn, input=tuple(map(item, turn.input))) for turn in old.turns.values()}
    if not lost:
        return parting
    note = f"{parting.options.target.model} takes no files: a line of text stands for {', '.join(lost)}"
    return replace(parting, conversation=replace(old, turns=turns), notes=(*parting.notes, note))


def _mentioned(part: dict[str, Any], taken: Collection[str], lost: dict[str, None]) -> dict[str, Any]:
    kind = {"input_file": "pdf", "input_image": "image"}.get(str(part.get("type")))
    if kind is None or kind in taken:
        return part
    name = str(part.get("filename") or ("a picture" if kind == "image" else "a file"))
    lost[name] = None
    return {"type": "input_text", "text": f"[{name} was attached here.]"}


def planned(parting: Parting) -> Request:
    """The request that would send the whole path and a placeholder for the next prompt."""
    return Stateless().plan(parting.conversation, (user_message(_PLACEHOLDER),), parting.options)


def left_out(request: Request) -> tuple[str, ...]:
    """Why items of the path stay behind, each reason once."""
    reasons = dict.fromkeys(entry.reason for entry in request.left_out)
    return tuple(f"{_kind(request, reason)} stays behind: {reason}" for reason in reasons)


def _kind(request: Request, reason: str) -> str:
    kinds = {entry.item.type for entry in request.left_out if entry.reason == reason}
    return " and ".join(sorted(kinds)).replace("_", " ")


def body_of(request: Request) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """The request in its API's form: the body without its messages, and the messages without the placeholder.

    Raises:
        Unsupported: The API cannot carry something of it; the text is a sentence.
    """
    try:
        body = cast("dict[str, Any]", json.loads(request.encode(stream=False)))
    except InputError as error:
        raise Unsupported(str(error)) from None
    messages = cast("list[dict[str, Any]]", body.pop("messages"))
    content: object = messages[-1]["content"]
    if isinstance(content, list) and len(cast("list[object]", content)) > 1:
        # The path ends with a message of the user's, and the placeholder was added to it.
        messages[-1]["content"] = cast("list[object]", content)[:-1]
    else:
        messages.pop()
    return body, messages


def recorded_calls(parting: Parting) -> list[RecordedCall]:
    """What the tools gave on the path, in its order; of calls that were not run, nothing."""
    found: list[RecordedCall] = []
    for turn in parting.conversation.path():
        records = {record.call_id: record for record in turn.calls}
        for call in calls_of(turn.output):
            record = records.get(call.call_id)
            if record is None or not record.state.has_ended:
                continue
            given = replace(
                call, arguments=record.arguments if record.arguments is not None else call.arguments
            )
            try:
                arguments: object = parse_arguments(given)
            except ValueError:
                arguments = given.arguments
            found.append(RecordedCall(call.name, arguments, told(record)))
    return found


def converse_messages(parting: Parting) -> tuple[list[dict[str, Any]], tuple[str, ...]]:
    """The path as messages of Converse, without reasoning, and why what is not in it is not.

    Raises:
        Unsupported: Converse cannot carry something of it; the text is a sentence.
    """
    options = replace(
        parting.options, target=replace(parting.options.target, api="converse"), text_format="", extra={}
    )
    request = planned(replace(parting, options=options))
    _, messages = body_of(request)
    kept: list[dict[str, Any]] = []
    for message in messages:
        # A signature of reasoning is of use only to who made it, and goes stale.
        blocks = [block for block in message["content"] if "reasoningContent" not in block]
        if kept and kept[-1]["role"] == message["role"]:
            kept[-1]["content"] += blocks
        elif blocks:
            kept.append({**message, "content": blocks})
    return kept, left_out(request)


@dataclass(slots=True)
class _Blobs:
    beginning: str
    files: dict[str, SideFile] = field(default_factory=dict[str, SideFile])

    def walk(self, value: object) -> object:
        """The value with a `Packed` for the bytes of each document and picture of Converse's form."""
        if isinstance(value, list):
            return [self.walk(entry) for entry in cast("list[object]", value)]
        if not isinstance(value, dict):
            return value
        fields = cast("dict[str, Any]", value)
        source: object = fields.get("source")
        data: object = cast("dict[str, Any]", source).get("bytes") if isinstance(source, dict) else None
        if isinstance(data, str) and isinstance(fields.get("format"), str):
            return {**fields, "source": {"bytes": self._packed(data, fields)}}
        return {name: self.walk(inner) for name, inner in fields.items()}

    def _packed(self, data: str, fields: Mapping[str, Any]) -> Packed:
        ending = _ENDINGS.get(fields["format"], str(fields["format"]))
        name = f"{fields['name']}.{ending}" if fields.get("name") else ""
        made = side_file(self.files, base64.b64decode(data), name, "attachment", self.beginning, ending)
        return Packed("", made)


def unpacked_blobs(messages: object, beginning: str) -> tuple[object, list[SideFile]]:
    """Converse's messages with a `Packed` in the place of each file's bytes, and the files."""
    blobs = _Blobs(beginning)
    return blobs.walk(messages), list(blobs.files.values())
