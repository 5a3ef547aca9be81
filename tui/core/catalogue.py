"""The catalogue: models x endpoints x regions x APIs, with prices, and what a pairing allows and why not.

The rows are data (`catalogue.toml` beside this file, and the user's own file over it); this module only
reads them. A figure whose source is doubtful is named in `uncertain` and is to be shown as doubtful.
Source: bedrock-facts.md sections 1 and 7.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Final, cast

from tui.core.text import visible_line

__all__ = [
    "DEFAULT_MAX_OUTPUT",
    "Catalogue",
    "Model",
    "Pairing",
    "Place",
    "Price",
    "is_region",
    "parse_catalogue",
]

DEFAULT_MAX_OUTPUT: Final = 16_384
"""`max_output_tokens` for a model nobody knows: admission counts the model's maximum when none is sent."""

_DEFAULT_ROUTE: Final = "/openai/v1"
_REGION: Final = re.compile(r"[a-z]{2,4}(?:-[a-z]+){1,3}-[0-9]{1,2}")
_KINDS: Final = frozenset({"text", "image", "pdf"})


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
        apis: `responses`, `chat_completions`, `converse`.
        regions: Where it is served.
        ids: The ids under which the model goes here; on runtime these are inference profiles.
        source: Where that was read.
        uncertain: Whether the regions are doubtful.
    """

    endpoint: str
    route: str
    apis: tuple[str, ...]
    regions: tuple[str, ...]
    ids: tuple[str, ...]
    source: str
    uncertain: bool


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
        features: Out of `background`, `encrypted_reasoning`, `stored_responses`.
        cache: Prompt cache control it takes: `in_memory`, `24h`, `prompt_cache_options`, or empty.
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
    prices: tuple[Price, ...]
    notes: str
    uncertain: tuple[str, ...]
    source: str

    @property
    def endpoints(self) -> dict[str, tuple[str, ...]]:
        """The regions by endpoint, for endpoints that serve the Responses API."""
        return {place.endpoint: place.regions for place in self.places if "responses" in place.apis}

    def place(self, endpoint: str) -> Place | None:
        """How `endpoint` serves it, or `None`."""
        return next((place for place in self.places if place.endpoint == endpoint), None)


@dataclass(frozen=True, slots=True)
class Pairing:
    """Whether a model can be used in a region on an endpoint, as far as the catalogue knows.

    Attributes:
        possible: `False` only where the catalogue says no; what it does not know is possible.
        reason: Why not, or what is doubtful; empty when there is nothing to say.
        nearest: Model id and region of the nearest pairing that works, on the same endpoint where it serves
            the model's Responses API, else on the other one.
    """

    possible: bool
    reason: str = ""
    nearest: tuple[str, str] | None = None


@dataclass(frozen=True, slots=True)
class Catalogue:
    """All models and regions.

    Attributes:
        models: In the order of the file.
        regions: Regions of the mantle endpoint, then any that only a model names.
        date: The day the rows were compiled.
    """

    models: tuple[Model, ...]
    regions: tuple[str, ...]
    date: str = ""
    _by_id: Mapping[str, Model] = field(default_factory=dict[str, Model], repr=False, compare=False)

    def model(self, model_id: str) -> Model | None:
        """The model that goes under this id, on any endpoint; `None` when it is not in the catalogue."""
        return self._by_id.get(model_id)

    def default_max_output(self, model_id: str) -> int:
        """What to send as `max_output_tokens`."""
        model = self.model(model_id)
        return DEFAULT_MAX_OUTPUT if model is None else model.default_max_output

    def route(self, model_id: str, endpoint: str) -> str:
        """The base URL's path for a model on an endpoint; `/openai/v1` where nothing else is known."""
        model = self.model(model_id)
        place = None if model is None else model.place(endpoint)
        return _DEFAULT_ROUTE if place is None else place.route

    def pairing(self, model_id: str, region: str, endpoint: str) -> Pairing:
        """Whether `model_id` can be used in `region` on `endpoint`, why not, and what would work."""
        if endpoint not in ("mantle", "runtime"):
            return Pairing(True)
        model = self.model(model_id)
        if model is None:
            return Pairing(True, f"{visible_line(model_id)} is not in the catalogue; only sending can tell.")
        place = model.place(endpoint)
        if place is None:
            return Pairing(False, f"{model.id} is not served on {endpoint}.", _elsewhere(model, region))
        if "responses" not in place.apis:
            apis = " and ".join(api.replace("_", " ") for api in place.apis)
            reason = f"On {endpoint}, {model.id} serves {apis}, not the Responses API."
            return Pairing(False, reason, _elsewhere(model, region))
        if model_id not in place.ids:
            names = " or ".join(place.ids)
            near = (place.ids[0], _nearest(region, place.regions))
            return Pairing(False, f"On {endpoint}, this model goes under the id {names}.", near)
        if region not in place.regions:
            where = ", ".join(place.regions)
            reason = f"{model_id} is not in {visible_line(region)} on {endpoint}; it is in {where}."
            return Pairing(False, reason, (model_id, _nearest(region, place.regions)))
        if place.uncertain:
            return Pairing(True, f"The regions of {model_id} on {endpoint} are not documented for certain.")
        return Pairing(True)


