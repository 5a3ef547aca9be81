"""What can go wrong, as sentences for the person in front of the terminal.

    OutcropError
    +-- InputError            the command line, a file, an attachment: bad input (exit status 2)
    |   +-- ConfigError       a config file or an environment variable
    |   +-- AttachmentError   a file that cannot be sent
    +-- TokenError            no token, or a token that cannot work (exit status 3)
    |   +-- TokenMissing      none was found
    |   +-- TokenUnusable     expired, of another region, or no header could carry it
    |   +-- TokenRefused      the server refused it
    +-- KeyringError          the OS keyring did not do what was asked
    |   +-- KeyringUnavailable  there is none to reach
    |   +-- KeyringLocked       it is locked, or did not answer in time
    +-- StoreError            the history cannot be read or written
    |   +-- NoSuchConversation  it holds no conversation of that id; an InputError as well
    |   +-- HistoryUnusable     its file: the disk, rights, a lock, damage, another version
    +-- WireError             the network or the server (exit status 1)
        +-- ConnectError      no connection, TLS, DNS
        +-- HttpStatusError   a status that is no success
        +-- ResponseError     the server reported an error in a response or an event
        +-- StreamError       the stream broke, was no stream, or ended without its last event
        +-- SilenceError      nothing came for longer than allowed

`str(error)` is the sentence: what is wrong, where, and what to do. It never holds a secret.
"""

from __future__ import annotations

__all__ = [
    "AttachmentError",
    "ConfigError",
    "ConnectError",
    "HistoryUnusable",
    "HttpStatusError",
    "InputError",
    "KeyringError",
    "KeyringLocked",
    "KeyringUnavailable",
    "NoSuchConversation",
    "OutcropError",
    "ResponseError",
    "SilenceError",
    "StoreError",
    "StreamError",
    "TokenError",
    "TokenMissing",
    "TokenRefused",
    "TokenUnusable",
    "WireError",
]


class OutcropError(Exception):
    """The root; its text is a sentence for the user."""


class InputError(OutcropError):
    """Something the user gave cannot be used."""


class ConfigError(InputError):
    """A config file or an environment variable holds something it must not."""


class AttachmentError(InputError):
    """A file cannot be attached."""


class TokenError(OutcropError):
    """There is no bearer token that could work."""


class TokenMissing(TokenError):
    """No token was found in the environment, the keyring or memory."""


class TokenUnusable(TokenError):
    """The token has expired, belongs to another region, or cannot be sent in a header."""


class KeyringError(OutcropError):
    """The OS keyring did not do what was asked."""


class KeyringUnavailable(KeyringError):
    """No keyring can be reached."""


class KeyringLocked(KeyringError):
    """The keyring is locked or does not answer."""


class StoreError(OutcropError):
    """The history cannot be read or written."""


class NoSuchConversation(StoreError, InputError):
    """The history holds no conversation of the id that was given."""


class HistoryUnusable(StoreError):
    """The history's file cannot be read or written now; what was to be written was not.

    Attributes:
        damaged: Whether the file itself is at fault: writing more to it could make it worse.
    """

    def __init__(self, sentence: str, *, damaged: bool = False) -> None:
        super().__init__(sentence)
        self.damaged = damaged


class WireError(OutcropError):
    """The network or the server.

    Attributes:
        code: The server's error code, or a word of ours; for scripts.
        param: The parameter that the server names as the cause; empty when it names none.
        status: HTTP status, if one came.
        request_id: The server's request id, if one came.
        retryable: Whether the same request may be sent again without a second paid generation.
        retry_after: Seconds the server asked to wait, if it did.
    """

    def __init__(
        self,
        sentence: str,
        *,
        code: str = "",
        param: str = "",
        status: int | None = None,
        request_id: str | None = None,
        retryable: bool = False,
        retry_after: float | None = None,
    ) -> None:
        super().__init__(sentence)
        self.code = code
        self.param = param
        self.status = status
        self.request_id = request_id
        self.retryable = retryable
        self.retry_after = retry_after

    def as_dict(self) -> dict[str, object]:
        """The error for machine-readable output; keys: `message`, `code`, `status`, `retryable`."""
        return {
            "message": str(self),
            "code": self.code or None,
            "status": self.status,
            "retryable": self.retryable,
        }


class ConnectError(WireError):
    """No connection to the server could be made."""


class HttpStatusError(WireError):
    """The server answered with a status that is no success."""


class TokenRefused(HttpStatusError, TokenError):
    """The server answered 401 or 403: the token is not accepted."""


class ResponseError(WireError):
    """The server reported an error in a response or an event."""


class StreamError(WireError):
    """The stream broke off, was not a stream, held something unreadable, or had no last event."""


class SilenceError(WireError):
    """No event came for longer than allowed; keep-alives do not count."""
