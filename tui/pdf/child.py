"""The process in which PDFs are read: run as a file by `reading`, with pypdf's folder as its one argument.

It imports pypdf once, reads no file itself, and forks a process for each: what a file does to that process
no other file meets. Standard input is a socket; each message on it is an order (`ORDER`) with the socket on
which the file's bytes come and lines of JSON go back:

    {"started": true}                       the process for this file is there
    {"pages": 12} or {"encrypted": true}    or {"trouble": "damaged" | "memory"}
    {"characters": 812}                     of each page that is looked at; {"text": "..."} where it is wanted
    {"ended": STATUS, "kilobytes": ..., "seconds": ..., "late": false}     of every process, killed or not

A process for a file has limits of address space, CPU time and time, cannot write files or start programs, and
is killed with its group at the limit, when the socket's other end is closed, and when this one ends. This one
ends when standard input is closed, as it is when the program is gone, and when there was nothing to do.

Imports nothing of the program: it runs isolated (`-I -S`) with an environment of nothing.
"""

from __future__ import annotations

import json
import os
import resource
import select
import signal
import socket
import struct
import sys
import time
from contextlib import suppress
from dataclasses import dataclass
from io import BytesIO
from typing import TYPE_CHECKING, Any, Final, NoReturn

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["ORDER", "main"]

ORDER: Final = struct.Struct("!dQQi?")
"""Seconds, bytes of address space, size of the file, pages whose text is read (-1: all), texts wanted."""

IDLE: Final = 60.0
"""Seconds without a file after which it ends: it holds 25 MB, and is started again in a fifth of a second."""

# Found by pypdf where they are installed and needed for nothing here: less code that reads hostile bytes.
_LEFT_OUT: Final = ("cryptography", "Crypto", "PIL", "numpy", "fontTools", "brotli")
_CODECS: Final = ("gbk", "gb18030", "big5", "shift_jis", "euc_kr", "utf_16_be", "mac_roman", "charmap")
_FILES: Final = 16
_KILL_WITH_PARENT: Final = 1  # PR_SET_PDEATHSIG, prctl(2)


@dataclass(slots=True)
class _Worker:
    """A process that reads one file.

    Attributes:
        pid: Its number, and its group's.
        answers: Our copy of the socket to the program; the process has the other.
        life: Read end of a pipe that the process holds open.
        until: When it is killed, on the monotonic clock.
        late: Whether it was.
    """

    pid: int
    answers: socket.socket
    life: int
    until: float
    late: bool = False

    def kill(self) -> None:
        """End it with its group; it is not reaped yet, so that its number is nobody else's."""
        for end in (os.killpg, os.kill):
            with suppress(ProcessLookupError, PermissionError):
                end(self.pid, signal.SIGKILL)


def main() -> None:
    """Serve until standard input is closed or nothing came for a while."""
    for what in (resource.RLIMIT_CORE, resource.RLIMIT_FSIZE):
        resource.setrlimit(what, (0, 0))
    sys.path.append(sys.argv[1])
    sys.modules.update(dict.fromkeys(_LEFT_OUT))  # pyright: ignore[reportArgumentType, reportCallIssue]
    _import_all()
    _Server(socket.socket(fileno=0)).serve()


def _import_all() -> None:
    """Import what reading needs: the processes for the files open next to nothing."""
    import codecs
    import gc
    import logging

    import pypdf

    logging.getLogger("pypdf").setLevel(logging.CRITICAL)
    for name in _CODECS:
        codecs.lookup(name)
    writer = pypdf.PdfWriter()
    writer.add_blank_page(9, 9)
    page = BytesIO()
    writer.write(page)
    pypdf.PdfReader(page).pages[0].extract_text()
    # What is there now is nobody's garbage, and its memory stays shared with the processes for the files.
    gc.freeze()


def _dies_with_parent() -> Callable[[], object]:
    """What a new process calls so that the system kills it with this one, where the system can (Linux)."""
    if not sys.platform.startswith("linux"):
        return lambda: None
    import ctypes

    prctl = ctypes.CDLL(None).prctl
    return lambda: prctl(_KILL_WITH_PARENT, signal.SIGKILL)


