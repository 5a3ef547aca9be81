"""Tools in the app: turned on from the list, a call asked about and shown as one block."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from support.tool_files import write_tools
from textual.pilot import Pilot
from textual.widgets import Button, Input, TextArea

from tui.app import OutcropApp
from tui.config.settings import load_settings
from tui.core.tool_calls import CallState
from tui.screens.chat import ChatScreen
from tui.screens.tool_approval import ApprovalScreen
from tui.screens.tools_dialog import ToolSourceScreen, ToolsScreen
from tui.startup import session_after_first_paint
from tui.widgets.transcript.block import Block


async def until(pilot: Pilot[None], met: Callable[[], bool], what: str) -> None:
    for _ in range(400):
        if met():
            return
        await pilot.pause(0.02)
    raise AssertionError(what)


async def test_a_call_is_asked_about_and_becomes_one_block(tmp_path: Path) -> None:
    session = session_after_first_paint(load_settings({"sandbox": True}, {
        "OUTCROP_CONFIG_DIR": str(tmp_path / "config"), "OUTCROP_DATA_DIR": str(tmp_path / "data"),
    }))  # fmt: skip
    session.tool_files = (write_tools(tmp_path / "tools"),)
    app = OutcropApp(session, preset="brightcart")
    async with app.run_test(size=(100, 32)) as pilot:
        screen = app.screen
        assert isinstance(screen, ChatScreen)
        await screen.warmed_up()
        await until(pilot, lambda: isinstance(app.screen, ToolSourceScreen), "the preset was not shown")
        assert "def replacement_policy" in app.screen.query_one(TextArea).text
        await pilot.press("escape")

        def shown() -> list[Block]:
            return [view.block for view in screen.pane._flow.views]

        async def say(text: str) -> None:
            screen.composer.text = text
            screen.composer.query_one(TextArea).focus()
            await pilot.press("enter")

        await say("/tools")
        await until(pilot, lambda: isinstance(app.screen, ToolsScreen), "the list never came")
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(app.screen, ToolSourceScreen), "its code was not shown")
        assert "Where an order is." in app.screen.query_one(TextArea).text
        use = lambda: session.conversation(screen._conversation_id).tools  # noqa: E731
        assert use().on == ()
        await pilot.press("enter")
        await until(pilot, lambda: use().named("order_status") is not None, "it was not turned on")
        await until(pilot, lambda: isinstance(app.screen, ToolsScreen), "the list did not come back")
        await pilot.press("escape")
        await say("Tell the order status of BC-1")
        await until(pilot, lambda: isinstance(app.screen, ApprovalScreen), "nothing was asked")
        assert not (tmp_path / "tools" / "orders.log").exists()
        area = app.screen.query_one("#approval-arguments", TextArea)
        assert '"order_id": "BC-1"' in area.text
        assert app.screen.query_one("#approval-pattern", Input).value == '{"order_id": "BC-1"}'
        area.text = "no JSON"
        app.screen.query_one("#approval-once", Button).press()
        await pilot.pause()
        assert isinstance(app.screen, ApprovalScreen), "arguments that are none were taken"
        area.text = '{"order_id": "BC-7"}'
        app.screen.query_one("#approval-once", Button).press()
        path = lambda: session.conversation(screen._conversation_id).path()  # noqa: E731
        await until(pilot, lambda: len(path()) == 2 and path()[1].outcome is not None, "the loop did not end")
        assert (tmp_path / "tools" / "orders.log").read_text() == "BC-7\n"
        await until(pilot, lambda: not screen.is_answering, "the turn did not end")
        blocks = shown()
        (call,) = [block for block in blocks if block.title.startswith("order_status")]
        assert call.folded and call.title.startswith("order_status · order_id=BC-7 · ")
        text = screen.pane.plain_text(call.id)
        assert "Changed by you to" in text and '"state":"shipped"' in text
        assert sum(block.kind == "user" for block in blocks) == 1
        # Drawn again from what is kept, it is the same.
        await screen.draw()
        again = [block for block in shown() if block.title.startswith("order_status")]
        assert [(block.title, screen.pane.plain_text(block.id)) for block in again] == [(call.title, text)]
        # Esc at the question refuses, and the model is told.
        await say("Tell the order status of BC-2")
        await until(pilot, lambda: isinstance(app.screen, ApprovalScreen), "nothing was asked")
        await pilot.press("escape")
        await until(pilot, lambda: len(path()) == 4 and path()[3].outcome is not None, "the loop did not end")
        assert path()[2].calls[0].state is CallState.REFUSED
        await until(pilot, lambda: not screen.is_answering, "the turn did not end")
        assert [b.state for b in shown() if b.title.startswith("order_status")] == ["", "refused"]
