"""The checks of a bearer token (bedrock-facts.md section 1.2), and of a signature where there is one.

The token is compared and decoded here and goes no further: not into a log, a file or an error.
"""

from __future__ import annotations

import base64
import binascii
import re
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qs, urlsplit

from . import sigv4
from .errors import bad_token
from .place import Place

SANDBOX_TOKEN = "sandbox"
_PREFIX = "bedrock-api-key-"
_CREDENTIAL = re.compile(r"[^/]+/\d{8}/(?P<region>[a-z0-9-]+)/bedrock/aws4_request")
_LONGEST = 12 * 3600  # section 1.2: a short-term key lives at most 12 hours. VERIFIED (aws-keys)


def check(request: sigv4.Signed, place: Place, now: float) -> None:
    """Let a request with a good bearer token or a good signature pass.

    Raises:
        ApiError: 401 on mantle, 403 elsewhere.
    """
    authorization = request.headers.get("authorization")
    if authorization is not None and authorization.startswith(sigv4.ALGORITHM):
        sigv4.check(request, place, now)
    else:
        check_bearer(authorization, place, now)


def check_bearer(authorization: str | None, place: Place, now: float) -> None:
    """Let `Bearer sandbox` and a living short-term key of `region` pass.

    Args:
        authorization: the header's value, or None where it is absent.
        place: the endpoint and region that are asked.
        now: seconds since the epoch.

    Raises:
        ApiError: for everything else: 401 on mantle, 403 on runtime (section 4).
    """
    scheme, _, token = (authorization or "").partition(" ")
    token = token.strip()
    if scheme.lower() != "bearer" or not token:
        raise bad_token(runtime=place.is_runtime)
    if token != SANDBOX_TOKEN and not _short_term_key_is_good(token, place.region, now):
        raise bad_token(runtime=place.is_runtime)


def _short_term_key_is_good(token: str, region: str, now: float) -> bool:
    """Whether a short-term key names this region and has not run out.

    Section 1.2, VERIFIED (stdapi's source): `bedrock-api-key-` and the base64 of a presigned URL without
    scheme. The signature cannot be checked offline.
    """
    if not token.startswith(_PREFIX):
        return False
    encoded = token.removeprefix(_PREFIX)
    try:
        padded = encoded + "=" * (-len(encoded) % 4)
        url = urlsplit("https://" + base64.b64decode(padded, altchars=b"-_", validate=True).decode("ascii"))
        query = parse_qs(url.query, strict_parsing=True)
        credential = _CREDENTIAL.fullmatch(query["X-Amz-Credential"][0])
        signed = datetime.strptime(query["X-Amz-Date"][0], "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
        seconds = int(query["X-Amz-Expires"][0])
    except (binascii.Error, UnicodeDecodeError, ValueError, KeyError):
        return False
    if query.get("Action") != ["CallWithBearerToken"] or credential is None or credential["region"] != region:
        return False
    return 0 < seconds <= _LONGEST and now < (signed + timedelta(seconds=seconds)).timestamp()
