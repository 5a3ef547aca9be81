from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from dataclasses import replace
from pathlib import Path

import pytest
from textual import events
from ui_samples import text_of
from ui_stand_in import Held, StandInSession, app_for, failing, message_item, settled, shown, typed, until

from tui.core.conversation import Conversation
from tui.core.errors import StreamError, TokenRefused
from tui.core.events import RetryWaiting, SessionEvent, Silence, TextDelta, TurnEnded
from tui.core.items import Item, Outcome, Turn, user_message
from tui.screens.token_dialog import TokenDialog


async def test_a_prompt_is_sent_by_enter_and_its_answer_is_drawn(tmp_path: Path) -> None:
    session = StandInSession(tmp_path)
    app = app_for(session)
    async with app.run_test(size=(80, 24)) as pilot:
        await typed(pilot, "hello there")
        await pilot.press("enter")
        await settled(pilot)
        assert [prompt for prompt, _ in session.sent] == ["hello there"]
        assert shown(app).splitlines() == [
            "user||hello there",
            "reasoning||Thinking about it.",
            "assistant||You said **hello there**",
        ]
        assert app.chat.composer.text == ""


async def test_escape_stops_the_answer_and_keeps_what_came(tmp_path: Path) -> None:
    held = Held()
    session = StandInSession(tmp_path, held)
    app = app_for(session)
    async with app.run_test(size=(80, 24)) as pilot:
        await typed(pilot, "go")
        await pilot.press("enter")
        await settled(pilot)
        assert app.chat.answers_arriving == 1
        await pilot.press("escape")
        await settled(pilot)
        assert held.cancelled
        assert app.chat.answers_arriving == 0
        assert "assistant|stopped|The first piece." in shown(app)


async def test_an_error_in_the_middle_keeps_the_text_and_says_why(tmp_path: Path) -> None:
    session = StandInSession(tmp_path, failing(StreamError("The stream broke off.")))
    app = app_for(session)
    async with app.run_test(size=(80, 24)) as pilot:
        await typed(pilot, "go")
        await pilot.press("enter")
        await settled(pilot)
        assert "assistant|failed|A part of " in shown(app)
        assert "error||The stream broke off." in shown(app)


async def test_a_fault_of_ours_becomes_a_sentence_and_the_program_goes_on(tmp_path: Path) -> None:
    session = StandInSession(tmp_path, failing(ZeroDivisionError("secret local")))
    app = app_for(session)
    async with app.run_test(size=(80, 24)) as pilot:
        await typed(pilot, "go")
        await pilot.press("enter")
        await settled(pilot)
        assert "ZeroDivisionError" in shown(app)
        assert "secret local" not in shown(app)
        await typed(pilot, "still here")
        assert app.chat.composer.text == "still here"


async def test_a_prompt_typed_while_an_answer_arrives_waits_and_is_sent_after_it(tmp_path: Path) -> None:
    held = Held()
    session = StandInSession(tmp_path, held)
    app = app_for(session)
    async with app.run_test(size=(80, 24)) as pilot:
        await typed(pilot, "one")
        await pilot.press("enter")
        await settled(pilot)
        await typed(pilot, "two")
        await pilot.press("enter")
        await settled(pilot)
        assert [prompt for prompt, _ in session.sent] == ["one"]
        assert app.chat.queue_line.display
        held.go.set()
        await until(pilot, lambda: len(session.sent) == 2)
        assert session.sent[1][0] == "two"
        assert not app.chat.queue_line.display


async def test_a_queued_prompt_can_be_taken_back(tmp_path: Path) -> None:
    session = StandInSession(tmp_path, Held())
    app = app_for(session)
    async with app.run_test(size=(80, 24)) as pilot:
        await typed(pilot, "one")
        await pilot.press("enter")
        await settled(pilot)
        await typed(pilot, "two")
        await pilot.press("enter", "up")
        await settled(pilot)
        assert app.chat.composer.text == "two"
        assert not app.chat.queue_line.display


