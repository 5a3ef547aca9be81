"""TOML of somebody's own files."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, cast

__all__ = ["read_toml"]

_LONGEST: Final = 1 << 63


def read_toml(text: str, parse_float: Callable[[str], Any] = float) -> dict[str, Any]:
    """Read TOML whose whole numbers have 64 bits, as the standard says.

    Python takes longer ones in hexadecimal, and then cannot write them into a sentence.

    Args:
        text: The document.
        parse_float: Makes a value of a number with a point or an exponent.

    Raises:
        ValueError: It is no TOML, or nested too deep.
    """
    import tomllib

    try:
        document = tomllib.loads(text, parse_float=parse_float)
    except RecursionError:
        raise ValueError("it is nested too deep") from None
    waiting: list[Any] = [document]
    while waiting:
        value = waiting.pop()
        if isinstance(value, dict):
            waiting += cast("dict[str, Any]", value).values()
        elif isinstance(value, list):
            waiting += cast("list[Any]", value)
        elif isinstance(value, int) and not -_LONGEST <= value < _LONGEST:
            raise ValueError("a whole number is longer than 64 bits")
    return document
