"""Every fault of the table, over every API that can have it: one outcome, nothing lost, nothing twice."""

from __future__ import annotations

import asyncio
import re
import time
from contextlib import aclosing
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import pytest
from support.fault_rows import ALL, ANSWER, NO_STREAM, REFUSALS, ROWS, STILL, STREAM, WAY, Row, rows_of
from support.meddler import Meddler, delivered_text
from support.sessions import make_session

from tui.core.events import SessionEvent, TextDelta, TurnEnded
from tui.core.exchange import Exchange
from tui.core.items import Outcome, Turn
from tui.core.way_on import way_on
from tui.sandbox.faults import EXCEPTIONS, Fault
from tui.sandbox.server import SandboxServer
from tui.sandbox.tags import FORMS
from tui.session.session import Session

RUNTIME = {"model": "openai.gpt-oss-20b-1:0", "endpoint": "runtime"}
MODELS = {"responses": {"model": "openai.gpt-5.4"}, **{api: {**RUNTIME, "api": api} for api in ALL[1:]}}
NO_CLASS = re.compile(r"\b[A-Za-z]+(Error|Exception)\b|Traceback|httpx|openai\.|<class|\n")


async def talk(sandbox: SandboxServer, port: int, api: str, **limits: Any) -> tuple[Session, str]:
    flags: dict[str, Any] = MODELS[api]
    session = make_session(sandbox, sandbox=True, base_url=None, **flags)
    session.settings = replace(
        session.settings.with_sandbox(f"http://127.0.0.1:{port}/openai/v1"), max_retries=2, **limits
    )
    return session, (await session.new()).id


async def taken(session: Session, conversation_id: str, prompt: str) -> list[SessionEvent]:
    events: list[SessionEvent] = []
    async with asyncio.timeout(20), aclosing(session.send(conversation_id, prompt)) as stream:
        async for event in stream:
            events.append(event)
    return events


