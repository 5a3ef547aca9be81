"""Comparisons: targets in words, labels, differences of answers, the table of figures."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest

import tui.core.catalogue as module
from tui.core.catalogue_file import parse_catalogue
from tui.core.compare.differences import difference, marked
from tui.core.compare.figures import ColumnFigures, cells, document, table_lines
from tui.core.compare.targets import Asked, TargetWords, labels, parse_target, parse_targets, words_for
from tui.core.costs import CostEstimate
from tui.core.errors import InputError
from tui.core.items import Outcome, Target, Usage

CATALOGUE = parse_catalogue(Path(module.__file__).with_name("catalogue.toml").read_text(encoding="utf-8"))
TARGET = Target("openai.gpt-5.4", "us-west-2", "mantle", "https://x")


@pytest.mark.parametrize(
    ("text", "read"),
    [
        (
            "gpt-5.5@us-east-2 effort=low",
            [TargetWords("openai.gpt-5.5", "us-east-2", effort="low")],
        ),
        (
            "gpt-5.5@us-east-2 effort=low, gpt-oss-20b api=chat",
            [
                TargetWords("openai.gpt-5.5", "us-east-2", effort="low"),
                TargetWords("openai.gpt-oss-20b", api="chat_completions"),
            ],
        ),
        ("stateless", [TargetWords(mode="stateless")]),
        ("@eu-west-1 runtime,, effort=unset ", [TargetWords(region="eu-west-1", endpoint="runtime"),
                                               TargetWords(effort="unset")]),
        ("GPT-5.4 mode=stateful", [TargetWords("openai.gpt-5.4", mode="stateful")]),
        ("model=llama endpoint=gateway", [TargetWords("llama", endpoint="gateway")]),
        ("openai.gpt-oss-20b-1:0 api=Converse", [TargetWords("openai.gpt-oss-20b-1:0", api="converse")]),
        ("", []),
    ],
)  # fmt: skip
def test_targets_are_read_and_written_the_same(text: str, read: list[TargetWords]) -> None:
    found = list(parse_targets(text, CATALOGUE))
    assert found == read
    assert list(parse_targets(", ".join(map(str, found)), CATALOGUE)) == read


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("gpt-5.5 gpt-5.4", "“gpt-5.4” is not understood"),
        ("gpt-5.5@mars", "“mars” is no region"),
        ("gpt-5.5 api=grpc", "There is no API grpc. There are: responses, chat_completions"),
        ("gpt-5.5 effort=low effort=high", "says twice which effort"),
        ("gpt-5.5 temperature=1", "“temperature=1” is none of model=…, region=…"),
        ("mode=both", "mode is stateful or stateless, not both"),
        ("gpt-5.5 effort=", "“effort=” is none of"),
        ("  ", "A target is empty"),
    ],
)
def test_targets_that_cannot_be_read_say_why(text: str, words: str) -> None:
    with pytest.raises(InputError) as caught:
        parse_target(text, CATALOGUE)
    assert words in str(caught.value)


def test_a_target_is_named_by_what_is_not_the_same_everywhere() -> None:
    first = Asked(TARGET, None, "stateful")
    second = Asked(replace(TARGET, model="openai.gpt-5.5", region="us-east-2"), "low", "stateful")
    assert labels([first, second]) == [
        "gpt-5.4 · us-west-2",
        "gpt-5.5 · us-east-2 · effort low",
    ]
    assert labels([first, first]) == ["gpt-5.4", "gpt-5.4"]
    # Written for the line, where the first is in force.
    assert str(words_for(first, first, CATALOGUE)) == "gpt-5.4@us-west-2"
    assert str(words_for(second, first, CATALOGUE)) == "gpt-5.5@us-east-2 effort=low"
    assert words_for(first, second, CATALOGUE).effort == "unset"
    chat = replace(TARGET, model="openai.gpt-oss-20b", api="chat_completions")
    assert words_for(Asked(chat, None, "stateless"), first, CATALOGUE) == TargetWords(
        "openai.gpt-oss-20b", "us-west-2", api="chat_completions", mode="stateless"
    )


@pytest.mark.parametrize(
    ("old", "new", "text", "words"),
    [
        ("Basalt is old.", "Basalt is old.", "Basalt is old.", "the same words"),
        # Another break of the line is no difference.
        ("Basalt is old.", "Basalt\nis old.", "Basalt\nis old.", "the same words"),
        ("Basalt is old.", "Granite is old.", "[-Basalt-] {+Granite+} is old.", "75 %"),
        ("It is.", "It is very old.", "It is {+very old+}.", "75 %"),
        ("one\ntwo", "one", "one\n[-two-]", "67 %"),
        ("", "", "", "the same words"),
        ("alpha", "", "[-alpha-]", "0 %"),
        # A word in brackets and a lone number are prose, not JSON.
        ("5", "6", "[-5-]{+6+}", "0 %"),
    ],
)  # fmt: skip
def test_differences_are_marked_word_by_word(old: str, new: str, text: str, words: str) -> None:
    found = difference(old, new)
    assert "".join(part for piece in found.pieces for _, part in marked(piece)) == text
    words += " of the words are the same" if "%" in words else ""
    assert found.words == words and found.changes is None
    assert found.is_none is (words == "the same words")
    # Nothing of either is lost, spaces aside.
    for answer, kinds in ((old, ("same", "removed")), (new, ("same", "added"))):
        kept = "".join(piece.text for piece in found.pieces if piece.kind in kinds)
        assert "".join(kept.split()) == "".join(answer.split())


def test_json_answers_differ_by_path() -> None:
    found = difference('{"name": "Ada", "age": 36}', '{"age": 37, "name": "Ada"}')
    assert [change.words() for change in found.changes or ()] == ["$.age: 36 became 37"]
    assert found.words == "1 value differs" and not found.pieces
    assert difference("[1]", "[1]").words == "the same JSON"
    assert difference("[1, 2, 3]", "[4]").words == "3 values differ"
    assert difference("[1]", "a list").changes is None


def test_the_table_stands_beside_or_below_its_names() -> None:
    usage = Usage(162, 0, None, 400, 120, 562)
    done = ColumnFigures(Outcome.COMPLETED, False, 0.36, 2.1, usage, CostEstimate(Decimal("0.0042")))
    failed = ColumnFigures(Outcome.FAILED, error="There is no such model.")
    running = ColumnFigures(running=True)
    assert cells(done) == {
        "first": "360 ms", "time": "2.10 s", "in": "162", "cached": "0", "out": "400", "reasoning": "120",
        "cost": "~$0.0042", "outcome": "✓ completed",
    }  # fmt: skip
    assert cells(running)["outcome"] == "● running" and cells(running)["cost"] == "–"
    names = ["gpt-5.4 · us-west-2", "gpt-5.5 · us-east-2"]
    wide = table_lines(names, [done, failed], 120)
    assert [line.split()[0] for line in wide] == ["target", "1", "2", "There"]
    assert wide[0].index("outcome") == wide[1].index("✓") and wide[0].rindex("in ") < 60
    narrow = table_lines(names, [done, failed], 80)
    assert narrow[1] == "1 gpt-5.4 · us-west-2" and narrow[2].endswith("✓ completed")
    assert all(len(line) <= 80 for line in narrow)
    data = document("Hello", [(Asked(TARGET, None, "stateful"), "c1", failed, None, None)], [])
    assert data["columns"][0]["error"] == "There is no such model." and data["columns"][0]["text"] == ""
    assert data["columns"][0]["conversation"] is None and data["columns"][0]["usage"] is None
