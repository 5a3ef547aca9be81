"""A tool's program is ended whenever the call is stopped, also while it is being started."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path

import pytest
from support.programs import is_alive

from tui.tools.process import clean_environment, run_program

# A grandchild holds the pipes, as a server that a tool has started would.
HOLDS_ON = 'echo $$ >> "$1/pids"; sleep 60 & echo $! >> "$1/pids"; wait'


@pytest.mark.parametrize("steps", [*range(12), 20, 50])
async def test_a_call_that_is_stopped_while_its_program_starts_ends_at_once(tmp_path: Path, steps: int):
    call = asyncio.create_task(
        run_program(
            ["/bin/sh", "-c", HOLDS_ON, "sh", str(tmp_path)],
            b"",
            folder=tmp_path,
            environment=clean_environment(os.environ),
            time_limit=60,
            output_limit=100,
        )
    )
    for _ in range(steps):
        await asyncio.sleep(0.001 if steps > 11 else 0)
    call.cancel()
    async with asyncio.timeout(10):
        with pytest.raises(asyncio.CancelledError):
            await call
    begun = tmp_path / "pids"
    for pid in begun.read_text().split() if begun.exists() else ():
        assert not is_alive(int(pid))
