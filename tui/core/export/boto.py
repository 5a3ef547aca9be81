"""A request of Converse or InvokeModel as a program with boto3, AWS's own SDK."""

from __future__ import annotations

import base64
import binascii
import re
from typing import Any, Final, cast
from urllib.parse import urlsplit

from tui.core.apis.asked import asked_of
from tui.core.catalogue import NATIVE_APIS
from tui.core.exchange import Exchange
from tui.core.export.literal import literal, quoted
from tui.core.export.python import Program
from tui.core.export.request import (
    TOKEN_VARIABLE,
    Export,
    Packed,
    SideFile,
    Unsupported,
    body_file,
    body_object,
    headers_that_matter,
    side_file,
    stem,
)
from tui.core.export.signed import signed

__all__ = ["as_boto3"]

_HOST: Final = re.compile(r"bedrock-runtime\.([a-z0-9-]+)\.amazonaws\.com")
_REGION: Final = re.compile(r"\b[a-z]{2}(?:-gov)?-[a-z]+-\d\b")
_FORMATS: Final = ("image", "document")
_ARGUMENTS: Final = {
    "x-amzn-bedrock-guardrailidentifier": "guardrailIdentifier",
    "x-amzn-bedrock-guardrailversion": "guardrailVersion",
    "x-amzn-bedrock-trace": "trace",
}
"""InvokeModel's headers that boto3 takes as arguments."""

_TOKEN: Final = f"# boto3 reads the token from {TOKEN_VARIABLE}."
_NO_TOKEN: Final = (
    "# boto3 sends no token over plain HTTP: it signs with AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY,",
    f"# and {TOKEN_VARIABLE} must not be set.",
)
_SIGNS: Final = (
    "# boto3 signs with the keys that AWS's tools find (AWS_PROFILE, variables, ~/.aws);",
    f"# {TOKEN_VARIABLE} must not be set.",
)
_BYTES: Final = "(HERE / {name!r}).read_bytes()"


def as_boto3(exchange: Exchange, folder: str) -> Export:
    """A program that makes the same call with boto3 and prints the events, or the answer, as JSON.

    boto3 takes the bearer token from AWS_BEARER_TOKEN_BEDROCK by itself, and sends it over HTTPS only.

    Args:
        exchange: The exchange.
        folder: Put before the names of side files; empty when they lie beside the program.

    Raises:
        Unsupported: It is a request of another API, or boto3 cannot send its body.
    """
    asked = asked_of(exchange)
    if asked is None or asked.api not in NATIVE_APIS:
        raise Unsupported(
            "boto3 calls Converse and InvokeModel, and this is neither; export it as Python (openai SDK), "
            "httpx or curl."
        )
    program = Program(folder, {"import json"}, ["import boto3"])
    signature = signed(exchange)
    if signature is not None:
        token = _SIGNS
    else:
        token = _NO_TOKEN if asked.base_url.startswith("http:") else (_TOKEN,)
    place = _place(asked.base_url, signature.region if signature else "")
    client = [*token, "client = boto3.client(", '    "bedrock-runtime",', *place, ")", ""]
    model = f"    modelId={quoted(asked.model)},"
    if asked.api == "invoke_model":
        lines = _invoke(program, exchange, model)
    else:
        lines = _converse(program, exchange, model, streams=asked.streams is True)
    return program.export([*client, *lines], ("boto3 writes the body in a spelling of its own",))


def _place(base_url: str, signed_for: str) -> list[str]:
    parts = urlsplit(base_url)
    own = _HOST.fullmatch(parts.netloc)
    if own is not None and not parts.path.strip("/"):
        return [f"    region_name={quoted(own[1])},"]
    found = _REGION.search(parts.netloc) or _REGION.search(parts.path)
    region = signed_for or (found[0] if found else "us-east-1")
    return [f"    region_name={quoted(region)},", f"    endpoint_url={quoted(base_url)},"]


def _converse(program: Program, exchange: Exchange, model: str, *, streams: bool) -> list[str]:
    body = body_object(exchange)
    if body is None:
        raise Unsupported(
            "boto3 cannot send this body as it is: it is no JSON object in the usual spelling. Export it as "
            "httpx or curl."
        )
    files: dict[str, SideFile] = {}
    value = _with_files(body, exchange, files)
    if files:
        program.files = list(files.values())
        program.beside()
    program.before += [f"body = {literal(value, packed=_BYTES)}", ""]
    if streams:
        call, shown = "converse_stream", [
            'for event in answer["stream"]:',
            "    print(json.dumps(event, ensure_ascii=False, default=repr), flush=True)",
        ]  # fmt: skip
    else:
        call, shown = "converse", [
            'answer.pop("ResponseMetadata")',
            "print(json.dumps(answer, ensure_ascii=False, indent=2, default=repr))",
        ]  # fmt: skip
    return [f"answer = client.{call}(", model, "    **body,", ")", *shown]


def _with_files(value: object, exchange: Exchange, files: dict[str, SideFile]) -> object:
    """The body with a file for the bytes of each picture and document: boto3 wants them as bytes."""
    if isinstance(value, list):
        return [_with_files(entry, exchange, files) for entry in cast("list[object]", value)]
    if not isinstance(value, dict):
        return value
    fields = cast("dict[str, Any]", value)
    return {
        name: _block(inner, exchange, files) if name in _FORMATS else _with_files(inner, exchange, files)
        for name, inner in fields.items()
    }


def _block(block: object, exchange: Exchange, files: dict[str, SideFile]) -> object:
    if not isinstance(block, dict):
        return block
    fields = cast("dict[str, Any]", block)
    try:
        data = base64.b64decode(fields["source"]["bytes"], validate=True)
    except (KeyError, TypeError, binascii.Error, ValueError):
        return fields
    ending = str(fields.get("format") or "bin")
    name = f"{fields['name']}.{ending}" if isinstance(fields.get("name"), str) else ""
    file = side_file(files, data, name, stem(exchange), "", ending)
    return {**fields, "source": {"bytes": Packed(ending, file)}}


def _invoke(program: Program, exchange: Exchange, model: str) -> list[str]:
    body = body_object(exchange)
    if body is None:
        program.files = [body_file(exchange)]
        program.beside()
        program.before += [f"content = (HERE / {program.files[0].name!r}).read_bytes()", ""]
    else:
        program.before += [
            f"body = {literal(body)}",
            'content = json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode()',
            "",
        ]
    headers = {name.lower(): value for name, value in headers_that_matter(exchange)}
    more = [f"    {word}={quoted(headers[name])}," for name, word in _ARGUMENTS.items() if name in headers]
    return [
        "answer = client.invoke_model(",
        model,
        "    body=content,",
        '    contentType="application/json",',
        *more,
        ")",
        'print(json.dumps(json.load(answer["body"]), ensure_ascii=False, indent=2))',
    ]