class Course:
    """Rows one after the other in one conversation; a turn that must be well follows each that does harm."""

    def __init__(self, sandbox: SandboxServer, api: str, meddler: Meddler | None = None) -> None:
        self.sandbox, self.api, self.meddler = sandbox, api, meddler
        self.count = 0
        self.turns: list[tuple[Row, Turn, list[Exchange]]] = []

    async def run(self, rows: list[Row], session: Session, conversation_id: str) -> None:
        await taken(session, conversation_id, "My name is Ada. So it is.")
        for row in rows:
            await self.fault(row, session, conversation_id)
            if row.outcome is not Outcome.COMPLETED:
                await self.well(row, self.turns[-1][1], session, conversation_id)

    async def fault(self, row: Row, session: Session, conversation_id: str) -> None:
        self.count += 1
        key = f"key{self.count}key"
        prompt = f"My name is Ada. {key}. Reply with exactly: {ANSWER}"
        before = len(self.sandbox.log)
        if self.meddler is None:
            reasoning = {} if self.api == "responses" else {"reasoning": "none"}
            self.sandbox.fault({**reasoning, **row.fault})
        else:
            assert row.trouble is not None
            self.meddler.troubles[key] = row.trouble
            if self.api != "responses" and not row.still:
                self.sandbox.fault({"reasoning": "none"})
        events = await taken(session, conversation_id, prompt)
        if not row.still:
            self.sandbox.clear_faults()
        ended = [event for event in events if isinstance(event, TurnEnded)]
        assert len(ended) == 1 and events[-1] is ended[0], row.name
        turn, error = ended[0].turn, ended[0].error
        made = [one for one in session.exchanges(conversation_id) if one.turn_id == turn.id]
        self.turns.append((row, turn, made))
        # One outcome, in the turn and in the record.
        assert turn.outcome is row.outcome, (row.name, turn.error)
        assert made[-1].outcome is row.outcome, (row.name, made[-1].error)
        assert all(one.outcome is Outcome.FAILED for one in made[:-1]), row.name
        # One sentence, and one way on.
        self.check_words(row, turn.error)
        way = way_on(turn, error)
        assert (way.command if way else "") == row.way or not row.way, (row.name, way)
        # The text: all of it, or what the server says it sent; as it was shown, and never twice.
        shown = "".join(event.delta for event in events if isinstance(event, TextDelta))
        wanted = row.text if row.text is not None else self.delivered(prompt, before)
        assert turn.text == wanted, (row.name, turn.text, wanted)
        assert shown == wanted or row.outcome is Outcome.COMPLETED, (row.name, shown)
        # Never a second generation.
        seen = self.seen(before, key)
        assert len(seen) == row.requests == len(made), (row.name, len(seen), len(made))
        assert sum(record.status == 200 for record in seen) <= 1, row.name

    def check_words(self, row: Row, sentence: str | None) -> None:
        if row.outcome is Outcome.COMPLETED:
            assert sentence is None, (row.name, sentence)
            return
        # What a server said ends as it likes.
        own = re.split(r" It said: |with an error: |server failed: ", sentence or "")
        assert len(own) > 1 or own[0].endswith((".", "?")), (row.name, sentence)
        assert sentence is not None and len(sentence) > 25, (row.name, sentence)
        assert row.words in sentence, (row.name, sentence)
        assert not NO_CLASS.search(own[0]), (row.name, sentence)

    def seen(self, before: int, key: str) -> list[Any]:
        return [record for record in list(self.sandbox.log)[before:] if key.encode() in record.body]

    def delivered(self, prompt: str, before: int) -> str:
        if self.meddler is None:
            return delivered_text(self.api, self.sandbox.log[-1].sent)
        (answer,) = [one for one in self.meddler.answers if prompt.encode() in one.asked]
        return delivered_text(self.api, bytes(answer.delivered))

    async def well(self, row: Row, before: Turn, session: Session, conversation_id: str) -> None:
        """A turn in the same conversation: it is answered, out of the right context."""
        events = await taken(session, conversation_id, f"What am I called? It is turn {self.count}.")
        last = events[-1]
        assert isinstance(last, TurnEnded)
        assert last.turn.outcome is Outcome.COMPLETED, (row.name, last.turn.error)
        said = context_texts(self.sandbox)
        assert said[0][1].startswith("My name is Ada."), (row.name, said)
        # Converse has no two messages of the user in a row: the sandbox answers the first line of them.
        assert "Ada" in last.turn.text or (self.api == "converse" and not before.text), (row.name, last.turn)
        for role, text in (("user", before.prompt), ("assistant", before.text)):
            # Other rows have the same answer: its own stands right after its own prompt.
            at = [place for place, (who, words) in enumerate(said) if before.prompt in words]
            assert len(at) == 1, (row.name, said)
            # Stateful, the server has the answer as it sent it.
            if role == "assistant" and text and not before.refusal and "\u2028" not in text:
                assert said[at[0] + 1] == ("assistant", text), (row.name, said[at[0] :])


def context_texts(sandbox: SandboxServer) -> list[tuple[str, str]]:
    """Who said what in what the newest request put before the model."""
    found: list[tuple[str, str]] = []
    for item in sandbox.last_context():
        content = item.get("content")
        if item.get("role") and content:
            parts = [content] if isinstance(content, str) else [str(part.get("text", "")) for part in content]
            found.append((item["role"], "".join(parts)))
    return found


def test_every_fault_of_the_sandbox_has_a_row() -> None:
    made: dict[str, set[Any]] = {}
    for row in ROWS:
        for name, value in row.fault.items():
            made.setdefault(name, set()).add(str(value))
    assert {field.name for field in fields(Fault)} - {"on"} == set(made)
    assert made["exception"] == set(EXCEPTIONS)
    assert made["reasoning"] == set(FORMS)
    assert len({row.name for row in ROWS}) == len(ROWS)


@pytest.mark.parametrize("api", ALL)
async def test_each_fault_of_the_server_ends_in_one_outcome_and_the_talk_goes_on(
    sandbox: SandboxServer, api: str
) -> None:
    session, conversation_id = await talk(sandbox, sandbox.port, api)
    course = Course(sandbox, api)
    await course.run(rows_of((*REFUSALS, *NO_STREAM, *STREAM), api), session, conversation_id)
    await session.aclose()
    await check_kept(session, conversation_id, course)


@pytest.mark.parametrize("api", ALL)
async def test_each_fault_of_the_way_ends_in_one_outcome_and_the_talk_goes_on(
    sandbox: SandboxServer, api: str
) -> None:
    async with Meddler(sandbox.port) as meddler:
        session, conversation_id = await talk(sandbox, meddler.port, api)
        course = Course(sandbox, api, meddler)
        await course.run(rows_of(WAY, api), session, conversation_id)
        await session.aclose()
        await check_kept(session, conversation_id, course)


