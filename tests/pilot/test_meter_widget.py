from __future__ import annotations

from decimal import Decimal

import pytest
from rich.cells import cell_len
from ui_samples import OneWidget, text_of

from tui.core.costs import CostEstimate
from tui.core.items import Usage
from tui.core.meter import ConversationFigures, TurnFigures, TurnTiming, cached_share, context_share, split
from tui.messages import CommandRequested
from tui.widgets.meter import Meter

LAST = Usage(12_400, 8_192, 1_024, 512, 300, 12_912)
TOTAL = Usage(41_000, 20_480, 2_048, 2_100, 1_400, 43_100)
COST = CostEstimate(Decimal("0.0412"))


def conversation(
    last: Usage | None, total: Usage | None, cost: CostEstimate | None, timing: TurnTiming
) -> ConversationFigures:
    turn = TurnFigures(
        *(1, "t", 0.0, "m", "r", "mantle", "stateful", "completed", last, split(last), cached_share(last)),
        *(cost, cost, context_share(last, 1_050_000), timing),
    )
    return ConversationFigures((turn,), total or Usage(), split(total), cached_share(total), cost, 0)


async def line_at(
    width: int,
    last: Usage | None,
    total: Usage | None,
    cost: CostEstimate | None,
    window: int | None,
    timing: TurnTiming | None = None,
) -> str:
    meter = Meter()
    app = OneWidget(meter)
    async with app.run_test(size=(width, 24)) as pilot:
        meter.show(conversation(last, total, cost, timing or TurnTiming()), window)
        await pilot.pause()
        lines = text_of(app).split("\n")
        assert not lines[1].strip(), "it is one line"
        return lines[0].strip()


async def test_at_80_columns_both_are_split_in_figures_and_the_rest_is_there() -> None:
    line = await line_at(80, LAST, TOTAL, COST, 1_050_000, TurnTiming(0.4, 83))
    assert cell_len(line) <= 78
    assert line == "turn ↑8.2k/1k/3.2k ↓300/212  all ↑20k/2k/18k ↓1.4k/700  50% cached  ~$0.0412"


async def test_a_window_that_is_nearly_full_is_told_before_all_else() -> None:
    line = await line_at(80, LAST, TOTAL, COST, 14_000, TurnTiming(0.4, 83))
    assert cell_len(line) <= 78
    assert "ctx 92%" in line
    assert "ctx" not in await line_at(80, LAST, TOTAL, COST, 1_050_000)


async def test_120_columns_have_room_for_the_speed() -> None:
    line = await line_at(120, LAST, TOTAL, COST, 1_050_000, TurnTiming(0.4, 83))
    assert line.startswith("turn ↑8.2k/1k/3.2k ↓300/212  all ↑20k/2k/18k ↓1.4k/700  50% cached")
    assert line.endswith("~$0.0412  ctx 1%  first 400 ms  83 tok/s")


async def test_160_columns_have_words_for_the_turn() -> None:
    line = await line_at(160, LAST, TOTAL, COST, 1_050_000, TurnTiming(0.4, 83))
    assert line.startswith("turn ↑8.2k cached 1k written 3.2k uncached ↓300 reasoning 212 visible  all ↑20k/")
    assert line.endswith("ctx 1%  first 400 ms  83 tok/s")


async def test_with_room_both_are_in_words() -> None:
    line = await line_at(230, LAST, TOTAL, COST, 1_050_000, TurnTiming(0.4, 83))
    assert "conversation ↑20k cached 2k written 18k uncached ↓1.4k reasoning 700 visible" in line


@pytest.mark.parametrize("width", [80, 120, 160, 230])
async def test_what_is_unknown_is_a_dash_and_never_zero(width: int) -> None:
    line = await line_at(width, None, None, None, None)
    assert "–" in line
    assert "0" not in line
    assert "$–" in line


async def test_what_cannot_be_told_apart_is_an_upper_bound() -> None:
    usage = Usage(input_tokens=4_000, cached_tokens=1_000, output_tokens=50)
    line = await line_at(80, usage, usage, None, 1_050_000)
    assert line.startswith("turn ↑1k/–/≤3k ↓–/≤50")
    assert "25% cached" in line


async def test_the_widest_figures_still_fit_80_columns() -> None:
    huge = Usage(999_999, 888_888, 88_888, 128_000, 99_999, 1_127_999)
    cost = CostEstimate(Decimal("123.45"), at_least=True, uncertain=True)
    line = await line_at(80, huge, huge, cost, 1_050_000)
    assert cell_len(line) <= 78
    assert "≥~$123.45?" in line
    assert "ctx 107%" in line


async def test_a_click_opens_the_page() -> None:
    asked: list[str] = []

    class App(OneWidget):
        def on_command_requested(self, event: CommandRequested) -> None:
            asked.append(event.command_id)

    meter = Meter()
    app = App(meter)
    async with app.run_test(size=(80, 24)) as pilot:
        meter.show(conversation(LAST, TOTAL, COST, TurnTiming()), None)
        await pilot.click(meter)
        await pilot.pause()
    assert asked == ["usage.open"]
