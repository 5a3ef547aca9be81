"""The catalogue: models x endpoints x regions x APIs, with prices, and what a pairing allows and why not.

The rows are data (`catalogue.toml` beside this file, and the user's own file over it), read by
`catalogue_file.py`. A figure whose source is doubtful is named in `uncertain` and is shown as doubtful.
Source: bedrock-facts.md sections 1 and 7.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Final

from tui.core.api_rules import API_NAMES, FEATURES, PARAMETERS, ApiRules
from tui.core.text import visible_line

__all__ = [
    "API_NAMES",
    "DEFAULT_MAX_OUTPUT",
    "DEFAULT_ROUTE",
    "ENDPOINTS",
    "MODEL_FEATURES",
    "NATIVE_APIS",
    "Catalogue",
    "Model",
    "Pairing",
    "Place",
    "Price",
    "is_region",
]

DEFAULT_MAX_OUTPUT: Final = 16_384
"""`max_output_tokens` for a model nobody knows: admission counts the model's maximum when none is sent."""

DEFAULT_ROUTE: Final = "/openai/v1"
MODEL_FEATURES: Final = ("background", "encrypted_reasoning", "stored_responses", "cache_breakpoints")
"""What a model may have or not, beside what the API has."""

NATIVE_APIS: Final = frozenset({"converse", "invoke_model"})
"""Those of AWS's own form, below `/model/{id}` of the host: they have no base URL with `/v1`."""

ENDPOINTS: Final = ("mantle", "runtime")
"""Bedrock's own; any other name is `custom` (a base URL of the user's own) or a profile's."""

_REGION: Final = re.compile(r"[a-z]{2,4}(?:-[a-z]+){1,3}-[0-9]{1,2}")


def is_region(name: str) -> bool:
    """Whether `name` has the form of an AWS region, e.g. `us-gov-west-1`; it need not exist."""
    return _REGION.fullmatch(name) is not None


@dataclass(frozen=True, slots=True)
class Price:
    """What a model costs, in US dollars per million tokens; `None` where nobody says.

    Attributes:
        kind: `in-region`, `global` (a global inference profile) or `list` (OpenAI's own list).
        input: Uncached input tokens.
        cached: Input tokens read from the cache.
        cache_write: Input tokens written to the cache.
        output: Output tokens, reasoning included.
        above: Holds for requests with more input tokens than this; 0 for the first tier.
        date: The day the price was read, `YYYY-MM-DD`.
        source: Where it was read.
        uncertain: Whether sources disagree or it was inferred.
    """

    kind: str
    input: Decimal | None
    cached: Decimal | None
    cache_write: Decimal | None
    output: Decimal | None
    above: int
    date: str
    source: str
    uncertain: bool


@dataclass(frozen=True, slots=True)
class Place:
    """An endpoint that serves a model, and how.

    Attributes:
        endpoint: `mantle` or `runtime`.
        route: Path of the base URL, `/openai/v1` or `/v1`; the wrong one is a 400 (bedrock-facts.md 1.1).
        apis: Out of `API_NAMES`.
        regions: Where it is served.
        ids: The ids under which the model goes here; on runtime these are inference profiles.
        source: Where that was read.
        uncertain: Which of `regions`, `apis`, `ids` are doubtful.
    """

    endpoint: str
    route: str
    apis: tuple[str, ...]
    regions: tuple[str, ...]
    ids: tuple[str, ...]
    source: str
    uncertain: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Model:
    """A model, as the catalogue knows it.

    Attributes:
        id: Its id on mantle, e.g. `openai.gpt-5.4`.
        label: Its name for people.
        launched: `YYYY-MM-DD` or `YYYY-MM`; empty when unknown.
        places: The endpoints that serve it.
        effort_values: What `reasoning.effort` may be, weakest first.
        default_effort: What the server takes when none is sent; `None` when unknown.
        context: Context window in tokens; `None` when unknown.
        max_output: Most output tokens of one response; `None` when unknown.
        default_max_output: What Outcrop sends as `max_output_tokens`.
        inputs: Out of `text`, `image`, `pdf`.
        features: Out of `background`, `encrypted_reasoning`, `stored_responses`, `cache_breakpoints`.
        cache: How long its prompt cache is told to keep: `in_memory` or `24h` as `prompt_cache_retention`,
            `prompt_cache_options` from gpt-5.6 on; empty where nothing is known of a cache.
        cache_ttls: What `prompt_cache_options.ttl` may be; empty where it takes none.
        cacheable_from: Input tokens from which on the prompt is cached at all; `None` when unknown.
        cache_step: Hits come in steps of so many tokens; `None` when unknown.
        sampling: When it takes temperature and top_p: `always`, `effort_none` or `never`.
        recommended: Out of `effort`, `temperature`, `top_p`: what to send where nothing else is chosen.
        prices: Tiers, the one that holds for the least input first.
        notes: A sentence for people; may be empty.
        uncertain: Names of the fields above that are doubtful.
        source: Where the row was read.
    """

    id: str
    label: str
    launched: str
    places: tuple[Place, ...]
    effort_values: tuple[str, ...]
    default_effort: str | None
    context: int | None
    max_output: int | None
    default_max_output: int
    inputs: frozenset[str]
    features: frozenset[str]
    cache: str
    cache_ttls: tuple[str, ...]
    cacheable_from: int | None
    cache_step: int | None
    sampling: str
    recommended: Mapping[str, str | float]
    prices: tuple[Price, ...]
    notes: str
    uncertain: tuple[str, ...]
    source: str

    @property
    def endpoints(self) -> dict[str, tuple[str, ...]]:
        """The regions by endpoint, for endpoints that serve the Responses API."""
        return {place.endpoint: place.regions for place in self.places if "responses" in place.apis}

    def place(self, endpoint: str, api: str = "responses") -> Place | None:
        """How `endpoint` serves it, by `api` where it can; `None` where it does not at all."""
        places = [place for place in self.places if place.endpoint == endpoint]
        return next((place for place in places if api in place.apis), places[0] if places else None)

    def doubts(self, field_name: str) -> bool:
        """Whether a field is doubtful, so that it is shown as such."""
        if field_name == "prices":
            return "prices" in self.uncertain or any(price.uncertain for price in self.prices)
        if field_name in ("regions", "apis", "ids"):
            return field_name in self.uncertain or any(field_name in place.uncertain for place in self.places)
        return field_name in self.uncertain


