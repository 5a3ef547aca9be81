"""Runs of the real program in processes of their own, with folders and an environment of their own."""

from __future__ import annotations

import atexit
import functools
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from support.warm import WarmRun, can_be_warm
from support.watchdog import VARIABLE

__all__ = ["ENDED_KEYS", "OUTCROP", "Finished", "Program", "is_alive", "until"]

OUTCROP = (sys.executable, "-m", "tui")
_CHECKOUT = Path(__file__).resolve().parents[2]
_NOT_OURS = ("AWS_", "BEDROCK_", "OUTCROP_", "OPENAI_", "OTEL_", "COV_", "XDG_", "TEXTUAL", "PYTEST_")
_SIZE = ("COLUMNS", "LINES")  # pytest's workers have them, and they would outrank the terminal's own size
_PROXIES = ("http_proxy", "https_proxy", "all_proxy", "no_proxy")

Json = dict[str, Any]

ENDED_KEYS = [
    "type", "outcome", "conversation", "response_id", "request_id", "model", "region", "continuation",
    "text", "usage", "error",
]  # fmt: skip
"""What `turn.ended` has, in this order: the command line's contract."""


def until(condition: Callable[[], Any], what: str, timeout: float = 20.0, every: float = 0.02) -> Any:
    """The first true value of `condition`, asked again and again.

    Raises:
        AssertionError: It did not become true in `timeout` seconds.
    """
    deadline = time.monotonic() + timeout
    while not (value := condition()):
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {timeout} s: {what}")
        time.sleep(every)
    return value


def is_alive(pid: int) -> bool:
    """Whether there is a process of that number that does anything."""
    try:
        return Path("/proc", str(pid), "stat").read_bytes().rpartition(b")")[2].split()[0] != b"Z"
    except OSError:
        return False


@functools.cache
def _bytecode() -> str:
    """Where compiled modules go that must not lie beside the source: to compile openai takes 1.5 s a run."""
    folder = tempfile.mkdtemp(prefix="outcrop-tests-bytecode-")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder


@dataclass(frozen=True)
class Finished:
    """What a run left."""

    status: int
    stdout: bytes
    stderr: bytes

    @property
    def out(self) -> str:
        return self.stdout.decode("utf-8")

    @property
    def err(self) -> str:
        return self.stderr.decode("utf-8")

    @property
    def rows(self) -> list[Json]:
        """The JSON Lines; each must be an object with a type."""
        assert self.stdout.endswith(b"\n"), self
        rows = [json.loads(line) for line in self.out.splitlines()]
        for row in rows:
            assert isinstance(row, dict), row
            assert isinstance(row["type"], str), row
        return rows

    @property
    def ended(self) -> Json:
        """`turn.ended`: the last row, and only the last."""
        rows = self.rows
        assert [row["type"] for row in rows].count("turn.ended") == 1
        assert rows[-1]["type"] == "turn.ended"
        return rows[-1]

    def sentence(self) -> str:
        """What stderr says: one line of the program's, no traceback."""
        lines = self.err.splitlines()
        assert len(lines) == 1, self.err
        assert lines[0].startswith("outcrop: "), self.err
        return lines[0].removeprefix("outcrop: ")


def _usual(program: Program) -> dict[str, str]:
    """What a run's environment has whatever program it is of."""
    theirs = {"HOME", "TMPDIR", "OUTCROP_CONFIG_DIR", "OUTCROP_DATA_DIR", "BEDROCK_BASE_URL"}
    # Each test has its own folder for stalls, and nothing that is forked has an event loop of an app.
    theirs |= {"AWS_BEARER_TOKEN_BEDROCK", VARIABLE, *program.more}
    return {name: value for name, value in Program.environ(program).items() if name not in theirs}


