from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from textual.geometry import Offset, Region

from tui.widgets.conversation_pane import Block, BlockKind, ConversationPane

if TYPE_CHECKING:
    from conftest import PaneApp
    from textual.pilot import Pilot

LONG = "Alpha beta gamma delta epsilon zeta eta theta iota kappa lambda mu nu xi omicron pi rho sigma tau."


async def drag(
    pane: ConversationPane, pilot: Pilot[None], start: tuple[int, int], end: tuple[int, int]
) -> str:
    await pilot.mouse_down(pane, offset=start)
    await pilot.hover(pane, offset=end)
    await pilot.mouse_up(pane, offset=end)
    await pilot.pause()
    return pane.screen.get_selected_text() or ""


def marked(pane: ConversationPane) -> list[str]:
    """The text that is drawn in the colours of a selection, row by row."""
    background = pane.selection_style.bgcolor
    rows = []
    for strip in pane.render_lines(Region(0, 0, pane.size.width, pane.size.height)):
        text = "".join(s.text for s in strip if s.style is not None and s.style.bgcolor == background)
        if text:
            rows.append(text)
    return rows


async def test_a_drag_marks_and_copies_without_gutter_and_joins_soft_wraps(pane_app: PaneApp) -> None:
    async with pane_app((40, 24)) as (pane, pilot):
        pane.replace(
            [Block("u", BlockKind.USER, LONG, "You"), Block("a", BlockKind.ASSISTANT, "- item\n- other", "g")]
        )
        await pilot.pause()
        text = await drag(pane, pilot, (3, 1), (30, 3))
        assert text == LONG[: len(text)] and "\n" not in text and len(text) > 60
        assert " ".join(part.strip() for part in marked(pane)) == text
        assert not any("▌" in part for part in marked(pane))


async def test_a_drag_over_blocks_keeps_lines_apart(pane_app: PaneApp) -> None:
    async with pane_app((60, 24)) as (pane, pilot):
        pane.replace(
            [
                Block("u", BlockKind.USER, "ask this", "You"),
                Block(
                    "a", BlockKind.ASSISTANT, "- item\n- other\n\n> said\n\n```py\nx = 1\n  y = 2\n```", "g"
                ),
            ]
        )
        await pilot.pause()
        text = await drag(pane, pilot, (3, 1), (30, 13))
        assert text == "ask this\n\ng\n• item\n• other\n\nsaid\n\nx = 1\n  y = 2"


async def test_a_wrapped_line_of_code_is_copied_as_one(pane_app: PaneApp) -> None:
    async with pane_app((40, 24)) as (pane, pilot):
        code = "value = " + "+".join(f"name{number}" for number in range(12))
        pane.replace([Block("a", BlockKind.ASSISTANT, f"```\n{code}\nnext\n```")])
        await pilot.pause()
        text = await drag(pane, pilot, (5, 0), (30, 3))
        assert text.split("\n")[0] == code


async def test_a_selection_stays_on_its_words_while_more_streams_in(pane_app: PaneApp) -> None:
    async with pane_app((60, 24)) as (pane, pilot):
        pane.replace(
            [Block("u", BlockKind.USER, "keep these words", "You"), Block("a", BlockKind.ASSISTANT, "")]
        )
        await pilot.pause()
        text = await drag(pane, pilot, (3, 1), (9, 1))
        pane.feed("a", "paragraph\n\n" * 8)
        await pane.drained()
        assert text == "keep th" == pane.screen.get_selected_text()
        assert marked(pane) == ["keep th"]
        pane.insert_before("u", Block("n", BlockKind.NOTICE, "before"))
        await pilot.pause()
        assert pane.screen.get_selected_text() == text and marked(pane) == [text]


async def test_wide_characters_are_selected_whole(pane_app: PaneApp) -> None:
    async with pane_app((60, 24)) as (pane, pilot):
        pane.replace([Block("u", BlockKind.USER, "日本語 text", "You")])
        await pilot.pause()
        assert await drag(pane, pilot, (5, 1), (7, 1)) == "本語"


async def test_a_double_click_selects_a_word_and_not_the_conversation(pane_app: PaneApp) -> None:
    async with pane_app((60, 24)) as (pane, pilot):
        pane.replace([Block("u", BlockKind.USER, "one two-three four", "You")])
        await pilot.pause()
        await pilot.click(pane, offset=(9, 1), times=2)
        await pilot.pause()
        assert pane.screen.get_selected_text() == "two-three"
        await pilot.click(pane, offset=(9, 1), times=3)
        await pilot.pause()
        assert pane.screen.get_selected_text() == "one two-three four"


