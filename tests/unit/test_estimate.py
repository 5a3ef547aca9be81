"""The estimator against recorded turns: within 10 % of the server's count after the third turn.

`recorded_turns.json` was recorded from the sandbox with the vocabulary o200k_base (support/record_turns.py):
prose in six languages, code, data, mixtures with reasoning, a PDF; stateful and stateless.
"""

from __future__ import annotations

import json
from dataclasses import replace
from decimal import Decimal
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

import tui.core.catalogue as module
from tui.core.catalogue_file import parse_catalogue
from tui.core.continuation import Options, continuation_named
from tui.core.conversation import Conversation
from tui.core.costs import upper_cost
from tui.core.estimate import Estimator, TurnEstimate
from tui.core.items import Item, Outcome, Target, Turn, Usage, user_message
from tui.core.token_model import FEATURES, Observation, TokenModel, features_of_item, features_of_text, named

RECORDED = json.loads(Path(__file__).with_name("recorded_turns.json").read_text(encoding="utf-8"))
CATALOGUE = parse_catalogue(Path(module.__file__).with_name("catalogue.toml").read_text(encoding="utf-8"))
GPT_54 = CATALOGUE.model("openai.gpt-5.4")
TERRA = CATALOGUE.model("openai.gpt-5.6-terra")
URL = "https://bedrock-mantle.us-west-2.api.aws/openai/v1"


def target_of(model: str = "openai.gpt-5.4") -> Target:
    return Target(model, "us-west-2", "mantle", URL)


def turns_of(recorded: dict[str, Any]) -> list[tuple[Turn, int]]:
    """The turns and the estimate of their files."""
    found: list[tuple[Turn, int]] = []
    parent: str | None = None
    for number, row in enumerate(recorded["turns"]):
        turn = Turn(
            id=f"t{number}",
            parent_id=parent,
            input=tuple(map(Item, row["input"])),
            created_at=100.0 * number,
            output=tuple(map(Item, row["output"])),
            outcome=Outcome.COMPLETED,
            target=target_of(recorded["model"]),
            continuation=recorded["mode"],
            response_id=f"resp_{number}",
            stored=recorded["mode"] == "stateful",
            usage=Usage(*row["usage"]),
            ended_at=100.0 * number + 5,
        )
        parent = turn.id
        found.append((turn, row["files"]))
    return found


def estimate(
    estimator: Estimator, conversation: Conversation, turn: Turn, files: int, mode: Any = None
) -> TurnEstimate:
    assert turn.target is not None
    options = Options(turn.target, 16_384)
    request = continuation_named(mode or turn.continuation).plan(conversation, turn.input, options)
    model = CATALOGUE.model(turn.target.model)
    return estimator.estimate(conversation, request, turn.input, files, model, turn.created_at)


def replayed(recorded: dict[str, Any]) -> list[tuple[TurnEstimate, Turn]]:
    """What was estimated before each turn, having learned from the turns before it only."""
    rows = turns_of(recorded)
    files = {turn.id: count for turn, count in rows}
    estimator = Estimator(lambda turn: files[turn.id])
    conversation = Conversation("c", 0.0)
    found: list[tuple[TurnEstimate, Turn]] = []
    for turn, count in rows:
        found.append((estimate(estimator, conversation, turn, count), turn))
        conversation = conversation.append(turn)
        estimator.learn(conversation)
    return found


@pytest.mark.parametrize("recorded", RECORDED, ids=lambda recorded: recorded["name"])
def test_the_input_is_within_ten_percent_after_the_third_turn(recorded: dict[str, Any]) -> None:
    rows = replayed(recorded)
    assert len(rows) >= 5
    for guess, turn in rows[3:]:
        counted = turn.usage.input_tokens
        assert guess.input_tokens == pytest.approx(counted, rel=0.10), turn.id
        assert counted <= guess.input_most * 1.02


@pytest.mark.parametrize("recorded", RECORDED, ids=lambda recorded: recorded["name"])
def test_what_comes_on_top_of_the_last_count_is_within_ten_percent(
    recorded: dict[str, Any],
) -> None:
    """The harder test: what is known from the server is taken away, what is guessed is left."""
    rows = replayed(recorded)
    guessed = counted = 0
    for (_, before), (guess, turn) in list(pairwise(rows))[2:]:
        guessed += guess.input_tokens - before.usage.input_tokens
        counted += turn.usage.input_tokens - before.usage.input_tokens
    assert guessed == pytest.approx(counted, rel=0.10)


