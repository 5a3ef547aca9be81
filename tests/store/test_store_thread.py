"""The thread of the history: order, errors, cancellation, closing, and exits that never hang."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from support.store_support import conversation, turn

from tui.core.errors import StoreError
from tui.store.history import History
from tui.store.thread import StoreThread


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "history.db"


@pytest.fixture
def store(path):
    store = StoreThread(path)
    yield store
    store.close()


async def test_calls_run_in_one_other_thread_in_the_order_they_were_made(store):
    order: list[tuple[int, int]] = []

    def note(history: History, number: int) -> int:
        order.append((number, threading.get_ident()))
        return number

    assert await asyncio.gather(*(store.call(note, n) for n in range(50))) == list(range(50))
    assert [number for number, _ in order] == list(range(50))
    assert len({thread for _, thread in order}) == 1
    assert order[0][1] != threading.get_ident()


async def test_results_and_errors_reach_the_caller(store):
    await store.call(History.save_conversation, conversation())
    await store.call(History.save_turn, "c1", turn("t1", "hello"))
    assert (await store.call(History.load, "c1")).tip == "t1"
    assert [line.id for line in await store.call(History.list, limit=5)] == ["c1"]
    with pytest.raises(StoreError, match="no conversation nope"):
        await store.call(History.load, "nope")

    def breaks(history: History) -> None:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await store.call(breaks)
    assert (await store.call(History.load, "c1")).tip == "t1"


async def test_the_loop_is_free_while_the_history_works(store):
    gate = threading.Event()

    def wait(history: History) -> bool:
        return gate.wait(5)

    waiting = asyncio.create_task(store.call(wait))
    for _ in range(20):
        await asyncio.sleep(0)
    assert not waiting.done()
    gate.set()
    assert await waiting


async def test_cancelling_the_caller_does_not_take_a_save_back(store):
    gate = threading.Event()

    def save(history: History) -> None:
        gate.wait(5)
        history.save_draft("", "typed")

    task = asyncio.create_task(store.call(save))
    queued = asyncio.create_task(store.call(History.save_draft, "c1", "queued"))
    await asyncio.sleep(0)
    task.cancel()
    queued.cancel()
    gate.set()
    assert await store.call(History.drafts) == {"": "typed", "c1": "queued"}
    for one in (task, queued):
        with pytest.raises(asyncio.CancelledError):
            await one


async def test_closing_finishes_what_was_asked_and_refuses_more(store, path):
    def slow(history: History) -> None:
        time.sleep(0.02)
        history.save_draft("", "last words")

    pending = asyncio.create_task(store.call(slow))
    await asyncio.sleep(0)
    assert store.close()
    assert await pending is None
    with pytest.raises(StoreError, match="closed"):
        await store.call(History.drafts)
    assert store.close()
    history = History(path)
    assert history.load_draft("").text == "last words"
    history.close()


async def test_closing_from_the_loop_lets_others_run(path):
    store = StoreThread(path)
    pending = [asyncio.create_task(store.call(History.save_draft, f"c{n}", "x")) for n in range(20)]
    await asyncio.sleep(0)
    await store.aclose()
    await asyncio.gather(*pending)
    await StoreThread(path).aclose()
    history = History(path)
    assert len(history.drafts()) == 20
    history.close()


async def test_a_history_that_cannot_be_opened_is_said_once_and_kept_in_memory_until_it_can(tmp_path):
    place = tmp_path / "folder"
    place.write_text("in the way")
    told: list[str] = []
    store = StoreThread(place / "history.db", told.append)
    for text in ("a", "ab"):
        await store.call(History.save_draft, "c1", text)
    assert await store.call(History.drafts) == {"c1": "ab"}
    (sentence,) = told
    assert "cannot be opened" in sentence and "goes on in memory" in sentence
    place.unlink()
    await store.aclose()
    assert len(told) == 2 and "can be written again" in told[1]
    history = History(place / "history.db")
    assert history.load_draft("c1").text == "ab"
    history.close()


def test_code_without_a_loop_can_wait(store):
    store.call_now(History.save_draft, "", "now")
    assert store.call_now(History.load_draft, "").text == "now"
    with pytest.raises(StoreError, match="no conversation"):
        store.call_now(History.load, "nope")


@pytest.mark.parametrize("ending", ["pass", "asyncio.run(store.call(History.save_draft, '', 'x'))"])
def test_an_exit_without_closing_saves_and_does_not_hang(path, ending):
    code = (
        "import asyncio, sys\n"
        "from pathlib import Path\n"
        "from tui.store.history import History\n"
        "from tui.store.thread import StoreThread\n"
        "store = StoreThread(Path(sys.argv[1]))\n"
        "async def main():\n"
        "    task = asyncio.create_task(store.call(History.save_draft, 'late', 'saved'))\n"
        "    await asyncio.sleep(0)\n"
        "    task.cancel()\n"
        f"asyncio.run(main())\n{ending}"
    )
    result = subprocess.run(
        [sys.executable, "-c", code, str(path)], capture_output=True, text=True, timeout=20, check=False
    )
    assert (result.returncode, result.stderr) == (0, "")
    history = History(path)
    assert history.load_draft("late").text == "saved"
    history.close()


def test_an_exit_does_not_wait_for_a_call_that_hangs(path):
    code = (
        "import asyncio, sys, threading\n"
        "from pathlib import Path\n"
        "from tui.store.thread import StoreThread\n"
        "store = StoreThread(Path(sys.argv[1]))\n"
        "async def main():\n"
        "    task = asyncio.create_task(store.call(lambda history: threading.Event().wait()))\n"
        "    await asyncio.sleep(0)\n"
        "    task.cancel()\n"
        "asyncio.run(main())\n"
        "print(store.close(0.05))"
    )
    result = subprocess.run(
        [sys.executable, "-c", code, str(path)], capture_output=True, text=True, timeout=20, check=False
    )
    assert (result.stdout.strip(), result.stderr) == ("False", "")