async def test_stopping_returns_the_queue_to_the_composer(tmp_path: Path) -> None:
    session = StandInSession(tmp_path, Held())
    app = app_for(session)
    async with app.run_test(size=(80, 24)) as pilot:
        await typed(pilot, "one")
        await pilot.press("enter")
        await settled(pilot)
        await typed(pilot, "two")
        await pilot.press("enter")
        await typed(pilot, "three")
        await pilot.press("escape")
        await until(pilot, lambda: app.chat.composer.text == "two\n\nthree")
        assert [prompt for prompt, _ in session.sent] == ["one"]


async def test_a_prompt_sent_before_everything_is_ready_is_sent_once_it_is(tmp_path: Path) -> None:
    session = StandInSession(tmp_path)
    session.gate.clear()
    app = app_for(session)
    async with app.run_test(size=(80, 24)) as pilot:
        await typed(pilot, "early")
        await pilot.press("enter")
        await pilot.pause()
        assert session.sent == []
        session.gate.set()
        await until(pilot, lambda: len(session.sent) == 1)
        await settled(pilot)
        assert "You said **early**" in shown(app)


async def test_without_a_token_the_prompt_comes_back_and_the_dialog_opens(tmp_path: Path) -> None:
    session = StandInSession(tmp_path, sandbox=False)
    session.credentials.token = ""
    app = app_for(session)
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: isinstance(app.screen, TokenDialog))
        await pilot.press("escape")
        await until(pilot, lambda: app.screen is app.chat)
        await typed(pilot, "precious")
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(app.screen, TokenDialog))
        assert app.chat.composer.text == "precious"
        assert session.sent == []
        assert not app.chat.has_class("-talking")


async def test_a_refused_token_gives_the_prompt_back_and_leaves_the_path_clean(tmp_path: Path) -> None:
    refusal = TokenRefused("The server refused the key.", status=401)
    session = StandInSession(tmp_path, failing(refusal), sandbox=False)
    app = app_for(session)
    async with app.run_test(size=(80, 24)) as pilot:
        await typed(pilot, "precious")
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(app.screen, TokenDialog))
        assert app.chat.composer.text == "precious"
        conversation = session.conversation(app.chat.conversation_id)
        assert conversation.path() == ()
        assert len(conversation.turns) == 1


async def test_silence_and_waiting_are_said_and_unsaid(tmp_path: Path) -> None:
    go = asyncio.Event()

    async def script(_: StandInSession, turn: Turn) -> AsyncGenerator[SessionEvent, None]:
        yield RetryWaiting(30.0, "The server is busy (429).", 1)
        await go.wait()
        go.clear()
        yield Silence(24.0)
        await go.wait()
        go.clear()
        yield TextDelta(0, "m", "x")
        await go.wait()
        yield TurnEnded(replace(turn, output=(message_item("x"),), outcome=Outcome.COMPLETED))

    session = StandInSession(tmp_path, script)
    app = app_for(session)
    async with app.run_test(size=(80, 24)) as pilot:
        await typed(pilot, "go")
        await pilot.press("enter")
        notice = app.chat.notice
        await until(pilot, lambda: "The server is busy (429).  Next attempt in 30 s" in notice.text)
        go.set()
        await until(pilot, lambda: notice.text == "No event for 24 s · Esc stops")
        go.set()
        await until(pilot, lambda: notice.text == "")
        go.set()
        await until(pilot, lambda: app.chat.answers_arriving == 0)


async def test_a_turn_runs_on_behind_another_conversation(tmp_path: Path) -> None:
    held = Held()
    session = StandInSession(tmp_path, held)
    app = app_for(session)
    async with app.run_test(size=(80, 24)) as pilot:
        await typed(pilot, "one")
        await pilot.press("enter")
        await settled(pilot)
        first = app.chat.conversation_id
        await pilot.press("ctrl+n")
        await until(pilot, lambda: app.chat.conversation_id != first)
        assert shown(app) == ""
        assert app.chat.answers_arriving == 1
        await app.chat.open_conversation(first)
        assert "assistant|running|The first piece." in shown(app)
        held.go.set()
        await until(pilot, lambda: app.chat.answers_arriving == 0)
        assert "assistant||The first piece." in shown(app)


