"""`outcrop ask` where it works: what is sent, what is printed, how conversations go on."""

from __future__ import annotations

import subprocess
from base64 import b64encode
from pathlib import Path
from typing import Any

import pytest
from support.openai_schemas import validate
from support.pdfs import make_pdf
from support.programs import ENDED_KEYS, OUTCROP, Program

from tui.sandbox.server import SandboxServer

USAGE = [
    "input_tokens", "cached_tokens", "cache_write_tokens", "output_tokens", "reasoning_tokens",
    "total_tokens",
]  # fmt: skip
TYPES = {
    "turn.started", "attempt.started", "text.delta", "reasoning.delta", "item.done", "attempt.ended",
    "retry.waiting", "notice", "silence", "turn.ended",
}  # fmt: skip


def bodies(server: SandboxServer) -> list[dict[str, Any]]:
    sent = [record.json for record in server.log if record.method == "POST"]
    for body in sent:
        validate("CreateResponse", body)
    return sent


def prompts(server: SandboxServer) -> list[str]:
    return [body["input"][-1]["content"] for body in bodies(server)]


def test_the_prompt_is_an_argument_or_piped_or_both(program: Program, server: SandboxServer) -> None:
    words = "Reply with exactly: ok"
    for arguments, stdin in (
        ([words], None),
        (["-"], words.encode()),
        ([], words.encode() + b"\n"),
        (["About this:"], b"Reply with exactly: ok\n"),
        (["-"], "Reply with exactly: Ünïcödé 日本 🙂".encode()),
    ):
        finished = program.ask(*arguments, stdin=stdin)
        assert (finished.status, finished.err) == (0, ""), finished
        assert finished.out == ("Ünïcödé 日本 🙂" if stdin and b"\xf0" in stdin else "ok")
    assert prompts(server) == [
        words,
        words,
        words,
        "About this:\n\nReply with exactly: ok",
        "Reply with exactly: Ünïcödé 日本 🙂",
    ]


def test_a_file_as_standard_input_is_a_prompt(
    program: Program, server: SandboxServer, tmp_path: Path
) -> None:
    path = tmp_path / "prompt.txt"
    path.write_text("Reply with exactly: ok")
    with path.open("rb") as file, program.running("ask", stdin=file) as process:
        out, err = process.communicate(timeout=30)
    assert (process.returncode, out, err) == (0, b"ok", b"")


def test_json_lines(program: Program, server: SandboxServer) -> None:
    finished = program.ask("--json", "Write a table of 200 words")
    assert (finished.status, finished.err) == (0, "")
    rows = finished.rows
    assert {row["type"] for row in rows} <= TYPES
    assert [row["type"] for row in rows[:2]] == ["turn.started", "attempt.started"]
    ended = finished.ended
    assert list(ended) == ENDED_KEYS
    assert list(ended["usage"]) == USAGE
    text = "".join(row["delta"] for row in rows if row["type"] == "text.delta")
    assert ended["text"] == text
    # How many there are depends on how fast they come: those that wait together are handed on together.
    assert len([row for row in rows if row["type"] == "text.delta"]) > 1
    served = server.log[-1]
    assert ended["outcome"] == "completed"
    assert ended["model"] == "openai.gpt-5.4"
    assert ended["region"] == "us-west-2"
    assert ended["continuation"] == "stateful"
    assert ended["response_id"].startswith("resp_")
    assert ended["request_id"] == served.request_id
    assert ended["error"] is None
    # What this server does not tell is unknown, what it tells as nothing is nothing.
    assert ended["usage"]["cache_write_tokens"] is None
    assert ended["usage"]["cached_tokens"] == 0
    assert ended["usage"]["total_tokens"] == ended["usage"]["input_tokens"] + ended["usage"]["output_tokens"]
    assert program.conversation()["id"] == ended["conversation"]
    attempt = next(row for row in rows if row["type"] == "attempt.ended")
    assert (attempt["status"], attempt["outcome"], attempt["attempt"]) == (200, "completed", 1)


def test_usage_that_is_not_reported_is_null(program: Program, server: SandboxServer) -> None:
    server.fault({"no_usage": True})
    finished = program.ask("--json", "Reply with exactly: hi")
    assert finished.status == 0
    assert finished.ended["usage"] is None
    assert finished.ended["outcome"] == "completed"


def test_a_reasoning_model_and_the_stateless_mode(program: Program, server: SandboxServer) -> None:
    finished = program.ask("--json", "--stateless", "--model", "openai.gpt-6-astra", "Reply with exactly: hi")
    assert finished.status == 0
    ended = finished.ended
    assert (ended["model"], ended["continuation"]) == ("openai.gpt-6-astra", "stateless")
    (body,) = bodies(server)
    assert body["store"] is False
    assert body["model"] == "openai.gpt-6-astra"


