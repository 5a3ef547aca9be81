"""A request as a Python program: with httpx, and with OpenAI's SDK as the guide does it."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import parse_qs, unquote

from tui.core.api_rules import API_NAMES
from tui.core.apis.asked import asked_of
from tui.core.catalogue import NATIVE_APIS
from tui.core.exchange import Exchange
from tui.core.export.literal import DATA_URL, literal
from tui.core.export.request import (
    TOKEN_VARIABLE,
    Export,
    SideFile,
    Unsupported,
    body_file,
    body_object,
    headers_that_matter,
    inline_text,
    is_authorized,
    stem,
    unpacked,
)
from tui.core.export.signed import SIGNING_IMPORTS, Signed, signed

__all__ = ["CHAT_PARAMETERS", "SDK_PARAMETERS", "Program", "as_httpx", "as_openai"]

_PARAMETERS: Final = """
background context_management conversation include input instructions max_output_tokens max_tool_calls
metadata model moderation parallel_tool_calls previous_response_id prompt prompt_cache_key
prompt_cache_options prompt_cache_retention reasoning safety_identifier service_tier store stream
stream_options temperature text tool_choice tools top_logprobs top_p truncation user
"""
SDK_PARAMETERS: Final = frozenset(_PARAMETERS.split())
"""What `responses.create` of openai-python 3.54 takes by name; anything else goes in `extra_body`."""

_CHAT_PARAMETERS: Final = """
audio frequency_penalty function_call functions logit_bias logprobs max_completion_tokens max_tokens messages
metadata modalities model moderation n parallel_tool_calls prediction presence_penalty prompt_cache_key
prompt_cache_options prompt_cache_retention reasoning_effort response_format safety_identifier seed
service_tier stop store stream stream_options temperature tool_choice tools top_logprobs top_p user verbosity
web_search_options
"""
CHAT_PARAMETERS: Final = frozenset(_CHAT_PARAMETERS.split())
"""The same of `chat.completions.create`."""

_CANONICAL: Final = re.compile(
    r"https://bedrock-(?:(mantle)\.([a-z0-9-]+)\.api\.aws|(runtime)\.([a-z0-9-]+)\.amazonaws\.com)/openai/v1"
)
_SET_BY_SDK: Final = frozenset({"accept", "content-type"})
_TOKEN: Final = f'os.environ["{TOKEN_VARIABLE}"]'
_LARGEST_LITERAL: Final = 64_000
"""Characters of a body as Python up to which it stands in the program."""


@dataclass(slots=True)
class Program:
    """The parts of a Python program as they are found to be needed.

    Attributes:
        folder: Where its side files are; empty for its own folder.
        modules: Of the standard library.
        packages: Import lines of others, in order.
        before: Lines that come before the call.
    """

    folder: str
    modules: set[str] = field(default_factory=set[str])
    packages: list[str] = field(default_factory=list[str])
    before: list[str] = field(default_factory=list[str])
    files: list[SideFile] = field(default_factory=list[SideFile])

    def beside(self) -> None:
        """Define HERE, the folder of the side files."""
        self.modules.add("from pathlib import Path")
        self.before.append(f"HERE = Path({self.folder!r})" if self.folder else "HERE = Path(__file__).parent")

    def export(self, lines: list[str], notes: tuple[str, ...] = ()) -> Export:
        """Put it together."""
        text = [*sorted(self.modules, key=lambda line: (line.startswith("from"), line)), ""]
        text += [*self.packages, "", *self.before, *lines]
        return Export(("\n".join(text) + "\n").encode(), "py", tuple(self.files), notes)


def as_httpx(exchange: Exchange, folder: str) -> Export:
    """A program that writes the answer's bytes to stdout as they come.

    Args:
        exchange: The exchange.
        folder: Put before the names of side files; empty when they lie beside the program.
    """
    program = Program(folder, {"import sys"}, ["import httpx"])
    headers = [f"    {name!r}: {value!r}," for name, value in headers_that_matter(exchange)]
    if is_authorized(exchange):
        headers.insert(0, f'    "Authorization": "Bearer " + {_TOKEN},')
        program.modules.add("import os")
    content = ["    content=content,"] if exchange.sent else []
    if content:
        _add_content(program, exchange)
    if signature := signed(exchange):
        return _signed_httpx(program, exchange, signature, headers)
    return program.export(
        [
            "headers = {",
            *headers,
            "}",
            "",
            f"with httpx.stream({exchange.method!r}, {exchange.url!r},",
            "    headers=headers,",
            *content,
            "    timeout=600,",
            ") as response:",
            "    for piece in response.iter_raw():",
            "        sys.stdout.buffer.write(piece)",
            "        sys.stdout.buffer.flush()",
        ]
    )


def _signed_httpx(program: Program, exchange: Exchange, signature: Signed, headers: list[str]) -> Export:
    """The program with a signature; httpx adds headers, which need not be signed."""
    program.packages += SIGNING_IMPORTS
    data = ["    data=content,"] if exchange.sent else []
    content = ["    content=content,"] if exchange.sent else []
    return program.export(
        [
            "# The keys are found as AWS's tools find them: AWS_PROFILE, variables, ~/.aws.",
            f"signed = AWSRequest({exchange.method!r}, {exchange.url!r},",
            *data,
            "    headers={",
            *(f"    {line}" for line in headers),
            "    },",
            ")",
            f"auth = SigV4Auth(Session().get_credentials(), {signature.service!r}, {signature.region!r})",
            "auth.add_auth(signed)",
            "",
            "with httpx.stream(signed.method, signed.url,",
            "    headers=dict(signed.headers.items()),",
            *content,
            "    timeout=600,",
            ") as response:",
            "    for piece in response.iter_raw():",
            "        sys.stdout.buffer.write(piece)",
            "        sys.stdout.buffer.flush()",
        ]
    )


def _add_content(program: Program, exchange: Exchange) -> None:
    """Define `content`, the body's bytes, in the most readable way that gives them exactly."""
    body = body_object(exchange)
    if body is not None and _add_literal(program, "body", body, exchange):
        program.modules.add("import json")
        program.before += [
            'content = json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode()',
            "",
        ]
        return
    text = inline_text(exchange)
    if text is not None:
        program.before += [f"content = {text!r}.encode()", ""]
        return
    program.files = [body_file(exchange)]
    program.beside()
    program.before += [f"content = (HERE / {program.files[0].name!r}).read_bytes()", ""]


