"""What httpx, the SDK and the server report, as errors with a sentence.

Sources: bedrock-facts.md section 4 (bodies and statuses), hazards.md (what the SDK raises and what it hides).
"""

from __future__ import annotations

import json
import re
import socket
import ssl
from collections.abc import Iterator, Mapping
from email.utils import parsedate_to_datetime
from typing import Final, cast
from urllib.parse import urlsplit

import httpx

from tui.core.errors import ConnectError, HttpStatusError, ResponseError, StreamError, TokenRefused, WireError
from tui.core.events import ServerError
from tui.core.text import visible_line
from tui.wire.decode import server_error
from tui.wire.signing import SIGNED

__all__ = ["from_server_error", "from_status", "from_transport", "retry_after_seconds"]

RETRYABLE: Final = frozenset({408, 409, 429, 500, 502, 503, 504})
_LONGEST_MESSAGE: Final = 600


def from_transport(error: httpx.HTTPError, url: str) -> WireError:
    """An error of the connection. Only one that came before the request was sent may be retried."""
    host = urlsplit(url).netloc or url
    if isinstance(error, httpx.ConnectTimeout):
        return ConnectError(
            f"{host} did not answer in time: no connection was made.", code="connect", retryable=True
        )
    if isinstance(error, httpx.ConnectError):
        sentence, passing = _connect_failure(error, host)
        return ConnectError(sentence, code="connect", retryable=passing)
    if isinstance(error, httpx.ProxyError):
        return ConnectError(f"The proxy refused the connection to {host}.", code="proxy")
    if isinstance(error, httpx.TimeoutException):
        return StreamError(f"{host} stopped answering.", code="timeout")
    if isinstance(error, httpx.DecodingError):
        return StreamError(
            f"The answer of {host} could not be decompressed; what came before is kept.", code="bad_stream"
        )
    return StreamError(f"The connection to {host} broke off.", code="cut")


def _connect_failure(error: BaseException, host: str) -> tuple[str, bool]:
    """The sentence, and whether trying again can help."""
    for cause in _causes(error):
        if isinstance(cause, socket.gaierror):
            return f"There is no host {host}: check the region and the network (DNS found no address).", False
        if isinstance(cause, ssl.SSLError):
            return f"The TLS connection to {host} failed: {visible_line(str(cause))[:200]}", False
        if isinstance(cause, ConnectionRefusedError):
            return f"{host} refused the connection: nothing listens there.", True
    return f"No connection to {host} could be made: {visible_line(str(error))[:200]}", True


def _causes(error: BaseException) -> Iterator[BaseException]:
    """The error and everything that led to it; httpx and anyio wrap the system's own error several times."""
    todo: list[BaseException | None] = [error]
    while todo:
        cause = todo.pop()
        if cause is None:
            continue
        yield cause
        todo += [cause.__context__, cause.__cause__]
        if isinstance(cause, BaseExceptionGroup):
            todo += cast("BaseExceptionGroup[BaseException]", cause).exceptions


def from_status(response: httpx.Response, body: bytes) -> WireError:
    """An answer whose status is no success."""
    status = response.status_code
    reported = _reported(body)
    message = visible_line(reported.message.strip())[:_LONGEST_MESSAGE]
    request_id = response.headers.get("x-request-id") or response.headers.get("x-amzn-requestid")
    wait = retry_after_seconds(response.headers)
    retryable = status in RETRYABLE and response.headers.get("x-should-retry", "").lower() != "false"
    sentence = _status_sentence(status, message, response)
    kind = TokenRefused if status in (401, 403) else HttpStatusError
    return kind(
        sentence,
        code=reported.code or _aws_code(response) or f"http_{status}",
        param=reported.param,
        status=status,
        request_id=request_id,
        retryable=retryable,
        retry_after=wait,
    )


def _aws_code(response: httpx.Response) -> str:
    """AWS names its exception in a header, `ValidationException:http://…`, not in the body."""
    return visible_line(response.headers.get("x-amzn-errortype", "").partition(":")[0])[:100]


def _status_sentence(status: int, message: str, response: httpx.Response) -> str:
    said = f" It said: {message}" if message else ""
    if 300 <= status < 400:
        where = visible_line(response.headers.get("location", "elsewhere"))[:200]
        return f"The server redirects to {where}, and Outcrop follows no redirects: check the base URL."
    if status == 401:
        what = _credentials_of(response)
        return f"The server refused the {what} (401): it is wrong, expired or of another region.{said}"
    if status == 403:
        what = _credentials_of(response)
        return f"The server refused the {what} (403): it is wrong or may not do this.{said}"
    if status == 404:
        return f"The server does not know what was asked for (404).{said}"
    if status == 413:
        return f"The request is too large for the server (413): attach fewer or smaller files.{said}"
    if status == 424:
        return f"The model failed to answer (424).{said}"
    if status == 429:
        return f"The server is throttling (429): too many tokens a minute.{said}"
    if status >= 500:
        return f"The server had an error ({status}).{said}"
    return f"The server refused the request ({status}).{said}"


def _credentials_of(response: httpx.Response) -> str:
    """What the request was authorized with; signed ones are those of an AWS profile."""
    scheme = response.request.headers.get("authorization", "").partition(" ")[0]
    return "signature by the AWS profile" if scheme == SIGNED.decode() else "token"


def _reported(body: bytes) -> ServerError:
    try:
        parsed: object = json.loads(body)
    except ValueError:
        return ServerError("", _plain(body))
    if not isinstance(parsed, Mapping):
        return ServerError("", "")
    fields = cast("Mapping[str, object]", parsed)
    found = server_error(fields)
    if not found.message and isinstance(fields.get("detail"), str):
        return ServerError(found.code, str(fields["detail"]))
    return found


def _plain(body: bytes) -> str:
    """The words of a body that is no JSON; an HTML page gives its title at most."""
    text = body[:4096].decode("utf-8", "replace")
    if "<" in text:
        title = re.search(r"<title[^>]*>(.*?)</title>", text, re.IGNORECASE | re.DOTALL)
        return title.group(1).strip() if title else ""
    return text.strip()[:200]


def from_server_error(reported: ServerError, request_id: str | None) -> ResponseError:
    """An error inside a response that began well."""
    message = visible_line(reported.message.strip())[:_LONGEST_MESSAGE] or "it gave no reason"
    return ResponseError(
        f"The server ended the answer with an error: {message}",
        code=reported.code or "server_error",
        request_id=request_id,
    )


def retry_after_seconds(headers: httpx.Headers) -> float | None:
    """The wait the server asks for: `retry-after-ms`, or `retry-after` in seconds or as a date."""
    try:
        return max(0.0, float(headers["retry-after-ms"]) / 1000)
    except (KeyError, ValueError):
        pass
    value = headers.get("retry-after", "")
    try:
        return max(0.0, float(value))
    except ValueError:
        pass
    try:
        then = parsedate_to_datetime(value)
        now = parsedate_to_datetime(headers.get("date", ""))
        return max(0.0, (then - now).total_seconds())
    except (ValueError, TypeError):
        return None
