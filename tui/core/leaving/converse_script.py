"""A program that goes on with boto3, by Converse."""

from __future__ import annotations

from typing import Any, Final, cast

from tui.core.export.literal import literal, quoted
from tui.core.export.request import Export
from tui.core.leaving.parting import (
    Parting,
    body_of,
    converse_messages,
    functions_only,
    planned,
    unpacked_blobs,
)
from tui.core.leaving.script import asking, base_url, made, rounds, tool_lines

__all__ = ["BYTES", "as_converse_script"]

BYTES: Final = "(HERE / {name!r}).read_bytes()"
"""How a program reads what is left out of its messages."""

_ADD: Final = (
    "",
    "",
    "def add(role, blocks):",
    "    # The roles alternate, so blocks of one role go together.",
    '    if messages and messages[-1]["role"] == role:',
    '        messages[-1]["content"] += blocks',
    "    else:",
    '        messages.append({"role": role, "content": blocks})',
)
_HEAD: Final = (
    "def answer(prompt):",
    '    add("user", [{"text": prompt}])',
)
_ASK: Final = (
    '    message = client.converse(messages=messages, **PARAMETERS)["output"]["message"]',
    '    blocks = [block for block in message["content"] if "reasoningContent" not in block]',
    "    # The open-weight models may put their reasoning into the text; it does not go back.",
    "    for block in blocks:",
    '        if "text" in block:',
    '            block["text"] = re.sub(r"(?s)<reasoning>.*?</reasoning>", "", block["text"]).strip()',
    '    blocks = [block for block in blocks if block.get("text", "-")]',
    '    add("assistant", blocks or [{"text": "(no answer)"}])',
)
_CALLS: Final = (
    '    calls = [block["toolUse"] for block in blocks if "toolUse" in block]',
    "    if calls:",
    "        results = []",
    "        for call in calls:",
    '            output = run_tool(call["name"], call["input"])',
    '            result = {"toolUseId": call["toolUseId"], "content": [{"text": output}]}',
    '            results.append({"toolResult": result})',
    '        add("user", results)',
    "        continue",
)
_END: Final = ('    return "\\n".join(block["text"] for block in blocks if "text" in block)',)


def as_converse_script(parting: Parting) -> Export:
    """The program.

    Args:
        parting: With a target that is asked by Converse.

    Raises:
        Unsupported: The conversation holds what Converse cannot carry; the text is a sentence.
    """
    parting = functions_only(parting)
    target = parting.options.target
    body, _ = body_of(planned(parting))
    messages, notes = converse_messages(parting)
    packed, files = unpacked_blobs(messages, parting.beginning)
    has_tools = bool(cast("dict[str, Any]", body.get("toolConfig") or {}).get("tools"))
    modules = ["import re", "import sys"] + (["from pathlib import Path"] if files else [])
    where = f"region_name={quoted(target.region)}"
    setting: list[str] = []
    if target.sandbox or target.endpoint not in ("mantle", "runtime"):
        modules.insert(0, "import os")
        url = quoted(base_url(target, native=True))
        setting = [f'ENDPOINT = os.environ.get("AWS_ENDPOINT_URL_BEDROCK_RUNTIME") or {url}']
        where += ", endpoint_url=ENDPOINT"
    lines = ["", *modules, "", "import boto3", ""]
    lines += ["HERE = Path(__file__).parent"] if files else []
    # boto3 takes the key from AWS_BEARER_TOKEN_BEDROCK, and signs with the profile of ~/.aws without it.
    lines += [*setting, f'client = boto3.client("bedrock-runtime", {where})', *rounds(has_tools)]
    lines += [f"PARAMETERS = {literal({'modelId': target.model, **body})}", ""]
    lines += [f"messages = {literal(packed, packed=BYTES)}"]
    lines += tool_lines(parting) if has_tools else []
    lines += [*_ADD, *asking(_HEAD, _ASK, _CALLS if has_tools else (), _END)]
    return made(parting, "boto3, by Converse", "'boto3>=1.39'", lines, files, notes)
