"""The conversations of a run: those that are open, and the history behind them.

Part of the session layer; `session.py` adds the turns.
"""

from __future__ import annotations

import asyncio
import builtins
from collections.abc import Callable, Sequence
from dataclasses import replace

from tui.config.places import checked_region
from tui.config.settings import Settings
from tui.core.ahead import imported
from tui.core.api_choice import fitting_surface
from tui.core.attachments import Attachment
from tui.core.catalogue import Catalogue
from tui.core.controls import Controls
from tui.core.conversation import BranchContents, Conversation, ConversationSummary
from tui.core.drafts import Draft, Span
from tui.core.errors import InputError
from tui.core.exchange import Exchange
from tui.core.ids import new_id
from tui.core.items import ContinuationMode, Target
from tui.core.text import storable, visible_line
from tui.session.instructions import Library, load_library
from tui.session.options import RequestOptions, checked_change, guardrail_unsent, sampling_unset, target_of
from tui.session.records import Records
from tui.session.schemas import SchemaLibrary, find_format, load_schemas
from tui.store.history import History
from tui.store.title import title_of

__all__ = ["Conversations"]

_LONGEST_TITLE = 200


class Conversations:
    """Opens, lists, changes conversations; what the next turn of each is sent with.

    Args:
        settings: As configured; replaced when the sandbox has started.
        now: Wall clock, seconds since the epoch.
    """

    def __init__(self, settings: Settings, now: Callable[[], float]) -> None:
        self.settings = settings
        self.records = Records(settings.data_dir / "history.db")
        self._now = now
        self._options = RequestOptions(self.records, now)
        self._conversations: dict[str, Conversation] = {}
        self._exchanges: dict[str, builtins.list[Exchange]] = {}
        self._running: set[str] = set()

    @property
    def catalogue(self) -> Catalogue:
        """The models known."""
        return self.settings.catalogue

    # -- conversations ---------------------------------------------------------------------------

    async def new(self, like: Conversation | None = None) -> Conversation:
        """Begin a conversation; it is in memory only until its first turn is sent.

        Args:
            like: Another one, whose target, continuation, controls and instructions hold here too.
        """
        conversation = Conversation(
            id=new_id(),
            created_at=self._now(),
            sandbox=self.settings.sandbox,
            continuation=self.settings.continuation,
        )
        if like is not None:
            names = ("model", "region", "endpoint", "api", "continuation", "controls", "instructions")
            conversation = replace(conversation, **{name: getattr(like, name) for name in names})
        self._conversations[conversation.id] = conversation
        self._exchanges[conversation.id] = []
        return conversation

    async def open(self, conversation_id: str) -> Conversation:
        """Bring a conversation from the history, where it was left.

        Raises:
            NoSuchConversation: There is none of that id.
            InputError: It belongs to the sandbox and this run does not, or the reverse.
            StoreError: The history cannot be read.
        """
        if conversation_id in self._conversations:
            return self._conversations[conversation_id]
        conversation = await self.records.call(History.load, conversation_id)
        if conversation.sandbox != self.settings.sandbox:
            there, here = (
                ("the sandbox", "--sandbox") if conversation.sandbox else ("the service", "no --sandbox")
            )
            raise InputError(f"Conversation {conversation_id} was held with {there}; open it with {here}.")
        exchanges = await self.records.call(History.load_exchanges, conversation.id)
        # Opened twice at the same time, what has happened in it since must not be taken back.
        if conversation_id not in self._conversations:
            self._exchanges[conversation.id] = exchanges
            self._conversations[conversation.id] = conversation
        return self._conversations[conversation_id]

    async def latest(self) -> Conversation | None:
        """The conversation last used, of the sandbox or of the service, never across.

        Raises:
            StoreError: The history cannot be read.
        """
        found = await self.records.call(History.latest, self.settings.sandbox)
        return None if found is None else await self.open(found)

    def conversation(self, conversation_id: str) -> Conversation:
        """The conversation as it is now.

        Raises:
            KeyError: It is not open.
        """
        return self._conversations[conversation_id]

    async def list(self, limit: int = 200) -> list[ConversationSummary]:
        """The history, last used first, this run's kind (sandbox or service) only."""
        return await self.records.call(History.list, limit, self.settings.sandbox)

    async def search(self, text: str, limit: int = 100) -> list[ConversationSummary]:
        """Conversations that hold `text`; what is typed is words, never query syntax."""
        found = await self.records.call(History.search, text, limit)
        return [summary for summary in found if summary.sandbox == self.settings.sandbox]

    async def delete(self, conversation_id: str) -> None:
        """Remove a conversation from the history.

        Raises:
            InputError: An answer is arriving in it.
            StoreError: The history cannot be written; nothing is deleted.
        """
        if self.is_running(conversation_id):
            raise InputError("An answer is still arriving in this conversation; stop it first.")
        await self.records.call(History.delete, conversation_id)
        self._conversations.pop(conversation_id, None)
        self._exchanges.pop(conversation_id, None)

    async def rename(self, conversation_id: str, title: str) -> Conversation:
        """Give an open conversation a title; an empty one makes it of the first prompt again.

        Raises:
            KeyError: It is not open.
            StoreError: The history cannot be written.
        """
        conversation = self._conversations[conversation_id]
        line = visible_line(" ".join(storable(title).split()))[:_LONGEST_TITLE].strip()
        if not line:
            made = (title_of(turn.prompt) for turn in conversation.turns.values())
            line = next((title for title in made if title), "")
        if conversation.turns:
            await self.records.call(History.set_title, conversation_id, line)
        self._conversations[conversation_id] = replace(self._conversations[conversation_id], title=line)
        return self._conversations[conversation_id]

    # -- branches --------------------------------------------------------------------------------

    def is_running(self, conversation_id: str) -> bool:
        """Whether an answer is arriving in a conversation, or something else may be appended to it."""
        return conversation_id in self._running

    def _claim(self, conversation: Conversation) -> None:
        if conversation.id in self._running:
            raise InputError("An answer is still arriving in this conversation; stop it first.")
        self._running.add(conversation.id)

    async def branch_contents(self, conversation_id: str, turn_id: str) -> BranchContents:
        """What would go with the branch that begins at a turn.

        Raises:
            KeyError: It is no turn of this conversation.
        """
        return await asyncio.to_thread(self._conversations[conversation_id].contents, turn_id)

    async def delete_branch(self, conversation_id: str, turn_id: str) -> Conversation:
        """Delete a turn and all that goes on from it; see `Conversation.without` for where the tip goes.

        What the server keeps of it stays there, and is known as before.

        Raises:
            KeyError: It is no turn of this conversation.
            InputError: An answer is arriving in the conversation, or one of the branch is being made in the
                background.
            StoreError: The history cannot be written, or another window runs a turn of the branch; nothing
                is deleted.
        """
        conversation = self._conversations[conversation_id]
        if any(turn.outcome is None for turn in conversation.branch_from(turn_id)):
            raise InputError("An answer of this branch is still being made; cancel it first.")
        self._claim(conversation)
        try:
            tip = conversation.without(turn_id).tip
            gone, title = await self.records.call(History.delete_branch, conversation_id, turn_id, tip)
        finally:
            self._running.discard(conversation_id)
        began = conversation.turns[turn_id].created_at
        conversation = self._conversations[conversation_id].without(turn_id)
        self._conversations[conversation_id] = replace(
            conversation, title=title if conversation.turns else ""
        )
        self._exchanges[conversation_id] = [
            exchange
            for exchange in self._exchanges[conversation_id]
            if exchange.turn_id not in gone and (exchange.turn_id or exchange.started_at < began)
        ]
        return self._conversations[conversation_id]

    # -- drafts and attachments ------------------------------------------------------------------

    async def save_draft(self, conversation_id: str, text: str, pastes: Sequence[Span] = ()) -> None:
        """Keep what is being typed; an empty text forgets it. `pastes` are stretches of it, see `Draft`."""
        await self.records.call(History.save_draft, conversation_id, storable(text), tuple(pastes))

    async def save_draft_files(self, conversation_id: str, files: Sequence[Attachment]) -> None:
        """Keep the files that go with what is being typed, instead of those kept before."""
        await self.records.call(History.save_draft_files, conversation_id, tuple(files))

    async def load_draft(self, conversation_id: str) -> Draft:
        """What was being typed there when it was last saved, with its files."""
        return await self.records.call(History.load_draft, conversation_id)

    async def recent_prompts(self, limit: int = 200) -> tuple[str, ...]:
        """The prompts sent last in any conversation of this run's kind (sandbox or service), oldest first."""
        return await self.records.call(History.recent_prompts, self.settings.sandbox, limit)

    async def attach(self, path: str) -> Attachment:
        """Read a file that is to go with the next prompt.

        Raises:
            AttachmentError: It cannot be sent; the sentence says why.
        """
        attachments = await _attachments()
        return await attachments.attach(path, limit=self.settings.attachment_limit)

    async def attach_data(self, name: str, data: bytes) -> Attachment:
        """Take what is in memory as a file that is to go with the next prompt: a picture of the clipboard.

        Raises:
            AttachmentError: It cannot be sent; the sentence says why.
        """
        attachments = await _attachments()
        return await attachments.attach_data(name, data, limit=self.settings.attachment_limit)

    async def attachments_of(self, conversation_id: str, turn_id: str) -> builtins.list[Attachment]:
        """The files that were sent with a turn, so that they can go with another one.

        Raises:
            KeyError: It is no turn of this conversation.
        """
        items = self._conversations[conversation_id].turns[turn_id].input
        attachments = await _attachments()
        return await attachments.sent_before(items)

    # -- what the next turn goes to --------------------------------------------------------------

    async def set_continuation(self, conversation_id: str, mode: ContinuationMode) -> None:
        """Choose how the next turns are sent; what was sent stays as it is."""
        await self._change(replace(self._conversations[conversation_id], continuation=mode))

    async def set_target(
        self,
        conversation_id: str,
        *,
        model: str | None = None,
        region: str | None = None,
        endpoint: str | None = None,
        api: str | None = None,
    ) -> str:
        """Choose model, region, endpoint or API for the next turns of a conversation; `None` leaves it.

        A model's id or an API that is served on another endpoint only takes that one with it. Controls that
        the model does not take stay chosen and are not sent; `unsent` names them.

        Args:
            conversation_id: An open conversation.
            model: As it is to be sent; with another profile, that profile's model by default.
            region: AWS region.
            endpoint: `mantle`, `runtime` or the name of a profile.
            api: A key of `API_NAMES`. One that was chosen before stays as long as it is served there.

        Returns:
            A sentence on what was taken beside what was asked for; empty where nothing was.

        Raises:
            ConfigError: `region` has not the form of a region.
            InputError: This run cannot send to that endpoint.
        """
        conversation = self._conversations[conversation_id]
        said = ""
        if region:
            checked_region(region, "the region", self.catalogue)
        if endpoint is None and (model is not None or api is not None):
            now = self.target(conversation_id)
            surface = fitting_surface(self.catalogue, model or now.model, now.endpoint, api)
            if surface.sentence and self.settings.knows_endpoint(surface.endpoint):
                model, endpoint, said = surface.model_id, surface.endpoint, surface.sentence
        api = api or self._served_api(conversation, model, endpoint)
        if endpoint is not None:
            if not self.settings.knows_endpoint(endpoint):
                raise InputError(f"This run cannot send to {visible_line(endpoint)}.")
            profile = self.settings.profiles.get(endpoint)
            model = model or (profile.model if profile and not self.settings.sandbox else "")
        await self._change(
            replace(
                conversation,
                model=model or conversation.model,
                region=region or conversation.region,
                endpoint=endpoint or conversation.endpoint,
                api=api,
            )
        )
        return said

    def _served_api(self, conversation: Conversation, model: str | None, endpoint: str | None) -> str | None:
        """The API chosen for a conversation, where another model or endpoint has it too."""
        if conversation.api is None:
            return None
        model = model or conversation.model or self.settings.model
        place = endpoint or conversation.endpoint or self.settings.endpoint
        row = self.catalogue.model(model)
        served = None if row is None else row.place(place, conversation.api)
        return conversation.api if served is None or conversation.api in served.apis else None

    async def set_controls(self, conversation_id: str, controls: Controls) -> None:
        """Choose effort, verbosity and the like for the next turns of a conversation.

        Raises:
            InputError: A value that is new is refused by the model; nothing is changed.
        """
        conversation = self._conversations[conversation_id]
        controls = checked_change(self.settings, conversation, controls)
        await self._change(replace(conversation, controls=controls))

    def unsent(self, conversation_id: str) -> list[str]:
        """A sentence for each control that is chosen and not sent as it is chosen, and why."""
        return self._options.unsent(self.settings, self._conversations[conversation_id])

    def sampling_unset(self, conversation_id: str) -> dict[str, str]:
        """What is sent as temperature, top_p and stop where the conversation chose nothing, as texts."""
        return sampling_unset(self.settings, self.target(conversation_id))

    def guardrail_words(self, conversation_id: str) -> str:
        """The guardrail that is configured, and whether it applies to what is sent now; empty without one."""
        settings = self.settings
        if not settings.guardrail:
            return ""
        words = f"{visible_line(settings.guardrail)}, version {visible_line(settings.guardrail_version)}"
        words += f", trace {settings.guardrail_trace}, {settings.sources.get('guardrail', '')}"
        return guardrail_unsent(settings, self.target(conversation_id)) or words

    def summary_was_refused(self, conversation_id: str) -> bool:
        """Whether the model in force refused a reasoning summary at this endpoint, in any run."""
        return self._options.is_refused(self.target(conversation_id), "reasoning.summary")

    async def set_instructions(self, conversation_id: str, text: str, name: str = "") -> None:
        """Choose the instructions of the next turns; `name` is that of the library, if they came from there.

        An empty text sends none.
        """
        conversation = self._conversations[conversation_id]
        controls = replace(conversation.controls, instructions_name=name if text else "")
        await self._change(replace(conversation, instructions=storable(text), controls=controls))

    async def instructions_library(self) -> Library:
        """The named instructions there are, read anew."""
        return await asyncio.to_thread(load_library, self.settings.config_dir)

    async def schema_library(self) -> SchemaLibrary:
        """The named schemas there are, read anew."""
        return await asyncio.to_thread(load_schemas, self.settings.config_dir)

    async def find_format(self, words: str) -> str:
        """The `text.format` that a name, a file, a JSON text or the short form means; empty for `off`.

        Raises:
            InputError: It is none of them.
        """
        return await asyncio.to_thread(find_format, words, self.settings.config_dir)

    async def apply_flags(self, conversation_id: str) -> None:
        """Let what the command line says win over what the conversation was left with."""
        conversation = self._conversations[conversation_id]
        settings = self.settings
        if _is_flag(settings, "model"):
            conversation = replace(conversation, model=settings.model)
        if _is_flag(settings, "region"):
            conversation = replace(conversation, region=settings.region)
        if _is_flag(settings, "endpoint"):
            conversation = replace(conversation, endpoint=settings.endpoint)
        if _is_flag(settings, "profile") and settings.endpoint == settings.profile:
            conversation = replace(conversation, endpoint=settings.endpoint, model=settings.model)
        if _is_flag(settings, "api"):
            conversation = replace(conversation, api=settings.api)
        elif _is_flag(settings, "model"):
            conversation = replace(conversation, api=self._served_api(conversation, None, None))
        if conversation.model and not _is_flag(settings, "endpoint"):
            here = conversation.endpoint or settings.endpoint
            surface = fitting_surface(self.catalogue, conversation.model, here, conversation.api)
            if surface.sentence and settings.knows_endpoint(surface.endpoint):
                conversation = replace(conversation, model=surface.model_id, endpoint=surface.endpoint)
        if _is_flag(settings, "continuation"):
            conversation = replace(conversation, continuation=settings.continuation)
        await self._change(conversation)

    async def set_tip(self, conversation_id: str, turn_id: str | None) -> None:
        """Continue from another turn of the tree: the way to fork."""
        await self._change(self._conversations[conversation_id].at(turn_id))

    async def _change(self, conversation: Conversation) -> None:
        self._conversations[conversation.id] = conversation
        if conversation.turns:
            await self.records.call(History.change_conversation, conversation)

    def target(self, conversation_id: str) -> Target:
        """Model, region, endpoint, API and base URL now in force for a conversation."""
        conversation = self._conversations[conversation_id]
        return target_of(self.settings, conversation)


def _is_flag(settings: Settings, name: str) -> bool:
    return settings.sources.get(name, "").startswith("flag")


async def _attachments():
    # No annotation: ModuleType would know none of its names.
    await imported("tui.session.attachments")
    from tui.session import attachments

    return attachments
