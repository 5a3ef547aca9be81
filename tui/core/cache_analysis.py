"""Why the prompt cache was hit or missed: a request's context beside that of the one before it.

The cache is asked for the longest prefix that it has seen, within one model, place and cache key. What it
really does is the server's: a zero is never an error, and where nothing here explains it, that is said.
Source: bedrock-facts.md 2 ("Prompt caching") and 8.7.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal, cast
from urllib.parse import urlsplit

from tui.core.answer import usage_of
from tui.core.catalogue import Model
from tui.core.conversation import Conversation
from tui.core.effective_context import Context, Contexts, Piece, is_create, request_object
from tui.core.exchange import Exchange
from tui.core.items import Usage
from tui.core.json_diff import json_changes, value_words
from tui.core.json_places import byte_ranges

__all__ = ["CacheReport", "CacheRules", "Cause", "CauseKind", "Prefix", "cache_report", "previous_create"]

CauseKind = Literal[
    "first", "model", "region", "endpoint", "key", "retention", "expired", "format", "tools", "instructions",
    "item", "minimum", "unknown",
]  # fmt: skip

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
    """

    minimum: int = 1024
    lifetime: float | None = None

    @classmethod
    def of(cls, model: Model | None) -> CacheRules:
        """The rules of a model of the catalogue; general ones for `None`."""
        if model is None:
            return cls()
        asked = model.cache_ttls[0] if model.cache == "prompt_cache_options" and model.cache_ttls else ""
        return cls(model.cacheable_from or cls().minimum, _SECONDS.get(asked or model.cache))


