"""`outcrop responses` as scripts see it, and the clean-up of a one-shot run."""

from __future__ import annotations

import json
import signal

from support.programs import Program
from support.sessions import make_session, take_turn

from tui.sandbox.server import SandboxServer

KEYS = [
    "id", "model", "region", "endpoint", "sandbox", "created_at", "age_days", "days_left", "conversation",
    "deleted_at", "delete_wanted", "state",
]  # fmt: skip


async def stored(server: SandboxServer, count: int = 1) -> list[str]:
    """Ids of responses that the server keeps and the program's history knows; oldest first."""
    session = make_session(server)
    conversation = await session.new()
    taken = [await take_turn(session, conversation.id, "Hello") for _ in range(count)]
    await session.aclose()
    return [str(one.turn.response_id) for one in taken]


async def known(server: SandboxServer) -> tuple[dict[str, bool], list[str]]:
    """By id, whether what is kept is to be deleted; and what is gone."""
    session = make_session(server)
    await session.warm_up()
    if session._retry is not None:
        await session._retry
    kept = {row.response.response_id: row.response.delete_wanted for row in await session.responses.list()}
    gone = [row.response.response_id for row in await session.responses.list(deleted=True)]
    await session.aclose()
    return kept, gone


def deleted(server: SandboxServer) -> list[str]:
    return [record.path.rpartition("/")[2] for record in server.log if record.method == "DELETE"]


async def test_list_show_delete_clean(program: Program, server: SandboxServer) -> None:
    first, second, third = await stored(server, 3)
    # Only one at a time of those that ask the server: a start tries again what another run is deleting.
    listed, plain, shown = program.together(
        ["responses", "list", "--json"], ["responses", "list"], ["responses", "show", second]
    )
    one = program.run("responses", "delete", third, "--json")
    found = json.loads(listed.out)
    assert [row["id"] for row in found] == [third, second, first]
    for row in found:
        assert list(row) == KEYS
        assert (row["model"], row["region"], row["endpoint"]) == ("openai.gpt-5.4", "us-west-2", "custom")
        assert row["deleted_at"] is None
        assert row["delete_wanted"] is False
        assert row["state"] == "kept"
        assert 29.9 < row["days_left"] <= 30
    assert plain.status == 0
    assert [line.split()[0] for line in plain.out.splitlines()] == [third, second, first]
    assert "kept for 30 more days" in plain.out
    assert json.loads(shown.out)["id"] == second
    assert json.loads(shown.out)["object"] == "response"
    assert (one.status, one.err) == (0, "")
    assert json.loads(one.out) == [{"id": third, "deleted": True, "error": None}]

    cleaned = program.run("responses", "clean")
    assert (cleaned.status, cleaned.out, cleaned.err) == (0, "", "2 responses are deleted.\n")
    everything, none = program.together(["responses", "list", "--all", "--json"], ["responses", "list"])
    assert {row["id"] for row in json.loads(everything.out) if row["deleted_at"]} == {first, second, third}
    assert (none.status, none.out, none.err) == (0, "", "No stored response is known here.\n")
    # Each was asked for once, although the start looks for what is left to delete.
    assert sorted(deleted(server)) == sorted([first, second, third])


def test_an_answer_that_was_interrupted_is_unknown_and_gone_once_the_server_says_so(
    program: Program, server: SandboxServer
) -> None:
    server.fault({"stall_events": 12})
    with program.running("ask", "Write 60 words about granite") as process:
        server.log.wait_for(lambda record: record.events >= 12, timeout=20)
        # What was sent need not have been read.
        assert process.stdout is not None
        assert process.stdout.read(1)
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=10)
    listed, plain = program.together(["responses", "list", "--json"], ["responses", "list"])
    (row,) = json.loads(listed.out)
    assert (row["state"], row["deleted_at"]) == ("unknown", None)
    assert "unknown: the answer never ended" in plain.out
    assert "kept for" not in plain.out
    server.fault({"on": "retrieve", "status": 404})
    shown = program.run("responses", "show", row["id"])
    assert shown.status == 1
    assert "404" in shown.sentence()
    after, everything = program.together(
        ["responses", "list", "--json"], ["responses", "list", "--all", "--json"]
    )
    assert json.loads(after.out) == []
    assert [(one["id"], one["state"]) for one in json.loads(everything.out)] == [(row["id"], "deleted")]


