"""The cursor in the pane, selecting by keys, parts under the cursor, turns, folding."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.geometry import Region
from textual.message import Message

from tui.messages import CommandRequested
from tui.widgets.conversation_pane import Block, BlockKind, ConversationPane

if TYPE_CHECKING:
    from conftest import PaneApp
    from textual.pilot import Pilot

ANSWER = """Words with **bold** and [a link](https://example.com/x) in them.

```python
first = 1
second = 2
```

- an item

  ```sh
  ls -l
  ```

| name | value |
|------|------:|
| a    |     1 |

The end."""


def cursor_text(pane: ConversationPane) -> str:
    """The text of the row that the cursor is on, from the cursor on."""
    assert pane._cursor is not None
    row = next(row for line_id, row in pane._window if line_id == pane._cursor[0])
    return row.text[pane._cursor[1] : row.end]


def row_text(pane: ConversationPane) -> str:
    """All of the row that the cursor is on."""
    assert pane._cursor is not None
    return next(row for line_id, row in pane._window if line_id == pane._cursor[0]).text.rstrip()


def drawn_in_reverse(pane: ConversationPane) -> str:
    strips = pane.render_lines(Region(0, 0, pane.size.width, pane.size.height))
    return "".join(s.text for strip in strips for s in strip if s.style is not None and s.style.reverse)


async def shown(pane: ConversationPane, pilot: Pilot[None], *blocks: Block) -> None:
    pane.replace(blocks)
    await pane.drained()
    await pilot.pause()


async def test_the_cursor_moves_by_rows_characters_and_words_and_takes_the_text_along(
    pane_app: PaneApp,
) -> None:
    async with pane_app((60, 11)) as (pane, pilot):
        lines = "\n".join(f"line {number} of them" for number in range(30))
        await shown(pane, pilot, Block("u", BlockKind.USER, lines))
        assert cursor_text(pane) == "line 29 of them" and drawn_in_reverse(pane) == "l"
        await pilot.press("right", "right", "l", "h")
        assert cursor_text(pane) == "ne 29 of them"
        await pilot.press("ctrl+right", "w")
        assert cursor_text(pane) == "of them"
        await pilot.press("b", "up", "k")
        assert cursor_text(pane) == "27 of them" and not pane.following
        await pilot.press("dollar_sign")
        assert cursor_text(pane) == ""
        await pilot.press("left", "0")
        assert cursor_text(pane) == "line 27 of them"
        await pilot.press("pageup", "pageup")
        top = int(pane._window[0][1].copyable.split()[1])
        assert top < 10 and drawn_in_reverse(pane) == "l", "it never leaves the viewport"
        await pilot.press(*["up"] * 30)
        assert cursor_text(pane) == "line 0 of them"
        await pilot.press("end")
        assert pane.following
        await pilot.press(*["down"] * 12)
        assert cursor_text(pane).startswith("line 29") or cursor_text(pane) == ""
        pane.screen.set_focus(None)
        await pilot.pause()
        assert drawn_in_reverse(pane) == ""


async def test_keys_select_over_soft_wraps_and_blocks_and_copy_neither_gutter_nor_fold_mark(
    pane_app: PaneApp,
) -> None:
    async with pane_app((40, 24)) as (pane, pilot):
        long = "Alpha beta gamma delta epsilon zeta eta theta iota kappa lambda."
        await shown(
            pane,
            pilot,
            Block("u", BlockKind.USER, long, "You"),
            Block("r", BlockKind.REASONING, "because", "Reasoning"),
        )
        await pilot.press("home", *["up"] * 9, "down")
        assert cursor_text(pane).startswith("Alpha beta")
        await pilot.press("v", "down", "dollar_sign")
        assert pane.selected == long and "▌" not in pane.selected
        await pilot.press("down", "down", "down", "down")
        assert pane.selected == f"{long}\n\nReasoning\nbecause\n"
        await pilot.press("escape")
        assert not pane.selected and pane.has_focus
        await pilot.press("up", "0", "shift+right", "shift+right", "L")
        assert pane.selected == "bec"
        await pilot.press("shift+left")
        assert pane.selected == "be"
        await pilot.press("right")
        assert not pane.selected, "moving without Shift ends it"
        await pilot.press("W")
        assert pane.selected == "ause"
        await pilot.press("a")
        assert pane.selected.endswith("because")


async def test_the_cursor_knows_code_tables_and_links_and_labels_say_the_key(pane_app: PaneApp) -> None:
    async with pane_app((80, 40)) as (pane, pilot):
        await shown(
            pane, pilot, Block("t1:user", BlockKind.USER, "x"), Block("t1:out0", BlockKind.ASSISTANT, ANSWER)
        )
        screen = [strip.text.rstrip() for strip in pane.render_lines(Region(0, 0, 80, 39))]
        code = next(line for line in screen if line.strip().startswith("python"))
        assert code.endswith("1"), "with several, each has its number"

        def go(text: str) -> None:
            line_id, row = next((i, row) for i, row in pane._window if text in row.text)
            pane._cursor = (line_id, row.text.index(text))
            pane._redecorate()

        go("second")
        taken = pane.part_at_cursor("code")
        assert taken is not None and taken.part.text == "first = 1\nsecond = 2"
        assert (taken.number, taken.count, taken.part.language) == (1, 2, "python")
        screen = [strip.text.rstrip() for strip in pane.render_lines(Region(0, 0, 80, 39))]
        assert next(line for line in screen if "python" in line).endswith("1 · c copies")
        go("ls -l")
        taken = pane.part_at_cursor("code")
        assert taken is not None and (taken.part.text, taken.number) == ("ls -l", 2)
        go("value")
        taken = pane.part_at_cursor("table")
        assert taken is not None
        assert taken.part.text == "| name | value |\n|------|------:|\n| a    |     1 |"
        assert pane.part_at_cursor("code") is None
        go("a link")
        assert pane.link_at_cursor == "https://example.com/x"
        go("The end")
        assert not pane.link_at_cursor and pane.go_to_link()
        assert pane.link_at_cursor == "https://example.com/x"
        await pilot.press("enter")
        await pilot.pause()
        assert [m.href for m in pilot.app.heard if isinstance(m, ConversationPane.LinkClicked)] == [  # type: ignore[attr-defined]
            "https://example.com/x"
        ]
        assert pane.answer_of("t1") == ANSWER
        assert [taken.part.text for taken in pane.parts("t1", "code")] == ["first = 1\nsecond = 2", "ls -l"]


async def test_a_label_stands_where_it_covers_no_code(pane_app: PaneApp) -> None:
    async with pane_app((60, 20)) as (pane, pilot):
        long = "x" * 48
        await shown(pane, pilot, Block("t1:out0", BlockKind.ASSISTANT, f"```\n{long}\ny = 1\n```"))
        await pilot.press("home")
        pane._cursor = (next(i for i, row in pane._window if "y = 1" in row.text), 3)
        pane._redecorate()
        screen = [strip.text.rstrip() for strip in pane.render_lines(Region(0, 0, 60, 19))]
        assert any(long in line for line in screen)
        assert next(line for line in screen if "y = 1" in line).endswith("c copies")


async def test_every_kind_of_block_folds_by_key_where_the_cursor_is(pane_app: PaneApp) -> None:
    async with pane_app((80, 60)) as (pane, pilot):
        kinds = [
            Block(f"b{number}", kind, f"{kind} one\n\n{kind} two") for number, kind in enumerate(BlockKind)
        ]
        await shown(pane, pilot, *kinds, Block("short", BlockKind.NOTICE, "only this"))
        await pilot.press("home", *["up"] * 60)
        for number, kind in enumerate(BlockKind):
            assert pane.current_block == f"b{number}"
            await pilot.press("space")
            assert pane._flow[f"b{number}"].folded
            assert pane.current_block == f"b{number}"
            line = row_text(pane)
            assert line.startswith("   ▸ ") and line.endswith("3 lines")
            assert "one" in line or kind in (BlockKind.REASONING, BlockKind.TOOL)
            await pilot.press("down", "down")
        await pilot.press("space")
        assert row_text(pane) == "   ▸ only this"
        await pilot.press("enter")
        assert cursor_text(pane) == "only this"
        folded = [m for m in pilot.app.heard if isinstance(m, ConversationPane.FoldToggled)]  # type: ignore[attr-defined]
        assert len(folded) == len(kinds) + 2


async def test_turns_are_gone_to_whatever_they_are_made_of(pane_app: PaneApp) -> None:
    async with pane_app((60, 12)) as (pane, pilot):
        blocks = []
        for number in range(6):
            blocks.append(Block(f"t{number}:user", BlockKind.USER, f"ask {number}", "You"))
            blocks.append(Block(f"t{number}:out0", BlockKind.ASSISTANT, "word\n\n" * 9, "gpt"))
        await shown(pane, pilot, *blocks)

        def top() -> str:
            return pane._flow.views[pane._flow.by_order(pane._window[0][0] >> 40)].block.id

        assert pane.go_to_turn(-1) and top() == "t5:user"
        assert pane.go_to_turn(-1) and top() == "t4:user" and pane.current_block == "t4:user"
        await pilot.press("down", "down", "down")
        assert pane.go_to_turn(-1) and top() == "t4:user", "first to the beginning of the turn itself"
        for number in (3, 2, 1, 0):
            assert pane.go_to_turn(-1) and top() == f"t{number}:user"
        assert not pane.go_to_turn(-1)
        assert pane.go_to_turn(1) and top() == "t1:user"


async def test_letters_ask_the_screen_for_commands(pane_app: PaneApp) -> None:
    async with pane_app((60, 12)) as (pane, pilot):
        await shown(pane, pilot, Block("u", BlockKind.USER, "ask"))
        asked: list[str] = []
        post = pane.post_message

        def spy(message: Message) -> bool:
            if isinstance(message, CommandRequested):
                asked.append(message.command_id)
            return post(message)

        pane.post_message = spy  # type: ignore[method-assign]
        await pilot.press(
            "y", "c", "t", "i", "slash", "n", "N", "left_square_bracket", "right_square_bracket"
        )
        await pilot.press("v", "y")
        assert asked == [
            "copy.answer", "copy.code", "copy.table", "turn.info", "find.open", "find.next", "find.previous",
            "turn.previous", "turn.next", "copy.selection",
        ]  # fmt: skip


async def test_scrolled_up_it_says_how_much_came(pane_app: PaneApp) -> None:
    async with pane_app((60, 12)) as (pane, pilot):
        await shown(
            pane,
            pilot,
            Block("u", BlockKind.USER, "\n".join(map(str, range(40)))),
            Block("a", BlockKind.ASSISTANT, "", "gpt"),
        )
        pane.scroll_lines(-10)
        await pilot.pause()

        def told() -> ConversationPane.FollowChanged:
            return [m for m in pilot.app.heard if isinstance(m, ConversationPane.FollowChanged)][-1]  # type: ignore[attr-defined]

        assert told().came == 0 and told().below == 10
        pane.feed("a", "new\n\n" * 5)
        pane.append(Block("n", BlockKind.NOTICE, "one\ntwo"))
        await pane.drained()
        await pilot.pause()
        came = told().came
        assert 11 <= came <= 14 and told().below == came + 10
        await pilot.resize_terminal(50, 12)
        await pilot.pause()
        assert told().came == came
        pane.action_scroll_end()
        await pilot.pause()
        assert told().following and told().came == 0
