"""Requests in Converse's words, held against botocore's own model of the service."""

from __future__ import annotations

import base64
import json
from dataclasses import replace
from functools import cache
from typing import Any

import pytest
from botocore.loaders import Loader
from botocore.model import ServiceModel, Shape
from botocore.serialize import create_serializer
from botocore.validate import ParamValidator

from tui.core.continuation import Options, Request, Stateful
from tui.core.conversation import Conversation
from tui.core.errors import InputError
from tui.core.guardrail import Guardrail
from tui.core.items import Item, Outcome, Target, Turn, assistant_message, user_message

TARGET = Target(
    "openai.gpt-oss-20b-1:0", "us-west-2", "runtime", "https://bedrock-runtime.us-west-2.amazonaws.com",
    api="converse",
)  # fmt: skip
PDF = "data:application/pdf;base64," + base64.b64encode(b"%PDF-1.7 not a real one").decode()
TOOL = {
    "type": "function", "name": "look", "description": "Looks.", "strict": True,
    "parameters": {"type": "object", "properties": {"a": {"type": "integer"}}},
}  # fmt: skip


@cache
def service() -> ServiceModel:
    return ServiceModel(Loader().load_service_model("bedrock-runtime", "service-2"), "bedrock-runtime")


def as_boto(shape: Shape, value: Any) -> Any:
    """A body as boto3 would be given it: bytes where JSON has base64."""
    if shape.type_name == "blob":
        return base64.b64decode(value, validate=True)
    if shape.type_name == "structure" and not getattr(shape, "is_document_type", False):
        members: Any = shape.members
        return {
            name: as_boto(members[name], inner) if name in members else inner for name, inner in value.items()
        }
    if shape.type_name == "list":
        return [as_boto(shape.member, inner) for inner in value]
    return value


def check(body: dict[str, Any]) -> None:
    """botocore finds nothing wrong with these parameters, and writes the same body of them."""
    for name in ("Converse", "ConverseStream"):
        operation = service().operation_model(name)
        shape = operation.input_shape
        params = {"modelId": TARGET.model, **as_boto(shape, body)}
        report = ParamValidator().validate(params, shape)
        assert not report.has_errors(), report.generate_report()
        made = create_serializer("rest-json").serialize_to_request(params, operation)
        assert json.loads(made["body"]) == body
        assert made["url_path"].startswith("/model/openai.gpt-oss-20b-1%3A0/converse")


def planned(*items: Item, conversation: Conversation | None = None, **options: Any) -> Request:
    made = Options(TARGET, 2048, **options)
    return Stateful().plan(conversation or Conversation("c", 0.0), list(items), made)


def body_of(*items: Item, **options: Any) -> dict[str, Any]:
    body = json.loads(planned(*items, **options).encode(stream=True))
    check(body)
    return body


def item(**payload: Any) -> Item:
    return Item.of(payload)


def said(text: str) -> dict[str, Any]:
    return {"type": "input_text", "text": text}


def test_roles_limits_and_the_rest() -> None:
    body = body_of(
        item(role="system", content="Speak French."),
        item(role="developer", content=[said("Be brief."), said(" ")]),
        user_message("Hi"),
        instructions="Be kind.",
        effort="high",
        verbosity="low",
        encrypted_reasoning=True,
        guardrail=Guardrail("gr1", "2", "on", "xyz"),
        extra={
            "temperature": 0.5, "top_p": 0.9, "stop": ["END"], "service_tier": "flex", "seed": 7,
            "metadata": {"team": "x"}, "prompt_cache_key": "k", "parallel_tool_calls": True,
        },
    )  # fmt: skip
    assert body == {
        "system": [{"text": "Be kind."}, {"text": "Speak French."}, {"text": "Be brief."}],
        "messages": [{"role": "user", "content": [{"text": "Hi"}]}],
        "inferenceConfig": {"maxTokens": 2048, "temperature": 0.5, "topP": 0.9, "stopSequences": ["END"]},
        "additionalModelRequestFields": {"reasoning_effort": "high", "seed": 7},
        "serviceTier": {"type": "flex"},
        "requestMetadata": {"team": "x"},
        "guardrailConfig": {"guardrailIdentifier": "gr1", "guardrailVersion": "2", "trace": "enabled"},
    }


