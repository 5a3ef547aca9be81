from __future__ import annotations

import copy

import pytest
from support.openai_schemas import SchemaMismatch, available, validate
from support.sandbox_api import MODEL, Api

pytestmark = pytest.mark.skipif(not available(), reason="the published schemas are not beside this checkout")


def test_real_objects_pass_and_broken_ones_do_not(api: Api) -> None:
    made = api.create("Hi")
    validate("Response", made)
    for path, value in (
        (("status",), "done"),
        (("output", 0, "role"), "user"),
        (("usage",), None),
        (("created_at",), "x"),
    ):
        broken = copy.deepcopy(made)
        at = broken
        for step in path[:-1]:
            at = at[step]
        at[path[-1]] = value
        with pytest.raises(SchemaMismatch):
            validate("Response", broken)


def test_events_are_dispatched_by_type() -> None:
    delta = {
        "type": "response.output_text.delta", "sequence_number": 4, "item_id": "msg_1", "output_index": 0,
        "content_index": 0, "delta": "x", "logprobs": [],
    }  # fmt: skip
    validate("ResponseStreamEvent", delta)
    for broken in (
        {**delta, "type": "response.nope"},
        {**delta, "delta": 3},
        {k: v for k, v in delta.items() if k != "item_id"},
    ):
        with pytest.raises(SchemaMismatch):
            validate("ResponseStreamEvent", broken)


def test_requests() -> None:
    validate("CreateResponse", {"model": MODEL, "input": [{"role": "user", "content": "x"}], "store": True})
    for broken in (
        {"input": 3},
        {"input": [{"type": "nope"}]},
        {"max_tokens": 4},
        {"reasoning": {"effort": "huge"}},
    ):
        with pytest.raises(SchemaMismatch):
            validate("CreateResponse", {"model": MODEL, **broken})


def test_a_name_that_is_no_schema_is_a_mistake_of_the_test() -> None:
    with pytest.raises(KeyError):
        validate("Nope", {})
