"""Why the prompt cache was hit or missed: a request's context beside that of the one before it.

The cache is asked for the longest prefix that it has seen, within one model, place and cache key. What it
really does is the server's: a zero is never an error, and where nothing here explains it, that is said.
Source: bedrock-facts.md 2 ("Prompt caching") and 8.7.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final, cast
from urllib.parse import urlsplit

from tui.core.answer import usage_of
from tui.core.api_rules import API_NAMES
from tui.core.apis.asked import asked_of
from tui.core.apis.recorded import api_of, model_of
from tui.core.catalogue import Model
from tui.core.context_diff import Cause, CauseKind, difference, shared_pieces
from tui.core.conversation import Conversation
from tui.core.data_url import length_of, size_of
from tui.core.effective_context import Context, Contexts, Piece, is_create
from tui.core.exchange import Exchange
from tui.core.items import Usage
from tui.core.json_diff import value_words

__all__ = ["CacheReport", "CacheRules", "Cause", "CauseKind", "Prefix", "cache_report", "previous_create"]

_LIMITING: Final = frozenset({"format", "tools", "instructions", "item", "unknown"})
_REGION: Final = re.compile(r"\b[a-z]{2}(?:-gov)?-[a-z]+-\d\b")
_CHARACTERS_A_TOKEN: Final = 4
_SECONDS: Final = {"in_memory": 600.0, "30m": 1800.0, "1h": 3600.0, "24h": 86_400.0}
"""`in_memory` is 5 to 10 minutes without use, up to an hour: the longest that can be counted on."""


@dataclass(frozen=True, slots=True)
class CacheRules:
    """What is known of a model's cache.

    Attributes:
        minimum: Input tokens from which on a prompt is cached.
        lifetime: Seconds without use that it outlives when the request does not say; `None` when unknown.
        known: Whether anything is known of it; nothing is of the open-weight models'.
    """

    minimum: int = 1024
    lifetime: float | None = None
    known: bool = True

    @classmethod
    def of(cls, model: Model | None) -> CacheRules:
        """The rules of a model of the catalogue; general ones for `None`."""
        if model is None:
            return cls()
        asked = model.cache_ttls[0] if model.cache == "prompt_cache_options" and model.cache_ttls else ""
        known = bool(model.cache or model.cacheable_from)
        return cls(model.cacheable_from or cls().minimum, _SECONDS.get(asked or model.cache), known)


@dataclass(frozen=True, slots=True)
class Prefix:
    """What both contexts begin with: the most that the cache could have served.

    Attributes:
        pieces: How many parts of the context it holds.
        items: How many of these are items.
        remembered: How many of these items the server had and the body does not carry.
        whole: Whether it is everything that the previous request gave the model.
        size: Bytes of those parts as compact JSON.
        tokens: The server's own count where the prefix is all of the previous prompt, else an estimate.
        counted: Whether `tokens` is the server's.
        ranges: Where those parts stand in the request's body: start and end in bytes, in order.
    """

    pieces: int = 0
    items: int = 0
    remembered: int = 0
    whole: bool = False
    size: int = 0
    tokens: int = 0
    counted: bool = False
    ranges: tuple[tuple[int, int], ...] = ()


@dataclass(frozen=True, slots=True)
class CacheReport:
    """The answer to "why did the cache miss".

    Attributes:
        verdict: What came of it, in a sentence or two.
        causes: What explains a miss, the place where the context stops being equal among them; empty when
            nothing does.
        previous: The id of the exchange it is compared with; empty for a first request.
        prefix: What could have been cached.
        input_tokens: As the server counted them; `None` is "it did not say", here and below.
        cached_tokens: Of these, read from the cache.
        written_tokens: Of these, written to the cache (some models bill that).
    """

    verdict: str
    causes: tuple[Cause, ...]
    previous: str
    prefix: Prefix
    input_tokens: int | None
    cached_tokens: int | None
    written_tokens: int | None


def cache_report(
    exchange: Exchange,
    exchanges: Sequence[Exchange],
    conversation: Conversation | None = None,
    rules: CacheRules | None = None,
) -> CacheReport | None:
    """Explain what the cache did for a request; reads whole bodies, so call it off the event loop.

    Args:
        exchange: A request for a response; for any other, and one without a JSON body, there is no report.
        exchanges: Those of its conversation.
        conversation: Stands in for exchanges that are no longer kept.
        rules: Of its model; general ones by default.
    """
    contexts = Contexts([*exchanges, exchange], conversation)
    body = contexts.body(exchange) if is_create(exchange) else None
    if body is None:
        return None
    rules = rules or CacheRules()
    usage = _usage(exchange, exchanges) or Usage()
    context = contexts.of(exchange)
    previous = previous_create(exchange, exchanges)
    if previous is None:
        causes = [Cause("first", "this is the first request of the conversation")]
        causes += _too_short(usage.input_tokens, context, rules)
        prefix = Prefix()
    else:
        before = contexts.of(previous)
        shared = shared_pieces(before, context)
        prefix = _prefix(exchange, context, before, shared, _usage(previous, exchanges))
        earlier = contexts.body(previous) or {}
        causes = [*_same_place(previous, exchange, earlier, body), *_cache_settings(earlier, body)]
        causes += _expired(exchange.started_at - previous.started_at, _lifetime(earlier) or rules.lifetime)
        causes += difference(before, context, shared)
        if prefix.pieces and prefix.tokens < rules.minimum:
            causes.append(_below(prefix, rules))
    if not rules.known:
        causes = [cause for cause in causes if cause.kind != "minimum"]
    if usage.cached_tokens:
        # It was served: only where the context parts limits how much of it.
        causes = [cause for cause in causes if cause.kind in _LIMITING]
    return CacheReport(
        verdict=_verdict(usage, causes, rules),
        causes=tuple(causes),
        previous="" if previous is None else previous.id,
        prefix=prefix,
        input_tokens=usage.input_tokens,
        cached_tokens=usage.cached_tokens,
        written_tokens=usage.cache_write_tokens,
    )


def previous_create(exchange: Exchange, exchanges: Sequence[Exchange]) -> Exchange | None:
    """The last request for a response before this one that the server took; a refused one fills no cache."""
    earlier = [
        other
        for other in exchanges
        if other.id != exchange.id
        and is_create(other)
        and other.status is not None
        and 200 <= other.status < 300
        and (other.started_at, other.number) < (exchange.started_at, exchange.number)
    ]
    return max(earlier, key=lambda other: (other.started_at, other.number), default=None)


def _usage(exchange: Exchange, exchanges: Sequence[Exchange]) -> Usage | None:
    """The request's usage; a background response tells it only when it is asked for again."""
    usage = usage_of(exchange)
    if usage is not None or not exchange.turn_id:
        return usage
    same_turn = [other for other in exchanges if other.turn_id == exchange.turn_id and other.method == "GET"]
    return next((found for other in reversed(same_turn) if (found := usage_of(other)) is not None), None)


