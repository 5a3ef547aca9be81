"""Reasoning between tags, in every form it comes in, cut at every place."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tui.core.apis.reasoning_tags import ReasoningTags

FORMS = {
    "around the whole": ("<reasoning>I think é\n</reasoning>It is 4.", "I think é\n", "It is 4."),
    "around each delta": (
        "<reasoning>I </reasoning><reasoning>think</reasoning><reasoning> so</reasoning>It is 4.",
        "I think so",
        "It is 4.",
    ),
    "inside one another": ("<reasoning>a<reasoning>b</reasoning>c</reasoning>Four.", "abc", "Four."),
    "each delta of a text with tags": (
        "<reasoning><reasoning></reasoning><reasoning>so</reasoning><reasoning></reasoning></reasoning>4",
        "so",
        "4",
    ),
    "in the answer": ("It is <reasoning>two and two</reasoning>4.", "two and two", "It is 4."),
    "never closed": ("<reasoning>Let me see, 1 < 2", "Let me see, 1 < 2", ""),
    "never closed in the answer": ("It is <reasoning>hm", "hm", "It is "),
    "opened twice, closed once": ("<reasoning>a<reasoning>b</reasoning>It is 4.", "ab", "It is 4."),
    "closed only": ("It is</reasoning> 4.", "", "It is 4."),
    "no tags": ("a < b, </b>, <reason>, <reasoning", "", "a < b, </b>, <reason>, <reasoning"),
    "spoken of": (
        "The tag `<reasoning>` and\n```xml\n<reasoning>x</reasoning>\n```\nend.",
        "",
        "The tag `<reasoning>` and\n```xml\n<reasoning>x</reasoning>\n```\nend.",
    ),
    "a cut tag in reasoning": ("<reasoning>a </reason b</reasoning>c", "a </reason b", "c"),
    "nothing": ("", "", ""),
}


def split(*pieces: str) -> tuple[str, str]:
    tags = ReasoningTags()
    given = [part for piece in pieces for part in tags.feed(piece)] + tags.finish()
    assert all(text for _, text in given)
    reasoning, answer = ("".join(text for kind, text in given if kind is wanted) for wanted in (True, False))
    if overlooked := tags.overlooked:
        assert reasoning.endswith(overlooked)
        return reasoning.removesuffix(overlooked), answer + overlooked
    return reasoning, answer


@pytest.mark.parametrize("name", FORMS)
def test_every_form_cut_anywhere_is_the_same(name: str) -> None:
    text, *wanted = FORMS[name]
    assert list(split(text)) == wanted
    assert list(split(*text)) == wanted
    for first in range(len(text) + 1):
        for second in range(first, len(text) + 1):
            assert list(split(text[:first], text[first:second], text[second:])) == wanted


@given(
    st.lists(
        st.sampled_from(["<reasoning>", "</reasoning>", "<", "/reasoning>", "a", " ", "\n", "`", "```"])
    ),
    st.lists(st.integers(0, 80)),
)
def test_where_it_is_cut_makes_no_difference(parts: list[str], cuts: list[int]) -> None:
    text = "".join(parts)
    places = [0, *sorted(min(cut, len(text)) for cut in cuts), len(text)]
    pieces = [text[a:b] for a, b in pairwise(places)]
    assert split(*pieces) == split(text)


def test_what_is_certain_is_not_held_back() -> None:
    tags = ReasoningTags()
    assert tags.feed("<reasoning>I think</rea") == [(True, "I think")]
    assert tags.feed("soning>It is <") == [(False, "It is ")]
    assert tags.feed("b") == [(False, "<b")]
