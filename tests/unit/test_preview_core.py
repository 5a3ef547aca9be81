from __future__ import annotations

from dataclasses import replace

from tui.core.continuation import Options, Stateful, Stateless
from tui.core.conversation import Conversation
from tui.core.items import Item, Outcome, Target, Turn, Usage, user_message
from tui.core.preview import Preview, preview_of

HERE = Target("m", "us-west-2", "mantle", "https://x/openai/v1")
OPTIONS = Options(HERE, 100, instructions="Be brief, and kind.")
PDF = {"type": "input_file", "filename": "a.pdf", "file_data": "data:application/pdf;base64," + "QUJD" * 5000}


def answer(text: str) -> Item:
    return Item.of(
        {"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": text}]}
    )


def talk() -> Conversation:
    reasoning = Item.of({"type": "reasoning", "summary": [], "id": "rs_1"})
    first = Turn(
        "t1", None, (user_message("What is this?", [PDF]),), 0.0, output=(reasoning, answer("x" * 400)),
        outcome=Outcome.COMPLETED, target=HERE, response_id="resp_1", stored=True,
        usage=Usage(input_tokens=1000, output_tokens=150, reasoning_tokens=50),
    )  # fmt: skip
    second = Turn(
        "t2", "t1", (user_message("And then?"),), 1.0, partial_text="It broke", outcome=Outcome.CANCELLED,
        target=HERE, response_id="resp_2", stored=True,
    )  # fmt: skip
    return Conversation("c", 0.0).append(first).append(second)


def look(conversation: Conversation, plan: Stateful | Stateless, prompt: str = "y" * 40) -> Preview:
    request = plan.plan(conversation, [user_message(prompt)], OPTIONS)
    look = preview_of(request, conversation, lambda turn: 700 if turn.id == "t1" else 0, 7)
    assert look.size == len(request.encode(stream=True))
    assert [item.size for item in look.items] == [len(item.text.encode()) for item in request.items]
    return look


def test_stateful_names_what_the_server_must_remember_and_marks_what_broke_off() -> None:
    seen = look(talk(), Stateful())
    assert seen.previous_response_id == "resp_1"
    assert (seen.remembered_turns, seen.remembered_tokens, seen.store) == (1, 1100, True)
    assert [(item.kind, item.words[:8], item.new, item.unfinished) for item in seen.items] == [
        ("user", "And then", False, Outcome.CANCELLED),
        ("assistant", "It broke", False, Outcome.CANCELLED),
        ("user", "yyyyyyyy", True, None),
    ]
    assert seen.left_out == ()
    # 9, 8 and 40 characters, 7 for the new files, 19 characters of instructions.
    assert seen.tokens == 2 + 2 + 10 + 7 + 4


def test_stateless_needs_nothing_remembered_and_says_what_is_left_out() -> None:
    seen = look(talk(), Stateless())
    assert (seen.previous_response_id, seen.remembered_turns, seen.remembered_tokens) == (None, 0, None)
    assert [item.kind for item in seen.items] == ["user", "assistant", "user", "assistant", "user"]
    assert seen.items[0].words == "[file a.pdf] What is this?"
    assert seen.items[0].size > 20_000
    assert seen.items[0].tokens == 13 // 4 + 700
    assert seen.items[1].unfinished is None
    assert seen.left_out == (("reasoning", "it came without encrypted content"),)


def test_usage_that_nobody_reported_is_unknown() -> None:
    conversation = talk()
    first = replace(conversation.turns["t1"], usage=None)
    seen = look(conversation.update(first), Stateful())
    assert (seen.remembered_turns, seen.remembered_tokens) == (1, None)


def test_items_that_are_no_messages_are_counted_without_what_is_encrypted() -> None:
    reasoning = Item.of({"type": "reasoning", "summary": [], "encrypted_content": "Z" * 8000})
    call = Item.of({"type": "function_call", "name": "look", "arguments": "{}"})
    first = replace(talk().turns["t1"], output=(reasoning, call))
    seen = look(talk().update(first), Stateless())
    assert [item.kind for item in seen.items][1:3] == ["reasoning", "function_call"]
    assert seen.items[1].tokens == 0
    assert 0 < seen.items[2].tokens < 40


def test_what_an_api_cannot_carry_is_said_instead_of_a_size() -> None:
    target = Target("m", "us-west-2", "runtime", "https://x/openai/v1", api="chat_completions")
    tools = {"tools": [{"type": "custom", "name": "sql"}]}
    for extra, refused in (({}, ""), (tools, "Chat Completions takes function tools only: turn sql off")):
        request = Stateful().plan(talk(), [user_message("x")], Options(target, 9, extra=extra))
        seen = preview_of(request, talk(), lambda turn: 0, 0)
        assert (seen.mode, seen.store, seen.remembered_turns) == ("stateless", False, 0)
        assert seen.refused.startswith(refused) and bool(seen.refused) is bool(refused)
        assert bool(seen.size) is not bool(refused)
