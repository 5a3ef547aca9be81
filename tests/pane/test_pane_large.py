"""What is very large never holds up the keys: the watchdog of the tests fails a callback of 50 ms."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

import pytest
from rich.style import Style
from textual.geometry import Region

from tui.widgets.conversation_pane import Block, BlockKind, ConversationPane
from tui.widgets.transcript.palette import COMPONENTS, Palette
from tui.widgets.transcript.piece import Paper
from tui.widgets.transcript.view import View

if TYPE_CHECKING:
    from conftest import PaneApp

ROWS = 700
SHAPES = {
    "table": "| a | b | c |\n|---|--:|---|\n"
    + "".join(f"| row {number} | **{number * 7}** | a note |\n" for number in range(ROWS)),
    "fence": "```python\n"
    + "".join(f"    value_{number} = call({number})  # why\n" for number in range(ROWS // 2))
    + "```\n",
    "paragraph": "Then a word and **bold** ones " * ROWS,
    "quote": "".join(f"> line {number} of a quote\n" for number in range(ROWS)),
    "list": "- outer\n" + "".join(f"  - inner {number}\n" for number in range(ROWS)),
}
PALETTE = Palette(
    **{name.removeprefix("pane--").replace("-", "_"): Style(bgcolor="#101010") for name in COMPONENTS}
)


def screen(pane: ConversationPane) -> list[str]:
    strips = pane.render_lines(Region(0, 0, pane.size.width, pane.size.height))
    return [re.sub(r" +[ct] copies$", "", strip.text.rstrip()) for strip in strips]


def fresh(pane: ConversationPane, text: str) -> list[str]:
    """The rows of an answer, all made at once."""
    paper = Paper(pane.row_width, pane.row_width, PALETTE)
    view = View(Block("f", BlockKind.ASSISTANT, text, "gpt"), 1)
    view.ensure(paper)
    rows = [row for index in range(len(view.pieces)) for row in view.rows(index, paper)]
    return [row.text.rstrip() for row in rows]


@pytest.mark.parametrize("shape", SHAPES)
async def test_what_is_very_large_is_drawn_roughly_at_once_and_rightly_soon(
    pane_app: PaneApp, shape: str
) -> None:
    text = SHAPES[shape]
    async with pane_app((80, 24)) as (pane, pilot):
        pane.replace([Block("a:out0", BlockKind.ASSISTANT, text, "gpt")])
        assert any(line.strip() for line in screen(pane))
        await pane.drained()
        want = fresh(pane, text)
        assert screen(pane) == want[-len(screen(pane)) :]
        pane.action_scroll_home()
        assert screen(pane) == want[: len(screen(pane))]
        pane.action_scroll_end()
        await pilot.resize_terminal(60, 20)
        await pilot.pause()
        await pane.drained()
        want = fresh(pane, text)
        assert screen(pane) == want[-len(screen(pane)) :]
        pane.toggle_fold("a:out0")
        pane.toggle_fold("a:out0")
        await pane.drained()
        assert screen(pane) == want[-len(screen(pane)) :]


@pytest.mark.parametrize("shape", SHAPES)
async def test_a_stream_of_something_very_large_ends_as_a_fresh_render(pane_app: PaneApp, shape: str) -> None:
    text = SHAPES[shape]
    async with pane_app((80, 24)) as (pane, pilot):
        pane.append(Block("a:out0", BlockKind.ASSISTANT, "", "gpt"))
        pane.feed("a:out0", text[: len(text) // 2])
        await pane.drained()
        assert any(line.strip() for line in screen(pane))
        await pilot.resize_terminal(70, 24)
        pane.feed("a:out0", text[len(text) // 2 :])
        await pane.drained()
        pane.close_block("a:out0")
        await pane.drained()
        want = fresh(pane, text)
        assert screen(pane) == want[-len(screen(pane)) :]
        pane.action_scroll_home()
        assert screen(pane) == want[: len(screen(pane))]


async def test_a_large_answer_of_json_becomes_a_tree_soon(pane_app: PaneApp) -> None:
    text = json.dumps([{"id": number, "name": f"n{number}"} for number in range(ROWS * 2)])
    async with pane_app((80, 24)) as (pane, _):
        pane.replace([Block("a:out0", BlockKind.ASSISTANT, text, "gpt", json=True)])
        assert any('"id": ' in line for line in screen(pane))
        await pane.drained()
        assert screen(pane)[-2].strip() == f'name: "n{ROWS * 2 - 1}"'
        pane.action_scroll_home()
        assert screen(pane)[1].strip() == f"▾ {ROWS * 2:,} items"


async def test_the_place_in_a_large_table_stays_while_it_is_made(pane_app: PaneApp) -> None:
    async with pane_app((80, 24)) as (pane, _):
        pane.replace([Block("a:out0", BlockKind.ASSISTANT, SHAPES["table"], "gpt")])
        pane.action_scroll_home()
        pane.scroll_lines(ROWS // 2)
        roughly = screen(pane)[0]
        assert roughly.strip().startswith("| row ")
        await pane.drained()
        assert screen(pane)[0].split("│")[0].strip() == roughly.split("|")[1].strip()
        pane.find(f"row {ROWS - 9}")
        while pane.search is not None and not pane.search.done:
            await pane.drained()
        assert pane.search is not None and pane.search.total == 1
        assert any(f"row {ROWS - 9} " in line for line in screen(pane))
