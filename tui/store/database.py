"""One SQLite file: opening it safely, transactions, and errors as sentences.

Nothing is ever overwritten: a file that is no history, is damaged, or was written by a newer Outcrop is
left as it is.
"""

from __future__ import annotations

import os
import sqlite3
import stat
from collections.abc import Generator, Sequence
from contextlib import closing, contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from time import monotonic, sleep
from typing import Any, Final
from urllib.parse import quote

from tui.core.errors import HistoryUnusable
from tui.core.text import visible_line
from tui.private_files import make_private_folder, open_private
from tui.store.schema import APPLICATION_ID, MIGRATIONS, SCHEMA_VERSION

__all__ = ["Database"]

_BUSY_SECONDS = 5.0
_BETWEEN_TRIES: Final = 0.01
_HEADER: Final = b"SQLite format 3\0"
_DAMAGED: Final = (
    "The history {} is damaged or no history; it was left as it is. Move it away to begin a new one."
)


class Database:
    """A connection, used from the thread that made it.

    Args:
        path: The file; its folder is made when missing, 0700, and the file is made 0600 under any umask.
            `None` is a database in memory.
        wait: Seconds for another program's lock; 5 by default.

    Raises:
        HistoryUnusable: It cannot be opened or written, is damaged, foreign or of a newer version.
    """

    def __init__(self, path: Path | None, wait: float | None = None) -> None:
        wait = _BUSY_SECONDS if wait is None else wait
        self.path = path
        with self.sentences():
            if path is not None:
                _make_private(path)
                _refuse_foreign(path, wait)
            # Transactions are begun by hand: BEGIN IMMEDIATE waits for another process instead of failing.
            self.connection = sqlite3.connect(
                ":memory:" if path is None else path, isolation_level=None, timeout=wait
            )
            try:
                self._prepare(wait)
            except BaseException:
                self.connection.close()
                raise

    def _prepare(self, wait: float) -> None:
        db = self.connection
        # Only a file without tables takes the vacuum mode; after that the statement waits for every lock.
        if not db.execute("PRAGMA page_count").fetchone()[0]:
            db.execute("PRAGMA auto_vacuum = INCREMENTAL")
        self._begin_log(wait)
        db.execute("PRAGMA synchronous = FULL")
        db.execute("PRAGMA foreign_keys = ON")
        # A page that cannot be right is found when it is read, before more is written to the file.
        db.execute("PRAGMA cell_size_check = ON")
        # What is deleted is gone from the file, and no temporary file holds text.
        db.execute("PRAGMA secure_delete = ON")
        db.execute("PRAGMA temp_store = MEMORY")
        if self._version() < SCHEMA_VERSION:
            with self.transaction():
                # Asked again under the lock: another process may have migrated meanwhile.
                for version in range(self._version() + 1, SCHEMA_VERSION + 1):
                    MIGRATIONS[version - 1](db)
                    now = datetime.now(UTC).isoformat(timespec="seconds")
                    db.execute("INSERT INTO schema_versions VALUES (?, ?)", (version, now))
                    db.execute(f"PRAGMA user_version = {version}")
                    db.execute(f"PRAGMA application_id = {APPLICATION_ID}")

    def _begin_log(self, wait: float) -> None:
        """Have changes go to a log. SQLite itself does not wait where another program does the same."""
        until = monotonic() + wait
        while True:
            try:
                self.connection.execute("PRAGMA journal_mode = WAL")
                return
            except sqlite3.OperationalError as error:
                if not _is_busy(error) or monotonic() > until:
                    raise
                sleep(_BETWEEN_TRIES)

    def _version(self) -> int:
        return int(self.connection.execute("PRAGMA user_version").fetchone()[0])

    @contextmanager
    def transaction(self) -> Generator[sqlite3.Connection]:
        """Commit what the block does, durably, or nothing of it.

        Raises:
            HistoryUnusable: SQLite cannot; says why.
        """
        with self.sentences():
            self.connection.execute("BEGIN IMMEDIATE")
            try:
                yield self.connection
                self.connection.execute("COMMIT")
            except BaseException:
                # SQLite ends the transaction itself after some errors (a full disk).
                if self.connection.in_transaction:
                    self.connection.execute("ROLLBACK")
                raise

    def rows(self, sql: str, values: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """All rows of a query.

        Raises:
            HistoryUnusable: SQLite cannot; says why.
        """
        with self.sentences():
            return self.connection.execute(sql, values).fetchall()

    def wait_at_most(self, seconds: float) -> None:
        """How long to wait for another program's lock."""
        self.connection.execute(f"PRAGMA busy_timeout = {round(seconds * 1000)}")

    def erase_deleted(self) -> bool:
        """Take deleted text out of the search index, the file and its log.

        Returns:
            Whether it is out of the log too: who reads the history at this moment, in another program, may
            need the log until that has ended.
        """
        with self.sentences():
            db = self.connection
            # Without it the index keeps the words of deleted turns until it happens to merge.
            db.execute("INSERT INTO turn_search (turn_search) VALUES ('optimize')")
            # `execute` takes one step, which frees one page; a script runs to its end.
            db.executescript("PRAGMA incremental_vacuum")
        return self.empty_log()

    def empty_log(self) -> bool:
        """Fold the log into the file; whether nothing is left in it."""
        with self.sentences():
            (row,) = self.connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
            return not row[0]

    def shrink(self, pages: int = 500) -> bool:
        """Give some of the file's free pages back to the disk; returns whether there are more."""
        with self.sentences():
            db = self.connection
            if not db.execute("PRAGMA freelist_count").fetchone()[0]:
                return False
            # `execute` takes one step, which frees one page; a script runs to its end.
            db.executescript(f"PRAGMA incremental_vacuum({pages})")
            return bool(db.execute("PRAGMA freelist_count").fetchone()[0])

    def close(self) -> None:
        """Close the file; the last one to close it folds the log into it."""
        with self.sentences():
            self.connection.close()

    @contextmanager
    def sentences(self) -> Generator[None]:
        """Turn errors of SQLite and of the file system into `HistoryUnusable`."""
        try:
            yield
        except sqlite3.Error as error:
            raise HistoryUnusable(self._sentence(error), damaged=_is_damage(error)) from error
        except MemoryError as error:
            # Sizes that were overwritten: SQLite asks for what they say.
            raise HistoryUnusable(
                f"The history {self._name} asks for more memory than there is: it is damaged.", damaged=True
            ) from error
        except OSError as error:
            why = os.strerror(error.errno).lower() if error.errno else str(error)
            raise HistoryUnusable(f"The history {self._name} cannot be opened: {why}.") from error

    @property
    def _name(self) -> str:
        return visible_line(str(self.path or "in memory"))

    def _sentence(self, error: sqlite3.Error) -> str:
        code = getattr(error, "sqlite_errorname", "") or ""
        if _is_damage(error):
            return _DAMAGED.format(self._name)
        if code.startswith("SQLITE_FULL"):
            return f"The disk is full: the history {self._name} could not be written."
        if code.startswith(("SQLITE_READONLY", "SQLITE_PERM")):
            return f"The history {self._name} cannot be written: the file or its folder is read-only."
        if _is_busy(error):
            return f"Another program holds the history {self._name}; it could not be used in time."
        if code.startswith("SQLITE_CANTOPEN"):
            return f"The history {self._name} cannot be opened: its folder cannot be used."
        if code.startswith("SQLITE_IOERR"):
            return f"The history {self._name} could not be read or written: the disk reports an error."
        return f"The history {self._name} cannot be used: {visible_line(str(error))}."


def _is_busy(error: sqlite3.Error) -> bool:
    code = getattr(error, "sqlite_errorname", "") or ""
    return code.startswith(("SQLITE_BUSY", "SQLITE_LOCKED"))


def _is_damage(error: sqlite3.Error) -> bool:
    code = getattr(error, "sqlite_errorname", "") or ""
    # The search index has no code for some of what can be wrong with it.
    what = str(error)
    return (
        code.startswith(("SQLITE_CORRUPT", "SQLITE_NOTADB")) or "fts5" in what or what == "constraint failed"
    )


def _make_private(path: Path) -> None:
    folder = path.parent
    make_private_folder(folder)
    status = folder.stat()
    # A folder that others write to (/tmp) or the home itself is not ours to close.
    shared = status.st_mode & stat.S_ISVTX or folder == Path.home()
    if os.name == "posix" and status.st_uid == os.geteuid() and status.st_mode & 0o077 and not shared:
        folder.chmod(0o700)
    if path.is_dir():
        raise IsADirectoryError(21, "is a directory")
    # SQLite gives its log and shared memory the mode of the file.
    os.close(open_private(path, os.O_RDWR | os.O_CREAT))
    for beside in (path.with_name(f"{path.name}-wal"), path.with_name(f"{path.name}-shm")):
        with suppress(FileNotFoundError):
            status = beside.stat()
            if os.name == "posix" and status.st_mode & 0o077 and status.st_uid == os.geteuid():
                beside.chmod(0o600)


def _refuse_foreign(path: Path, wait: float) -> None:
    """Look at a file through a connection that cannot write, nor fold its log into it on closing."""
    name = visible_line(str(path))
    with path.open("rb") as file:
        beginning = file.read(len(_HEADER))
    if not beginning:
        log = path.with_name(f"{path.name}-wal")
        if log.exists() and log.stat().st_size:
            # SQLite would throw away the log of a file that was emptied, and it may hold everything.
            raise HistoryUnusable(_DAMAGED.format(name), damaged=True)
        return
    # SQLite itself takes a file shorter than a page for an empty one, and would write over it.
    if beginning != _HEADER:
        raise HistoryUnusable(_DAMAGED.format(name), damaged=True)
    address = f"file:{quote(str(path.absolute()))}?mode=ro"
    with closing(sqlite3.connect(address, uri=True, timeout=wait, isolation_level=None)) as db:
        # Of one moment: another program may be making the tables.
        db.execute("BEGIN")
        version = int(db.execute("PRAGMA user_version").fetchone()[0])
        application = int(db.execute("PRAGMA application_id").fetchone()[0])
        tables = int(db.execute("SELECT count(*) FROM sqlite_schema").fetchone()[0])
    if tables and application != APPLICATION_ID:
        raise HistoryUnusable(f"{name} is the database of another program; it was left as it is.")
    if version > SCHEMA_VERSION:
        raise HistoryUnusable(
            f"The history {name} was written by a newer Outcrop (its version is {version}, this one knows "
            f"{SCHEMA_VERSION}); it was left as it is. Update Outcrop to use it."
        )
