"""Makes the pictures in this folder from the real app, the real session and the sandbox, with fixed clocks.

    uv run python screenshots/make.py

Time stands still except on the wire, where each server-sent event takes its fixed time; ids are counted. So
the same program gives the same pictures, and tests/pilot/test_screenshots.py fails when they are stale.
"""

from __future__ import annotations

import argparse
import asyncio
import importlib
import os
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, replace
from itertools import count
from pathlib import Path
from typing import Any
from unittest import mock

import httpx
from textual import events
from textual.widgets import Input, Static

FOLDER = Path(__file__).parent
sys.path.insert(0, str(FOLDER.parent / "tests"))

from support.pdfs import make_pdf  # noqa: E402
from support.pictures import png  # noqa: E402

from tui.app import OutcropApp  # noqa: E402
from tui.config.settings import load_settings  # noqa: E402
from tui.credentials.credentials import Credentials  # noqa: E402
from tui.sandbox.server import SandboxServer  # noqa: E402
from tui.screens.base import has_read  # noqa: E402
from tui.screens.chat import ChatScreen  # noqa: E402
from tui.screens.compare import CompareScreen  # noqa: E402
from tui.screens.compare_setup import CompareSetup  # noqa: E402
from tui.screens.live_turn import LiveTurn  # noqa: E402
from tui.session.session import Session  # noqa: E402
from tui.widgets.conversation_pane import ConversationPane  # noqa: E402
from tui.widgets.plot import Plot  # noqa: E402

SHORTER = """\
> **This is the sandbox too, as another model.** It runs on your machine, offline.

## 1. The fine slate

The narrow slate holds a bright crater near the cavern. The broad mineral carries a fine spring under the
old limestone and a steep plateau.

- The old delta carries a narrow ledge under the deep fault.
- The broad quartz splits a pale fossil near the gully.
- Nothing folded lies below it.
"""
STARTED = 1_795_000_000.0
SHOWN_PORT = 8080


class Clock:
    """Seconds that pass only when somebody lets them."""

    def __init__(self) -> None:
        self._passed = 0.0
        self._own: ContextVar[list[float]] = ContextVar("own")

    @property
    def passed(self) -> float:
        """Seconds since the beginning."""
        return self._own.get([self._passed])[0]

    @passed.setter
    def passed(self, seconds: float) -> None:
        own = self._own.get(None)
        if own is None:
            self._passed = seconds
        else:
            own[0] = seconds

    def begin_own(self) -> None:
        """From now on, time passes here, and in tasks that begin here, for these alone: beside others."""
        self._own.set([self._passed])

    def monotonic(self) -> float:
        return self.passed

    def now(self) -> float:
        return STARTED + self.passed


class PacedTransport(httpx.AsyncHTTPTransport):
    """Real HTTP to the sandbox's real port; each event arrives whole and takes its fixed time."""

    def __init__(self, clock: Clock, port: int) -> None:
        super().__init__()
        self._clock = clock
        self._port = port

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        self._clock.passed += 0.018
        request.url = request.url.copy_with(port=self._port)
        response = await super().handle_async_request(request)
        self._clock.passed += 0.342
        assert isinstance(response.stream, httpx.AsyncByteStream)
        response.stream = _PacedStream(response.stream, self._clock)
        return response


class _PacedStream(httpx.AsyncByteStream):
    def __init__(self, inner: httpx.AsyncByteStream, clock: Clock) -> None:
        self._inner = inner
        self._clock = clock

    async def __aiter__(self) -> AsyncIterator[bytes]:
        whole = b"".join([piece async for piece in self._inner])
        for number, event in enumerate(whole.split(b"\n\n")[:-1]):
            self._clock.passed += 0.007 + 0.003 * (number % 3)
            yield event + b"\n\n"

    async def aclose(self) -> None:
        await self._inner.aclose()


