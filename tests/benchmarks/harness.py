"""What the benchmarks share: a real pseudo-terminal, clocks, the fake model server, medians, the table.

A program under test runs in a pseudo-terminal of 120x40 in a process group of its own. Every chunk it
writes is kept with the time it came; what is on the screen is found in the stream of chunks afterwards, so
that looking costs nothing while it runs. CPU is the process's own clock (all its threads), not its
children's; the server is another process. Times of the server and of the terminal are `time.monotonic`
on one machine.
"""

from __future__ import annotations

import argparse
import contextlib
import fcntl
import json
import os
import pty
import re
import signal
import statistics
import struct
import subprocess
import sys
import tempfile
import termios
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
COLUMNS, LINES = 120, 40
OUTCROP = [sys.executable, "-m", "tui"]
PROMPT = b"Message"
END = b"ENDOFANSWER"
_ESCAPES = re.compile(rb"\x1b\[[0-9;:?<>=]*[ -/]*[@-~]|\x1b[P\]][^\x07\x1b]*(?:\x07|\x1b\\)|\x1b.")
# The terminal's answers to "who are you" and "where is the cursor": a real one gives them at once.
_ANSWERS = {b"\x1b[c": b"\x1b[?62;22c", b"\x1b[6n": b"\x1b[1;1R"}


def plain(data: bytes) -> bytes:
    """Terminal output without its escape sequences."""
    return _ESCAPES.sub(b"", data)


def environment(folder: Path, **more: str) -> dict[str, str]:
    """A private home, no settings of whoever runs this."""
    kept = {name: os.environ[name] for name in ("PATH",) if name in os.environ}
    return {
        **kept,
        "LANG": "C.UTF-8",
        "TERM": "xterm-256color",
        "COLORTERM": "truecolor",
        "HOME": str(folder),
        "PYTHONPATH": str(ROOT),
        "OUTCROP_CONFIG_DIR": f"{folder}/config",
        "OUTCROP_DATA_DIR": f"{folder}/data",
        "AWS_BEARER_TOKEN_BEDROCK": "sandbox",
        **more,
    }


class Terminal:
    """A program in a pseudo-terminal.

    Attributes:
        began: When it was started.
        chunks: What it wrote, with the time each came.
    """

    def __init__(
        self,
        command: Sequence[str],
        env: dict[str, str],
        *,
        size: tuple[int, int] = (COLUMNS, LINES),
        cores: set[int] | None = None,
    ) -> None:
        self.chunks: list[tuple[float, bytes]] = []
        self.began = time.monotonic()
        self.pid, self._master = pty.fork()
        if self.pid == 0:
            try:
                fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack("HHHH", size[1], size[0], 0, 0))
                if cores is not None:
                    os.sched_setaffinity(0, cores)
                os.chdir(env["HOME"])
                os.execvpe(command[0], list(command), env)
            finally:
                os._exit(127)
        self._reader = threading.Thread(target=self._drain, daemon=True)
        self._reader.start()

    def _drain(self) -> None:
        with contextlib.suppress(OSError):
            while data := os.read(self._master, 1 << 16):
                self.chunks.append((time.monotonic(), data))
                for question, answer in _ANSWERS.items():
                    if question in data:
                        os.write(self._master, answer)

    def __enter__(self) -> Terminal:
        return self

    def __exit__(self, *_: object) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.pid, signal.SIGKILL)
        os.waitpid(self.pid, 0)
        self._reader.join(timeout=2)
        os.close(self._master)

    def send(self, keys: bytes) -> float:
        """Type; returns when."""
        now = time.monotonic()
        os.write(self._master, keys)
        return now

    def resize(self, columns: int, lines: int) -> float:
        """Change the terminal's size; returns when."""
        now = time.monotonic()
        fcntl.ioctl(self._master, termios.TIOCSWINSZ, struct.pack("HHHH", lines, columns, 0, 0))
        return now

    def cpu(self) -> float:
        """CPU seconds of the process, all threads; resolution of nanoseconds."""
        return time.clock_gettime(((~self.pid) << 3) | 2)

    def memory(self, field_name: str = "VmRSS") -> float:
        """Resident memory in MiB; `VmHWM` for its peak."""
        found = re.search(rf"{field_name}:\s+(\d+)", Path(f"/proc/{self.pid}/status").read_text())
        return int(found[1]) / 1024 if found else float("nan")

    def seen(self, marker: bytes, since: float = 0.0) -> float | None:
        """When `marker` was first written as a run of characters after `since`; None if not yet."""
        tail = b""
        for at, data in list(self.chunks):
            if at < since:
                continue
            text = tail + data
            if marker in plain(text):
                return at
            tail = text[-400:]
        return None

    def wait_for(self, marker: bytes, limit: float, since: float = 0.0) -> float:
        """Block until `marker` is on the screen; returns when it came.

        Raises:
            SystemExit: It did not come.
        """
        deadline = time.monotonic() + limit
        looked = 0
        tail = b""
        while time.monotonic() < deadline:
            chunks = self.chunks[looked:]
            for at, data in chunks:
                looked += 1
                if at < since:
                    continue
                text = tail + data
                if marker in plain(text):
                    return at
                tail = text[-400:]
            time.sleep(0.01)
        last = plain(b"".join(data for _, data in self.chunks[-20:]))[-1500:]
        raise SystemExit(
            f"{marker!r} was not shown within {limit} s; last came:\n{last.decode(errors='replace')}"
        )

    def idle(self, limit: float = 15.0) -> None:
        """Block until the program has done next to nothing for 0.4 s: what sends is imported as one types."""
        deadline = time.monotonic() + limit
        time.sleep(0.3)
        while time.monotonic() < deadline:
            before = self.cpu()
            time.sleep(0.4)
            if self.cpu() - before < 0.02:
                return

    def quiet(self, gap: float, limit: float) -> float:
        """Block until nothing was written for `gap` seconds; returns the time of the last chunk."""
        deadline = time.monotonic() + limit
        while time.monotonic() < deadline:
            last = self.chunks[-1][0] if self.chunks else self.began
            if time.monotonic() - last > gap:
                return last
            time.sleep(0.01)
        return self.chunks[-1][0]


