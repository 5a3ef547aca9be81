"""Linear mode's conversation: a prompt line, an answer in sentences, and what happened in words."""

from __future__ import annotations

import asyncio
import json
import signal
import time
from collections.abc import AsyncGenerator, Coroutine
from contextlib import aclosing, suppress
from typing import Any, Final

from tui.commands import split_slash
from tui.core.attachments import Attachment
from tui.core.conversation import Conversation
from tui.core.errors import OutcropError, TokenError
from tui.core.events import (
    AnswerChecked,
    Notice,
    ReasoningDelta,
    RetryWaiting,
    SessionEvent,
    Silence,
    TextDelta,
    ToolCallChanged,
    TurnEnded,
    TurnStarted,
)
from tui.core.items import Outcome, Turn
from tui.core.text import visible_line
from tui.core.tool_calls import CallState
from tui.core.tools import Answer, Question
from tui.core.way_on import way_on
from tui.countdown import Countdown
from tui.plain.lines import Lines
from tui.plain.voice import Voice
from tui.plain.words import counted, ending, target_words, way_words
from tui.session.session import Session

__all__ = ["PlainChat"]

_STATUS: Final = {Outcome.COMPLETED: 0, Outcome.FAILED: 1, Outcome.INCOMPLETE: 4, Outcome.CANCELLED: 130}


