"""What answers are asked for in, by name, from a file or as typed; the library is `schemas/*.json`.

Part of the session layer, beside `instructions.py`.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tui.core.errors import InputError
from tui.core.structured.mending import mend_schema
from tui.core.structured.output_format import (
    JSON_MODE,
    format_problems,
    format_value,
    read_format,
    schema_of,
    with_schema,
)
from tui.core.structured.strict import Problem
from tui.core.text import visible_line

__all__ = ["JSON_NAMES", "NamedSchema", "SchemaLibrary", "find_format", "load_schemas", "mended_format"]

JSON_NAMES: Final = ("json", "json_object")
"""What stands for JSON mode where a schema is named."""

_LARGEST: Final = 1_000_000


@dataclass(frozen=True, slots=True)
class NamedSchema:
    """A schema of the library.

    Attributes:
        name: Its file's name without `.json`.
        text_format: The `text.format` that asks for it, as JSON text.
        path: Its file.
        problems: What keeps it from being sent.
    """

    name: str
    text_format: str
    path: Path
    problems: tuple[Problem, ...]

    @property
    def fields(self) -> tuple[str, ...]:
        """The names of the root's properties."""
        properties: object = (schema_of(self.text_format) or {}).get("properties")
        return tuple(map(str, properties)) if isinstance(properties, dict) else ()  # pyright: ignore[reportUnknownVariableType, reportUnknownArgumentType]


@dataclass(frozen=True, slots=True)
class SchemaLibrary:
    """The schemas there are, by name, and a sentence for each file that cannot be used."""

    entries: tuple[NamedSchema, ...]
    complaints: tuple[str, ...] = ()

    def named(self, name: str) -> NamedSchema | None:
        """The schema of that name, without regard to case."""
        wanted = name.strip().casefold()
        return next((entry for entry in self.entries if entry.name.casefold() == wanted), None)


def load_schemas(config_dir: Path) -> SchemaLibrary:
    """Read every file of the library; a missing folder is an empty one."""
    folder = config_dir / "schemas"
    entries: list[NamedSchema] = []
    complaints: list[str] = []
    try:
        paths = sorted(path for path in folder.iterdir() if path.suffix == ".json")
    except (FileNotFoundError, NotADirectoryError):
        paths = []
    except OSError as error:
        return SchemaLibrary((), (f"{visible_line(str(folder))} cannot be read: {_why(error)}.",))
    for path in paths:
        try:
            text_format = read_format(_text(path), path.stem)
        except InputError as error:
            complaints.append(f"{visible_line(path.name)}: {error}")
            continue
        problems = tuple(format_problems(text_format))
        entries.append(NamedSchema(visible_line(path.stem), text_format, path, problems))
    return SchemaLibrary(tuple(entries), tuple(complaints))


def find_format(words: str, config_dir: Path) -> str:
    """The `text.format`, as JSON text, that `/schema` or `--schema` means: empty for `off`.

    In this order: `off`, `json` for JSON mode, a schema of the library, a file, a JSON text, the short form.

    Raises:
        InputError: It is none of them.
    """
    said = words.strip()
    if not said:
        raise InputError("Name a schema, a file, or fields such as: name, age int, tags: list of string.")
    if said.casefold() == "off":
        return ""
    if said.casefold() in JSON_NAMES:
        return JSON_MODE
    if (entry := load_schemas(config_dir).named(said)) is not None:
        return entry.text_format
    path = Path(said).expanduser()
    if not said.startswith("{") and _is_file(path):
        return read_format(_text(path), path.stem)
    if said.startswith("{") or any(sign in said for sign in ",:{") or " " in said:
        return read_format(said, "answer")
    known = ", ".join(entry.name for entry in load_schemas(config_dir).entries)
    there = f" The library has {known}." if known else ""
    raise InputError(f"There is no schema and no file {visible_line(said)}.{there}")


def mended_format(text_format: str) -> str:
    """The same format with its schema mended."""
    if not format_problems(text_format):
        return text_format
    return with_schema(text_format, mend_schema(format_value(text_format).get("schema")))


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except (OSError, ValueError):
        return False


def _text(path: Path) -> str:
    try:
        if not path.is_file():  # opening a pipe would wait for its writer
            raise InputError(f"{visible_line(str(path))} is no file.")
        with path.open("rb") as file:
            data = file.read(_LARGEST + 1)
    except OSError as error:
        raise InputError(f"{visible_line(str(path))} cannot be read: {_why(error)}.") from None
    if len(data) > _LARGEST:
        raise InputError(f"{visible_line(str(path))} is larger than 1 MB.")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise InputError(f"{visible_line(str(path))} is not UTF-8 text.") from None


def _why(error: OSError) -> str:
    return os.strerror(error.errno).lower() if error.errno is not None else "no reason given"
