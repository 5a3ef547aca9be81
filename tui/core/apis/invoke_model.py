"""A planned request as the body of InvokeModel: that of Chat Completions, and never a stream.

The model is in the path, so that the body needs not name it. Source: bedrock-facts.md section 6.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from tui.core.apis.chat_completions import body_of
from tui.core.items import dump_json

if TYPE_CHECKING:
    from tui.core.continuation import Request

__all__ = ["encode"]


def encode(request: Request, *, stream: bool) -> bytes:
    """The body of `POST /model/{id}/invoke`, whether or not a stream is wanted: `stream` must be absent.

    Raises:
        InputError: Something of the path or of what is asked for cannot be said in it.
    """
    return dump_json(body_of(request)).encode()
