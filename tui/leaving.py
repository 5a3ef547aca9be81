"""Where a conversation that leaves goes on: the model, place and API that the form it leaves in can ask."""

from __future__ import annotations

from dataclasses import replace

from tui.config import Settings
from tui.config_places import canonical_base_url, own_base_url
from tui.core.api_choice import fitting_surface, model_for_api
from tui.core.catalogue import API_NAMES, ENDPOINTS
from tui.core.continuation import Options
from tui.core.conversation import Conversation
from tui.core.export.request import Export
from tui.core.items import Target
from tui.core.leaving.forms import LEAVING_FORMS
from tui.core.leaving.parting import Parting, without_files
from tui.core.text import visible_line
from tui.core.tools import tool_params
from tui.options import target_of

__all__ = ["leave"]


def leave(settings: Settings, conversation: Conversation, form: str, beginning: str = "") -> Export:
    """A conversation in a form; large attachments take a while: call it off the event loop.

    Args:
        settings: As configured; where the conversation says otherwise, that holds.
        conversation: Its current path leaves, or all of it, as the form has it.
        form: One of `LEAVING_FORMS`.
        beginning: Of the names of files beside it.

    Raises:
        KeyError: There is no such form.
        Unsupported: This conversation has no such form; the text is a sentence.
    """
    chosen = LEAVING_FORMS[form]
    own = _own_target(settings, conversation)
    target, note = (own, "") if not chosen.apis else _aimed(settings, own, chosen.apis)
    options = _options(settings, conversation, target)
    # The records of a batch name no model: the job does.
    notes = (note,) if note and form != "batch" else ()
    parting = Parting(conversation, options, beginning, notes)
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
    """The target of a form, and what is otherwise than in the conversation, in words."""
    if own.api in apis:
        return own, ""
    api, catalogue = apis[0], settings.catalogue
    if own.endpoint not in ENDPOINTS:
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


def _options(settings: Settings, conversation: Conversation, target: Target) -> Options:
    controls, _ = conversation.controls.checked(settings.catalogue.model(target.model))
    limit = controls.max_output_tokens or settings.max_output_tokens
    extra = tool_params(conversation.tools, first=False)
    # Nobody forbids tools for ever, and whoever goes on decides anew.
    extra.pop("tool_choice", None)
    return Options(
        target=target,
        max_output_tokens=limit or settings.catalogue.default_max_output(target.model),
        instructions=conversation.instructions,
        effort=controls.effort,
        verbosity=controls.verbosity,
        text_format=controls.text_format or "",
        extra=extra,
    )
