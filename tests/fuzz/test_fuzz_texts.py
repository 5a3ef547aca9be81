"""Text from anywhere: to the terminal without controls, without the token,
split and drawn wherever it is cut."""

from __future__ import annotations

import json
import re
import unicodedata
from collections import Counter
from itertools import pairwise
from typing import Any

from hypothesis import strategies as st
from rich.cells import cell_len
from rich.style import Style
from support.fuzzing import FRAGMENTS, cut_anywhere, fuzz, hostile_json, hostile_values, mutated

from tui.core.apis.reasoning_tags import CLOSE, OPEN, ReasoningTags
from tui.core.errors import InputError
from tui.core.events import OutputItemDone, TextDelta
from tui.core.items import Item
from tui.core.structured.mending import mend_schema
from tui.core.structured.output_format import (
    format_problems,
    format_value,
    read_format,
    schema_of,
    why_not_sendable,
)
from tui.core.structured.strict import Problem
from tui.core.text import storable, visible, visible_line
from tui.session.validation import answer_problems
from tui.widgets.transcript.block import Block, BlockKind
from tui.widgets.transcript.palette import COMPONENTS, Palette
from tui.widgets.transcript.piece import Paper
from tui.widgets.transcript.view import View
from tui.wire.masking import DeltaMask
from tui.wire.redact import Redactor, StreamRedactor, TextRedactor
from tui.wire.token_forms import MASK, forms_of

# -- the sanitizer ---------------------------------------------------------------------------------------

HOSTILE = (
    "\x1b]52;c;AA==\x07", "\x1b]0;t\x1b\\", "\x1b[2J", "\x9b2J", "\x90q", "\x85", "\x7f", "\0", "\b", "\r",
    "\r\n",
    "\n", "\t", "\v", "\f", "\u2028", "\u2029", "\u202e", "\u202a", "\u2066", "\u2069", "\u200f", "\u061c",
    "\ufeff",
    "\ud83d", "\udc00", "\ud83d\ude00", "[/red]", "👩\u200d👩", "e\u0301", "\U000e0041", "\ufff9", "日本",
)  # fmt: skip
texts = st.lists(
    st.one_of(st.sampled_from(HOSTILE), st.text(st.characters(exclude_categories=()), max_size=5)),
        max_size=12
).map("".join)  # fmt: skip
BIDI = {"LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI"}


def is_forbidden(character: str) -> bool:
    """Whether a character moves, colours, reorders or breaks something, by Unicode's own tables."""
    return (
        unicodedata.category(character) in ("Cc", "Cs", "Zl", "Zp")
        or unicodedata.bidirectional(character) in BIDI
        or character == "\ufeff"
    )


@fuzz(texts, examples=80)
def test_what_is_shown_holds_no_control_is_as_long_and_stays_as_it_is(text: str) -> None:
    block, line = visible(text), visible_line(text)
    assert not [each for each in block if is_forbidden(each) and each not in "\n\t"]
    assert not [each for each in line if is_forbidden(each)]
    assert visible(block) == block and visible_line(line) == line and visible(line) == line
    # A symbol for a character at most: what is hostile takes no more room than it came in.
    assert len(block) <= len(text) and len(line) <= len(text)
    kept = [each for each in text if not is_forbidden(each)]
    assert [each for each in block if each in kept or is_forbidden(each)] or not kept
    assert len(line) == len(text) - text.count("\ufeff")
    block.encode(), line.encode(), storable(text).encode()
    if not any(map(is_forbidden, text)):
        assert (block, line, storable(text)) == (text, text, text)


# -- reasoning between tags ------------------------------------------------------------------------------

TAG_PARTS = (
    OPEN, CLOSE, "<", ">", "/", "reasoning", "</reason", "a", "é", " ", "\n", "`", "```\n", "~~~\n", "<b>",
        "\ud83d",
)  # fmt: skip


