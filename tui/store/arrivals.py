"""How a response came in, as one value of a row: when each piece and each event came, and where they are.

The body itself stands in a column of its own, as the deflated blocks that it was recorded in, one after the
other. A row of an older Outcrop has the whole body as one block, and the arrivals as JSON.
"""

from __future__ import annotations

import json
import sys
import zlib
from array import array
from itertools import accumulate, chain
from operator import sub
from typing import Any, Final

from tui.core.exchange import Chunk, Chunks, Events, SseRecord
from tui.core.recording import sse_data

__all__ = ["pack_arrivals", "unpack_arrivals"]

# What zlib begins with is another byte.
_SECOND: Final = b"\x02"

_SIGN: Final = b"\0\0\0\0\0\0\0\x80"


def pack_arrivals(chunks: Chunks, events: Events) -> tuple[bytes, bytes]:
    """The response body and its arrivals as they are stored; what is still arriving is taken as it is now.

    Returns:
        The deflated blocks of the body; and when and where what is in it came.
    """
    # The events first: they must not point past the end of the body.
    (times, ends, kinds), names, starts, data = events.parts()
    chunk_times, chunk_ends, blocks, block_starts = chunks.parts()
    numbers = [_differences(each) for each in (chunk_times, chunk_ends, times, ends)]
    numbers.append(array("q", kinds))
    head = {
        "chunks": len(chunk_ends),
        "events": len(ends),
        "names": names,
        "starts": list(starts.items()),
        "data": list(data.items()),
        "blocks": [(at, len(block)) for at, block in zip(block_starts, blocks, strict=True)],
    }
    raw = json.dumps(head).encode() + b"\n" + b"".join(_little_endian(each).tobytes() for each in numbers)
    return b"".join(blocks), _SECOND + zlib.compress(raw, 1)


def unpack_arrivals(body: bytes, arrivals: bytes) -> tuple[Chunks, Events]:
    """What `pack_arrivals` was given; of the body nothing is inflated before it is read.

    Raises:
        ValueError, zlib.error: What is stored is damaged.
    """
    if arrivals[:1] != _SECOND:
        return _unpack_first(zlib.decompress(body), json.loads(zlib.decompress(arrivals)))
    raw = zlib.decompress(arrivals[1:])
    line = raw.index(b"\n")
    head: dict[str, Any] = json.loads(raw[:line])
    at = line + 1
    found: list[array[int]] = []
    for count in (head["chunks"],) * 2 + (head["events"],) * 3:
        numbers = array("q", raw[at : at + count * 8])
        at += count * 8
        found.append(_little_endian(numbers))
    chunk_times, chunk_ends, times, ends = (array("q", accumulate(numbers)) for numbers in found[:4])
    kinds = array("H", found[4])
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


def _differences(numbers: array[int]) -> array[int]:
    """Each less the one before it: small numbers, which deflate well."""
    # As one long integer, of 64 bits for each number, they are subtracted in a twentieth of the time. Where
    # all ascend, as they do, no difference borrows from the one beside it, and no sign bit is set.
    size = len(numbers) * 8
    whole = int.from_bytes(_little_endian(numbers).tobytes(), "little")
    less = whole - (whole << 64 & (1 << size * 8) - 1)
    if less < 0 or less & int.from_bytes(_SIGN * len(numbers), "little"):
        return array("q", map(sub, numbers, chain((0,), numbers)))
    return _little_endian(array("q", less.to_bytes(size, "little")))


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
