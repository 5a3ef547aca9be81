"""Searching the pane: hits counted in sources, corrected by what is drawn, marked and walked."""

from __future__ import annotations

from time import perf_counter
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.style import Style
from textual.geometry import Region

from tui.widgets.conversation_pane import Block, BlockKind, ConversationPane
from tui.widgets.transcript.flow import Flow
from tui.widgets.transcript.palette import COMPONENTS, Palette
from tui.widgets.transcript.piece import Paper
from tui.widgets.transcript.search import Search

if TYPE_CHECKING:
    from conftest import PaneApp
    from textual.pilot import Pilot


def marked(pane: ConversationPane, name: str) -> list[str]:
    """The text that is drawn as a hit, row by row."""
    background = pane.get_component_rich_style(name).bgcolor
    rows: list[str] = []
    for strip in pane.render_lines(Region(0, 0, pane.size.width, pane.size.height)):
        text = "".join(s.text for s in strip if s.style is not None and s.style.bgcolor == background)
        if text:
            rows.append(text)
    return rows


async def found(pane: ConversationPane, pilot: Pilot[None], query: str) -> tuple[int, int]:
    pane.find(query)
    while pane.search is not None and not pane.search.done:
        await pilot.pause(0.01)
    await pilot.pause()
    assert pane.search is not None
    return pane.search.place, pane.search.total


async def test_hits_are_marked_in_what_is_drawn_and_walked_round_the_end(pane_app: PaneApp) -> None:
    async with pane_app((40, 24)) as (pane, pilot):
        pane.replace(
            [
                Block("u", BlockKind.USER, "Where is the bed*rock* here? Bedrock!", "bedrock in a title"),
                Block("r", BlockKind.REASONING, "The user asks\n\nfor bedrock.", folded=True),
                Block(
                    "a",
                    BlockKind.ASSISTANT,
                    "A long line that wraps inside of the bed**rock** word and then\n"
                    "goes on to the bedrock.\n\n"
                    "```bedrock\nBEDROCK = 1\n```\n",
                    "gpt",
                ),
            ]
        )
        await pilot.pause()
        place, total = await found(pane, pilot, "bedrock")
        assert (place, total) == (1, 5), "emphasis is looked through, plain text taken as it is"
        assert marked(pane, "pane--hit-current") == ["Bedrock"]
        assert marked(pane, "pane--hit") == ["bedrock", "bedrock", "BEDROCK"]
        pane.find_next(1)
        await pilot.pause()
        assert not pane._flow["r"].folded, "a hit in a folded block unfolds it"
        assert pane.search is not None and pane.search.place == 2
        for expected in (3, 4, 5, 1):
            pane.find_next(1)
            assert pane.search.place == expected
        pane.find_next(-1)
        assert pane.search.place == 5 and marked(pane, "pane--hit-current") == ["BEDROCK"]
        pane.stop_finding()
        assert not marked(pane, "pane--hit") and not marked(pane, "pane--hit-current")


async def test_a_hit_over_a_soft_wrap_is_one_hit_and_marked_in_both_rows(pane_app: PaneApp) -> None:
    async with pane_app((40, 24)) as (pane, pilot):
        pane.replace(
            [Block("a", BlockKind.ASSISTANT, "Some words that fill a row right to the very end of it.")]
        )
        await pilot.pause()
        rows = [row.copyable for _, row in pane._window]
        query = f"{rows[0].split()[-1]} {rows[1].split()[0]}"
        assert await found(pane, pilot, query) == (1, 1)
        assert "".join(marked(pane, "pane--hit-current") + marked(pane, "pane--hit")) == query.replace(
            " ", ""
        )


async def test_what_only_the_source_has_is_no_hit_once_it_was_looked_at(pane_app: PaneApp) -> None:
    async with pane_app((60, 24)) as (pane, pilot):
        pane.replace(
            [
                Block("a", BlockKind.ASSISTANT, 'See [this](https://example.com/x "granite").'),
                Block("b", BlockKind.ASSISTANT, "A granite rock."),
            ]
        )
        await pilot.pause()
        assert await found(pane, pilot, "granite") == (1, 1)
        assert marked(pane, "pane--hit-current") == ["granite"]
        assert await found(pane, pilot, "**") == (0, 0)


