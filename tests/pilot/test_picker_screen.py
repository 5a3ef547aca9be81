from __future__ import annotations

from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest
from textual.pilot import Pilot
from textual.widgets import Input
from ui_samples import OneWidget, text_of
from ui_stand_in import until

from tui.config.favourites import load_favourites, save_favourites
from tui.core.catalogue import Catalogue
from tui.core.catalogue_file import parse_catalogue
from tui.core.discovery import PairingCheck
from tui.core.errors import OutcropError
from tui.screens.picker import Listed, PickerActions, PickerScreen
from tui.widgets.pairings import Known, Offer, Place, all_choices, search
from tui.widgets.virtual_lines import VirtualLines

CATALOGUE = """
date = "2026-09-30"
regions = ["us-east-1", "us-east-2", "us-west-2"]

[[model]]
id = "openai.gpt-5.4"
label = "GPT-5.4"
context = 1_050_000
uncertain = ["context"]
effort_values = ["none", "low", "high"]
inputs = ["text", "image", "pdf"]
[[model.place]]
endpoint = "mantle"
regions = ["us-east-2", "us-west-2"]
[[model.price]]
input = 2.75
output = 16.50

[[model]]
id = "openai.gpt-5.5"
label = "GPT-5.5"
inputs = ["text", "pdf"]
[[model.place]]
endpoint = "mantle"
regions = ["us-east-2"]
[[model.price]]
input = 0.075
output = 0.3
uncertain = true
"""
# A dialog in the app has all of 80 columns; here it keeps a margin.
SIZES = [(88, 24), (160, 48)]
CURRENT = Place("openai.gpt-5.4", "us-west-2", "mantle")


@pytest.fixture
def catalogue() -> Catalogue:
    return parse_catalogue(CATALOGUE)


def picker(catalogue: Catalogue, **changes: Any) -> PickerScreen:
    current = changes.pop("current", CURRENT)
    offers = changes.pop("offers", [Offer("mantle", token_region=changes.pop("token_region", None))])
    return PickerScreen(catalogue, current, offers, **changes)


async def opened(pilot: Pilot[Any], screen: PickerScreen, results: list[Any]) -> str:
    await pilot.app.push_screen(screen, results.append)
    await pilot.pause()
    return text_of(pilot.app)


def line_with(screen: str, *words: str) -> str:
    return next((line for line in screen.split("\n") if all(word in line for word in words)), "")


@pytest.mark.parametrize("size", SIZES)
async def test_every_pairing_is_listed_and_the_impossible_say_why(
    catalogue: Catalogue, size: tuple[int, int]
) -> None:
    app = OneWidget()
    async with app.run_test(size=size) as pilot:
        screen = await opened(pilot, picker(catalogue), [])
        possible = line_with(screen, "GPT-5.4", "us-west-2")
        assert "●" in possible
        assert size[0] < 100 or "1.05M?" in possible
        assert "Responses" in possible
        assert "2.75 / 16.50" in possible
        assert size[0] < 100 or "none-high" in possible
        assert "0.075 / 0.30?" in line_with(screen, "GPT-5.5", "us-east-2")
        assert "it is in us-east-2" in line_with(screen, "GPT-5.5", "us-west-2")
        assert screen.count("GPT-5.") >= 6
        assert "Takes text, image, pdf · effort " in screen


@pytest.mark.parametrize("theme", ["outcrop-dark", "outcrop-light"])
async def test_an_impossible_pairing_is_drawn_dimmer(catalogue: Catalogue, theme: str) -> None:
    app = OneWidget(theme=theme)
    async with app.run_test(size=(80, 24)) as pilot:
        await opened(pilot, picker(catalogue), [])
        lines = app.screen.query_one("#picker-list", VirtualLines)
        colours = [
            [s.style.color for s in lines.render_line(y) if "GPT-5." in s.text and s.style] for y in (0, 5)
        ]
        assert colours[0] != colours[1]


