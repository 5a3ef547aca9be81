"""What a request of a conversation says beside its items: settings, controls, and what was refused before.

Part of the session layer. What a model refuses at an endpoint is kept in the history, so that it is asked
for once and not again in every run.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import replace
from typing import Any

from tui.config.settings import Settings
from tui.core.api_rules import API_NAMES, ApiRules
from tui.core.cache_controls import CACHE_PARAMETERS, OPTIONS, cache_params
from tui.core.catalogue import ENDPOINTS, Model, is_region
from tui.core.compaction import CONTEXT_MANAGEMENT, compact_threshold
from tui.core.continuation import Options
from tui.core.controls import Controls
from tui.core.conversation import Conversation
from tui.core.errors import InputError, StoreError
from tui.core.items import Target
from tui.core.text import visible_line
from tui.core.tools import tool_params
from tui.session.records import Records
from tui.store.history import History

__all__ = [
    "RequestOptions",
    "checked_change",
    "guardrail_unsent",
    "options_for",
    "refused_before",
    "sampling_unset",
    "target_of",
]


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
        options = options_for(settings, conversation, self.is_refused, first=first)
        kept = options.target.base_url not in self._keeping_nothing
        return replace(options, storable=options.storable and kept)

    def unsent(self, settings: Settings, conversation: Conversation) -> list[str]:
        """A sentence for each control that is chosen and not sent as it is chosen, and why."""
        target = target_of(settings, conversation)
        model = settings.catalogue.model(target.model)
        rules = settings.catalogue.rules(target.api, target.endpoint)
        controls, said = _chosen(settings, conversation).checked(model, rules)
        if controls.summary is not None and self.is_refused(target, "reasoning.summary"):
            said.append(f"{target.model} refused reasoning summaries here: none is asked for.")
        if conversation.tools.on and not rules.has("tools"):
            said.append(f"{API_NAMES[target.api]} has no tool calls: no tools are sent.")
        if sentence := guardrail_unsent(settings, target):
            said.append(sentence)
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
    """Where the next turn of a conversation goes; a region of a form that none has is passed over."""
    named = conversation.region
    region = named if named and is_region(named) else None
    return settings.target(conversation.model, region, conversation.endpoint, conversation.api)


def options_for(
    settings: Settings,
    conversation: Conversation,
    is_refused: Callable[[Target, str], bool],
    *,
    first: bool = True,
) -> Options:
    """The options with which a conversation's next turn is planned.

    Args:
        settings: As configured.
        conversation: What it is planned for.
        is_refused: Whether a parameter was refused at a target before.
        first: Whether it carries a prompt, not the outputs of tools: a call is required once only.
    """
    target = target_of(settings, conversation)
    model = settings.catalogue.model(target.model)
    rules = settings.catalogue.rules(target.api, target.endpoint)
    controls, _ = _chosen(settings, conversation).checked(model, rules)
    controls = _recommended(controls, model, rules)
    limit = controls.max_output_tokens or settings.max_output_tokens
    # One place and one order for what is not in `Options` itself: equal requests are equal bytes.
    extra: dict[str, Any] = {}
    if controls.service_tier is not None:
        extra["service_tier"] = controls.service_tier
    extra |= _sampling(controls)
    breakpoints = None if is_refused(target, OPTIONS) else controls.cache_breakpoints
    # A server of the user's own need not know the parameter: there a key is sent where one is chosen.
    own_key = conversation.id if target.endpoint in ENDPOINTS else ""
    cached = cache_params(model, own_key, controls.cache_key, controls.cache_keep, breakpoints)
    if rules.has("prompt_cache"):
        extra |= {name: value for name, value in cached.items() if not is_refused(target, name)}
    tools = tool_params(conversation.tools, first=first) if rules.has("tools") else {}
    if tools.get("tool_choice") != "none" and is_refused(target, "tool_choice"):
        tools.pop("tool_choice", None)
    extra |= tools
    threshold = compact_threshold(model.context if model else None, settings.compact_at)
    compacts = settings.server_compaction and rules.has("compaction")
    if compacts and threshold and not is_refused(target, CONTEXT_MANAGEMENT):
        extra[CONTEXT_MANAGEMENT] = [{"type": "compaction", "compact_threshold": threshold}]
    return Options(
        target=target,
        max_output_tokens=limit or settings.catalogue.default_max_output(target.model),
        instructions=conversation.instructions,
        effort=controls.effort,
        verbosity=controls.verbosity,
        text_format=controls.text_format or "",
        summary=None if is_refused(target, "reasoning.summary") else controls.summary,
        encrypted_reasoning=rules.has("encrypted_reasoning") and not is_refused(target, "include"),
        storable=rules.has("stored_responses"),
        breakpoints=breakpoints,
        guardrail=settings.guardrail_in_force if rules.has("guardrails") else None,
        extra=extra,
    )


def refused_before(rows: Collection[tuple[str, str, str]]) -> Callable[[Target, str], bool]:
    """Whether a parameter was refused at a target, by what a history keeps of that."""
    return lambda target, parameter: (_place(target), target.model, parameter) in rows


def guardrail_unsent(settings: Settings, target: Target) -> str:
    """A sentence where a guardrail is configured and the API has none; else empty."""
    if not settings.guardrail or settings.catalogue.rules(target.api, target.endpoint).has("guardrails"):
        return ""
    why_not = settings.catalogue.why_not("guardrails", target.model, target.endpoint, target.api)
    return f"The guardrail {visible_line(settings.guardrail)} does not apply: {why_not}"


def sampling_unset(settings: Settings, target: Target) -> dict[str, str]:
    """What is sent as temperature, top_p and stop where a conversation chose nothing, as texts."""
    model = settings.catalogue.model(target.model)
    rules = settings.catalogue.rules(target.api, target.endpoint)
    configured = Controls(temperature=settings.temperature, top_p=settings.top_p, stop=settings.stop)
    sent = _recommended(configured.checked(model, rules)[0], model, rules)
    return {name: str(value) for name, value in _sampling(sent).items()}


def _chosen(settings: Settings, conversation: Conversation) -> Controls:
    """The conversation's controls, and what the settings say of sampling where it chose nothing."""
    controls = conversation.controls
    return replace(
        controls,
        temperature=settings.temperature if controls.temperature is None else controls.temperature,
        top_p=settings.top_p if controls.top_p is None else controls.top_p,
        stop=controls.stop or settings.stop,
    )


