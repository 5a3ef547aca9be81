"""How many tokens a text is likely to have: a guess that learns from the server's own counts.

Tokens are a weighted sum of what can be counted in a text: its characters by class of script, the items, the
request itself. The weights begin as what holds for OpenAI's vocabularies on the whole, with a doubt for each;
every count that the server reports corrects them (a Kalman filter without motion: Bayesian linear regression,
one observation after the other). So it learns tokens per character of this conversation's language, the
hidden overhead of a request and of an item, and what replayed reasoning and files really come to.
Source of the first weights: measured on prose, code and data with o200k_base; of the overhead of a request
and of a page: bedrock-facts.md section 2 ("Preflight", "PDF").
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, cast

from tui.core.items import Item

__all__ = [
    "FEATURES",
    "Features",
    "Guess",
    "Observation",
    "TokenModel",
    "add",
    "features_of_item",
    "features_of_text",
    "named",
]

Features = tuple[float, ...]

# Name, tokens for each, and how far that may be off (one standard deviation).
_PRIOR: Final[tuple[tuple[str, float, float], ...]] = (
    ("latin", 0.205, 0.035),
    ("accented", 0.45, 0.25),
    ("alphabet", 0.29, 0.08),
    ("ideograph", 0.72, 0.15),
    ("digit", 0.42, 0.12),
    ("sign", 0.52, 0.14),
    ("newline", 0.30, 0.25),
    ("space", 0.02, 0.03),
    ("item", 4.0, 4.0),
    ("request", 150.0, 80.0),
    ("file", 1.0, 0.35),
    # Reasoning that is replayed, or that the server keeps in the chain: nobody documents what it comes to.
    ("reasoning_item", 0.0, 150.0),
    ("reasoning_token", 0.0, 0.4),
)
FEATURES: Final = tuple(name for name, _, _ in _PRIOR)
_INDEX: Final = {name: index for index, name in enumerate(FEATURES)}
_NOTHING: Final[Features] = (0.0,) * len(FEATURES)

_ACCENTED: Final = r"\u00c0-\u024f\u1e00-\u1eff"
_IDEOGRAPHS: Final = r"\u1100-\u11ff\u2e80-\u9fff\ua960-\ua97f\uac00-\ud7ff\uf900-\ufaff\U00020000-\U0003ffff"
# Runs, so that a megabyte is a few hundred thousand matches and not a million.
_RUNS: Final = re.compile(
    r"(?P<latin>[A-Za-z]+)|(?P<space>[ \t\u00a0]+)|(?P<newline>[\r\n]+)|(?P<digit>\d+)"
    rf"|(?P<accented>[{_ACCENTED}]+)|(?P<ideograph>[{_IDEOGRAPHS}]+)"
    rf"|(?P<alphabet>[^\W\d_A-Za-z{_ACCENTED}{_IDEOGRAPHS}]+)|(?P<sign>.)",
    re.DOTALL,
)
_DATA_URL: Final = re.compile(r'"data:[^"]{64,}"')
_OPAQUE: Final = re.compile(r'"encrypted_content":"[^"]*"')
_TEXT_FIELDS: Final = ("name", "arguments", "input", "output")


@dataclass(frozen=True, slots=True)
class Guess:
    """A number of tokens.

    Attributes:
        tokens: The likely number.
        doubt: One standard deviation.
    """

    tokens: float
    doubt: float

    @property
    def most(self) -> int:
        """A number that it hardly exceeds: two standard deviations above."""
        return math.ceil(self.tokens + 2 * self.doubt)


@dataclass(frozen=True, slots=True)
class Observation:
    """A count of the server's, and what it counted."""

    features: Features
    tokens: int


def add(*parts: Features, sign: float = 1.0) -> Features:
    """The sum of features; `sign` multiplies all but the first, so that -1 subtracts."""
    total = list(parts[0] if parts else _NOTHING)
    for part in parts[1:]:
        for index, value in enumerate(part):
            total[index] += sign * value
    return tuple(total)


