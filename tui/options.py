"""What a request of a conversation says beside its items: settings, controls, and what was refused before.

Part of the session layer. What a model refuses at an endpoint is kept in the history, so that it is asked
for once and not again in every run.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tui.config import Settings
from tui.core.cache_controls import CACHE_PARAMETERS, OPTIONS, cache_params
from tui.core.catalogue import ENDPOINTS
from tui.core.compaction import CONTEXT_MANAGEMENT, compact_threshold
from tui.core.continuation import Options
from tui.core.controls import Controls
from tui.core.conversation import Conversation
from tui.core.errors import InputError, StoreError
from tui.core.items import Target
from tui.core.tools import tool_params
from tui.records import Records
from tui.store.history import History

__all__ = ["RequestOptions", "checked_change", "target_of"]


class RequestOptions:
    """Makes the options of requests.

    Args:
        records: The history.
        now: Wall clock, seconds since the epoch.
    """

    def __init__(self, records: Records, now: Callable[[], float]) -> None:
        self._records = records
        self._now = now
        self._refused: set[tuple[str, str, str]] = set()
        # An account's retention mode holds for a region, whatever the model, and may be changed any day.
        self._keeping_nothing: set[str] = set()

    async def load(self) -> None:
        """Learn what earlier runs found refused; without a history that is nothing."""
        try:
            self._refused |= await self._records.call(History.refused_parameters)
        except StoreError as error:
            self._records.failure = error

    def of(self, settings: Settings, conversation: Conversation, *, first: bool = True) -> Options:
        """The options with which the conversation's next turn is planned.

        Args:
            settings: As configured.
            conversation: What it is planned for.
            first: Whether it carries a prompt, not the outputs of tools: a call is required once only.
        """
        target = target_of(settings, conversation)
        controls, _ = conversation.controls.checked(settings.catalogue.model(target.model))
        limit = controls.max_output_tokens or settings.max_output_tokens
        # One place and one order for what is not in `Options` itself: equal requests are equal bytes.
        extra: dict[str, Any] = {}
        if controls.service_tier is not None:
            extra["service_tier"] = controls.service_tier
        model = settings.catalogue.model(target.model)
        breakpoints = None if self.is_refused(target, OPTIONS) else controls.cache_breakpoints
        # A server of the user's own need not know the parameter: there a key is sent where one is chosen.
        own_key = conversation.id if target.endpoint in ENDPOINTS else ""
        cached = cache_params(model, own_key, controls.cache_key, controls.cache_keep, breakpoints)
        extra |= {name: value for name, value in cached.items() if not self.is_refused(target, name)}
        tools = tool_params(conversation.tools, first=first)
        if tools.get("tool_choice") != "none" and self.is_refused(target, "tool_choice"):
            tools.pop("tool_choice", None)
        extra |= tools
        threshold = compact_threshold(model.context if model else None, settings.compact_at)
        if settings.server_compaction and threshold and not self.is_refused(target, CONTEXT_MANAGEMENT):
            extra[CONTEXT_MANAGEMENT] = [{"type": "compaction", "compact_threshold": threshold}]
        return Options(
            target=target,
            max_output_tokens=limit or settings.catalogue.default_max_output(target.model),
            instructions=conversation.instructions,
            effort=controls.effort,
            verbosity=controls.verbosity,
            text_format=controls.text_format or "",
            summary=None if self.is_refused(target, "reasoning.summary") else controls.summary,
            encrypted_reasoning=not self.is_refused(target, "include"),
            storable=target.base_url not in self._keeping_nothing,
            breakpoints=breakpoints,
            extra=extra,
        )

    def unsent(self, settings: Settings, conversation: Conversation) -> list[str]:
        """A sentence for each control that is chosen and not sent as it is chosen, and why."""
        target = target_of(settings, conversation)
        model = settings.catalogue.model(target.model)
        controls, said = conversation.controls.checked(model)
        if controls.summary is not None and self.is_refused(target, "reasoning.summary"):
            said.append(f"{target.model} refused reasoning summaries here: none is asked for.")
        chosen = cache_params(model, "", controls.cache_key, controls.cache_keep, controls.cache_breakpoints)
        said += [
            f"{target.model} refused {name} here: it is not sent."
            for name in CACHE_PARAMETERS
            if name in chosen and self.is_refused(target, name)
        ]
        return said

    def is_refused(self, target: Target, parameter: str) -> bool:
        """Whether the model refused a parameter at this endpoint, in this run or an earlier one."""
        return (_place(target), target.model, parameter) in self._refused

    def refuser(self, target: Target) -> Callable[[str], None]:
        """A function that remembers a parameter as refused there."""

        def refuse(parameter: str) -> None:
            if parameter == "store":
                self._keeping_nothing.add(target.base_url)
                return
            key = (_place(target), target.model, parameter)
            self._refused.add(key)
            self._records.later(History.refuse_parameter, *key, self._now())

        return refuse


def _place(target: Target) -> str:
    """The endpoint, or the base URL the user brought, as each is another server; and the API if another."""
    place = target.endpoint if target.endpoint in ENDPOINTS else target.base_url
    if target.sandbox:
        place = "sandbox"
    return place if target.api == "responses" else f"{place} {target.api}"


def target_of(settings: Settings, conversation: Conversation) -> Target:
    """Where the next turn of a conversation goes."""
    return settings.target(conversation.model, conversation.region, conversation.endpoint, conversation.api)


def checked_change(settings: Settings, conversation: Conversation, controls: Controls) -> Controls:
    """The controls, if everything that they change can be sent.

    What an earlier choice left behind and this model does not take may stay: another model takes it again.

    Raises:
        InputError: A value that is new is refused by the model, or by every model.
    """
    target = target_of(settings, conversation)
    model = settings.catalogue.model(target.model)
    _, said = controls.changed_from(conversation.controls).checked(model)
    if said:
        raise InputError(" ".join(said))
    return controls
