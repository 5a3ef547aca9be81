"""Settings: which source wins, what is allowed, and what the complaints name."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from tui.config.settings import Settings, default_dirs, load_catalogue, load_settings
from tui.config.values import OPTIONS
from tui.core.errors import ConfigError
from tui.core.guardrail import Guardrail


@pytest.fixture
def load(tmp_path: Path):
    def settings(
        flags: Mapping[str, object] | None = None, file: str | None = None, **environ: str
    ) -> Settings:
        config = tmp_path / "config"
        config.mkdir(exist_ok=True)
        if file is not None:
            (config / "config.toml").write_text(file, encoding="utf-8")
        load_catalogue.cache_clear()
        dirs = {"OUTCROP_CONFIG_DIR": str(config), "OUTCROP_DATA_DIR": str(tmp_path / "data")}
        return load_settings(flags or {}, {**dirs, **environ})

    return settings


def refusal(load, *args, **kwargs) -> str:
    with pytest.raises(ConfigError) as caught:
        load(*args, **kwargs)
    return str(caught.value)


def test_the_defaults(load, tmp_path):
    settings = load()
    assert (settings.model, settings.region, settings.endpoint) == ("openai.gpt-5.4", "us-west-2", "mantle")
    assert settings.base_url == "https://bedrock-mantle.us-west-2.api.aws/openai/v1"
    assert (settings.max_retries, settings.request_timeout, settings.idle_timeout) == (2, 60.0, 600.0)
    assert settings.attachment_limit == 20_000_000
    assert settings.continuation == "stateful"
    assert not settings.sandbox and not settings.base_url_is_custom
    assert settings.data_dir == tmp_path / "data"
    assert set(settings.sources.values()) == {"default"}


def test_flag_wins_over_environment_wins_over_file_wins_over_default(load):
    file = 'model = "from.file"\nregion = "eu-west-1"\ntheme = "paper"\n'
    settings = load({"model": "from.flag"}, file, BEDROCK_MODEL="from.env", AWS_REGION="us-east-2")
    assert (settings.model, settings.region, settings.theme) == ("from.flag", "us-east-2", "paper")
    assert settings.sources["model"] == "flag --model"
    assert settings.sources["region"] == "environment AWS_REGION"
    assert settings.sources["theme"].startswith("config file ")
    assert settings.sources["max_retries"] == "default"


def test_aws_region_comes_before_aws_default_region(load):
    assert load(AWS_DEFAULT_REGION="us-east-1").region == "us-east-1"
    assert load(AWS_REGION="us-east-2", AWS_DEFAULT_REGION="us-east-1").region == "us-east-2"


def test_an_empty_variable_is_an_unset_one(load):
    settings = load(
        None, 'region = "eu-west-1"', AWS_REGION="", AWS_DEFAULT_REGION="  ", BEDROCK_MAX_RETRIES=""
    )
    assert settings.region == "eu-west-1"
    assert settings.max_retries == 2


def test_flags_that_were_not_given_do_not_count(load):
    flags = {"model": None, "region": "", "sandbox": False, "prompt": "hello"}
    assert load(flags, BEDROCK_MODEL="m").model == "m"


@pytest.mark.parametrize(
    "text",
    [
        "https://proxy.example/openai/v1",
        "  https://proxy.example/openai/v1/  ",
        "https://proxy.example/openai/v1/responses",
        "https://proxy.example/openai/v1/responses///",
        "https://PROXY.example/openai/v1",
    ],
)
def test_a_base_url_is_normalized_as_the_guide_does(load, text):
    settings = load(BEDROCK_BASE_URL=text)
    assert settings.base_url == "https://proxy.example/openai/v1"
    assert settings.endpoint == "custom" and settings.base_url_is_custom
    assert settings.target("other.model", "us-east-1").base_url == settings.base_url


@pytest.mark.parametrize("host", ["127.0.0.1:9", "localhost", "[::1]:80", "127.8.8.8", "a.localhost:1"])
def test_http_is_accepted_for_loopback(load, host):
    assert load(BEDROCK_BASE_URL=f"http://{host}/v1").base_url == f"http://{host}/v1"


@pytest.mark.parametrize(
    "url",
    [
        "http://10.0.0.1/v1",
        "http://localhost.example/v1",
        "http://127.0.0.1.example/v1",
        "ftp://localhost/v1",
        "localhost:8000",
        "https://",
        "https://host/a b",
        "https://host/v1?x=1",
        "https://host:nope/v1",
    ],
)
def test_other_base_urls_are_refused(load, url):
    sentence = refusal(load, BEDROCK_BASE_URL=url)
    assert "BEDROCK_BASE_URL" in sentence


def test_a_password_in_a_base_url_is_refused_and_not_shown(load):
    sentence = refusal(load, BEDROCK_BASE_URL="https://me:hunter2@host/v1")
    assert "password" in sentence and "hunter2" not in sentence


def test_bedrocks_own_base_url_names_endpoint_and_region(load):
    settings = load(BEDROCK_BASE_URL="https://bedrock-runtime.us-east-2.amazonaws.com/openai/v1/")
    assert (settings.endpoint, settings.region, settings.base_url_is_custom) == (
        "runtime",
        "us-east-2",
        False,
    )
    other = settings.target(region="us-east-1")
    assert other.base_url == "https://bedrock-runtime.us-east-1.amazonaws.com/openai/v1"


def test_a_region_flag_wins_over_the_region_in_the_environments_base_url(load):
    url = "https://bedrock-mantle.us-east-2.api.aws/openai/v1"
    settings = load({"region": "us-east-1"}, BEDROCK_BASE_URL=url, AWS_REGION="us-west-2")
    assert settings.base_url == "https://bedrock-mantle.us-east-1.api.aws/openai/v1"


def test_an_endpoint_flag_wins_over_the_environments_base_url(load):
    settings = load({"endpoint": "runtime"}, BEDROCK_BASE_URL="https://proxy.example/v1")
    assert settings.base_url == "https://bedrock-runtime.us-west-2.amazonaws.com/openai/v1"
    assert not settings.base_url_is_custom


def test_two_flags_that_contradict_each_other_are_refused(load):
    flags = {"endpoint": "runtime", "base_url": "https://proxy.example/v1"}
    assert "--base-url and --endpoint" in refusal(load, flags)


def test_gpt_oss_takes_the_legacy_route_on_mantle(load):
    target = load().target("openai.gpt-oss-20b", "us-west-2")
    assert target.base_url == "https://bedrock-mantle.us-west-2.api.aws/v1"
    assert load({"model": "openai.gpt-oss-120b"}).base_url.endswith(".api.aws/v1")
    assert load().target("unknown.model").base_url.endswith("/openai/v1")


def test_the_sandbox_wins_over_any_base_url_and_stays(load):
    settings = load({"sandbox": True}, BEDROCK_BASE_URL="https://proxy.example/v1")
    assert settings.sandbox
    settings = settings.with_sandbox("http://127.0.0.1:4567/openai/v1/")
    target = settings.target("openai.gpt-5.5", "us-east-2")
    assert target.base_url == "http://127.0.0.1:4567/us-east-2/openai/v1"
    assert settings.target().base_url == "http://127.0.0.1:4567/openai/v1"
    assert settings.target("openai.gpt-oss-20b", "us-east-2").base_url == "http://127.0.0.1:4567/us-east-2/v1"
    assert target.sandbox and target.endpoint == "mantle" and target.region == "us-east-2"


def test_a_request_timeout_that_is_set_is_also_the_longest_gap(load):
    settings = load(BEDROCK_REQUEST_TIMEOUT_SECONDS="12.5")
    assert (settings.request_timeout, settings.idle_timeout) == (12.5, 12.5)
    assert settings.sources["idle_timeout"] == "environment BEDROCK_REQUEST_TIMEOUT_SECONDS"
    file = "request_timeout_seconds = 5\nidle_timeout_seconds = 90\n"
    settings = load(None, file)
    assert (settings.request_timeout, settings.idle_timeout) == (5.0, 90.0)
    assert load(None, file, BEDROCK_REQUEST_TIMEOUT_SECONDS="7").idle_timeout == 7.0


@pytest.mark.parametrize(
    ("variable", "value", "allowed"),
    [
        ("BEDROCK_MAX_RETRIES", "many", "from 0 to 20"),
        ("BEDROCK_MAX_RETRIES", "-1", "from 0 to 20"),
        ("BEDROCK_MAX_RETRIES", "1.5", "from 0 to 20"),
        ("BEDROCK_REQUEST_TIMEOUT_SECONDS", "0", "above 0"),
        ("BEDROCK_REQUEST_TIMEOUT_SECONDS", "nan", "above 0"),
        ("BEDROCK_REQUEST_TIMEOUT_SECONDS", "inf", "above 0"),
        ("BEDROCK_MAX_DISPLAY_CHARS", "x", "from 1 to"),
        ("BEDROCK_MODEL", "two words", "one word"),
    ],
)
def test_a_bad_variable_is_named_with_its_value_and_what_is_allowed(load, variable, value, allowed):
    sentence = refusal(load, **{variable: value})
    assert variable in sentence and f"'{value}'" in sentence and allowed in sentence


@pytest.mark.parametrize(
    ("file", "words"),
    [
        ('modle = "x"', ["modle", "did you mean 'model'", "max_retries"]),
        ("max_retries = true", ["max_retries", "True", "from 0 to 20"]),
        ('continuation = "statefull"', ["continuation", "stateful, stateless"]),
        ('endpoint = "custom"', ["endpoint", "mantle, runtime"]),
        ("model = 5", ["model", "one word"]),
        ("[keymap]\nquit = 5", ["keymap.", "quit", "ctrl+q"]),
        ("[keymap]\napp.quit = []", ["keymap.", "app.quit", "ctrl+q"]),
        ("keymap = 5", ["keymap", "table"]),
        ("[keys]\n[keymap]", ["[keys]", "[keymap]", "one of them"]),
        ("send_key = 'f2'\nnewline_key = 'f2'", ["send_key", "newline_key", "differ"]),
        ("send_key = 'a'", ["send_key", "'a'", "writes nothing"]),
        ("newline_key = 'up'", ["newline_key", "'up'", "moves nothing"]),
        ("paste_chip_lines = -1", ["paste_chip_lines", "from 0"]),
        ("model = x", ["line 1"]),
        ('token = "bedrock-api-key-SECRET"', ["token", "outcrop token set"]),
    ],
)
def test_a_bad_file_is_named_with_key_and_what_is_allowed(load, tmp_path, file, words):
    sentence = refusal(load, None, file)
    for word in [str(tmp_path / "config" / "config.toml"), *words]:
        assert word in sentence
    assert "SECRET" not in sentence


def test_a_file_that_is_no_text_or_no_file_is_named(load, tmp_path):
    (tmp_path / "config").mkdir()
    path = tmp_path / "config" / "config.toml"
    path.write_bytes(b"model = '\xff'")
    assert str(path) in refusal(load) and "UTF-8" in refusal(load)
    path.unlink()
    path.mkdir()
    assert str(path) in refusal(load)


@pytest.mark.parametrize(
    "region", ["us-wset2", "uswest2", "us-west-2.evil.example", "us_west_2", "us-west-2/x"]
)
def test_a_malformed_region_is_refused_with_a_suggestion(load, region):
    sentence = refusal(load, {"region": region})
    assert "--region" in sentence and "us-west-2" in sentence


def test_a_region_typo_names_the_closest_region(load):
    assert "did you mean 'us-east-2'" in refusal(load, AWS_REGION="us-east2")


def test_a_region_that_the_catalogue_does_not_know_is_accepted(load):
    assert load(AWS_REGION="mx-central-1").region == "mx-central-1"


def test_a_token_put_into_another_variable_is_not_shown(load):
    assert "SECRET" not in refusal(load, AWS_REGION="bedrock-api-key-SECRET")
    assert "\x1b" not in refusal(load, AWS_REGION="\x1b]0;x\x07")


def test_the_keymap_is_read(load):
    assert load(None, "[keymap]\nquit = 'ctrl+x'").keymap == {"quit": "ctrl+x"}
    assert load(None, "[keys]\nquit = 'ctrl+x'").keymap == {"quit": "ctrl+x"}
    quoted = load(None, "[keymap]\n'app.quit' = ['f5', 'ctrl+x w w']")
    plain = load(None, "[keymap]\napp.quit = 'f5,ctrl+x w w'")
    assert quoted.keymap == plain.keymap == {"app.quit": "f5,ctrl+x w w"}


def test_the_users_catalogue_is_laid_over_the_packages(load, tmp_path):
    (tmp_path / "config").mkdir()
    own = tmp_path / "config" / "catalogue.toml"
    own.write_text('[[model]]\nid = "openai.gpt-5.4"\ndefault_max_output = 99\n', encoding="utf-8")
    catalogue = load().catalogue
    assert catalogue.default_max_output("openai.gpt-5.4") == 99
    assert catalogue.model("openai.gpt-5.4").label == "GPT-5.4"
    own.write_text('[[model]]\nid = "openai.gpt-5.4"\ncontxt = 99\n', encoding="utf-8")
    sentence = refusal(load)
    assert str(own) in sentence and "contxt" in sentence and "openai.gpt-5.4" in sentence


def test_the_platforms_folders_are_used_where_nothing_is_said(monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "c"))
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "d"))
    config, data = default_dirs({})
    assert config.name == data.name == "outcrop"
    if sys.platform == "linux":
        assert (config.parent, data.parent) == (tmp_path / "c", tmp_path / "d")


def test_importing_config_loads_no_heavy_library():
    code = (
        "import sys, tui.config.settings, tui.credentials.credentials\n"
        "import tui.session.attachments, tui.core.token\n"
        "heavy = {'keyring', 'pypdf', 'openai', 'httpx', 'pydantic', 'platformdirs', 'sqlite3', 'asyncio'}\n"
        "print(sorted(heavy & set(sys.modules)))"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert result.stdout.strip() == "[]"


def test_the_readme_s_table_has_every_key_of_the_file() -> None:
    readme = (Path(__file__).parents[2] / "README.md").read_text(encoding="utf-8")
    table = "\n".join(line.split("|")[2] for line in readme.splitlines() if line.startswith("| "))
    assert [option.key for option in OPTIONS.values() if option.key and f"`{option.key}`" not in table] == []


@pytest.mark.parametrize(
    ("flags", "environ", "place", "said"),
    [
        ({}, {}, ("openai.gpt-5.4", "mantle", "responses"), ""),
        (
            {"model": "openai.gpt-oss-20b-1:0"},
            {},
            ("openai.gpt-oss-20b-1:0", "runtime", "chat_completions"),
            "is served on runtime, over Chat Completions",
        ),
        ({"model": "us.openai.gpt-6-sol"}, {},
         ("us.openai.gpt-6-sol", "runtime", "responses"), "over Responses"),
        ({"api": "Chat-Completions", "model": "openai.gpt-oss-20b"}, {},
         ("openai.gpt-oss-20b", "mantle", "chat_completions"), ""),
        ({"model": "openai.gpt-oss-20b"}, {"OUTCROP_API": "invoke"},
         ("openai.gpt-oss-20b-1:0", "runtime", "invoke_model"), "Over InvokeModel, gpt-oss 20b is"),
        ({"api": "converse"}, {},
         ("openai.gpt-oss-20b-1:0", "runtime", "converse"), "No model is configured"),
        ({"api": "chat", "endpoint": "runtime"}, {},
         ("openai.gpt-oss-20b-1:0", "runtime", "chat_completions"), "No model is configured"),
        # What was said stays, possible or not: the server tells.
        ({"api": "converse", "model": "openai.gpt-5.4"}, {}, ("openai.gpt-5.4", "mantle", "converse"), ""),
        ({"model": "openai.gpt-oss-20b-1:0", "endpoint": "mantle"}, {},
         ("openai.gpt-oss-20b-1:0", "mantle", "responses"), ""),
        ({"model": "mine", "api": "chat"}, {}, ("mine", "mantle", "chat_completions"), ""),
    ],
)  # fmt: skip
def test_model_api_and_endpoint_fit_each_other_where_nobody_said_otherwise(
    flags: dict[str, object], environ: dict[str, str], place: tuple[str, str, str], said: str, tmp_path: Path
) -> None:
    settings = load_settings(flags, {**environ, "OUTCROP_CONFIG_DIR": str(tmp_path)})
    target = settings.target()
    assert (target.model, target.endpoint, target.api) == place
    assert said in settings.said
    assert bool(said) is bool(settings.said)
    assert ("endpoint" in flags) is settings.sources["endpoint"].startswith("flag")


@pytest.mark.parametrize(
    ("flags", "words"),
    [
        ({"api": "soap"}, "allowed: responses, chat_completions, converse, invoke_model"),
        ({"temperature": "2.1"}, "a number from 0 to 2"),
        ({"top_p": "nan"}, "a number from 0 to 1"),
        ({"stop": ["a"] * 5}, "4 texts at most"),
        ({"guardrail_trace": "loud"}, "allowed: off, on, full"),
    ],
)
def test_settings_of_apis_say_what_is_allowed(flags: dict[str, object], words: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=words):
        load_settings(flags, {"OUTCROP_CONFIG_DIR": str(tmp_path)})


def test_the_guardrail_is_put_together_from_its_settings(tmp_path: Path) -> None:
    (tmp_path / "config.toml").write_text(
        'guardrail_version = "3"\nguardrail_trace = "full"\nstop = ["END"]\n'
    )
    environ = {"OUTCROP_CONFIG_DIR": str(tmp_path), "OUTCROP_GUARDRAIL": "gr1"}
    settings = load_settings({}, environ)
    assert settings.guardrail_in_force == Guardrail("gr1", "3", "full", "")
    assert settings.stop == ("END",)
    assert load_settings({}, {"OUTCROP_CONFIG_DIR": str(tmp_path)}).guardrail_in_force is None
