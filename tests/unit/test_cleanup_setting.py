"""BEDROCK_CLEANUP_STORED_RESPONSES and its key in the file: what switches it on and off."""

from __future__ import annotations

from pathlib import Path

import pytest

from tui.config.settings import load_settings
from tui.core.errors import ConfigError


def settings_of(tmp_path: Path, environ: dict[str, str], file: str = "") -> bool:
    config = tmp_path / "config"
    config.mkdir(exist_ok=True)
    (config / "config.toml").write_text(file)
    folders = {"OUTCROP_CONFIG_DIR": str(config), "OUTCROP_DATA_DIR": str(tmp_path / "data")}
    return load_settings({}, {**folders, **environ}).cleanup_stored_responses


@pytest.mark.parametrize(
    ("text", "on"),
    [
        *((text, True) for text in ("1", "true", "TRUE", "Yes", " on ")),
        *((text, False) for text in ("0", "false", "No", "OFF", "", "  ")),
    ],
)
def test_the_environment_says_it_in_any_case(tmp_path: Path, text: str, on: bool) -> None:
    assert settings_of(tmp_path, {"BEDROCK_CLEANUP_STORED_RESPONSES": text}) is on


def test_it_is_off_and_the_file_can_say_otherwise(tmp_path: Path) -> None:
    assert settings_of(tmp_path, {}) is False
    assert settings_of(tmp_path, {}, "cleanup_stored_responses = true") is True
    off = {"BEDROCK_CLEANUP_STORED_RESPONSES": "no"}
    assert settings_of(tmp_path, off, "cleanup_stored_responses = true") is False


@pytest.mark.parametrize("text", ["maybe", "2", "y"])
def test_anything_else_is_an_error(tmp_path: Path, text: str) -> None:
    with pytest.raises(ConfigError, match="BEDROCK_CLEANUP_STORED_RESPONSES"):
        settings_of(tmp_path, {"BEDROCK_CLEANUP_STORED_RESPONSES": text})
