from __future__ import annotations

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from tui.config.settings import load_settings
from tui.core.assembly import Assembly
from tui.core.background import (
    answer_events,
    is_running,
    last_sequence_number,
    poll_interval,
    running_turns,
    undelivered,
    why_not_in_background,
)
from tui.core.conversation import Conversation
from tui.core.events import OutputItemAdded, OutputItemDone, ResponseEnded, TextDelta
from tui.core.exchange import Exchange, SseRecord
from tui.core.items import Outcome, Target, Turn, user_message

HERE = Target("openai.gpt-5.4", "us-west-2", "mantle", "https://example.test/openai/v1")


def message(index: int, *texts: str, status: str = "completed") -> dict[str, object]:
    content = [{"type": "output_text", "text": text} for text in texts]
    return {
        "id": f"msg_{index}",
        "type": "message",
        "role": "assistant",
        "status": status,
        "content": content,
    }


def response(*output: dict[str, object], status: str = "completed") -> dict[str, object]:
    return {"id": "resp_1", "status": status, "output": list(output), "store": True}


def assembled(events: list[object]) -> Turn:
    assembly = Assembly(store=True, response_id="resp_1")
    for event in events:
        assembly.take(event)  # type: ignore[arg-type]
    return assembly.onto(Turn("t", None, (user_message("?"),), 0.0))


def test_intervals_grow_up_to_a_limit_and_failures_have_their_own() -> None:
    intervals = [poll_interval(polls) for polls in range(40)]
    assert intervals == sorted(intervals)
    assert intervals[0] == 1.0
    assert len(set(intervals[:6])) == 6
    assert max(intervals) == 15.0
    failing = [poll_interval(3, failures) for failures in range(1, 2000)]
    assert failing == sorted(failing)
    assert failing[0] == 2.0
    assert failing[-1] == 60.0


def test_where_a_turn_cannot_run_in_the_background() -> None:
    catalogue = load_settings({}, {}).catalogue
    assert why_not_in_background(HERE, "stateful", catalogue) is None
    assert why_not_in_background(replace(HERE, model="unknown"), "stateful", catalogue) is None
    assert "stateless" in str(why_not_in_background(HERE, "stateless", catalogue))
    for other in (
        replace(HERE, model="us.openai.gpt-5.6-sol", endpoint="runtime"),
        replace(HERE, model="openai.gpt-5.6-sol", api="chat_completions"),
    ):
        assert "use Responses on mantle for that. Send" in str(
            why_not_in_background(other, "stateful", catalogue)
        )
    poor = next(row for row in catalogue.models if "background" not in row.features)
    assert poor.label in str(why_not_in_background(replace(HERE, model=poor.id), "stateful", catalogue))
    converse = replace(HERE, model=poor.places[1].ids[0], endpoint="runtime", api="converse")
    assert why_not_in_background(converse, "stateful", catalogue) == (
        "Converse on runtime has no background turns. Send it without."
    )


def test_only_what_the_server_named_and_has_not_ended_is_running() -> None:
    turn = Turn("t", None, (user_message("?"),), 0.0, background=True, response_id="resp_1")
    assert is_running(turn)
    for other in (
        replace(turn, background=False),
        replace(turn, response_id=None),
        replace(turn, outcome=Outcome.CANCELLED),
    ):
        assert not is_running(other)
    ended = replace(turn, id="u", outcome=Outcome.COMPLETED)
    assert running_turns(Conversation("c", 0.0).append(ended).append(turn)) == (turn,)


def test_an_answer_becomes_the_turn_that_a_stream_would_have_made() -> None:
    reasoning = {"id": "rs_1", "type": "reasoning", "summary": [{"type": "summary_text", "text": "hm"}]}
    turn = assembled(list(answer_events(response(reasoning, message(1, "one", "two"), message(2, "three")))))
    assert turn.text == "onetwothree"
    assert turn.reasoning == "hm"
    assert turn.output[0].payload == reasoning
    assert turn.partial_text == ""


def test_unfinished_items_of_a_cancelled_answer_are_partial_text() -> None:
    events = answer_events(
        response(message(0, "whole"), message(1, "half", status="incomplete"), status="cancelled")
    )
    turn = assembled(list(events))
    assert [item.payload["id"] for item in turn.output] == ["msg_0"]
    assert turn.partial_text == "half"
    assert isinstance(events[-1], ResponseEnded)


@given(st.lists(st.text(max_size=6), min_size=1, max_size=4), st.data())
def test_nothing_is_told_twice_and_nothing_is_left_out(texts: list[str], data: st.DataObject) -> None:
    whole = "".join(texts)
    delivered = whole[: data.draw(st.integers(0, len(whole)))]
    events = answer_events(response(*(message(index, text) for index, text in enumerate(texts))))
    rest = undelivered(events, delivered)
    assert delivered + "".join(event.delta for event in rest if isinstance(event, TextDelta)) == whole
    assert [event for event in rest if not isinstance(event, TextDelta)] == [
        event for event in events if not isinstance(event, TextDelta)
    ]


def test_items_told_to_be_finished_are_not_told_again() -> None:
    events = answer_events(response(message(0, "a"), message(1, "b")))
    rest = undelivered(events, "a", 1)
    assert {event.output_index for event in rest if isinstance(event, (OutputItemAdded, OutputItemDone))} == {
        1
    }


def test_an_answer_that_differs_from_what_was_shown_adds_no_text() -> None:
    rest = undelivered(answer_events(response(message(0, "another"))), "something")
    assert not any(isinstance(event, TextDelta) for event in rest)


def test_the_last_number_is_that_of_the_last_whole_event() -> None:
    exchange = Exchange("x", 1, 1, "c", "t", "POST", "https://example.test", (), b"", 0.0)
    assert last_sequence_number(exchange) is None
    for data in (
        '{"sequence_number":4}',
        '{"sequence_number":5}',
        "[DONE]",
        '{"sequence_number":6',
    ):
        exchange.events.append(SseRecord(0.0, "x", data, 0, 0))
    assert last_sequence_number(exchange) == 5
