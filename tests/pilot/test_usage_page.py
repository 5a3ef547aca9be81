"""The page behind the meter, the hint beside the composer, cache controls, budgets; the session is real."""

from __future__ import annotations

import csv
import json
import os
from pathlib import Path
from threading import get_ident
from typing import Any

import pytest
from support.sessions import take_turn
from ui_real import ready, send
from ui_samples import text_of
from ui_stand_in import settled, typed, until

from tui.app import OutcropApp
from tui.config.settings import load_settings
from tui.credentials.credentials import Credentials
from tui.sandbox.server import SandboxServer
from tui.screens.cache_controls import CacheControlsScreen
from tui.screens.history import ConfirmScreen
from tui.screens.preview import PreviewScreen
from tui.screens.usage import UsageScreen
from tui.session.session import Session

TERRA = "openai.gpt-5.6-terra"
LONG = "gneiss and granite " * 700


def session_of(sandbox: SandboxServer, **flags: Any) -> Session:
    settings = load_settings({"sandbox": True, **flags}, os.environ)
    url = f"http://127.0.0.1:{sandbox.port}/openai/v1"
    return Session(settings, Credentials({}, settings.region, sandbox=True), start_sandbox=lambda: url)


async def begun(sandbox: SandboxServer, *prompts: str, **flags: Any) -> tuple[OutcropApp, str]:
    session = session_of(sandbox, model=TERRA, **flags)
    await session.warm_up()
    conversation = await session.new()
    for prompt in prompts:
        await take_turn(session, conversation.id, prompt)
    return OutcropApp(session, theme=None, continue_latest=bool(prompts)), conversation.id


def drawn(app: OutcropApp, *words: str) -> bool:
    screen = text_of(app)
    return all(word in screen for word in words)


async def test_the_page_shows_charts_and_table_and_writes_both_forms(
    sandbox: SandboxServer, tmp_path: Path
) -> None:
    app, conversation_id = await begun(sandbox, LONG, "And basalt?")
    async with app.run_test(size=(160, 48)) as pilot:
        await until(pilot, lambda: app.chat.conversation_id == conversation_id)
        await settled(pilot)
        await pilot.click("#meter")
        await until(pilot, lambda: isinstance(app.screen, UsageScreen))
        await until(pilot, lambda: drawn(app, "Input", "Output", "Served from the cache", "Running cost"))
        usage = [turn.usage for turn in app.session.conversation(conversation_id).path()]
        assert all(usage)
        await until(pilot, lambda: f"{usage[1].input_tokens:,}" in text_of(app))
        # Every kind of token is in its own colour, and the bars are there.
        await until(pilot, lambda: text_of(app).count("█") > 100)
        for words in ("own key", "Time to first token", f"{usage[0].cache_write_tokens:,}", "all"):
            assert words in text_of(app)
        await pilot.press("w")
        path = app.screen.query_one("#usage-path")
        for name in ("figures.csv", "figures.json", "figures.txt"):
            path.value = str(tmp_path / name)
            await pilot.press("enter")
            word = "must end in" if name.endswith("txt") else "Written:"
            await until(pilot, lambda word=word: word in text_of(app))
            if word == "Written:":
                await pilot.press("w")
        with (tmp_path / "figures.csv").open(encoding="utf-8") as file:
            rows = list(csv.DictReader(file))
        assert [row["input_tokens"] for row in rows] == [str(one.input_tokens) for one in usage if one]
        assert json.loads((tmp_path / "figures.json").read_text())["totals"]["output_tokens"] == sum(
            one.output_tokens or 0 for one in usage if one
        )
        path.value = str(tmp_path / "figures.csv")
        await pilot.press("enter")
        await until(pilot, lambda: "Enter again replaces it" in text_of(app))
        await pilot.press("escape", "c")
        await until(pilot, lambda: isinstance(app.screen, CacheControlsScreen))
    await app.session.aclose()


