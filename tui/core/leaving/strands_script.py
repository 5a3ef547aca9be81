"""A program that goes on as an agent of Strands: over an API of OpenAI's form, or over Converse."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, cast

from tui.core.export.literal import literal, quoted
from tui.core.export.request import Export
from tui.core.leaving.converse_script import BYTES
from tui.core.leaving.parting import (
    Parting,
    body_of,
    converse_messages,
    functions_only,
    planned,
    unpacked_blobs,
)
from tui.core.leaving.script import base_url, made, tool_lines

__all__ = ["as_strands_script"]

_CLASSES: Final = {
    "responses": ("openai_responses", "OpenAIResponsesModel", "the Responses API"),
    "chat_completions": ("openai", "OpenAIModel", "Chat Completions"),
    "converse": ("bedrock", "BedrockModel", "Converse"),
}
_NOT_PARAMETERS: Final = frozenset(
    {"model", "messages", "instructions", "tools", "tool_choice", "include", "store", "stream"}
    | {"prompt_cache_key", "context_management", "parallel_tool_calls"}
)
_TOOLS: Final = (
    "",
    "",
    "def as_tool(spec):",
    "    def call(tool_use, **_):",
    '        output = run_tool(spec["name"], tool_use["input"])',
    '        content = [{"text": output}]',
    '        return {"toolUseId": tool_use["toolUseId"], "status": "success", "content": content}',
    "",
    '    return PythonAgentTool(spec["name"], spec, call)',
    "",
    "",
)
_ANSWER: Final = (
    "",
    "",
    "def answer(prompt):",
    '    return re.sub(r"(?s)<reasoning>.*?</reasoning>", "", str(agent(prompt))).strip()',
)
_ANSWER_BOTH: Final = (
    "",
    "",
    "def answer(prompt):",
    '    blocks = [*unanswered, {"text": prompt}]',
    "    unanswered.clear()",
    '    return re.sub(r"(?s)<reasoning>.*?</reasoning>", "", str(agent(blocks))).strip()',
)


def as_strands_script(parting: Parting) -> Export:
    """The program.

    Args:
        parting: With a target that is asked by the Responses API, Chat Completions or Converse.

    Raises:
        Unsupported: The conversation holds what Strands' messages cannot carry; the text is a sentence.
    """
    parting = functions_only(parting)
    options = parting.options
    messages, notes = converse_messages(parting)
    packed, files = unpacked_blobs(messages, parting.beginning)
    said = cast("list[dict[str, Any]]", packed)
    # An agent adds a message of the user's, and the roles must alternate.
    unanswered: list[Any] = said.pop()["content"] if said and said[-1]["role"] == "user" else []
    tools = [cast("dict[str, Any]", tool) for tool in options.extra.get("tools", [])]
    module, name, what = _CLASSES[options.target.api]
    native = options.target.api == "converse"
    lines = ["", *(["import os"] if not native or options.target.sandbox else []), "import re", "import sys"]
    lines += ["from pathlib import Path"] if files else []
    lines += ["", "from strands import Agent"]
    lines += ["from strands.agent.conversation_manager import NullConversationManager"]
    lines += [f"from strands.models.{module} import {name}"]
    lines += ["from strands.tools.tools import PythonAgentTool"] if tools else []
    lines += ["", *(["HERE = Path(__file__).parent"] if files else [])]
    lines += _native_model(parting) if native else _model(parting, name)
    lines += ["", f"messages = {literal(said, packed=BYTES)}"]
    if unanswered:
        lines += ["", "# This was not answered; it goes with the next prompt."]
        lines += [f"unanswered = {literal(unanswered, packed=BYTES)}"]
    if tools:
        lines += tool_lines(parting)
        lines += ["", f"TOOLS = {literal([_spec(tool) for tool in tools])}", *_TOOLS]
    lines += ["agent = Agent(", "    model=model,", "    messages=messages,"]
    if options.instructions:
        lines += [f"    system_prompt={quoted(options.instructions)},"]
    lines += ["    tools=[as_tool(spec) for spec in TOOLS],"] if tools else []
    # The default manager drops what is older than 40 messages, and the default handler prints as it goes.
    lines += [
        "    conversation_manager=NullConversationManager(),",
        "    callback_handler=None,",
        ")",
        *(_ANSWER_BOTH if unanswered else _ANSWER),
    ]
    packages = "'strands-agents>=1.60'" if native else "'strands-agents[openai]>=1.60'"
    return made(parting, f"a Strands agent, over {what}", packages, lines, files, notes)


def _model(parting: Parting, name: str) -> list[str]:
    request = planned(parting)
    body = dict(request.params) if request.target.api == "responses" else body_of(request)[0]
    params = {key: value for key, value in body.items() if key not in _NOT_PARAMETERS}
    if request.headers:
        params["extra_headers"] = request.headers
    if others := {key: params.pop(key) for key in [*params] if not key.isidentifier()}:
        params["extra_body"] = others
    url, token = quoted(base_url(request.target)), quoted(parting.token_variable)
    return [
        f'BASE_URL = os.environ.get("AWS_BEDROCK_BASE_URL") or {url}',
        f"model = {name}(",
        f'    client_args={{"base_url": BASE_URL, "api_key": os.environ[{token}]}},',
        f"    model_id={quoted(request.target.model)},",
        f"    params={literal(params, 1)},",
        ")",
    ]


def _native_model(parting: Parting) -> list[str]:
    body, _ = body_of(planned(parting))
    target = parting.options.target
    inference = cast("dict[str, Any]", body.get("inferenceConfig") or {})
    names = {"maxTokens": "max_tokens", "temperature": "temperature", "topP": "top_p"}
    names |= {"stopSequences": "stop_sequences"}
    settings = {names[key]: value for key, value in inference.items() if key in names}
    if body.get("additionalModelRequestFields"):
        settings["additional_request_fields"] = body["additionalModelRequestFields"]
    guardrail = cast("dict[str, Any]", body.get("guardrailConfig") or {})
    if guardrail:
        settings["guardrail_id"] = guardrail.get("guardrailIdentifier")
        settings["guardrail_version"] = guardrail.get("guardrailVersion")
    lines: list[str] = []
    place = f"    region_name={quoted(target.region)},"
    if target.sandbox:
        url = quoted(base_url(target, native=True))
        lines = [f'ENDPOINT = os.environ.get("AWS_ENDPOINT_URL_BEDROCK_RUNTIME") or {url}']
        place += "\n    endpoint_url=ENDPOINT,"
    lines += ["model = BedrockModel(", place, f"    model_id={quoted(target.model)},"]
    return [*lines, *(f"    {key}={literal(value, 1)}," for key, value in settings.items()), ")"]


def _spec(tool: Mapping[str, Any]) -> dict[str, Any]:
    schema: object = tool.get("parameters") or {"type": "object", "properties": {}}
    description = tool.get("description") or str(tool.get("name"))
    return {"name": tool.get("name"), "description": description, "inputSchema": {"json": schema}}
