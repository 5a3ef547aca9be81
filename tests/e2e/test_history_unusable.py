"""A history that cannot be used: the chat goes on, it is said once, and nothing is written over."""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
import subprocess
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from support.programs import OUTCROP, Program, until
from support.store_support import completed, conversation

from tui.sandbox.server import SandboxServer
from tui.store.history import History
from tui.store.schema import SCHEMA_VERSION

GOES_ON = "The chat goes on in memory; export what must not be lost."
AGAIN = "The history can be written again; what was said meanwhile is in it now."


@pytest.fixture(scope="module")
def good(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A history with 40 turns."""
    path = tmp_path_factory.mktemp("good") / "history.db"
    history = History(path)
    history.save_conversation(conversation(1, title="basalt"))
    for number in range(40):
        history.save_turn("c1", completed(f"t{number}", f"basalt {number}", "a dark rock " * 80))
    history.close()
    return path


def sql(path: Path, *statements: str) -> None:
    with closing(sqlite3.connect(path, isolation_level=None)) as db:
        for statement in statements:
            db.execute(statement)


def root_page(path: Path, table: str) -> int:
    with closing(sqlite3.connect(path)) as db:
        return db.execute("SELECT rootpage FROM sqlite_schema WHERE name = ?", (table,)).fetchone()[0]


def overwrite(path: Path, page: int, data: bytes) -> None:
    with path.open("r+b") as file:
        file.seek((page - 1) * 4096)
        file.write(data)


def a_folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


def emptied_beside_its_log(path: Path) -> None:
    path.write_bytes(b"")
    path.with_name("history.db-wal").write_bytes(b"\x37\x7f\x06\x82" + b"everything is in here" * 300)


def of_another_program(path: Path) -> None:
    path.unlink()
    sql(path, "CREATE TABLE bookmarks (url)")


Fault = Callable[[Path], object]

REFUSED: dict[str, tuple[Fault, str]] = {
    "no database": (lambda path: path.write_bytes(b"dear diary " * 999), "is damaged or no history"),
    "header": (lambda path: overwrite(path, 1, b"\xa5" * 100), "is damaged or no history"),
    "first page": (
        lambda path: overwrite(path, 1, b"SQLite format 3\0" + b"\xff" * 4080), "is damaged or no history"
    ),
    "truncated": (lambda path: os.truncate(path, 50_000), "is damaged or no history"),
    "emptied": (emptied_beside_its_log, "is damaged or no history"),
    "newer": (lambda path: sql(path, f"PRAGMA user_version = {SCHEMA_VERSION + 1}"), "by a newer Outcrop"),
    "foreign": (of_another_program, "is the database of another program"),
    "folder": (a_folder, "cannot be opened: is a directory"),
}  # fmt: skip
"""Files that are not opened at all."""


def with_history(root: Path, good: Path, server: SandboxServer, fault: Fault) -> Program:
    program = Program(root, f"http://127.0.0.1:{server.port}/openai/v1")
    path = program.data / "history.db"
    shutil.copy(good, path)
    fault(path)
    return program


def contents(folder: Path) -> dict[str, bytes]:
    """What lies in a data folder; SQLite's shared memory is no data."""
    files = (file for file in folder.rglob("*") if file.is_file() and not file.name.endswith("-shm"))
    # Whoever looks at a database without writing leaves an empty log.
    return {str(file.relative_to(folder)): data for file in files if (data := file.read_bytes())}


def test_ask_answers_says_it_once_and_leaves_every_byte(
    server: SandboxServer, good: Path, tmp_path: Path
) -> None:
    places = {
        name: with_history(tmp_path / name, good, server, fault) for name, (fault, _) in REFUSED.items()
    }
    before = {name: contents(program.data) for name, program in places.items()}
    begun = {name: program.begin("ask", f"Reply with exactly: {name}") for name, program in places.items()}
    for name, run in begun.items():
        status, out, err = run.wait()
        assert (status, out.decode()) == (0, name), err
        (line,) = err.decode().splitlines()
        assert line.startswith("outcrop: ") and REFUSED[name][1] in line and line.endswith(GOES_ON), line
        assert contents(places[name].data) == before[name], name


def test_linear_mode_says_it_once_and_exports_what_is_in_memory(
    server: SandboxServer, good: Path, tmp_path: Path
) -> None:
    program = with_history(tmp_path / "x", good, server, REFUSED["newer"][0])
    before = contents(program.data)
    typed = "Reply with exactly: one\nReply with exactly: two\n/export json talk.json\n/history\n/quit\n"
    finished = program.run("--plain", stdin=typed.encode())
    assert finished.status == 0, finished
    assert finished.out.count("by a newer Outcrop") == 1
    assert finished.out.count("in memory") == 1
    assert finished.sentence().endswith("What was said last is lost: the history could not be written.")
    document = json.loads((program.cwd / "talk.json").read_text(encoding="utf-8"))
    assert "Reply with exactly: one" in json.dumps(document) and "two" in json.dumps(document)
    assert contents(program.data) == before


def test_what_needs_the_history_says_so_and_sends_nothing(
    server: SandboxServer, good: Path, tmp_path: Path
) -> None:
    program = with_history(tmp_path / "x", good, server, REFUSED["no database"][0])
    for arguments in (("ask", "-c", "go on"), ("ask", "--conversation", "c1", "go on")):
        finished = program.run(*arguments)
        assert (finished.status, finished.out) == (1, "")
        assert finished.sentence().endswith("Move it away to begin a new one.")
    assert len(server.log) == 0
    rows = program.run("ask", "--json", "Reply with exactly: rows").rows
    assert rows[-1]["text"] == "rows" and rows[-1]["outcome"] == "completed"


def test_a_page_that_is_found_damaged_is_written_to_no_more(
    server: SandboxServer, good: Path, tmp_path: Path
) -> None:
    page = root_page(good, "turns")
    program = with_history(tmp_path / "x", good, server, lambda path: overwrite(path, page, b"\xa5" * 4096))
    typed = "Reply with exactly: one\nReply with exactly: two\n/export json talk.json\n/quit\n"
    finished = program.run("--plain", stdin=typed.encode())
    assert (finished.status, finished.out.count("damaged"), finished.out.count("in memory")) == (0, 1, 1)
    exported = (program.cwd / "talk.json").read_text(encoding="utf-8")
    assert "exactly: one" in exported and "exactly: two" in exported
    kept = (program.data / "history.db").read_bytes()
    was = good.read_bytes()
    assert kept[(page - 1) * 4096 : page * 4096] == b"\xa5" * 4096
    # What was in the file and could still be rescued is there.
    assert all(
        kept[at : at + 4096] == was[at : at + 4096]
        for at in range(0, len(was), 4096)
        if b"a dark rock" in was[at : at + 4096]
    )


def test_a_damaged_search_index_is_made_anew_and_said_once(
    server: SandboxServer, good: Path, tmp_path: Path
) -> None:
    shadow = root_page(good, "turn_search_data")
    faults: tuple[Fault, ...] = (
        lambda path: sql(path, "UPDATE turn_search_data SET block = zeroblob(60)"),
        lambda path: sql(path, f"UPDATE turn_search_data SET block = x'{'ff' * 60}'"),
        lambda path: sql(path, "DELETE FROM turn_search_data"),
        lambda path: sql(path, "DELETE FROM turn_search_content WHERE id < 20"),
        lambda path: overwrite(path, shadow, b"\xa5" * 4096),
    )
    for number, fault in enumerate(faults):
        program = with_history(tmp_path / str(number), good, server, fault)
        finished = program.ask("Reply with exactly: granite")
        assert (finished.status, finished.out) == (0, "granite"), (number, finished)
        said = finished.err.splitlines()
        if number == len(faults) - 1:
            # Its pages cannot be given back: the file is damaged, and left.
            assert len(said) == 1 and GOES_ON in said[0]
            continue
        assert len(said) <= 1 and all("made anew, nothing is missing" in line for line in said), said
        history = History(program.data / "history.db")
        assert len(history.load("c1").turns) == 40
        assert [row.id for row in history.search("basalt")] == ["c1"]
        assert len(history.search("granite")) == 1
        history.close()


def test_a_log_of_garbage_is_no_fault(server: SandboxServer, good: Path, tmp_path: Path) -> None:
    program = with_history(
        tmp_path / "x",
        good,
        server,
        lambda path: path.with_name("history.db-wal").write_bytes(os.urandom(9000)),
    )
    finished = program.ask("Reply with exactly: granite")
    assert (finished.status, finished.out, finished.err) == (0, "granite", "")
    assert {row["turns"] for row in program.history("list")} == {1, 40}


def test_a_third_program_that_holds_the_lock_holds_up_no_chat(
    server: SandboxServer, good: Path, tmp_path: Path
) -> None:
    program = with_history(tmp_path / "x", good, server, lambda path: None)
    with closing(sqlite3.connect(program.data / "history.db", isolation_level=None)) as third:
        third.execute("BEGIN IMMEDIATE")
        finished = program.ask("Reply with exactly: granite")
        assert (finished.status, finished.out) == (0, "granite")
        assert "Another program holds the history" in finished.sentence()
        assert finished.sentence().endswith(GOES_ON)
        third.execute("ROLLBACK")
    assert program.ask("Reply with exactly: basalt").err == ""
    assert [row["turns"] for row in program.history("list")] == [1, 40]


def test_two_programs_on_one_conversation_keep_what_both_say(
    server: SandboxServer, good: Path, tmp_path: Path
) -> None:
    program = with_history(tmp_path / "x", good, server, lambda path: None)
    wanted = [f"Reply with exactly: stone {number}" for number in range(4)]
    runs = program.together(*[("ask", "--conversation", "c1", prompt) for prompt in wanted[:2]],
                            *[("ask", prompt) for prompt in wanted[2:]])  # fmt: skip
    assert [(run.status, run.err) for run in runs] == [(0, "")] * 4
    history = History(program.data / "history.db")
    kept = [turn for row in history.list() for turn in history.load(row.id).turns.values()]
    history.close()
    assert sorted(turn.text for turn in kept if "stone" in turn.prompt) == [f"stone {n}" for n in range(4)]
    assert len(kept) == 44


# A disk of its own


def can_mount() -> bool:
    """Whether this user may give a program a file system of its own."""
    command = ["unshare", "-m", "mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", "/mnt"]
    try:
        return subprocess.run(command, capture_output=True, timeout=20, check=False).returncode == 0
    except OSError:
        return False


needs_mounts = pytest.mark.skipif(not can_mount(), reason="this user may not mount a file system")


def mounted(program: Program, mount: str, *arguments: str) -> subprocess.Popen[bytes]:
    """Run the program where `mount`, a line of shell with the data folder as $1, holds."""
    command = ["unshare", "-m", "sh", "-ec", f'{mount}; shift; exec "$@"', "sh", str(program.data)]
    return subprocess.Popen(
        [*command, *OUTCROP, *arguments], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        stderr=subprocess.PIPE, env=program.environ(), cwd=program.cwd,
    )  # fmt: skip


@needs_mounts
def test_a_read_only_folder_is_said_once(server: SandboxServer, good: Path, tmp_path: Path) -> None:
    program = with_history(tmp_path / "x", good, server, lambda path: None)
    before = contents(program.data)
    read_only = 'mount --bind "$1" "$1" && mount -o remount,ro,bind "$1"'
    run = mounted(program, read_only, "ask", "Reply with exactly: granite")
    out, err = run.communicate(timeout=120)
    assert (run.returncode, out) == (0, b"granite"), err
    (line,) = err.decode().splitlines()
    assert "cannot be opened: read-only file system." in line and line.endswith(GOES_ON)
    assert contents(program.data) == before


@needs_mounts
def test_a_full_disk_is_said_once_and_what_was_said_is_written_when_there_is_room(
    server: SandboxServer, tmp_path: Path
) -> None:
    program = Program(tmp_path / "x", f"http://127.0.0.1:{server.port}/openai/v1")
    small = 'mount -t tmpfs -o size=3000k,mode=700 tmpfs "$1" && head -c 2500000 /dev/zero >"$1/filler"'
    run = mounted(program, small, "--plain")
    disk = Path(f"/proc/{run.pid}/root{program.data}")
    assert run.stdin is not None and run.stdout is not None
    said = bytearray()

    def answer(prompt: str) -> None:
        run.stdin.write(prompt.encode() + b"\n")
        run.stdin.flush()
        ends = said.count(b"End of answer")
        while said.count(b"End of answer") == ends:
            piece = os.read(run.stdout.fileno(), 65536)
            assert piece, bytes(said)
            said.extend(piece)

    for number in range(12):
        answer(f"Write 3000 words about granite {number}")
        if GOES_ON.encode() in said:
            break
    answer("Reply with exactly: still here")
    assert said.count(b"The disk is full") == 1 and said.count(GOES_ON.encode()) == 1
    (disk / "filler").unlink()
    run.stdin.write(b"/export json talk.json\n")
    run.stdin.flush()
    exported = program.cwd / "talk.json"
    until(lambda: exported.exists() and b"still here" in exported.read_bytes(), "the export", 60)
    with (Path(f"/proc/{run.pid}/cwd") / "talk.json").open("rb") as file:
        assert file.read() == exported.read_bytes()
    answer("Reply with exactly: the last")
    # The folder goes with its last process: it is looked at through one that stays.
    holder = subprocess.Popen(["nsenter", "-t", str(run.pid), "-m", "cat"], stdin=subprocess.PIPE)
    try:
        until(lambda: Path(f"/proc/{holder.pid}/comm").read_text() == "cat\n", "the holder")
        rest, err = run.communicate(b"/quit\n", timeout=120)
        said.extend(rest)
        assert (run.returncode, err) == (0, b"")
        assert said.count(AGAIN.encode()) == 1
        shutil.copytree(f"/proc/{holder.pid}/root{program.data}", tmp_path / "copy")
    finally:
        holder.communicate()
    history = History(tmp_path / "copy" / "history.db")
    (row,) = history.list()
    kept = history.load(row.id).path()
    assert [turn.outcome for turn in kept] == ["completed"] * len(kept)
    assert [turn.text for turn in kept[-2:]] == ["still here", "the last"]
    assert len(kept) == number + 3
    assert history._db.rows("PRAGMA integrity_check") == [("ok",)]
    history.close()