@dataclass
class Stage:
    """What a scene plays on."""

    app: OutcropApp
    pilot: Any
    session: Session
    folder: Path
    clock: Clock
    server: SandboxServer

    @property
    def chat(self) -> ChatScreen:
        """The screen under whatever is open above it."""
        return next(screen for screen in self.app.screen_stack if isinstance(screen, ChatScreen))

    async def settle(self) -> None:
        """Wait until the program has nothing to do."""
        await self._keys_are_read()
        for _ in range(1000):
            await self.pilot.pause(0.01)
            rests = not self.chat.answers_arriving and not self.app.typed_ahead.waits
            if rests and all(worker.is_finished for worker in self.app.workers):
                break
        else:
            raise RuntimeError("the program did not come to rest")
        await self.chat.pane.drained()
        await self.pilot.pause(0.05)

    async def _keys_are_read(self) -> None:
        """Wait for what a key began: on a busy machine Textual's pilot gives up waiting for it."""
        await has_read(self.app)
        over = self.app.focused or self.app.screen
        for node in over.ancestors_with_self:  # as keys go from there
            await has_read(node)

    async def until(self, true: Callable[[], bool]) -> None:
        """Wait until something is so."""
        for _ in range(1000):
            if true():
                return
            await self.pilot.pause(0.01)
        raise RuntimeError("what the scene waits for did not come")

    async def paste(self, text: str) -> None:
        """Paste into the composer."""
        self.chat.composer.post_message(events.Paste(text))
        await self.settle()

    async def say(self, text: str) -> None:
        """Send a prompt and wait for the answer."""
        self.chat.composer.put_back(text)
        await self.press("enter")

    async def press(self, *keys: str) -> None:
        await self.pilot.press(*keys)
        await self.settle()


@contextmanager
def counted_ids() -> Iterator[Callable[[str], str]]:
    numbers = count(1)

    def server_id(prefix: str) -> str:
        return f"{prefix}_{next(numbers):052d}"

    local = count(1)

    def local_id() -> str:
        return f"outcrop{next(local):05d}"

    with (
        mock.patch("tui.session.sending.new_id", local_id),
        mock.patch("tui.session.conversations.new_id", local_id),
        # By the scene's clock every event is waited for: the real pause would be taken for each.
        mock.patch("tui.wire.arriving._PAUSE", 0.0),
    ):
        yield server_id


async def picture(
    name: str, size: tuple[int, int], scene: Callable[[Stage], Awaitable[None]], theme: str, folder: Path
) -> None:
    """Play a scene and write its picture."""
    # The table of turns has the time of day.
    os.environ["TZ"] = "UTC"
    time.tzset()
    clock = Clock()
    with tempfile.TemporaryDirectory() as temporary, counted_ids() as ids:
        here = Path(temporary)
        environ = {"OUTCROP_CONFIG_DIR": str(here / "config"), "OUTCROP_DATA_DIR": str(here / "data")}
        with SandboxServer(here / "state", clock=clock.now, ids=ids, tokenizer="words") as server:
            session = Session(
                load_settings({"sandbox": True}, environ),
                Credentials({}, "us-west-2", sandbox=True),
                start_sandbox=lambda: f"http://127.0.0.1:{SHOWN_PORT}/openai/v1",
                now=clock.now,
                monotonic=clock.monotonic,
                transport=PacedTransport(clock, server.port),
            )
            app = OutcropApp(session, theme=theme)
            async with app.run_test(size=size) as pilot:
                stage = Stage(app, pilot, session, here, clock, server)
                await app.chat.warmed_up()
                await stage.settle()
                await scene(stage)
                await stage.settle()
                if not isinstance(app.screen.focused, ConversationPane):
                    app.screen.set_focus(None)  # a cursor that blinks is there or not
                _measure(app.chat.pane)
                await pilot.pause()
                picture = app.export_screenshot(title="outcrop --sandbox")
            await session.aclose()
    (folder / f"{name}.svg").write_text(picture, encoding="utf-8")


async def welcome(stage: Stage) -> None:
    """An empty conversation."""


