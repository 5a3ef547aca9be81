"""How to go on after a turn that did not complete: one command, and what it would do, in words.

The commands are those of the program's table; linear mode and the command line have words of their own
where they have no such command. Wordings of Bedrock's refusals: bedrock-facts.md section 4.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from tui.core.errors import ConnectError, HttpStatusError, TokenError, WireError
from tui.core.items import Outcome, Turn

__all__ = ["WayOn", "is_file_refused", "is_too_long", "way_on"]

_TOO_LONG: Final = re.compile(
    r"prompt tokens|exceeds? (the )?model maximum|context (length|window)|input is too long", re.IGNORECASE
)
_MODEL: Final = re.compile(
    r"model [`'\"]?[\w.:-]+[`'\"]? (does not exist|isn't|is not|does not support)"
    r"|isn't supported on this route",
    re.IGNORECASE,
)
# OpenAI's words for a file or picture that cannot be read, and its codes (API reference, Errors).
_FILE: Final = re.compile(
    r"invalid_(file|image)|unsupported_file|(invalid|unsupported) (file|image)|\bfile_data\b|\bimage_url\b"
    r"|\bthe (file|pdf|image)( data)?( you provided)? (is|has|takes|does not|cannot)\b",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class WayOn:
    """One way to go on.

    Attributes:
        command: The id of the command that does it.
        words: What it does, to stand after a key: "answers once more".
    """

    command: str
    words: str


_AGAIN: Final = WayOn("turn.regenerate", "answers once more; what came stays, as a branch")
_KEY: Final = WayOn("token.enter", "takes another key")
_MODELS: Final = WayOn("target.pick", "lists the models, and where each can be asked")
_PLACE: Final = WayOn("target.pick", "changes the region or the endpoint")
_SUMMARY: Final = WayOn(
    "conversation.compact", "goes on from a summary: the conversation is longer than the model takes"
)
_FILES: Final = WayOn("turn.edit", "takes the prompt back, to be sent with less")
_FILE_AWAY: Final = WayOn("attachments.open", "takes the file away that is refused")
_LIMIT: Final = WayOn("conversation.maxtokens", "raises the limit; the next message goes on from what came")
_CHECKS: Final = WayOn("checks.open", "finds out what is wrong with the connection")


def way_on(turn: Turn | None, error: Exception | None) -> WayOn | None:
    """How to go on from a turn; `None` where nothing needs to be done, as it completed or was stopped.

    Args:
        turn: How it ended; `None` where nothing was sent.
        error: What it failed with, where that is known.
    """
    if turn is not None and turn.outcome is Outcome.INCOMPLETE:
        return _LIMIT if "limit on output tokens" in (turn.error or "") else _AGAIN
    if isinstance(error, TokenError):
        return _KEY
    if turn is not None and turn.outcome is not Outcome.FAILED:
        return None
    if isinstance(error, ConnectError):
        return _PLACE if "There is no host" in str(error) else _CHECKS
    if isinstance(error, HttpStatusError):
        return _from_status(error)
    if isinstance(error, WireError) and error.code in ("not_a_stream", "not_json", "bad_encoding"):
        return _CHECKS
    return _AGAIN if turn is not None else None


def _from_status(error: HttpStatusError) -> WayOn:
    if is_too_long(error):
        return _SUMMARY
    if error.status == 413:
        return _FILES
    if is_file_refused(error):
        return _FILE_AWAY
    if error.status == 404 or (error.status == 400 and _MODEL.search(str(error))):
        return _MODELS
    if error.status is not None and 300 <= error.status < 400:
        return _CHECKS
    return _AGAIN


def is_too_long(error: Exception | None) -> bool:
    """Whether the server refused a request because the conversation is longer than the model can take."""
    return (
        isinstance(error, HttpStatusError)
        and error.status in (400, 413)
        and _TOO_LONG.search(str(error)) is not None
    )


def is_file_refused(error: Exception | None) -> bool:
    """Whether the server refused a request because of a file in it: sent again, it would refuse it again."""
    return (
        isinstance(error, HttpStatusError)
        and error.status in (400, 413, 415)
        and _FILE.search(f"{error.code} {error}") is not None
    )