@fuzz(
    st.lists(st.sampled_from(TAG_PARTS), max_size=20), st.lists(st.integers(0, 90), max_size=6), examples=60
)
def test_reasoning_is_split_the_same_however_it_is_cut_and_nothing_is_lost(
    parts: list[str], cuts: list[int]
) -> None:
    text = "".join(parts)

    def split(pieces: list[str]) -> tuple[str, str, str]:
        tags = ReasoningTags()
        given = [each for piece in pieces for each in tags.feed(piece)] + tags.finish()
        assert all(said for _, said in given)
        return *(
            "".join(said for kind, said in given if kind is wanted) for wanted in (True, False)
        ), tags.overlooked

    places = [0, *sorted(min(cut, len(text)) for cut in cuts), len(text)]
    reasoning, answer, overlooked = split([text[a:b] for a, b in pairwise(places)])
    assert (reasoning, answer, overlooked) == split([text]) == split(list(text))
    assert reasoning.endswith(overlooked)
    # Whole tags are gone and nothing else; one that is spoken of in code stays.
    gone = Counter(text)
    gone.subtract(reasoning + answer)
    closed = gone["/"]
    opened = gone["<"] - closed
    assert 0 <= opened <= text.count(OPEN) and 0 <= closed <= text.count(CLOSE)
    assert +gone == Counter(OPEN * opened + CLOSE * closed) and min(gone.values(), default=0) >= 0


# -- the token in what servers echo ----------------------------------------------------------------------

TOKEN = "bedrock-api-key-YmVkcm9jay5hbWF6b25hd3MuY29tLz9BY3Rpb249Q2FsbFdpdGhCZWFyZXJUb2tlbg==&Version=1+/x"
KEY = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYzzzzzzSECRET"
REDACTOR = Redactor(TOKEN, KEY)
SPELLINGS = [
    [
        bytes((character,)),
        b"%%%02X" % character,
        b"%%%02x" % character,
        b"\\u%04x" % character,
        b"\\u%04X" % character,
    ]
    for character in range(128)
]
NOISE = (b'{"echo":"', b'"}', b"\n\n", b"data: ", b"bedrock-api-key-", b"bedrock", b"b", b"%62",
    b"\\u0062", b"Ym",
         b"wJ", b"\0", b"\xff", b"%", b"\\", "é".encode(), TOKEN[:30].encode(),
         TOKEN[-30:].encode())  # fmt: skip


@st.composite
def echoes(draw: st.DrawFn) -> tuple[bytes, list[bytes]]:
    """Bytes with the token in them, each of its characters spelled in any way, and where they are cut."""
    parts: list[bytes] = []
    for _ in range(draw(st.integers(1, 4))):
        secret = draw(st.sampled_from([TOKEN, KEY])).encode()
        match draw(st.sampled_from(["as it is", "spelled", "form", "wide", "noise", "noise"])):
            case "as it is":
                parts.append(secret)
            case "spelled":
                # Who escapes the first letter escapes all; signs are escaped as one likes.
                way = draw(st.integers(0, 4))
                signs = draw(st.integers(0, 4))
                parts.append(b"".join(SPELLINGS[c][signs if not chr(c).isalnum() else way] for c in secret))
            case "form":
                parts.append(draw(st.sampled_from(forms_of(secret)))._characters)
            case "wide":
                parts.append(secret.decode().encode(draw(st.sampled_from(["utf-16-le", "utf-16-be"]))))
            case _:
                parts.append(draw(st.one_of(st.sampled_from(NOISE), st.binary(max_size=6))))
    whole = b"".join(parts)
    cuts = sorted({0, len(whole), *draw(st.lists(st.integers(0, len(whole)), max_size=6))})
    return whole, [whole[a:b] for a, b in pairwise(cuts)] or [b""]


def undone(data: bytes) -> str:
    """What a reader makes of it who undoes every escape."""
    text = data.replace(b"\0", b"").decode("latin-1")
    text = re.sub(r"\\u00([0-9A-Fa-f]{2})", lambda found: chr(int(found[1], 16)), text).replace("\\/", "/")
    return re.sub(r"%([0-9A-Fa-f]{2})", lambda found: chr(int(found[1], 16)), text)


