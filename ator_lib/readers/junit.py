"""JUnit XML, which many tools write and nobody defined: functional outcomes become cases.

What is alike in all of it is read: ``testsuite`` elements, nested or not, ``testcase`` with its name, classname and
time, and what a case holds: failure, error, skipped. Newman's has quirks: the time of an assertion is that of its
request, and requests and scripts that broke stand in no case.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import ClassVar

from ator_lib import schema
from ator_lib.errors import ResultsError
from ator_lib.readers import tables, xml_documents
from ator_lib.readers.base import Findings, Format, Reading, ReadOptions, Source, end_of, moment_of

LONGEST_TEXT = 20_000
"""Characters of a message or of details that are kept."""

UNNAMED = "unnamed"
"""Name of cases that have none."""

_ROOTS = ("testsuites", "testsuite")
_BAD = {"error": "error", "failure": "failed", "skipped": "skipped"}  # the first one that a case holds is its status
_FLAKY = ("flakyError", "flakyFailure")
_RERUN = ("rerunError", "rerunFailure")
_OUTPUT = ("system-out", "system-err")
_TOLD = {  # by an attribute, as in Google Test's
    **dict.fromkeys(("notrun", "disabled", "skipped", "ignored", "suppressed"), "skipped"),
    **dict.fromkeys(("failed", "fail", "failure"), "failed"),
    **dict.fromkeys(("error", "errored"), "error"),
}
_OF_NEWMAN = {"name", "id", "timestamp", "tests", "failures", "errors", "time"}  # its suites have all, and no other
_ONLY_COMMAS = re.compile(r"[1-9]\d{0,2}(,\d{3})+")


class JUnitReader:
    """Reads the files of one run, each in a stream."""

    about: ClassVar[Format] = Format(
        name="junit",
        files="JUnit XML of any producer (Maven, pytest, Newman, Jest, Jenkins …); a folder of them is one run",
        gives="cases",
        precision="durations as the producer rounds them, mostly to milliseconds",
        limits=f"no requests; output and properties are not read; texts are kept up to {LONGEST_TEXT:,} characters",
    )

    def recognises(self, source: Source) -> bool:
        """Say whether its outermost element is ``testsuites`` or ``testsuite``."""
        return xml_documents.root(source) in _ROOTS

    def read(self, sources: Sequence[Source], options: ReadOptions) -> Reading:
        """Read the files; of a truncated one, the whole cases.

        Raises
        ------
        ResultsError
            A file is no well-formed XML, or there is no case in any.
        """
        findings = Findings()
        documents = [_Cases(options, findings) for _ in sources]
        for source, document in zip(sources, documents, strict=True):
            xml_documents.read(source, document, findings)
        rows = [row for document in documents for row in document.rows]
        if not rows:
            named = ", ".join(source.name for source in sources[:5])
            raise ResultsError(f"{named} holds no test case: it is of no JUnit, or its tests did not run.")
        return Reading(
            tool=next((document.tool for document in documents if document.tool), None),
            precision=schema.EXACT,
            cases=tables.table(schema.CASES, rows),
            started_at=min((time for document in documents for time in document.started), default=None),
            ended_at=max((time for document in documents for time in document.ended), default=None),
            findings=findings,
        )


@dataclass(kw_only=True, slots=True)
class _Result:
    """What a case holds of its outcome."""

    element: str
    message: str = ""
    text: str = ""

    @property
    def words(self) -> str:
        return (self.message or self.text.strip().partition("\n")[0]).strip()


@dataclass(kw_only=True, slots=True)
class _Suite:
    attributes: dict[str, str]
    is_newman: bool
    output: _Result = field(default_factory=lambda: _Result(element="system-err"))

    @property
    def name(self) -> str:
        return self.attributes.get("name", "")


class _Cases:
    """Takes the elements of a document."""

    def __init__(self, options: ReadOptions, findings: Findings) -> None:
        self.rows: list[dict[str, object]] = []
        self.tool: str | None = None
        self.started: list[datetime] = []
        self.ended: list[datetime] = []
        self._options = options
        self._findings = findings
        self._suites: list[_Suite] = []
        self._case: dict[str, str] | None = None
        self._results: list[_Result] = []
        self._texts: list[_Result | None] = []  # what the text of each open element goes to

    def start(self, name: str, attributes: dict[str, str]) -> None:
        """Enter a suite, a case, or what a case holds."""
        into = self._texts[-1] if self._texts else None
        if name == "testsuite":
            self._enter(attributes)
        elif name == "testcase":
            self._case, self._results = attributes, []
        elif name in _OUTPUT:
            into = self._suites[-1].output if name == "system-err" and self._suites and self._case is None else None
        elif self._case is not None and (name in _BAD or name in _FLAKY or name in _RERUN):
            into = _Result(element=name, message=attributes.get("message") or attributes.get("type") or "")
            self._results.append(into)
        self._texts.append(into)

    def text(self, data: str) -> None:
        """Keep what is said of an outcome, within bounds."""
        into = self._texts[-1] if self._texts else None
        if into is not None:
            into.text += data[: LONGEST_TEXT - len(into.text)]

    def end(self, name: str) -> None:
        """Take a case in, once it is whole."""
        self._texts.pop()
        if name == "testcase" and self._case is not None:
            self.rows.append(self._row(self._case))
            self._case = None
        elif name == "testsuite":
            self.rows.extend(_broken(self._suites.pop()))

    def _enter(self, attributes: dict[str, str]) -> None:
        suite = _Suite(attributes=attributes, is_newman=set(attributes) == _OF_NEWMAN)
        self._suites.append(suite)
        self.tool = self.tool or _tool(suite)
        if suite.is_newman:
            self._findings.note("Newman gives each case the time of its request: that is no duration of the case")
        started = moment_of(attributes.get("timestamp"), "timestamp", self._options, self._findings)
        if started is not None:
            self.started.append(started)
            length_ms = None if suite.is_newman else _duration_ms(attributes)
            if length_ms is not None and (ended := end_of(started, length_ms / 1000)) is not None:
                self.ended.append(ended)

    def _row(self, case: dict[str, str]) -> dict[str, object]:
        status, message, details = _outcome(case, self._results)
        is_newman = bool(self._suites) and self._suites[-1].is_newman
        return {
            "suite": " / ".join(suite.name for suite in self._suites if suite.name) or None,
            "case": _name(case, self._suites),
            "status": status,
            "duration_ms": None if is_newman else _duration_ms(case),
            "message": message[:LONGEST_TEXT] or None,
            "details": details[:LONGEST_TEXT] or None,
        }


def _tool(suite: _Suite) -> str | None:
    if suite.is_newman:
        return "newman"
    if suite.name == "pytest":
        return "pytest"
    return "surefire" if any("surefire" in value for value in suite.attributes.values()) else None


def _broken(suite: _Suite) -> Iterator[dict[str, object]]:
    """Give a case for requests and scripts that broke, which Newman counts and tells in the suite's output only."""
    errors = suite.attributes.get("errors", "")
    if suite.is_newman and errors.isdecimal() and int(errors):
        told = [line for line in suite.output.text.splitlines() if "Error: " in line]
        yield {
            "suite": suite.name or None,
            "case": "request and scripts",
            "status": "error",
            "message": told[0] if told else f"{errors} errors",
            "details": suite.output.text.strip() or None,
        }


