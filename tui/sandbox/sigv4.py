"""Checking a signature of AWS Signature Version 4 with the sandbox's own keys, from AWS's description of it.

The access key and the secret key both are `sandbox`; a session token may be any text, but with `expired` the
credentials have run out. Mantle's service name is `bedrock-mantle`, runtime's and the control plane's is
`bedrock`, VERIFIED (sdk, botocore). The statuses and words of refusals are ASSUMED: those of AWS's other
services; mantle answers as to a bad bearer.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from urllib.parse import quote

from .aws import AwsError
from .errors import ApiError, bad_token
from .place import Place

ACCESS_KEY = SECRET_KEY = "sandbox"
EXPIRED_SESSION = "expired"
ALGORITHM = "AWS4-HMAC-SHA256"
_HEADER = re.compile(
    rf"{ALGORITHM}\s+Credential=(?P<credential>[^,\s]+),\s*SignedHeaders=(?P<signed>[^,\s]+),"
    r"\s*Signature=(?P<signature>[0-9a-f]{64})"
)
_SKEW = 300  # seconds that a signature is good for, either way


@dataclass(frozen=True, slots=True)
class Signed:
    """A request as it was signed.

    Attributes:
        method: of HTTP.
        path: as on the wire, percent-encoded.
        query: what follows the `?`, as on the wire.
        headers: lower-case names; the values of a name that comes twice are joined with a comma.
        body: its bytes.
    """

    method: str
    path: str
    query: str
    headers: dict[str, str]
    body: bytes


def check(request: Signed, place: Place, now: float) -> None:
    """Let a request through that was signed with the sandbox's keys for this place.

    Raises:
        ApiError: 401 on mantle; elsewhere 403 with AWS's exception for what is wrong.
    """
    try:
        _check(request, place, now)
    except AwsError:
        if place.endpoint == "mantle":
            raise bad_token(runtime=False) from None
        raise


def _check(request: Signed, place: Place, now: float) -> None:
    header = _HEADER.fullmatch(request.headers.get("authorization", "").strip())
    if header is None:
        raise _refused("IncompleteSignatureException", "Authorization header is not a valid signature.")
    key, *scope = header["credential"].split("/")
    date = request.headers.get("x-amz-date", "")
    if key != ACCESS_KEY:
        raise _refused(
            "UnrecognizedClientException", "The security token included in the request is invalid."
        )
    if len(scope) != 4 or scope[3] != "aws4_request":
        raise _refused("IncompleteSignatureException", "Credential must have five parts.")
    if scope[1] != place.region:
        raise _refused(
            "InvalidSignatureException",
            f"Credential should be scoped to a valid region, not '{scope[1]}'.",
        )
    service = service_of(place)
    if scope[2] != service:
        raise _refused(
            "InvalidSignatureException", f"Credential should be scoped to correct service: '{service}'."
        )
    _check_date(date, scope[0], now)
    if request.headers.get("x-amz-security-token") == EXPIRED_SESSION:
        raise _refused("ExpiredTokenException", "The security token included in the request is expired")
    names = header["signed"].split(";")
    if "host" not in names or any(name not in request.headers for name in names):
        raise _refused("InvalidSignatureException", "'Host' and every signed header must be in the request.")
    if not hmac.compare_digest(signature(request, names, date, scope), header["signature"]):
        raise _refused(
            "InvalidSignatureException",
            "The request signature we calculated does not match the signature you provided. Check your AWS"
            " Secret Access Key and signing method. Consult the service documentation for details.",
        )


def service_of(place: Place) -> str:
    """What a signature for this place names as its service."""
    return "bedrock-mantle" if place.endpoint == "mantle" else "bedrock"


def signature(request: Signed, names: list[str], date: str, scope: list[str]) -> str:
    """The signature in hexadecimal digits.

    Args:
        request: what is signed.
        names: of the signed headers, in order.
        date: `x-amz-date`.
        scope: day, region, service and `aws4_request`.
    """
    told = request.headers.get("x-amz-content-sha256", "")
    payload = told if told == "UNSIGNED-PAYLOAD" else hashlib.sha256(request.body).hexdigest()
    canonical = "\n".join(
        (
            request.method,
            # The path is encoded once more than on the wire, as for all services but S3.
            quote(request.path or "/", safe="/-_.~"),
            "&".join(sorted(request.query.split("&"))) if request.query else "",
            *(f"{name}:{' '.join(request.headers[name].split())}" for name in names),
            "",
            ";".join(names),
            payload,
        )
    )
    digest = hashlib.sha256(canonical.encode()).hexdigest()
    text = "\n".join((ALGORITHM, date, "/".join(scope), digest))
    key = f"AWS4{SECRET_KEY}".encode()
    for part in scope:
        key = hmac.new(key, part.encode(), hashlib.sha256).digest()
    return hmac.new(key, text.encode(), hashlib.sha256).hexdigest()


def _check_date(date: str, day: str, now: float) -> None:
    try:
        signed = datetime.strptime(date, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC).timestamp()
    except ValueError:
        raise _refused("IncompleteSignatureException", "'X-Amz-Date' is missing or malformed.") from None
    if not date.startswith(day):
        raise _refused("InvalidSignatureException", "Date in Credential scope does not match X-Amz-Date.")
    if abs(now - signed) > _SKEW:
        here = datetime.fromtimestamp(now, UTC).strftime("%Y%m%dT%H%M%SZ")
        raise _refused(
            "InvalidSignatureException", f"Signature expired or not yet current: {date}, now {here}"
        )


def _refused(exception: str, message: str) -> ApiError:
    return AwsError(403, message, exception=exception)
