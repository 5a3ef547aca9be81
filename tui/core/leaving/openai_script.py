"""A program that goes on with OpenAI's SDK: by the Responses API, or by Chat Completions."""

from __future__ import annotations

import re
from typing import Final

from tui.core.export.literal import DATA_URL, literal, quoted
from tui.core.export.request import Export, unpacked
from tui.core.leaving.parting import Parting, body_of, left_out, planned
from tui.core.leaving.script import asking, base_url, made, rounds, tool_lines

__all__ = ["as_openai_script"]

_CANONICAL: Final = re.compile(
    r"https://bedrock-(?:(mantle)\.([a-z0-9-]+)\.api\.aws|(runtime)\.([a-z0-9-]+)\.amazonaws\.com)/openai/v1"
)
_NO_PARAMETERS: Final = ("prompt_cache_key", "context_management")
"""What is of use to the program that the conversation leaves, and not to the one that goes on."""

_RESPONSES: Final = (
    "    response = client.responses.create(input=conversation, **PARAMETERS)",
    "    conversation.extend(item.to_dict() for item in response.output)",
)
_RESPONSES_CALLS: Final = (
    '    kinds = ("function_call", "custom_tool_call")',
    "    calls = [item for item in response.output if item.type in kinds]",
    "    for call in calls:",
    '        if call.type == "function_call":',
    '            output, kind = run_tool(call.name, json.loads(call.arguments)), "function_call_output"',
    "        else:",
    '            output, kind = run_tool(call.name, {"input": call.input}), "custom_tool_call_output"',
    '        conversation.append({"type": kind, "call_id": call.call_id, "output": output})',
    "    if calls:",
    "        continue",
)
_RESPONSES_END: Final = (
    '    if response.status != "completed":',
    '        print(f"The answer is {response.status}.", file=sys.stderr)',
    "    return response.output_text",
)
_CHAT: Final = (
    "    completion = client.chat.completions.create(messages=messages, **PARAMETERS)",
    "    message = completion.choices[0].message",
    "    # The open-weight models put their reasoning before the answer; it does not go back.",
    '    text = re.sub(r"(?s)<reasoning>.*?</reasoning>", "", message.content or "").strip()',
    '    messages.append({"role": "assistant", "content": text})',
)
_CHAT_CALLS: Final = (
    "    if message.tool_calls:",
    '        messages[-1]["tool_calls"] = [call.to_dict() for call in message.tool_calls]',
    "        for call in message.tool_calls:",
    "            output = run_tool(call.function.name, json.loads(call.function.arguments))",
    '            messages.append({"role": "tool", "tool_call_id": call.id, "content": output})',
    "        continue",
)


def as_openai_script(parting: Parting) -> Export:
    """The program.

    Args:
        parting: With a target that is asked by the Responses API or by Chat Completions.

    Raises:
        Unsupported: The conversation holds what that API cannot carry; the text is a sentence.
    """
    request = planned(parting)
    has_tools = bool(request.params.get("tools"))
    if request.target.api == "responses":
        what, name, body = "Responses API", "conversation", dict(request.params)
        body["store"] = False
        said: object = [item.payload for item in request.items[:-1]]
        ask, calls, end = _RESPONSES, _RESPONSES_CALLS, _RESPONSES_END
        modules: list[str] = []
    else:
        what, name = "Chat Completions API", "messages"
        body, said = body_of(request)
        ask, calls, end = _CHAT, _CHAT_CALLS, ("    return text",)
        modules = ["import re"]
    modules += ["import json"] if has_tools else []
    body = {"model": request.target.model, **body}
    for unwanted in (*_NO_PARAMETERS, "stream", "messages"):
        body.pop(unwanted, None)
    if request.headers:
        body["extra_headers"] = request.headers
    if others := {key: body.pop(key) for key in [*body] if not key.isidentifier()}:
        body["extra_body"] = others
    packed, files = unpacked(said, "attachment", parting.beginning)
    canonical = _CANONICAL.fullmatch(base_url(request.target))
    modules += ["import sys"] + ([] if canonical else ["import os"])
    modules += ["import base64"] if files else []
    lines = ["", *sorted(modules), *(["from pathlib import Path"] if files else []), ""]
    lines += ["from openai import OpenAI", *(["from openai.providers import bedrock"] if canonical else [])]
    if files:
        lines += ["", "HERE = Path(__file__).parent", *DATA_URL]
    lines += ["", *_client(parting, canonical), *rounds(has_tools), f"PARAMETERS = {literal(body)}"]
    lines += ["", f"{name} = {literal(packed)}"]
    lines += tool_lines(parting) if has_tools else []
    head = ("def answer(prompt):", f'    {name}.append({{"role": "user", "content": prompt}})')
    lines += asking(head, ask, calls if has_tools else (), end)
    return made(parting, f"the OpenAI SDK, by the {what}", "'openai>=3.54'", lines, files, left_out(request))


def _client(parting: Parting, canonical: re.Match[str] | None) -> list[str]:
    if canonical is not None:
        # The SDK takes the key from AWS_BEARER_TOKEN_BEDROCK, and AWS_BEDROCK_BASE_URL where that is set.
        runtime = 'endpoint="runtime", ' if canonical[3] else ""
        return [f"client = OpenAI(provider=bedrock({runtime}region={quoted(canonical[2] or canonical[4])}))"]
    url = quoted(base_url(parting.options.target))
    return [
        f'BASE_URL = os.environ.get("AWS_BEDROCK_BASE_URL") or {url}',
        f"client = OpenAI(base_url=BASE_URL, api_key=os.environ[{quoted(parting.token_variable)}])",
    ]
