"""Keys inside one part of the screen: a list, a dialog, the inspector. They stand where they work.

Nothing here is imported before the help, `outcrop keys` or a keymap that names one of these ids wants it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from importlib import import_module
from typing import Final, cast

from textual.binding import Binding

from tui.commands import COMMANDS
from tui.commands.chords import LEADER_ID
from tui.core.text import visible_line
from tui.keys.key_names import display_key, read_keys, types_character

__all__ = ["CONTEXTS", "Context", "LocalKey", "check_others", "keys_in"]


@dataclass(frozen=True, slots=True)
class Context:
    """A part of the screen with keys of its own.

    Attributes:
        title: What the help calls it.
        places: `module:Class` of each class whose `BINDINGS` belong to it.
        types: Whether one types there, so that no letter can be a key.
    """

    title: str
    places: tuple[str, ...]
    types: bool = False


@dataclass(frozen=True, slots=True)
class LocalKey:
    """One binding of a context.

    Attributes:
        id: Binding id; the same one in several contexts means the same there.
        keys: In Textual's spelling.
        title: What it does.
    """

    id: str
    keys: tuple[str, ...]
    title: str

    def shown(self, changed: Mapping[str, str]) -> tuple[str, ...]:
        """The keys as people write them, as they are now."""
        now = changed.get(self.id)
        return tuple(map(display_key, now.split(",") if now else self.keys))


CONTEXTS: Final = (
    Context("In the conversation", ("tui.widgets.transcript.pane_keys:PaneKeys",)),
    Context("Where one searches the conversation", ("tui.widgets.reading_line:FindLine",), types=True),
    Context("At a link", ("tui.screens.link_dialog:LinkDialog",)),
    Context("In the facts of a turn", ("tui.screens.turn_info:TurnInfo",)),
    Context("On an attachment", ("tui.widgets.attachment_chips:Chip",)),
    Context("On a long paste", ("tui.widgets.paste_chips:PasteChip",)),
    Context("In a long paste", ("tui.screens.paste:PasteScreen",), types=True),
    Context("In the choice of files", ("tui.screens.file_chooser:FileChooser",), types=True),
    Context("In the list of attachments", ("tui.screens.attachments:AttachmentsScreen",)),
    Context("In the queue", ("tui.screens.queue_list:QueueScreen",)),
    Context(
        "In the inspector", ("tui.widgets.inspector:Inspector", "tui.widgets.virtual_lines:VirtualLines")
    ),
    Context("In a tree of the inspector", ("tui.widgets.inspection.page:PageLines",)),
    Context(
        "Where one filters, searches and notes in the inspector",
        ("tui.widgets.inspection.lines:EntryLine",),
        types=True,
    ),
    Context("Where a request or conversation is copied or saved", ("tui.screens.copy_request:CopyAs",)),
    Context("At the path of a file", ("tui.widgets.path_input:PathInput",), types=True),
    Context("Where a request is edited", ("tui.screens.edit_request:EditRequest",), types=True),
    Context("Where a request is sent again", ("tui.screens.replay_request:ReplayRequest",)),
    Context("In the history", ("tui.screens.history:HistoryScreen",), types=True),
    Context(
        "In the choice of model, region, endpoint and API", ("tui.screens.picker:PickerScreen",), types=True
    ),
    Context("Where targets are compared", ("tui.screens.compare_setup:CompareSetup",), types=True),
    Context("In a comparison", ("tui.screens.compare:CompareScreen",)),
    Context("In the list of open conversations", ("tui.screens.open_conversations:OpenConversationsScreen",)),
    Context("At a conversation's title", ("tui.screens.rename:RenameScreen",), types=True),
    Context("In the list of turns", ("tui.screens.turns:TurnsScreen",)),
    Context("In the list of stored responses", ("tui.screens.responses:ResponsesScreen",)),
    Context("In the checks", ("tui.screens.checks:ChecksScreen",)),
    Context("In a response of the server", ("tui.screens.raw_response:RawResponseScreen",)),
    Context("On the page of usage", ("tui.screens.usage:UsageScreen",)),
    Context(
        "In the prompt cache's controls",
        ("tui.screens.cache_controls:CacheControlsScreen", "tui.widgets.choice_line:ChoiceLine"),
    ),
    Context("In the preview", ("tui.screens.preview:PreviewScreen",)),
    Context("In the settings", ("tui.screens.settings:SettingsScreen", "tui.widgets.choice_line:ChoiceLine")),
    Context("In the choice of a form", ("tui.screens.schemas:SchemaScreen",), types=True),
    Context("Where a schema is mended", ("tui.screens.mend_schema:MendSchema",)),
    Context("In the table of JSON answers", ("tui.screens.answers:AnswersScreen",)),
    Context("Where a file is saved", ("tui.screens.save_file:SaveFile",), types=True),
    Context("In the list of tools", ("tui.screens.tools_dialog:ToolsScreen",)),
    Context("At the code of a tool", ("tui.screens.tools_dialog:ToolSourceScreen",)),
    Context("At a tool's call", ("tui.screens.tool_approval:ApprovalScreen",), types=True),
    Context("At a tool's output", ("tui.screens.tool_approval:OutputScreen",), types=True),
    Context("In a summary", ("tui.screens.summary:SummaryScreen",), types=True),
    Context("At a question", ("tui.screens.history:ConfirmScreen",)),
    Context("In the dialog for the key", ("tui.screens.token_dialog:TokenDialog",), types=True),
    Context("In the choice of an AWS profile", ("tui.screens.aws_profiles:AwsProfilesScreen",)),
    Context("In the choice of a theme", ("tui.screens.theme_picker:ThemePicker",)),
    Context("In the help", ("tui.screens.help:HelpScreen",), types=True),
)


def keys_in(context: Context) -> tuple[LocalKey, ...]:
    """The keys of a context, as its classes have them."""
    found: dict[str, LocalKey] = {}
    for place in context.places:
        module, _, name = place.partition(":")
        for binding in cast("Iterable[Binding]", vars(getattr(import_module(module), name))["BINDINGS"]):
            keys = tuple(key.strip() for key in binding.key.split(","))
            before = found.get(binding.id or "")
            if before:
                keys = (*before.keys, *keys)
            found[binding.id or binding.key] = LocalKey(binding.id or "", keys, binding.description)
    return tuple(found.values())


def check_others(wanted: Mapping[str, str]) -> tuple[dict[str, str], tuple[str, ...]]:
    """Check a keymap's entries for ids that are no command's.

    Args:
        wanted: Keys by id.

    Returns:
        What `App.update_keymap` takes, and a sentence for each entry that cannot be used.
    """
    contexts = {context: keys_in(context) for context in CONTEXTS}
    known = {key.id for keys in contexts.values() for key in keys if key.id}
    accepted: dict[str, str] = {}
    problems: list[str] = []
    for id_, text in wanted.items():
        sequences, bad = read_keys(text)
        shown = visible_line(id_)
        if id_ not in known:
            problems.append(f"The keymap names no command: {shown}{_meant(id_, known)}.")
        elif bad or not sequences:
            problems.append(f"The keymap gives {shown} {visible_line(bad or 'nothing')!r}, which is no key.")
        elif any(len(sequence) > 1 for sequence in sequences):
            problems.append(f"The keymap gives {shown} a chord; only commands have chords.")
        else:
            accepted[id_] = ",".join(sequence[0] for sequence in sequences)
    while why := _first_conflict(accepted, contexts):
        id_, sentence = why
        problems.append(f"The keymap gives {visible_line(id_)} {sentence}.")
        del accepted[id_]
    return accepted, tuple(problems)


def _first_conflict(
    accepted: Mapping[str, str], contexts: Mapping[Context, tuple[LocalKey, ...]]
) -> tuple[str, str] | None:
    for context, keys in contexts.items():
        where = context.title[:1].lower() + context.title[1:]
        now = {key.id: accepted[key.id].split(",") if key.id in accepted else key.keys for key in keys}
        for id_, its in now.items():
            if id_ not in accepted:
                continue
            for key in its:
                if context.types and types_character(key):
                    return id_, f"{display_key(key)}, which types a character {where}"
                for other, others in now.items():
                    if other != id_ and key in others:
                        return id_, f"the key {display_key(key)}, which {other} has {where}"
    return None


def _meant(id_: str, known: Iterable[str]) -> str:
    """` (did you mean …?)`, or where the ids are listed."""
    from tui.config.values import closest

    ids = [LEADER_ID, *(command.id for command in COMMANDS), *known]
    return closest(id_, ids) or "; `outcrop keys` lists them all"
