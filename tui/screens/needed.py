"""What an action is about to import, so that it is imported beside the event loop.

An action that opens a screen imports it when it is run: memory at the prompt and the first picture are for
what stands there. `OutcropApp.run_action` has these modules imported in a thread first; keys that are pressed
meanwhile wait their turn, and what is drawn goes on.
"""

from __future__ import annotations

from typing import Final

from tui.commands import COMMANDS

__all__ = ["MODULES", "waits_for_session"]

_INSPECTOR: Final = (
    "tui.screens.inspecting",
    "tui.widgets.inspector",
    "tui.widgets.inspection.views",
    "tui.screens.inspector_screen",
    "pygments.lexers",
)
_CONFIRM: Final = ("tui.screens.history",)

MODULES: Final[dict[str, tuple[str, ...]]] = {
    "ask_token": ("tui.screens.token_dialog", "tui.screens.aws_profiles"),
    "begin_attach": ("tui.screens.file_chooser",),
    "compact": ("tui.screens.summary",),
    "copy_request_as": ("tui.screens.copy_request", "tui.core.export"),
    "edit_outside": ("tui.terminal.external_editor",),
    "edit_request": ("tui.core.body_text", "tui.core.apis.asked", "tui.screens.edit_request"),
    "explain_cache": _INSPECTOR,
    "export_conversation": ("tui.core.leaving.forms", "tui.screens.copy_request"),
    "find": ("tui.widgets.reading_line",),
    "leader": ("tui.screens.which_key",),
    "open_answers": ("tui.core.structured.table", "tui.screens.answers"),
    "open_attachments": ("tui.screens.attachments",),
    "open_cache": ("tui.screens.cache_controls",),
    "open_checks": ("tui.screens.checks", *_INSPECTOR),
    "open_compare": ("tui.session.compare", "tui.screens.compare_setup", "tui.screens.compare", *_CONFIRM),
    "open_help": ("tui.screens.help",),
    "open_history": _CONFIRM,
    "open_link": ("tui.screens.link_dialog", "tui.terminal.open_link"),
    "open_list": ("tui.screens.open_conversations",),
    "open_paste": ("tui.screens.paste",),
    "open_queue": ("tui.screens.queue_list", "tui.screens.paste"),
    "open_responses": ("tui.screens.responses", "tui.screens.raw_response"),
    "open_schemas": ("tui.screens.schemas", "tui.screens.mend_schema"),
    "open_settings": ("tui.screens.settings",),
    "open_tools": ("tui.screens.tools_dialog",),
    "open_turns": ("tui.screens.turns",),
    "open_usage": ("tui.screens.usage", "tui.screens.cache_controls", "textual_plot"),
    "paste_clipboard": ("tui.terminal.clipboard_reading",),
    "pick_aws_profile": ("tui.screens.aws_profiles",),
    "pick_target": ("tui.config.favourites", "tui.widgets.pairings", "tui.screens.picker"),
    "pick_theme": ("tui.screens.theme_picker",),
    "preview": ("tui.core.preview", "tui.screens.preview"),
    "read": ("tui.widgets.reading_line",),
    "rename": ("tui.screens.rename",),
    "replay_request": ("tui.core.resend", "tui.screens.replay_request"),
    "save_json": ("tui.screens.save_file",),
    "toggle_inspector": _INSPECTOR,
    "turn": _CONFIRM,
    "turn_info": ("tui.screens.turn_info",),
}
"""By the action's name, without the node that it is run on; only what is not there after the start."""

_AT_ONCE: Final = frozenset(
    (
        "screen.begin_attach",
        "screen.copy_selection",
        "screen.detach",
        "screen.edit_outside",
        "screen.open_paste",
        "screen.scroll_pane",
        "screen.stop_turn",
    )
)
_OF_CHAT: Final = frozenset(
    command.action.partition("(")[0] for command in COMMANDS if command.action.startswith("screen.")
)


def waits_for_session(action: str) -> bool:
    """Whether a command is about a conversation, and can be run only when there is one.

    What is about the composer and the screen alone can be run at once.

    Args:
        action: As the table of commands has it, with or without what it is given: `screen.turn('edit')`.
    """
    name = action.partition("(")[0]
    return name in _OF_CHAT and name not in _AT_ONCE
