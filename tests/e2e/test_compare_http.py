"""Comparisons over real HTTP against the sandbox: all at once, each for itself, each a conversation after."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from support.sessions import make_session, take_turn

from tui.cli import main
from tui.core.compare.differences import difference
from tui.core.costs import cost_of_model
from tui.core.errors import InputError
from tui.core.events import SessionEvent, TurnEnded, TurnStarted
from tui.core.items import Outcome
from tui.sandbox.server import SandboxServer
from tui.session.compare import Column, Comparing, check_count
from tui.session.session import Session

LINE = "gpt-5.5@us-east-2 effort=low, gpt-oss-20b api=chat, gpt-5.9 stateless, stateless"


def in_sandbox(server: SandboxServer, **flags: object) -> Session:
    session = make_session(server, sandbox=True, base_url=None, **flags)
    session.settings = session.settings.with_sandbox(f"http://127.0.0.1:{server.port}/openai/v1")
    return session


async def test_all_at_once_each_for_itself_and_each_goes_on(sandbox: SandboxServer) -> None:
    session = in_sandbox(sandbox)
    base = await session.new()
    await session.set_instructions(base.id, "Be brief.")
    comparing = Comparing(session, base.id)
    columns = await comparing.columns(LINE)
    check_count(columns)
    assert [(c.asked.target.model, c.asked.target.region, c.asked.effort, c.asked.mode) for c in columns] == [
        ("openai.gpt-5.5", "us-east-2", "low", "stateful"),
        ("openai.gpt-oss-20b", "us-west-2", None, "stateless"),
        ("gpt-5.9", "us-west-2", None, "stateless"),
        ("openai.gpt-5.4", "us-west-2", None, "stateless"),
    ]
    await comparing.estimate(columns, "How old is slate?")
    estimates = [column.estimate for column in columns]
    assert estimates[0] and estimates[0].cost and estimates[0].cost_most
    assert estimates[2] and estimates[2].cost is None, "nobody knows what gpt-5.9 costs"
    assert estimates[0].cost_most.usd > estimates[0].cost.usd
    await comparing.name(columns, "How old is slate?")

    # Each request waits at the server: one after the other would end before the next begins.
    sandbox.fault({"on": "chat", "wait": 0.2, "answer": "Slate is younger than basalt."})
    sandbox.fault({"on": "responses", "wait": 0.2, "times": 3})
    order: list[str] = []

    def tell(column: Column, event: SessionEvent) -> None:
        if isinstance(event, TurnStarted | TurnEnded):
            order.append(type(event).__name__)

    await comparing.send(columns, "How old is slate?", (), tell)
    assert order == ["TurnStarted"] * 4 + ["TurnEnded"] * 4

    figures = [comparing.figures(column) for column in columns]
    assert [one.state for one in figures] == ["completed", "completed", "failed", "completed"]
    assert "404" in figures[2].error and "gpt-5.9" in figures[2].error
    for column, one in zip(columns, figures, strict=True):
        exchanges = session.exchanges(column.conversation_id)
        turn = comparing.turn(column)
        assert turn is not None and len(exchanges) == 1
        assert one.seconds == exchanges[0].timings.ended and one.seconds is not None and one.seconds > 0.2
        if one.outcome is Outcome.FAILED:
            assert one.first_text is None and one.cost is None and one.usage.input_tokens is None
            continue
        assert one.first_text == exchanges[0].timings.first_text and 0.2 < one.first_text <= one.seconds
        assert one.usage == turn.usage and one.usage.output_tokens
        model = column.asked.target.model
        assert one.cost == cost_of_model(turn.usage, session.catalogue.model(model), model)
    bodies = [json.loads(session.exchanges(c.conversation_id)[0].request_body) for c in columns]
    assert bodies[0]["reasoning"]["effort"] == "low" and bodies[0]["store"] and not bodies[3]["store"]
    assert "messages" in bodies[1] and "reasoning" not in bodies[3]
    assert bodies[0]["instructions"] == "Be brief."
    first, second = (comparing.turn(column) for column in columns[:2])
    assert first and second and 0 < (difference(first.text, second.text).same or 0) < 0.5

    # Each is a conversation of the history, and goes on as it was asked.
    titles = {row.title for row in await session.list()}
    assert titles == {
        "How old is slate? · gpt-5.5 · us-east-2 · effort low",
        "How old is slate? · gpt-oss-20b · us-west-2 · Chat Completions",
        "How old is slate? · gpt-5.9 · us-west-2 · stateless",
        "How old is slate? · gpt-5.4 · us-west-2 · stateless",
    }
    await session.aclose()
    later = in_sandbox(sandbox)
    for column in columns:
        opened = await later.open(column.conversation_id)
        assert later.target(opened.id) == column.asked.target
        if column.asked.target.model != "gpt-5.9":
            turn = (await take_turn(later, opened.id, "And of what was that?")).turn
            assert turn.outcome is Outcome.COMPLETED and "How old is slate?" in turn.text
    await later.aclose()


async def test_what_cannot_be_asked_is_said_before(sandbox: SandboxServer) -> None:
    session = in_sandbox(sandbox, budget_per_conversation="0.000001", budget_per_day="0.000001")
    base = await session.new()
    comparing = Comparing(session, base.id)
    with pytest.raises(InputError, match="takes effort"):
        await comparing.columns("gpt-5.4, gpt-5.4 effort=gigantic")
    with pytest.raises(InputError, match="cannot send to"):
        await comparing.columns("gpt-5.4 endpoint=nowhere")
    with pytest.raises(InputError, match="two targets or more"):
        check_count(await comparing.columns("gpt-5.4"))
    with pytest.raises(InputError, match="4 targets at most, not 5"):
        check_count(await comparing.columns(",".join(["gpt-5.4"] * 5)))
    (column,) = await comparing.columns("gpt-oss-20b api=chat stateful")
    assert "stateless" in " ".join(column.said) and column.asked.mode == "stateless"
    columns = await comparing.columns("gpt-5.4, gpt-5.5")
    await comparing.estimate(columns, "Hello")
    decision = await comparing.budget(columns)
    assert decision.state == "ask" and "go" in decision.text
    assert not list(sandbox.log)
    await session.aclose()


def test_the_command(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    asked = ["compare", "--sandbox", "--diff", "Write 20 words", "--with"]
    assert main([*asked, "gpt-5.5@us-east-2 effort=low", "--json"]) == 0
    out = json.loads(capsys.readouterr().out)
    assert [row["model"] for row in out["columns"]] == ["openai.gpt-5.4", "openai.gpt-5.5"]
    assert [row["effort"] for row in out["columns"]] == [None, "low"]
    assert all(
        row["text"] and row["cost_usd"] > 0 and row["usage"]["output_tokens"] for row in out["columns"]
    )
    assert all(row["most_usd"] > row["likely_usd"] > 0 for row in out["columns"])
    assert out["differences"][0]["first"] == 1 and out["differences"][0]["same_words"] == 1.0

    assert main([*asked, "gpt-5.5@us-east-2", "--with", "gpt-5.9", "--with", "stateless"]) == 1
    shown = capsys.readouterr()
    lines = shown.out.split("\n")
    assert " ".join(lines[0].split()) == "first text time in cached out reasoning cost outcome"
    assert "1 gpt-5.5 · us-east-2" in shown.out and "✗ failed" in shown.out and "✓ completed" in shown.out
    assert "── 1 → 3: " in shown.out and "\x1b" not in shown.out
    assert "2: gpt-5.9 is not in the catalogue" in shown.err

    # Nothing is sent where something is wrong with what was asked for.
    for arguments, sentence in (
        (["compare", "Hello", "--with", "gpt-5.5 speed=9"], "“speed=9” is none of model=…"),
        (["compare", "Hello", *["--with", "stateless"] * 5], "4 targets at most, not 5"),
        (["compare", "Hello"], "--with"),
    ):
        assert main(["--sandbox", *arguments]) == 2
        assert sentence in capsys.readouterr().err