@dataclass(frozen=True, slots=True)
class Pairing:
    """Whether a model can be used in a region on an endpoint, as far as the catalogue knows.

    Attributes:
        possible: `False` only where the catalogue or the token says no; what nobody knows is possible.
        reason: Why not, or what is doubtful; empty when there is nothing to say.
        nearest: Model id and region of the nearest pairing that works.
        nearest_endpoint: Its endpoint: the one that was asked for where that serves the model at all, else
            the other; empty without a nearest pairing.
        elsewhere: The region that the token is bound to, where that is the reason.
        nearest_api: By which API that one works; empty without one.
    """

    possible: bool
    reason: str = ""
    nearest: tuple[str, str] | None = None
    nearest_endpoint: str = ""
    elsewhere: str = ""
    nearest_api: str = ""


@dataclass(frozen=True, slots=True)
class Catalogue:
    """All models and regions.

    Attributes:
        models: In the order of the file.
        regions: Regions of the mantle endpoint, then any that only a model names.
        date: The day the rows were compiled.
        apis: What each API has, by API and endpoint.
    """

    models: tuple[Model, ...]
    regions: tuple[str, ...]
    date: str = ""
    apis: Mapping[tuple[str, str], ApiRules] = field(default_factory=dict[tuple[str, str], ApiRules])
    _by_id: Mapping[str, Model] = field(default_factory=dict[str, Model], repr=False, compare=False)

    def model(self, model_id: str) -> Model | None:
        """The model that goes under this id, on any endpoint; `None` when it is not in the catalogue."""
        return self._by_id.get(model_id)

    def default_max_output(self, model_id: str) -> int:
        """What to send as `max_output_tokens`."""
        model = self.model(model_id)
        return DEFAULT_MAX_OUTPUT if model is None else model.default_max_output

    def default_api(self, model_id: str, endpoint: str) -> str:
        """The API that a model is asked by on an endpoint: Responses where served, else the first listed."""
        model = self.model(model_id)
        place = None if model is None else model.place(endpoint)
        return place.apis[0] if place and "responses" not in place.apis else "responses"

    def rules(self, api: str, endpoint: str) -> ApiRules:
        """What an API has on an endpoint; on one of the user's own, what it has on Bedrock's first."""
        found = self.apis.get((api, endpoint))
        if found is None:
            found = next((rules for (name, _), rules in self.apis.items() if name == api), None)
        return found or ApiRules(api, endpoint, None, frozenset(FEATURES), frozenset(PARAMETERS), "")

    def why_not(self, feature: str, model_id: str, endpoint: str, api: str) -> str | None:
        """Why an API has not one of `FEATURES` on an endpoint, and which has it, as a sentence; or `None`."""
        if self.rules(api, endpoint).has(feature):
            return None
        on = f" on {endpoint}" if endpoint in ENDPOINTS else ""
        sentence = f"{API_NAMES.get(api, api)}{on} has no {FEATURES[feature]}"
        model = self.model(model_id)
        lacking = model is None or (feature in MODEL_FEATURES and feature not in model.features)
        places = () if model is None or lacking else model.places
        ways: dict[str, dict[str, None]] = {}
        for place in places:
            for other in place.apis:
                if self.rules(other, place.endpoint).has(feature):
                    ways.setdefault(place.endpoint, {})[API_NAMES[other]] = None
        found = " or ".join(f"{_either([*names])} on {endpoint}" for endpoint, names in ways.items())
        return f"{sentence}; use {found} for that." if found else f"{sentence}."

    def route(self, model_id: str, endpoint: str, api: str = "responses") -> str:
        """The base URL's path for a model on an endpoint; `/openai/v1` where nothing else is known.

        It is empty for the APIs of AWS's own form: their paths begin at the host.
        """
        route = self.rules(api, endpoint).route
        if route is not None:
            return route
        model = self.model(model_id)
        place = None if model is None else model.place(endpoint, api)
        return DEFAULT_ROUTE if place is None else place.route

    def pairing(
        self,
        model_id: str,
        region: str,
        endpoint: str,
        token_region: str | None = None,
        api: str | None = None,
    ) -> Pairing:
        """Whether `model_id` can be used in `region` on `endpoint`, why not, and what would work.

        Args:
            model_id: As it would be sent.
            region: AWS region.
            endpoint: `mantle` or `runtime`; on any other everything is possible.
            token_region: The only region where the token in force works, if it says so.
            api: A key of `API_NAMES`; by default the one it is asked by there.
        """
        if endpoint not in ENDPOINTS:
            return Pairing(True)
        api = api or self.default_api(model_id, endpoint)
        found = self._served(model_id, region, endpoint, api)
        if token_region in (None, region):
            return found
        if not found.possible:
            works = self._served(model_id, token_region, endpoint, api).possible
            return (
                replace(found, nearest=(model_id, token_region), nearest_endpoint=endpoint, nearest_api=api)
                if works
                else found
            )
        bound = f"The token in force works in {token_region} only, not in {visible_line(region)}."
        there = self._served(model_id, token_region, endpoint, api)
        near = (model_id, token_region) if there.possible else there.nearest
        by = api if there.possible else there.nearest_api
        if not there.possible and near is not None and near[1] != token_region:
            # No nearest pairing works with this token: say which one would, were there a token for it.
            bound += f" {model_id} is not served there."
            near = (model_id, region)
        return Pairing(False, bound, near, there.nearest_endpoint or endpoint, token_region, by)

    def _served(self, model_id: str, region: str, endpoint: str, api: str) -> Pairing:
        model = self.model(model_id)
        if model is None:
            return Pairing(True, f"{visible_line(model_id)} is not in the catalogue; only sending can tell.")
        place = model.place(endpoint, api)
        if place is None:
            reason = f"{model.id} is not served on {endpoint}."
            return _elsewhere(reason, model, model_id, region, endpoint, api)
        if api not in place.apis:
            apis = _listed([API_NAMES[name] for name in place.apis])
            reason = f"On {endpoint}, {model.id} serves {apis}, not the {API_NAMES[api]} API."
            return _elsewhere(reason, model, model_id, region, endpoint, api)
        if model_id not in place.ids:
            reason = f"On {endpoint}, this model goes under the id {' or '.join(place.ids)}."
            return _near(reason, place, place.ids[0], region, api)
        if region not in place.regions:
            where = ", ".join(place.regions)
            reason = f"{model_id} is not in {visible_line(region)} on {endpoint}; it is in {where}."
            return _near(reason, place, model_id, region, api)
        # What is contested of other APIs is no doubt about the one that every model has.
        words = ("regions", "ids") if api == "responses" else ("regions", "apis", "ids")
        if doubted := [word for word in words if word in place.uncertain]:
            what = " and ".join({"apis": "APIs"}.get(word, word) for word in doubted)
            return Pairing(True, f"The {what} of {model_id} on {endpoint} are not documented for certain.")
        return Pairing(True)


