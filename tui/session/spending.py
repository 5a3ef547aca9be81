"""What was used and spent, from the history: totals for `outcrop usage`, and the budgets.

Part of the session layer.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Protocol

from tui.config.settings import Settings
from tui.core.budget import BudgetDecision, Limits, Spend, decide, spend_of
from tui.core.costs import CostEstimate
from tui.core.usage import UsageRecord
from tui.session.records import Records
from tui.store.history import History

__all__ = ["Spending", "day_start", "local_day"]


class Reach(Protocol):
    """What is needed of the session."""

    @property
    def settings(self) -> Settings:
        """Budgets, catalogue, and whether this run is the sandbox's."""
        ...


def local_day(moment: float) -> str:
    """The local day of a moment (seconds since the epoch), `YYYY-MM-DD`."""
    return datetime.fromtimestamp(moment).strftime("%Y-%m-%d")


def day_start(moment: float) -> float:
    """Local midnight before a moment; both seconds since the epoch."""
    local = datetime.fromtimestamp(moment)
    return local.replace(hour=0, minute=0, second=0, microsecond=0).timestamp()


class Spending:
    """Reads what was used; the sandbox's usage and the service's never mix.

    Args:
        records: The history.
        reach: The session.
        now: Wall clock, seconds since the epoch.
    """

    def __init__(self, records: Records, reach: Reach, now: Callable[[], float]) -> None:
        self._records = records
        self._reach = reach
        self._now = now

    async def records_since(self, since: float, conversation_id: str = "") -> list[UsageRecord]:
        """What was used from a moment on (seconds since the epoch), oldest first.

        Raises:
            StoreError: The history cannot be read.
        """
        sandbox = self._reach.settings.sandbox
        return await self._records.call(History.usage_records, since, sandbox, conversation_id)

    async def today(self) -> Spend:
        """What was spent since local midnight."""
        return spend_of(await self.records_since(day_start(self._now())), self._reach.settings.catalogue)

    async def of_conversation(self, conversation_id: str) -> Spend:
        """What a conversation has cost, all its branches, summaries and regenerations included."""
        rows = await self.records_since(0.0, conversation_id)
        return spend_of(rows, self._reach.settings.catalogue)

    async def decision(self, conversation_id: str, ahead: CostEstimate | None = None) -> BudgetDecision:
        """Whether the budgets let the next turn go; ask it before each send.

        Args:
            conversation_id: A conversation, open or not.
            ahead: What the turn is likely to cost; `None` where nobody can tell.

        Raises:
            StoreError: The history cannot be read.
        """
        settings = self._reach.settings
        limits = Limits(settings.budget_per_conversation, settings.budget_per_day)
        nothing = Spend()
        conversation = nothing if limits.conversation is None else await self.of_conversation(conversation_id)
        day = nothing if limits.day is None else await self.today()
        return decide(limits, conversation, day, ahead)
