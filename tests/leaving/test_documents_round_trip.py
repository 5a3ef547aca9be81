"""What left as JSON or Markdown comes back as it was, through a real history, and overwrites nothing."""

from __future__ import annotations

import base64
import json
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tui.core.controls import Controls
from tui.core.conversation import Conversation
from tui.core.errors import InputError
from tui.core.ids import new_id
from tui.core.items import Item, Outcome, Target, Turn, Usage, user_message
from tui.core.leaving.document import RUNNING, as_document, read_document
from tui.core.leaving.markdown import as_markdown, messages_of, read_markdown
from tui.core.text import storable
from tui.core.tool_calls import CallRecord, CallState
from tui.core.tools import ToolOn, ToolUse
from tui.store.history import History

PDF = {
    "type": "input_file",
    "filename": "order form's.pdf",
    "file_data": "data:application/pdf;base64,"
    + base64.b64encode(b"%PDF-1.4 " + bytes(range(256)) * 9).decode(),
}
PICTURE = {"type": "input_image", "image_url": "data:image/png;base64,iVBORw0KGgo=", "detail": "auto"}
TARGET = Target("openai.gpt-5.4", "us-west-2", "mantle", "https://bedrock-mantle.us-west-2.api.aws/openai/v1")
CALL = {
    "type": "function_call",
    "id": "fc_1",
    "call_id": "call_1",
    "name": "weigh",
    "arguments": '{"what":"é"}',
}
REASONING = {"type": "reasoning", "id": "rs_1", "summary": [], "encrypted_content": "gAAA", "status": None}

marks = st.sampled_from(
    [
        "<!-- outcrop: user -->",
        "\\<!-- outcrop: assistant -->",
        "\n\n",
        "\n",
        "\r\n",
        "# You",
        "```",
        "\ud83d",
        "-->",
    ]
)
texts = st.lists(st.one_of(marks, st.text(max_size=12)), min_size=1, max_size=5).map("".join).filter(bool)
spelled = st.sampled_from(
    [
        '{"type": "message", "role": "assistant", "content": [{"type":"output_text","text":"sp\\u00e4ced"}]}',
        '{"type":"message","role":"assistant","content":"1","n":1.0e3,"n":2}',
        '{"type":"message","role":"assistant","content":"\\ud800","x":NaN}',
    ]
).map(Item)


def message(text: str) -> Item:
    return Item.of(
        {"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": text}]}
    )


outputs = st.lists(
    st.one_of(texts.map(message), spelled, st.just(Item.of(CALL)), st.just(Item.of(REASONING))), max_size=4
).map(tuple)
counts = st.one_of(st.none(), st.integers(0, 2_000_000))
usages = st.one_of(st.none(), st.builds(Usage, *[counts] * 6))
calls = st.sampled_from(
    [(), (CallRecord("call_1", CallState.DONE, '{"what":"z"}', "812 g\n```\n", True, 5.0, 6.0),)]
)


@st.composite
def conversations(draw: st.DrawFn) -> Conversation:
    held = Conversation(
        new_id(),
        draw(st.floats(0, 4e9)),
        title=storable(draw(texts)),
        sandbox=draw(st.booleans()),
        continuation=draw(st.sampled_from(["stateful", "stateless"])),
        instructions=storable(draw(st.one_of(st.just(""), texts))),
        model=draw(st.sampled_from([None, "openai.gpt-5.5"])),
        region="us-east-1",
        lost=frozenset({"resp_1"}),
        controls=Controls(
            effort="low",
            max_output_tokens=512,
            text_format='{"type":"json_object"}',
            top_p=0.5,
            stop=("\n", "é"),
        ),
        tools=ToolUse((ToolOn("weigh", '{"type":"function","name":"weigh"}', "abc"),), "required", False),
    )
    for number in range(draw(st.integers(1, 5))):
        parent = draw(st.sampled_from([None, *held.turns])) if number else None
        files = draw(st.lists(st.sampled_from([PDF, PICTURE]), max_size=2))
        turn = Turn(
            new_id(),
            parent,
            (user_message(draw(texts), files),),
            0.0,
            draw(outputs),
            storable(draw(st.one_of(st.just(""), texts))),
            outcome=draw(st.sampled_from(list(Outcome))),
            target=draw(st.sampled_from([None, TARGET, replace(TARGET, sandbox=True, api="converse")])),
            response_id="resp_2",
            stored=draw(st.booleans()),
            usage=draw(usages),
            error=draw(st.sampled_from([None, "It broke.", ""])),
            ended_at=0.0,
            notices=("Told.",),
            background=draw(st.booleans()),
            calls=draw(calls),
            text_format=draw(st.sampled_from(["", '{"type":"json_object"}'])),
        )
        held = held.append(turn)
    return held.at(draw(st.sampled_from(list(held.turns))))


