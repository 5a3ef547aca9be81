"""The inspector's list and tabs with keys and mouse, at both sizes."""

from __future__ import annotations

import json
from typing import Any

import pytest
from support.sessions import make_session
from textual.pilot import Pilot
from ui_real import ready, send
from ui_samples import OneWidget, exchange, request_body, stream_events, text_of
from ui_stand_in import until

from tui.app import OutcropApp
from tui.core.exchange import Exchange
from tui.sandbox.server import SandboxServer
from tui.screens.inspector_screen import InspectorScreen
from tui.widgets.inspection.lines import HintLine
from tui.widgets.inspection.page import PageLines
from tui.widgets.inspection.tab_strip import TabStrip
from tui.widgets.inspector import Inspector

SIZES = [(80, 24), (160, 48)]
USAGE = {
    "input_tokens": 12_004,
    "output_tokens": 310,
    "input_tokens_details": {"cached_tokens": 0, "cache_write_tokens": 1_024},
}


def three() -> list[Exchange]:
    """Each longer than the one before; the instructions of the last are others."""
    items = request_body()["input"]
    bodies = [
        request_body(previous_response_id=None, instructions="Be brief.", input=items),
        request_body(
            previous_response_id=None,
            instructions="Be brief.",
            input=[*items, {"role": "user", "content": "Why?"}],
        ),
        request_body(
            previous_response_id=None,
            instructions="Be thorough.",
            input=[*items, {"role": "user", "content": "Why?"}, {"role": "user", "content": "And page 4?"}],
        ),
    ]
    made = [
        exchange(number, body=json.dumps(body).encode(), events=stream_events(["Hi", "."], USAGE))
        for number, body in enumerate(bodies, 1)
    ]
    for one in made:
        one.started_at += one.number * 30
    return made


async def settled(pilot: Pilot[Any]) -> str:
    for _ in range(2):
        await pilot.pause()
        await pilot.app.workers.wait_for_complete()
    await pilot.pause()
    return text_of(pilot.app)


def page_text(app: Any) -> str:
    rows = app.screen.query_one(PageLines).rows
    return "\n".join(rows.plain_row(index, 80).text for index in range(len(rows)))


@pytest.mark.parametrize("size", SIZES)
async def test_filter_find_marks_and_notes_with_the_keyboard(size: tuple[int, int]) -> None:
    exchanges = three()
    exchanges[1].status = 429
    app = OneWidget()
    notes: list[tuple[str, bool, str]] = []
    async with app.run_test(size=size) as pilot:
        await app.push_screen(screen := InspectorScreen(exchanges))
        inspector = screen.inspector
        inspector.keep_note = lambda one, bookmarked, note: notes.append((one.id, bookmarked, note))
        await settled(pilot)
        # The filter works as one types, and Esc takes it away before it closes anything.
        await pilot.press("f", *"status:4xx")
        assert "1 of 3" in await settled(pilot)
        assert inspector.current_exchange is exchanges[1]
        await pilot.press("enter", "w", *"odd one", "enter", "b")
        assert exchanges[1].note == "odd one"
        assert notes == [("ex-2-1", False, "odd one"), ("ex-2-1", True, "odd one")]
        await pilot.press("escape")
        text = await settled(pilot)
        assert "★" in text
        assert "of 3" not in text
        await pilot.press("f", *"is:bookmarked", "enter")
        await settled(pilot)
        assert inspector.current_exchange is exchanges[1]
        assert page_text(app).startswith("★ odd one")
        await pilot.press("f", *" zzz")
        assert "No request passes the filter" in await settled(pilot)
        await pilot.press("escape", "end", "2", "slash", *"page 4")
        assert "1 of 1" in await settled(pilot)
        await pilot.press("escape")
        await settled(pilot)
        # The hit is where the cursor is: it can be copied, and so can its path.
        await pilot.press("y")
        assert app.copied == "And page 4?"
        await pilot.press("Y")
        assert app.copied == "$.input[5].content"
        node = inspector.current_node
        assert node is not None
        assert (node.value, node.path) == ("And page 4?", "$.input[5].content")
        # Escape once more forgets the words, and once more closes.
        await pilot.press("escape")
        assert isinstance(app.screen, InspectorScreen)
        await pilot.press("escape")
        await pilot.pause()
        assert not isinstance(app.screen, InspectorScreen)


@pytest.mark.parametrize("size", SIZES)
async def test_a_tree_is_folded_with_keys_and_mouse(size: tuple[int, int]) -> None:
    app = OneWidget()
    async with app.run_test(size=size) as pilot:
        await app.push_screen(InspectorScreen(three()[:1]))
        await pilot.press("2", "enter")
        await settled(pilot)
        page = app.screen.query_one(PageLines)
        whole = page_text(app)
        top = next(n for n, line in enumerate(whole.split("\n")) if line.startswith("▾ {"))
        for _ in range(top):
            await pilot.press("down")
        await pilot.press("left")
        assert page_text(app).split("\n")[top:] == ["▸ {9}" + page_text(app).split("\n")[top][5:]]
        await pilot.press("right", "minus", "enter")
        assert "▸ input: [4]" in page_text(app)
        await pilot.press("plus")
        assert page_text(app).count("type: ") == whole.count("type: ")
        # A click on the sign of a fold.
        await pilot.press("home", "minus")
        line = next(n for n, text in enumerate(page_text(app).split("\n")) if text.startswith(("▸ {", "▾ {")))
        page.scroll_to(y=0, animate=False)
        await pilot.pause()
        before = len(page.rows)
        await pilot.click(PageLines, offset=(1, line))
        assert len(page.rows) != before


