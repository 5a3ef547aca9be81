"""What a Bedrock API key says of itself: kind, region and expiry, told without the network.

A short-term key is `bedrock-api-key-` and the base64 of a presigned URL that names its region, its date and
its life; it works in that region only (bedrock-facts.md 1.2). Nothing here keeps the key or shows it.
"""

from __future__ import annotations

import base64
import binascii
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final, Literal
from urllib.parse import parse_qs

from tui.core.catalogue import is_region
from tui.core.errors import TokenMissing, TokenUnusable

__all__ = [
    "LONGEST_TOKEN",
    "SANDBOX_TOKEN",
    "TokenInfo",
    "TokenKind",
    "check",
    "clean_token",
    "duration",
    "parse_token",
]

TokenKind = Literal["short-term", "long-term", "aws profile", "sandbox", "unknown"]

SANDBOX_TOKEN: Final = "sandbox"

_SHORT_TERM: Final = "bedrock-api-key-"
_LONG_TERM: Final = "ABSK"
# What an Authorization header can carry after "Bearer " (RFC 6750, b64token), with some leeway.
_SENDABLE: Final = re.compile(r"[\x21-\x7e]+")
_SCHEME: Final = re.compile(r"bearer(?:\s|$)", re.IGNORECASE)
LONGEST_TOKEN: Final = 8192
"""Characters of a token at most: servers and proxies take headers of 8 KB. short-term keys have 1,000."""
_AROUND: Final = " \t\r\n\v\f\u00a0\ufeff\u200b\u200c\u200d\u2060"
"""What comes along when a token is copied: white space, byte order marks, characters without width."""
_QUOTES: Final = {"'": "'", '"': '"', "`": "`", "\u2018": "\u2019", "\u201c": "\u201d"}


@dataclass(frozen=True, slots=True)
class TokenInfo:
    """What a token tells; it does not hold the token.

    Attributes:
        kind: `unknown` where the form is none that is documented; such a token is sent all the same.
        region: The only region where it works; `None` when it does not say.
        expires_at: Seconds since the epoch; the session that made it may end before that.
    """

    kind: TokenKind
    region: str | None = None
    expires_at: float | None = None


def clean_token(text: str) -> str:
    """A token as typed or pasted, without spaces, line breaks, BOM, quotes and the word Bearer around it.

    Raises:
        TokenMissing: Nothing is left.
        TokenUnusable: No header could carry it; the sentence does not show it.
    """
    token = _bare(text)
    if scheme := _SCHEME.match(token):
        token = _bare(token[scheme.end() :])
    if not token:
        raise TokenMissing("The token is empty.")
    if len(token) > LONGEST_TOKEN:
        raise TokenUnusable(
            f"The token has {len(token):,} characters, and no header holds more than {LONGEST_TOKEN:,}; "
            "copy it again, the whole key and nothing else."
        )
    if not _SENDABLE.fullmatch(token):
        raise TokenUnusable(
            "The token holds spaces, line breaks or characters that no header can carry; "
            "copy it again, the whole key and nothing else."
        )
    return token


def _bare(text: str) -> str:
    """A text without what is around it, in whatever order that is."""
    text = text.strip(_AROUND)
    while len(text) >= 2 and _QUOTES.get(text[0]) == text[-1]:
        text = text[1:-1].strip(_AROUND)
    return text


def parse_token(token: str) -> TokenInfo:
    """Read what a token says of itself; never fails."""
    if token == SANDBOX_TOKEN:
        return TokenInfo("sandbox")
    if token.startswith(_LONG_TERM):
        return TokenInfo("long-term")
    if not token.startswith(_SHORT_TERM):
        return TokenInfo("unknown")
    fields = _presigned(token.removeprefix(_SHORT_TERM))
    scope = fields.get("X-Amz-Credential", "").split("/")
    region = scope[2] if len(scope) == 5 and is_region(scope[2]) else None
    return TokenInfo("short-term", region, _expiry(fields))


def check(info: TokenInfo, region: str, now: float) -> TokenUnusable | None:
    """Why a token cannot work in `region` at `now`, before anything is sent; `None` when it may.

    Args:
        info: What the token says.
        region: Where the request goes.
        now: Seconds since the epoch.

    Returns:
        An error to raise or to show.
    """
    if info.kind == "sandbox":
        return None
    if info.region is not None and info.region != region:
        return TokenUnusable(
            f"This Bedrock key was made for {info.region} and works only there; the region in force is "
            f"{region}. Choose {info.region}, or make a key for {region}."
        )
    if info.expires_at is not None and info.expires_at <= now:
        when = datetime.fromtimestamp(info.expires_at, UTC).strftime("%Y-%m-%d %H:%M UTC")
        return TokenUnusable(
            f"This Bedrock key expired at {when}, {duration(now - info.expires_at)} ago. Make a new one."
        )
    return None


def duration(seconds: float) -> str:
    """A length of time in words as long as needed: `45 s`, `12 min`, `3 h 5 min`, `4 days`."""
    whole = max(0, int(seconds))
    if whole < 60:
        return f"{whole} s"
    minutes = whole // 60
    if minutes < 60:
        return f"{minutes} min"
    hours, minutes = divmod(minutes, 60)
    if hours < 48:
        return f"{hours} h {minutes} min" if minutes else f"{hours} h"
    return f"{hours // 24} days"


def _presigned(encoded: str) -> dict[str, str]:
    """The query of the presigned URL; empty where the text is none. It holds a signature: never show it."""
    standard = encoded.replace("-", "+").replace("_", "/").rstrip("=")
    try:
        url = base64.b64decode(standard + "=" * (-len(standard) % 4), validate=True).decode("ascii")
    except (binascii.Error, UnicodeDecodeError, ValueError):
        return {}
    try:
        query = parse_qs(url.partition("?")[2])
    except ValueError:
        return {}
    return {name: values[0] for name, values in query.items()}


def _expiry(fields: dict[str, str]) -> float | None:
    life = fields.get("X-Amz-Expires", "")
    if not (life.isascii() and life.isdigit()) or len(life) > 9:
        return None
    try:
        made = datetime.strptime(fields.get("X-Amz-Date", ""), "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
    except ValueError:
        return None
    return made.timestamp() + int(life)