@dataclass(frozen=True, slots=True)
class Cause:
    """A reason why the cache could not serve all of the prompt, in words."""

    kind: CauseKind
    words: str


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
    if not is_create(exchange) or request_object(exchange) is None:
        return None
    rules = rules or CacheRules()
    usage = _usage(exchange, exchanges) or Usage()
    contexts = Contexts([*exchanges, exchange], conversation)
    context = contexts.of(exchange)
    previous = previous_create(exchange, exchanges)
    if previous is None:
        causes = [Cause("first", "this is the first request of the conversation")]
        causes += _too_short(usage.input_tokens, context, rules)
        prefix = Prefix()
    else:
        before = contexts.of(previous)
        shared = _shared(before, context)
        prefix = _prefix(exchange, context, before, shared, _usage(previous, exchanges))
        causes = [*_scope(previous, exchange), *_expired(previous, exchange, rules)]
        causes += _difference(before, context, shared)
        if prefix.pieces and prefix.tokens < rules.minimum:
            causes.append(_below(prefix, rules))
    if usage.cached_tokens:
        # It was served: only where the context parts limits how much of it.
        causes = [cause for cause in causes if cause.kind in _LIMITING]
    return CacheReport(
        verdict=_verdict(usage, causes, prefix),
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


def _scope(previous: Exchange, exchange: Exchange) -> list[Cause]:
    before, now = request_object(previous) or {}, request_object(exchange) or {}
    causes: list[Cause] = []
    if before.get("model") != now.get("model"):
        causes.append(_changed("model", "model", before.get("model"), now.get("model")))
    old, new = _region(previous.url), _region(exchange.url)
    if old != new:
        causes.append(_changed("region", "region", old, new))
    elif (base := _base(previous.url)) != _base(exchange.url):
        causes.append(_changed("endpoint", "endpoint", base, _base(exchange.url)))
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


def _base(url: str) -> str:
    return url.partition("?")[0].removesuffix("/responses")


def _expired(previous: Exchange, exchange: Exchange, rules: CacheRules) -> list[Cause]:
    lifetime = _lifetime(request_object(previous) or {}) or rules.lifetime
    idle = exchange.started_at - previous.started_at
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


# -- where the contexts part ----------------------------------------------------------------------------


def _shared(before: Context, now: Context) -> int:
    """How many pieces both begin with."""
    if before.missing != now.missing:
        # What the server remembers of one is not known: nothing after the settings can be compared.
        known = min(_settings(before), _settings(now))
        before, now = Context(before.pieces[:known]), Context(now.pieces[:known])
    count = 0
    for old, new in zip(before.pieces, now.pieces, strict=False):
        if (old.kind, old.text) != (new.kind, new.text):
            break
        count += 1
    return count


def _settings(context: Context) -> int:
    return sum(piece.kind != "item" for piece in context.pieces)


def _difference(before: Context, now: Context, shared: int) -> list[Cause]:
    """The place where the context stops being equal; none where it only goes on, or ends earlier."""
    old, new = before.pieces[shared:], now.pieces[shared:]
    kinds = {piece.kind for piece in (*old[:1], *new[:1])}
    # Settings stand before the items, so one that came or went shows as an item on the other side.
    if kinds - {"item"} or (_settings(before) != _settings(now)):
        return _settings_changed(before, now)
    if before.missing != now.missing:
        missing = now.missing or before.missing
        words = f"what the server remembers before {missing} is not recorded here, so it cannot be compared"
        return [Cause("unknown", words)]
    return [_item_changed(old, new)] if old and new else []


def _settings_changed(before: Context, now: Context) -> list[Cause]:
    return [
        *_one_changed("format", "text format", before, now),
        *_tools_changed(before, now),
        *_one_changed("instructions", "instructions", before, now),
    ][:1]


def _one_changed(
    kind: Literal["format", "instructions"], name: str, before: Context, now: Context
) -> list[Cause]:
    old = next((piece for piece in before.pieces if piece.kind == kind), None)
    new = next((piece for piece in now.pieces if piece.kind == kind), None)
    if (old is None and new is None) or (old and new and old.text == new.text):
        return []
    if old is None or new is None:
        return [Cause(kind, f"{name} {'removed' if new is None else 'added'}")]
    return [Cause(kind, f"{name} changed: {_detail(old, new)}")]


def _tools_changed(before: Context, now: Context) -> list[Cause]:
    old = [piece for piece in before.pieces if piece.kind == "tool"]
    new = [piece for piece in now.pieces if piece.kind == "tool"]
    old_texts, new_texts = [piece.text for piece in old], [piece.text for piece in new]
    if old_texts == new_texts:
        return []
    if sorted(old_texts) == sorted(new_texts):
        names = [", ".join(piece.name.removeprefix("tool ") for piece in tools) for tools in (old, new)]
        return [Cause("tools", f"tool list reordered: {names[0]} before, {names[1]} now")]
    gone = [piece for piece in old if piece.name not in {other.name for other in new}]
    come = [piece for piece in new if piece.name not in {other.name for other in old}]
    words = [f"{piece.name} removed" for piece in gone] + [f"{piece.name} added" for piece in come]
    by_name = {piece.name: piece for piece in old}
    for piece in new:
        earlier = by_name.get(piece.name)
        if earlier is not None and earlier.text != piece.text:
            words.append(f"{piece.name} changed: {_detail(earlier, piece)}")
    return [Cause("tools", "; ".join(words) or "tool list changed")]


def _item_changed(old: Sequence[Piece], new: Sequence[Piece]) -> Cause:
    first, now = old[0], new[0]
    later_new = {piece.text for piece in new[1:]}
    later_old = {piece.text for piece in old[1:]}
    if first.text in later_new and now.text not in later_old:
        return Cause("item", f"{now.name} is new: it stands before what was item {first.number}")
    if now.text in later_old and first.text not in later_new:
        return Cause("item", f"{first.name} of the previous request is missing")
    if _kind_of(first) != _kind_of(now):
        was = first.name.partition("(")[2].removesuffix(")")
        return Cause("item", f"{now.name} differs: it was {'an' if was[:1] in 'aeiou' else 'a'} {was}")
    return Cause("item", f"{now.name} differs: {_detail(first, now)}")


def _kind_of(piece: Piece) -> str:
    return piece.name.partition("(")[2]


def _detail(old: Piece, new: Piece) -> str:
    changes = json_changes(old.value, new.value)
    if not changes:
        return "the same members in another order"
    words = changes[0].words().removeprefix("$: ").removeprefix("$.")
    more = f" (and {len(changes) - 1} more)" if len(changes) > 1 else ""
    return words + more


# -- how much that is -----------------------------------------------------------------------------------


def _prefix(
    exchange: Exchange, context: Context, before: Context, shared: int, usage: Usage | None
) -> Prefix:
    pieces = context.pieces[:shared]
    text = exchange.request_body.decode("utf-8", "replace")
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
        size=sum(len(piece.text.encode("utf-8", "replace")) for piece in pieces),
        tokens=_estimate(pieces) if tokens is None else tokens,
        counted=tokens is not None,
        ranges=tuple(byte_ranges(text, places)),
    )


def _estimate(pieces: Sequence[Piece]) -> int:
    return sum(len(piece.text) for piece in pieces) // _CHARACTERS_A_TOKEN


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


def _verdict(usage: Usage, causes: Sequence[Cause], prefix: Prefix) -> str:
    why = "; ".join(cause.words for cause in causes)
    written = f" {usage.cache_write_tokens:,} were written to it." if usage.cache_write_tokens else ""
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
