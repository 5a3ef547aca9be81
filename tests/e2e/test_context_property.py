"""For any conversation and any switches, forks and losses, the server sees the path that is shown here.

The requests are planned, sent over real HTTP and taken apart by the program's own parts; what the server
saw is put together by the sandbox from its own store, with none of them.
"""

from __future__ import annotations

import asyncio
import json
import random
from collections.abc import AsyncGenerator, Callable
from dataclasses import replace
from itertools import count
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, given, note, settings
from hypothesis import strategies as st
from support.pdfs import make_pdf

from tui.core.attachments import Attachment
from tui.core.continuation import Options, continuation_named
from tui.core.conversation import Conversation
from tui.core.exchange import Exchange
from tui.core.items import Item, Outcome, Target, Turn, user_message
from tui.sandbox.server import SandboxServer
from tui.session.turns import TurnPlan, TurnRun
from tui.wire.client import ClientSettings, ResponsesClient
from tui.wire.recorder import AttemptLabel

TOOLS = [
    {
        "type": "function",
        "name": "get_weight",
        "description": "Weight of a rock sample",
        "strict": True,
        "parameters": {
            "type": "object",
            "properties": {"sample": {"type": "string"}},
            "required": ["sample"],
            "additionalProperties": False,
        },
    }
]
PDF = make_pdf("The basalt sample weighs 812 grams.")
ATTACHMENT = Attachment("notes.pdf", "/notes.pdf", "application/pdf", PDF, "", 1, 500)
MODELS = ("openai.gpt-5.4", "openai.gpt-5.6-terra")

steps = st.one_of(
    st.tuples(st.just("say"), st.sampled_from(["Hello", "Reply with exactly: granite", "My name is Ada"])),
    st.tuples(st.just("pdf"), st.sampled_from(["What does the sample weigh?"])),
    st.tuples(st.just("think"), st.sampled_from(["Why is granite hard?"])),
    st.tuples(st.just("tool"), st.sampled_from(["What weight has sample A? Use get_weight"])),
    st.tuples(st.just("cut"), st.sampled_from(["Reply with exactly: one two three four five six"])),
    st.tuples(st.just("switch"), st.sampled_from(["stateful", "stateless"])),
    st.tuples(st.just("model"), st.sampled_from(MODELS)),
    st.tuples(st.just("fork"), st.integers(0, 10)),
    st.tuples(st.just("lose"), st.integers(0, 10)),
)


class Records:
    """The part of the history that a run needs, kept nowhere."""

    async def save_turn(self, turn: Turn) -> None: ...

    def save_partial(self, turn: Turn) -> None: ...

    def save_exchange(self, exchange: Exchange) -> None: ...

    def refused(self, parameter: str) -> None: ...


