"""Files that people write or pass on, broken in every way: read, or refused in a sentence that says where."""

from __future__ import annotations

import json
import os
import random
import re
import tempfile
import tomllib
import tracemalloc
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from io import StringIO
from pathlib import Path
from urllib.parse import urlsplit

from hypothesis import strategies as st
from support.exchanges import created, made_up
from support.fuzzing import COUNTS, FRAGMENTS, SECONDS, broken_everywhere, fuzz, hostile_json, mutated
from support.pdfs import make_pdf
from support.pictures import gif, jpeg, png, webp

from tui.commands import COMMANDS
from tui.config.settings import load_catalogue, load_settings
from tui.config.values import OPTIONS
from tui.core.cassette import cassette_text, read_cassette
from tui.core.controls import Controls
from tui.core.conversation import Conversation
from tui.core.errors import AttachmentError, ConfigError, InputError
from tui.core.exchange import Chunk
from tui.core.images import image_info, image_tokens
from tui.core.items import Item, Outcome, Target, Turn, Usage, user_message
from tui.core.leaving.document import as_document, read_document
from tui.core.leaving.markdown import as_markdown, read_markdown
from tui.core.text import visible_line
from tui.core.tool_calls import CallRecord, CallState
from tui.core.tools import ToolOn, ToolUse
from tui.keys.keymap import check_keymap
from tui.session.attachments import attachment_of
from tui.themes import parse_theme
from tui.wire.playback import PlaybackTransport

FOLDER = Path(tempfile.gettempdir())


def is_a_sentence(error: Exception) -> bool:
    text = str(error)
    return bool(text) and visible_line(text) == text and "Traceback" not in text


# -- the config file -------------------------------------------------------------------------------------

CONFIG = b"""\
model = "openai.gpt-5.4"
region = "eu-central-1"
continuation = "stateless"
theme = "outcrop-light"
max_retries = 3
request_timeout_seconds = 12.5
idle_timeout_seconds = 60
max_display_chars = 100
max_output_tokens = 4096
temperature = 0.5
top_p = 1
stop = ["END", "\\n"]
guardrail = "gr-1"
guardrail_trace = "on"
compact_at = 0.7
server_compaction = true
budget_per_day = "2.50"
attachment_limit_mb = 5
exchanges_max_mb = 0
mouse = false
send_key = "ctrl+s"
newline_key = "enter"
notify = "yes"

[keymap]
"app.quit" = "ctrl+q"
turn.stop = ["escape", "ctrl+x s"]

[profiles.gateway]
base_url = "https://gateway.example/v1"
model = "m"
token_env = "GATEWAY_TOKEN"

[profiles.other]
base_url = "http://127.0.0.1:9/v1"
token_name = "x"
"""
KEYS = sorted({option.key for option in OPTIONS.values() if option.key} | {"keymap", "keys", "profiles"})
TOML_VALUES = (
    b"1", b"-1", b"0", b"0.0", b"nan", b"inf", b"-inf", b"1e400", b"0x" + b"f" * 5000, b"9" * 5000,
    b"true", b'""',
    b"''", b'"\\u0000"', b'"\\ud800"', b'"\\u202e"', b'"\xff"', b"[]", b"[1]", b"[[]]", b"{}", b"{a = 1}",
    b"1979-05-27",
    b"1979-05-27T00:32:00.999999-07:00", b"07:32:00", b'"""\nmodel = 1\n"""', b"[" * 3000 + b"]" * 3000,
    b"'off'",
    b"'" + b"a" * 300 + b"'", b"'bedrock-api-key-AAAA'", b"'https://me:hunter2@host'", b"'mantle'",
    b"2**3", b"'1_000'",
    b"'https://[::1'", b"'https://h:99999999/'", b"'http://10.0.0.1/'", b"'us-west-99'", b"' '", b"'NaN'",
    b"'1e400'", b"'1e999999'", b"'1e-400'",
)  # fmt: skip
LINES = st.one_of(
    st.builds(lambda key, value: key.encode() + b" = " + value + b"\n", st.sampled_from(KEYS),
        st.sampled_from(TOML_VALUES)),
    st.builds(lambda key, value: key + b" = " + value + b"\n",
              st.sampled_from([b"Model", b"token", b"api_key", b"sandbox", b'""', b'"\\u0000"', b"model.x",
                  b"x"]),
              st.sampled_from(TOML_VALUES)),
    st.sampled_from([b"[keys]\n", b"[model]\n", b"[[profiles]]\n", b"[profiles.mantle]\n",
        b"[profiles.'a b']\n",
                     b"[profiles.gateway.x]\n", b"#\n", b"[keymap.a.b]\n", b"[profiles.z]\nbase_url = 3\n"]),
)  # fmt: skip


