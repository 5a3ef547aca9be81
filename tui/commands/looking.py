"""Ways to see more: the wire, the meter, the pane itself."""

from __future__ import annotations

from typing import Final

from tui.commands.command import Command

__all__ = ["COMMANDS"]

_GROUP: Final = "Looking closer"

COMMANDS: Final[tuple[Command, ...]] = (
    Command(
        "responses.open",
        "Stored responses",
        "What the server keeps: each one to look at, and to delete there.",
        _GROUP,
        "screen.open_responses",
        "ctrl+s",
        "responses",
        chord="c r",
    ),
    Command(
        "checks.open",
        "Checks",
        "Whether everything works here: key, network, models, answers, streaming, tools, PDF, cache.",
        _GROUP,
        "screen.open_checks",
        "",
        "check",
        chord="v k",
    ),
    Command(
        "usage.open",
        "Usage of this conversation",
        "Each turn's tokens, cost, cache and speed as charts and a table; to be written as CSV or JSON.",
        _GROUP,
        "screen.open_usage",
        "f7",
        "usage",
        chord="u",
    ),
    Command(
        "cache.explain",
        "Why the cache missed",
        "The inspector's page about the last turn and the prompt cache.",
        _GROUP,
        "screen.explain_cache",
        "",
        "why",
        chord="v c",
    ),
    Command(
        "inspector.toggle",
        "Request inspector",
        "The requests and responses as they were on the wire.",
        _GROUP,
        "screen.toggle_inspector",
        "f12,ctrl+g",
        "inspect",
        chord="i",
    ),
    Command(
        "request.copy_as",
        "Copy or save a request as …",
        "The one under the inspector's cursor, or the last, as curl, Python, HTTPie, HTTP, JSON or HAR.",
        _GROUP,
        "screen.copy_request_as",
        "",
        "copy-as",
        "[FORM]",
        chord="d c",
    ),
    Command(
        "request.edit",
        "Edit a request and send it",
        "The body as it was sent, to be changed here or in your editor; checked before it goes.",
        _GROUP,
        "screen.edit_request",
        "",
        "edit-request",
        chord="d e",
    ),
    Command(
        "request.replay",
        "Send a request again",
        "Unchanged, once or several times, with a table of times and cached tokens.",
        _GROUP,
        "screen.replay_request",
        "",
        "replay",
        "[TIMES]",
        chord="d r",
    ),
    Command(
        "pane.page_up",
        "Page up",
        "Scrolls the conversation; typing goes on in the composer.",
        _GROUP,
        "screen.scroll_pane('page_up')",
        "pageup",
        chord="g u",
    ),
    Command(
        "pane.page_down",
        "Page down",
        "Scrolls the conversation.",
        _GROUP,
        "screen.scroll_pane('page_down')",
        "pagedown",
        chord="g d",
    ),
    Command(
        "pane.top",
        "To the beginning",
        "The first turn of the conversation.",
        _GROUP,
        "screen.scroll_pane('home')",
        "ctrl+home",
        chord="g g",
    ),
    Command(
        "pane.end",
        "To the end",
        "And follow what arrives again.",
        _GROUP,
        "screen.scroll_pane('end')",
        "ctrl+end",
        chord="g e",
    ),
)
