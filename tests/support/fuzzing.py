"""Fuzzing for a bounded time: how often a property is tried, and what hostile documents are made of.

In the test suite a property sees a few dozen random examples; with OUTCROP_FUZZ_SECONDS set (`.ci/run`) it
is tried again and again for its share of so many seconds. Nothing is remembered between runs: what fails
prints the line that plays it again.
"""

from __future__ import annotations

import copy
import functools
import itertools
import json
import os
import random
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Final

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

__all__ = [
    "COUNTS",
    "FRAGMENTS",
    "SECONDS",
    "broken_everywhere",
    "cut_anywhere",
    "fuzz",
    "fuzz_settings",
    "hostile_json",
    "hostile_values",
    "mutated",
    "rounds",
    "weigh",
]

SECONDS: Final = float(os.environ.get("OUTCROP_FUZZ_SECONDS") or 0)
"""How long all properties together are tried; 0 tries each a few times."""

COUNTS: Final = Counter[str]()
"""How many examples each property saw, by its name."""

_WEIGHTS: Final[dict[str, float]] = {}


def fuzz_settings(examples: int, **more: Any) -> settings:
    """The one profile: random, no database, the failure's blob printed."""
    return settings(
        max_examples=examples,
        deadline=None,
        database=None,
        derandomize=False,
        print_blob=True,
        suppress_health_check=list(HealthCheck),
        **more,
    )


def weigh(name: str, weight: float) -> None:
    """Give what is tried under a name its share of the seconds, against those of the others."""
    _WEIGHTS[name] = weight


def rounds(name: str) -> Iterator[int]:
    """One round; with OUTCROP_FUZZ_SECONDS as many as fit into the property's share of it."""
    share = SECONDS * _WEIGHTS[name] / sum(_WEIGHTS.values())
    ends = time.monotonic() + share
    number = 0
    while number == 0 or time.monotonic() < ends:
        yield number
        number += 1


def fuzz(
    *strategies: st.SearchStrategy[Any], examples: int = 25, weight: float = 1.0
) -> Callable[[Callable[..., None]], Callable[[], None]]:
    """Make a property of a function that takes what the strategies give.

    Args:
        strategies: One for each argument.
        examples: How many of a round.
        weight: Its share of the seconds, against those of the others.
    """

    def decorated(test: Callable[..., None]) -> Callable[[], None]:
        name = test.__name__
        weigh(name, weight)

        @functools.wraps(test)
        def counted(*arguments: Any, **named: Any) -> None:
            COUNTS[name] += 1
            test(*arguments, **named)

        tried = fuzz_settings(examples)(given(*strategies)(counted))

        def run() -> None:
            for _ in rounds(name):
                tried()

        run.__name__, run.__qualname__, run.__module__ = name, test.__qualname__, test.__module__
        run.__doc__ = test.__doc__
        return run

    return decorated


# -- bytes -----------------------------------------------------------------------------------------------

FRAGMENTS: Final = (
    b"\xef\xbb\xbf", b"\0", b"\xff", b"\xed\xa0\x80", b"\xc3", b"\r", b"\n", b"\r\n", b"\n\n", b"\r\r",
    "\u2028".encode(), "\x85".encode(), "\u202e".encode(), b"\x1b]52;c;AA==\x07", b"[/red]", b"\\ud83d",
    b"NaN", b"Infinity", b"-Infinity", b"1e999", b"-0", b"9" * 5000, b"0x" + b"f" * 5000, b"-1", b"1.5",
    b"[" * 3000, b'{"a":' * 3000, b"{" * 2000, b'"', b"'", b"\\", b"{", b"}", b"[", b"]", b",", b":", b"=",
    b"#",
    b"null", b"true", b'""', b"{}", b"[]", b'"""', b" ", b"\t", b"\x7f",
)  # fmt: skip
"""What breaks readers: marks of a beginning, ends of lines, half characters, numbers beyond, deep nests."""


@st.composite
def mutated(
    draw: st.DrawFn, valid: st.SearchStrategy[bytes], fragments: Sequence[bytes] = FRAGMENTS
) -> bytes:
    """A valid document with up to five mutations: cut, left out, doubled, swapped, overwritten, inserted."""
    data = draw(valid)
    for _ in range(draw(st.integers(0, 5))):
        at = draw(st.integers(0, len(data)))
        end = min(len(data), at + draw(st.one_of(st.integers(0, 8), st.integers(0, 400))))
        piece = data[at:end]
        match draw(st.sampled_from(["cut", "out", "double", "swap", "bytes", "fragment", "fragment"])):
            case "cut":
                data = data[:at] if draw(st.booleans()) else data[at:]
            case "out":
                data = data[:at] + data[end:]
            case "double":
                data = data[:end] + piece + data[end:]
            case "swap":
                to = draw(st.integers(0, len(data)))
                rest = data[:at] + data[end:]
                data = rest[:to] + piece + rest[to:]
            case "bytes":
                data = data[:at] + draw(st.binary(max_size=4)) + data[end:]
            case _:
                data = data[:at] + draw(st.sampled_from(fragments)) + data[at:]
    return data


