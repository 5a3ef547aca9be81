"""Budgets: ok, a warning from 80 % on, a question at the limit; what is unknown is said."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest

import tui.core.catalogue as module
from tui.core.budget import BudgetDecision, Limits, Spend, decide, dollars, spend_of
from tui.core.catalogue_file import parse_catalogue
from tui.core.costs import CostEstimate
from tui.core.items import Target, Usage
from tui.core.usage import usage_record

CATALOGUE = parse_catalogue(Path(module.__file__).with_name("catalogue.toml").read_text(encoding="utf-8"))
FIVE = Limits(conversation=Decimal(5))


def spent(usd: str, unknown: int = 0) -> Spend:
    return Spend(Decimal(usd), unknown)


def ahead(usd: str) -> CostEstimate:
    return CostEstimate(Decimal(usd))


@pytest.mark.parametrize(
    ("so_far", "next_turn", "state"),
    [
        ("0", None, "ok"),
        ("3.99", None, "ok"),
        ("4", None, "warn"),
        ("3.99", "0.01", "warn"),
        ("4.99", None, "warn"),
        ("4.99", "0.01", "warn"),  # it just fits
        ("4.99", "0.0100001", "ask"),
        ("5", None, "ask"),
        ("5", "0", "ask"),
        ("7.5", None, "ask"),
        ("0", "6", "ask"),
    ],
)
def test_the_state_at_the_edges_of_a_budget_of_five_dollars(
    so_far: str, next_turn: str | None, state: str
) -> None:
    found = decide(FIVE, spent(so_far), spent("0"), ahead(next_turn) if next_turn else None)
    assert found.state == state
    assert bool(found.sentences) == (state != "ok")


def test_the_sentences_say_what_was_spent_and_which_budget_it_is() -> None:
    both = Limits(Decimal(5), Decimal("0.5"))
    used_up = decide(both, spent("1.25"), spent("0.5"))
    assert used_up.state == "ask"
    assert used_up.text == "About $0.50 was spent today: the budget of $0.50 is used up."
    past = decide(both, spent("4.9"), spent("0.1"), ahead("0.2"))
    assert past.sentences == (
        "This conversation has cost about $4.90, and this turn is likely to cost $0.20; "
        "that goes past the budget of $5.00.",
    )
    near = decide(both, spent("4.9"), spent("0.42"))
    assert near.state == "warn" and len(near.sentences) == 2
    assert near.sentences[1] == "About $0.42 was spent today; the budget is $0.50."


def test_the_stronger_of_two_budgets_decides() -> None:
    both = Limits(Decimal(1), Decimal(1))
    assert decide(both, spent("0.9"), spent("2")).state == "ask"
    assert decide(both, spent("2"), spent("0.9")).state == "ask"
    assert decide(both, spent("0"), spent("0.9")).state == "warn"


def test_unknown_costs_are_said_also_where_all_is_well() -> None:
    found = decide(FIVE, spent("0.1", unknown=2), spent("9", unknown=3))
    assert found == BudgetDecision(
        "ok", ("The cost of 2 answers of this conversation is unknown and not in that sum.",)
    )
    assert "1 answer of today is" in decide(Limits(day=Decimal(5)), spent("0"), spent("0", unknown=1)).text


def test_without_a_budget_there_is_nothing_to_say() -> None:
    assert decide(Limits(), spent("1000", unknown=5), spent("1000"), ahead("100")) == BudgetDecision()


def test_spend_is_each_response_at_its_own_price_and_counts_what_it_cannot_price() -> None:
    here = Target("openai.gpt-5.4", "us-west-2", "mantle", "https://x.example")
    there = Target("someone.else", "us-west-2", "mantle", "https://x.example")
    records = [
        # 1,000 x 2.75 + 100 x 16.50 = 4,400 millionths
        usage_record("turn", "c", 1.0, here, Usage(1000, 0, None, 100, 0, 1100)),
        usage_record("summary", "c", 2.0, here, Usage(1000, 1000, None, 0, 0, 1000)),  # 1,000 x 0.275
        usage_record("turn", "c", 3.0, here, None),
        usage_record("check", "", 4.0, there, Usage(10, 0, 0, 10, 0, 20)),
    ]
    assert spend_of(records, CATALOGUE) == Spend(Decimal("0.004675"), 2)


@pytest.mark.parametrize(
    ("amount", "text"),
    [
        ("0", "$0.00"),
        ("0.00001", "less than $0.0001"),
        ("0.0123", "$0.0123"),
        ("1234.5", "$1,234.50"),
        ("0.1", "$0.10"),
    ],
)
def test_dollars_in_a_sentence(amount: str, text: str) -> None:
    assert dollars(Decimal(amount)) == text