async def test_a_kept_conversation_is_drawn_as_it_was(tmp_path: Path) -> None:
    session = StandInSession(tmp_path)
    part = {"type": "input_file", "filename": "a\u202eb.pdf", "file_data": "data:application/pdf;base64,AAAA"}
    reasoning = Item.of({"type": "reasoning", "summary": [{"type": "summary_text", "text": "Hm."}]})
    target = session.settings.target()
    turns = [
        Turn(
            "t1", None, (user_message("read", [part]),), 0.0, output=(reasoning, message_item("Done.")),
            outcome=Outcome.COMPLETED, target=target, notices=("The chain was mended.",),
        ),
        Turn("t2", "t1", (user_message("more"),), 1.0, partial_text="Half", outcome=Outcome.FAILED,
             error="Broken.", target=target),
        Turn("t3", "t2", (user_message("stop"),), 2.0, outcome=Outcome.CANCELLED, target=target),
    ]  # fmt: skip
    conversation = Conversation("kept", 0.0, sandbox=True)
    for turn in turns:
        conversation = conversation.append(turn)
    session.add(conversation)
    app = app_for(session, open_conversation="kept")
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: app.chat.has_class("-talking"))
        assert shown(app).splitlines() == [
            "user||read",
            "attachment||a�b.pdf  3 B",
            "notice||The chain was mended.",
            "reasoning||Hm.",
            "assistant||Done.",
            "user||more",
            "assistant|failed|Half",
            "error||Broken.",
            "user||stop",
            "notice||Stopped before anything came.",
        ]


async def test_what_was_streamed_and_what_is_kept_are_drawn_alike(tmp_path: Path) -> None:
    session = StandInSession(tmp_path)
    app = app_for(session)
    async with app.run_test(size=(80, 24)) as pilot:
        await typed(pilot, "hello")
        await pilot.press("enter")
        await settled(pilot)
        live = shown(app)
        await app.chat.show_conversation(session.conversation(app.chat.conversation_id))
        assert shown(app) == live


async def test_ctrl_q_asks_once_more_while_an_answer_arrives_and_keeps_it(tmp_path: Path) -> None:
    held = Held()
    session = StandInSession(tmp_path, held)
    app = app_for(session)
    async with app.run_test(size=(80, 24)) as pilot:
        await typed(pilot, "one")
        await pilot.press("enter")
        await settled(pilot)
        await typed(pilot, "draft")
        await pilot.press("ctrl+q")
        await settled(pilot)
        assert app.is_running and not held.cancelled
        await pilot.press("ctrl+q")
        await until(pilot, lambda: session.closed)
    assert held.cancelled
    assert session.drafts[app.chat.conversation_id] == "draft"


async def test_ctrl_c_empties_the_composer_before_it_leaves(tmp_path: Path) -> None:
    session = StandInSession(tmp_path)
    app = app_for(session)
    async with app.run_test(size=(80, 24)) as pilot:
        await typed(pilot, "words")
        await pilot.press("ctrl+c")
        await settled(pilot)
        assert app.chat.composer.text == ""
        await pilot.press("up")
        assert app.chat.composer.text == "words"
        await pilot.press("ctrl+c", "ctrl+c")
        await settled(pilot)
        assert not session.closed
        await pilot.press("ctrl+c")
        await until(pilot, lambda: session.closed)


async def test_the_switch_of_continuation_is_shown(tmp_path: Path) -> None:
    session = StandInSession(tmp_path)
    app = app_for(session)
    async with app.run_test(size=(100, 24)) as pilot:
        await until(pilot, lambda: bool(app.chat.conversation_id))
        assert "stateful" in app.chat.status.render().plain
        await pilot.press("ctrl+t")
        await until(pilot, lambda: "stateless" in app.chat.status.render().plain)
        app.chat.composer.text = "/stateful"
        await pilot.press("enter")
        await until(pilot, lambda: "stateful" in app.chat.status.render().plain)


