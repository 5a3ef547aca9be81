"""What a key says of itself, and what typed text makes a token."""

from __future__ import annotations

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.keyring_support import NOW, short_term_token

from tui.core.errors import TokenMissing, TokenUnusable
from tui.core.token import TokenInfo, check, clean_token, duration, parse_token


def test_a_short_term_key_tells_region_and_expiry():
    info = parse_token(short_term_token("us-gov-west-1", life=3600))
    assert info == TokenInfo("short-term", "us-gov-west-1", NOW + 3600)


def test_the_encoding_may_be_url_safe_and_unpadded():
    token = short_term_token()
    plain = base64.b64decode(token.removeprefix("bedrock-api-key-")) + b"&x=>>>???"
    safe = "bedrock-api-key-" + base64.urlsafe_b64encode(plain).decode().rstrip("=")
    assert parse_token(safe) == parse_token(token)


@pytest.mark.parametrize(
    ("token", "kind"),
    [
        ("sandbox", "sandbox"),
        ("ABSKQmVkcm9ja0FQSUtleS1leGFtcGxl", "long-term"),
        ("whatever", "unknown"),
        ("bedrock-api-key-", "short-term"),
        ("bedrock-api-key-%%%", "short-term"),
        ("bedrock-api-key-" + base64.b64encode(b"\xff\xfe").decode(), "short-term"),
    ],
)
def test_kinds(token, kind):
    assert parse_token(token) == TokenInfo(kind)


@pytest.mark.parametrize(
    ("query", "region", "expires"),
    [
        ("X-Amz-Credential=A/d/us-west-2/bedrock/aws4_request", "us-west-2", None),
        ("X-Amz-Credential=A/d/not a region/bedrock/aws4_request", None, None),
        ("X-Amz-Credential=A/us-west-2", None, None),
        ("X-Amz-Date=20261122T120000Z&X-Amz-Expires=60", None, NOW + 60),
        ("X-Amz-Date=20261122T120000Z&X-Amz-Expires=-60", None, None),
        ("X-Amz-Date=20261122T120000Z&X-Amz-Expires=" + "9" * 99, None, None),
        ("X-Amz-Date=yesterday&X-Amz-Expires=60", None, None),
    ],
)
def test_parts_that_are_missing_or_odd_are_unknown(query, region, expires):
    token = "bedrock-api-key-" + base64.b64encode(f"bedrock.amazonaws.com/?{query}".encode()).decode()
    assert parse_token(token) == TokenInfo("short-term", region, expires)


@given(st.one_of(st.text(), st.binary().map(lambda raw: base64.b64encode(raw).decode())))
def test_reading_a_key_never_fails(tail):
    assert parse_token("bedrock-api-key-" + tail).kind == "short-term"


def test_nothing_that_is_read_shows_the_key():
    token = short_term_token()
    shown = repr(parse_token(token))
    assert "5ec7e7" not in shown and "ASIAEXAMPLE" not in shown and token not in shown


def test_a_key_is_checked_against_region_and_clock():
    info = parse_token(short_term_token("us-east-1", life=3600))
    assert check(info, "us-east-1", NOW) is None
    assert check(info, "us-east-1", NOW + 3599) is None
    expired = check(info, "us-east-1", NOW + 3600 + 5 * 60)
    assert isinstance(expired, TokenUnusable)
    assert "expired at 2026-11-22 13:00 UTC, 5 min ago" in str(expired)
    foreign = check(info, "us-west-2", NOW)
    assert "made for us-east-1" in str(foreign) and "us-west-2" in str(foreign)
    for kind in ("long-term", "unknown", "sandbox"):
        assert check(TokenInfo(kind), "us-west-2", NOW) is None


@pytest.mark.parametrize(
    "typed",
    [
        "key",
        "  key\n",
        "\r\nkey\r\n",
        "'key'",
        '"key"',
        "Bearer key",
        "bearer  key",
        "\ufeffkey",
        '\n" key "\n',
        '\ufeff"key"',
        '"\ufeffkey"',
        "“key”",
        "‘key’",
        "`key`",
        "\u200b\u2060key\u200d",
        "'Bearer \"key\"'",
        "\u00a0key",
    ],
)
def test_what_is_around_a_token_is_trimmed(typed):
    assert clean_token(typed) == "key"


@pytest.mark.parametrize("typed", ["", "  \n", "''", "Bearer ", '" "', "\ufeff''", "“”"])
def test_an_empty_token_is_missing(typed):
    with pytest.raises(TokenMissing):
        clean_token(typed)


@pytest.mark.parametrize(
    "typed",
    [
        "SEC RET",
        "SEC\nRET",
        "SEC\x00RET",
        "SECRET\N{LATIN SMALL LETTER E WITH ACUTE}",
        "SEC\x1bRET",
        "SEC\rRET",
        "SEC\u202eRET",
        "SEC\udce9RET",
        "SEC\ufeffRET",
        "SEC\x7fRET",
        "'SECRET\"é",
        "SECRET" * 1366,
    ],
)
def test_a_token_no_header_could_carry_is_refused_without_being_shown(typed):
    with pytest.raises(TokenUnusable) as caught:
        clean_token(typed)
    assert "SEC" not in str(caught.value) and "RET" not in str(caught.value)


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (-5, "0 s"),
        (59.9, "59 s"),
        (60, "1 min"),
        (3600, "1 h"),
        (11_100, "3 h 5 min"),
        (49 * 3600, "2 days"),
    ],
)
def test_durations(seconds, words):
    assert duration(seconds) == words
