"""Random markdown, cut at random places, at random widths: the stream's end, the frame, the words."""

from __future__ import annotations

import re
from itertools import count, pairwise

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from rich.cells import cell_len
from rich.style import Style

from tui.core.text import visible
from tui.widgets.transcript.block import Block, BlockKind
from tui.widgets.transcript.palette import COMPONENTS, Palette
from tui.widgets.transcript.piece import Paper
from tui.widgets.transcript.rows import Row
from tui.widgets.transcript.view import View

PALETTE = Palette(
    **{name.removeprefix("pane--").replace("-", "_"): Style(bgcolor="#101010") for name in COMPONENTS}
)
MARK = "\0"
"""Where a word goes; each is replaced by one that occurs nowhere else."""

WIDE = st.sampled_from(
    [
        "日本語の文", "한국어", "ﾊﾝｶｸ", "👩‍👩‍👧‍👦", "🇩🇪🇫🇷", "🇩", "👍🏽", "❤️", "❤", "1️⃣", "🏴‍☠️",
        "e\u0301o\u0308", "Z͑ͫ̓a̴l", "שלום עולם", "مرحبا", "a\u200bb", "a\u00adb", "\u200f",
        "\u202eevil", "&#x202e;", "&#27;", "नमस्ते", "ไทย", "각", "\u1100\u1161", "﷽",
        "\U0001f3fd", "\ufe0f", "\u200d", "｡", "\u3000",
    ]
)  # fmt: skip
PLAIN = st.sampled_from([MARK, MARK, f"{MARK} {MARK} {MARK}", f"{MARK}, {MARK}.", f"{MARK} " * 9])


def _around(before: str, after: str) -> st.SearchStrategy[str]:
    return st.one_of(PLAIN, WIDE).map(lambda text: f"{before}{text.strip()}{after}")


INLINE = st.one_of(
    PLAIN,
    PLAIN,
    WIDE,
    _around("**", "**"),
    _around("*", "*"),
    _around("_", "_"),
    _around("~~", "~~"),
    _around("`", "`"),
    _around("**", ""),
    _around("`", ""),
    _around("[", "](https://example.com/a_b)"),
    _around("[", "][ref]"),
    _around("![", "](https://example.com/p.png)"),
    _around("[**", "** `x`](https://example.com)"),
    _around("$", "_1 * x_2$"),
    _around("$$ ", " $$"),
    _around("\\(", " * \\)"),
    _around("\\[", "_a_ \\]"),
    _around("<b>", "</b>"),
    _around("", "[^1]"),
    _around("", "[^nowhere]"),
    _around("", "\\"),
    st.sampled_from(
        ["<https://example.com/x>", "https://example.com/y_(z).", "&amp; &lt;i&gt;", "\\*", "<br>"]
    ),
    st.sampled_from(["$5 and $10", "  \n", "\\\n", "\n", "[ref]", "a\tb", "**", "x```"]),
)
LINE = st.lists(INLINE, min_size=1, max_size=5).map(" ".join)
WORD = st.one_of(PLAIN, WIDE)
CODE = st.lists(
    st.one_of(
        WORD, st.sampled_from(["\tdef f(x): return 'a'", "", '"""', "x = 1  # " + MARK + " " * 90 + MARK])
    ),
    max_size=5,
).map("\n".join)


@st.composite
def tables(draw: st.DrawFn) -> str:
    columns = draw(st.sampled_from([1, 2, 3, 5, 12]))
    cell = st.one_of(PLAIN, WIDE, _around("**", "**"), _around("`", "`"), st.just("a \\| b<br>c"))
    rules = draw(st.lists(st.sampled_from(["-", ":-", "-:", ":-:"]), min_size=columns, max_size=columns))
    rows = [draw(st.lists(cell, min_size=columns, max_size=columns)) for _ in range(draw(st.integers(1, 4)))]
    lines = ["| " + " | ".join(row) + " |" for row in rows]
    return "\n".join([lines[0], "|" + "|".join(rules) + "|", *lines[1:]])