async def test_what_streams_in_is_found_too(pane_app: PaneApp) -> None:
    async with pane_app((60, 24)) as (pane, pilot):
        pane.replace([Block("u", BlockKind.USER, "ore"), Block("a", BlockKind.ASSISTANT, "")])
        await pilot.pause()
        assert await found(pane, pilot, "ore") == (1, 1)
        pane.feed("a", "More ore.\n\n")
        await pane.drained()
        await pilot.pause()
        assert pane.search is not None and pane.search.total == 3
        assert marked(pane, "pane--hit") == ["oreore"]
        pane.append(Block("n", BlockKind.NOTICE, "ore"))
        await pilot.pause()
        assert pane.search.total == 4
        pane.remove_block("u")
        await pilot.pause()
        assert pane.search.total == 3
        pane.find_next(1)
        assert pane.search.place >= 1


async def test_ten_thousand_turns_are_searched_in_slices_and_rendered_only_where_looked_at(
    pane_app: PaneApp,
) -> None:
    async with pane_app((100, 30)) as (pane, pilot):
        blocks: list[Block] = []
        for number in range(10_000):
            blocks.append(Block(f"t{number}:user", BlockKind.USER, f"ask {number} about rocks", "You"))
            text = f"**Answer** {number}: " + "some words of granite and `code` " * 25
            blocks.append(Block(f"t{number}:out0", BlockKind.ASSISTANT, text, "gpt"))
        pane.replace(blocks)
        await pilot.pause()
        rendered = pane._flow.rendered
        started = perf_counter()
        slices: list[float] = []
        search = Search(pane._flow, "answer 77")
        while not search.run(0.008):
            slices.append(perf_counter() - started)
            started = perf_counter()
        assert search.total == 111, "77, 770 to 779, 7700 to 7799"
        assert sorted(slices)[len(slices) // 2] < 0.03
        assert await found(pane, pilot, "ask 4321 about") == (1, 1)
        assert marked(pane, "pane--hit-current") == ["ask 4321 about"]
        assert pane._flow.rendered - rendered < 60


WORDS = st.lists(
    st.sampled_from(
        [
            "ore",
            "*ore*",
            "**o**re",
            "`ore`",
            "- ore",
            "\n",
            "\n\n",
            "1. ore",
            "> ore",
            "rock",
            "_ore_",
            "| ore |",
            "# ore",
        ]
    ),
    max_size=14,
).map(" ".join)


@settings(max_examples=150, deadline=None)
@given(st.lists(WORDS, min_size=1, max_size=3), st.sampled_from(["ore", "ore rock", "rock"]))
def test_walking_all_hits_visits_exactly_what_the_rows_show(texts: list[str], query: str) -> None:
    flow = Flow()
    flow.fill([Block(str(number), BlockKind.ASSISTANT, text) for number, text in enumerate(texts)])
    flow.lay(
        Paper(
            40, 39, Palette(**{name.removeprefix("pane--").replace("-", "_"): Style() for name in COMPONENTS})
        )
    )
    search = Search(flow, query)
    while not search.run(1):
        pass
    shown = 0
    for view in flow.views:
        flow.open(view)
        for index in range(len(view.pieces)):
            shown += sum(hit[2] > 0 for row in search.marks(view, index) for hit in row)
    walked: set[tuple[int, int, int, int]] = set()
    search.begin_near(0, len(flow.views) - 1)
    for _ in range(2 * shown + 8):
        place = search.locate()
        if place is not None and search.view is not None:
            walked.add((search.view.index, place[0], place[1][0], place[1][1]))
        if not search.step(1):
            break
    assert len(walked) <= shown
    if search.total == shown:
        assert len(walked) == shown


@pytest.mark.parametrize("query", ["[", "(", "a\\", "*", "\\d+", "   "])
async def test_any_text_can_be_looked_for(pane_app: PaneApp, query: str) -> None:
    async with pane_app((60, 24)) as (pane, pilot):
        pane.replace([Block("u", BlockKind.USER, f"x {query} y \\d+ a\\ ( [ *")])
        pane.find(query)
        await pilot.pause()
        assert (pane.search is None) == (not query.strip())
        if pane.search is not None:
            assert pane.search.total >= 1
