"""Tools by lines: a preset is turned on once its code was read, and each call is asked about in words."""

from __future__ import annotations

import os
import subprocess
import sys

LINES = """yes
Normalize the order id bc 1042, then look up the order status, then the replacement policy
yes
edit
{"order_id": "BC-2077"}
no
/tools off order_status
/tools
/tool-choice replacement_policy
/tool-choice
/answers
/answers jsonl
"""


def test_calls_are_asked_about_in_words() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "tui", "--plain", "--sandbox", "--preset", "brightcart"],
        input=LINES,
        capture_output=True,
        text=True,
        timeout=60,
        env=dict(os.environ),
    )
    assert done.returncode == 0, done.stdout + done.stderr
    said = done.stdout.splitlines()
    assert said.index("def order_status(order_id: str) -> dict[str, Any]:") < said.index(
        "This would run on your machine. Turn it on? Type yes or no: yes"
    )
    for line in (
        "The model calls the tool normalize_order_id, with:",
        "input: Normalize the order id bc 1042",
        "order_id: BC-1042",
        "The tool replacement_policy was not run: The user did not allow this call.",
        "order_status, off: function, runs shop.py:order_status.",
        "replacement_policy, on: function, runs shop.py:replacement_policy.",
        "The tool choice is replacement_policy from the next turn on.",
    ):
        assert line in said, done.stdout
    assert any(line.startswith("Turn 4: order_id: BC-1042; problem:") for line in said), (
        "no answers were read"
    )
    assert '{"order_id":"BC-1042","problem":' in done.stdout, "no JSON Lines"
    assert any('"item":"Tern speaker"' in line for line in said), "the changed arguments were not used"
