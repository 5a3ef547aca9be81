"""The parts that all programs share: what they say of themselves, their tools, how they go on."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Any, Final

from tui.core.export.literal import literal
from tui.core.export.request import TOKEN_VARIABLE, Export, SideFile
from tui.core.items import Target
from tui.core.leaving.parting import Parting, branches_note, recorded_calls
from tui.core.text import visible_line

__all__ = ["GO_ON", "asking", "base_url", "made", "rounds", "tool_lines"]

_SANDBOX: Final = "http://127.0.0.1:8080"

_ROUNDS: Final = (
    "ROUNDS = 16  # of tool calls for one prompt, at most",
    'TOO_MANY = "(No answer: 16 rounds of tool calls were not enough.)"',
)

GO_ON: Final = (
    "",
    "",
    "def prompts():",
    "    if len(sys.argv) > 1:",
    "        yield from sys.argv[1:]",
    "        return",
    "    while True:",
    "        try:",
    '            prompt = input("You: " if sys.stdin.isatty() else "")',
    "        except (EOFError, KeyboardInterrupt):",
    "            return",
    "        if prompt.strip():",
    "            yield prompt",
    "",
    "",
    'if __name__ == "__main__":',
    "    for prompt in prompts():",
    "        print(answer(prompt), flush=True)",
)
"""The end of every program: each argument is a prompt; without any, each line."""


def base_url(target: Target, *, native: bool = False) -> str:
    """Where a program goes; a conversation of the sandbox goes on with a sandbox, never with the service.

    Args:
        target: Of the conversation.
        native: The APIs of AWS's own form: their paths begin at the host.
    """
    if not target.sandbox:
        return target.base_url
    route = (
        ""
        if native
        else (
            "/v1" if target.base_url.endswith("/v1") and "/openai/" not in target.base_url else "/openai/v1"
        )
    )
    return f"{_SANDBOX}/{target.region}{'/runtime' if target.endpoint == 'runtime' else ''}{route}"


def made(
    parting: Parting,
    what: str,
    packages: str,
    lines: Iterable[str],
    files: Sequence[SideFile] = (),
    notes: Sequence[str] = (),
) -> Export:
    """Put a program together.

    Args:
        parting: What leaves.
        what: How it goes on, e.g. `the OpenAI SDK, by the Responses API`.
        packages: For pip.
        lines: The program, imports included.
        files: What must lie beside it.
        notes: What it does otherwise than the conversation, beside `parting.notes`.
    """
    target, path = parting.options.target, parting.conversation.path()
    all_notes = (*branches_note(parting.conversation), *parting.notes, *notes)
    turns = "1 turn" if len(path) == 1 else f"{len(path)} turns"
    head = [
        "#!/usr/bin/env python3",
        f"# A conversation that left Outcrop and goes on with {what}.",
        "#",
        f"# {visible_line(parting.conversation.title) or 'It has no title.'}",
        f"# {turns}; the next answer is by {visible_line(target.model)} in {visible_line(target.region)}.",
        *(f"# {visible_line(note[:1].upper() + note[1:])}." for note in all_notes),
        "#",
        f"#   pip install {packages}",
        *_before(parting),
        '#   python THIS_FILE "The next prompt"    or several; without one, a prompt a line',
    ]
    # Newlines of texts are escapes, so what runs on here is between the parts.
    text = re.sub(r"\n{4,}", "\n\n\n", "\n".join([*head, *lines, *GO_ON]))
    return Export((text + "\n").encode("utf-8"), "py", tuple(files), all_notes)


def _before(parting: Parting) -> list[str]:
    target = parting.options.target
    if not target.sandbox:
        what = "the Bedrock API key" if parting.token_variable == TOKEN_VARIABLE else "the endpoint's token"
        return [f"#   export {parting.token_variable}=…    {what}"]
    lines = ["#   outcrop sandbox --port 8080    it was held with the sandbox: nothing goes to AWS"]
    if target.api != "converse":
        return [*lines, "#   export AWS_BEARER_TOKEN_BEDROCK=sandbox"]
    # botocore sends no bearer token without TLS.
    return [*lines, "#   export AWS_ACCESS_KEY_ID=sandbox AWS_SECRET_ACCESS_KEY=sandbox"]


def rounds(has_tools: bool) -> list[str]:
    """What a program that calls tools is told about how often."""
    return list(_ROUNDS) if has_tools else []


def asking(before: Sequence[str], ask: Sequence[str], calls: Sequence[str], end: Sequence[str]) -> list[str]:
    """A function that gets an answer: once, or as often as the model calls tools.

    Args:
        before: Its head and what comes first.
        ask: What gets one answer, indented as in a function.
        calls: What runs the tools and goes round again; empty without tools.
        end: What gives the answer back.
    """
    if not calls:
        return ["", "", *before, *ask, *end]
    loop = ["    for _ in range(ROUNDS):", *(f"    {line}" for line in (*ask, *calls, *end))]
    return ["", "", *before, *loop, "    return TOO_MANY"]


def tool_lines(parting: Parting) -> list[str]:
    """`run_tool`, which knows what the tools gave in the conversation, and says so where it knows nothing."""
    rows: list[Any] = [
        {"name": call.name, "arguments": call.arguments, "output": call.output}
        for call in recorded_calls(parting)
    ]
    return [
        "",
        "# What the tools gave in the conversation. They are no part of it: put your own code into run_tool.",
        f"RECORDED = {literal(rows)}",
        "",
        "",
        "def run_tool(name, arguments):",
        "    for call in RECORDED:",
        '        if (call["name"], call["arguments"]) == (name, arguments):',
        '            return call["output"]',
        '    return f"{name} is not connected, and no output is recorded for these arguments."',
        "",
    ]
