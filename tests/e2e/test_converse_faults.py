"""Converse through the session and the sandbox: what goes wrong in a stream, and what is kept of it."""

from __future__ import annotations

from typing import Any

from support.sessions import make_session, take_turn

from tui.core.cassette import cassette_text, read_cassette
from tui.core.exchange import Exchange
from tui.core.items import Outcome
from tui.sandbox.faults import EXCEPTIONS
from tui.sandbox.server import SandboxServer
from tui.sandbox.tags import FORMS
from tui.session.session import Session

MODEL = "openai.gpt-oss-20b-1:0"
ANSWER = "alpha beta gamma delta"
PROMPT = f"Reply with exactly: {ANSWER}"


async def talk(server: SandboxServer) -> tuple[Session, str]:
    flags: dict[str, Any] = {"model": MODEL, "endpoint": "runtime", "api": "converse"}
    session = make_session(server, sandbox=True, base_url=None, **flags)
    session.settings = session.settings.with_sandbox(f"http://127.0.0.1:{server.port}/openai/v1")
    return session, (await session.new()).id


def same(one: Exchange, other: Exchange) -> bool:
    return (one.response_body, list(one.events), one.outcome, one.error, one.request_id) == (
        other.response_body, list(other.events), other.outcome, other.error, other.request_id,
    )  # fmt: skip


DAMAGE, SAID = "a checksum does not match", "ended the answer with an error"
FAULTS = {
    "a damaged message": ({"bad_crc": 4}, DAMAGE, True),
    "a damaged prelude": ({"bad_prelude": 4}, DAMAGE, True),
    "no end": ({"no_terminal": True}, "ended before the answer did", True),
    "an end amid a frame": ({"end_bytes": 600}, "ended before the answer did", True),
    "a lost connection": ({"cut_bytes": 600}, "broke off", True),
    "an error before anything": ({"status": 400}, "refused the request (400)", False),
    **{kind: ({"exception": kind, "exception_events": 4}, SAID, True) for kind in EXCEPTIONS},
}


async def test_each_ends_the_turn_once_with_a_sentence_and_the_next_turn_goes_on(
    sandbox: SandboxServer,
) -> None:
    session, conversation_id = await talk(sandbox)
    for name, (fault, words, began) in FAULTS.items():
        sandbox.fault({"reasoning": "none", **fault})
        turn = (await take_turn(session, conversation_id, PROMPT)).turn
        sandbox.clear_faults()
        assert turn.outcome is Outcome.FAILED, name
        assert words in (turn.error or ""), name
        assert ANSWER.startswith(turn.text), name
        assert bool(turn.text) is began, name
        (exchange,) = [each for each in session.exchanges(conversation_id) if each.turn_id == turn.id]
        assert exchange.outcome is Outcome.FAILED, name
        assert exchange.error == (turn.error if began else "HTTP status 400"), name
        assert exchange.request_id == turn.request_id is not None
    sandbox.fault({"one_byte": True})
    turn = (await take_turn(session, conversation_id, PROMPT)).turn
    assert (turn.outcome, turn.text) == (Outcome.COMPLETED, ANSWER)
    # As it was on the wire, in the history and in a cassette.
    kept = session.exchanges(conversation_id)
    await session.aclose()
    again = Session(session.settings, session.credentials)
    await again.open(conversation_id)
    loaded = await again.load_exchanges(conversation_id)
    assert len(loaded) == len(kept) == len(FAULTS) + 1
    assert all(map(same, kept, loaded))
    await again.aclose()
    played = read_cassette(cassette_text(kept, {}).encode())
    assert [each.response_body for each in played.exchanges] == [each.response_body for each in kept]
    assert kept[-1].response_body == sandbox.log[-1].sent


async def test_every_form_of_reasoning_in_text(sandbox: SandboxServer) -> None:
    session, conversation_id = await talk(sandbox)
    # The one without an answer last: the prompt after it would be one message with its own.
    for form in sorted(FORMS, key=lambda form: form == "open"):
        sandbox.fault({"reasoning": form})
        turn = (await take_turn(session, conversation_id, PROMPT)).turn
        assert "reasoning>" not in turn.text + turn.reasoning, form
        assert bool(turn.reasoning) is (form != "none"), form
        assert turn.text.strip() == ("" if form == "open" else ANSWER), form
    await session.aclose()
