"""The meter's figures over a path, usage totals, and both as CSV and JSON."""

from __future__ import annotations

import csv
import io
import json
import random
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest

import tui.core.catalogue as module
from tui.core.catalogue_file import parse_catalogue
from tui.core.exchange import Timings
from tui.core.figures_export import exact, figures_csv, figures_json, totals_csv, totals_json
from tui.core.items import Outcome, Target, Turn, Usage
from tui.core.meter import SUMMED_LATE, Bucket, PathSums, TurnTiming, figures_of, timing_of
from tui.core.usage import grouped, usage_record

CATALOGUE = parse_catalogue(Path(module.__file__).with_name("catalogue.toml").read_text(encoding="utf-8"))
WEST = Target("openai.gpt-5.4", "us-west-2", "mantle", "https://x.example")
EAST = replace(WEST, model="openai.gpt-5.6-sol", region="us-east-1")
DONE = Turn("t1", None, (), 1000.0, outcome=Outcome.COMPLETED, target=WEST, response_id="r1")


def path() -> list[Turn]:
    return [
        replace(DONE, usage=Usage(1000, 0, None, 100, 20, 1100)),
        replace(DONE, id="t2", outcome=Outcome.CANCELLED, usage=None),
        replace(DONE, id="t3", target=EAST, usage=Usage(2000, 1024, 976, 50, None, 2050)),
        replace(DONE, id="t4", outcome=Outcome.FAILED, response_id=None),  # it never reached a model
        replace(DONE, id="s", summary=True, target=None, response_id=None),
    ]


def test_the_figures_of_a_path_subtract_and_never_add_twice() -> None:
    timings = {"t1": TurnTiming(0.5, 40.0)}
    figures = figures_of(path(), CATALOGUE, timings)
    assert [row.turn_id for row in figures.turns] == ["t1", "t2", "t3", "t4"]
    first, stopped, third, failed = figures.turns
    # 1,000 x 2.75 + 100 x 16.50 = 4,400 millionths; 1,024 x 0.44 + 976 x 5.50 + 50 x 22 = 6,918.56
    assert first.cost is not None and first.cost.usd == Decimal("0.0044")
    assert third.cost is not None and third.cost.usd == Decimal("0.00691856")
    assert stopped.cost is None and failed.cost is None
    assert third.running is not None and third.running.usd == Decimal("0.01131856") and third.running.at_least
    assert first.running is not None and not first.running.at_least
    assert first.timing.tokens_per_second == 40.0 and third.timing == TurnTiming()
    assert third.split.uncached == Bucket(0) and third.split.visible == Bucket(None, 50)
    assert figures.split.cached == Bucket(1024)
    assert figures.split.written == Bucket() and figures.split.uncached == Bucket(None, 1000)
    assert figures.split.reasoning == Bucket() and figures.split.visible == Bucket(None, 130)
    assert figures.usage.input_tokens == 3000 and figures.cached_share == 1024 / 3000
    assert figures.unreported == 2
    assert figures.cost is not None and figures.cost.at_least
    # A turn that never reached a response cost nothing; only the stopped one is unknown.
    without = figures_of([path()[0], path()[3]], CATALOGUE)
    assert without.cost is not None and not without.cost.at_least


def test_an_empty_path_is_unknown_and_not_nothing() -> None:
    figures = figures_of([], CATALOGUE)
    assert (figures.turns, figures.cost, figures.cached_share, figures.unreported) == ((), None, None, 0)
    assert figures.split.cached == Bucket()
    assert json.loads(figures_json(figures))["totals"]["cost_usd"] is None
    assert figures_csv(figures).count("\n") == 1


def test_speed_is_tokens_from_the_first_byte_to_the_end() -> None:
    usage = Usage(10, 0, 0, 200, 0, 210)
    timings = Timings(first_byte=0.5, first_text=0.75, ended=4.5)
    assert timing_of(timings, usage) == TurnTiming(0.75, 50.0)
    assert timing_of(Timings(first_byte=0.5, ended=0.5), usage) == TurnTiming(None, None)
    assert timing_of(timings, None) == TurnTiming(0.75, None)


