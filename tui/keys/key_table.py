"""Every key and command as a table: for the help, for `outcrop keys`, for the README."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from tui.commands import COMMANDS
from tui.keys.contexts import CONTEXTS, keys_in
from tui.keys.key_names import display_key
from tui.keys.keymap import Keymap

__all__ = ["Entry", "Section", "as_json", "as_markdown", "as_text", "sections"]


@dataclass(frozen=True, slots=True)
class Entry:
    """One thing that can be done.

    Attributes:
        id: Binding id, as in the config file's `[keymap]`; empty for what cannot be given another key.
        keys: Single keys, as people write them.
        chords: Chords, as people write them.
        title: A few words.
        help: A sentence; empty where the title says it all.
        slash: The slash command with its argument; empty for none.
        yours: Whether the keys are the user's.
    """

    id: str
    keys: tuple[str, ...]
    chords: tuple[str, ...]
    title: str
    help: str = ""
    slash: str = ""
    yours: bool = False


@dataclass(frozen=True, slots=True)
class Section:
    """Entries under a heading; `local` where they are the keys of a part of the screen."""

    title: str
    entries: tuple[Entry, ...]
    local: bool = False


def sections(keymap: Keymap, local: Mapping[str, str] | None = None) -> tuple[Section, ...]:
    """All there is, the commands by their groups first.

    Args:
        keymap: The commands' keys.
        local: The user's keys for ids of contexts, as `tui.keys.contexts.check_others` gives them.
    """
    changed = {**(local or {}), **{id_: ",".join(keys) for id_, keys in keymap.keys.items()}}
    groups = dict.fromkeys(command.group for command in COMMANDS)
    return (
        *(Section(group, tuple(_commands(group, keymap))) for group in groups),
        *(
            Section(
                context.title,
                tuple(
                    Entry(key.id, key.shown(changed), (), key.title, yours=key.id in (local or {}))
                    for key in keys_in(context)
                ),
                local=True,
            )
            for context in CONTEXTS
        ),
    )


def _commands(group: str, keymap: Keymap) -> Iterator[Entry]:
    for command in COMMANDS:
        if command.group == group:
            yield Entry(
                command.id,
                tuple(map(display_key, keymap.keys[command.id])),
                tuple(
                    " ".join([keymap.leader, *map(display_key, chord)]) for chord in keymap.chords[command.id]
                ),
                command.title,
                command.help,
                f"/{command.slash} {command.argument}".rstrip() if command.slash else "",
                command.id in keymap.changed,
            )


def as_json(found: tuple[Section, ...]) -> str:
    """For scripts: a list of objects, one for each entry."""
    import json

    rows = [
        {
            "where": section.title,
            "id": entry.id,
            "keys": [*entry.keys, *entry.chords],
            "title": entry.title,
            "slash": entry.slash,
            "yours": entry.yours,
        }
        for section in found
        for entry in section.entries
    ]
    return json.dumps(rows, ensure_ascii=False, indent=1)


def as_text(found: tuple[Section, ...]) -> str:
    """Columns for a terminal or a pipe: id, keys, what it does."""
    entries = [entry for section in found for entry in section.entries]
    ids = max(len(entry.id) for entry in entries)
    keys = max(len(", ".join((*entry.keys, *entry.chords))) for entry in entries)
    lines: list[str] = []
    for section in found:
        lines += ["", section.title]
        for entry in section.entries:
            shown = ", ".join((*entry.keys, *entry.chords))
            what = " ".join(word for word in (entry.title, entry.slash, "(yours)" * entry.yours) if word)
            lines.append(f"  {entry.id:<{ids}}  {shown:<{keys}}  {what}".rstrip())
    return "\n".join(lines[1:])


def as_markdown(found: tuple[Section, ...]) -> str:
    """A table of the commands, and one of the keys that work in a part of the screen."""
    lines = ["| does | key | chord | slash | id |", "|---|---|---|---|---|"]
    for section in found:
        if not section.local:
            lines.append(f"| **{section.title}** | | | | |")
            lines += [
                f"| {entry.title} | {_code(entry.keys)} | {_code(entry.chords)} "
                f"| {_code([entry.slash] if entry.slash else [])} | `{entry.id}` |"
                for entry in section.entries
            ]
    lines += ["", "| where | keys |", "|---|---|"]
    for section in found:
        if section.local:
            each = "; ".join(f"{_code(entry.keys)} {entry.title.lower()}" for entry in section.entries)
            lines.append(f"| {section.title} | {each} |")
    return "\n".join(lines)


def _code(texts: list[str] | tuple[str, ...]) -> str:
    return " ".join(f"`{text}`".replace("|", "\\|") for text in texts)