async def test_typing_filters_and_enter_takes_it(catalogue: Catalogue) -> None:
    results: list[Any] = []
    app = OneWidget()
    async with app.run_test(size=(80, 24)) as pilot:
        await opened(pilot, picker(catalogue), results)
        await pilot.press(*"east 5.5")
        await pilot.pause()
        rows = app.screen.query_one("#picker-list", VirtualLines).source
        assert len(rows) == 2
        await pilot.press("enter")
        await pilot.pause()
    assert results == [Place("openai.gpt-5.5", "us-east-2", "mantle")]


async def test_skipped_letters_still_find(catalogue: Catalogue) -> None:
    choices = all_choices(catalogue, CURRENT, [Offer("mantle")])
    found = search(choices, "g54 usw2")
    assert (found[0].model_id, found[0].region) == ("openai.gpt-5.4", "us-west-2")
    assert search(choices, "zzz") == []


async def test_enter_on_an_impossible_pairing_says_why_and_names_the_nearest(catalogue: Catalogue) -> None:
    results: list[Any] = []
    app = OneWidget()
    async with app.run_test(size=(80, 24)) as pilot:
        await opened(pilot, picker(catalogue), results)
        await pilot.press(*"5.5 west")
        await pilot.press("enter")
        await pilot.pause()
        screen = text_of(app)
        assert "openai.gpt-5.5 is not in us-west-2 on mantle" in screen
        assert "The nearest that works: openai.gpt-5.5 in us-east-2" in screen
        assert results == []
        await pilot.press("enter")
        await pilot.pause()
    assert results == [Place("openai.gpt-5.5", "us-east-2", "mantle")]


async def test_moving_on_forgets_the_refusal(catalogue: Catalogue) -> None:
    results: list[Any] = []
    app = OneWidget()
    async with app.run_test(size=(80, 24)) as pilot:
        await opened(pilot, picker(catalogue), results)
        await pilot.press("down", "down", "down", "enter", "up", "down", "enter")
        await pilot.pause()
        assert "The nearest that works" in text_of(app)
        assert results == []


async def test_the_keyboard_moves_while_the_search_keeps_the_focus(catalogue: Catalogue) -> None:
    results: list[Any] = []
    app = OneWidget()
    async with app.run_test(size=(80, 24)) as pilot:
        await opened(pilot, picker(catalogue), results)
        lines = app.screen.query_one("#picker-list", VirtualLines)
        assert lines.cursor == 1, "the pairing in use is under the cursor"
        await pilot.press("up")
        assert lines.cursor == 0
        await pilot.press("pagedown")
        assert lines.cursor == len(lines.source) - 1
        assert app.screen.query_one(Input).has_focus
        await pilot.press("escape")
        await pilot.pause()
    assert results == [None]


async def test_a_click_takes_a_row(catalogue: Catalogue) -> None:
    results: list[Any] = []
    app = OneWidget()
    async with app.run_test(size=(80, 24)) as pilot:
        await opened(pilot, picker(catalogue), results)
        await pilot.click("#picker-list", offset=(10, 0))
        await pilot.pause()
    assert results == [Place("openai.gpt-5.4", "us-east-2", "mantle")]


@pytest.mark.parametrize("size", SIZES)
async def test_a_key_of_another_region_is_said_at_the_row(
    catalogue: Catalogue, size: tuple[int, int]
) -> None:
    app = OneWidget()
    async with app.run_test(size=size) as pilot:
        screen = await opened(pilot, picker(catalogue, token_region="us-west-2"), [])
        assert "the key is for us-west-2" in line_with(screen, "GPT-5.4", "us-east-2")
        assert "the key is for" not in line_with(screen, "GPT-5.4", "●")
        await pilot.press("up")
        await pilot.pause()
        assert "works in us-west-2 only" in text_of(app)


async def test_a_model_that_nobody_knows_is_listed_as_the_current_one(catalogue: Catalogue) -> None:
    results: list[Any] = []
    app = OneWidget()
    async with app.run_test(size=(160, 48)) as pilot:
        screen = await opened(
            pilot, picker(catalogue, current=Place("my.model[/b]\x1b", "us-west-2", "mantle")), results
        )
        assert "my.model[/b]" in line_with(screen, "●")
        assert "not in the catalogue" in screen
        await pilot.press("enter")
        await pilot.pause()
    assert results == [Place("my.model[/b]\x1b", "us-west-2", "mantle")]