class Server:
    """The sandbox in a process of its own; the model's name says how many tokens at which pace."""

    def __enter__(self) -> Server:
        self._folder = tempfile.TemporaryDirectory(prefix="outcrop-bench-")
        folder = Path(self._folder.name)
        command = [*OUTCROP, "sandbox"]
        self._process = subprocess.Popen(command, env=environment(folder), stdout=subprocess.PIPE, text=True)
        assert self._process.stdout is not None
        self.url = self._process.stdout.readline().strip()
        self._control = self.url.removesuffix("/openai/v1") + "/sandbox"
        return self

    def __exit__(self, *_: object) -> None:
        self._process.terminate()
        self._process.wait()
        self._folder.cleanup()

    def _ask(self, method: str) -> Any:
        request = urllib.request.Request(
            f"{self._control}/log", method=method, headers={"authorization": "Bearer sandbox"}
        )
        with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request) as answer:
            return json.load(answer)

    def clear(self) -> None:
        """Forget what was served."""
        self._ask("DELETE")

    def warm(self, model: str) -> None:
        """Have the answer made, so that it is streamed at once when it is asked for."""
        body = json.dumps({"model": model, "input": "x", "stream": False, "store": False}).encode()
        request = urllib.request.Request(
            f"{self.url}/responses",
            data=body,
            headers={"authorization": "Bearer sandbox", "content-type": "application/json"},
        )
        if model.split("-")[2] == "0":
            with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request) as answer:
                answer.read()

    def sent(self, limit: float) -> tuple[float, float]:
        """Times of the first and the last byte of the newest finished answer; waits for its end."""
        deadline = time.monotonic() + limit
        while time.monotonic() < deadline:
            for row in reversed(self._ask("GET")["data"]):
                if row["ended"] == "finished" and row["events"] and row["sent_at"]:
                    return row["sent_at"][0], row["sent_at"][1]
            time.sleep(0.1)
        raise SystemExit(f"the answer was not finished within {limit} s")


@contextlib.contextmanager
def place() -> Iterator[Path]:
    """A private folder for one run."""
    with tempfile.TemporaryDirectory(prefix="outcrop-bench-", ignore_cleanup_errors=True) as folder:
        yield Path(folder)


def outcrop(server: Server, model: str, *more: str) -> list[str]:
    """The command that talks to `server`."""
    return [*OUTCROP, "--base-url", server.url, "--model", model, *more]


def percentile(values: Sequence[float], share: float) -> float:
    """The value below which `share` of the values lie (nearest rank)."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))] if ordered else float("nan")


@dataclass(slots=True)
class Row:
    """One line of the report.

    Attributes:
        what: What was measured.
        figures: One per run, in `unit`.
        target: At most this; None for a figure without a target.
        note: What stands beside it.
    """

    what: str
    figures: list[float]
    unit: str
    target: float | None = None
    note: str = ""
    digits: int = 2

    @property
    def median(self) -> float:
        """The middle of the runs."""
        return statistics.median(self.figures)

    def __str__(self) -> str:
        def figure(value: float) -> str:
            return f"{value:.{self.digits}f}"

        spread = f"{figure(min(self.figures))}-{figure(max(self.figures))}" if len(self.figures) > 1 else ""
        reach = "" if self.target is None else f"<= {self.target:g} {self.unit}".rstrip()
        met = "" if self.target is None else "yes" if self.median <= self.target else "NO"
        value = f"{figure(self.median)} {self.unit}".rstrip()
        return f"| {self.what} | {value} | {spread} | {reach} | {met} | {self.note} |"


@dataclass(slots=True)
class Report:
    """The rows of a benchmark; each is printed as soon as it is known."""

    runs: int
    rows: list[Row] = field(default_factory=list[Row])

    def head(self) -> None:
        """Print the head of the table."""
        print(
            "| what | median | least-most | reach | reached | note |\n|---|---|---|---|---|---|", flush=True
        )

    def add(
        self, what: str, figures: Sequence[float], unit: str, target: float | None = None, note: str = "",
        digits: int = 2,
    ) -> None:  # fmt: skip
        """Print one row."""
        row = Row(what, list(figures), unit, target, note, digits)
        self.rows.append(row)
        print(row, flush=True)


def main(measure: Callable[[Report, str], None], description: str | None) -> None:
    """Run one benchmark as a script: `--runs N`, `--quick` (1 run), `--only WORD`."""
    parser = argparse.ArgumentParser(description=(description or "").split("\n")[0])
    parser.add_argument("--runs", type=int, default=7, help="of each case; medians are printed")
    parser.add_argument("--quick", action="store_true", help="1 run")
    parser.add_argument("--only", default="", metavar="WORD", help="only cases with this in their name")
    options = parser.parse_args()
    report = Report(1 if options.quick else options.runs)
    report.head()
    measure(report, options.only)
