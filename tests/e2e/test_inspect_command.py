"""`outcrop inspect` as scripts and people see it: the real program, against the sandbox."""

from __future__ import annotations

import json
import os
import pty
import stat
import subprocess
from dataclasses import replace
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from support.exchanges import created
from support.har_schema import HAR
from support.pdfs import make_pdf
from support.programs import OUTCROP, Program
from support.sessions import make_session, take_turn

from tui.core.exchange import Exchange
from tui.core.export import export
from tui.sandbox.server import SandboxServer
from tui.store.history import History

TRICKY = "Reply with exactly: é \x1b]52;c;YQ==\x07 end"


@pytest.fixture
def home(program: Program, monkeypatch: pytest.MonkeyPatch) -> Program:
    """Sessions of the test and runs of the program share a history."""
    monkeypatch.setenv("OUTCROP_DATA_DIR", str(program.data))
    return program


async def recorded(server: SandboxServer, *prompts: str, files: tuple[Path, ...] = ()) -> list[Exchange]:
    session = make_session(server)
    conversation = await session.new()
    for prompt in prompts:
        await take_turn(
            session, conversation.id, prompt, *[await session.attach(str(path)) for path in files]
        )
    exchanges = session.exchanges(conversation.id)
    await session.aclose()
    return exchanges


def lines(text: str) -> list[str]:
    return text.splitlines()


async def test_list_show_and_diff(server: SandboxServer, home: Program) -> None:
    first, second = await recorded(server, "My name is Ada.", TRICKY)
    (third,) = await recorded(server, "Reply with exactly: three")
    server.fault({"status": 400})
    (refused,) = await recorded(server, "Refused")
    listed, rows, filtered, one_of = home.together(
        ["inspect", "list"],
        ["inspect", "list", "--json", "-n", "2"],
        ["inspect", "list", "--", "status:2xx", "-number:2", "model:gpt-5.4"],
        ["inspect", "list", "--conversation", first.conversation_id, "status:5xx"],
    )
    everything = [first, second, third, refused]
    assert [line.split()[0] for line in lines(listed.out)] == [exchange.id for exchange in everything]
    assert listed.err == ""
    assert "  200  completed   POST    /openai/v1/responses  openai.gpt-5.4  " in lines(listed.out)[0]
    found = json.loads(rows.out)
    assert [row["id"] for row in found] == [third.id, refused.id]
    assert found[0] == {
        "id": third.id, "number": 1, "attempt": 1, "conversation": third.conversation_id,
        "turn": third.turn_id, "started_at": third.started_at, "method": "POST", "url": third.url,
        "model": "openai.gpt-5.4", "status": 200, "outcome": "completed", "error": None,
        "request_id": third.request_id,
        "timings": found[0]["timings"], "bytes_sent": len(third.request_body),
        "bytes_received": len(third.response_body), "events": len(third.events),
    }  # fmt: skip
    assert [line.split()[0] for line in lines(filtered.out)] == [first.id, third.id]
    assert (one_of.status, one_of.out, one_of.err) == (0, "", "No such request is recorded.\n")

    summary, request, response, document = home.together(
        ["inspect", "show", second.id[:6]],
        ["inspect", "show", "-3", "--part", "request"],
        ["inspect", "show", "2", "--conversation", first.conversation_id, "--part", "response"],
        ["inspect", "show", second.id, "--json"],
    )
    assert "  previous_response_id  resp_" in summary.out
    assert "  cached                0" in summary.out
    assert "below the minimum" in summary.out
    assert request.stdout == export(second, "http").data
    assert response.stdout == second.response_body
    shown = json.loads(document.out)
    assert shown["request_body"].encode() == second.request_body
    assert shown["response"]["status"] == "completed"
    assert shown["cache"]["previous"] == first.id
    assert [phase["name"] for phase in shown["phases"]][-1] == "end"

    stream, diff, before, nothing = home.together(
        ["inspect", "show", "-2", "--part", "stream"],
        ["inspect", "diff", first.id, second.id],
        ["inspect", "diff", second.id, "--json"],
        ["inspect", "diff", third.id],
    )
    assert len(lines(stream.out)) == len(third.events)
    assert "response.completed" in lines(stream.out)[-1]
    assert lines(diff.out)[0].startswith('+ $.previous_response_id added: "resp_')
    assert "The first byte that differs is number 27, counted from 0, of " in diff.out
    assert '-      "content": "My name is Ada."' in lines(diff.out)
    compared = json.loads(before.out)
    assert (compared["a"], compared["b"], compared["first_different_byte"]) == (first.id, second.id, 27)
    assert [change["after"] for change in compared["changes"]] == [
        "$.previous_response_id",
        "$.input[0].content",
    ]
    assert nothing.status == 2
    assert nothing.sentence() == "There is no request before it in its conversation; name another: diff A B."