@pytest.mark.parametrize(("width", "beside"), [(120, True), (119, False)])
async def test_the_inspector_stands_beside_or_over(tmp_path: Path, width: int, beside: bool) -> None:
    session = StandInSession(tmp_path)
    app = app_for(session)
    async with app.run_test(size=(width, 24)) as pilot:
        await until(pilot, lambda: bool(app.chat.conversation_id))
        await pilot.press("f12")
        await settled(pilot)
        assert (app.screen is app.chat) == beside
        assert len(app.screen.query("Inspector")) == 1
        await pilot.press("f12")
        await settled(pilot)
        assert app.screen is app.chat
        assert len(app.screen.query("Inspector")) == 0


async def test_ctrl_c_twice_with_something_typed_or_sent_between_does_not_quit(tmp_path: Path) -> None:
    session = StandInSession(tmp_path)
    app = app_for(session)
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: bool(app.chat.conversation_id))
        await pilot.press("ctrl+c", "a", "enter")
        await until(pilot, lambda: len(session.sent) == 1 and app.chat.answers_arriving == 0)
        await pilot.press("ctrl+c")
        await settled(pilot)
        assert not session.closed, "an answer came between the two"
        await pilot.press("b", "ctrl+c", "ctrl+c")
        await settled(pilot)
        assert not session.closed, "the first of the two emptied the composer"
        app.post_message(events.Paste("c"))
        await until(pilot, lambda: app.chat.composer.text == "c")
        app.chat.composer.input.clear()
        await pilot.press("ctrl+c")
        await settled(pilot)
        assert not session.closed, "something was pasted between the two"
        await pilot.press("ctrl+c")
        await until(pilot, lambda: session.closed)


async def test_until_the_conversation_is_open_the_screen_says_that_it_opens(tmp_path: Path) -> None:
    session = StandInSession(tmp_path)
    conversation = await session.new()
    turn = Turn("t1", None, (user_message("granite"),), 0.0, outcome=Outcome.COMPLETED)
    session.add(conversation.append(turn))
    session.gate.clear()
    app = app_for(session, continue_latest=True)
    async with app.run_test(size=(80, 24)) as pilot:
        await settled(pilot)
        assert "Opening the conversation" in text_of(app)
        assert "O U T C R O P" not in text_of(app)
        session.gate.set()
        await until(pilot, lambda: "granite" in text_of(app))
        assert "Opening the conversation" not in text_of(app)


async def test_with_nothing_to_continue_the_welcome_page_comes_after_all(tmp_path: Path) -> None:
    app = app_for(StandInSession(tmp_path), continue_latest=True)
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: "O U T C R O P" in text_of(app))
        assert "Opening the conversation" not in text_of(app)


async def test_letters_typed_in_the_side_panel_reach_the_composer_but_its_own_keys_do_not(
    tmp_path: Path,
) -> None:
    app = app_for(StandInSession(tmp_path))
    async with app.run_test(size=(160, 48)) as pilot:
        await until(pilot, lambda: bool(app.chat.conversation_id))
        await pilot.press("f12")
        await until(pilot, lambda: app.chat.focused is not None and app.chat.focused.id is not None)
        assert app.chat.focused.id == "inspector-exchanges"
        await pilot.press("r", "2")
        assert app.chat.focused.id == "inspector-exchanges"
        assert app.chat.composer.text == ""
        await pilot.press("W", "h", "y", "question_mark")
        assert app.chat.focused is app.chat.composer.input
        assert app.chat.composer.text == "Why?"


async def test_a_newer_notice_of_the_switch_replaces_the_older_and_dialogs_are_not_covered(
    tmp_path: Path,
) -> None:
    app = app_for(StandInSession(tmp_path))
    async with app.run_test(size=(80, 24), notifications=True) as pilot:
        await until(pilot, lambda: bool(app.chat.conversation_id))
        await settled(pilot)
        await pilot.press("f8")
        await until(pilot, lambda: "run in the background" in text_of(app))
        await pilot.press("f8")
        await until(pilot, lambda: "are sent as usual" in text_of(app))
        assert [note.message for note in app._notifications] == ["The next turns are sent as usual."]
        assert "run in the background" not in text_of(app)
        await pilot.press("f1")
        await until(pilot, lambda: app.screen is not app.chat)
        await settled(pilot)
        assert "are sent as usual" not in text_of(app)
        assert len(app.screen.query("Toast")) == 0
