"""How keys are spelled: as people write them in the config file, as Textual does, as they are shown."""

from __future__ import annotations

import unicodedata
from functools import lru_cache
from typing import Final

from textual.keys import KEY_TO_UNICODE_NAME, REPLACED_KEYS, Keys

__all__ = ["display_key", "read_key", "read_keys", "types_character"]

_MODIFIERS: Final = ("ctrl", "alt", "shift", "super", "hyper", "meta")
_NAMES: Final = {
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
    "insert": "Ins",
}
_ARROWS: Final = frozenset({"up", "down", "left", "right"})
_OTHER_NAMES: Final = {
    "esc": "escape",
    "return": "enter",
    "pgup": "pageup",
    "pgdn": "pagedown",
    "page_up": "pageup",
    "page_down": "pagedown",
    "del": "delete",
    "ins": "insert",
    "↑": "up",
    "↓": "down",
    "←": "left",
    "→": "right",
}


def read_key(text: str) -> str | None:
    """A key in Textual's spelling, e.g. `ctrl+x`, `question_mark` for `Ctrl+X`, `?`; `None` if it is none."""
    *modifiers, base = text.strip().split("+") if text.strip() != "+" else ["plus"]
    modifiers = [modifier.strip().lower() for modifier in modifiers]
    if any(modifier not in _MODIFIERS for modifier in modifiers):
        return None
    base = _base(base.strip())
    if base is None:
        return None
    if len(base) == 1 and modifiers:
        # A terminal sends the capital itself, and no case at all where another modifier is held.
        if modifiers == ["shift"]:
            return base.upper()
        base = base.lower()
    return "+".join([*modifiers, base])


def read_keys(text: str) -> tuple[tuple[tuple[str, ...], ...], str]:
    """Read `f5, ctrl+x p`: keys and chords, separated by commas.

    Returns:
        Each as the keys to press one after the other, and the first part that names no key, empty for none.
    """
    found: list[tuple[str, ...]] = []
    for part in text.split(","):
        words = part.split()
        if not words:
            continue
        keys = [word if word == "leader" else read_key(word) for word in words]
        if None in keys:
            return (), part.strip()
        found.append(tuple(key for key in keys if key is not None))
    return tuple(found), ""


@lru_cache(maxsize=512)
def display_key(key: str) -> str:
    """A key as people write it: `ctrl+shift+p` is `Ctrl+Shift+P`, `question_mark` is `?`."""
    *modifiers, base = key.split("+")
    shown = _NAMES.get(base) or _character(base)
    if len(shown) > 1 or modifiers:
        shown = shown[:1].upper() + shown[1:]
    return "+".join([*(modifier.capitalize() for modifier in modifiers), shown])


def types_character(key: str) -> bool:
    """Whether a text field would insert a character for this key."""
    return key == "space" or ("+" not in key and key not in _ARROWS and len(display_key(key)) == 1)


def _base(text: str) -> str | None:
    """The key without its modifiers, in Textual's spelling."""
    if len(text) == 1 and text not in _OTHER_NAMES:
        if text.isalnum():
            return text
        name = unicodedata.name(text, "").lower().replace("-", "_").replace(" ", "_")
        replaced = {unicode: key for key, unicode in REPLACED_KEYS.items()}
        return replaced.get(name, name) or None
    name = _OTHER_NAMES.get(text.lower(), text.lower())
    return name if name in _known() or _character(name) != name else None


@lru_cache(maxsize=1)
def _known() -> frozenset[str]:
    return frozenset(key.value.rpartition("+")[2] for key in Keys if not key.value.startswith("<"))


def _character(name: str) -> str:
    """`question_mark` is `?`; a name that stands for no character is returned as it is."""
    if len(name) == 1:
        return name
    original = REPLACED_KEYS.get(name, name)
    spelled = KEY_TO_UNICODE_NAME.get(original, original.upper().replace("_", " "))
    try:
        character = unicodedata.lookup(spelled)
    except (KeyError, UnicodeError):  # half a character, which no terminal sends
        return name
    return character if character.isprintable() else name