class _Server:
    """Starts a process for each order, and ends it."""

    def __init__(self, orders: socket.socket) -> None:
        self._orders = orders
        self._workers: list[_Worker] = []
        self._die_with_us = _dies_with_parent()

    def serve(self) -> None:
        while True:
            poll = select.poll()
            poll.register(self._orders, select.POLLIN)
            for worker in self._workers:
                poll.register(worker.answers, 0)  # hung up, which is always told
                poll.register(worker.life, select.POLLIN)
            waits = [worker.until for worker in self._workers if not worker.late]
            seconds = max(0.0, min(waits) - time.monotonic()) if waits else IDLE
            told = {number for number, _ in poll.poll(seconds * 1000 + 1)}
            if not told and not self._workers:
                return
            for worker in tuple(self._workers):
                if worker.life in told:
                    self._bury(worker)
                elif worker.answers.fileno() in told:
                    worker.kill()
                elif not worker.late and time.monotonic() >= worker.until:
                    worker.late = True
                    worker.kill()
            if self._orders.fileno() in told and not self._take():
                for worker in self._workers:
                    worker.kill()
                return

    def _take(self) -> bool:
        """Start what the next order wants; tells whether there was one."""
        try:
            message, numbers, _, _ = socket.recv_fds(self._orders, ORDER.size, 1)
        except OSError:
            return False
        if len(message) != ORDER.size or len(numbers) != 1:
            return False
        order = ORDER.unpack(message)
        answers = socket.socket(fileno=numbers[0])
        life, held = os.pipe()
        parent = os.getpid()
        pid = os.fork()
        if pid == 0:
            self._die_with_us()
            if os.getppid() != parent:
                os._exit(0)
            self._become_worker(answers, life)
            _work(answers, *order)
        os.close(held)
        self._workers.append(_Worker(pid, answers, life, time.monotonic() + order[0]))
        return True

    def _become_worker(self, answers: socket.socket, life: int) -> None:
        """Leave group and descriptors of the parent."""
        os.setsid()
        nothing = os.open(os.devnull, os.O_RDONLY)
        os.dup2(nothing, 0)
        os.close(nothing)
        self._orders.detach()
        os.close(life)
        for worker in self._workers:
            os.close(worker.answers.detach())
            os.close(worker.life)

    def _bury(self, worker: _Worker) -> None:
        """Say how a process ended, now that it has."""
        _, status, usage = os.wait4(worker.pid, 0)
        kilobytes = usage.ru_maxrss if sys.platform != "darwin" else usage.ru_maxrss // 1024
        with suppress(OSError):
            # Nobody may be reading; a line of this size fits the socket's buffer otherwise.
            worker.answers.settimeout(1.0)
            _tell(
                worker.answers,
                ended=os.waitstatus_to_exitcode(status),
                kilobytes=kilobytes,
                seconds=round(usage.ru_utime + usage.ru_stime, 4),
                late=worker.late,
            )
        worker.answers.close()
        os.close(worker.life)
        self._workers.remove(worker)


def _tell(answers: socket.socket, **line: Any) -> None:
    answers.sendall(json.dumps(line).encode() + b"\n")


def _work(
    answers: socket.socket, seconds: float, memory: int, size: int, text_pages: int, texts: bool
) -> NoReturn:
    """Read one file, in a process that is there for nothing else."""
    try:
        _limit(seconds, memory)
        _tell(answers, started=True)
        _read(answers, _received(answers, size), text_pages, texts)
    except MemoryError:
        _say_trouble(answers, "memory")
    except BaseException:
        # pypdf answers broken files with errors of its own and, deep inside, with nearly all of Python's.
        _say_trouble(answers, "damaged")
    finally:
        os._exit(0)


def _say_trouble(answers: socket.socket, what: str) -> None:
    with suppress(BaseException):
        _tell(answers, trouble=what)


def _limit(seconds: float, memory: int) -> None:
    processor = int(seconds) + 1
    # The system ends it even if nobody is left who would.
    signal.setitimer(signal.ITIMER_REAL, seconds + 1.0)
    for what, most in (
        (resource.RLIMIT_CPU, processor),
        (resource.RLIMIT_AS, memory),
        (resource.RLIMIT_NOFILE, _FILES),
        (resource.RLIMIT_NPROC, 0),
    ):
        # Not each system has each of them.
        with suppress(ValueError, OSError):
            resource.setrlimit(what, (most, most))


def _received(answers: socket.socket, size: int) -> bytes:
    data = bytearray(size)
    view, at = memoryview(data), 0
    while at < size:
        count = answers.recv_into(view[at:])
        if count == 0:
            os._exit(1)
        at += count
    return bytes(data)


def _read(answers: socket.socket, data: bytes, text_pages: int, texts: bool) -> None:
    import pypdf
    from pypdf.errors import DependencyError

    try:
        reader = pypdf.PdfReader(BytesIO(data))
    except DependencyError:
        # Of its dependencies only those for decryption are asked for before a page is read.
        reader = None
    if reader is None or reader.is_encrypted:
        _tell(answers, encrypted=True)
        return
    pages = len(reader.pages)
    _tell(answers, pages=pages)
    for index in range(pages if text_pages < 0 else min(pages, text_pages)):
        text = reader.pages[index].extract_text()
        if texts:
            _tell(answers, text=text)
        else:
            _tell(answers, characters=len(text))


if __name__ == "__main__":
    main()
