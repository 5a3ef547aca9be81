from __future__ import annotations

from decimal import Decimal

import pytest

from tui.core.catalogue import Price
from tui.core.costs import CostEstimate, cost_of, price_for, total_cost
from tui.core.items import Usage
from tui.core.meter import Bucket, cached_share, context_share, split


def price(
    input: str | None,
    cached: str | None,
    output: str | None,
    *,
    write: str | None = None,
    above: int = 0,
    kind: str = "in-region",
) -> Price:
    def dollars(text: str | None) -> Decimal | None:
        return None if text is None else Decimal(text)

    return Price(
        kind=kind,
        input=dollars(input),
        cached=dollars(cached),
        cache_write=dollars(write),
        output=dollars(output),
        above=above,
        date="2026-09-01",
        source="test",
        uncertain=False,
    )


GPT_54 = (price("2.75", "0.275", "16.50"),)
SOL = (
    price("4.40", "0.44", "22.00", write="5.50"),
    price("8.80", "0.88", "33.00", above=272_000),
)
FULL = Usage(12_000, 8_000, 1_000, 500, 300, 12_500)


def dollars_of(usage: Usage | None, prices: tuple[Price, ...]) -> Decimal | None:
    cost = cost_of(usage, prices)
    return None if cost is None else cost.usd


def test_the_buckets_of_a_split_add_up_to_input_plus_output() -> None:
    parts = split(FULL)
    assert parts.cached == Bucket(8_000)
    assert parts.written == Bucket(1_000)
    assert parts.uncached == Bucket(3_000)
    assert parts.reasoning == Bucket(300)
    assert parts.visible == Bucket(200)
    counts = (parts.cached, parts.written, parts.uncached, parts.reasoning, parts.visible)
    assert sum(bucket.tokens or 0 for bucket in counts) == 12_500


def test_what_the_server_did_not_say_is_unknown_and_keeps_its_upper_bound() -> None:
    parts = split(Usage(input_tokens=12_000, cached_tokens=8_000, output_tokens=500))
    assert parts.written == Bucket(None, None)
    assert parts.uncached == Bucket(None, at_most=4_000)
    assert parts.visible == Bucket(None, at_most=500)
    assert split(None).uncached == Bucket(None, None)
    assert split(Usage(cached_tokens=5)).uncached == Bucket(None, None)


def test_counts_that_contradict_each_other_give_no_negative_rest() -> None:
    parts = split(
        Usage(input_tokens=10, cached_tokens=20, cache_write_tokens=0, output_tokens=5, reasoning_tokens=9)
    )
    assert parts.uncached == Bucket(None, None)
    assert parts.visible == Bucket(None, None)
    assert dollars_of(Usage(10, 20, 0, 5, 0, 15), GPT_54) is None


def test_cost_of_a_model_that_does_not_bill_cache_writes() -> None:
    # 12,000 in, 8,000 of it cached, 500 out:
    # 4,000 x 2.75 + 8,000 x 0.275 + 500 x 16.50 = 11,000 + 2,200 + 8,250 = 21,450 millionths
    assert dollars_of(Usage(12_000, 8_000, None, 500, 300, 12_500), GPT_54) == Decimal("0.02145")
    assert dollars_of(FULL, GPT_54) == Decimal("0.02145"), "writes are paid as input there"


def test_cost_with_cache_writes() -> None:
    # 3,000 x 4.40 + 8,000 x 0.44 + 1,000 x 5.50 + 500 x 22
    # = 13,200 + 3,520 + 5,500 + 11,000 = 33,220 millionths
    assert dollars_of(FULL, SOL) == Decimal("0.03322")


def test_reasoning_tokens_are_inside_the_output_and_not_paid_twice() -> None:
    with_reasoning = Usage(1_000, 0, 0, 500, 500, 1_500)
    without = Usage(1_000, 0, 0, 500, 0, 1_500)
    assert dollars_of(with_reasoning, SOL) == dollars_of(without, SOL) == Decimal("0.0154")


@pytest.mark.parametrize(
    ("tokens", "dollars"),
    [
        # 272,000 x 4.40 + 1,000 x 22 = 1,196,800 + 22,000
        (272_000, "1.2188"),
        # 272,001 x 8.80 + 1,000 x 33 = 2,393,608.8 + 33,000
        (272_001, "2.4266088"),
    ],
)
def test_the_tier_above_272k_holds_for_the_whole_request(tokens: int, dollars: str) -> None:
    assert dollars_of(Usage(tokens, 0, 0, 1_000, 0, tokens + 1_000), SOL) == Decimal(dollars)


def test_a_tier_without_a_price_for_writes_is_unknown_only_when_something_was_written() -> None:
    assert dollars_of(Usage(300_000, 0, 5, 10, 0, 300_010), SOL) is None
    assert dollars_of(Usage(300_000, 0, None, 10, 0, 300_010), SOL) is None
    assert dollars_of(Usage(300_000, 0, 0, 10, 0, 300_010), SOL) is not None


@pytest.mark.parametrize(
    "usage",
    [
        None,
        Usage(),
        Usage(None, 0, 0, 5, 0, 5),
        Usage(5, 0, 0, None, 0, 5),
        Usage(5, None, 0, 5, 0, 10),
        Usage(5, 0, None, 5, 0, 10),
    ],
)
def test_a_missing_count_makes_the_cost_unknown(usage: Usage | None) -> None:
    assert cost_of(usage, SOL) is None


def test_a_missing_price_makes_the_cost_unknown_only_when_it_is_needed() -> None:
    luna = (price("2", None, "10", kind="list"),)
    assert dollars_of(Usage(1_000, 0, 0, 100, 0, 1_100), luna) == Decimal("0.003")
    assert dollars_of(Usage(1_000, 128, 0, 100, 0, 1_100), luna) is None
    assert dollars_of(Usage(1_000, None, 0, 100, 0, 1_100), luna) is None
    assert cost_of(FULL, ()) is None
    assert cost_of(FULL, (price(None, "1", "1"),)) is None
    assert cost_of(FULL, (price("1", "1", None),)) is None


def test_the_region_s_own_price_comes_before_the_others() -> None:
    rows = (price("1", "1", "1", kind="list"), price("2", "2", "2", kind="global"), price("3", "3", "3"))
    assert price_for(rows, 10) is rows[2]
    assert price_for(rows[:2], 10) is rows[1]
    assert price_for(rows[:1], 10) is rows[0]
    assert price_for((), 10) is None


def test_total_cost_says_when_a_part_of_it_is_unknown() -> None:
    one = CostEstimate(Decimal("0.01"))
    two = CostEstimate(Decimal("0.0025"))
    assert total_cost([one, two]) == CostEstimate(Decimal("0.0125"))
    assert total_cost([one, None]) == CostEstimate(Decimal("0.01"), at_least=True)
    assert total_cost([None]) is None
    assert total_cost([]) is None


def test_shares_are_unknown_rather_than_zero() -> None:
    assert cached_share(FULL) == pytest.approx(8 / 12)
    assert cached_share(Usage(input_tokens=100, cached_tokens=0)) == 0
    assert cached_share(Usage(input_tokens=100)) is None
    assert cached_share(Usage(input_tokens=0, cached_tokens=0)) is None
    assert cached_share(None) is None
    assert context_share(FULL, 1_050_000) == pytest.approx(12_500 / 1_050_000)
    assert context_share(FULL, None) is None
    assert context_share(Usage(input_tokens=5), 100) is None
    assert context_share(None, 100) is None
