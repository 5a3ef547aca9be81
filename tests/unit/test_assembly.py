from __future__ import annotations

from typing import Any

from tui.core.assembly import Assembly
from tui.core.events import OutputItemDone, ReasoningDelta, ResponseEnded, ResponseStarted, TextDelta, Unknown
from tui.core.items import Item, Outcome, Turn, Usage, user_message

TURN = Turn("t", None, (user_message("hi"),), 0.0)


def message(text: str) -> dict[str, Any]:
    return {"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": text}]}


def test_text_is_partial_until_its_item_is_done() -> None:
    assembly = Assembly(store=True)
    assembly.take(ResponseStarted("resp_1", "in_progress", {"store": True}))
    assembly.take(TextDelta(0, "m", "Hel"))
    assembly.take(Unknown("response.new_thing"))
    assembly.take(TextDelta(0, "m", "lo"))
    so_far = assembly.onto(TURN)
    assert (so_far.text, so_far.partial_text, so_far.output) == ("Hello", "Hello", ())
    assembly.take(OutputItemDone(0, Item.of(message("Hello"))))
    done = assembly.onto(TURN)
    assert (done.text, done.partial_text, done.response_id, done.stored) == ("Hello", "", "resp_1", True)


def test_what_the_server_says_of_storing_wins() -> None:
    assembly = Assembly(store=True)
    assembly.take(ResponseStarted("resp_1", "in_progress", {"store": False}))
    assert not assembly.onto(TURN).stored


def test_items_come_in_the_server_s_order_and_reasoning_parts_are_paragraphs() -> None:
    assembly = Assembly(store=False)
    assembly.take(ReasoningDelta(0, "r", 0, "first"))
    assembly.take(ReasoningDelta(0, "r", 1, "second"))
    assert assembly.onto(TURN).reasoning == "first\n\nsecond"
    assembly.take(OutputItemDone(1, Item.of(message("b"))))
    assembly.take(OutputItemDone(0, Item.of(message("a"))))
    assert assembly.onto(TURN).text == "ab"


def test_an_item_that_only_the_final_object_holds_is_taken_from_it() -> None:
    assembly = Assembly(store=True)
    assembly.take(TextDelta(0, "m", "par"))
    response = {"id": "resp_1", "output": [message("partial no more")], "usage": {"input_tokens": 3}}
    assembly.take(ResponseEnded("completed", response))
    turn = assembly.onto(TURN)
    assert assembly.outcome is Outcome.COMPLETED
    assert turn.text == "partial no more"
    assert turn.usage == Usage(input_tokens=3)


def test_a_failure_after_the_whole_text_keeps_the_text() -> None:
    assembly = Assembly(store=True)
    assembly.take(TextDelta(0, "m", "all of it"))
    assembly.take(
        ResponseEnded("failed", {"error": {"code": "server_error", "message": "Sorry"}, "output": []})
    )
    assert assembly.outcome is Outcome.FAILED
    assert assembly.error == "Sorry"
    assert assembly.onto(TURN).text == "all of it"


def test_the_reason_of_an_incomplete_answer() -> None:
    assembly = Assembly(store=True)
    assembly.take(ResponseEnded("incomplete", {"incomplete_details": {"reason": "max_output_tokens"}}))
    assert (assembly.outcome, assembly.error) == (Outcome.INCOMPLETE, "max_output_tokens")


def test_counts_that_were_not_reported_are_unknown_not_zero() -> None:
    usage = Usage.from_payload({"input_tokens": 10, "input_tokens_details": {}, "output_tokens": None})
    assert usage == Usage(input_tokens=10)
    assert Usage.from_payload(None) is None
    assert Usage.total([Usage(input_tokens=1), Usage(input_tokens=2, cached_tokens=0)]) == Usage(
        input_tokens=3, cached_tokens=0
    )
