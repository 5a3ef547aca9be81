"""Answers about tool calls that hold beyond one call; see `core/tools.py`, `Rule`."""

from __future__ import annotations

import json
import sqlite3
from typing import Any, cast

from tui.core.items import dump_json
from tui.core.text import storable
from tui.core.tools import Rule

__all__ = ["load", "save"]


def save(db: sqlite3.Connection, rule: Rule, at: float) -> None:
    """Keep a rule instead of an earlier one for the same arguments."""
    pattern = storable(dump_json(dict(sorted(rule.pattern.items()))))
    db.execute(
        "DELETE FROM tool_rules WHERE tool = ? AND fingerprint = ? AND pattern = ?",
        (rule.tool, rule.fingerprint, pattern),
    )
    db.execute(
        "INSERT INTO tool_rules (tool, fingerprint, pattern, allow, at) VALUES (?, ?, ?, ?, ?)",
        (rule.tool, rule.fingerprint, pattern, int(rule.allow), at),
    )


def load(db: sqlite3.Connection) -> tuple[Rule, ...]:
    """Every rule, oldest first."""
    rows = db.execute("SELECT tool, fingerprint, pattern, allow, id FROM tool_rules ORDER BY id").fetchall()
    return tuple(
        Rule(tool, fingerprint, cast("dict[str, Any]", json.loads(pattern)), allow == 1, number)
        for tool, fingerprint, pattern, allow, number in rows
    )
