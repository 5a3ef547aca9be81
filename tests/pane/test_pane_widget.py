from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from rich.cells import cell_len
from textual.geometry import Region

from tui.widgets.conversation_pane import Block, BlockKind, ConversationPane

if TYPE_CHECKING:
    from conftest import PaneApp
    from textual.pilot import Pilot

ANSWER = """# Title

Some **bold** words and `code`, with a [link](https://example.com/there).

- one
- two
  - deeper

```python
def area(radius: float) -> float:
    \"\"\"Of a
    circle.\"\"\"
    return 3.14 * radius ** 2
```

| name | value |
|------|------:|
| a    |     1 |

> quoted

1. first
2. second

The end.
"""


def screen(pane: ConversationPane) -> list[str]:
    """What the compositor gets, as text."""
    strips = pane.render_lines(Region(0, 0, pane.size.width, pane.size.height))
    return [strip.text.rstrip() for strip in strips]


def turns(count: int) -> list[Block]:
    return [
        Block(
            f"b{index}",
            BlockKind.ASSISTANT if index % 2 else BlockKind.USER,
            f"turn {index}\n\n" + "word " * 60,
            "who",
        )
        for index in range(count)
    ]


async def show(pane: ConversationPane, pilot: Pilot[None], *blocks: Block) -> list[str]:
    pane.replace(blocks)
    await pane.drained()
    await pilot.pause()
    return screen(pane)


async def test_draws_each_kind_of_block(pane_app: PaneApp) -> None:
    async with pane_app((80, 60)) as (pane, pilot):
        lines = await show(
            pane,
            pilot,
            Block("u", BlockKind.USER, "Hello *there*\n  indented", "You"),
            Block("f", BlockKind.ATTACHMENT, "", "order.pdf · 3 pages · 12 kB"),
            Block("r", BlockKind.REASONING, "think\nmore", folded=True),
            Block("a", BlockKind.ASSISTANT, ANSWER, "gpt", state="incomplete"),
            Block("e", BlockKind.ERROR, "no such region", "Failed", state="failed"),
            Block("n", BlockKind.NOTICE, "[b]not markup[/b]"),
        )
        assert lines[:3] == [" ▌ You", " ▌ Hello *there*", " ▌   indented"]
        assert "   ▤ order.pdf · 3 pages · 12 kB" in lines
        assert "   ▸ Reasoning · 2 lines" in lines
        assert "   gpt  ◐ incomplete" in lines
        assert "   Some bold words and code, with a link (example.com/there)." in lines
        assert "   • one" in lines and "     ◦ deeper" in lines
        assert "     python" in lines and "     def area(radius: float) -> float:" in lines
        assert "    name │ value" in lines and "    a    │     1" in lines
        assert "   ▎ quoted" in lines and "    2. second" in lines
        assert " ▌ Failed  ✕ failed" in lines and " ▌ no such region" in lines
        assert "   [b]not markup[/b]" in lines


async def test_blocks_are_parted_by_one_blank_row(pane_app: PaneApp) -> None:
    async with pane_app() as (pane, pilot):
        lines = await show(
            pane,
            pilot,
            Block("1", BlockKind.USER, "one", "You"),
            Block("2", BlockKind.ATTACHMENT, "", "a.pdf"),
            Block("3", BlockKind.ASSISTANT, "two", "gpt"),
            Block("4", BlockKind.USAGE, "three"),
        )
        assert lines[:9] == [" ▌ You", " ▌ one", "", "   ▤ a.pdf", "", "   gpt", "   two", "", "   three"]


async def test_streamed_text_is_drawn_as_it_would_be_afresh(pane_app: PaneApp) -> None:
    async with pane_app((80, 50)) as (pane, pilot):
        pane.append(Block("a", BlockKind.ASSISTANT, "", "gpt", state="running"))
        for start in range(0, len(ANSWER), 7):
            pane.feed("a", ANSWER[start : start + 7])
            if start % 5 == 0:
                await pane.drained()
        await pane.drained()
        pane.close_block("a")
        await pilot.pause()
        streamed = [list(strip) for strip in pane.render_lines(Region(0, 0, 80, 49))]
        await show(pane, pilot, Block("a", BlockKind.ASSISTANT, ANSWER, "gpt"))
        assert [list(strip) for strip in pane.render_lines(Region(0, 0, 80, 49))] == streamed
        assert pane.plain_text("a") == ANSWER


