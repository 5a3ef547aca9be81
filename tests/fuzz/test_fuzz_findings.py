"""What fuzzing has found, each once and plainly, so that it stays mended."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from support.exchanges import created

from tui.config.settings import load_catalogue, load_settings
from tui.core.apis.completion_answer import CompletionAnswer
from tui.core.assembly import Assembly
from tui.core.background import answer_events
from tui.core.cassette import cassette_text, read_cassette
from tui.core.continuation import Options, Stateless
from tui.core.controls import Controls
from tui.core.conversation import Conversation
from tui.core.errors import ConfigError, InputError
from tui.core.events import ResponseEnded
from tui.core.items import Item, Outcome, Target, Turn, user_message
from tui.core.leaving.document import as_document, read_document
from tui.core.leaving.markdown import read_markdown
from tui.core.structured.strict import check_schema
from tui.core.tool_calls import CallRecord, CallState
from tui.keys.keymap import check_keymap
from tui.session.instructions import load_library
from tui.session.playback import settings_and_playback
from tui.themes import parse_theme
from tui.tools.definitions import parse_tools, read_tools
from tui.wire.decode import decode
from tui.wire.sse import SseEvent

PLACE = Target("m", "us-west-2", "mantle", "https://h/openai/v1")
HALF = "so \ud83d"


def message(part: Any) -> Item:
    return Item.of({"type": "message", "role": "assistant", "content": [part]})


def test_the_end_of_a_response_may_be_named_by_its_event_line_only() -> None:
    event, _ = decode(SseEvent("response.completed", b'{"response":{"id":"r"}}', 0, 0))
    assert event == ResponseEnded("completed", {"id": "r"})


def test_a_number_below_zero_does_not_make_an_event_one_that_was_had_before() -> None:
    data = b'{"type":"response.output_text.delta","sequence_number":-1,"delta":"x"}'
    assert decode(SseEvent("", data, 0, 0))[1] is None


@pytest.mark.parametrize("kind", [[], {}, ["output_text"], 3, None, True])
def test_a_part_of_any_type_is_no_text_and_no_crash(kind: Any) -> None:
    turn = Turn("t", None, (), 0.0, (message({"type": kind, "text": "x"}),))
    assert turn.text == turn.refusal == ""
    answer = {"status": "completed", "output": [{"type": "message", "status": kind, "content": []}]}
    assert isinstance(answer_events(answer)[-1], ResponseEnded)


def test_half_a_character_in_an_answer_can_be_sent_again_and_kept() -> None:
    item = message({"type": "output_text", "text": HALF})
    assert item.text.encode() and item.payload["content"][0]["text"] == HALF
    before = Turn("t1", None, (user_message("a"),), 0.0, (item,), outcome=Outcome.COMPLETED, target=PLACE)
    held = Conversation("c", 0.0).append(before)
    for cache in (dict[str, Any](), {"breakpoints": (0,)}):
        request = Stateless().plan(held, (user_message("b"),), Options(PLACE, 16))
        body = json.loads(replace(request, **cache).encode(stream=True))
        assert body["input"][1]["content"][0]["text"] == HALF
    assert read_document(as_document([held], "1").data) == (held,)
    assembly = Assembly(store=True)
    assembly.take(ResponseEnded("completed", {"id": "resp_\ud800", "status": "completed"}))
    assert (assembly.response_id or "").encode()


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("\nmodel = 0x" + "f" * 5000, "line 2, model is a number of thousands of digits"),
        ("model = " + "9" * 5000, "a number in it has thousands of digits"),
        ("stop = " + "[" * 3000, "nested too deep"),
        ("\n\nbudget_per_day = '1e999999'", "line 3, budget_per_day is"),
        ("mouse = true\ncolour = 1", "line 2: unknown key 'colour'"),
        ("#\n#\ntemperature = 3", "line 3, temperature is '3'"),
    ],
    ids=["hexadecimal", "decimal", "deep", "dollars", "unknown", "range"],
)
def test_a_config_that_cannot_be_used_is_named_by_its_line(tmp_path: Path, text: str, words: str) -> None:
    (tmp_path / "config.toml").write_text(text)
    with pytest.raises(ConfigError) as caught:
        load_settings({}, {"OUTCROP_CONFIG_DIR": str(tmp_path), "OUTCROP_DATA_DIR": str(tmp_path)})
    assert words in str(caught.value) and str(tmp_path / "config.toml") in str(caught.value)


def test_a_line_that_is_no_utf8_is_named(tmp_path: Path) -> None:
    (tmp_path / "config.toml").write_bytes(b"#\n#\xff\n")
    with pytest.raises(ConfigError, match="line 2 is not UTF-8 text"):
        load_settings({}, {"OUTCROP_CONFIG_DIR": str(tmp_path), "OUTCROP_DATA_DIR": str(tmp_path)})


@pytest.mark.parametrize(
    "text",
    [
        "'a\\u001b[2J'.b = 1",
        '"\\u001b[2J" = 1',
        "x = " + "[" * 3000,
        "y" * 9000 + " = 1",
        "[[model]]\nid = 0x" + "f" * 5000,
    ],
    ids=["raw", "quoted", "deep", "long", "hexadecimal"],
)
def test_a_catalogue_that_cannot_be_used_is_told_in_a_sentence(tmp_path: Path, text: str) -> None:
    (tmp_path / "catalogue.toml").write_text(text)
    with pytest.raises(ConfigError) as caught:
        load_catalogue(tmp_path)
    load_catalogue.cache_clear()
    assert "\x1b" not in str(caught.value) and len(str(caught.value)) < 2000


@pytest.mark.parametrize(
    "line",
    [
        "dark = " + "9" * 5000,
        "dark = " + "[" * 3000,
        "error = 0x" + "f" * 5000,
        "error = 'rgb(" + "9" * 400 + ", 0, 0)'",
        "luminosity_spread = inf",
        "text_alpha = nan",
        "text_alpha = -5",
    ],
    ids=["long", "deep", "hexadecimal", "overflow", "inf", "nan", "below"],
)
def test_a_theme_of_numbers_that_nothing_can_be_drawn_with_is_refused(line: str) -> None:
    with pytest.raises(ConfigError, match=r"mine\.toml"):
        parse_theme(f"primary = '#112233'\n{line}\n", name="mine", where="mine.toml")


@pytest.mark.parametrize("style", ["\ufeffbold", "foo", "", "bold; color: red", "bold\u2028dim", "$primary"])
def test_a_theme_s_style_that_is_none_is_refused(style: str) -> None:
    text = f"primary = '#112233'\n[variables]\nlink-style = {json.dumps(style)}\n"
    with pytest.raises(ConfigError, match=r"mine\.toml: `variables.link-style` is no style: .* bold, dim"):
        parse_theme(text, name="mine", where="mine.toml")


def test_a_theme_s_style_is_words() -> None:
    text = "primary = '#112233'\n[variables]\nlink-style = 'not bold  underline'\n"
    theme = parse_theme(text, name="mine", where="mine.toml")
    assert theme.variables["link-style"] == "not bold  underline"


@pytest.mark.parametrize("line", ["rounds = ", "[[tool]]\nname = ", "[[tool]]\ntime_limit = "])
def test_a_tools_file_with_a_number_that_nobody_can_write_is_refused(tmp_path: Path, line: str) -> None:
    with pytest.raises(ValueError, match="longer than 64 bits"):
        parse_tools(f"{line}0x{'f' * 5000}\n", tmp_path, "tools.toml")


def test_files_nested_too_deep_are_refused_by_name(tmp_path: Path) -> None:
    deep = "x = " + "[" * 3000
    (tmp_path / "instructions").mkdir()
    for name in ("instructions/mine.toml", "tools.toml"):
        (tmp_path / name).write_text(deep)
    (complaint,) = load_library(tmp_path).complaints
    assert "mine.toml is left out: it is nested too deep." in complaint
    with pytest.raises(InputError, match=r"tools\.toml: it is nested too deep\.$"):
        read_tools(tmp_path / "tools.toml")


def test_half_a_character_is_no_key() -> None:
    assert check_keymap({"turn.stop": "ctrl+\ud800"}).problems


CASSETTE = cassette_text([created({"model": "m", "input": "x"}, answer="Grüße")], {"model": "m"})


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('"status": 200', '"status": "200"'),
        ('"method": "POST"', '"method": null'),
        ('"turn_id": ""', '"turn_id": []'),
        ('"model": "m"', '"model": {}'),
        ('"ended": ', '"ended": 1e999, "more": '),
        ('"attempt": ', '"attempt": -1, "more": '),
        ('"arrivals": [', '"arrivals": [[0, -1], [0, 1], ['),
        ('"arrivals": [', f'"arrivals": [[{"9" * 400}, 0], ['),
    ],
)
def test_a_cassette_whose_fields_are_none_is_damaged(old: str, new: str) -> None:
    assert old in CASSETTE
    with pytest.raises(InputError, match=r"The cassette is damaged|it is no JSON"):
        read_cassette(CASSETTE.replace(old, new, 1).encode())


def test_half_a_character_goes_through_a_cassette() -> None:
    text = cassette_text([], {"title": HALF})
    assert read_cassette(text.encode()).conversation == {"title": HALF}


def test_a_cassette_is_read_from_a_regular_file_only(tmp_path: Path) -> None:
    from argparse import Namespace

    environ = {"OUTCROP_CONFIG_DIR": str(tmp_path), "OUTCROP_DATA_DIR": str(tmp_path)}
    for path, words in (
        ("/dev/zero", "no regular file"),
        (str(tmp_path), "regular|read"),
        ("~nobody-at-all/x", "read"),
    ):
        with pytest.raises(InputError, match=words):
            settings_and_playback(Namespace(replay=path), environ)


def test_what_was_made_of_a_call_s_arguments_comes_back_also_where_it_is_nothing() -> None:
    for record in (
        CallRecord("c", CallState.DONE, "", "", False, 0.0, 0.0),
        CallRecord("c", CallState.WAITING),
        CallRecord("c", CallState.DONE, "{}", "out", True, 5.0, None),
    ):
        assert CallRecord.from_json(record.as_json()) == record
    assert CallRecord.from_json({"state": "done", "started_at": 10**400}) == CallRecord("", CallState.DONE)
    assert Controls.from_json({"temperature": 10**400, "top_p": float("inf"), "effort": ""}) == Controls()


def test_an_empty_part_of_a_markdown_file_is_no_message() -> None:
    data = b"<!-- outcrop: user -->\n\nHi\n\n<!-- outcrop: assistant -->\n\nHo\n\n<!-- outcrop: user -->\n\n"
    held, _ = read_markdown(data, "c", iter("abc").__next__, 1.0, lambda _: None)
    assert [(turn.prompt, turn.text) for turn in held.path()] == [("Hi", "Ho")]


@pytest.mark.parametrize("index", [[], {}, "message", "reasoning", None])
def test_a_tool_call_of_any_index_is_a_call(index: Any) -> None:
    answer = CompletionAnswer()
    call = {"index": index, "id": "c", "function": {"name": "look", "arguments": "{}"}}
    delta = {"content": "Hi", "tool_calls": [call]}
    events = [*answer.chunk({"choices": [{"delta": delta, "finish_reason": "tool_calls"}]}), *answer.end()]
    assert isinstance(events[-1], ResponseEnded)
    assert [item["type"] for item in events[-1].response["output"]] == ["message", "function_call"]


def test_a_required_name_that_is_a_list_is_said_to_be_no_property():
    schema = {"type": "object", "additionalProperties": False, "properties": {}, "required": [[], "x"]}

    assert [problem.text for problem in check_schema(schema)] == ["[] is no property", "x is no property"]
