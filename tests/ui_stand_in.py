"""A session in memory with the real one's methods, for tests of the interface alone."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field, replace
from pathlib import Path
from time import monotonic
from typing import Any, cast

from textual import events
from textual.keys import _character_to_key
from textual.pilot import Pilot

from tui.app import OutcropApp
from tui.config.settings import Settings, load_settings
from tui.core.attachments import Attachment
from tui.core.budget import BudgetDecision
from tui.core.conversation import Conversation, ConversationSummary
from tui.core.drafts import Draft
from tui.core.errors import AttachmentError, InputError, OutcropError, TokenMissing
from tui.core.events import ReasoningDelta, SessionEvent, TextDelta, TurnEnded, TurnStarted
from tui.core.items import Item, Outcome, Target, Turn, user_message
from tui.credentials.credentials import KeyStatus, TokenStatus

Script = Callable[["StandInSession", Turn], AsyncGenerator[SessionEvent, None]]


def message_item(text: str) -> Item:
    return Item.of(
        {"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": text}]}
    )


async def answer(session: StandInSession, turn: Turn) -> AsyncGenerator[SessionEvent, None]:
    """Reasoning, then an answer in three pieces that echoes the prompt."""
    yield ReasoningDelta(0, "r", 0, "Thinking about it.")
    text = ""
    for piece in ("You ", "said ", f"**{turn.prompt}**"):
        await asyncio.sleep(0)
        text += piece
        yield TextDelta(1, "m", piece)
    reasoning = Item.of(
        {"type": "reasoning", "summary": [{"type": "summary_text", "text": "Thinking about it."}]}
    )
    ended = replace(
        turn, output=(reasoning, message_item(text)), outcome=Outcome.COMPLETED, response_id="resp_1"
    )
    yield TurnEnded(ended)


@dataclass
class Held:
    """A script that sends one piece and then waits until it is let go."""

    go: asyncio.Event = field(default_factory=asyncio.Event)
    cancelled: bool = False

    async def __call__(self, session: StandInSession, turn: Turn) -> AsyncGenerator[SessionEvent, None]:
        try:
            yield TextDelta(0, "m", "The first piece.")
            await self.go.wait()
            yield TurnEnded(
                replace(turn, output=(message_item("The first piece."),), outcome=Outcome.COMPLETED)
            )
        except asyncio.CancelledError:
            self.cancelled = True
            kept = replace(
                turn,
                partial_text="The first piece.",
                outcome=Outcome.CANCELLED,
                error="You stopped this answer.",
            )
            session.keep(kept)
            raise


class StandInCredentials:
    def __init__(self, token: str = "sandbox") -> None:
        self.token = token

    def signing(self, region: str) -> None:
        return None

    def token_for(self, region: str) -> str:
        if not self.token:
            raise TokenMissing("There is no Bedrock API key yet.")
        return self.token

    async def load(self, region: str, on_late: Any = None) -> KeyStatus:
        return KeyStatus("none")

    def status(self, region: str) -> TokenStatus:
        usable = bool(self.token)
        source = "memory" if usable else "none"
        return TokenStatus(source, "unknown", None, None, usable, "A key." if usable else "There is no key.")

    def remember(self, token: str, region: str | None = None) -> None:
        self.token = token


class StandInEstimates:
    async def of(self, conversation_id: str, prompt: str, attachments: Any = ()) -> dict[Any, Any]:
        return {}

    async def budget(self, conversation_id: str, prompt: str, attachments: Any = ()) -> BudgetDecision:
        return BudgetDecision()


class StandInRecords:
    in_memory = False
    unsaved = False

    def tell(self, told: Any) -> None:
        """Nothing ever befalls this history."""


class StandInSession:
    """Conversations in a dictionary; turns by a script."""

    def __init__(self, folder: Path, script: Any = answer, sandbox: bool = True, **flags: Any) -> None:
        environ = {"OUTCROP_CONFIG_DIR": str(folder / "config"), "OUTCROP_DATA_DIR": str(folder / "data")}
        (folder / "config").mkdir(exist_ok=True, parents=True)
        self.settings: Settings = load_settings(flags, environ)
        if sandbox:
            self.settings = self.settings.with_sandbox("http://127.0.0.1:9/openai/v1")
        self.catalogue = self.settings.catalogue
        self.credentials = StandInCredentials()
        self.estimates = StandInEstimates()
        self.script = script
        self.drafts: dict[str, str] = {}
        self.pastes: dict[str, Any] = {}
        self.draft_files: dict[str, Any] = {}
        self.recent: tuple[str, ...] = ()
        self.sent: list[tuple[str, tuple[Attachment, ...]]] = []
        self.gate = asyncio.Event()
        self.gate.set()
        self.closed = False
        self._conversations: dict[str, Conversation] = {}
        self._count = 0

    records = StandInRecords()

    async def get_ready(self) -> None:
        await self.warm_up()

    async def warm_up(self) -> None:
        await self.gate.wait()

    async def aclose(self) -> None:
        self.closed = True

    async def new(self) -> Conversation:
        self._count += 1
        conversation = Conversation(
            f"c{self._count}",
            float(self._count),
            sandbox=self.settings.sandbox,
            continuation=self.settings.continuation,
        )
        self._conversations[conversation.id] = conversation
        return conversation

    def add(self, conversation: Conversation) -> None:
        self._conversations[conversation.id] = conversation

    async def open(self, conversation_id: str) -> Conversation:
        if conversation_id not in self._conversations:
            raise InputError(f"There is no conversation {conversation_id}.")
        return self._conversations[conversation_id]

    async def latest(self) -> Conversation | None:
        return next(reversed(self._conversations.values()), None)

    def conversation(self, conversation_id: str) -> Conversation:
        return self._conversations[conversation_id]

    def keep(self, turn: Turn) -> None:
        for key, conversation in self._conversations.items():
            if turn.id in conversation.turns:
                self._conversations[key] = conversation.update(turn)

    async def with_tools(
        self, conversation_id: str, events: AsyncGenerator[SessionEvent, None], asker: object
    ) -> AsyncGenerator[SessionEvent, None]:
        async with aclosing(events) as following:
            async for event in following:
                yield event

    def pending(self, conversation_id: str) -> tuple[()]:
        return ()

    async def send(
        self,
        conversation_id: str,
        prompt: str,
        attachments: Sequence[Attachment] = (),
        *,
        background: bool = False,
    ) -> AsyncGenerator[SessionEvent, None]:
        await self.warm_up()
        self.credentials.token_for("us-west-2")
        self.sent.append((prompt, tuple(attachments)))
        conversation = self._conversations[conversation_id]
        item = user_message(prompt, [attachment.content_part() for attachment in attachments])
        turn = Turn(
            f"t{len(self.sent)}",
            conversation.tip,
            (item,),
            0.0,
            target=self.target(conversation_id),
            continuation=conversation.continuation,
        )
        self._conversations[conversation_id] = conversation.append(turn)
        yield TurnStarted(turn)
        async for event in self.script(self, turn):
            if isinstance(event, TurnEnded):
                self.keep(event.turn)
            yield event

    async def set_continuation(self, conversation_id: str, mode: Any) -> None:
        self._conversations[conversation_id] = replace(
            self._conversations[conversation_id], continuation=mode
        )

    async def set_target(
        self,
        conversation_id: str,
        *,
        model: str | None = None,
        region: str | None = None,
        endpoint: str | None = None,
        api: str | None = None,
    ) -> str:
        old = self._conversations[conversation_id]
        self._conversations[conversation_id] = replace(
            old, model=model or old.model, region=region or old.region, api=api or old.api
        )
        return ""

    def unsent(self, conversation_id: str) -> list[str]:
        return []

    async def set_tip(self, conversation_id: str, turn_id: str | None) -> None:
        self._conversations[conversation_id] = self._conversations[conversation_id].at(turn_id)

    def target(self, conversation_id: str) -> Target:
        conversation = self._conversations[conversation_id]
        return self.settings.target(conversation.model, conversation.region)

    def exchanges(self, conversation_id: str) -> list[Any]:
        return []

    def background_turns(self, conversation_id: str) -> tuple[Turn, ...]:
        return ()

    async def background_conversations(self) -> tuple[str, ...]:
        return ()

    def should_offer_compaction(self, conversation_id: str) -> float | None:
        return None

    def left_out(self, conversation_id: str) -> dict[str, Any]:
        return {}

    async def load_exchanges(self, conversation_id: str) -> list[Any]:
        return []

    async def list(self, limit: int = 200) -> list[ConversationSummary]:
        return [
            ConversationSummary(c.id, c.title or c.id, c.created_at, c.created_at, len(c.turns), c.sandbox)
            for c in self._conversations.values()
        ]

    async def search(self, text: str, limit: int = 100) -> Any:
        return [row for row in await self.list() if text in row.title]

    async def delete(self, conversation_id: str) -> None:
        self._conversations.pop(conversation_id)

    async def save_draft(self, conversation_id: str, text: str, pastes: Any = ()) -> None:
        self.drafts[conversation_id] = text
        self.pastes[conversation_id] = tuple(pastes)

    async def save_draft_files(self, conversation_id: str, files: Any) -> None:
        self.draft_files[conversation_id] = tuple(files)

    async def load_draft(self, conversation_id: str) -> Draft:
        return Draft(
            self.drafts.get(conversation_id, ""),
            self.pastes.get(conversation_id, ()),
            self.draft_files.get(conversation_id, ()),
        )

    async def recent_prompts(self, limit: int = 200) -> tuple[str, ...]:
        return self.recent

    async def attach_data(self, name: str, data: bytes) -> Attachment:
        return Attachment(name, "", "image/png", data, f"{hash(data):x}", None, 210, 4, 3)

    async def attach(self, path: str) -> Attachment:
        file = Path(path).expanduser()
        if file.suffix != ".pdf" or not file.is_file():
            raise AttachmentError(f"{file.name} is no PDF.")
        data = file.read_bytes()
        return Attachment(file.name, str(file), "application/pdf", data, f"{hash(data):x}", 2, 1200)


def failing(error: Exception) -> Script:
    async def script(session: StandInSession, turn: Turn) -> AsyncGenerator[SessionEvent, None]:
        yield TextDelta(0, "m", "A part of ")
        if not isinstance(error, OutcropError):
            raise error
        yield TurnEnded(
            replace(turn, partial_text="A part of ", outcome=Outcome.FAILED, error=str(error)), error
        )

    return script


def app_for(session: StandInSession, **options: Any) -> OutcropApp:
    return OutcropApp(cast("Any", session), **{"theme": None, **options})


async def typed(pilot: Pilot[Any], text: str) -> None:
    """Type faster than the pilot, which waits up to a second for each key where an app is never idle."""
    for char in text:
        pilot.app.post_message(events.Key(_character_to_key(char), char))
        await asyncio.sleep(0.002)
    await pilot.pause()


async def settled(pilot: Pilot[Any]) -> None:
    """Let queues run dry; for what must *not* happen. Prefer `until`."""
    for _ in range(8):
        await pilot.pause()
    await cast("OutcropApp", pilot.app).chat.pane.drained()


async def until(pilot: Pilot[Any], true: Callable[[], bool]) -> None:
    """Wait for something to become true, for twenty seconds at most: the machine may be busy."""
    end = monotonic() + 20
    while not true():
        if monotonic() > end:
            raise AssertionError("it did not become true")
        await pilot.pause(0.01)


async def at_rest(pilot: Pilot[Any]) -> None:
    """Wait until nothing that was asked for is on its way."""
    app = cast("OutcropApp", pilot.app)

    def rests() -> bool:
        return not app.typed_ahead.waits and all(worker.is_finished for worker in app.workers)

    # What a command begins, it begins in a worker, and what that leaves to be done comes after it.
    for _ in range(3):
        await pilot.pause(0.02)
        await until(pilot, rests)


def shown(app: OutcropApp) -> str:
    """What the pane holds, a line for each block: kind, state, text."""
    pane = app.chat.pane
    blocks = [view.block for view in pane._flow.views]
    return "\n".join(f"{block.kind}|{block.state}|{pane.plain_text(block.id)}" for block in blocks)