async def test_the_final_text_replaces_what_was_fed(pane_app: PaneApp) -> None:
    async with pane_app() as (pane, pilot):
        pane.append(Block("a", BlockKind.ASSISTANT, "", "gpt", state="running"))
        pane.feed("a", "half of i")
        pane.close_block("a", text="All of it.", state="stopped", title="gpt-5")
        await pane.drained()
        assert screen(pane)[:2] == ["   gpt-5  ■ stopped", "   All of it."]
        assert pane.plain_text("a") == "All of it."
        pane.feed("a", " And more.")
        await pane.drained()
        await pilot.pause()
        assert screen(pane)[1] == "   All of it. And more."


async def test_text_fed_at_once_is_taken_in_slices_and_all_arrives(pane_app: PaneApp) -> None:
    async with pane_app() as (pane, _):
        pane.append(Block("a", BlockKind.ASSISTANT, ""))
        text = "".join(f"Paragraph {number}.\n\n" for number in range(5000))
        pane.feed("a", text)
        await pane.drained()
        assert "   Paragraph 4999." in screen(pane)
        assert pane.plain_text("a") == text
        # Off-screen paragraphs are split, not rendered.
        assert pane._flow.rendered < 1500


async def test_feeding_a_block_that_is_not_there_is_an_error(pane_app: PaneApp) -> None:
    async with pane_app() as (pane, _):
        with pytest.raises(KeyError):
            pane.feed("nobody", "x")
        pane.append(Block("a", BlockKind.USER, "x"))
        with pytest.raises(ValueError, match="taken"):
            pane.append(Block("a", BlockKind.USER, "x"))


async def test_follows_the_end_until_scrolled_up_and_again_after_end(pane_app: PaneApp) -> None:
    async with pane_app() as (pane, pilot):
        await show(pane, pilot, *turns(20), Block("a", BlockKind.ASSISTANT, ""))
        assert pane.following
        pane.feed("a", "line\n\n" * 30)
        await pane.drained()
        assert "   line" in screen(pane)[-3:]
        await pilot.press("pageup")
        before = screen(pane)
        assert not pane.following
        pane.feed("a", "later\n\n" * 30)
        await pane.drained()
        await pilot.pause()
        assert screen(pane) == before
        told = [message for message in pilot.app.heard if isinstance(message, ConversationPane.FollowChanged)]  # type: ignore[attr-defined]
        assert not told[-1].following and told[-1].below >= 60
        await pilot.press("end")
        await pilot.pause()
        assert pane.following and "   later" in screen(pane)[-3:]
        told = [message for message in pilot.app.heard if isinstance(message, ConversationPane.FollowChanged)]  # type: ignore[attr-defined]
        assert told[-1].following and told[-1].below == 0


async def test_scrolling_down_to_the_end_follows_again(pane_app: PaneApp) -> None:
    async with pane_app() as (pane, pilot):
        await show(pane, pilot, *turns(20))
        await pilot.press("up", "up", "up")
        assert not pane.following
        await pilot.press("down", "down", "down")
        assert pane.following


async def test_scrolling_moves_exactly_by_rows_over_blocks_never_seen(pane_app: PaneApp) -> None:
    async with pane_app() as (pane, pilot):
        await show(pane, pilot, *turns(40))
        for _ in range(30):
            before = screen(pane)
            pane.scroll_lines(-5)
            assert screen(pane)[5:] == before[:-5]
        for _ in range(10):
            before = screen(pane)
            pane.scroll_lines(3)
            assert screen(pane)[:-3] == before[3:]


