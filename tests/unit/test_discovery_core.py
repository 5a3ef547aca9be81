"""Lists merged as hints, the guide's fallback choice, and what is said of a check before it is sent."""

from __future__ import annotations

from pathlib import Path

import pytest

import tui.core.catalogue as module
from tui.core.catalogue_file import parse_catalogue
from tui.core.discovery import (
    PairingCheck,
    RouteAnswer,
    check_words,
    fallback_model,
    list_urls,
    listed_ids,
    merged,
    place_name,
)
from tui.core.items import Target
from tui.core.model_rows import doubtful, model_document, model_rows

CATALOGUE = parse_catalogue(Path(module.__file__).with_name("catalogue.toml").read_text(encoding="utf-8"))
MANTLE = Target("openai.gpt-5.4", "us-west-2", "mantle", "https://bedrock-mantle.us-west-2.api.aws/openai/v1")


@pytest.mark.parametrize(
    ("listed", "chosen"),
    [
        ([], "openai.gpt-5.4"),
        (["openai.gpt-oss-20b", "openai.gpt-5.4"], "openai.gpt-5.4"),
        (["google.gemma", "openai.gpt-oss-20b", "openai.gpt-5.5"], "openai.gpt-oss-20b"),
        (["google.gemma", "acme.one"], "google.gemma"),
    ],
)
def test_the_choice_falls_back_as_the_guides_does(listed: list[str], chosen: str) -> None:
    assert fallback_model(listed) == chosen


def test_two_lists_are_merged_and_a_404_is_normal() -> None:
    found = merged(
        [
            RouteAnswer("/v1/models", ("a", "b")),
            RouteAnswer("/openai/v1/models", ("b", "c")),
            RouteAnswer("/x", status=404, failure="Not found."),
            RouteAnswer("/y", status=403, failure="The token was refused."),
        ]
    )
    assert found.models == ("a", "b", "c")
    assert found.routes == {
        "a": ("/v1/models",),
        "b": ("/v1/models", "/openai/v1/models"),
        "c": ("/openai/v1/models",),
    }
    assert found.said == (
        "/v1/models lists 2 models.",
        "/openai/v1/models lists 2 models.",
        "/x lists nothing (404), which is normal: not every endpoint has a list.",
        "/y could not be had. The token was refused.",
    )


@pytest.mark.parametrize(
    ("payload", "ids"),
    [
        ({"data": [{"id": "a"}, {"id": "b"}, {"id": "a"}]}, ("a", "b")),
        ({"data": [{"id": 5}, "x", {}, {"id": ""}, {"id": "a\x1b[2J"}]}, ("a␛[2J",)),
        ({"data": None}, ()),
        ({}, ()),
    ],
)
def test_what_is_no_list_of_models_is_an_empty_one(payload: dict[str, object], ids: tuple[str, ...]) -> None:
    assert listed_ids(payload) == ids


def test_where_a_place_lists_its_models() -> None:
    both = (
        ("/v1/models", "https://bedrock-mantle.us-west-2.api.aws/v1"),
        ("/openai/v1/models", "https://bedrock-mantle.us-west-2.api.aws/openai/v1"),
    )
    assert list_urls(MANTLE) == both
    oss = Target("openai.gpt-oss-20b", "us-west-2", "mantle", "https://bedrock-mantle.us-west-2.api.aws/v1")
    assert list_urls(oss) == both
    own = Target("m", "us-west-2", "custom", "https://gateway.example/llm/v1")
    assert list_urls(own) == (("/llm/v1/models", "https://gateway.example/llm/v1"),)


def test_a_place_has_one_name_and_the_sandbox_others() -> None:
    assert place_name(MANTLE) == "mantle"
    assert place_name(Target("m", "r", "mantle", "http://127.0.0.1:1", sandbox=True)) == "sandbox mantle"
    assert place_name(Target("m", "r", "custom", "https://x.example")) == "https://x.example"
    assert place_name(Target("m", "r", "gateway", "https://x.example")) == "gateway"


def test_what_a_check_costs_is_said_before() -> None:
    words = check_words(MANTLE, CATALOGUE.model("openai.gpt-5.4"))
    # About: 162 x 2.75 + 5 x 16.50 = 528; at most: 162 x 2.75 + 1,024 x 16.50 = 17,341.5 millionths.
    assert "openai.gpt-5.4 in us-west-2 on mantle sends one paid request" in words
    assert words.endswith("about $0.0005, at most about $0.0173.")
    assert check_words(MANTLE, None).endswith("what that costs is not known here.")


def test_the_rows_of_a_place_hold_all_that_is_known() -> None:
    check = PairingCheck("openai.gpt-5.4", "us-west-2", "mantle", 5.0, True, "It answered.")
    routes = {"openai.gpt-5.4": ("/v1/models",), "acme.new": ("/v1/models",)}
    rows = model_rows(
        CATALOGUE, MANTLE, None, routes, {("openai.gpt-5.4", "us-west-2", "mantle"): check}, ["mine"]
    )
    by_id = {row.model_id: row for row in rows}
    assert by_id["openai.gpt-5.4"].check is check and by_id["openai.gpt-5.4"].listed == ("/v1/models",)
    assert by_id["openai.gpt-5.6-terra"].listed == () and by_id["acme.new"].model is None
    assert by_id["acme.new"].pairing.possible and "mine" in by_id
    possible = [row.pairing.possible for row in rows]
    assert possible == sorted(possible, reverse=True) and not by_id["openai.gpt-5.5"].pairing.possible
    document = model_document(by_id["openai.gpt-5.5"], MANTLE)
    assert document["nearest"]["region"].startswith("us-east") and document["prices"][0]["input"] == "5.50"
    assert document["uncertain"] == ["context", "max_output"] and document["listed_on"] == []
    bound = model_rows(CATALOGUE, MANTLE, "us-east-1")
    assert not any(row.pairing.possible for row in bound if row.model is not None)
    assert all(row.listed is None for row in bound)
    custom = model_rows(
        CATALOGUE, Target("m", "us-west-2", "custom", "https://x.example"), None, {"z": ("/models",)}
    )
    assert [row.model_id for row in custom] == ["m", "z"]


def test_a_doubtful_figure_says_so() -> None:
    assert doubtful("1,050,000", True) == "1,050,000?" and doubtful("128,000", False) == "128,000"
