"""The tool loop over HTTP, in both continuation modes: what runs, what goes back, what is kept."""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import AsyncIterator
from contextlib import aclosing
from pathlib import Path
from typing import Any

import pytest
from support.sessions import make_session
from support.tool_files import Says, write_tools

from tui.core.events import Notice, SessionEvent, ToolCallChanged, TurnEnded
from tui.core.items import Outcome, Turn
from tui.core.tool_calls import CallState
from tui.core.tools import INTERRUPTED, NOT_RUN, Asker
from tui.sandbox.server import SandboxServer
from tui.session.session import Session


class Run:
    """A session with tools and one conversation."""

    def __init__(self, session: Session, conversation_id: str, folder: Path) -> None:
        self.session = session
        self.id = conversation_id
        self.folder = folder

    @property
    def path(self) -> tuple[Turn, ...]:
        return self.session.conversation(self.id).path()

    @property
    def ran(self) -> list[str]:
        log = self.folder / "orders.log"
        return log.read_text().split() if log.exists() else []

    async def take(self, prompt: str, asker: Asker | None) -> list[SessionEvent]:
        return await self.follow(self.session.with_tools(self.id, self.session.send(self.id, prompt), asker))

    async def follow(self, events: Any) -> list[SessionEvent]:
        seen: list[SessionEvent] = []
        async with aclosing(events) as stream:
            async for event in stream:
                seen.append(event)
        return seen

    def outputs(self) -> list[str]:
        """What went back in the last step."""
        return [item.payload["output"] for item in self.path[-1].input if item.type.endswith("_output")]


@pytest.fixture
async def start(sandbox: SandboxServer, tmp_path: Path) -> AsyncIterator[Any]:
    sessions: list[Session] = []

    async def begin(*on: str, rounds: int = 16, mode: str = "stateful", **flags: object) -> Run:
        session = make_session(sandbox, continuation=mode, **flags)
        session.tool_files = (write_tools(tmp_path / "tools", rounds=rounds),)
        sessions.append(session)
        conversation = await session.new()
        await session.turn_on(conversation.id, on)
        return Run(session, conversation.id, tmp_path / "tools")

    yield begin
    for session in sessions:
        await session.aclose()


@pytest.mark.parametrize("mode", ["stateful", "stateless"])
async def test_one_call_then_another_of_what_the_first_returned(start: Any, mode: str) -> None:
    run = await start("order_status", "normalize_text", mode=mode)
    asker = Says()
    events = await run.take("Normalize this text: bc-17, then tell the order status", asker)
    first, second, last = run.path
    assert [turn.outcome for turn in run.path] == [Outcome.COMPLETED] * 3
    assert [question.call.kind for question in asker.asked] == ["custom", "function"]
    assert first.calls[0].state is CallState.DONE
    assert "BC-17" in first.calls[0].output
    assert run.ran == ["BC-17"]
    assert json.loads(run.outputs()[0]) == {"order_id": "BC-17", "state": "shipped"}
    assert "shipped" in last.text
    # The shapes of the wire: a custom call is answered by its own kind of output.
    assert second.input[0].type == "custom_tool_call_output"
    assert last.input[0].type == "function_call_output"
    states = [event.record.state for event in events if isinstance(event, ToolCallChanged)]
    assert states == [CallState.WAITING, CallState.RUNNING, CallState.DONE] * 2
    assert sum(isinstance(event, TurnEnded) for event in events) == 3
    # What is on disk is what is in memory.
    again = make_again(run)
    loaded = await again.open(run.id)
    assert loaded.path() == run.path
    assert loaded.tools == run.session.conversation(run.id).tools
    await again.aclose()


def make_again(run: Run) -> Session:
    session = Session(run.session.settings, run.session.credentials)
    session.tool_files = run.session.tool_files
    return session


@pytest.mark.parametrize("mode", ["stateful", "stateless"])
async def test_three_calls_at_once_are_answered_in_one_request(start: Any, mode: str) -> None:
    run = await start("order_status", mode=mode)
    asker = Says()
    await run.take("Tell the order status of BC-1, BC-2 and BC-3", asker)
    assert [(question.number, question.of) for question in asker.asked] == [(1, 3), (2, 3), (3, 3)]
    first, last = run.path
    assert sorted(run.ran) == ["BC-1", "BC-2", "BC-3"]
    assert [json.loads(output)["order_id"] for output in run.outputs()] == ["BC-1", "BC-2", "BC-3"]
    starts = [record.started_at for record in first.calls]
    ends = [record.ended_at for record in first.calls]
    assert max(starts) < min(ends), "one waited for another"
    assert last.text.count("shipped") == 3


