"""What the body of `POST /responses` may hold, as data: names, types, bounds.

Written from the facts of OpenAI's published API description (openai/openai-openapi 2.3.0, MIT), as far as
this program or Bedrock makes use of them; what is known by name only is not looked into. A service may take
less, or more, than stands here: a finding warns before something is sent, and never forbids it.

A node is a mapping with
    type       `string`, `integer`, `number`, `boolean`, `object` or `array`; a tuple allows any of these
    null       whether null will do as well
    enum       the values there are
    least, most    bounds of a number
    members    of an object, by name; an object with members takes no others unless it is `open`
    needs      names that must be there
    items      the node of every element
    values     the node of every member's value, whatever its name
    by, cases  an object whose member `by` says which of the cases it is; `otherwise` is taken without it
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

__all__ = ["CONVERSATION", "CREATE_RESPONSE", "Node"]

Node = Mapping[str, Any]

TEXT: Final[Node] = {"type": "string"}
MAYBE_TEXT: Final[Node] = {"type": "string", "null": True}
FLAG: Final[Node] = {"type": "boolean", "null": True}
ANY_OBJECT: Final[Node] = {"type": "object"}
ANYTHING: Final[Node] = {}
STATUS: Final[Node] = {"enum": ("in_progress", "completed", "incomplete"), "null": True}


def _either(*values: str, null: bool = True) -> Node:
    return {"type": "string", "enum": values, "null": null}


def _object(needs: tuple[str, ...] = (), **members: Node) -> Node:
    return {"type": "object", "members": {"type": TEXT, **members}, "needs": needs}


BREAKPOINT: Final[Node] = {"type": "object", "members": {"mode": _either("explicit", null=False)}}
DETAIL: Final[Node] = _either("auto", "low", "high", "original")
INPUT_PARTS: Final[Node] = {
    "type": "object",
    "by": "type",
    "cases": {
        "input_text": _object(("text",), text=TEXT, prompt_cache_breakpoint=BREAKPOINT),
        "input_image": _object(
            (), image_url=MAYBE_TEXT, file_id=MAYBE_TEXT, detail=DETAIL, prompt_cache_breakpoint=BREAKPOINT
        ),
        "input_file": _object(
            (), filename=TEXT, file_data=TEXT, file_url=TEXT, file_id=MAYBE_TEXT, detail=DETAIL,
            prompt_cache_breakpoint=BREAKPOINT,
        ),
        "output_text": _object(
            ("text",), text=TEXT, annotations={"type": "array", "null": True},
            logprobs={"type": "array", "null": True},
        ),
        "refusal": _object(("refusal",), refusal=TEXT),
    },
}  # fmt: skip
MESSAGE: Final[Node] = _object(
    ("role", "content"),
    role=_either("user", "assistant", "system", "developer", null=False),
    content={"type": ("string", "array"), "items": INPUT_PARTS},
    id=MAYBE_TEXT, status=STATUS, phase=_either("commentary", "final_answer"),
)  # fmt: skip
CALLER: Final[Node] = {"type": "object", "null": True}
RESULT: Final[Node] = {"type": ("string", "array"), "items": INPUT_PARTS}
_OTHER_ITEMS: Final = """
additional_tools apply_patch_call apply_patch_call_output code_interpreter_call compaction_trigger
computer_call computer_call_output file_search_call image_generation_call local_shell_call
local_shell_call_output
mcp_approval_request mcp_approval_response mcp_call mcp_list_tools program program_output shell_call
shell_call_output tool_search_call tool_search_output web_search_call
"""
ITEM: Final[Node] = {
    "type": "object",
    "by": "type",
    "otherwise": "message",
    "cases": {
        **{name: ANY_OBJECT for name in _OTHER_ITEMS.split()},
        "message": MESSAGE,
        "reasoning": _object(
            ("summary",), id=MAYBE_TEXT, summary={"type": "array", "items": ANY_OBJECT}, status=STATUS,
            content={"type": "array", "items": ANY_OBJECT, "null": True}, encrypted_content=MAYBE_TEXT,
        ),
        "function_call": _object(
            ("call_id", "name", "arguments"), id=MAYBE_TEXT, call_id=TEXT, name=TEXT, arguments=TEXT,
            status=STATUS, caller=CALLER, namespace=MAYBE_TEXT,
        ),
        "function_call_output": _object(
            ("call_id", "output"), id=MAYBE_TEXT, call_id=MAYBE_TEXT, output=RESULT, status=STATUS,
            name=MAYBE_TEXT, caller=CALLER, namespace=MAYBE_TEXT,
        ),
        "custom_tool_call": _object(
            ("call_id", "name", "input"), id=MAYBE_TEXT, call_id=TEXT, name=TEXT, input=TEXT, status=STATUS,
            caller=CALLER, namespace=MAYBE_TEXT,
        ),
        "custom_tool_call_output": _object(
            ("call_id", "output"), id=MAYBE_TEXT, call_id=TEXT, output=RESULT, status=STATUS, caller=CALLER
        ),
        "item_reference": _object(("id",), id=TEXT),
        "compaction": _object(("encrypted_content",), id=MAYBE_TEXT, encrypted_content=TEXT, status=STATUS),
    },
}  # fmt: skip

_OTHER_TOOLS: Final = """
apply_patch code_interpreter computer computer_use_preview file_search image_generation local_shell mcp
namespace programmatic_tool_calling shell tool_search web_search web_search_2025_08_26 web_search_preview
web_search_preview_2025_03_11
"""
TOOL: Final[Node] = {
    "type": "object",
    "by": "type",
    "cases": {
        **{name: ANY_OBJECT for name in _OTHER_TOOLS.split()},
        "function": _object(
            ("name",), name=TEXT, description=MAYBE_TEXT, strict=FLAG, defer_loading=FLAG,
            parameters={"type": "object", "null": True}, output_schema={"type": "object", "null": True},
            allowed_callers={"type": "array", "null": True},
        ),
        "custom": _object(
            ("name",), name=TEXT, description=MAYBE_TEXT, format=ANY_OBJECT, defer_loading=FLAG,
            allowed_callers={"type": "array", "null": True},
        ),
    },
}  # fmt: skip

TEXT_FORMAT: Final[Node] = {
    "type": "object",
    "by": "type",
    "cases": {
        "text": _object(),
        "json_object": _object(),
        "json_schema": _object(
            ("name", "schema"), name=TEXT, schema=ANY_OBJECT, strict=FLAG, description=MAYBE_TEXT
        ),
    },
}

CREATE_RESPONSE: Final[Node] = {
    "type": "object",
    "members": {
        "model": TEXT,
        "input": {"type": ("string", "array"), "items": ITEM},
        "instructions": MAYBE_TEXT,
        "previous_response_id": MAYBE_TEXT,
        "conversation": {"type": ("string", "object"), "null": True},
        "store": FLAG,
        "stream": FLAG,
        "stream_options": {"type": "object", "null": True, "members": {"include_obfuscation": FLAG}},
        "background": FLAG,
        "max_output_tokens": {"type": "integer", "least": 16, "null": True},
        "max_tool_calls": {"type": "integer", "null": True},
        "temperature": {"type": "number", "least": 0, "most": 2, "null": True},
        "top_p": {"type": "number", "least": 0, "most": 1, "null": True},
        "top_logprobs": {"type": "integer", "least": 0, "most": 20, "null": True},
        "reasoning": {
            "type": "object",
            "null": True,
            "members": {
                "effort": _either("none", "minimal", "low", "medium", "high", "xhigh", "max"),
                "summary": _either("auto", "concise", "detailed"),
                "generate_summary": _either("auto", "concise", "detailed"),
                "context": _either("auto", "current_turn", "all_turns"),
                "mode": MAYBE_TEXT,
            },
        },
        "text": {
            "type": "object",
            "null": True,
            "members": {"format": TEXT_FORMAT, "verbosity": _either("low", "medium", "high")},
        },
        "tools": {"type": "array", "items": TOOL, "null": True},
        "tool_choice": {"type": ("string", "object"), "null": True},
        "parallel_tool_calls": FLAG,
        "include": {
            "type": "array",
            "null": True,
            "items": _either(
                "file_search_call.results", "web_search_call.results", "web_search_call.action.sources",
                "message.input_image.image_url", "computer_call_output.output.image_url",
                "code_interpreter_call.outputs", "reasoning.encrypted_content",
                "message.output_text.logprobs", null=False,
            ),
        },
        "service_tier": _either("auto", "default", "flex", "scale", "priority", "fast", "ultrafast"),
        "prompt_cache_key": MAYBE_TEXT,
        "prompt_cache_retention": _either("in_memory", "24h"),
        "prompt_cache_options": {
            "type": "object",
            "null": True,
            "members": {"mode": _either("implicit", "explicit"), "ttl": MAYBE_TEXT},
        },
        "context_management": {"type": "array", "items": ANY_OBJECT, "null": True},
        "metadata": {"type": "object", "values": TEXT, "null": True},
        "moderation": {"type": "object", "null": True},
        "prompt": {"type": "object", "null": True},
        "safety_identifier": MAYBE_TEXT,
        "truncation": _either("auto", "disabled"),
        "user": MAYBE_TEXT,
    },
    "needs": ("model", "input"),
}  # fmt: skip

CONVERSATION: Final[Node] = {
    "type": "object",
    "members": {
        "messages": {
            "type": "array",
            "items": {
                "type": "object",
                "members": {"role": _either("user", "assistant", "system", "developer", "tool", null=False)},
                "needs": ("role",),
                "open": True,
            },
        }
    },
    "needs": ("messages",),
    "open": True,
}
"""What the bodies of the other APIs have in common; the rest of them is not looked into."""
