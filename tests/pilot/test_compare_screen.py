"""Comparing targets on the screen, with the real session and real HTTP."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from unittest.mock import patch

from support.sessions import make_session
from textual.widgets import Static
from ui_real import ready, send
from ui_stand_in import until

from tui.app import OutcropApp
from tui.core.errors import TokenMissing
from tui.core.items import Outcome
from tui.sandbox.server import SandboxServer
from tui.screens.compare import CompareScreen
from tui.screens.compare_rows import AskedTable, FiguresTable, difference_rows
from tui.screens.compare_setup import CompareSetup
from tui.screens.history import ConfirmScreen
from tui.screens.inspector_screen import InspectorScreen
from tui.screens.picker import PickerScreen


def detail(screen: CompareSetup | CompareScreen) -> str:
    return str(screen.query_one("#compare-detail", Static).render())


def pane_text(screen: CompareScreen, index: int) -> str:
    return "\n".join(block.text for block in screen.columns[index].live.blocks())


async def test_targets_are_chosen_sent_compared_stopped_and_gone_on_with(sandbox: SandboxServer) -> None:
    session = make_session(sandbox, sandbox=True, base_url=None)
    session.settings = session.settings.with_sandbox(f"http://127.0.0.1:{sandbox.port}/openai/v1")
    app = OutcropApp(session)
    async with app.run_test(size=(80, 24)) as pilot:
        await ready(app, pilot)
        chat = app.chat

        async def setup_screen() -> CompareSetup:
            await until(pilot, lambda: isinstance(app.screen, CompareSetup))
            assert isinstance(app.screen, CompareSetup)
            return app.screen

        async def compare_screen() -> CompareScreen:
            await until(pilot, lambda: isinstance(app.screen, CompareScreen))
            assert isinstance(app.screen, CompareScreen)
            return app.screen

        # Left without sending, what was written is where it was, and what was changed is, too.
        chat.composer.text = "How old is slate?"
        await pilot.press("ctrl+x", "v", "v")
        setup = await setup_screen()
        assert setup._prompt.text == "How old is slate?"
        await until(pilot, lambda: "two targets or more" in detail(setup))
        await pilot.press("ctrl+s")
        await pilot.pause()
        assert app.screen is setup, "one target is nothing to compare"
        setup._prompt.text = "How old is slate, really?"
        await pilot.press("escape")
        await until(pilot, lambda: app.screen is chat and chat.composer.text == "How old is slate, really?")

        # The line, the picker and the keys choose; what it costs is said before anything is sent.
        await pilot.press("ctrl+x", "v", "v")
        setup = await setup_screen()
        await until(pilot, lambda: len(setup._columns) == 1)
        await pilot.press("alt+a")
        await until(pilot, lambda: isinstance(app.screen, PickerScreen))
        await pilot.press(*"gpt-5.5")
        await pilot.press("enter")
        await until(pilot, lambda: app.screen is setup and len(setup._columns) == 2)
        assert setup._columns[1].asked.target.model == "openai.gpt-5.5"
        await pilot.press("alt+e", "alt+e", "alt+m")
        await until(pilot, lambda: setup._columns[1].asked.mode == "stateless")
        assert setup._columns[1].asked.effort == "low"
        assert setup._line.value.endswith(" effort=low mode=stateless")
        await until(pilot, lambda: "2 requests, likely ~$0.0" in detail(setup))
        table = setup._list.source
        assert isinstance(table, AskedTable) and table.row(1, 76).text.split()[1] == "gpt-5.5"
        await pilot.press("alt+d")
        await until(pilot, lambda: len(setup._columns) == 1)
        setup._line.value = "gpt-5.4, gpt-5.5@us-east-2 effort=loud"
        await until(pilot, lambda: "not loud" in detail(setup))
        setup._line.value = "gpt-5.4@us-west-2, gpt-oss-20b api=chat, gpt-5.9"
        await until(pilot, lambda: "3 requests" in detail(setup) and "1 of unknown price" in detail(setup))
        assert not list(sandbox.log)

        # One fails with its sentence, the others go on; tabs at 80 columns, beside each other at 120.
        sandbox.fault({"on": "chat", "answer": "Slate is younger than basalt."})
        await pilot.press("ctrl+s")
        screen = await compare_screen()
        await until(pilot, lambda: not screen.running)
        assert chat.composer.text == "" and screen.has_class("-tabs")
        assert [row.state for row in screen._rows] == ["completed", "completed", "failed"]
        assert [box.display for box in screen._boxes] == [True, False, False]
        rows = [FiguresTable([(one.name, row)]).row(0, 76).text
                for one, row in zip(screen.columns, screen._rows, strict=True)]  # fmt: skip
        assert "~$0.0" in rows[0] and "404" in rows[2] and "404" not in rows[1]
        await pilot.press("3")
        assert "gpt-5.9" in detail(screen) and "404" in detail(screen)
        assert "404" in pane_text(screen, 2)
        await pilot.press("enter")
        await until(pilot, lambda: app.screen is chat)
        failed = chat.conversation_id
        assert failed == screen.columns[2].conversation_id
        assert len(chat.open_ids) == 4, "the first conversation, and each column"

        # The differences of a pair; the requests of a column; then on with it as its own conversation.
        chat.composer.text = "/compare How old is chalk?"
        await pilot.press("enter")
        setup = await setup_screen()
        assert setup._line.value == "gpt-5.4@us-west-2, gpt-oss-20b api=chat, gpt-5.9", "as it was last"
        setup._line.value = "gpt-5.4, gpt-oss-20b api=chat"
        sandbox.fault({"on": "chat", "answer": "Chalk is younger than basalt."})
        await until(pilot, lambda: len(setup._columns) == 2)
        await pilot.press("ctrl+s")
        screen = await compare_screen()
        await pilot.resize_terminal(120, 40)
        await until(pilot, lambda: not screen.running and not screen.has_class("-tabs"))
        assert all(box.display for box in screen._boxes)
        await pilot.press("d")
        await until(pilot, lambda: screen.has_class("-differences"))
        assert screen._found is not None and "% of the words are the same" in detail(screen)
        shown = "\n".join(row.text for row in difference_rows(screen._found, 100))
        assert "{+Chalk" in shown and "[-" in shown
        await pilot.press("d", "right", "i")
        await until(pilot, lambda: isinstance(app.screen, InspectorScreen))
        inspector = app.screen
        assert isinstance(inspector, InspectorScreen)
        await pilot.press("escape")
        await until(pilot, lambda: app.screen is screen)
        await pilot.press("enter")
        await until(pilot, lambda: app.screen is chat and not chat.answers_arriving)
        assert chat.conversation_id == screen.columns[1].conversation_id
        turn = await send(app, pilot, "And of what?")
        assert turn.target is not None and turn.target.api == "chat_completions"
        assert len(session.conversation(chat.conversation_id).path()) == 2 and "chalk" in turn.text

        # Esc stops what runs, and then closes; what came is kept.
        sandbox.fault({"on": "responses", "stall_events": 12})
        chat.composer.text = "/compare Write 200 words"
        await pilot.press("enter")
        setup = await setup_screen()
        setup._line.value = "gpt-oss-20b@us-west-2 api=chat, gpt-5.4 api=responses endpoint=mantle"
        await until(pilot, lambda: len(setup._columns) == 2)
        await pilot.press("ctrl+s")
        screen = await compare_screen()
        await until(pilot, lambda: [row.state for row in screen._rows] == ["completed", "running"])
        await until(pilot, lambda: screen.columns[1].live.has_output)
        await pilot.press("escape")
        await until(pilot, lambda: not screen.running)
        assert [row.state for row in screen._rows] == ["completed", "stopped"] and app.screen is screen
        stopped = session.conversation(screen.columns[1].conversation_id).path()[0]
        assert stopped.outcome is Outcome.CANCELLED and stopped.text
        await pilot.press("escape")
        await until(pilot, lambda: app.screen is chat)

        # Where nothing could be sent, each says why, and the prompt is back.
        with patch.object(session, "check_token", side_effect=TokenMissing("There is no key.")):
            chat.composer.text = "/compare Which stone?"
            await pilot.press("enter")
            setup = await setup_screen()
            await until(pilot, lambda: len(setup._columns) == 2)
            await pilot.press("ctrl+s")
            screen = await compare_screen()
            await until(pilot, lambda: not screen.running)
        assert [row.error for row in screen._rows] == ["There is no key."] * 2
        await pilot.press("enter")
        assert app.screen is screen and "Nothing was sent there" in detail(screen)
        await pilot.press("escape")
        await until(pilot, lambda: app.screen is chat and chat.composer.text == "Which stone?")

        # Over a budget one is asked, and "no" gives the prompt back.
        session.settings = replace(session.settings, budget_per_day=Decimal("0.000001"))
        chat.composer.text = "/compare Hello there"
        await pilot.press("enter")
        setup = await setup_screen()
        await until(pilot, lambda: len(setup._columns) == 2)
        await pilot.press("ctrl+s")
        await until(pilot, lambda: isinstance(app.screen, ConfirmScreen))
        await pilot.press("n")
        await until(pilot, lambda: app.screen is chat and chat.composer.text == "Hello there")
        await chat.shut_down()
    await session.aclose()
