"""Folders 0700 and files 0600, whatever the umask is, and whatever was there before."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest
from support.programs import Program

from tui.config.favourites import save_favourites
from tui.config.writer import write_setting
from tui.crash import Crashes
from tui.store.database import Database
from tui.store.history import History

PROMPT = "Reply with exactly: private"


def modes(root: Path) -> dict[str, int]:
    """The mode of everything below a folder."""
    return {str(path.relative_to(root)): stat.S_IMODE(path.lstat().st_mode) for path in root.rglob("*")}


def wrong(root: Path) -> list[str]:
    """What others may look at."""
    return [
        f"{name} {mode:o}"
        for name, mode in modes(root).items()
        if mode != (0o700 if (root / name).is_dir() else 0o600)
    ]


@pytest.mark.parametrize("umask", [0o000, 0o022, 0o077, 0o777])
def test_all_that_the_program_writes_is_its_users_alone(umask: int, tmp_path: Path) -> None:
    """In this process; as root nothing but the modes would tell."""
    before = os.umask(umask)
    try:
        root = tmp_path / "a" / "b"
        path = root / "data" / "history.db"
        history = History(path)
        history.save_draft("c1", "typed")
        # While it is open, its log and its shared memory lie beside it.
        assert {"history.db", "history.db-wal", "history.db-shm"} <= {
            file.name for file in path.parent.iterdir()
        }
        write_setting(root / "config" / "config.toml", "theme", "basalt")
        save_favourites(root / "config" / "more", [("m", "r", "e", "")])
        Crashes(root / "other" / "data").write(ValueError("x"), "a test")
        assert wrong(tmp_path) == []
        assert len(modes(root)) == 12
        history.close()
    finally:
        os.umask(before)


def test_a_folder_and_files_that_were_open_to_others_are_closed(tmp_path: Path) -> None:
    path = tmp_path / "data" / "history.db"
    history = History(path)
    history.save_draft("c1", "typed")
    for one in (path.parent, *path.parent.iterdir()):
        one.chmod(0o777)
    Database(path).close()
    assert wrong(tmp_path) == []
    history.close()


def test_a_run_under_umask_000_leaves_nothing_to_others(program: Program, tmp_path: Path) -> None:
    """The folders are made by the run; what it is told to write is as private as what it keeps."""
    for folder in (program.config, program.data):
        folder.rmdir()
    before = os.umask(0)
    try:
        typed = f"{PROMPT}\n/export json talk.json\nnot sent\\\n"
        # Nothing is warm: the process takes this umask.
        with program.running("--plain", "--sandbox", stdin=-1) as process:
            _, err = process.communicate(typed.encode(), timeout=120)
        assert process.returncode == 0, err
    finally:
        os.umask(before)
    saved = program.run("cassette", "save", program.history("list")[0]["id"], "-o", "talk.cassette")
    assert saved.status == 0, saved
    assert program.run("history", "export", "all", "-o", "all.json").status == 0
    assert wrong(program.data) == []
    assert stat.S_IMODE(program.data.stat().st_mode) == 0o700
    assert {name for name in modes(program.cwd)} == {"talk.json", "talk.cassette", "all.json"}
    assert wrong(program.cwd) == []
    assert (program.data / "sandbox").is_dir()
