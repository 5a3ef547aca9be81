"""However the TUI ends, the terminal is as it was, what was said is kept, and no secret is told."""

from __future__ import annotations

import os
import pty
import signal
import stat
import subprocess
import sys
import time
from pathlib import Path

import pytest
from support.keyring_support import short_term_token
from support.programs import OUTCROP, Program, is_alive, until
from support.terminal import Terminal, have_tmux, terminal

from tui.sandbox.server import SandboxServer

pytestmark = pytest.mark.skipif(not have_tmux(), reason="tmux is not installed")

TOKEN = short_term_token("us-west-2", made=time.time() - 60)

# Three keys of the program fail in three places: in a thread, in a worker, in the app itself.
FAILING = """
import sys, threading
from tui.app import OutcropApp

def fail(where):
    secret_local = "value of a variable"
    token_local = "TOKEN"
    raise ValueError("broken in " + where + " with TOKEN") from KeyError("of TOKEN")

async def work():
    fail("work")

def in_thread(self):
    threading.Thread(target=fail, args=("thread",)).start()

OutcropApp.action_open_help = in_thread
OutcropApp.action_pick_theme = lambda self: self.chat._do(work, "test")
OutcropApp.action_leave = lambda self: fail("app")
from tui.cli import main
sys.exit(main())
""".replace("TOKEN", TOKEN)


def answering(window: Terminal, slow: SandboxServer) -> None:
    """Begin an answer that takes long."""
    window.wait_for("Message")
    window.type("Write 4000 words")
    window.press("Enter")
    slow.log.wait_for(lambda record: record.events > 30, 20)
    window.wait_for("Esc stops")


@pytest.mark.parametrize("name", ["TERM", "HUP", "QUIT", "INT"])
def test_a_signal_keeps_the_turn_and_leaves_the_terminal_sane(
    program: Program, slow: SandboxServer, tmp_path: Path, name: str
) -> None:
    program.base_url = f"http://127.0.0.1:{slow.port}/openai/v1"
    number = signal.Signals[f"SIG{name}"]
    with terminal(tmp_path / "t", OUTCROP, program.environ(), cwd=program.cwd) as window:
        answering(window, slow)
        os.kill(window.pid, number)
        assert window.status() == 128 + number
        window.check_sane()
    (turn,) = program.conversation()["turns"]
    assert turn["outcome"] == "cancelled" and turn["text"]


def test_a_terminal_that_is_closed_ends_the_program_and_keeps_the_turn(
    program: Program, slow: SandboxServer, tmp_path: Path
) -> None:
    program.base_url = f"http://127.0.0.1:{slow.port}/openai/v1"
    for number, ignored in enumerate(("", "trap '' HUP; ")):
        command = ["sh", "-c", f'{ignored}exec "$@"', "sh", *OUTCROP]
        with terminal(tmp_path / str(number), command, program.environ(), cwd=program.cwd) as window:
            answering(window, slow)
            pid = window.pid
            slow.log.clear()
            window.tmux("kill-server")
            until(lambda pid=pid: not is_alive(pid), "the program's end", 15)
    for row in program.history("list"):
        (turn,) = program.history("show", row["id"])["turns"]
        assert turn["outcome"] == "cancelled" and turn["text"]


