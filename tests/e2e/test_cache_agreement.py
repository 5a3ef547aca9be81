"""Twenty turns over HTTP: what the sandbox accounted for and what the meter says agree, to the token."""

from __future__ import annotations

import json
from decimal import Decimal
from itertools import pairwise

import pytest
from support.sessions import make_session, take_turn

from tui.core.figures_export import figures_json
from tui.core.items import ContinuationMode
from tui.core.meter import figures_of
from tui.sandbox.server import SandboxServer
from tui.session.spending import local_day

LONG = "The basalt lies above the granite, and nobody has asked why for a very long time. " * 100
TURNS = 20


@pytest.mark.parametrize("mode", ["stateful", "stateless"])
@pytest.mark.parametrize("model", ["openai.gpt-5.4", "openai.gpt-5.6-terra"])
async def test_the_meter_and_the_sandbox_agree_over_twenty_turns(
    sandbox: SandboxServer, mode: ContinuationMode, model: str
) -> None:
    session = make_session(sandbox, model=model, continuation=mode)
    conversation = await session.new()
    for number in range(TURNS):
        prompt = LONG if number == 0 else f"Reply with exactly: layer {number} of the northern ridge"
        await take_turn(session, conversation.id, prompt)
    path = session.conversation(conversation.id).path()
    figures = figures_of(path, session.catalogue)

    # What the server said on the wire, read here from the recorded bytes with nothing of the program's.
    said = []
    for exchange in session.exchanges(conversation.id):
        (line,) = (
            line for line in exchange.response_body.decode().splitlines()
            if line.startswith('data: {"type":"response.completed"') or '"type": "response.completed"' in line
        )  # fmt: skip
        said.append(json.loads(line.removeprefix("data: "))["response"]["usage"])
    assert len(said) == len(figures.turns) == TURNS

    totals = dict.fromkeys(("cached", "written", "uncached", "reasoning", "visible"), 0)
    usd = Decimal(0)
    for row, usage in zip(figures.turns, said, strict=True):
        cached = usage["input_tokens_details"]["cached_tokens"]
        written = usage["input_tokens_details"].get("cache_write_tokens")
        reasoning = usage["output_tokens_details"]["reasoning_tokens"]
        assert row.split.cached.tokens == cached
        assert row.split.written.tokens == written
        uncached = usage["input_tokens"] - cached - (written or 0)
        bucket = row.split.uncached
        assert (bucket.tokens if written is not None else bucket.at_most) == uncached
        assert row.split.reasoning.tokens == reasoning
        assert row.split.visible.tokens == usage["output_tokens"] - reasoning
        assert row.cached_share == cached / usage["input_tokens"]
        for name, count in (
            ("cached", cached), ("written", written or 0), ("uncached", uncached), ("reasoning", reasoning),
            ("visible", usage["output_tokens"] - reasoning),
        ):  # fmt: skip
            totals[name] += count
        # gpt-5.4: 2.75 in, 0.275 cached, 16.50 out; Terra: 2.20, 0.22, 2.75 for writes, 13.20 out.
        if model == "openai.gpt-5.4":
            cost = (
                uncached * Decimal("2.75")
                + cached * Decimal("0.275")
                + usage["output_tokens"] * Decimal("16.5")
            )
        else:
            cost = (
                uncached * Decimal("2.20") + cached * Decimal("0.22") + (written or 0) * Decimal("2.75")
                + usage["output_tokens"] * Decimal("13.2")
            )  # fmt: skip
        usd += cost / 1_000_000
        assert row.cost is not None and row.cost.usd == cost / 1_000_000
        assert row.running is not None and row.running.usd == usd

    split = figures.split
    assert split.cached.tokens == totals["cached"] > 0
    assert (split.reasoning.tokens, split.visible.tokens) == (totals["reasoning"], totals["visible"])
    if model == "openai.gpt-5.4":
        # It never says what was written: unknown, not 0, and what is left is bounded.
        assert split.written.tokens is None and split.uncached.tokens is None
        assert split.uncached.at_most == totals["uncached"]
    else:
        assert (split.written.tokens, split.uncached.tokens) == (totals["written"], totals["uncached"])
        assert totals["written"] > 0
    assert figures.cost is not None and figures.cost.usd == usd and not figures.cost.at_least
    assert figures.cached_share == totals["cached"] / sum(usage["input_tokens"] for usage in said)

    # From the second turn on the cache gives all whole steps of what the turn before had sent. (The sandbox's
    # hidden 150 tokens are outside of what it caches.)
    for before, after in pairwise(said):
        steps = (before["input_tokens"] - 150) // 128 * 128
        assert after["input_tokens_details"]["cached_tokens"] == steps

    # The history's totals and the export say the same.
    await session.records.call(lambda history: None)
    records = await session.spending.records_since(0.0, conversation.id)
    assert len(records) == TURNS
    assert (await session.spending.of_conversation(conversation.id)).usd == usd
    assert (await session.spending.today()).usd == usd
    assert {local_day(record.at) for record in records} == {
        local_day(path[0].created_at),
        local_day(path[-1].created_at),
    }
    exported = json.loads(figures_json(figures))
    assert Decimal(exported["totals"]["cost_usd"]) == usd
    assert exported["totals"]["cached_tokens"] == totals["cached"]
    await session.aclose()


async def test_both_modes_hit_the_same_cache(sandbox: SandboxServer) -> None:
    """The same conversation by id and by replay: the server counts and caches the same."""
    counts = {}
    for mode, word in (("stateful", "First"), ("stateless", "Other")):
        session = make_session(sandbox, continuation=mode, model="openai.gpt-5.6-luna")
        conversation = await session.new()
        for number in range(4):
            # The cache keeps nothing between the two: another first word.
            prompt = f"{word} {LONG}" if number == 0 else f"Reply with exactly: layer {number}"
            await take_turn(session, conversation.id, prompt)
        path = session.conversation(conversation.id).path()
        counts[mode] = [turn.usage.cached_tokens for turn in path if turn.usage]
        await session.aclose()
    assert counts["stateful"] == counts["stateless"]
    assert len(counts["stateful"]) == 4 and counts["stateful"][0] == 0 < counts["stateful"][-1]
