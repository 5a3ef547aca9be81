"""What the sandbox gives for a schema is valid under it; what is no strict schema is refused, with where."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema.validators import Draft202012Validator
from support.sandbox_api import Api

from tui.sandbox import schema as made
from tui.sandbox import strict
from tui.sandbox.errors import ApiError

bounds = st.integers(-50, 50)
PATTERNS = [r"^[A-Z]{2}-\d{4}$", r"^(?:a|b)+c?$", r"^\w+@\w+\.(com|org)$", r"^[^x]{3,}$", r"#[0-9a-f]{6}"]


@st.composite
def numbers(draw: Any) -> dict[str, Any]:
    low = draw(bounds)
    schema: dict[str, Any] = {"type": draw(st.sampled_from(["integer", "number"]))}
    schema[draw(st.sampled_from(["minimum", "exclusiveMinimum"]))] = low
    schema[draw(st.sampled_from(["maximum", "exclusiveMaximum"]))] = low + 40
    if draw(st.booleans()):
        schema["multipleOf"] = draw(st.integers(1, 12))
    return schema


leaves = st.one_of(
    numbers(),
    st.sampled_from(PATTERNS).map(lambda pattern: {"type": "string", "pattern": pattern}),
    st.sampled_from(["date", "date-time", "time", "email", "ipv4", "ipv6", "uuid", "hostname"]).map(
        lambda name: {"type": "string", "format": name}
    ),
    st.integers(0, 30).map(lambda size: {"type": "string", "minLength": size, "maxLength": size + 3}),
    st.lists(st.text(max_size=3), min_size=1, unique=True).map(lambda some: {"type": "string", "enum": some}),
    st.sampled_from(
        [{"type": "boolean"}, {"type": "null"}, {"type": ["null", "integer"]}, {"$ref": "#/$defs/n"}]
    ),
    st.just({"anyOf": [{"$ref": "#"}, {"type": "null"}]}),
)


def objects(properties: dict[str, Any]) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }


schemas = st.recursive(
    leaves,
    lambda inner: st.one_of(
        st.dictionaries(st.text(max_size=4), inner, max_size=3).map(objects),
        st.tuples(inner, st.integers(0, 3)).map(
            lambda pair: {"type": "array", "items": pair[0], "minItems": pair[1], "maxItems": pair[1] + 1}
        ),
        st.lists(inner, min_size=1, max_size=2).map(lambda some: {"anyOf": some}),
    ),
    max_leaves=5,
)


@settings(max_examples=200, deadline=None)
@given(
    st.dictionaries(st.text(min_size=1, max_size=4), schemas, max_size=3),
    st.sampled_from(["", "Order 17", "-4"]),
)
def test_an_example_is_valid_under_its_schema(properties: dict[str, Any], prompt: str) -> None:
    schema = {**objects(properties), "$defs": {"n": {"type": "number"}}}
    strict.check(schema)
    value = json.loads(json.dumps(made.example(schema, prompt)))
    Draft202012Validator(schema, format_checker=Draft202012Validator.FORMAT_CHECKER).validate(value)


@pytest.mark.parametrize(
    ("schema", "said"),
    [
        ({"type": "array", "items": {"type": "string"}}, "must be a JSON Schema of"),
        (
            objects({"a": {"type": "string", "default": "x"}}),
            "('properties', 'a'), 'default' is not permitted",
        ),
        (objects({"a": {}}), "must have a 'type' key"),
        (objects({"a": {"$ref": "#/$defs/x"}}), "reference can only point"),
        (objects({"a": {"type": "array"}}), "array schema missing items"),
        ({**objects({"a": {"type": "string"}}), "required": []}, "including every key"),
        ({**objects({}), "additionalProperties": True}, "to be false"),
        (objects({"a": {"type": "string", "format": "uri"}}), "not a valid format"),
    ],
)
def test_a_schema_that_is_not_strict_is_refused(schema: dict[str, Any], said: str) -> None:
    with pytest.raises(ApiError, match=re.escape(said)):
        strict.check(schema)


def test_a_fault_answers_with_any_text(api: Api) -> None:
    form = {"type": "json_schema", "name": "n", "strict": True, "schema": objects({"a": {"type": "integer"}})}
    api.server.fault({"answer": '{"a": "no"}'})
    answer = api.create("x", model="openai.gpt-5.4", text={"format": form})
    assert answer["output"][-1]["content"][0]["text"] == '{"a": "no"}'
    again = api.create("x", model="openai.gpt-5.4", text={"format": form})
    assert isinstance(json.loads(again["output"][-1]["content"][0]["text"])["a"], int)
    bad = {**form, "name": "two words"}
    assert (
        api.refused(400, model="openai.gpt-5.4", input="x", text={"format": bad})["param"]
        == "text.format.name"
    )