def tells(data: bytes) -> bool:
    """Whether twelve characters of a secret, beyond the beginning that all keys share,
    can be read in this."""
    text = undone(data)
    found = [TOKEN[at : at + 12] for at in range(24, len(TOKEN) - 40)]
    found += [KEY[at : at + 12] for at in range(6, len(KEY) - 20)]
    return any(part in text for part in found)


@fuzz(echoes(), examples=60)
def test_the_token_never_comes_through_however_it_is_spelled_and_cut(
    document: tuple[bytes, list[bytes]],
) -> None:
    whole, pieces = document
    expected = REDACTOR.bytes(whole)
    held = [TOKEN[:30].encode(), TOKEN[-30:].encode()]
    if not any(part in whole for part in held):  # a part of it is none that anybody could tell
        assert not tells(expected)
    for cut in (pieces, [whole], [whole[at : at + 1] for at in range(len(whole))]):
        stream = StreamRedactor(REDACTOR)
        got = b"".join([*map(stream.feed, cut), stream.finish()])
        assert not tells(got) or any(part in whole for part in held)
        # What is masked at once is masked in pieces; of the rest, only the end of a beginning is lost.
        assert got == expected or got.startswith(expected[: got.rfind(MASK.encode())])
    text = whole.decode("latin-1")
    redactor = TextRedactor(REDACTOR)
    shown = "".join([*(redactor.feed(piece.decode("latin-1")) for piece in pieces), redactor.finish()])
    assert not tells(shown.encode("latin-1")) or any(part in whole for part in held)
    mask = DeltaMask(REDACTOR)
    events: list[Any] = []
    for piece in pieces:
        events += mask.pass_on(TextDelta(0, "m", piece.decode("latin-1")))
    events += mask.pass_on(OutputItemDone(0, Item.of({"type": "message"})))
    passed = "".join(event.delta for event in events if isinstance(event, TextDelta))
    assert passed == shown
    assert REDACTOR.text(text) == REDACTOR.text(REDACTOR.text(text))


# -- what `outcrop ask --schema` takes -------------------------------------------------------------------

SCHEMA = {
    "title": "Rock", "type": "object", "additionalProperties": False, "required": ["name", "age", "tags",
    "found"],
    "$defs": {"place": {"type": "object", "properties": {"x": {"type": "number"}}, "required": ["x"],
                        "additionalProperties": False}},
    "properties": {"name": {"type": "string", "pattern": "^[a-z]+$"}, "age": {"type": ["integer", "null"]},
                   "tags": {"type": "array", "items": {"enum": ["a", "b"]}, "maxItems": 3},
                   "found": {"anyOf": [{"$ref": "#/$defs/place"}, {"type": "null"}]}},
}  # fmt: skip
FORMAT = {"type": "json_schema", "name": "rock", "strict": True, "schema": SCHEMA}
ANSWER = {"name": "granite", "age": 3, "tags": ["a"], "found": {"x": 1.5}}
WORDS = (
    "name", " age int", ", ", "tags: list of string", "list of ", "{", "}", "?", "|", ":", '"said"', '"',
    "\n", "é",
    "a|b", "place {x num}", "string", "\0", "date", ",,", "\u2028", "1", "[", "list of {", "x {" * 12,
)  # fmt: skip
schema_texts = st.one_of(
    mutated(hostile_json(st.sampled_from([SCHEMA, FORMAT]))),
    st.lists(st.sampled_from(WORDS), max_size=8).map(lambda parts: "".join(parts).encode()),
)
REFERENCES = st.sampled_from(
    [
        "#",
        "#/$defs/place",
        "#/$defs/none",
        "http://127.0.0.1:9/x",
        "file:///etc/passwd",
        "#/$defs/%zz",
        "",
        "\ud800",
    ]
)
values = st.one_of(
    hostile_values, REFERENCES.map(lambda to: {"$ref": to}), st.sampled_from(["(", "(a+)+$", "[z-a]"])
)