@pytest.fixture
def history(tmp_path: Path) -> Any:
    kept = History(tmp_path / "history.db")
    yield kept
    kept.close()


def same(one: Conversation, other: Conversation) -> bool:
    """Equal, and with the turns in the same order; `""` and no error are one in a file."""
    turns = {turn.id: replace(turn, error=turn.error or None) for turn in one.turns.values()}
    return replace(one, turns=turns) == other and list(one.turns) == list(other.turns)


@settings(max_examples=60, deadline=None)
@given(held=st.lists(conversations(), min_size=1, max_size=2))
def test_json_gives_an_equal_conversation_of_every_branch(held: list[Conversation]) -> None:
    made = as_document(held, "1.0")
    json.loads(made.data, parse_constant=pytest.fail)
    back = read_document(made.data)
    assert all(same(one, other) for one, other in zip(held, back, strict=True))


@settings(max_examples=60, deadline=None)
@given(held=conversations())
def test_markdown_gives_the_messages_of_the_path(held: Conversation) -> None:
    made = as_markdown(held, "talk-")
    beside = {file.name: file.data for file in made.files}
    assert all(name.startswith("talk-") for name in beside)

    def file(name: str) -> dict[str, Any] | None:
        return {"type": "input_file", "filename": name, "file_data": "…"} if name in beside else None

    back, missing = read_markdown(made.data, "new", new_id, 5.0, file)
    expected = [replace(message, text=storable(message.text)) for message in messages_of(held.path())]
    assert list(messages_of(back.path())) == expected
    assert missing == ()
    assert back.instructions == held.instructions
    # Nothing that is in front of the file's owner can be told from what an editor of CRLF lines makes of it.
    if "\r" not in made.text:
        again, _ = read_markdown(made.data.replace(b"\n", b"\r\n"), "new", new_id, 5.0, file)
        assert messages_of(again.path()) == messages_of(back.path())


def test_the_history_takes_it_and_overwrites_nothing(history: History) -> None:
    first = Turn(
        "t1",
        None,
        (user_message("Weigh it", [PDF]),),
        10.0,
        (message("812 grams"),),
        outcome=Outcome.COMPLETED,
    )
    first = replace(first, target=TARGET, response_id="resp_1", stored=True, usage=Usage(9, 0, 0, 3, 0, 12))
    held = Conversation("c1", 9.0, title="The stone").append(first)
    held = held.append(replace(first, id="t2", input=(user_message("Again"),))).append(
        replace(first, id="t3", parent_id="t1")
    )
    held = held.at("t2")
    document = as_document([held], "1.0").data
    assert history.add_conversation(read_document(document)[0]) == held
    loaded = history.load("c1")
    assert same(held, loaded)
    # What a file says was spent or is kept by a server is no entry in the books of this machine.
    assert history.usage_records(0, False) == []
    assert history.stored_responses() == []
    assert [row.id for row in history.search("grams")] == ["c1"]

    # Once more, and another conversation that has one of its turns: both beside it, under ids of their own.
    copy = history.add_conversation(read_document(document)[0])
    assert copy.id not in ("c1", "") and not set(copy.turns) & set(held.turns)
    other = history.add_conversation(replace(held, id="c9", title=""))
    assert other.id != "c9"
    assert same(held, history.load("c1"))
    for made, title in ((copy, "The stone"), (other, "Weigh it")):
        back = history.load(made.id)
        assert messages_of(back.path()) == messages_of(held.path())
        assert (back.title, len(back.turns), back.tip) == (title, 3, made.tip)


