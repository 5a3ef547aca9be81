"""What every form of export needs to know of a request, and what it gives back."""

from __future__ import annotations

import base64
import binascii
import json
import re
from dataclasses import dataclass
from typing import Any, Final, cast

from tui.core.exchange import Exchange
from tui.core.items import dump_json

__all__ = [
    "TOKEN_VARIABLE",
    "Export",
    "Packed",
    "SideFile",
    "Unsupported",
    "body_file",
    "body_object",
    "headers_that_matter",
    "inline_text",
    "is_authorized",
    "side_file",
    "stem",
    "unpacked",
]

TOKEN_VARIABLE: Final = "AWS_BEARER_TOKEN_BEDROCK"

_LARGEST_INLINE: Final = 32_000
"""Bytes of a body that still stand in a command; Linux takes 128 kB in one argument, people far less."""

_LEFT_OUT: Final = re.compile(
    r"(?:host|content-length|connection|accept-encoding|user-agent|authorization|transfer-encoding|cookie"
    r"|x-stainless-.*|x-amz-(?:date|content-sha256|security-token)|proxy-.*)\Z",
    re.IGNORECASE,
)
"""Headers that belong to the client that sent them, not to the request, or that hold secrets."""

_MASK: Final = "[token]"
_DATA_URL: Final = re.compile(r"data:([\w.+-]+/[\w.+-]+);base64,")
_SMALL_DATA: Final = 2000
_UNSAFE_IN_NAME: Final = re.compile(r"[^\w.-]+")
_ENDINGS: Final = {
    "application/pdf": "pdf", "image/png": "png", "image/jpeg": "jpg", "image/gif": "gif",
    "image/webp": "webp",
}  # fmt: skip


class Unsupported(ValueError):
    """This exchange has no such form; the text is a sentence."""


@dataclass(frozen=True, slots=True)
class SideFile:
    """A file that belongs beside an export.

    Attributes:
        name: Without a folder; safe in a shell.
        data: Its bytes.
    """

    name: str
    data: bytes


@dataclass(frozen=True, slots=True)
class Export:
    """An exchange in another form.

    Attributes:
        data: The main text, UTF-8; or the bytes themselves for `http` and `json`.
        ending: Of a file's name for it, without the dot.
        files: What must lie beside it, under these names, for it to work.
        notes: What it leaves out or does otherwise than the original, in words.
    """

    data: bytes
    ending: str
    files: tuple[SideFile, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def text(self) -> str:
        """The main text; bytes that are no UTF-8 are replaced."""
        return self.data.decode("utf-8", "replace")


def headers_that_matter(exchange: Exchange) -> list[tuple[str, str]]:
    """The request's headers that the next client must send too, without the authorization."""
    return [
        (name, value)
        for name, value in exchange.request_headers
        if not _LEFT_OUT.match(name) and _MASK not in value
    ]


def is_authorized(exchange: Exchange) -> bool:
    """Whether the request carried a bearer token; a signed one has none."""
    return any(
        name.lower() == "authorization" and not value.startswith("AWS4-")
        for name, value in exchange.request_headers
    )


def body_object(exchange: Exchange) -> dict[str, Any] | None:
    """The body as an object that is written as the same bytes again; `None` when that cannot be had."""
    try:
        value = cast("dict[str, Any]", json.loads(exchange.request_body))
        same = type(value) is dict and dump_json(value).encode() == exchange.request_body
    except (ValueError, RecursionError):
        return None
    return value if same else None


def inline_text(exchange: Exchange) -> str | None:
    """The body as text that can stand in a command; `None` when it belongs in a file."""
    body = exchange.request_body
    if len(body) > _LARGEST_INLINE or b'"data:application/pdf;' in body:
        return None
    try:
        text = body.decode("utf-8")
    except UnicodeDecodeError:
        return None
    # A terminal would act on what is pasted into it.
    return None if re.search(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]", text) else text


def stem(exchange: Exchange) -> str:
    """The beginning of the names of an exchange's files."""
    return f"exchange-{exchange.number}.{exchange.attempt}"


def body_file(exchange: Exchange) -> SideFile:
    """The whole body as a file."""
    return SideFile(f"{stem(exchange)}.body.json", exchange.request_body)


@dataclass(frozen=True, slots=True)
class Packed:
    """A data URL that was taken out of a body.

    Attributes:
        media_type: Of its bytes.
        file: Where they are now.
    """

    media_type: str
    file: SideFile


def unpacked(
    value: object,
    unnamed: str,
    beginning: str = "",
    files: dict[str, SideFile] | None = None,
    smallest: int = _SMALL_DATA,
) -> tuple[object, list[SideFile]]:
    """A body with a `Packed` in the place of each data URL that is large or a PDF, and their files.

    Args:
        value: A JSON value.
        unnamed: What a file is called that has no name, without the ending.
        beginning: Of the name of every file.
        files: Those that are there already, by name; what is found is added.
        smallest: Data URLs of fewer characters stay where they are, but for PDFs.
    """
    files = {} if files is None else files

    def walk(inner: object, name: str) -> object:
        if isinstance(inner, str):
            packed = _pack(inner, name, unnamed, beginning, files, smallest)
            return inner if packed is None else packed
        if isinstance(inner, dict):
            fields = cast("dict[str, Any]", inner)
            called = fields.get("filename")
            return {
                key: walk(entry, called if isinstance(called, str) else "") for key, entry in fields.items()
            }
        if isinstance(inner, list):
            return [walk(entry, "") for entry in cast("list[object]", inner)]
        return inner

    return walk(value, ""), list(files.values())


def _pack(
    text: str, name: str, unnamed: str, beginning: str, files: dict[str, SideFile], smallest: int
) -> Packed | None:
    match = _DATA_URL.match(text, 0, 256)
    if match is None or (len(text) < smallest and match[1] != "application/pdf"):
        return None
    encoded = text[match.end() :]
    try:
        data = base64.b64decode(encoded, validate=True)
    except (binascii.Error, ValueError):
        return None
    if base64.b64encode(data).decode() != encoded:
        return None
    return Packed(match[1], side_file(files, data, name, unnamed, beginning, _ENDINGS.get(match[1], "bin")))


def side_file(
    files: dict[str, SideFile], data: bytes, name: str, unnamed: str, beginning: str, ending: str
) -> SideFile:
    """Add a file under a name that is safe and its own; equal data of the same name is one file."""
    base = beginning + (_UNSAFE_IN_NAME.sub("-", name).strip("-.")[:80] or f"{unnamed}.{ending}")
    unique, count = base, 1
    while unique in files and files[unique].data != data:
        count += 1
        head, dot, tail = base.rpartition(".")
        unique = f"{head}-{count}.{tail}" if dot else f"{base}-{count}"
    return files.setdefault(unique, SideFile(unique, data))