async def test_export_and_its_files(server: SandboxServer, home: Program) -> None:
    pdf = home.root / "a b.pdf"
    pdf.write_bytes(make_pdf("Basalt"))
    (original,) = await recorded(server, "What is in it?", files=(pdf,))
    (other,) = await recorded(server, "Hello")
    body, http, curl, needs, archive, saved = home.together(
        ["inspect", "export", "-2", "--as", "json"],
        ["inspect", "export", "last", "--as", "http"],
        ["inspect", "export", other.id, "--as", "curl"],
        ["inspect", "export", original.id, "--as", "httpie"],
        ["inspect", "export", "all", "--conversation", original.conversation_id, "--as", "har"],
        ["inspect", "export", original.id, "--as", "httpx", "-o", "again.py"],
    )
    assert body.stdout == original.request_body
    assert http.stdout == export(other, "http").data
    assert curl.stdout == export(other, "curl").data
    assert needs.status == 2
    assert needs.sentence().startswith("It needs a file beside it (exchange-1.1.body.json): give -o FILE")
    har = json.loads(archive.out)
    jsonschema.Draft202012Validator(HAR).validate(har)
    assert [entry["_id"] for entry in har["log"]["entries"]] == [original.id]
    assert (saved.status, saved.out) == (0, "")
    made = [home.cwd / "again.py", home.cwd / "a-b.pdf"]
    assert made[1].read_bytes() == pdf.read_bytes()
    assert [stat.S_IMODE(path.stat().st_mode) for path in made] == [0o600, 0o600]

    made[0].write_text("mine")
    taken = home.run("inspect", "export", original.id, "--as", "httpx", "-o", "again.py")
    assert (taken.status, taken.sentence()) == (2, "again.py is there already; --force writes over it.")
    assert made[0].read_text() == "mine"
    made[0].chmod(0o644)
    forced, several, missing, unknown = home.together(
        ["inspect", "export", original.id, "--as", "httpx", "-o", "again.py", "--force"],
        ["inspect", "export", "all", "--as", "curl"],
        ["inspect", "export", "last", "--as", "curl", "-o", "nowhere/x.sh"],
        ["inspect", "export", "last", "--as", "postman"],
    )
    assert forced.status == 0
    assert made[0].read_bytes() == export(original, "httpx").data
    assert stat.S_IMODE(made[0].stat().st_mode) == 0o600
    assert (several.status, several.sentence()) == (2, "Only a HAR holds several requests: `--as har`.")
    assert missing.sentence() == "nowhere/x.sh cannot be written: no such file or directory."
    assert (missing.status, unknown.status) == (2, 2)


def store(home: Program, *exchanges: Exchange) -> None:
    history = History(home.data / "history.db")
    for exchange in exchanges:
        history.save_exchange(exchange)
    history.close()


def test_names_that_mean_nothing_or_too_much(home: Program) -> None:
    nothing = home.run("inspect", "show", "last")
    assert (nothing.status, nothing.sentence()) == (2, "No request is recorded yet.")
    body = {"model": "openai.gpt-5.4", "input": "Hi"}
    store(home, *(replace(created(body, number=n), id=f"abcdef{n}", conversation_id="") for n in (1, 2)))
    for name, sentence in (
        ("-3", "There is no request -3: 2 are recorded, -1 is the last."),
        ("abc", "2 requests have an id that begins with abc; give more of it."),
        ("ab", "There is no request ab; `outcrop inspect list` shows those there are."),
        ("x\x1b", "There is no request x␛; `outcrop inspect list` shows those there are."),
    ):
        found = home.run("inspect", "show", name)
        assert (found.status, found.sentence(), found.out) == (2, sentence, "")


