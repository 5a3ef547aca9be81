"""The session as a state machine: sends, cancels, switches, forks, failures, crashes, in any order.

Each step goes over real HTTP to the sandbox and into a real file. What must be then is known to a model of
its own, a dictionary of turns: after each step the conversation in memory, the turns in the file, what the
server saw, and the number of generations that were paid for are held against it.
"""

from __future__ import annotations

import asyncio
import json
import shutil
import tempfile
from collections.abc import AsyncGenerator, Callable, Iterator, Mapping
from contextlib import aclosing, closing, suppress
from dataclasses import dataclass, field
from http.client import HTTPConnection
from pathlib import Path
from typing import Any, ClassVar

import httpx
import pytest
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    rule,
    run_state_machine_as_test,
)
from support.fuzzing import COUNTS, fuzz_settings, rounds, weigh
from support.programs_at_once import ProgramsAtOnce, rows_of
from support.sandbox_api import Clock

from tui.core.errors import InputError, NoSuchConversation, StoreError
from tui.core.events import BackgroundStarted, SessionEvent, TextDelta, TurnEnded, TurnStarted
from tui.core.items import Outcome, Turn
from tui.sandbox.log import Served
from tui.sandbox.server import SandboxServer
from tui.session.session import Session

NAME = "the session as a state machine"
WORDS = "alpha beta gamma delta epsilon zeta"

TARGETS: tuple[dict[str, str], ...] = (
    {"model": "openai.gpt-5.4", "region": "us-west-2", "endpoint": "mantle", "api": "responses"},
    {"model": "openai.gpt-5.5", "region": "us-east-2", "endpoint": "mantle", "api": "responses"},
    {"model": "openai.gpt-5.6-terra", "region": "us-east-1", "endpoint": "mantle", "api": "responses"},
    {"model": "us.openai.gpt-5.6-terra", "region": "us-east-1", "endpoint": "runtime", "api": "responses"},
    {"model": "openai.gpt-5.6-terra", "region": "us-east-1", "endpoint": "mantle", "api": "chat_completions"},
)

SAY_WHEN = {"retry-after": "0"}
LOST = {"error": {"code": "previous_response_not_found", "message": "Previous response not found."}}
SEALED = {"error": {"code": "invalid_encrypted_content", "message": "It could not be verified."}}


@dataclass(frozen=True)
class Fault:
    """A fault of the server and what must come of a turn that meets it, over the Responses API.

    Attributes:
        ask: What the sandbox is told.
        outcomes: How the turn may end.
        text: `all` of the answer, a `part` from its beginning, or `none`.
        everywhere: Whether it is the same over other APIs.
    """

    ask: dict[str, Any]
    outcomes: tuple[str, ...]
    text: str = "part"
    everywhere: bool = False


FAULTS = (
    Fault({"status": 429, "headers": SAY_WHEN}, ("completed",), "all", True),
    Fault({"status": 503, "headers": SAY_WHEN, "times": 2}, ("completed",), "all", True),
    Fault({"status": 500, "headers": SAY_WHEN, "times": 3}, ("failed",), "none", True),
    Fault({"status": 403, "body": {"Message": "no"}}, ("failed",), "none", True),
    Fault({"status": 400, "body": {"error": {"message": "model's own"}}}, ("failed", "completed"), "part"),
    Fault({"status": 404, "body": LOST}, ("failed", "completed"), "part"),
    Fault({"status": 400, "body": SEALED}, ("failed", "completed"), "part"),
    Fault({"cut_events": 4}, ("failed",), "part", True),
    Fault({"cut_events": 8}, ("failed",), "part"),
    Fault({"cut_bytes": 1500}, ("failed",), "part"),
    Fault({"end_bytes": 1900}, ("failed",), "part"),
    Fault({"no_terminal": True}, ("failed",), "all"),
    Fault({"failed_deltas": 2}, ("failed",), "part"),
    Fault({"failed_deltas": -1}, ("failed",), "all"),
    Fault({"error_deltas": 1}, ("failed",), "part"),
    Fault({"error_deltas": 2, "error_body": True}, ("failed",), "part"),
    Fault({"malformed_events": 7}, ("failed",), "part"),
    Fault({"duplicate_events": 6}, ("completed",), "all"),
    Fault({"unknown_events": 5}, ("completed",), "all"),
    Fault({"empty": True}, ("completed",), "none"),
    Fault({"no_usage": True}, ("completed",), "all"),
    Fault({"one_byte": True}, ("completed",), "all"),
)


