"""The results of checks for programs: a JSON document, and JUnit XML as CI systems read it."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final
from xml.etree import ElementTree

from tui.core.checks.results import CheckResult, counts, spent
from tui.core.text import storable

__all__ = ["document", "junit_xml"]

_CLASS: Final = "outcrop.check"
# What XML 1.0 cannot hold at all, not even as a reference.
_NOT_XML: Final = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def document(results: Sequence[CheckResult], about: Mapping[str, object], began: float) -> dict[str, Any]:
    """The results as JSON values.

    Args:
        results: In the order in which they ran.
        about: The configuration, by name; never the token.
        began: When the first one began, seconds since the epoch.
    """
    total = spent(results)
    return {
        "began_at": began,
        "configuration": dict(about),
        "counts": counts(results),
        "passed": not any(result.state == "failed" for result in results),
        "seconds": sum(result.seconds or 0.0 for result in results),
        "cost_usd": None if total is None else str(total.usd),
        "checks": [_row(result, results[: index + 1]) for index, result in enumerate(results)],
    }


def _row(result: CheckResult, so_far: Sequence[CheckResult]) -> dict[str, Any]:
    total = spent(so_far)
    return {
        "name": result.name,
        "title": result.title,
        "state": result.state,
        "paid": result.paid,
        "sentence": storable(result.sentence),
        "next_step": storable(result.next_step) or None,
        "seconds": result.seconds,
        "request_id": result.request_id,
        "exchanges": list(result.exchange_ids),
        "cost_usd": None if result.cost is None else str(result.cost.usd),
        "cost_so_far_usd": None if total is None else str(total.usd),
        "facts": dict(result.facts),
    }


def junit_xml(results: Sequence[CheckResult], about: Mapping[str, object], began: float) -> bytes:
    """The results as one JUnit test suite, UTF-8; a failure's text says what to do next.

    Arguments are those of `document`. The shape is that of the JUnit schema that Jenkins, GitLab and GitHub's
    actions read: `testsuites` / `testsuite` / `testcase`, times in seconds.
    """
    numbers = counts(results)
    seconds = f"{sum(result.seconds or 0.0 for result in results):.3f}"
    totals = {
        "tests": str(len(results)),
        "failures": str(numbers["failed"]),
        "errors": "0",
        "time": seconds,
    }
    root = ElementTree.Element("testsuites", {"name": "outcrop check", **totals})
    moment = datetime.fromtimestamp(began, UTC).strftime("%Y-%m-%dT%H:%M:%S")
    suite = ElementTree.SubElement(
        root,
        "testsuite",
        {"name": "outcrop check", **totals, "skipped": str(numbers["skipped"]), "timestamp": moment},
    )
    properties = ElementTree.SubElement(suite, "properties")
    for name, value in about.items():
        ElementTree.SubElement(properties, "property", {"name": _xml(name), "value": _xml(_plain(value))})
    for result in results:
        _add_case(suite, result)
    ElementTree.indent(root)
    written: bytes = ElementTree.tostring(root, encoding="utf-8", xml_declaration=True)
    return written + b"\n"


def _add_case(suite: ElementTree.Element, result: CheckResult) -> None:
    name, seconds = result.name, f"{result.seconds or 0.0:.3f}"
    case = ElementTree.SubElement(suite, "testcase", {"name": name, "classname": _CLASS, "time": seconds})
    if result.state == "failed":
        failure = ElementTree.SubElement(
            case, "failure", {"message": _xml(result.sentence), "type": "failed"}
        )
        failure.text = _xml("\n".join(filter(None, (result.sentence, result.next_step))))
    elif result.state != "passed":
        ElementTree.SubElement(case, "skipped", {"message": _xml(result.sentence or "it was not run")})
    said = [result.sentence] if result.state == "passed" else []
    if result.request_id:
        said.append(f"request id: {result.request_id}")
    said += [f"{key}: {_plain(value)}" for key, value in result.facts.items()]
    if said:
        ElementTree.SubElement(case, "system-out").text = _xml("\n".join(said))


def _plain(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _xml(text: str) -> str:
    return _NOT_XML.sub("\N{REPLACEMENT CHARACTER}", text)