def test_an_error_nobody_thought_of_is_a_sentence_and_a_private_file(
    program: Program, slow: SandboxServer, tmp_path: Path
) -> None:
    program.base_url = f"http://127.0.0.1:{slow.port}/openai/v1"
    program.token = TOKEN
    reports = program.data / "crashes"
    command = [sys.executable, "-c", FAILING]
    with terminal(
        tmp_path / "t", command, program.environ(), cwd=program.cwd, columns=120, rows=40
    ) as window:
        answering(window, slow)
        window.press("F1")
        window.wait_for("Something in a thread")
        window.press("F9")
        window.wait_for("Something in this program", "Esc stops")
        window.press("C-q")
        assert window.status() == 1
        window.check_sane()
        last = window.wait_for("Something in the program went wrong (ValueError)")
        assert "Traceback" not in last and "crash-" in "".join(last.split())
        assert TOKEN not in "".join(window.seen) and "value of a variable" not in "".join(window.seen)
    files = sorted(reports.glob("crash-*.txt"))
    assert len(files) == 3
    for file in files:
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
        text = file.read_text()
        assert "ValueError: broken in" in text and "in fail" in text
        assert TOKEN not in text and "value of a variable" not in text and str(program.home) not in text
    assert stat.S_IMODE(reports.stat().st_mode) == 0o700
    (turn,) = program.conversation()["turns"]
    assert turn["outcome"] in ("cancelled", "failed") and turn["text"]


def test_ctrl_z_and_fg(program: Program, slow: SandboxServer, tmp_path: Path) -> None:
    program.base_url = f"http://127.0.0.1:{slow.port}/openai/v1"
    shell = ["bash", "--norc", "--noprofile", "-i"]
    environ = {**program.environ(), "PS1": "shell> "}
    with terminal(tmp_path / "t", shell, environ, cwd=program.cwd, columns=90, rows=24) as window:
        window.wait_for("shell>")
        window.type(" ".join(OUTCROP))
        window.press("Enter")
        window.wait_for("Message", "stateful")
        window.type("draft")
        window.wait_for("draft")
        # There is something to undo: that is what the key does in a text.
        window.press("C-z")
        window.wait_until_gone("draft")
        window.press("C-z")
        window.wait_for("shell>", "Stopped")
        assert window.flags() == "mouse=0 alt=0 cursor=1"
        window.type("fg")
        window.press("Enter")
        window.wait_for("Message", "stateful")
        window.type("Reply with exactly: back again")
        window.press("Enter")
        until(lambda: window.screen.count("back again") >= 2, "the answer")
        window.press("C-q")
        window.wait_for("shell>")
        window.type("echo ended=$?")
        window.press("Enter")
        window.wait_for("ended=0")


def test_a_terminal_that_takes_nobody_is_said_and_ends_the_program(program: Program) -> None:
    """In the background of a terminal whose shell has gone nothing could be drawn, and nobody could know."""
    code = """
import os, subprocess, sys, time
report, *command = sys.argv[1:]
if os.fork():
    os.wait()
    while not os.path.exists(report + "/status"):
        time.sleep(0.02)
    os._exit(0)
os.setpgid(0, 0)
between = os.getpid()
if os.fork():
    os._exit(0)
while os.getppid() == between:
    time.sleep(0.01)
done = subprocess.run(command, stderr=subprocess.PIPE)
open(report + "/said", "wb").write(done.stderr)
open(report + "/status", "w").write(str(done.returncode))
"""
    ours, theirs = pty.openpty()
    leader = [sys.executable, "-c", code, str(program.tmp), *OUTCROP]
    with subprocess.Popen(
        ["setsid", "--ctty", *leader],
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        env=program.environ(),
        cwd=program.cwd,
    ) as process:
        os.close(theirs)
        assert process.wait(60) == 0
    os.close(ours)
    assert (program.tmp / "status").read_text() == "2"
    (line,) = (program.tmp / "said").read_text().splitlines()
    assert line.startswith("outcrop: The terminal does not take the TUI")


def test_the_program_is_drawn_although_its_errors_go_to_a_file(program: Program, tmp_path: Path) -> None:
    command = ["sh", "-c", f'exec "$@" 2>{tmp_path / "errors"}', "sh", *OUTCROP]
    with terminal(tmp_path / "t", command, program.environ(), cwd=program.cwd) as window:
        window.wait_for("Message", "stateful")
        window.press("C-q")
        assert window.status() == 0
        window.check_sane()
    assert (tmp_path / "errors").read_bytes() == b""
