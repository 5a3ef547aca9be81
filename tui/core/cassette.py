"""A cassette: a conversation's exchanges in one file, to be played back without a network.

The file is JSON in UTF-8 (README, "Cassettes"): `format`, `version`, `conversation` (what its requests were
made with) and `exchanges`, in the order in which they were sent. A body is text (`response_body`) or, where
it is no UTF-8, base64 (`response_body_base64`). `arrivals` has a pair for each piece of the response:
microseconds since the exchange began, and bytes. Secrets are not in it, as no record of an exchange has any.
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import pairwise
from typing import Any, Final, cast

from tui.core.apis.asked import asked_of, prompt_of
from tui.core.errors import InputError
from tui.core.exchange import Chunk, Chunks, Exchange, Timings
from tui.core.items import Item, Outcome
from tui.core.text import visible_line

__all__ = ["FORMAT", "VERSION", "Cassette", "cassette_text", "read_cassette"]

FORMAT: Final = "outcrop cassette"
VERSION: Final = 1
_PLAIN: Final = (
    "method",
    "url",
    "started_at",
    "attempt",
    "turn_id",
    "model",
    "status",
    "http_version",
    "error",
)


@dataclass(frozen=True, slots=True)
class Cassette:
    """What a file holds.

    Attributes:
        conversation: What the requests were made with: `model`, `region`, `continuation`, `instructions`,
            `controls`, `title`, `path` (the ids of the turns that it goes through, where there are branches);
            any may be missing.
        exchanges: In the order in which they were sent; their events are not taken apart.
    """

    conversation: Mapping[str, Any]
    exchanges: tuple[Exchange, ...]

    @property
    def prompts(self) -> tuple[Item, ...]:
        """The user's message of each turn of the path, in order; of one that was sent again, the first."""
        found: list[Item] = []
        seen: set[str] = set()
        path: object = self.conversation.get("path")
        for exchange in self.exchanges:
            if exchange.method != "POST" or not exchange.turn_id or exchange.turn_id in seen:
                continue
            if isinstance(path, list) and exchange.turn_id not in path:
                continue
            seen.add(exchange.turn_id)
            message = _last_message(exchange.request_body)
            if message is not None:
                found.append(message)
        return tuple(found)

    @property
    def base_url(self) -> str:
        """Where the first request for an answer was sent, without the API's own path; empty for none."""
        for exchange in self.exchanges:
            if (asked := asked_of(exchange)) is not None:
                return asked.base_url
            base, found, _ = exchange.url.partition("/responses")
            if found:
                return base
        return ""


def cassette_text(exchanges: Sequence[Exchange], conversation: Mapping[str, Any]) -> str:
    """The text of a file; `conversation` as in `Cassette`."""
    document = {
        "format": FORMAT,
        "version": VERSION,
        "conversation": dict(conversation),
        "exchanges": [_written(exchange) for exchange in exchanges],
    }
    return json.dumps(document, ensure_ascii=False, indent=1) + "\n"


def read_cassette(data: bytes) -> Cassette:
    """Read a file.

    Raises:
        InputError: It is no cassette, one of a newer version, or damaged; the sentence says which.
    """
    try:
        document: object = json.loads(data)
    except (ValueError, RecursionError):
        raise InputError("It is no cassette: it is no JSON.") from None
    fields = cast("dict[str, Any]", document) if isinstance(document, dict) else {}
    if fields.get("format") != FORMAT:
        raise InputError(f"It is no cassette: its `format` is not {FORMAT!r}.")
    if fields.get("version") != VERSION:
        version = visible_line(str(fields.get("version")))
        raise InputError(f"It is a cassette of version {version}; this Outcrop reads version {VERSION}.")
    try:
        conversation = dict(fields.get("conversation") or {})
        rows = enumerate(fields["exchanges"], 1)
        exchanges = tuple(_read(cast("dict[str, Any]", row), number) for number, row in rows)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise InputError(f"The cassette is damaged: {type(error).__name__} {error}.") from None
    return Cassette(conversation, exchanges)


def _written(exchange: Exchange) -> dict[str, Any]:
    times, ends, _, _ = exchange.chunks.parts()
    sizes = [end - start for start, end in pairwise([0, *ends])]
    return {
        **{name: getattr(exchange, name) for name in _PLAIN},
        "outcome": None if exchange.outcome is None else exchange.outcome.value,
        "timings": asdict(exchange.timings),
        "request_headers": exchange.request_headers,
        **_body("request_body", exchange.request_body),
        "response_headers": exchange.response_headers,
        **_body("response_body", exchange.response_body),
        "arrivals": list(zip(times, sizes, strict=True)),
    }


def _body(name: str, body: bytes) -> dict[str, str]:
    try:
        return {name: body.decode("utf-8")}
    except UnicodeDecodeError:
        return {f"{name}_base64": base64.b64encode(body).decode("ascii")}


def _read(row: dict[str, Any], number: int) -> Exchange:
    body = _bytes(row, "response_body")
    chunks = Chunks()
    at = 0
    for time, size in cast("Iterable[tuple[int, int]]", row["arrivals"]):
        chunks.append(Chunk(time / 1e6, body[at : at + size]))
        at += size
    if at != len(body):
        raise ValueError(f"the arrivals of exchange {number} are not those of its body")
    return Exchange(
        id=f"cassette-{number}",
        number=number,
        conversation_id="",
        request_headers=_headers(row["request_headers"]),
        request_body=_bytes(row, "request_body"),
        response_headers=_headers(row["response_headers"]),
        chunks=chunks,
        timings=Timings(**row["timings"]),
        outcome=None if row["outcome"] is None else Outcome(row["outcome"]),
        **{name: row[name] for name in _PLAIN},
    )


def _bytes(row: dict[str, Any], name: str) -> bytes:
    if name in row:
        return str(row[name]).encode("utf-8")
    try:
        return base64.b64decode(row[f"{name}_base64"], validate=True)
    except binascii.Error as error:
        raise ValueError(str(error)) from None


def _headers(pairs: Iterable[Sequence[str]]) -> tuple[tuple[str, str], ...]:
    return tuple((str(name), str(value)) for name, value in pairs)


def _last_message(body: bytes) -> Item | None:
    """The user's message that a request ends with."""
    try:
        value: object = json.loads(body)
    except (ValueError, RecursionError):
        return None
    return prompt_of(cast("dict[str, Any]", value)) if isinstance(value, dict) else None
