"""What a line of the list of turns says."""

from __future__ import annotations

from tui.core.items import Item, Turn, user_message
from tui.screens.turn_table import TurnLine, TurnTable, TurnWords

OUTPUT = Item.of({"type": "function_call_output", "call_id": "c", "output": "late"})


def test_a_turn_that_carries_outputs_of_tools_says_so() -> None:
    assert TurnWords.of(Turn("a", None, (user_message("Where is  it?\n"),), 0.0)) == TurnWords("Where is it?")
    assert TurnWords.of(Turn("b", "a", (OUTPUT,), 0.0)) == TurnWords("output of a tool call", step=True)
    assert TurnWords.of(Turn("b", "a", (OUTPUT, OUTPUT), 0.0)).prompt == "outputs of 2 tool calls"


def test_the_next_turn_is_a_line_without_a_turn() -> None:
    assert TurnTable().words(TurnLine(None, 3, "2/2")) == TurnWords("what you send next")