def test_csv_and_json_say_the_same_exactly() -> None:
    figures = figures_of(path(), CATALOGUE, {"t1": TurnTiming(0.5, 40.0)})
    rows = list(csv.DictReader(io.StringIO(figures_csv(figures))))
    document = json.loads(figures_json(figures))
    assert [row["id"] for row in rows] == [row["id"] for row in document["turns"]] == ["t1", "t2", "t3", "t4"]
    for line, row in zip(rows, document["turns"], strict=True):
        assert list(line) == list(row)
        for name, value in row.items():
            shown = "" if value is None else str(value).lower() if isinstance(value, bool) else str(value)
            assert line[name] == shown, name
    assert rows[0]["cost_usd"] == "0.0044" and rows[0]["cache_write_tokens"] == ""
    assert rows[1]["input_tokens"] == rows[1]["cost_usd"] == ""
    assert document["totals"]["cost_usd"] == "0.01131856" and document["totals"]["cost_at_least"] is True


def test_a_name_from_outside_is_no_formula() -> None:
    foreign = replace(DONE, target=replace(WEST, model="=HYPERLINK(1)"), usage=None)
    text = figures_csv(figures_of([foreign], CATALOGUE))
    assert "'=HYPERLINK(1)" in text and ",=HYPERLINK" not in text


def test_usage_by_day_model_and_region() -> None:
    records = [
        usage_record("turn", "c", 100.0, WEST, Usage(1000, 0, None, 100, 20, 1100)),
        usage_record("summary", "c", 200.0, WEST, Usage(1000, 1000, None, 0, 0, 1000)),
        usage_record("turn", "d", 90_000.0, EAST, Usage(2000, 1024, 976, 50, None, 2050)),
        usage_record("turn", "d", 90_001.0, EAST, None),
    ]

    def day(moment: float) -> str:
        return f"day {moment // 86_400:.0f}"

    days, total = grouped(records, "day", CATALOGUE, day)
    assert [(row.key, row.responses, row.unreported) for row in days] == [("day 0", 2, 0), ("day 1", 2, 1)]
    assert days[0].usage.input_tokens == 2000 and days[0].usage.cache_write_tokens is None
    assert days[0].partial == {"cache_write_tokens"} and "input_tokens" in days[1].partial
    assert days[0].usd == Decimal("0.004675") and days[0].cost is not None and not days[0].cost.at_least
    assert days[1].cost is not None and days[1].cost.at_least
    assert total.responses == 4 and total.usd == Decimal("0.01159356")
    assert [row.key for row in grouped(records, "model", CATALOGUE, day)[0]] == [EAST.model, WEST.model]
    assert [row.key for row in grouped(records, "region", CATALOGUE, day)[0]] == ["us-east-1", "us-west-2"]
    for by in ("day", "model", "region"):
        groups, whole = grouped(records, by, CATALOGUE, day)
        assert sum(row.usd or 0 for row in groups) == whole.usd
        assert sum(row.responses for row in groups) == 4
    lines = totals_csv(days, "day").splitlines()
    assert lines[0].startswith("day,responses,unreported,input_tokens") and lines[1].startswith(
        "day 0,2,0,2000,"
    )
    document = json.loads(totals_json(days, total, "day", "1970-01-01"))
    assert document["total"]["cost_usd"] == "0.01159356" and document["groups"][1]["cost_at_least"] is True


@pytest.mark.parametrize(
    ("amount", "text"),
    [("0.0100", "0.01"), ("5", "5"), ("100", "100"), ("1E-9", "0.000000001"), ("0.00", "0")],
)
def test_exact_decimals_have_no_exponent_and_no_zeros_behind(amount: str, text: str) -> None:
    assert exact(Decimal(amount)) == text


@pytest.mark.parametrize("seed", range(6))
def test_sums_that_are_kept_are_those_of_the_whole_path(seed: int) -> None:
    chance = random.Random(seed)
    turns = [
        replace(
            chance.choice(path()),
            id=f"x{number}",
            outcome=chance.choice([Outcome.COMPLETED, Outcome.FAILED, None]),
            response_id=chance.choice([None, "r"]),
        )
        for number in range(40)
    ]
    sums = PathSums()
    for end in (3, 9, 12, 12, 30, 40, 20, 40):
        if end == 30:
            turns[2] = replace(turns[2], usage=None)
        whole = figures_of(turns[:end], CATALOGUE)
        kept = figures_of(turns[:end], CATALOGUE, last=5, sums=sums)
        assert kept == replace(whole, turns=whole.turns[-5:])
        counted = [turn for turn in turns[:end] if not turn.summary]
        assert sums.lacks(counted[: max(0, len(counted) - SUMMED_LATE)], CATALOGUE) == 0