def on_a_terminal(home: Program, *arguments: str) -> bytes:
    """What a terminal gets."""
    ours, theirs = pty.openpty()
    got = b""
    with subprocess.Popen(
        [*OUTCROP, *arguments], stdin=subprocess.DEVNULL, stdout=theirs, stderr=theirs, env=home.environ()
    ):
        os.close(theirs)
        try:
            while piece := os.read(ours, 65536):
                got += piece
        except OSError:  # that is how a terminal ends
            pass
    os.close(ours)
    return got


async def test_a_terminal_gets_nothing_that_acts_on_it(server: SandboxServer, home: Program) -> None:
    await recorded(server, TRICKY)
    bad = created({"model": "m", "input": "x"}, number=1, model="\x1b[31mred", error="\x9b2J")
    store(home, replace(bad, id="zzzzzzzz", started_at=9e9, request_body=b'{"input":"\xc2\x9b2J\x07"}'))
    for arguments in (
        ["list"], ["show", "last"], ["show", "-2", "--part", "response"], ["show", "-1", "--part", "request"],
        ["export", "-1", "--as", "json"], ["show", "-2", "--part", "stream"],
    ):  # fmt: skip
        shown = on_a_terminal(home, "inspect", *arguments)
        assert shown.strip()
        assert not any(sign in shown for sign in (b"\x1b", b"\x07", b"\xc2\x9b")), shown


async def test_replay(server: SandboxServer, home: Program) -> None:
    (original,) = await recorded(server, "Reply with exactly: again")
    table = home.run("inspect", "replay", "last", "-n", "2")
    assert (table.status, table.err) == (0, "")
    assert lines(table.out)[0].split()[:3] == ["#", "status", "outcome"]
    assert [line.split()[:3] for line in lines(table.out)[1:3]] == [
        ["1", "200", "completed"],
        ["2", "200", "completed"],
    ]
    assert "cached tokens   least 0, median 0, most 0" in table.out
    assert [record.body for record in server.log if record.method == "POST"] == [original.request_body] * 3

    body = json.loads(original.request_body)
    body["input"][0]["content"] = "Reply with exactly: edited"
    wrong = home.run("inspect", "replay", original.id, "--body", "-", stdin=b'{"model": 3,\n "input": "x"}')
    assert wrong.status == 2
    assert wrong.err == (
        "outcrop: The body was not sent:\n  line 1, column 11: $.model must be a text, not 3\n"
    )
    (home.cwd / "body.json").write_text(json.dumps(body))
    rows = home.run("inspect", "replay", original.id, "--body", "body.json", "--json")
    row: dict[str, Any] = json.loads(rows.out)
    assert (row["status"], row["outcome"], row["attempts"]) == (200, "completed", 1)
    kept = home.run("inspect", "replay", original.id, "--body", "body.json", "--keep")
    assert (kept.status, kept.out, kept.err) == (0, "edited\n", "")
    assert home.conversation()["turns"][-1]["text"] == "edited"
    assert home.history("list")[0]["turns"] == 2

    server.fault({"status": 400})
    refused, none, unread = home.together(
        ["inspect", "replay", original.id],
        ["inspect", "replay", original.id, "-n", "0"],
        ["inspect", "replay", original.id, "--body", "nowhere.json"],
    )
    assert refused.status == 1
    assert lines(refused.out)[1].split()[:3] == ["1", "400", "failed"]
    assert (none.status, none.sentence()) == (2, "-n takes a number from 1 on.")
    assert (unread.status, unread.sentence()) == (
        2,
        "nowhere.json cannot be read: No such file or directory.",
    )
