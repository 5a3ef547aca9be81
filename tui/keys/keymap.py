"""Bindings from the table of commands, and a user's keys and chords checked against it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Final, cast

from textual._ansi_sequences import ANSI_SEQUENCES_KEYS
from textual.binding import Binding

from tui.commands import COMMANDS, Command, by_id
from tui.commands.chords import LEADER, LEADER_ID, PREFIXES
from tui.core.text import visible_line
from tui.keys.key_names import display_key, read_keys, types_character

__all__ = ["Keymap", "bindings", "check_keymap", "leader_binding", "tell_alt_enter_apart"]

Chord = tuple[str, ...]
"""The keys after the leader."""

# Keys that every text field needs: a command on one of them would take it away.
_RESERVED: Final = frozenset(
    {"tab", "shift+tab", "enter", "backspace", "delete", "left", "right", "up", "down", "space"}
)
# Textual gives keys to bindings that have one; no terminal sends this one.
_NO_KEY: Final = "no-key."


@dataclass(frozen=True, slots=True)
class Keymap:
    """Every command's keys as they are now.

    Attributes:
        keys: By command id, and `leader`: the single keys, in Textual's spelling.
        chords: By command id: what is pressed after the leader.
        changed: The ids whose keys are the user's.
        others: The user's entries for ids that are no command's, to be looked at by `tui.keys.contexts`.
        problems: A sentence for each entry that cannot be used.
    """

    keys: Mapping[str, tuple[str, ...]]
    chords: Mapping[str, tuple[Chord, ...]]
    changed: Mapping[str, str] = field(default_factory=dict[str, str])
    others: Mapping[str, str] = field(default_factory=dict[str, str])
    problems: tuple[str, ...] = ()

    @property
    def leader(self) -> str:
        """The leader, as people write it."""
        return display_key(self.keys[LEADER_ID][0])

    @property
    def for_textual(self) -> dict[str, str]:
        """What `App.set_keymap` takes: only what is not as in the table."""
        return {
            id_: ",".join(self.keys.get(id_, ())) or f"{_NO_KEY}{id_}"
            for id_ in self.changed
            if by_id(id_) or id_ == LEADER_ID
        }

    def shown(self, command_id: str) -> tuple[str, ...]:
        """All that runs a command, as people write it: single keys, then chords."""
        single = [display_key(key) for key in self.keys.get(command_id, ())]
        leader = self.leader
        return (
            *single,
            *(" ".join([leader, *map(display_key, chord)]) for chord in self.chords.get(command_id, ())),
        )

    def first(self, command_id: str) -> str:
        """The one that hints show; empty for none."""
        return next(iter(self.shown(command_id)), "")

    def after(self, pressed: Sequence[str]) -> dict[str, Command | str]:
        """What the next key may be once the leader and `pressed` were: a command, or a prefix's name."""
        at = len(pressed)
        found: dict[str, Command | str] = {}
        for command in COMMANDS:
            for chord in self.chords.get(command.id, ()):
                if chord[:at] == tuple(pressed) and len(chord) > at:
                    last = len(chord) == at + 1
                    more = PREFIXES.get(chord[at], "More") if not at else "More"
                    found[chord[at]] = command if last else more
        return found


def bindings(prefix: str, *ids: str) -> list[Binding]:
    """The bindings of the commands whose action begins with `prefix`, such as `app.`, and of those named.

    A command without a key has a binding too: the user may give it one.
    """
    return [
        Binding(
            command.keys or f"{_NO_KEY}{command.id}",
            command.action,
            command.title,
            show=False,
            id=command.id,
            priority=_first(command.id),
        )
        for command in COMMANDS
        if command.id in ids or command.action.startswith(prefix)
    ]


def leader_binding() -> Binding:
    """The key that begins a chord; it comes before the text area's own use of it."""
    return Binding(LEADER, "leader", "Chord", show=False, id=LEADER_ID, priority=True)


def check_keymap(wanted: Mapping[str, str], typed: Mapping[str, str] | None = None) -> Keymap:
    """Lay a user's keymap over the table's keys; what cannot be used is left out and told.

    Args:
        wanted: Keys and chords by id, e.g. `{"turn.preview": "f5, ctrl+x p"}`; replaces all that the command
            has by default.
        typed: What the composer does with a key before any command, by key: the name of the setting.
    """
    problems: list[str] = []
    others: dict[str, str] = {}
    read: dict[str, tuple[Chord, ...]] = {}
    leader = _read_leader(wanted, problems)
    for id_, text in wanted.items():
        if by_id(id_) is None:
            if id_ != LEADER_ID:
                others[id_] = text
            continue
        sequences, why = _read_entry(text, leader)
        if why:
            problems.append(f"The keymap gives {id_} {why}.")
        else:
            read[id_] = sequences
    accepted = _without_conflicts(read, leader, problems)
    keys, chords = _laid_over(accepted, leader)
    for key, setting in (typed or {}).items():
        problems += [
            f"{setting} is {display_key(key)}, which {id_} has too: in the composer it is {setting}'s."
            for id_, its in keys.items()
            if key in its
        ]
    changed = {id_: wanted[id_] for id_ in accepted}
    if leader != LEADER:
        changed[LEADER_ID] = leader
    return Keymap(keys, chords, changed, others, tuple(problems))


