"""What the inspector gets from the session: the rules of a model's cache, a place for notes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from tui.core.cache_analysis import CacheReport, CacheRules, cache_report
from tui.core.exchange import Exchange

if TYPE_CHECKING:
    from tui.session.session import Session
    from tui.widgets.inspector import Inspector

__all__ = ["prepare_inspector"]


def prepare_inspector(inspector: Inspector, session: Session) -> None:
    """Let an inspector use the settings, the catalogue, the conversations and the history of a session."""

    def explain(exchange: Exchange, exchanges: Sequence[Exchange]) -> CacheReport | None:
        try:
            conversation = session.conversation(exchange.conversation_id)
        except KeyError:
            conversation = None
        rules = CacheRules.of(session.catalogue.model(exchange.model))
        return cache_report(exchange, exchanges, conversation, rules)

    def keep_note(exchange: Exchange, bookmarked: bool, note: str) -> None:
        session.note_exchange(exchange, bookmarked=bookmarked, note=note)

    inspector.max_display_chars = session.settings.max_display_chars
    inspector.explain = explain
    inspector.keep_note = keep_note
