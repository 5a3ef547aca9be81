"""`outcrop ask` where it does not work: what the server, the network and bad files do to it."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest
from support.pdfs import make_pdf
from support.programs import ENDED_KEYS, Finished, Program

from tui.sandbox.server import SandboxServer

PROMPT = "Write 60 words about granite"


def both(program: Program, server: SandboxServer, fault: dict[str, Any]) -> tuple[Finished, Finished]:
    """The same turn with and without --json, each with the fault."""
    for _ in range(2):
        server.fault(fault)
    plain, lines = program.together(["ask", PROMPT], ["ask", "--json", PROMPT])
    assert list(lines.ended) == ENDED_KEYS
    return plain, lines


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        ({"cut_events": 12}, "broke off"),
        ({"no_terminal": True}, "ended before the answer did"),
        ({"error_deltas": 5}, "The server ended the answer with an error"),
        ({"failed_deltas": 5}, "The server failed"),
    ],
)
def test_a_stream_that_breaks_is_failed_and_what_came_is_kept(
    program: Program, server: SandboxServer, fault: dict[str, Any], words: str
) -> None:
    plain, lines = both(program, server, fault)
    assert (plain.status, lines.status) == (1, 1)
    assert words in plain.sentence()
    ended = lines.ended
    assert ended["outcome"] == "failed"
    assert words in ended["error"]["message"]
    assert set(ended["error"]) == {"message", "code", "status", "retryable"}
    assert ended["error"]["retryable"] is False
    text = "".join(row["delta"] for row in lines.rows if row["type"] == "text.delta")
    assert text
    assert ended["text"] == text == plain.out
    # Never sent again once a byte of an answer has come.
    assert len(server.log) == 2
    shown = [program.history("show", row["id"])["turns"][0] for row in program.history("list")]
    assert [(turn["outcome"], turn["text"]) for turn in shown] == [("failed", text)] * 2


def test_incomplete_is_what_the_server_says(program: Program, server: SandboxServer) -> None:
    (program.config / "config.toml").write_text("max_output_tokens = 16\n")
    plain, lines = program.together(["ask", PROMPT], ["ask", "--json", PROMPT])
    assert (plain.status, lines.status) == (4, 4)
    assert "incomplete" in plain.sentence()
    assert "limit on output tokens" in plain.sentence()
    ended = lines.ended
    assert ended["outcome"] == "incomplete"
    assert ended["text"] == plain.out != ""
    assert ended["usage"]["output_tokens"] == 16
    assert ended["error"]["message"] == plain.sentence()


def test_the_server_s_refusal_is_failed_with_its_words(program: Program, server: SandboxServer) -> None:
    body = {
        "error": {"type": "invalid_request_error", "code": "bad", "message": "No \x1b[31mgood", "param": None}
    }
    plain, lines = both(program, server, {"status": 400, "body": body})
    assert (plain.status, lines.status) == (1, 1)
    assert plain.out == ""
    assert "refused the request (400)" in plain.sentence()
    assert "\x1b" not in plain.err
    assert lines.ended["error"]["status"] == 400
    assert lines.ended["error"]["code"] == "bad"
    assert lines.ended["request_id"] in {record.request_id for record in server.log}


def test_a_refused_token_is_status_3(program: Program, server: SandboxServer) -> None:
    program.token = "not-the-one"
    plain, lines = program.together(["ask", PROMPT], ["ask", "--json", PROMPT])
    assert (plain.status, lines.status) == (3, 3)
    assert "refused the token (401)" in plain.sentence()
    assert "not-the-one" not in plain.err + lines.err + lines.out
    assert lines.ended["outcome"] == "failed"
    assert lines.ended["error"]["status"] == 401
    assert len(server.log) == 2


def test_a_busy_server_is_asked_again_and_that_is_said(program: Program, server: SandboxServer) -> None:
    server.fault({"status": 429, "headers": {"retry-after-ms": "10"}})
    finished = program.ask("--json", "Reply with exactly: hi")
    assert finished.status == 0
    types = [row["type"] for row in finished.rows]
    assert types.count("attempt.started") == types.count("attempt.ended") == 2
    assert types.count("retry.waiting") == 1
    server.fault({"status": 503, "headers": {"retry-after-ms": "10"}, "times": 9})
    given_up = program.ask("hi", BEDROCK_MAX_RETRIES="1")
    assert given_up.status == 1
    assert given_up.out == ""
    assert given_up.err.count("Trying again") == 1
    assert len(server.log) == 4


def test_a_redirect_is_not_followed(program: Program, server: SandboxServer) -> None:
    server.fault({"status": 307, "headers": {"location": f"{program.base_url}/elsewhere"}})
    finished = program.ask("hi")
    assert finished.status == 1
    assert "follows no redirects" in finished.sentence()
    assert [record.path for record in server.log] == ["/openai/v1/responses"]


def test_nobody_listens(offline: Program) -> None:
    finished = offline.ask("--json", "hi", BEDROCK_MAX_RETRIES="0")
    assert finished.status == 1
    assert finished.ended["error"]["code"] == "connect"
    assert "refused the connection" in finished.ended["error"]["message"]


def test_silence_has_a_limit_and_keep_alives_do_not_count(program: Program, server: SandboxServer) -> None:
    server.fault({"stall_events": 12, "keepalive": 0.05})
    finished = program.ask("--json", PROMPT, BEDROCK_REQUEST_TIMEOUT_SECONDS="1")
    assert finished.status == 1
    assert finished.ended["outcome"] == "failed"
    assert "sent nothing for 1 s" in finished.ended["error"]["message"]
    assert finished.ended["text"]
    server.log.wait_for(lambda record: record.ended == "disconnected")


# -- files -------------------------------------------------------------------------------------------


def encrypted_pdf() -> bytes:
    import io

    import pypdf

    writer = pypdf.PdfWriter()
    writer.append(io.BytesIO(make_pdf("Secret")))
    writer.encrypt("password", algorithm="RC4-128")
    buffer = io.BytesIO()
    writer.write(buffer)
    return buffer.getvalue()


def test_files_that_cannot_be_sent_are_named_before_anything_is(
    program: Program, server: SandboxServer, tmp_path: Path
) -> None:
    (program.config / "config.toml").write_text("attachment_limit_mb = 1\n")
    good = tmp_path / "good.pdf"
    good.write_bytes(make_pdf("Fine"))
    files = {
        "folder": "is a folder",
        "pipe": "is no regular file",
        "text.pdf": "is not a PDF",
        "large.pdf": "at most 1 MB",
        "locked.pdf": "is encrypted",
        "empty.pdf": "is empty",
        "damaged.pdf": "damaged",
        "missing.pdf": "There is no file",
    }
    (tmp_path / "folder").mkdir()
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "text.pdf").write_text("only text")
    (tmp_path / "large.pdf").write_bytes(b"%PDF-1.4\n" + b"x" * 1_100_000)
    (tmp_path / "locked.pdf").write_bytes(encrypted_pdf())
    (tmp_path / "empty.pdf").touch()
    (tmp_path / "damaged.pdf").write_bytes(b"%PDF-1.4\nnothing of it\n%%EOF")
    names = list(files)
    for pair in (names[at : at + 2] for at in range(0, len(names), 2)):
        arguments = [["ask", "-f", str(good), "-f", str(tmp_path / name), "hi"] for name in pair]
        for name, finished in zip(pair, program.together(*arguments), strict=True):
            assert finished.status == 2, (name, finished)
            assert finished.out == ""
            assert files[name] in finished.sentence()
            assert name in finished.sentence()
    row = program.ask("--json", "-f", str(tmp_path / "folder"), "hi").ended
    assert list(row) == ENDED_KEYS
    assert (row["outcome"], row["error"]["code"]) == ("failed", "bad_input")
    assert list(server.log) == []
    assert program.history("list") == []