# -- what must be the same for the cache to be the same -------------------------------------------------


def _same_place(old: Exchange, new: Exchange, before: dict[str, Any], now: dict[str, Any]) -> list[Cause]:
    causes: list[Cause] = []
    if (one := model_of(old, before)) != (other := model_of(new, now)):
        causes.append(_changed("model", "model", one, other))
    if (one := api_of(old)) != (other := api_of(new)):
        names = (API_NAMES.get(api or "", "") for api in (one, other))
        causes.append(_changed("endpoint", "API", *names))
    elif _region(old.url) != _region(new.url):
        causes.append(_changed("region", "region", _region(old.url), _region(new.url)))
    elif _base(old) != _base(new):
        causes.append(_changed("endpoint", "endpoint", _base(old), _base(new)))
    return causes


def _cache_settings(before: dict[str, Any], now: dict[str, Any]) -> list[Cause]:
    causes: list[Cause] = []
    if before.get("prompt_cache_key") != now.get("prompt_cache_key"):
        causes.append(
            _changed("key", "cache key", before.get("prompt_cache_key"), now.get("prompt_cache_key"))
        )
    for name in ("prompt_cache_retention", "prompt_cache_options"):
        if before.get(name) != now.get(name):
            causes.append(_changed("retention", f"cache retention ({name})", before.get(name), now.get(name)))
    return causes