def test_what_still_ran_has_ended_and_permissions_stay_behind() -> None:
    running = Turn(
        "t1", None, (user_message("Hi"),), 1.0, background=True, response_id="resp_1", partial_text="So"
    )
    tools = ToolUse((ToolOn("weigh", "{}", "abc", allowed=True),))
    held = Conversation("c1", 1.0, tools=tools).append(running)
    made = as_document([held], "1.0")
    assert b"true]" not in made.data.replace(b"\n", b"").replace(b" ", b"")
    (back,) = read_document(made.data)
    assert (back.turns["t1"].outcome, back.turns["t1"].error, back.turns["t1"].text) == (
        Outcome.FAILED,
        RUNNING,
        "So",
    )
    # A file that was changed by hand gives no permission either.
    (forged,) = read_document(made.data.replace(b"false", b"true"))
    assert [tool.allowed for tool in (*back.tools.on, *forged.tools.on)] == [False, False]


def test_nothing_that_a_conversation_has_is_forgotten() -> None:
    """A field that is added to a turn must be added to the file, or this says so."""
    values: dict[str, Any] = {
        "id": "t1",
        "parent_id": "t0",
        "input": (user_message("Hi"),),
        "created_at": 1.0,
        "outcome": Outcome.FAILED,
        "output": (message("Yes"),),
        "target": TARGET,
        "continuation": "stateless",
        "usage": Usage(1, 2, 3, 4, 5, 6),
        "notices": ("n",),
        "calls": (CallRecord("c"),),
        "ended_at": 2.0,
    }
    for field in fields(Turn):
        default = field.default
        values.setdefault(field.name, True if default is False else "text")
    whole: dict[str, Any] = {
        "id": "c1",
        "created_at": 1.0,
        "continuation": "stateless",
        "region": "us-east-1",
        "tip": "t1",
        "api": "converse",
        "sandbox": True,
        "turns": {
            "t0": Turn("t0", None, (), 1.0, outcome=Outcome.COMPLETED),
            "t1": Turn(**{**values, "text_format": "{}"}),
        },
        "lost": frozenset({"r"}),
        "tools": ToolUse((ToolOn("a", "{}", "f"),)),
        "controls": Controls(effort="low"),
    }
    for field in fields(Conversation):
        whole.setdefault(field.name, "text")
    held = Conversation(**whole)
    assert read_document(as_document([held], "1.0").data) == (held,)


TURN = {"id": "t1", "parent_id": None, "created_at": 1, "outcome": "completed"}
ONE = {"id": "c1", "created_at": 1, "turns": [TURN]}

