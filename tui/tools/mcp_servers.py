"""MCP servers, through the official `mcp` package: the only module that imports it (the extra `mcp`).

A connection is held by one task from its beginning to its end, as the package's contexts ask for that.
Source: the Model Context Protocol's specification; README of `mcp` 2.
"""

from __future__ import annotations

import asyncio
import json
import os
import re
from contextlib import AsyncExitStack
from typing import Any, Final, TextIO, cast

from mcp import Client, MCPError, StdioServerParameters, stdio_client

from tui.core.errors import InputError
from tui.core.text import storable, visible_line
from tui.tools.definitions import McpServer, Tool
from tui.tools.process import clean_environment
from tui.tools.running import Output

__all__ = ["McpServers"]

_START_LIMIT: Final = 20.0
_END_LIMIT: Final = 5.0
_OUTPUT_LIMIT: Final = 100_000
_NOT_IN_NAMES: Final = re.compile(r"[^A-Za-z0-9_-]")


class McpServers:
    """The connections of a run, each made when it is first needed."""

    def __init__(self) -> None:
        self._open: dict[McpServer, _Connection] = {}

    async def tools_of(self, server: McpServer) -> tuple[Tool, ...]:
        """The tools of a server, named SERVER__TOOL.

        Raises:
            InputError: It cannot be reached, or does not speak MCP.
        """
        client = await self._client(server)
        try:
            async with asyncio.timeout(_START_LIMIT):
                listed = await client.list_tools()
        except (MCPError, TimeoutError, OSError) as error:
            raise _unusable(server, error) from None
        return tuple(
            Tool(
                name=f"{server.name}__{_NOT_IN_NAMES.sub('_', tool.name)}"[:64],
                kind="function",
                runner="mcp",
                description=tool.description or tool.title or tool.name,
                function=tool.name,
                parameters=tool.input_schema,
                time_limit=server.time_limit,
                origin=server.origin,
                server=server,
            )
            for tool in listed.tools
        )

    async def call(self, tool: Tool, arguments: str) -> Output:
        """Call a tool of a server; what goes wrong is an output too."""
        assert tool.server is not None
        try:
            client = await self._client(tool.server)
            async with asyncio.timeout(tool.time_limit):
                result = await client.call_tool(tool.function, json.loads(arguments or "{}"))
        except TimeoutError:
            return Output(f"The tool did not answer within {tool.time_limit:g} s.", failed=True)
        except (MCPError, InputError, OSError, RuntimeError) as error:
            await self._close(tool.server)
            return Output(storable(f"The MCP server failed: {error}"), failed=True)
        texts: list[str] = []
        for part in result.content:
            told = part.model_dump(mode="json", exclude_none=True)
            text = told.get("text")
            texts.append(text if isinstance(text, str) else f"[{told.get('type', 'content')} left out]")
        data = "\n".join(texts).encode("utf-8", "replace")
        words = data[:_OUTPUT_LIMIT].decode("utf-8", "ignore")
        if len(data) > _OUTPUT_LIMIT:
            words += f"\n[The output was {len(data):,} bytes long; the first {_OUTPUT_LIMIT:,} are here.]"
        return Output(storable(words), failed=bool(result.is_error))

    async def aclose(self) -> None:
        """End every connection."""
        for server in list(self._open):
            await self._close(server)

    async def _client(self, server: McpServer) -> Client:
        connection = self._open.get(server)
        if connection is None or connection.task.done():
            connection = self._open[server] = _Connection(server)
        try:
            # Whoever is stopped while it connects must not take the connection from the others.
            return await asyncio.shield(connection.client)
        except (MCPError, OSError, RuntimeError, TimeoutError, ExceptionGroup) as error:
            self._open.pop(server, None)
            raise _unusable(server, error) from None

    async def _close(self, server: McpServer) -> None:
        connection = self._open.pop(server, None)
        if connection is not None:
            connection.leave.set()
            done, _ = await asyncio.wait([connection.task], timeout=_END_LIMIT)
            if not done:
                connection.task.cancel()
                await asyncio.wait([connection.task], timeout=_END_LIMIT)


class _Connection:
    """One connection, and the task that holds it."""

    def __init__(self, server: McpServer) -> None:
        self.leave = asyncio.Event()
        self.client: asyncio.Future[Client] = asyncio.get_running_loop().create_future()
        # Nobody need be waiting when it fails.
        self.client.add_done_callback(lambda future: future.cancelled() or future.exception())
        self.task = asyncio.create_task(self._hold(server))

    async def _hold(self, server: McpServer) -> None:
        try:
            async with AsyncExitStack() as stack:
                # What a server writes to standard error must not reach the terminal.
                nowhere = stack.enter_context(_nowhere())
                where: Any = server.url or stdio_client(_parameters(server), errlog=nowhere)
                async with asyncio.timeout(_START_LIMIT):
                    client = await stack.enter_async_context(Client(where))
                self.client.set_result(client)
                await self.leave.wait()
        except Exception as error:  # The task's edge: who asks for the client gets it.
            if not self.client.done():
                self.client.set_exception(error)


def _parameters(server: McpServer) -> StdioServerParameters:
    return StdioServerParameters(
        command=server.command[0],
        args=list(server.command[1:]),
        env=clean_environment(os.environ, server.environment),
        cwd=server.folder,
    )


def _unusable(server: McpServer, error: BaseException) -> InputError:
    while isinstance(error, BaseExceptionGroup):
        error = cast("BaseExceptionGroup[BaseException]", error).exceptions[0]
    reason = "it does not answer" if isinstance(error, TimeoutError) else visible_line(str(error))
    return InputError(f"The MCP server {server.name} cannot be used: {reason or type(error).__name__}.")


def _nowhere() -> TextIO:
    return open(os.devnull, "w", encoding="utf-8")
