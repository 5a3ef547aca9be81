from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from tui.config.settings import load_settings
from tui.config.writer import write_setting
from tui.core.errors import ConfigError


def test_a_new_file_is_the_users_alone_and_is_read_again(tmp_path: Path) -> None:
    path = tmp_path / "config" / "config.toml"
    write_setting(path, "theme", "glacier")
    assert path.read_text() == 'theme = "glacier"\n'
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    environ = {"OUTCROP_CONFIG_DIR": str(path.parent), "OUTCROP_DATA_DIR": str(tmp_path)}
    assert load_settings({}, environ).theme == "glacier"


def test_comments_order_line_ends_and_mode_stay(tmp_path: Path) -> None:
    path = tmp_path / "config.toml"
    before = (
        "# mine\r\nmodel = 'm'  # the one\r\ntheme = 'ansi' # dim room\r\n\r\n[keymap]\r\napp.quit = 'f4'\r\n"
    )
    path.write_bytes(before.encode())
    path.chmod(0o640)
    write_setting(path, "theme", "outcrop-light")
    after = path.read_bytes().decode()
    assert after == before.replace("'ansi'", '"outcrop-light"')
    assert stat.S_IMODE(path.stat().st_mode) == 0o640
    write_setting(path, "reduced_motion", True)
    text = path.read_text()
    assert text.index("reduced_motion = true") < text.index("[keymap]"), (
        "a key of its own, not one of the table"
    )
    assert [entry.name for entry in tmp_path.iterdir()] == ["config.toml"]


def test_a_link_stays_and_what_it_leads_to_changes(tmp_path: Path) -> None:
    real = tmp_path / "dotfiles" / "outcrop.toml"
    real.parent.mkdir()
    real.write_text('model = "m"\n')
    link = tmp_path / "config.toml"
    link.symlink_to(real)
    write_setting(link, "theme", "ansi")
    assert link.is_symlink() and 'theme = "ansi"' in real.read_text()


def test_nothing_is_written_where_nothing_changes(tmp_path: Path) -> None:
    path = tmp_path / "config.toml"
    path.write_text('theme = "ansi"\n')
    before = path.stat().st_ino
    write_setting(path, "theme", "ansi")
    assert path.stat().st_ino == before


@pytest.mark.parametrize("what", ["toml", "utf8", "folder", "pipe", "parent"])
def test_what_cannot_be_written_is_a_sentence_and_stays(tmp_path: Path, what: str) -> None:
    path = tmp_path / "config.toml"
    match what:
        case "toml":
            path.write_text("theme = \n")
        case "utf8":
            path.write_bytes(b"theme = '\xff'")
        case "folder":
            path.mkdir()
        case "pipe":
            os.mkfifo(path)
        case _:
            (tmp_path / "file").write_text("")
            path = tmp_path / "file" / "config.toml"
    with pytest.raises(ConfigError) as told:
        write_setting(path, "theme", "ansi")
    assert str(path) in str(told.value) and "theme is not kept" in str(told.value).replace("so ", "")
    if what == "toml":
        assert path.read_text() == "theme = \n"
