"""`outcrop --plain`: by lines, over a pipe and in a terminal that can do nothing."""

from __future__ import annotations

import os
import pty
import re
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest
from support.pdfs import make_pdf
from support.programs import OUTCROP, Program, until
from support.terminal import have_tmux, terminal

from tui.sandbox.server import SandboxServer


def lines(*typed: str) -> bytes:
    return "".join(line + "\n" for line in typed).encode()


def test_a_conversation_over_a_pipe(program: Program, server: SandboxServer, tmp_path: Path) -> None:
    pdf = tmp_path / "order form.pdf"
    pdf.write_bytes(make_pdf("The basalt sample weighs 812 grams."))
    finished = program.run(
        "--plain",
        stdin=lines(
            "My name is Ada.",
            "/stateless",
            f"/attach {pdf}",
            "What is my name, \\",
            "and how heavy is the basalt sample?",
            "/turns",
            "/fork 1",
            "Reply with exactly: forked",
            "/turns",
            "/branch",
            "/regenerate 9",
            "/inspect",
            "/effrot high",
            "/theme",
            "/rename Ada's stone",
            "/export pdf talk.pdf",
            "/export markdown talk.md",
            "/export markdown talk.md",
            "/new",
            "/history Ada",
            "/open 1",
            "/read 2",
        ),
    )
    assert (finished.status, finished.err) == (0, "")
    out = finished.out
    assert "You: My name is Ada.\nAnswer:\n" in out
    assert re.search(r"\nEnd of answer: [\d,]+ tokens?, \d+\.\d s\.\nYou: /stateless\nNext: model ", out)
    assert "Attached: 1. order form.pdf: 1 page, " in out
    assert "More: and how heavy" in out
    assert "812 grams" in out
    assert "2. Reply with exactly: forked: completed, 1 word, branch 2 of 2." in out
    assert "Branch 1 of 2." in out
    assert "There is no turn 9; this path has 2." in out
    assert "Request 3, attempt 1: POST http://127.0.0.1" in out
    assert "There is no command /effrot; nothing was sent. Did you mean /effort?" in out
    assert "/theme needs the full screen" in out
    assert "strands: Strands agent\n" in out and "Say a form and a file, e.g." in out
    assert "Written, for you alone to read: talk.md" in out and "talk.md is there already." in out
    assert "New conversation." in out
    assert "1. Ada's stone, 3 turns, " in out
    assert "Conversation: Ada's stone, 2 turns." in out
    assert "You said:\nWhat is my name, \nand how heavy" in out
    assert not re.search("[\x1b\r\u2500-\u259f]", out), "no escape, no box"
    second = server.log[1].json["input"]
    assert [part["type"] for part in second[-1]["content"]] == ["input_file", "input_text"]
    assert "previous_response_id" not in server.log[1].json


def test_the_status_over_a_pipe_is_that_of_the_last_turn(program: Program, server: SandboxServer) -> None:
    server.fault({"status": 400, "body": {"error": {"message": "no \x1b[31mway", "type": "x"}}})
    finished = program.run("--plain", stdin=lines("hello"))
    assert finished.status == 1
    assert "Answer failed: " in finished.out
    assert "\x1b" not in finished.out
    finished = program.run("--plain", stdin=lines("hello"), AWS_BEARER_TOKEN_BEDROCK=None)
    assert finished.status == 3
    assert "Nothing was sent. The message is kept as the draft; /send sends it." in finished.out
    again = program.run("--plain", stdin=lines("/send"))
    assert again.status == 0
    assert "There is a draft; /send sends it: hello" in again.out
    assert server.log[-1].json["input"][-1]["content"] == "hello"


class Typist:
    """A dumb terminal: what is typed, and every byte that is written."""

    def __init__(self, master: int, process: subprocess.Popen[bytes]) -> None:
        self.master = master
        self.process = process
        self.written = b""

    def type(self, text: str) -> None:
        os.write(self.master, text.encode())

    def wait_for(self, text: str, timeout: float = 30.0) -> str:
        os.set_blocking(self.master, False)

        def found() -> bool:
            with suppress(OSError):
                self.written += os.read(self.master, 65536)
            return text.encode() in self.written

        try:
            until(found, text, timeout)
        except AssertionError:
            raise AssertionError(f"not within {timeout} s: {text}\n{self.written.decode()}") from None
        return self.written.decode()


@contextmanager
def dumb(program: Program, *arguments: str) -> Iterator[Typist]:
    master, slave = pty.openpty()
    with subprocess.Popen(
        [*OUTCROP, "--plain", *arguments],
        stdin=slave,
        stdout=slave,
        stderr=slave,
        env=program.environ(TERM="dumb"),
        cwd=program.cwd,
        start_new_session=True,
        preexec_fn=_take_terminal,
    ) as process:
        os.close(slave)
        try:
            yield Typist(master, process)
        finally:
            if process.poll() is None:
                process.send_signal(signal.SIGKILL)
            os.close(master)


def _take_terminal() -> None:
    import fcntl
    import termios

    # Ctrl+C is a signal only in the terminal that controls the process.
    fcntl.ioctl(0, termios.TIOCSCTTY, 0)


