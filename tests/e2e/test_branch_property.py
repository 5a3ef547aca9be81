"""Forked, edited, answered again, walked, deleted: the file holds the tree that is in memory."""

from __future__ import annotations

import asyncio
import os
import tempfile
from pathlib import Path
from unittest import mock

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from support.sessions import make_session, take_turn

from tui.core.conversation import Conversation
from tui.core.errors import NoSuchConversation
from tui.core.events import TurnEnded
from tui.core.items import Outcome
from tui.sandbox.server import SandboxServer
from tui.session.session import Session
from tui.store.history import History

Step = tuple[str, int]

KINDS = ("send", "send", "edit", "again", "fork", "walk", "delete")
STEPS = st.lists(
    st.tuples(st.sampled_from(KINDS), st.integers(0, 40)),
    min_size=3,
    max_size=14,
)


class Expected:
    """The tree as plain dictionaries: parents and prompts by id, in the order of adding."""

    def __init__(self) -> None:
        self.parents: dict[str, str | None] = {}
        self.words: dict[str, str] = {}
        self.gone: list[str] = []

    def added(self, before: Conversation, after: Conversation, parent: str | None, word: str) -> None:
        (new,) = set(after.turns) - set(before.turns)
        self.parents[new], self.words[new] = parent, word
        assert after.tip == new

    def delete(self, turn_id: str) -> None:
        doomed = [turn_id]
        for one in doomed:
            doomed += [child for child, parent in self.parents.items() if parent == one]
        for one in doomed:
            del self.parents[one]
            self.gone.append(self.words.pop(one))


async def take(session: Session, conversation_id: str, steps: list[Step], expected: Expected) -> None:
    for number, (what, choice) in enumerate(steps):
        before = session.conversation(conversation_id)
        ids = list(before.turns)
        chosen = ids[choice % len(ids)] if ids else None
        word = f"w{number}x{choice}"
        if what == "fork":
            await session.set_tip(conversation_id, chosen)
        elif what == "walk" and chosen is not None:
            tip = before.beside(chosen, 1) or before.beside(chosen, -1)
            if tip is not None:
                await session.set_tip(conversation_id, tip)
        elif what == "delete" and chosen is not None:
            after = await session.delete_branch(conversation_id, chosen)
            expected.delete(chosen)
            assert after.tip is None or after.tip in expected.parents
            assert before.tip not in expected.parents or after.tip == before.tip
        elif what == "again" and chosen is not None:
            async for event in session.resend(conversation_id, chosen):
                assert not isinstance(event, TurnEnded) or event.turn.outcome is Outcome.COMPLETED
            after = session.conversation(conversation_id)
            expected.added(before, after, before.turns[chosen].parent_id, expected.words[chosen])
        elif what in ("send", "edit"):
            if what == "edit" and chosen is not None:
                await session.set_tip(conversation_id, before.turns[chosen].parent_id)
            parent = session.conversation(conversation_id).tip
            await take_turn(session, conversation_id, f"Reply with exactly: {word}")
            expected.added(before, session.conversation(conversation_id), parent, word)


async def run(server: SandboxServer, folder: Path, steps: list[Step]) -> None:
    with mock.patch.dict(os.environ, OUTCROP_DATA_DIR=str(folder)):
        session = make_session(server)
    expected = Expected()
    try:
        conversation_id = (await session.new()).id
        await take(session, conversation_id, steps, expected)
        memory = session.conversation(conversation_id)
        recorded = {exchange.turn_id for exchange in session.exchanges(conversation_id)}
    finally:
        await session.aclose()
    assert {turn.id: turn.parent_id for turn in memory.turns.values()} == expected.parents
    history = History(folder / "history.db")
    try:
        if not expected.parents:
            assert not memory.turns
            try:
                history.load(conversation_id)
            except NoSuchConversation:
                return
            raise AssertionError("an empty conversation stayed")
        kept = history.load(conversation_id)
        assert kept == memory
        assert list(kept.turns) == list(memory.turns)
        assert {exchange.turn_id for exchange in history.load_exchanges(conversation_id)} == recorded
        assert recorded == set(expected.parents)
        for word in expected.words.values():
            assert [line.id for line in history.search(word)] == [conversation_id]
        for word in set(expected.gone) - set(expected.words.values()):
            assert history.search(word) == []
        assert history.list()[0].turns == len(expected.parents)
        assert history._db.rows("SELECT count(*) FROM turn_search") == [(len(expected.parents),)]
    finally:
        history.close()


@settings(
    max_examples=25,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(STEPS)
def test_the_file_holds_the_tree_that_is_in_memory(sandbox: SandboxServer, steps: list[Step]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        asyncio.run(run(sandbox, Path(folder) / "data", steps))
