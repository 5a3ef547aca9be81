"""Reading a request's body once."""

from __future__ import annotations

import json
from typing import Any

from starlette.requests import Request

from . import errors
from .shapes import is_object

_LONGEST = 70 * 1024 * 1024  # section 4 "PDF": 50 MB of files, in base64, and the rest


async def bytes_of(request: Request) -> bytes:
    """The body.

    Raises:
        ApiError: 413 where it says that it is longer than any good one (section 4, ASSUMED).
    """
    length = request.headers.get("content-length", "0")
    if length.isdecimal() and int(length) > _LONGEST:
        raise errors.ApiError(413, "request_too_large", "The request body is too large.")
    return await request.body()


async def json_of(request: Request, *, anything: bool = False) -> Any:
    """The body as JSON, parsed once.

    Args:
        request: its state keeps the result.
        anything: False wants an object.

    Raises:
        ApiError: 400.
    """
    try:
        value: Any = getattr(request.state, "parsed", None)
        if value is None:
            value = request.state.parsed = json.loads(await bytes_of(request))
    except (ValueError, RecursionError):
        raise errors.ApiError(400, "validation_error", "invalid request body: not valid JSON") from None
    if not anything and not is_object(value):
        raise errors.ApiError(400, "validation_error", "invalid request body: expected a JSON object")
    return value
