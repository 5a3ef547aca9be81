"""Going back in a conversation: to a turn, on from it, with another prompt, for another answer."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tui.core.text import visible_line
from tui.screens.chat_preview import ChatPreview

if TYPE_CHECKING:
    from tui.core.conversation import Conversation
    from tui.core.items import Turn
    from tui.screens.turns import TurnChoice

__all__ = ["ChatTurns"]

_BUSY = "An answer is still arriving in this conversation; {key} stops it."
_COMMANDS = {"turn.regenerate": "again", "turn.edit": "edit", "turn.fork": "fork"}


class ChatTurns(ChatPreview):
    """The chat screen with what changes the path; no turn is ever overwritten, each change is a branch."""

    async def draw(self) -> bool:
        """Draw the path of the conversation anew; whether it is still the one that is shown."""
        raise NotImplementedError

    def send_again(self, turn: Turn) -> None:
        """Have a turn answered once more, as a branch beside it."""
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
                self._do(self._act(choice.action, choice.turn_id), "turns")

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
        """`/regenerate`, `/edit` and `/fork` take the number of a turn, as the list counts them."""
        action = _COMMANDS.get(command_id)
        if action is None:
            return super().command_given(command_id, argument)
        self.action_turn(action, argument)
        return True

    def action_turn(self, action: str, number: str = "") -> None:
        """Fork from a turn, edit it, or have it answered again; without a number, the last one.

        To fork without a number goes on from the turn before the last one: from the last itself, the next
        prompt goes on anyway.
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
        elif number:
            self._do(self._act(action, path[int(number) - 1].id), "turns")
        elif action == "fork":
            self._do(self._act(action, path[-1].parent_id), "turns")
        else:
            self._do(self._act(action, path[-1].id), "turns")

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
            if turn.summary:
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
