from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tui.wire.sse import SseDecoder, SseEvent

STREAM = (
    b"\xef\xbb\xbf: a comment\r\n\r\n"
    b'event: one\r\ndata: {"a":1}\r\n\r\n'
    b"data:first\ndata: second\nid: 7\nretry: 10\n\n"
    b"event: gone\n\n"
    b"data: \xc3\xbc \xe2\x80\xa8 \xc2\x85\r\r"
    b"data\n\n"
    b"data: last\n\n"
)
EXPECTED = [
    ("one", b'{"a":1}'),
    ("", b"first\nsecond"),
    ("", b"\xc3\xbc \xe2\x80\xa8 \xc2\x85"),
    ("", b""),
    ("", b"last"),
]


def decode(pieces: list[bytes]) -> list[SseEvent]:
    decoder = SseDecoder()
    events = [event for piece in pieces for event in decoder.feed(piece)]
    last = decoder.finish()
    return [*events, last] if last is not None else events


def plain(events: list[SseEvent]) -> list[tuple[str, bytes]]:
    return [(event.event, event.data) for event in events]


def test_the_whole_stream_at_once() -> None:
    assert plain(decode([STREAM])) == EXPECTED


def test_one_byte_at_a_time() -> None:
    assert decode([bytes([byte]) for byte in STREAM]) == decode([STREAM])


@pytest.mark.parametrize("cut", range(len(STREAM)))
def test_cut_in_two_anywhere(cut: int) -> None:
    assert plain(decode([STREAM[:cut], STREAM[cut:]])) == EXPECTED


@given(st.lists(st.integers(0, len(STREAM)), max_size=8))
def test_any_cuts_give_the_same_events_and_positions(cuts: list[int]) -> None:
    edges = [0, *sorted(cuts), len(STREAM)]
    pieces = [STREAM[a:b] for a, b in itertools.pairwise(edges)]
    assert plain(decode(pieces)) == EXPECTED


def test_positions_tile_the_stream() -> None:
    events = decode([STREAM])
    assert events[-1].end == len(STREAM)
    for event in events:
        piece = STREAM[event.start : event.end]
        assert plain(decode([piece]))[-1] == (event.event, event.data)


def test_an_event_whose_blank_line_never_came_is_given_at_the_end() -> None:
    decoder = SseDecoder()
    assert decoder.feed(b'data: {"type":"x"}') == []
    last = decoder.finish()
    assert last is not None
    assert last.data == b'{"type":"x"}'
    assert decoder.finish() is None


@given(st.lists(st.text(alphabet=st.characters(blacklist_characters="\r\n"), max_size=40), max_size=10))
def test_what_was_sent_is_what_arrives(lines: list[str]) -> None:
    stream = "".join(f"data: {line}\n\n" for line in lines).encode("utf-8", "surrogatepass")
    assert [event.data for event in decode([stream])] == [
        line.encode("utf-8", "surrogatepass") for line in lines
    ]
