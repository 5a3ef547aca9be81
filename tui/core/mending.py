"""What to do when the server refuses a request that another one could replace: one change, said in words.

Each rule needs a refusal that came before any text. Which wording means what on Bedrock is mostly ASSUMED
(bedrock-facts.md sections 4 and 8), so the rules look for the parameter's name, and a request that names a
previous response treats every other 400 or 404 as a lost chain.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import Final

from tui.core.cache_controls import CACHE_PARAMETERS, OPTIONS
from tui.core.compaction import CONTEXT_MANAGEMENT
from tui.core.continuation import Options, Request
from tui.core.conversation import Conversation
from tui.core.errors import HttpStatusError

__all__ = ["Mended", "mend"]

_KEEPS_NOTHING: Final = re.compile(r"\bstore\b|retention", re.IGNORECASE)

# Refusals of something else, as Bedrock words them (section 4): whole phrases, as a message may quote
# anything.
_NOT_THE_CHAIN: Final = re.compile(
    r"prompt tokens|exceeds? (the )?model maximum|context (length|window)|isn't supported on this route"
    r"|does not support|model [`'\"]?[\w.:-]+[`'\"]? (does not exist|isn't|is not)|invalid schema",
    re.IGNORECASE,
)
_CHAIN_CODES: Final = frozenset({"previous_response_not_found", "response_not_found"})


@dataclass(frozen=True, slots=True)
class Mended:
    """A way to go on.

    Attributes:
        conversation: To plan from; it may have lost a response.
        options: To plan with.
        notice: What happened and why, for the conversation.
        refused: The name of a parameter this model and endpoint refuse, to be remembered; empty for none.
        lost_chain: Whether the previous response was lost.
        follows_lost_chain: Whether this may come after a lost chain in one turn. Another account knows
            neither the response nor the reasoning and tells so one after the other; neither costs anything.
    """

    conversation: Conversation
    options: Options
    notice: str
    refused: str = ""
    lost_chain: bool = False
    follows_lost_chain: bool = False


def mend(
    error: HttpStatusError, request: Request, conversation: Conversation, options: Options
) -> Mended | None:
    """Find the one change that may make the request acceptable, or `None`.

    Args:
        error: The refusal.
        request: What was refused.
        conversation: What it was planned from.
        options: What it was planned with.
    """
    said = str(error)
    # With which status an account that keeps nothing refuses `store: true` is not documented (1.5).
    if error.status in (400, 403) and request.store and _KEEPS_NOTHING.search(said):
        return Mended(
            conversation,
            replace(options, storable=False),
            "This account keeps no responses (its data retention is off): the conversation was sent whole, "
            "and so are the next turns.",
            "store",
        )
    if error.status not in (400, 404):
        return None
    if options.summary is not None and "summary" in said:
        return Mended(
            conversation,
            replace(options, summary=None),
            "The server refuses reasoning summaries for this model: sent again without asking for one.",
            "reasoning.summary",
        )
    if CONTEXT_MANAGEMENT in options.extra and re.search(r"context_management|compact", said):
        rest = {name: value for name, value in options.extra.items() if name != CONTEXT_MANAGEMENT}
        return Mended(
            conversation,
            replace(options, extra=rest),
            "The server does not compact by itself here: sent again without asking for that.",
            CONTEXT_MANAGEMENT,
        )
    if _forces_a_call(options) and ("tool_choice" in said or error.param == "tool_choice"):
        rest = {name: value for name, value in options.extra.items() if name != "tool_choice"}
        return Mended(
            conversation,
            replace(options, extra=rest),
            "The server does not let a tool call be required here: sent again with tool choice auto.",
            "tool_choice",
        )
    if (cached := _cache_parameter(options, said)) is not None:
        rest = {name: value for name, value in options.extra.items() if name != cached}
        breakpoints = None if cached == OPTIONS else options.breakpoints
        return Mended(
            conversation,
            replace(options, extra=rest, breakpoints=breakpoints),
            f"The server does not take {cached} here: sent again without it.",
            cached,
        )
    if options.replay_reasoning and _mentions_encrypted(said, error.code) and _sends_reasoning(request):
        return Mended(
            conversation,
            replace(options, replay_reasoning=False),
            "The server refused the encrypted reasoning of earlier turns: sent again without it.",
            follows_lost_chain=True,
        )
    if options.encrypted_reasoning and ("include" in said or _mentions_encrypted(said, error.code)):
        return Mended(
            conversation,
            replace(options, encrypted_reasoning=False),
            "The server does not return encrypted reasoning here: sent again without asking for it.",
            "include",
        )
    if request.previous_response_id is not None and _is_lost_chain(error, said):
        # Every response of the path: there is one re-plan, and what took the last one took others with it.
        links = [turn.response_id for turn in conversation.path() if turn.response_id is not None]
        return Mended(
            conversation.forget([request.previous_response_id, *links]),
            options,
            f"The server no longer has the previous response (it answered {error.status}): "
            "the conversation was sent again from the local history.",
            lost_chain=True,
        )
    return None


def _forces_a_call(options: Options) -> bool:
    return options.extra.get("tool_choice", "none") not in ("none", "auto")


def _cache_parameter(options: Options, said: str) -> str | None:
    """The parameter of the prompt cache that a refusal is about."""
    if options.breakpoints and "prompt_cache_breakpoint" in said:
        return OPTIONS
    return next((name for name in CACHE_PARAMETERS if name in options.extra and name in said), None)


def _is_lost_chain(error: HttpStatusError, said: str) -> bool:
    """Any refusal of a request with a previous response that is not known to be about something else."""
    if error.param == "previous_response_id" or error.code in _CHAIN_CODES:
        return True
    if error.param:
        return False
    return not _NOT_THE_CHAIN.search(said)


def _mentions_encrypted(said: str, code: str) -> bool:
    return "encrypted" in said.lower() or code == "invalid_encrypted_content"


def _sends_reasoning(request: Request) -> bool:
    return any(item.type == "reasoning" for item in request.items)
