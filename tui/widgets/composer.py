"""Where the prompt is written: a text area that sends, completes, remembers and never loses a word."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import partial
from typing import TYPE_CHECKING

from textual import on
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.content import Content
from textual.message import Message
from textual.timer import Timer
from textual.widgets import TextArea

from tui.commands import COMMANDS, by_slash, split_slash
from tui.core.drafts import Draft
from tui.core.text import visible, visible_line
from tui.messages import CommandRequested, FilesGiven
from tui.widgets.completion_list import CompletionList
from tui.widgets.composer_input import ComposerInput
from tui.widgets.prompt_history import PromptHistory

if TYPE_CHECKING:
    from tui.widgets.completion import Completion
    from tui.widgets.paste_chips import PasteChip, PasteChips

__all__ = ["Composer", "ComposerInput"]

DRAFT_DELAY = 0.25
"""Seconds from the last key to the saving of a draft."""

Choices = Callable[[str], Iterable[tuple[str, str]]]


class Composer(Vertical):
    """The prompt's editor with its list of completions and the chips of long pastes above it.

    Args:
        send_keys: Keys that send, in Textual's spelling.
        newline_keys: Keys that insert a line break.
        choices: Gives the values (value, detail) that a slash command, named without slash, may take.
        fold: From how many lines and characters on a paste becomes a chip; 0 is never.
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
    }
    """

    class Submitted(Message):
        """A prompt is to be sent; the composer is empty again.

        Attributes:
            text: The prompt, pastes expanded; may be empty, as attachments may go alone.
            draft: The same with where the pastes stand, should it come back.
        """

        def __init__(self, prompt: str | Draft) -> None:
            super().__init__()
            self.draft = Draft(prompt) if isinstance(prompt, str) else prompt
            self.text = self.draft.text

    class DraftChanged(Message):
        """A moment has passed since the text was changed: it should be saved."""

    class TakeBackRequested(Message):
        """Up was pressed in an empty composer while prompts are queued."""

    class PasteOpened(Message):
        """A paste is to be read and changed: `change_paste` takes what came of it."""

        def __init__(self, mark: str, text: str) -> None:
            super().__init__()
            self.mark = mark
            self.text = text

    def __init__(
        self,
        *,
        send_keys: Iterable[str] = ("enter",),
        newline_keys: Iterable[str] = ("ctrl+j", "shift+enter", "alt+enter"),
        choices: Choices | None = None,
        fold: tuple[int, int] = (15, 2000),
        id: str | None = None,
    ) -> None:
        super().__init__(id=id)
        send = frozenset(send_keys)
        self.input = ComposerInput(send, frozenset(newline_keys) - send, self._decide, fold)
        self._list = CompletionList(self)
        self._chips: PasteChips | None = None  # made with the first long paste: it costs start-up time
        self._chips_of: tuple[str, ...] = ()
        self._choices: Choices = choices or (lambda _: ())
        self._completed_for = ""
        self._history = PromptHistory()
        self._draft_timer: Timer | None = None
        self.take_back_first = False

    def compose(self) -> ComposeResult:
        """The text area; the list of completions and the chips come above it when there are any."""
        yield self.input

    # ---- what is written

    @property
    def text(self) -> str:
        """What is written now, every paste expanded: what would be sent."""
        return self.input.marks.expand(self.input.text)

    @text.setter
    def text(self, text: str) -> None:
        self.draft = Draft(text)

    @property
    def draft(self) -> Draft:
        """What is written now, with where its pastes stand; without attachments."""
        return self.input.marks.draft(self.input.text)

    @draft.setter
    def draft(self, draft: Draft) -> None:
        self._load(draft)
        self.input.move_cursor(self.input.document.end)

    def _load(self, draft: Draft) -> None:
        """Replace everything, undo steps included."""
        safe = visible(draft.text)
        # What had to be changed to be shown has other places; that does not happen to what came from here.
        spans = draft.pastes if len(safe) == len(draft.text) else ()
        self.input.load_text(self.input.marks.load(Draft(safe, spans)))
        self._show_chips()

    @property
    def offers(self) -> tuple[str, ...]:
        """The labels of the list of completions; empty while there is none."""
        return tuple(completion.label for completion in self._list.completions)

    def set_placeholder(self, model: str) -> None:
        """Show the model that will answer."""
        self.input.placeholder = Content(f"Message {model}  ·  / for commands  ·  @ for files")

    def set_history(self, prompts: Iterable[str]) -> None:
        """Replace what Up goes back through, oldest first."""
        self._history.replace(prompts)

    def put_back(self, prompt: str | Draft) -> None:
        """Return a prompt that was not sent, in front of what has been written since."""
        draft = Draft(prompt) if isinstance(prompt, str) else prompt
        self.draft = Draft.joined([draft, self.draft]) if self.text.strip() else draft

    def replace_all(self, text: str) -> None:
        """Replace all that is written by a text, as an edit that can be undone; its pastes are expanded."""
        end = self.input.document.end
        self.input.replace(
            self.input.marks.guard(visible(text)), (0, 0), end, maintain_selection_offset=False
        )
        self.input.move_cursor(self.input.document.end)

    def offer_again(self) -> None:
        """There are more choices now for the command that is being typed."""
        self._offer_completions()

    def clear(self) -> str:
        """Empty the composer; what was in it can be had again with Up or undo. Returns it."""
        text = self.text
        if text.strip():
            self._history.remember(self.draft)
            # An edit, not `load_text`: that would throw away the undo steps.
            self.input.clear()
        return text

    @on(TextArea.Changed)
    def _text_changed(self, event: TextArea.Changed) -> None:
        event.stop()
        if self._draft_timer is None:
            self._draft_timer = self.set_timer(DRAFT_DELAY, self._save_draft)
        self._show_chips()
        self._offer_completions()

    def _save_draft(self) -> None:
        self._draft_timer = None
        self.post_message(self.DraftChanged())

    def _decide(self, key: str) -> None:
        match key:
            case "send":
                self._enter()
            case "up" | "down" | "pageup" | "pagedown":
                self._list.move(key)
            case "tab":
                self._accept()
            case "escape":
                self._list.close()
            case "earlier":
                self._earlier()
            case "later":
                self._later()
            case _:
                pass

    # ---- long pastes

    def _show_chips(self) -> None:
        marks = self.input.marks
        present = tuple(marks.in_order(self.input.text))
        if present == self._chips_of:
            return
        self._chips_of = present
        if self._chips is None:
            from tui.widgets.paste_chips import PasteChips

            self._chips = PasteChips()
            self.mount(self._chips, before=0)
        pastes = [(mark, marks.number_of(mark), marks.text_of(mark) or "") for mark in present]
        self.run_worker(partial(self._chips.show, pastes), group="paste chips", exclusive=True)

    @property
    def pastes(self) -> tuple[str, ...]:
        """The long pastes that stand in the prompt, in order."""
        return tuple(self.input.marks.text_of(mark) or "" for mark in self._chips_of)

    def open_paste(self, number: int | None = None) -> bool:
        """Ask for a paste to be opened: of this number as its chip shows it, or the one near the cursor.

        Returns:
            Whether there is such a paste.
        """
        marks = self.input.marks
        if number is None:
            mark = self.input.mark_near_cursor()
        else:
            mark = next((mark for mark in self._chips_of if marks.number_of(mark) == number), None)
        text = marks.text_of(mark) if mark is not None else None
        if mark is None or text is None:
            return False
        self.post_message(self.PasteOpened(mark, text))
        return True

    def change_paste(self, mark: str, text: str, *, expand: bool = False) -> None:
        """Take a paste as it was changed, as a chip or expanded in its place; an empty one goes."""
        marks = self.input.marks
        if expand or not text:
            self.input.replace_mark(mark, marks.guard(visible(text)))
        elif text != marks.text_of(mark):
            # Another mark, so that undo brings back the paste as it was.
            self.input.replace_mark(mark, marks.add(visible(text)))
        self.input.focus()

    def on_paste_chip_opened(self, event: PasteChip.Opened) -> None:
        """A chip is to be read and changed."""
        event.stop()
        self.post_message(self.PasteOpened(event.mark, self.input.marks.text_of(event.mark) or ""))

    def on_paste_chip_removed(self, event: PasteChip.Removed) -> None:
        """A chip is to go, its paste with it."""
        event.stop()
        self.change_paste(event.mark, "")

    # ---- sending

    def _enter(self) -> None:
        chosen = self._list.chosen()
        if chosen is not None and (chosen.path or chosen.text.strip() != self.input.text.strip()):
            self._accept()
            if not chosen.final or chosen.text.startswith("@"):
                return
        text = self.text
        slash = None if self._chips_of else split_slash(text)
        command = by_slash(slash[0]) if slash else None
        if slash and command:
            if command.argument and not command.argument.startswith("[") and not slash[1]:
                return  # it needs its argument; the list of completions is open for it
            self._list.close()
            self._history.remember(self.draft)
            self.input.clear()
            self.post_message(CommandRequested(command.id, slash[1]))
        elif slash:
            self.notify(_unknown(slash[0]), severity="warning", markup=False)
        else:
            draft = self.draft.stripped()
            self._history.remember(draft)
            self._load(Draft())
            self.post_message(self.Submitted(draft))

    # ---- earlier prompts

    def _earlier(self) -> None:
        if self.take_back_first and not self.input.text:
            self.post_message(self.TakeBackRequested())
        elif (earlier := self._history.earlier(self.draft)) is not None:
            self.draft = earlier

    def _later(self) -> None:
        if (later := self._history.later()) is not None:
            self.draft = later

    # ---- completion

    def _offer_completions(self) -> None:
        text = self.input.text
        if text == self._completed_for:
            return
        if not text.startswith("/") or "\n" in text:
            mention = self.input.mention
            if mention is None:
                self._list.close()
            else:
                self.run_worker(
                    partial(self._complete_mention, text, mention[2]), group="completion", exclusive=True
                )
            return
        from tui.widgets.completion import complete_choices, complete_command

        name, space, argument = text[1:].partition(" ")
        if not space:
            named = name.replace("-", "").isalpha() or not name
            self._offer(complete_command(text) if named else ())
        elif name == "attach":
            self.run_worker(partial(self._complete_path, text, argument), group="completion", exclusive=True)
        elif by_slash(name):
            self._offer(complete_choices(name, argument, self._choices(name)))
        else:
            self._list.close()

    async def _complete_path(self, text: str, argument: str) -> None:
        from tui.widgets.completion import complete_path
        from tui.widgets.file_search import ask_disk

        found = await ask_disk(partial(complete_path, "attach", argument.lstrip()), ())
        if text == self.input.text:
            self._offer(found)

    async def _complete_mention(self, text: str, typed: str) -> None:
        from tui.widgets.completion import complete_mention
        from tui.widgets.file_search import ask_disk

        found = await ask_disk(partial(complete_mention, typed), ())
        if text == self.input.text and self.input.mention is not None:
            self._offer(found)

    def _offer(self, completions: Sequence[Completion]) -> None:
        self._list.show(completions, self.input.text)

    def _accept(self) -> None:
        chosen = self._list.chosen()
        if chosen is None:
            return
        self._list.close()
        if not chosen.text.startswith("@"):
            if chosen.final:
                self._completed_for = chosen.text
            self.input.replace(chosen.text, (0, 0), self.input.document.end, maintain_selection_offset=False)
            self.input.move_cursor(self.input.document.end)
            return
        from tui.widgets.file_search import kind_of

        mention = self.input.mention
        if mention is None:
            return
        self.input.replace(
            "" if chosen.path else chosen.text, mention[0], mention[1], maintain_selection_offset=False
        )
        if chosen.path and kind_of(chosen.path):
            self.post_message(FilesGiven((chosen.path,)))
        elif chosen.path:
            self.run_worker(partial(self._insert_file, chosen.path), group="insert")

    async def _insert_file(self, path: str) -> None:
        """Put a text file's name and text into the prompt, as a chip."""
        from tui.widgets.completion import fenced
        from tui.widgets.file_search import ask_disk, read_text

        try:
            text = await ask_disk(partial(read_text, path), None, seconds=10.0)
        except ValueError as error:
            self.notify(str(error), severity="warning", markup=False)
            return
        if text is None:
            sentence = f"{visible_line(path)} does not answer: is its disk or network there?"
            self.notify(sentence, severity="warning", markup=False)
            return
        self.input.put_chip(visible(fenced(path.rpartition("/")[2], text)))

    def completion_clicked(self) -> None:
        """A line of the list was clicked: take it."""
        self._accept()
        self.input.focus()


def _unknown(name: str) -> str:
    from difflib import get_close_matches

    close = get_close_matches(name, [command.slash for command in COMMANDS if command.slash], 1)
    meant = f" Did you mean /{close[0]}?" if close else " Type / for a list."
    return f"There is no command /{name}.{meant} With a space before it, it is sent."