async def test_clean_says_what_it_cannot_reach(offline: Program) -> None:
    offline.base_url = ""
    with SandboxServer(offline.data / "sandbox") as server:
        session = make_session(server, sandbox=True)
        await take_turn(session, (await session.new()).id, "Hello")
        await session.aclose()
        session = make_session(server)
        await take_turn(session, (await session.new()).id, "Hello")
        await session.aclose()
    cleaned = offline.run("responses", "clean")
    assert cleaned.status == 0
    assert cleaned.err == (
        "0 responses are deleted.\n"
        "outcrop: Not reached from this run: 1 made with the sandbox (--sandbox), "
        "1 made at another base URL (--base-url; `responses show ID` says which).\n"
    )


async def test_a_failed_delete_is_status_1_and_tried_again(program: Program, server: SandboxServer) -> None:
    (first,) = await stored(server)
    server.fault({"on": "delete", "status": 404, "body": {"error": {"message": "who?"}}})
    failed = program.run("responses", "delete", first, "--json")
    assert failed.status == 1
    (row,) = json.loads(failed.out)
    assert row["deleted"] is False
    assert row["error"]["status"] == 404
    assert f"{first} is not deleted" in failed.sentence()
    assert deleted(server) == [first]
    assert await known(server) == ({}, [first])  # it was tried again at this next start
    assert deleted(server) == [first, first]


async def test_a_refused_token_is_status_3(program: Program, server: SandboxServer) -> None:
    (first,) = await stored(server)
    server.fault({"on": "delete", "status": 401, "body": {"error": {"message": "bad token"}}})
    refused = program.run("responses", "delete", first)
    assert refused.status == 3
    assert f"{first} is not deleted: The server refused the token" in refused.err
    assert await known(server) == ({}, [first])  # it was tried again at this next start


def test_what_needs_no_server(offline: Program) -> None:
    offline.token = ""
    nothing, no_id, empty, no_ids, listed = offline.together(
        ["responses"],
        ["responses", "show"],
        ["responses", "show", " "],
        ["responses", "delete"],
        ["responses", "list", "--json"],
    )
    for finished, words in (
        (nothing, "list|show|delete|clean"), (no_id, "ID"), (empty, "this one is empty"), (no_ids, "ID"),
    ):  # fmt: skip
        assert finished.status == 2, finished
        assert words in finished.sentence()
    assert (listed.status, listed.out, listed.err) == (0, "[]\n", "")


async def test_a_run_cleans_up_after_itself_where_it_is_told_to(
    program: Program, server: SandboxServer
) -> None:
    (kept,) = await stored(server)
    finished = program.ask("--json", "Hello", BEDROCK_CLEANUP_STORED_RESPONSES="on")
    assert finished.status == 0
    own = finished.ended["response_id"]
    assert deleted(server) == [own]
    assert await known(server) == ({kept: False}, [own])


def test_a_setting_that_is_neither_on_nor_off_is_said(offline: Program) -> None:
    wrong = offline.ask("Hello", BEDROCK_CLEANUP_STORED_RESPONSES="maybe")
    assert wrong.status == 2
    assert "BEDROCK_CLEANUP_STORED_RESPONSES is 'maybe'" in wrong.sentence()


async def test_the_sandbox_s_responses_are_reached_with_its_flag(offline: Program) -> None:
    offline.base_url = ""
    with SandboxServer(offline.data / "sandbox") as server:
        session = make_session(server, sandbox=True)
        taken = await take_turn(session, (await session.new()).id, "Hello")
        await session.aclose()
    first = str(taken.turn.response_id)
    without, listed, shown = offline.together(
        ["responses", "show", first],
        ["--sandbox", "responses", "list", "--json"],
        ["responses", "show", "--sandbox", first],
    )
    assert without.status == 2
    assert "start with --sandbox" in without.sentence()
    assert [(row["id"], row["sandbox"]) for row in json.loads(listed.out)] == [(first, True)]
    assert json.loads(shown.out)["id"] == first
