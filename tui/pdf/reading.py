"""What a PDF says of itself, told by a process of its own (`child`): a hostile file harms nobody else."""

from __future__ import annotations

import atexit
import hashlib
import importlib.util
import json
import os
import socket
import subprocess
import sys
import threading
import time
from collections import OrderedDict
from collections.abc import Iterator, Mapping
from contextlib import closing, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final, Literal, cast

from .child import ORDER

__all__ = ["DEFAULT_LIMITS", "Limits", "PdfFacts", "Stop", "Trouble", "end_process", "read_pdf"]

Trouble = Literal["", "damaged", "memory", "time", "crash", "unavailable", "stopped"]
"""Why not all of it could be read: it is damaged or unusual; it took too much memory or time; it broke the
process; no process could be started; whoever asked did not want it any longer."""

_CHILD: Final = Path(__file__).with_name("child.py")
_START: Final = 15.0  # seconds for the process to be there; it takes a fifth of one on an idle machine
_GRACE: Final = 0.7  # seconds between the limit, which the child keeps, and our not waiting for the child
_LONGEST_ANSWER: Final = 100_000
_LONGEST_TEXTS: Final = 64_000_000
_MOST_KNOWN: Final = 256
_MOST_COUNTED: Final = 10_000_000  # pages of a file, characters of a page
# Where the interpreter itself is found through them; all else stays here.
_KEPT: Final = ("LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH")


@dataclass(frozen=True, slots=True)
class Limits:
    """What reading one file may take.

    Attributes:
        seconds: From its start, by the clock; about as much CPU time at most.
        memory: Bytes of address space beside four times the file; interpreter and pypdf are 60 MB of it.
            macOS keeps no such limit; there pypdf's own have to do, 75 MB for each stream.
    """

    seconds: float = 8.0
    memory: int = 400_000_000


DEFAULT_LIMITS: Final = Limits()


@dataclass(frozen=True, slots=True)
class PdfFacts:
    """What is known of a PDF.

    Attributes:
        pages: How many it has; `None` where that could not be told.
        encrypted: Whether it is, with whatever password; then nothing else is known.
        looked_at: Of how many pages the text was read, from the first.
        characters: Of these pages' text.
        texts: These pages' texts, where they were wanted.
        trouble: Why not everything that was wanted is there; empty when it is.
        kilobytes: The most memory that the process had, resident; 0 where it is not known.
        seconds: Its CPU time.
    """

    pages: int | None = None
    encrypted: bool = False
    looked_at: int = 0
    characters: int = 0
    texts: tuple[str, ...] = ()
    trouble: Trouble = ""
    kilobytes: int = 0
    seconds: float = 0.0


