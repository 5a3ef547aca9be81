"""Controls: what is sent, what is refused, and what comes back from the history."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tui.config.settings import load_catalogue
from tui.core.controls import SERVICE_TIERS, SUMMARIES, VERBOSITIES, Controls

CATALOGUE = load_catalogue(Path("/nowhere"))
TEXTS = st.none() | st.text(min_size=1, max_size=8)
ANY = st.builds(
    Controls,
    effort=TEXTS,
    verbosity=TEXTS | st.sampled_from(VERBOSITIES),
    max_output_tokens=st.none() | st.integers(1, 10**7),
    service_tier=TEXTS | st.sampled_from(SERVICE_TIERS),
    summary=TEXTS | st.sampled_from(SUMMARIES),
    temperature=st.none() | st.floats(0, 2),
    top_p=st.none() | st.floats(0, 1),
    stop=st.lists(st.text(min_size=1, max_size=5), max_size=4).map(tuple),
    instructions_name=st.text(max_size=5),
)


@given(ANY)
def test_json_gives_back_the_same(controls: Controls) -> None:
    assert Controls.from_json(controls.as_json()) == controls


@given(ANY, st.sampled_from([None, *CATALOGUE.models]))
def test_what_was_checked_needs_no_second_check(controls: Controls, model) -> None:
    checked, said = controls.checked(model)
    assert checked.checked(model) == (checked, [])
    assert bool(said) == (checked != controls)


@given(ANY, ANY)
def test_a_change_holds_only_what_is_new(before: Controls, after: Controls) -> None:
    change = after.changed_from(before).as_json()
    assert change.items() <= after.as_json().items()
    assert not change.items() & before.as_json().items()
    assert after.changed_from(after) == Controls()


@pytest.mark.parametrize("model", CATALOGUE.models, ids=lambda model: model.id)
def test_each_model_takes_its_own_efforts_and_no_other(model) -> None:
    taken = [
        effort
        for effort in ("none", "minimal", "low", "medium", "high", "xhigh", "max")
        if Controls(effort=effort).checked(model)[0].effort is not None
    ]
    assert taken == list(model.effort_values)


def test_a_model_nobody_knows_gets_the_effort_that_is_chosen() -> None:
    assert Controls(effort="extreme").checked(None) == (Controls(effort="extreme"), [])


def test_a_limit_above_the_model_s_own_becomes_it() -> None:
    model = CATALOGUE.model("openai.gpt-5.4")
    assert model is not None and model.max_output is not None
    checked, said = Controls(max_output_tokens=model.max_output + 1).checked(model)
    assert checked.max_output_tokens == model.max_output
    assert len(said) == 1


@pytest.mark.parametrize(
    ("controls", "model", "place", "kept", "words"),
    [
        # GPT takes sampling with effort none only (bedrock-facts.md 2), gpt-oss always.
        (Controls(temperature=0.5), "openai.gpt-5.4", ("responses", "mantle"), True, ""),
        (
            Controls(temperature=0.5, effort="low"),
            "openai.gpt-5.4",
            ("responses", "mantle"),
            False,
            "none only",
        ),
        (Controls(top_p=0.5), "openai.gpt-5.5", ("responses", "mantle"), False, "GPT-5.5 takes top_p with"),
        (Controls(top_p=0.5), "openai.gpt-6-astra", ("responses", "mantle"), False, "top_p never"),
        (Controls(temperature=1), "openai.gpt-oss-20b", ("chat_completions", "runtime"), True, ""),
        (Controls(stop=("END",)), "openai.gpt-oss-20b", ("converse", "runtime"), True, ""),
        # What the API has no word for.
        (Controls(stop=("END",)), "openai.gpt-oss-20b", ("responses", "mantle"), False, "takes no stop seq"),
        (
            Controls(verbosity="low"),
            "openai.gpt-oss-20b",
            ("converse", "runtime"),
            False,
            "Converse takes no",
        ),
        (
            Controls(cache_key="k"),
            "openai.gpt-oss-20b",
            ("invoke_model", "runtime"),
            False,
            "no cache controls",
        ),
        # What nobody takes.
        (Controls(temperature=2.5), "openai.gpt-oss-20b", ("converse", "runtime"), False, "from 0 to 2"),
        (Controls(top_p=float("nan")), "openai.gpt-oss-20b", ("converse", "runtime"), False, "from 0 to 1"),
        (Controls(stop=("a",) * 5), "openai.gpt-oss-20b", ("converse", "runtime"), False, "4 stop sequences"),
    ],
)
def test_sampling_and_what_an_api_does_not_take_is_left_out_and_said(
    controls: Controls, model: str, place: tuple[str, str], kept: bool, words: str
) -> None:
    checked, said = controls.checked(CATALOGUE.model(model), CATALOGUE.rules(*place))
    assert (checked == controls) is kept
    assert words in " ".join(said)
    assert bool(said) is not kept
    assert Controls.from_json(json.loads(json.dumps(controls.as_json()))) == controls or controls.top_p
