"""Reading the catalogue: the rows that come with the program, and the user's own laid over them.

Every complaint is a ValueError whose text names the row and the field; `config.load_catalogue` adds the file.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from decimal import Decimal
from typing import Any, Final, cast

from tui.core.api_rules import API_NAMES, FEATURES, PARAMETERS, ApiRules
from tui.core.catalogue import (
    DEFAULT_MAX_OUTPUT,
    DEFAULT_ROUTE,
    ENDPOINTS,
    MODEL_FEATURES,
    Catalogue,
    Model,
    Place,
    Price,
    is_region,
)

__all__ = ["catalogue_of", "document_of", "parse_catalogue"]

_KINDS: Final = frozenset({"text", "image", "pdf"})
_CACHES: Final = ("", "in_memory", "24h", "prompt_cache_options")
_PRICE_KINDS: Final = ("in-region", "global", "list")
_SAMPLINGS: Final = ("always", "effort_none", "never")


def parse_catalogue(text: str, *overrides: str) -> Catalogue:
    """Read a catalogue and the files laid over it.

    They are merged row by row: a `[[model]]` whose `id` is known replaces the fields it names, another id
    adds a model; so do its places (told apart by `endpoint` and `route`) and prices (`kind` and `above`), and
    the rules of APIs (`name` and `endpoint`).

    Args:
        text: TOML, as in `catalogue.toml`.
        *overrides: TOML of the same form, each laid over what came before.

    Raises:
        ValueError: A text is no TOML, or `catalogue_of` does not take it.
    """
    return catalogue_of(*(document_of(source) for source in (text, *overrides)))


def document_of(text: str) -> dict[str, Any]:
    """A catalogue's TOML as a table; floats become `Decimal`.

    Raises:
        ValueError: It is no TOML.
    """
    from tui.core.toml_text import read_toml

    return read_toml(text, parse_float=Decimal)


def catalogue_of(*documents: Mapping[str, Any]) -> Catalogue:
    """The catalogue of parsed files, each laid over those before it; floats are `Decimal`.

    Raises:
        ValueError: A row misses a field, has an unknown one, or one of another kind.
    """
    rows: dict[str, dict[str, Any]] = {}
    apis: dict[tuple[str, str], dict[str, Any]] = {}
    regions: list[str] = []
    date = ""
    for document in documents:
        _only(document, {"date", "regions", "api", "model"}, "the top level")
        date = str(document.get("date", date))
        regions.extend(_strings(document, "regions", "the top level"))
        for row in _tables(document, "api", "the top level"):
            place = str(row.get("name", "")), str(row.get("endpoint", ""))
            apis[place] = {**apis.get(place, {}), **row}
        for row in _tables(document, "model", "the top level"):
            model_id = row.get("id")
            if not isinstance(model_id, str) or not model_id:
                raise ValueError("a [[model]] has no id")
            rows[model_id] = _merged(rows.get(model_id, {}), row, f"model {model_id}")
    models = tuple(_model(row) for row in rows.values())
    regions.extend(region for model in models for place in model.places for region in place.regions)
    for region in regions:
        if not is_region(region):
            raise ValueError(f"{region!r} is not the name of a region")
    by_id = {spelling: model for model in models for place in model.places for spelling in place.ids}
    by_id.update((model.id, model) for model in models)
    rules = {place: _api(row) for place, row in apis.items()}
    return Catalogue(models, tuple(dict.fromkeys(regions)), date, rules, by_id)


def _merged(old: Mapping[str, Any], new: Mapping[str, Any], where: str) -> dict[str, Any]:
    """A model's row with what a later file says of it."""
    row = {**old, **new}
    for name, keys in (
        ("place", (("endpoint", ""), ("route", DEFAULT_ROUTE))),
        ("price", (("kind", "in-region"), ("above", 0))),
    ):
        if name in old and name in new:
            tables: dict[tuple[str, ...], dict[str, Any]] = {}
            for table in (*_tables(old, name, where), *_tables(new, name, where)):
                key = tuple(str(table.get(field, default)) for field, default in keys)
                tables[key] = {**tables.get(key, {}), **table}
            row[name] = list(tables.values())
    return row


_MODEL_FIELDS: Final = {
    *("id", "label", "launched", "place", "effort_values", "default_effort", "context", "max_output"),
    *("default_max_output", "inputs", "features", "cache", "cache_ttls", "cacheable_from", "cache_step"),
    *("sampling", "recommended", "price", "notes", "uncertain", "source"),
}
_API_FIELDS: Final = {"name", "endpoint", "route", "features", "parameters", "source", "uncertain"}
_PLACE_FIELDS: Final = {"endpoint", "route", "apis", "regions", "ids", "source", "uncertain"}
_PLACE_DOUBTS: Final = ("regions", "apis", "ids")
_DOUBTFUL: Final = (
    *("launched", "regions", "apis", "ids", "effort_values", "default_effort", "context", "max_output"),
    *("inputs", "features", "cache", "cache_ttls", "cacheable_from", "cache_step", "prices", "sampling"),
)
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
        features=frozenset(_out_of(MODEL_FEATURES, _strings(row, "features", where), "features", where)),
        cache=_out_of(_CACHES, (_string(row, "cache", where),), "cache", where)[0],
        cache_ttls=_strings(row, "cache_ttls", where),
        cacheable_from=_whole(row, "cacheable_from", where),
        cache_step=_whole(row, "cache_step", where),
        sampling=_out_of(_SAMPLINGS, (_string(row, "sampling", where) or "always",), "sampling", where)[0],
        recommended=_recommended(row, efforts, where),
        prices=tuple(sorted((_price(p, where) for p in _tables(row, "price", where)), key=lambda p: p.above)),
        notes=_string(row, "notes", where),
        uncertain=_out_of(_DOUBTFUL, _strings(row, "uncertain", where), "uncertain", where),
        source=_string(row, "source", where),
    )


