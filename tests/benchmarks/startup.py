"""Process start to the composer on the screen, as a ratio to the smallest Textual app.

    python tests/benchmarks/startup.py [--quick]

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
import struct
import subprocess
import sys
import tempfile
import termios
import time
from pathlib import Path

from harness import Report, main

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


def measure(report: Report, only: str) -> None:
    """Start-up, memory when the prompt is shown, `--version`; each as a ratio to a floor of the same run."""
    if only not in "start-up --version memory":
        return
    outcrop = str(Path(sys.executable).with_name("outcrop"))
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "smallest.py").write_text(SMALLEST)
        smallest = [sys.executable, f"{folder}/smallest.py"]
        ratios: list[float] = []
        versions: list[float] = []
        memory: list[float] = []
        for number in range(max(3, report.runs) + 1):
            floor, _ = start(smallest, b"Message", folder)
            ours, peaked = start([outcrop, "--sandbox"], b"Message", folder)
            nothing = run_to_end([sys.executable, "-c", "pass"], folder)
            version = run_to_end([outcrop, "--version"], folder)
            # The first round warms the disk's cache.
            if number:
                ratios.append(ours / floor)
                versions.append(version / nothing)
                memory.append(peaked)
    report.add("start to usable composer, over the smallest Textual app", ratios, "", 1.25)
    report.add("memory when the prompt is shown", memory, "MiB", 55, digits=0)
    report.add("outcrop --version over python -c pass", versions, "", 3.5)


if __name__ == "__main__":
    main(measure, __doc__)
