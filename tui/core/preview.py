"""What a planned request would send, in words and numbers: for looking at it before it goes.

Token counts are estimates: a token for each four characters of text (bedrock-facts.md 4), and what is
estimated for each file. Reasoning that is replayed encrypted cannot be counted from here and is not.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final, cast

from tui.core.attachments import file_kinds
from tui.core.continuation import Request
from tui.core.conversation import Conversation
from tui.core.errors import InputError
from tui.core.items import ContinuationMode, Item, Outcome, Turn

__all__ = ["Preview", "PreviewItem", "preview_of"]

_CHARACTERS_A_TOKEN: Final = 4
_LONGEST: Final = 200
_DATA_URL: Final = re.compile(r'"data:[^"]{64,}"')
_OPAQUE: Final = re.compile(r'"encrypted_content":"[^"]*"')


@dataclass(frozen=True, slots=True)
class PreviewItem:
    """An item of the request.

    Attributes:
        kind: The role of a message, the type of any other item.
        size: Its bytes in the body, data URLs included.
        tokens: Estimated; see the module.
        words: The beginning of its text, and `[file NAME]` in the place of a file.
        new: Whether it is what is being sent now, not what was said before.
        unfinished: The outcome of its turn where that did not complete; it goes inline for that reason.
    """

    kind: str
    size: int
    tokens: int
    words: str
    new: bool = False
    unfinished: Outcome | None = None


@dataclass(frozen=True, slots=True)
class Preview:
    """A request before it is sent.

    Attributes:
        mode: The continuation mode that planned it.
        previous_response_id: What it continues by id, if anything.
        store: Whether the server is asked to keep the response.
        items: What goes into `input`, in order.
        size: Bytes of the whole body.
        tokens: Estimated input tokens of what is in the body.
        remembered_turns: How many turns the server must have kept for it to work; 0 is nothing.
        remembered_tokens: What those came to when they were last sent, as the server reported it.
        left_out: Kind and reason for each item of the path that is not sent.
        instructions: Characters of the instructions, which go with each request.
        refused: Why its API cannot carry it, as a sentence; empty where it can.
    """

    mode: ContinuationMode
    previous_response_id: str | None
    store: bool
    items: tuple[PreviewItem, ...]
    size: int
    tokens: int
    remembered_turns: int
    remembered_tokens: int | None
    left_out: tuple[tuple[str, str], ...]
    instructions: int
    refused: str = ""


def preview_of(
    request: Request, conversation: Conversation, file_tokens: Callable[[Turn], int], new_file_tokens: int
) -> Preview:
    """Describe a request; it reads and writes the whole body, so call it off the event loop.

    Args:
        request: As planned for the conversation.
        conversation: Whose path it continues.
        file_tokens: Estimates the tokens of the files that were sent with a turn.
        new_file_tokens: The same for what is sent now.
    """
    path = conversation.path()
    # The plan puts the turns' own items into the request, so each can be told by its identity.
    owners = {id(item): turn for turn in path for item in (*turn.input, *turn.output)}
    items: list[PreviewItem] = []
    owner: Turn | None = None
    last = len(request.items) - 1
    for index, item in enumerate(request.items):
        found = owners.get(id(item))
        new = found is None and index == last
        # What belongs to no turn and is not new is the text of a turn that broke off, after its other items.
        owner = None if new else found or owner
        files = new_file_tokens if new else 0
        if found is not None and file_kinds(item):
            files = file_tokens(found)
        unfinished = owner.outcome if owner and owner.outcome is not Outcome.COMPLETED else None
        if owner and owner.summary:
            unfinished = None
        items.append(_item(item, files, new=new, unfinished=unfinished))
    anchor = next(
        (
            turn
            for turn in path
            if request.previous_response_id and turn.response_id == request.previous_response_id
        ),
        None,
    )
    instructions = len(str(request.params.get("instructions") or ""))
    refused = ""
    try:
        size = len(request.encode(stream=True))
    except InputError as error:
        size, refused = 0, str(error)
    return Preview(
        mode=request.mode,
        previous_response_id=request.previous_response_id,
        store=request.store,
        items=tuple(items),
        size=size,
        tokens=sum(item.tokens for item in items) + instructions // _CHARACTERS_A_TOKEN,
        remembered_turns=len(conversation.path(anchor.id)) if anchor is not None else 0,
        remembered_tokens=_reported(anchor),
        left_out=tuple((_kind(left.item.payload), left.reason) for left in request.left_out),
        instructions=instructions,
        refused=refused,
    )


def _reported(turn: Turn | None) -> int | None:
    usage = turn.usage if turn is not None else None
    if usage is None or usage.input_tokens is None or usage.output_tokens is None:
        return None
    return usage.input_tokens + usage.output_tokens - (usage.reasoning_tokens or 0)


def _item(item: Item, files: int, *, new: bool, unfinished: Outcome | None) -> PreviewItem:
    # Without megabytes of base64 it is quick to read.
    payload = cast("dict[str, Any]", json.loads(_DATA_URL.sub('"data:"', item.text)))
    text = _text(payload)
    return PreviewItem(
        kind=_kind(payload),
        size=len(item.text.encode()),
        tokens=len(text) // _CHARACTERS_A_TOKEN + files,
        words=" ".join([*_file_names(payload), " ".join(text[:_LONGEST].split())]).strip(),
        new=new,
        unfinished=unfinished,
    )


def _kind(payload: Mapping[str, Any]) -> str:
    kind = str(payload.get("type") or "message")
    return str(payload.get("role") or "message") if kind == "message" else kind


def _parts(payload: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    content: object = payload.get("content")
    if not isinstance(content, list):
        return []
    return [
        cast("Mapping[str, Any]", part) for part in cast("list[object]", content) if isinstance(part, Mapping)
    ]


def _file_names(payload: Mapping[str, Any]) -> list[str]:
    return [
        "[image]" if part["type"] == "input_image" else f"[file {part.get('filename') or 'without a name'}]"
        for part in _parts(payload)
        if part.get("type") in ("input_file", "input_image")
    ]


def _text(payload: Mapping[str, Any]) -> str:
    """The text that the model reads."""
    if payload.get("type", "message") == "message":
        content: object = payload.get("content")
        if isinstance(content, str):
            return content
        return " ".join(
            str(part.get("text") or part.get("refusal") or "") for part in _parts(payload)
        ).strip()
    if payload.get("type") == "reasoning":
        summary: object = payload.get("summary")
        entries = cast("list[object]", summary) if isinstance(summary, list) else []
        return " ".join(
            str(cast("Mapping[str, Any]", entry).get("text") or "")
            for entry in entries
            if isinstance(entry, Mapping)
        )
    return _OPAQUE.sub("", json.dumps(payload, ensure_ascii=False))
