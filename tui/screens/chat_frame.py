"""The chat screen's frame: its widgets, and all that is not about turns."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Iterable, Sequence
from functools import partial
from time import time
from typing import TYPE_CHECKING, Any, Protocol, cast

from textual import events
from textual.app import App, ComposeResult
from textual.containers import Horizontal, Vertical

from tui.core.api_rules import API_NAMES
from tui.core.apis import RESPONSES, mode_in_force
from tui.core.errors import OutcropError
from tui.core.text import visible_line
from tui.crash import report
from tui.screens.base import Screen
from tui.widgets.composer import Composer
from tui.widgets.compositor import ThriftyCompositor
from tui.widgets.status_line import StatusLine, StatusState
from tui.widgets.welcome import Welcome

if TYPE_CHECKING:
    from textual.notifications import SeverityLevel
    from textual.worker import Worker

    from tui.core.attachments import Attachment
    from tui.core.catalogue import Model
    from tui.core.items import Turn
    from tui.core.meter import ConversationFigures, PathSums, TurnTiming
    from tui.session.session import Session
    from tui.widgets.attachment_chips import AttachmentChips
    from tui.widgets.conversation_pane import ConversationPane
    from tui.widgets.meter import Meter
    from tui.widgets.notice_bar import NoticeBar, QueueLine

__all__ = ["ChatFrame"]

_PAINTED = 0.15
"""Seconds after which a conversation that was opened is on the screen."""
_MANY = 500
"""Turns that are added up for the meter at once; more are added up in a thread."""

_SOURCES = {"environment": "environment", "keyring": "keyring", "memory": "this run"}


class Wardrobe(Protocol):
    """Who knows the themes."""

    def theme_names(self) -> list[str]:
        """All that can be worn."""
        ...

    def use_theme(self, name: str) -> None:
        """Wear this one."""
        ...


class ChatFrame(Screen[None]):
    """Conversation, notices, queue, chips, composer, meter and status line, with the actions on them."""

    DEFAULT_CSS = """
    ChatFrame {
        background: $background;
        & #chat-body { height: 1fr; }
        & #chat-column { width: 1fr; height: 1fr; }
        & ConversationPane { height: 1fr; display: none; padding: 0; }
        &.-talking ConversationPane { display: block; }
        &.-talking Welcome { display: none; }
        & Composer { margin: 0 1 1 1; }
        & Composer.-metered { margin: 0 1; }
        & #chat-body > Inspector { width: 45%; border-left: vkey $border-blurred; }
    }
    """

    def __init__(self, session: Session, keys: dict[str, str]) -> None:
        super().__init__()
        self._compositor = ThriftyCompositor()
        self.session = session
        self._keys = keys
        self._conversation_id = ""
        self._attachments: list[Attachment] = []
        self._urgent = False
        settings = session.settings
        self._conversation_pane: ConversationPane | None = None
        self.composer = Composer(
            send_keys=[settings.send_key],
            newline_keys=[settings.newline_key, "ctrl+j", "shift+enter", "alt+enter"],
            choices=self._choices,
            fold=(settings.paste_chip_lines, settings.paste_chip_chars),
            id="composer",
        )
        self._lines: tuple[NoticeBar, QueueLine, AttachmentChips] | None = None
        self._meter: Meter | None = None
        self._sums: tuple[str, PathSums] | None = None
        self.status = StatusLine(id="status")
        self.welcome = Welcome(keys=keys, id="welcome")

    @property
    def conversation_id(self) -> str:
        """The conversation that is shown; empty before the first one is there."""
        return self._conversation_id

    def _empty_lines(self) -> tuple[NoticeBar, QueueLine, AttachmentChips]:
        """What stands above the composer and is empty at first; mounted after the first picture."""
        if self._lines is None:
            from tui.widgets.attachment_chips import AttachmentChips
            from tui.widgets.notice_bar import NoticeBar, QueueLine

            self._lines = NoticeBar(id="notice"), QueueLine(id="queue"), AttachmentChips(id="chips")
            self.query_one("#chat-column").mount(*self._lines, before=self.composer)
        return self._lines

    @property
    def notice(self) -> NoticeBar:
        """The line about the present."""
        return self._empty_lines()[0]

    @property
    def queue_line(self) -> QueueLine:
        """The prompts that wait."""
        return self._empty_lines()[1]

    @property
    def chips(self) -> AttachmentChips:
        """The files of the next prompt."""
        return self._empty_lines()[2]

    @property
    def pane(self) -> ConversationPane:
        """The conversation pane; made after the first picture, as its many styles cost start-up time."""
        if self._conversation_pane is None:
            from tui.widgets.conversation_pane import ConversationPane

            self._conversation_pane = ConversationPane(id="pane")
            self.query_one("#chat-column").mount(self._conversation_pane, before=self.notice)
        return self._conversation_pane

    @property
    def outcrop(self) -> App[object]:
        """The app; `Screen.app` is typed as an app of anything."""
        return cast("App[object]", cast("Any", self).app)

    @property
    def wardrobe(self) -> Wardrobe:
        """The app, as the one that knows the themes."""
        return cast("Wardrobe", self.outcrop)

    def compose(self) -> ComposeResult:
        """From top to bottom as it stands on the screen."""
        with Horizontal(id="chat-body"), Vertical(id="chat-column"):
            yield self.welcome
            yield self.composer
        yield self.status

    def on_mount(self) -> None:
        """Fill the first picture from the settings alone."""
        settings = self.session.settings
        api = settings.api_for(settings.model, settings.endpoint)
        self.status.keys = self._keys
        self.status.show(
            StatusState(
                settings.model,
                settings.region,
                settings.endpoint,
                mode_in_force(settings.continuation, api),
                sandbox=settings.sandbox,
                replays=bool(settings.replays),
                api="" if api == RESPONSES else API_NAMES[api],
            )
        )
        self.welcome.show_place(
            sandbox=settings.sandbox, base_url=settings.base_url, replays=settings.replays
        )
        self.composer.set_placeholder(visible_line(settings.model))
        self.composer.input.focus()
        self.call_after_refresh(self._empty_lines)
        if settings.said:
            self.call_after_refresh(self._complain, settings.said, "information")

    # ---- work and words

    def _do(
        self,
        work: Callable[[], Coroutine[Any, Any, None]],
        group: str,
        *,
        exclusive: bool = False,
        keys_wait: bool = False,
    ) -> Worker[None]:
        """Run work beside the event loop's other tasks; its errors become a notice.

        It is a callable, so that what is replaced or left before it began leaves no coroutine behind that
        nobody awaits. With `keys_wait` it decides what the next keys are for, a dialog say, and they wait.
        """
        worker = self.run_worker(
            partial(self._guarded, work),
            group=group,
            description=group,
            exclusive=exclusive,
            exit_on_error=False,
        )
        if keys_wait:
            cast("Any", self.outcrop).typed_ahead.wait_for(worker.wait)
        return worker

    async def _guarded(self, work: Callable[[], Coroutine[Any, Any, None]]) -> None:
        try:
            await work()
        except (OutcropError, OSError) as error:
            self._complain(str(error), "error")
        except Exception as error:  # The worker's edge: a fault of ours must not take the program down.
            self._complain(report(error), "error")

    def _say(self, text: str, command: str = "") -> None:
        self._urgent = True
        self.notice.say(text, command)

    def _hush(self) -> None:
        self._urgent = False
        self.notice.hush()

    def _complain(self, sentence: str, severity: SeverityLevel = "warning", *, instead: bool = False) -> None:
        """Say a sentence at the edge of the screen; `instead` of what still stands there."""
        if instead:
            self.outcrop.clear_notifications()
        self.outcrop.notify(visible_line(sentence), severity=severity, markup=False)

    def action_scroll_pane(self, where: str) -> None:
        """Scroll the conversation from wherever the focus is."""
        match where:
            case "page_up":
                self.pane.action_page_up()
            case "page_down":
                self.pane.action_page_down()
            case "home":
                self.pane.action_scroll_home()
            case _:
                self.pane.action_scroll_end()

    def on_key(self, event: events.Key) -> None:
        """A letter typed in the side panel or on a chip that means nothing there is for the composer."""
        composer = self.composer.input
        letter = event.character if event.is_printable else None
        if (
            letter
            and not event.key.startswith("alt+")
            and self.focused not in (None, composer)
            and event.key not in self.active_bindings
        ):
            event.stop()
            event.prevent_default()
            self.set_focus(composer)
            composer.replace(letter, *composer.selection, maintain_selection_offset=False)

    # ---- where the next turn goes

    def _refresh_target(self) -> None:
        """Show model, region, endpoint, continuation and token as they are for the next turn."""
        if not self._conversation_id:
            return
        conversation = self.session.conversation(self._conversation_id)
        target = self.session.target(self._conversation_id)
        api = "" if target.api == RESPONSES else API_NAMES.get(target.api, target.api)
        words, alarm = self._token_words(self.session.settings.token_place(target))
        state = StatusState(
            target.model,
            target.region,
            target.endpoint,
            mode_in_force(conversation.continuation, target.api),
            words,
            alarm,
            target.sandbox,
            effort=conversation.controls.effort or "",
            api=api,
            branch=str(conversation.branch or ""),
            replays=bool(self.session.settings.replays),
            unsaved=self.session.records.in_memory,
        )
        self.status.show(self.with_turns(state))
        replays = self.session.settings.replays
        self.welcome.show_place(sandbox=target.sandbox, base_url=target.base_url, replays=replays)
        self.composer.set_placeholder(visible_line(target.model))

    def with_turns(self, state: StatusState) -> StatusState:
        """Add what there is to say of turns; nothing here."""
        return state

    def _token_words(self, region: str) -> tuple[str, bool]:
        """Where the token comes from and how long it lives still; whether that is bad news."""
        if self.session.settings.sandbox or self.session.settings.replays:
            return "", False
        status = self.session.credentials.status(region)
        signing = self.session.credentials.signing(region)
        if not status.usable:
            none = "no key" if status.source == "none" else "key not usable"
            return "AWS: no keys" if signing else none, True
        words = f"AWS: {signing.profile}" if signing else f"key: {_SOURCES.get(status.source, status.source)}"
        if status.expires_at is None:
            return words, False
        left = max(0, round((status.expires_at - time()) / 60))
        return f"{words}, {left} min left" if left < 100 else f"{words}, {left // 60} h left", left < 10

    def _choices(self, command: str) -> Iterable[tuple[str, str]]:
        """What a slash command's argument may be, for the composer's completion."""
        match command:
            case "model":
                return [(model.id, _about(model)) for model in self.session.catalogue.models]
            case "api":
                return [(name, words) for name, words in API_NAMES.items()]
            case "region":
                return [(region, "") for region in self.session.catalogue.regions]
            case "theme":
                return [(name, "") for name in self.wardrobe.theme_names()]
            case "detach":
                return [(str(number + 1), file.name) for number, file in enumerate(self._attachments)]
            case _:
                return ()

    # ---- the meter

    def _the_meter(self) -> Meter:
        """The meter comes with the first figures; until then the composer leaves its line free."""
        if self._meter is None:
            from tui.widgets.meter import Meter

            self._meter = Meter(id="meter")
            self.composer.add_class("-metered")
            self.query_one("#chat-column").mount(self._meter)
        return self._meter

    def timed_path(self) -> tuple[Sequence[Turn], dict[str, TurnTiming]]:
        """The turns of the path that is shown, and when what belongs to each came."""
        from tui.core.meter import timings_of

        path = self.session.conversation(self._conversation_id).path()
        return path, timings_of(self.session.exchanges(self._conversation_id), path)

    def _figures(self, last: int) -> ConversationFigures:
        """What so many of the last turns came to one by one, and what all came to."""
        from tui.core.meter import figures_of

        path, timings = self.timed_path()
        return figures_of(path, self.session.catalogue, timings, last=last, sums=self._sums_of_path())

    def last_figures(self) -> ConversationFigures:
        """What the last turns came to, one by one; the sums are those of these turns alone."""
        from tui.core.meter import SUMMED_LATE, figures_of

        path = self.session.conversation(self._conversation_id).path()
        return figures_of(path[-SUMMED_LATE:], self.session.catalogue)

    def _sums_of_path(self) -> PathSums:
        """What was added up of the path that is shown, so that a turn more does not cost all of it again."""
        if self._sums is None or self._sums[0] != self._conversation_id:
            from tui.core.meter import PathSums

            self._sums = (self._conversation_id, PathSums())
        return self._sums[1]

    async def _add_up(self, conversation_id: str) -> None:
        """Add up a long path beside the event loop, and show the meter then."""
        from tui.core.meter import SUMMED_LATE, PathSums

        # The conversation is painted first: a thread that computes would hold that up.
        await asyncio.sleep(_PAINTED)
        if self._conversation_id != conversation_id:
            return
        sums = PathSums()
        turns = self._counted_turns()[:-SUMMED_LATE]
        await asyncio.to_thread(sums.cover, turns, self.session.catalogue)
        if self._conversation_id == conversation_id:
            self._sums = (conversation_id, sums)
            self._refresh_meter()

    def _counted_turns(self) -> list[Turn]:
        path = self.session.conversation(self._conversation_id).path()
        return [turn for turn in path if not turn.summary]

    def _refresh_meter(self) -> None:
        """Figures of the last turn and of the conversation's path."""
        turns = self._counted_turns()
        if len(turns) > _MANY:
            from tui.core.meter import SUMMED_LATE

            if self._sums_of_path().lacks(turns[:-SUMMED_LATE], self.session.catalogue) > _MANY:
                self._do(partial(self._add_up, self._conversation_id), "meter", exclusive=True)
                return
        found = self._figures(last=8)  # the last ones may be running
        ended = any(turn.outcome for turn in found.turns)
        if self._meter is not None:
            self._meter.display = ended
            self.composer.set_class(ended, "-metered")
        if not ended:
            return  # a row of dashes says nothing to who has not sent anything
        model = self.session.catalogue.model(self.session.target(self._conversation_id).model)
        self._the_meter().show(found, model.context if model else None)


def _about(model: Model) -> str:
    """A model in a few words, for the list of completions."""
    room = f"{model.context:,} tokens" if model.context else ""
    takes = " ".join(kind for kind in ("text", "image", "pdf") if kind in model.inputs)
    return " · ".join(part for part in (model.label, room, takes) if part)