@fuzz(schema_texts, examples=50)
def test_a_schema_is_taken_mended_or_refused_in_words(data: bytes) -> None:
    try:
        text_format = read_format(data.decode("utf-8", "replace"), "rock")
    except InputError as error:
        assert str(error) and visible(str(error)) == str(error)
        return
    text_format.encode()
    assert format_value(text_format)["type"] in ("json_schema", "json_object")
    problems = format_problems(text_format)
    assert all(isinstance(problem, Problem) and problem.text for problem in problems)
    assert (why_not_sendable(text_format, "json", "") is None) == (not problems)
    schema = schema_of(text_format)
    if schema is not None and problems:
        again = mend_schema(schema)
        json.dumps(again)
        assert len(mend_schema(again)) == len(again)


@fuzz(hostile_json(st.just(ANSWER)), hostile_json(st.just(FORMAT), values), examples=50)
def test_an_answer_is_held_against_any_schema_in_words(answer: bytes, text_format: bytes) -> None:
    try:
        kept = read_format(text_format.decode("utf-8", "replace"), "rock")
    except InputError:
        return
    for problem in answer_problems(answer.decode("utf-8", "replace"), kept):
        assert visible_line(str(problem)) == str(problem) and len(str(problem)) < 4000


# -- the pane --------------------------------------------------------------------------------------------

PALETTE = Palette(
    **{name.removeprefix("pane--").replace("-", "_"): Style(bgcolor="#101010") for name in COMPONENTS}
)
MARKDOWN = """# Rocks **bold**

- one `code` [link](https://example.com/a_b)
  1. two *it*
- [x] done

> quoted
> ```python
> x = "\\x1b"
> ```

| a | b |
|---|:-:|
| 日本 | <br> |

```
fenced
```
    indented

$$ x_1 $$ &#27; &#x202e; <b>html</b> ![p](p.png) [^1]

[^1]: note
***
""".encode()
SIGNS = (*FRAGMENTS, b"```", b"~~~", b"    ", b"> ", b"- ", b"1. ", b"|", b"|---|\n", b"**", b"_", b"`",
    b"](", b"$$",
         b"<!--", b"&#27;", b"# ", b"===\n", "👩‍👩‍👧".encode(), "\u202eevil".encode(), b"\x9b", b"[^1]: ",
         b"  \n")  # fmt: skip


def drawn(text: str | list[str], on: Paper) -> list[tuple[Any, ...]]:
    whole = isinstance(text, str)
    view = View(Block("b", BlockKind.ASSISTANT, text if whole else ""), 1)
    view.guess(on)
    if not whole:
        for piece in text:
            view.feed(piece, on)
            view.ensure(on)
        view.close(None, on)
    view.ensure(on)
    rows = [row for index in range(len(view.pieces)) for row in view.rows(index, on)]
    for row in rows:
        assert cell_len(row.text) == on.width, repr(row)
        assert visible_line(row.text) == row.text, repr(row)
    return [(row.text, row.skip, row.end, row.join, row.segments) for row in rows]


@fuzz(cut_anywhere(mutated(st.just(MARKDOWN), SIGNS)), st.sampled_from([16, 33, 80]), examples=20, weight=1.5)
def test_broken_markdown_is_drawn_as_a_fresh_render_in_the_frame_and_without_controls(
    document: tuple[bytes, list[bytes]], width: int
) -> None:
    whole, pieces = document
    on = Paper(width, width - 1, PALETTE)
    # As text comes from the wire: anything but UTF-8 was refused before, half characters were not.
    try:
        text = whole.decode("utf-8", "surrogatepass")
    except UnicodeDecodeError:
        text = whole.decode("latin-1")
    cuts: list[int] = []
    for piece in pieces[:12]:
        cuts.append((cuts[-1] if cuts else 0) + len(piece))
    places = sorted({0, len(text), *(min(cut, len(text)) for cut in cuts)})
    assert drawn([text[a:b] for a, b in pairwise(places)], on) == drawn(text, on)
