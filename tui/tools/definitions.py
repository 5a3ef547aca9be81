"""Tools as they are declared: TOML files, read without running anything of what they name.

A file holds `[[tool]]` tables (see `_tool` for their keys), `[[mcp]]` tables (`_server`), and `rounds`, the
most rounds of calls that one prompt may lead to.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Literal, cast

from tui.core.errors import InputError
from tui.core.items import dump_json
from tui.core.text import visible_line
from tui.core.toml_text import read_toml
from tui.core.tools import ToolKind

__all__ = ["DEFAULT_ROUNDS", "McpServer", "Tool", "ToolFile", "parse_tools", "read_tools"]

DEFAULT_ROUNDS: Final = 16
DEFAULT_TIME_LIMIT: Final = 30.0
DEFAULT_OUTPUT_LIMIT: Final = 100_000
_LONGEST_SOURCE: Final = 1_000_000
_HIGHEST: Final = 1_000_000_000
_NAME: Final = re.compile(r"[A-Za-z0-9_-]{1,64}")
# Never handed to a tool, whatever a file asks for.
_SECRET: Final = re.compile(r"BEARER_TOKEN|API_KEY|SECRET|SESSION_TOKEN", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class McpServer:
    """An MCP server as declared.

    Attributes:
        name: What its tools' names begin with.
        command: Starts it, for stdio; empty for HTTP.
        url: Its address, for streamable HTTP.
        folder: Where the command runs.
        environment: Names of variables that it is given beside the clean ones.
        time_limit: Seconds that a call may take.
        origin: The file that declares it.
    """

    name: str
    command: tuple[str, ...] = ()
    url: str = ""
    folder: Path = field(default_factory=Path)
    environment: tuple[str, ...] = ()
    time_limit: float = DEFAULT_TIME_LIMIT
    origin: str = ""

    @property
    def fingerprint(self) -> str:
        """Of what is run or called."""
        return _digest(dump_json([*self.command, self.url, str(self.folder)]).encode())

    @property
    def source(self) -> str:
        """What turning it on runs, or where its calls go."""
        if self.url:
            return f"MCP server at {self.url}\n\nCalls and their arguments are sent there."
        return f"MCP server, started with\n\n$ {' '.join(self.command)}\n\nin {self.folder}"


@dataclass(frozen=True, slots=True)
class Tool:
    """A tool as declared.

    Attributes:
        name: As the model knows it.
        kind: `function` takes JSON arguments, `custom` free text.
        runner: What it is.
        description: For the model; a Python function's docstring takes its place where it is empty.
        file: The Python file, for `python`.
        function: The function's name in it.
        command: Program and arguments, for `command`.
        folder: Where it runs.
        parameters: JSON Schema of the arguments; `None` for one that is made of a function's type hints.
        time_limit: Seconds.
        output_limit: Bytes of output that are kept.
        environment: Names of variables that it is given beside the clean ones.
        origin: The file that declares it, or what else it came from.
        server: For `mcp`: where it is called.
    """

    name: str
    kind: ToolKind
    runner: Literal["python", "command", "mcp"]
    description: str = ""
    file: Path | None = None
    function: str = ""
    command: tuple[str, ...] = ()
    folder: Path = field(default_factory=Path)
    parameters: Mapping[str, Any] | None = None
    time_limit: float = DEFAULT_TIME_LIMIT
    output_limit: int = DEFAULT_OUTPUT_LIMIT
    environment: tuple[str, ...] = ()
    origin: str = ""
    server: McpServer | None = None

    @property
    def fingerprint(self) -> str:
        """Of what runs: the declaration, and the contents of the files it names. Reads those files."""
        if self.server is not None:
            return _digest(f"{self.server.fingerprint} {self.function}".encode())
        parts = [dump_json([self.name, self.kind, self.function, *self.command]).encode()]
        for path in self._files():
            parts.append(_contents(path))
        return _digest(b"\0".join(parts))

    @property
    def source(self) -> str:
        """What runs, for who is to allow it: the code, or the command and the scripts it names."""
        if self.server is not None:
            return f"Tool {self.function} of the {self.server.source}"
        lines: list[str] = []
        if self.command:
            lines += [f"$ {' '.join(self.command)}", f"in {self.folder}", ""]
        for path in self._files():
            text = _contents(path)
            if b"\0" not in text[:4096]:
                lines += [f"# {path}", "", text.decode("utf-8", "replace"), ""]
        return "\n".join(lines).rstrip()

    def _files(self) -> list[Path]:
        if self.file is not None:
            return [self.file]
        named = [self.folder / word for word in self.command if "/" in word or "." in word]
        return [path for path in named if path.is_file()]

    @property
    def runs(self) -> str:
        """What it is, in a few words for a list."""
        if self.server is not None:
            return f"MCP {self.server.name}"
        return f"{self.file.name}:{self.function}" if self.file is not None else " ".join(self.command)


@dataclass(frozen=True, slots=True)
class ToolFile:
    """What one file declares."""

    tools: tuple[Tool, ...] = ()
    servers: tuple[McpServer, ...] = ()
    rounds: int = DEFAULT_ROUNDS


def read_tools(path: Path) -> ToolFile:
    """Read a file of tools.

    Raises:
        InputError: It cannot be read, or what it says cannot be; the sentence names the place.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "it is not UTF-8 text"
        raise InputError(f"The tools file {visible_line(str(path))} cannot be read: {reason}.") from None
    try:
        return parse_tools(text, path.resolve().parent, str(path))
    except ValueError as error:
        raise InputError(f"The tools file {visible_line(str(path))}: {error}") from None