@st.composite
def cut_anywhere(draw: st.DrawFn, documents: st.SearchStrategy[bytes]) -> tuple[bytes, list[bytes]]:
    """A document and its pieces: whole, byte by byte, or cut at some places."""
    data = draw(documents)
    if draw(st.integers(0, 9)) == 0:
        return data, [data[at : at + 1] for at in range(len(data))]
    places = sorted({0, len(data), *draw(st.lists(st.integers(0, len(data)), max_size=8))})
    return data, [data[a:b] for a, b in itertools.pairwise(places)]


# -- JSON ------------------------------------------------------------------------------------------------

_DEEP, _HUGE, _TINY = "@deep@", "@huge@", "@tiny@"
_DEL: Final = object()
_RAW: Final = {
    _DEEP: "[" * 3000 + "]" * 3000,
    _HUGE: "9" * 5000,
    _TINY: "1e-400",
}


class _Twice(dict[str, Any]):
    """An object with a name that comes twice; the encoder asks for its items."""

    def __init__(self, pairs: list[tuple[str, Any]]) -> None:
        super().__init__(pairs)
        self._pairs = pairs

    def items(self) -> Any:
        return self._pairs


_HOSTILE: Final = (
    None, True, False, 0, 1, -1, 2**31, 2**63, -(2**70), 10**400, 1.5, 1e308, float("nan"), float("inf"),
    float("-inf"), "", "\0", "\ud800", "\ufeff", "\x1b]0;x\x07", "\u202e", "[/red]", "a" * 3000, _DEEP, _HUGE,
    _TINY, [], {}, [[]], [None], [1, "a"], {"a": 1}, {"": None}, "../../etc/passwd", "\r\n", "NaN",
)  # fmt: skip
hostile_values: Final = st.one_of(st.sampled_from(_HOSTILE), st.integers(-10, 10), st.text(max_size=6))
"""JSON values that stand where nobody expects them; some stand for a text that `hostile_json` writes out."""


def broken_everywhere(document: Any, share: float = 1.0) -> Iterator[bytes]:
    """A JSON document with each of its places, one after the other, left out or holding each hostile value.

    Args:
        document: What to break.
        share: How many of these to give, chosen by chance.
    """
    dice = random.Random()
    text = json.dumps(document)
    for number, _ in enumerate(_places(document)):
        for value in (_DEL, *_HOSTILE):
            if share < 1 and dice.random() >= share:
                continue
            fresh = json.loads(text)
            holder, key = next(itertools.islice(_places(fresh), number, None))
            if value is _DEL:
                del holder[key]
            else:
                holder[key] = copy.deepcopy(value)
            COUNTS["places broken one by one"] += 1
            yield _written(fresh, ensure_ascii=True)


@st.composite
def hostile_json(
    draw: st.DrawFn, valid: st.SearchStrategy[Any], values: st.SearchStrategy[Any] = hostile_values
) -> bytes:
    """A valid JSON document with up to three places changed, as text of any spelling."""
    document = json.loads(json.dumps(draw(valid)))
    for _ in range(draw(st.integers(0, 3))):
        places = list(_places(document))
        if not places:
            break
        holder, key = draw(st.sampled_from(places))
        match draw(st.sampled_from(["put", "put", "put", "out", "double", "swap", "rename"])):
            case "put":
                holder[key] = copy.deepcopy(draw(values))
            case "out":
                del holder[key]
            case "double" if isinstance(holder, list):
                holder.insert(key, holder[key])
            case "double" if isinstance(holder[key], dict) and holder[key]:
                inner = holder[key]
                name = draw(st.sampled_from(sorted(inner)))
                pairs = [*inner.items(), (name, copy.deepcopy(draw(values)))]
                holder[key] = _Twice(pairs)
            case "swap":
                other, place = draw(st.sampled_from(places))
                if _apart(holder[key], other[place]):
                    holder[key], other[place] = other[place], holder[key]
            case "rename" if isinstance(holder, dict):
                holder[draw(st.sampled_from(["", "\0", f"{key}x", str(key).upper()]))] = holder.pop(key)
            case _:
                pass
    return _written(document, ensure_ascii=draw(st.booleans()))


def _written(document: Any, *, ensure_ascii: bool) -> bytes:
    text = json.dumps(document, ensure_ascii=ensure_ascii)
    for mark, raw in _RAW.items():
        text = text.replace(f'"{mark}"', raw)
    return text.encode("utf-8", "surrogatepass")


def _places(value: Any) -> Iterator[tuple[Any, Any]]:
    """Each list or object in a value with each of its keys."""
    if isinstance(value, _Twice):
        return
    if isinstance(value, Mapping):
        keys: Sequence[Any] = list(value)
    elif isinstance(value, list):
        keys = range(len(value))
    else:
        return
    for key in keys:
        yield value, key
        yield from _places(value[key])


def _apart(one: Any, other: Any) -> bool:
    """Whether neither holds the other, so that they can change places."""
    return not any(inner[key] is other for inner, key in _places([one])) and not any(
        inner[key] is one for inner, key in _places([other])
    )
