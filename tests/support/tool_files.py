"""Files of tools for tests, and answers to the questions that are asked about calls."""

from __future__ import annotations

import sys
from pathlib import Path

from tui.core.tools import Answer, Question, Verdict

__all__ = ["Says", "write_tools"]

_CODE = '''
import sys, time
from typing import Literal

def order_status(order_id: str) -> dict[str, str]:
    """Where an order is."""
    with open(LOG, "a") as log:
        log.write(order_id + "\\n")
    print("this is not the answer")
    return {"order_id": order_id, "state": "shipped"}

def broken_thing(order_id: str) -> str:
    """Fails always."""
    raise RuntimeError("the shelf fell over")

def normalize_text(text: str) -> str:
    """Tidies a text."""
    return text.upper()

def slow_thing(seconds: int = 60) -> str:
    """Takes its time."""
    time.sleep(seconds)
    return "done"
'''

_TOML = """
rounds = {rounds}

[[tool]]
name = "order_status"
function = "orders.py:order_status"

[[tool]]
name = "broken_thing"
function = "orders.py:broken_thing"

[[tool]]
name = "normalize_text"
type = "custom"
function = "orders.py:normalize_text"

[[tool]]
name = "hanging_thing"
description = "Hangs, with a child of its own"
command = ["sh", "-c", "echo begun; sleep 120 & echo $! > {folder}/child.pid; wait"]
time_limit = 0.5

[[tool]]
name = "endless_thing"
description = "Waits until it is stopped"
command = ["sh", "-c", "sleep 120 & echo $! > {folder}/child.pid; wait"]

[[tool]]
name = "flooding_thing"
description = "Writes a hundred megabytes"
command = ["{python}", "-c", "import sys\\nfor _ in range(100): sys.stdout.write('x' * 1000000)"]
output_limit = 1000

[[tool]]
name = "environment_thing"
description = "Says what it was given"
command = ["sh", "-c", "cat; env | sort"]
"""


def write_tools(folder: Path, *, rounds: int = 16) -> Path:
    """Tools that work, fail, hang and flood; `orders.log` in the folder says what ran."""
    folder.mkdir(parents=True, exist_ok=True)
    log = folder / "orders.log"
    (folder / "orders.py").write_text(_CODE.replace("LOG", repr(str(log))))
    path = folder / "tools.toml"
    path.write_text(_TOML.format(rounds=rounds, folder=folder, python=sys.executable))
    return path


class Says:
    """Answers every question in the same way, and remembers them."""

    def __init__(
        self, verdict: Verdict = "once", arguments: str | None = None, output: str | None = None
    ) -> None:
        self.asked: list[Question] = []
        self.reviewed: list[str] = []
        self._answer = Answer(verdict, arguments, review=output is not None)
        self._output = output

    async def approve(self, question: Question) -> Answer:
        self.asked.append(question)
        return self._answer

    async def review(self, question: Question, output: str) -> str:
        self.reviewed.append(output)
        return self._output or output
