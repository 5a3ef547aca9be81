"""Errors and what they came of, without secrets: whoever formats one formats its causes too.

An error of httpx or the SDK may quote a header that could not be sent, and with it the token, holds the
request, and names a proxy with its password. What leaves this package is an error of ours without causes;
one that nobody thought of is masked link by link.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from types import TracebackType
from typing import Any, Final, Self, cast

from tui.core.errors import OutcropError
from tui.wire.token_forms import MASK

__all__ = ["bare", "causes", "mask_errors", "without_causes", "without_secrets"]

# The rest of the line: what cannot be sent may hold spaces.
_HEADER: Final = re.compile(r"(?i)\b(bearer|basic|AWS4-HMAC-SHA256)[ \\\t][^\r\n]*")
_USER: Final = re.compile(r"(?<=//)[^/\s'\"]*@")
_PLAIN: Final = (int, float, bool, type(None))


def causes(error: BaseException) -> Iterator[BaseException]:
    """An error and everything that hangs on it: causes, contexts, members of a group, errors as arguments."""
    seen: set[int] = set()
    todo: list[object] = [error]
    while todo:
        one = todo.pop()
        if not isinstance(one, BaseException) or id(one) in seen:
            continue
        seen.add(id(one))
        yield one
        todo += [one.__context__, one.__cause__, *one.args]
        if isinstance(one, BaseExceptionGroup):
            todo += cast("BaseExceptionGroup[BaseException]", one).exceptions


def without_causes(error: OutcropError) -> None:
    """Cut an error of ours off from what it came of; its sentence says enough."""
    error.__cause__ = error.__context__ = None


def without_secrets(text: str) -> str:
    """A text without an Authorization header's value, and without what stands before the @ of a URL."""
    return _USER.sub(f"{MASK}@", _HEADER.sub(rf"\1 {MASK}", text))


def mask_errors(error: BaseException, mask: Callable[[str], str] = str) -> None:
    """Mask an error and all that hangs on it in place: arguments, notes, attributes.

    Args:
        error: What was raised.
        mask: Takes the secrets of this request out of a text.
    """

    def masked(value: object) -> Any:
        if isinstance(value, str):
            return without_secrets(mask(value))
        if isinstance(value, bytes):
            return masked(value.decode("latin-1")).encode("latin-1")
        if isinstance(value, (list, tuple)):
            made = [masked(each) for each in cast("list[object]", value)]
            return made if isinstance(value, list) else tuple(made)
        if isinstance(value, (BaseException, *_PLAIN)):
            return value
        # A request, a client, a connection: they hold headers.
        return None

    for one in list(causes(error)):
        one.args = masked(one.args)
        for name, value in list(vars(one).items()):
            vars(one)[name] = masked(value)
        # Members that the interpreter keeps beside these.
        for name in ("object", "reason", "strerror", "filename", "filename2"):
            if isinstance(value := getattr(one, name, None), (str, bytes)):
                setattr(one, name, masked(value))
        # Nothing changes the words of a group.
        if isinstance(one.__cause__, BaseExceptionGroup):
            one.__cause__ = None
        if isinstance(one.__context__, BaseExceptionGroup):
            one.__context__ = None


class bare:
    """Where it ends with an error of ours, that has no causes; any other is masked."""

    def __enter__(self) -> Self:
        """Nothing is done before."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Mask what is on its way out."""
        # Not in a handler: what is raised there gets the original as its context, whatever it is told.
        if isinstance(error, OutcropError):
            without_causes(error)
        elif isinstance(error, Exception):
            mask_errors(error)
