"""Opening the inspector on large exchanges costs no more than on small ones.

    python tests/benchmarks/inspector.py [--runs N] [--quick]

The inspector as a full screen of 120x40 in Textual's own driver. Each figure is the least of several runs:
from the key to the first picture after it, from the key to the content of the page (of a body of ten
megabytes of small items its beginning, which fills the screen), and the most CPU that the event loop's thread
used in one go meanwhile (what a key typed then would have waited on a machine that does nothing else).
"""

from __future__ import annotations

import asyncio
import base64
import json
import sys
import time
from dataclasses import dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from harness import Report, main
from ui_samples import OneWidget, event, exchange, request_body, stream_events

from tui.core.exchange import Exchange
from tui.core.recorded_events import Events
from tui.screens.inspector_screen import InspectorScreen
from tui.widgets.inspection.json_tree import JsonTree
from tui.widgets.inspection.page import PageLines
from tui.widgets.inspection.views import Tab

LARGE_BODY = 30_000_000
MANY_EVENTS = 100_000
LONGEST_STALL = 0.05
"""Seconds of CPU that the loop may use in one go for the large ones."""


@dataclass
class Opened:
    """One opening of a tab, in seconds."""

    picture: float
    content: float
    stall: float


def large_body() -> bytes:
    """Thirty megabytes, nearly all of them one PDF."""
    data = "data:application/pdf;base64," + base64.b64encode(bytes(LARGE_BODY * 3 // 4)).decode()
    content = [{"type": "input_file", "filename": "large.pdf", "file_data": data}]
    return json.dumps(request_body(input=[{"role": "user", "content": content}])).encode()


def many_items() -> bytes:
    """Ten megabytes of small items."""
    items = [{"role": "user", "content": f"question {n} " + "x" * 60} for n in range(100_000)]
    return json.dumps(request_body(input=items)).encode()


def long_stream() -> Exchange:
    """A hundred thousand deltas."""
    some = stream_events(["word "] * 3)
    one = exchange(1, events=some[:3])
    one.events = Events(one.chunks)
    at = 0
    for n in range(MANY_EVENTS):
        record = event("response.output_text.delta", n / 1000, at, delta=f"word {n} ")
        raw = f"event: {record.type}\ndata: {record.data}\n\n".encode()
        one.chunks.add(n / 1000, raw)
        at = one.chunks.size
        one.events.add(n / 1000, record.type, at - len(raw), at)
    for record in some[-2:]:
        raw = f"event: {record.type}\ndata: {record.data}\n\n".encode()
        one.chunks.add(200.0, raw)
        at = one.chunks.size
        one.events.add(200.0, record.type, at - len(raw), at)
    return one


async def open_tab(exchanges: list[Exchange], tab: Tab, form: int) -> Opened:
    """Open a tab of the inspector in one of its forms, of bodies that nobody has looked at before."""
    for each in exchanges:
        each.request_body = each.request_body
    app = OneWidget()
    async with app.run_test(size=(120, 40)) as pilot:
        screen = InspectorScreen(exchanges)
        await app.push_screen(screen)
        inspector, page = screen.inspector, screen.query_one(PageLines)
        inspector.show_tab(Tab.SHAPE if tab is not Tab.SHAPE else Tab.DIFF)
        await app.workers.wait_for_complete()
        await pilot.pause()
        before = page.rows
        watch = asyncio.create_task(_longest_stall())
        await asyncio.sleep(0.005)
        drawn = asyncio.Event()
        began = time.perf_counter()
        inspector._forms[tab] = form
        inspector.show_tab(tab)
        screen.call_after_refresh(drawn.set)
        await drawn.wait()
        picture = time.perf_counter() - began
        while page.rows is before or "Reading" in page.rows.plain_row(0, 120).text:  # noqa: ASYNC110
            await asyncio.sleep(0.001)
        content = time.perf_counter() - began
        await app.workers.wait_for_complete()
        watch.cancel()
        await asyncio.sleep(0)
    return Opened(picture, content, STALLS.pop())


async def unfold(text: str) -> Opened:
    """Unfold the array of a tree; its rows count as the content."""
    app = OneWidget()
    async with app.run_test(size=(120, 40)) as pilot:
        page = PageLines()
        await app.mount(page)
        tree = await asyncio.to_thread(JsonTree, text, [], 120, 2000)
        page.show_rows(tree, fresh=True)
        place = next(n for n in range(len(tree)) if (node := tree.node_at(n)) and node.key == "input")
        page.focus()
        page.move_cursor(place)
        await pilot.pause()
        before = len(tree)
        watch = asyncio.create_task(_longest_stall())
        await asyncio.sleep(0.005)
        began = time.perf_counter()
        page.action_fold()
        picture = time.perf_counter() - began
        while len(tree) == before:  # noqa: ASYNC110
            await asyncio.sleep(0.001)
        content = time.perf_counter() - began
        await app.workers.wait_for_complete()
        await pilot.pause()
        watch.cancel()
        await asyncio.sleep(0)
    return Opened(picture, content, STALLS.pop())


STALLS: list[float] = []


async def _longest_stall() -> None:
    longest = 0.0
    last = time.thread_time()
    try:
        while True:
            await asyncio.sleep(0.001)
            now = time.thread_time()
            longest = max(longest, now - last)
            last = now
    finally:
        STALLS.append(longest)


def least(runs: list[Opened]) -> Opened:
    """The least of each figure."""
    return Opened(*(min(getattr(run, name) for run in runs) for name in ("picture", "content", "stall")))


def cases() -> list[tuple[str, Tab, int, list[Exchange], list[Exchange]]]:
    """What is opened: the tab and its form, the small exchanges and the large ones."""
    small = exchange(1, events=stream_events(["word "] * 20))
    pdf = exchange(1, body=large_body(), events=stream_events(["word "] * 20))
    items = exchange(1, body=many_items(), events=stream_events(["word "] * 20))
    stream = long_stream()
    before = exchange(0, body=large_body(), events=stream_events(["word "] * 20))
    before.started_at -= 60
    return [
        ("Shape, 30 MB body", Tab.SHAPE, 0, [small], [pdf]),
        ("Request as a tree, 30 MB body", Tab.REQUEST, 0, [small], [pdf]),
        ("Request as a tree, 100,000 items", Tab.REQUEST, 0, [small], [items]),
        ("Request as raw bytes, 30 MB", Tab.REQUEST, 1, [small], [pdf]),
        ("Stream, 100,000 events", Tab.STREAM, 0, [small], [stream]),
        ("Stream as raw bytes, 100,000 events", Tab.STREAM, 1, [small], [stream]),
        ("Response, 100,000 events", Tab.RESPONSE, 0, [small], [stream]),
        ("Diff of two 30 MB bodies", Tab.DIFF, 0, [small, small], [before, pdf]),
        ("Cache, 30 MB bodies", Tab.CACHE, 0, [small], [before, pdf]),
    ]


def measure(report: Report, only: str) -> None:
    """The rows about the inspector."""
    if only not in "inspector":
        return
    for name, tab, form, little, much in cases():
        small, large = (
            least([asyncio.run(open_tab(which, tab, form)) for _ in range(report.runs)])
            for which in (little, much)
        )
        for part, limit in (("picture", None), ("content", None), ("stall", LONGEST_STALL * 1000)):
            figure = getattr(large, part) * 1000
            note = f"of a small one {getattr(small, part) * 1000:.0f}, least of {report.runs}"
            report.add(f"inspector, {name}: {part}", [figure], "ms", limit, note, digits=0)
    items = many_items().decode()
    unfolded = least([asyncio.run(unfold(items)) for _ in range(report.runs)])
    for part, limit in (("content", None), ("stall", LONGEST_STALL * 1000)):
        figure = getattr(unfolded, part) * 1000
        report.add(f"inspector, unfolding 100,000 items: {part}", [figure], "ms", limit, "", digits=0)


if __name__ == "__main__":
    if not any(option in sys.argv for option in ("--runs", "--quick")):
        sys.argv += ["--runs", "5"]
    main(measure, __doc__)
