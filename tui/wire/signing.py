"""What concerns signed requests: their keys, what their header shows, which service they are signed for.

Source: AWS, "Signature Version 4 signing process"; the service names: the SDK's `bedrock` provider.
"""

from __future__ import annotations

import re
from contextvars import ContextVar
from typing import Final, Literal, Protocol
from urllib.parse import urlsplit

from tui.core.aws import AwsKeys
from tui.core.catalogue import NATIVE_APIS
from tui.core.errors import OutcropError, TokenRefused
from tui.core.items import Target
from tui.wire.token_forms import MASK

__all__ = [
    "SIGNED",
    "Signing",
    "endpoint_to_sign",
    "masked_signature",
    "signature_in",
    "signing_keys",
    "worn_out",
]

signing_keys: ContextVar[AwsKeys | None] = ContextVar("signing_keys", default=None)
"""The keys of the request that is being sent; `None` where it carries a bearer token."""

SIGNED: Final = b"AWS4-HMAC-SHA256"
_EXPIRED: Final = frozenset(
    {"ExpiredTokenException", "ExpiredToken", "RequestExpired", "TokenRefreshRequired"}
)
"""What AWS says of credentials that have run out."""

_PARTS: Final = re.compile(r"(?<=Credential=)[^/,\s]+|(?<=Signature=)[0-9a-fA-F]+")
_SIGNATURE: Final = re.compile(r"Signature=([0-9a-fA-F]+)")


class Signing(Protocol):
    """The AWS profile that signs instead of a bearer token, where one is asked for."""

    async def ready(self) -> AwsKeys | None:
        """The keys to sign with now; `None` sends the token.

        Raises:
            TokenError: There are none.
        """
        ...

    async def renew(self, used: AwsKeys) -> bool:
        """Look for keys again; whether there are others now."""
        ...


def masked_signature(value: str) -> str:
    """An Authorization header of SigV4 whose scope and names stay; access key and signature go."""
    return _PARTS.sub(MASK, value)


def signature_in(value: str) -> str:
    """The signature of such a header; empty where there is none."""
    found = _SIGNATURE.search(value)
    return found[1] if found else ""


def worn_out(error: OutcropError) -> bool:
    """Whether the server did not take the credentials of a session, as they have expired.

    Mantle says 401 of every signature that it does not take, whatever is wrong with it.
    """
    return isinstance(error, TokenRefused) and (error.status == 401 or error.code in _EXPIRED)


def endpoint_to_sign(target: Target) -> Literal["mantle", "runtime"]:
    """Whose requests are signed: runtime's for the service `bedrock`, mantle's for `bedrock-mantle`.

    A base URL of the user's own counts as runtime's where it names that, or is asked by an API that only
    runtime has.
    """
    if target.endpoint == "runtime" or target.api in NATIVE_APIS:
        return "runtime"
    parts = urlsplit(target.base_url)
    own = target.endpoint != "mantle"
    return "runtime" if own and re.search(r"\bruntime\b", f"{parts.netloc}{parts.path}") else "mantle"
