"""The rows of the picker: every model in every region on every endpoint over each API, and what is not.

An API that a model is not served over has one dimmed row on an endpoint, not one in each region: it says why.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final, NamedTuple

from textual.fuzzy import FuzzySearch

from tui.core import figures
from tui.core.api_rules import API_NAMES
from tui.core.catalogue import ENDPOINTS, Catalogue, Model, Pairing
from tui.core.discovery import PairingCheck

__all__ = [
    "Choice",
    "Known",
    "Offer",
    "Place",
    "all_choices",
    "marked",
    "search",
]


class Place(NamedTuple):
    """Where and how a turn is sent: what a row stands for."""

    model_id: str
    region: str
    endpoint: str
    api: str = "responses"


_OWN_APIS: Final = ("responses", "chat_completions")
"""What a server of the user's own may serve."""
_LONGEST_WORD: Final = 24


@dataclass(frozen=True, slots=True)
class Offer:
    """An endpoint that this run can send to.

    Attributes:
        endpoint: `mantle`, `runtime`, `custom` or the name of a profile.
        region: The only region there is to speak of; empty where the regions are to be chosen from.
        models: Ids to list beside the catalogue's: a profile's own, what a server listed.
        token_region: The only region where the token for it works, if it says so.
    """

    endpoint: str
    region: str = ""
    models: tuple[str, ...] = ()
    token_region: str | None = None


@dataclass(frozen=True, slots=True)
class Known:
    """What is remembered of pairings.

    Attributes:
        favourites: In the order in which they were marked.
        recent: Last used first.
        checks: The newest check of each pairing that was checked.
        listed: Model, region and endpoint where a server listed it; a hint and no more.
        now: Seconds since the epoch, to say how long ago a check was.
    """

    favourites: tuple[Place, ...] = ()
    recent: tuple[Place, ...] = ()
    checks: Mapping[Place, PairingCheck] | None = None
    listed: frozenset[tuple[str, str, str]] = frozenset()
    now: float = 0.0


@dataclass(frozen=True, slots=True)
class Choice:
    """A model in a region on an endpoint over an API.

    Attributes:
        place: What is chosen with it.
        model: Its row of the catalogue; `None` when it has none.
        pairing: What the catalogue says of it.
        key_elsewhere: The region that the token in use is bound to, when it is another one.
        favourite: Whether the user marked it.
        recent: Whether it was used lately.
        listed: Whether the server listed it.
        check: What came of checking it.
        checked: The same in words, with its time; empty without one.
        usual: Whether the API is the one by which the model is asked there unless another is chosen.
    """

    place: Place
    model: Model | None
    pairing: Pairing
    key_elsewhere: str | None = None
    favourite: bool = False
    recent: bool = False
    listed: bool = False
    check: PairingCheck | None = None
    checked: str = ""
    usual: bool = True

    @property
    def model_id(self) -> str:
        """As it would be sent."""
        return self.place.model_id

    @property
    def region(self) -> str:
        """AWS region."""
        return self.place.region

    @property
    def endpoint(self) -> str:
        """The endpoint's name."""
        return self.place.endpoint

    @property
    def api(self) -> str:
        """A key of `API_NAMES`."""
        return self.place.api

    @property
    def label(self) -> str:
        """The model's name, or the id where the id says more, without the maker's name, as all have it."""
        if self.model is None:
            return self.model_id
        return self.model.label if self.model_id == self.model.id else self.model_id.replace("openai.", "", 1)

    @property
    def searched(self) -> str:
        """The text that typing searches."""
        api = API_NAMES.get(self.api, self.api)
        return f"{self.label} {self.region} {self.endpoint} {api} {self.api} {self.model_id}"


def all_choices(
    catalogue: Catalogue, current: Place, offers: Sequence[Offer], known: Known | None = None
) -> list[Choice]:
    """Every pairing: favourites, what was used lately, what works, the same over other APIs, what does not.

    What works is in the order of the offers and the catalogue's.

    Args:
        catalogue: The catalogue.
        current: The pairing in use; listed even when the catalogue does not know it.
        offers: The endpoints, the one in use first.
        known: What is remembered.
    """
    known = known or Known()
    choices: list[Choice] = []
    for offer in offers:
        regions = (offer.region,) if offer.region else catalogue.regions
        here = current.endpoint == offer.endpoint
        if here and not offer.region:
            regions = tuple(dict.fromkeys([*regions, current.region]))
        more = [*([current.model_id] if here else []), *offer.models]
        for model_id, model in _models(catalogue, offer, more):
            for place in _places(catalogue, offer, model_id, model, regions, current):
                if model is not None or _meant(place, current, offer, known):
                    choices.append(_choice(catalogue, offer, place, model, known))
    favourites = {place: number for number, place in enumerate(known.favourites)}
    recent = {place: number for number, place in enumerate(known.recent)}

    def rank(choice: Choice) -> tuple[int, int]:
        place = choice.place
        if place in favourites:
            return 0, favourites[place]
        if place in recent:
            return 1, recent[place]
        return (4 if not choice.pairing.possible else 2 if choice.usual else 3), 0

    return sorted(choices, key=rank)


