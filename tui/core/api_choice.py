"""Which endpoint and API a model is asked by, where not all of them were said.

A model's id says on which surface it goes: `openai.gpt-oss-20b-1:0` is runtime's, `openai.gpt-oss-20b` is
mantle's (bedrock-facts.md 1.1). What was said is kept; what was not is taken so that it fits, and that is
said.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from tui.core.api_rules import API_NAMES
from tui.core.catalogue import ENDPOINTS, Catalogue, Model, Place
from tui.core.text import visible_line

__all__ = ["Surface", "fitting_surface", "model_for_api"]


@dataclass(frozen=True, slots=True)
class Surface:
    """Where and how a model is asked.

    Attributes:
        model_id: As it is sent.
        endpoint: `mantle`, `runtime`, or whatever was in force.
        api: The API to ask by; `None` is the first that is served there.
        sentence: What is taken otherwise than it was in force, and why; empty where nothing is.
    """

    model_id: str
    endpoint: str
    api: str | None = None
    sentence: str = ""


def fitting_surface(catalogue: Catalogue, model_id: str, endpoint: str, api: str | None = None) -> Surface:
    """Where a model goes by its id and the API asked for; the endpoint in force where that serves it so.

    Where the API is served under another id of the same model only, it is that one. What nobody knows stays.

    Args:
        catalogue: The catalogue.
        model_id: As given.
        endpoint: The one in force.
        api: The API asked for; `None` leaves that open.
    """
    same = Surface(model_id, endpoint, api)
    model = catalogue.model(model_id)
    if model is None or endpoint not in ENDPOINTS:
        return same

    def fits(place: Place) -> bool:
        return model_id in place.ids and (api is None or api in place.apis)

    if _first(model, lambda place: fits(place) and place.endpoint == endpoint) is not None:
        return same
    if (place := _first(model, fits)) is not None:
        by = api or catalogue.default_api(model_id, place.endpoint)
        words = f"{visible_line(model_id)} is served on {place.endpoint}, over {API_NAMES[by]}"
        return Surface(model_id, place.endpoint, api, f"{words}: that is taken.")
    if api is not None and (place := _first(model, lambda place: api in place.apis)) is not None:
        words = f"Over {API_NAMES[api]}, {model.label} is {place.ids[0]} on {place.endpoint}: that is taken."
        return Surface(place.ids[0], place.endpoint, api, words)
    return same


def model_for_api(catalogue: Catalogue, api: str, region: str, endpoint: str | None = None) -> Surface | None:
    """What to ask over an API where no model was named: the cheapest that is served so in a region.

    Args:
        catalogue: The catalogue.
        api: A key of `API_NAMES`.
        region: AWS region.
        endpoint: The only one to look at; `None` looks at all.
    """
    found: list[tuple[bool, float, str, str]] = []
    for model in catalogue.models:
        cost = next((float(price.output) for price in model.prices if price.output is not None), 1e9)
        for place in model.places:
            if api in place.apis and "apis" not in place.uncertain and endpoint in (None, place.endpoint):
                found.append((region not in place.regions, cost, place.ids[0], place.endpoint))
    if not found:
        return None
    _, _, model_id, where = min(found, key=lambda one: one[:2])
    words = f"No model is configured: over {API_NAMES[api]}, {model_id} on {where} is taken."
    return Surface(model_id, where, api, words)


def _first(model: Model, fits: Callable[[Place], bool]) -> Place | None:
    return next((place for place in model.places if fits(place)), None)
