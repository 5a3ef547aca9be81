"""The filter of lists of exchanges: `status:4xx model:gpt-5.5 -method:get "some words"`.

Every term must hold. A term is words to be found in the line of an exchange, or `name:value`; a minus before
it turns it around, and quotes keep blanks together. A list is filtered while the filter is being typed, so
a term that is not finished yet (`status:`, `time:>`) lets everything pass and is never an error.

    status:404  status:4xx  status:>=400  status:none     the HTTP status
    model: method: path: host: outcome: error: id: turn: conversation:     a part of it
    time:>2s  first:<300ms  up:>1MB  down:>10kB  attempt:>1  number:3      compared
    is:bookmarked  note:words     what the user said of it
    sent:words  got:words     in the request's body, in the answer's (these read whole bodies)
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

from tui.core.errors import OutcropError
from tui.core.exchange import Exchange

__all__ = ["FILTER_NAMES", "ExchangeFilter", "parse_filter"]

_TERM: Final = re.compile(r'(?P<minus>-?)(?:(?P<name>[A-Za-z]+):)?(?:"(?P<quoted>[^"]*)"?|(?P<plain>\S*))')
_NUMBER: Final = re.compile(r"(?P<sign>>=|<=|>|<|=)?(?P<value>\d+(?:\.\d+)?)(?P<unit>[a-z]*)")
_UNITS: Final = {"": 1.0, "b": 1.0, "kb": 1e3, "mb": 1e6, "gb": 1e9, "ms": 1e-3, "s": 1.0, "m": 60.0}

Test = Callable[[Exchange], bool]


@dataclass(frozen=True, slots=True)
class ExchangeFilter:
    """A filter that was read.

    Attributes:
        text: As it was typed.
        tests: All of them must hold.
        reads_bodies: Whether it looks into bodies, which takes its time with large ones.
    """

    text: str
    tests: tuple[Test, ...]
    reads_bodies: bool = False

    def matches(self, exchange: Exchange) -> bool:
        """Whether an exchange passes; an empty filter lets every one pass."""
        return all(test(exchange) for test in self.tests)


def parse_filter(text: str) -> ExchangeFilter:
    """Read a filter; anything that was typed is one."""
    tests: list[Test] = []
    reads = False
    for match in _TERM.finditer(text):
        value = (match["quoted"] if match["quoted"] is not None else match["plain"]).casefold()
        name = (match["name"] or "").lower()
        if name and name not in _MAKERS:
            # `https://…`, or a word with a colon: words like any others.
            name, value = "", f"{name}:{value}"
        if not value:
            continue
        test = _MAKERS[name](value) if name else _words(value)
        if test is None:
            continue
        reads = reads or name in ("sent", "got")
        tests.append(_turned_around(test) if match["minus"] else test)
    return ExchangeFilter(text, tuple(tests), reads)


def _turned_around(test: Test) -> Test:
    return lambda exchange: not test(exchange)


def _words(value: str) -> Test:
    def test(exchange: Exchange) -> bool:
        line = (
            exchange.method, exchange.url, str(exchange.status or ""), exchange.model, _outcome(exchange),
            exchange.usage_line, exchange.error or "", exchange.id, exchange.request_id or "", exchange.note,
        )  # fmt: skip
        return any(value in part.casefold() for part in line)

    return test


def _part(read: Callable[[Exchange], str]) -> Callable[[str], Test]:
    return lambda value: lambda exchange: value in read(exchange).casefold()


def _outcome(exchange: Exchange) -> str:
    return "running" if exchange.outcome is None else exchange.outcome.value


def _status(value: str) -> Test | None:
    if value == "none":
        return lambda exchange: exchange.status is None
    if re.fullmatch(r"[1-5][0-9x]{0,2}", value):
        pattern = re.compile(value.replace("x", r"\d"))
        return lambda exchange: exchange.status is not None and bool(pattern.match(str(exchange.status)))
    return _compared(lambda exchange: exchange.status)(value)


def _state(value: str) -> Test | None:
    if "bookmarked".startswith(value):
        return lambda exchange: exchange.bookmarked
    if "noted".startswith(value):
        return lambda exchange: bool(exchange.note)
    return None


def _compared(read: Callable[[Exchange], float | None]) -> Callable[[str], Test | None]:
    def make(value: str) -> Test | None:
        match = _NUMBER.fullmatch(value)
        if match is None or match["unit"] not in _UNITS:
            return None
        limit = float(match["value"]) * _UNITS[match["unit"]]
        holds = _SIGNS[match["sign"] or "="]

        def test(exchange: Exchange) -> bool:
            number = read(exchange)
            return number is not None and holds(number, limit)

        return test

    return make


_SIGNS: Final[Mapping[str, Callable[[float, float], bool]]] = {
    ">=": lambda number, limit: number >= limit,
    "<=": lambda number, limit: number <= limit,
    ">": lambda number, limit: number > limit,
    "<": lambda number, limit: number < limit,
    "=": lambda number, limit: number == limit,
}


def _sent(exchange: Exchange) -> bytes:
    try:
        # Without the base64 of its files: there are no words in it.
        return exchange.sent.outline.data
    except OutcropError:
        return b""  # it is no longer kept


def _body(read: Callable[[Exchange], bytes]) -> Callable[[str], Test]:
    return lambda value: lambda exchange: value in read(exchange).decode("utf-8", "replace").casefold()


_MAKERS: Final[Mapping[str, Callable[[str], Test | None]]] = {
    "status": _status,
    "model": _part(lambda exchange: exchange.model),
    "method": _part(lambda exchange: exchange.method),
    "path": _part(lambda exchange: urlsplit(exchange.url).path),
    "host": _part(lambda exchange: urlsplit(exchange.url).netloc),
    "outcome": _part(_outcome),
    "error": _part(lambda exchange: exchange.error or ""),
    "is": _state,
    "note": _part(lambda exchange: exchange.note),
    "id": _part(lambda exchange: exchange.id),
    "turn": _part(lambda exchange: exchange.turn_id),
    "conversation": _part(lambda exchange: exchange.conversation_id),
    "number": _compared(lambda exchange: exchange.number),
    "attempt": _compared(lambda exchange: exchange.attempt),
    "time": _compared(lambda exchange: exchange.timings.ended),
    "first": _compared(lambda exchange: exchange.timings.first_byte),
    "up": _compared(lambda exchange: len(exchange.sent)),
    "down": _compared(lambda exchange: exchange.chunks.size),
    "sent": _body(_sent),
    "got": _body(lambda exchange: exchange.response_body),
}

FILTER_NAMES: Final = tuple(_MAKERS)
"""The names that may stand before a colon."""
