"""Reading what is there: finding, going from turn to turn, copying."""

from __future__ import annotations

from typing import Final

from tui.commands.command import Command

__all__ = ["COMMANDS"]

_GROUP: Final = "Reading and copying"

COMMANDS: Final[tuple[Command, ...]] = (
    Command(
        "read.open",
        "Read and select",
        "The keys go to the conversation: arrows move a cursor, v selects, y copies, Esc comes back.",
        _GROUP,
        "screen.read",
        "f6",
        "read",
        chord="v r",
    ),
    Command(
        "find.open",
        "Find in this conversation",
        "Marks every hit, in folded blocks too; Enter goes to the next one, Shift+Enter to the one before.",
        _GROUP,
        "screen.find",
        "ctrl+f",
        "find",
        "[WORDS]",
        chord="v f",
    ),
    Command(
        "find.next",
        "Next hit",
        "Of what was looked for last.",
        _GROUP,
        "screen.find_next(1)",
        chord="v n",
    ),
    Command(
        "find.previous",
        "Hit before",
        "Of what was looked for last.",
        _GROUP,
        "screen.find_next(-1)",
        chord="v p",
    ),
    Command(
        "turn.previous",
        "Turn before",
        "Brings the prompt before to the top.",
        _GROUP,
        "screen.go_to_turn(-1)",
        "ctrl+up",
        chord="t k",
    ),
    Command(
        "turn.next",
        "Next turn",
        "Brings the next prompt to the top; after the last one, the end.",
        _GROUP,
        "screen.go_to_turn(1)",
        "ctrl+down",
        chord="t j",
    ),
    Command(
        "turn.info",
        "About a turn",
        "When it was sent, where to, how long it took, its tokens; the one that is read, or by number.",
        _GROUP,
        "screen.turn_info",
        "",
        "info",
        "[NUMBER]",
        chord="v i",
    ),
    Command(
        "copy.selection",
        "Copy what is selected",
        "With the system's clipboard tool, or by the terminal; it says which.",
        _GROUP,
        "screen.copy_selection",
        chord="y s",
    ),
    Command(
        "copy.answer",
        "Copy a message",
        "As Markdown: what the cursor is in, the answer of the turn of this number, or the last one.",
        _GROUP,
        "screen.copy_answer",
        "",
        "copy",
        "[NUMBER]",
        chord="y y",
    ),
    Command(
        "copy.code",
        "Copy a code block",
        "What the cursor is in, the one of this number, or the last one; once more takes the one before.",
        _GROUP,
        "screen.copy_code",
        "",
        "code",
        "[NUMBER]",
        chord="y c",
    ),
    Command(
        "copy.table",
        "Copy a table",
        "As Markdown: what the cursor is in, the one of this number, or the last one.",
        _GROUP,
        "screen.copy_table",
        "",
        "table",
        "[NUMBER]",
        chord="y t",
    ),
    Command(
        "link.open",
        "Open a link",
        "The next one in sight; where it leads is shown and asked about first.",
        _GROUP,
        "screen.open_link",
        chord="v l",
    ),
    Command(
        "fold.toggle",
        "Fold or unfold",
        "The block that the cursor is in, or the last one in sight that has a fold mark.",
        _GROUP,
        "screen.fold",
        chord="v z",
    ),
)
