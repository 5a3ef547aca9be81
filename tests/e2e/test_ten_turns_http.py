"""The signature of the program, in one conversation: ten turns, a switch at each, two forks, a new model in
a new region, every stored response lost behind its back, a PDF in turn 3; nothing is forgotten."""

from __future__ import annotations

import base64
from pathlib import Path
from typing import Any

from support.pdfs import make_pdf
from support.sessions import make_session, take_turn

from tui.core.items import Outcome
from tui.sandbox.server import SandboxServer
from tui.session.session import Session
from tui.wire.recorder import AttemptLabel


async def delete_everything(session: Session, conversation_id: str) -> None:
    """As another program with the same key could: nothing here is told."""
    for turn in session.conversation(conversation_id).turns.values():
        if turn.stored and turn.response_id and turn.target:
            await session.client(turn.target).delete(turn.response_id, AttemptLabel())


# What each turn's answer must have in it. Ordinary answers of the sandbox end with what it can see: the
# first message and each PDF. No prompt has the figure and only the first the name, so that an answer with
# one of them has it from the PDF or from turn 1.
IN_SIGHT = ("My name is Ada", "`sample.pdf`, 1 page")
TURNS = (
    ("My name is Ada.", ("My name is Ada",)),
    ("Tell me of granite.", ("My name is Ada",)),
    ("How much does the basalt sample weigh?", ("sample.pdf", "812 grams")),
    ("Tell me of slate.", IN_SIGHT),
    ("Tell me of gneiss.", IN_SIGHT),
    ("Tell me of chalk.", IN_SIGHT),
    ("What am I called?", ("Your name is **Ada**",)),
    ("Tell me of flint.", IN_SIGHT),
    ("How many grams does the attached paper name?", ("sample.pdf", "812 grams")),
    ("Tell me my name once more.", ("Your name is **Ada**",)),
)


def user_messages(context: list[dict[str, Any]]) -> list[tuple[str, list[str]]]:
    """Text and files of each user message that the server had before it."""
    found: list[tuple[str, list[str]]] = []
    for item in context:
        if item.get("role") == "user":
            content = item["content"]
            parts = [{"type": "input_text", "text": content}] if isinstance(content, str) else content
            text = "".join(part["text"] for part in parts if part["type"] == "input_text")
            found.append((text, [part["file_data"] for part in parts if part["type"] == "input_file"]))
    return found


async def test_ten_turns(sandbox: SandboxServer, tmp_path: Path) -> None:
    path = tmp_path / "sample.pdf"
    path.write_bytes(make_pdf("The basalt sample weighs 812 grams."))
    pdf = "data:application/pdf;base64," + base64.b64encode(path.read_bytes()).decode("ascii")
    session = make_session(sandbox, sandbox=True)
    await session.warm_up()
    session.settings = session.settings.with_sandbox(sandbox.base_url())
    try:
        conversation_id = (await session.new()).id
        modes = ["stateful", "stateless"] * 5
        turns: list[str] = []
        for number, (mode, (prompt, proofs)) in enumerate(zip(modes, TURNS, strict=True), 1):
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
            for proof in proofs:
                assert proof in taken.turn.text, (number, proof)
            # Whatever the answer told of it, the server had the whole path before it, and once.
            path_prompts = [turn.prompt for turn in session.conversation(conversation_id).path()]
            seen = user_messages(sandbox.last_context())
            assert [text for text, _ in seen] == path_prompts, number
            assert path_prompts[0] == TURNS[0][0]
            files = [file for _, files in seen for file in files]
            assert files == ([pdf] if number > 2 else []), number
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
