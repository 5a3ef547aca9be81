"""A history that a run can go on with: in memory for as long as the file cannot be used.

What was to be written then waits, in its order, and is written as soon as the file can be used again.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

from tui.core.errors import HistoryUnusable, NoSuchConversation, StoreError
from tui.store.history import History

__all__ = ["SteadyHistory"]

_IN_MEMORY: Final = "The chat goes on in memory; export what must not be lost."
_AGAIN: Final = "The history can be written again; what was said meanwhile is in it now."
_RENEWED: Final = "The search index of the history was damaged; it was made anew, nothing is missing."
_STILL_READ: Final = (
    "Another program is reading the history: what was deleted leaves its log when that has ended."
)
_NOT_NOW: Final = "That needs the history, which cannot be used now."

_BETWEEN_TRIES: Final = 5.0
_SHORT_WAIT: Final = 0.2
"""Seconds for another program's lock, once it was waited for in vain."""
_LONG_WAIT: Final = 5.0

_Function = Callable[..., Any]

_KEPT: Final[frozenset[_Function]] = frozenset(
    (
        History.save_conversation, History.change_conversation, History.begin_turn, History.save_turn,
        History.save_partial, History.set_title, History.set_lost, History.save_draft,
        History.save_draft_files, History.save_exchange, History.note_exchange, History.save_stored_response,
        History.mark_response_deleted, History.expire_responses, History.want_response_deleted,
        History.refuse_parameter, History.save_tool_rule, History.record_usage, History.save_check,
        History.save_model_list,
    )
)  # fmt: skip
"""What is written as the chat goes on; that it waits is no failure."""

_NEWEST: Final[frozenset[_Function]] = frozenset(
    (History.save_partial, History.save_draft, History.save_draft_files)
)
"""Of these the last one for the same conversation or turn says all that the earlier ones said."""

_SAID: Final[frozenset[_Function]] = frozenset(
    (History.begin_turn, History.save_turn, History.save_draft, History.save_draft_files)
)
"""What a user would miss; an empty draft says nothing."""

_BY_THE_WAY: Final[frozenset[_Function]] = frozenset(
    (
        History.refused_parameters, History.model_list, History.checks, History.usage_records,
        History.load_draft, History.drafts, History.recent_prompts, History.in_background,
        History.tool_rules, History.stored_responses, History.list, History.search,
        History.load_exchanges, History.prune_exchanges,
    )
)  # fmt: skip
"""What is read without anybody's asking for it, or is of some use when it has this run's rows only."""


