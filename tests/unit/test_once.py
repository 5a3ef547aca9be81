"""What several threads ask for first at the same time."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import mdurl._decode
import mdurl._encode
import pytest

from tui.core.once import Once
from tui.widgets.transcript import syntax
from tui.widgets.transcript.syntax import parser


@pytest.fixture(autouse=True)
def threads_change_often() -> Iterator[None]:
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(before)


def at_once(work: Callable[[], Any], threads: int = 4) -> list[Any]:
    """What each of several threads gets that begin together; an error is given back as it is."""
    together = threading.Barrier(threads)
    found: list[Any] = []

    def run() -> None:
        together.wait()
        try:
            found.append(work())
        except Exception as error:
            found.append(error)

    running = [threading.Thread(target=run) for _ in range(threads)]
    for thread in running:
        thread.start()
    for thread in running:
        thread.join()
    return found


def test_it_is_made_once_and_the_others_wait() -> None:
    made: list[int] = []

    @Once
    def number() -> int:
        """A number."""
        time.sleep(0.02)
        made.append(1)
        return len(made)

    assert not number.is_made and number.__doc__ == "A number."
    assert at_once(number) == [1, 1, 1, 1] and number.is_made
    number.forget()
    assert number() == 2


def test_what_could_not_be_made_is_tried_again() -> None:
    answers = iter([ValueError("not yet"), "now"])

    @Once
    def wanted() -> str:
        answer = next(answers)
        if isinstance(answer, Exception):
            raise answer
        return str(answer)

    with pytest.raises(ValueError, match="not yet"):
        wanted()
    assert wanted() == "now"


def test_the_parser_is_whole_for_each_thread_that_asks_first() -> None:
    """The libraries under it fill their tables at the first use, for all to see."""
    text = "*a* | b\n--|--\n`c` | [d](e) <https://f>\n"
    whole = [token.as_dict() for token in parser().parse(text)]
    for _ in range(60):
        mdurl._encode.encode_cache.clear()
        mdurl._decode.decode_cache.clear()
        syntax.parser.forget()
        for found in at_once(lambda: parser().parse(text)):
            assert not isinstance(found, Exception), repr(found)
            assert [token.as_dict() for token in found] == whole
