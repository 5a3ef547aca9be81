"""Whether the lines of a file are records that a batch job takes, with Chat Completions as their body.

Source: AWS, "Format and upload your batch inference data"; bedrock-facts.md section 6; OpenAI API reference,
"Chat Completions". The sizes are AWS's default quotas; an account may have others, so they are warnings.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, cast

from tui.core.leaving.fields import parse_json
from tui.core.text import visible_line

__all__ = ["BatchReport", "Finding", "check_records"]

_FEWEST: Final = 100
_MOST: Final = 50_000
_LARGEST: Final = 1_000_000_000
_LONGEST_ID: Final = 256
_ROLES: Final = ("system", "developer", "user", "assistant", "tool")
_PARTS: Final = ("text", "image_url", "file", "refusal")
_RANGES: Final[Mapping[str, tuple[float, float]]] = {
    "temperature": (0, 2),
    "top_p": (0, 1),
    "presence_penalty": (-2, 2),
    "frequency_penalty": (-2, 2),
}
_COUNTS: Final = ("max_completion_tokens", "max_tokens")


@dataclass(frozen=True, slots=True)
class Finding:
    """Something about a line.

    Attributes:
        line: Counted from 1; 0 for the whole file.
        message: A sentence.
        warning: Whether a job may still take it.
    """

    line: int
    message: str
    warning: bool = False


@dataclass(slots=True)
class BatchReport:
    """What was found in a file.

    Attributes:
        records: How many records it has.
        size: Bytes.
        findings: In the order of the lines.
        models: Every model that a record names.
    """

    records: int = 0
    size: int = 0
    findings: list[Finding] = field(default_factory=list[Finding])
    models: set[str] = field(default_factory=set[str])

    @property
    def problems(self) -> int:
        """How many findings a job would fail for."""
        return sum(not finding.warning for finding in self.findings)


def check_records(lines: Iterable[bytes]) -> BatchReport:
    """Check each line of a file.

    Args:
        lines: Each with its end, as a file gives them.
    """
    report = BatchReport()
    ids: dict[str, int] = {}
    for number, line in enumerate(lines, 1):
        report.size += len(line)
        for message, warning in _line(line, number, ids, report):
            report.findings.append(Finding(number, message, warning))
    report.findings += [Finding(0, message, message.startswith("AWS")) for message in _whole(report)]
    return report


def _whole(report: BatchReport) -> Iterator[str]:
    if not report.records:
        yield "There is no record in it."
    elif report.records < _FEWEST:
        yield f"AWS's default quota asks for {_FEWEST} records a job at least; here are {report.records}."
    elif report.records > _MOST:
        yield f"AWS's default quota is {_MOST:,} records a file at most; here are {report.records:,}."
    if report.size > _LARGEST:
        yield f"AWS's default quota is {_LARGEST:,} bytes a file at most; here are {report.size:,}."
    if len(report.models) > 1:
        names = ", ".join(visible_line(name) for name in sorted(report.models))
        yield f"A job has one model, and the records name {names}."


def _line(line: bytes, number: int, ids: dict[str, int], report: BatchReport) -> Iterator[tuple[str, bool]]:
    if number == 1 and line.startswith(b"\xef\xbb\xbf"):
        yield "The file begins with a byte order mark, which is no JSON.", False
        line = line[3:]
    if not line.strip():
        yield "The line is empty.", False
        return
    report.records += 1
    try:
        text = line.decode("utf-8")
    except UnicodeDecodeError as error:
        yield f"Byte {error.start + 1:,} is no UTF-8.", False
        return
    try:
        value = parse_json(text)
    except ValueError as error:
        yield f"It is no JSON: {error}.", False
        return
    if not isinstance(value, dict):
        yield "It must be an object with recordId and modelInput.", False
        return
    record = cast("dict[str, Any]", value)
    yield from _record_id(record, number, ids)
    for name in record.keys() - {"recordId", "modelInput"}:
        yield f"{visible_line(name)} is no field of a record; it is ignored.", True
    body: object = record.get("modelInput")
    if not isinstance(body, dict):
        yield "modelInput must be an object: the body of Chat Completions.", False
        return
    fields = cast("dict[str, Any]", body)
    if isinstance(fields.get("model"), str):
        report.models.add(fields["model"])
    for message in _body(fields):
        yield message, False


def _record_id(record: Mapping[str, Any], number: int, ids: dict[str, int]) -> Iterator[tuple[str, bool]]:
    value: object = record.get("recordId")
    if value is None:
        yield "It has no recordId; Bedrock makes one up, and the answer is hard to find.", True
        return
    if not isinstance(value, str) or not value or len(value) > _LONGEST_ID:
        yield f"recordId must be a text of 1 to {_LONGEST_ID} characters.", False
        return
    before = ids.setdefault(value, number)
    if before != number:
        yield f"recordId {visible_line(value)} is that of line {before:,} too.", False


def _body(body: Mapping[str, Any]) -> Iterator[str]:
    if body.get("stream") not in (None, False):
        yield "modelInput.stream must be false or left out: a job does not stream."
    if "model" in body and (not isinstance(body["model"], str) or not body["model"]):
        yield "modelInput.model must be the id of a model, or left out."
    for name in _COUNTS:
        value: object = body.get(name)
        if value is not None and (isinstance(value, bool) or not isinstance(value, int) or value < 1):
            yield f"modelInput.{name} must be a whole number from 1 on."
    for name, (least, most) in _RANGES.items():
        value = body.get(name)
        if value is None:
            continue
        if isinstance(value, bool) or not isinstance(value, (int, float)) or not least <= value <= most:
            yield f"modelInput.{name} must be a number from {least} to {most}."
    messages: object = body.get("messages")
    if not isinstance(messages, list) or not messages:
        instead = " (input is that of the Responses API)" if "input" in body else ""
        yield f"modelInput.messages must be a list with a message at least{instead}."
        return
    yield from _messages(cast("list[object]", messages))


def _messages(messages: list[object]) -> Iterator[str]:
    called: set[str] = set()
    last = ""
    for index, value in enumerate(messages):
        where = f"modelInput.messages[{index}]"
        if not isinstance(value, dict):
            yield f"{where} must be an object."
            continue
        message = cast("dict[str, Any]", value)
        last = str(message.get("role"))
        if last not in _ROLES:
            yield f"{where}.role must be {', '.join(_ROLES[:-1])} or {_ROLES[-1]}."
            continue
        if last == "tool" and message.get("tool_call_id") not in called:
            yield f"{where}.tool_call_id must be the id of a call before it."
        calls: object = message.get("tool_calls")
        if isinstance(calls, list):
            called |= {
                str(cast("dict[str, Any]", call).get("id"))
                for call in cast("list[object]", calls)
                if isinstance(call, dict)
            }
        yield from _content(message, where, calls not in (None, []))
    if last == "assistant":
        yield "The last of modelInput.messages is the assistant's: there is nothing to answer."


def _content(message: Mapping[str, Any], where: str, has_calls: bool) -> Iterator[str]:
    content: object = message.get("content")
    if isinstance(content, str) or (content is None and has_calls):
        return
    if not isinstance(content, list) or not content:
        yield f"{where}.content must be a text or a list of parts."
        return
    for index, value in enumerate(cast("list[object]", content)):
        part = cast("dict[str, Any]", value) if isinstance(value, dict) else {}
        kind = part.get("type")
        if kind is None and "text" in part:
            yield f"{where}.content[{index}] has no type: it looks like Converse, not like Chat Completions."
        elif kind not in _PARTS:
            yield f"{where}.content[{index}].type must be {', '.join(_PARTS[:-1])} or {_PARTS[-1]}."
        elif kind == "text" and not isinstance(part.get("text"), str):
            yield f"{where}.content[{index}].text must be a text."
