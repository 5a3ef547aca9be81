"""Encrypted reasoning: opaque to the client, verified when it comes back (bedrock-facts.md 2 and 8.5).

VERIFIED (cb): it comes back when asked for, and its replay is accepted. ASSUMED: bound to model, endpoint and
region, `place` here.
There is no secret in a sandbox; the key only makes the content opaque and an alteration noticeable.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac

_MAGIC = b"\x80ocs1"


def _key(model: str, place: str) -> bytes:
    return hashlib.sha256(f"outcrop sandbox/{place}/{model}".encode()).digest()


def _mask(data: bytes, key: bytes, nonce: bytes) -> bytes:
    stream = b"".join(
        hashlib.sha256(key + nonce + index.to_bytes(4, "big")).digest()
        for index in range(len(data) // 32 + 1)
    )
    return bytes(a ^ b for a, b in zip(data, stream, strict=False))


def seal(text: str, item_id: str, model: str, place: str) -> str:
    """The blob that stands for a reasoning text."""
    key = _key(model, place)
    nonce = hashlib.sha256(item_id.encode()).digest()[:12]
    body = nonce + _mask(text.encode(), key, nonce)
    tag = hmac.digest(key, body, "sha256")
    return base64.urlsafe_b64encode(_MAGIC + body + tag).decode("ascii")


def unseal(blob: str, model: str, place: str) -> str | None:
    """The text, or None where the blob was altered or belongs to another model, endpoint or region."""
    key = _key(model, place)
    try:
        data = base64.b64decode(blob.encode("ascii"), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        return None
    body, tag = data[len(_MAGIC) : -32], data[-32:]
    if (
        not data.startswith(_MAGIC)
        or len(body) < 12
        or not hmac.compare_digest(hmac.digest(key, body, "sha256"), tag)
    ):
        return None
    return _mask(body[12:], key, body[:12]).decode()
