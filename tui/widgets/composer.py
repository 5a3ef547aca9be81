"""Where the prompt is written: a text area that sends, completes, remembers and never loses a word."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, ClassVar

from textual import events, on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.message import Message
from textual.timer import Timer
from textual.widgets import TextArea

from tui.commands import COMMANDS, by_slash, split_slash
from tui.core.text import visible
from tui.messages import CommandRequested, FilesGiven
from tui.widgets.completion import Completion, complete_choices, complete_command, complete_path
from tui.widgets.pasted_paths import pasted_pdf_paths

if TYPE_CHECKING:
    from textual.widgets import OptionList

__all__ = ["Composer", "ComposerInput"]

DRAFT_DELAY = 0.25
"""Seconds from the last key to the saving of a draft."""

Choices = Callable[[str], Iterable[tuple[str, str]]]


class ComposerInput(TextArea):
    """The text area inside the composer; it tells keys apart, the composer decides what they mean."""

    BINDINGS: ClassVar[list[BindingType]] = [
        # A text area pages through its own text; a prompt is short and the conversation is long.
        Binding("pageup", "screen.scroll_pane('page_up')", show=False, id="pane.page_up"),
        Binding("pagedown", "screen.scroll_pane('page_down')", show=False, id="pane.page_down"),
    ]

    def __init__(
        self, send_keys: frozenset[str], newline_keys: frozenset[str], decide: Callable[[str], None]
    ) -> None:
        super().__init__(
            soft_wrap=True, tab_behavior="focus", show_line_numbers=False, highlight_cursor_line=False
        )
        self._send_keys = send_keys
        self._newline_keys = newline_keys
        # A call, not a message: a key typed right after Enter must not get into what is sent.
        self._decide = decide
        self.popup_open = False

    async def _on_key(self, event: events.Key) -> None:
        meaning = self._meaning(event)
        if meaning is None and event.key.startswith("alt+"):
            # It carries the letter as its character, which a text area would insert; bindings come later.
            event.prevent_default()
            return
        if meaning is None:
            # `enter` may be neither: then it inserts a line, as in any text area.
            await super()._on_key(event)
            return
        event.stop()
        event.prevent_default()
        if meaning == "newline":
            self.replace("\n", *self.selection, maintain_selection_offset=False)
            self.scroll_cursor_visible()
        else:
            self._decide(meaning)

    def _meaning(self, event: events.Key) -> str | None:
        key = event.key
        if self.popup_open and key in ("up", "down", "tab", "escape", "pageup", "pagedown"):
            return key
        if key in self._newline_keys:
            return "newline"
        if key in self._send_keys:
            return "send"
        if key == "up" and self.at_first_row and not self.selected_text:
            return "earlier"
        if key == "down" and self.at_last_row and not self.selected_text:
            return "later"
        return None

    @property
    def at_first_row(self) -> bool:
        """Whether the cursor is on the first row as wrapped."""
        return self.navigator.is_first_wrapped_line(self.cursor_location)

    @property
    def at_last_row(self) -> bool:
        """Whether the cursor is on the last row as wrapped."""
        return self.navigator.is_last_wrapped_line(self.cursor_location)

    async def _on_paste(self, event: events.Paste) -> None:
        event.stop()
        event.prevent_default()
        paths = pasted_pdf_paths(event.text)
        if paths:
            self.post_message(FilesGiven(paths))
            return
        # A text area hands controls on to the terminal as they are; here they become symbols at the door.
        text = visible(event.text.replace("\r\n", "\n").replace("\r", "\n"))
        self.replace(text, *self.selection, maintain_selection_offset=False)
        self.scroll_cursor_visible()


class Composer(Vertical):
    """The prompt's editor with its list of completions above it.

    Args:
        send_keys: Keys that send, in Textual's spelling.
        newline_keys: Keys that insert a line break.
        choices: Gives the values (value, detail) that a slash command, named without slash, may take.
    """

    DEFAULT_CSS = """
    Composer {
        height: auto;
        background: $background;
        & > ComposerInput {
            height: auto;
            min-height: 3;
            max-height: 33vh;
            border: none;
            border-left: outer $border-blurred;
            background: $surface;
            padding: 1 2 1 1;
            scrollbar-size-vertical: 1;
            scrollbar-background: $surface;
            &:focus { border: none; border-left: outer $primary; }
            .text-area--cursor-line { background: $surface; }
            .text-area--placeholder { color: $text-muted; }
        }
        & > OptionList {
            display: none;
            height: auto;
            max-height: 9;
            border: none;
            border-left: outer $secondary;
            background: $panel;
            padding: 0 1;
            scrollbar-size-vertical: 1;
            scrollbar-background: $panel;
            &.-open { display: block; }
        }
        & > OptionList:focus { border: none; border-left: outer $secondary; }
    }
    """

    class Submitted(Message):
        """A prompt is to be sent; the composer is empty again.

        Attributes:
            text: The prompt; may be empty, as attachments may go alone.
        """

        def __init__(self, text: str) -> None:
            super().__init__()
            self.text = text

    class DraftChanged(Message):
        """A moment has passed since the text was changed: it should be saved."""

    class TakeBackRequested(Message):
        """Up was pressed in an empty composer while prompts are queued."""

    def __init__(
        self,
        *,
        send_keys: Iterable[str] = ("enter",),
        newline_keys: Iterable[str] = ("ctrl+j", "shift+enter", "alt+enter"),
        choices: Choices | None = None,
        id: str | None = None,
    ) -> None:
        super().__init__(id=id)
        send = frozenset(send_keys)
        self.input = ComposerInput(send, frozenset(newline_keys) - send, self._decide)
        self._popup: OptionList | None = None  # made when it is first needed: it costs start-up time
        self._choices: Choices = choices or (lambda _: ())
        self._completions: Sequence[Completion] = ()
        self._completed_for = ""
        self._offered_for = ""
        self._history: list[str] = []
        self._place = 0  # index into the history; its length stands for the draft
        self._draft = ""
        self._draft_timer: Timer | None = None
        self.take_back_first = False

    def compose(self) -> ComposeResult:
        """The text area; the list of completions comes above it when there is one."""
        yield self.input

    @property
    def text(self) -> str:
        """What is written now."""
        return self.input.text

    @text.setter
    def text(self, text: str) -> None:
        self.input.load_text(visible(text))
        self.input.move_cursor(self.input.document.end)

    @property
    def offers(self) -> tuple[str, ...]:
        """The labels of the list of completions; empty while there is none."""
        return tuple(completion.label for completion in self._completions)

    def set_placeholder(self, model: str) -> None:
        """Show the model that will answer."""
        self.input.placeholder = Content(f"Message {model}  ·  / for commands")

    def set_history(self, prompts: Iterable[str]) -> None:
        """Replace what Up goes back through, oldest first."""
        self._history = [visible(prompt) for prompt in prompts if prompt]
        self._place = len(self._history)

    def put_back(self, text: str) -> None:
        """Return a prompt that was not sent, in front of what has been written since."""
        self.text = f"{text}\n\n{self.text}" if self.text.strip() else text

    def offer_again(self) -> None:
        """There are more choices now for the command that is being typed."""
        self._offer_completions()

    def clear(self) -> str:
        """Empty the composer; what was in it can be had again with Up or undo. Returns it."""
        text = self.text
        if text.strip():
            self._remember(text)
            # An edit, not `load_text`: that would throw away the undo steps.
            self.input.clear()
        return text

    @on(TextArea.Changed)
    def _text_changed(self, event: TextArea.Changed) -> None:
        event.stop()
        if self._draft_timer is None:
            self._draft_timer = self.set_timer(DRAFT_DELAY, self._save_draft)
        self._offer_completions()

    def _save_draft(self) -> None:
        self._draft_timer = None
        self.post_message(self.DraftChanged())

    def _decide(self, key: str) -> None:
        match key:
            case "send":
                self._enter()
            case "up" | "down" | "pageup" | "pagedown":
                self._move_in_popup(key)
            case "tab":
                self._accept()
            case "escape":
                self._close_popup()
            case "earlier":
                self._earlier()
            case "later":
                self._later()
            case _:
                pass

    # ---- sending

    def _enter(self) -> None:
        chosen = self._chosen()
        if chosen is not None and chosen.text.strip() != self.text.strip():
            self._accept()
            if not chosen.final:
                return
        text = self.text
        slash = split_slash(text)
        command = by_slash(slash[0]) if slash else None
        if slash and command:
            if command.argument and not command.argument.startswith("[") and not slash[1]:
                return  # it needs its argument; the list of completions is open for it
            self._close_popup()
            self._remember(text)
            self.input.clear()
            self.post_message(CommandRequested(command.id, slash[1]))
        elif slash:
            self.notify(_unknown(slash[0]), severity="warning", markup=False)
        else:
            self._remember(text)
            self.input.load_text("")
            self.post_message(self.Submitted(text.strip()))

    # ---- earlier prompts

    def _remember(self, text: str) -> None:
        text = text.strip()
        if text and (not self._history or self._history[-1] != text):
            self._history.append(text)
        self._place = len(self._history)
        self._draft = ""

    def _earlier(self) -> None:
        if self.take_back_first and not self.text:
            self.post_message(self.TakeBackRequested())
            return
        if not self._place:
            return
        if self._place == len(self._history):
            self._draft = self.text
        self._place -= 1
        self._show(self._history[self._place])

    def _later(self) -> None:
        if self._place >= len(self._history):
            return
        self._place += 1
        self._show(self._draft if self._place == len(self._history) else self._history[self._place])

    def _show(self, text: str) -> None:
        self.input.load_text(text)
        self.input.move_cursor(self.input.document.end)

    # ---- completion

    def _offer_completions(self) -> None:
        text = self.text
        if not text.startswith("/") or "\n" in text or text == self._completed_for:
            if text != self._completed_for:
                self._close_popup()
            return
        name, space, argument = text[1:].partition(" ")
        if not space:
            self._fill_popup(complete_command(text) if name.replace("-", "").isalpha() or not name else ())
        elif name == "attach":
            self.run_worker(self._complete_path(text, argument), group="completion", exclusive=True)
        elif by_slash(name):
            self._fill_popup(complete_choices(name, argument, self._choices(name)))
        else:
            self._close_popup()

    async def _complete_path(self, text: str, argument: str) -> None:
        found = await asyncio.to_thread(complete_path, "attach", argument.lstrip())
        if text == self.text:
            self._fill_popup(found)

    def _fill_popup(self, completions: Sequence[Completion]) -> None:
        self._completions = completions
        self._offered_for = self.text
        if not completions or [completion.text for completion in completions] == [self.text]:
            self._close_popup()
            return
        width = max(len(completion.label) for completion in completions[:20]) + 2
        popup = self._the_popup()
        popup.clear_options()
        popup.add_options([_line(completion, width) for completion in completions])
        popup.highlighted = 0
        popup.add_class("-open")
        self.input.popup_open = True

    def _the_popup(self) -> OptionList:
        if self._popup is None:
            from textual.widgets import OptionList

            self._popup = OptionList()
            self._popup.can_focus = False
            self.mount(self._popup, before=self.input)
        return self._popup

    def _close_popup(self) -> None:
        self._completions = ()
        if self._popup is not None:
            self._popup.remove_class("-open")
        self.input.popup_open = False

    def _chosen(self) -> Completion | None:
        index = self._popup.highlighted if self._popup is not None else None
        if not self._completions or index is None or index >= len(self._completions):
            return None
        if self._offered_for != self.text:
            return None  # a folder is still being read: the list is for what stood here before
        return self._completions[index]

    def _accept(self) -> None:
        chosen = self._chosen()
        if chosen is None:
            return
        self._close_popup()
        if chosen.final:
            self._completed_for = chosen.text
        self.input.replace(chosen.text, (0, 0), self.input.document.end, maintain_selection_offset=False)
        self.input.move_cursor(self.input.document.end)

    def _move_in_popup(self, key: str) -> None:
        popup = self._the_popup()
        match key:
            case "up":
                popup.action_cursor_up()
            case "down":
                popup.action_cursor_down()
            case "pageup":
                popup.action_page_up()
            case _:
                popup.action_page_down()

    def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        """A line of the list was clicked: take it."""
        event.stop()
        self._the_popup().highlighted = event.option_index
        self._accept()
        self.input.focus()


def _unknown(name: str) -> str:
    from difflib import get_close_matches

    close = get_close_matches(name, [command.slash for command in COMMANDS if command.slash], 1)
    meant = f" Did you mean /{close[0]}?" if close else " Type / for a list."
    return f"There is no command /{name}.{meant} With a space before it, it is sent."


def _line(completion: Completion, width: int) -> Content:
    label = completion.label.ljust(width)
    return Content.assemble((label, ""), (completion.detail, "dim"))
