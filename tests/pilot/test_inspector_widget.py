from __future__ import annotations

import hashlib
import json
import time
from typing import Any

import pytest
from textual.pilot import Pilot
from ui_samples import (
    DATA_URL,
    PDF,
    THROTTLED,
    OneWidget,
    event,
    exchange,
    request_body,
    sample_exchanges,
    stream_events,
    text_of,
)

from tui.core.answer import final_object
from tui.core.continuation import LeftOut
from tui.core.exchange import Chunk, Events, Exchange, SseRecord
from tui.core.items import Item, Outcome
from tui.screens.inspector_screen import InspectorScreen
from tui.widgets.inspection.page import PageLines
from tui.widgets.inspection.tables import EventTable
from tui.widgets.inspector import Inspector
from tui.widgets.virtual_lines import VirtualLines

SIZES = [(80, 24), (160, 48)]


async def settled(pilot: Pilot[Any]) -> str:
    await pilot.pause()
    await pilot.app.workers.wait_for_complete()
    await pilot.pause()
    return text_of(pilot.app)


def page_text(app: OneWidget) -> str:
    """All rows of the page, also those that are scrolled away, wrapped lines joined."""
    source = app.screen.query_one("#inspector-page", VirtualLines).source
    return "\n".join(source.row(index, 80).text for index in range(len(source)))


@pytest.mark.parametrize("size", SIZES)
async def test_the_list_has_every_attempt_and_follows_the_newest(size: tuple[int, int]) -> None:
    inspector = Inspector()
    app = OneWidget(inspector)
    async with app.run_test(size=size) as pilot:
        exchanges = sample_exchanges()
        inspector.show_exchanges(exchanges[:3])
        inspector.focus()
        await settled(pilot)
        assert inspector.selected is exchanges[2]
        inspector.show_exchanges(exchanges)
        screen = await settled(pilot)
        assert inspector.selected is exchanges[4]
        for shown in ("1.1", "2.1", "2.2", "429", "POST /responses", "410 ms", "3.12 s"):
            assert shown in screen
        await pilot.press("home")
        inspector.show_exchanges([*exchanges, exchange(5)])
        await settled(pilot)
        assert inspector.selected is exchanges[0], "the cursor stays where the user put it"


@pytest.mark.parametrize("size", SIZES)
async def test_shape_summarizes_the_request_and_folds_the_pdf(size: tuple[int, int]) -> None:
    one = exchange(1)
    sealed = Item.of({"type": "reasoning", "id": "rs_2", "summary": []})
    app = OneWidget()
    async with app.run_test(size=size) as pilot:
        left_out = {one.id: [LeftOut(sealed, "it came without encrypted content")]}
        await app.push_screen(InspectorScreen([one], left_out=left_out))
        await settled(pilot)
        text = page_text(app)
        for line in (
            "model                 openai.gpt-5.4",
            "store                 true",
            "max_output_tokens     16,384",
            "reasoning             effort low",
            "include               reasoning.encrypted_content",
            "previous_response_id  resp_",
            "4 items",
            "encrypted content, 1.8 kB",
            "“And page 3?”",
            "Left out",
            "it came without encrypted content",
        ):
            assert line in text
        flat = "".join(text.split())
        assert hashlib.sha256(PDF).hexdigest() in flat
        assert "10,249bytes" in flat
        assert DATA_URL[40:80] not in flat


async def test_request_is_pretty_and_a_key_shows_the_bytes_as_they_were() -> None:
    one = exchange(1)
    app = OneWidget()
    async with app.run_test(size=(120, 40)) as pilot:
        await app.push_screen(InspectorScreen([one]))
        await pilot.press("2")
        await settled(pilot)
        text = page_text(app)
        assert "POST /openai/v1/responses HTTP/1.1" in text
        assert "Authorization: Bearer ‹masked›" in text
        assert "max_output_tokens: 16384" in text
        assert "‹application/pdf, 10 kB (10,249 bytes)›" in text
        assert f"sha256 {hashlib.sha256(PDF).hexdigest()}" in text
        await pilot.press("r")
        await settled(pilot)
        raw = "".join(page_text(app).split("Body, as it was sent")[1].split("\n")[1:])
        assert raw == one.request_body.decode()


