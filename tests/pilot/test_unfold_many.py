"""What has many values in it is unfolded in a thread: meanwhile the program answers."""

from __future__ import annotations

import asyncio
import json
import threading

import pytest
from ui_samples import OneWidget

from tui.widgets.inspection.json_node import Node
from tui.widgets.inspection.json_tree import JsonTree
from tui.widgets.inspection.page import PageLines


async def test_many_values_are_read_in_a_thread_and_then_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    text = json.dumps({"model": "m", "input": [{"n": n} for n in range(3_000)], "few": [1, 2]})
    readers: list[threading.Thread] = []
    go_on = threading.Event()
    children = Node.children.fget
    assert children is not None

    def read(node: Node) -> list[Node]:
        if node.count > 2_000 and node._children is None:
            readers.append(threading.current_thread())
            go_on.wait(10)
        return children(node)

    app = OneWidget()
    async with app.run_test(size=(80, 24)) as pilot:
        page = PageLines()
        await app.mount(page)
        tree = JsonTree(text, [], 80, 100)
        page.show_rows(tree, fresh=True)
        page.focus()
        rows = len(tree)
        monkeypatch.setattr(Node, "children", property(read))
        page.move_cursor(2)
        assert page.node is not None and page.node.key == "input"
        await pilot.press("enter")
        # The loop goes on; what else would change the rows waits for the user to ask again.
        await pilot.press("enter", "minus", "down")
        await asyncio.sleep(0)
        assert len(tree) == rows
        go_on.set()
        await app.workers.wait_for_complete()
        await pilot.pause()
        assert len(readers) == 1 and readers[0] is not threading.main_thread()
        assert len(tree) == rows + 3_000
        assert page.virtual_size.height == len(tree)
        assert page.node is not None and page.node.key == "input"
        await pilot.press("enter")
        assert len(tree) == rows
