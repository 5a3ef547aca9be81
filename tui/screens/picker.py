"""Choose model, region, endpoint and API in one list: type to search, Enter takes it, or says why not."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.widgets import Input, Static

from tui.core.api_rules import API_NAMES
from tui.core.catalogue import Catalogue
from tui.core.discovery import PairingCheck
from tui.core.errors import OutcropError
from tui.core.text import visible_line
from tui.screens.base import ModalScreen
from tui.widgets.columns import TableTitles
from tui.widgets.dialog import Dialog
from tui.widgets.pairing_table import PairingTable, detail_of
from tui.widgets.pairings import (
    Choice,
    Known,
    Offer,
    Place,
    all_choices,
    marked,
    search,
)
from tui.widgets.rows import Mark
from tui.widgets.virtual_lines import VirtualLines

__all__ = ["Listed", "PickerActions", "PickerScreen"]

_STYLES: dict[Mark | None, str] = {
    None: "$foreground",
    "key": "$text-primary bold",
    "error": "$text-error",
    "warning": "$text-warning",
    "success": "$text-success",
    "dim": "$text-muted",
}
_Lines = list[tuple[str, Mark | None]]


@dataclass(frozen=True, slots=True)
class Listed:
    """What a place listed.

    Attributes:
        models: The ids, in the server's order.
        said: Each route's answer in plain words.
    """

    models: tuple[str, ...]
    said: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class PickerActions:
    """What the picker lets be done; all of it is the caller's.

    Attributes:
        keep: Keeps the favourites.
        price: What a check of a pairing sends and costs, in words.
        check: Sends it.
        models: Asks a pairing's region and endpoint for its models.
    """

    keep: Callable[[Sequence[Place]], None]
    price: Callable[[Place], str]
    check: Callable[[Place], Awaitable[PairingCheck]]
    models: Callable[[Place], Awaitable[Listed]]


class PickerScreen(ModalScreen[Place | None]):
    """Gives the chosen place, or `None`.

    Args (of the constructor):
        catalogue: Models and regions.
        current: The pairing in use.
        offers: The endpoints that can be sent to, the one in use first.
        known: Favourites, what was used lately, checks, what servers listed.
        actions: What can be done with a row; without them the list is only to choose from.
        query: What the search begins with.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "cancel", "Cancel", show=False, id="dialog.close"),
        Binding("up,ctrl+p", "move(-1)", "Up", show=False, priority=True, id="list.up"),
        Binding("down,ctrl+n", "move(1)", "Down", show=False, priority=True, id="list.down"),
        Binding("pageup", "page(-1)", "Page up", show=False, priority=True, id="list.page_up"),
        Binding("pagedown", "page(1)", "Page down", show=False, priority=True, id="list.page_down"),
        Binding("ctrl+f", "favourite", "Favourite", show=False, priority=True, id="picker.favourite"),
        Binding("ctrl+t", "check", "Check this pairing", show=False, priority=True, id="picker.check"),
        Binding("ctrl+l", "list", "Ask for its list", show=False, priority=True, id="picker.list"),
    ]
    DEFAULT_CSS = """
    PickerScreen {
        align: center middle;
        & Dialog { max-width: 150; }
        & .dialog--detail { min-height: 4; max-height: 6; }
    }
    """

    def __init__(
        self,
        catalogue: Catalogue,
        current: Place,
        offers: Sequence[Offer],
        known: Known | None = None,
        actions: PickerActions | None = None,
        *,
        query: str = "",
    ) -> None:
        super().__init__()
        self._catalogue = catalogue
        self._current = current
        self._offers = tuple(offers)
        self._known = known or Known()
        self._actions = actions
        self._query = query
        self._all: list[Choice] = []
        self._shown: list[Choice] = []
        self._asked: tuple[str, Place] | None = None
        self._list = VirtualLines(cursor=True, id="picker-list", classes="-active")
        self._list.can_focus = False
        self._gather()
        self._table = PairingTable(self._all, current)

    def compose(self) -> ComposeResult:
        """Search, list, and what there is to say of the row under the cursor."""
        more = "   Ctrl+F favourite   Ctrl+T check   Ctrl+L list" if self._actions else ""
        yield Dialog(
            Input(
                self._query,
                placeholder="Search model, region, endpoint, API",
                id="picker-search",
                select_on_focus=False,
            ),
            TableTitles(lambda width: self._table.titles(width)),
            self._list,
            Static("", id="picker-detail", classes="dialog--detail", markup=False),
            title="Model, region, endpoint and API",
            keys=f"Enter take{more}   Esc cancel",
        )

    def on_mount(self) -> None:
        """The pairing in use is under the cursor."""
        self._search(self._query)
        self.query_one(Input).focus()

    # ---- the list

    def _gather(self) -> None:
        self._all = all_choices(self._catalogue, self._current, self._offers, self._known)

    def know(self, known: Known, offers: Sequence[Offer] | None = None) -> None:
        """Show what has become known meanwhile; the row under the cursor stays."""
        self._known = known
        self._offers = tuple(offers) if offers is not None else self._offers
        under = self._highlighted
        self._gather()
        self._table = PairingTable(self._all, self._current)
        self.query_one(TableTitles).refresh()
        self._search(self.query_one(Input).value, stay=under.place if under else None)

    @property
    def known(self) -> Known:
        """What is known now."""
        return self._known

    @on(Input.Changed, "#picker-search")
    def _typed(self, event: Input.Changed) -> None:
        event.stop()
        self._search(event.value)

    def _search(self, typed: str, stay: Place | None = None) -> None:
        self._shown = search(self._all, typed)
        places = [choice.place for choice in self._shown]
        wanted = stay or (self._current if not typed.strip() else None)
        cursor = places.index(wanted) if wanted is not None and wanted in places else 0
        self._list.show(self._table.of(self._shown), cursor=cursor)
        self._say()

    @property
    def _highlighted(self) -> Choice | None:
        index = self._list.cursor
        return None if index is None or index >= len(self._shown) else self._shown[index]

    def _say(self) -> None:
        """Tell about the row under the cursor."""
        self._asked = None
        choice = self._highlighted
        lines: _Lines = (
            [("Nothing matches. Fewer letters find more.", "dim")] if choice is None else detail_of(choice)
        )
        self._tell(lines)

    def _tell(self, lines: _Lines) -> None:
        parts = [Content.styled(visible_line(text), _STYLES.get(mark, "")) for text, mark in lines]
        self.query_one("#picker-detail", Static).update(Content("\n").join(parts))

    @on(VirtualLines.Highlighted)
    def _moved(self, event: VirtualLines.Highlighted) -> None:
        event.stop()
        self._say()

    @on(VirtualLines.Chosen)
    def _clicked(self, event: VirtualLines.Chosen) -> None:
        event.stop()
        self._take()

    @on(Input.Submitted, "#picker-search")
    def _entered(self, event: Input.Submitted) -> None:
        event.stop()
        self._take()

    def _take(self) -> None:
        """Choose the row; an impossible one says why, and a second time gives the nearest that works."""
        choice = self._highlighted
        if choice is None:
            return
        if choice.pairing.possible:
            self.dismiss(choice.place)
            return
        near, endpoint = choice.pairing.nearest, choice.pairing.nearest_endpoint or choice.endpoint
        api = choice.pairing.nearest_api or choice.api
        if near is not None and self._asked == ("nearest", choice.place):
            self.dismiss(Place(*near, endpoint, api))
            return
        lines: _Lines = [(choice.pairing.reason, "error")]
        if near is None:
            lines.append(("Nothing near it works on this endpoint.", None))
        else:
            on_other = f" on {endpoint}" if endpoint != choice.endpoint else ""
            on_other += f" over {API_NAMES[api]}" if api != choice.api else ""
            words = f"The nearest that works: {near[0]} in {near[1]}{on_other}. Enter again takes it."
            lines.append((words, "key"))
        self._tell(lines)
        self._asked = ("nearest", choice.place)

    def action_move(self, step: int) -> None:
        """Move the cursor; the search keeps the keys."""
        self._list.action_move(step)

    def action_page(self, step: int) -> None:
        """Move by what is visible."""
        self._list.action_page(step)

    def action_cancel(self) -> None:
        """Change nothing."""
        self.dismiss(None)

    # ---- with a row

    def action_favourite(self) -> None:
        """Mark the row as a favourite, or no longer; favourites stand first, in later runs too."""
        choice = self._highlighted
        if choice is not None and self._actions is not None:
            known = marked(self._known, choice.place)
            self._actions.keep(known.favourites)
            self.know(known)

    def action_check(self) -> None:
        """Say what checking the row sends and costs; pressed again, send it."""
        choice = self._highlighted
        if choice is None or self._actions is None:
            return
        if self._asked != ("check", choice.place):
            self._tell([(self._actions.price(choice.place), "warning"), ("Ctrl+T again sends it.", "key")])
            self._asked = ("check", choice.place)
            return
        where = f"{choice.region} on {choice.endpoint} over {API_NAMES.get(choice.api, choice.api)}"
        self._tell([(f"Checking {choice.model_id} in {where} …", "key")])
        self._asked = None
        self.run_worker(
            partial(self._check, choice.place), group="check", description="check", exclusive=True
        )

    async def _check(self, place: Place) -> None:
        assert self._actions is not None
        try:
            check = await self._actions.check(place)
        except OutcropError as error:
            self._tell([("It could not be found out.", "warning"), (str(error), None)])
            return
        self.know(replace(self._known, checks={**(self._known.checks or {}), place: check}, now=check.at))

    def action_list(self) -> None:
        """Ask the row's region and endpoint which models it lists; that costs nothing."""
        choice = self._highlighted
        if choice is None or self._actions is None:
            return
        self._tell([(f"Asking {choice.endpoint} in {choice.region} for its models …", "key")])
        self.run_worker(partial(self._models, choice), group="models", description="models", exclusive=True)

    async def _models(self, choice: Choice) -> None:
        assert self._actions is not None
        try:
            found = await self._actions.models(choice.place)
        except OutcropError as error:
            self._tell([("The server was not asked for its list.", "warning"), (str(error), None)])
            return
        places = {(model, choice.region, choice.endpoint) for model in found.models}
        offers = [
            replace(offer, models=tuple(dict.fromkeys([*offer.models, *found.models])))
            if offer.endpoint == choice.endpoint
            else offer
            for offer in self._offers
        ]
        self.know(replace(self._known, listed=self._known.listed | places), offers)
        said: _Lines = [(sentence, None) for sentence in found.said]
        hint = "What a server lists is a hint: it need not work, and what it does not list may."
        self._tell([*said, (hint, "dim")])