def parse_tools(text: str, folder: Path, origin: str) -> ToolFile:
    """Read TOML; relative files and programs are found in `folder`.

    Raises:
        ValueError: Something in it is wrong; the text names it.
    """
    try:
        document = read_toml(text)
    except ValueError as error:
        raise ValueError(f"{error}.") from None
    _known(document, {"tool", "mcp", "rounds"}, "the file")
    rounds = document.get("rounds", DEFAULT_ROUNDS)
    if type(rounds) is not int or rounds < 1:
        raise ValueError("'rounds' must be a whole number above 0.")
    tools = tuple(_tool(row, folder, origin) for row in _rows(document, "tool"))
    servers = tuple(_server(row, folder, origin) for row in _rows(document, "mcp"))
    names = [tool.name for tool in tools] + [server.name for server in servers]
    for name in names:
        if names.count(name) > 1:
            raise ValueError(f"there are two tools called {name!r}.")
    return ToolFile(tools, servers, rounds)


_TOOL_KEYS: Final = frozenset({
    "name", "type", "description", "function", "command", "folder", "parameters", "time_limit",
    "output_limit", "environment",
})  # fmt: skip


def _tool(row: Mapping[str, Any], folder: Path, origin: str) -> Tool:
    """One `[[tool]]`: `name`, and `function = "FILE.py:NAME"` or `command = ["PROGRAM", ...]`.

    More keys: `type` (`function` or `custom`), `description`, `parameters` (JSON Schema, for commands),
    `folder`, `time_limit` in seconds, `output_limit` in bytes, `environment` (names of variables).
    """
    name = _name(row, "tool")
    where = f"tool {name!r}"
    _known(row, _TOOL_KEYS, where)
    kind = row.get("type", "function")
    if kind not in ("function", "custom"):
        raise ValueError(f'{where}: \'type\' must be "function" or "custom".')
    function, command = _text(row, "function", where), _words(row, "command", where)
    if bool(function) == bool(command):
        raise ValueError(f"{where}: give either 'function' or 'command'.")
    parameters: object = row.get("parameters")
    if parameters is not None and (function or kind == "custom" or not isinstance(parameters, dict)):
        raise ValueError(f"{where}: 'parameters' is a table, and for commands that take arguments only.")
    if command and kind == "function" and parameters is None:
        parameters = {"type": "object", "properties": {}, "required": [], "additionalProperties": False}
    file = None
    if function:
        path, colon, function = function.rpartition(":")
        if not colon or not function.isidentifier():
            raise ValueError(f"{where}: 'function' must be \"FILE.py:NAME\".")
        file = folder / path
        if not file.is_file():
            raise ValueError(f"{where}: there is no file {visible_line(str(file))}.")
    description = _text(row, "description", where)
    if command and not description:
        raise ValueError(f"{where}: 'description' is missing; the model reads it.")
    return Tool(
        name=name,
        kind=kind,
        runner="python" if function else "command",
        description=description,
        file=file,
        function=function,
        command=_found(command, folder),
        folder=folder / _text(row, "folder", where),
        parameters=cast("dict[str, Any] | None", parameters),
        time_limit=_limit(row, "time_limit", DEFAULT_TIME_LIMIT, where),
        output_limit=int(_limit(row, "output_limit", DEFAULT_OUTPUT_LIMIT, where)),
        environment=_environment(row, where),
        origin=origin,
    )