class SteadyHistory:
    """Runs functions on the history's file, or goes on without it; used from one thread.

    Args:
        path: The history's file.
        tell: Takes each sentence that the user should read, once.
        clock: Seconds.
    """

    def __init__(
        self,
        path: Path,
        tell: Callable[[str], None] = lambda _: None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._path = path
        self._tell = tell
        self._clock = clock
        self._file: History | None = None
        self._trouble: HistoryUnusable | None = None
        self._raised = False
        self._told = False
        self._damaged: tuple[int, int] | None = None
        self._next_try = 0.0
        self._waiting: list[tuple[_Function, tuple[Any, ...], dict[str, Any]]] = []
        self._memory: History | None = None
        self._to_erase = False

    def run(self, function: _Function, *args: Any, **kwargs: Any) -> Any:
        """Run a function, a method of `History` as a rule, with the history as its first argument.

        Raises:
            HistoryUnusable: It needs the file, which cannot be used.
            StoreError: The history does not do what was asked.
        """
        self.mend()
        if self._trouble is None:
            try:
                return self._on_file(function, args, kwargs)
            except HistoryUnusable as error:
                self._enter(error)
        return self._without(function, args, kwargs)

    @property
    def in_memory(self) -> bool:
        """Whether the file cannot be used; may be asked from any thread."""
        return self._trouble is not None

    @property
    def unsaved(self) -> bool:
        """Whether something that was said or typed waits to be written; may be asked from any thread."""
        return any(function in _SAID and bool(args[1]) for function, args, _ in tuple(self._waiting))

    def seconds_to_next_try(self) -> float | None:
        """When `mend` is to be called at the latest; `None` when there is nothing to do for it."""
        if self._trouble is None and not self._to_erase:
            return None
        return max(0.0, self._next_try - self._clock())

    def mend(self, *, now: bool = False) -> None:
        """Go back to the file where it can be used again, and write what waited; `now` if need be."""
        if not now and self._clock() < self._next_try:
            return
        if self._trouble is not None:
            self._go_back()
        elif self._to_erase and self._file is not None:
            self._next_try = self._clock() + _BETWEEN_TRIES
            with suppress(StoreError):
                self._to_erase = not self._file.empty_log()

    def close(self) -> None:
        """Write what waited, if that is possible now, and close the file."""
        self.mend(now=True)
        for history in (self._file, self._memory):
            if history is not None:
                with suppress(StoreError):
                    history.close()

    # -- with the file -----------------------------------------------------------------------------

    def _on_file(self, function: _Function, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        if self._file is None:
            self._file = History(self._path, wait=_LONG_WAIT)
        try:
            result = function(self._file, *args, **kwargs)
        except HistoryUnusable as error:
            if not (error.damaged and self._file.renew_search()):
                raise
            self._tell(_RENEWED)
            result = function(self._file, *args, **kwargs)
        if self._file.to_erase and not self._to_erase:
            self._to_erase = True
            self._next_try = self._clock() + _BETWEEN_TRIES
            self._tell(_STILL_READ)
        return result

    def _go_back(self) -> None:
        self._next_try = self._clock() + _BETWEEN_TRIES
        if self._damaged is not None and self._damaged == self._identity():
            return  # more may be lost by writing to it
        try:
            if self._file is None:
                self._file = History(self._path, wait=_SHORT_WAIT)
            while self._waiting:
                function, args, kwargs = self._waiting[0]
                try:
                    function(self._file, *args, **kwargs)
                except HistoryUnusable:
                    raise
                except StoreError:
                    pass  # what it goes with was deleted meanwhile, here or elsewhere
                self._waiting.pop(0)
            self._file.wait_at_most(_LONG_WAIT)
        except HistoryUnusable as error:
            self._leave_damaged(error)
            return
        self._trouble = self._damaged = None
        self._raised = False
        if self._memory is not None:
            self._memory.close()
            self._memory = None
        if self._told:
            self._told = False
            self._tell(_AGAIN)

    # -- without it --------------------------------------------------------------------------------

    def _enter(self, error: HistoryUnusable) -> None:
        self._trouble = error
        self._next_try = self._clock() + _BETWEEN_TRIES
        self._leave_damaged(error)
        if self._file is not None:
            with suppress(StoreError):
                self._file.wait_at_most(_SHORT_WAIT)

    def _leave_damaged(self, error: HistoryUnusable) -> None:
        if error.damaged:
            self._damaged = self._identity()
            if self._file is not None:
                with suppress(StoreError):
                    self._file.close()
                self._file = None

    def _identity(self) -> tuple[int, int] | None:
        """Which file it is: another one of the same name may be whole."""
        try:
            status = self._path.stat()
        except OSError:
            return None
        return status.st_dev, status.st_ino

    def _without(self, function: _Function, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        if function in _KEPT:
            self._say_once()
            self._keep(function, args, kwargs)
            if self._file is None:
                with suppress(StoreError):
                    function(self._in_memory(), *args, **kwargs)
            return None
        if self._file is not None:
            # It can be read, as a rule.
            try:
                return function(self._file, *args, **kwargs)
            except HistoryUnusable as error:
                self._leave_damaged(error)
                if function not in _BY_THE_WAY:
                    self._raised = True
                    raise
        if function in _BY_THE_WAY:
            self._say_once()
            return function(self._in_memory(), *args, **kwargs)
        found = None
        if function in (History.load, History.latest):
            with suppress(NoSuchConversation):
                found = function(self._in_memory(), *args, **kwargs)
        if found is None:
            raise self._refusal()
        return found

    def _keep(self, function: _Function, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        if function in _NEWEST:
            about = (function, args[:1])
            self._waiting = [one for one in self._waiting if (one[0], one[1][:1]) != about]
        self._waiting.append((function, args, kwargs))

    def _in_memory(self) -> History:
        if self._memory is None:
            self._memory = History(None)
        return self._memory

    def _say_once(self) -> None:
        if not self._told and self._trouble is not None:
            self._told = True
            self._tell(_IN_MEMORY if self._raised else f"{self._trouble} {_IN_MEMORY}")

    def _refusal(self) -> HistoryUnusable:
        """What is raised: why the file cannot be used, where nobody was told yet."""
        assert self._trouble is not None
        if self._told or self._raised:
            return HistoryUnusable(_NOT_NOW)
        self._raised = True
        return self._trouble
