"""What an API has on an endpoint: rows of the catalogue, so that no code asks which API or endpoint it is.

Source: bedrock-facts.md sections 1, 5, 6 and 8.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

__all__ = ["API_NAMES", "FEATURES", "GUARDRAIL_TRACES", "PARAMETERS", "ApiRules", "api_named"]

API_NAMES: Final = {
    "responses": "Responses",
    "chat_completions": "Chat Completions",
    "converse": "Converse",
    "invoke_model": "InvokeModel",
}
"""The APIs by their name in the catalogue, in the order in which they are offered."""

GUARDRAIL_TRACES: Final = ("off", "on", "full")
"""What a guardrail is asked to tell of its work; `full` tells also of what it let pass."""

_SHORT: Final = {
    "response": "responses",
    "chat": "chat_completions",
    "completions": "chat_completions",
    "conversestream": "converse",
    "invoke": "invoke_model",
    "invokemodel": "invoke_model",
}

FEATURES: Final = {
    "streaming": "streaming",
    "tools": "tool calls",
    "custom_tools": "tools that take free text",
    "json_schema": "answers in JSON by a schema",
    "stored_responses": "stored responses",
    "background": "background turns",
    "input_items": "a list of a stored response's input",
    "compaction": "compaction by the server",
    "encrypted_reasoning": "encrypted reasoning",
    "prompt_cache": "cache controls",
    "guardrails": "guardrails",
    "model_inherited": "a model taken from the response that is continued",
}
"""What an API may have, by name in the catalogue; the words finish "… has no"."""

PARAMETERS: Final = {
    "effort": "reasoning effort",
    "verbosity": "verbosity",
    "service_tier": "service tier",
    "summary": "reasoning summary",
    "temperature": "temperature",
    "top_p": "top_p",
    "stop": "stop sequences",
}
"""What an API may take, by name in the catalogue and in `Controls`; the words finish "… takes no"."""


@dataclass(frozen=True, slots=True)
class ApiRules:
    """An API on an endpoint.

    Attributes:
        api: A key of `API_NAMES`.
        endpoint: `mantle` or `runtime`.
        route: Path of its base URL, whatever the model; `None` where the model's place says it. Empty for
            APIs whose path holds the model's id (`/model/{id}/converse`).
        features: Out of `FEATURES`.
        parameters: Out of `PARAMETERS`.
        source: Where that was read.
        uncertain: Which features and parameters are doubtful.
    """

    api: str
    endpoint: str
    route: str | None
    features: frozenset[str]
    parameters: frozenset[str]
    source: str
    uncertain: tuple[str, ...] = ()

    def has(self, feature: str) -> bool:
        """Whether it has one of `FEATURES`."""
        return feature in self.features

    def takes(self, parameter: str) -> bool:
        """Whether it takes one of `PARAMETERS`."""
        return parameter in self.parameters


def api_named(text: str) -> str | None:
    """The API that a spelling means: `Converse`, `chat`, `chat-completions`, `invoke`; `None` for none."""
    name = "_".join(text.strip().lower().replace("-", " ").replace("_", " ").split())
    if name in API_NAMES:
        return name
    return _SHORT.get(name.replace("_", ""))
