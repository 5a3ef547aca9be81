"""Waits as servers ask for them, how they are counted down, and the one way that leads on from a failure."""

from __future__ import annotations

import asyncio
import io
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import httpx
import pytest

from tui import countdown
from tui.commands import by_id
from tui.core import way_on as ways
from tui.core.errors import ConnectError, HttpStatusError, StreamError, TokenMissing, TokenRefused, WireError
from tui.core.items import Outcome, Turn
from tui.core.way_on import WayOn, is_too_long, way_on
from tui.countdown import Countdown
from tui.plain.words import way_words as by_lines
from tui.subcommands.ask_words import CountedLine
from tui.subcommands.ask_words import way_words as by_command
from tui.wire.failures import from_status, retry_after_seconds, wait_words

NOW = datetime.now(UTC)
THEN = format_datetime(NOW + timedelta(seconds=30), usegmt=True)


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"retry-after": "2"}, 2.0),
        ({"retry-after": "0"}, 0.0),
        ({"retry-after": "-5"}, 0.0),
        ({"retry-after": "1.5"}, 1.5),
        ({"retry-after": "3600"}, 3600.0),
        ({"retry-after": "1e400"}, float("inf")),
        ({"retry-after": "nan"}, None),
        ({"retry-after": "soon"}, None),
        ({"retry-after": ""}, None),
        ({}, None),
        ({"retry-after-ms": "250", "retry-after": "9"}, 0.25),
        ({"retry-after-ms": "x", "retry-after": "9"}, 9.0),
        ({"retry-after": THEN, "date": format_datetime(NOW, usegmt=True)}, 30.0),
        ({"retry-after": format_datetime(NOW - timedelta(days=1), usegmt=True)}, 0.0),
        ({"retry-after": "Fri, 99 Nov 2026 25:00:00 GMT"}, None),
        ({"retry-after": "Sun, 22 Nov 2026 10:00:00"}, None),
    ],
)
def test_a_wait_is_read_however_it_is_said(headers: dict[str, str], seconds: float | None) -> None:
    found = retry_after_seconds(httpx.Headers(headers))
    assert found == (seconds if seconds is None else pytest.approx(seconds, abs=1.0))


def test_a_date_without_the_server_s_clock_is_held_against_ours() -> None:
    then = format_datetime(datetime.now(UTC) + timedelta(seconds=30), usegmt=True)
    found = retry_after_seconds(httpx.Headers({"retry-after": then}))
    assert found is not None and 0 < found <= 31


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0.2, "1 s"),
        (89, "89 s"),
        (90, "2 min"),
        (3600, "60 min"),
        (7300, "3 h"),
        (1e9, "more than three days"),
        (float("inf"), "more than three days"),
    ],
)
def test_a_long_wait_is_said_as_people_do(seconds: float, words: str) -> None:
    assert wait_words(seconds) == words


class Clock:
    """Time that passes when somebody sleeps."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now

    async def sleep(self, seconds: float) -> None:
        self.now += seconds
        await REAL_SLEEP(0)


REAL_SLEEP = asyncio.sleep


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


async def test_a_wait_is_counted_down_and_the_line_is_gone_after_it(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = Clock()
    monkeypatch.setattr(countdown, "monotonic", clock)
    monkeypatch.setattr(countdown.asyncio, "sleep", clock.sleep)
    told: list[int] = []
    counting = Countdown(told.append, step=10)
    counting.start(31.5)
    for _ in range(40):
        await REAL_SLEEP(0)
    assert told == [30, 20, 10]
    assert counting.stop() and not counting.stop()
    terminal, pipe = Terminal(), io.StringIO()
    for stream in (terminal, pipe):
        line = CountedLine(stream)
        line.start(3.0)
        for _ in range(9):
            await REAL_SLEEP(0)
        line.stop()
        line.stop()
    shown = "Next attempt in 2 s"
    assert terminal.getvalue() == f"\r{shown}\r{shown.replace('2', '1')}\r{' ' * len(shown)}\r"
    assert pipe.getvalue() == ""


def status(number: int, words: str = "x") -> HttpStatusError:
    return HttpStatusError(f"It said: {words}", status=number)


MODEL = "The model 'openai.gpt-5.6-terra' does not support the '/v1/chat/completions' API"
LONG = "prompt tokens (1055489) exceed model maximum (1050000) for openai.gpt-5.6-sol"


@pytest.mark.parametrize(
    ("error", "command"),
    [
        (TokenRefused("no", status=401), "token.enter"),
        (TokenMissing("none"), "token.enter"),
        (status(404), "target.pick"),
        (status(400, MODEL), "target.pick"),
        (status(400, "model `x` isn't supported on this route"), "target.pick"),
        (status(400, LONG), "conversation.compact"),
        (status(413), "turn.edit"),
        (status(307), "checks.open"),
        (status(429), "turn.regenerate"),
        (status(503), "turn.regenerate"),
        (ConnectError("There is no host x: check the region"), "target.pick"),
        (ConnectError("x refused the connection"), "checks.open"),
        (StreamError("cut", code="cut"), "turn.regenerate"),
        (StreamError("a page", code="not_a_stream"), "checks.open"),
        (WireError("late", code="timeout"), "turn.regenerate"),
        (None, "turn.regenerate"),
    ],
)
def test_each_failure_has_one_way_on(error: Exception | None, command: str) -> None:
    way = way_on(Turn("t", None, (), 0.0, outcome=Outcome.FAILED, error="x"), error)
    assert way is not None and way.command == command


def test_nothing_is_offered_where_nothing_failed_and_a_limit_can_be_raised() -> None:
    for outcome in (Outcome.COMPLETED, Outcome.CANCELLED):
        assert way_on(Turn("t", None, (), 0.0, outcome=outcome), None) is None
    assert way_on(None, StreamError("x")) is None
    limit = "The answer is incomplete: it reached the limit on output tokens."
    for error, command in ((limit, "conversation.maxtokens"), ("a filter", "turn.regenerate")):
        way = way_on(Turn("t", None, (), 0.0, outcome=Outcome.INCOMPLETE, error=error), None)
        assert way is not None and way.command == command
    assert is_too_long(status(400, LONG)) and not is_too_long(status(429, LONG)) and not is_too_long(None)


def test_every_way_is_a_command_and_has_words_wherever_it_is_offered() -> None:
    all_ways = [value for value in vars(ways).values() if isinstance(value, WayOn)]
    assert len(all_ways) > 7
    for way in all_ways:
        assert by_id(way.command) is not None
        for words in (by_lines(way), by_command(way)):
            assert words.endswith(f"{way.words}.") and words[0] in "/`m"
    assert by_lines(None) == by_command(None) == ""


def test_what_cannot_be_read_of_an_error_is_not_quoted() -> None:
    request = httpx.Request("POST", "https://x/v1")
    packed = httpx.Response(500, content=b"\x1f\x8b\x08\xff\xfe\x00", request=request)
    assert str(from_status(packed, packed.content)) == "The server had an error (500)."
