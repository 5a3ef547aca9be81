"""Runs of the program in processes that have its imports behind them.

Two seconds of a run's two and a half are imports. So one process a test worker imports what a run needs and
touches nothing else; each run is a fork of it that gets arguments, environment, folder and standard streams
of its own, and goes on as `python -m tui` would: same `main`, same end of the interpreter. What is tested
about imports, signals, terminals or the interpreter's own variables runs in a process of its own
(`programs.Program.start`).
"""

from __future__ import annotations

import atexit
import functools
import gc
import json
import os
import selectors
import socket
import subprocess
import sys
import threading
from typing import Any

__all__ = ["WarmRun", "can_be_warm"]

_IMPORTS = (
    "tui.arguments", "tui.cli", "tui.session.session", "tui.wire.client", "tui.subcommands.ask",
    "tui.subcommands.history", "tui.subcommands.inspect", "jsonschema", "pypdf", "keyring", "platformdirs",
)  # fmt: skip
_INTERPRETERS_OWN = ("PYTHON", "LANG", "LC_", "TZ", "LD_", "MALLOC")


def can_be_warm(environ: dict[str, str], usual: dict[str, str]) -> bool:
    """Whether a run's environment says nothing that the interpreter reads when it starts."""
    names = {name for name in environ.keys() | usual.keys() if name.startswith(_INTERPRETERS_OWN)}
    return all(environ.get(name) == usual.get(name) for name in names)


@functools.cache
def _warm(usual: tuple[tuple[str, str], ...]) -> socket.socket:
    """The process that has the imports behind it, by the socket that it listens to."""
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    process = subprocess.Popen(
        [sys.executable, __file__, str(theirs.fileno())],
        pass_fds=[theirs.fileno()],
        env=dict(usual),
        stdin=subprocess.DEVNULL,
    )
    theirs.close()

    def end() -> None:
        ours.close()
        process.wait()

    atexit.register(end)
    return ours


class WarmRun:
    """A run under way.

    Args:
        arguments: After the program's name.
        environ: The whole environment.
        cwd: The folder it runs in.
        stdin: What is piped in; `None` for `/dev/null`.
        usual: The environment of the process that is forked.
    """

    def __init__(
        self,
        arguments: tuple[str, ...],
        environ: dict[str, str],
        cwd: str,
        stdin: bytes | None,
        usual: dict[str, str],
    ) -> None:
        out, their_out = os.pipe()
        err, their_err = os.pipe()
        given, self._source = (os.open(os.devnull, os.O_RDONLY), -1) if stdin is None else os.pipe()
        self._ended, theirs = socket.socketpair()
        self._streams, self._stdin = (out, err), stdin or b""
        order = json.dumps({"arguments": arguments, "environ": environ, "cwd": cwd}).encode()
        handed = [given, their_out, their_err, theirs.fileno()]
        # The order is too long for one packet of the socket: it comes through a pipe of its own.
        read, write = os.pipe()
        socket.send_fds(_warm(tuple(sorted(usual.items()))), [b"run"], [*handed, read])
        for number in (given, their_out, their_err, read):
            os.close(number)
        theirs.close()
        with os.fdopen(write, "wb") as pipe:
            pipe.write(order)
        self._said = b""

    @property
    def pid(self) -> int:
        """Of the process that runs."""
        while b"\n" not in self._said:
            self._said += self._ended.recv(64)
        return int(self._said.partition(b"\n")[0])

    def wait(self) -> tuple[int, bytes, bytes]:
        """Exit status (negative for a signal), stdout and stderr, when it has ended."""
        parts: dict[int, bytearray] = {number: bytearray() for number in self._streams}
        left = memoryview(self._stdin)
        with selectors.DefaultSelector() as selector:
            for number in self._streams:
                selector.register(number, selectors.EVENT_READ)
            if self._source != -1:
                os.set_blocking(self._source, False)
                selector.register(self._source, selectors.EVENT_WRITE)
            while selector.get_map():
                for key, _ in selector.select(60) or _nothing():
                    if key.fd != self._source:
                        piece = os.read(key.fd, 65536)
                        parts[key.fd] += piece
                        ended = not piece
                    else:
                        left, ended = _written(key.fd, left)
                    if ended:
                        selector.unregister(key.fd)
                        os.close(key.fd)
        with self._ended:
            while piece := self._ended.recv(64):
                self._said += piece
        return (
            int(self._said.partition(b"\n")[2]),
            bytes(parts[self._streams[0]]),
            bytes(parts[self._streams[1]]),
        )


def _written(number: int, left: memoryview) -> tuple[memoryview, bool]:
    try:
        left = left[os.write(number, left[:65536]) :] if left else left
    except BrokenPipeError:
        return left, True
    return left, not left


def _nothing() -> Any:
    raise AssertionError("the run said nothing for 60 s")


def _serve(listening: socket.socket) -> dict[str, Any] | None:
    """Fork a run for each order; returns the order in the fork, and `None` when there are no more."""
    while True:
        message, numbers, _, _ = socket.recv_fds(listening, 16, 5)
        if not message:
            return None
        stdin, stdout, stderr, ended, order = numbers
        if os.fork() == 0:
            # This one waits for the run: its status is nobody else's to reap.
            listening.close()
            program = os.fork()
            if program == 0:
                os.close(ended)
                with os.fdopen(order, "rb") as pipe:
                    given: dict[str, Any] = json.load(pipe)
                for number, source in enumerate((stdin, stdout, stderr)):
                    os.dup2(source, number)
                    os.close(source)
                return given
            for number in (stdin, stdout, stderr, order):
                os.close(number)
            with socket.socket(fileno=ended) as end:
                end.sendall(b"%d\n" % program)
                _, status = os.waitpid(program, 0)
                end.sendall(b"%d" % os.waitstatus_to_exitcode(status))
            os._exit(0)
        for number in numbers:
            os.close(number)
        _reap()


def _reap() -> None:
    try:
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass
    except ChildProcessError:
        pass


def _become(order: dict[str, Any]) -> None:
    """Take on arguments, environment and folder, as a new process would have them."""
    os.chdir(order["cwd"])
    os.environ.clear()
    os.environ.update(order["environ"])
    sys.argv = [str(sys.modules["tui"].__path__[0]) + "/__main__.py", *order["arguments"]]
    for number, name, mode in ((0, "stdin", "r"), (1, "stdout", "w"), (2, "stderr", "w")):
        # What is open there now need not be of the kind that the old one was made for.
        old = getattr(sys, name)
        new = open(number, mode, encoding=old.encoding, errors=old.errors, closefd=False)  # noqa: SIM115
        new.reconfigure(line_buffering=number == 2)
        setattr(sys, name, new)
        setattr(sys, f"__{name}__", new)


def _end(status: int) -> None:
    """End as the interpreter does, but for taking its modules apart: that is 0.3 s after so many imports."""
    threading._shutdown()  # pyright: ignore[reportAttributeAccessIssue]
    atexit._run_exitfuncs()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(status)


if __name__ == "__main__":
    import importlib

    for _name in _IMPORTS:
        importlib.import_module(_name)
    # What is there now is nobody's garbage, and its pages stay shared.
    gc.freeze()
    _order = _serve(socket.socket(fileno=int(sys.argv[1])))
    if _order is not None:
        _become(_order)
        from tui.cli import main

        _end(main())
