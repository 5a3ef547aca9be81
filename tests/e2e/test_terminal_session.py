"""The TUI in a real terminal, small and large: the main job by keys, and a sane terminal afterwards."""

from __future__ import annotations

from pathlib import Path

import pytest
from support.pdfs import make_pdf
from support.programs import OUTCROP, Program
from support.terminal import have_tmux, terminal

from tui.sandbox.server import SandboxServer

pytestmark = pytest.mark.skipif(not have_tmux(), reason="tmux is not installed")

SIZES = [(80, 24), (160, 48)]


@pytest.mark.parametrize(("columns", "rows"), SIZES)
def test_the_main_job(program: Program, slow: SandboxServer, tmp_path: Path, columns: int, rows: int) -> None:
    program.base_url = f"http://127.0.0.1:{slow.port}/openai/v1"
    pdf = tmp_path / "order form.pdf"
    pdf.write_bytes(make_pdf("The basalt sample weighs 812 grams."))
    with terminal(
        tmp_path / "t", OUTCROP, program.environ(), cwd=program.cwd, columns=columns, rows=rows
    ) as window:
        window.wait_for("Message", "openai.gpt-5.4", "stateful")
        window.type("My name is Ada.")
        window.wait_for("My name is Ada.")
        window.press("Enter")
        window.wait_for("What I can see", timeout=30)
        first = slow.log.wait_for(lambda record: record.ended == "finished")
        assert first.json["input"] == [{"role": "user", "content": "My name is Ada."}]

        window.press("C-t")
        window.wait_for("stateless")
        window.type("What is my name?")
        window.press("Enter")
        slow.log.wait_for(lambda record: record is not first and record.ended == "finished", 15)
        assert "previous_response_id" not in slow.log[-1].json
        assert "Ada" in slow.log[-1].sent.decode()

        window.paste(str(pdf))
        window.wait_for("order form.pdf", "1 page")
        window.type("How heavy is the basalt sample?")
        window.press("Enter")
        window.wait_for("812 grams", timeout=15)
        last = slow.log[-1]
        slow.log.wait_for(lambda record: record is last and record.ended == "finished", 10)
        content = last.json["input"][-1]["content"]
        assert [part["type"] for part in content] == ["input_file", "input_text"]
        assert content[0]["filename"] == "order form.pdf"

        window.type("Write 4000 words about granite")
        window.press("Enter")
        long = slow.log.wait_for(lambda record: b"4000 words" in record.body and record.events > 40, 15)
        assert long.ended == ""
        window.press("Escape")
        slow.log.wait_for(lambda record: record is long and record.ended == "disconnected", 5)
        window.wait_for("stopped")

        window.press("F12")
        window.wait_for("Shape", "Stream")
        window.press("F12")
        window.wait_until_gone("3 Stream")
        window.press("C-q")
        assert window.status() == 0
        window.check_sane()
    turns = program.conversation()["turns"]
    assert [turn["outcome"] for turn in turns] == ["completed"] * 3 + ["cancelled"]
    assert [turn["continuation"] for turn in turns] == ["stateful"] + ["stateless"] * 3
    assert turns[-1]["text"]


def test_quitting_while_an_answer_arrives_asks_once_and_keeps_it(
    program: Program, slow: SandboxServer, tmp_path: Path
) -> None:
    program.base_url = f"http://127.0.0.1:{slow.port}/openai/v1"
    with terminal(tmp_path / "t", OUTCROP, program.environ(), cwd=program.cwd) as window:
        window.wait_for("Message")
        window.type("Write 4000 words")
        window.press("Enter")
        slow.log.wait_for(lambda record: record.events > 20, 15)
        window.press("C-q")
        window.wait_for("still arriving")
        window.press("C-q")
        assert window.status() == 0
        window.check_sane()
    slow.log.wait_for(lambda record: record.ended == "disconnected", 5)
    (turn,) = program.conversation()["turns"]
    assert turn["outcome"] == "cancelled"
    assert turn["text"]


def test_ctrl_c_twice_leaves_and_a_draft_comes_back(program: Program, tmp_path: Path) -> None:
    with terminal(tmp_path / "a", OUTCROP, program.environ(), cwd=program.cwd) as window:
        window.wait_for("Message", "key: environment")
        window.type("half a thought")
        window.wait_for("half a thought")
        window.press("C-q")
        assert window.status() == 0
    with terminal(tmp_path / "b", OUTCROP, program.environ(), cwd=program.cwd) as window:
        window.wait_for("half a thought")
        window.press("C-c")
        window.wait_for("Message")
        window.press("C-c")
        window.wait_for("again to quit")
        window.press("C-c")
        assert window.status() == 0
        window.check_sane()


def test_a_bad_setting_is_said_in_the_shell_not_on_a_screen(program: Program, tmp_path: Path) -> None:
    (program.config / "config.toml").write_text('modle = "x"\n')
    with terminal(tmp_path / "t", OUTCROP, program.environ(), cwd=program.cwd) as window:
        assert window.status() == 2
        window.wait_for("outcrop: ", "'modle'")
        window.check_sane()


def test_a_terminal_that_is_dumb_is_told_what_works(program: Program, tmp_path: Path) -> None:
    command = ["env", "TERM=dumb", *OUTCROP]
    with terminal(tmp_path / "t", command, program.environ(), cwd=program.cwd) as window:
        assert window.status() == 2
        window.wait_for("outcrop ask")
        window.check_sane()
