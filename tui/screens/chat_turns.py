"""Going back in a conversation: to a turn, on from it, with another prompt, for another answer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING

from tui.core.text import visible_line
from tui.screens.chat_preview import ChatPreview

if TYPE_CHECKING:
    from tui.core.conversation import Conversation
    from tui.core.items import Turn
    from tui.screens.turns import TurnChoice

__all__ = ["ChatTurns"]

_BUSY = "An answer is still arriving in this conversation; {key} stops it."
_COMMANDS = {
    "turn.regenerate": "again",
    "turn.edit": "edit",
    "turn.fork": "fork",
    "branch.delete": "delete",
}


class ChatTurns(ChatPreview):
    """The chat screen with what changes the path; no turn is ever overwritten, each change is a branch."""

    async def draw(self) -> bool:
        """Draw the path of the conversation anew; whether it is still the one that is shown."""
        raise NotImplementedError

    def send_again(self, turn: Turn) -> None:
        """Have a turn answered once more, as a branch beside it."""
        raise NotImplementedError

    def turn_of_block(self, block_id: str) -> str | None:
        """The turn that a block of the pane belongs to; `None` for one that belongs to none on disk."""
        raise NotImplementedError

    def _why_not(self) -> str:
        """Why the path cannot be changed now; empty when it can."""
        return _BUSY.format(key=self._keys.get("turn.stop", "Esc")) if self.is_answering else ""

    # ---- the list

    def action_open_turns(self) -> None:
        """List the turns of the path, with where it parts from others."""
        from tui.screens.turns import TurnsScreen

        if not self._conversation_id or isinstance(self.outcrop.screen, TurnsScreen):
            return

        def chosen(choice: TurnChoice | None) -> None:
            if choice is not None:
                self._do(partial(self._act, choice.action, choice.turn_id), "turns", keys_wait=True)

        conversation = self.session.conversation(self._conversation_id)
        self.outcrop.push_screen(TurnsScreen(conversation, self._why_not, self._walk), chosen)

    async def _walk(self, tip: str) -> Conversation:
        """Show the branch that ends at this turn, and go on from there."""
        conversation_id = self._conversation_id
        await self.session.set_tip(conversation_id, tip)
        await self.draw()
        return self.session.conversation(conversation_id)

    # ---- by command

    def command_given(self, command_id: str, argument: str) -> bool:
        """`/regenerate`, `/edit`, `/fork`, `/delete-branch` take a turn's number, as the list counts them."""
        action = _COMMANDS.get(command_id)
        if action is None:
            return super().command_given(command_id, argument)
        self.action_turn(action, argument)
        return True

    def action_turn(self, action: str, number: str = "") -> None:
        """Fork from a turn, edit it, have it answered again or delete it with what goes on from it.

        Without a number, it is done to the turn that is read: the one at the cursor of the pane, else the
        last one whose prompt is in sight, else the last one. To fork from the last itself goes on from the
        turn before it: from the last one, the next prompt goes on anyway.
        """
        if not self._conversation_id:
            return
        path = self.session.conversation(self._conversation_id).path()
        if not path:
            self._complain("There is no turn yet.", "information")
        elif number and not (number.isdecimal() and 1 <= int(number) <= len(path)):
            self._complain(
                f"There is no turn {visible_line(number)}; this path has {len(path)}.", "information"
            )
        else:
            turn = path[int(number) - 1] if number else self._turn_read(path)
            last = action == "fork" and not number and turn is path[-1]
            self._do(partial(self._act, action, turn.parent_id if last else turn.id), "turns", keys_wait=True)

    def _turn_read(self, path: Sequence[Turn]) -> Turn:
        """The turn that a command without a number means."""
        return self._in_sight({turn.id: turn for turn in path}) or path[-1]

    def _in_sight(self, turns: Mapping[str, Turn]) -> Turn | None:
        """Of these turns, the one at the pane's cursor, else the last one whose prompt is in sight."""
        current = self.pane.current_block if self.pane.has_focus else None
        at_cursor = self.turn_of_block(current) if current is not None else None
        if at_cursor is not None and at_cursor in turns:
            return turns[at_cursor]
        for block_id in reversed(self.pane.blocks_in_sight()):
            turn_id = self.turn_of_block(block_id)
            if (
                turn_id is not None
                and turn_id in turns
                and block_id.endswith((":user", ":branch", ":summary"))
            ):
                return turns[turn_id]
        return None

    def action_step_branch(self, step: int) -> None:
        """Walk to the branch before or after, at the prompt in sight where the conversation parts."""
        if not self._conversation_id:
            return
        conversation = self.session.conversation(self._conversation_id)
        marks = conversation.branch_marks()
        parting = {turn.id: turn for turn in conversation.path() if turn.id in marks}
        if sentence := self._why_not():
            self._complain(sentence, instead=True)
        elif not marks:
            self._complain(
                "This conversation has one branch. Forking, editing and answering again begin others.",
                "information",
                instead=True,
            )
        else:
            place = self._in_sight(parting)
            if None in marks and (place is None or self.pane.following):
                place = None
            elif place is None:
                place = next(reversed(parting.values()))
            self._do(partial(self._step_branch, conversation, place, step), "walk", keys_wait=True)

    async def _step_branch(self, conversation: Conversation, place: Turn | None, step: int) -> None:
        turn_id = place.id if place is not None else None
        tip = conversation.beside(turn_id, step)
        if tip is None:
            side = "before" if step < 0 else "after"
            self._complain(f"There is no branch {side} this one.", "information", instead=True)
            return
        depth = len(conversation.path(turn_id)) - 1 if turn_id is not None else len(conversation.path())
        conversation = await self._walk(tip)
        if conversation.id == self._conversation_id:
            await self._jump(conversation.path()[depth].id)

    # ---- what is done

    async def _act(self, action: str, turn_id: str | None) -> None:
        if action == "jump":
            await self._jump(turn_id)
        elif sentence := self._why_not():
            self._complain(sentence)
        elif action == "fork":
            await self._fork(turn_id)
        elif turn_id is not None:
            turn = self.session.conversation(self._conversation_id).turns[turn_id]
            if action == "delete":
                await self._delete(turn)
            elif turn.summary:
                self._complain(
                    "This turn is a summary: it has no prompt to edit or to send again.", "information"
                )
            elif action == "edit":
                await self._edit(turn)
            else:
                self.send_again(turn)

    async def _jump(self, turn_id: str | None) -> None:
        """Bring a turn to the top of the pane; `None` goes to the end."""
        pane = self.pane
        if turn_id is None:
            pane.action_scroll_end()
            return
        block_id = f"{turn_id}:user"
        if not pane.has_block(block_id):
            # It was drawn as it ran, under another name.
            await self.draw()
        if pane.has_block(block_id):
            pane.scroll_to_block(block_id)
        else:
            pane.action_scroll_end()

    async def _fork(self, turn_id: str | None) -> None:
        conversation = self.session.conversation(self._conversation_id)
        place = len(conversation.path(turn_id)) if turn_id is not None else 0
        await self.session.set_tip(conversation.id, turn_id)
        await self.draw()
        where = f"after turn {place}" if place else "at the beginning"
        self._complain(f"The next prompt goes {where}. What was there stays in the tree.", "information")
        self.composer.input.focus()

    async def _edit(self, turn: Turn) -> None:
        """Put a turn's prompt and files into the composer and go back to before it."""
        conversation_id = self._conversation_id
        files = await self.session.attachments_of(conversation_id, turn.id)
        if self._conversation_id != conversation_id or self.is_answering:
            return
        await self.session.set_tip(conversation_id, turn.parent_id)
        await self.draw()
        self.composer.put_back(turn.prompt)
        present = {attachment.sha256 for attachment in self._attachments}
        files = [attachment for attachment in files if attachment.sha256 not in present]
        self._attachments[:0] = files
        await self.chips.show(self._attachments)
        names = ", ".join(attachment.name for attachment in files)
        also = f" {names} {'is' if len(files) == 1 else 'are'} attached again." if files else ""
        self._complain(
            f"The prompt is in the composer; the turn itself stays in the tree.{also}", "information"
        )
        self.composer.input.focus()

    async def _delete(self, turn: Turn) -> None:
        """Ask, saying what would go and what stays at the server; then delete a turn and what follows it."""
        from tui.screens.history import ConfirmScreen, stays_at_server

        conversation_id = self._conversation_id
        contents = await self.session.branch_contents(conversation_id, turn.id)
        turns = "1 turn" if contents.turns == 1 else f"{contents.turns:,} turns"
        words = "1 word" if contents.words == 1 else f"{contents.words:,} words"
        question = (
            f"Delete {turns} with {words}, from “{_beginning(turn)}” on, from this machine?"
            f"{' The conversation has no other turn.' if contents.everything else ''}"
            f" It cannot be undone.{stays_at_server(len(contents.stored))}"
        )

        def answered(yes: bool | None) -> None:
            if yes:
                self._do(partial(self._delete_now, conversation_id, turn.id, turns), "turns")

        self.outcrop.push_screen(ConfirmScreen(question, yes="Delete", no="Keep"), answered)

    async def _delete_now(self, conversation_id: str, turn_id: str, turns: str) -> None:
        if conversation_id == self._conversation_id and (sentence := self._why_not()):
            self._complain(sentence)
            return
        await self.session.delete_branch(conversation_id, turn_id)
        if conversation_id == self._conversation_id:
            await self.draw()
            self._exchanges_shown()
        self._complain(f"Deleted: {turns}.", "information")


def _beginning(turn: Turn) -> str:
    words = visible_line(" ".join(turn.prompt[:400].split())) or "a file"
    return words if len(words) <= 40 else f"{words[:39]}…"
