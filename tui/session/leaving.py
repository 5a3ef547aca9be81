"""Where a conversation that leaves goes on: the model, place and API that the form it leaves in can ask."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from typing import Final

from tui.config.places import canonical_base_url, own_base_url
from tui.config.settings import Settings
from tui.core.api_choice import fitting_surface, model_for_api
from tui.core.cache_controls import CACHE_PARAMETERS
from tui.core.catalogue import API_NAMES, ENDPOINTS
from tui.core.compaction import CONTEXT_MANAGEMENT
from tui.core.continuation import Options
from tui.core.conversation import Conversation
from tui.core.export.request import TOKEN_VARIABLE, Export, Unsupported
from tui.core.items import Target
from tui.core.leaving.forms import LEAVING_FORMS
from tui.core.leaving.parting import Parting, without_files
from tui.core.text import visible_line
from tui.session.options import options_for, target_of

__all__ = ["leave"]


IsRefused = Callable[[Target, str], bool]

_OF_USE_HERE: Final = (*CACHE_PARAMETERS, CONTEXT_MANAGEMENT, "tool_choice")


def _never(target: Target, parameter: str) -> bool:
    return False


def leave(
    settings: Settings,
    conversation: Conversation,
    form: str,
    beginning: str = "",
    is_refused: IsRefused = _never,
) -> Export:
    """A conversation in a form; large attachments take a while: call it off the event loop.

    Args:
        settings: As configured; where the conversation says otherwise, that holds.
        conversation: Its current path leaves, or all of it, as the form has it.
        form: One of `LEAVING_FORMS`.
        beginning: Of the names of files beside it.
        is_refused: Whether a target refused a parameter before.

    Raises:
        KeyError: There is no such form.
        Unsupported: This conversation has no such form; the text is a sentence.
    """
    chosen = LEAVING_FORMS[form]
    own = _own_target(settings, conversation)
    target, note = (own, "") if not chosen.apis else _aimed(settings, own, chosen.apis)
    options = _options(settings, conversation, target, is_refused)
    # The records of a batch name no model: the job does.
    notes = (note,) if note and form != "batch" else ()
    parting = Parting(conversation, options, beginning, notes, _token_variable(settings, target))
    model = settings.catalogue.model(target.model)
    if chosen.apis and model is not None:
        parting = without_files(parting, model.inputs)
    return chosen.make(parting)


def _own_target(settings: Settings, conversation: Conversation) -> Target:
    """Where the conversation would go on here, or, where it says nothing, where it was held last."""
    last = next((turn.target for turn in reversed(conversation.path()) if turn.target), None)
    if last is None:
        return replace(target_of(settings, conversation), sandbox=conversation.sandbox)
    model, region = conversation.model or last.model, conversation.region or last.region
    endpoint = conversation.endpoint or last.endpoint
    api = conversation.api or (last.api if model == last.model else "")
    if endpoint in ENDPOINTS:
        return _on_bedrock(settings, model, region, endpoint, api, sandbox=conversation.sandbox)
    if endpoint == last.endpoint:
        return replace(last, model=model, region=region)
    return settings.target(model, region, endpoint, api or None)


def _on_bedrock(
    settings: Settings, model: str, region: str, endpoint: str, api: str, *, sandbox: bool
) -> Target:
    api = api or settings.catalogue.default_api(model, endpoint)
    route = settings.catalogue.route(model, endpoint, api)
    return Target(model, region, endpoint, canonical_base_url(endpoint, region, route), sandbox, api)


def _aimed(settings: Settings, own: Target, apis: tuple[str, ...]) -> tuple[Target, str]:
    """The target of a form, and what is otherwise than in the conversation, in words.

    Raises:
        Unsupported: There is none; the text is a sentence.
    """
    if own.api in apis:
        return own, ""
    api, catalogue = apis[0], settings.catalogue
    if own.endpoint not in ENDPOINTS:
        if own.endpoint != "custom" and api == "converse":
            # AWS's library sends the Bedrock key, and a profile has a token of its own.
            where = visible_line(own.endpoint)
            raise Unsupported(
                f"Converse is an API of AWS's, and the profile {where} is an endpoint of its own."
            )
        return replace(own, api=api, base_url=own_base_url(own.base_url, api)), ""
    surface = fitting_surface(catalogue, own.model, own.endpoint, api)
    model_id, region, endpoint = surface.model_id, own.region, surface.endpoint
    pairing = catalogue.pairing(model_id, region, endpoint, api=api)
    if not pairing.possible and (pairing.nearest is None or pairing.nearest_api != api):
        other = model_for_api(catalogue, api, region)
        if other is not None:
            model_id, endpoint = other.model_id, other.endpoint
            pairing = catalogue.pairing(model_id, region, endpoint, api=api)
    if not pairing.possible and pairing.nearest is not None and pairing.nearest_api == api:
        (model_id, region), endpoint = pairing.nearest, pairing.nearest_endpoint
    note = ""
    if (model_id, region, endpoint) != (own.model, own.region, own.endpoint):
        now = f"{visible_line(model_id)} in {visible_line(region)}"
        was = f"{visible_line(own.model)} in {visible_line(own.region)}"
        note = f"it asks {now}, as {was} does not serve {API_NAMES[api]}"
    return _on_bedrock(settings, model_id, region, endpoint, api, sandbox=own.sandbox), note


def _options(
    settings: Settings, conversation: Conversation, target: Target, is_refused: IsRefused
) -> Options:
    """What would be said here to that target, without what is of use to this program alone."""
    there = replace(
        conversation, model=target.model, region=target.region, endpoint=target.endpoint, api=target.api
    )
    options = options_for(settings, there, is_refused, first=False)
    extra = {name: value for name, value in options.extra.items() if name not in _OF_USE_HERE}
    return replace(options, target=target, summary=None, breakpoints=None, extra=extra)


def _token_variable(settings: Settings, target: Target) -> str:
    """Where a program finds the token: a profile's is not the Bedrock key, which nobody else is sent."""
    if target.endpoint in (*ENDPOINTS, "custom"):
        return TOKEN_VARIABLE
    profile = settings.profiles.get(target.endpoint)
    if profile is not None and profile.token_env:
        return profile.token_env
    return re.sub(r"\W", "_", target.endpoint, flags=re.ASCII).upper() + "_TOKEN"
