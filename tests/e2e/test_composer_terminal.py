"""The composer in a real terminal: kill -9 with a paste and files in it, and the user's editor."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest
from support.pdfs import make_pdf
from support.pictures import png
from support.programs import OUTCROP, Program, until
from support.terminal import have_tmux, terminal

from tui.sandbox.server import SandboxServer

pytestmark = pytest.mark.skipif(not have_tmux(), reason="tmux is not installed")
LONG = "\n".join(f"layer {number}" for number in range(40))


def test_a_killed_program_brings_back_the_prompt_its_paste_and_its_files(
    program: Program, sandbox: SandboxServer, tmp_path: Path
) -> None:
    program.base_url = f"http://127.0.0.1:{sandbox.port}/openai/v1"
    document, picture = program.cwd / "my survey.pdf", program.cwd / "map.png"
    document.write_bytes(make_pdf("Granite", "Basalt"))
    picture.write_bytes(png(640, 480))
    with terminal(tmp_path / "a", OUTCROP, program.environ(), cwd=program.cwd, columns=110) as window:
        window.wait_for("Message", "stateful")
        window.paste(f"file://{str(document).replace(' ', '%20')}")
        window.wait_for("my survey.pdf", "2 pages")
        window.paste(f"'{picture}'")
        window.wait_for("map.png", "640 × 480")
        window.type("What says ")
        window.paste(LONG)
        window.wait_for("What says ①", "40 lines")
        window.type(" of it?")
        window.wait_for("① of it?")
        # Saved as it is typed: a moment after the last key all of it is on disk.
        until(lambda: b"of it?" in _history(program), "the draft on disk")
        os.kill(window.pid, signal.SIGKILL)
        assert window.status() == 128 + signal.SIGKILL
    document.unlink()
    with terminal(tmp_path / "b", OUTCROP, program.environ(), cwd=program.cwd, columns=110) as window:
        window.wait_for("What says ① of it?", "40 lines", "my survey.pdf", "2 pages", "map.png")
        window.press("Enter")
        served = sandbox.log.wait_for(
            lambda record: record.path.endswith("/responses") and bool(record.ended), timeout=10
        )
        sent = served.json["input"][0]["content"]
        assert [part["type"] for part in sent] == ["input_file", "input_image", "input_text"]
        assert sent[2]["text"] == f"What says {LONG} of it?"
        window.wait_until_gone("40 lines")
        window.press("C-q")
        window.press("C-q")
        window.status()


def _history(program: Program) -> bytes:
    """The database's bytes, with what is in its log still."""
    return b"".join(file.read_bytes() for file in program.data.glob("history.db*"))


def test_the_users_editor_gets_the_terminal_and_gives_it_back(
    program: Program, sandbox: SandboxServer, tmp_path: Path
) -> None:
    program.base_url = f"http://127.0.0.1:{sandbox.port}/openai/v1"
    editor = tmp_path / "my editor"
    editor.write_text(
        '#!/bin/sh\necho "EDITING $1"; cat "$2"; read answer </dev/tty; echo "typed: $answer" >>"$2"\n'
    )
    editor.chmod(0o755)
    environ = {**program.environ(), "VISUAL": f"'{editor}' --wait"}
    with terminal(tmp_path / "t", OUTCROP, environ, cwd=program.cwd) as window:
        window.wait_for("Message", "stateful")
        window.type("half a prompt")
        window.wait_for("half a prompt")
        window.press("M-e")
        window.wait_for("EDITING --wait", "half a prompt")
        assert "alt=0" in window.flags()
        window.type("from outside")
        window.press("Enter")
        window.wait_for("half a prompttyped: from outside", "stateful")
        assert "alt=1" in window.flags()
        # The keys are the program's again.
        window.type(" again")
        window.wait_for("from outside again")
        window.press("C-q")
        assert window.status() == 0
