"""A cassette: a conversation's exchanges in one file, to be played back without a network.

The file is JSON in UTF-8 (README, "Cassettes"): `format`, `version`, `conversation` (what its requests were
made with) and `exchanges`, in the order in which they were sent. A body is text (`response_body`) or, where
it is no UTF-8, base64 (`response_body_base64`). `arrivals` has a pair for each piece of the response:
microseconds since the exchange began, and bytes. Secrets are not in it, as no record of an exchange has any.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from itertools import pairwise
from typing import Any, Final, cast

from tui.core.apis.asked import asked_of, prompt_of
from tui.core.errors import InputError
from tui.core.exchange import Chunk, Chunks, Exchange, Timings
from tui.core.items import Item, Outcome, encodable
from tui.core.leaving.fields import Fields, parse_json
from tui.core.text import storable, visible_line

__all__ = ["FORMAT", "VERSION", "Cassette", "cassette_text", "read_cassette"]

FORMAT: Final = "outcrop cassette"
VERSION: Final = 1
_TEXTS: Final = ("method", "url", "turn_id", "model", "http_version")
_PLAIN: Final = (*_TEXTS, "started_at", "attempt", "status", "error")
_OUTCOMES: Final = tuple(outcome.value for outcome in Outcome)
_LONGEST: Final = 10**15  # microseconds: thirty years


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
    return encodable(json.dumps(document, ensure_ascii=False, indent=1)) + "\n"


def read_cassette(data: bytes) -> Cassette:
    """Read a file.

    Raises:
        InputError: It is no cassette, one of a newer version, or damaged; the sentence says which.
    """
    try:
        # Half characters were once written as they are.
        document = parse_json(data.decode("utf-8-sig", "surrogatepass"))
    except ValueError:
        raise InputError("It is no cassette: it is no JSON.") from None
    values = cast("dict[str, Any]", document) if isinstance(document, dict) else {}
    if values.get("format") != FORMAT:
        raise InputError(f"It is no cassette: its `format` is not {FORMAT!r}.")
    if values.get("version") != VERSION:
        version = visible_line(str(values.get("version")))[:40]
        raise InputError(f"It is a cassette of version {version}; this Outcrop reads version {VERSION}.")
    try:
        cassette = Fields(values, "")
        conversation = _made_with(cassette.inner("conversation"))
        if "exchanges" not in values:
            raise InputError("exchanges are missing.")
        rows = enumerate(cassette.rows("exchanges"), 1)
        exchanges = tuple(_read(Fields.of(row, place), number) for number, (place, row) in rows)
    except InputError as error:
        raise InputError(f"The cassette is damaged: {error}") from None
    return Cassette(conversation, exchanges)


def _made_with(row: Fields) -> Mapping[str, Any]:
    """What the requests were made with; what another version wrote beside it stays."""
    for name in ("model", "region", "continuation", "api", "instructions", "title"):
        row.optional_text(name)
    row.texts("path")
    if row.values.get("controls") is not None:
        row.inner("controls")
    return row.values


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


def _read(row: Fields, number: int) -> Exchange:
    body = _bytes(row, "response_body")
    outcome = row.choice("outcome", _OUTCOMES) if row.values.get("outcome") is not None else None
    status = row.count("status")
    if status is not None and not 100 <= status <= 599:
        raise InputError(f"{row.place}.status must be a status of HTTP.")
    times = row.inner("timings")
    return Exchange(
        id=f"cassette-{number}",
        number=number,
        attempt=row.count("attempt") or 1,
        conversation_id="",
        **cast("Any", {name: row.text(name) for name in _TEXTS}),
        started_at=row.time("started_at"),
        status=status,
        error=row.optional_text("error"),
        request_headers=_headers(row, "request_headers"),
        request_body=_bytes(row, "request_body"),
        response_headers=_headers(row, "response_headers"),
        chunks=_arrived(row, body, number),
        timings=Timings(**{field.name: times.seconds(field.name) for field in fields(Timings)}),
        outcome=None if outcome is None else Outcome(outcome),
    )


def _arrived(row: Fields, body: bytes, number: int) -> Chunks:
    """A body in the pieces in which it came."""
    chunks = Chunks()
    at = before = 0
    for place, pair in row.rows("arrivals"):
        numbers = cast("list[object]", pair) if isinstance(pair, list) else []
        time, size = numbers if len(numbers) == 2 else (None, None)
        if type(time) is not int or type(size) is not int or not before <= time <= _LONGEST or size < 0:
            raise InputError(f"{place} must be microseconds, in their order, and a number of bytes.")
        chunks.append(Chunk(time / 1e6, body[at : at + size]))
        at, before = at + size, time
    if at != len(body):
        raise InputError(f"the arrivals of exchange {number} are not those of its body.")
    return chunks


def _bytes(row: Fields, name: str) -> bytes:
    if name in row.values:
        return row.text(name).encode("utf-8")
    try:
        return base64.b64decode(row.text(f"{name}_base64"), validate=True)
    except ValueError:
        raise InputError(f"{row.place}.{name}_base64 must be base64.") from None


def _headers(row: Fields, name: str) -> tuple[tuple[str, str], ...]:
    pairs: list[tuple[str, str]] = []
    for place, entry in row.rows(name):
        pair = cast("list[object]", entry) if isinstance(entry, list) else []
        texts = [storable(text) for text in pair if isinstance(text, str)]
        if len(texts) != 2 or len(pair) != 2:
            raise InputError(f"{place} must be a name and a value.")
        pairs.append((texts[0], texts[1]))
    return tuple(pairs)


def _last_message(body: bytes) -> Item | None:
    """The user's message that a request ends with."""
    try:
        value: object = json.loads(body)
    except (ValueError, RecursionError):
        return None
    return prompt_of(cast("dict[str, Any]", value)) if isinstance(value, dict) else None
