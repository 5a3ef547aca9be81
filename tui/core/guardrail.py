"""Guardrails of Amazon Bedrock: how each API is asked for one, and what one did, in words.

Chat Completions and InvokeModel take headers, and `amazon-bedrock-guardrailConfig` in the body; Converse
takes `guardrailConfig`; the Responses API takes none. `Options.guardrail` carries it to the API's encoder,
and the wire layer puts `guardrail_report` into the response that ends a turn.
Source: bedrock-facts.md section 5; AWS, "Use a guardrail with inference operations".
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final, cast

from tui.core.text import visible_line

__all__ = ["BODY_KEY", "REPORT_KEY", "Guardrail", "guardrail_report", "guardrail_words"]

BODY_KEY: Final = "amazon-bedrock-guardrailConfig"
REPORT_KEY: Final = "guardrail"
"""Under this key of a response in Responses shape the wire layer puts `guardrail_report`."""

_IDENTIFIER: Final = "X-Amzn-Bedrock-GuardrailIdentifier"
_VERSION: Final = "X-Amzn-Bedrock-GuardrailVersion"
_TRACE: Final = "X-Amzn-Bedrock-Trace"
_BY_HEADER: Final = frozenset({"chat_completions", "invoke_model"})
_HEADER_TRACES: Final = {"on": "ENABLED", "full": "ENABLED_FULL"}
_CONVERSE_TRACES: Final = {"off": "disabled", "on": "enabled", "full": "enabled_full"}


@dataclass(frozen=True, slots=True)
class Guardrail:
    """A guardrail that requests are sent with.

    Attributes:
        identifier: Its id or ARN.
        version: Its version; `DRAFT` is the one being worked on.
        trace: Out of `api_rules.GUARDRAIL_TRACES`.
        tag_suffix: The suffix of the tags that mark the user's input, which Converse has not; empty for none.
    """

    identifier: str
    version: str = "DRAFT"
    trace: str = "off"
    tag_suffix: str = ""

    def headers(self, api: str) -> dict[str, str]:
        """The headers with which an API takes it: none for those that take it in the body, or not at all."""
        if api not in _BY_HEADER:
            return {}
        headers = {_IDENTIFIER: self.identifier, _VERSION: self.version}
        if trace := _HEADER_TRACES.get(self.trace):
            headers[_TRACE] = trace
        return headers

    def body(self) -> dict[str, Any]:
        """The top-level parameters of Chat Completions and InvokeModel: none without a tag suffix."""
        return {BODY_KEY: {"tagSuffix": self.tag_suffix}} if self.tag_suffix else {}

    def converse(self) -> dict[str, str]:
        """Converse's `guardrailConfig`; ConverseStream takes the same."""
        return {
            "guardrailIdentifier": self.identifier,
            "guardrailVersion": self.version,
            "trace": _CONVERSE_TRACES[self.trace],
        }


def guardrail_report(*parts: Mapping[str, Any]) -> dict[str, Any] | None:
    """What a guardrail did, out of an answer's top-level objects; `None` where they do not speak of one.

    Args:
        *parts: The body of Chat Completions, InvokeModel or Converse; or a stream's chunks, or the payloads
            of ConverseStream's `messageStop` and `metadata`. Later ones win.

    Returns:
        `{"action": "INTERVENED" | "NONE", "trace": {...}}`, the trace as the server sent it, if it did.
    """
    action: str | None = None
    trace: dict[str, Any] = {}
    for part in parts:
        said: object = part.get("amazon-bedrock-guardrailAction")
        if isinstance(said, str):
            action = said
        if part.get("stopReason") == "guardrail_intervened":
            action = "INTERVENED"
        for key in ("amazon-bedrock-trace", "trace"):
            traced: object = part.get(key)
            inner = (
                cast("Mapping[str, object]", traced).get("guardrail") if isinstance(traced, Mapping) else None
            )
            if isinstance(inner, Mapping):
                trace = dict(cast("Mapping[str, Any]", inner))
    if action is None and not trace:
        return None
    report: dict[str, Any] = {"action": action or "NONE"}
    return {**report, "trace": trace} if trace else report


_POLICIES: Final = {
    "topicPolicy": "denied topic",
    "contentPolicy": "content filter",
    "wordPolicy": "word filter",
    "sensitiveInformationPolicy": "sensitive information",
    "contextualGroundingPolicy": "grounding check",
    "automatedReasoningPolicy": "automated reasoning",
}
_DONE: Final = {"BLOCKED": "blocked", "ANONYMIZED": "masked", "NONE": "noticed, nothing done"}
_CHANGES: Final = (": blocked", ": masked")


def guardrail_words(report: object) -> str:
    """A sentence on what a guardrail did with a turn; empty where it did nothing and found nothing.

    Converse gives no action where it masks: the trace tells. What it matched is not repeated: it masks that
    for a reason.

    Args:
        report: A response's `REPORT_KEY`, see `guardrail_report`.
    """
    if not isinstance(report, Mapping):
        return ""
    answer = cast("Mapping[str, object]", report)
    findings = list(dict.fromkeys(_findings(answer.get("trace"), "", "")))
    said = "; ".join(findings)
    what = f" {said[0].upper()}{said[1:]}." if said else ""
    changed = any(finding.endswith(_CHANGES) for finding in findings)
    if changed or answer.get("action") == "INTERVENED":
        return f"The guardrail intervened.{what}"
    return f"The guardrail let this pass.{what}" if what else ""


def _findings(value: object, side: str, policy: str) -> Iterator[str]:
    """Every assessment with an action: whose text it was about, by which policy, and what was done."""
    if isinstance(value, list):
        for entry in cast("list[object]", value):
            yield from _findings(entry, side, policy)
        return
    if not isinstance(value, Mapping):
        return
    entry = cast("Mapping[str, object]", value)
    action = entry.get("action")
    if policy and isinstance(action, str):
        name = str(entry.get("name") or entry.get("type") or "")
        named = f" {visible_line(name)}" if name else ""
        yield f"{side}{_POLICIES.get(policy, visible_line(policy))}{named}: {_done(action)}"
    for key, inner in entry.items():
        if key.startswith("input"):
            yield from _findings(inner, "in the prompt, ", policy)
        elif key.startswith("output"):
            yield from _findings(inner, "in the answer, ", policy)
        else:
            yield from _findings(inner, side, key if key.endswith("Policy") else policy)


def _done(action: str) -> str:
    return _DONE.get(action, visible_line(action.lower()))
