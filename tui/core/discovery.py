"""What an endpoint says of its models: the merged lists, the fallback choice, the check of one pairing.

A list is a hint and never a gate: Bedrock lists models that are not callable on the route that lists them,
and answers 404 where others list (bedrock-facts.md 1.1). Source of the fallback and of the check: the guide.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, cast
from urllib.parse import urlsplit

from tui.core.api_rules import API_NAMES
from tui.core.catalogue import ENDPOINTS, Model
from tui.core.costs import cost_of_model, kinds_for, upper_cost
from tui.core.items import Target, Usage
from tui.core.text import visible_line

__all__ = [
    "CHECK_OUTPUT",
    "CHECK_PROMPT",
    "FIRST_CHOICE",
    "ModelList",
    "PairingCheck",
    "RouteAnswer",
    "check_place",
    "check_words",
    "fallback_model",
    "list_urls",
    "listed_ids",
    "merged",
    "place_name",
]

FIRST_CHOICE: Final = "openai.gpt-5.4"
CHECK_PROMPT: Final = "Reply with exactly: ok"
CHECK_OUTPUT: Final = 1024
"""`max_output_tokens` of the check; the guide's preflight, the smallest request that is an answer at all."""


@dataclass(frozen=True, slots=True)
class PairingCheck:
    """What came of sending the smallest paid request to a model somewhere.

    Attributes:
        model: Its id, as sent.
        region: AWS region.
        place: `mantle`, `runtime`, `sandbox`, the name of a profile, or a base URL of the user's own; and the
            API where that is another than Responses (`check_place`).
        at: When, seconds since the epoch.
        works: Whether an answer came.
        sentence: Why not, or what came.
    """

    model: str
    region: str
    place: str
    at: float
    works: bool
    sentence: str


@dataclass(frozen=True, slots=True)
class RouteAnswer:
    """What one of the two lists answered.

    Attributes:
        path: The path that was asked, e.g. `/v1/models`.
        models: The ids listed, in the server's order; empty when it lists none.
        status: HTTP status where it is no success; `None` when it listed, or no answer came.
        failure: Why it could not be had, in a sentence; empty when it listed.
    """

    path: str
    models: tuple[str, ...] = ()
    status: int | None = None
    failure: str = ""

    @property
    def said(self) -> str:
        """The answer in plain words."""
        if not self.failure:
            models = "1 model" if len(self.models) == 1 else f"{len(self.models)} models"
            return f"{self.path} lists {models}."
        if self.status == 404:
            return f"{self.path} lists nothing (404), which is normal: not every endpoint has a list."
        return f"{self.path} could not be had. {self.failure}"


@dataclass(frozen=True, slots=True)
class ModelList:
    """What a place lists, both routes together: hints.

    Attributes:
        models: The ids, each once: those of the first route that answered, then what the others add.
        routes: By id, the paths that list it.
        answers: What each route said.
    """

    models: tuple[str, ...]
    routes: Mapping[str, tuple[str, ...]]
    answers: tuple[RouteAnswer, ...]

    @property
    def said(self) -> tuple[str, ...]:
        """Each route's answer in plain words."""
        return tuple(answer.said for answer in self.answers)


def merged(answers: Sequence[RouteAnswer]) -> ModelList:
    """Put the lists of several routes together."""
    routes: dict[str, tuple[str, ...]] = {}
    for answer in answers:
        for model in answer.models:
            routes[model] = (*routes.get(model, ()), answer.path)
    return ModelList(tuple(routes), routes, tuple(answers))


def fallback_model(listed: Iterable[str]) -> str:
    """The model to take when none is configured, as the guide chooses it.

    gpt-5.4 where it is listed or nothing is, else the first `openai.` model listed, else the first listed.
    """
    models = list(listed)
    if not models or FIRST_CHOICE in models:
        return FIRST_CHOICE
    return next((model for model in models if model.startswith("openai.")), models[0])


def place_name(target: Target) -> str:
    """Under what results are remembered: an endpoint, a profile, or a base URL of the user's own.

    The sandbox has places of its own: what it lists and answers says nothing of the service.
    """
    if target.sandbox:
        return f"sandbox {target.endpoint}"
    return target.base_url if target.endpoint == "custom" else target.endpoint


def check_place(target: Target) -> str:
    """Under what checks are remembered: the place, and the API where that is another than Responses."""
    return place_name(target) if target.api == "responses" else f"{place_name(target)} {target.api}"


def list_urls(target: Target) -> tuple[tuple[str, str], ...]:
    """Where a place lists its models: the path as people read it, and the base URL under which to ask.

    Bedrock's endpoints, and what is built like them, have two; another base URL is asked for its own list.
    """
    base = target.base_url
    root = base.removesuffix("/openai/v1")
    if root == base and target.endpoint in ENDPOINTS:
        root = base.removesuffix("/v1")
    if root == base:
        return ((urlsplit(base).path.rstrip("/") + "/models", base),)
    return (("/v1/models", root + "/v1"), ("/openai/v1/models", root + "/openai/v1"))


def check_words(target: Target, model: Model | None) -> str:
    """What a check sends and costs, to be said before it is sent."""
    where = f"{target.model} in {target.region} on {target.endpoint}"
    where += "" if target.api == "responses" else f" over {API_NAMES.get(target.api, target.api)}"
    what = f'Checking {where} sends one paid request ("{CHECK_PROMPT}", at most {CHECK_OUTPUT:,} tokens out)'
    if target.sandbox:
        return f"{what}; in the sandbox it costs nothing."
    likely = cost_of_model(_LIKELY, model, target.model)
    most = upper_cost(_LIKELY_INPUT, CHECK_OUTPUT, model.prices, kinds_for(target.model)) if model else None
    if likely is None or most is None:
        return f"{what}; what that costs is not known here."
    return f"{what}: about ${likely.usd:.4f}, at most about ${most.usd:.4f}."


# The guide's preflight counted 162 tokens in and 5 out.
_LIKELY_INPUT: Final = 162
_LIKELY: Final = Usage(_LIKELY_INPUT, 0, 0, 5, 0, _LIKELY_INPUT + 5)


def listed_ids(payload: Mapping[str, Any]) -> tuple[str, ...]:
    """The ids in the answer to `GET …/models`; what is no list of models is an empty one."""
    data: object = payload.get("data")
    rows = cast("list[object]", data) if isinstance(data, list) else []
    ids = [cast("Mapping[str, object]", row).get("id") for row in rows if isinstance(row, Mapping)]
    names = [visible_line(name) for name in ids if isinstance(name, str) and name]
    return tuple(dict.fromkeys(names))
