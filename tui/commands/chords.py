"""What the first of two letters after the leader stands for."""

from __future__ import annotations

from typing import Final

__all__ = ["LEADER", "LEADER_ID", "PREFIXES"]

LEADER_ID: Final = "leader"
"""Binding id of the key that begins every chord."""

LEADER: Final = "ctrl+x"
"""The leader's default key. In a text with a selection it cuts, as it does everywhere."""

PREFIXES: Final = {
    "a": "Attachments",
    "b": "Branches and background",
    "c": "Continuation",
    "d": "Do with a request",
    "g": "Go to",
    "s": "Settings",
    "t": "Turns and tools",
    "v": "View",
    "w": "Write out",
    "y": "Copy",
}
"""First letters of two-letter chords; no command has one of them for a chord of its own."""