BASE = st.one_of(
    LINE,
    LINE,
    st.builds(lambda level, text: "#" * level + " " + text.replace("\n", " "), st.integers(1, 6), LINE),
    LINE.map(lambda text: text.replace("\n", " ") + "\n==="),
    st.builds(
        lambda mark, info, code, end: f"{mark}{info}\n{code}\n{mark if end else ''}",
        st.sampled_from(["```", "~~~~"]),
        st.sampled_from(["", "python", "nolanguage", "c++ title=x", "&#x202e;"]),
        CODE,
        st.booleans(),
    ),
    tables(),
    WORD.map(lambda text: f"    {text}\n    {text}" if MARK not in text else f"    {MARK}"),
    WORD.map(lambda text: f"$$\n{text} * a_1\n- {text.replace(MARK, 'b')}\n$$"),
    WORD.map(lambda text: f"\\[ {text}\n= x"),
    WORD.map(lambda text: f"<div>\n{text}\n</div>"),
    st.just("---"),
    st.just("[ref]: https://example.com/ref"),
    LINE.map(lambda text: f"[^1]: {text}\n    {MARK}\n\n    {MARK}"),
)


def _hang(marker: str, text: str) -> str:
    lines = text.split("\n")
    return "\n".join([marker + lines[0], *(" " * len(marker) + line if line else "" for line in lines[1:])])


def _lists(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    markers = st.sampled_from(["- ", "* ", "1. ", "2) ", "99999. ", "- [ ] ", "- [x] ", "10. [x] "])
    return st.builds(
        lambda marker, items, gap: gap.join(_hang(marker, item) for item in items),
        markers,
        st.lists(inner, min_size=1, max_size=3),
        st.sampled_from(["\n", "\n\n"]),
    )


def _quotes(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    return inner.map(lambda text: "\n".join("> " + line for line in text.split("\n")))


BLOCK = st.recursive(BASE, lambda inner: st.one_of(_lists(inner), _quotes(inner)), max_leaves=6)


def _name(text: str) -> str:
    numbers = count(1)
    return re.sub(MARK, lambda _: f"w{next(numbers):03}", text)


DOCUMENT = st.builds(
    lambda blocks, gap: _name(gap.join(blocks)),
    st.lists(BLOCK, max_size=6),
    st.sampled_from(["\n\n", "\n\n", "\n"]),
)
CUTS = st.lists(st.integers(0, 2000), max_size=10)
WIDTHS = st.one_of(st.integers(16, 40), st.sampled_from([60, 80, 120]))


def paper(width: int) -> Paper:
    return Paper(width, width - 1, PALETTE)


def rows(view: View, on: Paper) -> list[Row]:
    view.ensure(on)
    return [row for index in range(len(view.pieces)) for row in view.rows(index, on)]


def fresh(text: str, on: Paper) -> list[Row]:
    view = View(Block("b", BlockKind.ASSISTANT, text), 1)
    view.guess(on)
    return rows(view, on)


def looks(drawn: list[Row]) -> list[object]:
    return [(row.text, row.skip, row.end, row.join, row.segments) for row in drawn]


def check_frame(drawn: list[Row], width: int) -> None:
    for row in drawn:
        assert sum(cell_len(segment.text) for segment in row.segments) == width, repr(row)
        assert cell_len(row.text) == width, repr(row)
        assert visible(row.text) == row.text and not set(row.text) & {"\n", "\t"}, repr(row)


def words(drawn: list[Row]) -> set[str]:
    """The words of a drawing; one that is cut between two rows is one word."""
    text = ""
    for row in drawn:
        text += row.join + row.copyable
    return set(re.findall(r"w\d{3}", text)) | set(re.findall(r"w\d{3}", re.sub(r"\s", "", text)))


@settings(max_examples=250, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(DOCUMENT, CUTS, WIDTHS)
def test_a_stream_ends_as_a_fresh_render_fits_the_frame_and_keeps_every_word(
    text: str, cuts: list[int], width: int
) -> None:
    on = paper(width)
    view = View(Block("b", BlockKind.ASSISTANT, ""), 1)
    view.guess(on)
    places = sorted({0, len(text), *(cut % (len(text) + 1) for cut in cuts)})
    for start, end in pairwise(places):
        view.feed(text[start:end], on)
        check_frame(rows(view, on), width)
    view.close(None, on)
    drawn = fresh(text, on)
    assert looks(rows(view, on)) == looks(drawn)
    check_frame(drawn, width)
    assert set(re.findall(r"w\d{3}", text)) - words(drawn) == set()
