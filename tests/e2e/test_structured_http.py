"""Structured answers over real HTTP, by the session and by `outcrop ask`."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from jsonschema.validators import Draft202012Validator
from support.openai_schemas import validate
from support.programs import Program
from support.sessions import make_session, take_turn

from tui.core.errors import InputError
from tui.core.events import AnswerChecked, TextDelta, TurnEnded
from tui.core.structured.growing_tree import GrowingTree
from tui.core.structured.output_format import JSON_MODE, schema_of
from tui.core.structured.table import answers_of, answers_table
from tui.sandbox.server import SandboxServer
from tui.session.session import Session
from tui.store.history import History

SHORT = "name, age int, tags: list of string, home {street, zip int}"


async def begin(session: Session, words: str) -> str:
    conversation_id = (await session.new()).id
    controls = session.conversation(conversation_id).controls
    text_format = await session.find_format(words)
    await session.set_controls(conversation_id, replace(controls, text_format=text_format))
    return conversation_id


def checked(events: list[Any]) -> AnswerChecked:
    (found,) = [event for event in events if isinstance(event, AnswerChecked)]
    assert isinstance(events[events.index(found) + 1], TurnEnded)
    return found


@pytest.mark.parametrize("mode", ["stateful", "stateless"])
async def test_an_answer_streams_as_the_tree_it_ends_as(sandbox: SandboxServer, mode: Any) -> None:
    session = make_session(sandbox, continuation=mode)
    conversation_id = await begin(session, SHORT)
    for prompt in ("Ada Lovelace, 36", "And Bob, 7"):
        taken = await take_turn(session, conversation_id, prompt)
        tree = GrowingTree()
        for event in taken.events:
            if isinstance(event, TextDelta):
                tree.feed(event.delta)
        tree.finish()
        whole = GrowingTree(taken.turn.text)
        assert tree.is_whole
        assert len(tree.lines) == len(whole.lines) > 6
        assert all(one.same(other) for one, other in zip(tree.lines, whole.lines, strict=True))
        schema = schema_of(taken.turn.text_format)
        assert schema is not None
        Draft202012Validator(schema).validate(json.loads(taken.turn.text))
        assert checked(taken.events).problems == ()
    sent = [record.json for record in sandbox.log if record.method == "POST"]
    assert [body["text"]["format"]["strict"] for body in sent] == [True, True]
    assert ("previous_response_id" in sent[1]) == (mode == "stateful")
    for body in sent:
        validate("CreateResponse", body)
    # The form is kept with the conversation and with each turn; what is regenerated asks for it again.
    kept = await session.records.call(History.load, conversation_id)
    assert [turn.text_format for turn in kept.path()] == [kept.controls.text_format] * 2
    tip = str(kept.tip)
    async for _ in session.resend(conversation_id, tip):
        pass
    assert sandbox.log[-1].json["text"] == sent[1]["text"]
    await session.set_controls(conversation_id, replace(kept.controls, text_format=None))
    prose = await take_turn(session, conversation_id, "Reply with exactly: prose")
    assert (prose.turn.text, prose.turn.text_format) == ("prose", "")
    assert "text" not in sandbox.log[-1].json
    table = answers_table(answers_of(session.conversation(conversation_id).path()))
    assert len(table.rows) == 2
    assert {"name", "age", "tags[0]", "home.street", "home.zip"} <= set(table.columns)
    await session.aclose()


async def test_json_mode_wants_the_word_in_the_prompt(sandbox: SandboxServer) -> None:
    session = make_session(sandbox)
    conversation_id = await begin(session, "json")
    assert session.conversation(conversation_id).controls.text_format == JSON_MODE
    with pytest.raises(InputError, match="must say JSON"):
        await take_turn(session, conversation_id, "three cities")
    assert not sandbox.log
    taken = await take_turn(session, conversation_id, "three cities as JSON")
    assert isinstance(json.loads(taken.turn.text), dict)
    assert checked(taken.events).problems == ()
    await session.aclose()


async def test_what_is_wrong_is_told_at_its_path(sandbox: SandboxServer) -> None:
    session = make_session(sandbox)
    conversation_id = await begin(session, SHORT)
    wrong = {"name": 5, "age": 3, "tags": ["a", 1], "home": {"street": "x"}}
    sandbox.fault({"answer": json.dumps(wrong)})
    taken = await take_turn(session, conversation_id, "x")
    assert [str(problem) for problem in checked(taken.events).problems] == [
        "$.home: 'zip' is a required property",
        "$.name: this is not of type 'string'",
        "$.tags[1]: this is not of type 'string'",
    ]
    sandbox.fault({"answer": "Sure! Here you are: {}"})
    taken = await take_turn(session, conversation_id, "x")
    (problem,) = checked(taken.events).problems
    assert "is no JSON" in problem.text
    sandbox.fault({"refusal": "I cannot help with that."})
    taken = await take_turn(session, conversation_id, "x")
    assert taken.turn.refusal == "I cannot help with that."
    assert not any(isinstance(event, AnswerChecked) for event in taken.events)
    await session.aclose()


def test_ask_prints_the_json_alone_and_says_what_is_wrong_with_it(
    program: Program, server: SandboxServer, tmp_path: Path
) -> None:
    good = program.ask("--schema", SHORT, "Ada, 36")
    assert (good.status, good.err) == (0, "")
    assert set(json.loads(good.out)) == {"name", "age", "tags", "home"}
    server.fault({"answer": '{"name": "a", "age": "b", "tags": [], "home": {"street": "", "zip": 1}}'})
    wrong = program.ask("--schema", SHORT, "x")
    assert wrong.status == 4
    assert json.loads(wrong.out)["age"] == "b"
    assert "$.age: this is not of type 'integer'" in wrong.err
    server.fault({"answer": "no JSON"})
    prose = program.ask("--schema", SHORT, "x")
    assert (prose.status, prose.out) == (4, "")
    assert "is no JSON" in prose.err
    server.fault({"refusal": "I cannot help."})
    refused = program.ask("--schema", SHORT, "x")
    assert (refused.status, refused.out) == (4, "")
    assert "The model refused: I cannot help." in refused.err
    server.fault({"answer": json.dumps({"name": "word " * 70_000})})
    cut = program.ask("--schema", SHORT, "x")
    assert (cut.status, cut.out) == (4, ""), cut.err[-300:]
    assert "incomplete" in cut.err and "not whole" in cut.err
    server.fault({"answer": "{}"})
    rows = [json.loads(line) for line in program.ask("--json", "--schema", SHORT, "x").out.splitlines()]
    (row,) = [row for row in rows if row["type"] == "answer.checked"]
    assert row["valid"] is False
    assert {"path": "$", "message": "'name' is a required property"} in row["problems"]


def test_ask_offers_to_mend_a_schema(program: Program, server: SandboxServer, tmp_path: Path) -> None:
    path = tmp_path / "person.json"
    path.write_text('{"type": "object", "properties": {"name": {"type": "string", "default": ""}}}')
    refused = program.ask("--schema", str(path), "x")
    assert (refused.status, refused.out) == (2, "")
    for words in ("$.properties.name.default", "is not in required", "--mend-schema"):
        assert words in refused.err
    assert not server.log
    mended = program.ask("--schema", str(path), "--mend-schema", "x")
    assert mended.status == 0, mended.err
    assert "mended at 3 places" in mended.err
    sent = server.log[-1].json["text"]["format"]
    assert (sent["name"], sent["schema"]["required"]) == ("person", ["name"])
    assert set(json.loads(mended.out)) == {"name"}
    nowhere = program.ask("--schema", "nowhere", "x")
    assert nowhere.status == 2 and "no schema and no file nowhere" in nowhere.err
    assert program.ask("--mend-schema", "x").status == 2
