"""Profiles: named base URLs of the config file, each with a token that goes nowhere else."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest
from support.keyring_support import NOW, DictKeyring, short_term_token

from tui.config.profiles import Profile
from tui.config.settings import Settings, load_catalogue, load_settings
from tui.core.errors import ConfigError, TokenMissing, TokenUnusable
from tui.core.items import Target
from tui.credentials.credentials import VARIABLE, Credentials

GATEWAY = """
[profiles.gateway]
base_url = "https://gateway.example/v1/responses/"
model = "gpt-5.4-proxy"
token_env = "GATEWAY_TOKEN"

[profiles.other]
base_url = "https://other.example/openai/v1"
"""


@pytest.fixture
def load(tmp_path: Path):
    def settings(flags: Mapping[str, object] | None = None, file: str = GATEWAY, **environ: str) -> Settings:
        config = tmp_path / "config"
        config.mkdir(exist_ok=True)
        (config / "config.toml").write_text(file, encoding="utf-8")
        load_catalogue.cache_clear()
        dirs = {"OUTCROP_CONFIG_DIR": str(config), "OUTCROP_DATA_DIR": str(tmp_path / "data")}
        return load_settings(flags or {}, {**dirs, **environ})

    return settings


def test_a_profile_is_an_endpoint_with_a_base_url_and_a_model(load) -> None:
    assert load().endpoint == "mantle" and sorted(load().profiles) == ["gateway", "other"]
    settings = load({"profile": "gateway"}, BEDROCK_MODEL="openai.gpt-5.5")
    assert settings.endpoint == "gateway" and settings.base_url == "https://gateway.example/v1"
    assert settings.model == "gpt-5.4-proxy" and settings.sources["model"].startswith("profile gateway")
    assert settings.target().base_url == "https://gateway.example/v1"
    assert load({"profile": "gateway", "model": "mine"}).model == "mine"
    assert load({"profile": "other"}, BEDROCK_MODEL="openai.gpt-5.5").model == "openai.gpt-5.5"
    assert load(file='profile = "other"\n' + GATEWAY).endpoint == "other"
    # What is named more strongly wins over a profile of the file.
    assert load({"endpoint": "runtime"}, 'profile = "other"\n' + GATEWAY).endpoint == "runtime"
    assert (
        load(file='profile = "other"\n' + GATEWAY, BEDROCK_BASE_URL="https://x.example").endpoint == "custom"
    )
    assert load({"profile": "gateway"}, BEDROCK_BASE_URL="https://x.example").endpoint == "gateway"


def test_a_run_reaches_bedrock_and_every_profile_and_a_base_url_alone(load) -> None:
    settings = load()
    assert settings.target(endpoint="gateway") == Target(
        "gpt-5.4-proxy", "us-west-2", "gateway", "https://gateway.example/v1"
    )
    assert settings.target("m", endpoint="gateway").model == "m"
    with_profile = load({"profile": "gateway"})
    assert with_profile.target(endpoint="runtime").base_url.startswith("https://bedrock-runtime.us-west-2")
    alone = load({"base_url": "https://x.example"})
    assert (
        alone.target(endpoint="mantle").base_url
        == alone.target(endpoint="gateway").base_url
        == "https://x.example"
    )
    assert not alone.knows_endpoint("mantle") and settings.knows_endpoint("other")
    sandbox = load({"sandbox": True, "profile": "gateway"}).with_sandbox("http://127.0.0.1:5/openai/v1")
    assert sandbox.target(endpoint="gateway").base_url == "http://127.0.0.1:5/openai/v1"
    assert sandbox.target(endpoint="runtime").base_url == "http://127.0.0.1:5/us-west-2/runtime/openai/v1"


def test_what_was_sent_before_is_reached_where_it_was_sent(load) -> None:
    settings = load()
    gateway = settings.target(endpoint="gateway")
    assert settings.reaches(gateway) and settings.reaches(settings.target())
    assert not settings.reaches(Target("m", "us-west-2", "gateway", "https://moved.example/v1"))
    assert not settings.reaches(Target("m", "us-west-2", "custom", "https://x.example"))
    alone = load({"base_url": "https://x.example"})
    assert alone.reaches(Target("m", "us-west-2", "custom", "https://x.example"))
    assert not alone.reaches(settings.target())


def test_a_token_has_a_place_and_never_another_host(load) -> None:
    settings = load()
    assert settings.token_place(settings.target()) == "us-west-2"
    assert settings.token_place(settings.target(endpoint="gateway")) == "profile:gateway"
    with pytest.raises(TokenUnusable, match=r"goes to https://gateway\.example/v1 only"):
        settings.token_place(Target("m", "us-west-2", "gateway", "https://evil.example/v1"))


@pytest.mark.parametrize(
    ("file", "words"),
    [
        ("profiles = 5", "profiles: must be tables"),
        ("[profiles]\nx = 5", "profiles.x: must be a table with a base_url"),
        ("[profiles.x]", "profiles.x: base_url is missing"),
        (
            "[profiles.mantle]\nbase_url = 'https://x.example'",
            "custom, default, mantle, runtime, sandbox are taken",
        ),
        ("[profiles.'a b']\nbase_url = 'https://x.example'", "a name is letters, digits"),
        ("[profiles.x]\nbase_url = 'http://x.example'", r"profiles.x, base_url is not usable; http://"),
        ("[profiles.x]\nbase_urls = 'https://x.example'", r"did you mean 'base_url'"),
        ("[profiles.x]\nbase_url = 'https://x.example'\ntoken = 'abc'", "a token does not belong in a file"),
        (
            "[profiles.x]\nbase_url = 'https://x.example'\ntoken_env = 'bedrock-api-key-secret'",
            r"token_env: '…' \(it looks like a token, so it is not shown\) is not the name of a variable",
        ),
        (
            "[profiles.x]\nbase_url = 'https://x.example'\ntoken_env = 'T'\n"
            "[profiles.y]\nbase_url = 'https://y.example'\ntoken_env = 'T'",
            "x and y share the token_env 'T' and not the host",
        ),
        (
            "[profiles.x]\nbase_url = 'https://x.example'\n"
            "[profiles.y]\nbase_url = 'https://y.example'\ntoken_name = 'x'",
            "share the token_name 'x'",
        ),
        ("profile = 'zzz'\n" + GATEWAY, "there is no profile 'zzz'. There are gateway, other"),
    ],
)
def test_a_bad_profile_is_named_with_its_file_and_place(load, file: str, words: str) -> None:
    with pytest.raises(ConfigError, match=words) as caught:
        load(file=file)
    assert "config.toml" in str(caught.value) and "secret" not in str(caught.value)


def test_two_places_on_the_command_line_are_too_many(load) -> None:
    for flags in ({"endpoint": "mantle"}, {"base_url": "https://x.example"}):
        with pytest.raises(ConfigError, match="name different places; give one of them"):
            load({"profile": "gateway", **flags})
    with pytest.raises(ConfigError, match="did you mean 'gateway'"):
        load({"profile": "gatway"})


def test_two_profiles_of_one_host_may_share_a_token(load) -> None:
    settings = load(
        file="[profiles.x]\nbase_url = 'https://x.example/a'\ntoken_name = 't'\n"
        "[profiles.y]\nbase_url = 'https://x.example/b'\ntoken_name = 't'"
    )
    assert {profile.token_place for profile in settings.profiles.values()} == {"profile:t"}


PROFILE = Profile("gateway", "https://gateway.example/v1", "", "GATEWAY_TOKEN", "gateway")
PLACE = PROFILE.token_place


def credentials(keyring: DictKeyring | None = None, **environ: str) -> Credentials:
    return Credentials(
        environ, "us-west-2", profiles=[PROFILE], keyring=keyring or DictKeyring(), clock=lambda: NOW
    )


async def test_a_region_never_gets_a_profiles_token_nor_the_reverse() -> None:
    keyring = DictKeyring({"default": "aws-kept", PLACE: "gateway-kept"})
    found = credentials(keyring)
    await found.load("us-west-2")
    await found.load(PLACE)
    assert (found.token_for("us-west-2"), found.token_for(PLACE)) == ("aws-kept", "gateway-kept")
    found = credentials(GATEWAY_TOKEN="gateway-env")
    assert found.token_for(PLACE) == "gateway-env" and not found.status("us-west-2").usable
    with pytest.raises(TokenMissing):
        found.token_for("us-west-2")
    found = credentials(**{VARIABLE: "aws-env"})
    assert found.token_for("us-west-2") == "aws-env"
    with pytest.raises(
        TokenMissing, match=r"There is no token named gateway. Set GATEWAY_TOKEN, or keep one with"
    ):
        found.token_for(PLACE)
    found.remember("entered for the gateway".replace(" ", "-"), PLACE)
    assert found.token_for(PLACE) == "entered-for-the-gateway" and found.token_for("eu-west-1") == "aws-env"
    found = credentials()
    found.remember("entered-for-bedrock")
    assert not found.status(PLACE).usable


async def test_a_profiles_token_is_kept_under_its_own_name_and_cleared_there() -> None:
    keyring = DictKeyring({"default": "aws-kept"})
    found = credentials(keyring)
    # A gateway may take a Bedrock key of any region.
    assert await found.store(short_term_token("eu-west-1"), PLACE) == PLACE
    assert found.token_for(PLACE) == short_term_token("eu-west-1")
    assert found.status(PLACE).usable and "from the keyring" in found.status(PLACE).sentence
    assert await found.clear(PLACE) == (PLACE,)
    assert keyring.get("default") == "aws-kept" and not found.status(PLACE).usable


def test_a_status_names_the_profiles_variable() -> None:
    assert "from GATEWAY_TOKEN" in credentials(GATEWAY_TOKEN="x").status(PLACE).sentence
    bad = credentials(GATEWAY_TOKEN="two words").status(PLACE)
    assert not bad.usable and bad.sentence.startswith("GATEWAY_TOKEN: ")