def _models(catalogue: Catalogue, offer: Offer, more: Iterable[str]) -> list[tuple[str, Model | None]]:
    found: dict[str, Model | None] = {}
    bedrock = offer.endpoint in ENDPOINTS
    for model_id in more:
        if catalogue.model(model_id) is None or not bedrock:
            found.setdefault(model_id, catalogue.model(model_id))
    if bedrock or offer.endpoint == "custom":
        for model in catalogue.models:
            place = model.place(offer.endpoint)
            for name in place.ids if place is not None else (model.id,):
                found.setdefault(name, model)
    return list(found.items())


def _places(
    catalogue: Catalogue,
    offer: Offer,
    model_id: str,
    model: Model | None,
    regions: Sequence[str],
    current: Place,
) -> Iterator[Place]:
    """Each region over the usual API; over the others where the model is served, and once where it is not."""
    endpoint = offer.endpoint
    usual = catalogue.default_api(model_id, endpoint)
    if model is None or endpoint not in ENDPOINTS:
        own = (current.api, *_OWN_APIS) if current.endpoint == endpoint else _OWN_APIS
        apis = dict.fromkeys(
            [usual, *own] if endpoint not in ENDPOINTS else [usual, *_listed(current, model_id)]
        )
        yield from (Place(model_id, region, endpoint, api) for api in apis for region in regions)
        return
    served = {api: place for place in model.places if place.endpoint == endpoint for api in place.apis}
    for region in regions:
        yield Place(model_id, region, endpoint, usual)
        yield from (
            Place(model_id, region, endpoint, api)
            for api, place in served.items()
            if api != usual and region in place.regions
        )
    where = current.region if current.region in regions else regions[0]
    for api in API_NAMES if served else ():
        if api not in served and api != usual:
            yield Place(model_id, where, endpoint, api)


def _listed(current: Place, model_id: str) -> tuple[str, ...]:
    return (current.api,) if current.model_id == model_id else ()


def _meant(place: Place, current: Place, offer: Offer, known: Known) -> bool:
    """Whether a model that nobody knows is listed in a region: in use there, listed there, or a profile's."""
    return bool(offer.region) or place == current or place[:3] in known.listed or place in known.favourites


def _choice(catalogue: Catalogue, offer: Offer, place: Place, model: Model | None, known: Known) -> Choice:
    model_id, region, endpoint, api = place
    bound = offer.token_region
    check = (known.checks or {}).get(place)
    return Choice(
        place,
        model,
        catalogue.pairing(model_id, region, endpoint, api=api),
        bound if bound not in (None, region) and endpoint in ENDPOINTS else None,
        place in known.favourites,
        place in known.recent,
        place[:3] in known.listed,
        check,
        _checked(check, known.now) if check else "",
        api == catalogue.default_api(model_id, endpoint),
    )


def _checked(check: PairingCheck, now: float) -> str:
    return f"{'worked' if check.works else 'did not work'} {figures.when(check.at, now)}"


def search(choices: Iterable[Choice], typed: str) -> list[Choice]:
    """The choices that match every word typed, in any order; the best first, the possible before the rest.

    Letters may be skipped only where no choice holds the words as they are: `5.5 west` is meant.
    """
    words = [word[:_LONGEST_WORD].lower() for word in typed.split()]
    choices = list(choices)
    exact = [choice for choice in choices if all(word in choice.searched.lower() for word in words)]
    if exact or not words:
        return exact
    fuzzy = FuzzySearch()
    scored: list[tuple[float, Choice]] = []
    for choice in choices:
        scores = [fuzzy.match(word, choice.searched)[0] for word in words]
        if all(scores):
            scored.append((sum(scores), choice))
    scored.sort(key=lambda pair: (not pair[1].pairing.possible, -pair[0]))
    return [choice for _, choice in scored]


def marked(known: Known, place: Place) -> Known:
    """The same with a pairing marked as a favourite, or no longer."""
    if place in known.favourites:
        return replace(known, favourites=tuple(one for one in known.favourites if one != place))
    return replace(known, favourites=(*known.favourites, place))
