"""The meter's arithmetic: what the tokens of a turn and of a conversation were.

Buckets are inclusive: cached and written tokens are inside the input, reasoning tokens inside the output,
so a split only ever subtracts. A figure that needs a count the server did not give is unknown (`None`),
never 0; where the rest has an upper bound, it is kept as one.
Source: bedrock-facts.md section 7.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from copy import copy
from dataclasses import dataclass
from typing import Final

from tui.core.catalogue import Catalogue
from tui.core.costs import CostEstimate, RunningCost, cost_of_model
from tui.core.exchange import Exchange, Timings
from tui.core.items import Turn, Usage

__all__ = [
    "SUMMED_LATE",
    "Bucket",
    "CacheDrop",
    "ConversationFigures",
    "PathSums",
    "Split",
    "TurnFigures",
    "TurnTiming",
    "cache_drop",
    "cached_share",
    "context_share",
    "figures_of",
    "split",
    "timing_of",
    "timings_of",
    "total_share",
    "total_split",
]


_WORTH: Final = 0.3
"""The share from the cache whose loss is worth a word."""


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


def timing_of(timings: Timings, usage: Usage | None) -> TurnTiming:
    """How fast an exchange was, as its recorder timed it; what has not happened is unknown."""
    rate = None
    if usage and usage.output_tokens and timings.first_byte is not None and timings.ended is not None:
        seconds = timings.ended - timings.first_byte
        rate = usage.output_tokens / seconds if seconds > 0 else None
    return TurnTiming(timings.first_text, rate)


def timings_of(exchanges: Iterable[Exchange], turns: Iterable[Turn]) -> dict[str, TurnTiming]:
    """How fast turns were, by turn id: the last exchange of each with an answer, as the others failed."""
    usages = {turn.id: turn.usage for turn in turns}
    return {
        exchange.turn_id: timing_of(exchange.timings, usages[exchange.turn_id])
        for exchange in exchanges
        if exchange.turn_id in usages and exchange.timings.first_text is not None
    }


@dataclass(frozen=True, slots=True)
class TurnFigures:
    """One row of the meter's page.

    Attributes:
        number: Place on the path, from 1.
        turn_id: The turn.
        at: When it was sent, seconds since the epoch.
        model: As sent; empty when it was never sent.
        region: AWS region.
        endpoint: `mantle`, `runtime`, `custom` or a profile.
        continuation: The mode it was sent in.
        outcome: `completed` and so on; empty while it runs.
        usage: As the server reported it; `None` when it did not.
        split: Where the tokens went.
        cached_share: Part of the input from the cache, 0 to 1.
        cost: What it cost.
        running: What the path cost up to and with this turn.
        context_share: How full the window was after it.
        timing: How fast it was.
    """

    number: int
    turn_id: str
    at: float
    model: str
    region: str
    endpoint: str
    continuation: str
    outcome: str
    usage: Usage | None
    split: Split
    cached_share: float | None
    cost: CostEstimate | None
    running: CostEstimate | None
    context_share: float | None
    timing: TurnTiming


@dataclass(frozen=True, slots=True)
class ConversationFigures:
    """The path's turns and what they add up to.

    Attributes:
        turns: In the order of the path, all or the last; a turn that stands for a summary is none of them.
        usage: The counts added up, each over the turns that have it.
        split: The buckets added up over the turns with counts.
        cached_share: Part of the input from the cache, over the turns that tell both.
        cost: What the path cost.
        unreported: How many ended turns came without counts, so that the sums are "at least".
    """

    turns: tuple[TurnFigures, ...]
    usage: Usage
    split: Split
    cached_share: float | None
    cost: CostEstimate | None
    unreported: int


class PathSums:
    """What the turns of a path add up to, kept: of a path that has grown only the new turns are added."""

    def __init__(self) -> None:
        self._forget(None)

    def _forget(self, catalogue: Catalogue | None) -> None:
        self._catalogue = catalogue
        self.turns: tuple[Turn, ...] = ()
        self.costs = RunningCost()
        self.usages: list[Usage] = []
        self.splits: list[Split] = []
        self.cached = self.whole = self.unreported = 0

    def lacks(self, turns: Sequence[Turn], catalogue: Catalogue) -> int:
        """How many of these turns are not added up yet."""
        same = catalogue is self._catalogue and tuple(turns[: len(self.turns)]) == self.turns
        return len(turns) - len(self.turns) if same else len(turns)

    def cover(self, turns: Sequence[Turn], catalogue: Catalogue) -> None:
        """Add up these turns, as far as it was not done."""
        lacking = self.lacks(turns, catalogue)
        if lacking == len(turns):
            self._forget(catalogue)
        for turn in turns[len(turns) - lacking :]:
            self._add(turn, catalogue)
            if len(self.usages) > 200:
                self._fold()
        self.turns = tuple(turns)
        self._fold()

    def _fold(self) -> None:
        """Have one usage and one split stand for all so far."""
        self.usages = [Usage.total(self.usages)] if self.usages else []
        self.splits = [total_split(self.splits)] if self.splits else []

    def _add(self, turn: Turn, catalogue: Catalogue) -> CostEstimate | None:
        target, usage = turn.target, turn.usage
        model = None if target is None else catalogue.model(target.model)
        cost = None if target is None else cost_of_model(usage, model, target.model)
        # What never reached a response cost nothing, and so is nothing unknown.
        if turn.outcome is not None and (usage is not None or turn.response_id is not None):
            self.costs.add(cost)
        if usage is None:
            self.unreported += turn.outcome is not None
            return cost
        self.usages.append(usage)
        self.splits.append(split(usage))
        if usage.cached_tokens is not None and usage.input_tokens:
            self.cached += usage.cached_tokens
            self.whole += usage.input_tokens
        return cost

    def with_rest(self, rest: Sequence[Turn], catalogue: Catalogue) -> tuple[PathSums, list[_Costs]]:
        """The sums of these turns too, in an object of its own, and the cost of each and up to each."""
        sums = PathSums()
        sums.costs, sums.unreported = copy(self.costs), self.unreported
        sums.usages, sums.splits = list(self.usages), list(self.splits)
        sums.cached, sums.whole = self.cached, self.whole
        costs = [(sums._add(turn, catalogue), sums.costs.total) for turn in rest]
        return sums, costs


_Costs = tuple[CostEstimate | None, CostEstimate | None]
SUMMED_LATE: Final = 8
"""Turns at the end of a path that are added up each time anew: they may be running."""


def figures_of(
    path: Iterable[Turn],
    catalogue: Catalogue,
    timings: Mapping[str, TurnTiming] | None = None,
    *,
    last: int | None = None,
    sums: PathSums | None = None,
) -> ConversationFigures:
    """The figures of a path, turn by turn and added up.

    Args:
        path: The turns, oldest first.
        catalogue: Gives prices and context windows.
        timings: By turn id, for the turns that have an exchange.
        last: How many turns at the end get a row of their own, at most `SUMMED_LATE`; the sums are those of
            all. By default all.
        sums: What was added up of the path before, and is now.
    """
    turns = [turn for turn in path if not turn.summary]
    first = 0 if last is None else max(0, len(turns) - SUMMED_LATE)
    sums = sums if sums is not None and last is not None else PathSums()
    sums.cover(turns[:first], catalogue)
    total, costs = sums.with_rest(turns[first:], catalogue)
    rows: list[TurnFigures] = []
    for number, (turn, (cost, running)) in enumerate(zip(turns[first:], costs, strict=True), first + 1):
        target = turn.target
        model = None if target is None else catalogue.model(target.model)
        rows.append(
            TurnFigures(
                number=number,
                turn_id=turn.id,
                at=turn.created_at,
                model=target.model if target else "",
                region=target.region if target else "",
                endpoint=target.endpoint if target else "",
                continuation=turn.continuation,
                outcome=turn.outcome.value if turn.outcome else "",
                usage=turn.usage,
                split=split(turn.usage),
                cached_share=cached_share(turn.usage),
                cost=cost,
                running=running,
                context_share=context_share(turn.usage, model.context if model else None),
                timing=(timings or {}).get(turn.id, TurnTiming()),
            )
        )
    return ConversationFigures(
        turns=tuple(rows if last is None else rows[-last:]),
        usage=Usage.total(total.usages),
        split=total_split(total.splits),
        cached_share=min(1.0, total.cached / total.whole) if total.whole else None,
        cost=total.costs.total,
        unreported=total.unreported,
    )


@dataclass(frozen=True, slots=True)
class CacheDrop:
    """A turn that the cache served much less than the one before.

    Attributes:
        turn_id: The turn.
        before: The share of the turn before, 0 to 1.
        now: Its own.
    """

    turn_id: str
    before: float
    now: float


def cache_drop(figures: ConversationFigures) -> CacheDrop | None:
    """Whether the last turn's share from the cache is less than half of the one before's; `None` if not.

    A share that was small is no loss, and a prompt that has grown explains a smaller one.
    """
    ended = [turn for turn in figures.turns if turn.outcome]
    if len(ended) < 2:
        return None
    before, last = ended[-2], ended[-1]
    if before.cached_share is None or last.cached_share is None or before.cached_share < _WORTH:
        return None
    cached = last.split.cached.tokens
    if cached is None or cached * 2 >= (before.split.cached.tokens or 0):
        return None
    return CacheDrop(last.turn_id, before.cached_share, last.cached_share)


def total_split(splits: Iterable[Split]) -> Split:
    """Add up splits bucket by bucket; a bucket that one of them does not know keeps its upper bound."""
    rows = list(splits)

    def add(buckets: list[Bucket]) -> Bucket:
        known = [bucket.tokens for bucket in buckets]
        if not buckets or None not in known:
            return Bucket(sum(count for count in known if count is not None)) if buckets else Bucket()
        most = [bucket.at_most if bucket.tokens is None else bucket.tokens for bucket in buckets]
        return Bucket() if None in most else Bucket(None, sum(bound for bound in most if bound is not None))

    return Split(
        cached=add([row.cached for row in rows]),
        written=add([row.written for row in rows]),
        uncached=add([row.uncached for row in rows]),
        reasoning=add([row.reasoning for row in rows]),
        visible=add([row.visible for row in rows]),
    )


def total_share(usages: Iterable[Usage | None]) -> float | None:
    """The part of all input that came from the cache, over the usages that tell both counts."""
    cached = whole = 0
    for usage in usages:
        if usage is not None and usage.cached_tokens is not None and usage.input_tokens:
            cached += usage.cached_tokens
            whole += usage.input_tokens
    return min(1.0, cached / whole) if whole else None