def _elsewhere(model: Model, region: str) -> tuple[str, str] | None:
    place = next((place for place in model.places if "responses" in place.apis), None)
    return None if place is None else (place.ids[0], _nearest(region, place.regions))


def _nearest(region: str, regions: tuple[str, ...]) -> str:
    """The region that shares the most leading words with `region`: the same continent where possible."""

    def shared(other: str) -> int:
        words = list(zip(region.split("-"), other.split("-"), strict=False))
        return next((index for index, (a, b) in enumerate(words) if a != b), len(words))

    return max(regions, key=shared)


# Reading. Every complaint is a ValueError whose text names the row and the field.


def parse_catalogue(text: str, *overrides: str) -> Catalogue:
    """Read a catalogue and the files laid over it.

    A `[[model]]` of an override whose `id` is known replaces the fields it names; another id adds a model.

    Args:
        text: TOML, as in `catalogue.toml`.
        *overrides: TOML of the same form, each laid over what came before.

    Raises:
        ValueError: A text is no TOML, or a row misses a field, has an unknown one, or one of another kind.
    """
    rows: dict[str, dict[str, Any]] = {}
    regions: list[str] = []
    date = ""
    for source in (text, *overrides):
        document = tomllib.loads(source, parse_float=Decimal)
        _only(document, {"date", "regions", "model"}, "the top level")
        date = str(document.get("date", date))
        regions.extend(_strings(document, "regions", "the top level"))
        for row in _tables(document, "model", "the top level"):
            model_id = row.get("id")
            if not isinstance(model_id, str) or not model_id:
                raise ValueError("a [[model]] has no id")
            rows[model_id] = {**rows.get(model_id, {}), **row}
    models = tuple(_model(row) for row in rows.values())
    regions.extend(region for model in models for place in model.places for region in place.regions)
    for region in regions:
        if not is_region(region):
            raise ValueError(f"{region!r} is not the name of a region")
    by_id = {spelling: model for model in models for place in model.places for spelling in place.ids}
    by_id.update((model.id, model) for model in models)
    return Catalogue(models, tuple(dict.fromkeys(regions)), date, by_id)


_MODEL_FIELDS: Final = {
    *("id", "label", "launched", "place", "effort_values", "default_effort", "context", "max_output"),
    *("default_max_output", "inputs", "features", "cache", "price", "notes", "uncertain", "source"),
}
_PLACE_FIELDS: Final = {"endpoint", "route", "apis", "regions", "ids", "source", "uncertain"}
_PRICE_FIELDS: Final = {
    *("kind", "input", "cached", "cache_write", "output", "above", "date", "source", "uncertain"),
}


