"""Copying in a real terminal: what tmux has in its clipboard afterwards; and the mouse left alone."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from support.programs import OUTCROP, Program, until
from support.terminal import Terminal, have_tmux, terminal

from tui.sandbox.server import SandboxServer

pytestmark = pytest.mark.skipif(not have_tmux(), reason="tmux is not installed")


@pytest.fixture
def quick(tmp_path: Path) -> Iterator[SandboxServer]:
    with SandboxServer(tmp_path / "quick", rate=2000) as server:
        yield server


def clipboard(window: Terminal, holds: str) -> str:
    """tmux's buffer, once it holds this."""

    def now() -> str:
        buffers = window.tmux("list-buffers", "-F", "#{buffer_name}")
        text = window.tmux("show-buffer") if buffers.strip() else ""
        return text if holds in text else ""

    return until(now, f"{holds!r} in tmux's clipboard", 30)


@pytest.mark.parametrize("by_tmux", [True, False])
def test_an_answer_is_copied(program: Program, quick: SandboxServer, tmp_path: Path, by_tmux: bool) -> None:
    program.base_url = f"http://127.0.0.1:{quick.port}/openai/v1"
    environ = program.environ()
    command = [*OUTCROP, "--no-mouse"]
    if not by_tmux:
        # Without the tool there is only the sequence, as it is for a tmux that is not on PATH.
        command = ["env", "PATH=/nonexistent", *command]
    with terminal(tmp_path / "t", command, environ, cwd=program.cwd) as window:
        window.tmux("set", "-s", "set-clipboard", "on")
        window.wait_for("Message", "openai.gpt-5.4")
        assert window.flags().startswith("mouse=0 alt=1"), "the mouse is the terminal's own"
        window.type("My name is Ada.")
        window.press("Enter")
        quick.log.wait_for(lambda record: record.ended == "finished", 30)
        window.wait_for("in ·", "out")
        window.type("/copy 1")
        window.press("Enter")
        window.wait_for("Copied the answer", "tmux." if by_tmux else "OSC 52")
        assert "What I can see" in clipboard(window, "What I can see")
        window.press("F6")
        window.wait_for("READ", "Turn 1 of 1")
        window.press("v", "y")
        window.wait_for("Copied 1 character")
        window.press("Escape", "C-Up", "v", "$", "y")
        assert clipboard(window, "You") == "You"
