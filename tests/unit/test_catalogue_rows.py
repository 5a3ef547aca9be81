"""The catalogue: what its rows hold, what a pairing allows, and the user's own file over it."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest

import tui.core.catalogue as module
from tui.core.catalogue import DEFAULT_MAX_OUTPUT, Pairing, is_region
from tui.core.catalogue_file import parse_catalogue

TEXT = Path(module.__file__).with_name("catalogue.toml").read_text(encoding="utf-8")
CATALOGUE = parse_catalogue(TEXT)


def test_the_guides_rows_and_gpt_oss_are_there():
    for model, region in [
        ("openai.gpt-5.4", "us-west-2"),
        ("openai.gpt-5.5", "us-east-2"),
        ("openai.gpt-5.4", "us-east-2"),
        ("openai.gpt-5.4", "us-gov-west-1"),
        ("openai.gpt-6-astra", "us-west-2"),
    ]:
        assert CATALOGUE.pairing(model, region, "mantle") == Pairing(True)
    for model in ("openai.gpt-oss-20b", "openai.gpt-oss-120b"):
        assert CATALOGUE.pairing(model, "us-west-2", "mantle").possible
        assert CATALOGUE.route(model, "mantle") == "/v1"
        assert CATALOGUE.model(model).inputs == {"text"}


@pytest.mark.parametrize("model", CATALOGUE.models, ids=lambda model: model.id)
def test_every_row_is_complete(model):
    assert model.label and model.launched and model.source and model.notes.strip() == model.notes
    assert model.endpoints["mantle"]
    assert model.prices and all(price.source and price.date for price in model.prices)
    assert model.default_max_output <= (model.max_output or model.context)
    tiers = [(price.kind, price.above) for price in model.prices]
    assert len(set(tiers)) == len(tiers) and [above for _, above in tiers] == sorted(
        above for _, above in tiers
    )
    for place in model.places:
        assert place.source and set(place.regions) <= set(CATALOGUE.regions)


def test_prices_are_exact_decimals_with_tiers():
    low, high = CATALOGUE.model("openai.gpt-5.6-sol").prices
    assert (low.input, low.cached, low.cache_write, low.output, low.above) == (
        Decimal("4.40"),
        Decimal("0.44"),
        Decimal("5.50"),
        Decimal("22.00"),
        0,
    )
    assert (high.input, high.above, high.cache_write) == (Decimal("8.80"), 272_000, None)


def test_an_impossible_pairing_has_a_reason_and_the_nearest_that_works():
    pairing = CATALOGUE.pairing("openai.gpt-5.4", "eu-west-1", "mantle")
    assert not pairing.possible
    assert "openai.gpt-5.4 is not in eu-west-1 on mantle; it is in us-east-1" in pairing.reason
    for model in CATALOGUE.models:
        for region in (*CATALOGUE.regions, "mx-central-1"):
            for endpoint in ("mantle", "runtime"):
                pairing = CATALOGUE.pairing(model.id, region, endpoint)
                if not pairing.possible:
                    assert pairing.reason and pairing.nearest
                    near, where = pairing.nearest
                    assert CATALOGUE.pairing(near, where, pairing.nearest_endpoint).possible


def test_the_nearest_region_is_on_the_same_continent_where_it_can_be():
    assert CATALOGUE.pairing("openai.gpt-5.6-terra", "us-west-1", "mantle").nearest[1] == "us-west-2"


def test_on_runtime_a_model_goes_under_a_profiles_id():
    assert CATALOGUE.pairing("us.openai.gpt-5.6-sol", "us-east-1", "runtime").possible
    pairing = CATALOGUE.pairing("openai.gpt-5.6-sol", "us-east-1", "runtime")
    assert not pairing.possible and pairing.nearest == ("us.openai.gpt-5.6-sol", "us-east-1")
    assert CATALOGUE.model("global.openai.gpt-6-luna").id == "openai.gpt-6-luna"


def test_an_api_that_is_not_served_is_the_reason():
    pairing = CATALOGUE.pairing("openai.gpt-oss-20b-1:0", "us-west-2", "runtime", api="responses")
    assert not pairing.possible and "not the Responses API" in pairing.reason
    assert pairing.nearest == ("openai.gpt-oss-20b", "us-west-2")
    assert (pairing.nearest_endpoint, pairing.nearest_api) == ("mantle", "responses")
    # Without one it is asked by the first that is served there.
    assert CATALOGUE.pairing("openai.gpt-oss-20b-1:0", "us-west-2", "runtime").possible


def test_a_token_of_another_region_is_the_reason_and_what_works_with_it_is_the_nearest():
    pairing = CATALOGUE.pairing("openai.gpt-5.4", "us-east-1", "mantle", "us-west-2")
    assert not pairing.possible and pairing.elsewhere == "us-west-2"
    assert pairing.reason == "The token in force works in us-west-2 only, not in us-east-1."
    assert pairing.nearest == ("openai.gpt-5.4", "us-west-2")
    assert CATALOGUE.pairing("openai.gpt-5.4", "us-west-2", "mantle", "us-west-2") == Pairing(True)
    # The model is not where the token works: the reason says so, the nearest is a pairing for another token.
    pairing = CATALOGUE.pairing("openai.gpt-6-sol", "us-east-1", "mantle", "us-west-2")
    assert pairing.reason.endswith("openai.gpt-6-sol is not served there.")
    assert pairing.nearest == ("openai.gpt-6-sol", "us-east-1")
    # What the catalogue rules out stays ruled out for the catalogue's reason.
    pairing = CATALOGUE.pairing("openai.gpt-5.4", "eu-west-1", "mantle", "us-west-2")
    assert "it is in" in pairing.reason and pairing.nearest == ("openai.gpt-5.4", "us-west-2")
    assert CATALOGUE.pairing("x", "us-east-1", "my-profile", "us-west-2") == Pairing(True)


def test_other_apis_have_pairings_of_their_own():
    ask = CATALOGUE.pairing
    for api in ("chat_completions", "converse", "invoke_model"):
        assert ask("openai.gpt-oss-20b-1:0", "us-west-2", "runtime", api=api).possible
        pairing = ask("openai.gpt-5.4", "us-west-2", "mantle", api=api)
        assert not pairing.possible and "serves Responses, not the" in pairing.reason
        assert pairing.nearest == ("openai.gpt-5.4", "us-west-2")
        assert (pairing.nearest_endpoint, pairing.nearest_api) == ("mantle", "responses")
    assert "APIs" in ask("openai.gpt-5.6-sol", "us-east-1", "mantle", api="chat_completions").reason


@pytest.mark.parametrize(
    ("model", "endpoint", "api", "route"),
    [
        ("openai.gpt-5.4", "mantle", "responses", "/openai/v1"),
        ("us.openai.gpt-5.6-sol", "runtime", "responses", "/openai/v1"),
        ("openai.gpt-oss-20b", "mantle", "responses", "/v1"),
        ("openai.gpt-oss-20b", "mantle", "chat_completions", "/v1"),
        ("openai.gpt-oss-20b-1:0", "runtime", "chat_completions", "/openai/v1"),
        ("openai.gpt-oss-20b-1:0", "runtime", "converse", ""),
        ("openai.gpt-oss-20b-1:0", "runtime", "invoke_model", ""),
    ],
)
def test_the_route_is_that_of_model_endpoint_and_api(model, endpoint, api, route):
    """bedrock-facts.md 1.1, table of base URLs; every one of them is a pairing that is possible."""
    assert CATALOGUE.route(model, endpoint, api) == route
    region = "us-east-1" if "5.6" in model else "us-west-2"
    assert CATALOGUE.pairing(model, region, endpoint, api=api).possible


@pytest.mark.parametrize(
    ("feature", "has"),
    [
        ("background", [("responses", "mantle")]),
        ("input_items", []),
        ("model_inherited", [("responses", "mantle")]),
        ("stored_responses", [("responses", "mantle"), ("responses", "runtime")]),
        (
            "guardrails",
            [("chat_completions", "runtime"), ("converse", "runtime"), ("invoke_model", "runtime")],
        ),
    ],
)
def test_what_an_api_has_is_a_row(feature, has):
    """bedrock-facts.md sections 1.1, 2, 5 and 8."""
    assert [place for place, rules in CATALOGUE.apis.items() if rules.has(feature)] == has
    assert CATALOGUE.why_not("background", "us.openai.gpt-5.6-sol", "runtime", "responses") == (
        "Responses on runtime has no background turns; use Responses on mantle for that."
    )
    assert CATALOGUE.why_not("guardrails", "openai.gpt-5.4", "mantle", "responses") == (
        "Responses on mantle has no guardrails."
    )
    # On a server of the user's own an API has what it has on Bedrock.
    assert CATALOGUE.why_not("background", "x", "my-profile", "responses") is None
    assert not CATALOGUE.rules("converse", "custom").has("stored_responses")


def test_what_is_recommended_for_gpt_oss_is_a_row_and_gpt_samples_without_effort_only():
    for model in CATALOGUE.models:
        oss = "gpt-oss" in model.id
        assert model.sampling == (
            "always" if oss else "effort_none" if "none" in model.effort_values else "never"
        )
        assert dict(model.recommended) == (
            {"effort": "medium", "temperature": 1.0, "top_p": 1.0} if oss else {}
        )


def test_cache_retention_is_that_of_the_models_generation():
    kinds = {model.id: model.cache for model in CATALOGUE.models}
    assert kinds["openai.gpt-5.4"] == "in_memory" and kinds["openai.gpt-5.5"] == "24h"
    newer = {name for name in kinds if "gpt-5.6" in name or "gpt-6" in name}
    assert len(newer) == 6 and {kinds[name] for name in newer} == {"prompt_cache_options"}
    for name in newer:
        model = CATALOGUE.model(name)
        assert model.cache_ttls == ("30m",) and model.doubts("cache") and model.doubts("cacheable_from")
    assert CATALOGUE.model("openai.gpt-5.4").cacheable_from == 1024
    assert not CATALOGUE.model("openai.gpt-5.4").doubts("cacheable_from")


def test_what_is_uncertain_in_the_sources_is_uncertain_here():
    doubts = {
        "openai.gpt-5.4": ["context", "max_output"],
        "openai.gpt-5.5": ["context", "max_output"],
        "openai.gpt-5.6-terra": ["max_output", "regions", "apis"],
        "openai.gpt-6-astra": ["prices"],
        "openai.gpt-6-sol": ["prices"],
        "openai.gpt-oss-20b": ["effort_values", "regions"],
        "openai.gpt-oss-120b": ["effort_values", "prices"],
    }
    for name, fields in doubts.items():
        assert [field for field in fields if not CATALOGUE.model(name).doubts(field)] == [], name
    assert not CATALOGUE.model("openai.gpt-5.4").doubts("prices")


def test_what_nobody_knows_is_possible():
    unknown = CATALOGUE.pairing("openai.gpt-9\x1b", "us-west-2", "mantle")
    assert unknown.possible and "not in the catalogue" in unknown.reason and "\x1b" not in unknown.reason
    assert CATALOGUE.pairing("anything", "anywhere", "custom") == Pairing(True)
    assert CATALOGUE.default_max_output("openai.gpt-9") == DEFAULT_MAX_OUTPUT


def test_an_override_changes_the_fields_it_names_and_adds_models():
    own = """
    regions = ["mx-central-1"]
    [[model]]
    id = "openai.gpt-5.4"
    context = 5
    [[model]]
    id = "mine"
    [[model.place]]
    endpoint = "mantle"
    regions = ["us-east-1"]
    """
    catalogue = parse_catalogue(TEXT, own)
    changed = catalogue.model("openai.gpt-5.4")
    assert changed.context == 5 and changed.label == "GPT-5.4" and changed.prices
    assert catalogue.models[-1].id == "mine" and catalogue.model("mine").inputs == {"text"}
    assert "mx-central-1" in catalogue.regions


def test_an_override_changes_one_place_or_price_and_leaves_the_others():
    own = """
    [[model]]
    id = "openai.gpt-5.6-sol"
    [[model.place]]
    endpoint = "mantle"
    regions = ["eu-west-1"]
    [[model.price]]
    above = 272_000
    cache_write = 11
    [[model.price]]
    kind = "global"
    input = 4
    """
    model = parse_catalogue(TEXT, own).model("openai.gpt-5.6-sol")
    mantle, runtime = model.places
    assert mantle.regions == ("eu-west-1",) and mantle.apis == ("responses", "chat_completions")
    assert runtime.ids == ("us.openai.gpt-5.6-sol", "global.openai.gpt-5.6-sol")
    prices = {(price.kind, price.above): price for price in model.prices}
    assert prices["in-region", 0].input == Decimal("4.40")
    assert (prices["in-region", 272_000].input, prices["in-region", 272_000].cache_write) == (
        Decimal("8.80"),
        11,
    )
    assert prices["global", 0].input == 4 and prices["global", 0].output is None


@pytest.mark.parametrize(
    ("own", "words"),
    [
        ("model = 5", "model must be a list of tables"),
        ("[[model]]", "no id"),
        ('[[model]]\nid = "x"\ncontext = "big"', "model x: context must be a whole number"),
        ('[[model]]\nid = "x"\ncontext = true', "model x: context"),
        ('[[model]]\nid = "x"\ncontxt = 5', "unknown key contxt"),
        ('[[model]]\nid = "x"\ninputs = ["smell"]', "not smell"),
        ('[[model]]\nid = "x"\ndefault_effort = "high"', "none of its effort_values"),
        ('[[model]]\nid = "x"\n[[model.place]]\nendpoint = "moon"', "mantle or runtime"),
        ('[[model]]\nid = "x"\n[[model.place]]\nendpoint = "mantle"', "regions are missing"),
        (
            '[[model]]\nid = "x"\ncache = "48h"',
            "cache may be in_memory, 24h, prompt_cache_options, not '48h'",
        ),
        ('[[model]]\nid = "x"\nfeatures = ["telepathy"]', "features may be background"),
        ('[[model]]\nid = "x"\nuncertain = ["all"]', "uncertain may be"),
        (
            '[[model]]\nid = "x"\n[[model.place]]\nendpoint="mantle"\nregions=["us-east-1"]\napis=["soap"]',
            "model x, place: apis may be responses, chat_completions",
        ),
        ('[[model]]\nid = "x"\n[[model.price]]\nkind = "cheap"', "model x, price: kind may be in-region"),
        ('[[model]]\nid = "x"\n[[model.price]]\ninput = -1', "input must be dollars"),
        ('[[model]]\nid = "x"\n[[model.price]]\ninput = nan', "input must be dollars"),
        ('[[api]]\nname = "soap"\nendpoint = "runtime"', "name may be responses"),
        ('[[api]]\nname = "converse"\nendpoint = "moon"', "endpoint may be mantle, runtime"),
        (
            '[[api]]\nname = "converse"\nendpoint = "runtime"\nfeatures = ["magic"]',
            "features may be streaming",
        ),
        ('[[model]]\nid = "x"\nrecommended = { effort = "high" }', "effort may be"),
        ('regions = ["somewhere"]', "not the name of a region"),
        ("[[model]]\nid = x", "line 2"),
    ],
)
def test_a_bad_row_is_named(own, words):
    with pytest.raises(ValueError, match=words.replace("(", r"\(")):
        parse_catalogue(TEXT, own)


@pytest.mark.parametrize(
    ("name", "fits"),
    [
        ("us-west-2", True),
        ("us-gov-west-1", True),
        ("ap-southeast-12", True),
        ("us-west", False),
        ("us-west-2.evil.example", False),
        ("US-WEST-2", False),
        ("us-west-2\n", False),
        ("", False),
    ],
)
def test_the_form_of_a_region(name, fits):
    assert is_region(name) is fits