@pytest.mark.parametrize("size", SIZES)
async def test_diff_compares_with_the_one_before_or_the_marked_one(size: tuple[int, int]) -> None:
    app = OneWidget()
    async with app.run_test(size=size) as pilot:
        await app.push_screen(screen := InspectorScreen(three()))
        await pilot.press("5")
        await settled(pilot)
        text = page_text(app)
        assert text.startswith("Structure  #2.1 before, #3.1 now")
        assert '~ $.instructions  changed\n    - "Be brief."\n    + "Be thorough."' in text
        assert "+ $.input[5]  added" in text
        assert "$.input[4]" not in text
        await pilot.press("home", "m", "end")
        await settled(pilot)
        assert screen.inspector.marked is not None
        assert screen.inspector.marked.number == 1
        assert page_text(app).startswith("Structure  #1.1 before, #3.1 now")
        assert "+ $.input[4]  added" in page_text(app)
        await pilot.press("r")
        await settled(pilot)
        assert "The first byte that differs is number" in page_text(app)
        assert '-  "instructions": "Be brief."' in page_text(app)
        await pilot.press("r")
        await settled(pilot)
        text = page_text(app)
        assert text.startswith("#1.1 ")
        rows = [line.split(" │ ") for line in text.split("\n")]
        assert all(len(row) == 2 for row in rows)
        (words,) = [row for row in rows if row[0].startswith("instructions: ")]
        assert "Be brief" in words[0]
        assert "Be thor" in words[1]


@pytest.mark.parametrize("size", SIZES)
async def test_cache_names_the_cause_and_colours_what_could_have_been_cached(size: tuple[int, int]) -> None:
    app = OneWidget()
    exchanges = three()
    async with app.run_test(size=size) as pilot:
        await app.push_screen(InspectorScreen(exchanges))
        await pilot.press("6")
        await settled(pilot)
        flat = " ".join(page_text(app).split())
        assert 'instructions changed: "Be brief." became "Be thorough."' in flat
        assert "written" in flat
        assert "1,024 9%" in flat
        assert "▌" not in flat
        # The second has the whole of the first before it.
        await pilot.press("up")
        await settled(pilot)
        text = page_text(app)
        assert "The prefix is the same; the server reported 0." in " ".join(text.split())
        tinted = [line[1:].strip() for line in text.split("\n") if line.startswith("▌ ")][1:]
        assert 'content: "And page 3?"' in tinted
        assert 'instructions: "Be brief."' in tinted
        assert not any("Why?" in line or line.startswith(("model", "store")) for line in tinted)
        # The same in the bytes.
        await pilot.press("r")
        await settled(pilot)
        rows = app.screen.query_one(PageLines).rows
        lines = [rows.plain_row(index, 80) for index in range(len(rows))]
        body = next(n for n, line in enumerate(lines) if line.text.startswith("Body"))
        coloured = "".join(
            line.text[start:end]
            for line in lines[body + 1 :]
            for start, end, mark in line.spans
            if mark == "success"
        )
        assert '{"role": "user", "content": "And page 3?"}' in coloured
        assert '"Be brief."' in coloured
        assert "Why?" not in coloured
        assert '"store"' not in coloured


@pytest.mark.parametrize("size", SIZES)
async def test_stream_has_waterfall_rates_and_the_bytes_as_they_came(size: tuple[int, int]) -> None:
    one = three()[0]
    app = OneWidget()
    async with app.run_test(size=size) as pilot:
        await app.push_screen(InspectorScreen([one]))
        await pilot.press("3")
        screen = await settled(pilot)
        flat = " ".join(screen.replace("\N{NO-BREAK SPACE}", " ").split())
        for shown in (
            "connect",
            "sent",
            "first byte",
            "first text",
            "message",
            "end",
            "7 events",
            "310 tokens",
        ):
            assert shown in flat
        assert "longest gap 1.30 s before #7" in flat
        await pilot.press("r", "enter")
        await settled(pilot)
        text = page_text(app)
        assert text.startswith("── 412 ms · ")
        assert "event: response.created␊" in text
        assert text.count("── ") >= len(one.chunks)


async def test_hints_and_narrow_tabs_answer_to_the_mouse() -> None:
    app = OneWidget()
    async with app.run_test(size=(54, 40)) as pilot:
        await app.push_screen(screen := InspectorScreen(three()))
        await settled(pilot)
        strip = app.screen.query_one(TabStrip)
        assert strip.render().plain.startswith(" Shape  Request  Stream ")
        await pilot.click(TabStrip, offset=(strip.render().plain.index("Cache") + 1, 0))
        await settled(pilot)
        assert "instructions changed" in page_text(app)
        hints = app.screen.query_one(HintLine)
        await pilot.click(HintLine, offset=(hints.render().plain.index("/ find") + 2, 0))
        await pilot.press(*"brief")
        assert "1 of " in await settled(pilot)
        assert screen.inspector.has_focus_within


async def test_beside_the_conversation_a_note_is_kept_with_the_history(sandbox: SandboxServer) -> None:
    session = make_session(sandbox)
    app = OutcropApp(session)
    async with app.run_test(size=(120, 40)) as pilot:
        conversation = await ready(app, pilot)
        await send(app, pilot, "hello")
        await pilot.press("f12")
        await settled(pilot)
        inspector = app.screen.query_one(Inspector)
        assert inspector.size.width < 60
        await pilot.press("6")
        await until(pilot, lambda: "this is the first request" in page_text(app))
        await pilot.press("b", "w", *"look here", "enter", "z")
        await settled(pilot)
        assert inspector.size.width >= 119
        await pilot.press("z", "f12")
    await session.aclose()
    session = make_session(sandbox)
    await session.open(conversation)
    (kept,) = session.exchanges(conversation)
    assert (kept.bookmarked, kept.note) == (True, "look here")
    await session.aclose()
