"""The preview before sending, against the real session and server."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from support.pdfs import make_pdf
from support.sessions import make_session, take_turn
from ui_samples import text_of
from ui_stand_in import settled, typed, until

from tui.app import OutcropApp
from tui.core.preview import Preview
from tui.sandbox.server import SandboxServer
from tui.screens.preview import PreviewScreen, preview_rows
from tui.session.session import Session


async def begun(sandbox: SandboxServer, *prompts: str) -> tuple[Session, str, OutcropApp]:
    session = make_session(sandbox)
    conversation = await session.new()
    for prompt in prompts:
        await take_turn(session, conversation.id, prompt)
    return session, conversation.id, OutcropApp(session, theme=None, continue_latest=bool(prompts))


@pytest.mark.parametrize(("size", "beside"), [((80, 24), False), ((99, 30), False), ((120, 40), True)])
async def test_both_modes_are_shown_and_enter_sends_what_was_shown(
    sandbox: SandboxServer, size: tuple[int, int], beside: bool
) -> None:
    session, conversation_id, app = await begun(sandbox, "one", "two")
    async with app.run_test(size=size) as pilot:
        await until(pilot, lambda: app.chat.conversation_id == conversation_id)
        await settled(pilot)
        await typed(pilot, "third stone")
        await pilot.press("f5")
        await until(pilot, lambda: isinstance(app.screen, PreviewScreen))
        await until(pilot, lambda: "⇄ stateful" in text_of(app) and "⇉ stateless" in text_of(app))
        screen = text_of(app)
        titles = next(line for line in screen.splitlines() if "⇄ stateful" in line)
        assert ("⇉ stateless" in titles) is beside
        last = session.conversation(conversation_id).path()[-1]
        assert str(last.response_id)[:30] in screen
        assert "Enter sends this" in titles.split("⇉")[0]
        page = app.screen.query_one("#preview-stateful")
        width = page.scrollable_content_region.width
        planned = session.preview(conversation_id, "third stone")
        shown = "\n".join(
            row.text for row in preview_rows(app.screen._looks[0], width, chosen=True, empty=False)
        )
        assert "1 item" in shown
        assert "+ user" in shown
        assert "third stone" in shown
        assert "with the chain of its" in " ".join(shown.split())
        await pilot.press("enter")
        await until(pilot, lambda: len(session.conversation(conversation_id).turns) == 3)
        await until(pilot, lambda: app.chat.answers_arriving == 0)
        assert app.chat.composer.text == ""
        sent = session.exchanges(conversation_id)[-1].request_body
        assert sent is not None
        assert json.loads(sent) == json.loads(planned.encode(stream=True))
    await session.aclose()


async def test_t_switches_the_mode_and_enter_sends_in_it(sandbox: SandboxServer) -> None:
    session, conversation_id, app = await begun(sandbox, "one")
    async with app.run_test(size=(120, 40)) as pilot:
        await until(pilot, lambda: app.chat.conversation_id == conversation_id)
        await settled(pilot)
        await typed(pilot, "/preview next one")
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(app.screen, PreviewScreen))
        await pilot.press("t")
        await until(pilot, lambda: session.conversation(conversation_id).continuation == "stateless")
        await until(
            pilot,
            lambda: (
                "Enter sends this"
                in next(line for line in text_of(app).splitlines() if "⇉ stateless" in line).split("⇉")[1]
            ),
        )
        assert "nothing remembered by the server" in text_of(app)
        await pilot.press("enter")
        await until(pilot, lambda: len(session.conversation(conversation_id).turns) == 2)
        await until(pilot, lambda: app.chat.answers_arriving == 0)
        last = session.conversation(conversation_id).path()[-1]
        assert (last.prompt, last.continuation) == ("next one", "stateless")
    await session.aclose()


async def test_escape_sends_nothing_and_keeps_the_text(sandbox: SandboxServer, tmp_path: Path) -> None:
    session, _, app = await begun(sandbox)
    file = tmp_path / "stone.pdf"
    file.write_bytes(make_pdf("Granite", "Basalt"))
    async with app.run_test(size=(120, 40)) as pilot:
        await settled(pilot)
        await pilot.press("f5")
        await until(pilot, lambda: isinstance(app.screen, PreviewScreen))
        await until(pilot, lambda: "nothing is typed yet" in text_of(app))
        assert "nothing to send yet" in text_of(app)
        assert "Enter sends this" not in text_of(app)
        await pilot.press("enter")
        await until(pilot, lambda: "There is nothing to send" in text_of(app))
        await pilot.press("escape")
        app.chat.read_files([str(file)])
        await until(pilot, lambda: len(app.chat._attachments) == 1)
        await typed(pilot, "look")
        await pilot.press("f5")
        await until(
            pilot, lambda: isinstance(app.screen, PreviewScreen) and "[file stone.pdf] look" in text_of(app)
        )
        assert "base64" not in text_of(app)
        estimate = app.chat._attachments[0].estimated_tokens
        planned = app.screen._estimates["stateful"]
        assert planned.draft_tokens > estimate
        assert f"~{planned.input_tokens:,} in, of which ~{planned.draft_tokens:,}" in text_of(app)
        await pilot.press("escape")
        assert app.chat.composer.text == "look"
        assert session.conversation(app.chat.conversation_id).turns == {}
    await session.aclose()


async def test_the_files_of_earlier_turns_are_estimated_too(sandbox: SandboxServer, tmp_path: Path) -> None:
    session = make_session(sandbox)
    file = tmp_path / "stone.pdf"
    file.write_bytes(make_pdf("Granite", "Basalt", "Schist"))
    attachment = await session.attach(str(file))
    conversation = await session.new()
    await take_turn(session, conversation.id, "look", attachment)
    app = OutcropApp(session, theme=None, continue_latest=True)
    async with app.run_test(size=(120, 40)) as pilot:
        await until(pilot, lambda: app.chat.conversation_id == conversation.id)
        await settled(pilot)
        await pilot.press("f5")
        await until(pilot, lambda: isinstance(app.screen, PreviewScreen))
        screen = app.screen
        assert isinstance(screen, PreviewScreen)
        stateless = screen._looks[1]
        assert stateless.items[0].tokens == attachment.estimated_tokens + 1
    await session.aclose()


def test_rows_mark_what_broke_off_and_count_what_is_left_out_and_fit() -> None:
    from tui.core.items import Outcome
    from tui.core.preview import PreviewItem

    items = (
        PreviewItem("user", 120, 3, "w" * 300, False, Outcome.FAILED),
        PreviewItem("user", 5, 1, "go", True),
    )
    look = Preview("stateless", None, False, items, 12_345, 44, 0, None, (("reasoning", "no key"),) * 2, 0)
    rows = [entry.text for entry in preview_rows(look, 40, chosen=False, empty=False)]
    assert all(len(text) <= 40 for text in rows)
    assert any(text.startswith(" ! user") and "(failed)" in text for text in rows)
    assert any("2 × reasoning: no key" in text for text in rows)
    assert "12 kB" in "\n".join(rows)


async def test_over_another_api_there_is_one_mode_and_the_switch_says_why(sandbox: SandboxServer) -> None:
    session = make_session(sandbox, model="openai.gpt-5.6-luna")
    app = OutcropApp(session, theme=None)
    async with app.run_test(size=(120, 40)) as pilot:
        await until(pilot, lambda: bool(app.chat.conversation_id))
        await session.set_target(app.chat.conversation_id, api="chat_completions")
        await settled(pilot)
        await typed(pilot, "a stone")
        await pilot.press("f5")
        await until(pilot, lambda: isinstance(app.screen, PreviewScreen))
        await until(pilot, lambda: "Enter sends this" in text_of(app))
        assert text_of(app).count("previous  none") == 1
        await pilot.press("t")
        await until(pilot, lambda: "Only the Responses API continues by id" in " ".join(text_of(app).split()))
        assert session.conversation(app.chat.conversation_id).continuation == "stateful"
