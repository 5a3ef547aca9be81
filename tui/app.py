"""The app: themes, keys, screens, and nothing else."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from functools import cached_property, partial
from threading import get_ident
from time import monotonic
from typing import TYPE_CHECKING, Any, ClassVar, Final, cast

from textual import events
from textual.actions import ActionParseResult, SkipAction, parse
from textual.app import App
from textual.binding import Binding, BindingType
from textual.command import Provider
from textual.driver import Driver

from tui.commands import by_id
from tui.core.errors import ConfigError
from tui.core.garbage import begin_collecting, collector_paused
from tui.core.text import visible, visible_line
from tui.keys.keymap import bindings, check_keymap, leader_binding, tell_alt_enter_apart
from tui.screens.base import caught_up
from tui.screens.chat import ChatScreen, StartWith
from tui.themes import DEFAULT_THEME, NO_COLOUR_THEME, load_theme, load_themes, own_folder

if TYPE_CHECKING:
    from textual.dom import DOMNode
    from textual.screen import Screen

    from tui.commands import Command
    from tui.session.session import Session
    from tui.typed_ahead import TypedAhead

__all__ = ["OutcropApp"]

TWICE_WITHIN = 3.0
"""Seconds within which a second Ctrl+C, or a second Ctrl+Q while an answer arrives, means it."""

_SWITCH: Final = 0.0005
"""Seconds for which a thread, one that imports say, may go on while the event loop waits: Python's 5 ms are
waited for up to ten times on a key's way to the screen."""


def _commands() -> type[Provider]:
    from tui.commands.palette import CommandProvider

    return CommandProvider


