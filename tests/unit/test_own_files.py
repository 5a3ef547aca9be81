"""Files that come with the program are read parsed, and never stale."""

from __future__ import annotations

import os
import tomllib
from decimal import Decimal
from pathlib import Path

import pytest

from tui.core import catalogue
from tui.own_files import own_document
from tui.themes import own_folder

OWN = [Path(catalogue.__file__).with_name("catalogue.toml"), *sorted(own_folder().glob("*.toml"))]


@pytest.fixture
def keeping(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder in which parsed files are kept, empty."""
    monkeypatch.setattr("sys.pycache_prefix", str(tmp_path / "kept"))
    monkeypatch.setattr("sys.dont_write_bytecode", False)
    return tmp_path / "kept"


def kept_in(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


@pytest.mark.parametrize("path", OWN, ids=lambda path: path.name)
def test_what_is_kept_is_what_the_file_says(path: Path, keeping: Path):
    document = tomllib.loads(path.read_text(encoding="utf-8"), parse_float=Decimal)

    assert repr(own_document(path)) == repr(document)
    assert len(kept_in(keeping)) == 1
    assert repr(own_document(path)) == repr(document), "read from what was kept"


def test_a_file_that_is_kept_is_not_parsed_again_until_it_changes(
    tmp_path: Path, keeping: Path, monkeypatch: pytest.MonkeyPatch
):
    path = tmp_path / "mine.toml"
    path.write_text("price = 1.50", encoding="utf-8")
    parsed: list[str] = []
    parse = tomllib.loads
    monkeypatch.setattr("tomllib.loads", lambda text, **how: parsed.append(text) or parse(text, **how))

    assert [own_document(path), own_document(path)] == [{"price": Decimal("1.50")}] * 2
    assert len(parsed) == 1

    path.write_text("price = 2.25", encoding="utf-8")
    os.utime(path, ns=(1, path.stat().st_mtime_ns + 1))
    assert own_document(path) == {"price": Decimal("2.25")}


@pytest.mark.parametrize("damage", [b"", b"{", b"[]", b'{"of": []}', b'\xff{"of": 1, "document": {}}'])
def test_what_was_kept_and_is_damaged_is_written_anew(tmp_path: Path, keeping: Path, damage: bytes):
    path = tmp_path / "mine.toml"
    path.write_text("a = 1", encoding="utf-8")
    own_document(path)
    (kept,) = kept_in(keeping)
    whole = kept.read_bytes()
    kept.write_bytes(damage)

    assert own_document(path) == {"a": 1}
    assert kept.read_bytes() == whole


def test_where_nothing_can_be_kept_the_file_is_read_all_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    path = tmp_path / "mine.toml"
    path.write_text("a = 1\nday = 2026-11-22", encoding="utf-8")
    (tmp_path / "kept").write_text("a file where the folder would be", encoding="utf-8")
    monkeypatch.setattr("sys.pycache_prefix", str(tmp_path / "kept"))
    monkeypatch.setattr("sys.dont_write_bytecode", False)

    assert own_document(path)["a"] == 1


def test_a_file_that_is_no_toml_says_so(tmp_path: Path, keeping: Path):
    path = tmp_path / "mine.toml"
    path.write_text("a =", encoding="utf-8")

    with pytest.raises(ValueError):
        own_document(path)
    assert kept_in(keeping) == []
