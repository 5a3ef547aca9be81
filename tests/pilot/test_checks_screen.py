"""The checks' screen, with the real session and a real server."""

from __future__ import annotations

from support.sessions import make_session
from textual.widgets import Static
from ui_real import ready
from ui_stand_in import until

from tui.app import OutcropApp
from tui.sandbox.server import SandboxServer
from tui.screens.checks import ChecksScreen, CheckTable
from tui.screens.history import ConfirmScreen
from tui.screens.inspector_screen import InspectorScreen

DENIED = {"Message": "User: arn:aws:iam::1:user/u is not authorized to perform: bedrock:InvokeModel on x"}


def states(screen: ChecksScreen) -> dict[str, str]:
    return {name: row.state for name, row in screen._results.items()}


def detail(screen: ChecksScreen) -> str:
    return str(screen.query_one("#checks-detail", Static).render())


def posts(server: SandboxServer) -> int:
    return sum(record.method == "POST" for record in server.log)


async def test_checks_are_asked_about_shown_looked_into_and_run_again(sandbox: SandboxServer) -> None:
    session = make_session(sandbox)
    app = OutcropApp(session)
    async with app.run_test(size=(100, 30)) as pilot:
        await ready(app, pilot)
        # What is paid for is named before, and "no" leaves it out.
        app.chat.composer.text = "/check"
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(app.screen, ConfirmScreen))
        asked = " ".join(str(part.render()) for part in app.screen.query(Static))
        assert (
            "16 paid requests to openai.gpt-5.4 in us-west-2 (preflight, schema" in asked and "$0.0" in asked
        )
        await pilot.press("n")
        await until(pilot, lambda: isinstance(app.screen, ChecksScreen))
        screen = app.screen
        assert isinstance(screen, ChecksScreen)
        await until(pilot, lambda: screen._worker is None)
        assert posts(sandbox) == 1, "only the wrong model, which is refused"
        assert states(screen)["models"] == "passed" and states(screen)["tool"] == "skipped"
        assert "6 passed, 15 skipped." in detail(screen)
        row = CheckTable(list(screen._results.values())).row(0, 96).text
        assert row.split()[:2] == ["✓", "configuration"] and "openai.gpt-5.4 in us-west-2" in row

        # A failure has the cursor, its sentence and what to do next; Enter opens its request.
        sandbox.fault({"status": 403, "body": DENIED})
        await pilot.press("a")
        await until(pilot, lambda: isinstance(app.screen, ConfirmScreen))
        await pilot.press("y")
        await until(pilot, lambda: app.screen is screen and screen._worker is None)
        assert states(screen)["preflight"] == "failed" and states(screen)["stream"] == "skipped"
        assert screen._highlighted.name == "preflight"
        assert "Next: Let an administrator allow the IAM action bedrock:InvokeModel" in detail(screen)
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(app.screen, InspectorScreen))
        opened = app.screen
        assert isinstance(opened, InspectorScreen) and opened.inspector.selected is not None
        assert opened.inspector.selected.id == screen._results["preflight"].exchange_ids[-1]
        assert app.chat.current_exchange is opened.inspector.selected, (
            "copying and sending again mean this one"
        )
        await pilot.press("escape")
        await until(pilot, lambda: app.screen is screen)

        # One is run again, alone.
        before = posts(sandbox)
        await pilot.press("r")
        await until(pilot, lambda: isinstance(app.screen, ConfirmScreen))
        await pilot.press("y")
        await until(pilot, lambda: app.screen is screen and screen._worker is None)
        assert states(screen)["preflight"] == "passed" and posts(sandbox) == before + 1
        assert states(screen)["stream"] == "skipped"

        # Esc stops, and then closes.
        sandbox.fault({"stall_events": 1, "times": 3})
        await pilot.press("a")
        await until(pilot, lambda: isinstance(app.screen, ConfirmScreen))
        await pilot.press("y")
        await until(pilot, lambda: app.screen is screen and states(screen)["stream"] == "running")
        await pilot.press("escape")
        await until(pilot, lambda: screen._worker is None)
        assert app.screen is screen and screen._results["stream"].sentence == "It was stopped."
        assert states(screen)["tool"] == "waiting" and "Stopped." in detail(screen)
        await pilot.press("escape")
        await until(pilot, lambda: app.screen is app.chat)
    await session.aclose()
