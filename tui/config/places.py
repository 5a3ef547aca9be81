"""Where requests go, put together from what flags, environment and file say: region, endpoint, base URL."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final

from tui.config.profiles import Profile
from tui.config.values import Found, closest, shown
from tui.core.api_choice import Surface, fitting_surface, model_for_api
from tui.core.catalogue import DEFAULT_ROUTE, NATIVE_APIS, Catalogue, is_region
from tui.core.errors import ConfigError, InputError

__all__ = [
    "RANKS",
    "Place",
    "canonical_base_url",
    "checked_region",
    "fitted",
    "own_base_url",
    "place_of",
    "with_aws_region",
]

RANKS: Final = ("default", "config file", "environment", "flag")
"""From the weakest to the strongest."""

_HOSTS: Final = {
    "mantle": "https://bedrock-mantle.{region}.api.aws",
    "runtime": "https://bedrock-runtime.{region}.amazonaws.com",
}


def canonical_base_url(endpoint: str, region: str, route: str = DEFAULT_ROUTE) -> str:
    """Bedrock's own base URL (bedrock-facts.md 1.1).

    Args:
        endpoint: `mantle` or `runtime`.
        region: AWS region.
        route: `/openai/v1`, or `/v1` for models that are served there; empty for APIs of AWS's own form.
    """
    return _HOSTS[endpoint].format(region=region) + route


def own_base_url(base_url: str, api: str) -> str:
    """A base URL of the user's own, as an API needs it.

    The APIs of AWS's own form begin above the `/v1` that those of OpenAI's form have.
    """
    if api in NATIVE_APIS:
        for route in (DEFAULT_ROUTE, "/v1"):
            base_url = base_url.removesuffix(route)
    return base_url


@dataclass(frozen=True, slots=True)
class Place:
    """Values and sources of `region`, `endpoint`, `base_url`, `base_url_is_custom`; `model` if it changes."""

    values: Mapping[str, object]
    sources: Mapping[str, str]


def place_of(found: Mapping[str, Found], catalogue: Catalogue, profiles: Mapping[str, Profile]) -> Place:
    """Region, endpoint and base URL, which depend on each other.

    Bedrock's own base URL is another way to name an endpoint and a region, at the rank where it was
    given; any other base URL is `custom`, unless a stronger place names an endpoint.

    Args:
        found: The settings as given, by name.
        catalogue: Knows the routes.
        profiles: Those of the config file.

    Raises:
        ConfigError: Two of them contradict each other, or name what there is not.
    """
    region, endpoint, url = found["region"], found["endpoint"], found["base_url"]
    profile = _profile(found, profiles)
    if profile is not None:
        return _place_of_profile(profile, found, catalogue)
    model = str(found["model"].value)
    custom = False
    if url.rank:
        named = _canonical_parts(str(url.value))
        if url.rank == endpoint.rank == RANKS.index("flag") and (not named or named[0] != endpoint.value):
            raise ConfigError("--base-url and --endpoint name different places; give one of them.")
        if url.rank >= endpoint.rank and named:
            endpoint = Found(named[0], url.rank, url.source, url.where)
            if url.rank >= region.rank:
                region = Found(named[1], url.rank, url.source, url.where)
        elif url.rank >= endpoint.rank:
            endpoint = Found("custom", url.rank, url.source, url.where)
            custom = True
    place = checked_region(str(region.value), region.where, catalogue)
    if custom:
        base_url, source = str(url.value), url.source
    else:
        place_name = str(endpoint.value)
        api = str(found["api"].value) or catalogue.default_api(model, place_name)
        route = catalogue.route(model, place_name, api)
        base_url, source = canonical_base_url(str(endpoint.value), place, route), endpoint.source
    return Place(
        {"region": place, "endpoint": endpoint.value, "base_url": base_url, "base_url_is_custom": custom},
        {"region": region.source, "endpoint": endpoint.source, "base_url": source},
    )


def with_aws_region(found: Mapping[str, Found], environ: Mapping[str, str]) -> dict[str, Found]:
    """The settings with the region of the AWS profile that is asked for, where nobody names one."""
    region, asked = found["region"], found["aws_profile"]
    name = str(asked.value)
    if region.rank or not name:
        return dict(found)
    from tui.config.aws_files import read_aws_profiles
    from tui.core.aws import ENVIRONMENT, region_in

    if name == ENVIRONMENT:
        name = environ.get("AWS_PROFILE", "").strip() or "default"
    try:
        own = region_in(read_aws_profiles(environ), name)
    except InputError as error:
        raise ConfigError(str(error)) from None
    if not own:
        return dict(found)
    source = f"AWS profile {name} ({asked.source})"
    return {**found, "region": replace(region, value=own, source=source, where=source)}


def fitted(found: Mapping[str, Found], catalogue: Catalogue) -> tuple[dict[str, Found], str]:
    """The settings with model and endpoint that go with the API and the id asked for; a sentence if changed.

    Only what nobody said is changed: an endpoint, a base URL or a profile that was given stays, and so does a
    model, but for the id under which it goes.
    """
    model, endpoint, api = found["model"], found["endpoint"], found["api"]
    if found["base_url"].rank or found["profile"].rank:
        return dict(found), ""
    asked = str(api.value) or None
    if asked and not model.rank:
        surface = _surface_for_api(found, catalogue, asked)
    elif not endpoint.rank:
        surface = fitting_surface(catalogue, str(model.value), str(endpoint.value), asked)
    else:
        surface = None
    if surface is None or not surface.sentence:
        return dict(found), ""
    # No flag's, whatever was given as one: neither was said itself.
    source = f"what goes with {surface.model_id if model.rank else asked}"
    changed = {
        "model": replace(model, value=surface.model_id, source=model.source if model.rank else source),
        "endpoint": replace(
            endpoint, value=surface.endpoint, source=endpoint.source if endpoint.rank else source
        ),
    }
    return {**found, **changed}, surface.sentence


def _surface_for_api(found: Mapping[str, Found], catalogue: Catalogue, api: str) -> Surface | None:
    """What is asked over an API where no model is configured, unless the default one is served so."""
    endpoint, region = str(found["endpoint"].value), str(found["region"].value)
    if catalogue.pairing(str(found["model"].value), region, endpoint, api=api).possible:
        return None
    return model_for_api(catalogue, api, region, endpoint if found["endpoint"].rank else None)


def _profile(found: Mapping[str, Found], profiles: Mapping[str, Profile]) -> Profile | None:
    """The profile in force: asked for at least as strongly as any other endpoint or base URL."""
    asked, flag = found["profile"], RANKS.index("flag")
    name = str(asked.value)
    if not name:
        return None
    if name not in profiles:
        known = f"There are {', '.join(sorted(profiles))}" if profiles else "The config file has none"
        raise ConfigError(
            f"{asked.where}: there is no profile {shown(name)}{closest(name, profiles)}. {known}."
        )
    for other in ("endpoint", "base_url"):
        if asked.rank == found[other].rank == flag:
            raise ConfigError(f"--profile and {found[other].where} name different places; give one of them.")
    stronger = max(found["endpoint"].rank, found["base_url"].rank) > asked.rank
    return None if stronger else profiles[name]


def _place_of_profile(profile: Profile, found: Mapping[str, Found], catalogue: Catalogue) -> Place:
    region, model, asked = found["region"], found["model"], found["profile"]
    source = f"profile {profile.name} ({asked.source})"
    values: dict[str, object] = {
        "region": checked_region(str(region.value), region.where, catalogue),
        "endpoint": profile.name,
        "base_url": profile.base_url,
        "base_url_is_custom": True,
    }
    sources = {"region": region.source, "endpoint": source, "base_url": source}
    if profile.model and model.rank < RANKS.index("flag"):
        values["model"], sources["model"] = profile.model, source
    return Place(values, sources)


def _canonical_parts(url: str) -> tuple[str, str] | None:
    """Endpoint and region that a base URL of Bedrock's own stands for."""
    for endpoint, host in _HOSTS.items():
        before, after = host.split("{region}")
        after += DEFAULT_ROUTE
        if url.startswith(before) and url.endswith(after):
            region = url[len(before) : len(url) - len(after)]
            if is_region(region):
                return endpoint, region
    return None


def checked_region(name: str, where: str, catalogue: Catalogue) -> str:
    """The name, if it has the form of a region.

    Raises:
        ConfigError: It has not; says where it stands, and the nearest region known.
    """
    if is_region(name):
        return name
    hint = closest(name, catalogue.regions)
    raise ConfigError(
        f"{where}: {shown(name)} is not the name of a region{hint}. A region looks like us-west-2."
    )
