"""`outcrop` as scripts see it, where nothing is sent: usage, settings, history, the sandbox it serves."""

from __future__ import annotations

import signal
import sqlite3
import subprocess
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from support.programs import ENDED_KEYS, OUTCROP, Finished, Program

import tui
from tui.sandbox.server import SandboxServer


def not_sent(finished: Finished, status: int, message: str) -> dict[str, Any]:
    """`turn.ended` is the only line, says why, and stderr says the same."""
    assert finished.status == status, finished
    (row,) = finished.rows
    assert list(row) == ENDED_KEYS
    assert row["outcome"] == "failed"
    assert row["text"] == ""
    assert row["usage"] is None
    assert row["response_id"] is None
    assert row["request_id"] is None
    assert message in row["error"]["message"]
    assert finished.sentence() == row["error"]["message"]
    return row


def test_version(offline: Program) -> None:
    finished = offline.run("--version")
    assert (finished.status, finished.out, finished.err) == (0, f"outcrop {tui.__version__}\n", "")


@pytest.mark.parametrize("arguments", [["--help"], ["ask", "--help"], ["history", "--help"]])
def test_help_is_on_stdout_and_no_error(offline: Program, arguments: list[str]) -> None:
    finished = offline.run(*arguments)
    assert finished.status == 0
    assert finished.err == ""
    assert finished.out.startswith("usage: outcrop")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--nonsense"], "--nonsense"),
        (["nonsense"], "nonsense"),
        (["ask", "--endpoint", "elsewhere", "hi"], "--endpoint"),
        (["ask", "--stateful", "--stateless", "hi"], "not allowed with"),
        (["ask", "-c", "--conversation", "x", "hi"], "not allowed with"),
        (["history"], "list|show|search|delete"),
        (["history", "show"], "ID"),
        (["token"], "set|status|clear"),
        (["token", "set", "bedrock-api-key-secret"], "unrecognized"),
        (["sandbox", "--port", "x"], "--port"),
        (["sandbox", "--port", "70000"], "--port"),
        (["sandbox", "--region", "Mars"], "--region"),
    ],
)
def test_bad_usage_is_status_2_and_a_sentence(offline: Program, arguments: list[str], words: str) -> None:
    finished = offline.run(*arguments)
    assert finished.status == 2, finished
    assert finished.out == ""
    assert words in finished.sentence()
    assert "secret" not in finished.err


def test_the_tui_says_that_it_needs_a_terminal(offline: Program) -> None:
    finished = offline.run("--sandbox")
    assert finished.status == 2
    assert "needs a terminal" in finished.sentence()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--nonsense", "hi"], "--nonsense"),
        (["--region", "Mars", "hi"], "'Mars' is not the name of a region"),
        (["--base-url", "http://example.com/v1", "hi"], "http:// is accepted for this machine only"),
        ([], "no prompt"),
        (["   "], "no prompt"),
        (["-f", "missing.pdf", "hi"], "There is no file missing.pdf"),
        (["--conversation", "", "hi"], "The id of the conversation is empty."),
        (["--conversation", "nowhere", "hi"], "There is no conversation nowhere"),
    ],
)
def test_turn_ended_is_printed_when_nothing_could_be_sent(
    offline: Program, arguments: list[str], message: str
) -> None:
    row = not_sent(offline.ask("--json", *arguments), 2, message)
    assert row["error"] == {
        "message": row["error"]["message"], "code": "bad_input", "status": None, "retryable": False,
    }  # fmt: skip


def test_json_before_the_subcommand_s_own_words_is_still_found(offline: Program) -> None:
    not_sent(offline.run("--region", "Mars", "ask", "hi", "--json"), 2, "Mars")


def test_no_token_is_status_3_in_both_forms(offline: Program) -> None:
    offline.token = ""
    plain, lines = offline.together(["ask", "hi"], ["ask", "--json", "hi"])
    assert plain.status == 3
    assert plain.out == ""
    assert "keyring" in plain.sentence()
    row = not_sent(lines, 3, "keyring")
    assert row["error"]["code"] == "no_token"
    assert row["model"] == "openai.gpt-5.4"
    assert row["region"] == "us-west-2"
    assert row["continuation"] == "stateful"
    assert offline.history("list") == []


def test_standard_input_that_is_not_text_is_bad_input(offline: Program) -> None:
    finished = offline.ask("--json", stdin=b"caf\xe9")
    not_sent(finished, 2, "not UTF-8 text (byte 3)")


@pytest.mark.parametrize("stdin", [b"", b" \n"])
def test_a_dash_with_nothing_piped_in_is_bad_input(offline: Program, stdin: bytes) -> None:
    finished = offline.ask("-", stdin=stdin)
    assert finished.status == 2
    assert "Standard input is empty" in finished.sentence()


