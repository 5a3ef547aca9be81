"""Why did the cache miss: ten places where two requests differ, each named, stateful and stateless."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any, Literal

import pytest
from support.exchanges import created, made_up

from tui.core.cache_analysis import CacheReport, CacheRules, cache_report, previous_create
from tui.core.conversation import Conversation
from tui.core.effective_context import Contexts
from tui.core.exchange import Exchange
from tui.core.items import Item, Outcome, Turn

Mode = Literal["stateful", "stateless"]
Body = dict[str, Any]
RULES = CacheRules(1024, 600.0)
LONG = "Basalt is dark. " * 400


def tool(name: str, text: str = "Looks up.") -> Body:
    parameters = {"type": "object", "properties": {"id": {"type": "string"}}}
    return {"type": "function", "name": name, "description": text, "parameters": parameters}


COMMON: Body = {
    "model": "openai.gpt-5.4",
    "instructions": LONG,
    "tools": [tool("get_order"), tool("get_user")],
    "prompt_cache_key": "k",
    "prompt_cache_retention": "in_memory",
    "text": {"format": {"type": "json_object"}, "verbosity": "low"},
}


def user(text: str) -> Body:
    return {"role": "user", "content": text}


def usage(tokens: int, cached: int | None = 0) -> Body:
    return {"input_tokens": tokens, "output_tokens": 5, "input_tokens_details": {"cached_tokens": cached}}


def conversation_of(
    mode: Mode, prompts: list[str], change: Callable[[Body], object] = lambda body: None
) -> list[Exchange]:
    """Exchanges of a conversation with 3,000 tokens of input; `change` edits the body of the last one."""
    exchanges: list[Exchange] = []
    items: list[Body] = []
    for number, prompt in enumerate(prompts, 1):
        body = json.loads(json.dumps(COMMON))
        items.append(user(prompt))
        if mode == "stateful":
            body["input"] = [items[-1]]
            if number > 1:
                body["previous_response_id"] = f"resp_{number - 1}"
        else:
            body["input"] = json.loads(json.dumps(items))
        more: dict[str, Any] = {}
        if number == len(prompts):
            more = change(body) or {}  # type: ignore[assignment]
        exchanges.append(created(body, number=number, usage=usage(3000), **more))
        items += json.loads(exchanges[-1].events[-1].data)["response"]["output"]
    return exchanges


def report(exchanges: list[Exchange], conversation: Conversation | None = None) -> CacheReport:
    found = cache_report(exchanges[-1], exchanges, conversation, RULES)
    assert found is not None
    return found


def later(seconds: float) -> Callable[[Body], Body]:
    return lambda _: {"started_at": 1_800_000_000.0 + 120 + seconds}


PAIRS: list[tuple[str, Callable[[Body], Any], str]] = [
    (
        "model",
        lambda b: b.update(model="openai.gpt-5.5"),
        "model changed: openai.gpt-5.4 before, openai.gpt-5.5 now",
    ),
    (
        "region",
        lambda b: {"url": "https://bedrock-mantle.us-east-2.api.aws/openai/v1/responses"},
        "region changed: us-west-2 before, us-east-2 now",
    ),
    ("key", lambda b: b.update(prompt_cache_key="other"), "cache key changed: k before, other now"),
    (
        "retention",
        lambda b: b.update(prompt_cache_retention=None),
        "cache retention (prompt_cache_retention) changed: in_memory before, none now",
    ),
    (
        "expired",
        later(1440),
        "expired: 25 minutes after the previous request, and the cache keeps for 10 minutes",
    ),
    (
        "instructions",
        lambda b: b.update(instructions=LONG[:-4] + "wet."),
        "instructions changed: … ",
    ),
    (
        "tools",
        lambda b: b["tools"].reverse(),
        "tool list reordered: get_order, get_user before, get_user, get_order now",
    ),
    (
        "tools",
        lambda b: b["tools"][1].update(description="Finds."),
        'tool get_user changed: description: "Looks up." became "Finds."',
    ),
    ("tools", lambda b: b["tools"].insert(0, tool("get_place")), "tool get_place added"),
    (
        "format",
        lambda b: b["text"].update(format={"type": "json_schema", "name": "n", "schema": {}}),
        'text format changed: type: "json_object" became "json_schema" (and 2 more)',
    ),
]


@pytest.mark.parametrize("mode", ["stateful", "stateless"])
@pytest.mark.parametrize(
    ("kind", "change", "words"), PAIRS, ids=[f"{n}-{row[0]}" for n, row in enumerate(PAIRS)]
)
def test_the_place_is_named(mode: Mode, kind: str, change: Callable[[Body], Any], words: str) -> None:
    found = report(conversation_of(mode, ["one", "two"], change))
    assert [cause.kind for cause in found.causes if cause.kind != "minimum"] == [kind]
    if kind == "instructions":
        assert found.causes[0].words.startswith("instructions changed: …")
        assert found.causes[0].words.endswith('wet."')
    else:
        assert found.causes[0].words == words
    assert found.verdict.startswith("Nothing came from the cache: " + found.causes[0].words)
    assert found.previous == "exchange0001"


@pytest.mark.parametrize("mode", ["stateful", "stateless"])
def test_an_item_that_differs_is_named(mode: Mode) -> None:
    exchanges = conversation_of(mode, ["one", "two", "three"])
    # The second prompt is sent again, edited: a fork.
    edited = conversation_of(mode, ["one", "zwei"])[-1]
    fork = created(json.loads(edited.request_body), number=4, usage=usage(3000))
    found = report([*exchanges, fork])
    assert [cause.words for cause in found.causes] == [
        'item 4 (user message) differs: content[0].text: "two" became "zwei"'
    ]
    assert (found.prefix.items, found.prefix.whole) == (3, False)
    assert found.prefix.remembered == (3 if mode == "stateful" else 0)


@pytest.mark.parametrize("mode", ["stateful", "stateless"])
def test_an_item_that_is_missing_or_new_is_named(mode: Mode) -> None:
    exchanges = conversation_of(mode, ["one", "two"])
    whole = conversation_of("stateless", ["one", "two", "three"])[-1]
    body = json.loads(whole.request_body)
    without = created({**body, "input": body["input"][:1] + body["input"][2:]}, number=3, usage=usage(3000))
    assert (
        report([*exchanges, without]).causes[0].words
        == "item 2 (reasoning) of the previous request is missing"
    )
    inserted = created({**body, "input": [user("zero"), *body["input"]]}, number=3, usage=usage(3000))
    assert report([*exchanges, inserted]).causes[0].words == (
        "item 1 (user message) is new: it stands before what was item 1"
    )


@pytest.mark.parametrize("mode", ["stateful", "stateless"])
def test_the_same_prefix_and_a_zero_is_said_as_it_is(mode: Mode) -> None:
    found = report(conversation_of(mode, ["one", "two", "three"]))
    assert found.causes == ()
    assert found.verdict == "The prefix is the same; the server reported 0."
    assert found.prefix.whole
    assert (found.prefix.tokens, found.prefix.counted) == (3000, True)
    assert found.prefix.items == 4


def test_a_switch_of_the_mode_changes_nothing_the_model_sees() -> None:
    stateful = conversation_of("stateful", ["one", "two"])
    stateless = conversation_of("stateless", ["one", "two", "three"])[-1]
    found = report([*stateful, stateless])
    assert found.causes == ()
    assert (found.prefix.items, found.prefix.remembered) == (4, 0)


def test_spellings_that_are_the_same_to_the_model_are_the_same() -> None:
    first = created({**COMMON, "input": "one"}, usage=usage(3000))
    part = {"type": "input_text", "text": "one"}
    message = {"id": "x", "type": "message", "role": "user", "content": [part], "status": None}
    second = created(
        {**COMMON, "input": [message, user("2")]},
        number=2, usage=usage(3000),
    )  # fmt: skip
    assert report([first, second]).causes == ()


def test_short_prompts_and_first_requests() -> None:
    def body(*prompts: str) -> Body:
        return {"model": "openai.gpt-5.4", "input": [user(prompt) for prompt in prompts]}

    first = created(body("one"), usage=usage(20))
    assert [cause.kind for cause in report([first]).causes] == ["first", "minimum"]
    second = created(body("one", "two"), number=2, usage=usage(40))
    assert report([first, second]).causes[0].words == (
        "below the minimum: what both begin with is 20 tokens, and nothing under 1,024 is cached"
    )


def test_what_the_server_said() -> None:
    for cached, verdict in (
        (2944, "2,944 of 3,000 input tokens came from the cache. The prefix is the same as before."),
        (None, "The server did not say what it cached. The prefix is the same as before."),
    ):
        exchanges = conversation_of("stateless", ["one", "two"])
        exchanges[-1] = created(json.loads(exchanges[-1].request_body), number=2, usage=usage(3000, cached))
        assert report(exchanges).verdict == verdict
    served = conversation_of(
        "stateless", ["one", "two", "three"], lambda b: b["input"][3].update(content="zwei")
    )
    served[-1] = created(
        json.loads(served[-1].request_body), number=3, started_at=9e9,
        usage={**usage(3000), "input_tokens_details": {"cached_tokens": 1024, "cache_write_tokens": 500}},
    )  # fmt: skip
    found = report(served)
    # It was served, so it had not expired.
    assert [cause.kind for cause in found.causes] == ["item"]
    assert found.verdict == (
        "1,024 of 3,000 input tokens came from the cache. 500 were written to it. "
        'Item 4 (user message) differs: content[0].text: "two" became "zwei".'
    )
    assert found.written_tokens == 500


@pytest.mark.parametrize("mode", ["stateful", "stateless"])
def test_the_ranges_are_those_of_the_shared_parts_in_the_body(mode: Mode) -> None:
    exchanges = conversation_of(mode, ["äöü 🎉", "two"])
    found = report(exchanges)
    body = exchanges[-1].request_body
    parsed = json.loads(body)
    shared = [json.loads(body[start:end]) for start, end in found.prefix.ranges]
    before = parsed["input"][:1] if mode == "stateless" else []
    expected = [parsed["instructions"], *parsed["tools"], parsed["text"]["format"], *before]
    assert sorted(map(str, shared)) == sorted(map(str, expected))
    assert list(found.prefix.ranges) == sorted(found.prefix.ranges)


def test_turns_stand_in_for_exchanges_that_are_gone() -> None:
    exchanges = conversation_of("stateful", ["one", "two", "three"])
    output = json.loads(exchanges[0].events[-1].data)["response"]["output"]
    turn = Turn(
        "t1", None, (Item.of(user("one")),), 0.0, output=tuple(Item.of(item) for item in output),
        outcome=Outcome.COMPLETED, response_id="resp_1",
    )  # fmt: skip
    conversation = Conversation("c", 0.0).append(turn)
    kept = exchanges[1:]
    assert Contexts(kept).of(kept[-1]).missing == "resp_1"
    # Both chain from it, so what it stands for is the same on both sides.
    assert report(kept).causes == ()
    whole = Contexts(kept, conversation).of(kept[-1])
    assert whole.missing == ""
    assert [piece.text for piece in whole.pieces] == [
        piece.text for piece in Contexts(exchanges).of(exchanges[-1]).pieces
    ]
    stateless = conversation_of("stateless", ["one", "two", "three", "four"])[-1]
    assert [cause.kind for cause in report([*kept, stateless]).causes] == ["unknown"]
    assert report([*kept, stateless], conversation).causes == ()


def test_what_is_no_request_for_a_response_has_no_report() -> None:
    first, second = conversation_of("stateless", ["one", "two"])
    assert cache_report(made_up(method="GET", url=first.url + "/resp_1"), [first]) is None
    assert cache_report(made_up(b"{"), [first]) is None
    # A request that was refused filled no cache.
    refused = created(json.loads(second.request_body), number=3, status=429)
    fourth = created(json.loads(second.request_body), number=4)
    assert previous_create(fourth, [first, second, refused, fourth]) is second


def test_a_loop_of_ids_ends() -> None:
    looped = created({**COMMON, "input": "x", "previous_response_id": "resp_1"}, number=1)
    assert len(Contexts([looped]).of(looped).pieces) == 8
