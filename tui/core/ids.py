"""Local ids: short enough to type, ordered by nothing, unique enough for one history."""

from __future__ import annotations

import secrets
from typing import Final

__all__ = ["new_id"]

_ALPHABET: Final = "abcdefghjkmnpqrstuvwxyz23456789"
_LENGTH: Final = 12


def new_id() -> str:
    """Twelve characters that are not mistaken for each other: 59 bits."""
    return "".join(secrets.choice(_ALPHABET) for _ in range(_LENGTH))