async def test_a_switch_in_the_middle_of_a_loop_leaves_the_context_as_it_is(
    start: Any, sandbox: SandboxServer
) -> None:
    run = await start("order_status", "normalize_text")

    class Switches(Says):
        async def approve(self, question: Any) -> Any:
            conversation = run.session.conversation(run.id)
            mode = "stateless" if conversation.continuation == "stateful" else "stateful"
            await run.session.set_continuation(run.id, mode)
            return await super().approve(question)

    await run.take(
        "Normalize this text: bc-17, then tell the order status, then the order status", Switches()
    )
    assert [turn.continuation for turn in run.path] == ["stateful", "stateless", "stateful", "stateless"]
    assert all(turn.outcome is Outcome.COMPLETED for turn in run.path)
    kinds = [item["type"] for item in sandbox.last_context() if item.get("type", "message") != "message"]
    assert (
        kinds
        == ["custom_tool_call", "custom_tool_call_output"] + ["function_call", "function_call_output"] * 2
    )


async def test_what_fails_hangs_floods_and_is_refused_goes_back_in_words(start: Any) -> None:
    run = await start("broken_thing", "hanging_thing", "flooding_thing", "environment_thing")
    os.environ["AWS_BEARER_TOKEN_BEDROCK"] = "a-secret-of-the-test"
    try:
        await run.take(
            "Do the broken thing, the hanging thing, the flooding thing, the environment thing", Says()
        )
    finally:
        del os.environ["AWS_BEARER_TOKEN_BEDROCK"]
    broken, hanging, flooding, environment = run.outputs()
    states = [record.state for record in sorted_calls(run.path[0])]
    assert states == [CallState.FAILED, CallState.FAILED, CallState.DONE, CallState.DONE]
    assert broken == "RuntimeError: the shelf fell over"
    assert hanging == "begun\n\nThe tool was ended: it ran longer than 0.5 s."
    assert not is_alive(int((run.folder / "child.pid").read_text()))
    assert flooding.startswith("x" * 1000 + "\n[The output was 100,000,000 bytes long")
    assert "a-secret" not in environment
    names = {line.partition("=")[0] for line in environment.splitlines()[1:]}
    assert names <= {
        "HOME",
        "LANG",
        "LC_ALL",
        "LC_CTYPE",
        "PATH",
        "PWD",
        "SHLVL",
        "TMPDIR",
        "TZ",
        "_",
        "OLDPWD",
    }
    refused = Says("refuse")
    await run.take("Do the broken thing", refused)
    assert run.outputs() == ["The user did not allow this call."]
    assert run.path[2].calls[0].state is CallState.REFUSED


def sorted_calls(turn: Turn) -> list[Any]:
    order = [item.payload["call_id"] for item in turn.output]
    return sorted(turn.calls, key=lambda record: order.index(record.call_id))


def is_alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


async def test_a_loop_ends_at_its_limit_and_goes_on_when_asked(start: Any) -> None:
    run = await start("order_status", rounds=2)
    events = await run.take("Tell the order status of BC-1 again and again", Says("conversation"))
    (notice,) = [event.text for event in events if isinstance(event, Notice)]
    assert notice.startswith("The limit of 2 rounds of tool calls is reached")
    assert notice in run.path[-1].notices
    assert run.ran == ["BC-1", "BC-1"]
    assert len(run.session.pending(run.id)) == 1
    # A prompt may follow all the same: the call that was not run is answered as such.
    await run.take("Reply with exactly: fine", None)
    assert run.path[-1].text == "fine"
    assert run.outputs() == [NOT_RUN]


