"""Which models are where, and what they take (bedrock-facts.md section 1.4)."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

from .errors import needs_profile, no_such_model, wrong_api, wrong_route
from .oneblock import SHAPES
from .place import Place

_EFFORTS = ("none", "low", "medium", "high", "xhigh")
_EFFORTS_MAX = (*_EFFORTS, "max")
_FAKE = re.compile(rf"fake-(\d{{1,7}})-(\d{{1,7}})(?:-({'|'.join(SHAPES)}))?")


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
        retentions: what `prompt_cache_retention` may be; the first holds by default.
        takes_cache_options: whether `prompt_cache_options` is accepted.
        profiles: whether runtime has inference profiles of it.
        sees: whether it takes images and PDFs.
        thinks_aloud: whether reasoning comes as text.
        samples: whether temperature and top_p are taken beside reasoning.
        chats: whether mantle serves Chat Completions of it.
        native: its id on runtime where that is no inference profile; it has Converse and InvokeModel there.
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
    retentions: tuple[str, ...] = ("24h",)
    takes_cache_options: bool = False
    profiles: bool = True
    sees: bool = True
    thinks_aloud: bool = False
    samples: bool = False
    chats: bool = True
    native: str | None = None
    benchmark: tuple[int, int] | None = None


def _table() -> dict[str, Model]:
    """Section 1.4.

    Regions and effort values VERIFIED (cards-x, oai-bed, aws-web, models.dev); the default effort VERIFIED
    for 5.4, 5.5 (cards-x) and 6 Sol, Luna (litellm), ASSUMED for 5.6 and Astra; gpt-oss's efforts ASSUMED.
    Section 1.1: runtime has profiles (VERIFIED, aws-resp, oai-bed), but none of 5.4 and 5.5 (cards-x).
    Section 2 "Prompt caching", VERIFIED (cb, sdk): 5.4 takes `in_memory`, 5.5 and later `24h` only;
    `prompt_cache_options` are for 5.6 and later (sdk), that Bedrock takes them is ASSUMED.
    Section 5: mantle refused Chat Completions of 5.4 and 5.5 (VERIFIED, big-AGI#1167, stdapi), it serves them
    of 6 (stdapi); of 5.6 sources disagree, the later one (litellm#38225) has them.
    """
    east = frozenset({"us-east-1", "us-east-2"})
    east_west = east | {"us-west-2", "us-gov-west-1"}
    newest = Model(
        "", east, _EFFORTS_MAX, "medium", bills_writes=True, takes_summary=False, takes_cache_options=True
    )
    # Section 2 "PDF": text only, VERIFIED (seed2). On runtime, section 5: Chat Completions only. Section 3:
    # reasoning_text is "gpt-oss style" (sdk); that mantle sends it is ASSUMED.
    oss = Model("", frozenset(), ("low", "medium", "high"), "medium", "/v1", 128_000, profiles=False)
    # Section 5, VERIFIED (seed2): temperature 1.0 and top_p 1.0 are recommended with the effort medium.
    oss = replace(oss, sees=False, thinks_aloud=True, samples=True)
    rows = (
        Model("openai.gpt-5.4", east_west, retentions=("in_memory", "24h"), profiles=False, chats=False),
        Model("openai.gpt-5.5", east, effort="medium", profiles=False, chats=False),
        replace(newest, id="openai.gpt-5.6-sol"),
        replace(newest, id="openai.gpt-5.6-terra", regions=east_west),
        replace(newest, id="openai.gpt-5.6-luna", regions=east_west),
        replace(newest, id="openai.gpt-6-astra", regions=frozenset({"us-west-2"}), efforts=_EFFORTS_MAX[1:]),
        replace(newest, id="openai.gpt-6-sol", regions=frozenset({"us-east-1"})),
        replace(newest, id="openai.gpt-6-luna", regions=frozenset({"us-east-1"})),
        replace(oss, id="openai.gpt-oss-20b", native="openai.gpt-oss-20b-1:0"),
        replace(oss, id="openai.gpt-oss-120b", native="openai.gpt-oss-120b-1:0"),
    )
    return {row.id: row for row in rows}


MODELS = _table()
_NATIVE = {row.native: row for row in MODELS.values() if row.native}


def find(name: str, place: Place, route: str = "/openai/v1") -> Model:
    """The model of that name, if it is served at this place under this path prefix.

    Raises:
        ApiError: 404 for an unknown model or another region's, 400 for a wrong path prefix (section 4), for
            a wrong API, and on runtime for an id that is no inference profile.
    """
    if fake := _FAKE.fullmatch(name):
        return Model(name, frozenset(), benchmark=(int(fake[1]), int(fake[2])))
    if place.is_runtime:
        if name in _NATIVE:
            # Sections 1.1 and 5: on runtime these have ids of their own and no Responses API.
            raise wrong_api(name, "/v1/responses")
        return _of_profile(name, place)
    return _of_mantle(name, place, route)


def find_for_chat(name: str, place: Place, route: str) -> Model:
    """The model of that name, if its Chat Completions are served here (sections 1.1, 4 and 5).

    Raises:
        ApiError: as `find`; 400 for a model that has the Responses API only.
    """
    if is_fake(name):
        return find(name, place, route)
    if not place.is_runtime:
        model = _of_mantle(name, place, route)
        if not model.chats:
            raise wrong_api(name, "/v1/chat/completions")
        return model
    native = _NATIVE.get(name)
    return replace(native, id=name) if native else _of_profile(name, place)


def find_native(name: str) -> Model | None:
    """The model that Converse and InvokeModel serve under this id; None where there is none.

    Section 6, VERIFIED (seed2): gpt-oss. That the GPT models have neither is ASSUMED; no source has them.
    """
    if fake := _FAKE.fullmatch(name):
        return Model(name, frozenset(), benchmark=(int(fake[1]), int(fake[2])))
    native = _NATIVE.get(name.rpartition("foundation-model/")[2])
    return replace(native, id=native.native or name) if native else None


def _of_mantle(name: str, place: Place, route: str) -> Model:
    model = MODELS.get(name)
    if model is None or (model.regions and place.region not in model.regions):
        raise no_such_model(name)
    if model.route != route:
        raise wrong_route(name)
    return model


def is_fake(name: object) -> bool:
    """Whether it is one of the sandbox's own benchmark models, `fake-TOKENS-RATE[-SHAPE]`."""
    return isinstance(name, str) and bool(_FAKE.fullmatch(name))


def _of_profile(name: str, place: Place) -> Model:
    """Section 1.1, VERIFIED (aws-resp, oai-bed): runtime takes `us.…`, `us-gov.…`, `global.…` ids only.

    ASSUMED: a profile of a geography is called from its own regions only, a global one from every region but
    GovCloud's.
    """
    prefix, _, bare = name.partition(".")
    model = MODELS.get(bare)
    if model is None or not model.profiles:
        own = MODELS.get(name)
        raise needs_profile(name) if own and own.profiles else no_such_model(name)
    known = place.geography in ("us", "us-gov") and prefix == place.geography
    if not known and not (prefix == "global" and place.geography != "us-gov"):
        raise no_such_model(name)
    return replace(model, id=name)