# -- settings ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("AWS_REGION", "Mars", "AWS_REGION"),
        ("BEDROCK_BASE_URL", "http://10.0.0.1/v1", "BEDROCK_BASE_URL"),
        ("BEDROCK_BASE_URL", "bedrock", "full URL"),
        ("BEDROCK_MAX_RETRIES", "-1", "BEDROCK_MAX_RETRIES"),
        ("BEDROCK_MAX_DISPLAY_CHARS", "many", "whole number"),
        ("BEDROCK_REQUEST_TIMEOUT_SECONDS", "0", "BEDROCK_REQUEST_TIMEOUT_SECONDS"),
    ],
)
def test_a_bad_variable_is_named(offline: Program, name: str, value: str, words: str) -> None:
    finished = offline.ask("hi", **{name: value})
    assert finished.status == 2
    assert words in finished.sentence()


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('modle = "x"', ["config.toml", "'modle'", "did you mean 'model'", "Allowed:", "region"]),
        ('endpoint = "moon"', ["config.toml", "endpoint", "'moon'", "mantle, runtime"]),
        ('token = "bedrock-api-key-secret"', ["does not belong in a file", "outcrop token set"]),
        ("model = ", ["config.toml", "cannot be read"]),
    ],
)
def test_a_bad_config_file_names_file_key_and_what_is_allowed(
    offline: Program, text: str, words: list[str]
) -> None:
    (offline.config / "config.toml").write_text(text)
    finished = offline.ask("hi")
    assert finished.status == 2
    for word in words:
        assert word in finished.sentence()
    assert "secret" not in finished.err


def said_place(program: Program, *arguments: str, **environ: str | None) -> tuple[str, str, str]:
    """Model, region and mode that a run would have used, from the `turn.ended` of one without a prompt."""
    row = program.ask("--json", " ", *arguments, **environ).ended
    return row["model"], row["region"], row["continuation"]


def test_flag_then_environment_then_file_then_default(offline: Program) -> None:
    default = ("openai.gpt-5.4", "us-west-2", "stateful")
    assert said_place(offline) == default
    (offline.config / "config.toml").write_text(
        'model = "openai.gpt-5.5"\nregion = "us-east-2"\ncontinuation = "stateless"\n'
    )
    assert said_place(offline) == ("openai.gpt-5.5", "us-east-2", "stateless")
    assert said_place(offline, AWS_DEFAULT_REGION="eu-west-1")[1] == "eu-west-1"
    assert said_place(offline, AWS_DEFAULT_REGION="eu-west-1", AWS_REGION="")[1] == "eu-west-1"
    both = {"AWS_DEFAULT_REGION": "eu-west-1", "AWS_REGION": "us-east-1", "BEDROCK_MODEL": "openai.gpt-5.6"}
    assert said_place(offline, **both) == ("openai.gpt-5.6", "us-east-1", "stateless")
    flags = ("--region", "us-west-2", "--model", "openai.gpt-5.4", "--stateful")
    assert said_place(offline, *flags, **both) == default


def test_dot_env_files_are_not_read(offline: Program) -> None:
    for folder in (offline.cwd, offline.home, offline.config):
        (folder / ".env").write_text(
            "AWS_REGION=eu-west-1\nBEDROCK_MODEL=openai.other\nAWS_BEARER_TOKEN_BEDROCK=sandbox\n"
        )
    assert said_place(offline) == ("openai.gpt-5.4", "us-west-2", "stateful")
    assert offline.ask("hi", AWS_BEARER_TOKEN_BEDROCK=None).status == 3


# -- history -------------------------------------------------------------------------------------------


def test_an_empty_history(offline: Program) -> None:
    assert offline.history("list") == []
    plain = offline.run("history", "list")
    assert (plain.status, plain.out, plain.err) == (0, "", "No conversations.\n")
    for action in ("show", "delete"):
        finished = offline.run("history", action, "nowhere")
        assert finished.status == 2
        assert "There is no conversation nowhere" in finished.sentence()


