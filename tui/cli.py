"""The command `outcrop`: a contract that scripts depend on.

Exit status: 0 completed, 1 failed, 2 bad usage or bad input, 3 no token or token refused, 4 incomplete,
130 interrupted. What a subcommand needs is imported inside it: `outcrop --version` imports nothing.
"""

from __future__ import annotations

import errno
import os
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Any, cast

if TYPE_CHECKING:
    import argparse

    from tui.app import OutcropApp
    from tui.crash import Crashes

__all__ = ["main"]

_CANNOT_BE_WRITTEN = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO})
"""How a full disk or a lost one answers to output. The history's own files have errors of their own."""

_SANDBOX_RATE = 150.0
"""Tokens a second: the pace of a quick model, so that streaming can be seen."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line; returns the exit status.

    Args:
        argv: Arguments without the program's name; by default the process's own.
    """
    if argv is None:
        from tui.terminal.children import own_process

        own_process()
    try:
        try:
            return _run(list(sys.argv[1:] if argv is None else argv))
        finally:
            # Here, where it can be said that it fails; at exit the interpreter prints a traceback.
            if sys.stdout is not None:  # pyright: ignore[reportUnnecessaryComparison]
                sys.stdout.flush()
    except BrokenPipeError:
        _drop_output()
        return 1
    except OSError as error:
        if error.errno not in _CANNOT_BE_WRITTEN:
            raise
        _drop_output()
        with suppress(OSError):
            # It may have gone with the terminal as well.
            print(f"outcrop: The output cannot be written: {error.strerror}.", file=sys.stderr)
        return 1
    except Exception as error:
        return _failed(error)


def _failed(error: Exception) -> int:
    """Report an error that nobody thought of; Python would print what the code's lines hold."""
    from tui import crash
    from tui.config.settings import default_dirs
    from tui.core.text import visible

    if crash.current() is None:
        crash.install(crash.Crashes(default_dirs(os.environ)[1]))
    print(f"outcrop: {visible(crash.report(error, 'the program'))}", file=sys.stderr)
    return 1


