"""What to do next after a failure: one sentence, from what the server said and what is known here.

Sources of what servers say: bedrock-facts.md sections 1.2, 1.5 and 4.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from tui.core.catalogue import API_NAMES, ENDPOINTS, Catalogue
from tui.core.errors import (
    ConnectError,
    InputError,
    OutcropError,
    ResponseError,
    SilenceError,
    StoreError,
    StreamError,
    TokenError,
    TokenMissing,
    TokenUnusable,
    WireError,
)
from tui.core.items import Target
from tui.core.text import visible_line
from tui.core.token import TokenKind

__all__ = ["MOST_SKEW", "Circumstances", "clock_step", "next_step"]

MOST_SKEW: Final = 300.0
"""Seconds by which clocks may differ: AWS refuses signatures that are further off."""

_DENIED: Final = re.compile(r"not authorized to perform:?\s*([\w-]+:\w+)")
_WRONG_API: Final = re.compile(r"does not support the '([^']+)' API")
_RETENTION: Final = re.compile(r"\bstore\b|retention", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Circumstances:
    """What is known here when a check fails.

    Attributes:
        target: Where it was sent.
        catalogue: Knows what is served where.
        token_kind: What the token in force says of itself.
        token_region: The only region where it works, if it says.
        proxy: The proxy's host, where one is in force; never its password.
        skew: By how many seconds the server's clock is ahead of this machine's; `None` when unknown.
        timeout: Seconds waited for an answer.
    """

    target: Target
    catalogue: Catalogue
    token_kind: TokenKind = "unknown"
    token_region: str | None = None
    proxy: str = ""
    skew: float | None = None
    timeout: float = 60.0


def next_step(error: OutcropError, here: Circumstances) -> str:
    """What to do next; empty where the error's own sentence says it already."""
    match error:
        case TokenMissing() | TokenUnusable() if here.token_kind == "aws profile":
            return ""  # its sentence says which command to run
        case TokenMissing():
            return (
                f"Make a Bedrock API key for {here.target.region} in the AWS console, and keep it with "
                "`outcrop token set` or give it in AWS_BEARER_TOKEN_BEDROCK."
            )
        case TokenUnusable():
            return _unusable(here)
        case ConnectError():
            return _unconnected(error, here)
        case WireError():
            return _answered(error, here)
        case InputError():
            return ""
        case StoreError():
            return "Look at the folder of the history (OUTCROP_DATA_DIR): is there room, may it be written?"
        case _:
            return "Run it again; if it stays, look at the request in the inspector."


def clock_step() -> str:
    """What to do about a clock that is far from the server's."""
    return (
        "Set this machine's clock (`timedatectl set-ntp true`, or the system's date settings): keys are "
        "signed with a date, and their expiry is reckoned with this clock."
    )


def _unusable(here: Circumstances) -> str:
    bound = here.token_region
    if bound is not None and bound != here.target.region:
        return f"Use --region {bound}, or make a key for {here.target.region}."
    return (
        f"Make a new key for {here.target.region} and keep it with `outcrop token set`; a short-term key "
        "lives 12 hours at most."
    )


# ---- no answer


def _unconnected(error: ConnectError, here: Circumstances) -> str:
    said, region = str(error), here.target.region
    if error.code == "proxy":
        return f"Look at HTTPS_PROXY{_named(here)}: is it up, and does it want a name and a password?"
    if "DNS" in said:
        if here.target.endpoint in ENDPOINTS and region not in here.catalogue.regions:
            return f"No region {region} is known with this endpoint: choose another with --region."
        return "Check the region's spelling, the network and, where you need one, HTTPS_PROXY or a VPN."
    if "TLS" in said:
        if here.skew is not None and abs(here.skew) > MOST_SKEW:
            return clock_step()
        return (
            "If a proxy opens TLS here, name its certificate in SSL_CERT_FILE; else check the base URL "
            "(http or https) and this machine's clock."
        )
    if here.proxy:
        return f"Look at HTTPS_PROXY{_named(here)}: it may be down, or not let this host through."
    return "Check the network and the base URL; where the way out is a proxy, set HTTPS_PROXY."


def _named(here: Circumstances) -> str:
    return f" ({visible_line(here.proxy)})" if here.proxy else ""


# ---- an answer


