"""Crash reports: what this program writes down when it fails in a way that nobody thought of.

A report is a file of mode 0600 with versions and the places in the code, without values of variables and
without secrets. Textual and Python would print both to the terminal (hazards.md, "Textual 8.2.8 hazards" 3).
"""

from __future__ import annotations

import os
import re
import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, cast

if TYPE_CHECKING:
    import asyncio

__all__ = ["Crashes", "current", "install", "report", "report_text"]

_FOLDER: Final = "crashes"
_KEPT: Final = 20
_LONGEST: Final = 400
"""Characters of an error's message: it may quote what somebody typed."""
_SHORTEST: Final = 8
"""Characters of a secret that is looked for: a shorter one would be found in ordinary words."""
_SECRETS: Final = ("AWS_BEARER_TOKEN_BEDROCK", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN")
_KEYS: Final = re.compile(r"(?:bedrock-api-key-|ABSK)[A-Za-z0-9+/=_-]+|Bearer\s+[^\s'\"]+")
_MASK: Final = "[secret]"

_HEAD: Final = """\
Outcrop crash report

Versions and places in the code, no values of variables. A message below may quote what was typed: read it
before you send it to anyone.
"""


class Crashes:
    """Writes crash reports and remembers where the last one is.

    Args:
        folder: The data folder; reports go into `crashes` in it.
        secrets: Gives what a report must not hold; what the environment has of it is masked anyway.

    Attributes:
        path: Of the last report; `None` before there is one.
    """

    def __init__(self, folder: Path, secrets: Callable[[], Iterable[str]] = tuple) -> None:
        self._folder = folder / _FOLDER
        self._secrets = secrets
        self.path: Path | None = None
        self.told: Callable[[str], None] | None = None

    def write(self, error: BaseException, where: str) -> str:
        """Write a report; returns the sentence that says so, also where it cannot be written.

        Args:
            error: What was raised.
            where: In what, for people: `the program`, `a thread`.
        """
        kind = type(error).__name__
        try:
            self.path = self._save(report_text(error, where, self._secrets()))
        except OSError as problem:
            why = problem.strerror or type(problem).__name__
            return f"Something in {where} went wrong ({kind}); a report could not be written: {why}."
        return f"Something in {where} went wrong ({kind}). A report without your data is in {self.path}."

    def _save(self, text: str) -> Path:
        from tui.private_files import make_private_folder, open_private

        make_private_folder(self._folder)
        stamp = time.strftime("%Y%m%d-%H%M%S")
        for number in range(100):
            path = self._folder / f"crash-{stamp}-{os.getpid()}{f'-{number}' if number else ''}.txt"
            with suppress(FileExistsError):
                descriptor = open_private(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL)
                with os.fdopen(descriptor, "w", encoding="utf-8", errors="backslashreplace") as file:
                    file.write(text)
                self._prune()
                return path
        raise OSError("too many reports in one second")

    def _prune(self) -> None:
        reports = sorted(self._folder.glob("crash-*.txt"))
        for path in reports[:-_KEPT]:
            with suppress(OSError):
                path.unlink()

    def watch_threads(self) -> None:
        """Report what a thread of this process dies of; the program goes on."""

        def died(given: threading.ExceptHookArgs) -> None:
            if given.exc_value is not None and given.exc_type is not SystemExit:
                self._tell(self.write(given.exc_value, "a thread"))

        threading.excepthook = died

    def watch_tasks(self, loop: asyncio.AbstractEventLoop) -> None:
        """Report what a task of this loop dies of that nobody waits for; the program goes on."""

        def died(loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
            error = context.get("exception")
            if isinstance(error, Exception):
                self._tell(self.write(error, "a task"))

        loop.set_exception_handler(died)

    def _tell(self, sentence: str) -> None:
        if self.told is not None:
            self.told(sentence)
        else:
            print(f"outcrop: {sentence}", file=sys.stderr)


_installed: list[Crashes] = []


def install(crashes: Crashes) -> None:
    """Choose who writes the reports of this process."""
    _installed[:] = [crashes]


def current() -> Crashes | None:
    """Who writes the reports of this process; `None` before `install`."""
    return _installed[0] if _installed else None


def report(error: BaseException, where: str = "this program") -> str:
    """Write a report; returns the sentence that says so. Without `install` there is the sentence only."""
    if _installed:
        return _installed[0].write(error, where)
    return f"Something in {where} went wrong ({type(error).__name__})."


def report_text(error: BaseException, where: str, secrets: Iterable[str] = ()) -> str:
    """The report of an error, its causes first; the secrets are masked in every form they could come in."""
    import platform
    from importlib.metadata import PackageNotFoundError, version

    from tui import __version__

    def of(package: str) -> str:
        try:
            return version(package)
        except PackageNotFoundError:
            return "none"

    packages = ", ".join(f"{name} {of(name)}" for name in ("textual", "openai", "httpx", "keyring"))
    lines = [
        _HEAD,
        f"time      {time.strftime('%Y-%m-%dT%H:%M:%S%z')}",
        f"outcrop   {__version__}",
        f"packages  {packages}",
        f"python    {platform.python_version()} on {platform.platform(terse=True)}",
        f"terminal  {os.environ.get('TERM', 'none')}",
        f"in        {where}",
    ]
    mask = _mask_of(secrets)
    for link, one in _chain(error):
        lines += ["", f"{link}{type(one).__name__}: {_message(one, mask)}", *_places(one)]
    return mask("\n".join(lines) + "\n")


def _chain(error: BaseException) -> Iterator[tuple[str, BaseException]]:
    """The error, and what it was raised from or while handling, with how they hang together."""
    seen: set[int] = set()
    link, one = "", error
    while id(one) not in seen:
        seen.add(id(one))
        yield link, one
        for inner in cast("tuple[BaseException, ...]", getattr(one, "exceptions", ())):
            yield "in it: ", inner
        if one.__cause__ is not None:
            link, one = "caused by: ", one.__cause__
        elif one.__context__ is not None and not one.__suppress_context__:
            link, one = "while handling: ", one.__context__


def _message(error: BaseException, mask: Callable[[str], str]) -> str:
    from tui.core.text import visible_line

    try:
        said = str(error)
    except Exception as problem:  # An error whose words fail is reported without them.
        said = f"(its message raised {type(problem).__name__})"
    # Before it is cut: the first half of a secret is one too.
    # With each backslash once, as a `repr` doubles those of a secret that was escaped.
    said = mask(said.replace("\\\\", "\\"))
    return visible_line(said if len(said) <= _LONGEST else f"{said[:_LONGEST]} …")


def _places(error: BaseException) -> list[str]:
    import traceback

    # Without source lines: what stands there may be a value.
    return [
        f"  {_short(frame.filename)}:{frame.lineno} in {frame.name}"
        for frame in traceback.StackSummary.extract(
            traceback.walk_tb(error.__traceback__), lookup_lines=False, capture_locals=False
        )
    ]


def _short(name: str) -> str:
    """A file by its place in its package: where people keep their things is nobody's business."""
    parts = Path(name).parts
    for mark in ("site-packages", "tui"):
        if mark in parts:
            at = len(parts) - 1 - parts[::-1].index(mark)
            return "/".join(parts[at + (mark == "site-packages") :])
    return Path(name).name


def _mask_of(secrets: Iterable[str]) -> Callable[[str], str]:
    """What takes secrets out of a text: those given, the environment's, and what looks like one."""
    from tui.wire.redact import Redactor

    known = [*secrets, *(os.environ.get(name, "") for name in _SECRETS)]
    redactor = Redactor("", *(secret.strip() for secret in known if len(secret.strip()) >= _SHORTEST))
    return lambda text: _KEYS.sub(_MASK, redactor.text(text))
