"""JUnit XML as CI systems read it: a small schema, and totals that must be right."""

from __future__ import annotations

import re
from xml.etree import ElementTree

__all__ = ["assert_junit"]

# The JUnit schema that Jenkins' plugin publishes, as far as it is used: children and attributes.
SCHEMA: dict[str, tuple[set[str], set[str], set[str]]] = {
    "testsuites": ({"testsuite"}, {"name", "tests", "failures", "errors", "time"}, {"name", "tests"}),
    "testsuite": (
        {"properties", "testcase", "system-out"},
        {"name", "tests", "failures", "errors", "skipped", "time", "timestamp"},
        {"name", "tests", "failures", "errors", "time", "timestamp"},
    ),
    "properties": ({"property"}, set(), set()),
    "property": (set(), {"name", "value"}, {"name", "value"}),
    "testcase": ({"failure", "skipped", "system-out"}, {"name", "classname", "time"}, {"name", "classname"}),
    "failure": (set(), {"message", "type"}, {"message"}),
    "skipped": (set(), {"message"}, {"message"}),
    "system-out": (set(), set(), set()),
}


def assert_junit(data: bytes) -> ElementTree.Element:
    """The suite, when the document keeps to the schema and its totals are right."""
    root = ElementTree.fromstring(data)
    assert root.tag == "testsuites"
    for element in root.iter():
        children, allowed, needed = SCHEMA[element.tag]
        assert {child.tag for child in element} <= children and needed <= set(element.attrib) <= allowed
        if "time" in element.attrib:
            assert float(element.attrib["time"]) >= 0
    (suite,) = root
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d", suite.attrib["timestamp"])
    cases = suite.findall("testcase")
    found = {
        "tests": len(cases),
        "failures": sum(case.find("failure") is not None for case in cases),
        "skipped": sum(case.find("skipped") is not None for case in cases),
    }
    assert {name: int(suite.attrib[name]) for name in found} == found
    return suite