def _answered(error: WireError, here: Circumstances) -> str:
    status, said = error.status, str(error)
    if error.code == "proxy" or status == 407:
        return f"Give the proxy's name and password in HTTPS_PROXY{_named(here)}."
    if "supported on this route" in said:
        return _route(here)
    if denied := _DENIED.search(said):
        who = "of the AWS profile" if here.token_kind == "aws profile" else "that made the key"
        return f"Let an administrator allow the IAM action {denied[1]} for the identity {who}, on this model."
    if wrong := _WRONG_API.search(said):
        return _api(wrong[1], here)
    if status in (401, 403) or isinstance(error, TokenError):
        return _refused(said, here)
    if status == 404 or error.code == "not_found_error":
        return _unknown(said, here)
    if status is not None and 300 <= status < 400:
        return "Set the base URL to the address that it redirects to, or leave --base-url away."
    if status == 429:
        return (
            "Wait a minute, or ask AWS for a higher quota of tokens a minute; a smaller max_output_tokens "
            "counts less."
        )
    if status == 400 and _RETENTION.search(said):
        return "The account may keep no responses (retention mode none): use --stateless."
    if status is not None and status >= 500:
        return "Try again in a while; if it stays, look at the AWS Health page and give AWS the request id."
    if isinstance(error, SilenceError) or error.code == "timeout":
        limit = "BEDROCK_REQUEST_TIMEOUT_SECONDS sets the limit"
        return f"Try again, or wait longer than {here.timeout:g} s: {limit}."
    if isinstance(error, ResponseError) and error.code in ("server_error", "failed", "no_end"):
        return "Try again in a while; if it stays, give AWS the request id."
    if error.code == "incomplete":
        return "A lower effort leaves more of the tokens for the text; or try a smaller model."
    if isinstance(error, StreamError):
        return "Try again; if it stays, a proxy on the way may buffer or cut streams."
    return "Look at the request in the inspector: the answer names what it does not take."


def _refused(said: str, here: Circumstances) -> str:
    region = here.target.region
    if here.skew is not None and abs(here.skew) > MOST_SKEW:
        return clock_step()
    if "is not enabled" in said:
        return f"{_route(here)} Or the model is not enabled for this account in {region}."
    if here.token_kind == "aws profile":
        return (
            "Renew the session of the AWS profile (`aws sso login`, or whatever gives its keys), and see "
            "with `aws sts get-caller-identity` that AWS takes them; IAM must allow the model's action in "
            f"{region}."
        )
    if here.token_kind == "short-term" and here.token_region == region:
        action = "bedrock" if here.target.endpoint == "runtime" else "bedrock-mantle"
        return (
            f"The key is of {region} and not past its date: the session that made it may have ended, or IAM "
            f"does not allow {action}:CallWithBearerToken. Make a new one."
        )
    return (
        f"Check that the key is whole, not past its date, and made for {region}: a key of another region is "
        "refused just so."
    )


def _unknown(said: str, here: Circumstances) -> str:
    target = here.target
    if "model" not in said.lower():
        return (
            f"The path is wrong: {visible_line(target.base_url)} is no base URL of this service. Leave "
            "--base-url and BEDROCK_BASE_URL away, or mend it."
        )
    pairing = here.catalogue.pairing(target.model, target.region, target.endpoint, api=target.api)
    if pairing.nearest is not None and not pairing.possible:
        model, region = pairing.nearest
        where = pairing.nearest_endpoint or target.endpoint
        return f"{pairing.reason} Use --model {model} --region {region} --endpoint {where}."
    known = here.catalogue.model(target.model)
    place = None if known is None else known.place(target.endpoint, target.api) or known.places[0]
    if place is not None:
        where = f"on {place.endpoint} in {', '.join(place.regions)}"
        return (
            f"{target.model} is known {where}: choose one of them with --region, and see that the account "
            "has access to it there."
        )
    return f"See with `outcrop models --region {target.region}` what there is, and choose with --model."


def _route(here: Circumstances) -> str:
    target = here.target
    route = here.catalogue.route(target.model, target.endpoint)
    return (
        f"The route is wrong: {visible_line(target.model)} is served on {route} of {target.endpoint}. Leave "
        f"--base-url and BEDROCK_BASE_URL away, or let it end in {route}."
    )


def _api(path: str, here: Circumstances) -> str:
    known = here.catalogue.model(here.target.model)
    place = None if known is None else known.place(here.target.endpoint)
    apis = () if place is None else place.apis
    served = " or ".join(f"--api {name}" for name in apis if name != here.target.api and name in API_NAMES)
    return f"Choose {served}." if served else "Choose another API with --api, or another model with --model."
