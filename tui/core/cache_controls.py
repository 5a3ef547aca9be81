"""What a conversation asks of the prompt cache: its key, how long it keeps, where it writes.

The key defaults to the conversation's own id, so that its turns reach the same cache. Up to gpt-5.5 the
time is `prompt_cache_retention`; from gpt-5.6 on it is `prompt_cache_options.ttl`, writes are billed, and
with the mode `explicit` nothing is written but what ends at a `prompt_cache_breakpoint`.
Source: bedrock-facts.md 2 ("Prompt caching"); OpenAI API reference, "Create a response". That Bedrock takes
the options of gpt-5.6 is ASSUMED: what it refuses is left out and remembered.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any, Final, cast

from tui.core.catalogue import Model
from tui.core.items import Item, dump_json

__all__ = [
    "BREAKPOINTS",
    "CACHE_PARAMETERS",
    "LONGEST_KEY",
    "NO_KEY",
    "OPTIONS",
    "cache_params",
    "keep_values",
    "marked",
    "with_breakpoint",
]

BREAKPOINTS: Final = ("prompts", "files", "nowhere")
"""After each prompt; after the prompts that carry files; nothing is written at all."""

NO_KEY: Final = "none"
"""Chosen as a key: none is sent."""

LONGEST_KEY: Final = 64
OPTIONS: Final = "prompt_cache_options"
CACHE_PARAMETERS: Final = (OPTIONS, "prompt_cache_retention", "prompt_cache_key")

_BREAKPOINT: Final = '"prompt_cache_breakpoint":{"mode":"explicit"}'
_FILES: Final = ('"input_file"', '"input_image"')


def keep_values(model: Model | None) -> tuple[str, ...]:
    """How long the model's cache can be told to keep; empty where nothing is known of it."""
    if model is None or not model.cache:
        return ()
    return model.cache_ttls if model.cache == OPTIONS else (model.cache,)


def cache_params(
    model: Model | None, own_key: str, key: str | None, keep: str | None, breakpoints: str | None
) -> dict[str, Any]:
    """The top-level parameters for the prompt cache, in the order in which they are sent.

    Args:
        model: The catalogue's row; one that nobody knows is sent what is chosen, and no key of its own.
        own_key: The key where none is chosen.
        key: The key that is chosen; `NO_KEY` sends none.
        keep: How long, as checked against the model; `None` leaves it to the server.
        breakpoints: Out of `BREAKPOINTS`; `None` leaves it to the server.
    """
    params: dict[str, Any] = {}
    if key is None and model is not None and model.cache:
        key = own_key
    if key and key != NO_KEY:
        params["prompt_cache_key"] = key[:LONGEST_KEY]
    options: dict[str, str] = {"mode": "explicit"} if breakpoints else {}
    if keep in ("in_memory", "24h"):
        params["prompt_cache_retention"] = keep
    elif keep:
        options["ttl"] = keep
    if options:
        params[OPTIONS] = options
    return params


def marked(items: Sequence[Item], breakpoints: str | None) -> frozenset[int]:
    """Which items end at a breakpoint, by their place in the request's input."""
    if breakpoints not in ("prompts", "files"):
        return frozenset()
    return frozenset(
        index
        for index, item in enumerate(items)
        if item.text.startswith('{"role":"user"')
        and (breakpoints == "prompts" or any(mark in item.text for mark in _FILES))
    )


def with_breakpoint(text: str) -> str:
    """A user's message as JSON, with a breakpoint on its last part; anything else as it was.

    A message that ends as this program writes it is not parsed: it may hold a file of 20 MB.
    """
    if text.endswith('"}]}'):
        return f"{text[:-3]},{_BREAKPOINT}}}]}}"
    payload: object = json.loads(text)
    if not isinstance(payload, dict):
        return text
    message = cast("dict[str, Any]", payload)
    content: object = message.get("content")
    if isinstance(content, str):
        message["content"] = [{"type": "input_text", "text": content}]
    parts = cast("list[object]", message.get("content"))
    if not isinstance(message.get("content"), list) or not parts or not isinstance(parts[-1], dict):
        return text
    parts[-1] = {**cast("dict[str, Any]", parts[-1]), "prompt_cache_breakpoint": {"mode": "explicit"}}
    return dump_json(message)
