"""The real program in a real terminal: a tmux server of its own, driven by keys and read as a screen."""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from support.programs import until

__all__ = ["Terminal", "have_tmux", "terminal"]


def have_tmux() -> bool:
    return shutil.which("tmux") is not None


@dataclass
class Terminal:
    """One pane of a private tmux server.

    Attributes:
        seen: Every screen that was read, for a search through all that was drawn.
    """

    socket: Path
    folder: Path
    seen: list[str] = field(default_factory=list[str])

    def tmux(self, *arguments: str, stdin: str | None = None) -> str:
        """Run a tmux command on this server."""
        done = subprocess.run(
            ["tmux", "-S", str(self.socket), "-f", "/dev/null", *arguments],
            input=stdin,
            capture_output=True,
            text=True,
            timeout=20,
        )
        assert done.returncode == 0, (arguments, done.stderr)
        return done.stdout

    @property
    def screen(self) -> str:
        """What is on the screen now, and kept in `seen` with its colours and scrollback."""
        shown = self.tmux("capture-pane", "-p", "-t", "p")
        self.seen.append(self.tmux("capture-pane", "-p", "-e", "-J", "-S", "-", "-t", "p"))
        self.seen.append(shown)
        return shown

    def wait_for(self, *texts: str, timeout: float = 60.0) -> str:
        """The first screen that shows all of these texts."""
        last = ""

        def shown() -> str:
            nonlocal last
            last = self.screen
            return last if all(text in last for text in texts) else ""

        try:
            return until(shown, f"{texts} on the screen", timeout, 0.05)
        except AssertionError:
            raise AssertionError(f"not within {timeout} s on the screen: {texts}\n{last}") from None

    def wait_until_gone(self, text: str, timeout: float = 60.0) -> str:
        """The first screen that does not show this text."""
        return until(lambda: "" if text in (now := self.screen) else now or " ", f"{text!r} gone", timeout)

    def type(self, text: str) -> None:
        """Press the keys of a text."""
        self.tmux("send-keys", "-t", "p", "-l", text)

    def press(self, *keys: str) -> None:
        """Press keys by tmux's names: Enter, Escape, C-t, F12."""
        self.tmux("send-keys", "-t", "p", *keys)

    def paste(self, text: str) -> None:
        """Paste, as a terminal does for a program that asked for bracketed paste."""
        self.tmux("load-buffer", "-b", "b", "-", stdin=text)
        self.tmux("paste-buffer", "-p", "-d", "-b", "b", "-t", "p")

    def flags(self) -> str:
        """Mouse reporting, alternate screen, cursor, as the terminal has them now."""
        return self.tmux(
            "display", "-p", "-t", "p", "mouse=#{mouse_any_flag} alt=#{alternate_on} cursor=#{cursor_flag}"
        ).strip()

    def status(self, timeout: float = 60.0) -> int:
        """The program's exit status, once it has ended."""
        path = self.folder / "status"
        return int(until(lambda: path.exists() and path.read_text().strip(), "the program's end", timeout))

    def tty(self) -> str:
        """`stty -a` of the terminal after the program, read by no shell that sets it right itself."""
        self.status()
        return (self.folder / "stty").read_text()

    def check_sane(self) -> None:
        """Assert that the terminal is as a shell expects it, once the program has ended."""
        assert self.flags() == "mouse=0 alt=0 cursor=1"
        words = re.findall(r"-?\w+", self.tty())
        for word in ("echo", "icanon", "isig", "opost", "icrnl", "ixon"):
            assert word in words, word

    @property
    def pid(self) -> int:
        """The program's process id."""
        path = self.folder / "pid"
        return int(until(lambda: path.exists() and path.read_text().strip(), "the program's start"))


_SCRIPT = """
cd "$1"; folder=$2; shift 2
sh -c 'echo $$ >"$0/pid.new"; mv "$0/pid.new" "$0/pid"; exec "$@"' "$folder" "$@"
status=$?
stty -a >"$folder/stty"
echo "$status" >"$folder/status.new"; mv "$folder/status.new" "$folder/status"
sleep 60
"""


@contextmanager
def terminal(
    folder: Path,
    command: Sequence[str],
    environ: Mapping[str, str],
    *,
    cwd: Path,
    columns: int = 80,
    rows: int = 24,
) -> Iterator[Terminal]:
    """Run `command` in a terminal of this size; `folder` is for the driver's own files."""
    folder.mkdir(parents=True, exist_ok=True)
    made = Terminal(folder / "s", folder)
    # The server passes its environment on, so the command's own is all that it gets.
    start = [
        "tmux", "-S", str(made.socket), "-f", "/dev/null", "new-session", "-d", "-s", "p",
        "-x", str(columns), "-y", str(rows),
        shlex.join(["sh", "-c", _SCRIPT, "sh", str(cwd), str(folder), *command]),
    ]  # fmt: skip
    subprocess.run(start, env={**environ, "SHELL": "/bin/sh"}, check=True, timeout=20)
    try:
        yield made
    finally:
        subprocess.run(
            ["tmux", "-S", str(made.socket), "kill-server"], capture_output=True, check=False, timeout=20
        )
