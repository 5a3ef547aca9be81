from __future__ import annotations

import base64
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tui.wire.redact import MASK, Redactor, StreamRedactor, TextRedactor, masked_headers

TOKEN = "bedrock-api-key-YmVkcm9jay5hbWF6b25hd3MuY29tLz9BY3Rpb249Q2FsbFdpdGhCZWFyZXJUb2tlbg==&Version=1+/x"


def forms() -> list[bytes]:
    padded = [base64.b64encode(prefix.encode() + TOKEN.encode()) for prefix in ("", "x", "xy", "Bearer ")]
    return [TOKEN.encode(), quote(TOKEN, safe="").encode(), *padded]


@pytest.mark.parametrize("form", forms())
def test_every_form_is_masked(form: bytes) -> None:
    masked = Redactor(TOKEN).bytes(b"before " + form + b" after")
    assert TOKEN.encode() not in masked
    assert base64.b64encode(TOKEN.encode())[4:-8] not in masked
    assert MASK.encode() in masked
    assert masked.startswith(b"before ")
    assert masked.endswith(b" after")


@pytest.mark.parametrize("form", forms())
def test_a_cut_through_the_secret_does_not_let_it_pass(form: bytes) -> None:
    whole = b'{"echo":"' + form + b'"}\n\n'
    expected = Redactor(TOKEN).bytes(whole)
    for cut in range(1, len(whole)):
        stream = StreamRedactor(Redactor(TOKEN))
        first = stream.feed(whole[:cut])
        rest = stream.feed(whole[cut:]) + stream.finish()
        assert first + rest == expected
        assert TOKEN[:12].encode() not in first


@given(st.lists(st.binary(max_size=60), max_size=12))
def test_a_stream_without_the_secret_is_not_changed(pieces: list[bytes]) -> None:
    stream = StreamRedactor(Redactor(TOKEN))
    assert b"".join([*(stream.feed(piece) for piece in pieces), stream.finish()]) == b"".join(pieces)


def test_what_cannot_be_the_secret_is_not_held_back() -> None:
    stream = StreamRedactor(Redactor(TOKEN))
    assert stream.feed(b"data: {}\n\n") == b"data: {}\n\n"


def test_headers_are_masked_by_name_and_by_value() -> None:
    raw = [
        (b"Authorization", b"Bearer " + TOKEN.encode()),
        (b"Set-Cookie", b"session=1"),
        (b"X-Echo", b"you sent " + TOKEN.encode()),
        (b"Content-Type", b"application/json"),
    ]
    assert masked_headers(raw, Redactor(TOKEN)) == (
        ("Authorization", f"Bearer {MASK}"),
        ("Set-Cookie", MASK),
        ("X-Echo", f"you sent {MASK}"),
        ("Content-Type", "application/json"),
    )


def test_the_sandbox_s_published_token_is_a_word_like_any_other() -> None:
    assert Redactor("sandbox").text("I am the sandbox") == "I am the sandbox"


def test_repr_does_not_show_the_secret() -> None:
    assert TOKEN not in repr(Redactor(TOKEN))


@pytest.mark.parametrize("form", ["text", "base64", "url", "json"])
@pytest.mark.parametrize("size", [1, 2, 7, 40, 1000])
def test_a_token_cut_across_deltas_is_masked(form: str, size: int) -> None:
    token = "bedrock-api-key-" + base64.b64encode(bytes(range(90, 250))).decode() + "+/="
    written = {
        "text": token,
        "base64": base64.b64encode(b"ab" + token.encode() + b"c").decode(),
        "url": quote(token, safe=""),
        "json": token.replace("/", "\\/"),
    }[form]
    text = f"Your key {written} is wrong; be brave, bedrock is bare: b"
    redactor = TextRedactor(Redactor(token))
    got = [redactor.feed(text[at : at + size]) for at in range(0, len(text), size)] + [redactor.finish()]
    shown = "".join(got)
    assert shown.count("[token]") == 1
    assert shown.endswith(" is wrong; be brave, bedrock is bare: b")
    assert shown.startswith("Your key ")
    core = written[24:-8]
    assert core not in shown
    assert len(shown) < 120


def test_deltas_without_a_token_pass_as_they_come_and_a_cut_token_stays_masked() -> None:
    token = "bedrock-api-key-" + "QUJD" * 40
    redactor = TextRedactor(Redactor(token))
    for delta in ("b", "ed", "rock", " is é🙂", "\ud83d", "be"):
        assert redactor.feed(delta) == delta
    assert redactor.finish() == ""
    for at in range(0, 100, 10):
        redactor.feed(token[at : at + 10])
    assert redactor.finish() == "[token]"
