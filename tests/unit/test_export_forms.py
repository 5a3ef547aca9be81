"""Exports as text: quoting, secrets, files beside them, and HAR. That they run is shown in tests/e2e."""

from __future__ import annotations

import ast
import base64
import json
import shlex
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.exchanges import URL, created, made_up
from support.har_schema import HAR

from tui.arguments import build_parser
from tui.core.errors import InputError
from tui.core.exchange import Chunk, Exchange, Timings
from tui.core.export import FORMS, Unsupported, export, export_har
from tui.core.export.python import CHAT_PARAMETERS, SDK_PARAMETERS
from tui.core.items import Outcome

BODY: dict[str, Any] = {"model": "openai.gpt-5.4", "input": "Hi", "store": False, "stream": True}


def words(text: str) -> list[str]:
    """The words of a command; a backslash at the end of a line is no word to a shell."""
    return [word for word in shlex.split(text, comments=True) if word != "\n"]


@given(st.text(st.characters(codec="utf-8"), max_size=200))
def test_a_shell_reads_the_body_that_was_sent(text: str) -> None:
    exchange = made_up({**BODY, "input": text})
    for form, option in (("curl", "--data-raw"), ("httpie", "--raw")):
        made = export(exchange, form)
        found = words(made.text)
        if made.files:
            assert made.files[0].data == exchange.request_body
            assert any(word.endswith("@" + made.files[0].name) for word in found)
        else:
            assert found[found.index(option) + 1].encode() == exchange.request_body


@given(
    st.dictionaries(
        st.text(st.characters(codec="utf-8")), st.none() | st.floats() | st.text() | st.booleans()
    )
)
def test_the_python_program_has_the_values_that_were_sent(metadata: dict[str, Any]) -> None:
    exchange = made_up({**BODY, "metadata": metadata})
    for form in ("httpx", "python"):
        try:
            text = export(exchange, form).text
        except Unsupported:
            assert "\\ud" in json.dumps(metadata) or exchange.request_body == b""
            continue
        body = next(
            (
                node.value
                for node in ast.parse(text).body
                if isinstance(node, ast.Assign) and _is(node, "body")
            ),
            None,
        )
        if body is None:
            continue
        value = eval(compile(ast.Expression(body), "body", "eval"), {"float": float})
        assert json.dumps(value) == json.dumps({**BODY, "metadata": metadata})


def _is(node: ast.Assign, name: str) -> bool:
    return isinstance(node.targets[0], ast.Name) and node.targets[0].id == name


def test_what_may_not_be_lost_in_a_command() -> None:
    exchange = replace(
        made_up(BODY, url=URL + "?a=[1]&b='x y'"),
        request_headers=(
            ("Accept", "text/event-stream"), ("OpenAI-Project", "it's $HOME"), ("X-Empty", ""),
            ("X-Odd", "=@:x"), ("Authorization", "Bearer [token]"), ("Cookie", "[token]"),
            ("X-Api-Key", "[token]"), ("X-Stainless-OS", "x"),
        ),
    )  # fmt: skip
    curl = export(exchange, "curl").text
    assert words(curl) == [
        "curl", "-sS", "-N", "--globoff", URL + "?a=[1]&b='x y'",
        "-H", "Authorization: Bearer $AWS_BEARER_TOKEN_BEDROCK", "-H", "Accept: text/event-stream",
        "-H", "OpenAI-Project: it's $HOME", "-H", "X-Empty;", "-H", "X-Odd: =@:x",
        "--data-raw", exchange.request_body.decode(),
    ]  # fmt: skip
    assert '-H "Authorization: Bearer $AWS_BEARER_TOKEN_BEDROCK"' in curl
    httpie = words(export(exchange, "httpie").text)
    assert httpie[:5] == ["http", "--ignore-stdin", "--stream", "POST", URL + "?a=[1]&b='x y'"]
    assert httpie[5:-2] == [
        "Authorization:Bearer $AWS_BEARER_TOKEN_BEDROCK", "Accept:text/event-stream",
        "OpenAI-Project:it's $HOME", "X-Empty;", "X-Odd: =@:x",
    ]  # fmt: skip
    for form in (name for name, form in FORMS.items() if form.is_for(exchange)):
        assert "[token]" not in export(exchange, form).text.replace("Cookie: [token]", "").replace(
            "X-Api-Key: [token]", ""
        ).replace('"value": "[token]"', "")


