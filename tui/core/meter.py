"""The meter's arithmetic: what the tokens of a turn and of a conversation were.

Buckets are inclusive: cached and written tokens are inside the input, reasoning tokens inside the output,
so a split only ever subtracts. A figure that needs a count the server did not give is unknown (`None`),
never 0; where the rest has an upper bound, it is kept as one.
Source: bedrock-facts.md section 7.
"""

from __future__ import annotations

from dataclasses import dataclass

from tui.core.items import Usage

__all__ = [
    "Bucket",
    "Split",
    "TurnTiming",
    "cached_share",
    "context_share",
    "split",
]


@dataclass(frozen=True, slots=True)
class Bucket:
    """A count of tokens, or what is known of it.

    Attributes:
        tokens: The count; `None` when it is unknown.
        at_most: When the count is unknown, what it cannot exceed; `None` when that is unknown too.
    """

    tokens: int | None = None
    at_most: int | None = None


@dataclass(frozen=True, slots=True)
class Split:
    """Where the tokens of a turn, or of a conversation, went; the five add up to input plus output."""

    cached: Bucket
    written: Bucket
    uncached: Bucket
    reasoning: Bucket
    visible: Bucket


def split(usage: Usage | None) -> Split:
    """Take the inclusive buckets apart.

    A remainder that would be negative (the counts contradict each other) is unknown.
    """
    if usage is None:
        return Split(Bucket(), Bucket(), Bucket(), Bucket(), Bucket())
    return Split(
        cached=Bucket(usage.cached_tokens),
        written=Bucket(usage.cache_write_tokens),
        uncached=_rest(usage.input_tokens, usage.cached_tokens, usage.cache_write_tokens),
        reasoning=Bucket(usage.reasoning_tokens),
        visible=_rest(usage.output_tokens, usage.reasoning_tokens),
    )


def _rest(whole: int | None, *parts: int | None) -> Bucket:
    if whole is None:
        return Bucket()
    rest = whole - sum(part for part in parts if part is not None)
    if rest < 0:
        return Bucket()
    return Bucket(rest) if None not in parts else Bucket(None, at_most=rest)


def cached_share(usage: Usage | None) -> float | None:
    """The part of the input that came from the cache, 0 to 1; `None` when it cannot be told."""
    if usage is None or usage.cached_tokens is None or not usage.input_tokens:
        return None
    return min(1.0, usage.cached_tokens / usage.input_tokens)


def context_share(last: Usage | None, window: int | None) -> float | None:
    """How full the context window was at the end of the last turn, 0 to 1 and above.

    Args:
        last: The last turn's usage; its input is the whole context before it, its output comes on top.
        window: Tokens the model takes; `None` when it is not known.
    """
    if last is None or not window or last.input_tokens is None or last.output_tokens is None:
        return None
    return (last.input_tokens + last.output_tokens) / window


@dataclass(frozen=True, slots=True)
class TurnTiming:
    """How fast the last turn was.

    Attributes:
        first_token: Seconds from sending to the first text; `None` when there was none.
        tokens_per_second: Output tokens per second from the first byte to the end.
    """

    first_token: float | None = None
    tokens_per_second: float | None = None
