from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from textual.pilot import Pilot
from ui_samples import OneWidget, text_of

from tui.core.conversation import ConversationSummary
from tui.core.errors import StoreError
from tui.screens.history import ConfirmScreen, HistoryScreen

NOW = 1_790_000_000.0
SIZES = [(80, 24), (160, 48)]


class Shelf:
    """Conversations, and what was asked of them."""

    def __init__(self) -> None:
        self.rows = [
            ConversationSummary("c1", "Revenue on page 2", NOW - 900, NOW - 10, 7, False, "openai.gpt-5.4"),
            ConversationSummary("c2", "Two contracts", NOW - 9_000, NOW - 600, 2, True, "openai.gpt-5.5"),
            ConversationSummary("c3", "[/red]\x1b]0;evil\x07", NOW - 9e7, NOW - 8e7, 1, False),
        ]
        self.searched: list[str] = []
        self.deleted: list[str] = []
        self.broken = False

    async def list_all(self) -> list[ConversationSummary]:
        if self.broken:
            raise StoreError("The history cannot be read: the disk is gone.")
        return list(self.rows)

    async def search(self, text: str) -> list[ConversationSummary]:
        self.searched.append(text)
        found = [row for row in self.rows if text in row.title]
        return [replace(row, excerpt=f"…the words around\n{text}…") for row in found]

    async def delete(self, conversation_id: str) -> None:
        if self.broken:
            raise StoreError("It cannot be deleted: the disk is gone.")
        self.deleted.append(conversation_id)
        self.rows = [row for row in self.rows if row.id != conversation_id]


async def opened(pilot: Pilot[Any], shelf: Shelf, results: list[Any], **more: Any) -> str:
    screen = HistoryScreen(shelf.list_all, shelf.search, shelf.delete, now=lambda: NOW, **more)
    await pilot.app.push_screen(screen, results.append)
    return await settled(pilot)


async def settled(pilot: Pilot[Any]) -> str:
    await pilot.pause()
    workers = [worker for worker in pilot.app.workers if worker.group == "history"]
    await pilot.app.workers.wait_for_complete(workers)
    await pilot.pause()
    return text_of(pilot.app)


def line_with(screen: str, word: str) -> str:
    return next((line for line in screen.split("\n") if word in line), "")


@pytest.mark.parametrize("size", SIZES)
async def test_conversations_are_listed_with_when_turns_and_the_sandbox_mark(size: tuple[int, int]) -> None:
    app = OneWidget()
    async with app.run_test(size=size) as pilot:
        screen = await opened(pilot, Shelf(), [], current="c1")
        first = line_with(screen, "Revenue on page 2")
        assert "●" in first
        assert "just now" in first
        assert " 7 " in first
        assert "sandbox" not in first
        second = line_with(screen, "Two contracts")
        assert "10 min ago" in second
        assert "sandbox" in second
        assert "[/red]" in screen
        assert "\x1b" not in screen
        assert "7 turns with the service, openai.gpt-5.4" in screen


async def test_typing_searches_once_and_shows_the_excerpt() -> None:
    shelf = Shelf()
    results: list[Any] = []
    app = OneWidget()
    async with app.run_test(size=(80, 24)) as pilot:
        await opened(pilot, shelf, results)
        await pilot.press(*"Two")
        screen = await settled(pilot)
        assert shelf.searched[-1] == "Two"
        assert "the words around Two" in screen
        assert "Revenue" not in screen
        await pilot.press("enter")
        await pilot.pause()
    assert results == ["c2"]


async def test_what_is_typed_next_replaces_a_search_that_has_not_begun() -> None:
    shelf = Shelf()
    app = OneWidget()
    async with app.run_test(size=(80, 24)) as pilot:
        await opened(pilot, shelf, [], query="Two")
        assert shelf.searched == ["Two"]
        search = app.screen.query_one("#history-search")
        search.value = "R"  # type: ignore[attr-defined]
        search.value = "Rev"  # type: ignore[attr-defined]
        screen = await settled(pilot)
        assert shelf.searched == ["Two", "Rev"]
        assert "Revenue on page 2" in screen


async def test_enter_opens_the_one_under_the_cursor_and_escape_none() -> None:
    results: list[Any] = []
    app = OneWidget()
    async with app.run_test(size=(80, 24)) as pilot:
        await opened(pilot, Shelf(), results)
        await pilot.press("down", "enter")
        await pilot.pause()
        assert results == ["c2"]
        await opened(pilot, Shelf(), results)
        await pilot.press("escape")
        await pilot.pause()
        assert results == ["c2", None]
        await opened(pilot, Shelf(), results)
        await pilot.click("#history-list", offset=(8, 2))
        await pilot.pause()
        assert results == ["c2", None, "c3"]


@pytest.mark.parametrize("key", ["ctrl+d", "delete"])
async def test_deleting_asks_first(key: str) -> None:
    shelf = Shelf()
    app = OneWidget()
    async with app.run_test(size=(80, 24)) as pilot:
        await opened(pilot, shelf, [])
        await pilot.press("down", key)
        await pilot.pause()
        assert isinstance(app.screen, ConfirmScreen)
        assert "Delete “Two contracts” with its 2 turns" in text_of(app)
        await pilot.press("enter")
        await settled(pilot)
        assert shelf.deleted == [], "Enter keeps it"
        await pilot.press(key)
        await pilot.pause()
        await pilot.press("y")
        await pilot.pause()
        screen = await settled(pilot)
        assert shelf.deleted == ["c2"]
        assert "Two contracts" not in screen
        assert "Revenue on page 2" in screen


async def test_delete_in_the_middle_of_the_search_text_is_the_text_s() -> None:
    app = OneWidget()
    async with app.run_test(size=(80, 24)) as pilot:
        await opened(pilot, Shelf(), [])
        await pilot.press(*"Two", "home", "delete")
        await pilot.pause()
        assert not isinstance(app.screen, ConfirmScreen)
        assert app.screen.query_one("#history-search").value == "wo"  # type: ignore[attr-defined]


async def test_an_empty_history_and_a_search_without_hits_say_so() -> None:
    shelf = Shelf()
    app = OneWidget()
    async with app.run_test(size=(80, 24)) as pilot:
        await opened(pilot, shelf, [])
        await pilot.press(*"zzz")
        assert "No conversation holds that." in await settled(pilot)
        await pilot.press("enter")
        shelf.rows = []
        await pilot.press("backspace", "backspace", "backspace")
        assert "Nothing yet." in await settled(pilot)
        assert isinstance(app.screen, HistoryScreen)


async def test_a_history_that_cannot_be_read_or_written_says_why() -> None:
    shelf = Shelf()
    shelf.broken = True
    app = OneWidget()
    async with app.run_test(size=(80, 24)) as pilot:
        assert "The history cannot be read: the disk is gone." in await opened(pilot, shelf, [])
        shelf.broken = False
        await pilot.press("a", "backspace")
        await settled(pilot)
        shelf.broken = True
        await pilot.press("ctrl+d")
        await pilot.pause()
        await pilot.press("y")
        await pilot.pause()
        assert "It cannot be deleted: the disk is gone." in await settled(pilot)