@pytest.mark.parametrize("recorded", RECORDED, ids=lambda recorded: recorded["name"])
def test_the_whole_text_is_within_ten_percent_without_a_count_to_stand_on(recorded: dict[str, Any]) -> None:
    """The weights alone: the whole conversation as one text, from what three turns taught."""
    rows = turns_of(recorded)
    files = {turn.id: count for turn, count in rows}
    estimator = Estimator(lambda turn: files[turn.id])
    learned = Conversation("c", 0.0)
    for turn, _ in rows[:4]:
        learned = learned.append(turn)
    estimator.learn(learned)
    # The same turns without their counts: nothing to stand on.
    path = Conversation("c", 0.0)
    for turn, _ in rows[:-1]:
        path = path.append(replace(turn, usage=Usage(reasoning_tokens=turn.usage.reasoning_tokens)))
    last, count = rows[-1]
    guess = estimate(estimator, path, last, count)
    assert guess.input_tokens == pytest.approx(last.usage.input_tokens, rel=0.10)


def test_both_modes_estimate_the_same_context() -> None:
    recorded = next(row for row in RECORDED if row["name"] == "english")
    rows = turns_of(recorded)
    conversation = Conversation("c", 0.0)
    estimator = Estimator(lambda turn: 0)
    for turn, _ in rows[:-1]:
        conversation = conversation.append(turn)
    estimator.learn(conversation)
    last = rows[-1][0]
    stateful = estimate(estimator, conversation, last, 0, "stateful")
    stateless = estimate(estimator, conversation, last, 0, "stateless")
    assert (stateful.mode, stateless.mode) == ("stateful", "stateless")
    assert stateful.input_tokens == stateless.input_tokens
    assert stateful.draft_tokens < stateful.input_tokens / 4


def test_reasoning_that_is_not_replayed_is_not_counted() -> None:
    recorded = next(row for row in RECORDED if row["name"] == "mixed")
    rows = turns_of(recorded)
    conversation = Conversation("c", 0.0)
    estimator = Estimator(lambda turn: 0)
    for turn, _ in rows[:-1]:
        conversation = conversation.append(turn)
    estimator.learn(conversation)
    last = rows[-1][0]
    with_it = estimate(estimator, conversation, last, 0, "stateless").input_tokens
    assert last.target is not None
    request = continuation_named("stateless").plan(
        conversation, last.input, Options(last.target, 1000, replay_reasoning=False)
    )
    assert request.left_out
    without = estimator.estimate(conversation, request, last.input, 0, TERRA, last.created_at)
    assert without.input_tokens < with_it
    assert without.cacheable_tokens == 0, "the prefix differs from the first turn on"


def conversation_of(*usages: Usage, model: str = "openai.gpt-5.4") -> Conversation:
    conversation = Conversation("c", 0.0)
    for number, usage in enumerate(usages):
        parent = f"t{number - 1}" if number else None
        turn = Turn(f"t{number}", parent, (user_message("Hello there"),), 10.0 * number)
        answered = Item.of(
            {"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": "Hi"}]}
        )
        conversation = conversation.append(
            replace(
                turn,
                output=(answered,),
                outcome=Outcome.COMPLETED,
                target=target_of(model),
                usage=usage,
                response_id=f"r{number}",
                stored=True,
                ended_at=10.0 * number + 1,
            )
        )
    return conversation


def ask(
    conversation: Conversation, now: float = 100.0, model: Any = GPT_54, limit: int = 1000
) -> TurnEstimate:
    estimator = Estimator(lambda turn: 0)
    estimator.learn(conversation)
    items = [user_message("And now?")]
    request = continuation_named("stateful").plan(conversation, items, Options(target_of(model.id), limit))
    return estimator.estimate(conversation, request, items, 0, model, now)


def test_what_could_come_from_the_cache_is_what_was_sent_before_in_whole_steps() -> None:
    assert ask(conversation_of(Usage(900, 0, None, 10, 0, 910))).cacheable_tokens == 0, (
        "too short to be cached"
    )
    told = conversation_of(Usage(5000, 0, None, 10, 0, 5010))
    assert ask(told).cacheable_tokens == 4992, "39 steps of 128"
    assert ask(told, now=1 + 3601.0).cacheable_tokens == 0, "no longer kept"
    elsewhere = ask(told, model=TERRA)
    assert elsewhere.cacheable_tokens == 0, "another model has not seen it"
    unknown = ask(told, model=replace(GPT_54, cacheable_from=None))
    assert unknown.cacheable_tokens is None and unknown.cached_tokens == 0
    assert ask(Conversation("c", 0.0)).cacheable_tokens == 0


