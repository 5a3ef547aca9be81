"""What the inspector and the conversation say about requests that were changed: with the real session."""

from __future__ import annotations

from support.sessions import make_session
from ui_real import ready, send
from ui_stand_in import shown, until

from tui.app import OutcropApp
from tui.core.controls import Controls
from tui.sandbox.server import SandboxServer
from tui.widgets.inspector import Inspector


def page(app: OutcropApp) -> str:
    lines = app.screen.query_one(Inspector)._page.source
    # Where a line is broken is the width's affair.
    return "".join("".join(lines.row(index, 100).text.split()) for index in range(len(lines)))


async def test_reasoning_that_is_not_replayed_is_named_with_the_reason(sandbox: SandboxServer) -> None:
    session = make_session(sandbox, continuation="stateless", model="openai.gpt-5.4")
    app = OutcropApp(session)
    async with app.run_test(size=(140, 40)) as pilot:
        conversation = await ready(app, pilot)
        await session.set_controls(conversation, Controls(effort="high"))
        await send(app, pilot, "hello")
        assert session.left_out(conversation) == {}
        await session.set_target(conversation, model="openai.gpt-5.5")
        await send(app, pilot, "again")
        last = session.exchanges(conversation)[-1]
        assert list(session.left_out(conversation)) == [last.id]
        await pilot.press("f12", "J")
        await until(pilot, lambda: "belongstoanothermodel" in page(app))
    await session.aclose()


async def test_a_mended_chain_is_said_in_the_conversation_now_and_when_it_is_opened_again(
    sandbox: SandboxServer,
) -> None:
    session = make_session(sandbox)
    app = OutcropApp(session)
    async with app.run_test(size=(100, 40)) as pilot:
        conversation = await ready(app, pilot)
        turn = await send(app, pilot, "hello")
        from tui.wire.recorder import AttemptLabel

        # Behind the session's back.
        assert turn.response_id is not None
        client = session.client(session.target(conversation))
        await client.delete(turn.response_id, AttemptLabel())
        await send(app, pilot, "again")
        live = shown(app)
        assert len([line for line in live.splitlines() if line.startswith("notice")]) == 1
    await session.aclose()
    session = make_session(sandbox)
    later = OutcropApp(session, continue_latest=True)
    async with later.run_test(size=(100, 40)) as pilot:
        await until(pilot, lambda: later.chat.has_class("-talking"))
        assert shown(later) == live
    await session.aclose()
