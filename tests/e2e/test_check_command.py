"""`outcrop check` as scripts and people see it: table, JSON, JUnit, exit status, and never the token."""

from __future__ import annotations

import json
import os
import pty
import subprocess
import time
from collections.abc import Iterator

import pytest
from support.junit import assert_junit
from support.keyring_support import short_term_token
from support.programs import OUTCROP, Program

from tui.checks.table import CHECKS
from tui.sandbox.server import SandboxServer


@pytest.fixture(scope="module")
def shared_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SandboxServer]:
    """Tokens need not be counted exactly here, and the vocabulary takes its time to load."""
    with SandboxServer(tmp_path_factory.mktemp("server"), tokenizer="words") as server:
        yield server


NAMES = [check.name for check in CHECKS]
PAID = [check.name for check in CHECKS if check.paid]


def test_reports_of_a_run_where_all_pass(program: Program, server: SandboxServer) -> None:
    program.token = short_term_token(made=time.time())
    run = program.run("check", "--yes", "--json", "--junit", "report.xml", "--strict")
    assert (run.status, run.err) == (0, ""), run.out
    made = json.loads(run.out)
    assert [row["name"] for row in made["checks"]] == NAMES and made["passed"] is True
    assert made["counts"] == {"passed": 19, "failed": 0, "skipped": 2}
    assert made["configuration"]["base_url"] == program.base_url
    assert made["configuration"]["base_url_from"] == "environment BEDROCK_BASE_URL"
    rows = {row["name"]: row for row in made["checks"]}
    assert rows["token"]["facts"] == {
        "source": "environment", "kind": "short-term", "region": "us-west-2",
        "expires_at": rows["token"]["facts"]["expires_at"],
    }  # fmt: skip
    assert rows["preflight"]["request_id"].startswith("req_") and len(rows["preflight"]["request_id"]) == 56
    costs = [float(row["cost_so_far_usd"] or 0) for row in made["checks"]]
    assert costs == sorted(costs) and costs[-1] == float(made["cost_usd"]) > 0
    junit = (program.cwd / "report.xml").read_bytes()
    suite = assert_junit(junit)
    assert [case.attrib["name"] for case in suite.findall("testcase")] == NAMES

    # What was sent is found again by `outcrop inspect`, and stands in no list of conversations.
    shown = program.run("inspect", "show", rows["stream"]["exchanges"][0], "--part", "request")
    assert b"Count from 1 to 20" in shown.stdout and program.history("list") == []
    secret = program.token.removeprefix("bedrock-api-key-")
    for said in (run.stdout, run.stderr, junit, shown.stdout):
        assert secret[-40:].encode() not in said and secret[:40].encode() not in said


def test_the_table_and_the_exit_status(program: Program, server: SandboxServer) -> None:
    free = program.run("check", "--free", COLUMNS="80")
    assert free.status == 0 and free.err == ""
    lines = free.out.splitlines()
    assert max(map(len, lines)) <= 80
    assert lines[0].split() == ["check", "time", "so", "far", "request", "id"]
    assert not [record for record in server.log if record.status == 200 and record.method == "POST"]
    assert " ".join(free.out.split("Left out, as they are paid for: ")[1].split()) == f"{', '.join(PAID)}."

    asked = program.run("check")
    assert asked.status == 2 and "give --yes to send them, --free to leave them out." in asked.sentence()
    assert "16 paid requests to openai.gpt-5.4" in asked.sentence() and "about $0.0" in asked.sentence()

    program.token = "ABSKwrong"
    only = ("check", "--only", "models", "--only", "dns")
    lax, strict, junit = program.together(only, (*only, "--strict"), (*only, "--junit", "-"))
    assert (lax.status, strict.status, junit.status) == (0, 1, 0)
    assert "✗ models" in lax.out and "Next: Check that the key is whole" in " ".join(lax.out.split())
    assert "1 passed, 1 failed; " in lax.out and "outcrop inspect show " in lax.out
    assert_junit(junit.stdout)
    assert program.run(*only, BEDROCK_FAIL_ON_CHECK_FAILURE="true").status == 1
    wrong, both, listed, paid = program.together(
        ("check", "--only", "prefligth"),
        ("check", "--json", "--junit", "-"),
        ("check", "--list"),
        ("check", "--only", "tool", "--free"),
    )
    assert wrong.status == 2 and "did you mean 'preflight'?" in wrong.sentence()
    assert both.status == 2 and "give --junit a file" in both.sentence()
    assert [line.split()[0] for line in listed.out.splitlines()] == NAMES
    assert paid.status == 2 and "--free leaves those out" in paid.sentence()
    for run in (lax, strict, junit):
        assert "ABSKwrong" not in run.out + run.err


def test_without_a_token_it_says_how_to_give_one(offline: Program) -> None:
    offline.token, offline.base_url = "", ""
    # The host has an address here: no name is looked up.
    run = offline.run("check", "--only", "token", "--only", "preflight", "--yes", "--json")
    token, preflight = json.loads(run.out)["checks"]
    assert run.status == 0 and token["state"] == "failed" and "AWS console" in token["next_step"]
    assert preflight["sentence"] == "It needs token, which failed."


def test_a_terminal_is_asked_before_anything_paid_is_sent(program: Program, server: SandboxServer) -> None:
    def run(answer: bytes, *arguments: str) -> tuple[int, str, str]:
        ours, theirs = pty.openpty()
        try:
            os.write(ours, answer)
            process = subprocess.Popen(
                [*OUTCROP, "check", *arguments],
                stdin=theirs, stderr=theirs, stdout=subprocess.PIPE, env=program.environ(), cwd=program.cwd,
            )  # fmt: skip
            out, _ = process.communicate(timeout=60)
            return process.returncode, out.decode(), os.read(ours, 65536).decode()
        finally:
            os.close(ours)
            os.close(theirs)

    def paid() -> int:
        return sum(record.method == "POST" for record in server.log)

    status, out, said = run(b"n\n", "--only", "dns", "--only", "preflight")
    assert status == 0 and "1 paid request to openai.gpt-5.4 in us-west-2 (preflight): about $0.0005" in said
    assert paid() == 0 and "✓ dns" in out and "Left out, as they are paid for: preflight." in out
    status, out, _ = run(b"y\n", "--only", "preflight", "--json")
    assert status == 0 and json.loads(out)["passed"] is True and paid() == 1