def _recommended(controls: Controls, model: Model | None, rules: ApiRules) -> Controls:
    """With what is recommended for the model, where nothing is chosen and the API takes it."""
    if model is None:
        return controls
    missing = {
        name: value
        for name, value in model.recommended.items()
        if rules.takes(name) and getattr(controls, name) is None
    }
    return replace(controls, **missing)  # pyright: ignore[reportArgumentType]


def _sampling(controls: Controls) -> dict[str, Any]:
    """What is said in the same words in every API's parameters."""
    chosen = {
        "temperature": controls.temperature,
        "top_p": controls.top_p,
        "stop": list(controls.stop) or None,
    }
    return {name: value for name, value in chosen.items() if value is not None}


def checked_change(settings: Settings, conversation: Conversation, controls: Controls) -> Controls:
    """The controls, if everything that they change can be sent.

    What an earlier choice left behind and this model does not take may stay: another model takes it again.

    Raises:
        InputError: A value that is new is refused by the model, or by every model.
    """
    target = target_of(settings, conversation)
    model = settings.catalogue.model(target.model)
    rules = settings.catalogue.rules(target.api, target.endpoint)
    changed = controls.changed_from(conversation.controls)
    if changed.samples:
        # Whether a model samples depends on the effort, chosen now or before.
        changed = replace(changed, effort=controls.effort)
    _, said = changed.checked(model, rules)
    if said:
        raise InputError(" ".join(said))
    return controls
