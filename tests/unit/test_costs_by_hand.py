"""Costs worked out by hand in the comments, at the catalogue's own prices."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest

import tui.core.catalogue as module
from tui.core.catalogue_file import parse_catalogue
from tui.core.costs import cost_of_model, kinds_for, price_for, total_cost, upper_cost
from tui.core.items import Usage

CATALOGUE = parse_catalogue(Path(module.__file__).with_name("catalogue.toml").read_text(encoding="utf-8"))


@pytest.mark.parametrize(
    ("model", "usage", "dollars"),
    [
        # 162 x 2.75 + 5 x 16.50 = 445.5 + 82.5 = 528
        ("openai.gpt-5.4", Usage(162, 0, None, 5, 0, 167), "0.000528"),
        # 3,970 in, 3,840 of it cached: 130 x 5.50 + 3,840 x 0.55 + 200 x 33 = 715 + 2,112 + 6,600 = 9,427
        ("openai.gpt-5.5", Usage(3970, 3840, None, 200, 0, 4170), "0.009427"),
        # 272,000 is not above 272,000; all of it written, 1,000 of the output is reasoning:
        # 272,000 x 5.50 + 3,000 x 22 = 1,496,000 + 66,000 = 1,562,000
        ("openai.gpt-5.6-sol", Usage(272_000, 0, 272_000, 3000, 1000, 275_000), "1.562"),
        # One token more, read from the cache but for 1: 272,000 x 0.88 + 1 x 8.80 + 3,000 x 33
        # = 239,360 + 8.8 + 99,000 = 338,368.8
        ("openai.gpt-5.6-sol", Usage(272_001, 272_000, 0, 3000, 0, 275_001), "0.3383688"),
        # 500 x 0.22 + 1,024 x 0.022 + 476 x 0.275 + 100 x 1.32 = 110 + 22.528 + 130.9 + 132 = 395.428
        ("openai.gpt-5.6-luna", Usage(2000, 1024, 476, 100, 40, 2100), "0.000395428"),
        # A global profile takes the global price: 1,000 x 10 + 100 x 50 = 15,000
        ("global.openai.gpt-6-astra", Usage(1000, 0, 0, 100, 0, 1100), "0.015"),
        # ... and in-region 10 % more: 1,000 x 11 + 100 x 55 = 16,500
        ("us.openai.gpt-6-astra", Usage(1000, 0, 0, 100, 0, 1100), "0.0165"),
        # gpt-oss has no price for cached input, and none is needed: 1,000 x 0.075 + 1,000 x 0.30 = 375
        ("openai.gpt-oss-20b", Usage(1000, 0, None, 1000, None, 2000), "0.000375"),
    ],
)
def test_by_hand(model: str, usage: Usage, dollars: str) -> None:
    cost = cost_of_model(usage, CATALOGUE.model(model), model)
    assert cost is not None and cost.usd == Decimal(dollars)
    assert cost.estimate and cost.uncertain == ("gpt-6" in model)


@pytest.mark.parametrize(
    ("model", "usage"),
    [
        ("openai.gpt-5.4", None),
        ("openai.gpt-5.4", Usage(162, None, None, 5, 0, 167)),  # how much was cached is not known
        ("openai.gpt-5.6-sol", Usage(2000, 0, None, 5, 0, 2005)),  # how much was written is not known
        ("openai.gpt-5.6-sol", Usage(300_000, 0, 300_000, 5, 0, 300_005)),  # no price for writes up there
        ("openai.gpt-oss-20b", Usage(2000, 1024, None, 5, 0, 2005)),  # no price for cached input
        ("openai.gpt-9", Usage(2000, 0, 0, 5, 0, 2005)),
    ],
)
def test_unknown_is_unknown_and_never_nothing(model: str, usage: Usage | None) -> None:
    assert cost_of_model(usage, CATALOGUE.model(model), model) is None


def test_at_most_takes_the_dearest_way_of_an_input() -> None:
    sol = CATALOGUE.model("openai.gpt-5.6-sol")
    assert sol is not None
    # All written: 1,000 x 5.50 + 100 x 22 = 7,700
    low = upper_cost(1000, 100, sol.prices)
    assert low is not None and low.usd == Decimal("0.0077") and not low.uncertain
    # Above 272K the price of writes is unknown; the ratio of the tier below (5.50 / 4.40 = 1.25) is taken:
    # 300,000 x 8.80 x 1.25 + 100 x 33 = 3,300,000 + 3,300 = 3,303,300
    high = upper_cost(300_000, 100, sol.prices)
    assert high is not None and high.usd == Decimal("3.3033") and high.uncertain
    assert upper_cost(1000, 100, ()) is None


def test_the_kind_of_price_is_that_of_the_id() -> None:
    astra = CATALOGUE.model("openai.gpt-6-astra")
    assert astra is not None
    for model, kind in (
        ("openai.gpt-6-astra", "in-region"),
        ("us.openai.gpt-6-astra", "in-region"),
        ("global.openai.gpt-6-astra", "global"),
    ):
        price = price_for(astra.prices, 10, kinds_for(model))
        assert price is not None and price.kind == kind


def test_a_doubt_in_one_part_is_a_doubt_in_the_sum() -> None:
    sure = cost_of_model(Usage(10, 0, None, 1, 0, 11), CATALOGUE.model("openai.gpt-5.4"), "openai.gpt-5.4")
    unsure = cost_of_model(Usage(10, 0, 0, 1, 0, 11), CATALOGUE.model("openai.gpt-6-sol"), "openai.gpt-6-sol")
    both = total_cost([sure, unsure, None])
    assert both is not None and both.uncertain and both.at_least
    only = total_cost([sure])
    assert only is not None and not only.uncertain and not only.at_least