@dataclass
class Program:
    """A place where the program runs: home, config, data, temporary and working folder, all under `root`.

    Attributes:
        base_url: Given as `BEDROCK_BASE_URL` when it is set.
        token: Given as `AWS_BEARER_TOKEN_BEDROCK` when it is set.
    """

    root: Path
    base_url: str = ""
    token: str = "sandbox"
    more: dict[str, str] = field(default_factory=dict[str, str])

    def __post_init__(self) -> None:
        for folder in (self.home, self.config, self.data, self.tmp, self.cwd):
            folder.mkdir(parents=True, exist_ok=True)

    @property
    def home(self) -> Path:
        return self.root / "home"

    @property
    def config(self) -> Path:
        return self.root / "config"

    @property
    def data(self) -> Path:
        return self.root / "data"

    @property
    def tmp(self) -> Path:
        return self.root / "tmp"

    @property
    def cwd(self) -> Path:
        return self.root / "cwd"

    def environ(self, **changes: str | None) -> dict[str, str]:
        """The whole environment of a run; a change to `None` takes a variable away."""
        env = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith(_NOT_OURS) and name not in _SIZE and name.lower() not in _PROXIES
        }
        env |= {
            "HOME": str(self.home),
            "TMPDIR": str(self.tmp),
            "OUTCROP_CONFIG_DIR": str(self.config),
            "OUTCROP_DATA_DIR": str(self.data),
            # What stands first watches the event loop of a program that draws (support/watchdog.py).
            "PYTHONPATH": os.pathsep.join((str(Path(__file__).parent / "at_start"), str(_CHECKOUT))),
            # No keyring of the machine's: what is kept there by others is not to be found by a test.
            "PYTHON_KEYRING_BACKEND": "keyring.backends.fail.Keyring",
            "LANG": "C.UTF-8",
            "TERM": "xterm-256color",
        }
        if env.pop("PYTHONDONTWRITEBYTECODE", ""):
            env["PYTHONPYCACHEPREFIX"] = _bytecode()
        if self.base_url:
            env["BEDROCK_BASE_URL"] = self.base_url
        if self.token:
            env["AWS_BEARER_TOKEN_BEDROCK"] = self.token
        env |= self.more
        for name, value in changes.items():
            if value is None:
                env.pop(name, None)
            else:
                env[name] = value
        return env

    def start(
        self, *arguments: str, stdin: Any = subprocess.DEVNULL, **changes: str | None
    ) -> subprocess.Popen[bytes]:
        """Begin a run; the caller waits for it (see `running`)."""
        return subprocess.Popen(
            [*OUTCROP, *arguments],
            stdin=stdin,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=self.environ(**changes),
            cwd=self.cwd,
        )

    @contextmanager
    def running(
        self, *arguments: str, stdin: Any = subprocess.DEVNULL, **changes: str | None
    ) -> Iterator[subprocess.Popen[bytes]]:
        """A run that is ended with the block if it has not ended by itself."""
        with self.start(*arguments, stdin=stdin, **changes) as process:
            try:
                yield process
            finally:
                if process.poll() is None:
                    process.send_signal(signal.SIGKILL)

    def run(self, *arguments: str, stdin: bytes | None = None, **changes: str | None) -> Finished:
        """Run to the end; `stdin` is piped in when it is given, else there is none."""
        environ = self.environ(**changes)
        if can_be_warm(environ, _usual(self)):
            return Finished(*self._warm(arguments, environ, stdin).wait())
        source = subprocess.DEVNULL if stdin is None else subprocess.PIPE
        with self.running(*arguments, stdin=source, **changes) as process:
            out, err = process.communicate(stdin, timeout=60)
            return Finished(process.returncode, out, err)

    def ask(self, *arguments: str, stdin: bytes | None = None, **changes: str | None) -> Finished:
        """`outcrop ask …` to the end."""
        return self.run("ask", *arguments, stdin=stdin, **changes)

    def together(self, *runs: Sequence[str]) -> list[Finished]:
        """Several runs at the same time."""
        begun = [self._warm(tuple(arguments), self.environ(), None) for arguments in runs]
        return [Finished(*run.wait()) for run in begun]

    def begin(self, *arguments: str, stdin: bytes | None = None) -> WarmRun:
        """A run under way; the caller waits for it."""
        return self._warm(arguments, self.environ(), stdin)

    def _warm(self, arguments: tuple[str, ...], environ: dict[str, str], stdin: bytes | None) -> WarmRun:
        return WarmRun(arguments, environ, str(self.cwd), stdin, _usual(self))

    def history(self, *arguments: str) -> Any:
        """What `outcrop history … --json` says, parsed."""
        finished = self.run("history", *arguments, "--json")
        assert finished.status == 0, finished
        assert finished.err == "", finished
        return json.loads(finished.out)

    def conversation(self) -> Json:
        """The conversation last used, as `history show --json` gives it."""
        return self.history("show", self.history("list")[0]["id"])
