"""Input tokens of a request, and how many of them the prompt cache had."""

from __future__ import annotations

from . import context, errors, tokens
from .cache import SMALLEST
from .place import Place
from .request import CreateRequest
from .service import Service
from .shapes import object_at


def count(
    service: Service, place: Place, asked: CreateRequest, seen: context.Context, now: float
) -> tuple[int, int, int]:
    """Input tokens, how many of them were cached, and how many were written to the cache.

    Raises:
        ApiError: 400 where the prompt is longer than the model takes (section 4 "Context overflow").
    """
    if asked.model.benchmark is not None:
        # A benchmark measures the client: nothing is counted while it waits.
        return tokens.OVERHEAD + context.rough(seen), 0, 0
    pieces = context.pieces(seen)
    total = tokens.OVERHEAD + len(pieces)
    if total > asked.model.context:
        raise errors.overflow(total, asked.model.context, asked.model.id)
    raw = asked.raw
    retention = raw.get("prompt_cache_retention") or object_at(raw, "prompt_cache_options").get("ttl")
    default = "30m" if asked.model.takes_cache_options else asked.model.retentions[0]
    # Section 1.5 and 1.1: regions and endpoints share nothing.
    scope = f"{place}/{asked.model.id}/{raw.get('prompt_cache_key') or ''}"
    keep = context.kept(seen, object_at(raw, "prompt_cache_options"))
    cached = service.cache.look_up(pieces, scope, retention or default, now, keep)
    kept = total if keep is None else tokens.OVERHEAD + keep if keep else 0
    return total, cached, max(0, kept - cached) if kept >= SMALLEST else 0
