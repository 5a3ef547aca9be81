"""The strict rules, mending, and the short form."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from jsonschema.validators import Draft202012Validator

from tui.core.errors import InputError
from tui.core.structured.mending import mend_schema
from tui.core.structured.output_format import (
    JSON_MODE,
    format_name,
    format_problems,
    format_value,
    read_format,
    schema_of,
    why_not_sendable,
)
from tui.core.structured.short_form import expand
from tui.core.structured.strict import KEYWORDS, Problem, check_schema


def strict(**properties: Any) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }


def told(schema: object) -> list[str]:
    return [str(problem) for problem in check_schema(schema)]


def test_a_strict_schema_has_no_problem_and_is_mended_into_itself() -> None:
    schema = strict(
        name={"type": "string", "description": "whose", "pattern": "^[A-Z]"},
        age={"type": ["integer", "null"], "minimum": 0},
        kind={"enum": ["a", "b"], "type": "string"},
        inner=strict(at={"type": "string", "format": "date-time"}),
        many={"type": "array", "items": {"$ref": "#/$defs/one"}, "maxItems": 3},
        either={"anyOf": [{"type": "number"}, {"$ref": "#"}]},
    ) | {
        "$defs": {"one": strict(x={"type": "boolean"})},
        "$schema": "https://json-schema.org/draft/2020-12/schema",
    }
    assert told(schema) == []
    assert mend_schema(schema) == schema


@pytest.mark.parametrize(
    ("schema", "problem"),
    [
        ([], "$: a schema is a JSON object"),
        ({"type": "array", "items": {"type": "string"}}, "$: the root must have the type object"),
        ({**strict(), "anyOf": [strict()]}, "$.anyOf: the root must be one object, not a choice"),
        (
            {**strict(a={"type": "string"}), "required": []},
            "$.properties.a: is not in required; every property must be",
        ),
        ({**strict(), "required": ["b"]}, "$.required: b is no property"),
        (
            {"type": "object", "properties": {}, "required": []},
            "$: additionalProperties must be false, and is missing",
        ),
        (
            {**strict(), "additionalProperties": True},
            "$.additionalProperties: additionalProperties must be false",
        ),
        (
            strict(a={"type": "string", "default": "x"}),
            "$.properties.a.default: the keyword default is not supported",
        ),
        (
            strict(a={"type": "array", "items": {"type": "string", "format": "uri"}}),
            "$.properties.a.items.format: the format uri is not supported",
        ),
        (strict(a={}), "$.properties.a: type is missing"),
        (strict(a={"type": "array"}), "$.properties.a: an array needs items"),
        (strict(a={"type": "date"}), "$.properties.a.type: type cannot have this value"),
        (strict(a={"$ref": "#/$defs/no"}), "$.properties.a['$ref']: points at nothing in this schema"),
        (
            strict(a={"$ref": "#", "description": "x"}),
            "$.properties.a: nothing may stand beside $ref: description",
        ),
        (
            strict(**{"odd name": {"oneOf": [{"type": "string"}], "type": "string"}}),
            "$.properties['odd name'].oneOf: the keyword oneOf is not supported",
        ),
    ],
)
def test_the_offending_path_is_told_and_mending_helps(schema: Any, problem: str) -> None:
    assert problem in told(schema)
    assert told(mend_schema(schema)) == []


def test_limits_are_told_and_cannot_be_mended() -> None:
    wide = strict(**{f"p{n}": {"type": "string"} for n in range(5001)})
    assert told(wide) == ["$: 5,001 properties; 5,000 are allowed"]
    deep: dict[str, Any] = {"type": "string"}
    for _ in range(11):
        deep = strict(a=deep)
    assert [problem.text for problem in check_schema(deep)] == ["nested deeper than 10 levels"]
    many = strict(a={"type": "integer", "enum": list(range(1001))})
    assert told(many) == ["$: 1,001 enum values; 1,000 are allowed"]
    assert not any(problem.mendable for problem in [*check_schema(wide), *check_schema(deep)])


def test_mending_keeps_what_was_meant() -> None:
    mended = mend_schema(
        {
            "type": "object",
            "properties": {
                "name": {"type": "string", "default": "x"},
                "age": {"type": "integer"},
                "kind": {"enum": ["a", "b"]},
                "ref": {"$ref": "#/$defs/d"},
                "both": {"allOf": [{"properties": {"x": {"type": "string"}}}, {"required": ["x"]}]},
            },
            "required": ["name", "both"],
            "$defs": {"d": {"oneOf": [{"type": "string"}, {"type": "number"}]}},
        }
    )
    properties = mended["properties"]
    assert properties["name"] == {"type": "string"}
    assert properties["age"] == {"type": ["integer", "null"]}
    assert properties["kind"] == {"enum": ["a", "b", None], "type": ["string", "null"]}
    assert properties["ref"] == {"anyOf": [{"$ref": "#/$defs/d"}, {"type": "null"}]}
    assert properties["both"] == strict(x={"type": "string"})
    assert mended["$defs"]["d"] == {"anyOf": [{"type": "string"}, {"type": "number"}]}
    # What is no object is put into one, with its references.
    wrapped = mend_schema(
        {"type": "array", "items": {"$ref": "#/$defs/x"}, "$defs": {"x": {"type": "string"}}}
    )
    Draft202012Validator(wrapped).validate({"value": ["a"]})
    assert not Draft202012Validator(wrapped).is_valid({"value": [1]})


words = st.sampled_from(
    [*KEYWORDS, "oneOf", "allOf", "not", "if", "default", "prefixItems", "uniqueItems", "a", "b", "$id"]
)
references = st.sampled_from(["#", "#/$defs/a", "#/properties/a", "#/allOf/0", "#/items", "x", "#/no"])
scalars = st.one_of(st.none(), st.booleans(), st.integers(-3, 3), st.text(max_size=3), references)
kinds = st.sampled_from(["string", "object", "array", "integer", "null", "any", ["string", "null"], []])
anything = st.recursive(
    st.one_of(scalars, kinds),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.dictionaries(words, inner, max_size=4),
        st.fixed_dictionaries(
            {"type": st.just("object"), "properties": st.dictionaries(words, inner, max_size=3)}
        ),
    ),
    max_leaves=12,
)


@settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(anything)
def test_any_schema_that_is_mended_passes(schema: object) -> None:
    mended = mend_schema(schema)
    assert [problem for problem in check_schema(mended) if problem.mendable] == []
    assert mend_schema(mended) == mended
    Draft202012Validator.check_schema(json.loads(json.dumps(mended)))


def test_the_short_form_expands() -> None:
    schema = expand(
        'name "who it is", age int?, tags: list of string\nkind a|b, to {street, zip int}, on: date'
    )
    assert schema == strict(
        name={"type": "string", "description": "who it is"},
        age={"type": ["integer", "null"]},
        tags={"type": "array", "items": {"type": "string"}},
        kind={"type": "string", "enum": ["a", "b"]},
        to=strict(street={"type": "string"}, zip={"type": "integer"}),
        on={"type": "string", "format": "date"},
    )
    assert expand("rows: list of {a, b num}")["properties"]["rows"]["items"] == strict(
        a={"type": "string"}, b={"type": "number"}
    )
    assert check_schema(schema) == []


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "needs a field"),
        ("a wrong", "has no type wrong"),
        ("a, a", "twice"),
        ("a {b", "brace is not closed"),
        ('a "b', "quote is not closed"),
        ("a int int", "a comma was expected"),
        ("{a}", "name of a field was expected"),
        ("a x|", "another value was expected"),
    ],
)
def test_a_short_form_that_is_none_says_where(text: str, sentence: str) -> None:
    with pytest.raises(InputError, match=sentence):
        expand(text)


def test_a_format_is_read_from_each_of_its_forms() -> None:
    short = read_format("name, age int", "my person!")
    assert format_name(short) == "my_person"
    assert format_value(short)["strict"] is True
    assert schema_of(short) == expand("name, age int")
    assert read_format(json.dumps(expand("name, age int")), "my person!") == short
    whole = read_format(
        '{"type": "json_schema", "name": "n", "strict": false, "schema": {"type": "array"}}', "x"
    )
    assert (format_name(whole), format_problems(whole)) == ("n", [])
    assert read_format('{"type": "json_object"}', "x") == JSON_MODE
    with pytest.raises(InputError, match="no JSON"):
        read_format("{", "x")


def test_what_must_not_be_sent_is_said() -> None:
    assert "must say JSON" in str(why_not_sendable(JSON_MODE, "a list of cities", ""))
    assert why_not_sendable(JSON_MODE, "as Json please", "") is None
    assert why_not_sendable(JSON_MODE, "cities", "Answer in JSON.") is None
    loose = read_format('{"type": "object", "properties": {"a": {"type": "string"}}}', "loose")
    said = str(why_not_sendable(loose, "x", ""))
    assert "$: additionalProperties" in said and "1 more" in said
    assert why_not_sendable("", "x", "") is None
    assert str(Problem(("a", 0), "b")) == "$.a[0]: b"