def _name(case: Mapping[str, str], suites: Sequence[_Suite]) -> str:
    """Name a case with its class, unless that is only the suite's name (Maven), squeezed (Newman), or in it already."""
    name, classname = case.get("name", "").strip(), case.get("classname", "").strip()
    is_told = name.startswith(classname) or (suites and _squeezed(suites[-1].name) == _squeezed(classname))
    return (name if is_told else f"{classname}.{name}") or UNNAMED


def _squeezed(name: str) -> str:
    return re.sub(r"[\W_]", "", unicodedata.normalize("NFKD", name)).casefold()


def _outcome(case: Mapping[str, str], results: Sequence[_Result]) -> tuple[str, str, str]:
    """Tell status, message and details of a case."""
    reruns = [result for result in results if result.element in _RERUN]
    for element, status in _BAD.items():
        if found := [result for result in results if result.element == element]:
            more = f" (and {len(found) - 1} more)" if len(found) > 1 else ""
            again = f" (and again in {len(reruns)} reruns)" if reruns else ""
            return status, found[0].words + more + again, "\n\n".join(result.text.strip() for result in found)
    if flaky := [result for result in results if result.element in _FLAKY]:
        return "passed", f"flaky: passed after {len(flaky)} failed: {flaky[0].words}", flaky[0].text.strip()
    told = (_TOLD.get(case.get(key, "").lower()) for key in ("status", "result"))
    return next((status for status in told if status), "passed"), "", ""


def _duration_ms(attributes: Mapping[str, str]) -> float | None:
    """Read seconds, also with marks for thousands or a decimal comma: ``1,234.5``, ``0,012``."""
    time = attributes.get("time", "").strip()
    if "." in time or _ONLY_COMMAS.fullmatch(time):
        time = time.replace(",", "")
    try:
        milliseconds = float(time.replace(",", ".")) * 1000
    except ValueError:
        return None
    return milliseconds if 0 <= milliseconds < 1e12 else None
