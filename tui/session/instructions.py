"""Named instructions: TOML files in the config folder's `instructions`, and a few that come with Outcrop.

A file holds `text`, and may hold `name` (its own name otherwise) and `description`. One's own win over the
built-in ones of the same name.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tui.core.text import storable, visible_line
from tui.core.toml_text import read_toml

__all__ = ["BUILT_IN", "Library", "NamedInstructions", "load_library"]

BUILT_IN: Final = Path(__file__).parents[1] / "core" / "instructions"

_FIELDS: Final = ("name", "text", "description")
_LARGEST: Final = 1_000_000  # bytes; nobody types more, and a device or a dump is not to be read
_LONGEST_NAME: Final = 60


@dataclass(frozen=True, slots=True)
class NamedInstructions:
    """Instructions that can be chosen by name.

    Attributes:
        name: One line, unlike every other one's without regard to case.
        text: What is sent as `instructions`.
        description: One line for lists; may be empty.
        path: The file it was read from.
    """

    name: str
    text: str
    description: str
    path: Path


@dataclass(frozen=True, slots=True)
class Library:
    """What could be read, and what could not.

    Attributes:
        entries: By name, in alphabetical order.
        complaints: A sentence for each file that cannot be used; the others are usable all the same.
    """

    entries: tuple[NamedInstructions, ...]
    complaints: tuple[str, ...] = ()

    def named(self, name: str) -> NamedInstructions | None:
        """The instructions of that name, without regard to case."""
        wanted = name.strip().casefold()
        return next((entry for entry in self.entries if entry.name.casefold() == wanted), None)


def load_library(config_dir: Path) -> Library:
    """Read every file; a missing folder is an empty one."""
    found: dict[str, NamedInstructions] = {}
    complaints: list[str] = []
    for folder in (BUILT_IN, config_dir / "instructions"):
        own: set[str] = set()
        for path in _files(folder, complaints):
            try:
                entry = _read(path)
                key = entry.name.casefold()
                if key in own:
                    raise ValueError(f"{found[key].path.name} has the name '{entry.name}' already")
            except (OSError, ValueError) as error:
                complaints.append(f"{visible_line(str(path))} is left out: {_why(error)}.")
            else:
                own.add(key)
                found[key] = entry
    return Library(tuple(found[key] for key in sorted(found)), tuple(complaints))


def _files(folder: Path, complaints: list[str]) -> list[Path]:
    try:
        return sorted(path for path in folder.iterdir() if path.suffix == ".toml")
    except (FileNotFoundError, NotADirectoryError):
        return []
    except OSError as error:
        complaints.append(f"{visible_line(str(folder))} cannot be read: {_why(error)}.")
        return []


def _read(path: Path) -> NamedInstructions:
    if not path.is_file():  # opening a pipe would wait for its writer
        raise ValueError("it is no file")
    with path.open("rb") as file:
        data = file.read(_LARGEST + 1)
    if len(data) > _LARGEST:
        raise ValueError("it is larger than 1 MB")
    document = read_toml(data.decode("utf-8"))
    for key, value in document.items():
        if key not in _FIELDS:
            raise ValueError(f"unknown key '{visible_line(key)}'; allowed are {', '.join(_FIELDS)}")
        if not isinstance(value, str):
            raise ValueError(f"{key} must be a text")
    text = storable(str(document.get("text", ""))).strip()
    if not text:
        raise ValueError("text is missing or empty")
    name = " ".join(visible_line(str(document.get("name", ""))).split()) or path.stem
    if len(name) > _LONGEST_NAME:
        raise ValueError(f"name is longer than {_LONGEST_NAME} characters")
    description = " ".join(visible_line(str(document.get("description", ""))).split())
    return NamedInstructions(name, text, description, path)


def _why(error: Exception) -> str:
    if isinstance(error, OSError) and error.errno is not None:
        return os.strerror(error.errno).lower()
    if isinstance(error, UnicodeDecodeError):
        return "it is not UTF-8 text"
    return visible_line(str(error))
