"""What a file of tools may say, and which calls an answer that holds on is for."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tui.core.errors import InputError
from tui.core.tools import Call, Rule, exact_pattern, parse_arguments, pattern_matches
from tui.tools.definitions import read_tools

COMMAND = '[[tool]]\nname = "t"\ndescription = "d"\ncommand = ["true"]\n'

WRONG = {
    "tool = 1": "write [[tool]] above each of them.",
    "[[tool]]": "a tool needs a 'name' of letters, digits, - and _, 64 at most.",
    '[[tool]]\nname = "a b"': "a tool needs a 'name' of letters",
    '[[tool]]\nname = "t"': "tool 't': give either 'function' or 'command'.",
    COMMAND + 'function = "a.py:b"': "tool 't': give either 'function' or 'command'.",
    COMMAND + 'colour = "red"': "tool 't': there is no key 'colour'.",
    COMMAND + "time_limit = 0": "tool 't': 'time_limit' must be a number above 0",
    COMMAND + "time_limit = nan": "tool 't': 'time_limit' must be a number above 0",
    COMMAND + "output_limit = inf": "tool 't': 'output_limit' must be a number above 0",
    COMMAND + "output_limit = true": "tool 't': 'output_limit' must be a number above 0",
    COMMAND + 'type = "free"': "tool 't': 'type' must be \"function\" or \"custom\".",
    COMMAND + COMMAND: "there are two tools called 't'.",
    COMMAND + 'environment = ["AWS_BEARER_TOKEN_BEDROCK"]': "holds a secret; tools are never given one.",
    '[[tool]]\nname = "t"\ncommand = ["true"]': "tool 't': 'description' is missing; the model reads it.",
    '[[tool]]\nname = "t"\ncommand = ["a\\u0000b"]': "tool 't': 'command' must be a list of texts.",
    '[[tool]]\nname = "t"\nfunction = "nowhere.py:run"': "tool 't': there is no file",
    '[[tool]]\nname = "t"\nfunction = "nowhere.py"': "tool 't': 'function' must be \"FILE.py:NAME\".",
    '[[mcp]]\nname = "m"\nurl = "file:///x"': "MCP server 'm': 'url' must begin with http:// or https://.",
    "rounds = 0": "'rounds' must be a whole number above 0.",
    "rounds = ": "Invalid value (at end of document).",
}


@pytest.mark.parametrize("text", WRONG)
def test_what_is_wrong_in_a_file_of_tools_is_named(tmp_path: Path, text: str) -> None:
    file = tmp_path / "tools.toml"
    file.write_text(text)
    with pytest.raises(InputError, match=re.escape(WRONG[text])) as told:
        read_tools(file)
    assert str(told.value).startswith(f"The tools file {file}: ")


def test_a_file_of_tools_is_read_with_its_folder(tmp_path: Path) -> None:
    file = tmp_path / "tools.toml"
    file.write_text('rounds = 3\n[[tool]]\nname = "t"\ndescription = "d"\ncommand = ["./run", "-x"]\n')
    read = read_tools(file)
    (tool,) = read.tools
    assert read.rounds == 3 and tool.command == (str(tmp_path / "run"), "-x")
    assert tool.parameters == {
        "type": "object", "properties": {}, "required": [], "additionalProperties": False,
    }  # fmt: skip


@given(st.text())
def test_any_text_is_a_file_of_tools_or_a_sentence(text: str) -> None:
    from tui.tools.definitions import parse_tools

    try:
        parse_tools(text, Path("/nowhere"), "x")
    except ValueError as error:
        assert str(error)


@pytest.mark.parametrize(
    ("pattern", "arguments", "matches"),
    [
        ({"id": "BC-*"}, {"id": "BC-1"}, True),
        ({"id": "BC-*"}, {"id": "bc-1"}, False),
        ({"id": "BC-*"}, {"id": "BC-1", "more": 1}, False),
        ({"id": "BC-*", "more": "*"}, {"id": "BC-1"}, False),
        ({"n": "[0-9]"}, {"n": 7}, True),
        ({"n": "*"}, {"n": {"a": [1, None]}}, True),
        ({"n": '{"a":1}'}, {"n": {"a": 1}}, True),
        ({}, {}, True),
        ({}, {"n": 1}, False),
    ],
)
def test_a_pattern_is_for_these_arguments_and_no_others(
    pattern: dict[str, str], arguments: dict[str, object], matches: bool
) -> None:
    assert pattern_matches(pattern, arguments) is matches


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=3),
    max_leaves=5,
)
ARGUMENTS = st.dictionaries(st.text(max_size=5), JSON, max_size=4)


@given(ARGUMENTS, ARGUMENTS)
def test_the_exact_pattern_is_for_one_set_of_arguments(
    one: dict[str, object], other: dict[str, object]
) -> None:
    assert pattern_matches(exact_pattern(one), one)
    # A text and a value that is written the same, `1` and `"1"`, are one to a pattern.
    assert pattern_matches(exact_pattern(one), other) == (exact_pattern(one) == exact_pattern(other))


def test_a_rule_is_for_the_tool_it_was_made_for() -> None:
    call = Call("c", "order_status", "function", '{"order_id": "BC-1"}')
    rule = Rule("order_status", "print", {"order_id": "BC-*"})
    assert rule.decides(call, "print")
    assert not rule.decides(call, "another print")
    assert not rule.decides(Call("c", "other", "function", call.arguments), "print")
    assert not rule.decides(Call("c", "order_status", "function", "[1]"), "print")
    assert parse_arguments(Call("c", "t", "custom", "free text")) == {"input": "free text"}
    with pytest.raises(ValueError, match="no valid JSON"):
        parse_arguments(Call("c", "t", "function", "{"))