async def test_the_wheel_and_home_scroll(pane_app: PaneApp) -> None:
    async with pane_app() as (pane, pilot):
        await show(pane, pilot, *turns(40))
        before = screen(pane)
        await pilot._post_mouse_events(
            [__import__("textual.events", fromlist=["x"]).MouseScrollUp], pane, (5, 5)
        )
        await pilot.pause()
        moved = screen(pane)
        assert moved != before and moved[-3:] != before[-3:] and not pane.following
        await pilot.press("home")
        assert screen(pane)[:2] == [" ▌ who", " ▌ turn 0"]
        await pilot.press("pagedown")
        assert screen(pane)[0] != " ▌ who"


async def test_ten_thousand_blocks_render_only_what_is_seen(pane_app: PaneApp) -> None:
    async with pane_app() as (pane, pilot):
        await show(pane, pilot, *turns(10_000))
        assert pane._flow.rendered < 40
        assert sum(bool(view.pieces) for view in pane._flow.views) < 20
        await pilot.resize_terminal(100, 30)
        await pilot.pause()
        assert pane._flow.rendered < 100
        await pilot.press("pageup", "pageup")
        assert pane._flow.rendered < 160
        pane.scroll_to(y=pane.max_scroll_y // 2, animate=False)
        await pilot.pause()
        assert pane._flow.rendered < 220
        assert any("turn" in line or "word" in line for line in screen(pane))


async def test_rows_that_are_long_out_of_sight_are_dropped(pane_app: PaneApp) -> None:
    async with pane_app() as (pane, pilot):
        await show(pane, pilot, *turns(1500))
        for _ in range(300):
            pane.scroll_lines(-20)
        kept = sum(len(piece.rows or ()) for view in pane._flow.views for piece in view.pieces)
        assert kept < 3000
        before = screen(pane)
        pane.scroll_lines(4000)
        pane.scroll_lines(-4000)
        assert len(screen(pane)) == len(before)


async def test_resizing_keeps_the_block_in_sight(pane_app: PaneApp) -> None:
    async with pane_app((80, 24)) as (pane, pilot):
        await show(pane, pilot, *turns(60))
        pane.scroll_lines(-100)
        anchor = pane._anchor
        assert anchor is not None
        for width in (120, 40, 80):
            await pilot.resize_terminal(width, 24)
            await pilot.pause()
            assert pane._anchor is not None
            assert abs(pane._anchor.view.index - anchor.view.index) <= 1
            lines = screen(pane)
            strips = pane.render_lines(Region(0, 0, width, 23))
            assert all(strip.cell_length == width for strip in strips)
            assert len(lines) == 23


async def test_folding(pane_app: PaneApp) -> None:
    async with pane_app() as (pane, pilot):
        reasoning = Block("r", BlockKind.REASONING, "first\n\nsecond", "Reasoning", folded=True)
        lines = await show(pane, pilot, reasoning, Block("a", BlockKind.ASSISTANT, "answer"))
        assert lines[:3] == ["   ▸ Reasoning · 3 lines", "", "   answer"]
        await pilot.click(pane, (6, 0))
        await pilot.pause()
        assert screen(pane)[:6] == [" │ ▾ Reasoning", " │ first", "", " │ second", "", "   answer"]
        await pilot.press("enter")
        await pilot.pause()
        assert screen(pane)[:3] == lines[:3]
        heard = [m for m in pilot.app.heard if isinstance(m, ConversationPane.FoldToggled)]  # type: ignore[attr-defined]
        assert [(m.block_id, m.folded) for m in heard] == [("r", False), ("r", True)]


async def test_a_folded_block_streams_and_can_be_unfolded_meanwhile(pane_app: PaneApp) -> None:
    async with pane_app() as (pane, pilot):
        await show(
            pane, pilot, Block("r", BlockKind.REASONING, "", "Reasoning", folded=True, state="running")
        )
        pane.feed("r", "one\n\ntwo\n\n")
        await pane.drained()
        assert screen(pane)[0] == "   ▸ Reasoning · 4 lines  ⋯"
        pane.toggle_fold("r")
        pane.feed("r", "three")
        await pane.drained()
        await pilot.pause()
        assert [line for line in screen(pane) if line] == [
            " │ ▾ Reasoning  ⋯",
            " │ one",
            " │ two",
            " │ three",
        ]


async def test_insert_update_remove_clear(pane_app: PaneApp) -> None:
    async with pane_app(empty_text="Nothing here yet") as (pane, pilot):
        assert any("Nothing here yet" in line for line in screen(pane))
        await show(pane, pilot, Block("1", BlockKind.USER, "one"), Block("3", BlockKind.ASSISTANT, "three"))
        pane.insert_before("3", Block("2", BlockKind.NOTICE, "two"))
        await pilot.pause()
        assert [line.strip() for line in screen(pane) if line] == ["▌ one", "two", "three"]
        pane.update_block(Block("2", BlockKind.NOTICE, "zwei", "title"))
        await pilot.pause()
        assert [line.strip() for line in screen(pane) if line] == ["▌ one", "title", "zwei", "three"]
        pane.remove_block("1")
        await pilot.pause()
        assert [line.strip() for line in screen(pane) if line] == ["title", "zwei", "three"]
        for number in range(40):
            pane.insert_before("3", Block(f"x{number}", BlockKind.NOTICE, f"n{number}"))
        orders = [view.order for view in pane._flow.views]
        assert orders == sorted(set(orders))
        pane.clear()
        await pilot.pause()
        line = next(line for line in screen(pane) if "Nothing" in line)
        assert abs(len(line) - len(line.lstrip()) - (80 - len("Nothing here yet")) // 2) <= 1


async def test_a_link_posts_its_target_and_none_is_opened(pane_app: PaneApp) -> None:
    async with pane_app() as (pane, pilot):
        lines = await show(
            pane, pilot, Block("a", BlockKind.ASSISTANT, "See [here](https://example.com/x) now")
        )
        await pilot.click(pane, (lines[0].index("here") + 1, 0))
        await pilot.pause()
        assert [m.href for m in pilot.app.heard if isinstance(m, ConversationPane.LinkClicked)] == [  # type: ignore[attr-defined]
            "https://example.com/x"
        ]


@pytest.mark.parametrize("kind", list(BlockKind))
async def test_no_control_character_reaches_a_strip(pane_app: PaneApp, kind: BlockKind) -> None:
    evil = (
        "a\x1b]52;c;aGFja2Vk\x07b \x9b2J \u202etxt.exe\u202c \x00 \x7f \ud83d \u2066x\u2069 \u2028 \x08\r z"
    )
    async with pane_app() as (pane, pilot):
        await show(
            pane,
            pilot,
            Block(
                "1",
                kind,
                f"{evil}\n\n```{evil}\n{evil}\n```\n\n| {evil} |\n|--|\n| {evil} |",
                evil,
                state=evil,
            ),
            Block("2", kind, "", "t"),
        )
        for char in evil:
            pane.feed("2", char)
        await pane.drained()
        text = "".join(screen(pane))
        bad = {char for char in text if not char.isprintable()}
        assert not bad, bad
        assert "␛" in text and "52;c;" in text


async def test_wide_characters_have_their_width(pane_app: PaneApp) -> None:
    async with pane_app((40, 24)) as (pane, pilot):
        text = (
            "日本語の文章はとても長いので、折り返されます。"
            * 3
            + "\n\n👩‍👩‍👧‍👦 family, e\u0301 accent, 👍🏽 tone, ❤️ heart\n\n"
            "```\n漢字漢字漢字漢字漢字漢字漢字漢字漢字漢字漢字\n```"
        )
        await show(pane, pilot, Block("a", BlockKind.ASSISTANT, text), Block("u", BlockKind.USER, text))
        strips = pane.render_lines(Region(0, 0, 40, 23))
        assert {cell_len(strip.text) for strip in strips} == {40}
        joined = "".join(line.strip(" ▌") for line in screen(pane))
        assert "日本語の文章はとても長いので、折り返されます。" in joined
        # As every terminal agrees on: the members of a family, no selector, no skin tone.
        assert "👩👩👧👦 family" in joined and "👍 tone, ❤ heart" in joined.replace("👍tone", "👍 tone")
        assert "↪ " in joined


async def test_a_wide_table_wraps_its_cells_and_loses_nothing(pane_app: PaneApp) -> None:
    async with pane_app((50, 40)) as (pane, pilot):
        words = [f"word{number}" for number in range(24)]
        table = (
            "| first | second | third |\n|---|---|---|\n| "
            + " ".join(words[:12])
            + " | b | "
            + " ".join(words[12:])
            + " |"
        )
        text = "\n".join(await show(pane, pilot, Block("a", BlockKind.ASSISTANT, table)))
        assert all(word in text for word in words)
        many = "|" + " h |" * 20 + "\n|" + "--|" * 20 + "\n|" + "".join(f" v{n} |" for n in range(20))
        text = "\n".join(await show(pane, pilot, Block("a", BlockKind.ASSISTANT, many)))
        assert all(f"h: v{number}" in text for number in range(20))


async def test_changing_the_theme_draws_everything_anew(pane_app: PaneApp) -> None:
    async with pane_app((80, 40)) as (pane, pilot):
        before = await show(pane, pilot, Block("a", BlockKind.ASSISTANT, ANSWER, "gpt"))
        looks = set()
        for theme in ("textual-light", "textual-dark", "ansi-dark", "nord"):
            if theme not in pilot.app.available_themes:
                continue
            pilot.app.theme = theme
            await pilot.pause()
            await pilot.pause()
            strips = pane.render_lines(Region(0, 0, 80, 39))
            assert screen(pane) == before
            styles = {segment.style for strip in strips for segment in strip if segment.style}
            assert all(style.bgcolor is not None for style in styles)
            looks.add(frozenset(styles))
        assert len(looks) >= 3


async def test_marks_remain_without_colours(pane_app: PaneApp, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    async with pane_app((80, 40)) as (pane, pilot):
        lines = await show(pane, pilot, Block("a", BlockKind.ASSISTANT, ANSWER, "gpt"))
        assert "   # Title" in lines
        assert "   Some bold words and `code`, with a link (example.com/there)." in lines
        strips = pane.render_lines(Region(0, 0, 80, 39))
        for strip in strips:
            for segment in strip:
                for color in (segment.style.color, segment.style.bgcolor) if segment.style else ():
                    assert color is None or color.triplet is None or len(set(color.triplet)) == 1


async def test_an_unchanged_row_is_not_painted_again(pane_app: PaneApp) -> None:
    async with pane_app((80, 40)) as (pane, pilot):
        pane.screen.set_focus(None)  # without the cursor
        await show(pane, pilot, Block("a", BlockKind.ASSISTANT, "", "gpt"))
        pane.feed("a", "first paragraph\n\nsecond ")
        await pane.drained()
        strips = pane.render_lines(Region(0, 0, 80, 39))
        regions: list[Region] = []
        refresh = pane.refresh

        def spy(*areas: Region, **options: bool) -> object:
            regions.extend(areas)
            return refresh(*areas, **options)

        pane.refresh = spy  # type: ignore[method-assign, assignment]
        pane.feed("a", "paragraph")
        await pane.drained()
        assert [(region.y, region.height) for region in regions] == [(3, 1)]
        after = pane.render_lines(Region(0, 0, 80, 39))
        assert [y for y in range(39) if after[y] is not strips[y]] == [3]


async def test_large_code_is_highlighted_off_the_loop_and_ends_up_right(pane_app: PaneApp) -> None:
    code = '"""Begins\n' + "\n".join(f"inside = {number}" for number in range(400)) + '\n"""\nafter = 1\n'
    async with pane_app((80, 30)) as (pane, pilot):
        pane.append(Block("a", BlockKind.ASSISTANT, ""))
        pane.feed("a", f"```python\n{code}```\n")
        await pane.drained()
        pane.close_block("a")
        await pane.drained()
        await pilot.pause()
        strips = pane.render_lines(Region(0, 0, 80, 29))
        inside = next(strip for strip in strips if "inside = 399" in strip.text)
        # As part of a string that began 400 lines above it is one run of text, not a statement.
        assert any(segment.text == "inside = 399" for segment in inside)
