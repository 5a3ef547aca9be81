"""Bindings from the table of commands, and a user's keymap checked against it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, cast

from textual._ansi_sequences import ANSI_SEQUENCES_KEYS
from textual.binding import Binding

from tui.commands import COMMANDS, by_id
from tui.core.text import visible_line

__all__ = ["CheckedKeymap", "bindings", "check_keymap", "display_keys", "keys_of", "tell_alt_enter_apart"]

# Keys that every text field needs: a command on one of them would take it away.
_RESERVED = frozenset(
    {"tab", "shift+tab", "enter", "backspace", "delete", "left", "right", "up", "down", "space"}
)

_NAMES = {
    "escape": "Esc",
    "pageup": "PgUp",
    "pagedown": "PgDn",
    "enter": "Enter",
    "space": "Space",
    "tab": "Tab",
    "up": "↑",
    "down": "↓",
    "left": "←",
    "right": "→",
    "home": "Home",
    "end": "End",
    "backspace": "Backspace",
    "delete": "Del",
}


@dataclass(frozen=True, slots=True)
class CheckedKeymap:
    """A user's keymap after checking.

    Attributes:
        keymap: What can be applied: binding id -> keys.
        problems: A sentence for each entry that cannot.
    """

    keymap: Mapping[str, str]
    problems: tuple[str, ...] = ()


def bindings(prefix: str, *ids: str) -> list[Binding]:
    """The bindings of the commands whose action begins with `prefix`, such as `app.`, and of those named."""
    return [
        Binding(
            command.keys,
            command.action,
            command.title,
            show=False,
            id=command.id,
            priority=_first(command.id),
        )
        for command in COMMANDS
        if command.keys and (command.id in ids or command.action.startswith(prefix))
    ]


def check_keymap(wanted: Mapping[str, str]) -> CheckedKeymap:
    """Keep the entries that name a command and take no other command's key; say why for the rest."""
    keymap: dict[str, str] = {}
    problems: list[str] = []
    for command_id, keys in wanted.items():
        if by_id(command_id) is None:
            known = ", ".join(command.id for command in COMMANDS)
            problems.append(f"The keymap names no command: {visible_line(command_id)}. Known are {known}.")
            continue
        parts = [key.strip() for key in keys.split(",") if key.strip()]
        bad = next((key for key in parts if key in _RESERVED), None)
        if bad or not parts:
            shown = bad or "nothing"
            problems.append(f"The keymap gives {command_id} {visible_line(shown)}, which it cannot have.")
            continue
        keymap[command_id] = ",".join(parts)
    for command_id in list(keymap):
        other = _holder(keymap, command_id)
        if other:
            key, holder = other
            problems.append(f"The keymap gives {command_id} the key {visible_line(key)}, which {holder} has.")
            del keymap[command_id]
    return CheckedKeymap(keymap, tuple(problems))


class _AltEnter(StrEnum):
    KEY = "alt+enter"


def tell_alt_enter_apart() -> None:
    """Have Textual read ESC CR as Alt+Enter: it takes it for Enter, which would send.

    ESC CR is what terminals without the Kitty protocol send for Alt+Enter, and what many people have theirs
    send for Shift+Enter, which such a terminal cannot tell from Enter.
    """
    sequences = cast("dict[str, Any]", ANSI_SEQUENCES_KEYS)
    sequences.setdefault("\x1b\r", (_AltEnter.KEY,))


def keys_of(command_id: str, keymap: Mapping[str, str]) -> tuple[str, ...]:
    """The keys that run a command now, in Textual's spelling."""
    command = by_id(command_id)
    keys = keymap.get(command_id) or (command.keys if command else "")
    return tuple(key for key in keys.split(",") if key)


def display_keys(key: str) -> str:
    """A key as people write it: `ctrl+shift+p` is `Ctrl+Shift+P`."""
    parts = key.split("+")
    return "+".join(_NAMES.get(part) or part.capitalize() for part in parts)


def _holder(keymap: Mapping[str, str], command_id: str) -> tuple[str, str] | None:
    """The key of `command_id` that another command has too, and that command."""
    mine = keys_of(command_id, keymap)
    for command in COMMANDS:
        if command.id != command_id:
            for key in keys_of(command.id, keymap):
                if key in mine:
                    return key, command.id
    return None


def _first(command_id: str) -> bool:
    """Whether the key comes before any other use of it: the way out always works."""
    return command_id == "app.quit"
