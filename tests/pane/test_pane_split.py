from __future__ import annotations

import random
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from markdown_it.token import Token
from rich.style import Style

from tui.core.text import visible
from tui.widgets.transcript.block import Block, BlockKind
from tui.widgets.transcript.palette import COMPONENTS, Palette
from tui.widgets.transcript.piece import Paper
from tui.widgets.transcript.split import Splitter, split_all
from tui.widgets.transcript.view import View

PALETTE = Palette(
    **{
        name.removeprefix("pane--").replace("-", "_"): Style(
            color=f"#{number:02x}{number:02x}40", bgcolor="#101010"
        )
        for number, name in enumerate(sorted(COMPONENTS))
    }
)
PAPER = Paper(60, 59, PALETTE)

LINES = st.sampled_from(
    [
        "",
        "",
        "",
        "plain words here",
        "# Heading",
        "#hash",
        "## Two",
        "===",
        "---",
        "- item",
        "- other item",
        "* star",
        "  continued",
        "    indented",
        "1. one",
        "2. two",
        "1) paren",
        "10. ten",
        "   - nested",
        "   more of it",
        "> quote",
        "> > deep",
        ">",
        "```",
        "```python",
        "~~~",
        "def f(x): return 'a'",
        "    ```",
        "| a | b |",
        "|---|:-:|",
        "| 1 | **2** |",
        "| 1 | 2 | 3 |",
        "a | b",
        "-|-",
        "<div>",
        "</div>",
        "text <b>x</b>",
        "<!-- c",
        "-->",
        "[ref]: https://example.com/a",
        "see [ref] and [text][ref]",
        "[^1]: a note",
        "[^1]: https://e.com/",
        "- [ ] task",
        "- [x] done",
        "**bold",
        "end** and `code",
        "x` y",
        "日本語の長い行がここにあり、折り返されます。" * 3,
        "👩‍👩‍👧 family e\u0301",
        "trailing  ",
        "back\\",
        "\\# not",
        "***",
        "+ plus",
        "-",
        "1.",
        "<br>",
        "\tTab",
        "word " * 30,
        "'title'",
        "[r2]:",
        "\r",
        "a\x1b]52;c;eA==\x07b",
        "https://example.com/a_(b).",
    ]
)
TEXTS = st.lists(LINES, max_size=24).map("\n".join)
CUTS = st.lists(st.integers(0, 400), max_size=12)


def parts(text: str, cuts: list[int]) -> list[str]:
    places = sorted({0, len(text), *(cut % (len(text) + 1) for cut in cuts)})
    return [text[a:b] for a, b in pairwise(places)]


def drawn(view: View) -> list[tuple[str, int, int, str, list[object]]]:
    view.ensure(PAPER)
    rows = [row for index in range(len(view.pieces)) for row in view.rows(index, PAPER)]
    return [(row.text, row.skip, row.end, row.join, list(row.segments)) for row in rows]


def fresh(text: str, kind: BlockKind = BlockKind.ASSISTANT) -> View:
    view = View(Block("b", kind, text, "title"), 1)
    view.guess(PAPER)
    return view


def stream(text: str, cuts: list[int], kind: BlockKind = BlockKind.ASSISTANT, *, look: bool = True) -> View:
    view = View(Block("b", kind, "", "title"), 1)
    view.guess(PAPER)
    for part in parts(text, cuts):
        view.feed(part, PAPER)
        if look:
            assert sum(len(view.rows(index, PAPER)) for index in range(len(view.pieces))) == view.height
    return view


@settings(max_examples=400, deadline=None)
@given(TEXTS, CUTS)
@example("see [ref] and [text][ref]\n\n[ref]: https://example.com/a", [])
def test_the_end_of_a_stream_draws_what_a_fresh_render_draws(text: str, cuts: list[int]) -> None:
    view = stream(text, cuts)
    view.close(None, PAPER)
    assert not view.pieces or view.height == sum(piece.height for piece in view.pieces)
    assert drawn(view) == drawn(fresh(text))
    assert view.height == len(drawn(view))
    assert view.text == text


@settings(max_examples=400, deadline=None)
@given(TEXTS, CUTS)
def test_pieces_that_became_final_are_those_of_the_whole_text(text: str, cuts: list[int]) -> None:
    # So that nothing jumps when a stream ends: splitting as it comes is right by itself.
    splitter = Splitter()
    final = []
    for part in parts(visible(text + "\n\nend\n\n"), cuts):
        final += splitter.append(part)
    got = [(cut.kind, cut.source.strip("\n"), cut.number, cut.gap) for cut in [*final, *splitter.open]]
    want = [
        (cut.kind, cut.source.strip("\n"), cut.number, cut.gap)
        for cut in split_all(visible(text + "\n\nend\n\n"))[0]
    ]
    assert got == want


@settings(max_examples=100, deadline=None)
@given(TEXTS, CUTS, st.sampled_from([BlockKind.USER, BlockKind.TOOL, BlockKind.REASONING]))
def test_other_kinds_stream_to_the_same_too(text: str, cuts: list[int], kind: BlockKind) -> None:
    view = stream(text, cuts, kind)
    view.close(None, PAPER)
    assert drawn(view) == drawn(fresh(text, kind))


@settings(max_examples=300, deadline=None)
@given(TEXTS)
def test_every_row_is_as_wide_as_the_paper_and_holds_no_control(text: str) -> None:
    from rich.cells import cell_len

    for row, *_ in drawn(fresh(text)):
        assert cell_len(row) == PAPER.width, repr(row)
        assert visible(row) == row and "\n" not in row and "\t" not in row, repr(row)


@pytest.mark.parametrize("stray", ["", "a*b", "`", "\n", "x\n- item\n\n"])
def test_a_long_paragraph_is_followed_without_being_read_anew(
    stray: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    chance = random.Random(5)
    words = ["the", "**bold one**", "`code x`", "[link](http://e.com/a)", "*it*", "stone,", "日本語", stray]
    text = "Then " + " ".join(chance.choice(words if stray else words[:7]) for _ in range(420))
    read: list[int] = []
    parse = MarkdownIt.parseInline

    def counted(self: MarkdownIt, src: str, env: dict[str, Any] | None = None) -> list[Token]:
        read.append(len(src))
        return parse(self, src, env)

    monkeypatch.setattr(MarkdownIt, "parseInline", counted)
    view = View(Block("a", BlockKind.ASSISTANT, ""), 1)
    view.split(PAPER)
    at = 0
    while at < len(text):
        size = chance.randint(1, 60)
        view.feed(text[at : at + size], PAPER)
        at += size
        rows = drawn(view)
        if not stray and at % 9 == 0:
            fresh = View(Block("b", BlockKind.ASSISTANT, text[:at]), 1)
            fresh.split(PAPER, live=False)
            assert [row[:4] for row in rows] == [row[:4] for row in drawn(fresh)]
    if not stray:
        assert read and max(read) < 2000 < len(text)
    view.close(None, PAPER)
    whole = View(Block("b", BlockKind.ASSISTANT, text), 1)
    whole.split(PAPER, live=False)
    assert drawn(view) == drawn(whole)
