"""Starts and ends a run of linear mode."""

from __future__ import annotations

import argparse
import asyncio
import os
import signal
import sys
from contextlib import suppress
from pathlib import Path

from tui.core.attachments import doubts
from tui.core.errors import OutcropError
from tui.exits import fail
from tui.parting_words import after_leaving
from tui.plain.commands import PlainCommands
from tui.plain.lines import Lines
from tui.plain.voice import Voice
from tui.session.session import Session
from tui.startup import conversation_asked_for, make_session, settings_and_playback

__all__ = ["run"]


def run(options: argparse.Namespace, *, sandbox_rate: float | None = None) -> int:
    """Hold a conversation by lines.

    Args:
        options: The command line's.
        sandbox_rate: The sandbox's pace on a terminal, tokens a second; through a pipe it has none.

    Returns:
        0; through a pipe, the status of the last turn; 130 after Ctrl+C twice.
    """
    try:
        settings, playback = settings_and_playback(options, os.environ)
        rate = sandbox_rate if sys.stdin.isatty() else None
        session = make_session(settings, sandbox_rate=rate, playback=playback)
        session.tool_files = tuple(Path(path) for path in getattr(options, "tools", None) or ())
        return asyncio.run(_run(session, options))
    except OutcropError as error:
        return fail(error)


async def _run(session: Session, options: argparse.Namespace) -> int:
    terminal = sys.stdin.isatty()
    voice = Voice(sys.stdout)
    loop = asyncio.get_running_loop()
    # Said from the history's thread, a sentence could end up in the middle of another one.
    session.records.tell(lambda sentence: loop.call_soon_threadsafe(voice.say, sentence))
    try:
        if session.settings.sandbox:
            await session.warm_up()
        conversation_id = await conversation_asked_for(session, options)
        files = [await session.attach(path) for path in getattr(options, "files", [])]
        lines = Lines(sys.stdin.fileno(), pasted=terminal)
        chat = PlainCommands(session, voice, lines, echo=not terminal)
        for sentence in (session.settings.said, *doubts(files)):
            if sentence:
                chat.voice.say(sentence)
        with suppress(NotImplementedError, AttributeError):
            # Windows has no SIGHUP, and its loop no handlers.
            loop.add_signal_handler(signal.SIGINT, chat.interrupt)
            for number in (signal.SIGTERM, signal.SIGHUP):
                loop.add_signal_handler(number, chat.end, int(number))
        # Sending waits for it; so does nobody who types first.
        warm = asyncio.create_task(session.warm_up())
        try:
            preset: str = getattr(options, "preset", "")
            return await chat.run(conversation_id, files, f"/preset {preset}" if preset else "")
        finally:
            warm.cancel()
            await asyncio.wait([warm])
    finally:
        await session.aclose()
        # Closing tried to write it once more.
        if words := after_leaving(0, session.records.unsaved):
            print(f"outcrop: {words}", file=sys.stderr)
