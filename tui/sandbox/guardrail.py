"""An invented guardrail (bedrock-facts.md section 5 "Guardrails"), the same in every region.

Its identifier is `sandboxguard`, its versions are `DRAFT` and `1`. Three policies:

- a question about "volcano insurance" is blocked before the model is asked (a denied topic);
- an answer with the word "quicksand" is withheld (a blocked word);
- an e-mail address in an answer becomes `{EMAIL}` (sensitive information, masked).

The names of policies, actions and traces are those of AWS's service model, VERIFIED (botocore); which text is
assessed, and that a blocked prompt costs no output, is ASSUMED.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from .shapes import Json, is_array

IDENTIFIER, VERSIONS = "sandboxguard", ("DRAFT", "1")
TRACES = ("enabled", "disabled", "enabled_full")
REFUSED_INPUT = "Sorry, the sandbox's guardrail takes no questions about volcano insurance."
REFUSED_OUTPUT = "Sorry, the sandbox's guardrail withholds this answer."
_TOPIC, _WORD = re.compile(r"volcano\s+insurance", re.I), re.compile(r"\bquicksand\b", re.I)
_EMAIL = re.compile(r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+")
_ARN = re.compile(r"arn:aws(?:-[^:]+)?:bedrock:[a-z0-9-]{1,20}:[0-9]{12}:guardrail/(?P<id>[a-z0-9]+)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Assessed:
    """What the guardrail found and did.

    Attributes:
        traced: whether the answer tells it.
        inputs: the assessment of the prompt.
        outputs: of the answer; None where there was none to assess.
        blocked: whether `message` stands for the answer.
        message: the guardrail's own text.
        text: of the answer, masked where it had to be.
        said: what the model said, where that was changed.
    """

    traced: bool
    inputs: Json
    outputs: Json | None = None
    blocked: bool = False
    message: str = ""
    text: str = ""
    said: str | None = None

    @property
    def intervened(self) -> bool:
        """Whether anything was blocked or masked."""
        return self.blocked or self.said is not None

    def converse(self) -> Json:
        """The trace as Converse has it."""
        trace: Json = {"inputAssessment": {IDENTIFIER: self.inputs}}
        if self.outputs is not None:
            trace["outputAssessments"] = {IDENTIFIER: [self.outputs]}
        return self._told(trace)

    def invoke(self) -> Json:
        """The trace as InvokeModel has it; Chat Completions alike (ASSUMED)."""
        trace: Json = {"input": {IDENTIFIER: self.inputs}}
        if self.outputs is not None:
            trace["outputs"] = [{IDENTIFIER: self.outputs}]
        return self._told(trace)

    def fields(self) -> Json:
        """What it adds to the body of an InvokeModel or Chat Completions answer (ASSUMED for the latter)."""
        added: Json = {"amazon-bedrock-guardrailAction": "INTERVENED" if self.intervened else "NONE"}
        if self.traced:
            added["amazon-bedrock-trace"] = {"guardrail": self.invoke()}
        return added

    def _told(self, trace: Json) -> Json:
        if self.said is not None:
            trace["modelOutput"] = [self.said]
        if self.intervened:
            trace["actionReason"] = "Guardrail blocked." if self.blocked else "Guardrail masked."
        return trace


@dataclass(frozen=True, slots=True)
class Guard:
    """The guardrail as one request asks for it.

    Attributes:
        traced: whether the answer tells what was found.
        suffix: of the tags that mark what is assessed; "" for all that the user says.
        only: what is assessed instead of what the user says, or None (Converse's guardContent).
    """

    traced: bool
    suffix: str = ""
    only: tuple[str, ...] | None = None

    def assess_input(self, items: list[Json]) -> Assessed:
        """Look at the prompt."""
        texts = [text for item in items if item.get("role") == "user" for text in _texts(item)]
        guarded = list(self.only) if self.only is not None else self._tagged(texts)
        matches = [match[0] for text in guarded for match in _TOPIC.finditer(text)]
        found: Json = {}
        if matches:
            topic = {"name": "Volcano insurance", "type": "DENY", "action": "BLOCKED", "detected": True}
            found["topicPolicy"] = {"topics": [topic]}
        found["invocationMetrics"] = _metrics(guarded, texts, "topicPolicyUnits")
        return Assessed(
            traced=self.traced, inputs=found, blocked=bool(matches), message=REFUSED_INPUT if matches else ""
        )

    def assess_output(self, before: Assessed, text: str) -> Assessed:
        """Look at the answer."""
        found: Json = {}
        words = list(dict.fromkeys(match[0] for match in _WORD.finditer(text)))
        emails = list(dict.fromkeys(match[0] for match in _EMAIL.finditer(text)))
        if words:
            custom = [{"match": word, "action": "BLOCKED", "detected": True} for word in words]
            found["wordPolicy"] = {"customWords": custom, "managedWordLists": []}
        if emails:
            entities = [
                {"match": email, "type": "EMAIL", "action": "ANONYMIZED", "detected": True}
                for email in emails
            ]
            found["sensitiveInformationPolicy"] = {"piiEntities": entities, "regexes": []}
        found["invocationMetrics"] = _metrics([text], [text], "sensitiveInformationPolicyUnits")
        return replace(
            before,
            outputs=found,
            blocked=bool(words),
            message=REFUSED_OUTPUT if words else "",
            text=_EMAIL.sub("{EMAIL}", text),
            said=text if words or emails else None,
        )

    def without_tags(self, items: list[Json]) -> list[Json]:
        """The items as the model sees them."""
        if not self.suffix:
            return items
        return [_mapped(item, self._untagged) if "content" in item else item for item in items]

    def _tagged(self, texts: list[str]) -> list[str]:
        """What is between tags; where there are none, everything."""
        if not self.suffix:
            return texts
        name = re.escape(f"amazon-bedrock-guardrails-guardContent_{self.suffix}")
        found = re.findall(rf"<{name}>(.*?)</{name}>", "\n".join(texts), re.S)
        return [str(text) for text in found] or texts

    def _untagged(self, text: str) -> str:
        return re.sub(rf"</?amazon-bedrock-guardrails-guardContent_{re.escape(self.suffix)}>", "", text)


def of_headers(headers: Mapping[str, str], suffix: str = "") -> Guard | None:
    """The guardrail that a request's headers name (section 5, VERIFIED, seed2), or None.

    Args:
        headers: looked up in lower case.
        suffix: `tagSuffix` of the body.

    Raises:
        ValueError: it does not exist, or only a part of it is named; what AWS says then is ASSUMED.
    """
    identifier = headers.get("x-amzn-bedrock-guardrailidentifier")
    version = headers.get("x-amzn-bedrock-guardrailversion")
    trace = headers.get("x-amzn-bedrock-trace", "DISABLED").lower()
    return chosen(identifier, version, trace, suffix)


def chosen(
    identifier: object,
    version: object,
    trace: str,
    suffix: str = "",
    only: tuple[str, ...] | None = None,
) -> Guard | None:
    """The guardrail of that name, or None where none is named.

    Raises:
        ValueError: as `of_headers`.
    """
    if not identifier and not version:
        return None
    if not identifier or not version:
        raise ValueError("Guardrail identifier and version are both required.")
    if not isinstance(identifier, str) or not isinstance(version, str):
        raise ValueError("Guardrail identifier and version must be strings.")
    if trace not in TRACES:
        raise ValueError(f"Trace must be one of {', '.join(TRACES)}.")
    if not is_known(identifier, version):
        raise ValueError("The guardrail identifier or version provided in the request does not exist.")
    return Guard(traced=trace != "disabled", suffix=suffix, only=only)


def is_known(identifier: str, version: str) -> bool:
    """Whether it is this guardrail, by its id or its ARN."""
    arn = _ARN.fullmatch(identifier)
    return (arn["id"] if arn else identifier) == IDENTIFIER and version in VERSIONS


def _texts(item: Json) -> list[str]:
    content = item.get("content")
    if isinstance(content, str):
        return [content]
    return [str(part.get("text") or "") for part in content] if is_array(content) else []


def _mapped(item: Json, change: Callable[[str], str]) -> Json:
    content = item["content"]
    if isinstance(content, str):
        return {**item, "content": change(content)}
    return {
        **item,
        "content": [
            {**part, "text": change(part["text"])} if isinstance(part.get("text"), str) else part
            for part in content
        ],
    }


def _metrics(guarded: list[str], texts: list[str], units: str) -> Json:
    counted = sum(map(len, guarded))
    usage = {
        name: 0
        for name in (
            "topicPolicyUnits", "contentPolicyUnits", "wordPolicyUnits", "sensitiveInformationPolicyUnits",
            "sensitiveInformationPolicyFreeUnits", "contextualGroundingPolicyUnits",
        )
    }  # fmt: skip
    usage[units] = -(-counted // 1000)
    return {
        "guardrailProcessingLatency": 12,
        "usage": usage,
        "guardrailCoverage": {
            "textCharacters": {"guarded": counted, "total": max(counted, sum(map(len, texts)))}
        },
    }
