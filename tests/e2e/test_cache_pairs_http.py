"""Ten pairs of requests over real HTTP, each differing in one place: the cache's report names the place."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
from support.sessions import make_session, take_turn
from ui_stand_in import until

from tui.app import OutcropApp
from tui.core.cache_analysis import CacheReport
from tui.core.exchange import Exchange
from tui.sandbox.server import SandboxServer
from tui.session.session import Session
from tui.widgets.inspection.page import PageLines
from tui.widgets.inspector import Inspector

Body = dict[str, Any]
LONG = "Basalt is dark and dense, and forms columns as it cools. " * 200
MODES = ["stateful", "stateless"]


def tool(name: str, text: str = "Looks up.") -> Body:
    parameters = {"type": "object", "properties": {"id": {"type": "string"}}}
    return {"type": "function", "name": name, "description": text, "parameters": parameters}


def user(text: str) -> Body:
    return {"role": "user", "content": text}


def extended(body: Body) -> Body:
    """A recorded body with all that a pair may differ in."""
    return {
        **body,
        "instructions": LONG,
        "tools": [tool("get_order"), tool("get_user")],
        "tool_choice": "none",
        "prompt_cache_key": "k",
        "text": {"format": {"type": "text"}, "verbosity": "low"},
        "input": [*body["input"], user("One more."), user("Say yes, as json or not.")],
    }


PAIRS: dict[str, tuple[Callable[[Body], object], str, str]] = {
    "model": (
        lambda b: b.update(model="openai.gpt-5.6-terra"),
        "model", "model changed: openai.gpt-5.4 before, openai.gpt-5.6-terra now",
    ),
    "key": (
        lambda b: b.update(prompt_cache_key="other"), "key", "cache key changed: k before, other now",
    ),
    "instructions": (
        lambda b: b.update(instructions=f"Now {LONG}"), "instructions", "instructions changed: ",
    ),
    "tools-order": (
        lambda b: b["tools"].reverse(),
        "tools", "tool list reordered: get_order, get_user before, get_user, get_order now",
    ),
    "tool-text": (
        lambda b: b["tools"][1].update(description="Finds."),
        "tools", 'tool get_user changed: description: "Looks up." became "Finds."',
    ),
    "tool-added": (
        lambda b: b["tools"].insert(0, tool("get_place")), "tools", "tool get_place added",
    ),
    "format": (
        lambda b: b["text"].update(format={"type": "json_object"}), "format", "text format added",
    ),
    "item-differs": (
        lambda b: b["input"][-2].update(content="One less."),
        "item", '(user message) differs: content[0].text: "One more." became "One less."',
    ),
    "item-missing": (
        lambda b: b["input"].pop(-2), "item", "(user message) of the previous request is missing",
    ),
    "item-new": (
        lambda b: b["input"].insert(-2, user("Zero.")), "item", "(user message) is new: it stands before",
    ),
}  # fmt: skip


@pytest.fixture
async def session(sandbox: SandboxServer) -> AsyncIterator[Session]:
    made = make_session(sandbox)
    yield made
    await made.aclose()


async def recorded(session: Session, mode: Any) -> Exchange:
    """The second request of a conversation."""
    conversation = await session.new()
    await session.set_continuation(conversation.id, mode)
    await take_turn(session, conversation.id, "My name is Ada.")
    await take_turn(session, conversation.id, "Reply with exactly: two")
    return session.exchanges(conversation.id)[-1]


async def sent(session: Session, original: Exchange, body: Body) -> Exchange:
    """The exchange of this body, sent through the recorder."""
    data = json.dumps(body).encode()
    (row,) = [row async for row in session.replay(original, body=data)]
    assert (row.status, row.outcome) == (200, "completed"), row.error
    exchange = session.exchanges(original.conversation_id)[-1]
    assert exchange.request_body == data
    return exchange


async def report(session: Session, exchange: Exchange) -> CacheReport:
    found = await session.cache_report(exchange)
    assert found is not None
    return found


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("pair", PAIRS)
async def test_the_place_is_named(session: Session, mode: str, pair: str) -> None:
    original = await recorded(session, mode)
    base = extended(json.loads(original.request_body))
    assert ("previous_response_id" in base) == (mode == "stateful")
    change, kind, words = PAIRS[pair]
    before = await sent(session, original, base)
    again = await report(session, await sent(session, original, base))
    # The same bytes again: nothing differs, and the server's cache served it.
    assert again.causes == () and again.prefix.whole and again.cached_tokens
    changed = json.loads(json.dumps(base))
    change(changed)
    exchange = await sent(session, original, changed)
    found = await report(session, exchange)
    assert found.previous not in ("", exchange.id, before.id)
    # A prefix that ends early may be too short to be cached, too: that is said after the place.
    assert [cause.kind for cause in found.causes if cause.kind != "minimum"] == [kind], found.verdict
    assert found.causes[0].kind == kind
    assert words in found.causes[0].words
    assert found.causes[0].words.lower() in found.verdict.lower()
    assert found.input_tokens is not None and found.cached_tokens is not None
    assert found.cached_tokens < found.input_tokens
    if kind == "item":
        # What stands before it was served still, and no more than both begin with.
        assert found.cached_tokens > 0
        assert found.prefix.items and not found.prefix.whole
        assert (found.prefix.remembered > 0) == (mode == "stateful")
    elif kind in ("model", "key"):
        assert found.cached_tokens == 0


def beginning(page: PageLines) -> str:
    """What stands above the body in the tab."""
    rows = page.rows
    texts = [rows.row(index, 80).text for index in range(min(len(rows), 12))]
    return " ".join(" ".join(texts).split()).lower()


async def test_the_cache_tab_shows_the_place(session: Session) -> None:
    original = await recorded(session, "stateful")
    base = extended(json.loads(original.request_body))
    names = list(PAIRS)
    for name in names:
        await sent(session, original, base)
        changed = json.loads(json.dumps(base))
        PAIRS[name][0](changed)
        await sent(session, original, changed)
    app = OutcropApp(session, open_conversation=original.conversation_id)
    async with app.run_test(size=(200, 60)) as pilot:
        await until(pilot, lambda: app.chat.conversation_id == original.conversation_id)
        await pilot.press("f12")
        await until(pilot, lambda: len(app.query(Inspector)) == 1)
        await pilot.press("6")
        shown = app.query_one(Inspector)._page
        for name in reversed(names):
            words = PAIRS[name][2].partition(":")[0]
            await until(pilot, lambda words=words: words.lower() in beginning(shown))
            await pilot.press("K", "K")
        await app.chat.shut_down()
