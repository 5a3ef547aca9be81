"""What the inspector's keys copy."""

from __future__ import annotations

from typing import Final

from tui.core.exchange import Exchange
from tui.widgets.inspection.found import PageRows
from tui.widgets.inspection.pages import decoded, headers_text, response_text
from tui.widgets.inspection.views import Tab

__all__ = ["copied_headers", "copied_text"]

_MOST_ROWS: Final = 100_000


def copied_text(exchange: Exchange, tab: Tab, event: int | None, rows: PageRows) -> tuple[str, str]:
    """All of what a tab shows a view of, with its name.

    Args:
        exchange: The exchange.
        tab: The tab.
        event: The event that is shown in full, counted from 0.
        rows: The page, for tabs that are words and no body.
    """
    if tab is Tab.REQUEST:
        return "the request's body", decoded(exchange.request_body)
    if tab is Tab.STREAM and event is not None:
        return f"event {event + 1}", exchange.events[event].data
    if tab is Tab.STREAM:
        return "the stream", decoded(exchange.response_body)
    if tab is Tab.RESPONSE:
        return "the response", response_text(exchange)
    count = min(len(rows), _MOST_ROWS)
    lines = (rows.plain_row(index, 0).text.rstrip() for index in range(count))
    return {Tab.SHAPE: "the summary", Tab.DIFF: "the comparison"}.get(tab, "the page"), "\n".join(lines)


def copied_headers(exchange: Exchange, tab: Tab) -> tuple[str, str]:
    """The headers of the response where a tab is about it, else those of the request; with their name."""
    if tab in (Tab.STREAM, Tab.RESPONSE):
        return "the response's headers", headers_text(exchange.response_headers)
    return "the request's headers", headers_text(exchange.request_headers)
