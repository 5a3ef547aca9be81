"""What each construct of markdown looks like, row by row, and what it must never become."""

from __future__ import annotations

import pyte
import pytest
from rich.cells import cell_len
from rich.style import Style

from tui.core.text import visible
from tui.widgets.transcript.markdown import render_markdown
from tui.widgets.transcript.palette import COMPONENTS, Palette
from tui.widgets.transcript.split import Splitter, split_all
from tui.widgets.transcript.wrap import settled

NAMES = [name.removeprefix("pane--").replace("-", "_") for name in sorted(COMPONENTS)]
PALETTE = Palette(**{name: Style(color=f"color({number})") for number, name in enumerate(NAMES)})
PLAIN = Palette(**dict.fromkeys(NAMES, Style()), plain=True)


def drawn(source: str, width: int = 60, palette: Palette = PALETTE) -> list[str]:
    return [row.text.rstrip() for row in render_markdown(source, width, palette)]


def styles(source: str) -> dict[str, Style]:
    return {
        segment.text: segment.style or Style()
        for row in render_markdown(source, 60, PALETTE)
        for segment in row.segments
    }


def test_no_two_levels_of_heading_look_the_same() -> None:
    seen = [styles("#" * level + " title")["title"] for level in range(1, 7)]
    assert len(set(seen)) == 6
    assert [drawn("#" * level + " t", palette=PLAIN) for level in (1, 3, 6)] == [
        ["# t"],
        ["### t"],
        ["###### t"],
    ]


def test_footnotes_across_blocks() -> None:
    source = (
        "Basalt[^1] and[^why] but[^none].\n\n[^1]: Is volcanic.\n[^why]: A *note*\n    goes on.\n\n    So.\n"
    )
    assert drawn(source) == [
        "Basalt[1] and[why] but[^none].", "",
        "[1] Is volcanic.",
        "[why] A note goes on.", "", "      So.",
    ]  # fmt: skip
    cuts, references = split_all(source)
    assert [cut.source.split(":")[0] for cut in cuts] == [
        "Basalt[^1] and[^why] but[^none].\n",
        "[^1]",
        "[^why]",
    ]
    assert [cut.gap for cut in cuts] == [True, False, True]
    rows = render_markdown(cuts[0].source, 60, PALETTE, references=references)
    assert rows[0].text == "Basalt[1] and[why] but[^none]."


def test_a_footnote_that_streams_is_known_before_it_ends() -> None:
    splitter = Splitter()
    final = splitter.append("a[^1]\n\n[^1]: no")
    assert [cut.source for cut in final] == []
    final += splitter.append("te\nmore\n")
    assert [cut.source for cut in final] == ["a[^1]\n"]
    assert render_markdown("a[^1]", 60, PALETTE, references=splitter.references)[0].text == "a[1]"


@pytest.mark.parametrize(
    "formula",
    [
        "$a_1 * b_2 * c$", "$x$", "$$a_b_c$$", r"\(a_b * c_d * e\)", r"\[ x_1_2 \]", r"$\{a\} \_ \\$",
        "$|a| = *b*$",
    ],
)  # fmt: skip
def test_formulas_in_a_line_are_left_as_written(formula: str) -> None:
    assert drawn(f"before {formula} *after*") == [f"before {formula} after"]


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("costs $5 and $10, *both*", "costs $5 and $10, both"),
        ("US$5 or A$6 *x*", "US$5 or A$6 x"),
        ("`$HOME` or $HOME and $PATH *x*", "$HOME or $HOME and $PATH x"),
        ("$5 for *one* and 2$ for two", "$5 for one and 2$ for two"),
        (r"\$5 *x* 6$", "$5 x 6$"),
        ("from $1-$2 *x*", "from $1-$2 x"),
    ],
)
def test_money_and_variables_are_no_formulas(text: str, shown: str) -> None:
    assert drawn(text) == [shown]


def test_formulas_of_several_lines_keep_them() -> None:
    source = "So\n$$\nx_1 * y_1 \\\\\n- z_2\n===\n$$\nand *then*\n\n\\[\n  a_b\n\\].\n"
    assert drawn(source) == [
        "So", "$$", "x_1 * y_1 \\\\", "- z_2", "===", "$$", "and then", "",
        "\\[", "  a_b", "\\].",
    ]  # fmt: skip
    assert drawn("$$ open *x*\n\nnext *x*") == ["$$ open *x*", "", "next x"], "a blank line ends it"
    assert drawn("- $$\n  a_b * c *\n  $$") == ["• $$", "  a_b * c *", "  $$"]