@pytest.mark.parametrize("api", ALL)
async def test_what_only_keeps_the_connection_alive_hides_no_silence(
    sandbox: SandboxServer, api: str
) -> None:
    """All at once, each in a conversation of its own; the next turn is another run's."""
    async with Meddler(sandbox.port) as meddler:
        idle, _ = await talk(sandbox, meddler.port, api, idle_timeout=0.4, request_timeout=5.0)
        slow, _ = await talk(sandbox, meddler.port, api, idle_timeout=0.3, request_timeout=0.3)
        course = Course(sandbox, api, meddler)
        rows = [(row, slow if "no response" in row.words else idle) for row in rows_of(STILL, api)]
        talks = [(await session.new()).id for _, session in rows]
        if api != "responses":
            sandbox.fault({"reasoning": "none", "times": len(rows)})
        # One client, made before they begin at once.
        await asyncio.gather(idle.warm_up(), slow.warm_up())
        began = time.monotonic()
        made = [course.fault(row, session, talk) for (row, session), talk in zip(rows, talks, strict=True)]
        await asyncio.gather(*made)
        assert time.monotonic() - began < 5.0
        await asyncio.gather(idle.aclose(), slow.aclose())
        last, _ = await talk_again(idle)
        turns = {row.name: turn for row, turn, _ in course.turns}
        for (row, _), conversation_id in zip(rows, talks, strict=True):
            await last.open(conversation_id)
            await course.well(row, turns[row.name], last, conversation_id)
        await last.aclose()


async def soon(seconds: float) -> None:
    """Stands for the wait between two looks."""
    await asyncio.sleep(0.01)


@pytest.mark.parametrize("streamed", [True, False])
async def test_a_background_answer_outlives_silence_and_is_made_once(tmp_path: Path, streamed: bool) -> None:
    with SandboxServer(tmp_path / "server", background_seconds=0.5, tokenizer="words") as server:
        made, _ = await talk(
            server,
            server.port,
            "responses",
            idle_timeout=0.3,
            request_timeout=0.3,
            stream_background=streamed,
        )
        session = Session(made.settings, made.credentials, sleep=soon)
        conversation_id = (await session.new()).id
        await session.warm_up()
        if streamed:
            server.fault({"stall_events": 7, "keepalive": 0.02})
        # The first look at it finds nobody, the second a server that hangs up.
        server.fault({"on": "retrieve", "wait": 3.0})
        server.fault({"on": "retrieve", "cut_bytes": 3})
        events: list[SessionEvent] = []
        prompt = f"Reply with exactly: {ANSWER}"
        async with (
            asyncio.timeout(20),
            aclosing(session.send(conversation_id, prompt, background=True)) as sent,
        ):
            async for event in sent:
                events.append(event)
        last = events[-1]
        assert isinstance(last, TurnEnded)
        assert (last.turn.outcome, last.turn.text) == (Outcome.COMPLETED, ANSWER)
        assert "".join(event.delta for event in events if isinstance(event, TextDelta)) == ANSWER
        assert sum(record.method == "POST" for record in server.log) == 1
        outcomes = [one.outcome for one in session.exchanges(conversation_id)]
        assert outcomes.count(Outcome.FAILED) == (3 if streamed else 2)
        assert set(outcomes) == {Outcome.FAILED, Outcome.COMPLETED}
        await session.aclose()
        await made.aclose()


async def talk_again(session: Session) -> tuple[Session, str]:
    """Another run, with the limits of every day."""
    settings = replace(session.settings, idle_timeout=600.0, request_timeout=60.0)
    again = Session(settings, session.credentials)
    return again, (await again.new()).id


async def check_kept(session: Session, conversation_id: str, course: Course) -> None:
    """The history says the same of every turn and every exchange."""
    again = Session(session.settings, session.credentials)
    kept = await again.open(conversation_id)
    loaded = {one.id: one for one in await again.load_exchanges(conversation_id)}
    for row, turn, made in course.turns:
        assert kept.turns[turn.id] == turn, row.name
        for one in made:
            other = loaded[one.id]
            assert (other.outcome, other.error, other.status) == (one.outcome, one.error, one.status), (
                row.name
            )
            assert other.response_body == one.response_body, row.name
    await again.aclose()
