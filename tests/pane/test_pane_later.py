"""Turns whose blocks are made when they come near are drawn and found as if they had been made at once."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hypothesis import given, settings
from hypothesis import strategies as st
from textual.geometry import Region

from tui.core.conversation import Conversation
from tui.core.items import Item, Outcome, Turn, Usage, user_message
from tui.screens.turn_blocks import LaterTurn, path_blocks, turn_blocks
from tui.widgets.conversation_pane import BlockKind, ConversationPane
from tui.widgets.transcript.block import Block
from tui.widgets.transcript.flow import Flow
from tui.widgets.transcript.later import LaterView
from tui.widgets.transcript.search import Search

if TYPE_CHECKING:
    from conftest import PaneApp

COUNT = 150


def turn_of(number: int, answer: str, prompt: str = "", **more: object) -> Turn:
    message = Item.of(
        {"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": answer}]}
    )
    return Turn(
        **{  # type: ignore[arg-type]
            "id": f"t{number}",
            "parent_id": f"t{number - 1}" if number else None,
            "input": (user_message(prompt or f"Question {number}?"),),
            "created_at": 1.0,
            "output": (message,),
            "outcome": Outcome.COMPLETED,
            **more,
        }
    )


def conversation() -> Conversation:
    turns = [
        turn_of(
            number,
            f"Answer {number} with *emphasis*.\n\n"
            + "word " * (number * 7 % 90)
            + "\n- a needle" * (number % 40 == 3),
            usage=Usage(number, output_tokens=5) if number % 3 else None,
            notices=("Said before.",) if number % 50 == 1 else (),
        )
        for number in range(COUNT)
    ]
    return Conversation("c", 0.0, turns={turn.id: turn for turn in turns}, tip=turns[-1].id)


def made_at_once(talk: Conversation) -> list[Block]:
    return [block for turn in talk.path() for block in turn_blocks(turn)]


def screen(pane: ConversationPane) -> list[str]:
    strips = pane.render_lines(Region(0, 0, pane.size.width, pane.size.height))
    return [strip.text.rstrip() for strip in strips]


def unmade(pane: ConversationPane) -> int:
    return sum(isinstance(view, LaterView) for view in pane._flow.views)


async def test_a_long_path_is_drawn_as_if_it_had_been_made_at_once(pane_app: PaneApp) -> None:
    talk = conversation()
    shown: list[list[list[str]]] = []
    async with pane_app((70, 24)) as (pane, pilot):
        for blocks in (made_at_once(talk), path_blocks(talk)):
            pane.replace(blocks)
            screens = [screen(pane)]
            assert unmade(pane) == (0 if blocks[0] == made_at_once(talk)[0] else COUNT - 40)
            for _ in range(90):
                pane.action_page_up()
                screens.append(screen(pane))
            pane.action_scroll_home()
            screens.append(screen(pane))
            for _ in range(60):
                pane.action_page_down()
                screens.append(screen(pane))
            pane.scroll_to_block("t71:user")
            screens.append(screen(pane))
            shown.append(screens)
            assert pane.plain_text("t33:out0") == talk.turns["t33"].text
            assert pane.answer_of("t34") == talk.turns["t34"].text
            assert not pane.has_block("t35:out7") and not pane.has_block("nothing:user")
        assert shown[0] == shown[1]
        # Only what came near was made: the middle of the conversation is as it was.
        pane.replace(path_blocks(talk))
        pane.action_scroll_home()
        await pilot.resize_terminal(50, 20)
        await pilot.pause()
        assert unmade(pane) > COUNT - 40 - 20
        assert screen(pane)[1].endswith("Question 0?")
        pane.scroll_to(y=pane.max_scroll_y // 2, animate=False)
        await pilot.pause()
        assert any("Answer" in line or "word" in line or "Question" in line for line in screen(pane))


async def test_a_search_finds_in_turns_that_are_not_made_what_is_there(pane_app: PaneApp) -> None:
    talk = conversation()
    totals: list[dict[str, int]] = []
    async with pane_app((70, 24)) as (pane, pilot):
        for blocks in (made_at_once(talk), path_blocks(talk)):
            pane.replace(blocks)
            found: dict[str, int] = {}
            for query in ("needle", "Said before", "Question 1", "emphasis", "147 tokens", "absent"):
                pane.find(query)
                while pane.search is not None and not pane.search.done:
                    await pilot.pause()
                assert pane.search is not None
                found[query] = pane.search.total
                pane.stop_finding()
            totals.append(found)
        assert totals[0] == totals[1] and totals[0]["needle"] == 4
        pane.replace(path_blocks(talk))
        pane.find("needle")
        while pane.search is not None and not pane.search.done:
            await pilot.pause()
        for _ in range(5):
            pane.find_next(-1)
            assert any("needle" in line for line in screen(pane))
        assert unmade(pane) > 0


ODD = st.text(st.sampled_from([*'orek OREK*_~`\\"/\n\t[]()#|>é–\u2028\x00']), max_size=24)

QUERIES = st.sampled_from(["ore", "o", '"', "\\", "re*k", "é", "/", "ore k", "tokens", "12"])


@settings(max_examples=300, deadline=None)
@given(
    ODD,
    ODD,
    st.sampled_from(["ore", "o", '"', "\\", "re*k", "é", "/", "ore k", "tokens", "12"]),
    st.booleans(),
)
def test_what_a_turn_may_hold_leaves_out_nothing(prompt: str, answer: str, query: str, used: bool) -> None:
    turn = turn_of(0, answer, prompt, usage=Usage(12, output_tokens=3) if used else None)
    made, later = Flow(), Flow()
    made.fill(turn_blocks(turn))
    later.fill([LaterTurn.of(turn, None)])
    counts: list[int] = []
    for flow in (made, later):
        search = Search(flow, query)
        while not search.run(1):
            pass
        counts.append(search.total)
    assert counts[0] == counts[1]


def test_a_turn_of_tools_and_a_summary_are_no_promises() -> None:
    output = Item.of({"type": "function_call_output", "call_id": "c", "output": "{}"})
    turns = [
        turn_of(0, "", summary=True, output=()),
        turn_of(1, "", input=(output,)),
        *(turn_of(number, "Yes.") for number in range(2, 60)),
    ]
    talk = Conversation("c", 0.0, turns={turn.id: turn for turn in turns}, tip="t59")
    blocks = path_blocks(talk)
    promised = [block.group for block in blocks if isinstance(block, LaterTurn)]
    assert promised == [f"t{number}" for number in range(2, 20)]
    assert all(
        block.blocks()[0].id == f"{block.group}:user" and block.blocks()[0].kind is BlockKind.USER
        for block in blocks
        if isinstance(block, LaterTurn)
    )
