"""Which API a recorded request was sent over, read from its URL."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final, cast
from urllib.parse import unquote

from tui.core.exchange import Exchange
from tui.core.items import Item, user_message

__all__ = ["Asked", "asked_of", "prompt_of"]

_PATHS: Final = (("/responses", "responses"), ("/chat/completions", "chat_completions"))
_OPERATIONS: Final = {
    "converse": ("converse", False),
    "converse-stream": ("converse", True),
    "invoke": ("invoke_model", False),
}


@dataclass(frozen=True, slots=True)
class Asked:
    """A request for an answer of a model.

    Attributes:
        api: A key of `API_NAMES`.
        base_url: What the API's path is put to.
        model: The model where the path names it; empty where the body does.
        streams: Whether the path asks for a stream; `None` where the body says it.
    """

    api: str
    base_url: str
    model: str = ""
    streams: bool | None = None


def asked_of(exchange: Exchange) -> Asked | None:
    """How a model was asked with a request; `None` for one that asks no model."""
    url = exchange.url.partition("?")[0].rstrip("/")
    if exchange.method != "POST":
        return None
    for path, api in _PATHS:
        if url.endswith(path):
            return Asked(api, url.removesuffix(path))
    rest, _, operation = url.rpartition("/")
    base_url, found, model = rest.rpartition("/model/")
    if not found or operation not in _OPERATIONS or "/" in model:
        return None
    api, streams = _OPERATIONS[operation]
    return Asked(api, base_url, unquote(model), streams)


def prompt_of(body: Mapping[str, Any]) -> Item | None:
    """The user's message that a request ends with, as an item of the Responses API.

    Of another API's body that is the text of its last message; files are not brought along.
    """
    last = _last(body.get("input"))
    if last is not None:
        return Item.of(last) if last.get("role") == "user" else None
    last = _last(body.get("messages"))
    if last is None or last.get("role") != "user":
        return None
    content: object = last.get("content")
    texts = [content] if isinstance(content, str) else list(_texts(content))
    return user_message("".join(texts)) if texts else None


def _texts(content: object) -> Iterator[str]:
    for part in cast("list[object]", content) if isinstance(content, list) else ():
        text = cast("Mapping[str, object]", part).get("text") if isinstance(part, Mapping) else None
        if isinstance(text, str):
            yield text


def _last(value: object) -> Mapping[str, Any] | None:
    entry: object = cast("list[object]", value)[-1] if isinstance(value, list) and value else None
    return cast("Mapping[str, Any]", entry) if isinstance(entry, Mapping) else None