@st.composite
def configs(draw: st.DrawFn) -> bytes:
    lines = CONFIG.splitlines(keepends=True)
    for _ in range(draw(st.integers(0, 3))):
        at = draw(st.integers(0, len(lines)))
        lines[at : at + draw(st.integers(0, 2))] = [draw(LINES)]
    return b"".join(lines)


@contextmanager
def config_folder() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(dir=FOLDER) as folder:
        yield Path(folder)
        load_catalogue.cache_clear()


@fuzz(st.one_of(configs(), mutated(configs())), examples=60, weight=1.5)
def test_a_config_file_is_taken_whole_or_refused_by_name(data: bytes) -> None:
    with config_folder() as folder:
        check_config(folder, data)


def test_every_setting_takes_any_value_or_refuses_it_by_name_and_line(tmp_path: Path) -> None:
    share = 1.0 if SECONDS else 0.15
    dice = random.Random()
    for key in KEYS:
        for value in TOML_VALUES:
            if dice.random() < share:
                COUNTS["settings given hostile values"] += 1
                refused = check_config(tmp_path, b"# a comment\n" + key.encode() + b" = " + value + b"\n")
                named = "line " in refused or key in ("keymap", "keys", "profiles")
                assert not refused or named or refused.endswith(("thousands of digits.", "too deep.")), (
                    refused
                )


def check_config(folder: Path, data: bytes) -> str:
    """Why a config file is refused; empty where it is taken."""
    path = folder / "config.toml"
    path.write_bytes(data)
    try:
        settings = load_settings({}, {"OUTCROP_CONFIG_DIR": str(folder), "OUTCROP_DATA_DIR": str(folder)})
    except ConfigError as error:
        assert is_a_sentence(error) and str(path) in str(error)
        assert "hunter2" not in str(error) and "bedrock-api-key-AAAA" not in str(error)
        assert len(str(error)) < 3000
        return str(error)
    document = tomllib.loads(data.decode())
    assert set(document) <= set(KEYS)
    profiles = document.get("profiles", {})
    assert all(set(row) <= {"base_url", "model", "token_env", "token_name"} for row in profiles.values())
    assert set(settings.profiles) == set(profiles)
    assert 0 < settings.request_timeout <= 86_400 and 0 < settings.idle_timeout <= 86_400
    assert 0 <= settings.max_retries <= 20 and 0 <= settings.compact_at <= 1
    assert settings.send_key != settings.newline_key
    assert len(f"{settings.budget_per_day or 0:,.2f}{settings.budget_per_conversation or 0:,.2f}") < 60
    for url in (settings.base_url, settings.target().base_url):
        assert urlsplit(url).scheme == "https" or urlsplit(url).hostname in ("127.0.0.1", "localhost")
    shown = " ".join([settings.model, settings.region, settings.theme, *settings.profiles])
    assert visible_line(shown) == shown
    keymap = check_keymap(settings.keymap)
    assert all(map(is_a_sentence, map(Exception, keymap.problems)))
    return ""


# -- the keymap ------------------------------------------------------------------------------------------

