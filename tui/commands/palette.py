"""The command palette's source: the commands of the table."""

from __future__ import annotations

from functools import partial
from typing import Protocol, cast

from textual.command import DiscoveryHit, Hit, Hits, Provider

from tui.commands import COMMANDS, Command

__all__ = ["CommandProvider", "KeyTeller"]


class KeyTeller(Protocol):
    """Who knows which keys commands have now."""

    def keys_of(self, command_id: str) -> str:
        """The key that runs a command, as people write it; empty for none."""
        ...


class CommandProvider(Provider):
    """What the command palette lists: the commands of the table, with their keys as they are now."""

    async def discover(self) -> Hits:
        """Everything, in the table's order, before a letter is typed."""
        for command in COMMANDS:
            if command.palette:
                yield DiscoveryHit(
                    self._display(command),
                    partial(self.app.run_action, command.action),
                    text=command.title,
                    help=command.help,
                )

    async def search(self, query: str) -> Hits:
        """Fuzzy matches on the title, then on the slash name."""
        matcher = self.matcher(query)
        for command in COMMANDS:
            if not command.palette:
                continue
            score = max(matcher.match(command.title), matcher.match(command.slash) if command.slash else 0.0)
            if score > 0:
                yield Hit(
                    score,
                    matcher.highlight(command.title),
                    partial(self.app.run_action, command.action),
                    text=command.title,
                    help=self._help(command),
                )

    def _display(self, command: Command) -> str:
        key = cast("KeyTeller", self.app).keys_of(command.id)
        return f"{command.title}  ({key})" if key else command.title

    def _help(self, command: Command) -> str:
        return command.help
