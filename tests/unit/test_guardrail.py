"""Guardrails: what each API is asked for, and what one did in words."""

from __future__ import annotations

import pytest

from tui.core.guardrail import Guardrail, guardrail_report, guardrail_words

_POLICIES = {
    "topicPolicy": {"topics": [{"name": "Investment advice", "type": "DENY", "action": "BLOCKED"}]},
    "sensitiveInformationPolicy": {
        "piiEntities": [{"type": "EMAIL", "match": "ann@example.org", "action": "ANONYMIZED"}]
    },
}

_SEEN = {"contentPolicy": {"filters": [{"type": "INSULTS", "confidence": "LOW", "action": "NONE"}]}}


def test_each_api_is_asked_in_its_own_form() -> None:
    """Headers and tags for the OpenAI shapes, one object for Converse; no trace is asked for unless it is."""
    plain = Guardrail("gr1")
    assert plain.headers("invoke_model") == {
        "X-Amzn-Bedrock-GuardrailIdentifier": "gr1",
        "X-Amzn-Bedrock-GuardrailVersion": "DRAFT",
    }
    assert plain.body() == {}
    full = Guardrail("gr1", "2", "full", "xyz")
    assert full.headers("chat_completions")["X-Amzn-Bedrock-Trace"] == "ENABLED_FULL"
    assert full.body() == {"amazon-bedrock-guardrailConfig": {"tagSuffix": "xyz"}}
    assert full.headers("converse") == full.headers("responses") == {}
    assert full.converse() == {
        "guardrailIdentifier": "gr1", "guardrailVersion": "2", "trace": "enabled_full",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("parts", "words"),
    [
        ([{"choices": []}], ""),
        ([{"amazon-bedrock-guardrailAction": "NONE"}], ""),
        ([{"amazon-bedrock-guardrailAction": "INTERVENED"}], "The guardrail intervened."),
        ([{"stopReason": "guardrail_intervened"}], "The guardrail intervened."),
        (
            [
                {"amazon-bedrock-guardrailAction": "INTERVENED"},
                {"amazon-bedrock-trace": {"guardrail": {"input": {"gr1": _POLICIES}}}},
            ],
            "The guardrail intervened. In the prompt, denied topic Investment advice: blocked; "
            "in the prompt, sensitive information EMAIL: masked.",
        ),
        (
            [
                {"stopReason": "end_turn"},
                {"trace": {"guardrail": {"outputAssessments": {"gr1": [_POLICIES]}}}},
            ],
            "The guardrail intervened. In the answer, denied topic Investment advice: blocked; "
            "in the answer, sensitive information EMAIL: masked.",
        ),
    ],
)
def test_what_a_guardrail_did_is_said_and_what_it_matched_is_not(
    parts: list[dict[str, object]], words: str
) -> None:
    said = guardrail_words(guardrail_report(*parts))
    assert said == words
    assert "ann@example.org" not in said


def test_a_report_of_another_shape_says_nothing() -> None:
    """What comes from the network is data of any shape."""
    assert guardrail_words(None) == ""
    assert guardrail_words({"action": 5, "trace": [{"action": []}]}) == ""
    assert guardrail_report({"trace": "x", "amazon-bedrock-trace": None, "stopReason": 3}) is None
