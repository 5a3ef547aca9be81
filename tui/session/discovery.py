"""Asking an endpoint what it has: its lists of models, and whether one pairing works.

Part of the session layer. What came is remembered with its time, to be shown without asking again.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import aclosing
from dataclasses import replace
from typing import TYPE_CHECKING, Final, Protocol

from tui.config.settings import Settings
from tui.core.apis import RESPONSES
from tui.core.continuation import Request
from tui.core.conversation import Conversation
from tui.core.discovery import (
    CHECK_OUTPUT,
    CHECK_PROMPT,
    ModelList,
    PairingCheck,
    RouteAnswer,
    check_place,
    fallback_model,
    list_urls,
    listed_ids,
    merged,
    place_name,
)
from tui.core.errors import HttpStatusError, TokenError, WireError
from tui.core.events import ResponseEnded, ServerError
from tui.core.items import Target, Usage, dump_json, user_message
from tui.core.text import visible_line
from tui.core.usage import usage_record
from tui.session.records import Records
from tui.store.history import History

if TYPE_CHECKING:
    from tui.wire.api_client import ApiClient

__all__ = ["Discovery", "Reach"]

# These say that it could not be found out now, not that the pairing does not work.
_PASSING: Final = frozenset({408, 409, 425, 429})


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

    def api_client(self, target: Target) -> ApiClient:
        """The client of a target."""
        ...


class Discovery:
    """Asks, and remembers.

    Args:
        records: The history, where results are kept.
        reach: The session.
        now: Wall clock, seconds since the epoch.
        monotonic: Clock for durations, seconds.
    """

    def __init__(
        self, records: Records, reach: Reach, now: Callable[[], float], monotonic: Callable[[], float]
    ) -> None:
        self._records = records
        self._reach = reach
        self._now = now
        self._monotonic = monotonic

    async def models(self, target: Target) -> ModelList:
        """Ask a place for its models, on each route that may list them; what it lists is a hint.

        Raises:
            TokenError: There is no token to ask with. One that is refused is in the answers.
        """
        target = await self._ready(target)
        answers: list[RouteAnswer] = []
        for path, base_url in list_urls(target):
            answers.append(await self._ask(path, replace(target, base_url=base_url)))
        found = merged(answers)
        if found.models:
            self._records.later(
                History.save_model_list, target.region, place_name(target), self._now(), found.models
            )
        return found

    async def remembered(self, target: Target) -> tuple[float, tuple[str, ...]] | None:
        """When a place last listed its models, and which; `None` when it never did."""
        return await self._records.call(History.model_list, target.region, place_name(target))

    async def checks(self) -> Mapping[tuple[str, str, str], PairingCheck]:
        """The newest check of each pairing, by model, region and place (`core.discovery.check_place`)."""
        found = await self._records.call(History.checks)
        return {(check.model, check.region, check.place): check for check in found}

    async def check(self, target: Target) -> PairingCheck:
        """Send the smallest paid request to a target, and remember what comes; say what it costs before.

        Raises:
            TokenError: There is no token, or it is refused: nothing is known of the pairing.
            WireError: It could not be found out now (no connection, throttled, a failing server).
        """
        target = await self._ready(target)
        began = self._now(), self._monotonic()
        try:
            ended = await self._send(target)
        except HttpStatusError as error:
            status = error.status or 0
            if isinstance(error, TokenError) or not 400 <= status < 500 or status in _PASSING:
                raise
            return await self._remember(target, began[0], False, str(error))
        if isinstance(ended, ServerError):
            raise WireError(f"The server failed: {visible_line(ended.message)}", code=ended.code)
        usage = Usage.from_payload(ended.response.get("usage"))
        record = usage_record("check", "", began[0], target, usage)
        await self._records.call(History.record_usage, record)
        if ended.status == "failed":
            raise WireError("The server took the request and failed.", code="failed")
        return await self._remember(target, began[0], True, _words(usage, self._monotonic() - began[1]))

    async def with_model(self, conversation: Conversation) -> Conversation:
        """The conversation with a model, where none is configured and the default one is not served.

        As the guide chooses: gpt-5.4, the first `openai.` model listed, the first listed. No server is asked
        where the catalogue has the default model in this region.
        """
        settings = self._reach.settings
        if conversation.model is not None or settings.sources.get("model") != "default":
            return conversation
        target = settings.target(None, conversation.region, conversation.endpoint)
        if target.sandbox or target.endpoint == "custom":
            return conversation
        known = target.endpoint not in settings.profiles
        if known and settings.catalogue.pairing(target.model, target.region, target.endpoint).possible:
            return conversation
        kept = await self.remembered(target)
        listed = kept[1] if kept is not None else (await self.models(target)).models
        return replace(conversation, model=fallback_model(listed))

    async def _ready(self, target: Target) -> Target:
        await self._reach.check_token(target)
        await self._reach.warm_up()
        if target.sandbox:
            # Where it listens is known only now.
            return self._reach.settings.target(target.model, target.region, target.endpoint, target.api)
        return target

    async def _ask(self, path: str, target: Target) -> RouteAnswer:
        from tui.wire.recorder import AttemptLabel

        try:
            return RouteAnswer(path, listed_ids(await self._reach.api_client(target).models(AttemptLabel())))
        except WireError as error:
            return RouteAnswer(path, status=error.status, failure=str(error))

    async def _send(self, target: Target) -> ResponseEnded | ServerError:
        from tui.wire.recorder import AttemptLabel

        # The guide's preflight.
        asked = {"model": target.model, "input": CHECK_PROMPT, "max_output_tokens": CHECK_OUTPUT}
        body = dump_json({**asked, "store": False}).encode()
        if target.api != RESPONSES:
            params = {"max_output_tokens": CHECK_OUTPUT}
            request = Request(target, "stateless", (user_message(CHECK_PROMPT),), None, False, params)
            body = request.encode(stream=False)
        ended: ResponseEnded | ServerError | None = None
        label = AttemptLabel(model=target.model)
        async with aclosing(self._reach.api_client(target).create(body, label)) as events:
            async for event in events:
                if isinstance(event, ResponseEnded | ServerError):
                    ended = event
        if ended is None:
            raise WireError("The server answered without saying how it ended.", code="no_end")
        return ended

    async def _remember(self, target: Target, at: float, works: bool, sentence: str) -> PairingCheck:
        check = PairingCheck(target.model, target.region, check_place(target), at, works, sentence)
        await self._records.call(History.save_check, check)
        return check


def _words(usage: Usage | None, seconds: float) -> str:
    words = f"It answered in {seconds:.1f} s"
    if usage is None or usage.input_tokens is None or usage.output_tokens is None:
        return f"{words}, and did not say with how many tokens."
    return f"{words}: {usage.input_tokens:,} tokens in, {usage.output_tokens:,} out."
