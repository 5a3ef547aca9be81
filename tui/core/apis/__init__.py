"""The APIs beside Responses: what each carries of a request, and the bodies that it takes.

Within the program everything is in the terms of the Responses API (items, parameters, usage). Each module
here writes a planned request as the body of one API; what comes back is translated in `wire`. What an API
cannot carry is named before anything is sent: an item in `Request.left_out`, the rest by an `InputError`.
Source: bedrock-facts.md sections 5 and 6.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Protocol

from tui.core.catalogue import API_NAMES

if TYPE_CHECKING:
    from tui.core.continuation import Request
    from tui.core.items import ContinuationMode, Item

__all__ = ["RESPONSES", "encoder", "mode_in_force", "why_not_carried", "why_not_stateful"]

RESPONSES: Final = "responses"

_TOOL_ITEMS: Final = frozenset({"function_call", "function_call_output"})
_CUSTOM_ITEMS: Final = frozenset({"custom_tool_call", "custom_tool_call_output"})


class Encoder(Protocol):
    """Writes a request as the body of one API."""

    def __call__(self, request: Request, *, stream: bool) -> bytes:
        """The body, its keys always in the same order.

        Raises:
            InputError: It holds what this API cannot carry; the sentence says what, and what to do.
        """
        ...


def encoder(api: str) -> Encoder:
    """What writes the body of an API, a key of `API_NAMES` other than `responses`.

    Raises:
        ValueError: There is no such API.
    """
    match api:
        case "chat_completions":
            from tui.core.apis import chat_completions as module
        case "converse":
            from tui.core.apis import converse as module
        case "invoke_model":
            from tui.core.apis import invoke_model as module
        case _:
            raise ValueError(f"no API {api}")
    return module.encode


def why_not_stateful(api: str) -> str | None:
    """Why a conversation cannot be continued by id over an API, as a sentence; `None` where it can."""
    if api == RESPONSES:
        return None
    return (
        f"Over {API_NAMES.get(api, api)} the server keeps nothing of an answer: every request carries the "
        "whole path, so the conversation is stateless. Only the Responses API continues by id."
    )


def mode_in_force(mode: ContinuationMode, api: str) -> ContinuationMode:
    """How the next turn is really sent, whatever was chosen for the conversation."""
    return mode if api == RESPONSES else "stateless"


def why_not_carried(api: str, item: Item) -> str | None:
    """Why an item of the path stays here when it is sent over another API than Responses, or `None`."""
    kind, name = item.type, API_NAMES.get(api, api)
    if kind == "message" or kind in _TOOL_ITEMS:
        return None
    if kind == "reasoning":
        return f"{name} takes no reasoning back"
    if kind == "compaction":
        return "what the server compacted can be read over the Responses API only"
    if kind in _CUSTOM_ITEMS:
        return f"{name} knows no custom tools"
    return f"{name} has nothing like it"