def features_of_text(text: str) -> Features:
    """The characters of a text by class of script."""
    counts = dict.fromkeys(FEATURES, 0.0)
    for match in _RUNS.finditer(text):
        counts[match.lastgroup or "sign"] += match.end() - match.start()
    return tuple(counts.values())


def named(**counts: float) -> Features:
    """Features by name, e.g. `named(request=1)`; the others are 0."""
    features = list(_NOTHING)
    for name, value in counts.items():
        features[_INDEX[name]] = value
    return tuple(features)


def features_of_item(item: Item) -> Features:
    """What the model reads of an item, without files and without the content of reasoning."""
    payload = cast("dict[str, Any]", json.loads(_OPAQUE.sub('"encrypted_content":""', _lean(item.text))))
    if payload.get("type") == "reasoning":
        return named(item=1, reasoning_item=1)
    return add(named(item=1), features_of_text(_text(payload)))


def _lean(text: str) -> str:
    # Without megabytes of base64 it is quick to read.
    return _DATA_URL.sub('"data:"', text) if len(text) > 4096 else text


def _text(payload: Mapping[str, Any]) -> str:
    if payload.get("type", "message") != "message":
        return "\n".join(str(payload[name]) for name in _TEXT_FIELDS if payload.get(name))
    content: object = payload.get("content")
    if isinstance(content, str):
        return content
    parts = cast("Sequence[object]", content) if isinstance(content, list) else ()
    texts = [cast("Mapping[str, Any]", part) for part in parts if isinstance(part, Mapping)]
    return "\n".join(text for part in texts if (text := str(part.get("text") or part.get("refusal") or "")))


class TokenModel:
    """The weights of one conversation.

    Attributes:
        learned: How many counts of the server's are in them.
    """

    def __init__(self) -> None:
        self.learned = 0
        self._weights = [weight for _, weight, _ in _PRIOR]
        self._doubt = [
            [doubt * doubt if row == column else 0.0 for column in range(len(_PRIOR))]
            for row, (_, _, doubt) in enumerate(_PRIOR)
        ]

    def signed(self, features: Features) -> float:
        """The weighted sum itself; below 0 where features were taken away."""
        return sum(weight * value for weight, value in zip(self._weights, features, strict=True))

    def guess(self, features: Features) -> Guess:
        """How many tokens something with these features has; never less than 0."""
        tokens = self.signed(features)
        spread = self._spread(features)
        variance = sum(value * part for value, part in zip(features, spread, strict=True))
        return Guess(max(0.0, tokens), math.sqrt(max(0.0, variance) + _noise(tokens) ** 2))

    def learn(self, observation: Observation) -> None:
        """Correct the weights by one count of the server's.

        A count that is far from what was to be expected says more of what is not seen here (instructions that
        changed, something that was dropped from the context) than of the weights, and so counts for less.
        """
        features = observation.features
        miss = observation.tokens - self.signed(features)
        spread = self._spread(features)
        variance = max(0.0, sum(value * part for value, part in zip(features, spread, strict=True)))
        noise = _noise(observation.tokens) ** 2
        expected = variance + noise
        if miss * miss > 16 * expected:
            noise += miss * miss / 16
        gain = [part / (variance + noise) for part in spread]
        for row, step in enumerate(gain):
            self._weights[row] += step * miss
            for column, part in enumerate(spread):
                self._doubt[row][column] -= step * part
        self.learned += 1

    def _spread(self, features: Features) -> list[float]:
        used = [(index, value) for index, value in enumerate(features) if value]
        return [sum(row[index] * value for index, value in used) for row in self._doubt]


def _noise(tokens: float) -> float:
    """What no weighted sum tells: the words themselves matter, by some percent of a short text."""
    return 2.0 + 0.03 * abs(tokens)
