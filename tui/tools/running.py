"""Describing a tool to the model, and running it."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, cast

from tui.core.errors import InputError
from tui.core.items import dump_json
from tui.core.text import storable, visible_line
from tui.tools.definitions import Tool
from tui.tools.process import Finished, clean_environment, run_program

__all__ = ["Output", "definition_of", "described", "run_tool"]

_DESCRIBE_LIMIT: Final = 20.0


@dataclass(frozen=True, slots=True)
class Output:
    """What goes back to the model.

    Attributes:
        text: The tool's output, or what went wrong, in words.
        failed: Whether it went wrong.
    """

    text: str
    failed: bool = False


async def described(tool: Tool) -> str:
    """The tool's entry of the request's `tools`, as JSON text. Imports the code of a Python function.

    Raises:
        InputError: The function cannot be imported or described.
    """
    description, parameters = tool.description, tool.parameters
    if tool.runner == "python":
        answer = await _child(tool, {"do": "describe"}, _DESCRIBE_LIMIT)
        told = answer.get("ok")
        if not isinstance(told, dict):
            raise InputError(f"The tool {tool.name} cannot be used: {visible_line(str(answer['error']))}")
        fields = cast("dict[str, Any]", told)
        description = description or str(fields["description"])
        parameters = cast("dict[str, Any]", fields["parameters"])
        if not description:
            raise InputError(f"The tool {tool.name} needs a docstring: the model reads it.")
    return definition_of(tool, description, parameters)


def definition_of(tool: Tool, description: str, parameters: Mapping[str, Any] | None) -> str:
    """The entry of `tools`: the flat shape of the Responses API (bedrock-facts.md 2)."""
    if tool.kind == "custom":
        entry: dict[str, Any] = {"type": "custom", "name": tool.name, "description": description}
        return dump_json({**entry, "format": {"type": "text"}})
    schema = dict(parameters or {})
    return dump_json(
        {
            "type": "function",
            "name": tool.name,
            "description": description,
            "parameters": schema,
            "strict": _is_strict(schema),
        }
    )


def _is_strict(schema: object) -> bool:
    """Whether a schema keeps the rules of strict mode: closed objects, every property required."""
    if isinstance(schema, list):
        return all(_is_strict(entry) for entry in cast("list[object]", schema))
    if not isinstance(schema, Mapping):
        return True
    fields = cast("Mapping[str, Any]", schema)
    if fields.get("type") == "object" or "properties" in fields:
        required: set[str] = set(fields.get("required") or ())
        if fields.get("additionalProperties") is not False or required != set(fields.get("properties") or ()):
            return False
    return "default" not in fields and all(_is_strict(value) for value in fields.values())


async def run_tool(tool: Tool, arguments: str) -> Output:
    """Run a tool with the arguments of a call: JSON, or a custom tool's text.

    What goes wrong is an `Output` too. A cancellation ends the tool and goes on.
    """
    try:
        if tool.runner == "python":
            return await _run_python(tool, arguments)
        return await _run_command(tool, arguments)
    except OSError as error:
        return Output(f"The tool could not be started: {error.strerror or error}.", failed=True)


async def _run_python(tool: Tool, arguments: str) -> Output:
    custom = tool.kind == "custom"
    request = {"do": "call_text" if custom else "call"}
    given = arguments if custom else json.loads(arguments or "{}")
    answer = await _child(tool, {**request, "input": given, "limit": tool.output_limit}, tool.time_limit)
    if "ok" not in answer:
        return Output(storable(str(answer["error"])), failed=True)
    text, size = storable(str(answer["ok"])), int(answer.get("size", 0))
    return Output(text + _cut_words(size, tool.output_limit) if size > tool.output_limit else text)


async def _child(tool: Tool, request: Mapping[str, Any], time_limit: float) -> dict[str, Any]:
    """Ask the child process; it answers `ok` or `error`."""
    assert tool.file is not None
    # UTF-8 whatever the locale says. -P: the folder it runs in is no place to import from.
    environment = {**clean_environment(os.environ, tool.environment), "PYTHONUTF8": "1"}
    finished = await run_program(
        [sys.executable, "-P", "-m", "tui.tools.child"],
        dump_json({**request, "file": str(tool.file.resolve()), "function": tool.function}).encode(),
        folder=tool.folder,
        environment=environment,
        time_limit=time_limit,
        # In JSON a character may be written as six, and the answer must not be cut in the middle.
        output_limit=max(tool.output_limit * 6, 1_000_000) + 1000,
    )
    if finished.timed_out:
        return {"error": _timed_out(time_limit)}
    try:
        return cast("dict[str, Any]", json.loads(finished.output))
    except ValueError:
        return {"error": _ended_badly(finished)}


async def _run_command(tool: Tool, arguments: str) -> Output:
    finished = await run_program(
        tool.command,
        arguments.encode("utf-8", "replace"),
        folder=tool.folder,
        environment=clean_environment(os.environ, tool.environment),
        time_limit=tool.time_limit,
        output_limit=tool.output_limit,
    )
    text = storable(finished.output.decode("utf-8", "replace"))
    if finished.size > len(finished.output):
        text += _cut_words(finished.size, tool.output_limit)
    if finished.timed_out:
        return Output("\n".join(part for part in (text, _timed_out(tool.time_limit)) if part), failed=True)
    if finished.status != 0:
        return Output("\n".join(part for part in (text, _ended_badly(finished)) if part), failed=True)
    return Output(text)


def _cut_words(size: int, limit: int) -> str:
    return f"\n[The output was {size:,} bytes long; the first {limit:,} are here.]"


def _timed_out(limit: float) -> str:
    return f"The tool was ended: it ran longer than {limit:g} s."


def _ended_badly(finished: Finished) -> str:
    how = f"signal {-finished.status}" if finished.status < 0 else f"exit status {finished.status}"
    errors = storable(finished.errors.decode("utf-8", "replace")).strip()
    return f"The tool ended with {how}." + (f"\n{errors}" if errors else "")
