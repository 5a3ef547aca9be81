"""Targets in words: `gpt-5.5@us-east-2 effort=low, gpt-oss-20b api=chat`.

A target is a model, a region after `@`, and `name=value` for the rest, in any order; targets are separated
by commas. What is not said is taken from the target in force. A word that can mean one thing only needs no
name: `stateless`, `runtime`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, cast

from tui.core.api_rules import API_NAMES, api_named
from tui.core.apis import RESPONSES
from tui.core.catalogue import ENDPOINTS, Catalogue, is_region
from tui.core.errors import InputError
from tui.core.items import ContinuationMode, Target
from tui.core.text import visible_line

__all__ = [
    "LEAST",
    "MOST",
    "UNSET",
    "Asked",
    "TargetWords",
    "labels",
    "parse_target",
    "parse_targets",
    "words_for",
]

LEAST: Final = 2
MOST: Final = 4
"""How many targets there may be."""

UNSET: Final = "unset"
"""As an effort: whatever is in force, the model is left to choose."""

_NAMES: Final = ("model", "region", "endpoint", "api", "effort", "mode")
_MODES: Final = ("stateful", "stateless")
_EXAMPLE: Final = "gpt-5.5@us-east-2 effort=low"
_PREFIX: Final = "openai."


@dataclass(frozen=True, slots=True)
class TargetWords:
    """What was said of a target; `None` is what was not.

    Attributes:
        model: Its id where the catalogue knows it, else as it was written.
        region: An AWS region.
        endpoint: `mantle`, `runtime` or the name of a profile.
        api: A key of `API_NAMES`.
        effort: `reasoning.effort`, or `UNSET`; which values there are depends on the model.
        mode: How the conversation is continued.
    """

    model: str | None = None
    region: str | None = None
    endpoint: str | None = None
    api: str | None = None
    effort: str | None = None
    mode: ContinuationMode | None = None

    def __str__(self) -> str:
        """The words again, the shortest that mean the same."""
        place = _short_model(self.model or "") + (f"@{self.region}" if self.region else "")
        rest = [f"{name}={value}" for name in _NAMES[2:] if (value := getattr(self, name))]
        return " ".join(filter(None, [place, *rest]))


@dataclass(frozen=True, slots=True)
class Asked:
    """What a column asks, all of it resolved.

    Attributes:
        target: Model, region, endpoint, API.
        effort: As chosen; `None` leaves it to the model.
        mode: How the conversation is continued.
    """

    target: Target
    effort: str | None
    mode: ContinuationMode


def parse_targets(text: str, catalogue: Catalogue) -> tuple[TargetWords, ...]:
    """Read targets that are separated by commas; empty ones are passed over.

    Raises:
        InputError: One cannot be read; the sentence says which and why.
    """
    return tuple(parse_target(part, catalogue) for part in text.split(",") if part.strip())


def parse_target(text: str, catalogue: Catalogue) -> TargetWords:
    """Read one target.

    Raises:
        InputError: It cannot be read; the sentence says why.
    """
    found: dict[str, str] = {}

    def take(name: str, value: str) -> None:
        if name in found:
            raise InputError(f"“{visible_line(text.strip())}” says twice which {name}.")
        found[name] = _checked(name, value, catalogue)

    for word in text.split():
        name, equals, value = word.partition("=")
        if equals:
            if name not in _NAMES or not value:
                raise InputError(f"“{visible_line(word)}” is none of {'=…, '.join(_NAMES)}=…")
            take(name, value)
            continue
        model, at, region = word.partition("@")
        if word in _MODES:
            take("mode", word)
        elif word in ENDPOINTS:
            take("endpoint", word)
        elif at or "model" not in found:
            if model:
                take("model", model)
            if at:
                take("region", region)
        else:
            raise InputError(
                f"“{visible_line(word)}” is not understood; a target is written such as {_EXAMPLE}."
            )
    if not found:
        raise InputError(f"A target is empty; it is written such as {_EXAMPLE}.")
    mode = cast("ContinuationMode | None", found.pop("mode", None))
    model, region, endpoint, api, effort = (found.get(name) for name in _NAMES[:-1])
    return TargetWords(model, region, endpoint, api, effort, mode)


def _checked(name: str, value: str, catalogue: Catalogue) -> str:
    match name:
        case "model":
            return _long_model(value, catalogue)
        case "region" if not is_region(value):
            raise InputError(f"“{visible_line(value)}” is no region; one is written such as us-east-2.")
        case "api":
            api = api_named(value)
            if api is None:
                names = ", ".join(API_NAMES)
                raise InputError(f"There is no API {visible_line(value)}. There are: {names}.")
            return api
        case "mode" if value not in _MODES:
            raise InputError(f"mode is stateful or stateless, not {visible_line(value)}.")
        case _:
            return value


def _long_model(name: str, catalogue: Catalogue) -> str:
    """The id that a short name means; what nobody knows stays, as a server may."""
    for candidate in (name, f"{_PREFIX}{name}"):
        if catalogue.model(candidate) is not None:
            return candidate
    named = [model.id for model in catalogue.models if model.label.lower() == name.lower()]
    return named[0] if len(named) == 1 else name


def _short_model(model_id: str) -> str:
    return model_id.removeprefix(_PREFIX)


def words_for(asked: Asked, base: Asked, catalogue: Catalogue) -> TargetWords:
    """The words that mean a target where `base` is in force: model and region, and what is not as there."""
    target, there = asked.target, base.target
    usual = target.api == catalogue.default_api(target.model, target.endpoint)
    api_in_force = catalogue.default_api(there.model, there.endpoint)
    effort = None if asked.effort == base.effort else asked.effort or UNSET
    return TargetWords(
        target.model,
        target.region,
        None if target.endpoint == there.endpoint else target.endpoint,
        None if usual and there.api == api_in_force else target.api,
        effort,
        None if asked.mode == base.mode else asked.mode,
    )


def labels(columns: Sequence[Asked]) -> list[str]:
    """A short name for each: its model, and of the rest what is not the same in all of them.

    What a target has if nothing is said (mantle, Responses, no effort, stateful) is left out.
    """
    facts = [_facts(asked) for asked in columns]
    differing = [index for index in range(1, len(_NAMES)) if len({row[index] for row in facts}) > 1]
    return [" · ".join(filter(None, [row[0], *(row[index] for index in differing)])) for row in facts]


def _facts(asked: Asked) -> tuple[str, ...]:
    target = asked.target
    over = "" if target.api == RESPONSES else API_NAMES.get(target.api, target.api)
    texts = (
        _short_model(target.model),
        target.region,
        "" if target.endpoint == ENDPOINTS[0] else target.endpoint,
        over,
        f"effort {asked.effort}" if asked.effort else "",
        # Other APIs have no other way.
        "" if asked.mode == "stateful" or over else asked.mode,
    )
    return tuple(map(visible_line, texts))