def _measure(pane: ConversationPane) -> None:
    """Draw every line once: heights of those that never were on the screen are guessed, by chance."""
    flow = pane._flow
    for view in list(flow.views):
        flow.open(view)
        for index in range(len(view.pieces)):
            flow.rows(view, index)
    pane._settle()


async def conversation(stage: Stage) -> None:
    """A PDF and a question about it, then one about the conversation, without state on the server."""
    path = stage.folder / "field-notes.pdf"
    path.write_bytes(
        make_pdf("Field notes, site 12\nThe basalt layer is 8.4 metres thick.\nIt lies on red sandstone.")
    )
    await stage.paste(str(path))
    await stage.say("How thick is the basalt layer?")
    await stage.press("ctrl+t")
    await stage.say("Write a short table of three rocks")
    # Heights far from what is seen are guessed, and a busy machine draws less of an answer on its way: all is
    # seen once, so that the scrollbar is the same each time.
    pane = stage.chat.pane
    pane.action_scroll_home()
    await stage.settle()
    pane.action_scroll_end()
    await stage.settle()


async def inspector(stage: Stage) -> None:
    """Two turns, and what was sent for the second."""
    await conversation(stage)
    await stage.press("f12")


def inspector_tab(*keys: str) -> Callable[[Stage], Awaitable[None]]:
    """A scene: the same turns, and what these keys show in the inspector."""

    async def scene(stage: Stage) -> None:
        await inspector(stage)
        await stage.press(*keys)

    return scene


async def picker(stage: Stage) -> None:
    """Models and regions."""
    await stage.press("ctrl+o")


async def usage(stage: Stage) -> None:
    """The page behind the meter, after a few turns that share a long beginning."""
    await stage.say("Write 900 words about basalt")
    for prompt in ("And about granite?", "And slate?", "Which of them is the oldest?", "Write 40 words"):
        await stage.say(prompt)
    # It is imported in a thread the first time.
    importlib.import_module("tui.screens.usage")
    await stage.press("f7")
    await stage.until(lambda: all(plot.is_drawn for plot in stage.app.screen.query(Plot)))


async def preview(stage: Stage) -> None:
    """What a follow-up would send, in each mode."""
    await conversation(stage)
    stage.chat.composer.put_back("And what lies below it?")
    await stage.press("f5")


async def reading(stage: Stage) -> None:
    """The cursor in a code block, with what can be done there."""
    await stage.say("Write python code")
    await stage.press("f6", *["up"] * 4)


async def finding(stage: Stage) -> None:
    """Every hit of a search in the conversation."""
    await conversation(stage)
    # At once: typed letter by letter, it would depend on the machine's speed which hits were seen in between.
    stage.chat.composer.text = "/find basalt"
    await stage.press("enter")
    await stage.until(lambda: (search := stage.chat.pane.search) is not None and search.done)
    await stage.settle()


async def which_key(stage: Stage) -> None:
    """What goes on from the leader."""
    await conversation(stage)
    await stage.pilot.press("ctrl+x")
    await stage.until(lambda: stage.app.screen.has_class("-shown"))


async def _two_files(stage: Stage) -> None:
    core = stage.folder / "samples"
    core.mkdir()
    (core / "core-sample.png").write_bytes(png(640, 480))
    (stage.folder / "field-notes.pdf").write_bytes(make_pdf("Field notes, site 12\nThe basalt layer."))


async def files(stage: Stage) -> None:
    """The file chooser, with a look at the file under the cursor."""
    await _two_files(stage)
    with mock.patch("tui.screens.file_chooser.os.getcwd", lambda: str(stage.folder)):
        await stage.press("f3")
    await stage.press(*"core")
    # The folder has a random name.
    stage.app.screen.query_one("#files-folder", Static).update("~/site-12")
    await stage.settle()


async def attachments(stage: Stage) -> None:
    """Two files and what they add to each later turn."""
    await _two_files(stage)
    await stage.paste(str(stage.folder / "field-notes.pdf"))
    await stage.paste(str(stage.folder / "samples" / "core-sample.png"))
    # The folder has a random name.
    files = stage.chat._attachments
    files[:] = [replace(file, path=f"~/site-12/{file.name}") for file in files]
    await stage.press("alt+a", "down")