def test_what_is_likely_to_come_from_the_cache_follows_what_it_did() -> None:
    never = conversation_of(Usage(5000, 0, None, 10, 0, 5010), Usage(5100, 0, None, 10, 0, 5110))
    assert ask(never).cached_tokens == 0
    always = conversation_of(Usage(5000, 0, None, 10, 0, 5010), Usage(5100, 4992, None, 10, 0, 5110))
    guess = ask(always)
    assert guess.cached_tokens == guess.cacheable_tokens == 4992
    # (input - 4,992) x 2.75 + 4,992 x 0.275 + 10 x 16.50, all millionths
    expected = (guess.input_tokens - 4992) * Decimal("2.75") + 4992 * Decimal("0.275") + 10 * Decimal("16.5")
    assert guess.cost is not None and guess.cost.usd == expected / 1_000_000
    assert guess.output_tokens == 10


def test_at_most_is_nothing_cached_and_the_longest_answer() -> None:
    guess = ask(conversation_of(Usage(5000, 4000, None, 10, 0, 5010)), limit=2000)
    assert guess.output_most == 2000
    assert guess.cost_most == upper_cost(guess.input_most, 2000, GPT_54.prices)
    assert guess.cost_most.usd == (guess.input_most * Decimal("2.75") + 2000 * Decimal("16.5")) / 1_000_000
    assert guess.cost.usd < guess.cost_most.usd
    # Where writes are billed, all of the input may be written: 2.75 instead of 2.20 for each.
    told = conversation_of(Usage(5000, 0, 5000, 10, 0, 5010), model="openai.gpt-5.6-terra")
    dear = ask(told, model=TERRA, limit=0)
    assert dear.output_most == TERRA.max_output
    most = dear.input_most * Decimal("2.75") + dear.output_most * Decimal("13.2")
    assert dear.cost_most.usd == most / 1_000_000
    # Likely: nothing is known of hits, so that all of it is written: 2.75 for each token in, 13.20 out.
    assert dear.cost.usd == (dear.input_tokens * Decimal("2.75") + 10 * Decimal("13.2")) / 1_000_000


def test_what_is_unknown_stays_unknown() -> None:
    guess = ask(Conversation("c", 0.0), model=replace(GPT_54, prices=(), context=None))
    assert guess.cost is None and guess.cost_most is None and guess.window_share is None
    assert guess.learned == 0 and 100 < guess.input_tokens < 250, "the overhead of a request and a few words"
    full = ask(conversation_of(Usage(1_050_000, 0, None, 60_000, 0, 1_110_000)))
    assert full.window_share is not None and full.window_share > 1


def test_characters_are_told_apart_by_their_script() -> None:
    text = "Straße 42!\n" + "море" + "日本語" + "한국" + "  x_y"
    counts = dict(zip(FEATURES, features_of_text(text), strict=True))
    assert (counts["latin"], counts["accented"], counts["digit"], counts["newline"]) == (7, 1, 2, 1)
    assert (counts["alphabet"], counts["ideograph"], counts["sign"], counts["space"]) == (4, 5, 2, 3)
    assert sum(counts.values()) == len(text)


def test_the_content_of_files_and_of_reasoning_is_not_text() -> None:
    pdf = {
        "type": "input_file",
        "filename": "a.pdf",
        "file_data": "data:application/pdf;base64," + "A" * 9000,
    }
    assert features_of_item(user_message("Look", [pdf])) == features_of_item(user_message("Look"))
    sealed = Item.of({"type": "reasoning", "id": "rs_1", "summary": [], "encrypted_content": "g" * 9000})
    assert features_of_item(sealed) == named(item=1, reasoning_item=1)


def test_one_wild_count_does_not_spoil_what_was_learned() -> None:
    model = TokenModel()
    text = features_of_text("words of no importance " * 40)
    for _ in range(6):
        model.learn(Observation(text, 200))
    before = model.guess(text).tokens
    model.learn(Observation(text, 20_000))
    assert before == pytest.approx(200, rel=0.05)
    assert model.guess(text).tokens == pytest.approx(200, rel=0.25)


def test_changed_instructions_change_the_input_and_what_the_cache_can_give() -> None:
    rows = turns_of(RECORDED[0])
    conversation = Conversation("c", 0.0, instructions="Answer in one word.")
    estimator = Estimator(lambda _: 0, lambda _: "Answer in one word.")
    for turn, _ in rows[:4]:
        conversation = conversation.append(turn)
    estimator.learn(conversation)
    turn, _ = rows[4]
    before = estimate(estimator, conversation, turn, 0)
    longer = replace(conversation, instructions="Answer in one word. " * 100)
    after = estimate(estimator, longer, turn, 0)
    assert 300 < after.input_tokens - before.input_tokens < 800
    assert after.cacheable_tokens == 0 and after.cached_tokens == 0
    removed = estimate(estimator, replace(conversation, instructions=""), turn, 0)
    assert -20 < removed.input_tokens - before.input_tokens < 0