def test_the_guide_s_way_to_make_the_client() -> None:
    for url, client in (
        (URL, 'provider=bedrock(region=\'us-west-2\', api_key=os.environ["AWS_BEARER_TOKEN_BEDROCK"])'),
        (
            "https://bedrock-runtime.eu-west-1.amazonaws.com/openai/v1/responses",
            'provider=bedrock(endpoint="runtime", region=\'eu-west-1\', '
            'api_key=os.environ["AWS_BEARER_TOKEN_BEDROCK"])',
        ),
        ("http://127.0.0.1:8080/openai/v1/responses", "base_url='http://127.0.0.1:8080/openai/v1'"),
        ("https://bedrock-mantle.us-west-2.api.aws/v1/responses", "base_url='https://bedrock-mantle.us-west-2.api.aws/v1'"),
    ):  # fmt: skip
        text = export(made_up(BODY, url=url), "python").text
        assert client in text
        assert ("from openai.providers import bedrock" in text) is ("provider=" in client)
        assert "client.responses.create(" in text


def test_the_sdk_takes_what_is_given_to_it_by_name() -> None:
    code = (
        "import inspect, openai.resources.responses as r;"
        "print(' '.join(inspect.signature(r.Responses.create).parameters))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True
    )
    assert set(done.stdout.split()) >= SDK_PARAMETERS
    chat = code.replace("responses", "chat.completions").replace("Responses", "Completions")
    done = subprocess.run(
        [sys.executable, "-c", chat], capture_output=True, text=True, timeout=60, check=True
    )
    assert set(done.stdout.split()) >= CHAT_PARAMETERS
    text = export(made_up({**BODY, "brand_new": {"a": 1}}), "python").text
    assert "extra = {name: body.pop(name) for name in ['brand_new']}" in text
    assert "extra_body=extra," in text


def test_a_body_that_no_client_would_write_so_goes_byte_for_byte_or_not_at_all() -> None:
    odd = made_up(b'{"a": 1, "a": 2.50}')
    assert 'content = \'{"a": 1, "a": 2.50}\'.encode()' in export(odd, "httpx").text
    with pytest.raises(Unsupported, match="Export it as httpx or curl"):
        export(odd, "python")
    binary = made_up(b"\xff\x00@")
    assert export(binary, "curl").files[0].data == b"\xff\x00@"
    assert export(binary, "httpx").files[0].data == b"\xff\x00@"
    with pytest.raises(Unsupported, match="no call for PUT"):
        export(made_up(BODY, method="PUT"), "python")
    with pytest.raises(Unsupported, match="no call for this request"):
        export(made_up(method="GET", url="https://x.test/v1/models"), "python")


def test_files_beside_it_have_names_of_their_own() -> None:
    def part(name: str, data: bytes) -> dict[str, str]:
        url = "data:application/pdf;base64," + base64.b64encode(data).decode()
        return {"type": "input_file", "filename": name, "file_data": url}

    parts = [
        part("../../a b.pdf", b"one"),
        part("a b.pdf", b"two"),
        part("a b.pdf", b"two"),
        part("", b"three"),
    ]
    exchange = made_up({**BODY, "input": [{"role": "user", "content": parts}]})
    made = export(exchange, "httpx", "/tmp/some where/")
    names = [(file.name, file.data) for file in made.files]
    assert names == [("a-b.pdf", b"one"), ("a-b-2.pdf", b"two"), ("exchange-1.1.pdf", b"three")]
    assert "HERE = Path('/tmp/some where/')" in made.text
    assert made.text.count("data_url('a-b-2.pdf', 'application/pdf')") == 2
    curl = export(exchange, "curl", "/tmp/some where/")
    assert words(curl.text)[-1] == "@/tmp/some where/exchange-1.1.body.json"
    assert [file.data for file in curl.files] == [exchange.request_body]


def test_the_command_line_offers_every_form() -> None:
    for form in FORMS:
        options = build_parser().parse_args(["inspect", "export", "last", "--as", form])
        assert (options.form, FORMS[form].name) == (form, form)
    with pytest.raises(InputError, match="choose from") as refused:
        build_parser().parse_args(["inspect", "export", "last", "--as", "x"])
    assert all(form in str(refused.value) for form in FORMS)