def test_a_plain_prompt_says_no_more_than_it_must() -> None:
    request = planned(user_message("Hi"), encrypted_reasoning=False)
    assert request.encode(stream=True) == request.encode(stream=False)
    assert request.encode(stream=True) == (
        b'{"messages":[{"role":"user","content":[{"text":"Hi"}]}],"inferenceConfig":{"maxTokens":2048}}'
    )
    assert (request.mode, request.previous_response_id, request.store) == ("stateless", None, False)


def test_neighbours_of_one_role_are_one_message_and_the_user_begins() -> None:
    body = body_of(
        assistant_message("Welcome."),
        assistant_message("   "),
        user_message("One."),
        user_message("Two."),
        item(type="message", role="assistant", id="msg_1", status="completed", content=[
            {"type": "output_text", "text": "Three.", "annotations": []},
            {"type": "refusal", "refusal": "No."},
        ]),
        assistant_message("Four."),
        user_message("Five."),
    )  # fmt: skip
    roles = [
        (message["role"], [block["text"] for block in message["content"]]) for message in body["messages"]
    ]
    assert roles[1:] == [
        ("assistant", ["Welcome."]),
        ("user", ["One.", "Two."]),
        ("assistant", ["Three.", "No.", "Four."]),
        ("user", ["Five."]),
    ]
    assert roles[0][0] == "user"


def test_tools_and_their_calls() -> None:
    long_id = "call " * 30
    body = body_of(
        user_message("Look twice."),
        item(type="function_call", id="fc_1", call_id="call_1", name="look", arguments='{"a":1}'),
        item(type="function_call", call_id=long_id, name="other", arguments="{broken"),
        item(type="function_call_output", call_id="call_1", output="Seen."),
        item(type="function_call_output", call_id=long_id, output=""),
        user_message("And?"),
        extra={"tools": [TOOL], "tool_choice": "required"},
    )
    answer, results = body["messages"][1:]
    assert answer["content"][0] == {"toolUse": {"toolUseId": "call_1", "name": "look", "input": {"a": 1}}}
    assert answer["content"][1]["toolUse"]["input"] == {"arguments": "{broken"}
    assert results["content"][0] == {"toolResult": {"toolUseId": "call_1", "content": [{"text": "Seen."}]}}
    assert results["content"][1]["toolResult"]["toolUseId"] == answer["content"][1]["toolUse"]["toolUseId"]
    assert results["content"][2] == {"text": "And?"}
    config = body["toolConfig"]
    assert config["toolChoice"] == {"any": {}}
    assert config["tools"][0]["toolSpec"] == {
        "name": "look", "description": "Looks.", "inputSchema": {"json": TOOL["parameters"]}, "strict": True,
    }  # fmt: skip
    # The other one was called once and is off now: Converse wants it named all the same.
    assert [tool["toolSpec"]["name"] for tool in config["tools"]] == ["look", "other"]


@pytest.mark.parametrize(
    ("choice", "said"),
    [
        ("auto", {"auto": {}}),
        ({"type": "function", "name": "look"}, {"tool": {"name": "look"}}),
        (None, None),
    ],
)
def test_tool_choices(choice: Any, said: Any) -> None:
    extra = {"tools": [TOOL]} | ({} if choice is None else {"tool_choice": choice})
    assert body_of(user_message("x"), extra=extra)["toolConfig"].get("toolChoice") == said