async def test_answers_hold_as_long_as_they_say(start: Any) -> None:
    run = await start("order_status")
    always = Says("always")
    await run.take("Tell the order status of BC-1", always)
    await run.take("Tell the order status of BC-1 once more", Says("refuse"))
    assert run.ran == ["BC-1", "BC-1"], "exactly these arguments may always run"
    other = Says("never")
    await run.take("Tell the order status of BC-2", other)
    nobody = Says()
    await run.take("Tell the order status of BC-2 please", nobody)
    assert len(other.asked) == 1 and not nobody.asked
    assert run.ran == ["BC-1", "BC-1"]
    everything = Says("conversation")
    await run.take("Tell the order status of BC-3", everything)
    await run.take("Tell the order status of BC-4", nobody)
    assert run.ran[2:] == ["BC-3", "BC-4"] and not nobody.asked
    # In another conversation the rules hold, and what was allowed for this one does not.
    other_id = (await run.session.new()).id
    await run.session.turn_on(other_id, ["order_status"])
    second = Run(run.session, other_id, run.folder)
    await second.take("Tell the order status of BC-1", None)
    await second.take("Tell the order status of BC-4", None)
    assert run.ran[4:] == ["BC-1"]
    assert second.outputs() == ["This call was not allowed: nobody could be asked."]
    # Code that was changed is other code.
    code = run.folder / "orders.py"
    code.write_text(code.read_text().replace('"shipped"', '"stolen"'))
    await run.take("Tell the order status of BC-1 now", None)
    assert "was changed since it was turned on" in run.outputs()[0]
    assert len(run.ran) == 5


async def test_arguments_and_output_can_be_changed(start: Any) -> None:
    run = await start("order_status")
    asker = Says(arguments='{"order_id": "BC-99"}', output="a secret thing")
    await run.take("Tell the order status of BC-1", asker)
    assert run.ran == ["BC-99"]
    assert "BC-99" in asker.reviewed[0]
    assert run.outputs() == ["a secret thing"]
    (record,) = run.path[0].calls
    assert record.edited and record.arguments == '{"order_id": "BC-99"}'
    # What the model wrote is replayed as it wrote it.
    assert json.loads(run.path[0].output[-1].payload["arguments"]) == {"order_id": "BC-1"}


@pytest.mark.parametrize("how", ["run", "interrupted"])
async def test_what_was_stopped_is_not_run_again_unasked(start: Any, how: Any) -> None:
    run = await start("endless_thing")

    async def stop_when_running() -> None:
        task = asyncio.create_task(run.take("Do the endless thing", Says()))
        child = run.folder / "child.pid"
        while not child.exists() or not child.read_text():  # noqa: ASYNC110
            await asyncio.sleep(0.02)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    await stop_when_running()
    assert not is_alive(int((run.folder / "child.pid").read_text()))
    ((_, record),) = run.session.pending(run.id)
    assert record.state is CallState.STOPPED
    (run.folder / "child.pid").unlink()
    # Another run of the program finds it like that.
    again = make_again(run)
    await again.open(run.id)
    resumed = Run(again, run.id, run.folder)
    assert len(again.pending(run.id)) == 1
    asker = Says("refuse")
    await resumed.follow(again.resume_calls(run.id, how, asker))
    assert len(asker.asked) == (1 if how == "run" else 0)
    assert not (run.folder / "child.pid").exists()
    assert resumed.outputs() == [INTERRUPTED if how == "interrupted" else "The user did not allow this call."]
    assert resumed.path[-1].outcome is Outcome.COMPLETED
    assert again.pending(run.id) == ()
    await again.aclose()


async def test_a_tool_choice_is_sent_once_and_falls_back_when_it_is_refused(
    start: Any, sandbox: SandboxServer
) -> None:
    run = await start("order_status")
    await run.session.set_tool_choice(run.id, "required")
    await run.take("Hello there", Says())
    bodies = [json.loads(exchange.request_body) for exchange in run.session.exchanges(run.id)]
    assert [body.get("tool_choice") for body in bodies] == ["required", None]
    assert len(run.ran) == 1
    await run.session.set_tool_choice(run.id, "order_status")
    await run.take("Hello again", Says())
    bodies = [json.loads(exchange.request_body) for exchange in run.session.exchanges(run.id)]
    assert bodies[2]["tool_choice"] == {"type": "function", "name": "order_status"}
    await run.session.set_tool_choice(run.id, "none")
    await run.take("Tell the order status of BC-1", Says())
    assert len(run.ran) == 2
    refusal = {
        "error": {
            "code": "unsupported_value",
            "message": "tool_choice 'required' is not supported",
            "param": "tool_choice",
        }
    }
    sandbox.fault({"status": 400, "body": refusal})
    await run.session.set_tool_choice(run.id, "required")
    events = await run.take("Tell the order status of BC-5", Says())
    (said,) = [event.text for event in events if isinstance(event, Notice)]
    assert "sent again with tool choice auto" in said
    assert run.ran[2:] == ["BC-5"]