def _add_literal(program: Program, name: str, body: dict[str, Any], exchange: Exchange) -> bool:
    """Define the body as a literal, data URLs read from files; `False` when it would be too long."""
    value, files = unpacked(body, stem(exchange))
    written = literal(value)
    if len(written) > _LARGEST_LITERAL:
        return False
    if files:
        program.files = files
        program.beside()
        program.modules.add("import base64")
        program.before += DATA_URL
    program.before += [f"{name} = {written}", ""]
    return True


def as_openai(exchange: Exchange, folder: str) -> Export:
    """A program that makes the same call through OpenAI's SDK and prints the events, or the answer, as JSON.

    Args:
        exchange: The exchange.
        folder: As for `as_httpx`.

    Raises:
        Unsupported: The SDK has no such call, or cannot send this body.
    """
    asked = asked_of(exchange)
    if asked is not None and asked.api in NATIVE_APIS:
        raise Unsupported(
            f"OpenAI's SDK has no call for {API_NAMES[asked.api]}; export it as boto3, httpx or curl."
        )
    signature = signed(exchange)
    program = Program(folder, set() if signature else {"import os"}, ["from openai import OpenAI"])
    if asked is not None and asked.api == "chat_completions":
        base = asked.base_url
        call = _create(program, exchange, "chat.completions", CHAT_PARAMETERS)
    else:
        base, found, below = exchange.url.partition("/responses")
        if not found:
            raise Unsupported("OpenAI's SDK has no call for this request; export it as httpx or curl.")
        call = _call(program, exchange, below)
    more = {name: value for name, value in headers_that_matter(exchange) if name.lower() not in _SET_BY_SDK}
    if more:
        call.append(f"    extra_headers={more!r},")
    if _streams(exchange):
        shown = ["for event in answer:", "    print(event.to_json(indent=None), flush=True)"]
    else:
        shown = ["if answer is not None:", "    print(answer.to_json())"]
    notes = ("the SDK writes the body's members in an order of its own",) if exchange.sent else ()
    client = _client(program, base) if signature is None else _signing_client(program, base, signature)
    return program.export([*client, "", *call, ")", *shown], notes)


