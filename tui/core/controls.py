"""What a conversation asks of the model beside its text: effort, verbosity, limits, tier, summaries.

Source: OpenAI API reference, "Create a response"; bedrock-facts.md sections 2, 3 and 7.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Final, cast

from tui.core.api_rules import API_NAMES, PARAMETERS, ApiRules
from tui.core.cache_controls import BREAKPOINTS, LONGEST_KEY, keep_values
from tui.core.catalogue import Model
from tui.core.text import visible_line

__all__ = ["LEAST_OUTPUT", "MOST_STOPS", "SERVICE_TIERS", "SUMMARIES", "VERBOSITIES", "Controls"]

LEAST_OUTPUT: Final = 16
"""What the API takes at least as `max_output_tokens`."""

VERBOSITIES: Final = ("low", "medium", "high")
SERVICE_TIERS: Final = ("auto", "default", "flex", "priority")
SUMMARIES: Final = ("auto", "concise", "detailed")


@dataclass(frozen=True, slots=True)
class Controls:
    """What is chosen for a conversation's next turns; `None` leaves the choice to the server.

    Attributes:
        effort: `reasoning.effort`; which values there are depends on the model.
        verbosity: `text.verbosity`: `low`, `medium`, `high`.
        max_output_tokens: Most tokens of one answer, reasoning included; `None` follows the settings.
        service_tier: `auto`, `default`, `flex`, `priority`.
        summary: `reasoning.summary`: `auto`, `concise`, `detailed`; asked for only when chosen.
        cache_key: `prompt_cache_key`; `None` is the conversation's own, `cache_controls.NO_KEY` sends none.
        cache_keep: `prompt_cache_retention` or `prompt_cache_options.ttl`, whichever the model has.
        cache_breakpoints: Where the prompt cache is written, see `cache_controls.BREAKPOINTS`.
        text_format: `text.format` as JSON text (`core.structured.output_format`); `None` is prose.
        temperature: From 0 to 2.
        top_p: From 0 to 1.
        stop: Texts at which the answer ends, at most `MOST_STOPS`; none is `()`.
        instructions_name: The name under which the instructions were chosen; empty for a text of one's own.
    """

    effort: str | None = None
    verbosity: str | None = None
    max_output_tokens: int | None = None
    service_tier: str | None = None
    summary: str | None = None
    cache_key: str | None = None
    cache_keep: str | None = None
    cache_breakpoints: str | None = None
    text_format: str | None = None
    temperature: float | None = None
    top_p: float | None = None
    stop: tuple[str, ...] = ()
    instructions_name: str = ""

    def as_json(self) -> dict[str, Any]:
        """What is chosen, by name; what is not chosen is not in it."""
        chosen = {name: value for name in _FIELDS if (value := getattr(self, name)) not in (None, "", ())}
        return {**chosen, "stop": list(self.stop)} if self.stop else chosen

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Controls:
        """Read what `as_json` gave; what another version wrote and this one does not know is left out."""
        texts = {
            name: str(value[name]) for name in _TEXTS if value.get(name) and isinstance(value[name], str)
        }
        limit = value.get("max_output_tokens")
        stop: object = value.get("stop")
        stops = cast("list[object]", stop) if isinstance(stop, list) else []
        return cls(
            **texts,
            max_output_tokens=limit if type(limit) is int and limit > 0 else None,
            temperature=_number(value.get("temperature")),
            top_p=_number(value.get("top_p")),
            stop=tuple(text for text in stops if isinstance(text, str)),
        )

    @property
    def samples(self) -> bool:
        """Whether temperature, top_p or stop sequences are chosen."""
        return any(getattr(self, name) not in (None, ()) for name in _SAMPLING)

    def checked(self, model: Model | None, rules: ApiRules | None = None) -> tuple[Controls, list[str]]:
        """These controls without what is known to be refused, and a sentence for each one that is changed.

        An effort, verbosity, tier or summary that is refused is left to the server; a limit that is too high
        becomes the model's own.

        Args:
            model: The catalogue's row; a model that nobody knows gets all that is chosen.
            rules: What the API takes that they go over; by default all of it.
        """
        checked, said = _ranged(self)
        for name, word, values in _CHOICES:
            chosen = getattr(self, name)
            if chosen is not None and chosen not in values:
                checked = replace(checked, **{name: None})
                said.append(f"{word} may be {_either(values)}, not {visible_line(chosen)}.")
        limit = self.max_output_tokens
        if limit is not None and limit < LEAST_OUTPUT:
            checked, limit = replace(checked, max_output_tokens=None), None
            said.append(f"The limit on output tokens must be {LEAST_OUTPUT} or more.")
        if self.cache_key is not None and not 0 < len(self.cache_key) <= LONGEST_KEY:
            checked = replace(checked, cache_key=None)
            said.append(f"A cache key has {LONGEST_KEY} characters at most.")
        if rules is not None:
            checked = _ruled(checked, rules, said)
        if model is None:
            return checked, said
        checked = self._cache_checked(checked, model, said)
        if self.effort is not None and self.effort not in model.effort_values:
            checked = replace(checked, effort=None)
            offered = _either(model.effort_values) if model.effort_values else "none at all"
            said.append(f"{model.label} takes effort {offered}, not {visible_line(self.effort)}.")
        checked = _sampled(checked, model, said)
        if limit is not None and model.max_output is not None and limit > model.max_output:
            checked = replace(checked, max_output_tokens=model.max_output)
            said.append(f"{model.label} gives {model.max_output:,} output tokens at most, not {limit:,}.")
        return checked, said

    def _cache_checked(self, checked: Controls, model: Model, said: list[str]) -> Controls:
        keep = keep_values(model)
        if checked.cache_keep is not None and checked.cache_keep not in keep:
            checked = replace(checked, cache_keep=None)
            offered = (
                f"can be told to keep for {_either(keep)}" if keep else "cannot be told how long to keep"
            )
            said.append(f"{model.label}'s prompt cache {offered}, not {visible_line(self.cache_keep or '')}.")
        if checked.cache_breakpoints is not None and "cache_breakpoints" not in model.features:
            checked = replace(checked, cache_breakpoints=None)
            said.append(f"{model.label} takes no cache breakpoints: it decides itself what it caches.")
        return checked

    def changed_from(self, other: Controls) -> Controls:
        """Only what is chosen otherwise than in `other`; the rest is left to the server."""
        same = [name for name in _FIELDS if getattr(self, name) == getattr(other, name)]
        nothing = Controls()
        return replace(self, **{name: getattr(nothing, name) for name in same})


_CHOICES: Final = (
    ("verbosity", "Verbosity", VERBOSITIES),
    ("service_tier", "The service tier", SERVICE_TIERS),
    ("summary", "A reasoning summary", SUMMARIES),
    ("cache_breakpoints", "Cache breakpoints", BREAKPOINTS),
)
_TEXTS: Final = (
    *("effort", "verbosity", "service_tier", "summary"),
    *("cache_key", "cache_keep", "cache_breakpoints", "text_format", "instructions_name"),
)
MOST_STOPS: Final = 4
_RANGES: Final = {"temperature": 2, "top_p": 1}
_CACHE: Final = ("cache_key", "cache_keep", "cache_breakpoints")
_SAMPLING: Final = (*_RANGES, "stop")
_FIELDS: Final = (*_TEXTS, "max_output_tokens", *_SAMPLING)


def _number(value: object) -> float | None:
    """A number that a file gave; `None` for none, and for one beyond all that a sampling takes."""
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not -1e6 <= value <= 1e6:
        return None
    return float(value)


def _ranged(controls: Controls) -> tuple[Controls, list[str]]:
    """Without numbers and stop sequences that no model takes."""
    said: list[str] = []
    for name, most in _RANGES.items():
        value = getattr(controls, name)
        if value is not None and not 0 <= value <= most:  # which NaN is not either
            controls = replace(controls, **{name: None})
            said.append(f"{name} is a number from 0 to {most}.")
    if len(controls.stop) > MOST_STOPS or not all(controls.stop):
        controls = replace(controls, stop=())
        said.append(f"There may be {MOST_STOPS} stop sequences at most, none of them empty.")
    return controls, said


def _ruled(controls: Controls, rules: ApiRules, said: list[str]) -> Controls:
    """Without what the API takes from nobody."""
    api, nothing = API_NAMES.get(rules.api, rules.api), Controls()
    for name, words in PARAMETERS.items():
        if getattr(controls, name) != getattr(nothing, name) and not rules.takes(name):
            controls = replace(controls, **{name: getattr(nothing, name)})
            said.append(f"{api} takes no {words}: it is not sent.")
    if controls.text_format is not None and not rules.has("json_schema"):
        controls = replace(controls, text_format=None)
        said.append(f"{api} gives no answers in JSON by a schema: the answer is prose.")
    if not rules.has("prompt_cache") and any(getattr(controls, name) is not None for name in _CACHE):
        controls = replace(controls, **dict.fromkeys(_CACHE))
        said.append(f"{api} has no cache controls: none are sent.")
    return controls


def _sampled(controls: Controls, model: Model, said: list[str]) -> Controls:
    """Without sampling where the model refuses it beside reasoning."""
    chosen = [PARAMETERS[name] for name in _SAMPLING if getattr(controls, name) not in (None, ())]
    effort = controls.effort or model.default_effort
    if not chosen or model.sampling == "always" or (model.sampling == "effort_none" and effort == "none"):
        return controls
    only = "with effort none only" if model.sampling == "effort_none" else "never"
    what = " and ".join(chosen)
    said.append(f"{model.label} takes {what} {only}, as it reasons: not sent.")
    return replace(controls, temperature=None, top_p=None, stop=())


def _either(values: tuple[str, ...]) -> str:
    return values[0] if len(values) == 1 else f"{', '.join(values[:-1])} or {values[-1]}"