class OutcropApp(App[int]):
    """Outcrop in the terminal.

    Args:
        session: Conversations, turns and settings.
        open_conversation: Id of a conversation to open at the start.
        continue_latest: Open the one last used.
        theme: A theme's name; `None` takes the settings' one.
        files: Paths to attach to the first prompt.
        preset: Name of a preset to offer; empty for none.
    """

    TITLE = "Outcrop"
    # Where there is little room, dialogs take all of it.
    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (100, "-wide")]  # noqa: RUF012
    VERTICAL_BREAKPOINTS = [(0, "-low"), (30, "-high")]  # noqa: RUF012
    COMMANDS: ClassVar[set[type[Provider] | object]] = {_commands}  # type: ignore[assignment]
    COMMAND_PALETTE_BINDING = "ctrl+p"
    BINDINGS: ClassVar[list[BindingType]] = [
        # The inspector as a full screen is closed by the key that opened it.
        *bindings("app.", "inspector.toggle"),
        leader_binding(),
        Binding("ctrl+c", "interrupt", show=False, system=True),
    ]

    def __init__(
        self,
        session: Session,
        *,
        open_conversation: str | None = None,
        continue_latest: bool = False,
        theme: str | None = None,
        files: Sequence[str] = (),
        preset: str = "",
    ) -> None:
        if not os.environ.get("NO_COLOR", "set"):
            del os.environ["NO_COLOR"]  # An empty one asks for nothing (no-color.org); Textual does not know.
        super().__init__()
        tell_alt_enter_apart()
        self.session = session
        self._start = StartWith(open_conversation, continue_latest, tuple(files), preset)
        self.hung_up = False
        self._leaving = False
        self._problems: list[str] = []
        self._pressed: dict[str, float] = {}
        self._is_painted = asyncio.Event()
        settings = session.settings
        self._keymap_now = check_keymap(
            settings.keymap, {settings.send_key: "send_key", settings.newline_key: "newline_key"}
        )
        self._local_keys: dict[str, str] = {}
        self._problems += self._keymap_now.problems
        if self._keymap_now.changed:
            self.set_keymap(self._keymap_now.for_textual)
        self._theme_folders = (own_folder(), session.settings.config_dir / "themes")
        if settings.reduced_motion:
            self.animation_level = "none"
        if self.no_color:
            theme = self._without_colour()
        self._first_theme(theme or settings.theme or DEFAULT_THEME)
        self._chat: ChatScreen | None = None
        self._own_themes: list[str] = []

    # ---- keys

    def keys_of(self, command_id: str) -> str:
        """The key that runs a command, or its chord, as people write it; empty when it has neither."""
        return self._keymap_now.first(command_id)

    def all_keys(self) -> dict[str, str]:
        """The first key of every command that has one, by binding id."""
        from tui.commands import COMMANDS

        return {command.id: key for command in COMMANDS if (key := self.keys_of(command.id))}

    def usable(self, command: Command, screen: Screen[Any] | None = None) -> bool:
        """Whether a command can be run on a screen; on the one that is open, where none is given."""
        owner, _, action = command.action.partition("(")[0].partition(".")
        return hasattr(self if owner == "app" else screen or self.screen, f"action_{action}")

    def action_leader(self) -> None:
        """Begin a chord; in a text with a selection, and in a dialog's texts, the key cuts as everywhere."""
        from tui.screens.which_key import WhichKey

        below = self.screen
        if below.is_modal or getattr(below.focused, "selected_text", ""):
            raise SkipAction

        async def chosen(command_id: str | None) -> None:
            command = by_id(command_id) if command_id else None
            if command is not None:
                await self.run_action(command.action)

        self.push_screen(
            WhichKey(
                self._keymap_now,
                lambda command: self.usable(command, below),
                at_once=self.animation_level == "none",
            ),
            chosen,
        )

    async def run_action(
        self,
        action: str | ActionParseResult,
        default_namespace: DOMNode | None = None,
        namespaces: Mapping[str, DOMNode] | None = None,
    ) -> bool:
        """Run an action, once what it imports is there: an import on the loop would hold keys and frames."""
        from tui.core.ahead import imported
        from tui.screens.needed import MODULES, waits_for_session

        owner, name, _ = parse(action) if isinstance(action, str) else action
        if waits_for_session(f"{owner}.{name}") and self.chat.put_off(
            lambda: self.run_action(action, default_namespace, namespaces)
        ):
            return True
        await imported(*MODULES.get(name, ()))
        return await super().run_action(action, default_namespace, namespaces)

    # ---- screens

    def get_default_screen(self) -> Screen[None]:
        """The chat screen is the first and the only one that stays."""
        self._chat = ChatScreen(self.session, self._start, self.all_keys())
        return self._chat

    @property
    def chat(self) -> ChatScreen:
        """The chat screen."""
        assert self._chat is not None
        return self._chat

    def on_mount(self) -> None:
        """What is not on the first picture comes after it."""
        self.call_after_refresh(self._painted)

    def _painted(self) -> None:
        """Collect garbage from now on, leaving out what was imported: it stays for ever."""
        self._is_painted.set()
        begin_collecting()
        sys.setswitchinterval(_SWITCH)
        self._style_the_rest()
        self._take_other_keys()
        self._load_themes()

    def _style_the_rest(self) -> None:
        """Add the styles of what is not on the first picture."""
        from tui import app_style
        from tui.restyling import remember_more

        remember_more(self.stylesheet)
        self.stylesheet.add_source(app_style.APP_CSS, (app_style.__file__, "APP_CSS"))
        self.stylesheet.update(self)

    def _take_other_keys(self) -> None:
        """The user's keys inside dialogs and panes, looked up where those stand; few users have any."""
        if self._keymap_now.others:
            self.run_worker(self._check_other_keys, group="keys", exit_on_error=False)

    async def _check_other_keys(self) -> None:
        # It looks at every screen there is, so it imports them all.
        from tui.keys.contexts import check_others

        with collector_paused(freeze=True):
            checked = await asyncio.to_thread(check_others, self._keymap_now.others)
        self._local_keys, problems = checked
        self.update_keymap(self._local_keys)
        for problem in problems:
            self._tell_problem(problem)

    def push_screen(self, *args: Any, **kwargs: Any) -> Any:
        """Open a screen; what stands at the screen's edge would cover a part of it."""
        self.clear_notifications()
        return cast("Any", super()).push_screen(*args, **kwargs)

    async def action_open_help(self) -> None:
        """Show the keys and commands as they are now."""
        from tui.screens.help import HelpScreen, sections

        if not isinstance(self.screen, HelpScreen):
            # The keys are read from the classes that have them: every screen is imported.
            with collector_paused(freeze=True):
                found = await asyncio.to_thread(sections, self._keymap_now, self._local_keys)
            self.push_screen(HelpScreen(self.session.settings, self._keymap_now, found))

    # ---- themes

    def _first_theme(self, name: str) -> None:
        """Register the one theme that the first picture needs."""
        try:
            theme = load_theme(name, *self._theme_folders)
        except ConfigError as error:
            self._problems.append(str(error))
            theme = None
        else:
            if theme is None and name not in self.available_themes:
                self._problems.append(
                    f"There is no theme {visible_line(name)}; /theme lists those there are."
                )
        if theme is None and name not in self.available_themes:
            theme = load_theme(DEFAULT_THEME, self._theme_folders[0])
        if theme is not None:
            self.register_theme(theme)
            name = theme.name
        self._wear_first(name)

    def _wear_first(self, name: str) -> None:
        """Do what setting `theme` does, but parse no style a second time before the first picture."""
        self.set_reactive(App.theme, name)
        dark = self.current_theme.dark
        self.set_class(True, f"-theme-{name}", update=False)
        self.set_class(dark, "-dark-mode", update=False)
        self.set_class(not dark, "-light-mode", update=False)
        self._refresh_truecolor_filter(self.ansi_theme)
        self._invalidate_css()
        self.stylesheet.set_variables(self.get_css_variables())

    def _without_colour(self) -> str:
        """Take every colour from what is drawn: Textual's own filter would leave shades of grey."""
        from textual.filter import Monochrome, NoColor

        self._filters = [NoColor() if isinstance(one, Monochrome) else one for one in self._filters]
        return NO_COLOUR_THEME

    def on_descendant_focus(self, event: events.DescendantFocus) -> None:
        """Without motion no cursor blinks."""
        if self.animation_level == "none" and hasattr(event.widget, "cursor_blink"):
            cast("Any", event.widget).cursor_blink = False

    def _load_themes(self) -> None:
        """Register every other theme, once, and say what was wrong with any of them."""
        if self._own_themes:
            return
        loaded = load_themes(*self._theme_folders)
        for theme in loaded.themes:
            if theme.name != self.theme:
                self.register_theme(theme)
        self._own_themes = [theme.name for theme in loaded.themes]
        problems = [
            *self._problems,
            *(problem for problem in loaded.problems if problem not in self._problems),
        ]
        self._problems.clear()
        for problem in problems:
            self._tell_problem(problem)

    def _tell_problem(self, problem: str) -> None:
        self.notify(problem, severity="warning", markup=False, timeout=12)

    async def refresh_css(self, animate: bool = True) -> None:  # type: ignore[override]
        """Take another theme's styles without holding the event loop; Textual awaits it."""
        from tui.restyling import restyle

        await restyle(self, animate=animate)

    def theme_names(self) -> list[str]:
        """Outcrop's and the user's themes, then those that come with Textual."""
        self._load_themes()
        own = self._own_themes
        first = sorted(own, key=lambda name: (name != DEFAULT_THEME, name))
        return [*first, *(name for name in sorted(self.available_themes) if name not in own)]

    def get_theme_variable_defaults(self) -> dict[str, str]:
        """What Textual's styles name and an `ansi` theme may lack: the app would die of it."""
        names = ("ansi-background", "ansi-foreground", "surface-active", "foreground-disabled")
        return dict.fromkeys(names, "ansi_default")

    def use_theme(self, name: str) -> None:
        """Use a theme from now on, in later runs too."""
        self._load_themes()
        if name in self.available_themes:
            self.theme = name
            self._keep_theme(name)
        else:
            self.notify(f"There is no theme {visible_line(name)}.", severity="warning", markup=False)

    def action_pick_theme(self) -> None:
        """Choose a theme by looking at it; the one that is chosen is kept for later runs."""
        from tui.screens.theme_picker import ThemePicker

        if not isinstance(self.screen, ThemePicker):
            self.push_screen(ThemePicker(self.theme_names()), self._keep_theme)

    def _keep_theme(self, name: str | None) -> None:
        if name is not None:
            self.run_worker(partial(self._write_theme, name), group="theme", exit_on_error=False)

    async def _write_theme(self, name: str) -> None:
        """Write the theme to the config file, beside the event loop; say so where it cannot be kept."""
        from tui.config.writer import write_setting

        path = self.session.settings.config_dir / "config.toml"
        try:
            await asyncio.to_thread(write_setting, path, "theme", name)
        except ConfigError as error:
            self.notify(str(error), severity="warning", markup=False)

    # ---- the clipboard

    def copy_to_clipboard(self, text: str, what: str = "") -> None:
        """Fill the system's clipboard by its own tool or by the terminal, and say which.

        Args:
            text: What is copied.
            what: What people call it; by default how much it is.
        """
        self._clipboard = text
        self.run_worker(partial(self._copy, text, what), group="clipboard", exit_on_error=False)

    async def _copy(self, text: str, what: str) -> None:
        from tui.terminal.clipboard import amount, copy

        write = self._driver.write if self._driver is not None else None
        copied = await copy(text, write, os.environ)
        self.clear_notifications()
        self.notify(
            visible_line(copied.sentence(what or amount(text))),
            severity="information" if copied.worked else "warning",
            markup=False,
            timeout=4,
        )

    # ---- leaving

    def action_interrupt(self) -> None:
        """Ctrl+C where nothing is selected: empty the composer first; leave only when pressed twice."""
        chat = self.chat
        if self.screen is not chat:
            self._pressed.clear()
            self.pop_screen()
        elif chat.composer.clear().strip():
            self._pressed.clear()
            self.notify("Cleared; Up brings it back.", markup=False, timeout=3)
        elif self._twice("interrupt"):
            self.leave_now()
        else:
            stop = "Esc stops the answer. " if chat.answers_arriving else ""
            stop += "What was said is not saved. " if chat.unsaved else ""
            self.notify(
                f"{stop}Press Ctrl+C again to quit; {self.keys_of('app.quit')} quits too.",
                markup=False,
                timeout=TWICE_WITHIN,
            )

    def action_leave(self) -> None:
        """Quit; while an answer arrives, or where something would be lost, ask for the key once more."""
        from tui.parting_words import before_leaving

        words = before_leaving(self.chat.answers_arriving, self.chat.unsaved, self.keys_of("app.quit"))
        if words and not self._twice("leave"):
            self.clear_notifications()
            self.notify(words, severity="warning", markup=False, timeout=TWICE_WITHIN)
            return
        self.leave_now()

    async def action_quit(self) -> None:
        """Textual's own way out takes ours."""
        self.action_leave()

    def leave_now(self) -> None:
        """Leave without asking, as on a signal: every answer is stopped, what came and the draft are kept."""
        if not self._leaving:
            self._leaving = True
            self.run_worker(self._leave, exit_on_error=False)

    def get_driver_class(self) -> type[Driver]:
        """Textual's own; on Linux and macOS one that notices when the terminal has gone."""
        found = super().get_driver_class()
        if found.__name__ != "LinuxDriver":
            return found
        from tui.terminal.driver import TerminalDriver

        return TerminalDriver

    def terminal_gone(self) -> None:
        """Leave: nobody can see anything any more."""
        self.hung_up = True
        self.leave_now()

    async def _leave(self) -> None:
        from tui.crash import report
        from tui.parting_words import after_leaving

        running = self.chat.answers_in_background
        try:
            unsent = await self.chat.shut_down()
            await self.session.aclose()
        except Exception as error:  # The worker's edge: who wants to leave must not be kept.
            self.leave_with(1, report(error, "leaving"))
        else:
            # Closing tried to write it once more.
            self.leave_with(0, after_leaving(running, self.chat.unsaved, unsent))

    def give_up(self, error: Exception) -> None:
        """End because the program could not get ready."""
        from tui.crash import report

        if not self._leaving:
            self._leaving = True
            self.leave_with(1, report(error, "the start"))

    def leave_with(self, status: int, sentence: str = "") -> None:
        """End with this exit status, and this sentence on the terminal afterwards."""
        from rich.text import Text

        self.exit(0, status, message=Text(f"outcrop: {visible(sentence)}") if sentence else None)

    def _fatal_error(self) -> None:
        """Textual would print every local variable, and one of them may be the token or a prompt."""
        from rich.text import Text

        from tui.crash import report

        error = sys.exc_info()[1] or self._exception
        # Of several errors the first brought the program down; the others come of its going.
        if error is not None and not self._exit_renderables:
            self.bell()
            self._exit_renderables.append(Text(f"outcrop: {visible(report(error, 'the program'))}"))
        self._close_messages_no_wait()

    def tell_of_crash(self, sentence: str) -> None:
        """Say that something broke off beside the program; from any thread."""

        def tell() -> None:
            self.notify(visible(sentence), severity="error", markup=False, timeout=10)

        with suppress(RuntimeError):
            # It may be about to end.
            self.call_from_thread(tell) if self._thread_id != get_ident() else tell()

    async def on_event(self, event: events.Event) -> None:
        """A key, or a paste, comes after what the keys before it have begun; except those that end it."""
        typed = isinstance(event, (events.Key, events.Paste)) and not event.is_forwarded
        if typed and not self._ends(event):
            await self.typed_ahead.came(event)
            return
        if typed:
            await self.typed_ahead.let_go()
        await self._take(event)

    @cached_property
    def typed_ahead(self) -> TypedAhead:
        """The keys that wait; the first picture has none, and those before it wait for it."""
        from tui.typed_ahead import TypedAhead

        typed_ahead = TypedAhead(self, self._take)
        if not self._is_painted.is_set():
            typed_ahead.wait_for(self._is_painted.wait)
        return typed_ahead

    def _ends(self, event: events.Event) -> bool:
        return isinstance(event, events.Key) and event.key in ("ctrl+c", *self._keymap_now.keys["app.quit"])

    async def _take(self, event: events.Event) -> None:
        """Whatever else is done in between, the key that was to be pressed twice begins anew."""
        if isinstance(event, events.Paste):
            self._pressed.clear()
            if not hasattr(self.focused, "take_paste"):
                # Textual's fields hand controls on to the terminal; the composer looks after its own.
                event.text = visible(event.text.replace("\r\n", "\n").replace("\r", "\n"))
        elif isinstance(event, events.Key):
            if event.key != "ctrl+c":
                self._pressed.pop("interrupt", None)
            if event.key not in self._keymap_now.keys["app.quit"]:
                self._pressed.pop("leave", None)
            if len(self.screen_stack) > 1:
                await caught_up(self.screen)
        await super().on_event(event)

    def _twice(self, what: str) -> bool:
        now = monotonic()
        before, self._pressed[what] = self._pressed.get(what, 0.0), now
        return now - before < TWICE_WITHIN