def _drop_output() -> None:
    """Whoever read our output has gone; with stdout elsewhere the interpreter's last flush is quiet."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _run(arguments: list[str]) -> int:
    if arguments == ["--version"]:
        from tui import __version__

        print(f"outcrop {__version__}")
        return 0
    from tui.arguments import parse
    from tui.core.errors import OutcropError

    _write_any_text()
    try:
        options = parse(arguments)
        return _command(options)(options)
    except OutcropError as error:
        if "ask" in arguments and "--json" in arguments:
            from tui.subcommands.ask import print_not_sent

            print_not_sent(error, None, None)
        from tui.exits import fail

        return fail(error)
    except KeyboardInterrupt:
        return 130


def _write_any_text() -> None:
    """Let stdout take every character: an answer in UTF-8 through a pipe, whatever the locale says.

    A terminal gets its own encoding, and a question mark for what it cannot show.
    """
    import io

    stdout: object = sys.stdout
    if isinstance(stdout, io.TextIOWrapper):
        wrapper = cast("io.TextIOWrapper[Any]", stdout)
        wrapper.reconfigure(errors="replace") if stdout.isatty() else wrapper.reconfigure(encoding="utf-8")


def _command(options: argparse.Namespace) -> Callable[[argparse.Namespace], int]:
    if options.version:
        return _version
    match options.command:
        case "ask":
            from tui.subcommands.ask import run
        case "compare":
            from tui.subcommands.compare import run
        case "history":
            from tui.subcommands.history import run
        case "inspect":
            from tui.subcommands.inspect import run
        case "export":
            from tui.subcommands.leaving import run
        case "batch":
            from tui.subcommands.batch import run
        case "cassette":
            from tui.subcommands.cassette import run
        case "responses":
            from tui.subcommands.responses import run
        case "token":
            from tui.subcommands.token import run
        case "models":
            from tui.subcommands.models import run
        case "usage":
            from tui.subcommands.usage import run
        case "check":
            from tui.subcommands.check import run
        case "keys":
            from tui.subcommands.keys import run
        case "sandbox":
            from tui.subcommands.sandbox import run
        case _:
            run = _plain if options.plain else _tui
    return run


def _version(_: argparse.Namespace) -> int:
    return main(["--version"])


def _plain(options: argparse.Namespace) -> int:
    from tui.plain.run import run

    return run(options, sandbox_rate=_SANDBOX_RATE)


def _take_terminal() -> None:
    """See that the terminal is ours, by a change that changes nothing.

    In the background it stops the program, as everywhere, until `fg`. Where nobody could continue it (its
    shell has gone), the terminal refuses; Textual would go on without one, for ever.

    Raises:
        InputError: It is refused.
    """
    try:
        import termios
    except ImportError:  # Windows
        return
    terminal = sys.stdin.fileno()
    try:
        termios.tcsetattr(terminal, termios.TCSANOW, termios.tcgetattr(terminal))
    except termios.error as error:
        from tui.core.errors import InputError

        raise InputError(
            f"The terminal does not take the TUI ({error.args[-1]}): it runs in the background there, and no "
            "shell is left to bring it to the front."
        ) from None


def _tui(options: argparse.Namespace) -> int:
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        from tui.core.errors import InputError

        raise InputError("The TUI needs a terminal; `outcrop --plain` and `outcrop ask PROMPT` do not.")
    if os.environ.get("TERM") == "dumb":
        from tui.core.errors import InputError

        raise InputError("TERM=dumb cannot show the TUI; `outcrop --plain` and `outcrop ask PROMPT` can.")
    _take_terminal()
    import gc

    # Nothing of what is made on the way to the first picture is garbage; OutcropApp turns it on again.
    gc.disable()
    from pathlib import Path

    from tui.app import OutcropApp
    from tui.crash import current
    from tui.startup import session_after_first_paint, settings_and_playback

    settings, playback = settings_and_playback(options, os.environ)
    session = session_after_first_paint(settings, sandbox_rate=_SANDBOX_RATE, playback=playback)
    session.tool_files = tuple(Path(path) for path in getattr(options, "tools", None) or ())
    app = OutcropApp(
        session,
        open_conversation=getattr(options, "conversation", None),
        continue_latest=getattr(options, "continue_latest", False),
        theme=getattr(options, "theme", None),
        files=getattr(options, "files", []),
        preset=getattr(options, "preset", ""),
    )
    import asyncio

    crashes = current()
    assert crashes is not None  # made with the session
    crashes.told = app.tell_of_crash
    crashes.watch_threads()
    came = asyncio.run(_run_app(app, crashes))
    crashes.told = None
    return 128 + came if came else app.return_code or 0


async def _run_app(app: OutcropApp, crashes: Crashes) -> int:
    """Run the TUI; on SIGTERM, SIGHUP and SIGQUIT leave by the front door, so that what came is kept.

    Textual handles neither: the terminal would stay raw, on the alternate screen, with the mouse on.

    Returns:
        The signal that ended it, or 0.
    """
    import asyncio
    import signal

    came: list[int] = []

    def leave(number: int) -> None:
        came.append(number)
        if len(came) == 1:
            app.call_later(app.leave_now)

    loop = asyncio.get_running_loop()
    crashes.watch_tasks(loop)
    for name in ("SIGTERM", "SIGHUP", "SIGQUIT", "SIGINT"):
        # Windows has neither, and its loop no handlers.
        with suppress(AttributeError, NotImplementedError):
            loop.add_signal_handler(getattr(signal, name), leave, int(getattr(signal, name)))
    await app.run_async(mouse=app.session.settings.mouse)
    return came[0] if came else int(app.hung_up)  # SIGHUP is 1
