"""Themes as TOML files: only colours and flat keys, Outcrop's own and the user's."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, fields
from decimal import Decimal
from pathlib import Path
from typing import Any, cast

from textual.color import Color, ColorParseError
from textual.css.constants import VALID_STYLE_FLAGS
from textual.theme import Theme

from tui.core.errors import ConfigError
from tui.core.text import visible_line
from tui.own_files import own_document

__all__ = [
    "DEFAULT_THEME",
    "NO_COLOUR_THEME",
    "LoadedThemes",
    "load_theme",
    "load_themes",
    "own_folder",
    "parse_theme",
]

DEFAULT_THEME = "outcrop-dark"
NO_COLOUR_THEME = "no-colour"
"""The theme that is worn when NO_COLOR is set."""

_COLOURS = frozenset(
    [
        "primary",
        "secondary",
        "warning",
        "error",
        "success",
        "accent",
        "foreground",
        "background",
        "surface",
        "panel",
        "boost",
    ]
)
_KEYS = frozenset(field.name for field in fields(Theme))
_LONGEST = 100
"""Characters of what is quoted in a complaint."""


@dataclass(frozen=True, slots=True)
class LoadedThemes:
    """What a folder of themes gave.

    Attributes:
        themes: The usable ones, by file name.
        problems: A sentence for each file that is not.
    """

    themes: tuple[Theme, ...] = ()
    problems: tuple[str, ...] = ()


def own_folder() -> Path:
    """Where Outcrop's themes are: inside the installed package, else the checkout's `themes/`."""
    package = Path(__file__).parent
    installed = package / "themes"
    return installed if installed.is_dir() else package.parent / "themes"


def load_theme(name: str, *folders: Path) -> Theme | None:
    """Read one theme by its file's name, the last folder that has it first; `None` where there is none.

    Raises:
        ConfigError: The file cannot be used; the sentence names it and the key.
    """
    if not name or name != Path(name).name:
        return None
    for folder in reversed(folders):
        path = folder / f"{name}.toml"
        if path.is_file():
            return _read(path)
    return None


def load_themes(*folders: Path) -> LoadedThemes:
    """Read every `*.toml` of the folders; a later folder's theme replaces an earlier one's of that name."""
    themes: dict[str, Theme] = {}
    problems: list[str] = []
    for path in _files(folders):
        try:
            theme = _read(path)
        except ConfigError as error:
            problems.append(str(error))
        else:
            themes[theme.name] = theme
    return LoadedThemes(tuple(themes.values()), tuple(problems))


def parse_theme(text: str, *, name: str, where: str) -> Theme:
    """Make a theme of a TOML text.

    Args:
        text: Flat keys as in `textual.theme.Theme`, and a table `variables` of CSS variables.
        name: What it is called when the text does not say.
        where: What error sentences call the text.

    Raises:
        ConfigError: No TOML, an unknown key, or a value that is no colour.
    """
    import tomllib

    from tui.core.toml_text import read_toml

    try:
        table = read_toml(text)
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"The theme {where} is not valid TOML: {visible_line(str(error))}.") from error
    except ValueError as error:
        raise ConfigError(
            f"The theme {where} holds what no theme needs: it nests too deep, or numbers too long."
        ) from error
    return _theme(table, name, where)


def _theme(table: Mapping[str, Any], name: str, where: str) -> Theme:
    for key, value in table.items():
        _check(key, value, where)
    if "primary" not in table:
        raise ConfigError(f"The theme {where} has no key `primary`; it needs that colour at least.")
    return Theme(**cast("dict[str, Any]", {"name": name, **table}))


def _files(folders: tuple[Path, ...]) -> Iterator[Path]:
    for folder in folders:
        if folder.is_dir():
            yield from sorted(folder.glob("*.toml"))


def _read(path: Path) -> Theme:
    where = visible_line(str(path))
    try:
        if path.parent == own_folder():
            table = own_document(path)
            return _theme(
                {key: float(value) if isinstance(value, Decimal) else value for key, value in table.items()},
                path.stem,
                where,
            )
        text = path.read_text(encoding="utf-8")
    except (OSError, ValueError) as error:
        raise ConfigError(f"The theme {where} cannot be read: {visible_line(str(error))}.") from error
    return parse_theme(text, name=path.stem, where=where)


def _check(key: str, value: object, where: str) -> None:
    """Refuse a key that Textual would not know, or a value it would stumble over later."""
    shown = visible_line(key)[:_LONGEST]
    if key not in _KEYS:
        raise ConfigError(f"The theme {where} has an unknown key `{shown}`; known are {_listed(_KEYS)}.")
    if key in _COLOURS:
        _check_colour(shown, value, where)
    elif key == "variables":
        if not isinstance(value, dict):
            raise ConfigError(f"The theme {where}: `variables` must be a table of texts.")
        for name, entry in cast("dict[str, object]", value).items():
            shown = visible_line(name)[:_LONGEST]
            if not isinstance(entry, str):
                raise ConfigError(f"The theme {where}: `variables.{shown}` must be a text.")
            check = _check_style if name.endswith(("-style", "-style-hover")) else _check_variable
            check(f"variables.{shown}", entry, where)
    elif key in ("dark", "ansi"):
        if not isinstance(value, bool):
            raise ConfigError(f"The theme {where}: `{shown}` must be true or false.")
    elif key == "name":
        if not isinstance(value, str) or not value or value != visible_line(value):
            raise ConfigError(f"The theme {where}: `name` must be a text of one line.")
    elif not isinstance(value, (int, float)) or isinstance(value, bool) or not 0 <= value <= 1:
        raise ConfigError(f"The theme {where}: `{shown}` must be a number from 0 to 1.")


def _check_style(key: str, value: str, where: str) -> None:
    """A style is words such as `bold underline`."""
    words = set(value.split(" ")) - {""}
    if not words or not words <= VALID_STYLE_FLAGS:
        shown = visible_line(repr(value)[:_LONGEST])
        raise ConfigError(
            f"The theme {where}: `{key}` is no style: {shown}; it may have {_listed(VALID_STYLE_FLAGS)}."
        )


def _check_variable(key: str, value: str, where: str) -> None:
    """A variable may be a colour, or a colour and its opacity, such as `#6fb3a6 35%`."""
    words = value.split()
    opaque = words and words[-1].endswith("%") and words[-1][:-1].replace(".", "", 1).isdigit()
    colour = " ".join(words[:-1]) if opaque else value
    if colour != "auto":
        _check_colour(key, colour, where)


def _check_colour(key: str, value: object, where: str) -> None:
    try:
        Color.parse(cast("str", value))
    except (ColorParseError, TypeError, AttributeError, ValueError, OverflowError) as error:
        shown = visible_line(repr(value)[:_LONGEST])
        raise ConfigError(f"The theme {where}: `{key}` is no colour: {shown}; write #rrggbb.") from error


def _listed(names: Iterable[str]) -> str:
    return ", ".join(sorted(names))
