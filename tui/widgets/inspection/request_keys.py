"""Keys of the inspector that do something with the request under its cursor; the screen does it."""

from __future__ import annotations

from typing import Final

from textual.binding import Binding

__all__ = ["REQUEST_KEYS"]

REQUEST_KEYS: Final = (
    Binding("s", "screen.copy_request_as", "Copy or save as", show=False, id="inspector.copy_as"),
    Binding("e", "screen.edit_request", "Edit and send", show=False, id="inspector.edit"),
    Binding("a", "screen.replay_request", "Send again", show=False, id="inspector.replay"),
)
