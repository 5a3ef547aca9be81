"""The command palette's source: the commands of the table."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import TYPE_CHECKING, Any, Final, Protocol, cast

from textual.command import DiscoveryHit, Hit, Hits, Provider
from textual.content import Content

from tui.commands import COMMANDS, Command

if TYPE_CHECKING:
    from textual.screen import Screen

__all__ = ["CommandProvider", "KeyTeller"]

_TITLES: Final = max(len(command.title) for command in COMMANDS) + 2
_KEYS: Final = 13
_BY_NAME: Final = 0.9  # a match of the slash name or the id counts a little less than one of the title


class KeyTeller(Protocol):
    """Who knows which keys commands have now."""

    def keys_of(self, command_id: str) -> str:
        """The key that runs a command, or its chord, as people write it; empty for none."""
        ...

    def usable(self, command: Command, screen: Screen[Any] | None = None) -> bool:
        """Whether a command can be run on a screen."""
        ...


class CommandProvider(Provider):
    """What the command palette lists: the commands of the table, with their keys as they are now."""

    async def discover(self) -> Hits:
        """Everything, in the table's order, before a letter is typed."""
        for command in self._listed():
            yield DiscoveryHit(
                self._display(command, Content(command.title)),
                partial(self.app.run_action, command.action),
                text=command.title,
            )

    async def search(self, query: str) -> Hits:
        """Fuzzy matches on the title, then on the slash name and the id."""
        matcher = self.matcher(query)
        for command in self._listed():
            score = max(
                matcher.match(command.title),
                *(matcher.match(name) * _BY_NAME for name in (command.slash, command.id) if name),
            )
            if score > 0:
                yield Hit(
                    score,
                    self._display(command, matcher.highlight(command.title)),
                    partial(self.app.run_action, command.action),
                    text=command.title,
                )

    def _listed(self) -> Iterator[Command]:
        """The commands that can be run on the screen that the palette was opened on."""
        teller = cast("KeyTeller", self.app)
        return (command for command in COMMANDS if teller.usable(command, self.screen))

    def _display(self, command: Command, title: Content) -> Content:
        """One line: what it is, its key or chord, a sentence as far as there is room."""
        key = cast("KeyTeller", self.app).keys_of(command.id)
        return Content.assemble(
            title.pad_right(max(2, _TITLES - len(title))),
            f"{key:<{_KEYS}}",
            (command.help, "dim"),
        )