def _server(row: Mapping[str, Any], folder: Path, origin: str) -> McpServer:
    """One `[[mcp]]`: `name`, and `command = ["PROGRAM", ...]` or `url = "http://..."`."""
    name = _name(row, "MCP server")
    where = f"MCP server {name!r}"
    _known(row, {"name", "command", "url", "folder", "environment", "time_limit"}, where)
    command, url = _words(row, "command", where), _text(row, "url", where)
    if bool(command) == bool(url):
        raise ValueError(f"{where}: give either 'command' or 'url'.")
    if url and not url.startswith(("http://", "https://")):
        raise ValueError(f"{where}: 'url' must begin with http:// or https://.")
    return McpServer(
        name,
        _found(command, folder),
        url,
        folder / _text(row, "folder", where),
        _environment(row, where),
        _limit(row, "time_limit", DEFAULT_TIME_LIMIT, where),
        origin,
    )


def _rows(document: Mapping[str, Any], key: str) -> list[Mapping[str, Any]]:
    rows: object = document.get(key, [])
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in cast("list[object]", rows)):
        raise ValueError(f"write [[{key}]] above each of them.")
    return cast("list[Mapping[str, Any]]", rows)


def _known(row: Mapping[str, Any], names: set[str] | frozenset[str], where: str) -> None:
    for name in row:
        if name not in names:
            raise ValueError(f"{where}: there is no key {visible_line(name)!r}.")


def _name(row: Mapping[str, Any], what: str) -> str:
    name: object = row.get("name")
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        raise ValueError(f"a {what} needs a 'name' of letters, digits, - and _, 64 at most.")
    return name


def _text(row: Mapping[str, Any], key: str, where: str) -> str:
    value: object = row.get(key, "")
    if not isinstance(value, str) or "\0" in value:
        raise ValueError(f"{where}: {key!r} must be a text.")
    return value


def _words(row: Mapping[str, Any], key: str, where: str) -> tuple[str, ...]:
    value: object = row.get(key, [])
    words = cast("list[object]", value) if isinstance(value, list) else [None]
    if not all(isinstance(word, str) and "\0" not in word for word in words):
        raise ValueError(f"{where}: {key!r} must be a list of texts.")
    return tuple(str(word) for word in words)


def _limit(row: Mapping[str, Any], key: str, default: float, where: str) -> float:
    value: object = row.get(key, default)
    if not isinstance(value, (int, float)) or isinstance(value, bool) or not 0 < value < _HIGHEST:
        raise ValueError(f"{where}: {key!r} must be a number above 0 and below {_HIGHEST:,}.")
    return float(value)


def _environment(row: Mapping[str, Any], where: str) -> tuple[str, ...]:
    names = _words(row, "environment", where)
    for name in names:
        if _SECRET.search(name):
            raise ValueError(f"{where}: {visible_line(name)} holds a secret; tools are never given one.")
    return names


def _found(command: Sequence[str], folder: Path) -> tuple[str, ...]:
    """A program that is named with a folder is found in the file's."""
    if command and "/" in command[0]:
        return (str(folder / command[0]), *command[1:])
    return tuple(command)


def _contents(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(_LONGEST_SOURCE)
    except OSError:
        return b""


def _digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()[:24]
