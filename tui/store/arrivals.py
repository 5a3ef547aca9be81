"""How a response came in, as one value of a row: when each piece and each event came, and where they are.

The body itself stands in a column of its own, as the deflated blocks that it was recorded in, one after the
other. The arrivals are a line of JSON and columns of numbers, each less the one before it; a column stands as
the planes of its bytes, the lowest first, without those that are zero. A row of an older Outcrop has columns
of eight bytes a number, that of an older one the whole body as one block, and the arrivals as JSON.
"""

from __future__ import annotations

import json
import sys
import zlib
from array import array
from collections.abc import Iterator
from itertools import accumulate, chain
from operator import sub
from typing import Any, Final

from tui.core.exchange import Chunk, Chunks, Events, SseRecord
from tui.core.recorded_events import sse_data

__all__ = ["pack_arrivals", "unpack_arrivals"]

# What zlib begins with is another byte.
_SECOND: Final = b"\x02"
_THIRD: Final = b"\x03"


def pack_arrivals(chunks: Chunks, events: Events) -> tuple[bytes, bytes]:
    """The response body and its arrivals as they are stored; what is still arriving is taken as it is now.

    Returns:
        The deflated blocks of the body; and when and where what is in it came.
    """
    # The events first: they must not point past the end of the body.
    (times, ends, kinds), names, starts, data = events.parts()
    chunk_times, chunk_ends, blocks, block_starts = chunks.parts()
    # Most servers send each event for itself.
    apart = ends != chunk_ends
    numbers = (chunk_times, chunk_ends, times, ends if apart else array("q"))
    columns = [*map(_planes, map(_differences, numbers)), _planes(kinds)]
    head = {
        "counts": [*map(len, numbers), len(kinds)],
        "planes": list(map(len, columns)),
        "apart": apart,
        "names": names,
        "starts": list(starts.items()),
        "data": list(data.items()),
        "blocks": [(at, len(block)) for at, block in zip(block_starts, blocks, strict=True)],
    }
    raw = b"".join((json.dumps(head).encode(), b"\n", *chain.from_iterable(columns)))
    return b"".join(blocks), _THIRD + zlib.compress(raw, 1)


def unpack_arrivals(body: bytes, arrivals: bytes) -> tuple[Chunks, Events]:
    """What `pack_arrivals` was given; of the body nothing is inflated before it is read.

    Raises:
        ValueError, zlib.error: What is stored is damaged.
    """
    if arrivals[:1] not in (_SECOND, _THIRD):
        return _unpack_first(zlib.decompress(body), json.loads(zlib.decompress(arrivals)))
    raw = zlib.decompress(arrivals[1:])
    line = raw.index(b"\n")
    head: dict[str, Any] = json.loads(raw[:line])
    if arrivals[:1] == _SECOND:
        found = list(_whole_columns(raw[line + 1 :], head["chunks"], head["events"]))
    else:
        found = list(_columns(raw[line + 1 :], head["counts"], head["planes"]))
    chunk_times, chunk_ends, times, ends = (array("q", accumulate(numbers)) for numbers in found[:4])
    kinds = array("H", found[4])
    if not head.get("apart", True):
        ends = chunk_ends[:]
    blocks: list[bytes] = []
    at = 0
    for _, length in head["blocks"]:
        blocks.append(body[at : at + length])
        at += length
    block_starts = array("q", [start for start, _ in head["blocks"]])
    size = chunk_ends[-1] if chunk_ends else 0
    chunks = Chunks.restored(chunk_times, chunk_ends, blocks, block_starts, size)
    events = Events.restored(
        chunks, (times, ends, kinds), head["names"], dict(head["starts"]), dict(head["data"])
    )
    return chunks, events


def _columns(raw: bytes, counts: list[int], planes: list[int]) -> Iterator[array[int]]:
    """The columns, of so many numbers each, and of so many planes: four of eight bytes, and one of two."""
    at = 0
    for code, count, kept in zip("qqqqH", counts, planes, strict=True):
        numbers = array(code, bytes(count * array(code).itemsize))
        with memoryview(numbers).cast("B") as whole:
            for plane in range(kept):
                whole[plane :: numbers.itemsize] = raw[at : at + count]
                at += count
        yield _little_endian(numbers)


def _whole_columns(raw: bytes, pieces: int, events: int) -> Iterator[array[int]]:
    """The same of an older Outcrop."""
    at = 0
    for count in (pieces, pieces, events, events, events):
        yield _little_endian(array("q", raw[at : at + count * 8]))
        at += count * 8


def _planes(numbers: array[int]) -> list[bytes]:
    """The lowest bytes of all numbers, their second ones and so on, up to the last that are not all zero."""
    raw = _little_endian(numbers).tobytes()
    planes = [raw[plane :: numbers.itemsize] for plane in range(numbers.itemsize)]
    zero = bytes(len(numbers))
    while planes and planes[-1] == zero:
        planes.pop()
    return planes


def _differences(numbers: array[int]) -> array[int]:
    """Each less the one before it: small numbers, which deflate well."""
    # As one long integer, of 64 bits for each number, they are subtracted in a twentieth of the time. Where
    # all ascend, as they do, no difference borrows from the one beside it, and the highest bytes are zero.
    raw = _little_endian(numbers).tobytes()
    less = int.from_bytes(raw, "little") - int.from_bytes(bytes(8) + raw[:-8], "little")
    if less < 0:
        return array("q", map(sub, numbers, chain((0,), numbers)))
    found = less.to_bytes(len(raw), "little")
    if found[7::8] != bytes(len(numbers)):
        return array("q", map(sub, numbers, chain((0,), numbers)))
    return _little_endian(array("q", found))


def _little_endian(numbers: array[int]) -> array[int]:
    if sys.byteorder == "big":
        numbers = numbers[:]
        numbers.byteswap()
    return numbers


def _unpack_first(body: bytes, arrivals: dict[str, list[list[Any]]]) -> tuple[Chunks, Events]:
    chunks = Chunks()
    at = 0
    for offset, size in arrivals["chunks"]:
        chunks.append(Chunk(offset, body[at : at + size]))
        at += size
    records = (
        SseRecord(offset, kind, sse_data(body[start:end]) if data is None else data, start, end)
        for offset, kind, start, end, data in arrivals["events"]
    )
    return chunks, Events(chunks, records)
