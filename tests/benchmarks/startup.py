"""Process start to the composer on the screen, as a ratio to the smallest Textual app.

    uv run python tests/benchmarks/startup.py [RUNS]

Both programs run in a real pseudo-terminal of 120x40, alternating; a program has started when the words
that mark its input have been written to the terminal. Printed are medians, their ratio, the program's peak
memory, and `outcrop --version` as a ratio to `python -c pass`.
"""

from __future__ import annotations

import fcntl
import os
import pty
import re
import select
import signal
import statistics
import struct
import subprocess
import sys
import tempfile
import termios
import time
from pathlib import Path

SMALLEST = """
from textual.app import App
from textual.widgets import Input, Static

class Smallest(App):
    def compose(self):
        yield Static("hello")
        yield Input(placeholder="Message here")

Smallest().run()
"""
ESCAPES = re.compile(rb"\x1b\[[0-9;:?<>=]*[ -/]*[@-~]|\x1b[P\]][^\x07\x1b]*(?:\x07|\x1b\\)|\x1b.")
# The terminal's answer to "which modes do you know" and "who are you": a real one gives it at once.
ANSWERS = {b"\x1b[c": b"\x1b[?62;22c", b"\x1b[6n": b"\x1b[1;1R"}
LIMIT = 20.0


def environment(folder: str) -> dict[str, str]:
    kept = {name: os.environ[name] for name in ("PATH", "LANG") if name in os.environ}
    return {
        **kept,
        "LANG": "C.UTF-8",
        "TERM": "xterm-256color",
        "COLORTERM": "truecolor",
        "HOME": folder,
        "OUTCROP_CONFIG_DIR": f"{folder}/config",
        "OUTCROP_DATA_DIR": f"{folder}/data",
    }


def start(command: list[str], marker: bytes, folder: str) -> tuple[float, float]:
    """Seconds until `marker` is on the screen, and the process's peak memory in MiB then."""
    began = time.monotonic()
    pid, terminal = pty.fork()
    if pid == 0:
        fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack("HHHH", 40, 120, 0, 0))
        os.execvpe(command[0], command, environment(folder))
    written = b""
    try:
        while time.monotonic() - began < LIMIT:
            if select.select([terminal], [], [], 0.05)[0]:
                piece = os.read(terminal, 65536)
                written += piece
                for question, answer in ANSWERS.items():
                    if question in piece:
                        os.write(terminal, answer)
                if marker in ESCAPES.sub(b"", written):
                    return time.monotonic() - began, peak(pid)
        raise SystemExit(f"{command} did not show {marker!r} within {LIMIT} s:\n{written[-2000:]!r}")
    finally:
        os.kill(pid, signal.SIGKILL)
        os.close(terminal)
        os.waitpid(pid, 0)


def peak(pid: int) -> float:
    """Peak resident memory in MiB."""
    status = Path(f"/proc/{pid}/status").read_text()
    found = re.search(r"VmHWM:\s+(\d+)", status)
    return int(found[1]) / 1024 if found else float("nan")


def run_to_end(command: list[str], folder: str) -> float:
    began = time.monotonic()
    subprocess.run(command, env=environment(folder), stdout=subprocess.DEVNULL, check=True)
    return time.monotonic() - began


def main() -> None:
    runs = int(sys.argv[1]) if len(sys.argv) > 1 else 7
    outcrop = str(Path(sys.executable).with_name("outcrop"))
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "smallest.py").write_text(SMALLEST)
        programs = {
            "smallest Textual app": [sys.executable, f"{folder}/smallest.py"],
            "outcrop --sandbox": [outcrop, "--sandbox"],
        }
        rows: dict[str, list[tuple[float, float]]] = {name: [] for name in programs}
        versions: dict[str, list[float]] = {"python -c pass": [], "outcrop --version": []}
        for number in range(runs + 1):
            for name, command in programs.items():
                row = start(command, b"Message", folder)
                if number:
                    rows[name].append(row)
            for name, command in zip(
                versions, ([sys.executable, "-c", "pass"], [outcrop, "--version"]), strict=True
            ):
                seconds = run_to_end(command, folder)
                if number:
                    versions[name].append(seconds)
    medians = {name: statistics.median(t for t, _ in row) for name, row in rows.items()}
    for name, row in rows.items():
        times = [t for t, _ in row]
        memory = statistics.median(m for _, m in row)
        spread = f"({min(times):.3f} to {max(times):.3f})"
        print(f"{name:22} {medians[name]:.3f} s  {spread}  {memory:.0f} MiB  n={runs}")
    print(f"ratio {medians['outcrop --sandbox'] / medians['smallest Textual app']:.2f}")
    both = {name: statistics.median(times) for name, times in versions.items()}
    for name, seconds in both.items():
        print(f"{name:22} {seconds * 1000:.0f} ms")
    print(f"ratio {both['outcrop --version'] / both['python -c pass']:.2f}")


if __name__ == "__main__":
    main()
