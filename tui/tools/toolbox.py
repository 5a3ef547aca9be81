"""Every tool there is: those of the config folder, of the files named on the command line, and presets."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from tui.core.ahead import imported
from tui.core.errors import InputError
from tui.core.text import visible_line
from tui.core.tools import ToolOn
from tui.tools.definitions import DEFAULT_ROUNDS, McpServer, Tool, read_tools
from tui.tools.running import Output, described, run_tool

if TYPE_CHECKING:
    from tui.tools.mcp_servers import McpServers

__all__ = ["Toolbox"]


class Toolbox:
    """The tools of a run. Nothing of them is run, nor imported, before one is turned on.

    Args:
        files: Files of tools, in order; a later one that declares a name takes it.
    """

    def __init__(self, files: Iterable[Path] = ()) -> None:
        self._files = list(dict.fromkeys(files))
        self._tools: dict[str, Tool] = {}
        self._servers: dict[str, McpServer] = {}
        self._mcp: McpServers | None = None
        self._described: dict[str, str] = {}
        self.rounds = DEFAULT_ROUNDS

    def add_file(self, path: Path) -> None:
        """Take one more file in; `load` reads it."""
        if path not in self._files:
            self._files.append(path)

    async def load(self) -> None:
        """Read the files anew; tools of MCP servers that are connected stay.

        Raises:
            InputError: One cannot be read.
        """
        files = [await asyncio.to_thread(read_tools, path) for path in self._files]
        connected = {name: tool for name, tool in self._tools.items() if tool.runner == "mcp"}
        self._tools = {tool.name: tool for file in files for tool in file.tools} | connected
        self._servers = {server.name: server for file in files for server in file.servers}
        self.rounds = files[-1].rounds if files else DEFAULT_ROUNDS

    @property
    def tools(self) -> Sequence[Tool]:
        """Those that are known, in the order of the files."""
        return tuple(self._tools.values())

    @property
    def servers(self) -> Sequence[McpServer]:
        """The MCP servers that are declared, connected or not."""
        return tuple(self._servers.values())

    def tool(self, name: str) -> Tool | None:
        """The tool of that name."""
        return self._tools.get(name)

    def of_file(self, path: Path) -> tuple[Tool, ...]:
        """The tools that a file declares."""
        return tuple(tool for tool in self._tools.values() if tool.origin == str(path))

    async def turned_on(self, name: str) -> ToolOn:
        """Make a tool ready to be offered; imports a Python function in a child process.

        Raises:
            InputError: There is none of that name, or it cannot be used.
        """
        tool = self._tools.get(name)
        if tool is None:
            raise InputError(f"There is no tool called {visible_line(name)}.")
        fingerprint = await asyncio.to_thread(lambda: tool.fingerprint)
        if fingerprint not in self._described:
            self._described[fingerprint] = await described(tool)
        return ToolOn(name, self._described[fingerprint], fingerprint)

    async def run(self, on: ToolOn, arguments: str) -> Output:
        """Run a tool that is on, if it is still what it was when it was turned on."""
        tool = self._tools.get(on.name)
        if tool is None and "__" in on.name and (server := self._servers.get(on.name.partition("__")[0])):
            # Turned on in an earlier run: its server was allowed then, and is the same now.
            function = on.name.partition("__")[2]
            known = Tool(on.name, "function", "mcp", function=function, origin=server.origin, server=server)
            tool = known if known.fingerprint == on.fingerprint else None
        if tool is None:
            return Output(f"There is no tool called {on.name} here.", failed=True)
        if await asyncio.to_thread(lambda: tool.fingerprint) != on.fingerprint:
            return Output(f"The tool {on.name} was changed since it was turned on, and is off.", failed=True)
        if tool.server is not None:
            return await (await self._connections()).call(tool, arguments)
        return await run_tool(tool, arguments)

    # -- MCP -------------------------------------------------------------------------------------------

    async def connect(self, name: str) -> tuple[Tool, ...]:
        """Connect to an MCP server and learn its tools; they are named SERVER__TOOL.

        Raises:
            InputError: There is none of that name, it does not answer, or the `mcp` extra is missing.
        """
        server = self._servers.get(name)
        if server is None:
            raise InputError(f"There is no MCP server called {visible_line(name)}.")
        tools = await (await self._connections()).tools_of(server)
        for tool in tools:
            self._tools[tool.name] = tool
            self._described[tool.fingerprint] = await described(tool)
        return tools

    async def _connections(self) -> McpServers:
        if self._mcp is None:
            try:
                await imported("tui.tools.mcp_servers")
            except ModuleNotFoundError:
                raise InputError(
                    "MCP servers need the extra 'mcp': install outcrop[mcp] and start again."
                ) from None
            from tui.tools.mcp_servers import McpServers

            self._mcp = McpServers()
        return self._mcp

    async def aclose(self) -> None:
        """End the connections and the servers that were started for them."""
        if self._mcp is not None:
            await self._mcp.aclose()
