from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tui.core.continuation import Options, Request, Stateful, Stateless
from tui.core.conversation import Conversation
from tui.core.items import Item, Outcome, Target, Turn, user_message

HERE = Target("openai.gpt-5.4", "us-west-2", "mantle", "https://bedrock-mantle.us-west-2.api.aws/openai/v1")
THERE = replace(HERE, region="us-east-2", base_url="https://bedrock-mantle.us-east-2.api.aws/openai/v1")
OPTIONS = Options(HERE, 1024)


def message(text: str) -> Item:
    return Item.of(
        {"id": f"msg_{text}", "type": "message", "status": "completed", "role": "assistant",
         "content": [{"type": "output_text", "text": text, "annotations": []}]}
    )  # fmt: skip


def reasoning(name: str, encrypted: str | None = "opaque") -> Item:
    payload: dict[str, Any] = {"id": f"rs_{name}", "type": "reasoning", "summary": []}
    if encrypted is not None:
        payload["encrypted_content"] = encrypted
    return Item.of(payload)


def turn(number: int, parent: str | None, **changes: Any) -> Turn:
    made = Turn(
        id=f"t{number}",
        parent_id=parent,
        input=(user_message(f"question {number}"),),
        created_at=float(number),
        output=(message(f"answer {number}"),),
        outcome=Outcome.COMPLETED,
        target=HERE,
        response_id=f"resp_{number}",
        stored=True,
    )
    return replace(made, **changes)


def conversation(*turns: Turn) -> Conversation:
    made = Conversation("c", 0.0)
    for each in turns:
        made = made.append(each)
    return made


def body(request: Request) -> dict[str, Any]:
    return json.loads(request.encode(stream=True))


NEW = user_message("next")


def test_stateful_sends_the_new_items_and_the_previous_id() -> None:
    request = Stateful().plan(conversation(turn(1, None), turn(2, "t1")), [NEW], OPTIONS)
    assert body(request) == {
        "model": "openai.gpt-5.4",
        "previous_response_id": "resp_2",
        "input": [{"role": "user", "content": "next"}],
        "max_output_tokens": 1024,
        "include": ["reasoning.encrypted_content"],
        "store": True,
        "stream": True,
    }


def test_stateless_sends_the_whole_path_and_stores_nothing() -> None:
    path = conversation(turn(1, None, output=(reasoning("a"), message("answer 1"))))
    sent = body(Stateless().plan(path, [NEW], OPTIONS))
    assert sent["store"] is False
    assert "previous_response_id" not in sent
    assert [item.get("id") or item["content"] for item in sent["input"]] == [
        "question 1", "rs_a", "msg_answer 1", "next",
    ]  # fmt: skip


def test_stateless_to_stateful_carries_the_whole_path_once() -> None:
    unstored = turn(1, None, stored=False)
    first = Stateful().plan(conversation(unstored), [NEW], OPTIONS)
    assert first.previous_response_id is None
    assert first.store
    assert len(first.items) == 3
    second = Stateful().plan(conversation(unstored, turn(2, "t1")), [NEW], OPTIONS)
    assert second.previous_response_id == "resp_2"
    assert second.items == (NEW,)


@pytest.mark.parametrize("outcome", [Outcome.FAILED, Outcome.CANCELLED, Outcome.INCOMPLETE])
def test_an_unfinished_turn_goes_inline_after_the_last_completed_response(outcome: Outcome) -> None:
    cut = turn(2, "t1", outcome=outcome, output=(reasoning("b"),), partial_text="half an ans")
    request = Stateful().plan(conversation(turn(1, None), cut), [NEW], OPTIONS)
    assert request.previous_response_id == "resp_1"
    sent = body(request)["input"]
    assert sent[0] == {"role": "user", "content": "question 2"}
    assert sent[1]["id"] == "rs_b"
    assert sent[2] == {"role": "assistant", "content": "half an ans"}
    assert sent[3] == {"role": "user", "content": "next"}


@pytest.mark.parametrize(
    "elsewhere",
    [
        THERE,
        replace(HERE, model="openai.gpt-5.5"),
        replace(HERE, endpoint="runtime"),
        replace(HERE, sandbox=True),
    ],
)
def test_another_place_breaks_the_chain_and_leaves_its_reasoning_out(elsewhere: Target) -> None:
    path = conversation(turn(1, None, output=(reasoning("a"), message("answer 1")), target=elsewhere))
    request = Stateful().plan(path, [NEW], OPTIONS)
    assert request.previous_response_id is None
    assert [item.type for item in request.items] == ["message", "message", "message"]
    assert [left.reason for left in request.left_out] == [
        "its encrypted content belongs to another model, region or endpoint"
    ]


def test_a_sandbox_s_port_is_no_part_of_its_place() -> None:
    before = replace(HERE, sandbox=True, base_url="http://127.0.0.1:1000/openai/v1")
    after = replace(before, base_url="http://127.0.0.1:2000/openai/v1")
    request = Stateful().plan(
        conversation(turn(1, None, target=before)), [NEW], replace(OPTIONS, target=after)
    )
    assert request.previous_response_id == "resp_1"


def test_a_lost_response_is_never_named_again() -> None:
    path = conversation(turn(1, None), turn(2, "t1")).forget(["resp_2"])
    request = Stateful().plan(path, [NEW], OPTIONS)
    assert request.previous_response_id == "resp_1"
    assert len(request.items) == 3


def test_a_fork_continues_from_the_turn_it_forks_from() -> None:
    path = conversation(turn(1, None), turn(2, "t1"), turn(3, "t2")).at("t1")
    assert Stateful().plan(path, [NEW], OPTIONS).previous_response_id == "resp_1"
    assert len(Stateless().plan(path, [NEW], OPTIONS).items) == 3


def test_reasoning_without_encrypted_content_is_left_out_and_named() -> None:
    path = conversation(turn(1, None, output=(reasoning("a", None), message("answer 1"))))
    request = Stateless().plan(path, [NEW], OPTIONS)
    assert [left.item for left in request.left_out] == [reasoning("a", None)]
    assert request.left_out[0].reason == "it came without encrypted content"


def test_items_are_sent_as_the_text_they_came_as() -> None:
    odd = Item('{"type":"message","role":"assistant","content":[],"float":1.10,"null":null,"ü":"\\u00fc"}')
    path = conversation(turn(1, None, output=(odd,)))
    assert odd.text.encode() in Stateless().plan(path, [NEW], OPTIONS).encode(stream=True)


answers = st.builds(
    lambda texts, thought: (*([reasoning("x")] if thought else []), *(message(text) for text in texts)),
    st.lists(st.text(max_size=20), max_size=2),
    st.booleans(),
)


@given(st.lists(st.tuples(st.text(max_size=20), answers, st.text(max_size=10)), max_size=6))
def test_two_stateless_requests_share_their_bytes_up_to_the_first_new_item(
    turns: list[tuple[str, tuple[Item, ...], str]],
) -> None:
    made = Conversation("c", 0.0)
    before = Stateless().plan(made, [], OPTIONS).encode(stream=True)
    for number, (prompt, output, partial) in enumerate(turns):
        made = made.append(
            turn(number, made.tip, input=(user_message(prompt),), output=output, partial_text=partial)
        )
        after = Stateless().plan(made, [], OPTIONS).encode(stream=True)
        shared = before[: before.index(b'],"max_output_tokens"')]
        assert after.startswith(shared)
        before = after
