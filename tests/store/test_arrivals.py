from __future__ import annotations

import json
import zlib
from array import array
from itertools import accumulate, pairwise

from hypothesis import given
from hypothesis import strategies as st

from tui.core.recorded_body import Chunks
from tui.core.recorded_events import Events
from tui.store.arrivals import pack_arrivals, unpack_arrivals


def recorded(
    times: list[int], sizes: list[int], events: list[tuple[int, int]], own: bool
) -> tuple[Chunks, Events]:
    """Pieces of so many bytes at such microseconds, and events that skip some bytes and have some."""
    chunks = Chunks()
    chunks.add_all([time / 1e6 for time in times], sizes, bytes(sum(sizes)))
    noted = Events(chunks)
    end = 0
    for skipped, size in events:
        start, end = end + skipped, end + skipped + size
        if own:
            noted.add(start / 1000, f"type {size}", start, end)
        else:
            noted.note(f"type {size}", start, end)
    return chunks, noted


@given(
    st.lists(st.tuples(st.integers(0, 2**40), st.integers(1, 300)), max_size=30),
    st.lists(st.tuples(st.integers(0, 2), st.integers(0, 70_000)), max_size=20),
    st.booleans(),
)
def test_what_is_stored_is_read_again(
    pieces: list[tuple[int, int]], events: list[tuple[int, int]], own: bool
) -> None:
    chunks, noted = recorded([time for time, _ in pieces], [size for _, size in pieces], events, own)
    again, events_again = unpack_arrivals(*pack_arrivals(chunks, noted))
    assert again == chunks and again.body() == chunks.body()
    assert events_again == noted and events_again.offsets == noted.offsets
    assert pack_arrivals(again, events_again) == pack_arrivals(chunks, noted)


def test_what_an_older_outcrop_stored_is_read() -> None:
    times, sizes, kinds = [900, 1_000, 70_000], [3, 4, 5], [0, 0, 1]
    ends = list(accumulate(sizes))
    less = [[last - first for first, last in pairwise([0, *each])] for each in (times, ends)]
    columns = b"".join(array("q", each).tobytes() for each in (*less, *less, kinds))
    body = zlib.compress(b"aaabbbbccccc", 1)
    head = {"chunks": 3, "events": 3, "names": ["x", "y"], "starts": [[1, 4]], "data": [[2, "said"]]}
    head["blocks"] = [[0, len(body)]]
    raw = json.dumps(head).encode() + b"\n" + columns
    chunks, events = unpack_arrivals(body, b"\x02" + zlib.compress(raw))
    assert [(chunk.offset, chunk.data) for chunk in chunks] == [
        (0.0009, b"aaa"), (0.001, b"bbbb"), (0.07, b"ccccc")
    ]  # fmt: skip
    assert [(event.offset, event.type, event.start, event.end) for event in events] == [
        (0.0009, "x", 0, 3), (0.001, "x", 4, 7), (0.07, "y", 7, 12)
    ]  # fmt: skip
    assert events[2].data == "said"