async def test_a_custom_endpoint_has_models_but_no_regions_to_choose(catalogue: Catalogue) -> None:
    choices = all_choices(
        catalogue, Place("openai.gpt-5.4", "us-west-2", "custom"), [Offer("custom", "us-west-2")]
    )
    assert [(c.model_id, c.region, c.api) for c in choices] == [
        (model, "us-west-2", api)
        for api in ("responses", "chat_completions")
        for model in ("openai.gpt-5.4", "openai.gpt-5.5")
    ]
    assert all(choice.pairing.possible and choice.key_elsewhere is None for choice in choices)


@pytest.mark.parametrize("endpoint", ["mantle", "runtime"])
def test_the_shipped_catalogue_s_possible_pairings_come_first(endpoint: str) -> None:
    shipped = parse_catalogue(files("tui.core").joinpath("catalogue.toml").read_text(encoding="utf-8"))
    choices = all_choices(shipped, Place("openai.gpt-5.4", "us-west-2", endpoint), [Offer(endpoint)])
    possible = [choice.pairing.possible for choice in choices]
    assert possible == sorted(possible, reverse=True)
    assert any(possible)
    assert not all(possible)


async def test_favourites_stand_first_then_what_was_used_lately_and_checks_have_their_time(
    catalogue: Catalogue,
) -> None:
    kept: list[Any] = []
    checked: list[Any] = []
    east = Place("openai.gpt-5.4", "us-east-2", "mantle")
    five = Place("openai.gpt-5.5", "us-east-2", "mantle")

    async def check(place: Any) -> PairingCheck:
        checked.append(place)
        if place == five:
            raise OutcropError("No connection.")
        return PairingCheck(place[0], place[1], "mantle", 1000.0, True, "It answered in 0.4 s.")

    async def models(place: Any) -> Listed:
        return Listed(
            ("openai.gpt-9",), ("/v1/models lists 1 model.", "/openai/v1/models lists nothing (404)")
        )

    actions = PickerActions(kept.append, lambda place: "It costs about $0.0008.", check, models)
    known = Known(recent=(five,), now=1000.0)
    app = OneWidget()
    async with app.run_test(size=(160, 40)) as pilot:
        screen = await opened(pilot, picker(catalogue, known=known, actions=actions), [])
        rows = [line for line in screen.split("\n") if "GPT-5." in line]
        assert "GPT-5.5" in rows[0] and "↺" in rows[0]
        await pilot.press(*"5.4 east-2", "ctrl+f")
        assert kept == [(east,)]
        await pilot.press("ctrl+t")
        await pilot.pause()
        assert "It costs about $0.0008." in text_of(app) and not checked
        await pilot.press("ctrl+t")
        await pilot.pause()
        await pilot.pause()
        assert checked == [east]
        assert "It answered in 0.4 s." in text_of(app)
        assert "✓" in line_with(text_of(app), "★", "worked just now")
        app.screen.query_one(Input).value = ""
        await pilot.pause()
        rows = [line for line in text_of(app).split("\n") if "GPT-5." in line]
        assert "★" in rows[0] and "us-east-2" in rows[0]
        await pilot.press("ctrl+l")
        await until(pilot, lambda: "lists nothing (404)" in text_of(app))
        assert "lists nothing (404)" in text_of(app) and "a hint" in text_of(app)
        assert "us-west-2" in line_with(text_of(app), "openai.gpt-9", "listed by the server")
        await pilot.press(*"5.5 east-2")
        await until(pilot, lambda: "openai.gpt-9" not in text_of(app))
        await pilot.press("ctrl+t", "ctrl+t")
        await until(pilot, lambda: "It could not be found out." in text_of(app))
        assert "It could not be found out." in text_of(app) and "No connection." in text_of(app)


