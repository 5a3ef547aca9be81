"""The same ten turns over each API beside Responses: by keys in a real terminal, and by `outcrop ask`."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from support.programs import OUTCROP, Program, until
from support.terminal import Terminal, have_tmux, terminal

MODEL = "openai.gpt-oss-20b-1:0"
APIS = {"chat_completions": "Chat Completions", "converse": "Converse", "invoke_model": "InvokeModel"}
NAME = "Your name is Ada"
# Only the first has the name: an answer that shows it has it from turn 1. No prompt is like another, as the
# sandbox may quote a like one for an answer.
TURNS = (
    ("My name is Ada. Reply with exactly: Hello.", "Hello."),
    ("What is my name?", NAME),
    ("Reply with exactly: granite", "granite"),
    ("Who am I?", NAME),
    ("What am I called?", NAME),
    ("Reply with exactly: slate", "slate"),
    ("Can you still say my name?", NAME),
    ("Reply with exactly: flint", "flint"),
    ("And what is my name?", NAME),
    ("Tell me my name once more.", NAME),
)


def ask(window: Terminal, prompt: str, shows: str) -> None:
    """Send a prompt and wait until its answer has ended."""
    window.type(prompt)
    window.wait_for(prompt)
    window.press("Enter")

    def answered() -> bool:
        _, found, after = window.screen.rpartition(f"▌ {prompt}")
        return bool(found) and shows in after and "Message openai" in after and "Esc stops" not in after

    until(answered, f"{shows!r} after {prompt!r}", 20, 0.05)


@pytest.fixture
def runtime(program: Program) -> Program:
    """The program with the sandbox's runtime endpoint as a base URL of its own: no pace is kept there."""
    return replace(program, base_url=program.base_url.replace("/openai/v1", "/runtime/openai/v1"))


@pytest.mark.skipif(not have_tmux(), reason="tmux is not installed")
@pytest.mark.parametrize("api", APIS)
def test_ten_turns_by_keys_over(api: str, runtime: Program, tmp_path: Path) -> None:
    command = [*OUTCROP, "--api", api, "--model", MODEL]
    folder = tmp_path / "t"
    with terminal(folder, command, runtime.environ(), cwd=runtime.cwd, columns=110, rows=40) as window:
        window.wait_for(f"Message {MODEL}", APIS[api], "stateless")
        for prompt, shows in TURNS:
            ask(window, prompt, shows)
        assert "<reasoning>" not in window.screen
        window.press("C-q")
        assert window.status() == 0
    (row,) = runtime.history("list")
    turns = runtime.history("show", row["id"])["turns"]
    assert [turn["prompt"] for turn in turns] == [prompt for prompt, _ in TURNS]
    for turn, (_, shows) in zip(turns, TURNS, strict=True):
        assert (turn["model"], turn["continuation"], turn["outcome"]) == (MODEL, "stateless", "completed")
        assert shows in turn["text"].replace("**", "")


@pytest.mark.parametrize("api", APIS)
def test_ten_turns_by_ask_over(api: str, runtime: Program) -> None:
    flags: tuple[str, ...] = ("--api", api, "--model", MODEL)
    for prompt, shows in TURNS:
        ended = runtime.run("ask", "--json", *flags, prompt).ended
        assert (ended["outcome"], ended["continuation"], ended["error"]) == ("completed", "stateless", None)
        assert shows in ended["text"].replace("**", "")
        flags = ("--conversation", ended["conversation"])
    assert len(runtime.history("show", ended["conversation"])["turns"]) == len(TURNS)
