"""What a command of the program is."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["Command"]


@dataclass(frozen=True, slots=True)
class Command:
    """One thing that can be done.

    Attributes:
        id: Binding id, as used in the config file's keymap.
        title: A few words, for the palette and the help.
        help: A sentence.
        group: Under which heading the help lists it.
        action: The Textual action it runs.
        keys: Default keys, separated by commas; empty for none.
        slash: The slash command without its slash; empty for none.
        argument: What a slash command takes, e.g. `PATH`; empty for nothing, in brackets when optional.
        chord: Default keys after the leader (Ctrl+X), separated by spaces, e.g. `e` or `c f`; the first of
            two is one of `commands.chords.PREFIXES`. Every command has one.
    """

    id: str
    title: str
    help: str
    group: str
    action: str
    keys: str = ""
    slash: str = ""
    argument: str = ""
    chord: str = ""