def _changed(kind: CauseKind, name: str, old: object, new: object) -> Cause:
    def said(value: object) -> str:
        return (
            "none"
            if value is None or value == ""
            else value
            if isinstance(value, str)
            else value_words(value)
        )

    return Cause(kind, f"{name} changed: {said(old)} before, {said(new)} now")


def _region(url: str) -> str:
    parts = urlsplit(url)
    found = _REGION.search(parts.netloc) or _REGION.search(parts.path)
    return found[0] if found else ""


def _base(exchange: Exchange) -> str:
    asked = asked_of(exchange)
    return exchange.url.partition("?")[0] if asked is None else asked.base_url


def _expired(idle: float, lifetime: float | None) -> list[Cause]:
    if lifetime is None or idle <= lifetime:
        return []
    words = (
        f"expired: {_minutes(idle)} after the previous request, and the cache keeps for {_minutes(lifetime)}"
    )
    return [Cause("expired", words)]


def _lifetime(body: dict[str, Any]) -> float | None:
    options: object = body.get("prompt_cache_options")
    ttl = cast("dict[str, Any]", options).get("ttl") if isinstance(options, dict) else None
    for asked in (ttl, body.get("prompt_cache_retention")):
        if isinstance(asked, str) and asked in _SECONDS:
            return _SECONDS[asked]
    return None


def _minutes(seconds: float) -> str:
    minutes = seconds / 60
    if minutes < 120:
        return f"{minutes:.0f} minutes"
    return f"{minutes / 60:.0f} hours"


# -- how much that is -----------------------------------------------------------------------------------


def _prefix(
    exchange: Exchange, context: Context, before: Context, shared: int, usage: Usage | None
) -> Prefix:
    pieces = context.pieces[:shared]
    places = sorted(
        (piece.place for piece in pieces if piece.place is not None), key=lambda place: place.start
    )
    whole = shared == len(before.pieces) and not before.missing
    tokens = usage.input_tokens if whole and usage is not None else None
    items = [piece for piece in pieces if piece.kind == "item"]
    return Prefix(
        pieces=shared,
        items=len(items),
        remembered=sum(piece.place is None for piece in items),
        whole=whole,
        size=sum(size_of(piece.text) for piece in pieces),
        tokens=_estimate(pieces) if tokens is None else tokens,
        counted=tokens is not None,
        ranges=tuple(exchange.sent.outline.ranges(places)),
    )


def _estimate(pieces: Sequence[Piece]) -> int:
    return sum(length_of(piece.text) for piece in pieces) // _CHARACTERS_A_TOKEN


def _below(prefix: Prefix, rules: CacheRules) -> Cause:
    about = "" if prefix.counted else "about "
    return Cause(
        "minimum",
        f"below the minimum: what both begin with is {about}{prefix.tokens:,} tokens, "
        f"and nothing under {rules.minimum:,} is cached",
    )


def _too_short(tokens: int | None, context: Context, rules: CacheRules) -> list[Cause]:
    about = "" if tokens is not None else "about "
    count = _estimate(context.pieces) if tokens is None else tokens
    if count >= rules.minimum:
        return []
    words = f"below the minimum: it is {about}{count:,} tokens, and nothing under {rules.minimum:,} is cached"
    return [Cause("minimum", words)]


def _verdict(usage: Usage, causes: Sequence[Cause], rules: CacheRules) -> str:
    why = "; ".join(cause.words for cause in causes)
    written = f" {usage.cache_write_tokens:,} were written to it." if usage.cache_write_tokens else ""
    if usage.cached_tokens is None and not rules.known:
        return "The server did not say what it cached, and nothing is known of a prompt cache of this model."
    if usage.cached_tokens is None:
        said = "The server did not say what it cached."
        return f"{said} {_sentence(why)}" if why else f"{said} The prefix is the same as before."
    if usage.cached_tokens == 0:
        if not why:
            return f"The prefix is the same; the server reported 0.{written}"
        return f"Nothing came from the cache: {why}.{written}"
    of = "" if usage.input_tokens is None else f" of {usage.input_tokens:,} input tokens"
    said = f"{usage.cached_tokens:,}{of} came from the cache.{written}"
    if not why:
        return f"{said} The prefix is the same as before."
    return f"{said} {_sentence(why)}"


def _sentence(words: str) -> str:
    return f"{words[:1].upper()}{words[1:]}."
