"""How sizes, counts, times and money are written in a terminal cell: short, and "–" for what is unknown."""

from __future__ import annotations

import datetime
from decimal import Decimal
from typing import Final

__all__ = ["UNKNOWN", "count", "money", "seconds", "share", "short_id", "size", "when"]

UNKNOWN: Final = "–"


def size(octets: int | None) -> str:
    """Bytes in decimal units: `812 B`, `1.2 kB`, `27 MB`."""
    if octets is None:
        return UNKNOWN
    value = float(octets)
    for unit in ("B", "kB", "MB"):
        if value < 999.5:
            return f"{_short(value, whole=unit == 'B')} {unit}"
        value /= 1000
    return f"{_short(value, whole=False)} GB"


def count(number: int | None) -> str:
    """A count in at most four characters: `162`, `2k`, `8.2k`, `128k`, `1.1M`."""
    if number is None:
        return UNKNOWN
    value = float(number)
    for unit in ("", "k", "M"):
        if value < 999.5:
            return f"{_short(value, whole=not unit).removesuffix('.0')}{unit}"
        value /= 1000
    return f"{_short(value, whole=False).removesuffix('.0')}G"


def seconds(duration: float | None) -> str:
    """A duration: `42 ms`, `3.10 s`, `2 m 05 s`."""
    if duration is None:
        return UNKNOWN
    if duration < 0.9995:
        return f"{duration * 1000:.0f} ms"
    if duration < 99.95:
        return f"{duration:.2f} s" if duration < 9.995 else f"{duration:.1f} s"
    minutes, rest = divmod(round(duration), 60)
    return f"{minutes} m {rest:02d} s"


def share(part: float | None) -> str:
    """A fraction of one as whole percent; what is above 0 and below 1 % is `<1%`, never 0."""
    if part is None:
        return UNKNOWN
    if 0 < part < 0.01:
        return "<1%"
    if 0.99 < part < 1:
        return "99%"
    return f"{part * 100:.0f}%"


def money(amount: Decimal | None, *, estimate: bool) -> str:
    """US dollars, with "~" before an estimate: `~$0.0412`, `$12.34`; a trace of money is `<$0.0001`."""
    if amount is None:
        return UNKNOWN
    mark = "~" if estimate else ""
    if 0 < amount < Decimal("0.00005"):
        return f"{mark}<$0.0001"
    places = 4 if amount < Decimal("0.1") else 3 if amount < 1 else 2
    return f"{mark}${amount:.{places}f}" if amount else f"{mark}$0"


def short_id(server_id: str | None) -> str:
    """The beginning and the end of a server's id, 14 characters: its middle tells nobody anything."""
    if not server_id:
        return UNKNOWN
    return server_id if len(server_id) <= 14 else f"{server_id[:8]}…{server_id[-5:]}"


def when(moment: float, now: float) -> str:
    """A moment as people say it beside `now`, both seconds since the epoch, in local time."""
    past = now - moment
    if 0 <= past < 45:
        return "just now"
    if 0 <= past < 3600:
        return f"{max(1, round(past / 60))} min ago"
    then = datetime.datetime.fromtimestamp(moment)
    today = datetime.datetime.fromtimestamp(now)
    days = (today.date() - then.date()).days
    if days == 0:
        return f"today {then:%H:%M}"
    if days == 1:
        return f"yesterday {then:%H:%M}"
    if 1 < days < 7:
        return f"{then:%A %H:%M}"
    return f"{then:%d %b}".lstrip("0") if then.year == today.year else f"{then:%d %b %Y}".lstrip("0")


def _short(value: float, *, whole: bool) -> str:
    return f"{value:.0f}" if whole or value >= 9.95 else f"{value:.1f}"
