"""Presets: tools, instructions and a schema that come with the program, each in a folder of its name."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tui.core.errors import InputError
from tui.core.text import visible_line
from tui.tools.definitions import read_tools

__all__ = ["PRESET_NAMES", "Preset", "load_preset"]

_FOLDER: Final = Path(__file__).parent
PRESET_NAMES: Final = ("brightcart",)


@dataclass(frozen=True, slots=True)
class Preset:
    """A preset.

    Attributes:
        name: Its folder's.
        about: What it is, in a sentence.
        instructions: Sent with each turn.
        tools_file: Its tools.
        tool_names: Their names, in order.
        schema_file: The JSON Schema that its answers can be asked for in.
        source: What its tools run.
    """

    name: str
    about: str
    instructions: str
    tools_file: Path
    tool_names: tuple[str, ...]
    schema_file: Path
    source: str


def load_preset(name: str) -> Preset:
    """Read a preset.

    Raises:
        InputError: There is none of that name.
    """
    known = name.strip().casefold()
    if known not in PRESET_NAMES:
        there = ", ".join(PRESET_NAMES)
        raise InputError(f"There is no preset {visible_line(name)!r}. There is: {there}.")
    folder = _FOLDER / known
    file = read_tools(folder / "tools.toml")
    # Several tools may come from one file, which is shown once.
    source = "\n\n".join(dict.fromkeys(tool.source for tool in file.tools))
    instructions = (folder / "instructions.md").read_text(encoding="utf-8")
    title, _, text = instructions.partition("\n\n")
    return Preset(
        known,
        title.removeprefix("# ").strip(),
        text.strip(),
        folder / "tools.toml",
        tuple(tool.name for tool in file.tools),
        folder / "triage.json",
        source,
    )
