"""Ids as the service makes them: a prefix and 52 base32 characters (bedrock-facts.md 1.5, VERIFIED, cb)."""

from __future__ import annotations

import base64
import secrets


def random_id(prefix: str) -> str:
    """`resp` -> `resp_` and 52 lower-case base32 characters."""
    return f"{prefix}_{base64.b32encode(secrets.token_bytes(33))[:52].decode('ascii').lower()}"