IDS = [*(command.id for command in COMMANDS), "leader", "list.up", "no.such", "", "\x1b", "a.b.c"]
KEY_WORDS = st.sampled_from(
    ["ctrl+x", "f5", "escape", "enter", "leader", "a", "A", "?", "+", "ctrl++", ",", " ", "ctrl+",
        "shift+a", "é", "\x1b",
     "Ctrl+Shift+P", "ctrl+ctrl+x", "pgup", "↑", "\ud800", "\u202e", "🙂", "ctrl+x p", "f99",
     "super+hyper+b", "\n", "space",
     "tab", "ctrl+q", "Ctrl+Esc", "ß", "İ", "ctrl+İ"]
)  # fmt: skip
entries = st.lists(KEY_WORDS, max_size=4).flatmap(
    lambda words: st.sampled_from([" ".join(words), ", ".join(words), "".join(words)])
)


@fuzz(st.dictionaries(st.sampled_from(IDS), entries, max_size=8), examples=60)
def test_a_keymap_is_taken_entry_by_entry_and_takes_no_key_twice(wanted: dict[str, str]) -> None:
    keymap = check_keymap(wanted)
    assert all(map(is_a_sentence, map(Exception, keymap.problems)))
    assert set(keymap.changed) <= set(wanted) and set(keymap.keys) == {c.id for c in COMMANDS} | {"leader"}
    refused = {
        id_ for id_ in wanted if id_ not in keymap.changed and id_ not in keymap.others and id_ != "leader"
    }
    assert all(any(id_ in problem for problem in keymap.problems) for id_ in refused)
    assert len(keymap.keys["leader"]) == 1
    for id_ in keymap.changed:
        for key in keymap.keys[id_]:
            assert [other for other, its in keymap.keys.items() if key in its] == [id_], key
        for chord in keymap.chords.get(id_, ()):
            assert [o for o, its in keymap.chords.items() if any(x[: len(chord)] == chord for x in its)] == [
                id_
            ], chord
    for text in (word for id_ in keymap.changed for word in keymap.shown(id_)):
        assert visible_line(text) == text


# -- the catalogue and themes ----------------------------------------------------------------------------

CATALOGUE = b"""\
date = "2026-11-01"
regions = ["eu-west-9"]

[[model]]
id = "openai.gpt-5.4"
label = "Mine"
context = 1000
features = []
recommended = { effort = "low", temperature = 0.5 }
effort_values = ["low", "high"]
price = [{ kind = "in-region", input = 1.5, output = 3, above = 0 }]

[[model]]
id = "own.model"
inputs = ["text"]
place = [{ endpoint = "mantle", regions = ["us-west-2"], apis = ["responses"] }]

[[api]]
name = "responses"
endpoint = "mantle"
features = []
"""
catalogues = st.builds(
    lambda at, line: b"\n".join([*CATALOGUE.split(b"\n")[:at], line, *CATALOGUE.split(b"\n")[at:]]),
    st.integers(0, CATALOGUE.count(b"\n")),
    st.builds(lambda key, value: key + b" = " + value,
              st.sampled_from([b"id", b"label", b"context", b"inputs", b"place", b"price", b"x",
                  b"recommended", b"date",
                               b"cache", b"regions", b"notes", b"effort_values", b"model", b"name"]),
                               st.sampled_from(TOML_VALUES)),
)  # fmt: skip


@fuzz(st.one_of(catalogues, mutated(st.just(CATALOGUE)), mutated(catalogues)), examples=40)
def test_a_catalogue_is_laid_over_whole_or_refused_by_name(data: bytes) -> None:
    with config_folder() as folder:
        path = folder / "catalogue.toml"
        path.write_bytes(data)
        try:
            catalogue = load_catalogue(folder)
        except ConfigError as error:
            assert is_a_sentence(error) and str(path) in str(error) and len(str(error)) < 3000
            return
    text = StringIO(data.decode(), newline=None).read()  # its ends of lines are those of any text file
    own = {row["id"] for row in tomllib.loads(text).get("model", [])}
    assert own <= {model.id for model in catalogue.models}
    for model in catalogue.models:
        for place in model.places:
            catalogue.pairing(model.id, "us-west-2", place.endpoint)
        assert all(price.input is None or price.input >= 0 for price in model.prices)
        hash(model.id), str(model.label).encode()


