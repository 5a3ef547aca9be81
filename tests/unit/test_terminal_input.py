"""What a terminal sends is taken apart into keys and pastes; a paste presses no key, no byte ends it all."""

from __future__ import annotations

import random
from collections.abc import Iterable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from textual import events

from tui.terminal.driver import KeyReader, Paste
from tui.terminal.pastes import Keys, Pasted, Pastes

START, END = b"\x1b[200~", b"\x1b[201~"


def read(*pieces: bytes | float) -> list[Keys | Pasted]:
    """Feed pieces one right after another; a number is a pause in seconds. Keys in a row are joined."""
    pastes, now, found = Pastes(), 0.0, list[Keys | Pasted]()

    def until(then: float) -> None:
        nonlocal now
        while pastes.due is not None and pastes.due <= then:
            now = max(now, pastes.due)
            found.extend(pastes.tick(now))
        now = then

    for piece in (*pieces, 1.0):
        if isinstance(piece, float):
            until(now + piece)
        elif piece:
            found += pastes.feed(piece, now)
            until(now + 0.001)
    assert pastes.due is None
    return joined(found)


def joined(parts: Iterable[Keys | Pasted]) -> list[Keys | Pasted]:
    made: list[Keys | Pasted] = []
    for part in parts:
        if made and isinstance(part, Keys) and isinstance(made[-1], Keys):
            part = Keys(made.pop().data + part.data)
        made.append(part)
    return made


CASES = {
    "keys": ([b"abc\r"], [Keys(b"abc\r")]),
    "a paste": ([b"a", START + b"two\nlines" + END, b"z"], [Keys(b"a"), Pasted(b"two\nlines"), Keys(b"z")]),
    "keys in a paste": ([START + b"\x1b[A\x1bOP\x1b[I\x03\r" + END], [Pasted(b"\x1b[A\x1bOP\x1b[I\x03\r")]),
    "an end mark in it": ([START + b"A" + END + b"B\r" + END], [Pasted(b"A" + END + b"B\r")]),
    "in reads of their own": ([START + b"A" + END, b"B\r", b"C", END], [Pasted(b"A" + END + b"B\rC")]),
    "both marks in it": (
        [START + b"A" + END + b"\r" + START + b"C", b"D", 0.5, b"E" + END],
        [Pasted(b"A" + END + b"\r" + START + b"CDE")],
    ),
    "many end marks in it": ([START + (b"\r" + END) * 9], [Pasted(b"\r" + (END + b"\r") * 8)]),
    "two pastes": ([START + b"A" + END + START + b"B" + END], [Pasted(b"A"), Pasted(b"B")]),
    "Enter later": ([START + b"A" + END, 0.1, b"\r"], [Pasted(b"A"), Keys(b"\r")]),
    "Enter at once": ([START + b"A" + END, b"\r"], [Pasted(b"A"), Keys(b"\r")]),
    "no end": ([START + b"A", 9.0, b"B"], []),
    "Escape": ([b"\x1b"], [Keys(b"\x1b")]),
    "a beginning of a mark": ([b"\x1b[20", 0.5, b"x"], [Keys(b"\x1b[20x")]),
    "an old mouse report": ([b"a\x1b[M \xe9\xffb\x1b[M", b"\xa0", b"!!c"], [Keys(b"abc")]),
}


@pytest.mark.parametrize(("pieces", "wanted"), CASES.values(), ids=CASES)
def test_pastes_are_told_from_keys(pieces: list[bytes | float], wanted: list[Keys | Pasted]) -> None:
    assert read(*pieces) == wanted


def test_it_does_not_matter_where_the_reads_are_cut() -> None:
    text = b"\xc3\xa9" * 2 + START + b"\x1b[A" + END + b"\r" + END + b"\x1b[B" + START + b"x\x1b" + END
    wanted = read(text)
    assert wanted == [
        Keys(b"\xc3\xa9" * 2),
        Pasted(b"\x1b[A" + END + b"\r" + END + b"\x1b[B" + START + b"x\x1b"),
    ]
    dice = random.Random(3)
    for _ in range(300):
        cuts = sorted(dice.sample(range(1, len(text)), dice.randint(0, 6)))
        pieces = [text[at:to] for at, to in zip([0, *cuts], [*cuts, len(text)], strict=True)]
        # A lone Escape at the end of a short read is the key.
        if not any(piece.endswith(b"\x1b") for piece in pieces[:-1]):
            assert read(*pieces) == wanted, pieces


def test_a_long_paste_costs_no_more_than_its_length() -> None:
    pieces = [START, *[b"0123456789abcdef" * 256] * 1000, END]
    assert read(*pieces) == [Pasted(b"0123456789abcdef" * 256_000)]


def keys(data: bytes) -> list[events.Event]:
    reader = KeyReader()
    return [event for event in reader.feed(data) if isinstance(event, events.Event)]


NO_KEYS = [
    b"\x1b[99999999999u",
    b"\x1b[1114112;1u",
    b"\x1b[48;5;0;0;0t\x1b[<0;3;3M",
    b"\xff\xfe\xc3",
    b"\xed\xa0\x80",
]


@pytest.mark.parametrize("data", NO_KEYS)
def test_what_is_no_key_does_not_end_the_reading(data: bytes) -> None:
    last = keys(data + b"x")[-1]
    assert isinstance(last, events.Key) and last.key == "x"


PIECES = [b"\x1b[", b"<", b"M", b"m", b"u", b"~", b"t", b";", b":", b"48", b"9" * 12, b"R"]


@given(st.lists(st.sampled_from(PIECES) | st.binary(max_size=4), max_size=12).map(b"".join))
@settings(max_examples=150, deadline=None)
def test_any_bytes_are_survived(data: bytes) -> None:
    last = keys(data + b"~" * 40 + b"x")[-1]
    assert isinstance(last, events.Key) and last.character == "x"


def test_what_is_typed_or_pasted_is_not_in_a_log_of_events() -> None:
    """Textual writes every event to the file that TEXTUAL_LOG names."""
    assert str(keys(b"k")[0]) == "Key(key='…')" and str(keys(b"\r")[0]) == "Key(key='enter')"
    assert keys(b"k")[0].handler_name == "on_key"
    paste = Paste("token")
    assert str(paste) == "Paste(characters=5)" and paste.handler_name == "on_paste"
