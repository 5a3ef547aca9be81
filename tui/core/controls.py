"""What a conversation asks of the model beside its text: effort, verbosity, limits, tier, summaries.

Source: OpenAI API reference, "Create a response"; bedrock-facts.md sections 2, 3 and 7.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from tui.core.catalogue import Model
from tui.core.text import visible_line

__all__ = ["SERVICE_TIERS", "SUMMARIES", "VERBOSITIES", "Controls"]

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
        instructions_name: The name under which the instructions were chosen; empty for a text of one's own.
    """

    effort: str | None = None
    verbosity: str | None = None
    max_output_tokens: int | None = None
    service_tier: str | None = None
    summary: str | None = None
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
        """These controls without what the model is known to refuse, and a sentence for each one dropped.

        Args:
            model: The catalogue's row; a model that nobody knows gets all that is chosen.
        """
        checked, said = self, list[str]()
        for name, word, values in _CHOICES:
            chosen = getattr(self, name)
            if chosen is not None and chosen not in values:
                checked = replace(checked, **{name: None})
                said.append(f"{word} may be {_either(values)}, not {visible_line(chosen)}: it is not sent.")
        if model is None:
            return checked, said
        if self.effort is not None and self.effort not in model.effort_values:
            checked = replace(checked, effort=None)
            offered = _either(model.effort_values) if model.effort_values else "no effort at all"
            effort = visible_line(self.effort)
            said.append(f"{model.label} does not take effort {effort}, only {offered}: it is not sent.")
        limit = self.max_output_tokens
        if limit is not None and model.max_output is not None and limit > model.max_output:
            checked = replace(checked, max_output_tokens=model.max_output)
            said.append(
                f"{model.label} gives {model.max_output:,} output tokens at most: "
                f"{model.max_output:,} are asked for instead of {limit:,}."
            )
        return checked, said


_CHOICES: Final = (
    ("verbosity", "Verbosity", VERBOSITIES),
    ("service_tier", "The service tier", SERVICE_TIERS),
    ("summary", "A reasoning summary", SUMMARIES),
)
_TEXTS: Final = ("effort", "verbosity", "service_tier", "summary", "instructions_name")
_FIELDS: Final = ("effort", "verbosity", "max_output_tokens", "service_tier", "summary", "instructions_name")


def _either(values: tuple[str, ...]) -> str:
    return values[0] if len(values) == 1 else f"{', '.join(values[:-1])} or {values[-1]}"
