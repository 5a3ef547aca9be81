from __future__ import annotations

import base64
import re
from urllib.parse import quote, unquote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tui.wire.redact import MASK, Redactor, StreamRedactor, TextRedactor, masked_headers

TOKEN = "bedrock-api-key-YmVkcm9jay5hbWF6b25hd3MuY29tLz9BY3Rpb249Q2FsbFdpdGhCZWFyZXJUb2tlbg==&Version=1+/x"


REDACTOR = Redactor(TOKEN)


def escaped(token: str, kept: str) -> str:
    return "".join(each if each in kept else f"\\u{ord(each):04x}" for each in token)


def forms(token: str = TOKEN) -> dict[str, bytes]:
    """How a server may write the token."""
    url = quote(token, safe="")
    letters = "".join(filter(str.isalnum, token))
    made = {
        "text": token,
        "a slash escaped": token.replace("/", "\\/"),
        "signs escaped": escaped(token, letters),
        "signs escaped, capital digits": re.sub(
            "u00..", lambda found: "u" + found[0][1:].upper(), escaped(token, letters)
        ),
        "all escaped": escaped(token, ""),
        "URL": url,
        "URL, small digits": re.sub("%..", lambda found: found[0].lower(), url),
        "URL of every character": "".join(f"%{ord(each):02X}" for each in token),
    }
    for shift in range(3):
        encoded = base64.b64encode(b"xyz"[:shift] + token.encode() + b" and more"[: -shift or None])
        made[f"base64, {shift}"] = encoded.decode()
        made[f"base64 for URLs, {shift}"] = encoded.decode().replace("+", "-").replace("/", "_")
        made[f"base64 in JSON, {shift}"] = encoded.decode().replace("/", "\\/")
        made[f"base64 in a URL, {shift}"] = quote(encoded, safe="")
    made |= {"hexadecimal": token.encode().hex(), "hexadecimal capitals": token.encode().hex().upper()}
    wide = {f"UTF-16, {order}": token.encode(f"utf-16-{order}") for order in ("le", "be")}
    return {**{name: form.encode() for name, form in made.items()}, **wide}


FORMS = forms()


def plain(data: bytes) -> str:
    """What a reader makes of it who undoes the escapes."""
    text = data.replace(b"\0", b"").decode("latin-1")
    text = re.sub(r"\\u00([0-9A-Fa-f]{2})", lambda found: chr(int(found[1], 16)), text).replace("\\/", "/")
    return unquote(text)


def tells(data: bytes) -> bool:
    """Whether anything of the token beyond its common beginning can be read in this."""
    text = plain(data)
    parts = [TOKEN[at : at + 12] for at in range(20, len(TOKEN) - 12)]
    for shift in range(3):
        encoded = base64.b64encode(b"xyz"[:shift] + TOKEN.encode()).decode()
        parts += [encoded[at : at + 12] for at in range(36, len(encoded) - 20)]
        parts += [part.replace("+", "-").replace("/", "_") for part in parts[-80:]]
    digits = TOKEN.encode().hex()
    parts += [digits[at : at + 24] for at in range(40, len(digits) - 24)]
    return any(part in text or part in text.lower() for part in parts)


@pytest.mark.parametrize("name", FORMS)
def test_a_token_is_masked_in_every_form_wherever_it_is_cut(name: str) -> None:
    whole = b'{"echo":"' + FORMS[name] + b'"}\n\n'
    assert tells(whole)
    expected = REDACTOR.bytes(whole)
    assert MASK in plain(expected)
    assert plain(expected).startswith('{"echo":"')
    assert plain(expected).endswith('"}\n\n')
    assert not tells(expected)
    for cut in range(1, len(whole)):
        stream = StreamRedactor(REDACTOR)
        first = stream.feed(whole[:cut])
        assert first + stream.feed(whole[cut:]) + stream.finish() == expected
        assert not tells(first)
    for size in (1, 2, 3, 7, 50):
        stream = StreamRedactor(REDACTOR)
        got = [stream.feed(whole[at : at + size]) for at in range(0, len(whole), size)]
        assert b"".join([*got, stream.finish()]) == expected


def one_letter_escaped(kind: str) -> bytes:
    return (TOKEN[:30] + kind.format(ord(TOKEN[30])) + TOKEN[31:]).encode()


ONE_ESCAPED = {kind: one_letter_escaped(kind) for kind in ("%{:02x}", "\\u{:04X}")}


@pytest.mark.parametrize("form", [*FORMS.values(), *ONE_ESCAPED.values()], ids=[*FORMS, *ONE_ESCAPED])
def test_a_token_is_masked_among_many_bytes_wherever_it_is_cut(form: bytes) -> None:
    many = b'event: x\ndata: {"delta":"bedrock-api-key-","said":"b\\n"}\n\n' * 60
    assert StreamRedactor(REDACTOR).passes(many + b"." * 1000)
    masked = REDACTOR.bytes(form)
    assert MASK in plain(masked) and not tells(masked)
    assert REDACTOR.bytes(many + form + many) == many + masked + many
    for cut in (*range(12), *range(12, len(form), 11), len(form) - 1, len(form)):
        stream = StreamRedactor(REDACTOR)
        first = stream.feed(many + form[:cut])
        assert not tells(first[len(many) - 100 :])
        assert first + stream.feed(form[cut:] + many) + stream.finish() == many + masked + many


@pytest.mark.parametrize("name", FORMS)
def test_a_token_is_masked_in_deltas_wherever_they_are_cut(name: str) -> None:
    text = f"Your key {FORMS[name].decode('latin-1')} is wrong; be brave, bedrock is bare: b"
    expected = REDACTOR.text(text)
    assert MASK in plain(expected.encode())
    for cut in range(1, len(text)):
        redactor = TextRedactor(REDACTOR)
        first = redactor.feed(text[:cut])
        shown = first + redactor.feed(text[cut:]) + redactor.finish()
        assert not tells(first.encode())
        assert not tells(shown.encode())
        assert shown.endswith(" is wrong; be brave, bedrock is bare: b")


def test_a_stream_that_ends_within_the_token_does_not_tell_it() -> None:
    for end in range(1, len(TOKEN)):
        stream = StreamRedactor(REDACTOR)
        shown = stream.feed(b"x " + TOKEN[:end].encode()) + stream.finish()
        assert TOKEN[:21].encode() not in shown


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


def test_deltas_without_a_token_pass_as_they_come_and_a_cut_token_stays_masked() -> None:
    token = "bedrock-api-key-" + "QUJD" * 40
    redactor = TextRedactor(Redactor(token))
    for delta in ("b", "ed", "rock", " is é🙂", "\ud83d", "be"):
        assert redactor.feed(delta) == delta
    assert redactor.finish() == ""
    for at in range(0, 100, 10):
        redactor.feed(token[at : at + 10])
    assert redactor.finish() == "[token]"
