"""An edited body is checked before it is sent: what is wrong is said with its place."""

from __future__ import annotations

import json
from typing import Any

import pytest
from support.exchanges import created
from support.openai_schemas import schemas, validate

from tui.core.answer import answer_object
from tui.core.export.python import SDK_PARAMETERS
from tui.core.request_check import check_body
from tui.core.request_schema import CREATE_RESPONSE

GOOD: dict[str, Any] = {
    "model": "openai.gpt-5.4",
    "input": [
        {"role": "user", "content": "Hi"},
        {"role": "user", "content": [
            {"type": "input_file", "filename": "a.pdf", "file_data": "data:application/pdf;base64,YQ=="},
            {"type": "input_image", "image_url": "data:image/png;base64,YQ==", "detail": "low"},
            {"type": "input_text", "text": "Look"},
        ]},
        {"id": "rs_1", "type": "reasoning", "summary": [], "encrypted_content": "x"},
        {"type": "function_call", "id": "fc_1", "call_id": "c", "name": "f", "arguments": "{}"},
        {"type": "function_call_output", "call_id": "c", "output": "1"},
        {"type": "custom_tool_call", "call_id": "d", "name": "g", "input": "x"},
        {"type": "custom_tool_call_output", "call_id": "d", "output": "1"},
        {"type": "item_reference", "id": "msg_1"},
    ],
    "instructions": "Be brief.",
    "reasoning": {"effort": "low", "summary": None},
    "text": {"format": {"type": "json_schema", "name": "n", "schema": {}, "strict": True}},
    "tools": [
        {"type": "function", "name": "f", "parameters": {"type": "object"}, "strict": True},
        {"type": "custom", "name": "g", "format": {"type": "text"}},
        {"type": "web_search"},
    ],
    "tool_choice": {"type": "function", "name": "f"},
    "include": ["reasoning.encrypted_content"],
    "metadata": {"a": "b"},
    "max_output_tokens": 16,
    "temperature": 0.5,
    "prompt_cache_options": {"mode": "implicit", "ttl": "30m"},
    "store": False,
    "stream": True,
    "service_tier": None,
}  # fmt: skip


def with_change(path: list[Any], value: Any) -> dict[str, Any]:
    body = json.loads(json.dumps(GOOD))
    at = body
    for step in path[:-1]:
        at = at[step]
    at[path[-1]] = value
    return body


def found(body: dict[str, Any]) -> list[str]:
    return [str(finding) for finding in check_body(json.dumps(body).encode())]


def test_what_is_good_is_good_to_the_published_schema_as_well() -> None:
    assert found(GOOD) == []
    validate("CreateResponse", GOOD)


BROKEN: list[tuple[list[Any], Any, str]] = [
    (["modle"], "x", "$.modle is not known here; is model meant?"),
    (["model"], 3, "$.model must be a text, not 3"),
    (["input"], 3, "$.input must be a text or a list, not 3"),
    (
        ["input", 0, "role"],
        "usr",
        '$.input[0].role must be one of user, assistant, system, developer, not "usr"',
    ),
    (["input", 0, "text"], "x", "$.input[0].text is not known here"),
    (["input", 1, "content", 2, "text"], None, "$.input[1].content[2].text must be a text, not null"),
    (["input", 1, "content", 0, "type"], "file", '$.input[1].content[0].type "file" is not known here'),
    (["input", 3, "arguments"], {}, "$.input[3].arguments must be a text, not an object"),
    (["input", 4], {"type": "function_call_output", "call_id": "c"}, "$.input[4] output is missing"),
    (["max_output_tokens"], 8, "$.max_output_tokens must be 16 or more, not 8"),
    (["max_output_tokens"], True, "$.max_output_tokens must be a whole number, not true"),
    (["temperature"], 3, "$.temperature must be 2 or less, not 3"),
    (["reasoning", "effort"], "huge", "$.reasoning.effort must be one of none, minimal"),
    (["text", "format"], {"type": "json_schema", "name": "n"}, "$.text.format schema is missing"),
    (["tools", 0, "name"], 3, "$.tools[0].name must be a text, not 3"),
    (["tools", 2], {"name": "x"}, "$.tools[2] type is missing"),
    (["metadata", "a"], 3, "$.metadata.a must be a text, not 3"),
    (["include"], ["all"], "$.include[0] must be one of"),
    (["stream"], "yes", '$.stream must be true or false, not "yes"'),
]


@pytest.mark.parametrize(("path", "value", "words"), BROKEN, ids=[words[:30] for _, _, words in BROKEN])
def test_what_is_wrong_is_said(path: list[Any], value: Any, words: str) -> None:
    body = with_change(path, value)
    (line,) = found(body)
    assert line.partition(": ")[2].startswith(words)


def test_the_place_is_that_in_the_text() -> None:
    text = '{\n  "model": "é",\n  "input": [\n    {"role": "usr", "content": "x"}\n  ],\n  "sotre": true\n}'
    assert [(one.line, one.column) for one in check_body(text.encode())] == [(4, 14), (6, 3)]
    lines = text.split("\n")
    assert lines[3][13:].startswith('"usr"')
    assert lines[5][2:].startswith('"sotre"')
    assert [str(one) for one in check_body(b"{}")] == [
        "line 1, column 1: $ model is missing",
        "line 1, column 1: $ input is missing",
    ]


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b'{"model": "x",\n "input": ]', "line 2, column 11: this is no JSON: expecting value"),
        (b"", "line 1, column 1: this is no JSON: expecting value"),
        (b"[1]", "line 1, column 1: the body must be a JSON object"),
        (b'{"a":\n"\xff"}', "line 2, column 2: this is no UTF-8 text"),
        (b'{"temperature": NaN}', "line 1, column 1: this is no JSON: NaN is no JSON value"),
        (b"[" * 100_000, "line 1, column 1: this is no JSON: nested too deep"),
    ],
)
def test_what_is_no_json_is_said(body: bytes, words: str) -> None:
    (one,) = check_body(body)
    assert str(one) == words
    assert one.syntax


def test_what_the_server_sent_may_go_back() -> None:
    answer = answer_object(created({"model": "m"}))
    assert answer is not None
    assert found({"model": "m", "input": [{"role": "user", "content": "x"}, *answer["output"]]}) == []


def test_findings_are_bounded() -> None:
    assert len(found({"model": "m", "input": [{"role": "x", "content": ""}] * 500})) == 20


def test_every_parameter_and_item_type_that_is_published_is_known() -> None:
    assert set(CREATE_RESPONSE["members"]) >= {*GOOD, *SDK_PARAMETERS}
    published = schemas()
    if published is None:  # they lie beside the checkout, not in it
        return

    def members(name: str) -> set[str]:
        node = published[name]
        names: set[str] = set()
        for part in node.get("allOf", [node]):
            names |= (
                members(part["$ref"].rpartition("/")[2])
                if "$ref" in part
                else set(part.get("properties", {}))
            )
        return names

    assert members("CreateResponse") == set(CREATE_RESPONSE["members"])

    def kinds(name: str) -> set[str]:
        rows: set[str] = set()
        for part in published[name]["anyOf"]:
            node = published[part["$ref"].rpartition("/")[2]]
            rows |= (
                kinds(part["$ref"].rpartition("/")[2])
                if "type" not in node.get("properties", {})
                else set(node["properties"]["type"].get("enum", []))
            )
        return rows

    items = CREATE_RESPONSE["members"]["input"]["items"]["cases"]
    assert kinds("Item") <= set(items) | {"compaction_summary"}
    assert kinds("Tool") <= set(CREATE_RESPONSE["members"]["tools"]["items"]["cases"])