async def test_a_long_string_is_cut_to_the_preview_and_copied_whole() -> None:
    long = "x" * 9_000
    body = json.dumps(request_body(input=long)).encode()
    app = OneWidget()
    async with app.run_test(size=(100, 30)) as pilot:
        await app.push_screen(InspectorScreen([exchange(1, body=body)], max_display_chars=500))
        await pilot.press("2")
        await settled(pilot)
        text = page_text(app)
        assert "9,000 characters" in text
        # Opened, it is cut where the setting says.
        tree = app.screen.query_one(PageLines)
        row = next(n for n, line in enumerate(text.split("\n")) if "9,000 characters" in line)
        tree.focus()
        tree.move_cursor(row)
        await pilot.press("enter")
        text = page_text(app)
        assert "8,500 more characters" in text
        assert text.count("x") > 500
        assert text.count("x") < 600
        await pilot.press("c")
        assert app.copied == body.decode()
        await pilot.press("h")
        assert app.copied.splitlines()[0] == "Authorization: Bearer ‹masked›"


async def test_response_shows_the_final_object_in_the_server_s_own_spelling() -> None:
    records = stream_events(["Hi."])
    final = '{"id": "resp_1","temperature":1.50e0,"n":10000000000000000000001,"output":[]}'
    data = '{"type":"response.completed","note":{"response": {}},"response":' + final + "}"
    records[-1] = SseRecord(3.0, "response.completed", data, 0, 10)
    one = exchange(1, events=records)
    assert final_object(records) == final
    app = OneWidget()
    async with app.run_test(size=(100, 40)) as pilot:
        await app.push_screen(InspectorScreen([one]))
        await pilot.press("4")
        await settled(pilot)
        text = page_text(app)
        assert "HTTP/1.1 200 OK" in text
        assert "request id   req_" in text
        assert "temperature: 1.50e0" in text
        assert "n: 10000000000000000000001" in text
        await pilot.press("c")
        assert app.copied == final


async def test_an_error_body_is_shown_as_it_came_and_a_cut_stream_is_said() -> None:
    exchanges = sample_exchanges()
    app = OneWidget()
    async with app.run_test(size=(100, 40)) as pilot:
        screen = InspectorScreen(exchanges)
        await app.push_screen(screen)
        await pilot.press("4", "home", "down")
        await settled(pilot)
        assert "429 Too Many Requests" in page_text(app)
        assert 'message: "Too many tokens, wait."' in page_text(app)
        await pilot.press("c")
        assert app.copied == THROTTLED.decode()
        await pilot.press("J", "J")
        await settled(pilot)
        assert screen.inspector.selected is exchanges[3]
        assert "The stream was cut." in page_text(app)
        assert "ended without a final object" in page_text(app)


@pytest.mark.parametrize("size", SIZES)
async def test_events_have_times_and_the_selected_one_is_shown_in_full(size: tuple[int, int]) -> None:
    one = exchange(1, events=stream_events(["Reve", "nue"]))
    app = OneWidget()
    async with app.run_test(size=size) as pilot:
        await app.push_screen(InspectorScreen([one]))
        await pilot.press("3")
        screen = await settled(pilot)
        assert "output_text.delta" in screen
        assert "+31" in screen
        await pilot.press("enter", "down", "down", "down")
        await settled(pilot)
        assert page_text(app).startswith("Event 4  response.output_text.delta")
        assert 'delta: "Reve"' in page_text(app)
        await pilot.press("c")
        assert app.copied == one.events[3].data


async def test_live_events_and_the_response_appear_while_it_runs() -> None:
    records = stream_events(["a"] * 5)
    one = exchange(1, events=records[:3], outcome=None)
    app = OneWidget()
    async with app.run_test(size=(100, 40)) as pilot:
        screen = InspectorScreen([one])
        await app.push_screen(screen)
        await pilot.press("3")
        await settled(pilot)
        events = app.screen.query_one("#inspector-events", VirtualLines)
        assert len(events.source) == 3
        one.events.extend(records[3:])
        one.chunks.append(Chunk(3.0, b"x" * 5_000))
        one.outcome, one.timings.ended = Outcome.COMPLETED, 3.1
        screen.inspector.refresh_live()
        text = await settled(pilot)
        assert len(events.source) == len(records)
        assert events.virtual_size.height == len(records)
        assert "running" not in text
        await pilot.press("4")
        await settled(pilot)
        assert "The final response object" in page_text(app)


