"""Reading the conversation: the cursor's line, finding, turns, copying, links."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Final, Protocol, cast

from tui.core.text import visible, visible_line
from tui.screens.chat_turns import ChatTurns
from tui.widgets.compositor import paint_changed

if TYPE_CHECKING:
    from tui.core.items import Turn
    from tui.session.session import Session
    from tui.widgets.conversation_pane import ConversationPane
    from tui.widgets.reading_line import FindLine, ReadingLine
    from tui.widgets.transcript.taking import Taken

__all__ = ["ChatReading"]

_NOTHING: Final = "There is nothing to read yet."
_TAKES_NUMBER: Final = {"turn.info", "copy.answer", "copy.code", "copy.table"}


class Copier(Protocol):
    """Who can fill the clipboard and say how."""

    def copy_to_clipboard(self, text: str, what: str = "") -> None:
        """Copy `text`, which people call `what`."""
        ...


class ChatReading(ChatTurns):
    """The chat screen with what one does to a conversation without changing it."""

    def __init__(self, session: Session, keys: dict[str, str]) -> None:
        super().__init__(session, keys)
        self._reading_line: ReadingLine | None = None
        self._find_line: FindLine | None = None
        self._found_from_pane = False
        self._copied_code: tuple[str, int] | None = None

    def command_given(self, command_id: str, argument: str) -> bool:
        """`/find` takes words; the others here take a number."""
        if command_id == "find.open" and argument:
            self._do(partial(self._open_find, argument), "find")
        elif command_id in _TAKES_NUMBER and argument:
            match command_id:
                case "turn.info":
                    self.action_turn_info(argument)
                case "copy.answer":
                    self.action_copy_answer(argument)
                case "copy.code":
                    self.action_copy_code(argument)
                case _:
                    self.action_copy_table(argument)
        else:
            return super().command_given(command_id, argument)
        return True

    def _can_read(self) -> bool:
        """Whether there is a conversation in the pane; says so if there is none."""
        if self._conversation_id and self.has_class("-talking"):
            return True
        self._complain(_NOTHING, "information", instead=True)
        return False

    # ---- the cursor

    def action_read(self) -> None:
        """Give the keys to the conversation, or back to the composer."""
        if self._conversation_pane is not None and self.pane.has_focus:
            self.composer.input.focus()
        elif self._can_read():
            self.pane.focus()

    def on_conversation_pane_left(self) -> None:
        """Escape in the pane: the composer has the keys again."""
        self.composer.input.focus()

    def on_conversation_pane_cursor_moved(self) -> None:
        """Say which turn the cursor is in, and what can be done there."""
        pane = self.pane
        view = pane.cursor_view
        if view is None:
            if self._reading_line is not None:
                self._reading_line.hide()
            return
        here = ("", "")
        if pane.text_selection is not None:
            here = ("y", "copy selection")
        elif pane.link_at_cursor:
            here = ("o", "open link")
        elif pane.tree_at_cursor is not None:
            here = ("x", "copy value")
        elif view.folded:
            here = ("Enter", "unfold")
        elif pane.part_at_cursor("code"):
            here = ("c", "copy code")
        elif pane.part_at_cursor("table"):
            here = ("t", "copy table")
        where = self._where(view.block.id)
        self._the_reading_line().show(
            f"{pane.path_here} · {where}" if pane.path_here else where,
            here,
            selecting=pane.text_selection is not None,
        )

    def _the_reading_line(self) -> ReadingLine:
        if self._reading_line is None:
            from tui.widgets.reading_line import ReadingLine

            self._reading_line = ReadingLine(id="reading")
            self.query_one("#chat-column").mount(self._reading_line, before=self.notice)
        return self._reading_line

    def _where(self, block_id: str) -> str:
        """The turn of a block in a few words: its number, when it was sent, to which model."""
        from tui.screens.turn_words import clock

        path = self.session.conversation(self._conversation_id).path()
        turn_id = self.turn_of_block(block_id)
        for number, turn in enumerate(path, 1):
            if turn.id == turn_id:
                model = f" · {turn.target.model}" if turn.target else ""
                return f"Turn {number} of {len(path)} · {clock(turn.created_at)}{model}"
        return "Not sent yet"

    def action_go_to_turn(self, by: int) -> None:
        """Bring the next prompt to the top, or the one before."""
        if self._can_read() and not self.pane.go_to_turn(by):
            if by > 0:
                self.pane.action_scroll_end()
            else:
                self.pane.action_scroll_home()

    def action_fold(self) -> None:
        """Fold or unfold the block under the cursor."""
        if self._can_read():
            self.pane.action_toggle_fold()

    def _turn_here(self, number: str = "") -> Turn | None:
        """The turn of this number, the one that is read, or the last one; says so where there is none."""
        path = self.session.conversation(self._conversation_id).path() if self._conversation_id else ()
        if not path:
            self._complain(_NOTHING, "information", instead=True)
            return None
        if not number:
            return self._turn_read(path)
        if number.isdecimal() and 1 <= int(number) <= len(path):
            return path[int(number) - 1]
        self._complain(f"There is no turn {visible_line(number)}; this path has {len(path)}.", "information")
        return None

    def action_turn_info(self, number: str = "") -> None:
        """Show when, where and at what cost a turn was answered."""
        from tui.screens.turn_info import TurnInfo

        turn = self._turn_here(number)
        if turn is not None:
            path = self.session.conversation(self._conversation_id).path()
            place = next((at for at, other in enumerate(path, 1) if other.id == turn.id), 0)
            self.outcrop.push_screen(TurnInfo(turn, place, len(path)))

    # ---- following the end

    def on_conversation_pane_follow_changed(self, event: ConversationPane.FollowChanged) -> None:
        """Say how much has come and how much is below, while the end is out of sight."""
        if self._urgent:
            return
        if event.following or not event.below:
            self.notice.hush()
            return
        key = self._keys.get("pane.end", "")
        below = "1 line" if event.below == 1 else f"{event.below:,} lines"
        new = f"{event.came:,} new · " if event.came else ""
        self.notice.say(f"↓ {new}{below} below · {key} goes there", "pane.end")
        # It belongs to the rows, which a key has painted already.
        paint_changed(self.notice)

    # ---- finding

    async def action_find(self) -> None:
        """Open the line to search in; once it has the keys, go to the next hit."""
        if self._find_line is not None and self._find_line.input.has_focus:
            self.pane.find_next(1)
        else:
            await self._open_find(None)

    async def _open_find(self, words: str | None) -> None:
        if not self._can_read():
            return
        line = await self._the_find_line()
        if not line.is_open:
            self._found_from_pane = self.pane.has_focus
        again = line.words if words is None or words == line.words else ""
        line.open(words)
        if again:
            self.pane.find(again)
        self.on_conversation_pane_search_changed()

    async def _the_find_line(self) -> FindLine:
        if self._find_line is None:
            from tui.widgets.reading_line import FindLine

            self._find_line = FindLine(id="find")
            await self.query_one("#chat-column").mount(self._find_line, before=self.notice)
        return self._find_line

    def on_find_line_typed(self, event: FindLine.Typed) -> None:
        """Look for what is typed, as it is typed."""
        if self._find_line is not None and self._find_line.is_open:
            self.pane.find(event.words)

    def on_find_line_stepped(self, event: FindLine.Stepped) -> None:
        """Go to another hit."""
        self.pane.find_next(event.by)

    def on_find_line_closed(self) -> None:
        """Back to where the keys were; the place that was found stays in sight."""
        if self._find_line is not None:
            self._find_line.close()
        self.pane.stop_finding()
        if self._found_from_pane:
            self.pane.focus()
        else:
            self.composer.input.focus()

    def on_conversation_pane_search_changed(self) -> None:
        """Show the count."""
        search = self.pane.search
        if self._find_line is not None and search is not None:
            self._find_line.show_count(search.place, search.total, done=search.done)
        elif self._find_line is not None:
            self._find_line.show_count(0, 0, done=True)

    async def action_find_next(self, by: int) -> None:
        """Go to another hit of what was looked for last."""
        if self.pane.search is not None:
            self.pane.find_next(by)
        elif self._find_line is not None and self._find_line.words.strip():
            self.pane.find(self._find_line.words)
        else:
            await self.action_find()

    # ---- copying

    @property
    def _copier(self) -> Copier:
        return cast("Copier", self.outcrop)

    def on_conversation_pane_selected_by_mouse(self) -> None:
        """Copy what the mouse selected, if the settings want that."""
        if self.session.settings.copy_on_select:
            self.action_copy_selection()

    def action_copy_selection(self) -> None:
        """Copy what is selected."""
        text = self.get_selected_text() or ""
        if text:
            self._copier.copy_to_clipboard(text)
        else:
            self._complain("Nothing is selected.", "information", instead=True)

    def action_copy_answer(self, number: str = "") -> None:
        """Copy the message under the cursor, the answer of a turn, or the last one, as Markdown."""
        if not self._can_read():
            return
        pane = self.pane
        view = pane.cursor_view
        if number:
            turn = self._turn_here(number)
            if turn is None:
                return
            text, what = turn.text, f"the answer of turn {number}"
        elif view is not None and view.block.kind != "assistant":
            text, what = pane.plain_text(view.block.id), f"this {_KINDS.get(view.block.kind, 'block')}"
        else:
            text = pane.answer_of(view.block.group if view is not None else pane.last_group())
            what = "this answer" if view is not None else "the last answer"
        if text.strip():
            self._copier.copy_to_clipboard(visible(text), f"{what} as Markdown" if "answer" in what else what)
        else:
            self._complain("There is no answer to copy yet.", "information", instead=True)

    def action_copy_code(self, number: str = "") -> None:
        """Copy a code block: under the cursor, by number, or the last one, and then the one before."""
        self._copy_part("code", number)

    def action_copy_table(self, number: str = "") -> None:
        """Copy a table as Markdown: under the cursor, by number, or the last one."""
        self._copy_part("table", number)

    def _copy_part(self, kind: str, number: str) -> None:
        if not self._can_read():
            return
        pane, view = self.pane, self.pane.cursor_view
        taken = pane.part_at_cursor(kind) if not number else None
        name = "code block" if kind == "code" else "table"
        if taken is None:
            group = view.block.group if view is not None else ""
            parts = pane.parts(group, kind) if group else []
            parts = parts or pane.parts(pane.last_group(kind), kind)
            if number and not (number.isdecimal() and 1 <= int(number) <= len(parts)):
                has = f"{len(parts)} {name}{'s' * (len(parts) != 1)}" if parts else f"no {name}"
                self._complain(f"There is no {name} {visible_line(number)}: the answer has {has}.")
                return
            if not parts:
                self._complain(f"There is no {name} in this conversation.", "information", instead=True)
                return
            taken = parts[int(number) - 1] if number else self._part_before(kind, parts)
        if kind == "code":
            self._copied_code = (taken.group, taken.number)
        pane.go_to_part(taken)
        self._copier.copy_to_clipboard(taken.part.text, _part_words(name, taken))

    def _part_before(self, kind: str, parts: list[Taken]) -> Taken:
        """The last one; if that has just been copied, the one before it, and so on round."""
        if kind == "code" and self._copied_code and self._copied_code[0] == parts[0].group:
            return parts[self._copied_code[1] - 2]
        return parts[-1]

    # ---- links

    def on_conversation_pane_link_clicked(self, event: ConversationPane.LinkClicked) -> None:
        """Show where a link leads, and ask before anything is opened."""
        from tui.screens.link_dialog import LinkDialog
        from tui.terminal.open_link import open_link, read_link

        href = event.href

        async def open_it() -> None:
            problem = await open_link(href)
            self._complain(
                problem or "The browser was asked to open it.", "warning" if problem else "information"
            )

        def answered(answer: str | None) -> None:
            if answer == "open":
                self._do(open_it, "link")
            elif answer == "copy":
                self._copier.copy_to_clipboard(visible_line(href), "the address")

        self.outcrop.push_screen(LinkDialog(read_link(href)), answered)

    def action_open_link(self) -> None:
        """Ask about the link under the cursor; without one, put the cursor on the next one in sight."""
        if not self._can_read():
            return
        if not self.pane.has_focus:
            self.pane.focus()
        if not self.pane.link_at_cursor and not self.pane.go_to_link():
            self._complain("There is no link in sight.", "information", instead=True)
        elif href := self.pane.link_at_cursor:
            self.pane.post_message(self.pane.LinkClicked(self.pane, href))


_KINDS: Final = {
    "user": "prompt",
    "reasoning": "reasoning summary",
    "tool": "tool call",
    "attachment": "attachment's line",
    "error": "error",
    "notice": "notice",
    "usage": "usage",
}


def _part_words(name: str, taken: Taken) -> str:
    """`code block 2 of 3 (python, 12 lines)`."""
    lines = taken.part.text.count("\n") + 1
    place = f" {taken.number} of {taken.count}" if taken.count > 1 else ""
    language = f"{visible_line(taken.part.language)}, " if taken.part.language else ""
    return f"{name}{place} ({language}{lines} line{'s' * (lines != 1)})"
