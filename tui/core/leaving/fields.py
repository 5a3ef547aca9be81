"""Reading JSON that anybody may have written: each field has its type, or a sentence says where."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, NoReturn, cast

from tui.core.errors import InputError
from tui.core.text import storable, visible_line

__all__ = ["Fields", "parse_json"]

_LATEST: Final = 250_000_000_000.0
"""Seconds since the epoch: a little before the year 9900, which every calendar function still takes."""

_LONGEST: Final = 1e9
"""Seconds: thirty years."""

_LARGEST: Final = 2**53


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no JSON")


def parse_json(text: str | bytes) -> object:
    """A JSON value; `NaN` and `Infinity`, which Python takes, are none.

    Raises:
        ValueError: It is no JSON, or nested too deep.
    """
    try:
        if isinstance(text, bytes):
            text = text.decode("utf-8-sig")
        return json.loads(text, parse_constant=_refuse_constant)
    except RecursionError:
        raise ValueError("nested too deep") from None


@dataclass(frozen=True, slots=True)
class Fields:
    """An object of a file, and where in the file it is.

    Attributes:
        values: Its members.
        place: For sentences, e.g. `conversations[0].turns[3]`.
    """

    values: Mapping[str, Any]
    place: str

    @classmethod
    def of(cls, value: object, place: str) -> Fields:
        """Read an object.

        Raises:
            InputError: It is none.
        """
        if not isinstance(value, dict):
            raise InputError(f"{place} must be an object.")
        return cls(cast("dict[str, Any]", value), place)

    def _wrong(self, name: str, what: str) -> NoReturn:
        where = f"{self.place}.{name}" if self.place else name
        raise InputError(f"{where} must be {what}.")

    def text(self, name: str, default: str | None = None) -> str:
        """A text; without a default it must be there."""
        value = self.values.get(name, default)
        if not isinstance(value, str):
            self._wrong(name, "a text")
        return storable(value)

    def optional_text(self, name: str) -> str | None:
        """A text, or nothing."""
        return None if self.values.get(name) is None else self.text(name)

    def choice(self, name: str, values: Sequence[str], default: str | None = None) -> str:
        """One of some texts."""
        value = self.text(name, default)
        if value not in values:
            self._wrong(name, f"{', '.join(values[:-1])} or {values[-1]}, not {visible_line(value[:40])}")
        return value

    def flag(self, name: str) -> bool:
        """True or false; false where it is missing."""
        value = self.values.get(name, False)
        if not isinstance(value, bool):
            self._wrong(name, "true or false")
        return value

    def time(self, name: str) -> float:
        """Seconds since the epoch."""
        value: object = self.values.get(name)
        if isinstance(value, bool) or not isinstance(value, (int, float)):
            self._wrong(name, "a number: seconds since 1970")
        if not 0 <= value <= _LATEST or not math.isfinite(value):
            self._wrong(name, "a time: seconds since 1970")
        return float(value)

    def optional_time(self, name: str) -> float | None:
        """Seconds since the epoch, or nothing."""
        return None if self.values.get(name) is None else self.time(name)

    def seconds(self, name: str) -> float | None:
        """A length of time, or nothing."""
        value: object = self.values.get(name)
        if value is None:
            return None
        if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 <= value <= _LONGEST:
            self._wrong(name, "a number of seconds")
        return float(value)

    def count(self, name: str) -> int | None:
        """A whole number from 0 on, or nothing."""
        value: object = self.values.get(name)
        if value is None:
            return None
        if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= _LARGEST:
            self._wrong(name, "a whole number from 0 on")
        return value

    def inner(self, name: str) -> Fields:
        """An object in this one; empty where it is missing."""
        value: object = self.values.get(name, {})
        return Fields.of(value, f"{self.place}.{name}" if self.place else name)

    def rows(self, name: str) -> Iterator[tuple[str, object]]:
        """The elements of a list, each with its place; none where it is missing."""
        value: object = self.values.get(name, [])
        if not isinstance(value, list):
            self._wrong(name, "a list")
        where = f"{self.place}.{name}" if self.place else name
        for index, entry in enumerate(cast("list[object]", value)):
            yield f"{where}[{index}]", entry

    def texts(self, name: str) -> tuple[str, ...]:
        """A list of texts; empty where it is missing."""
        found: list[str] = []
        for place, value in self.rows(name):
            if not isinstance(value, str):
                raise InputError(f"{place} must be a text.")
            found.append(storable(value))
        return tuple(found)