def _streams(exchange: Exchange) -> bool:
    if exchange.method == "GET":
        return "stream=true" in exchange.url.partition("?")[2].split("&")
    return (body_object(exchange) or {}).get("stream") is True


def _client(program: Program, base: str) -> list[str]:
    match = _CANONICAL.fullmatch(base)
    if match is None:
        where = [f"    base_url={base!r},", f"    api_key={_TOKEN},"]
    else:
        program.packages.append("from openai.providers import bedrock")
        which = 'endpoint="runtime", ' if match[3] else ""
        where = [f"    provider=bedrock({which}region={match[2] or match[4]!r}, api_key={_TOKEN}),"]
    return ["client = OpenAI(", *where, "    max_retries=0,", ")"]


def _signing_client(program: Program, base: str, signature: Signed) -> list[str]:
    program.packages.append("from openai.providers import bedrock")
    which = ["        endpoint='runtime',"] if signature.service == "bedrock" else []
    where = [] if _CANONICAL.fullmatch(base) else [f"        base_url={base!r},"]
    return [
        "# The SDK signs with the keys that AWS's tools find: AWS_PROFILE, variables, ~/.aws.",
        "client = OpenAI(",
        "    provider=bedrock(",
        *which,
        f"        region={signature.region!r},",
        *where,
        "        api_key=None,",
        "    ),",
        "    max_retries=0,",
        ")",
    ]


def _call(program: Program, exchange: Exchange, below: str) -> list[str]:
    """The lines of the call, without the closing parenthesis."""
    path, _, query = below.strip("/").partition("?")
    response_id, _, action = path.partition("/")
    argument = f"    {unquote(response_id)!r},"
    match (exchange.method, bool(response_id), action):
        case ("POST", False, ""):
            return _create(program, exchange, "responses", SDK_PARAMETERS)
        case ("GET", True, ""):
            return ["answer = client.responses.retrieve(", argument, *_options(query)]
        case ("POST", True, "cancel"):
            return ["answer = client.responses.cancel(", argument]
        case ("DELETE", True, ""):
            return ["answer = client.responses.delete(", argument]
        case _:
            what = f"{exchange.method} /responses/{path}"
            raise Unsupported(f"OpenAI's SDK has no call for {what}; export it as httpx or curl.")


def _options(query: str) -> list[str]:
    values = {name: rows[-1] for name, rows in parse_qs(query).items()}
    lines: list[str] = []
    if values.pop("stream", "") == "true":
        lines.append("    stream=True,")
    after = values.pop("starting_after", "")
    if after.isdigit():
        lines.append(f"    starting_after={after},")
    if values:
        lines.append(f"    extra_query={values!r},")
    return lines


def _create(program: Program, exchange: Exchange, calls: str, parameters: frozenset[str]) -> list[str]:
    body = body_object(exchange)
    if body is None:
        raise Unsupported(
            "OpenAI's SDK cannot send this body as it is: it is no JSON object in the usual spelling. "
            "Export it as httpx or curl."
        )
    others = {name: value for name, value in body.items() if name not in parameters}
    if not _add_literal(program, "body", body, exchange):
        program.files = [body_file(exchange)]
        program.modules.add("import json")
        program.beside()
        program.before += [f"body = json.loads((HERE / {program.files[0].name!r}).read_bytes())", ""]
    call = [f"answer = client.{calls}.create("]
    if others:
        program.before += [f"extra = {{name: body.pop(name) for name in {sorted(others)!r}}}", ""]
        call.append("    extra_body=extra,")
    return [*call, "    **body,"]
