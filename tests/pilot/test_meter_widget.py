from __future__ import annotations

from decimal import Decimal

import pytest
from rich.cells import cell_len
from ui_samples import OneWidget, text_of

from tui.core.items import Usage
from tui.core.costs import CostEstimate
from tui.core.meter import TurnTiming
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


async def test_at_80_columns_the_turn_is_split_and_the_rest_is_there() -> None:
    line = await line_at(80, LAST, TOTAL, COST, 1_050_000, TurnTiming(0.4, 83))
    assert cell_len(line) <= 78
    assert line.startswith("turn ↑12k (8.2k cached, 1k written) ↓512 (300 reasoning)")
    assert "Σ ↑41k ↓2.1k" in line
    assert "~$0.0412" in line


async def test_a_short_conversation_has_room_for_the_shares_at_80_columns() -> None:
    usage = Usage(162, 0, None, 30, 12, 192)
    line = await line_at(80, usage, Usage(324, 0, None, 60, 24, 384), COST, 1_050_000)
    assert line.startswith("turn ↑162 (0 cached) ↓30 (12 reasoning)  all ↑324 ↓60  0% cached")


async def test_with_130_columns_words_stand_for_the_arrows() -> None:
    usage = Usage(162, 0, None, 30, 12, 192)
    line = await line_at(130, usage, usage, COST, 1_050_000)
    assert line.startswith("turn 162 in (0 cached) 30 out (12 reasoning)")
    assert "all 162 in (0 cached) 30 out (12 reasoning)" in line
    assert "0% cached" in line
    assert "ctx <1%" in line


async def test_with_room_both_are_split_and_timed() -> None:
    line = await line_at(230, LAST, TOTAL, COST, 1_050_000, TurnTiming(0.4, 83))
    assert "turn 12k in (8.2k cached, 1k written) 512 out (300 reasoning)" in line
    assert "conversation 41k in (20k cached, 2k written) 2.1k out (1.4k reasoning)" in line
    assert "50% cached" in line
    assert "first 400 ms  83 tok/s" in line


@pytest.mark.parametrize("width", [80, 120, 160])
async def test_what_is_unknown_is_a_dash_and_never_zero(width: int) -> None:
    line = await line_at(width, None, None, None, None, None)
    assert "–" in line
    assert "0" not in line
    assert "$–" in line


async def test_cache_writes_are_named_only_where_the_server_reports_them() -> None:
    usage = Usage(input_tokens=4_000, cached_tokens=1_000, output_tokens=50)
    line = await line_at(80, usage, usage, None, 1_050_000)
    assert "↑4k (1k cached) ↓50 (– reasoning)" in line
    assert "written" not in line
    assert "25% cached" in line


async def test_the_widest_figures_still_fit_80_columns() -> None:
    huge = Usage(999_999, 888_888, 88_888, 128_000, 99_999, 1_127_999)
    cost = CostEstimate(Decimal("123.45"), at_least=True)
    line = await line_at(80, huge, huge, cost, 1_050_000)
    assert cell_len(line) <= 78
    assert "≥~$123.45" in line
    assert "↑1M" in line


async def test_a_cost_with_an_unknown_part_says_at_least() -> None:
    line = await line_at(80, LAST, TOTAL, CostEstimate(Decimal("0.5"), at_least=True), None)
    assert "≥~$0.500" in line
