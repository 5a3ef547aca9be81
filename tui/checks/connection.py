"""Free checks, from the settings outwards: configuration, token, DNS, TLS, endpoint, clock, models."""

from __future__ import annotations

import platform
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from tui.checks.definition import CheckFailed, CheckSkipped, Found
from tui.core.catalogue import API_NAMES
from tui.core.checks.advice import MOST_SKEW, clock_step
from tui.core.discovery import RouteAnswer, list_urls, listed_ids, merged
from tui.core.errors import HttpStatusError, TokenError
from tui.core.figures import seconds
from tui.core.text import visible_line
from tui.core.token import duration

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tui.checks.context import CheckContext

__all__ = ["about", "clock", "configuration", "dns", "endpoint", "models", "tls", "token"]

_SOON: Final = 900.0
_OF_NOTE: Final = ("model", "region", "endpoint", "base_url")


def about(context: CheckContext) -> Mapping[str, object]:
    """The configuration in force, by name, each with its source; never the token."""
    from tui import __version__
    from tui.wire.probe import proxy_host

    settings, target = context.reach.settings, context.target
    sources = settings.sources
    values: dict[str, object] = {
        "version": __version__,
        "python": platform.python_version(),
        "model": target.model,
        "region": target.region,
        "endpoint": target.endpoint,
        "api": target.api,
        "base_url": target.base_url,
        "sandbox": target.sandbox,
        "continuation": settings.continuation,
        "request_timeout_seconds": settings.request_timeout,
        "max_retries": settings.max_retries,
        "proxy": proxy_host(target.base_url) or None,
    }
    return values | {f"{name}_from": sources.get(name, "default") for name in _OF_NOTE}


async def configuration(context: CheckContext) -> Found:
    """What is in force, and where it came from."""
    target, facts = context.target, about(context)
    pairing = context.reach.catalogue.pairing(target.model, target.region, target.endpoint, api=target.api)
    where = f"{target.model} in {target.region} on {target.endpoint} by {API_NAMES[target.api]}"
    said = [f"{where}: {target.base_url}."]
    given = [f"{name} from {facts[f'{name}_from']}" for name in _OF_NOTE[:3]]
    said.append(f"{'; '.join(given)}.")
    if pairing.reason:
        said.append(f"The catalogue says: {pairing.reason}")
    return Found(visible_line(" ".join(said)), {**facts, "catalogue": pairing.reason or None})


async def token(context: CheckContext) -> Found:
    """Its form, region and expiry, told offline."""
    reach, target = context.reach, context.target
    await reach.check_token(target)
    status = reach.credentials.status(reach.settings.token_place(target))
    said = [status.sentence]
    if status.kind == "unknown":
        said.append("Its form is none that AWS documents; it is sent all the same.")
    until = status.expires_at
    facts: dict[str, object] = {"source": status.source, "kind": status.kind, "region": status.region}
    facts["expires_at"] = None if until is None else datetime.fromtimestamp(until, UTC).isoformat()
    if until is not None and until - context.now() < _SOON:
        said.append(f"It ends in {duration(until - context.now())}: make a new one soon.")
    return Found(" ".join(said), facts)


async def dns(context: CheckContext) -> Found:
    """The host has addresses."""
    from tui.wire.probe import addresses, proxy_host

    host, found = await addresses(context.target.base_url)
    if found == (host,):
        return Found(f"{host} is an address itself.", {"host": host, "addresses": [host]})
    via = "the proxy " if proxy_host(context.target.base_url) else ""
    shown = ", ".join(found[:2]) + (f" and {len(found) - 2} more" if len(found) > 2 else "")
    return Found(f"{via}{host}: {shown}.", {"host": host, "addresses": list(found)})


async def tls(context: CheckContext) -> Found:
    """The certificate is trusted, and TLS agreed on."""
    from tui.wire.probe import handshake, proxy_host

    url = context.target.base_url
    if urlsplit(url).scheme == "http":
        raise CheckSkipped("http:// on this machine needs no TLS.")
    agreed = await handshake(url)
    if agreed is None:
        raise CheckSkipped(f"Behind the proxy {proxy_host(url)} nobody looked: it is no HTTP proxy.")
    facts: dict[str, object] = {"version": agreed.version, "cipher": agreed.cipher, "issuer": agreed.issuer}
    said = f"{agreed.version} with {urlsplit(url).hostname}"
    if agreed.issuer:
        said += f", certificate by {agreed.issuer}"
    if agreed.expires_at is not None:
        facts["certificate_expires_at"] = datetime.fromtimestamp(agreed.expires_at, UTC).isoformat()
        said += f", good for {duration(agreed.expires_at - context.now())}"
    return Found(f"{said}.", facts)


async def endpoint(context: CheckContext) -> Found:
    """Something answers there, whatever it says."""
    listed, failure, exchange = await context.list_of(context.target.base_url)
    host, status = urlsplit(context.target.base_url).netloc, exchange.status or 0
    if failure is not None and (status >= 500 or 300 <= status < 400):
        raise failure
    took = seconds(exchange.timings.headers)
    nothing = " (it lists no models, which is no fault)" if status == 404 and listed is None else ""
    return Found(f"{host} answers with {status}{nothing} after {took}.", {"status": status})


async def clock(context: CheckContext) -> Found:
    """This machine's clock is the server's."""
    if context.skew() is None:
        await context.list_of(context.target.base_url)
    skew = context.skew()
    if skew is None:
        raise CheckSkipped("The server's answers have no date.")
    facts = {"skew_seconds": round(skew, 3)}
    behind = "behind" if skew > 0 else "ahead of"
    if abs(skew) > MOST_SKEW:
        said = f"This machine's clock is {duration(abs(skew))} {behind} the server's."
        raise CheckFailed(said, clock_step(), facts)
    # A date has whole seconds.
    apart = "agree" if abs(skew) < 2 else f"are {duration(abs(skew))} apart"
    return Found(f"The two clocks {apart}.", facts)


async def models(context: CheckContext) -> Found:
    """What the endpoint lists, or that it lists nothing."""
    answers: list[RouteAnswer] = []
    for path, base_url in list_urls(context.target):
        listed, failure, _ = await context.list_of(base_url)
        if isinstance(failure, TokenError):
            raise failure
        if failure is None:
            answers.append(RouteAnswer(path, listed_ids(listed or {})))
        elif isinstance(failure, HttpStatusError) and (failure.status or 0) < 500:
            answers.append(RouteAnswer(path, status=failure.status, failure=str(failure)))
        else:
            raise failure
    found = merged(answers)
    said = " ".join(found.said)
    if found.models and context.target.model not in found.models:
        said += f" {visible_line(context.target.model)} is not among them, which need not mean anything."
    return Found(said, {"models": list(found.models), "lists": list(found.said)})