HOSTILE: list[tuple[object, str]] = [
    (b"", "It is no JSON"),
    (b"\xff\xfe{", "It is no JSON"),
    (b"[" * 100_000, "It is no JSON: nested too deep"),
    ([], "the file must be an object"),
    ({"format": "outcrop cassette"}, "its `format` is not"),
    ({"version": 2}, "It is of version 2; this Outcrop reads version 1"),
    ({"conversations": {}}, "conversations must be a list"),
    ({"conversations": []}, "There is no conversation in it"),
    ({"conversations": [ONE, ONE]}, "Two of its conversations have the same id"),
    ([{"id": "../../x"}], r"conversations\[0\]\.id must be letters"),
    ([{"created_at": 1e300}], r"conversations\[0\]\.created_at must be a time"),
    ([{"created_at": 10**400}], r"created_at must be a time"),
    ([{"created_at": True}], r"created_at must be a number"),
    ([{"region": "us-west-2.evil.test/"}], r"region must be a region"),
    ([{"api": "graphql"}], r"api must be responses, chat_completions, converse or invoke_model"),
    (
        [
            {
                "turns": [
                    {
                        **TURN,
                        "target": {"model": "m", "region": "r", "endpoint": "e", "base_url": "", "api": ""},
                    }
                ]
            }
        ],
        r"turns\[0\]\.target\.api must be responses",
    ),
    ([{"continuation": "\x1b[2J"}], r"must be stateful or stateless, not ␛\[2J"),
    ([{"tip": "t9"}], r"tip must be the id of one of its turns"),
    ([{"lost": [1]}], r"conversations\[0\]\.lost\[0\] must be a text"),
    ([{"controls": {"text_format": "["}}], "text_format must be the text of a JSON object"),
    ([{"tools": {"on": [["a", "[1]", "f", True]]}}], "the definition of a tool"),
    ([{"turns": [TURN, TURN]}], r"turns\[1\]\.id is that of an earlier turn"),
    ([{"turns": [{**TURN, "parent_id": "t1"}]}], "parent_id must be the id of an earlier turn"),
    ([{"turns": [{**TURN, "outcome": "done"}]}], r"turns\[0\]\.outcome must be"),
    ([{"turns": [{**TURN, "input": [[]]}]}], r"turns\[0\]\.input\[0\] must be an object, or the text of one"),
    ([{"turns": [{**TURN, "output": ["{\x1e}"]}]}], r"output\[0\] must be an object"),
    ([{"turns": [{**TURN, "usage": {"input_tokens": -1}}]}], "input_tokens must be a whole number"),
    ([{"turns": [{**TURN, "usage": {"input_tokens": 1e9}}]}], "input_tokens must be a whole number"),
    ([{"turns": [{**TURN, "target": {"model": "m"}}]}], r"target\.region must be a text"),
    ([{"turns": [{**TURN, "calls": [{}]}]}], r"calls\[0\] must be the record of a tool's call"),
]


@pytest.mark.parametrize(("given", "sentence"), HOSTILE, ids=[sentence for _, sentence in HOSTILE])
def test_a_hostile_file_gives_a_sentence(given: object, sentence: str) -> None:
    value = given
    if isinstance(value, list) and value:
        value = {"conversations": [{**ONE, **row} for row in value]}
    if isinstance(value, dict):
        value = {"format": "outcrop conversations", "version": 1, **value}
    data = value if isinstance(value, bytes) else json.dumps(value).encode()
    with pytest.raises(InputError, match=sentence):
        read_document(data)


@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_a_document_with_anything_in_any_place_is_read_or_refused(data: st.DataObject) -> None:
    held = data.draw(conversations())
    document = json.loads(as_document([held], "1.0").data)
    junk = st.recursive(
        st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=5)),
        lambda inner: st.one_of(
            st.lists(inner, max_size=2), st.dictionaries(st.text(max_size=5), inner, max_size=2)
        ),
        max_leaves=4,
    )
    place: Any = document["conversations"][0]
    if data.draw(st.booleans()):
        place = data.draw(st.sampled_from(place["turns"]))
    name = data.draw(st.sampled_from(sorted(place)))
    place[name] = data.draw(junk)
    try:
        back = read_document(json.dumps(document).encode())
    except InputError:
        return
    assert len(back) == 1


@settings(max_examples=60, deadline=None)
@given(
    parts=st.lists(st.one_of(marks, texts, st.sampled_from(["<!-- outcrop: files -->\n", "- [a](b.pdf)\n"])))
)
def test_any_text_is_read_as_markdown_or_refused(parts: list[str]) -> None:
    data = storable("".join(parts)).encode()
    try:
        held, _ = read_markdown(data, "c1", new_id, 1.0, lambda name: None)
    except InputError:
        return
    assert held.turns and held.tip in held.turns


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        (b"\xff", "no UTF-8: byte 0"),
        (b"# Hello\n\nWorld\n", "No message is in it"),
        (b"<!-- outcrop: assistant -->\n\n## A\n\nHi\n\n", "first message must be the user's"),
    ],
)
def test_other_markdown_gives_a_sentence(data: bytes, sentence: str) -> None:
    with pytest.raises(InputError, match=sentence):
        read_markdown(data, "c1", new_id, 1.0, lambda name: None)