@dataclass
class Node:
    """A turn as it must be."""

    parent: str | None
    prompt: str
    answer: str = ""
    running: bool = False
    summary: bool = False


@dataclass
class View:
    """One run of the program, and the turns that it must know of."""

    session: Session
    known: set[str] = field(default_factory=set[str])
    tip: str | None = None


Start = Callable[[], AsyncGenerator[SessionEvent, None]]


@dataclass(frozen=True)
class How:
    """How a turn is read, and what may come of it.

    Attributes:
        stop_after: After how many events its reader goes away.
        ticks: After how many half milliseconds its reader is cancelled.
        crash: Whether the program dies where its reader would go away.
        outcomes: How it may end, where it is read to its end.
        text: As in `Fault`.
    """

    stop_after: int | None = None
    ticks: int | None = None
    crash: bool = False
    outcomes: tuple[str, ...] = ("completed",)
    text: str = "all"


ALL = How()


@dataclass
class Seen:
    """What a reader saw of a turn, and what a program that died left on disk."""

    began: bool = False
    deltas: str = ""
    ended: TurnEnded | None = None
    left: Path | None = None


class SessionMachine(RuleBasedStateMachine):
    """The rules and the model; `server`, `folder` and `clock` are given by the test."""

    server: ClassVar[SandboxServer]
    clock: ClassVar[Clock]
    patch: ClassVar[pytest.MonkeyPatch]

    def __init__(self) -> None:
        super().__init__()
        self.loop = asyncio.new_event_loop()
        self.folder = Path(tempfile.mkdtemp(prefix="outcrop-machine-"))
        self.server.log.clear()
        self.server.clear_faults()
        self.programs = ProgramsAtOnce(self.server, self.folder, self.clock, self.patch)
        self.nodes: dict[str, Node] = {}
        self.in_file: set[str] = set()
        self.views: list[View] = []
        self.conversation_id = ""
        self.count = 0
        self.generations = 0

    def run(self, work: Any) -> Any:
        COUNTS[NAME] += 1
        return self.loop.run_until_complete(asyncio.wait_for(work, 20))

    def teardown(self) -> None:
        async def end() -> None:
            for view in self.views:
                await self.programs.end(view.session)
            await self.loop.shutdown_asyncgens()

        self.loop.run_until_complete(end())
        self.loop.close()
        shutil.rmtree(self.folder, ignore_errors=True)

    # -- the model ---------------------------------------------------------------------------------------

    def path(self, tip: str | None) -> list[str]:
        found: list[str] = []
        while tip is not None:
            found.append(tip)
            tip = self.nodes[tip].parent
        return found[::-1]

    def said(self, tip: str | None) -> list[tuple[str, str]]:
        """What the model must have before it, up to a turn: who said what."""
        rows: list[tuple[str, str]] = []
        for turn_id in self.path(tip):
            node = self.nodes[turn_id]
            rows.append(("user", node.prompt))
            if node.answer:
                rows.append(("assistant", node.answer))
        return rows

    def branch(self, turn_id: str, known: set[str]) -> set[str]:
        found = {turn_id}
        while more := {one for one in known - found if self.nodes[one].parent in found}:
            found |= more
        return found

    def pick(self, view: View, number: int, *, summaries: bool = True) -> str | None:
        ids = [one for one in self.nodes if one in view.known and (summaries or not self.nodes[one].summary)]
        return ids[number % len(ids)] if ids else None

    def view(self, number: int) -> View:
        return self.views[number % len(self.views)]

    # -- what the server has -----------------------------------------------------------------------------

    def posts(self) -> list[Served]:
        """The requests for an answer since the run began, in their order."""
        endings = ("/responses", "/chat/completions")
        return [one for one in self.server.log if one.method == "POST" and one.path.endswith(endings)]

    async def settled(self) -> None:
        """Wait until the server is done with every request, those whose sender has gone away included.

        What such a one has sent the server reads before it answers the second of two later requests.
        """
        for _ in range(2):
            await asyncio.to_thread(self._knock)
        for _ in range(400):
            if all(record.ended for record in self.server.log):
                return
            await asyncio.sleep(0.005)
        raise AssertionError([record.path for record in self.server.log if not record.ended])

    def _knock(self) -> None:
        connection = HTTPConnection("127.0.0.1", self.server.port, timeout=10)
        with closing(connection):
            connection.request("GET", "/nobody-home")
            connection.getresponse().read()

    def seen(self) -> list[tuple[str, str]]:
        """What the newest request put before the model, messages only."""
        rows: list[tuple[str, str]] = []
        for item in self.server.last_context():
            if item.get("type", "message") != "message":
                continue
            role = "assistant" if item["role"] == "assistant" else "user"  # a summary is the developer's
            content = item["content"]
            parts = content if isinstance(content, list) else [{"text": content}]
            text = "".join(part.get("text") or part.get("refusal") or "" for part in parts)
            if text or role == "user":
                rows.append((role, text))
        # Two messages of one side, one after the other, may be one.
        return rows

    def saw(self, expected: list[tuple[str, str]]) -> None:
        seen = self.seen()
        assert joined(seen) == joined(expected), f"the server saw\n{seen}\nand not\n{expected}"

    # -- sending -----------------------------------------------------------------------------------------

    async def send(self, view: View, start: Start, parent: str | None, prompt: str, how: How = ALL) -> None:
        """Send a turn, go away from it as `how` says, and hold all that came of it against the model."""
        session, before = view.session, len(self.posts())
        had = len(session.exchanges(self.conversation_id))
        gone = parent is not None and parent not in self.in_file
        blocked = any(self.nodes[one].running for one in self.path(parent))
        seen = Seen()
        try:
            await self._read(session, start, how, seen)
        except StoreError:
            assert gone, "the turn before it is in the file"
        except InputError:
            assert blocked
        await self.settled()
        self.server.clear_faults()
        posts = self.posts()[before:]
        turns = session.conversation(self.conversation_id).turns
        new = set(turns) - view.known
        if not new:
            assert (gone or blocked or how.ticks is not None) and not posts and not seen.began
            return
        assert not gone and not blocked
        (turn_id,) = new
        turn = turns[turn_id]
        self._check_turn(turn, seen, prompt.removeprefix("Reply with exactly: "), how)
        self._check_requests(view, posts, had, parent, prompt, turn)
        self.nodes[turn_id] = Node(parent, prompt, turn.text)
        assert turn.prompt == prompt
        view.known.add(turn_id)
        view.tip = turn_id
        self.in_file.add(turn_id)
        if seen.left is not None:
            await self._restart_in(seen.left)

    async def _read(self, session: Session, start: Start, how: How, seen: Seen) -> None:
        """Read a turn's events as far as `how` says."""

        async def read() -> None:
            async with aclosing(start()) as events:
                taken = 0
                async for event in events:
                    taken += 1
                    if isinstance(event, TurnStarted):
                        seen.began = True
                        with pytest.raises(InputError):  # one at a time
                            await anext(session.send(self.conversation_id, "meanwhile"))
                    elif isinstance(event, TextDelta):
                        seen.deltas += event.delta
                    elif isinstance(event, TurnEnded):
                        seen.ended = event
                    if how.stop_after is not None and taken > how.stop_after:
                        if how.crash:
                            seen.left = await self.programs.crash(session)
                        return

        if how.ticks is None:
            return await read()
        task = asyncio.create_task(read())
        for _ in range(how.ticks):
            await asyncio.sleep(0.0005)
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task

    def _check_turn(self, turn: Turn, seen: Seen, answer: str, how: How) -> None:
        assert turn.outcome is not None
        assert answer.startswith(turn.text), "text that the server never wrote, or wrote once"
        if seen.ended is None:
            # Its reader went away; the end may have been there already.
            assert how.stop_after is not None or how.ticks is not None
            assert turn.outcome is not Outcome.INCOMPLETE and turn.text.startswith(seen.deltas)
            return
        assert seen.ended.turn == turn and turn.outcome.value in how.outcomes, (turn.outcome, turn.error)
        assert turn.text == seen.deltas, "what is kept is what was shown"
        assert (turn.outcome is Outcome.COMPLETED) == (seen.ended.error is None and not turn.error)
        if how.text == "all" or (turn.outcome is Outcome.COMPLETED and how.text == "part"):
            assert turn.text == answer
        elif how.text == "none":
            assert turn.text == ""

    def _check_requests(
        self, view: View, posts: list[Served], had: int, parent: str | None, prompt: str, turn: Turn
    ) -> None:  # fmt: skip
        exchanges = view.session.exchanges(self.conversation_id)[had:]
        assert all(exchange.outcome is not None for exchange in exchanges), "each attempt has one end"
        assert len({exchange.id for exchange in exchanges}) == len(exchanges)
        accepted = [record for record in posts if record.status == 200]
        assert len(accepted) <= 1, "no second paid generation"
        if turn.outcome is not Outcome.CANCELLED:
            assert len(exchanges) == len(posts)
        if turn.text or turn.outcome is Outcome.COMPLETED:
            assert len(accepted) == 1
        self.generations += len(accepted)
        if accepted:
            self.saw([*self.said(parent), ("user", prompt)])

    def prompt(self) -> str:
        self.count += 1
        return f"Reply with exactly: w{self.count} {WORDS}"

    # -- rules -------------------------------------------------------------------------------------------

    @initialize()
    def begin(self) -> None:
        async def start() -> None:
            session = await self.programs.start()
            self.views = [View(session)]
            self.conversation_id = (await session.new()).id

        self.run(start())

    def sends(self, which: int, how: How = ALL) -> None:
        view, prompt = self.view(which), self.prompt()
        self.run(
            self.send(view, lambda: view.session.send(self.conversation_id, prompt), view.tip, prompt, how)
        )

    @rule(which=st.integers(0, 1))
    def say(self, which: int) -> None:
        self.sends(which)

    @rule(which=st.integers(0, 1), after=st.integers(0, 14))
    def stop(self, which: int, after: int) -> None:
        self.sends(which, How(stop_after=after))

    @rule(which=st.integers(0, 1), ticks=st.integers(0, 40))
    def cancel(self, which: int, ticks: int) -> None:
        self.sends(which, How(ticks=ticks))

    @rule(which=st.integers(0, 1), fault=st.sampled_from(FAULTS))
    def fail(self, which: int, fault: Fault) -> None:
        target = self.view(which).session.target(self.conversation_id)
        if target.api == "responses" or fault.everywhere:
            self.server.fault(fault.ask)
            self.sends(which, How(outcomes=fault.outcomes, text=fault.text))

    @rule(after=st.integers(0, 12))
    def crash_while_it_streams(self, after: int) -> None:
        self.sends(0, How(stop_after=after, crash=True))

    @rule(which=st.integers(0, 1), number=st.integers(0, 40))
    def regenerate(self, which: int, number: int) -> None:
        view = self.view(which)
        turn_id = self.pick(view, number, summaries=False)
        if turn_id is not None:
            node = self.nodes[turn_id]
            self.run(
                self.send(
                    view, lambda: view.session.resend(self.conversation_id, turn_id), node.parent, node.prompt
                )
            )

    @rule(which=st.integers(0, 1), number=st.integers(0, 40), edit=st.booleans())
    def fork(self, which: int, number: int, edit: bool) -> None:
        view = self.view(which)
        turn_id = self.pick(view, number)
        tip = self.nodes[turn_id].parent if edit and turn_id is not None else turn_id

        async def move() -> None:
            await view.session.set_tip(self.conversation_id, tip)
            view.tip = tip

        self.run(move())

    @rule(which=st.integers(0, 1), mode=st.sampled_from(["stateful", "stateless"]))
    def switch_continuation(self, which: int, mode: Any) -> None:
        self.run(self.view(which).session.set_continuation(self.conversation_id, mode))

    @rule(which=st.integers(0, 1), place=st.sampled_from(TARGETS))
    def switch_target(self, which: int, place: Mapping[str, str]) -> None:
        self.run(self.view(which).session.set_target(self.conversation_id, **place))

    @rule(which=st.integers(0, 1), number=st.integers(0, 40))
    def delete(self, which: int, number: int) -> None:
        view = self.view(which)
        turn_id = self.pick(view, number)
        if turn_id is None:
            return
        doomed = self.branch(turn_id, view.known)
        running = any(self.nodes[one].running for one in doomed)
        in_file = self.branch(turn_id, self.in_file | doomed) if turn_id in self.in_file else set[str]()

        async def cut() -> None:
            try:
                after = await view.session.delete_branch(self.conversation_id, turn_id)
            except InputError:
                assert running
                return
            except StoreError:
                assert turn_id not in self.in_file or any(self.nodes[one].running for one in in_file)
                return
            assert not running
            view.known -= doomed
            self.in_file -= in_file
            assert after.tip is None or after.tip in view.known
            assert view.tip not in view.known or after.tip == view.tip
            view.tip = after.tip

        self.run(cut())

    @rule(number=st.integers(0, 40))
    def lose(self, number: int) -> None:
        """The server forgets a response; the program is not told."""
        view = self.views[0]
        turns = view.session.conversation(self.conversation_id).turns.values()
        kept = [turn for turn in turns if turn.stored and turn.response_id and turn.target and turn.outcome]
        if kept:
            turn = kept[number % len(kept)]
            assert turn.target is not None
            url = f"{turn.target.base_url}/responses/{turn.response_id}"
            port = f":{self.server.port}/"
            assert port in url
            httpx.delete(url, headers={"Authorization": "Bearer sandbox"})

    @rule(which=st.integers(0, 1), watched=st.booleans())
    def send_in_background(self, which: int, watched: bool) -> None:
        view, prompt = self.view(which), self.prompt()
        self.run(self._background(view, prompt, watched))

    async def _background(self, view: View, prompt: str, watched: bool) -> None:
        session, parent, before = view.session, view.tip, len(self.posts())
        gone = parent is not None and parent not in self.in_file
        turn: Turn | None = None
        try:
            async with aclosing(session.send(self.conversation_id, prompt, background=True)) as events:
                async for event in events:
                    if isinstance(event, BackgroundStarted):
                        turn = event.turn
                        if not watched:
                            break
        except InputError:
            target = session.target(self.conversation_id)
            mode = session.conversation(self.conversation_id).continuation
            blocked = any(self.nodes[one].running for one in self.path(parent))
            assert blocked or mode == "stateless" or target.endpoint == "runtime" or target.api != "responses"
        except StoreError:
            assert gone
        await self.settled()
        posts = self.posts()[before:]
        accepted = [record for record in posts if record.status == 200]
        assert len(accepted) == (turn is not None)
        self.generations += len(accepted)
        if turn is None:
            return
        self.saw([*self.said(parent), ("user", prompt)])
        turn = session.conversation(self.conversation_id).turns[turn.id]
        self.nodes[turn.id] = Node(parent, prompt, turn.text, running=not watched)
        assert turn.text == (prompt.removeprefix("Reply with exactly: ") if watched else "")
        view.known.add(turn.id)
        self.in_file.add(turn.id)
        view.tip = turn.id

    @rule(which=st.integers(0, 1), number=st.integers(0, 9), stop=st.booleans())
    def take_up_background(self, which: int, number: int, stop: bool) -> None:
        view = self.view(which)
        running = [
            one for one, node in self.nodes.items() if node.running and one in view.known & self.in_file
        ]
        if running and len(self.views) == 1:
            self.run(self._taken_up(view, running[number % len(running)], stop))

    async def _taken_up(self, view: View, turn_id: str, stop: bool) -> None:
        before = len(self.posts())
        if stop:
            await view.session.cancel_background(self.conversation_id, turn_id)
        async for _ in _unless_ended(view.session, self.conversation_id, turn_id):
            pass
        turn = view.session.conversation(self.conversation_id).turns[turn_id]
        node = self.nodes[turn_id]
        assert turn.outcome in ((Outcome.CANCELLED, Outcome.COMPLETED) if stop else (Outcome.COMPLETED,)), (
            turn
        )
        answer = node.prompt.removeprefix("Reply with exactly: ")
        assert answer.startswith(turn.text) and (turn.text == answer or turn.outcome is Outcome.CANCELLED)
        node.answer, node.running = turn.text, False
        assert len(self.posts()) == before

    @rule(which=st.integers(0, 1))
    def compact(self, which: int) -> None:
        self.run(self._compacted(self.view(which)))

    async def _compacted(self, view: View) -> None:
        before, path = len(self.posts()), self.path(view.tip)
        refused = not any(not self.nodes[one].summary for one in path) or any(
            self.nodes[one].running for one in path
        )
        try:
            summary = await view.session.summarize(self.conversation_id)
        except InputError:
            assert refused
            return
        assert not refused
        accepted = [record for record in self.posts()[before:] if record.status == 200]
        assert len(accepted) == 1
        self.generations += 1
        seen, expected = joined(self.seen()), joined(self.said(view.tip))
        assert seen[:-1] == expected or [*expected[:-1], (seen[-1][0], expected[-1][1])] == [
            *seen[:-1], (seen[-1][0], seen[-1][1][: len(expected[-1][1])])
        ], (seen, expected)  # fmt: skip
        known = set(view.session.conversation(self.conversation_id).turns)
        await view.session.continue_from(self.conversation_id, summary)
        after = view.session.conversation(self.conversation_id)
        (turn_id,) = set(after.turns) - known
        turn = after.turns[turn_id]
        facts = json.loads(turn.prompt[turn.prompt.index("{") :]) if "{" in turn.prompt else {}
        assert turn.summary and (not facts or list(facts["durable_facts"]) == list(summary.durable_facts))
        self.nodes[turn_id] = Node(None, turn.prompt, summary=True)
        view.known.add(turn_id)
        self.in_file.add(turn_id)
        view.tip = turn_id

    # No preconditions: what can be drawn next must not hang on what the moment of a cancel made of a turn.

    @rule()
    def open_a_second_window(self) -> None:
        if not self.in_file or len(self.views) == 2:
            return

        async def start() -> None:
            session = await self.programs.start()
            conversation = await session.open(self.conversation_id)
            self.views.append(View(session, set(self.in_file), conversation.tip))
            assert conversation.tip is None or conversation.tip in self.in_file

        self.run(start())

    @rule(number=st.integers(0, 1))
    def close_a_window(self, number: int) -> None:
        if len(self.views) < 2:
            return
        view = self.views.pop(number)
        self.run(self.programs.end(view.session))
        # What only it knew is not lost, and what another had deleted is gone with it.
        self.run(self._restarted())

    @rule(in_order=st.booleans())
    def restart(self, in_order: bool) -> None:
        if not in_order:
            self.run(self._crashed())
        else:
            self.run(self._restarted())

    async def _crashed(self) -> None:
        await self._restart_in(await self.programs.crash(self.views[0].session))

    async def _restart_in(self, data: Path) -> None:
        await self._end_all()
        self.programs.data = data
        await self._open_again()

    async def _restarted(self) -> None:
        await self._end_all()
        await self._open_again()

    async def _end_all(self) -> None:
        for view in self.views:
            await self.programs.end(view.session)
        self.views = []

    async def _open_again(self) -> None:
        session = await self.programs.start()
        view = View(session, set(self.in_file))
        self.views = [view]
        if not self.in_file:
            with pytest.raises(NoSuchConversation):
                await session.open(self.conversation_id)
            self.conversation_id = (await session.new()).id
            return
        conversation = await session.open(self.conversation_id)
        assert conversation.tip is None or conversation.tip in self.in_file
        view.tip = conversation.tip
        for turn in conversation.turns.values():
            node = self.nodes[turn.id]
            assert node.running == (turn.outcome is None), "nothing runs after a restart but at the server"
            if turn.text != node.answer:
                # It was arriving when the program died: what is there is the beginning of it.
                assert turn.outcome is Outcome.FAILED and node.answer.startswith(turn.text)
                assert "Outcrop was ended" in (turn.error or "")
                node.answer = turn.text

    # -- what always holds -------------------------------------------------------------------------------

    @invariant()
    def each_window_has_the_tree_that_it_must_have(self) -> None:
        for view in self.views:
            conversation = view.session.conversation(self.conversation_id)
            assert {turn.id: turn.parent_id for turn in conversation.turns.values()} == {
                one: self.nodes[one].parent for one in view.known
            }
            assert conversation.tip == view.tip
            for turn in conversation.turns.values():
                node = self.nodes[turn.id]
                if len(self.views) == 1:
                    assert (turn.prompt, turn.text, turn.outcome is None) == (
                        node.prompt,
                        node.answer,
                        node.running,
                    )
            assert not view.session.is_running(self.conversation_id)

    @invariant()
    def the_file_holds_the_same(self) -> None:
        if not self.views:
            return

        async def written() -> None:
            for view in self.views:
                await view.session.records.call(lambda history: None)

        self.run(written())
        rows = rows_of(self.programs.data, "SELECT id, parent_id, outcome FROM turns")
        assert {row[0]: row[1] for row in rows} == {one: self.nodes[one].parent for one in self.in_file}
        assert {row[0] for row in rows if row[2] is None} == {
            one for one in self.in_file if self.nodes[one].running
        }
        assert rows_of(self.programs.data, "PRAGMA integrity_check") == [("ok",)]
        assert rows_of(self.programs.data, "SELECT count(*) FROM turn_search") == [(len(self.in_file),)]
        assert all(view.session.records.failure is None for view in self.views)

    @invariant()
    def every_generation_was_asked_for_once(self) -> None:
        assert len([record for record in self.posts() if record.status == 200]) == self.generations


def joined(rows: list[tuple[str, str]]) -> list[tuple[str, str]]:
    """Messages of one side one after the other as one."""
    made: list[tuple[str, str]] = []
    for role, text in rows:
        if made and made[-1][0] == role:
            text = f"{made.pop()[1]}\n{text}"
        made.append((role, text))
    return made


async def _unless_ended(
    session: Session, conversation_id: str, turn_id: str
) -> AsyncGenerator[SessionEvent, None]:
    if session.conversation(conversation_id).turns[turn_id].outcome is None:
        async with aclosing(session.resume_background(conversation_id, turn_id)) as events:
            async for event in events:
                yield event


weigh(NAME, 1.0)


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[type[SessionMachine]]:
    clock = Clock()
    with SandboxServer(tmp_path / "state", tokenizer="words", clock=clock, background_seconds=60.0) as server:
        SessionMachine.server, SessionMachine.clock, SessionMachine.patch = server, clock, monkeypatch
        yield SessionMachine


def test_the_session_is_what_a_model_of_it_says_after_any_steps(machine: type[SessionMachine]) -> None:
    for _ in rounds(NAME):
        run_state_machine_as_test(machine, settings=fuzz_settings(10, stateful_step_count=20))
    assert COUNTS[NAME] > 50
