from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tui.core.compaction import (
    SCHEMA,
    Summary,
    Unstored,
    compact_threshold,
    parse_summary,
    share_to_offer,
    summary_prompt,
    summary_request_options,
    summary_turn,
)
from tui.core.continuation import Options, Stateful, Stateless
from tui.core.conversation import Conversation
from tui.core.errors import InputError
from tui.core.items import Outcome, Target, Turn, Usage, user_message

HERE = Target("openai.gpt-5.4", "us-west-2", "mantle", "https://example.test/openai/v1")
texts = st.text(st.characters(exclude_categories=["Cs"]), min_size=1).map(str.strip).filter(bool)


@given(st.lists(texts), st.lists(texts), texts)
def test_a_summary_survives_being_shown_and_read_back(facts: Any, rules: Any, action: str) -> None:
    summary = Summary(tuple(facts), tuple(rules), action)
    assert parse_summary(summary.text) == summary


def test_the_schema_is_strict() -> None:
    assert SCHEMA["additionalProperties"] is False
    assert set(SCHEMA["required"]) == set(SCHEMA["properties"]) == set(Summary((), (), "x").as_json())


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{", "no valid JSON at line 1"),
        ("[]", "must be a JSON object"),
        ('{"durable_facts": [], "policy_constraints": []}', "next_action"),
        (
            '{"durable_facts": "x", "policy_constraints": [], "next_action": ""}',
            "durable_facts must be a list",
        ),
        (
            '{"durable_facts": [1], "policy_constraints": [], "next_action": ""}',
            "durable_facts must be a list",
        ),
        ('{"durable_facts": [" "], "policy_constraints": [], "next_action": " "}', "says nothing"),
        ('{"facts": [], "next_action": "x"}', "no field 'facts'"),
    ],
)
def test_what_is_wrong_with_an_edited_summary_is_said(text: str, said: str) -> None:
    with pytest.raises(InputError, match=said):
        parse_summary(text)


def test_the_request_for_it_keeps_the_options_but_for_format_tools_and_compaction() -> None:
    extra = {"service_tier": "auto", "tools": [{"type": "function"}], "context_management": [{}]}
    options = summary_request_options(Options(HERE, 100, effort="low", verbosity="high", extra=extra))
    request = Unstored(Stateful()).plan(_talk(), [summary_prompt()], options)
    assert request.store is False
    assert request.previous_response_id == "resp_2"
    assert request.params["text"]["format"]["schema"] == SCHEMA
    assert request.params["reasoning"] == {"effort": "low"}
    assert request.params["tool_choice"] == "none"
    assert request.params["service_tier"] == "auto"
    assert "context_management" not in request.params


def test_after_it_neither_mode_sends_what_came_before() -> None:
    summary = Summary(("fact",), (), "go on")
    branch = _talk().at(None).append(summary_turn("s", summary, 2, 1.0))
    for continuation in (Stateful(), Stateless()):
        request = continuation.plan(branch, [user_message("next")], Options(HERE, 100))
        assert request.items == (summary.as_item(), user_message("next"))
        assert request.previous_response_id is None
    assert branch.at("t2").path() == _talk().path()


def test_the_offer_depends_on_share_window_and_usage() -> None:
    full = _talk(Usage(input_tokens=700, output_tokens=200))
    assert share_to_offer(full, 1000, 0.8) == 0.9
    assert share_to_offer(full, 1000, 0.9) == 0.9
    assert share_to_offer(full, 1000, 0.91) is None
    assert share_to_offer(full, 1000, 0) is None
    assert share_to_offer(full, None, 0.8) is None
    assert share_to_offer(_talk(), 1000, 0.8) is None
    # A last turn without usage (a cut stream) does not hide what the one before it said.
    cut = Turn("t3", "t2", (user_message("?"),), 0.0, outcome=Outcome.FAILED)
    assert share_to_offer(full.append(cut), 1000, 0.8) == 0.9
    branch = full.at(None).append(summary_turn("s", Summary(("f",), (), ""), 2, 1.0))
    assert share_to_offer(branch, 1000, 0.8) is None


def test_the_servers_threshold_follows_the_share() -> None:
    assert compact_threshold(1000, 0.8) == 800
    assert compact_threshold(1000, 0.0) is None
    assert compact_threshold(None, 0.8) is None


def _talk(usage: Usage | None = None) -> Conversation:
    turn = Turn(
        "t1", None, (user_message("one"),), 0.0, outcome=Outcome.COMPLETED, target=HERE, response_id="resp_1",
        stored=True,
    )  # fmt: skip
    second = replace(turn, id="t2", parent_id="t1", input=(user_message("two"),), response_id="resp_2")
    return Conversation("c", 0.0).append(turn).append(replace(second, usage=usage))
