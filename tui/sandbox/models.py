"""Which models are where, and what they take (bedrock-facts.md section 1.4)."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

from .errors import no_such_model, wrong_route

_EFFORTS = ("none", "low", "medium", "high", "xhigh")
_EFFORTS_MAX = (*_EFFORTS, "max")
_FAKE = re.compile(r"fake-(\d{1,7})-(\d{1,7})")


@dataclass(frozen=True, slots=True)
class Model:
    """One model as the endpoint knows it.

    Attributes:
        regions: where it answers; empty means everywhere.
        route: the path prefix it is served under, `/openai/v1` or `/v1`.
        efforts: what `reasoning.effort` may be.
        effort: its default.
        context: the longest prompt, in tokens.
        most_output: the longest answer, in tokens.
        bills_writes: whether usage tells `cache_write_tokens` (section 8.7: from gpt-5.6 on).
        takes_summary: whether `reasoning.summary` is accepted (section 8.6).
        benchmark: (tokens, tokens per second) of a `fake-…` model, which does not look at the prompt.
    """

    id: str
    regions: frozenset[str]
    efforts: tuple[str, ...] = _EFFORTS
    effort: str = "none"
    route: str = "/openai/v1"
    context: int = 1_050_000
    most_output: int = 128_000
    bills_writes: bool = False
    takes_summary: bool = True
    benchmark: tuple[int, int] | None = None


def _table() -> dict[str, Model]:
    """Section 1.4. Regions VERIFIED (cards-x, oai-bed); the default effort of 5.6 is ASSUMED."""
    east = frozenset({"us-east-1", "us-east-2"})
    east_west = east | {"us-west-2", "us-gov-west-1"}
    west = frozenset({"us-west-2"})
    newest = Model("", east, _EFFORTS_MAX, "medium", bills_writes=True, takes_summary=False)
    oss = Model("", frozenset(), ("low", "medium", "high"), "medium", "/v1", 128_000)
    rows = (
        Model("openai.gpt-5.4", east_west),
        Model("openai.gpt-5.5", east, effort="medium"),
        replace(newest, id="openai.gpt-5.6-sol"),
        replace(newest, id="openai.gpt-5.6-terra", regions=east_west),
        replace(newest, id="openai.gpt-5.6-luna", regions=east_west),
        replace(newest, id="openai.gpt-6-astra", regions=west, efforts=_EFFORTS_MAX[1:]),
        replace(newest, id="openai.gpt-6-sol", regions=frozenset({"us-east-1"})),
        replace(newest, id="openai.gpt-6-luna", regions=frozenset({"us-east-1"})),
        replace(oss, id="openai.gpt-oss-20b"),
        replace(oss, id="openai.gpt-oss-120b"),
    )
    return {row.id: row for row in rows}


MODELS = _table()


def find(name: str, region: str, route: str = "/openai/v1") -> Model:
    """The model of that name, if it is served in this region under this path prefix.

    Raises:
        ApiError: 404 for an unknown model or another region's, 400 for a wrong path prefix (section 4).
    """
    if fake := _FAKE.fullmatch(name):
        return Model(name, frozenset(), benchmark=(int(fake[1]), int(fake[2])))
    model = MODELS.get(name)
    if model is None or (model.regions and region not in model.regions):
        raise no_such_model(name)
    if model.route != route:
        raise wrong_route(name)
    return model