def test_links_say_where_they_lead() -> None:
    assert drawn("a [text](https://example.com/a_b) and [*b*][r]\n\n[r]: http://e.com") == [
        "a text (example.com/a_b) and b (http://e.com)"
    ]
    assert drawn("<https://e.com/x> https://e.com/y [https://e.com](https://e.com) <a@e.com>", 99) == [
        "https://e.com/x https://e.com/y https://e.com a@e.com"
    ]
    assert drawn("[bank.com](https://evil.com) [](https://e.com) ![](i.png) ![pic](i.png)", 99) == [
        "bank.com (evil.com) e.com [image] (i.png) [image: pic] (i.png)"
    ]
    assert drawn("[文](https://e.com/%E6%96%87)") == ["文 (e.com/%E6%96%87)"]
    long = "https://example.com/" + "x" * 90
    assert drawn(f"[t]({long})", 99) == ["t (" + long.removeprefix("https://")[:59] + "…)"]
    metas = [segment.style.meta for segment in render_markdown(f"[t]({long})", 99, PALETTE)[0].segments]
    assert metas == [{"href": long}] * 2, "what is clicked is the whole"


def test_entities_cannot_smuggle_controls() -> None:
    text = "a&#x202e;b &#27;[31m &#10; [x&#9;y](https://e.com/&#x202e;z) ![&#x2066;](i) `c`"
    code = "```&#x202e;py\nx\n```\n\n> ```a&#7;\n> ```"
    for row in drawn(f"{text}\n\n{code}", 40):
        assert visible(row) == row and "\t" not in row


def test_lists_of_every_kind() -> None:
    source = (
        "1. one\n   - [ ] todo\n   - [x] done\n     1. deep\n2. two\n\n"
        "   loose\n\n   ```sh\n   ls\n   ```\n3. three\n"
        "   > quote\n\n   | a | b |\n   |---|--:|\n   | 1 | 2 |"
    )
    assert drawn(source, 40) == [
        " 1. one", "    ☐ todo", "    ☑ done", "      1. deep", " 2. two", "", "    loose", "",
        "      sh", "      ls", " 3. three", "    ▎ quote", "", "     a │ b", "    ───┼───", "     1 │ 2",
    ]  # fmt: skip


@pytest.mark.parametrize("width", [8, 11, 16, 24])
@pytest.mark.parametrize(
    "source",
    [
        "".join("  " * depth + f"- d{depth:02}\n" for depth in range(20)),
        "> " * 20 + "quoted",
        "> " * 120 + "quoted",
        "".join("  " * depth + f"- d{depth:02}\n" for depth in range(70)) + "  " * 70 + "- quoted",
        "123456789. long *marker* 日本語\n     - x",
        "[^a-very-long-label-of-a-footnote]: note",
        "- > - > - > - > 日本語 word\n",
    ],
)
def test_deep_nesting_stays_in_the_frame(source: str, width: int) -> None:
    rows = render_markdown(source, width, PALETTE)
    assert max(cell_len(row.text) for row in rows) <= width
    joined = "".join(row.copyable.strip() for row in rows)
    for word in ("d00", "d19", "quoted", "note", "long", "marker", "日本語"):
        assert (word in source) <= (word in joined), joined


def test_twelve_columns_at_eighty_cells_lose_nothing() -> None:
    head = [f"heading{number}" for number in range(12)]
    body = [f"値{number}の" for number in range(12)]
    source = f"|{'|'.join(head)}|\n|{'|'.join(['-'] * 12)}|\n|{'|'.join(body)}|"
    rows = drawn(source, 75)
    for title, value in zip(head, body, strict=True):
        assert f"{title}: {value}" in rows, rows
    assert max(map(cell_len, rows)) <= 75


def test_wide_cells_stand_in_their_columns() -> None:
    rows = drawn("| a | b | c |\n|:--|:-:|--:|\n| 日本 | 👩‍👩‍👧 | e\u0301 |\n| x | ❤️ | 👍🏽 |", 60)
    bars = {tuple(cell_len(row[:index]) for index, char in enumerate(row) if char in "│┼") for row in rows}
    assert len(bars) == 1, rows


@pytest.mark.parametrize(
    ("text", "shown", "cells"),
    [
        ("❤️⚠️1️⃣", "❤⚠1⃣", 3),
        ("👩‍👩‍👧", "👩👩👧", 6),
        ("👍🏽🧑🏽‍💻", "👍🧑💻", 6),
        ("🇩🇪", "🇩🇪", 2),
        ("🏽", "�", 1),
        ("x\U000e0041\u00ady", "xy", 2),
        ("日本e\u0301", "日本e\u0301", 5),
        ("שלום", "שלום", 4),
    ],
)
def test_terminals_agree_on_the_width_of_what_is_drawn(text: str, shown: str, cells: int) -> None:
    assert settled(text) == shown
    assert cell_len(shown) == cells
    # A terminal that counts character by character, as many do, gets to the same column; the letters of a
    # flag are the exception, on which no two of those agree.
    screen = pyte.Screen(20, 2)
    pyte.Stream(screen).feed(shown)
    assert screen.cursor.x == cells or "🇩" in shown
    assert drawn(f"*{text}* `{text}`", 60) == [f"{shown} {shown}"]


def test_flags_are_not_torn_between_rows() -> None:
    for width in (2, 3, 4, 5):
        for row in drawn("x" + "🇩🇪" * 6, width) + drawn("```\nx" + "🇩🇪" * 6 + "\n```", width + 4):
            assert row.strip("x ↪").count("🇩") == row.count("🇪"), row
