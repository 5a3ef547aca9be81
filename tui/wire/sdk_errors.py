"""What the SDK raises, and what is said once nothing is sent again, as errors with a sentence."""

from __future__ import annotations

from urllib.parse import urlsplit

import httpx
import openai

from tui.core.errors import ConnectError, HttpStatusError, OutcropError, TokenUnusable, WireError
from tui.core.text import visible_line
from tui.wire.error_chains import without_secrets
from tui.wire.failures import from_transport, wait_words

__all__ = ["from_connection_error", "from_sdk_error", "with_wait"]


def with_wait(error: OutcropError) -> OutcropError:
    """An error after which nothing is sent again; it says how long the server asks to wait."""
    seconds = error.retry_after if isinstance(error, WireError) else None
    if seconds:
        error.args = (f"{error} It asks to be left alone for {wait_words(seconds)}.",)
    return error


def from_connection_error(error: openai.APIConnectionError, url: str) -> OutcropError:
    """What stopped a request before its answer began; `url` is where it went."""
    cause = error.__cause__
    if isinstance(cause, httpx.LocalProtocolError):
        # Its text may quote the header it could not send, and with it the token.
        return TokenUnusable(
            "The token cannot be sent in a header: it holds characters that no header may hold."
        )
    if isinstance(cause, httpx.HTTPError):
        return from_transport(cause, url)
    host = urlsplit(url).netloc
    return ConnectError(f"The request to {host} could not be sent: the connection failed.", code="connect")


def from_sdk_error(error: openai.OpenAIError) -> OutcropError:
    """What the SDK could not make a request of; a missing token says so itself."""
    cause = error.__cause__
    if isinstance(cause, OutcropError):
        return cause
    said = visible_line(without_secrets(str(error)))
    return HttpStatusError(f"The request could not be made: {said}", code="sdk")