THEME = b"""\
name = "mine"
primary = "#6fb3a6"
secondary = "ansi_red"
background = "rgb(1, 2, 3)"
dark = true
luminosity_spread = 0.15
text_alpha = 0.9

[variables]
border = "#6fb3a6 35%"
"link-style" = "bold"
footer-key-foreground = "auto 50%"
"""
THEME_VALUES = st.sampled_from((*TOML_VALUES,
    b"'#12'", b"'red 300%'", b"'auto'", b"'hsl(400, 200%, 1%)'", b"'rgb(999,0,0)'", b"'transparent'",
    b"'$primary'",
    b"'#6fb3a6 35%'", b"1e308", b"-5", b"'bold red on blue'", b"'[/red]'", b"'a; b: c'", b"'}'",
))  # fmt: skip
themes = st.builds(
    lambda at, line: b"\n".join([*THEME.split(b"\n")[:at], line, *THEME.split(b"\n")[at + 1 :]]),
    st.integers(0, THEME.count(b"\n")),
    st.builds(lambda key, value: key + b" = " + value,
              st.sampled_from([b"name", b"primary", b"luminosity_spread", b"text_alpha", b"dark",
                  b"variables", b"x", b"error",
                               b"'link-style'", b"'a b'", b"''", b"'; x'", b"border", b"ansi",
                               b"'primary'", b"boost"]),
              THEME_VALUES),
)  # fmt: skip


@fuzz(st.one_of(themes, mutated(st.just(THEME)), mutated(themes)), examples=50)
def test_a_theme_is_worn_or_refused_by_name(data: bytes) -> None:
    try:
        text = data.decode()
    except UnicodeDecodeError:
        return
    try:
        theme = parse_theme(text, name="mine", where="mine.toml")
    except ConfigError as error:
        assert is_a_sentence(error) and "mine.toml" in str(error) and len(str(error)) < 3000
        return
    assert set(tomllib.loads(text)) <= set(asdict(theme))
    variables = {**theme.to_color_system().generate(), **theme.variables}
    from textual.css.parse import parse
    from textual.css.tokenize import tokenize_values

    # What the app does with it: every variable is read as CSS, and the sheet that uses it is.
    tokens = tokenize_values(variables)
    list(
        parse(
            "", "A { color: $primary; background: $background; }", ("", ""), variables, variable_tokens=tokens
        )
    )


# -- cassettes -------------------------------------------------------------------------------------------

ASKED = {"model": "m", "input": [{"role": "user", "content": "one"}], "stream": True}
TALK = [
    made_up(ASKED, number=1, turn_id="t1", status=429, chunks=[Chunk(0.2, b"\xff no")],
        outcome=Outcome.FAILED,
            error="HTTP status 429", http_version="HTTP/1.1", model="m"),
    created(ASKED, number=2, turn_id="t1", attempt=2, answer="Grüße"),
    made_up(None, number=4, method="GET", url="https://h/openai/v1/responses/resp_2?x=1"),
]  # fmt: skip
CASSETTE = json.loads(
    cassette_text(TALK, {"model": "m", "region": "us-west-2", "continuation": "stateful", "path": ["t1"]})
)


@fuzz(
    st.one_of(hostile_json(st.just(CASSETTE)), mutated(hostile_json(st.just(CASSETTE)))),
    examples=60,
    weight=1.5,
)
def test_a_cassette_is_read_whole_or_refused_and_takes_no_more_than_its_size(data: bytes) -> None:
    check_cassette(data)


def test_a_cassette_with_anything_in_any_place_is_read_or_refused() -> None:
    for data in broken_everywhere(CASSETTE, 1.0 if SECONDS else 0.06):
        check_cassette(data)


