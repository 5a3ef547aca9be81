"""Crashes, two programs at once, full disks, and files that must be left alone."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
import tempfile
import textwrap
import threading
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from support.store_support import completed, conversation

from tui.core.errors import StoreError
from tui.core.items import Outcome
from tui.store.database import Database
from tui.store.history import ENDED_WHILE_RUNNING, History
from tui.store.process import is_alive, this_process
from tui.store.schema import MIGRATIONS, SCHEMA_VERSION

TESTS = Path(__file__).parent.parent


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "data" / "history.db"


def script(code: str) -> list[str]:
    head = (
        "import os, sys\n"
        f"sys.path.insert(0, {str(TESTS)!r})\n"
        "from pathlib import Path\n"
        "from support.store_support import *\n"
        "from tui.core.errors import StoreError\n"
        "from tui.store.history import History\n"
    )
    return [sys.executable, "-c", head + textwrap.dedent(code)]


STREAMING = """
history = History(Path(sys.argv[1]))
history.save_conversation(conversation())
history.save_turn("c1", turn("t1", "the prompt"))
for number in range(1, 100_000):
    history.save_partial("t1", "word " * number, "thought", output("finished item"), "resp_1")
    print(number, flush=True)
"""


@pytest.mark.parametrize("after", [1, 40])
def test_kill_9_in_a_stream_keeps_the_prompt_and_what_was_acknowledged(path, after):
    process = subprocess.Popen([*script(STREAMING), str(path)], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    for _ in range(after):
        acknowledged = int(process.stdout.readline())
    process.send_signal(signal.SIGKILL)
    acknowledged = max([acknowledged, *map(int, process.stdout.read().split())])
    process.wait()
    process.stdout.close()
    history = History(path)
    (one,) = history.load("c1").path()
    assert one.prompt == "the prompt"
    assert one.partial_text.count("word ") >= acknowledged
    assert (one.outcome, one.error, one.response_id) == (Outcome.FAILED, ENDED_WHILE_RUNNING, "resp_1")
    assert one.text.startswith("finished item") and one.partial_reasoning == "thought"
    assert [line.id for line in history.search("word", 5)] == ["c1"]
    assert history._db.rows("PRAGMA integrity_check") == [("ok",)]
    history.close()


def test_a_turn_that_another_living_process_runs_is_left_running(path):
    process = subprocess.Popen([*script(STREAMING), str(path)], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    process.stdout.readline()
    try:
        history = History(path)
        assert history.load("c1").turns["t1"].outcome is None
        history.save_conversation(conversation(2))
        process.kill()
        process.wait()
        assert history.load("c1").turns["t1"].outcome is Outcome.FAILED
        history.close()
    finally:
        process.kill()
        process.wait()
        process.stdout.close()


def test_a_late_partial_does_not_touch_an_ended_turn(path):
    history = History(path)
    history.save_conversation(conversation())
    history.save_turn("c1", completed("t1", "x", "the answer"))
    history.save_partial("t1", "stale")
    assert history.load("c1").turns["t1"].text == "the answer"
    history.close()


def test_processes_are_told_apart():
    assert is_alive(this_process())
    pid, _, birth = this_process().partition(":")
    assert not is_alive(f"{pid}:another birth")
    for owner in ("", "x", "0:", "-1:", f"{2**31 - 1}:{birth}", f"{10**30}:"):
        assert not is_alive(owner)
    child = subprocess.Popen([sys.executable, "-c", ""])
    child.wait()
    assert not is_alive(f"{child.pid}:{birth}")


def test_two_programs_write_one_history_and_nothing_is_lost(path):
    code = """
    history = History(Path(sys.argv[1]))
    history.save_conversation(conversation(int(sys.argv[2])))
    for number in range(40):
        history.save_turn("c" + sys.argv[2], completed(f"{sys.argv[2]}-{number}", "prompt", "answer"))
    history.close()
    """
    running = [subprocess.Popen([*script(code), str(path), str(n)], stderr=subprocess.PIPE) for n in range(3)]
    for process in running:
        _, complaints = process.communicate(timeout=60)
        assert process.returncode == 0, complaints
    history = History(path)
    assert sorted(line.turns for line in history.list()) == [40, 40, 40]
    assert history._db.rows("PRAGMA integrity_check") == [("ok",)]
    history.close()


def test_a_history_that_is_held_for_long_is_said(path, monkeypatch):
    import tui.store.database as database

    monkeypatch.setattr(database, "_BUSY_SECONDS", 0.05)
    first, second = History(path), History(path)
    first.save_conversation(conversation())
    with first._db.transaction():
        with pytest.raises(StoreError, match="Another program holds the history"):
            second.save_draft("c1", "x")
        assert second.load("c1").id == "c1"
    second.save_draft("c1", "x")
    first.close()
    second.close()


# Files that are left alone


def refuse(path: Path, words: str) -> None:
    before = path.read_bytes()
    with pytest.raises(StoreError, match=words):
        History(path)
    assert path.read_bytes() == before


def filled(path: Path) -> History:
    history = History(path)
    history.save_conversation(conversation())
    for number in range(60):
        history.save_turn("c1", completed(f"t{number}", "question", "answer " * 200))
    return history


@pytest.mark.parametrize(
    "data", [b"this is no database at all" * 99, b"SQLite format 3\0" + b"\xff" * 4080, b"x"]
)
def test_a_file_that_is_no_history_is_left_as_it_is(path, data):
    path.parent.mkdir()
    path.write_bytes(data)
    refuse(path, "damaged or no history; it was left as it is")


def test_another_programs_database_is_left_as_it_is(path):
    path.parent.mkdir()
    db = sqlite3.connect(path)
    db.execute("CREATE TABLE bookmarks (url)")
    db.commit()
    db.close()
    refuse(path, "database of another program")


def test_a_history_of_a_newer_version_is_left_as_it_is(path):
    filled(path).close()
    db = sqlite3.connect(path)
    db.execute(f"PRAGMA user_version = {SCHEMA_VERSION + 1}")
    db.close()
    refuse(path, f"newer Outcrop .its version is {SCHEMA_VERSION + 1}")


def test_a_damaged_page_is_said_when_it_is_met(path):
    filled(path).close()
    body = bytearray(path.read_bytes())
    for page in range(20, len(body) // 4096):
        body[page * 4096 : page * 4096 + 64] = b"\xa5" * 64
    path.write_bytes(body)
    with pytest.raises(StoreError, match="damaged"):
        History(path).load("c1")


def test_every_migration_is_applied_once_and_noted(path):
    filled(path).close()
    history = History(path)
    versions = [version for (version,) in history._db.rows("SELECT version FROM schema_versions")]
    assert versions == list(range(1, len(MIGRATIONS) + 1))
    assert history.list()[0].turns == 60
    history.close()


def test_a_migration_that_fails_leaves_the_file_as_it_was(path, monkeypatch):
    filled(path).close()

    def broken(db: sqlite3.Connection) -> None:
        db.execute("DROP TABLE drafts")
        db.execute("not SQL")

    import tui.store.database as database

    with monkeypatch.context() as patch:
        patch.setattr(database, "MIGRATIONS", [*MIGRATIONS, broken])
        patch.setattr(database, "SCHEMA_VERSION", SCHEMA_VERSION + 1)
        with pytest.raises(StoreError, match="cannot be used"):
            History(path)
    history = History(path)
    history.save_draft("c1", "still there")
    assert history.load_draft("c1").text == "still there"
    history.close()


def test_a_place_that_cannot_hold_a_file_is_said(tmp_path):
    (tmp_path / "file").write_text("x")
    (tmp_path / "folder.db").mkdir()
    for path in (tmp_path / "file" / "history.db", tmp_path / "folder.db"):
        with pytest.raises(StoreError, match="cannot be opened"):
            History(path)
    assert (tmp_path / "file").read_text() == "x"


def test_a_full_disk_is_said_and_what_was_saved_stays(path):
    """A limit on the size of files is what a full disk is to SQLite."""
    code = """
    import resource
    history = History(Path(sys.argv[1]))
    history.save_conversation(conversation())
    history.save_turn("c1", turn("t1", "kept"))
    size = max(file.stat().st_size for file in Path(sys.argv[1]).parent.iterdir())
    resource.setrlimit(resource.RLIMIT_FSIZE, (size + 20_000, size + 20_000))
    try:
        for number in range(100):
            history.save_turn("c1", completed(f"x{number}", "question", os.urandom(9000).hex()))
    except StoreError as error:
        print(error)
    print(history.load("c1").turns["t1"].prompt)
    """
    result = subprocess.run(
        [*script(code), str(path)], capture_output=True, text=True, timeout=60, check=False
    )
    lines = result.stdout.splitlines()
    assert len(lines) == 2, result.stderr
    assert "The disk is full" in lines[0] or "the disk reports an error" in lines[0]
    assert lines[1] == "kept"
    history = History(path)
    assert history.load("c1").turns["t1"].prompt == "kept"
    assert history._db.rows("PRAGMA integrity_check") == [("ok",)]
    history.close()


def test_a_read_only_folder_is_said_and_left_as_it_is():
    """As root no mode stops a write, so the process becomes nobody first."""
    with tempfile.TemporaryDirectory(dir="/tmp") as folder:
        path = Path(folder) / "sub" / "history.db"
        filled(path).close()
        before = path.read_bytes()
        os.chmod(folder, 0o755)
        os.chmod(path.parent, 0o555)
        os.chmod(path, 0o444)
        code = """
        if os.geteuid() == 0:
            os.setuid(65534)
        for path in (Path(sys.argv[1]), Path(sys.argv[1]).with_name("new.db")):
            try:
                History(path)
            except StoreError as error:
                print(error)
        """
        result = subprocess.run(
            [*script(code), str(path)], capture_output=True, text=True, timeout=60, check=False
        )
        lines = result.stdout.splitlines()
        assert len(lines) == 2, result.stderr
        for line in lines:
            assert "cannot be opened: permission denied" in line
        assert path.read_bytes() == before
        os.chmod(path.parent, 0o755)


def test_programs_that_begin_at_once_make_one_history(path: Path) -> None:
    """Each may look at the file while another one makes it."""
    failures: list[BaseException] = []
    together = threading.Barrier(4)

    def begin(folder: Path) -> None:
        together.wait()
        try:
            Database(folder / "history.db").close()
        except BaseException as error:  # A thread's would be printed only.
            failures.append(error)

    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)
    try:
        for number in range(60):
            programs = [threading.Thread(target=begin, args=(path.parent / str(number),)) for _ in range(4)]
            for program in programs:
                program.start()
            for program in programs:
                program.join()
    finally:
        sys.setswitchinterval(interval)
    assert not failures


def test_a_file_that_is_being_made_is_no_foreign_one(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The tables come between two questions about the file."""
    path.parent.mkdir()
    with closing(sqlite3.connect(path)) as empty:
        empty.execute("PRAGMA journal_mode = WAL")
    connect = sqlite3.connect

    class Slow(sqlite3.Connection):
        def execute(self, sql: str, *more: Any) -> sqlite3.Cursor:
            found = super().execute(sql, *more)
            if sql == "PRAGMA application_id":
                monkeypatch.setattr(sqlite3, "connect", connect)
                History(path).close()
            return found

    def connecting(*given: Any, **more: Any) -> sqlite3.Connection:
        return connect(*given, **more, factory=Slow)

    monkeypatch.setattr(sqlite3, "connect", connecting)
    History(path).close()
    assert sqlite3.connect is connect


def test_a_turn_whose_turn_before_is_gone_leaves_no_conversation(path: Path) -> None:
    """Another window has deleted it all."""
    history = History(path)
    base = conversation().append(completed("t1", "one", "1"))
    history.begin_turn(base, base.turns["t1"])
    assert history.load("c1").tip == "t1"
    history.delete("c1")
    after = base.append(completed("t2", "two", "2", "t1"))
    with pytest.raises(StoreError):
        history.begin_turn(after, after.turns["t2"])
    history.change_conversation(replace(base, continuation="stateless"))
    assert history.list() == []
    history.begin_turn(base, base.turns["t1"])
    assert [one.id for one in history.list()] == ["c1"]
    history.close()
