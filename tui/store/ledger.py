"""The history's records beside conversations: usage, checks of pairings, lists of models."""

from __future__ import annotations

import json
from collections.abc import Sequence

from tui.core.discovery import PairingCheck
from tui.core.text import storable
from tui.core.usage import UsageRecord
from tui.store import usage
from tui.store.database import Database

__all__ = ["Ledger"]


class Ledger:
    """The part of the `History` that outlives conversations; deleting one takes nothing away here."""

    _db: Database

    def record_usage(self, record: UsageRecord) -> None:
        """Remember what a response came to that belongs to no turn; turns are recorded when they end."""
        with self._db.transaction() as db:
            usage.save(db, record)

    def usage_records(self, since: float, sandbox: bool, conversation_id: str = "") -> list[UsageRecord]:
        """What was used from `since` (seconds since the epoch) on, oldest first.

        Deleting a conversation does not take its records away: they hold no text, and the money is spent.
        """
        with self._db.sentences():
            return usage.load(self._db.connection, since, sandbox, conversation_id)

    def save_check(self, check: PairingCheck) -> None:
        """Remember what came of checking a pairing; the newest result stands."""
        values = (check.model, check.region, check.place, check.at, check.works, storable(check.sentence))
        with self._db.transaction() as db:
            db.execute("INSERT OR REPLACE INTO pairing_checks VALUES (?, ?, ?, ?, ?, ?)", values)

    def checks(self) -> list[PairingCheck]:
        """The newest result for each pairing that was ever checked."""
        rows = self._db.rows("SELECT model, region, place, at, works, sentence FROM pairing_checks")
        return [
            PairingCheck(model, region, place, at, bool(works), sentence)
            for model, region, place, at, works, sentence in rows
        ]

    def save_model_list(self, region: str, place: str, at: float, models: Sequence[str]) -> None:
        """Remember which models a place listed; `at` is seconds since the epoch."""
        values = (region, place, at, json.dumps([storable(name) for name in models]))
        with self._db.transaction() as db:
            db.execute("INSERT OR REPLACE INTO model_lists VALUES (?, ?, ?, ?)", values)

    def model_list(self, region: str, place: str) -> tuple[float, tuple[str, ...]] | None:
        """When a place was last asked for its models, and what it listed; `None` when it never was."""
        rows = self._db.rows(
            "SELECT at, models FROM model_lists WHERE region = ? AND place = ?", (region, place)
        )
        return (rows[0][0], tuple(json.loads(rows[0][1]))) if rows else None