def test_raw_http_and_the_body() -> None:
    exchange = made_up({**BODY, "input": "é"})
    made = export(exchange, "http")
    head, _, body = made.data.partition(b"\r\n\r\n")
    assert head.split(b"\r\n") == [
        b"POST /openai/v1/responses HTTP/1.1",
        b"Host: bedrock-mantle.us-west-2.api.aws",
        b"Accept: application/json",
        b"Content-Type: application/json",
        b"User-Agent: x/1",
        b"X-Stainless-Lang: python",
        b"Authorization: Bearer $AWS_BEARER_TOKEN_BEDROCK",
        b"Content-Length: %d" % len(exchange.request_body),
    ]
    assert body == exchange.request_body
    assert export(exchange, "json").data == exchange.request_body
    with pytest.raises(Unsupported, match="has no body"):
        export(made_up(method="GET"), "json")


def several() -> list[Exchange]:
    refused = made_up(
        b"\xff", number=2, status=400, outcome=Outcome.FAILED, error="No.", url=URL + "?a=1&b=",
        chunks=[Chunk(0.2, b"\xfe\xff")], response_headers=(("Location", "/x"),),
        timings=Timings(request_sent=0.1, headers=0.2, first_byte=0.2, ended=0.3),
    )  # fmt: skip
    unreached = made_up(
        method="GET", number=3, outcome=Outcome.FAILED, error="No connection.", timings=Timings(ended=0.5)
    )
    running = made_up(BODY, number=4)
    return [created(BODY, answer="Grüße"), refused, unreached, running]


def test_har_is_what_the_specification_asks_for() -> None:
    archive = json.loads(export_har(several()).data)
    jsonschema.Draft202012Validator(HAR).validate(archive)
    first, refused, unreached, running = archive["log"]["entries"]
    assert first["timings"] == {
        "blocked": -1, "dns": -1, "connect": 200.0, "ssl": 100.0, "send": 10.0, "wait": 40.0,
        "receive": 1450.0,
    }  # fmt: skip
    assert first["time"] == 1700.0
    assert first["startedDateTime"] == "2027-01-15T08:01:00.000Z"
    assert {"name": "Authorization", "value": "Bearer $AWS_BEARER_TOKEN_BEDROCK"} in first["request"][
        "headers"
    ]
    assert json.loads(first["request"]["postData"]["text"]) == BODY
    assert first["response"]["content"]["text"].encode() == created(BODY, answer="Grüße").response_body
    events = first["_eventSourceMessages"]
    assert [event["eventName"] for event in events][0::6] == ["response.created", "response.completed"]
    assert events[0]["time"] == 1_800_000_060.3
    assert refused["request"]["queryString"] == [{"name": "a", "value": "1"}, {"name": "b", "value": ""}]
    assert refused["response"]["content"] == {
        "size": 2, "mimeType": "x-unknown", "text": "/v8=", "encoding": "base64",
    }  # fmt: skip
    assert refused["response"]["redirectURL"] == "/x"
    assert (refused["timings"]["connect"], refused["timings"]["ssl"]) == (-1, -1)
    assert (unreached["response"]["status"], unreached["response"]["_error"]) == (0, "No connection.")
    assert unreached["time"] == 500.0
    assert running["_outcome"] is None
    broken = json.loads(json.dumps(archive))
    del broken["log"]["entries"][0]["timings"]["wait"]
    with pytest.raises(jsonschema.ValidationError, match="'wait' is a required property"):
        jsonschema.Draft202012Validator(HAR).validate(broken)


def test_har_opens_in_a_library(tmp_path: Path) -> None:
    path = tmp_path / "conversation.har"
    path.write_bytes(export_har(several()).data)
    import haralyzer

    parser = haralyzer.HarParser.from_file(str(path))
    assert parser.creator["name"] == "Outcrop"
    entries = parser.har_data["entries"]
    assert len(entries) == 4
    opened = haralyzer.HarEntry(entries[0])
    assert (opened.request.method, opened.request.url, opened.status) == ("POST", URL, 200)
    assert opened.request.mimeType == "application/json"
    assert opened.response.mimeType == "text/event-stream"
    assert opened.time == 1700
    assert opened.timings["ssl"] == 100