class PlainChat:
    """One run of linear mode; `commands.py` adds the slash commands.

    Args:
        session: Of this run.
        voice: Where everything is written.
        lines: Where everything is read.
        echo: Whether what is read is written too: nobody sees it on a pipe.

    Attributes:
        status: Exit status of the last turn; 0 before the first.
        files: What goes with the next prompt.
        leaving: Whether the user asked for the end.
    """

    def __init__(self, session: Session, voice: Voice, lines: Lines, *, echo: bool) -> None:
        self.session = session
        self.voice = voice
        self.status = 0
        self.files: list[Attachment] = []
        self.draft = ""
        self.leaving = False
        self.conversation_id = ""
        self._lines = lines
        self._echo = echo
        self._work: asyncio.Task[Any] | None = None
        self._reading: asyncio.Task[str | None] | None = None
        self._asked_once = False
        self._signal: int = 0
        self._error: OutcropError | None = None
        self._countdown = Countdown(lambda left: voice.say(f"{left} s left."), step=10)

    @property
    def conversation(self) -> Conversation:
        """The conversation as it is now."""
        return self.session.conversation(self.conversation_id)

    # -- the run -----------------------------------------------------------------------------------

    async def run(self, conversation_id: str, files: list[Attachment], first: str = "") -> int:
        """Read and answer until the input or the user ends it; `first` is taken as if it had been typed.

        Returns:
            The exit status.
        """
        self.voice.say("Outcrop, linear mode. Type a message and press Enter.")
        self.voice.say("/help lists the commands. Ctrl+C stops an answer, Ctrl+D or /quit leaves.")
        await self.enter(conversation_id)
        self.files += files
        if first:
            await self.take(first)
        while not self.leaving:
            text = await self._read("You: ")
            if text is None:
                break
            if text.strip():
                await self.take(text)
        await self._keep()
        if self._signal:
            return 128 + self._signal
        self.voice.rest()
        return self.status if self._echo else 0

    async def take(self, text: str) -> None:
        """Run a slash command, or send a prompt."""
        slash = split_slash(text)
        try:
            if slash is None:
                await self.send(text)
            else:
                await self.command(*slash)
        except OutcropError as error:
            self.voice.say(str(error))

    async def command(self, name: str, argument: str) -> None:
        """Run a slash command."""
        raise NotImplementedError

    async def enter(self, conversation_id: str) -> None:
        """Go on in this conversation; says where things stand, and gives its draft back."""
        if self.conversation_id:
            await self._keep()
        self.conversation_id = conversation_id
        conversation = self.conversation
        turns = len(conversation.path())
        if turns:
            self.voice.say(f"Conversation: {conversation.title or 'untitled'}, {counted(turns, 'turn')}.")
        self.voice.say(f"Next: {target_words(self.session.target(conversation_id), conversation)}.")
        draft = await self.session.load_draft(self._draft_id)
        self.draft, self.files = draft.text, list(draft.attachments)
        if not draft.is_empty:
            files = f", with {counted(len(self.files), 'file')}" if self.files else ""
            self.voice.say(f"There is a draft{files}; /send sends it: {self.draft}")

    @property
    def _draft_id(self) -> str:
        # As in the full screen: what is typed in a conversation without turns comes back in the next new one.
        return self.conversation_id if self.conversation.turns else ""

    async def _keep(self, text: str | None = None) -> None:
        """Put what is not sent on disk."""
        left = self.draft if text is None else text
        more = self._lines.left() if self._signal or self.leaving else ""
        try:
            await self.session.save_draft(self._draft_id, "\n".join(part for part in (left, more) if part))
            await self.session.save_draft_files(self._draft_id, self.files)
        except OutcropError as error:
            self.voice.say(str(error))

    # -- reading -----------------------------------------------------------------------------------

    async def _read(self, prompt: str) -> str | None:
        """The next text; a line that ends with a backslash goes on in the next one."""
        text = ""
        while True:
            self.voice.ask(prompt)
            self._reading = asyncio.create_task(self._lines.next())
            try:
                line = await self._reading
            except asyncio.CancelledError:
                if not (self.leaving or self._signal):
                    raise
                line = None
            finally:
                self._reading = None
            self._asked_once = False
            if line is None:
                self.draft = text or self.draft
                self.voice.say("")
                return None
            if self._echo:
                self.voice.say(line)
            if not line.endswith("\\"):
                return text + line
            text += line[:-1] + "\n"
            await self._keep(text)
            prompt = "More: "

    async def confirm(self, question: str) -> bool:
        """Ask; only `yes` is yes."""
        answer = await self._read(f"{question} Type yes or no: ")
        return answer is not None and answer.strip().casefold() in ("y", "yes")

    def interrupt(self) -> None:
        """Ctrl+C: stops the answer that is arriving; pressed twice where there is none, it leaves."""
        if self._work is not None:
            self._work.cancel()
        elif self._asked_once:
            self._signal, self.leaving = signal.SIGINT, True
            if self._reading is not None:
                self._reading.cancel()
        else:
            self._asked_once = True
            self.voice.say("")
            self.voice.say("Nothing is arriving. Ctrl+C again leaves.")
            self.voice.ask("You: ")

    def end(self, number: int) -> None:
        """A signal that ends the program: what came is kept."""
        self._signal = self._signal or number
        self.leaving = True
        for task in (self._work, self._reading):
            if task is not None:
                task.cancel()

    # -- a turn ------------------------------------------------------------------------------------

    async def send(self, prompt: str) -> None:
        """Send a prompt with the files that are attached."""
        decision = await self.session.estimates.budget(self.conversation_id, prompt, self.files)
        for sentence in decision.sentences:
            self.voice.say(sentence)
        sent = False
        if decision.state != "ask" or await self.confirm("Send it all the same?"):
            before = len(self.conversation.turns)
            await self._keep(prompt)
            await self.answer(self.session.send(self.conversation_id, prompt, list(self.files)))
            sent = len(self.conversation.turns) > before
        if sent:
            self.draft, self.files = "", []
            await self.session.save_draft("", "")
            await self.session.save_draft_files("", [])
        else:
            self.draft = prompt
            self.voice.say("Nothing was sent. The message is kept as the draft; /send sends it.")
        await self._keep()

    async def answer(self, events: AsyncGenerator[SessionEvent, None]) -> None:
        """Say a turn as it happens; what it fails with before it begins is said too."""
        started = time.monotonic()
        self._error = None
        path = self.conversation.tip
        ended = await self.working(self._listen(events))
        turn = ended if isinstance(ended, Turn) else self._last_turn()
        if turn is None or (turn.id == path and ended is None):
            return
        self.voice.say(ending(turn, time.monotonic() - started))
        if (words := way_words(way_on(turn, self._error))) and turn.outcome is not Outcome.CANCELLED:
            self.voice.say(words)
        self.status = _STATUS[turn.outcome or Outcome.FAILED]

    def _last_turn(self) -> Turn | None:
        conversation = self.conversation
        return None if conversation.tip is None else conversation.turns[conversation.tip]

    async def working(self, work: Coroutine[Any, Any, Any]) -> Any:
        """Do something that Ctrl+C stops; `None` if it was stopped or failed, which is said."""
        self._work = asyncio.create_task(work)
        try:
            return await self._work
        except asyncio.CancelledError:
            if not self._work.cancelled():
                raise
            return None
        except OutcropError as error:
            self.voice.say(str(error))
            self.status = 3 if isinstance(error, TokenError) else 1
            return None
        finally:
            self._work = None
            self._countdown.stop()

    async def approve(self, question: Question) -> Answer:
        """Ask whether a tool call may run."""
        raise NotImplementedError

    async def review(self, question: Question, output: str) -> str:
        """Show a tool's output; returns what goes back to the model."""
        raise NotImplementedError

    async def _listen(self, events: AsyncGenerator[SessionEvent, None]) -> Turn | None:
        told = ""
        ended: Turn | None = None
        events = self.session.with_tools(self.conversation_id, events, self)
        structured = checked = False
        async with aclosing(events):
            async for event in events:
                self._countdown.stop()
                match event:
                    case TurnStarted():
                        # JSON is read when it is whole, indented.
                        structured = bool(event.turn.text_format)
                    case TextDelta() if structured and not event.refusal:
                        pass
                    case AnswerChecked():
                        checked = True
                        self._say_json(event)
                    case TextDelta():
                        if told != "answer":
                            told = "answer"
                            self.voice.say("Answer:")
                        self.voice.stream(event.delta)
                    case ReasoningDelta() if not told:
                        told = "reasoning"
                        self.voice.say("Reasoning; /reasoning reads the summary afterwards.")
                    case TurnEnded():
                        if structured and not checked and not event.turn.refusal and event.turn.text:
                            self.voice.say("Answer, JSON that is not whole:")
                            self.voice.text(event.turn.text)
                        if event.turn.refusal:
                            self.voice.say("The model refused.")
                        ended, told, checked = event.turn, "", False
                        self._error = event.error
                    case ToolCallChanged():
                        self._say_call(event)
                    case _:
                        self._remark(event)
        if ended is not None and self.session.pending(self.conversation_id):
            self.voice.say("Tool calls wait for an output; /tools continue goes on.")
        return ended

    def _say_call(self, event: ToolCallChanged) -> None:
        """Say what became of a tool call, and its output."""
        record = event.record
        name = visible_line(event.call.name)
        if record.state is CallState.RUNNING:
            self.voice.say(f"The tool {name} runs.")
        elif record.state.has_ended:
            words = {CallState.DONE: "has ended", CallState.FAILED: "failed"}.get(record.state, "was not run")
            took = f" after {record.seconds:.1f} s" if record.seconds is not None else ""
            self.voice.say(f"The tool {name} {words}{took}: {visible_line(record.output[:400])}")

    def _say_json(self, event: AnswerChecked) -> None:
        """Say a structured answer as indented JSON, and what is wrong with it."""
        text = event.turn.text
        with suppress(ValueError, RecursionError):
            text = json.dumps(json.loads(text), ensure_ascii=False, indent=2)
        self.voice.say("Answer, JSON:")
        self.voice.text(text)
        for problem in event.problems:
            self.voice.say(f"Not valid: {problem}.")

    def _remark(self, event: SessionEvent) -> None:
        match event:
            case Notice():
                self.voice.say(f"Note: {event.text}")
            case RetryWaiting():
                self.voice.say(
                    f"{event.reason} Trying again in {event.seconds:.1f} s, attempt {event.attempt}; "
                    "Ctrl+C stops."
                )
                self._countdown.start(event.seconds)
            case Silence():
                self.voice.say(f"Nothing has come for {event.seconds:.0f} s; Ctrl+C stops.")
            case _:
                pass