async def test_all_turns_are_added_up_beside_the_event_loop(
    sandbox: SandboxServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of 5,000 turns it takes 0.2 s."""
    from tui.core import meter

    added_up = meter.figures_of
    threads: list[int] = []

    def noting(*args: Any, **more: Any) -> Any:
        if "last" not in more and len(args) == 3:
            threads.append(get_ident())
        return added_up(*args, **more)

    monkeypatch.setattr(meter, "figures_of", noting)
    app, conversation_id = await begun(sandbox, LONG)
    async with app.run_test(size=(160, 48)) as pilot:
        await until(pilot, lambda: app.chat.conversation_id == conversation_id)
        await settled(pilot)
        await pilot.press("f7")
        await until(pilot, lambda: isinstance(app.screen, UsageScreen))
    assert threads and get_ident() not in threads


async def test_at_80_columns_there_is_one_part_at_a_time(sandbox: SandboxServer) -> None:
    app, conversation_id = await begun(sandbox, "Hi", "Ho")
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: app.chat.conversation_id == conversation_id)
        await settled(pilot)
        await pilot.press("f7")
        await until(pilot, lambda: isinstance(app.screen, UsageScreen))
        await until(pilot, lambda: drawn(app, "1 Tokens", "Input", "Output"))
        assert "Running cost" not in text_of(app)
        await pilot.press("2")
        await until(pilot, lambda: drawn(app, "Running cost", "Cost of each turn"))
        await pilot.press("left", "left")
        await until(pilot, lambda: drawn(app, "uncached", "visible", "all") and "Input" not in text_of(app))
        assert all(len(line) <= 80 for line in text_of(app).split("\n"))
        await pilot.press("escape")
        await until(pilot, lambda: app.screen is app.chat)
    await app.session.aclose()


async def test_an_empty_conversation_says_so(sandbox: SandboxServer) -> None:
    app, _ = await begun(sandbox)
    async with app.run_test(size=(80, 24)) as pilot:
        await ready(app, pilot)
        await typed(pilot, "/usage")
        await pilot.press("enter")
        await until(pilot, lambda: drawn(app, "Nothing has been sent in this conversation yet"))
    await app.session.aclose()


async def test_a_draft_is_estimated_and_the_hint_goes_with_it(sandbox: SandboxServer) -> None:
    app, conversation_id = await begun(sandbox, "Hi")
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: app.chat.conversation_id == conversation_id)
        await settled(pilot)
        await typed(pilot, "Which rock is the oldest one here?")
        await until(pilot, lambda: " tok  ~$0." in text_of(app))
        estimate = (await app.session.estimates.of(conversation_id, "Which rock is the oldest one here?"))[
            "stateful"
        ]
        await until(pilot, lambda: f"~{estimate.input_tokens:,} tok" in text_of(app))
        assert "Which rock is the oldest one here?" in text_of(app)
        await pilot.click("#draft-hint")
        await until(pilot, lambda: isinstance(app.screen, PreviewScreen))
        await until(pilot, lambda: drawn(app, "likely ~$", "at most ~$", "from the cache", "window"))
        await pilot.press("escape")
        app.chat.composer.clear()
        await until(pilot, lambda: " tok  ~$" not in text_of(app))
    await app.session.aclose()


async def test_cache_controls_reach_the_next_request(sandbox: SandboxServer) -> None:
    app, conversation_id = await begun(sandbox, "Hi")
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: app.chat.conversation_id == conversation_id)
        await settled(pilot)
        await pilot.press("ctrl+x", "s", "c")
        await until(pilot, lambda: isinstance(app.screen, CacheControlsScreen))
        assert drawn(app, "this conversation's own", "30m", "prompts", "nowhere")
        await pilot.press(*"mine", "tab", "right", "tab", "right")
        await until(pilot, lambda: "writes are billed" in text_of(app))
        await pilot.press("escape")
        await until(pilot, lambda: app.screen is app.chat)
        await send(app, pilot, "And now?")
        sent = sandbox.log[-1].json
        assert sent["prompt_cache_key"] == "mine"
        assert sent["prompt_cache_options"] == {"mode": "explicit", "ttl": "30m"}
        assert sent["input"][-1]["content"][-1]["prompt_cache_breakpoint"] == {"mode": "explicit"}
        await typed(pilot, "/cache own")
        await pilot.press("enter")
        controls = lambda: app.session.conversation(conversation_id).controls  # noqa: E731
        await until(pilot, lambda: controls().cache_key is None)
    await app.session.aclose()


async def test_a_drop_in_the_cache_share_points_to_the_inspector(sandbox: SandboxServer) -> None:
    app, conversation_id = await begun(sandbox, LONG, "And basalt?")
    async with app.run_test(size=(120, 40)) as pilot:
        await until(pilot, lambda: app.chat.conversation_id == conversation_id)
        await settled(pilot)
        assert "The cache served" not in text_of(app)
        await typed(pilot, "/cache another")
        await pilot.press("enter")
        await until(pilot, lambda: app.session.conversation(conversation_id).controls.cache_key == "another")
        await send(app, pilot, "And slate?")
        await until(pilot, lambda: "The cache served 0% of the input" in text_of(app))
        await pilot.click("#notice")
        await until(pilot, lambda: drawn(app, "cache key changed"))
    await app.session.aclose()


@pytest.mark.parametrize("yes", [True, False])
async def test_over_budget_it_is_asked_before_it_is_sent(sandbox: SandboxServer, yes: bool) -> None:
    folder = Path(os.environ["OUTCROP_CONFIG_DIR"])
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "config.toml").write_text("budget_per_conversation = 0.0001\n")
    app, conversation_id = await begun(sandbox, "Hi")
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: app.chat.conversation_id == conversation_id)
        await settled(pilot)
        await typed(pilot, "One more")
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(app.screen, ConfirmScreen))
        assert drawn(app, "Over budget", "used up", "Send it all the same?")
        turns = lambda: len(app.session.conversation(conversation_id).turns)  # noqa: E731
        await pilot.press("y" if yes else "n")
        if yes:
            await until(pilot, lambda: turns() == 2 and not app.chat.answers_arriving)
        else:
            await until(pilot, lambda: app.chat.composer.text == "One more")
            assert turns() == 1
            assert not app.chat.is_answering
    await app.session.aclose()