async def test_every_endpoint_is_listed_and_the_nearest_may_be_on_another(catalogue: Catalogue) -> None:
    offers = [Offer("mantle"), Offer("runtime"), Offer("gateway", "us-west-2", ("gpt-own",))]
    results: list[Any] = []
    app = OneWidget()
    async with app.run_test(size=(120, 40)) as pilot:
        screen = await opened(pilot, picker(catalogue, offers=offers), results)
        assert "us-west-2" in line_with(screen, "gpt-own", "gateway")
        await pilot.press(*"runtime 5.4 west-2", "enter")
        await pilot.pause()
        assert "The nearest that works: openai.gpt-5.4 in us-west-2 on mantle" in text_of(app)
        await pilot.press("enter")
        await pilot.pause()
    assert results == [Place("openai.gpt-5.4", "us-west-2", "mantle")]


async def test_an_api_is_one_more_column_and_the_impossible_say_what_there_is() -> None:
    """Searched by API, its name beside the model's; Enter twice on an impossible row takes the nearest."""
    shipped = parse_catalogue(files("tui.core").joinpath("catalogue.toml").read_text(encoding="utf-8"))
    results: list[Any] = []
    app = OneWidget()
    async with app.run_test(size=(120, 40)) as pilot:
        screen = picker(shipped, offers=[Offer("mantle"), Offer("runtime")])
        await opened(pilot, screen, results)
        await pilot.press(*"20b converse")
        await pilot.pause()
        assert "Converse" in line_with(text_of(app), "gpt-oss-20b-1:0", "us-west-2", "runtime")
        assert "on runtime over Converse" in text_of(app)
        assert "has Responses and Chat Completions" in line_with(text_of(app), "gpt-oss 20b", "Converse")
        await pilot.press("enter")
        await pilot.pause()
        assert results.pop() == Place("openai.gpt-oss-20b-1:0", "us-west-2", "runtime", "converse")

        await opened(pilot, picker(shipped, offers=[Offer("mantle")]), results)
        await pilot.press(*"gpt-5.4 invoke")
        await pilot.pause()
        assert len(app.screen.query_one("#picker-list", VirtualLines).source) == 1
        await pilot.press("enter")
        await pilot.pause()
        assert "not the InvokeModel API" in text_of(app)
        assert "openai.gpt-5.4 in us-west-2 over Responses. Enter again takes it." in text_of(app)
        await pilot.press("enter")
        await pilot.pause()
    assert results == [CURRENT]


@pytest.mark.parametrize("endpoint", ["mantle", "runtime"])
def test_every_pairing_of_the_catalogue_is_a_row_once(endpoint: str) -> None:
    shipped = parse_catalogue(files("tui.core").joinpath("catalogue.toml").read_text(encoding="utf-8"))
    rows = [choice.place for choice in all_choices(shipped, CURRENT, [Offer(endpoint)])]
    assert len(set(rows)) == len(rows)
    expected = {
        (model_id, region, endpoint, api)
        for model in shipped.models
        for place in model.places
        if place.endpoint == endpoint
        for model_id in place.ids
        for api in place.apis
        for region in place.regions
    }
    possible = {row for row in rows if shipped.pairing(*row[:3], api=row.api).possible}
    assert possible == expected


def test_favourites_are_kept_in_a_file_and_a_damaged_one_is_empty(tmp_path: Path) -> None:
    assert load_favourites(tmp_path) == ()
    rows = (("m", "r", "mantle", "responses"), ("é", "r", "gateway", "chat_completions"))
    save_favourites(tmp_path / "new", rows)
    assert load_favourites(tmp_path / "new") == rows
    # A version that knew one API only.
    (tmp_path / "new" / "favourites.json").write_text('[["m", "r", "mantle"], ["m", "r"]]')
    assert load_favourites(tmp_path / "new") == (("m", "r", "mantle", ""),)
    (tmp_path / "new" / "favourites.json").write_text('{"no": [')
    assert load_favourites(tmp_path / "new") == ()