def test_going_on(program: Program, server: SandboxServer) -> None:
    first = program.ask("--json", "My name is Ada.").ended
    other = program.ask("--json", "My name is Grace.").ended
    assert first["conversation"] != other["conversation"]
    named = program.ask("--json", "--conversation", first["conversation"], "What is my name?").ended
    assert "Ada" in named["text"]
    assert named["conversation"] == first["conversation"]
    # -c takes the one last used, and a mode given as a flag holds from here on.
    latest = program.ask("--json", "-c", "--stateless", "What is my name?").ended
    assert "Ada" in latest["text"]
    assert latest["conversation"] == first["conversation"]
    assert latest["continuation"] == "stateless"
    sent = bodies(server)
    assert sent[2]["previous_response_id"] == first["response_id"]
    assert sent[2]["input"] == [{"role": "user", "content": "What is my name?"}]
    assert "previous_response_id" not in sent[3]
    assert sent[3]["input"][0] == {"role": "user", "content": "My name is Ada."}
    assert len(program.history("show", first["conversation"])["turns"]) == 3
    # The sandbox has no conversation to continue, so it begins one; and it does not open the service's.
    crossed = program.run("ask", "--sandbox", "-c", "--json", "What is my name?").ended
    assert crossed["outcome"] == "completed"
    assert crossed["conversation"] not in (first["conversation"], other["conversation"])
    assert "Ada" not in crossed["text"]
    assert "sandbox, not a model" in crossed["text"]
    refused = program.ask("--sandbox", "--conversation", first["conversation"], "Hello")
    assert refused.status == 2
    assert "held with the service" in refused.sentence()
    # The newest is the sandbox's by now; -c without --sandbox goes past it.
    back = program.ask("--json", "-c", "What is my name?").ended
    assert back["conversation"] == first["conversation"]
    assert {row["id"]: row["sandbox"] for row in program.history("list")} == {
        first["conversation"]: False,
        other["conversation"]: False,
        crossed["conversation"]: True,
    }


def test_the_embedded_sandbox_continues_a_chain_and_reads_no_real_token(program: Program) -> None:
    program.token = "bedrock-api-key-this-is-not-one"
    one = program.ask("--sandbox", "--json", "My name is Ada.")
    two = program.ask("--sandbox", "--json", "-c", "What is my name?")
    assert (one.status, two.status) == (0, 0)
    assert "Ada" in two.ended["text"]
    assert two.ended["conversation"] == one.ended["conversation"]


def test_pdfs_are_attached_in_order_and_whole(
    program: Program, server: SandboxServer, tmp_path: Path
) -> None:
    one, two = make_pdf("The basalt sample weighs 812 grams."), make_pdf("A second survey", "Page two")
    (tmp_path / "first file.pdf").write_bytes(one)
    (program.cwd / "zweite Prüfung.pdf").write_bytes(two)
    finished = program.ask(
        "-f",
        str(tmp_path / "first file.pdf"),
        "--file",
        "zweite Prüfung.pdf",
        "How heavy is the basalt sample?",
    )
    assert (finished.status, finished.err) == (0, "")
    assert "812 grams" in finished.out
    (body,) = bodies(server)
    *files, text = body["input"][0]["content"]
    assert [file["filename"] for file in files] == ["first file.pdf", "zweite Prüfung.pdf"]
    assert [file["file_data"] for file in files] == [data_url(one), data_url(two)]
    assert text == {"type": "input_text", "text": "How heavy is the basalt sample?"}


def data_url(data: bytes) -> str:
    return "data:application/pdf;base64," + b64encode(data).decode()


def test_a_file_is_enough_and_goes_with_what_is_piped_in(
    program: Program, server: SandboxServer, tmp_path: Path
) -> None:
    path = tmp_path / "a.pdf"
    path.write_bytes(make_pdf("The basalt sample weighs 812 grams."))
    alone = program.ask("-f", str(path))
    piped = program.ask("-f", str(path), stdin=b"How heavy is the basalt sample?")
    assert (alone.status, piped.status) == (0, 0)
    assert "812 grams" in piped.out
    assert [[part["type"] for part in body["input"][0]["content"]] for body in bodies(server)] == [
        ["input_file"],
        ["input_file", "input_text"],
    ]


@pytest.mark.parametrize("more", [{"NO_COLOR": "1", "TERM": "dumb"}, {"TERM": ""}])
def test_the_answer_is_the_same_without_a_capable_terminal(
    program: Program, server: SandboxServer, more: dict[str, str]
) -> None:
    finished = program.ask("Reply with exactly: **bold** and `code`", **more)
    assert (finished.status, finished.out, finished.err) == (0, "**bold** and `code`", "")


def test_an_ascii_locale_does_not_break_the_answer(program: Program, server: SandboxServer) -> None:
    finished = program.ask("Reply with exactly: déjà 日本", LANG="C", LC_ALL="POSIX", PYTHONUTF8="0")
    assert (finished.status, finished.err) == (0, "")
    assert finished.out == "déjà 日本"


@pytest.mark.parametrize("json_too", [[], ["--json"]])
def test_a_reader_that_has_enough_is_no_traceback(
    program: Program, server: SandboxServer, json_too: list[str], tmp_path: Path
) -> None:
    errors = tmp_path / "stderr"
    with errors.open("wb") as stderr:
        head = subprocess.run(
            ["bash", "-c", '"$@" | head -c 10; exit ${PIPESTATUS[0]}', "bash", *OUTCROP, "ask", *json_too,
             "Write 3000 words"],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=stderr,
            env=program.environ(), cwd=program.cwd, timeout=60,
        )  # fmt: skip
    assert len(head.stdout) == 10
    assert errors.read_bytes() == b""
    assert head.returncode == 1
    # The turn is settled, not left as one that runs.
    (turn,) = program.conversation()["turns"]
    assert turn["outcome"] in ("cancelled", "failed", "completed")


def test_the_token_and_the_base_url_are_read_as_the_guide_says(
    program: Program, server: SandboxServer
) -> None:
    url = program.base_url
    finished = program.ask("Reply with exactly: hi", BEDROCK_BASE_URL=f"  {url}/responses/  ")
    assert (finished.status, finished.out) == (0, "hi")
    assert [record.path for record in server.log] == ["/openai/v1/responses"]
