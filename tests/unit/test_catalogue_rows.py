"""The catalogue: what its rows hold, what a pairing allows, and the user's own file over it."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest

import tui.core.catalogue as module
from tui.core.catalogue import DEFAULT_MAX_OUTPUT, Pairing, is_region, parse_catalogue

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
    assert [price.above for price in model.prices] == sorted({price.above for price in model.prices})
    assert set(model.uncertain) <= {"context", "max_output", "regions", "effort_values", "prices"}
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
                    assert any(
                        CATALOGUE.pairing(near, where, other).possible for other in ("mantle", "runtime")
                    )


def test_the_nearest_region_is_on_the_same_continent_where_it_can_be():
    assert CATALOGUE.pairing("openai.gpt-5.6-terra", "us-west-1", "mantle").nearest[1] == "us-west-2"


def test_on_runtime_a_model_goes_under_a_profiles_id():
    assert CATALOGUE.pairing("us.openai.gpt-5.6-sol", "us-east-1", "runtime").possible
    pairing = CATALOGUE.pairing("openai.gpt-5.6-sol", "us-east-1", "runtime")
    assert not pairing.possible and pairing.nearest == ("us.openai.gpt-5.6-sol", "us-east-1")
    assert CATALOGUE.model("global.openai.gpt-6-luna").id == "openai.gpt-6-luna"


def test_an_api_that_is_not_ours_is_the_reason():
    pairing = CATALOGUE.pairing("openai.gpt-oss-20b", "us-west-2", "runtime")
    assert not pairing.possible and "not the Responses API" in pairing.reason


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
        ('[[model]]\nid = "x"\n[[model.price]]\ninput = -1', "input must be dollars"),
        ('[[model]]\nid = "x"\n[[model.price]]\ninput = nan', "input must be dollars"),
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
