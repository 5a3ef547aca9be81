"""Runs a program for a tool: a clean environment, a time limit, an output limit, and nothing left behind."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Callable, Coroutine, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

__all__ = ["Finished", "clean_environment", "run_program"]

_KEPT: Final = ("PATH", "HOME", "LANG", "LC_ALL", "LC_CTYPE", "TZ", "TMPDIR")
_ERROR_LIMIT: Final = 8_000
_GRACE: Final = 0.3  # seconds between asking a program to end and ending it
_CHUNK: Final = 1 << 16
# Waits until this program closes the pipe or is gone; what ends the tool in good time ends this first.
_GUARD: Final = 'read -r group && { read -r _; kill -s KILL -- "-$group"; }'


@dataclass(frozen=True, slots=True)
class Finished:
    """How a program ended.

    Attributes:
        status: Its exit status; negative for a signal.
        output: What it wrote to standard output, up to the limit.
        errors: The end of what it wrote to standard error.
        size: How many bytes it wrote to standard output.
        timed_out: Whether it was ended at the time limit.
    """

    status: int
    output: bytes
    errors: bytes
    size: int
    timed_out: bool = False


def clean_environment(environ: Mapping[str, str], names: Iterable[str] = ()) -> dict[str, str]:
    """The variables that every program needs, and those that are named; nothing else gets through."""
    environment = {name: environ[name] for name in (*_KEPT, *names) if name in environ}
    environment.setdefault("PATH", os.defpath)
    return environment


async def run_program(
    command: Sequence[str],
    data: bytes,
    *,
    folder: Path,
    environment: Mapping[str, str],
    time_limit: float,
    output_limit: int,
) -> Finished:
    """Run a program with `data` on its standard input, until it ends, or the limit, or a cancellation.

    Past the output limit it runs on and what it writes is dropped, as it may be doing more than to write.
    When it has ended, for whatever reason, the processes that it started are ended too. So are they all when
    this program is killed meanwhile: the model's call must not go on where nobody sees it.

    Args:
        command: Program and arguments; no shell is involved.
        data: Given on standard input.
        folder: Where it runs.
        environment: Its variables, all of them.
        time_limit: Seconds.
        output_limit: Bytes of standard output that are kept.

    Raises:
        OSError: It cannot be started.
    """
    guard = await _guard()
    try:
        process = await _started(
            asyncio.create_subprocess_exec(
                *command,
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.PIPE,
                cwd=folder,
                env=dict(environment),
                start_new_session=True,
                preexec_fn=_telling(guard),
            )
        )
    except BaseException:
        await _stand_down(guard)
        raise
    assert process.stdin and process.stdout and process.stderr
    output, errors = _Kept(output_limit), _Kept(_ERROR_LIMIT, tail=True)
    readers = [
        asyncio.create_task(output.read(process.stdout)),
        asyncio.create_task(errors.read(process.stderr)),
        asyncio.create_task(_feed(process.stdin, data)),
    ]
    timed_out = False
    try:
        async with asyncio.timeout(time_limit):
            await process.wait()
    except TimeoutError:
        timed_out = True
    finally:
        await _end(process)
        await _stand_down(guard)
        # A grandchild that escaped may hold the pipes for ever.
        done, pending = await asyncio.wait(readers, timeout=1.0)
        for task in pending:
            task.cancel()
        for task in done:
            task.exception()
    return Finished(process.returncode or 0, output.data, errors.data, output.size, timed_out)


async def _guard() -> asyncio.subprocess.Process | None:
    """A process that is told a group, and ends it when this one is gone; `None` where there is no shell."""
    try:
        return await _started(
            asyncio.create_subprocess_exec(
                "/bin/sh",
                "-c",
                _GUARD,
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.DEVNULL,
                stderr=asyncio.subprocess.DEVNULL,
                env={},
                start_new_session=True,
            )
        )
    except OSError:
        return None


def _telling(guard: asyncio.subprocess.Process | None) -> Callable[[], None] | None:
    """Tells the guard of its own group; for a process that has begun its session and not its program yet.

    Were it told by this program, a kill before that would leave the tool running.
    """
    if guard is None or guard.stdin is None:
        return None
    pipe: int = guard.stdin.get_extra_info("pipe").fileno()

    def tell() -> None:
        # Nothing here takes a lock: another thread may have held it when this process was forked.
        os.write(pipe, b"%d\n" % os.getpid())

    return tell


async def _started(starting: Coroutine[Any, Any, asyncio.subprocess.Process]) -> asyncio.subprocess.Process:
    """A program once it runs; if nobody wants it any more by then, it is ended.

    asyncio waits for ever when it is cancelled between the start and the connection of the last pipe.
    """
    start = asyncio.ensure_future(starting)
    try:
        return await asyncio.shield(start)
    except asyncio.CancelledError:
        while not start.done():
            with suppress(asyncio.CancelledError):
                await asyncio.wait([start])
        if start.exception() is None:
            await _end(start.result())
        raise


async def _stand_down(guard: asyncio.subprocess.Process | None) -> None:
    if guard is not None:
        with suppress(ProcessLookupError):
            guard.kill()
        await guard.wait()


class _Kept:
    """What of a stream is kept: its beginning, or its end."""

    def __init__(self, limit: int, *, tail: bool = False) -> None:
        self.data = b""
        self.size = 0
        self._limit = limit
        self._tail = tail

    async def read(self, stream: asyncio.StreamReader) -> None:
        while chunk := await stream.read(_CHUNK):
            self.size += len(chunk)
            if self._tail:
                self.data = (self.data + chunk)[-self._limit :]
            elif len(self.data) < self._limit:
                self.data += chunk[: self._limit - len(self.data)]


async def _feed(stream: asyncio.StreamWriter, data: bytes) -> None:
    # It need not read what it is given.
    with suppress(BrokenPipeError, ConnectionResetError):
        stream.write(data)
        await stream.drain()
        stream.close()


async def _end(process: asyncio.subprocess.Process) -> None:
    """End the program and all that it started, those that left its session included where that is known."""
    others = [pid for pid in _descendants(process.pid) if pid != process.pid]
    if process.returncode is None:
        _signal_group(process.pid, signal.SIGTERM)
        with suppress(TimeoutError):
            async with asyncio.timeout(_GRACE):
                await process.wait()
        others += [pid for pid in _descendants(process.pid) if pid not in others and pid != process.pid]
    _signal_group(process.pid, signal.SIGKILL)
    for pid in others:
        with suppress(ProcessLookupError, PermissionError):
            os.kill(pid, signal.SIGKILL)
    if process.returncode is None:
        await process.wait()


def _signal_group(pid: int, number: int) -> None:
    # The program is the leader of a group of its own, so that its number names nobody else's.
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(pid, number)


def _descendants(pid: int) -> list[int]:
    """The processes that descend from one, on Linux; elsewhere its group has to do."""
    parents: dict[int, int] = {}
    try:
        entries = [entry for entry in os.listdir("/proc") if entry.isdigit()]
    except OSError:
        return []
    for entry in entries:
        with suppress(OSError, ValueError, IndexError):
            stat = Path("/proc", entry, "stat").read_bytes()
            # The name, in parentheses, may hold anything.
            parents[int(entry)] = int(stat[stat.rindex(b")") + 2 :].split()[1])
    found = [pid]
    for known in found:
        found += [child for child, parent in parents.items() if parent == known and child not in found]
    return found[1:]