async def test_a_hundred_thousand_events_open_without_making_their_rows(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    records = [
        event("response.output_text.delta", n / 1000, n * 100, delta=f"word {n} ") for n in range(1_000)
    ]
    said = [(record, record.data) for record in records]
    drawn: set[int] = set()
    real = EventTable.row

    def counted(self: EventTable, index: int, width: int) -> Any:
        drawn.add(index)
        return real(self, index, width)

    def written_out(self: Exchange) -> str:
        raise AssertionError("an exchange may be 30 MB: nothing may write it out whole")

    monkeypatch.setattr(EventTable, "row", counted)
    monkeypatch.setattr(Exchange, "__repr__", written_out)
    one = exchange(1, events=records[:2])
    one.events = Events(one.chunks)
    for n in range(100_000):
        record, data = said[n % 1_000]
        one.events.add(n / 1000, record.type, record.start, record.end, data)
    app = OneWidget()
    async with app.run_test(size=(100, 40)) as pilot:
        await app.push_screen(InspectorScreen([one]))
        await settled(pilot)
        began = time.perf_counter()
        await pilot.press("3")
        await settled(pilot)
        assert time.perf_counter() - began < 2
        assert 0 < len(drawn) < 200
        await pilot.press("enter", "end")
        text = await settled(pilot)
        assert "99,999" in text
        assert len(drawn) < 400


async def test_control_characters_and_markup_in_every_part_are_drawn_as_text() -> None:
    evil = "\x1b]52;c;aGk=\x07[/red][b]x\u202e"
    body = json.dumps(request_body(instructions=evil, input=[{"role": evil, "content": evil}])).encode()
    one = exchange(1, body=body, status=400, answer=evil.encode(), outcome=Outcome.FAILED, error=evil)
    one.model = evil
    one.usage_line = evil
    one.response_headers = (("x-evil", evil),)
    one.url = "https://h/" + evil
    two = exchange(2, events=[SseRecord(0.1, evil, json.dumps({"delta": evil}), 0, 10)])
    app = OneWidget()
    async with app.run_test(size=(160, 48)) as pilot:
        screen = InspectorScreen([one, two], title=evil)
        await app.push_screen(screen)
        for key in ("1", "2", "3", "4", "5", "6", "K", "1", "2", "r", "3", "r", "4", "5", "r", "r", "6", "r"):
            await pilot.press(key)
            text = await settled(pilot)
            for control in ("\x1b", "\x07", "\u202e"):
                assert control not in text
        await pilot.press("4", "r")
        assert "[/red][b]x" in await settled(pilot)


async def test_a_request_body_that_is_no_json_is_shown_as_text() -> None:
    app = OneWidget()
    async with app.run_test(size=(100, 30)) as pilot:
        await app.push_screen(InspectorScreen([exchange(1, body=b"not json \xff\nsecond")]))
        await settled(pilot)
        assert "not a JSON object" in page_text(app)
        await pilot.press("2")
        await settled(pilot)
        assert "not json \\xff\nsecond" in page_text(app)


async def test_nothing_sent_yet_and_escape() -> None:
    app = OneWidget()
    async with app.run_test(size=(80, 24)) as pilot:
        await app.push_screen(InspectorScreen([]))
        assert "No request has been sent in this conversation yet." in await settled(pilot)
        await pilot.press("c", "y", "J", "3", "m", "b", "n", "escape", "escape")
        await pilot.pause()
        assert not isinstance(app.screen, InspectorScreen)


async def test_tabs_answer_to_keys_and_to_the_mouse() -> None:
    app = OneWidget()
    async with app.run_test(size=(80, 24)) as pilot:
        await app.push_screen(InspectorScreen(sample_exchanges()))
        await settled(pilot)
        await pilot.press("right")
        await settled(pilot)
        assert page_text(app).startswith("POST ")
        await pilot.press("left", "3")
        assert app.screen.query_one(Inspector).has_class("-events")
        await pilot.click("#inspector-tabs", offset=(3, 0))
        await settled(pilot)
        assert page_text(app).startswith("Request")
        await pilot.click("#inspector-exchanges", offset=(10, 1))
        await settled(pilot)
        selected = app.screen.query_one(Inspector).selected
        assert selected is not None
        assert (selected.number, selected.attempt) == (2, 1)