def _model(row: Mapping[str, Any]) -> Model:
    where = f"model {row['id']}"
    _only(row, _MODEL_FIELDS, where)
    inputs = frozenset(_strings(row, "inputs", where)) or frozenset({"text"})
    if inputs - _KINDS:
        raise ValueError(
            f"{where}: inputs may be text, image and pdf, not {', '.join(sorted(inputs - _KINDS))}"
        )
    efforts = _strings(row, "effort_values", where)
    effort = _string(row, "default_effort", where) or None
    if effort is not None and effort not in efforts:
        raise ValueError(f"{where}: default_effort {effort} is none of its effort_values")
    return Model(
        id=row["id"],
        label=_string(row, "label", where) or row["id"],
        launched=_string(row, "launched", where),
        places=tuple(_place(place, row["id"], where) for place in _tables(row, "place", where)),
        effort_values=efforts,
        default_effort=effort,
        context=_whole(row, "context", where),
        max_output=_whole(row, "max_output", where),
        default_max_output=_whole(row, "default_max_output", where) or DEFAULT_MAX_OUTPUT,
        inputs=inputs,
        features=frozenset(_strings(row, "features", where)),
        cache=_string(row, "cache", where),
        prices=tuple(sorted((_price(p, where) for p in _tables(row, "price", where)), key=lambda p: p.above)),
        notes=_string(row, "notes", where),
        uncertain=_strings(row, "uncertain", where),
        source=_string(row, "source", where),
    )


def _place(row: Mapping[str, Any], model_id: str, where: str) -> Place:
    where = f"{where}, place"
    _only(row, _PLACE_FIELDS, where)
    endpoint = _string(row, "endpoint", where)
    if endpoint not in ("mantle", "runtime"):
        raise ValueError(f"{where}: endpoint may be mantle or runtime, not {endpoint!r}")
    regions = _strings(row, "regions", where)
    if not regions:
        raise ValueError(f"{where} {endpoint}: regions are missing")
    return Place(
        endpoint=endpoint,
        route=_string(row, "route", where) or _DEFAULT_ROUTE,
        apis=_strings(row, "apis", where) or ("responses",),
        regions=regions,
        ids=_strings(row, "ids", where) or (model_id,),
        source=_string(row, "source", where),
        uncertain=_flag(row, "uncertain", where),
    )


def _price(row: Mapping[str, Any], where: str) -> Price:
    where = f"{where}, price"
    _only(row, _PRICE_FIELDS, where)
    return Price(
        kind=_string(row, "kind", where) or "in-region",
        input=_money(row, "input", where),
        cached=_money(row, "cached", where),
        cache_write=_money(row, "cache_write", where),
        output=_money(row, "output", where),
        above=_whole(row, "above", where) or 0,
        date=_string(row, "date", where),
        source=_string(row, "source", where),
        uncertain=_flag(row, "uncertain", where),
    )


def _only(row: Mapping[str, Any], known: set[str], where: str) -> None:
    for key in row:
        if key not in known:
            raise ValueError(f"{where}: unknown key {key}; known are {', '.join(sorted(known))}")


def _typed(row: Mapping[str, Any], key: str, where: str, fits: Callable[[Any], bool], kind: str) -> Any:
    value = row.get(key)
    if value is not None and not fits(value):
        raise ValueError(f"{where}: {key} must be {kind}")
    return value


def _string(row: Mapping[str, Any], key: str, where: str) -> str:
    return _typed(row, key, where, lambda value: isinstance(value, str), "a text") or ""


def _flag(row: Mapping[str, Any], key: str, where: str) -> bool:
    return bool(_typed(row, key, where, lambda value: isinstance(value, bool), "true or false"))


def _whole(row: Mapping[str, Any], key: str, where: str) -> int | None:
    return _typed(row, key, where, lambda v: type(v) is int and v >= 0, "a whole number from 0 up")


def _money(row: Mapping[str, Any], key: str, where: str) -> Decimal | None:
    value = _typed(
        row,
        key,
        where,
        lambda v: (type(v) is int or isinstance(v, Decimal)) and Decimal(v).is_finite() and v >= 0,
        "dollars per million tokens, from 0 up",
    )
    return None if value is None else Decimal(value)


def _strings(row: Mapping[str, Any], key: str, where: str) -> tuple[str, ...]:
    value = _typed(row, key, where, lambda v: _all(v, str), "a list of texts")
    return tuple(value or ())


def _tables(row: Mapping[str, Any], key: str, where: str) -> list[dict[str, Any]]:
    return _typed(row, key, where, lambda value: _all(value, dict), "a list of tables") or []


def _all(value: object, kind: type) -> bool:
    return isinstance(value, list) and all(isinstance(x, kind) for x in cast("Iterable[object]", value))
