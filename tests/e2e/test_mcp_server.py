"""Official MCP servers: the time server over stdio, and the package's own over streamable HTTP."""

from __future__ import annotations

import asyncio
import importlib.util
import json
import os
import socket
import sys
from contextlib import suppress
from pathlib import Path

import pytest
from support.sessions import make_session
from support.tool_files import Says

from tui.core.errors import InputError
from tui.core.events import TurnEnded
from tui.core.tool_calls import CallState
from tui.sandbox.server import SandboxServer

pytestmark = pytest.mark.skipif(
    importlib.util.find_spec("mcp") is None or importlib.util.find_spec("mcp_server_time") is None,
    reason="the extra 'mcp' and mcp-server-time are not installed",
)


async def test_the_official_time_server_is_a_tool_like_any_other(
    sandbox: SandboxServer, tmp_path: Path
) -> None:
    file = tmp_path / "tools.toml"
    file.write_text(f'[[mcp]]\nname = "time"\ncommand = ["{sys.executable}", "-m", "mcp_server_time"]\n')
    session = make_session(sandbox)
    session.tool_files = (file,)
    os.environ["AWS_BEARER_TOKEN_BEDROCK"] = "never-a-server-s"
    try:
        toolbox = await session.toolbox()
        assert toolbox.tools == () and [server.name for server in toolbox.servers] == ["time"]
        names = [tool.name for tool in await toolbox.connect("time")]
        assert names == ["time__get_current_time", "time__convert_time"]
        conversation = await session.new()
        await session.turn_on(conversation.id, names[:1])
        definition = json.loads(session.conversation(conversation.id).tools.on[0].definition)
        assert definition["parameters"]["properties"].keys() == {"timezone"}
        asker = Says(arguments='{"timezone": "Europe/Oslo"}')
        send = session.send(conversation.id, "Get the current time, please")
        turns = [
            e.turn async for e in session.with_tools(conversation.id, send, asker) if isinstance(e, TurnEnded)
        ]
        assert [question.call.name for question in asker.asked] == ["time__get_current_time"]
        (record,) = session.conversation(conversation.id).turns[turns[0].id].calls
        assert record.state is CallState.DONE
        assert json.loads(record.output)["timezone"] == "Europe/Oslo"
        assert "Europe/Oslo" in turns[-1].text
        # What the server says is wrong goes back, marked as failed.
        again = session.send(conversation.id, "Get the current time again")
        wrong = Says(arguments='{"timezone": "Nowhere/At_all"}')
        turns = [
            e.turn
            async for e in session.with_tools(conversation.id, again, wrong)
            if isinstance(e, TurnEnded)
        ]
        (record,) = session.conversation(conversation.id).turns[turns[0].id].calls
        assert record.state is CallState.FAILED and "Nowhere" in record.output
    finally:
        del os.environ["AWS_BEARER_TOKEN_BEDROCK"]
        await session.aclose()


_SERVER = '''
import sys
from mcp.server.mcpserver import MCPServer

server = MCPServer("sums")

@server.tool()
def add(a: int, b: int) -> int:
    """Adds two numbers"""
    return a + b

server.run(transport="streamable-http", host="127.0.0.1", port=int(sys.argv[1]))
'''


async def test_a_server_over_streamable_http(sandbox: SandboxServer, tmp_path: Path) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    (tmp_path / "server.py").write_text(_SERVER)
    process = await asyncio.create_subprocess_exec(
        sys.executable, str(tmp_path / "server.py"), str(port), stderr=asyncio.subprocess.DEVNULL
    )
    file = tmp_path / "tools.toml"
    file.write_text(f'[[mcp]]\nname = "sums"\nurl = "http://127.0.0.1:{port}/mcp"\n')
    session = make_session(sandbox)
    session.tool_files = (file,)
    try:
        toolbox = await session.toolbox()
        for _ in range(150):
            with suppress(OSError):
                _, writer = await asyncio.open_connection("127.0.0.1", port)
                writer.close()
                break
            await asyncio.sleep(0.1)
        assert [tool.name for tool in await toolbox.connect("sums")] == ["sums__add"]
        conversation = await session.new()
        await session.turn_on(conversation.id, ["sums__add"])
        send = session.send(conversation.id, "Add the sums")
        asker = Says(arguments='{"a": 20, "b": 22}')
        turns = [
            e.turn async for e in session.with_tools(conversation.id, send, asker) if isinstance(e, TurnEnded)
        ]
        assert turns[-1].input[0].payload["output"] == "42"
    finally:
        await session.aclose()
        process.terminate()
        await process.wait()


async def test_a_server_that_is_not_there_is_said(sandbox: SandboxServer, tmp_path: Path) -> None:
    file = tmp_path / "tools.toml"
    file.write_text('[[mcp]]\nname = "none"\ncommand = ["./no-such-program"]\n')
    session = make_session(sandbox)
    session.tool_files = (file,)
    toolbox = await session.toolbox()
    with pytest.raises(InputError, match="The MCP server none cannot be used"):
        await toolbox.connect("none")
    await session.aclose()
