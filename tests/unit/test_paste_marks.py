"""Marks for long pastes: whatever is pasted comes out as it went in, in its place, once."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from tui.core.drafts import Draft
from tui.widgets.paste_marks import PasteMarks, sign_of

FIRST = chr(0x10F000)


def test_a_paste_is_one_character_and_expands_to_itself() -> None:
    marks = PasteMarks()
    one, two = marks.add("x" * 5000), marks.add("second\ntext")
    raw = f"see {one} and {two}."
    assert len(one) == len(two) == 1
    assert marks.expand(raw) == f"see {'x' * 5000} and second\ntext."
    draft = marks.draft(raw)
    assert [draft.text[a:b] for a, b in draft.pastes] == ["x" * 5000, "second\ntext"]
    assert marks.sign(raw) == "see ① and ②."
    assert marks.in_order(f"{two}{one}{two}") == [two, one]


def test_text_that_looks_like_a_mark_is_neither_lost_nor_taken_for_one() -> None:
    marks = PasteMarks()
    evil = f"chip: {FIRST} ① [paste 1] {chr(0x10F001)}"
    raw = marks.guard(evil) + marks.add(f"inside {FIRST} too")
    assert marks.expand(raw) == evil + f"inside {FIRST} too"
    # What was expanded is not expanded again.
    assert marks.expand(marks.guard(f"a{FIRST}b")) == f"a{FIRST}b"


plain = st.text(st.characters(codec="utf-8"), max_size=20)
tricky = st.text(st.sampled_from([FIRST, chr(0x10F001), chr(0x10FFFD), "a", "\n", "①"]), max_size=12)


@given(st.lists(st.tuples(st.booleans(), plain | tricky), max_size=8))
def test_any_prompt_survives_being_written_kept_and_loaded(parts: list[tuple[bool, str]]) -> None:
    marks = PasteMarks()
    raw = "".join(marks.add(text) if pasted else marks.guard(text) for pasted, text in parts)
    whole = "".join(text for _, text in parts)
    assert marks.expand(raw) == whole
    draft = marks.draft(raw)
    assert draft.text == whole
    again = PasteMarks()
    loaded = again.load(draft)
    assert again.draft(loaded) == draft
    joined = Draft.joined([draft, draft])
    other = PasteMarks()
    assert other.expand(other.load(joined)) == joined.text


def test_what_is_edited_keeps_the_pastes_that_still_stand_in_it() -> None:
    draft = Draft("a PASTE b PASTE c OTHER", ((2, 7), (10, 15), (18, 23)))
    assert draft.edited("PASTE and OTHER, PASTE") == Draft("PASTE and OTHER, PASTE", ((0, 5), (17, 22)))
    assert draft.edited("x") == Draft("x")


def test_signs_are_one_cell_and_there_is_no_end_of_pastes() -> None:
    assert {cell_len(sign_of(number)) for number in (1, 9, 20, 21, 4000)} == {1}
    marks = PasteMarks()
    for number in range(4094):
        assert len(marks.add(str(number))) == 1
    assert marks.expand(marks.add("one more")) == "one more"