def check_cassette(data: bytes) -> None:
    tracemalloc.start()
    try:
        cassette = read_cassette(data)
    except InputError as error:
        assert is_a_sentence(error) and len(str(error)) < 1000
        return
    finally:
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert peak < 40 * len(data) + 200_000
    assert isinstance(cassette.base_url, str)
    for value in (cassette.conversation.get(name) for name in ("model", "region", "continuation", "api")):
        assert value is None or isinstance(value, str)
    for prompt in cassette.prompts:
        assert isinstance(prompt.payload, dict)
    for one in cassette.exchanges:
        texts = (
            one.method,
            one.url,
            one.turn_id,
            one.model,
            one.http_version,
            *(x for h in one.request_headers for x in h),
        )
        assert all(isinstance(text, str) and text.encode() is not None for text in texts)
        assert one.status is None or (type(one.status) is int and 100 <= one.status <= 599)
        assert b"".join(chunk.data for chunk in one.chunks) == one.response_body
        offsets = [chunk.offset for chunk in one.chunks]
        assert offsets == sorted(offsets) and all(0 <= offset < 1e9 for offset in offsets)
    PlaybackTransport(cassette.exchanges, None)
    # What was read is written and read again as the same.
    again = read_cassette(cassette_text(cassette.exchanges, cassette.conversation).encode())
    assert again.conversation == cassette.conversation
    for mine, its in zip(cassette.exchanges, again.exchanges, strict=True):
        assert (mine.url, mine.status, mine.response_body, mine.timings) == (
            its.url,
            its.status,
            its.response_body,
            its.timings,
        )


# -- conversations that come in --------------------------------------------------------------------------

PLACE = Target("m", "us-west-2", "mantle", "https://h/openai/v1")
CALLED = {"type": "function_call", "id": "fc_1", "call_id": "call_1", "name": "weigh", "arguments": "{}"}
HELD = Conversation(
    "c1", 1.0, title="Rocks", instructions="Be brief.", model="m", region="us-west-2", endpoint="mantle",
    api="responses",
    controls=Controls(effort="low", max_output_tokens=100, temperature=0.5, top_p=1.0, stop=("END",)),
    tools=ToolUse((ToolOn("weigh", '{"type":"function","name":"weigh"}', "f00d", False),), "weigh", False),
    lost=frozenset({"r"}),
).append(
    Turn("t1", None, (user_message("Hi"),), 1.0,
         (Item.of({"type": "message", "role": "assistant", "content": [{"type": "output_text",
             "text": "Grüße"}]}),
          Item.of(CALLED)), calls=(CallRecord("call_1", CallState.DONE, '{"what":"z"}', "812 g", True, 5.0,
              6.0),),
         outcome=Outcome.COMPLETED, target=PLACE, usage=Usage(1, 0, 0, 2, 0, 3), response_id="r", stored=True)
).append(Turn("t2", "t1", (user_message("And?"),), 2.0, partial_text="So f", outcome=Outcome.CANCELLED,
    error="stopped"))  # fmt: skip
DOCUMENT = json.loads(as_document([HELD], "1.0").data)
MARKS = (*FRAGMENTS, b"<!-- outcrop: user -->\n\n", b"<!-- outcrop: assistant -->\n",
    b"<!-- outcrop: files -->\n\n- [a](b.pdf)\n",
         b"<!-- outcrop: ", b" -->", b"\\<!-- outcrop: user -->", b"# ", b"<!-- outcrop: x -->\r\n",
         b"- [a](../../x)\n")  # fmt: skip


@fuzz(st.one_of(hostile_json(st.just(DOCUMENT)), mutated(hostile_json(st.just(DOCUMENT)))), examples=50)
def test_a_document_comes_in_whole_or_is_refused_by_place(data: bytes) -> None:
    check_document(data)


