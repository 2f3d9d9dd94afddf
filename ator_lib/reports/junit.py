"""JUnit XML as CI systems read it: one suite, a case for each thing that was looked at."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from xml.etree import ElementTree

_NOT_XML = re.compile(r"[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""What no XML 1.0 document may hold, escaped or not."""

_COUNTED = {"failed": "failures", "error": "errors", "skipped": "skipped"}
_ELEMENTS = {"failed": "failure", "error": "error", "skipped": "skipped"}


@dataclass(frozen=True, kw_only=True)
class JUnitCase:
    """A case of the suite.

    Attributes
    ----------
    outcome
        ``passed``, ``failed``, ``error`` (nobody can say) or ``skipped``.
    message
        Why, on one line; of a case that passed, what was found.
    details
        More, on any number of lines.
    """

    name: str
    classname: str
    outcome: str
    message: str = ""
    details: str = ""
    time_s: float = 0.0


def junit_xml(name: str, cases: Sequence[JUnitCase], properties: Mapping[str, object] | None = None) -> str:
    """Write a document with one suite; ``properties`` say what the suite is of."""
    counts = {"tests": len(cases)} | {
        attribute: sum(case.outcome == outcome for case in cases) for outcome, attribute in _COUNTED.items()
    }
    seconds = f"{sum(case.time_s for case in cases):.3f}"
    totals = {attribute: str(count) for attribute, count in counts.items()} | {"time": seconds}
    root = ElementTree.Element("testsuites", {"name": _clean(name), **totals})
    suite = ElementTree.SubElement(root, "testsuite", {"name": _clean(name), **totals})
    if properties:
        listed = ElementTree.SubElement(suite, "properties")
        for key, value in properties.items():
            ElementTree.SubElement(listed, "property", {"name": _clean(key), "value": _clean(str(value))})
    for case in cases:
        _add(suite, case)
    ElementTree.indent(root)
    return ElementTree.tostring(root, encoding="unicode", xml_declaration=False).join((_DECLARATION, "\n"))


_DECLARATION = '<?xml version="1.0" encoding="UTF-8"?>\n'


def _add(suite: ElementTree.Element, case: JUnitCase) -> None:
    named = {"classname": _clean(case.classname), "name": _clean(case.name), "time": f"{case.time_s:.3f}"}
    element = ElementTree.SubElement(suite, "testcase", named)
    if case.outcome in _ELEMENTS:
        kind = _ELEMENTS[case.outcome]
        attributes = {"message": _clean(case.message)} | ({} if kind == "skipped" else {"type": case.outcome})
        ElementTree.SubElement(element, kind, attributes).text = _clean(case.details) or None
    elif found := "\n".join(filter(None, (case.message, case.details))):
        ElementTree.SubElement(element, "system-out").text = _clean(found)


def _clean(words: str) -> str:
    return _NOT_XML.sub("\N{REPLACEMENT CHARACTER}", words)
