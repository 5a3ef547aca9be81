"""Where an edited request of an API beside Responses branches off its conversation.

What such a body says of the turns so far is what the encoder wrote of them, so that it is the encoder that
tells how many of its messages are known; only the rest is read back into items.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Final, cast

from tui.core.apis.asked import asked_of
from tui.core.continuation import Options, Stateless
from tui.core.conversation import Conversation
from tui.core.errors import InputError
from tui.core.exchange import Exchange
from tui.core.items import Item, Target, assistant_message, user_message
from tui.core.json_values import object_in
from tui.core.replays import branch_point

__all__ = ["branch_of"]

Message = Mapping[str, Any]

_NEXT: Final = user_message("?")
_OUR_ROLES: Final = ("developer", "system")


Branch = tuple[str | None, tuple[Item, ...]]


def branch_of(
    exchange: Exchange, body: Mapping[str, Any], conversation: Conversation, target: Target
) -> Branch:
    """Where a turn with this body goes in the conversation's tree, so that its path says what was sent.

    Args:
        exchange: The request that was edited.
        body: What it is now.
        conversation: What it is to be a branch of.
        target: Where the conversation's requests go.

    Returns:
        The parent, `None` for the root, and the items that are new there.

    Raises:
        ValueError: It cannot be a turn there; the text is a sentence.
    """
    asked = asked_of(exchange)
    if asked is None or asked.api == "responses":
        return branch_point(body, conversation, exchange.turn_id)
    return _branch_of_messages(body, conversation, exchange.turn_id, replace(target, api=asked.api))


def _branch_of_messages(
    body: Mapping[str, Any], conversation: Conversation, turn_id: str, target: Target
) -> Branch:
    sent = _messages(body)
    parent: str | None = None
    used = 0
    path = conversation.path(turn_id) if turn_id in conversation.turns else conversation.path()
    for turn in path:
        known = _known(conversation.at(turn.id), target)
        if turn.id == turn_id or known is None or list(sent[: len(known)]) != known:
            break
        used, parent = len(known), turn.id
    if used == len(sent):
        raise ValueError("It holds nothing that is not in the conversation already.")
    return parent, tuple(item for message in sent[used:] for item in _items(message))


def _known(conversation: Conversation, target: Target) -> list[Message] | None:
    """The messages of a path; `None` where there is no such body."""
    try:
        body = Stateless().plan(conversation, [_NEXT], Options(target, 1)).encode(stream=False)
    except InputError:
        return None
    return _messages(json.loads(body))[:-1]


def _messages(body: Mapping[str, Any]) -> list[Message]:
    """Those of the conversation: instructions are no turn's."""
    return [message for message in _objects(body.get("messages")) if message.get("role") not in _OUR_ROLES]


def _items(message: Message) -> list[Item]:
    role: object = message.get("role")
    content: object = message.get("content")
    if role == "tool":
        return [_output(message.get("tool_call_id"), content)]
    if role == "user":
        results = [result for block in _objects(content) if (result := object_in(block, "toolResult"))]
        if results:
            return [_output(result.get("toolUseId"), result.get("content")) for result in results]
        return [user_message(_text(content))]
    if role == "assistant" and not message.get("tool_calls"):
        return [assistant_message(_text(content))]
    raise ValueError("A tool call that was written by hand cannot be a turn of the conversation.")


def _output(call_id: object, content: object) -> Item:
    return Item.of({"type": "function_call_output", "call_id": str(call_id or ""), "output": _text(content)})


def _text(content: object) -> str:
    if isinstance(content, str):
        return content
    texts = [block.get("text") for block in _objects(content)]
    if not texts or not all(isinstance(text, str) for text in texts):
        raise ValueError("Only text can be kept as a branch of the conversation over this API.")
    return "".join(cast("list[str]", texts))


def _objects(value: object) -> Sequence[Message]:
    entries = cast("list[object]", value) if isinstance(value, list) else []
    return [cast("Message", entry) for entry in entries if isinstance(entry, Mapping)]
