"""What httpx, the SDK and the server report, as errors with a sentence.

Sources: bedrock-facts.md section 4 (bodies and statuses), hazards.md (what the SDK raises and what it hides).
"""

from __future__ import annotations

import json
import math
import re
import socket
import ssl
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Final, cast
from urllib.parse import urlsplit

import httpx

from tui.core.errors import ConnectError, HttpStatusError, ResponseError, StreamError, TokenRefused, WireError
from tui.core.events import ServerError
from tui.core.text import visible_line
from tui.wire.decode import server_error
from tui.wire.error_chains import causes, without_secrets
from tui.wire.network import proxy_for
from tui.wire.signing import SIGNED

__all__ = [
    "from_server_error",
    "from_status",
    "from_transport",
    "reported",
    "retry_after_seconds",
    "wait_words",
]

RETRYABLE: Final = frozenset({408, 409, 429, 500, 502, 503, 504})
_LONGEST_MESSAGE: Final = 600


def from_transport(error: Exception, url: str) -> WireError:
    """An error of the connection. Only one that came before the request was sent may be retried."""
    host = urlsplit(url).netloc or url
    if isinstance(error, httpx.ConnectTimeout):
        return ConnectError(
            f"{_far_end(url)} did not answer in time: no connection was made.",
            code="connect",
            retryable=True,
        )
    if isinstance(error, httpx.ConnectError):
        sentence, passing = _connect_failure(error, host, _far_end(url))
        return ConnectError(sentence, code="connect", retryable=passing)
    if isinstance(error, httpx.ProxyError):
        return _refused_by_proxy(str(error), url, host)
    if isinstance(error, httpx.TimeoutException):
        return StreamError(f"{host} stopped answering.", code="timeout")
    if isinstance(error, httpx.DecodingError):
        return StreamError(
            f"The answer of {host} could not be decompressed; what came before is kept.", code="bad_stream"
        )
    return StreamError(f"The connection to {host} broke off.", code="cut")


def _far_end(url: str) -> str:
    """What a connection is made to: the host, or the proxy that leads there."""
    proxy = proxy_for(url)
    host = urlsplit(url).netloc or url
    return host if proxy is None else f"The proxy {_address(proxy)}, which is to lead to {host},"


def _address(proxy: str) -> str:
    """Host and port of a proxy; its user and password stay out."""
    return visible_line(urlsplit(proxy).netloc.rpartition("@")[2])[:100]


def _refused_by_proxy(words: str, url: str, host: str) -> ConnectError:
    status = int(words[:3]) if words[:3].isdecimal() else 0
    proxy = proxy_for(url)
    where = f"The proxy {_address(proxy)}" if proxy else "The proxy"
    said = visible_line(words.strip())[:100]
    why = "it wants a user name and a password (407)" if status == 407 else f"it said “{said}”"
    return ConnectError(
        f"{where} refused the connection to {host}: {why if said else 'it gave no reason'}.",
        code="proxy",
        # Nothing of the request was sent.
        retryable=status in RETRYABLE,
    )


def _connect_failure(error: BaseException, host: str, far_end: str) -> tuple[str, bool]:
    """The sentence, and whether trying again can help."""
    for cause in causes(error):
        if isinstance(cause, socket.gaierror):
            if far_end != host:
                return f"{far_end} has a name without an address (DNS found none): check HTTPS_PROXY.", False
            if cause.errno == socket.EAI_AGAIN:
                return (
                    f"The name {host} could not be looked up: no network, or no DNS server.",
                    False,
                )
            return f"There is no host {host}: check the region and the network (DNS found no address).", False
        if isinstance(cause, ssl.SSLError):
            return f"The TLS connection to {host} failed: {_tls_words(cause)}", False
        if isinstance(cause, ConnectionRefusedError):
            return f"{far_end} refused the connection: nothing listens there.", True
    said = visible_line(without_secrets(str(error)))[:200]
    return f"No connection to {host} could be made{f': {said}' if said else ''}.", True


def _tls_words(error: ssl.SSLError) -> str:
    """Why no TLS connection was made, without the codes of the library that says so."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return (
            f"its certificate is not trusted ({visible_line(error.verify_message)[:120]}). Where it is your "
            "own network's, SSL_CERT_FILE names the certificates to trust."
        )
    words = re.sub(r"^\[.*?\] ?|\s*\(_ssl\.c:\d+\)$", "", visible_line(str(error)))[:200]
    return f"{words or 'the server speaks no TLS there'}."


def from_status(response: httpx.Response, body: bytes) -> WireError:
    """An answer whose status is no success."""
    status = response.status_code
    told = reported(body)
    message = visible_line(told.message.strip())[:_LONGEST_MESSAGE]
    request_id = response.headers.get("x-request-id") or response.headers.get("x-amzn-requestid")
    wait = retry_after_seconds(response.headers)
    retryable = status in RETRYABLE and response.headers.get("x-should-retry", "").lower() != "false"
    sentence = _status_sentence(status, message, response)
    kind = TokenRefused if status in (401, 403) else HttpStatusError
    return kind(
        sentence,
        code=told.code or _aws_code(response) or f"http_{status}",
        param=told.param,
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
        where = visible_line(without_secrets(response.headers.get("location", "elsewhere")))[:200]
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


def reported(body: bytes) -> ServerError:
    """What a body that is no answer says: an error in any of its forms, or the words of something else."""
    try:
        parsed: object = json.loads(body)
    except (ValueError, RecursionError):
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
    # What is packed or binary says nothing.
    return "" if "\ufffd" in text else text.strip()[:200]


def from_server_error(reported: ServerError, request_id: str | None) -> ResponseError:
    """An error inside a response that began well."""
    message = visible_line(reported.message.strip())[:_LONGEST_MESSAGE] or "it gave no reason"
    return ResponseError(
        f"The server ended the answer with an error: {message}",
        code=reported.code or "server_error",
        request_id=request_id,
    )


def retry_after_seconds(headers: httpx.Headers) -> float | None:
    """The wait the server asks for: `retry-after-ms`, or `retry-after` in seconds or as a date.

    A date is held against the server's own clock, or ours where it does not tell its; one without a zone is
    none. What is no wait is `None`, one that lies behind us 0.
    """
    milliseconds = _number(headers.get("retry-after-ms", ""))
    if milliseconds is not None:
        return milliseconds / 1000
    value = headers.get("retry-after", "")
    seconds = _number(value)
    then = _moment(value) if seconds is None else None
    if then is None:
        return seconds
    now = _moment(headers.get("date", "")) or datetime.now(UTC)
    return max(0.0, (then - now).total_seconds())


def _number(value: str) -> float | None:
    try:
        number = float(value)
    except ValueError:
        return None
    return None if math.isnan(number) else max(0.0, number)


def _moment(value: str) -> datetime | None:
    try:
        moment = parsedate_to_datetime(value)
    except (ValueError, TypeError, OverflowError):
        return None
    return moment if moment.tzinfo is not None else None


def wait_words(seconds: float) -> str:
    """A wait that is not waited here, as people say it: `20 s`, `60 min`, `5 h`."""
    if seconds < 90:
        return f"{math.ceil(seconds)} s"
    if seconds < 5400:
        return f"{math.ceil(seconds / 60)} min"
    hours = seconds / 3600
    return f"{math.ceil(hours)} h" if hours <= 72 else "more than three days"
