"""Every command of the program, once: its binding id, default keys, palette entry and slash name.

The bindings, the command palette, the completion of slash commands and the help screen are all made
from `COMMANDS`, so that none of them can say something that is not so.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import Final, Protocol, cast

from textual.command import DiscoveryHit, Hit, Hits, Provider

__all__ = ["COMMANDS", "Command", "CommandProvider", "by_id", "by_slash", "split_slash"]


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
        palette: Whether the command palette lists it.
    """

    id: str
    title: str
    help: str
    group: str
    action: str
    keys: str = ""
    slash: str = ""
    argument: str = ""
    palette: bool = True


_TURN: Final = "The turn"
_CONVERSATION: Final = "The conversation"
_LOOK: Final = "Looking closer"
_PROGRAM: Final = "The program"

COMMANDS: Final[tuple[Command, ...]] = (
    Command(
        "turn.attach",
        "Attach a PDF",
        "Completes paths; a pasted or dropped path works too.",
        _TURN,
        "screen.begin_attach",
        "f3",
        "attach",
        "PATH",
    ),
    Command(
        "turn.detach",
        "Remove an attachment",
        "By its number, or the last one.",
        _TURN,
        "screen.detach",
        "",
        "detach",
        "[NUMBER]",
    ),
    Command(
        "turn.preview",
        "Preview",
        "What would go over the wire, in each mode side by side, before it is sent.",
        _TURN,
        "screen.preview",
        "f5",
        "preview",
        "[TEXT]",
    ),
    Command(
        "turn.stop",
        "Stop the answer",
        "What has arrived is kept and marked as stopped.",
        _TURN,
        "screen.stop_turn",
        "escape",
        "stop",
    ),
    Command(
        "background.toggle",
        "Next turns in the background",
        "They go on at the server when the program ends; the answers come when they are done. Or no longer.",
        _TURN,
        "screen.toggle_background",
        "f8",
        "background",
    ),
    Command(
        "turn.requeue",
        "Take back what is queued",
        "A queued prompt returns to the composer.",
        _TURN,
        "screen.take_back",
        "alt+up",
    ),
    Command(
        "turn.regenerate",
        "Answer once more",
        "The last turn, or the one of this number; the first answer stays, as a branch of its own.",
        _TURN,
        "screen.turn('again')",
        "",
        "regenerate",
        "[NUMBER]",
    ),
    Command(
        "turn.edit",
        "Edit and send again",
        "The last prompt, or that of this turn, goes to the composer; the turn stays, as its own branch.",
        _TURN,
        "screen.turn('edit')",
        "",
        "edit",
        "[NUMBER]",
    ),
    Command(
        "turn.fork",
        "Fork",
        "Goes on after the turn of this number, or before the last one; what was there stays.",
        _TURN,
        "screen.turn('fork')",
        "",
        "fork",
        "[NUMBER]",
    ),
    Command(
        "turns.open",
        "Turns and branches",
        "Lists the turns: go to one, on from it, edit it, have it answered again, walk to another branch.",
        _CONVERSATION,
        "screen.open_turns",
        "f4",
        "turns",
    ),
    Command(
        "continuation.toggle",
        "Switch stateful / stateless",
        "Whether the server keeps the conversation or every request carries all of it; at any turn.",
        _CONVERSATION,
        "screen.toggle_continuation",
        "ctrl+t",
    ),
    Command(
        "continuation.stateful",
        "Continue stateful",
        "The server keeps the responses; requests chain by id.",
        _CONVERSATION,
        "screen.continuation('stateful')",
        "",
        "stateful",
    ),
    Command(
        "continuation.stateless",
        "Continue stateless",
        "Nothing is stored; each request carries the whole path.",
        _CONVERSATION,
        "screen.continuation('stateless')",
        "",
        "stateless",
    ),
    Command(
        "target.pick",
        "Model and region",
        "Every pairing, searched as you type, with what is impossible and why.",
        _CONVERSATION,
        "screen.pick_target",
        "ctrl+o,f2",
        "model",
        "[MODEL]",
    ),
    Command(
        "target.region",
        "Region",
        "Changes the region alone.",
        _CONVERSATION,
        "screen.pick_target",
        "",
        "region",
        "[REGION]",
        palette=False,
    ),
    Command(
        "conversation.compact",
        "Continue from a summary",
        "The model sums the conversation up, you change the summary, and a new branch begins with it.",
        _CONVERSATION,
        "screen.compact",
        "ctrl+l",
        "compact",
    ),
    Command(
        "arrived.open",
        "Go to the answer that is ready",
        "In the conversation where one has arrived that nobody has seen.",
        _CONVERSATION,
        "screen.open_arrived",
        "",
        "ready",
    ),
    Command(
        "conversation.settings",
        "Settings of this conversation",
        "Effort, verbosity, limit, service tier, reasoning summary, instructions.",
        _CONVERSATION,
        "screen.open_settings",
        "f10,alt+s",
        "settings",
    ),
    Command(
        "conversation.effort",
        "Reasoning effort",
        "One of the values that the model takes; 'unset' leaves it to the model.",
        _CONVERSATION,
        "screen.open_settings",
        "",
        "effort",
        "VALUE",
        palette=False,
    ),
    Command(
        "conversation.verbosity",
        "Verbosity",
        "low, medium or high; 'unset' leaves it to the model.",
        _CONVERSATION,
        "screen.open_settings",
        "",
        "verbosity",
        "VALUE",
        palette=False,
    ),
    Command(
        "conversation.maxtokens",
        "Most output tokens",
        "Of one answer, reasoning included; 'unset' takes the settings' limit or the model's.",
        _CONVERSATION,
        "screen.open_settings",
        "",
        "maxtokens",
        "NUMBER",
        palette=False,
    ),
    Command(
        "conversation.instructions",
        "Instructions",
        "By name from the library, or 'off'; without a name, the settings with the text.",
        _CONVERSATION,
        "screen.open_settings('instructions')",
        "",
        "instructions",
        "[NAME]",
    ),
    Command(
        "conversation.new",
        "New conversation",
        "The present one stays in the history.",
        _CONVERSATION,
        "screen.new_conversation",
        "ctrl+n",
        "new",
    ),
    Command(
        "history.open",
        "History",
        "Lists and searches every conversation kept on this machine.",
        _CONVERSATION,
        "screen.open_history",
        "ctrl+r",
        "history",
        "[WORDS]",
    ),
    Command(
        "responses.open",
        "Stored responses",
        "What the server keeps: each one to look at, and to delete there.",
        _LOOK,
        "screen.open_responses",
        "ctrl+s",
        "responses",
    ),
    Command(
        "inspector.toggle",
        "Request inspector",
        "The requests and responses as they were on the wire.",
        _LOOK,
        "screen.toggle_inspector",
        "f12,ctrl+g",
        "inspect",
    ),
    Command(
        "pane.page_up",
        "Page up",
        "Scrolls the conversation; typing goes on in the composer.",
        _LOOK,
        "screen.scroll_pane('page_up')",
        "pageup",
        palette=False,
    ),
    Command(
        "pane.page_down",
        "Page down",
        "Scrolls the conversation.",
        _LOOK,
        "screen.scroll_pane('page_down')",
        "pagedown",
        palette=False,
    ),
    Command(
        "pane.top",
        "To the beginning",
        "The first turn of the conversation.",
        _LOOK,
        "screen.scroll_pane('home')",
        "ctrl+home",
    ),
    Command(
        "pane.end",
        "To the end",
        "And follow what arrives again.",
        _LOOK,
        "screen.scroll_pane('end')",
        "ctrl+end",
    ),
    Command(
        "palette.open",
        "Command palette",
        "Everything on this page, found by typing a part of its name.",
        _PROGRAM,
        "app.command_palette",
        "ctrl+p",
        palette=False,
    ),
    Command(
        "token.enter",
        "Bedrock API key",
        "Enter the bearer token again; it is never shown.",
        _PROGRAM,
        "screen.ask_token",
        "",
        "token",
    ),
    Command(
        "theme.pick",
        "Theme",
        "Shows each theme as you move over it.",
        _PROGRAM,
        "app.pick_theme",
        "f9",
        "theme",
        "[NAME]",
    ),
    Command("help.open", "Help", "This page.", _PROGRAM, "app.open_help", "f1", "help"),
    Command(
        "app.quit",
        "Quit",
        "An answer that is arriving is stopped and kept; the draft is kept too.",
        _PROGRAM,
        "app.leave",
        "ctrl+q",
        "quit",
    ),
)

_BY_ID: Final = {command.id: command for command in COMMANDS}
_BY_SLASH: Final = {command.slash: command for command in COMMANDS if command.slash}


def by_id(command_id: str) -> Command | None:
    """The command with this binding id."""
    return _BY_ID.get(command_id)


def by_slash(name: str) -> Command | None:
    """The command with this slash name, given without the slash."""
    return _BY_SLASH.get(name)


def split_slash(text: str) -> tuple[str, str] | None:
    """Read `/name argument`; `None` where the text is a prompt.

    A prompt may begin with a slash (a path, a fraction): only one line that begins with a word of
    letters counts, so that a path is told from a mistyped command by the second slash in its word.
    """
    if not text.startswith("/") or "\n" in text.strip():
        return None
    name, _, argument = text[1:].strip().partition(" ")
    if not name.replace("-", "").isalpha():
        return None
    return name, argument.strip()


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
