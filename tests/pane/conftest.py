from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager

import pytest
from textual.app import App, ComposeResult
from textual.message import Message
from textual.pilot import Pilot
from textual.widgets import Static

from tui.widgets.conversation_pane import ConversationPane

PaneApp = Callable[..., AbstractAsyncContextManager[tuple[ConversationPane, Pilot[None]]]]


class Host(App[None]):
    CSS = "Static { height: 1; } ConversationPane { height: 1fr; }"

    def __init__(self, empty_text: str) -> None:
        super().__init__()
        self.empty_text = empty_text
        self.heard: list[Message] = []

    def compose(self) -> ComposeResult:
        yield ConversationPane(empty_text=self.empty_text)
        yield Static("below")

    def on_conversation_pane_link_clicked(self, message: ConversationPane.LinkClicked) -> None:
        self.heard.append(message)

    def on_conversation_pane_fold_toggled(self, message: ConversationPane.FoldToggled) -> None:
        self.heard.append(message)

    def on_conversation_pane_follow_changed(self, message: ConversationPane.FollowChanged) -> None:
        self.heard.append(message)


@pytest.fixture
def pane_app() -> PaneApp:
    @asynccontextmanager
    async def run(
        size: tuple[int, int] = (80, 24), empty_text: str = ""
    ) -> AsyncIterator[tuple[ConversationPane, Pilot[None]]]:
        app = Host(empty_text)
        async with app.run_test(size=size) as pilot:
            pane = app.query_one(ConversationPane)
            pane.focus()
            await pilot.pause()
            yield pane, pilot

    return run