def _listed(words: list[str]) -> str:
    return " and ".join(filter(None, [", ".join(words[:-1]), words[-1]]))


def _either(words: list[str]) -> str:
    return " or ".join(filter(None, [", ".join(words[:-1]), words[-1]]))


def _elsewhere(reason: str, model: Model, model_id: str, region: str, endpoint: str, api: str) -> Pairing:
    """Where the model is served by that API; where by none, how it is served here, or else anywhere."""
    place = next((place for place in model.places if api in place.apis), None)
    if place is not None:
        return _near(reason, place, place.ids[0], region, api)
    place = model.place(endpoint) or next(iter(model.places), None)
    if place is None:
        return Pairing(False, reason)
    return _near(reason, place, model_id if model_id in place.ids else place.ids[0], region, place.apis[0])


def _near(reason: str, place: Place, model_id: str, region: str, api: str) -> Pairing:
    near = (model_id, _nearest(region, place.regions))
    return Pairing(False, reason, near, place.endpoint, nearest_api=api)


def _nearest(region: str, regions: tuple[str, ...]) -> str:
    """The region that shares the most leading words with `region`: the same continent where possible."""

    def shared(other: str) -> int:
        words = list(zip(region.split("-"), other.split("-"), strict=False))
        return next((index for index, (a, b) in enumerate(words) if a != b), len(words))

    return max(regions, key=shared)
