"""What the server keeps: listing it, looking at it, deleting it.

Part of the session layer. The server keeps a stored response for 30 days (bedrock-facts.md 1.5) and can be
asked for it by id only: there is no list of them but the one kept here.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final, Literal, Protocol

from tui.config.settings import Settings
from tui.core.apis import RESPONSES
from tui.core.errors import ConnectError, InputError, OutcropError, StoreError, TokenError, WireError
from tui.core.items import Target, Turn
from tui.core.text import visible_line
from tui.session.records import Records
from tui.store.history import History
from tui.store.responses import StoredResponse

if TYPE_CHECKING:
    from tui.wire.client import ResponsesClient
    from tui.wire.recorder import AttemptLabel

__all__ = ["LIFETIME", "Deletion", "Reach", "StoredResponses", "StoredRow"]

LIFETIME: Final = 30 * 86_400.0
"""How long the server keeps a response, seconds."""

_AT_ONCE: Final = 4
_CLEANUP_SECONDS: Final = 4.0


@dataclass(frozen=True, slots=True)
class StoredRow:
    """A stored response as it stands now.

    Attributes:
        response: What is known of it.
        age: Seconds since it was made.
        left: Seconds until the server deletes it by itself; 0 when it has been deleted.
        reachable: Whether this run can ask for it; else `unreachable` says why not.
        unreachable: A sentence; empty when it can.
    """

    response: StoredResponse
    age: float
    left: float
    unreachable: str = ""

    @property
    def reachable(self) -> bool:
        """Whether this run can ask the server for it."""
        return not self.unreachable

    @property
    def state(self) -> Literal["kept", "unknown", "deleted"]:
        """Whether the server has it; `unknown` where its answer never ended, so nobody here knows."""
        if self.response.deleted_at is not None:
            return "deleted"
        return "unknown" if self.response.unsure else "kept"


@dataclass(frozen=True, slots=True)
class Deletion:
    """What came of deleting one response.

    Attributes:
        response_id: Which.
        error: Why it is not deleted; `None` when it is. One that is known here is tried again at the next
            start, unless this run can never reach it.
    """

    response_id: str
    error: OutcropError | None = None

    @property
    def deleted(self) -> bool:
        """Whether the server has deleted it."""
        return self.error is None


class Reach(Protocol):
    """What is needed of the session."""

    @property
    def settings(self) -> Settings:
        """Where this run talks to."""
        ...

    async def warm_up(self) -> None:
        """Be ready to send."""
        ...

    async def check_token(self, target: Target) -> None:
        """Make sure that there is a token for a target.

        Raises:
            TokenError: There is none.
        """
        ...

    def client(self, target: Target) -> ResponsesClient:
        """The client of a target."""
        ...

    def gone(self, response_id: str) -> None:
        """Learn that the server no longer has a response."""
        ...


# A name of its own, as the class has a method `list`.
Rows = list[StoredRow]


class StoredResponses:
    """The responses that this machine knows to be stored.

    Args:
        records: The history.
        reach: The session.
        now: Wall clock, seconds since the epoch.
    """

    def __init__(self, records: Records, reach: Reach, now: Callable[[], float]) -> None:
        self._records = records
        self._reach = reach
        self._now = now
        self._of_this_run: dict[str, None] = {}
        self._deleting = asyncio.Lock()

    # -- what there is -----------------------------------------------------------------------------

    async def list(self, *, deleted: bool = False) -> Rows:
        """Those that the server keeps, or with `deleted` those that are gone; newest first.

        Raises:
            StoreError: The history cannot be read or written.
        """
        now = self._now()
        await self._records.call(History.expire_responses, now - LIFETIME, LIFETIME)
        found = await self._records.call(History.stored_responses, deleted=deleted)
        return [self._row(response, now) for response in found]

    def _row(self, response: StoredResponse, now: float) -> StoredRow:
        age = max(0.0, now - response.created_at)
        left = 0.0 if response.deleted_at is not None else max(0.0, LIFETIME - age)
        try:
            self._place(response)
        except InputError as error:
            return StoredRow(response, age, left, str(error))
        return StoredRow(response, age, left)

    async def retrieve(self, response_id: str) -> dict[str, Any]:
        """The response as the server has it now, as it came; one that it does not know (404) is gone.

        Raises:
            InputError: The id is empty, or this run does not talk to where it was made.
            WireError: It could not be had; status 404 when the server does not know it.
            TokenError: There is no usable token.
            StoreError: The history cannot be read.
        """
        known = await self._known()
        response = known.get(_checked_id(response_id))
        await self._reach.check_token(self._place(response))
        await self._reach.warm_up()
        # Only now it is known where the sandbox listens.
        try:
            return await self._reach.client(self._place(response)).retrieve(response_id, _label())
        except WireError as error:
            if response is not None and error.status == 404:
                await self._note_gone(response_id)
            raise

    # -- deleting ----------------------------------------------------------------------------------

    async def delete(self, response_ids: Iterable[str]) -> Sequence[Deletion]:
        """Ask the server to delete responses, a few at a time; the results are in the order of the ids.

        Whatever fails is remembered and tried again at the next start: no token, 401, 404, no network. What
        the server does not know (404) when it is tried again is taken for gone.

        Raises:
            StoreError: The history cannot be read or written.
        """
        wanted = [_checked_id(response_id) for response_id in dict.fromkeys(response_ids)]
        if not wanted:
            return []
        # First, so that what is marked below is not among what `warm_up` finds to be tried again.
        await self._reach.warm_up()
        async with self._deleting:
            return await self._delete_all(wanted)

    async def _delete_all(self, wanted: Sequence[str]) -> Sequence[Deletion]:
        known = await self._known()
        gone = {one.response_id for one in await self._records.call(History.stored_responses, deleted=True)}
        reachable = [one for one in wanted if one in known and self._row(known[one], 0.0).reachable]
        # Before anything is sent: what is cut short is finished at the next start.
        await self._records.call(History.want_response_deleted, reachable)
        limit = asyncio.Semaphore(_AT_ONCE)

        async def one(response_id: str) -> Deletion:
            if response_id in gone:
                return Deletion(response_id)
            async with limit:
                return await self._delete(response_id, known.get(response_id))

        return await asyncio.gather(*map(one, wanted))

    async def _delete(self, response_id: str, known: StoredResponse | None) -> Deletion:
        try:
            target = self._place(known)
            await self._reach.check_token(target)
            await self._reach.client(target).delete(response_id, _label())
        except (InputError, TokenError, WireError) as error:
            # After an earlier try it is gone: that one may have reached the server although no answer came.
            tried = known is not None and known.delete_wanted
            if not (tried and isinstance(error, WireError) and error.status == 404):
                return Deletion(response_id, error)
        await self._note_gone(response_id)
        return Deletion(response_id)

    async def _note_gone(self, response_id: str) -> None:
        await self._records.call(History.mark_response_deleted, response_id, self._now())
        self._of_this_run.pop(response_id, None)
        self._reach.gone(response_id)

    async def clean(self, *, this_run: bool = False) -> Sequence[Deletion]:
        """Delete everything that the server keeps and this run can reach, or what this run stored.

        Raises:
            StoreError: The history cannot be read or written.
        """
        if this_run:
            return await self.delete(list(self._of_this_run))
        return await self.delete(row.response.response_id for row in await self.list() if row.reachable)

    async def left_to_delete(self) -> Sequence[str]:
        """The ids of those that an earlier run could not delete; without a history there are none."""
        try:
            rows = await self.list()
        except StoreError as error:
            self._records.failure = error
            return []
        return [row.response.response_id for row in rows if row.response.delete_wanted and row.reachable]

    async def retry(self, response_ids: Sequence[str]) -> None:
        """Try deletions again, a few at a time; what fails again is kept for the next start.

        Without a network or a token it stops after the first few.
        """
        for start in range(0, len(response_ids), _AT_ONCE):
            try:
                async with self._deleting:
                    results = await self._delete_all(response_ids[start : start + _AT_ONCE])
            except StoreError as error:
                self._records.failure = error
                return
            if all(isinstance(result.error, (ConnectError, TokenError)) for result in results):
                return

    def note(self, turn: Turn) -> None:
        """Learn that a turn of this run has ended, and what the server keeps of it."""
        if turn.stored and turn.response_id is not None and turn.outcome is not None:
            self._of_this_run[turn.response_id] = None

    async def clean_up(self, seconds: float = _CLEANUP_SECONDS) -> None:
        """Delete what this run stored, for as long as a person waits for a program to end.

        What is not deleted by then, or cannot be, is tried again at the next start.
        """
        try:
            async with asyncio.timeout(seconds):
                await self.clean(this_run=True)
        except TimeoutError:
            return
        except StoreError as error:
            self._records.failure = error

    def _place(self, response: StoredResponse | None) -> Target:
        """Where a response is asked for; one that is not known here, at the place of the settings.

        A token goes only where this run's settings send it: not to a base URL of an earlier run.

        Raises:
            InputError: This run does not talk to where it was made; says how to.
        """
        settings = self._reach.settings
        if response is None:
            return settings.target(api=RESPONSES)
        target, what = response.target, f"The response {visible_line(response.response_id)}"
        if target.sandbox != settings.sandbox:
            kind, how = ("the sandbox", "with") if target.sandbox else ("the service", "without")
            raise InputError(f"{what} was made with {kind}: start {how} --sandbox.")
        if target.sandbox:
            return replace(target, base_url=settings.base_url)
        if not settings.reaches(target):
            where = visible_line(target.base_url)
            raise InputError(f"{what} was made at {where}: start with --base-url {where}.")
        return target

    async def _known(self) -> dict[str, StoredResponse]:
        found = await self._records.call(History.stored_responses)
        return {response.response_id: response for response in found}


def _checked_id(response_id: str) -> str:
    if not response_id.strip():
        raise InputError("A response has an id such as resp_…; this one is empty.")
    return response_id


def _label() -> AttemptLabel:
    """No conversation: what is asked here is in nobody's list of exchanges."""
    from tui.wire.recorder import AttemptLabel

    return AttemptLabel()
