"""Compaction: the request for a summary, and the server's own way where it has one.

Part of the session layer. Source: bedrock-facts.md section 2 "Compaction".
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import aclosing
from typing import Any, Final, cast

from tui.core.compaction import (
    Summary,
    Unstored,
    compacted_turn,
    parse_summary,
    summary_prompt,
    summary_request_options,
)
from tui.core.continuation import Options, Request, Stateless, continuation_named
from tui.core.conversation import Conversation
from tui.core.errors import HttpStatusError, InputError, OutcropError, ResponseError, TokenError
from tui.core.events import AttemptStarted, TurnEnded
from tui.core.exchange import Exchange
from tui.core.ids import new_id
from tui.core.items import Item, Outcome, Turn, dump_json
from tui.core.usage import usage_record
from tui.session.records import Records, TurnRecords
from tui.session.turns import Sender, TurnPlan, TurnRun
from tui.store.history import History

__all__ = ["COMPACT_PATH", "check_compactable", "compacted", "summarized"]

COMPACT_PATH: Final = "/responses/compact"
"""Under this name it is remembered that a model's endpoint has no such path."""

_NOT_THERE: Final = frozenset({400, 404, 405, 501})


class _SummaryRecords(TurnRecords):
    """Keeps the exchanges of a summary; it is no turn of the conversation."""

    def __init__(self, records: Records, conversation_id: str, refused: Callable[[str], object]) -> None:
        super().__init__(records, "", refused)
        self._asked_by = conversation_id

    async def save_turn(self, turn: Turn) -> None:
        """What it used; the summary becomes a turn when the user goes on from it."""
        if turn.target is not None and (turn.usage is not None or turn.response_id is not None):
            record = usage_record("summary", self._asked_by, turn.created_at, turn.target, turn.usage)
            self._records.later(History.record_usage, record)

    def save_partial(self, turn: Turn) -> None:
        """Nothing."""


def check_compactable(conversation: Conversation) -> None:
    """Make sure that there is something to sum up.

    Raises:
        InputError: The path is empty, or an answer on it is still being made.
    """
    path = conversation.path()
    if not any(not turn.summary for turn in path):
        raise InputError("There is nothing to sum up yet.")
    if any(turn.outcome is None for turn in path):
        raise InputError("An answer is still arriving; a summary can be made when it is there.")


async def summarized(
    conversation: Conversation,
    options: Options,
    records: Records,
    refused: Callable[[str], object],
    send: Sender,
    now: Callable[[], float],
    note: Callable[[Exchange, Request | None], object],
) -> tuple[Summary, Conversation]:
    """Ask the model to sum up the path to the tip.

    Args:
        conversation: As it is.
        options: Those of its next turn.
        records: Where the exchanges are kept.
        refused: Remembers a refused parameter.
        send: Sends a request.
        now: Wall clock, seconds since the epoch.
        note: Takes each exchange as it begins, and the request as it was planned.

    Returns:
        The summary, and the conversation, which may have lost responses that the server has no more.

    Raises:
        WireError, TokenError: It failed.
        ResponseError: What came is no summary.
    """
    continuation = Unstored(continuation_named(conversation.continuation))
    plan = TurnPlan(conversation, continuation, summary_request_options(options), send, now)
    turn = Turn("", conversation.tip, (summary_prompt(),), now(), target=options.target)
    run = TurnRun(turn, plan, _SummaryRecords(records, conversation.id, refused))
    error: OutcropError | None = None
    async with aclosing(run.events()) as events:
        async for event in events:
            if isinstance(event, AttemptStarted):
                note(event.exchange, run.request)
            elif isinstance(event, TurnEnded):
                error = event.error
    if error is not None:
        raise error
    if run.turn.outcome is not Outcome.COMPLETED:
        raise ResponseError(f"No summary was made. {run.turn.error or ''}".strip(), code="no_summary")
    try:
        return parse_summary(run.turn.text), run.conversation
    except InputError as wrong:
        raise ResponseError(f"The model's summary cannot be used. {wrong}", code="no_summary") from None


async def compacted(
    conversation: Conversation,
    options: Options,
    compact: Callable[[bytes], Any],
    now: Callable[[], float],
) -> Turn | None:
    """Let the server compact the path to the tip.

    Args:
        conversation: As it is.
        options: Those of its next turn.
        compact: Sends a body to `POST /responses/compact` and gives the answer's object.
        now: Wall clock, seconds since the epoch.

    Returns:
        The root turn of the new branch; `None` where the server does not do that.

    Raises:
        WireError, TokenError: It failed otherwise.
    """
    request = Stateless().plan(conversation, (), options)
    head: dict[str, Any] = {"model": options.target.model}
    if options.instructions:
        head["instructions"] = options.instructions
    body = f'{dump_json(head)[:-1]},"input":[{",".join(item.text for item in request.items)}]}}'
    try:
        answer: dict[str, Any] = await compact(body.encode())
    except HttpStatusError as refusal:
        if refusal.status in _NOT_THERE and not isinstance(refusal, TokenError):
            return None
        raise
    output: object = answer.get("output")
    entries = cast("list[object]", output) if isinstance(output, list) else []
    items = [Item.of(cast("dict[str, Any]", entry)) for entry in entries if isinstance(entry, dict)]
    if not items:
        return None
    return compacted_turn(new_id(), items, len(conversation.path()), now(), options.target)