def test_a_dumb_terminal_gets_lines_and_ctrl_c_stops_an_answer(program: Program, slow: SandboxServer) -> None:
    program.base_url = f"http://127.0.0.1:{slow.port}/openai/v1"
    with dumb(program) as window:
        window.wait_for("You: ")
        window.type("Reply with exactly: a\nb\n")
        window.wait_for("End of answer: ")
        assert slow.log[-1].json["input"][-1]["content"] == "Reply with exactly: a\nb", "pasted together"
        window.type("Write 4000 words about granite\n")
        slow.log.wait_for(lambda record: record.events > 60, 15)
        window.type("\x03")
        window.wait_for("Answer stopped, what came is kept: ")
        slow.log.wait_for(lambda record: record.ended == "disconnected", 5)
        slow.fault({"status": 429, "headers": {"retry-after": "11"}})
        window.type("/regenerate\n")
        window.wait_for("Trying again in 11.0 s, attempt 2; Ctrl+C stops.")
        window.wait_for("10 s left.")
        window.type("\x03")
        window.wait_for("Answer stopped, nothing had come: ")
        window.type("/branch\n")
        window.type("/turns\n")
        window.wait_for("2. Write 4000 words about granite: cancelled, ")
        window.type("\x03")
        window.wait_for("Ctrl+C again leaves.")
        window.type("\x03")
        assert window.process.wait(20) == 130
        out = window.wait_for("leaves")
    assert not re.search("[\x1b\b\u2500-\u259f]", out), "no escape, no backspace, no box"
    assert not re.search("\r(?!\n)", out.replace("\r\r\n", "\r\n")), "no line is written twice"
    turns = program.conversation()["turns"]
    assert [turn["outcome"] for turn in turns] == ["completed", "cancelled"]
    assert turns[1]["text"].split()[:5] == out.split("Answer:")[2].split()[:5]


def test_a_signal_and_a_kill_keep_what_came(program: Program, slow: SandboxServer) -> None:
    program.base_url = f"http://127.0.0.1:{slow.port}/openai/v1"
    ends = ((signal.SIGTERM, 143, "cancelled"), (signal.SIGKILL, -signal.SIGKILL, "failed"))
    for number, status, outcome in ends:
        slow.log.clear()
        with dumb(program) as window:
            window.wait_for("You: ")
            window.type("Write 4000 words about granite\n")
            slow.log.wait_for(lambda record: record.events > 90, 15)
            window.process.send_signal(number)
            assert window.process.wait(20) == status
        (turn,) = program.conversation()["turns"]
        assert turn["outcome"] == outcome
        assert turn["text"]


def test_a_draft_comes_back(program: Program, slow: SandboxServer) -> None:
    program.base_url = f"http://127.0.0.1:{slow.port}/openai/v1"
    with dumb(program) as window:
        window.wait_for("You: ")
        window.type("half a thought \\\n")
        window.wait_for("More: ")
        until(lambda: program.data.joinpath("history.db").exists(), "the draft on disk")
        window.type("\x04")
        assert window.process.wait(20) == 0
    with dumb(program) as window:
        window.wait_for("There is a draft; /send sends it: half a thought")
        window.type("/quit\n")
        assert window.process.wait(20) == 0


def test_who_quits_is_asked_where_what_was_said_would_be_lost(program: Program) -> None:
    program.data.mkdir(parents=True, exist_ok=True)
    (program.data / "history.db").write_bytes(b"this is no history" * 99)
    with dumb(program) as window:
        window.wait_for("You: ")
        window.type("/quit\n")  # nothing was said yet
        assert window.process.wait(20) == 0
    with dumb(program) as window:
        window.wait_for("You: ")
        window.type("Reply with exactly: one\n")
        window.wait_for("End of answer")
        window.type("/quit\n")
        window.wait_for("Leave all the same? Type yes or no: ")
        window.type("no\n")
        window.type("Reply with exactly: two\n")
        window.wait_for("two")
        window.type("/quit\n")
        window.type("yes\n")
        assert window.process.wait(20) == 0


@pytest.mark.skipif(not have_tmux(), reason="tmux is not installed")
def test_in_a_real_terminal_it_stays_on_the_normal_screen(program: Program, tmp_path: Path) -> None:
    with terminal(tmp_path / "t", [*OUTCROP, "--plain"], program.environ(), cwd=program.cwd) as window:
        window.wait_for("You:")
        assert window.flags() == "mouse=0 alt=0 cursor=1"
        window.type("Reply with exactly: hi")
        window.press("Enter")
        window.wait_for("End of answer: 1 token, ")
        window.press("C-d")
        assert window.status() == 0
        words = re.findall(r"-?\w+", window.tty())
        assert {"echo", "icanon", "isig", "opost"} <= set(words)


def test_json_is_read_when_it_is_whole(program: Program, server: SandboxServer) -> None:
    server.fault({"answer": '{"name": "Ada", "age": "old"}'})
    finished = program.run(
        "--plain",
        stdin=lines(
            "/schema name, age int",
            "Who?",
            "/schema",
            '/schema {"type": "object", "properties": {"a": {"type": "string"}}}',
            "yes",
            "/schema off",
        ),
    )
    assert (finished.status, finished.err) == (0, "")
    out = finished.out
    assert "Answers are answer from the next turn on." in out
    assert 'Answer, JSON:\n{\n  "name": "Ada",\n  "age": "old"\n}\n' in out
    assert "Not valid: $.age: this is not of type 'integer'." in out
    assert "Answers: answer. There are: json, off." in out
    assert "Breaks a strict rule: $.properties.a: is not in required" in out
    assert "Mend it?" in out
    assert "Answers are prose from the next turn on." in out