class Stop:
    """Lets another thread end a reading that is under way."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._connection: socket.socket | None = None
        self.is_set = False

    def set(self) -> None:
        """End it, now or as soon as it begins; its process is killed."""
        with self._lock:
            self.is_set = True
            if self._connection is not None:
                with suppress(OSError):
                    self._connection.shutdown(socket.SHUT_RDWR)

    def watch(self, connection: socket.socket | None) -> None:
        """What is to be shut; `None` when there is nothing any longer."""
        with self._lock:
            self._connection = connection
            if self.is_set and connection is not None:
                with suppress(OSError):
                    connection.shutdown(socket.SHUT_RDWR)


_known: OrderedDict[tuple[bytes, int, Limits], PdfFacts] = OrderedDict()
_known_lock = threading.Lock()


def read_pdf(
    data: bytes,
    *,
    text_pages: int = 5,
    texts: bool = False,
    limits: Limits = DEFAULT_LIMITS,
    stop: Stop | None = None,
) -> PdfFacts:
    """Read a PDF's pages and text in a process of its own; blocks, so call it off the event loop.

    The same bytes are read once: a file is looked at, attached and estimated again and again.

    Args:
        data: The file.
        text_pages: Of how many pages the text is read; -1 for all.
        texts: Whether the texts are wanted, not their length only.
        limits: What it may take; what was read until then is told.
        stop: Ends it sooner.
    """
    key = (hashlib.sha256(data).digest(), text_pages, limits)
    with _known_lock:
        if not texts and key in _known:
            _known.move_to_end(key)
            return _known[key]
    stop = stop or Stop()
    facts = PdfFacts(trouble="unavailable")
    for _ in range(2):  # the process may just have ended for want of work
        facts = _ask(data, text_pages, texts, limits, stop)
        if facts.trouble != "unavailable":
            break
    if not texts and facts.trouble not in ("stopped", "unavailable"):
        with _known_lock:
            _known[key] = facts
            while len(_known) > _MOST_KNOWN:
                _known.popitem(last=False)
    return facts


def _ask(data: bytes, text_pages: int, texts: bool, limits: Limits, stop: Stop) -> PdfFacts:
    memory = limits.memory + 4 * len(data)
    order = ORDER.pack(limits.seconds, memory, len(data), text_pages, texts)
    try:
        connection = _process.give(order)
    except OSError:
        return PdfFacts(trouble="unavailable")
    with closing(connection):
        stop.watch(connection)
        try:
            longest = _LONGEST_TEXTS if texts else _LONGEST_ANSWER
            facts = _gathered(_lines(connection, data, limits.seconds + _GRACE, longest))
        finally:
            stop.watch(None)
    return replace(facts, trouble="stopped") if stop.is_set else facts


def _lines(
    connection: socket.socket, data: bytes, seconds: float, longest: int
) -> Iterator[Mapping[str, Any]]:
    """Send the file when the process for it is there, and give what it says, until its end or the time's.

    The process may have been taken over by what it read: nothing it says is believed to be well formed.
    """
    until = time.monotonic() + _START
    line, size = bytearray(), 0
    while True:
        try:
            connection.settimeout(max(0.01, until - time.monotonic()))
            part = connection.recv(1 << 16)
        except TimeoutError:
            yield {"late": True}
            return
        except OSError:
            return
        size += len(part)
        if not part or size > longest:
            return
        *ends, rest = part.split(b"\n")
        for end in ends:
            told = _parsed(line + end)
            line.clear()
            yield told
            if told.get("started") is True and data:
                until = time.monotonic() + seconds
                with suppress(OSError):  # It is told below how it ended.
                    connection.settimeout(seconds)
                    connection.sendall(data)
                data = b""
        line += rest


def _parsed(line: bytes | bytearray) -> Mapping[str, Any]:
    try:
        told: object = json.loads(line)
    except (ValueError, RecursionError):
        return {}
    return cast("Mapping[str, Any]", told) if isinstance(told, dict) else {}


def _gathered(lines: Iterator[Mapping[str, Any]]) -> PdfFacts:
    pages: int | None = None
    encrypted = started = False
    lengths: list[int] = []
    texts: list[str] = []
    trouble: Trouble = "crash"
    end: Mapping[str, Any] = {}
    for line in lines:
        match line:
            case {"started": True}:
                started = True
            case {"pages": int(count)} if 0 <= count <= _MOST_COUNTED and count is not True:
                pages = count
            case {"encrypted": True}:
                encrypted = True
            case {"characters": int(count)} if 0 <= count <= _MOST_COUNTED:
                lengths.append(count)
            case {"text": str(text)}:
                lengths.append(len(text))
                texts.append(text)
            case {"trouble": "damaged" | "memory" as what}:
                trouble = cast("Trouble", what)
            case {"ended": 0, "late": False}:
                end = line
                trouble = "" if trouble == "crash" and (encrypted or pages is not None) else trouble
            case {"late": True}:
                end, trouble = line, "time"
            case {"ended": int()}:
                end = line
            case _:
                pass
    if not started:
        trouble = "unavailable"
    return PdfFacts(
        pages,
        encrypted,
        len(lengths),
        sum(lengths),
        tuple(texts),
        trouble,
        int(_figure(end.get("kilobytes"))),
        _figure(end.get("seconds")),
    )


def _figure(value: object) -> float:
    return float(value) if isinstance(value, int | float) and 0 <= value < 1e12 else 0.0


class _Process:
    """The one child that starts a process for each file; started when the first one is read."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._orders: socket.socket | None = None
        self._child: subprocess.Popen[bytes] | None = None
        self._pid = 0

    def give(self, order: bytes) -> socket.socket:
        """Hand over an order; returns the socket on which the file goes and the answers come.

        Raises:
            OSError: The child cannot be started.
        """
        ours, theirs = socket.socketpair()
        with theirs:
            try:
                with self._lock:
                    try:
                        socket.send_fds(self._running(), [order], [theirs.fileno()])
                    except OSError:
                        self._drop()  # it has ended
                        socket.send_fds(self._running(), [order], [theirs.fileno()])
            except OSError:
                ours.close()
                raise
        return ours

    def _running(self) -> socket.socket:
        if self._pid != os.getpid():
            # A process forked off ours must not talk to our child.
            self._orders = self._child = None
        if self._orders is None:
            self._orders, self._child = _started()
            self._pid = os.getpid()
        return self._orders

    def _drop(self) -> None:
        if self._orders is not None:
            self._orders.close()
        self._orders = None

    def end(self) -> None:
        """End it and all that it started."""
        with self._lock:
            mine = self._pid == os.getpid()
            child, self._child = self._child, None
            self._drop()
        if child is None or not mine:
            return
        try:
            child.wait(1.0)
        except subprocess.TimeoutExpired:
            child.kill()
            child.wait()


def _started() -> tuple[socket.socket, subprocess.Popen[bytes]]:
    found = importlib.util.find_spec("pypdf")
    if found is None or not found.origin:
        raise FileNotFoundError("pypdf")
    ours, theirs = socket.socketpair()
    with theirs:
        try:
            child = subprocess.Popen(
                [
                    *(sys.executable, "-I", "-S", str(_CHILD)),
                    str(Path(found.origin).parent.parent),
                ],
                stdin=theirs.fileno(),
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                env={name: os.environ[name] for name in _KEPT if name in os.environ},
                cwd="/",
                start_new_session=True,
            )
        except BaseException:
            ours.close()
            raise
    # It ends by itself when it has nothing to do; somebody has to take notice.
    threading.Thread(target=child.wait, name="outcrop-pdf", daemon=True).start()
    return ours, child


_process = _Process()
atexit.register(_process.end)


def end_process() -> None:
    """End the process that reads PDFs; the next file starts it again."""
    _process.end()
