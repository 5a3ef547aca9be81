"""What a signed request (SigV4) needs to be made again; the keys are found as AWS's tools find them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from tui.core.exchange import Exchange

__all__ = ["EXPORT_KEYS", "SIGNING_IMPORTS", "Signed", "shown_authorization", "signed"]

_SCOPE: Final = re.compile(r"AWS4-HMAC-SHA256 Credential=[^/,\s]+/\d{8}/([\w-]+)/([\w-]+)/aws4_request")

EXPORT_KEYS: Final = (
    "the keys are read from the variables that `aws configure export-credentials --profile NAME --format "
    "env` prints"
)
"""A note for what reads variables."""

SIGNING_IMPORTS: Final = (
    "from botocore.auth import SigV4Auth",
    "from botocore.awsrequest import AWSRequest",
    "from botocore.session import Session",
)


@dataclass(frozen=True, slots=True)
class Signed:
    """The scope of a signature.

    Attributes:
        region: As signed for.
        service: `bedrock` or `bedrock-mantle`.
        session: Whether the keys were those of a session, which has a token.
    """

    region: str
    service: str
    session: bool


def signed(exchange: Exchange) -> Signed | None:
    """How a request was signed; `None` where it was not."""
    headers = {name.lower(): value for name, value in exchange.request_headers}
    found = _SCOPE.match(headers.get("authorization", ""))
    return None if found is None else Signed(found[1], found[2], "x-amz-security-token" in headers)


def shown_authorization(name: str, value: str, bearer: str) -> str:
    """The value of a header as it was sent, with the name of a variable where a secret was.

    Args:
        name: Of the header.
        value: As recorded.
        bearer: The variable of the bearer token.
    """
    match name.lower():
        case "authorization" if _SCOPE.match(value):
            return re.sub(r"Credential=[^/,\s]+", "Credential=$AWS_ACCESS_KEY_ID", value)
        case "authorization":
            return f"Bearer ${bearer}"
        case "x-amz-security-token":
            return "$AWS_SESSION_TOKEN"
        case _:
            return value
