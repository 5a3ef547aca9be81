"""A request as a command for a shell: curl and HTTPie."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from typing import Final

from tui.core.exchange import Exchange
from tui.core.export.request import (
    TOKEN_VARIABLE,
    Export,
    SideFile,
    Unsupported,
    body_file,
    headers_that_matter,
    inline_text,
    is_authorized,
)
from tui.core.export.signed import EXPORT_KEYS, signed

__all__ = ["as_curl", "as_httpie"]

_ESCAPED: Final = (
    "curl before its releases of 2025 signs a path with % in another way than AWS (its issue 16927): where "
    "that is refused, take Python"
)


def as_curl(exchange: Exchange, folder: str) -> Export:
    """A curl command; `-N`, so that a stream is shown as it comes.

    Args:
        exchange: The exchange.
        folder: Put before the names of side files; empty when the command is run where they are.
    """
    lines = ["curl -sS -N"]
    body, files = inline_text(exchange), ()
    if exchange.method not in ("GET", "POST") or (exchange.method == "POST" and not exchange.sent):
        lines[0] += f" -X {shlex.quote(exchange.method)}"
    if any(sign in exchange.url for sign in "[]{}"):
        lines[0] += " --globoff"
    lines[0] += f" {shlex.quote(exchange.url)}"
    if is_authorized(exchange):
        lines.append(f'-H "Authorization: Bearer ${TOKEN_VARIABLE}"')
    signature, notes = signed(exchange), list[str]()
    if signature is not None:
        lines.append(f"--aws-sigv4 aws:amz:{signature.region}:{signature.service}")
        lines.append('--user "$AWS_ACCESS_KEY_ID:$AWS_SECRET_ACCESS_KEY"')
        lines += ['-H "X-Amz-Security-Token: $AWS_SESSION_TOKEN"'] * signature.session
        notes = [EXPORT_KEYS, *([_ESCAPED] if "%" in exchange.url else [])]
    # curl takes "Name;" for a header without a value.
    lines += [
        f"-H {shlex.quote(f'{name}: {value}' if value else f'{name};')}"
        for name, value in headers_that_matter(exchange)
    ]
    if body is None:
        files = (body_file(exchange),)
        lines.append(f"--data-binary {shlex.quote('@' + folder + files[0].name)}")
    elif body or exchange.method == "POST":
        # --data-raw: with --data, a body that begins with @ would be read from a file.
        lines.append(f"--data-raw {shlex.quote(body)}")
    return _script(lines, files, folder, notes)


def as_httpie(exchange: Exchange, folder: str) -> Export:
    """An HTTPie command (version 3.0 or later); `--stream`, so that events are shown as they come.

    Args:
        exchange: The exchange.
        folder: As for `as_curl`.

    Raises:
        Unsupported: The request was signed.
    """
    if signed(exchange) is not None:
        raise Unsupported("HTTPie does not sign for AWS; export it as curl or Python.")
    body, files = inline_text(exchange), ()
    lines = [f"http --ignore-stdin --stream {shlex.quote(exchange.method)} {shlex.quote(exchange.url)}"]
    if is_authorized(exchange):
        lines.append(f'"Authorization:Bearer ${TOKEN_VARIABLE}"')
    lines += [shlex.quote(_item(name, value)) for name, value in headers_that_matter(exchange)]
    if body is None:
        files = (body_file(exchange),)
        lines.append(shlex.quote("@" + folder + files[0].name))
    elif body:
        lines.append(f"--raw {shlex.quote(body)}")
    return _script(lines, files, folder)


def _item(name: str, value: str) -> str:
    """A header as HTTPie's `Name:Value`; `Name;` has no value, `:=` and `:@` mean other things."""
    if not value:
        return f"{name};"
    return f"{name}: {value}" if value[0] in "=@" else f"{name}:{value}"


def _script(
    lines: Sequence[str], files: Sequence[SideFile], folder: str, notes: Sequence[str] = ()
) -> Export:
    text = " \\\n  ".join(lines) + "\n"
    if files and not folder:
        text = f"# Run it where {files[0].name} is.\n{text}"
    return Export(text.encode("utf-8", "replace"), "sh", tuple(files), tuple(notes))