def _read_leader(wanted: Mapping[str, str], problems: list[str]) -> str:
    text = wanted.get(LEADER_ID)
    if text is None:
        return LEADER
    sequences, bad = read_keys(text)
    if bad or len(sequences) != 1 or len(sequences[0]) != 1 or types_character(sequences[0][0]):
        problems.append(
            f"The keymap's leader cannot be {visible_line(text)!r}: it must be one key that types nothing. "
            f"It stays {display_key(LEADER)}."
        )
        return LEADER
    key = sequences[0][0]
    for command in COMMANDS:
        if key in command.keys.split(",") and command.id not in wanted:
            problems.append(
                f"The keymap's leader cannot be {display_key(key)}, which {command.id} has. "
                f"It stays {display_key(LEADER)}."
            )
            return LEADER
    return key


def _read_entry(text: str, leader: str) -> tuple[tuple[Chord, ...], str]:
    """An entry's keys and, with `leader` in front, chords; or why it cannot be used."""
    sequences, bad = read_keys(text)
    if bad:
        return (), f"{visible_line(bad)!r}, which is no key"
    if not sequences:
        return (), "nothing, which it cannot have"
    for sequence in sequences:
        first, *rest = sequence
        if rest and first not in (leader, "leader"):
            given = visible_line(" ".join(sequence))
            return (), f"{given!r}, but chords begin with the leader, {display_key(leader)}"
        if not rest and (first in (leader, "leader")):
            return (), f"{display_key(leader)}, which begins chords"
        if not rest and (first in _RESERVED or types_character(first)):
            return (), f"{display_key(first)}, which text fields need"
        if rest and "escape" in rest:
            return (), "a chord with Esc, which leaves chords"
    return tuple(("leader", *s[1:]) if len(s) > 1 else s for s in sequences), ""


def _without_conflicts(
    read: Mapping[str, tuple[Chord, ...]], leader: str, problems: list[str]
) -> dict[str, tuple[Chord, ...]]:
    """The entries that take nothing another command has.

    An entry that is left out gives its command the default back, which another entry may have taken: so
    this goes round until nothing changes.
    """
    accepted = dict(read)
    while True:
        for id_ in accepted:
            why = _conflict(id_, accepted, leader)
            if why:
                problems.append(f"The keymap gives {id_} {why}.")
                del accepted[id_]
                break
        else:
            return accepted


def _conflict(id_: str, accepted: Mapping[str, tuple[Chord, ...]], leader: str) -> str:
    keys, chords = _laid_over(accepted, leader)
    for other in COMMANDS:
        if other.id == id_:
            continue
        for key in keys[id_]:
            if key in keys[other.id]:
                return f"the key {display_key(key)}, which {other.id} has"
        for mine in chords[id_]:
            for its in chords[other.id]:
                shown = " ".join(map(display_key, (leader, *mine)))
                if mine == its:
                    return f"the chord {shown}, which {other.id} has"
                if its[: len(mine)] == mine:
                    return f"the chord {shown}, which begins a chord of {other.id}"
                if mine[: len(its)] == its:
                    begun = " ".join(map(display_key, (leader, *its)))
                    return f"the chord {shown}, which can never be pressed: {begun} is {other.id}"
    return ""


def _laid_over(
    accepted: Mapping[str, tuple[Chord, ...]], leader: str
) -> tuple[dict[str, tuple[str, ...]], dict[str, tuple[Chord, ...]]]:
    keys: dict[str, tuple[str, ...]] = {LEADER_ID: (leader,)}
    chords: dict[str, tuple[Chord, ...]] = {}
    for command in COMMANDS:
        sequences = accepted.get(command.id)
        if sequences is None:
            keys[command.id] = tuple(key for key in command.keys.split(",") if key)
            chords[command.id] = tuple(_default_chords(command))
        else:
            keys[command.id] = tuple(sequence[0] for sequence in sequences if len(sequence) == 1)
            chords[command.id] = tuple(sequence[1:] for sequence in sequences if len(sequence) > 1)
    return keys, chords


def _default_chords(command: Command) -> Iterator[Chord]:
    if command.chord:
        yield tuple(command.chord.split())


class _AltEnter(StrEnum):
    KEY = "alt+enter"


def tell_alt_enter_apart() -> None:
    """Have Textual read ESC CR as Alt+Enter: it takes it for Enter, which would send.

    ESC CR is what terminals without the Kitty protocol send for Alt+Enter, and what many people have theirs
    send for Shift+Enter, which such a terminal cannot tell from Enter.
    """
    sequences = cast("dict[str, Any]", ANSI_SEQUENCES_KEYS)
    sequences.setdefault("\x1b\r", (_AltEnter.KEY,))


def _first(command_id: str) -> bool:
    """Whether the key comes before any other use of it: also a text area's."""
    return command_id in ("app.quit", "read.open", "find.open", "usage.open")
