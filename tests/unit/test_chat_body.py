"""Requests as bodies of Chat Completions and InvokeModel: items, parameters, and what is refused."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tui.core.apis import mode_in_force, why_not_stateful
from tui.core.continuation import Options, Request, Stateful
from tui.core.conversation import Conversation
from tui.core.errors import InputError
from tui.core.guardrail import Guardrail
from tui.core.items import Item, Outcome, Target, Turn, assistant_message, user_message

TARGET = Target(
    "openai.gpt-oss-20b-1:0", "us-west-2", "runtime", "https://x/openai/v1", api="chat_completions"
)
CALL = Item.of({"type": "function_call", "call_id": "c1", "name": "add", "arguments": '{"a":1}'})
OTHER = Item.of({"type": "function_call", "call_id": "c2", "name": "add", "arguments": ""})
RESULTS = [
    Item.of({"type": "function_call_output", "call_id": "c1", "output": "1"}),
    Item.of(
        {"type": "function_call_output", "call_id": "c2", "output": [{"type": "input_text", "text": "2"}]}
    ),
]
MESSAGE = Item.of(
    {
        "type": "message",
        "role": "assistant",
        "content": [{"type": "output_text", "text": "Hi.", "annotations": []}],
    }
)
ADD = {"type": "function", "name": "add", "parameters": {"type": "object"}, "strict": True}
SCHEMA = {"type": "json_schema", "name": "n", "strict": True, "schema": {"type": "object"}}


def body(
    *items: Item, stream: bool = False, guardrail: Guardrail | None = None, **params: Any
) -> dict[str, Any]:
    request = Request(TARGET, "stateless", items, None, False, params, guardrail=guardrail)
    return json.loads(request.encode(stream=stream))


def without_type(value: dict[str, Any]) -> dict[str, Any]:
    return {name: member for name, member in value.items() if name != "type"}


def messages(*items: Item) -> list[Any]:
    return body(*items)["messages"]


def test_a_conversation_with_tools_is_messages_in_the_order_that_the_api_wants() -> None:
    called = {"id": "c1", "type": "function", "function": {"name": "add", "arguments": '{"a":1}'}}
    other = {"id": "c2", "type": "function", "function": {"name": "add", "arguments": "{}"}}
    tools = [
        {"role": "tool", "tool_call_id": "c1", "content": "1"},
        {"role": "tool", "tool_call_id": "c2", "content": "2"},
    ]
    said = {"role": "assistant", "content": "Hi.", "tool_calls": [called, other]}
    assert messages(user_message("x"), MESSAGE, CALL, OTHER, *RESULTS, assistant_message("Two.")) == [
        {"role": "user", "content": "x"}, said, *tools, {"role": "assistant", "content": "Two."},
    ]  # fmt: skip
    # Text that came after a call goes into the message with the call: its output must follow at once.
    assert messages(user_message("x"), CALL, MESSAGE, OTHER, *RESULTS)[1:] == [said, *tools]
    silent = messages(user_message("x"), CALL, RESULTS[0], CALL, RESULTS[0])
    assert [message["role"] for message in silent] == ["user", "assistant", "tool", "assistant", "tool"]
    assert silent[1]["content"] is None


def test_parts_roles_and_instructions() -> None:
    image = {"type": "input_image", "image_url": "data:image/png;base64,AA", "detail": "auto"}
    pdf = {"type": "input_file", "filename": "a.pdf", "file_data": "data:application/pdf;base64,AA"}
    system = Item.of({"role": "system", "content": [{"type": "input_text", "text": "Be"}]})
    made = body(system, user_message("x", [image, pdf]), instructions="Brief")
    assert made["messages"] == [
        {"role": "developer", "content": "Brief"},
        {"role": "system", "content": "Be"},
        {"role": "user", "content": [
            {"type": "image_url", "image_url": {"url": "data:image/png;base64,AA", "detail": "auto"}},
            {"type": "file", "file": {"filename": "a.pdf", "file_data": "data:application/pdf;base64,AA"}},
            {"type": "text", "text": "x"},
        ]},
    ]  # fmt: skip


def test_parameters_in_the_words_of_the_api_and_in_one_order() -> None:
    params = {
        "max_output_tokens": 9, "reasoning": {"effort": "low", "summary": "auto"},
        "text": {"verbosity": "low", "format": SCHEMA}, "include": ["reasoning.encrypted_content"],
        "temperature": 1.0, "top_p": 0.5, "stop": ["END"], "tools": [ADD],
        "tool_choice": {"type": "function", "name": "add"}, "parallel_tool_calls": False,
    }  # fmt: skip
    guardrail = Guardrail("gr", tag_suffix="xyz")
    made = body(user_message("x"), stream=True, guardrail=guardrail, **params)
    assert list(made.items()) == [
        ("model", TARGET.model),
        ("messages", [{"role": "user", "content": "x"}]),
        ("max_completion_tokens", 9),
        ("reasoning_effort", "low"),
        ("verbosity", "low"),
        ("response_format", {"type": "json_schema", "json_schema": without_type(SCHEMA)}),
        ("temperature", 1.0),
        ("top_p", 0.5),
        ("stop", ["END"]),
        ("tools", [{"type": "function", "function": without_type(ADD)}]),
        ("tool_choice", {"type": "function", "function": {"name": "add"}}),
        ("parallel_tool_calls", False),
        ("amazon-bedrock-guardrailConfig", {"tagSuffix": "xyz"}),
        ("stream", True),
        ("stream_options", {"include_usage": True}),
    ]
    mode = body(user_message("x"), text={"format": {"type": "json_object"}}, tool_choice="required")
    assert (mode["response_format"], mode["tool_choice"]) == ({"type": "json_object"}, "required")
    assert "stream" not in mode


def test_invoke_model_names_no_model_and_asks_for_no_stream() -> None:
    target = Target(TARGET.model, "us-west-2", "runtime", "https://x", api="invoke_model")
    request = Request(target, "stateless", (user_message("x"),), None, False, {"max_output_tokens": 5})
    for stream in (True, False):
        assert json.loads(request.encode(stream=stream)) == {
            "messages": [{"role": "user", "content": "x"}],
            "max_completion_tokens": 5,
        }


@pytest.mark.parametrize(
    ("items", "params", "words"),
    [
        ([user_message("x")], {"tools": [{"type": "custom", "name": "sql"}]}, "turn sql off, or"),
        ([user_message("x", [{"type": "input_image", "file_id": "f"}])], {}, "as data only"),
        ([Item.of({"type": "web_search_call"})], {}, "nothing like web_search_call"),
        ([Item.of({**RESULTS[1].payload, "output": [{"type": "input_image"}]})], {}, "as a tool's output"),
        ([Item.of({"role": "robot", "content": "x"})], {}, "no role robot"),
        ([], {"instructions": "Be"}, "nothing to send"),
    ],
)  # fmt: skip
def test_what_cannot_be_said_is_refused_in_words(items: list[Item], params: Any, words: str) -> None:
    with pytest.raises(InputError, match=words):
        body(*items, **params)


def test_the_plan_is_stateless_and_names_what_stays() -> None:
    reasoning = Item.of({"type": "reasoning", "encrypted_content": "e", "summary": []})
    custom = Item.of({"type": "custom_tool_call", "call_id": "k", "name": "sql", "input": "x"})
    custom_output = Item.of({"type": "custom_tool_call_output", "call_id": "k", "output": "y"})
    path = Conversation("c", 0.0)
    output = (reasoning, MESSAGE, custom)
    first = Turn("t", None, (user_message("x"),), 0.0, output, outcome=Outcome.COMPLETED,
                 target=TARGET, response_id="resp_1", stored=True)  # fmt: skip
    second = Turn(
        "u", "t", (custom_output, user_message("y")), 1.0, partial_text="I was", outcome=Outcome.FAILED
    )
    plan = Stateful().plan(path.append(first).append(second), [user_message("z")], Options(TARGET, 9))
    assert (plan.mode, plan.previous_response_id, plan.store) == ("stateless", None, False)
    assert [message["content"] for message in json.loads(plan.encode(stream=True))["messages"]] == [
        "x", "Hi.", "y", "I was", "z",
    ]  # fmt: skip
    assert [(left.item.type, left.reason) for left in plan.left_out] == [
        ("reasoning", "Chat Completions takes no reasoning back"),
        ("custom_tool_call", "Chat Completions knows no custom tools"),
        ("custom_tool_call_output", "Chat Completions knows no custom tools"),
    ]


def test_why_a_conversation_is_stateless() -> None:
    assert why_not_stateful("responses") is None
    sentence = why_not_stateful("converse")
    assert sentence is not None and sentence.startswith("Over Converse the server keeps nothing")
    assert (mode_in_force("stateful", "responses"), mode_in_force("stateful", "converse")) == (
        "stateful", "stateless",
    )  # fmt: skip
