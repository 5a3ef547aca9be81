"""What a conversation asks of the model beside its text: effort, verbosity, limits, tier, summaries.

Source: OpenAI API reference, "Create a response"; bedrock-facts.md sections 2, 3 and 7.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from tui.core.cache_controls import BREAKPOINTS, LONGEST_KEY, keep_values
from tui.core.catalogue import Model
from tui.core.text import visible_line

__all__ = ["LEAST_OUTPUT", "SERVICE_TIERS", "SUMMARIES", "VERBOSITIES", "Controls"]

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
    instructions_name: str = ""

    def as_json(self) -> dict[str, Any]:
        """What is chosen, by name; what is not chosen is not in it."""
        return {name: value for name in _FIELDS if (value := getattr(self, name)) not in (None, "")}

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Controls:
        """Read what `as_json` gave; what another version wrote and this one does not know is left out."""
        texts = {name: str(value[name]) for name in _TEXTS if isinstance(value.get(name), str)}
        limit = value.get("max_output_tokens")
        return cls(**texts, max_output_tokens=limit if type(limit) is int and limit > 0 else None)

    def checked(self, model: Model | None) -> tuple[Controls, list[str]]:
        """These controls without what is known to be refused, and a sentence for each one that is changed.

        An effort, verbosity, tier or summary that is refused is left to the server; a limit that is too high
        becomes the model's own.

        Args:
            model: The catalogue's row; a model that nobody knows gets all that is chosen.
        """
        checked, said = self, list[str]()
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
        if model is None:
            return checked, said
        checked = self._cache_checked(checked, model, said)
        if self.effort is not None and self.effort not in model.effort_values:
            checked = replace(checked, effort=None)
            offered = _either(model.effort_values) if model.effort_values else "none at all"
            said.append(f"{model.label} takes effort {offered}, not {visible_line(self.effort)}.")
        if limit is not None and model.max_output is not None and limit > model.max_output:
            checked = replace(checked, max_output_tokens=model.max_output)
            said.append(f"{model.label} gives {model.max_output:,} output tokens at most, not {limit:,}.")
        return checked, said

    def _cache_checked(self, checked: Controls, model: Model, said: list[str]) -> Controls:
        keep = keep_values(model)
        if self.cache_keep is not None and self.cache_keep not in keep:
            checked = replace(checked, cache_keep=None)
            offered = (
                f"can be told to keep for {_either(keep)}" if keep else "cannot be told how long to keep"
            )
            said.append(f"{model.label}'s prompt cache {offered}, not {visible_line(self.cache_keep)}.")
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
_FIELDS: Final = (*_TEXTS, "max_output_tokens")


def _either(values: tuple[str, ...]) -> str:
    return values[0] if len(values) == 1 else f"{', '.join(values[:-1])} or {values[-1]}"
