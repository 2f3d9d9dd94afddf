"""JUnit XML that CI systems, and we ourselves, read."""

from __future__ import annotations

from pathlib import Path
from xml.etree import ElementTree

import ator_lib as ator
from ator_lib.reports.junit import JUnitCase, junit_xml

CASES = [
    JUnitCase(name="p95 < 300 ms", classname="gate", outcome="failed", message="412 ms", details="of GET /a"),
    JUnitCase(name="no regression", classname="gate", outcome="error", message="not comparable"),
    JUnitCase(name="apdex", classname="gate", outcome="skipped", message="waived"),
    JUnitCase(name="requests > 1", classname="gate", outcome="passed", message="7 requests", time_s=0.5),
]


def test_the_document_is_what_ci_systems_expect() -> None:
    """The whole text, as Jenkins' and GitLab's readers know it."""
    assert junit_xml("Gates", CASES, {"run_id": 7}) == (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        '<testsuites name="Gates" tests="4" failures="1" errors="1" skipped="1" time="0.500">\n'
        '  <testsuite name="Gates" tests="4" failures="1" errors="1" skipped="1" time="0.500">\n'
        "    <properties>\n"
        '      <property name="run_id" value="7" />\n'
        "    </properties>\n"
        '    <testcase classname="gate" name="p95 &lt; 300 ms" time="0.000">\n'
        '      <failure message="412 ms" type="failed">of GET /a</failure>\n'
        "    </testcase>\n"
        '    <testcase classname="gate" name="no regression" time="0.000">\n'
        '      <error message="not comparable" type="error" />\n'
        "    </testcase>\n"
        '    <testcase classname="gate" name="apdex" time="0.000">\n'
        '      <skipped message="waived" />\n'
        "    </testcase>\n"
        '    <testcase classname="gate" name="requests &gt; 1" time="0.500">\n'
        "      <system-out>7 requests</system-out>\n"
        "    </testcase>\n"
        "  </testsuite>\n"
        "</testsuites>\n"
    )


def test_our_own_reader_takes_it(tmp_path: Path) -> None:
    """Each case comes back with its outcome and message."""
    file = tmp_path / "gates.xml"
    file.write_text(junit_xml("Gates", CASES), encoding="utf-8")
    cases = ator.connect(tmp_path / "data").ingest(file).cases()
    assert list(cases.status) == ["failed", "error", "skipped", "passed"]
    assert list(cases.message)[:3] == ["412 ms", "not comparable", "waived"]


def test_any_text_is_well_formed() -> None:
    """What XML cannot hold is replaced, and markup is text."""
    nasty = "\x00\x1b[31m</testcase>\ufffe\ud800&amp;\"'"
    text = junit_xml(nasty, [JUnitCase(name=nasty, classname=nasty, outcome="failed", message=nasty, details=nasty)])
    suite = ElementTree.fromstring(text.encode())
    failure = suite.find(".//failure")
    assert failure is not None
    assert failure.get("message") == "\ufffd\ufffd[31m</testcase>\ufffd\ufffd&amp;\"'"
