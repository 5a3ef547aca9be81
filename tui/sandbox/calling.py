"""Which tools a turn calls, and with what: from the words of the prompt, and from what tools returned before.

Section 2 "Function tools" and "Custom tool", VERIFIED (cb) for the shapes; that calls come one round after
the other until none remain is VERIFIED too (the live run gave one call where two were asked for). Which tool
a prompt means is made up: see `_chosen`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

from . import recall, schema
from .context import Context
from .request import CreateRequest
from .shapes import Json, array_at, is_object, object_at

_THEN = re.compile(r"[,;.]?\s*\b(?:and then|then|after that)\b", re.I)
_FOR_EVER = re.compile(r"\bagain and again\b", re.I)
_IDENTIFIER = re.compile(r"\b[A-Z]{1,5}-\d+\b")
_VERBS = frozenset({"get", "look", "find", "fetch", "check", "show", "list", "lookup"})
_CALLS = frozenset({"function_call", "custom_tool_call"})


def calls(request: CreateRequest, context: Context, ids: Callable[[str], str]) -> list[Json]:
    """The calls of this turn; none where the prompt's rounds are over.

    A prompt has a round for each part between its "then"s; with "again and again" it has no end. What the
    last round returned is at hand for the arguments of the next.
    """
    tools: list[Json] = array_at(request.raw, "tools")
    choice: object = request.raw.get("tool_choice") or "auto"
    if not tools or choice == "none":
        return []
    prompt = context.asked.text
    parts = _THEN.split(prompt)
    done = _rounds(context.items)
    if done >= len(parts) and not _FOR_EVER.search(prompt):
        return []
    part = parts[min(done, len(parts) - 1)]
    returned = " ".join(_values(output) for _, output in context.results)
    chosen = _chosen(tools, part, choice, first=done == 0)
    made: list[Json] = []
    for tool in chosen:
        for text in _subjects(tool, part):
            about = text if _IDENTIFIER.search(text) else f"{returned} {text}".strip()
            made.append(_call(tool, about, ids))
    return made[:1] if request.raw.get("parallel_tool_calls") is False else made


def returned(items: list[Json]) -> str:
    """What every tool returned since the user last said something, newest last."""
    texts: list[str] = []
    for item in items:
        if item.get("role") == "user":
            texts.clear()
        elif str(item.get("type")).endswith("_call_output") and isinstance(item.get("output"), str):
            texts.append(_values(item["output"]))
    return " ".join(texts)


def _values(output: str) -> str:
    """What a tool returned, without the names and signs of JSON."""
    try:
        value: object = json.loads(output)
    except ValueError:
        return output
    return " ".join(str(entry) for entry in value.values()) if is_object(value) else output


def _rounds(items: list[Json]) -> int:
    """How many rounds of calls came since the user last said something."""
    count = 0
    before = ""
    for item in items:
        kind = str(item.get("type") or "message")
        if item.get("role") == "user":
            count = 0
        elif kind in _CALLS and before not in _CALLS:
            count += 1
        before = kind
    return count


def _chosen(tools: list[Json], part: str, choice: object, *, first: bool) -> list[Json]:
    """ASSUMED: `auto` calls the tools that are named, else those whose name or description shares a word."""
    if is_object(choice):
        named: Any = choice["name"]
        return [tool for tool in tools if tool["name"] == named]
    asked = set(recall.words(part))
    meant = [tool for tool in tools if (words := _name_words(tool)) and words <= asked]
    meant = meant or [tool for tool in tools if asked & _tool_words(tool)]
    return meant or (tools[:1] if choice == "required" and first else [])


def _name_words(tool: Json) -> set[str]:
    words = set(recall.words(tool["name"].replace("_", " ")))
    return words - _VERBS or words


def _tool_words(tool: Json) -> set[str]:
    return set(recall.words(f"{tool['name'].replace('_', ' ')} {tool.get('description') or ''}"))


def _subjects(tool: Json, part: str) -> list[str]:
    """What a tool is called about: each identifier for itself, where it takes one."""
    found = list(dict.fromkeys(_IDENTIFIER.findall(part)))
    properties = object_at(object_at(tool, "parameters"), "properties")
    if len(found) > 1 and any(str(name).endswith("id") for name in properties):
        return found
    return [part]


def _call(tool: Json, prompt: str, ids: Callable[[str], str]) -> Json:
    if tool["type"] == "custom":
        # Section 2 "Custom tool", VERIFIED (cb): free text.
        return {
            "id": ids("ctc"), "type": "custom_tool_call", "call_id": ids("call"), "name": tool["name"],
            "input": recall.one_line(prompt),
        }  # fmt: skip
    arguments = schema.example(tool.get("parameters") or {"type": "object"}, prompt)
    return {
        "id": ids("fc"), "type": "function_call", "status": "completed", "call_id": ids("call"),
        "name": tool["name"], "arguments": json.dumps(arguments, ensure_ascii=False),
    }  # fmt: skip
