"""`outcrop ask` with tools: the preset from start to end, and what happens where nobody can be asked."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from reportlab.pdfgen.canvas import Canvas
from support.tool_files import write_tools

PROMPT = "Normalize the order id bc 1042, then look up the order status, then the replacement policy"


def ask(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "tui", "ask", "--sandbox", *arguments],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
        env={**os.environ, "AWS_BEARER_TOKEN_BEDROCK": "never-a-tool-s"},
    )


@pytest.mark.parametrize("mode", ["--stateful", "--stateless"])
def test_the_preset_finishes_and_tells_each_step(tmp_path: Path, mode: str) -> None:
    pdf = tmp_path / "order.pdf"
    canvas = Canvas(str(pdf))
    canvas.drawString(72, 720, "Claim for order bc 1042: the desk lamp came with a cracked shade.")
    canvas.save()
    done = ask("--preset", "brightcart", "--yes", mode, "-f", str(pdf), PROMPT, "--json")
    assert done.returncode == 0, done.stderr
    rows: list[dict[str, Any]] = [json.loads(line) for line in done.stdout.splitlines()]
    steps = [row["calls"] for row in rows if row["type"] == "step.ended"]
    assert steps == [["normalize_order_id"], ["order_status"], ["replacement_policy"]]
    assert sum(row["type"] == "turn.started" for row in rows) == 4
    calls = [row for row in rows if row["type"] == "tool.call"]
    assert [row["state"] for row in calls] == ["waiting", "running", "done"] * 3
    outputs = [row["output"] for row in calls if row["state"] == "done"]
    assert outputs[0] == "BC-1042"
    assert json.loads(outputs[1])["item"] == "Meadow desk lamp"
    assert json.loads(outputs[2]) == {
        "category": "lighting", "days": 30, "needs_photo": True, "ships_replacement_first": True,
    }  # fmt: skip
    last = rows[-1]
    assert last["type"] == "turn.ended" and last["outcome"] == "completed"
    assert json.loads(last["text"])["order_id"] == "BC-1042"
    assert rows[-2]["type"] == "answer.checked" and rows[-2]["valid"]


def test_without_a_terminal_nothing_runs_that_was_not_allowed(tmp_path: Path) -> None:
    tools = write_tools(tmp_path / "tools")
    done = ask("--tools", str(tools), "Tell the order status of BC-1")
    assert done.returncode == 0, done.stderr
    assert not (tmp_path / "tools" / "orders.log").exists()
    assert "order_status was not run: there is no terminal to ask at; --yes lets tools run." in done.stderr
    assert "The user did not allow this call." in done.stdout
    allowed = ask("--tools", str(tools), "--yes", "Tell the order status of BC-1")
    assert "shipped" in allowed.stdout and "order_status has run after" in allowed.stderr
    for wrong, sentence in (
        (["--preset", "nothing"], "There is no preset"),
        (["--tools", str(tmp_path / "no.toml")], "cannot be read"),
    ):
        refused = ask(*wrong, "Hello")
        assert refused.returncode == 2 and sentence in refused.stderr