def test_no_tool_may_be_called() -> None:
    extra = {"tools": [TOOL], "tool_choice": "none"}
    assert "toolConfig" not in body_of(user_message("x"), extra=extra)
    call = item(type="function_call", call_id="call_1", name="look", arguments="{}")
    output = item(type="function_call_output", call_id="call_1", output="Seen.")
    body = body_of(user_message("x"), call, output, extra=extra)
    assert [tool["toolSpec"]["name"] for tool in body["toolConfig"]["tools"]] == ["look"]


def test_files_and_a_schema() -> None:
    part = {"type": "input_file", "filename": "Q3: report_(v2).pdf", "file_data": PDF}
    image = {"type": "input_image", "image_url": "data:image/png;base64,iVBORw0KGgo=", "detail": "auto"}
    schema = {"type": "object", "properties": {"a": {"type": "string"}}, "required": ["a"]}
    body = body_of(
        user_message("Read.", [part, part, image]),
        text_format=json.dumps({"type": "json_schema", "name": "triage", "strict": True, "schema": schema}),
    )
    first, second, picture, text = body["messages"][0]["content"]
    assert first["document"]["format"] == "pdf"
    assert first["document"]["source"]["bytes"] == PDF.partition(",")[2]
    assert [first["document"]["name"], second["document"]["name"]] == ["Q3 report (v2)", "Q3 report (v2) 2"]
    assert picture == {"image": {"format": "png", "source": {"bytes": "iVBORw0KGgo="}}}
    assert text == {"text": "Read."}
    said = body["outputConfig"]["textFormat"]["structure"]["jsonSchema"]
    assert (said["name"], json.loads(said["schema"])) == ("triage", schema)


def with_part(role: str = "user", **part: Any) -> list[Item]:
    return [item(role=role, content=[part, said("x")])]


CUSTOM = {"extra": {"tools": [{"type": "custom", "name": "norm"}]}}
IMAGE = "data:image/png;base64,AA=="
REFUSED = {
    "JSON mode": ([user_message("x")], {"text_format": '{"type":"json_object"}'}, "no JSON mode"),
    "a custom tool": ([user_message("x")], CUSTOM, "turn norm off"),
    "an address": (with_part(type="input_image", image_url="https://x/y.png"), {}, "as data only"),
    "a file id": (with_part(type="input_file", file_id="f"), {}, "as data only"),
    "a format": (with_part(type="input_file", file_data="data:audio/wav;base64,AA=="), {}, "not audio/wav"),
    "a part": (with_part(type="input_audio"), {}, "no content of type input_audio"),
    "a system image": (with_part("developer", type="input_image", image_url=IMAGE), {}, "nothing but text"),
    "no prompt": ([item(role="developer", content="x")], {}, "answers a user's message"),
    "an answer last": ([user_message("x"), assistant_message("y")], {}, "answers a user's message"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_cannot_be_carried_is_said_before_anything_is_sent(case: str) -> None:
    items, options, words = REFUSED[case]
    with pytest.raises(InputError, match=words):
        planned(*items, **options).encode(stream=True)
    odd = replace(planned(user_message("x")), items=(item(type="item_reference", id="x"),))
    with pytest.raises(InputError, match="item of type item_reference"):
        odd.encode(stream=True)


def test_what_stays_behind_is_named() -> None:
    """Reasoning and calls of free text cannot go to Converse: the plan says which, and the rest goes."""
    turn = Turn(
        "t", None, (user_message("Hi"),), 0.0,
        (
            item(type="reasoning", summary=[], content=[{"type": "reasoning_text", "text": "Hm."}]),
            item(type="compaction", encrypted_content="sealed"),
            item(type="message", role="assistant", content=[{"type": "output_text", "text": "Hello."}]),
        ),
        outcome=Outcome.COMPLETED, target=TARGET, response_id="resp_1", stored=True,
    )  # fmt: skip
    request = planned(user_message("Again"), conversation=Conversation("c", 0.0).append(turn))
    assert [left.item.type for left in request.left_out] == ["reasoning", "compaction"]
    body = json.loads(request.encode(stream=True))
    check(body)
    assert [message["role"] for message in body["messages"]] == ["user", "assistant", "user"]
