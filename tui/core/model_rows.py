"""What there is to choose from in one region on one endpoint, with everything known of each row.

For `outcrop models` and the picker: the catalogue's rows, what the server listed, what was checked.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any, Final

from tui.core.catalogue import ENDPOINTS, Catalogue, Model, Pairing, Price
from tui.core.costs import kinds_for, price_for
from tui.core.discovery import PairingCheck, check_place
from tui.core.items import Target

__all__ = ["ModelRow", "doubtful", "model_document", "model_rows"]


@dataclass(frozen=True, slots=True)
class ModelRow:
    """A model in a region on an endpoint, over the API by which it would be asked.

    Attributes:
        model_id: As it would be sent.
        model: Its row of the catalogue; `None` when it has none.
        pairing: Whether it can be used, why not, and what would work.
        listed: The paths that list it; empty where none does, `None` where nobody was asked.
        check: The newest check of it, if there was one.
        price: What holds for a small request; `None` when unknown.
        api: The API by which it would be asked.
        apis: Every API that it is served over there, that one first.
    """

    model_id: str
    model: Model | None
    pairing: Pairing
    listed: tuple[str, ...] | None
    check: PairingCheck | None
    price: Price | None
    api: str = "responses"
    apis: tuple[str, ...] = ()


def model_rows(
    catalogue: Catalogue,
    target: Target,
    token_region: str | None = None,
    routes: Mapping[str, tuple[str, ...]] | None = None,
    checks: Mapping[tuple[str, str, str], PairingCheck] | None = None,
    more: Iterable[str] = (),
    api: str | None = None,
) -> list[ModelRow]:
    """Every model for one place: what works first, in the catalogue's order, then what does not.

    Args:
        catalogue: The catalogue.
        target: Region and endpoint; its model is listed even when nobody knows it.
        token_region: The only region where the token in force works, if it says so.
        routes: By model id, the paths that list it; `None` where nobody was asked.
        checks: By model, region and place.
        more: Other ids to list, a profile's model for instance.
        api: The API to ask by; by default, of each model the one that it is asked by there.
    """
    bedrock = target.endpoint in ENDPOINTS
    ids: dict[str, None] = {}
    if bedrock:
        for model in catalogue.models:
            place = model.place(target.endpoint, api or "responses")
            ids |= dict.fromkeys(place.ids if place is not None else (model.id,))
    ids |= dict.fromkeys(
        [*([] if bedrock and target.model in ids else [target.model]), *more, *(routes or {})]
    )
    rows: list[ModelRow] = []
    for model_id in ids:
        model = catalogue.model(model_id)
        by = api or catalogue.default_api(model_id, target.endpoint)
        rows.append(
            ModelRow(
                model_id,
                model,
                catalogue.pairing(model_id, target.region, target.endpoint, token_region, by),
                None if routes is None else routes.get(model_id, ()),
                (checks or {}).get((model_id, target.region, check_place(replace(target, api=by)))),
                price_for(model.prices, 0, kinds_for(model_id)) if model and bedrock else None,
                by,
                _apis(model, target.endpoint, by),
            )
        )
    return sorted(rows, key=lambda row: not row.pairing.possible)


def _apis(model: Model | None, endpoint: str, first: str) -> tuple[str, ...]:
    places = () if model is None else [place for place in model.places if place.endpoint == endpoint]
    served = dict.fromkeys(api for place in places for api in place.apis)
    return tuple(sorted(served, key=lambda api: api != first))


_DOUBT: Final = "?"


def doubtful(text: str, uncertain: bool) -> str:
    """A figure as it is shown: with "?" behind it where the catalogue's sources leave it in doubt."""
    return f"{text}{_DOUBT}" if uncertain and text else text


def model_document(row: ModelRow, target: Target) -> dict[str, Any]:
    """A row as JSON values; money is an exact text, what is unknown null."""
    model, pairing = row.model, row.pairing
    place = model.place(target.endpoint) if model else None
    document: dict[str, Any] = {
        "id": row.model_id,
        "label": model.label if model else None,
        "launched": (model.launched or None) if model else None,
        "region": target.region,
        "endpoint": target.endpoint,
        "route": place.route if place else None,
        "api": row.api,
        "apis": list(row.apis) if place else None,
        "possible": pairing.possible,
        "reason": pairing.reason or None,
        "nearest": None,
        "context": model.context if model else None,
        "max_output": model.max_output if model else None,
        "effort_values": list(model.effort_values) if model else None,
        "default_effort": model.default_effort if model else None,
        "inputs": sorted(model.inputs) if model else None,
        "features": sorted(model.features) if model else None,
        "cache": (model.cache or None) if model else None,
        "prices": [_price(price) for price in model.prices] if model else None,
        "uncertain": sorted({*model.uncertain, *(place.uncertain if place else ())}) if model else None,
        "source": model.source if model else None,
        "listed_on": None if row.listed is None else list(row.listed),
        "check": _check(row.check),
    }
    if pairing.nearest is not None:
        document["nearest"] = {
            "model": pairing.nearest[0],
            "region": pairing.nearest[1],
            "endpoint": pairing.nearest_endpoint,
            "api": pairing.nearest_api,
        }
    return document


def _price(price: Price) -> dict[str, Any]:
    def text(amount: Decimal | None) -> str | None:
        return None if amount is None else f"{amount:f}"

    return {
        "kind": price.kind,
        "above": price.above,
        "input": text(price.input),
        "cached": text(price.cached),
        "cache_write": text(price.cache_write),
        "output": text(price.output),
        "date": price.date,
        "source": price.source,
        "uncertain": price.uncertain,
    }


def _check(check: PairingCheck | None) -> dict[str, Any] | None:
    if check is None:
        return None
    return {"at": check.at, "works": check.works, "sentence": check.sentence}