async def branches(stage: Stage) -> None:
    """An answer between two others to the same prompt."""
    await stage.say("How old is basalt?")
    await stage.press("ctrl+x", "r")
    await stage.press("ctrl+x", "r")
    await stage.press("alt+left")


async def open_conversations(stage: Stage) -> None:
    """Several conversations at once."""
    await conversation(stage)
    await stage.press("ctrl+n")
    await stage.say("Write python code")
    await stage.press("ctrl+n")
    stage.chat.composer.put_back("And how old is the sandstone below it?")
    await stage.press("alt+o")


async def comparison(stage: Stage) -> None:
    """One prompt to three models at once."""
    stage.server.fault({"on": "chat", "answer": SHORTER})
    run_live = stage.chat.run_live

    def run_for_itself(live: LiveTurn) -> None:
        stage.clock.begin_own()
        run_live(live)

    with mock.patch.object(stage.chat, "run_live", run_for_itself):
        stage.chat.composer.text = "/compare Write 90 words about basalt"
        await stage.press("enter")
        await stage.until(lambda: isinstance(stage.app.screen, CompareSetup))
        line = stage.app.screen.query_one("#compare-line", Input)
        line.value = "gpt-5.4@us-west-2, gpt-5.5@us-east-2 effort=low, gpt-oss-20b api=chat"
        await stage.press("ctrl+s")
        await stage.until(lambda: isinstance(stage.app.screen, CompareScreen))
        await stage.settle()
        await stage.pilot.pause(0.3)  # the table is looked at ten times a second


SCENES: list[tuple[str, tuple[int, int], Callable[[Stage], Awaitable[None]], str]] = [
    ("welcome", (80, 24), welcome, "outcrop-dark"),
    ("conversation", (110, 34), conversation, "outcrop-dark"),
    ("conversation-light", (80, 24), conversation, "outcrop-light"),
    ("inspector", (160, 48), inspector, "outcrop-dark"),
    ("inspector-request", (110, 34), inspector_tab("2"), "outcrop-dark"),
    ("inspector-stream", (110, 36), inspector_tab("3"), "outcrop-dark"),
    ("inspector-stream-small", (80, 24), inspector_tab("3"), "outcrop-dark"),
    ("inspector-raw", (80, 24), inspector_tab("3", "r"), "outcrop-dark"),
    ("inspector-response", (110, 34), inspector_tab("4"), "outcrop-dark"),
    ("inspector-diff", (110, 30), inspector_tab("5"), "outcrop-dark"),
    ("inspector-side-by-side", (110, 34), inspector_tab("5", "r", "r"), "outcrop-dark"),
    ("inspector-cache", (110, 34), inspector_tab("6"), "outcrop-dark"),
    ("inspector-cache-light", (80, 24), inspector_tab("6"), "outcrop-light"),
    ("picker", (110, 30), picker, "outcrop-dark"),
    ("preview", (130, 30), preview, "outcrop-dark"),
    ("usage", (160, 48), usage, "outcrop-dark"),
    ("reading", (100, 30), reading, "outcrop-dark"),
    # All of it fits: lines that were never on the screen have guessed heights, by the machine's speed.
    ("finding", (100, 52), finding, "outcrop-dark"),
    ("which-key", (100, 30), which_key, "outcrop-dark"),
    ("files", (80, 24), files, "outcrop-dark"),
    ("attachments", (80, 24), attachments, "outcrop-dark"),
    ("branches", (100, 30), branches, "outcrop-dark"),
    ("compare", (160, 40), comparison, "outcrop-dark"),
    ("open-conversations", (80, 24), open_conversations, "outcrop-light"),
]


async def make_all(folder: Path) -> None:
    """Write every picture into `folder`."""
    for name, size, scene, theme in SCENES:
        await picture(name, size, scene, theme, folder)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--to", type=Path, default=FOLDER, help="another folder than this one")
    asyncio.run(make_all(parser.parse_args().to))
