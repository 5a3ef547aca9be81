from __future__ import annotations

from decimal import Decimal

import pytest
from rich.cells import cell_len
from ui_samples import OneWidget, text_of

from tui.core.items import Usage
from tui.core.meter import CostEstimate, TurnTiming
from tui.widgets.meter import Meter

LAST = Usage(12_400, 8_192, 1_024, 512, 300, 12_912)
TOTAL = Usage(41_000, 20_480, 2_048, 2_100, 1_400, 43_100)
COST = CostEstimate(Decimal("0.0412"))


async def line_at(width: int, *figures: object) -> str:
    meter = Meter()
    app = OneWidget(meter)
    async with app.run_test(size=(width, 24)) as pilot:
        meter.show(*figures)  # type: ignore[arg-type]
        await pilot.pause()
        lines = text_of(app).split("\n")
        assert not lines[1].strip(), "it is one line"
        return lines[0].strip()


async def test_at_80_columns_every_figure_is_there_in_one_line() -> None:
    line = await line_at(80, LAST, TOTAL, COST, 1_050_000, TurnTiming(0.4, 83))
    assert cell_len(line) <= 78
    assert "8.2k/1k/3.2k" in line
    assert "300/212" in line
    assert "20k/2k/18k" in line
    assert "1.4k/700" in line
    assert "50% cached" in line
    assert "~$0.0412" in line
    assert "ctx 1%" in line


async def test_a_short_conversation_has_room_for_words_at_80_columns() -> None:
    line = await line_at(80, Usage(162, 0, 0, 30, 12, 192), Usage(324, 0, 0, 60, 24, 384), COST, 1_050_000)
    assert line.startswith("turn in 0/0/162 out 12/18 all in 0/0/324 out 24/36")
    assert "0% cached" in line
    assert "ctx <1%" in line


async def test_with_room_the_buckets_are_named() -> None:
    line = await line_at(230, LAST, TOTAL, COST, 1_050_000, TurnTiming(0.4, 83))
    assert "8.2k cached 1k written 3.2k new out 300 reasoning 212 visible" in line
    assert "conversation in 20k cached" in line
    assert "first 400 ms  83 tok/s" in line


@pytest.mark.parametrize("width", [80, 120, 160])
async def test_what_is_unknown_is_a_dash_and_never_zero(width: int) -> None:
    line = await line_at(width, None, None, None, None, None)
    assert "–" in line
    assert "0" not in line
    assert "$–" in line


async def test_unknown_cache_writes_leave_an_upper_bound_for_what_was_uncached() -> None:
    usage = Usage(input_tokens=4_000, cached_tokens=1_000, output_tokens=50)
    line = await line_at(80, usage, usage, None, 1_050_000)
    assert "1k/–/≤3k" in line
    assert "–/≤50" in line
    assert "25% cached" in line


async def test_the_widest_figures_still_fit_80_columns() -> None:
    huge = Usage(999_999, 888_888, 88_888, 128_000, 99_999, 1_127_999)
    cost = CostEstimate(Decimal("123.45"), at_least=True)
    line = await line_at(80, huge, huge, cost, 1_050_000)
    assert cell_len(line) <= 78
    assert "≥~$123.45" in line
    assert "889k/89k/22k" in line
    assert line.endswith("107%")


async def test_a_cost_with_an_unknown_part_says_at_least() -> None:
    line = await line_at(80, LAST, TOTAL, CostEstimate(Decimal("0.5"), at_least=True), None)
    assert "≥~$0.500" in line