def test_history_list_show_search_delete(program: Program) -> None:
    first, second = program.together(
        ["ask", "--json", "Reply with exactly: the granite is *old*"],
        ["ask", "--json", "--stateless", "Reply with exactly: basalt"],
    )
    ids = {finished.ended["conversation"] for finished in (first, second)}
    listed = program.history("list")
    assert {row["id"] for row in listed} == ids
    assert {row["turns"] for row in listed} == {1}
    one = first.ended["conversation"]
    shown = program.history("show", one)
    assert shown["id"] == one
    assert shown["sandbox"] is False
    (turn,) = shown["turns"]
    assert turn["prompt"] == "Reply with exactly: the granite is *old*"
    assert turn["text"] == first.ended["text"] == "the granite is *old*"
    assert turn["outcome"] == "completed"
    assert turn["usage"] == first.ended["usage"]
    plain = program.run("history", "show", one)
    assert plain.out == (
        "## You\n\nReply with exactly: the granite is *old*\n\n## openai.gpt-5.4\n\nthe granite is *old*\n\n"
    )
    assert program.ask("--conversation", one, "Reply with exactly: *old* it is").status == 0
    plain = program.run("history", "list").out
    assert one in plain
    assert "  1 turn   " in plain and "  2 turns  " in plain and "1 turns" not in plain
    # What is typed is words: none of this is query syntax.
    for text, wanted in (
        ("granite", [one]),
        ("GRANITE old", [one]),
        ('granite" OR basalt', []),
        ("*old*", [one]),
        ("%", []),
    ):
        assert [row["id"] for row in program.history("search", text)] == wanted
    assert "granite" in program.history("search", "granite")[0]["excerpt"]
    assert program.history("delete", one) == {"deleted": one}
    assert [row["id"] for row in program.history("list")] == [second.ended["conversation"]]
    assert program.history("search", "granite") == []


# -- output that cannot be written ------------------------------------------------------------------------


FULL = Path("/dev/full")


def into_full(program: Program, *arguments: str) -> Finished:
    """A run whose every write to stdout is refused: the device is full."""
    with FULL.open("wb") as full:
        run = subprocess.run(
            [*OUTCROP, *arguments], stdin=subprocess.DEVNULL, stdout=full, stderr=subprocess.PIPE,
            env=program.environ(), cwd=program.cwd, timeout=60, check=False,
        )  # fmt: skip
    return Finished(run.returncode, b"", run.stderr)


@pytest.mark.skipif(not FULL.exists(), reason="this system has no device that is always full")
def test_a_full_device_is_a_sentence_and_the_turn_is_kept(program: Program) -> None:
    for arguments in (
        ["ask", "Reply with exactly: granite"],
        ["ask", "--json", "Reply with exactly: basalt"],
        ["ask", "--json", " "],
        ["history", "list"],
        ["responses", "list", "--json"],
        ["--version"],
    ):
        finished = into_full(program, *arguments)
        assert finished.status == 1, arguments
        assert finished.err.splitlines()[-1].startswith("outcrop: The output cannot be written: No space")
        assert "Traceback" not in finished.err and "Exception" not in finished.err
    prompts = {program.history("show", row["id"])["turns"][0]["prompt"] for row in program.history("list")}
    assert prompts == {"Reply with exactly: granite", "Reply with exactly: basalt"}


# -- the token -----------------------------------------------------------------------------------------


def test_the_token_s_status_names_the_region_once(offline: Program) -> None:
    some, none = (
        offline.run("token", "status", AWS_BEARER_TOKEN_BEDROCK=token) for token in ("x" * 40, None)
    )
    assert some.status == 0
    assert some.out.startswith("us-west-2: ")
    assert none.status == 3
    assert none.out.startswith("There is no Bedrock key for us-west-2.")
    assert some.out.count("us-west-2") == none.out.count("us-west-2") == 1


# -- outcrop sandbox -----------------------------------------------------------------------------------


def serve(process: subprocess.Popen[bytes]) -> str:
    assert process.stdout is not None
    return process.stdout.readline().decode().removesuffix("\n")


def test_the_sandbox_prints_its_base_url_and_can_be_asked(offline: Program) -> None:
    with offline.running("sandbox") as process:
        url = serve(process)
        assert url.startswith("http://127.0.0.1:")
        finished = offline.ask("--base-url", url, "Reply with exactly: hello")
        assert (finished.status, finished.out) == (0, "hello")
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=10)
        assert (process.returncode, out, err) == (0, b"", b"")


def test_the_sandbox_on_a_port_that_is_taken(offline: Program, shared_server: SandboxServer) -> None:
    finished = offline.run("sandbox", "--port", str(shared_server.port))
    assert finished.status == 1
    assert finished.out == ""
    assert f"port {shared_server.port} on 127.0.0.1 cannot be had" in finished.sentence()


def test_the_sandbox_plays_another_region_on_a_wanted_port(offline: Program) -> None:
    with offline.running("sandbox", "--region", "us-east-2", "--port", "0") as process:
        assert serve(process).endswith("/openai/v1")
        process.terminate()
        assert process.wait(10) == 0


# -- files ---------------------------------------------------------------------------------------------


def test_what_is_written_is_private_and_the_history_is_whole(program: Program) -> None:
    assert program.ask("Reply with exactly: hi").status == 0
    assert program.data.stat().st_mode & 0o077 == 0 or program.data.parent == program.root
    database = program.data / "history.db"
    assert database.stat().st_mode & 0o777 == 0o600
    with closing(sqlite3.connect(database)) as db:
        assert db.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    assert list(program.cwd.iterdir()) == []
    assert list(program.home.iterdir()) == []
    assert list(program.config.iterdir()) == []
    assert list(program.tmp.iterdir()) == []
