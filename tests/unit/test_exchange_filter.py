"""What the filter of the list of exchanges lets pass."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.exchanges import URL, created, made_up

from tui.core.exchange import Timings
from tui.core.exchange_filter import parse_filter
from tui.core.items import Outcome

BODY = {"model": "openai.gpt-5.5", "input": "What is BASALT?", "stream": True}
FAILED, QUICK = Outcome.FAILED, Timings(ended=0.1)
SLOW = Timings(first_byte=2.5, ended=70.0)
OTHER = {**BODY, "model": "openai.gpt-5.4"}
ROWS = [
    created(BODY, number=1, answer="A rock."),
    created(OTHER, number=2, status=429, outcome=FAILED, error="Too many"),
    made_up(method="GET", number=3, url=f"{URL}/resp_1", status=404, outcome=FAILED, timings=QUICK),
    made_up(BODY, number=4, model="openai.gpt-5.5"),
    created(BODY, number=5, attempt=2, outcome=Outcome.CANCELLED, timings=SLOW),
]  # fmt: skip


@pytest.mark.parametrize(
    ("text", "numbers"),
    [
        ("", [1, 2, 3, 4, 5]),
        ("status:4xx", [2, 3]),
        ("status:429", [2]),
        ("status:4", [2, 3]),
        ("status:>=400", [2, 3]),
        ("status:none", [4]),
        ("-status:2xx", [2, 3, 4]),
        ("status:", [1, 2, 3, 4, 5]),
        ("status:x", [1, 2, 3, 4, 5]),
        ("model:gpt-5.5", [1, 4, 5]),
        ("MODEL:GPT-5.5 status:2XX", [1, 5]),
        ("model:GPT-5.5 status:2xx", [1, 5]),
        ("status:4xx model:gpt-5.4 many", [2]),
        ('"too many"', [2]),
        ('error:"too many', [2]),
        ("method:get", [3]),
        ("path:/resp_1", [3]),
        ("host:us-west-2", [1, 2, 3, 4, 5]),
        ("https://bedrock-mantle", [1, 2, 3, 4, 5]),
        ("outcome:running", [4]),
        ("cancelled", [5]),
        ("-completed -failed", [4, 5]),
        ("attempt:>1", [5]),
        ("time:>1m", [5]),
        ("time:<200ms", [3]),
        ("first:>2s", [5]),
        ("first:>", [1, 2, 3, 4, 5]),
        ("up:=0", [3]),
        ("down:>10b", [1, 2, 5]),
        ("sent:basalt", [1, 2, 4, 5]),
        ("basalt", []),
        ('got:"a rock"', [1]),
        ("id:exchange0002", [2]),
        ("req_5", [5]),
        ("number:3", [3]),
    ],
)
def test_what_passes(text: str, numbers: list[int]) -> None:
    found = parse_filter(text)
    assert [row.number for row in ROWS if found.matches(row)] == numbers
    assert found.reads_bodies is text.startswith(("sent:", "got:"))


@given(st.text(max_size=30) | st.text('status:4x>= "-', max_size=12))
def test_whatever_is_typed_is_a_filter(text: str) -> None:
    found = parse_filter(text)
    for row in ROWS:
        found.matches(row)