class Play:
    """Plays steps and compares after each request."""

    def __init__(self, server: SandboxServer) -> None:
        self.server = server
        self.conversation = Conversation("c", 0.0)
        self.mode: Any = "stateful"
        self.model = MODELS[0]
        self._ids = count(1)
        self._client = ResponsesClient(
            self.target, lambda: "sandbox", ClientSettings(lambda _: 1, lambda: f"x{next(self._ids)}")
        )

    @property
    def target(self) -> Target:
        base = f"http://127.0.0.1:{self.server.port}/openai/v1"
        return Target(self.model, "us-west-2", "mantle", base)

    async def play(self, step: tuple[str, Any]) -> None:
        kind, value = step
        turns = list(self.conversation.turns)
        if kind == "switch":
            self.mode = value
        elif kind == "model":
            self.model = value
        elif kind == "fork" and turns:
            self.conversation = self.conversation.at(turns[value % len(turns)])
        elif kind == "lose":
            await self._lose(value)
        elif kind in ("say", "pdf", "think", "tool", "cut"):
            await self._turn(kind, value)

    async def _lose(self, index: int) -> None:
        kept = [
            turn.response_id for turn in self.conversation.turns.values() if turn.stored and turn.response_id
        ]
        if kept:
            try:
                await self._client.delete(kept[index % len(kept)], AttemptLabel())
            except Exception as error:  # lost already
                note(str(error))

    async def _turn(self, kind: str, text: str) -> None:
        pending = unanswered(self.conversation)
        item = user_message(text, [ATTACHMENT.content_part()] if kind == "pdf" else [])
        if kind == "cut":
            self.server.fault({"cut_events": random.Random(text).randint(5, 9)})
        options = Options(
            self.target,
            2048,
            effort="low" if kind == "think" else None,
            extra={"tools": TOOLS} if kind == "tool" else {},
        )
        turn = Turn(f"t{next(self._ids)}", self.conversation.tip, (*pending, item), 0.0, target=self.target)
        turn = replace(turn, continuation=self.mode)
        plan = TurnPlan(self.conversation, continuation_named(self.mode), options, self._send, lambda: 0.0)
        run = TurnRun(turn, plan, Records())
        async for _ in run.events():
            pass
        self.server.clear_faults()
        self._compare(run, options)
        self.conversation = self.conversation.append(turn).update(run.turn).forget(run.conversation.lost)
        if kind != "cut":
            assert run.turn.outcome is Outcome.COMPLETED, run.turn.error

    def _send(self, request: Any, body: bytes, attempt: int) -> AsyncGenerator[Any, None]:
        return self._client.stream(body, AttemptLabel("c", "t", attempt, request.target.model))

    def _compare(self, run: TurnRun, options: Options) -> None:
        expected = [
            payload for turn in self.conversation.path() for payload in as_seen(turn, options.target, plain)
        ]
        expected += [plain(item) for item in run.turn.input]
        assert [simplified(item) for item in self.server.last_context()] == [
            simplified(item) for item in expected
        ]

    async def aclose(self) -> None:
        await self._client.aclose()


def plain(item: Item) -> dict[str, Any]:
    return item.payload


def as_seen(turn: Turn, target: Target, read: Callable[[Item], dict[str, Any]]) -> list[dict[str, Any]]:
    """What a turn is to the server: reasoning of another model or place is left out, as DESIGN.md says."""
    seen = [read(item) for item in turn.input]
    for item in turn.output:
        if item.type == "reasoning" and not (turn.target and target.shares_state_with(turn.target)):
            continue
        seen.append(read(item))
    if turn.partial_text:
        seen.append({"role": "assistant", "content": turn.partial_text})
    return seen


def unanswered(conversation: Conversation) -> list[Item]:
    """Outputs for the function calls of the last turn, which the API wants before anything else."""
    if conversation.tip is None:
        return []
    calls = [
        item.payload for item in conversation.turns[conversation.tip].output if item.type == "function_call"
    ]
    return [
        Item.of({"type": "function_call_output", "call_id": call["call_id"], "output": "812 grams"})
        for call in calls
    ]


def simplified(item: dict[str, Any]) -> str:
    """One spelling for the two ways to write a message."""
    content = item.get("content")
    if isinstance(content, str):
        kind = "output_text" if item.get("role") == "assistant" else "input_text"
        content = [{"type": kind, "text": content}]
    parts = [
        {key: part[key] for key in ("type", "text", "filename", "file_data", "refusal") if key in part}
        for part in content or []
    ]
    kept = {
        key: item[key]
        for key in ("id", "role", "call_id", "name", "arguments", "output", "encrypted_content", "summary")
        if item.get(key) is not None
    }
    return json.dumps({**kept, "type": item.get("type") or "message", "content": parts}, sort_keys=True)


@settings(
    max_examples=25,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(st.lists(steps, min_size=3, max_size=10))
def test_the_server_sees_the_path_that_is_shown_here(tmp_path: Path, played: list[tuple[str, Any]]) -> None:
    async def main() -> None:
        with SandboxServer(tmp_path / "state", tokenizer="words") as server:
            play = Play(server)
            try:
                for step in played:
                    note(str(step))
                    await play.play(step)
            finally:
                await play.aclose()

    asyncio.run(main())