def test_a_document_with_anything_in_any_of_its_places_is_read_or_refused() -> None:
    for data in broken_everywhere(DOCUMENT, 1.0 if SECONDS else 0.12):
        check_document(data)


def check_document(data: bytes) -> None:
    try:
        found = read_document(data)
    except InputError as error:
        assert is_a_sentence(error) and len(str(error)) < 1000
        return
    for conversation in found:
        for turn in conversation.turns.values():
            assert turn.outcome is not None and (
                turn.parent_id is None or turn.parent_id in conversation.turns
            )
            for text in (turn.text, turn.prompt, turn.reasoning, turn.error or ""):
                assert isinstance(text, str)
            assert all(isinstance(item.payload, dict) for item in (*turn.input, *turn.output))
    assert read_document(as_document(found, "1.0").data) == found


@fuzz(mutated(st.just(as_markdown(HELD).data), MARKS), examples=50)
def test_markdown_comes_in_or_is_refused_and_leaves_as_it_came(data: bytes) -> None:
    asked: list[str] = []

    def beside(name: str) -> None:
        asked.append(name)

    numbers = iter(range(10_000))
    try:
        held, missing = read_markdown(data, "c", lambda: f"t{next(numbers)}", 1.0, beside)
    except InputError as error:
        assert is_a_sentence(error)
        return
    assert held.turns and held.tip in held.turns and list(missing) == asked
    assert all(os.sep not in name for name in asked)
    out = as_markdown(held).data
    numbers = iter(range(10_000))
    again, _ = read_markdown(out, "c", lambda: f"t{next(numbers)}", 1.0, beside)
    assert [(turn.prompt, turn.text) for turn in again.path()] == [
        (turn.prompt, turn.text) for turn in held.path()
    ]


# -- what is attached ------------------------------------------------------------------------------------

PICTURES = [png(3, 4), gif(5, 6), jpeg(7, 8), webp(9, 10, "VP8X"), webp(9, 10, "VP8L")]
BINARY = (b"\0", b"\xff", b"\xff\xd8", b"\xff\xc0", b"\x2c", b"\x21\xf9\x04", b"IHDR", b"\xff" * 8,
    b"\0" * 8, b"RIFF", b"VP8X",
          b"%PDF-1.7\n", b"\x89PNG\r\n\x1a\n", b"GIF89a")  # fmt: skip


@fuzz(mutated(st.sampled_from(PICTURES), BINARY), examples=80)
def test_a_picture_s_size_is_read_or_it_is_none(data: bytes) -> None:
    found = image_info(data)
    if found is not None:
        assert 0 < found.width < 2**32 and 0 < found.height < 2**32 and found.media_type.startswith("image/")
        assert image_tokens(found.width, found.height) < 10_000
    for cut in (1, len(data) // 2, len(data) - 1):
        image_info(data[: max(0, cut)])


PDF_PARTS = (b"/Count 99999999", b"/Kids [1 0 R]", b"/Parent 1 0 R", b"/Length 99999999",
    b"/Filter /FlateDecode", b"xref\n",
             b"startxref\n0\n", b"trailer\n", b"<< >>", b"endobj", b"/Encrypt 1 0 R", b"[" * 2000,
             b"<<" * 2000, b"(" * 2000,
             b"%PDF-1.7\n", b"\0", b"\xff", b"-1", b"9" * 30, b"/Prev 0")  # fmt: skip


@fuzz(mutated(st.just(make_pdf("Granite", "Basalt")), PDF_PARTS), examples=6, weight=1.5)
def test_a_pdf_is_taken_as_it_is_or_refused_by_name(data: bytes) -> None:
    try:
        found = attachment_of("a.pdf", data, limit=1_000_000)
    except AttachmentError as error:
        assert is_a_sentence(error) and "a.pdf" in str(error)
        return
    assert found.data == data and (found.pages or found.width or found.doubt)
    assert re.fullmatch("[0-9a-f]{64}", found.sha256) and found.estimated_tokens >= 0