async def test_a_selection_stays_on_its_words_when_the_width_changes(pane_app: PaneApp) -> None:
    async with pane_app((60, 24)) as (pane, pilot):
        pane.replace(
            [
                Block("u", BlockKind.USER, LONG, "You"),
                Block("a", BlockKind.ASSISTANT, f"- {LONG}\n- *{LONG}* 日本語の文章\n", "gpt"),
            ]
        )
        await pilot.pause()
        text = await drag(pane, pilot, (9, 1), (20, 6))
        assert text.startswith("beta gamma") and len(text.split("\n")) == 4
        for width in (31, 100, 47, 60):
            await pilot.resize_terminal(width, 24)
            await pilot.pause()
            assert pane.screen.get_selected_text() == text


async def test_a_selection_that_is_folded_away_is_dropped(pane_app: PaneApp) -> None:
    async with pane_app((60, 24)) as (pane, pilot):
        pane.replace([Block("r", BlockKind.REASONING, "why\n\nbecause"), Block("u", BlockKind.USER, "ask")])
        await pilot.pause()
        assert await drag(pane, pilot, (3, 3), (9, 3)) == "because"
        pane.toggle_fold("r")
        await pilot.pause()
        assert not pane.screen.get_selected_text()
        assert await drag(pane, pilot, (3, 2), (5, 2)) == "ask"
        pane.toggle_fold("r")
        await pilot.pause()
        assert pane.screen.get_selected_text() == "ask" and marked(pane) == ["ask"]


async def test_a_selection_in_an_open_paragraph_stays_when_marks_become_emphasis(pane_app: PaneApp) -> None:
    async with pane_app((60, 24)) as (pane, pilot):
        pane.replace([Block("a", BlockKind.ASSISTANT, "")])
        pane.feed("a", "Some **bold words and")
        await pane.drained()
        await pilot.pause()
        assert await drag(pane, pilot, (15, 0), (19, 0)) == "words"
        pane.feed("a", " more** of it.\n\nNext.")
        await pane.drained()
        await pilot.pause()
        assert pane.screen.get_selected_text() == "words" and marked(pane) == ["words"]
        pane.close_block("a", text="Another text altogether.")
        await pilot.pause()
        assert not pane.screen.get_selected_text()


async def test_dragging_at_an_edge_scrolls_on_and_selects_what_comes(pane_app: PaneApp) -> None:
    async with pane_app((60, 12)) as (pane, pilot):
        pane.replace([Block("u", BlockKind.USER, "\n".join(f"line {number}" for number in range(60)))])
        await pilot.pause()
        last = pane._window[4][1].copyable
        await pilot.mouse_down(pane, offset=(3, 4))
        await pilot.hover(pane, offset=(6, 0))
        while int(pane._window[0][1].copyable[5:]) > 30:
            await pilot.pause(0.02)
        await pilot.hover(pane, offset=(3, 5))
        at = pane._window[0][1].copyable
        await pilot.pause(0.12)
        assert pane._window[0][1].copyable == at, "away from the edge it stands still"
        await pilot.hover(pane, offset=(3, 1))
        await pilot.hover(pane, offset=(3, 0))
        text = pane.screen.get_selected_text() or ""
        await pilot.mouse_up(pane, offset=(3, 0))
        assert text.startswith(at) and text.endswith(f"{last[:1]}")
        assert text.count("\n") == int(last[5:]) - int(at[5:])


async def test_selecting_everything_in_a_long_conversation_copies_sources(pane_app: PaneApp) -> None:
    async with pane_app((60, 24)) as (pane, pilot):
        pane.replace(
            [Block(f"b{number}", BlockKind.ASSISTANT, f"text **{number}**") for number in range(500)]
        )
        await pilot.pause()
        pane.text_select_all()
        text = pane.screen.get_selected_text() or ""
        assert text.startswith("text 0\n") and text.endswith("text 499") and "text **250**" in text
        assert pane._flow.rendered < 100


@pytest.mark.parametrize("y", [0, 5])
async def test_the_hit_test_finds_characters(pane_app: PaneApp, y: int) -> None:
    # Textual asks `render_line` for offsets: this is the contract that selection stands on.
    async with pane_app((60, 24)) as (pane, pilot):
        pane.replace([Block("u", BlockKind.USER, "\n".join(f"line {number}" for number in range(9)))])
        await pilot.pause()
        widget, offset = pane.screen.get_widget_and_offset_at(6, y)
        assert widget is pane and offset == Offset(6, pane._window[y][0])
