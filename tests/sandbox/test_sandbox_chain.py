from __future__ import annotations

import stat
from pathlib import Path

import pytest
from support.sandbox_api import MODEL, Api, Clock, text_of

from tui.sandbox.server import SandboxServer


@pytest.fixture
def api(shared_api: Api) -> Api:
    return shared_api


TURNS = [
    ("My name is Ada and the code word is heliotrope.", "What is my name?", "Ada"),
    ("My name is Ada and the code word is heliotrope.", "What word did I tell you?", "heliotrope"),
    ("Please remember the number 4711.", "Which number did I ask you to remember?", "4711"),
    ("Tell me about glaciers", "What did I say first?", "Tell me about glaciers"),
    ("The meeting is on Thursday in Lisbon.", "When is the meeting?", "Thursday"),
    ("Hi, I'm Ada and I live in Porto.", "Where do I live?", "Porto"),
    ("Hi, I'm Ada and I live in Porto.", "Who am I?", "**Ada**"),
    ("Keep this word: zebra", "What was the word?", "zebra"),
    ("Glaciers are cold.", "Please summarise the conversation so far", "Glaciers are cold."),
    ("My dog is called Rex.", "What is my dog called?", "Rex"),
]


@pytest.mark.parametrize(("said", "asked", "expected"), TURNS)
def test_recall_with_previous_response_id(api: Api, said: str, asked: str, expected: str) -> None:
    first = api.create(said)
    middle = api.create("Thank you", previous_response_id=first["id"])
    second = api.create(asked, previous_response_id=middle["id"])
    assert expected in text_of(second)
    assert second["previous_response_id"] == middle["id"]
    # Without the chain the server cannot know.
    assert expected not in text_of(api.create(asked)).replace(asked, "")


@pytest.mark.parametrize(("said", "asked", "expected"), TURNS)
def test_recall_with_replayed_items(api: Api, said: str, asked: str, expected: str) -> None:
    first = api.create(said, store=False)
    items = [{"role": "user", "content": said}, *first["output"], {"role": "user", "content": asked}]
    assert expected in text_of(api.create(items, store=False))


def test_both_modes_give_the_same_answer_and_cost(api: Api) -> None:
    first = api.create("The river is called Tejo.")
    by_id = api.create("Which river?", previous_response_id=first["id"])
    items = [
        {"role": "user", "content": "The river is called Tejo."},
        *first["output"],
        {"role": "user", "content": "Which river?"},
    ]
    replayed = api.create(items, store=False)
    assert text_of(by_id) == text_of(replayed)
    assert by_id["usage"]["input_tokens"] == replayed["usage"]["input_tokens"]


def test_instructions_are_not_inherited(api: Api) -> None:
    first = api.create("Hello", instructions="Speak of heliotropes only.")
    asked = "What are your instructions?"
    with_them = api.create(asked, instructions="Be brief.", previous_response_id=first["id"])
    without = api.create(asked, previous_response_id=first["id"])
    assert "Be brief." in text_of(with_them)
    assert "heliotropes" not in text_of(without)


def test_what_was_not_stored_cannot_be_continued(api: Api) -> None:
    unstored = api.create("Hello", store=False)
    for previous in (unstored["id"], "resp_unknown", "../../etc/passwd"):
        error = api.refused(404, model=MODEL, input="x", previous_response_id=previous)
        assert error["code"] == "previous_response_not_found"


def test_a_deleted_link_breaks_the_chain(api: Api) -> None:
    first = api.create("One")
    second = api.create("Two", previous_response_id=first["id"])
    assert api.http.delete(f"{api.url}/responses/{first['id']}").json()["deleted"] is True
    api.refused(404, model=MODEL, input="Three", previous_response_id=second["id"])


def test_kept_for_thirty_days(api: Api) -> None:
    first = api.create("One")
    api.clock.now += 30 * 86400 - 1
    api.create("Two", previous_response_id=first["id"])
    api.clock.now += 2
    api.refused(404, model=MODEL, input="Three", previous_response_id=first["id"])


def test_a_chain_may_leave_the_model_out(api: Api) -> None:
    first = api.create("One", model="openai.gpt-5.6-luna")
    reply = api.post(input="Two", previous_response_id=first["id"])
    assert reply.json()["model"] == "openai.gpt-5.6-luna"


def test_a_later_process_goes_on_and_files_are_private(tmp_path: Path, clock: Clock) -> None:
    state = tmp_path / "state"
    ids: list[str] = []
    for prompt in ("My name is Ada", "What is my name?"):
        server = SandboxServer(state, clock=clock)
        api = Api(server, server.start(), clock)
        try:
            made = api.create(prompt, **({"previous_response_id": ids[-1]} if ids else {}))
        finally:
            api.http.close()
            server.stop()
        ids.append(made["id"])
    assert "Ada" in text_of(made)
    assert stat.S_IMODE(state.stat().st_mode) == 0o700
    for path in state.rglob("*"):
        assert stat.S_IMODE(path.stat().st_mode) == (0o700 if path.is_dir() else 0o600)
        assert path.is_dir() or b"Bearer" not in path.read_bytes()


def test_ordinary_answers_name_what_they_see(api: Api) -> None:
    first = api.create("Lisbon in spring")
    second = api.create("Tell me about bridges", previous_response_id=first["id"])
    third = api.create("Tell me about trams", previous_response_id=second["id"])
    assert "Earlier messages of yours: 2; the first was “Lisbon in spring”" in text_of(third)


@pytest.mark.parametrize(
    ("prompt", "low", "high", "measure"),
    [
        ("Write 800 words about rock", 780, 820, "words"),
        ("Write 1,200 tokens", 1150, 1500, "tokens"),
        ("Write 120 lines", 120, 125, "lines"),
    ],
)
def test_wanted_size(api: Api, prompt: str, low: int, high: int, measure: str) -> None:
    made = api.create(prompt, previous_response_id=api.create("Hi")["id"])
    text = text_of(made)
    size = {
        "words": len(text.split()),
        "lines": len(text.splitlines()),
        "tokens": made["usage"]["output_tokens"],
    }
    assert low <= size[measure] <= high


def test_tables_lists_and_code_on_demand(api: Api) -> None:
    assert "|---" in text_of(api.create("Make a table of rivers")).replace("|:---", "|---")
    assert "```rust" in text_of(api.create("Write a Rust function"))
    assert "\n  - " in text_of(api.create("Give me a list of rocks"))


def test_verbosity(api: Api) -> None:
    sizes = [len(text_of(api.create("Glaciers", text={"verbosity": v}))) for v in ("low", "medium", "high")]
    assert sizes[0] < sizes[1] < sizes[2]
