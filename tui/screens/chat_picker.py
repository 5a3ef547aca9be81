"""Where the next turn goes: the picker, with what is remembered of pairings and what servers can be asked."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from functools import partial
from time import time
from typing import TYPE_CHECKING, Final

from tui.core.catalogue import ENDPOINTS
from tui.core.errors import OutcropError
from tui.screens.chat_views import ChatViews

if TYPE_CHECKING:
    from tui.core.discovery import PairingCheck
    from tui.core.items import Target
    from tui.screens.picker import Listed, PickerActions, PickerScreen
    from tui.widgets.pairings import Known, Offer, Place

__all__ = ["ChatPicker"]

_RECENT: Final = 5
_LATELY: Final = 30 * 86_400.0
"""Seconds back to which use counts as recent."""


class ChatPicker(ChatViews):
    """The chat screen with the picker of model, region, endpoint and API."""

    def action_pick_target(self) -> None:
        """Choose model, region, endpoint and API."""
        if self._conversation_id:
            self._do(self._pick_target, "picker", exclusive=True, keys_wait=True)

    async def _pick_target(self) -> None:
        screen = await self.target_picker(self.session.target(self._conversation_id))
        if self.outcrop.screen is not self:
            return

        def chosen(place: Place | None) -> None:
            if place is not None:
                model, region, endpoint, api = place
                self._do(
                    partial(self._choose, model=model, region=region, endpoint=endpoint, api=api), "target"
                )

        self.outcrop.push_screen(screen, chosen)

    async def target_picker(self, target: Target) -> PickerScreen:
        """The picker, with a target under its cursor."""
        from tui.screens.picker import PickerScreen
        from tui.widgets.pairings import Place

        offers, listed = await self._offers(target)
        known = await self._known(listed)
        current = Place(target.model, target.region, target.endpoint, target.api)
        return PickerScreen(self.session.catalogue, current, offers, known, self._picker_actions())

    async def _offers(self, target: Target) -> tuple[list[Offer], frozenset[tuple[str, str, str]]]:
        """The endpoints that this run can send to, and what they listed when they were last asked."""
        from tui.widgets.pairings import Offer

        settings = self.session.settings
        names = dict.fromkeys([target.endpoint, *ENDPOINTS, *settings.profiles])
        offers: list[Offer] = []
        listed: set[tuple[str, str, str]] = set()
        for name in names:
            if not settings.knows_endpoint(name):
                continue
            there = settings.target(None if name in settings.profiles else target.model, target.region, name)
            models = await self._remembered(there)
            listed |= {(model, there.region, name) for model in models}
            own = (there.model,) if name in settings.profiles else ()
            single = there.region if name not in ENDPOINTS else ""
            offers.append(Offer(name, single, (*own, *models), self._bound_to(there)))
        return offers, frozenset(listed)

    async def _remembered(self, target: Target) -> tuple[str, ...]:
        try:
            kept = await self.session.discovery.remembered(target)
        except OutcropError:
            return ()
        return kept[1] if kept is not None else ()

    def _bound_to(self, target: Target) -> str | None:
        """The only region where the token for a target works, if it says so."""
        if target.sandbox or target.endpoint not in ENDPOINTS:
            return None
        return self.session.credentials.status(self.session.settings.token_place(target)).region

    async def _known(self, listed: frozenset[tuple[str, str, str]]) -> Known:
        from tui.config.favourites import load_favourites
        from tui.widgets.pairings import Known, Place

        session, now = self.session, time()
        usual = session.catalogue.default_api
        rows = await asyncio.to_thread(load_favourites, session.settings.data_dir)
        favourites = tuple(Place(*row[:3], row[3] or usual(row[0], row[2])) for row in rows)
        checks: dict[Place, PairingCheck] = {}
        recent: dict[Place, None] = {}
        try:
            names = self._endpoint_names()
            for (model, region, place), check in (await session.discovery.checks()).items():
                if place in names:
                    endpoint, api = names[place]
                    checks[Place(model, region, endpoint, api)] = check
            for record in reversed(await session.spending.records_since(now - _LATELY)):
                api = usual(record.model, record.endpoint)
                recent.setdefault(Place(record.model, record.region, record.endpoint, api))
                if len(recent) == _RECENT:
                    break
        except OutcropError:
            pass  # without a history there is nothing to remember
        return Known(favourites, tuple(recent), checks, listed, now)

    def _endpoint_names(self) -> dict[str, tuple[str, str]]:
        """Endpoint and API by the names under which checks of them are remembered."""
        from tui.core.api_rules import API_NAMES
        from tui.core.discovery import check_place

        settings = self.session.settings
        names = dict.fromkeys([settings.endpoint, *ENDPOINTS, *settings.profiles])
        return {
            check_place(settings.target(None, None, name, api)): (name, api)
            for name in names
            if settings.knows_endpoint(name)
            for api in API_NAMES
        }

    def _picker_actions(self) -> PickerActions:
        from tui.config.favourites import save_favourites
        from tui.core.discovery import check_words
        from tui.screens.picker import Listed, PickerActions

        session = self.session

        def target_of(place: Place) -> Target:
            return session.settings.target(*place)

        def keep(favourites: Sequence[Place]) -> None:
            rows = tuple(favourites)
            self._do(
                lambda: asyncio.to_thread(save_favourites, session.settings.data_dir, rows), "favourites"
            )

        def price(place: Place) -> str:
            target = target_of(place)
            return check_words(target, session.catalogue.model(target.model))

        async def models(place: Place) -> Listed:
            found = await session.discovery.models(target_of(place))
            return Listed(found.models, found.said)

        async def check(place: Place) -> PairingCheck:
            return await session.discovery.check(target_of(place))

        return PickerActions(keep, price, check, models)
