"""The signature of the program, in one conversation: ten turns, a switch at each, two forks, a new model in
a new region, every stored response lost behind its back, a PDF in turn 3; nothing is forgotten."""

from __future__ import annotations

from pathlib import Path

from support.pdfs import make_pdf
from support.sessions import make_session, take_turn

from tui.core.items import Outcome
from tui.sandbox.server import SandboxServer
from tui.session import Session
from tui.wire.recorder import AttemptLabel


async def delete_everything(session: Session, conversation_id: str) -> None:
    """As another program with the same key could: nothing here is told."""
    for turn in session.conversation(conversation_id).turns.values():
        if turn.stored and turn.response_id and turn.target:
            await session.client(turn.target).delete(turn.response_id, AttemptLabel())


async def test_ten_turns(sandbox: SandboxServer, tmp_path: Path) -> None:
    path = tmp_path / "sample.pdf"
    path.write_bytes(make_pdf("The basalt sample weighs 812 grams."))
    session = make_session(sandbox, sandbox=True)
    await session.warm_up()
    session.settings = session.settings.with_sandbox(sandbox.base_url())
    try:
        conversation_id = (await session.new()).id
        modes = ["stateful", "stateless"] * 5
        prompts = [
            "My name is Ada.",
            "Tell me of granite.",
            "How much does the basalt sample weigh?",
            "Tell me of slate.",
            "Tell me of gneiss.",
            "Tell me of chalk.",
            "Tell me of marble.",
            "Tell me of flint.",
            "Tell me of tuff.",
            "Tell me of schist.",
        ]
        turns: list[str] = []
        for number, (mode, prompt) in enumerate(zip(modes, prompts, strict=True), 1):
            await session.set_continuation(conversation_id, mode)
            if number in (5, 7):
                await session.set_tip(conversation_id, turns[-2])
            if number == 6:
                await session.set_target(conversation_id, model="openai.gpt-5.5", region="us-east-2")
            if number == 9:
                await delete_everything(session, conversation_id)
            attachments = [await session.attach(str(path))] if number == 3 else []
            taken = await take_turn(session, conversation_id, prompt, *attachments)
            turns.append(taken.turn.id)
            assert taken.turn.outcome is Outcome.COMPLETED, (number, taken.turn.error)
            # Ordinary answers of the sandbox end with what it can see.
            if number > 1:
                assert "My name is Ada" in taken.turn.text or number == 3
            if number > 2:
                assert "sample.pdf" in taken.turn.text, number
            if number == 9:
                assert any("sent again from the local history" in notice for notice in taken.notices)
        conversation = session.conversation(conversation_id)
        assert len(conversation.turns) == 10
        assert len(conversation.path()) == 8
        last = conversation.turns[turns[-1]]
        assert last.target is not None
        assert (last.target.model, last.target.region) == ("openai.gpt-5.5", "us-east-2")
        assert [turn.continuation for turn in conversation.turns.values()] == modes
    finally:
        await session.aclose()