def _api(row: Mapping[str, Any]) -> ApiRules:
    name, endpoint = _string(row, "name", "an [[api]]"), _string(row, "endpoint", "an [[api]]")
    where = f"api {name} on {endpoint}"
    _only(row, _API_FIELDS, where)
    _out_of(tuple(API_NAMES), (name,), "name", where)
    _out_of(ENDPOINTS, (endpoint,), "endpoint", where)
    known = (*FEATURES, *PARAMETERS)
    return ApiRules(
        api=name,
        endpoint=endpoint,
        route=_string(row, "route", where) if "route" in row else None,
        features=frozenset(_out_of(tuple(FEATURES), _strings(row, "features", where), "features", where)),
        parameters=frozenset(
            _out_of(tuple(PARAMETERS), _strings(row, "parameters", where), "parameters", where)
        ),
        source=_string(row, "source", where),
        uncertain=_out_of(known, _strings(row, "uncertain", where), "uncertain", where),
    )


def _recommended(row: Mapping[str, Any], efforts: tuple[str, ...], where: str) -> Mapping[str, str | float]:
    """What to send where nothing else is chosen, by `Controls`' names."""
    given = _typed(row, "recommended", where, lambda value: isinstance(value, dict), "a table")
    table = cast("dict[str, Any]", given or {})
    where = f"{where}, recommended"
    _only(table, {"effort", "temperature", "top_p"}, where)
    found: dict[str, str | float] = {}
    if effort := _string(table, "effort", where):
        found["effort"] = _out_of(efforts, (effort,), "effort", where)[0]
    for name in ("temperature", "top_p"):
        if (number := _money(table, name, where, "a number from 0 up")) is not None:
            found[name] = float(number)
    return found


def _place(row: Mapping[str, Any], model_id: str, where: str) -> Place:
    where = f"{where}, place"
    _only(row, _PLACE_FIELDS, where)
    endpoint = _string(row, "endpoint", where)
    if endpoint not in ENDPOINTS:
        raise ValueError(f"{where}: endpoint may be mantle or runtime, not {endpoint!r}")
    regions = _strings(row, "regions", where)
    if not regions:
        raise ValueError(f"{where} {endpoint}: regions are missing")
    return Place(
        endpoint=endpoint,
        route=_string(row, "route", where) or DEFAULT_ROUTE,
        apis=_out_of(tuple(API_NAMES), _strings(row, "apis", where), "apis", where) or ("responses",),
        regions=regions,
        ids=_strings(row, "ids", where) or (model_id,),
        source=_string(row, "source", where),
        uncertain=_out_of(_PLACE_DOUBTS, _strings(row, "uncertain", where), "uncertain", where),
    )


def _price(row: Mapping[str, Any], where: str) -> Price:
    where = f"{where}, price"
    _only(row, _PRICE_FIELDS, where)
    return Price(
        kind=_out_of(_PRICE_KINDS, (_string(row, "kind", where) or "in-region",), "kind", where)[0],
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


def _out_of(known: tuple[str, ...], values: tuple[str, ...], key: str, where: str) -> tuple[str, ...]:
    """The values, if each is known."""
    for value in values:
        if value not in known:
            offered = ", ".join(name for name in known if name)
            raise ValueError(f"{where}: {key} may be {offered}, not {value!r}")
    return values


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


def _money(
    row: Mapping[str, Any], key: str, where: str, kind: str = "dollars per million tokens, from 0 up"
) -> Decimal | None:
    value = _typed(
        row,
        key,
        where,
        lambda v: (type(v) is int or isinstance(v, Decimal)) and Decimal(v).is_finite() and v >= 0,
        kind,
    )
    return None if value is None else Decimal(value)


def _strings(row: Mapping[str, Any], key: str, where: str) -> tuple[str, ...]:
    value = _typed(row, key, where, lambda v: _all(v, str), "a list of texts")
    return tuple(value or ())


def _tables(row: Mapping[str, Any], key: str, where: str) -> list[dict[str, Any]]:
    return _typed(row, key, where, lambda value: _all(value, dict), "a list of tables") or []


def _all(value: object, kind: type) -> bool:
    return isinstance(value, list) and all(isinstance(x, kind) for x in cast("Iterable[object]", value))
