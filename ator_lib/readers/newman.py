"""Newman's JSON report: requests become samples, assertions become cases, and nothing else is taken.

The report carries all of the environment, headers and bodies, and so secrets: none of them is kept, and where a message
repeats a value of the environment, it is masked. Newman keeps one request per item of the collection: what scripts
send (``pm.sendRequest``) overwrites the item's own request and is there twice.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import Any, ClassVar

from ator_lib import schema
from ator_lib.errors import ResultsError
from ator_lib.masking import masked, secret_words
from ator_lib.readers import json_documents, tables
from ator_lib.readers.base import Findings, Format, Reading, ReadOptions, Source
from ator_lib.readers.json_documents import count, listed, member, members, number, word

LONGEST_TEXT = 20_000
"""Characters of a message or of details that are kept."""

UNNAMED = "unnamed"
"""Name of items and assertions that have none."""

_BEGINNING = re.compile(rb'\s*\{\s*(?:"collection"\s*:\s*\{|"run"\s*:\s*\{\s*"stats")')
_TIME_END_MS = 10**14  # of the year 5138
_SCRIPTS = {"prerequestScript": "pre-request script", "testScript": "test script"}


class NewmanReader:
    """Reads reports, an execution at a time."""

    about: ClassVar[Format] = Format(
        name="newman",
        tool="newman",
        files="what newman run --reporters json writes, a file for each collection",
        gives="samples, cases",
        precision="exact, in whole milliseconds",
        limits="no start times of requests; one without a response is a case; requests of scripts hide those of items",
    )

    def recognises(self, source: Source) -> bool:
        """Say whether it begins with a collection or with statistics of a run."""
        return _BEGINNING.match(source.head) is not None

    def read(self, sources: Sequence[Source], options: ReadOptions) -> Reading:
        """Read the reports of a run.

        A request succeeded if its assertions say so, and where there is none, if its status is below 400.

        Raises
        ------
        ResultsError
            A file is no JSON, or there is no request in any.
        """
        findings = Findings()
        reports = [_Report(source, findings) for source in sources]
        samples = [row for report in reports for row in report.samples]
        cases = [row for report in reports for row in report.cases]
        if not samples and not cases:
            named = ", ".join(source.name for source in sources[:5])
            raise ResultsError(f"{named} holds no request that was made: is it a report of newman run, and whole?")
        windows = [time for report in reports for time in report.window]
        return Reading(
            tool="newman",
            precision=schema.EXACT,
            samples=tables.table(schema.SAMPLES, samples).to_reader() if samples else None,
            cases=tables.table(schema.CASES, cases) if cases else None,
            started_at=min(windows, default=None),
            ended_at=max(windows, default=None),
            findings=findings,
        )


class _Report:
    """One report: its rows, and the window in which it ran."""

    def __init__(self, source: Source, findings: Findings) -> None:
        self.samples: list[dict[str, object]] = []
        self.cases: list[dict[str, object]] = []
        self._source = source
        self._findings = findings
        collection = self._object("collection")
        scopes = [self._object(scope).get("values") for scope in ("environment", "globals")]
        variables = [variable for scope in (*scopes, collection.get("variable")) for variable in listed(scope)]
        values = [member(variable, "value") for variable in variables]
        self._secrets = secret_words(value for value in values if isinstance(value, str))
        self._folders = _folders(collection)
        timings = self._object("run.timings")
        self.window = [time for key in ("started", "completed") if (time := _time(timings.get(key))) is not None]
        self._read()

    def _object(self, path: str) -> dict[str, Any]:
        return members(next(json_documents.items(self._source, path, self._findings), None))

    def _read(self) -> None:
        seen: set[str] = set()
        overwritten = unanswered = 0
        for execution in json_documents.items(self._source, "run.executions.item", self._findings):
            reference = word(member(execution, "cursor", "ref"))
            if reference in seen:
                overwritten += 1
                continue
            if reference is not None:
                seen.add(reference)
            unanswered += not self._take(members(execution))
        if overwritten:
            told = "Newman overwrites them with those that their scripts send (pm.sendRequest)"
            self._findings.note(f"{overwritten} requests have no sample: {told}")
        if unanswered:
            self._findings.note(f"{unanswered} requests got no response: each is no sample but a case, as error")
        if self.samples:
            self._findings.note("Newman does not say when each request started")

    def _take(self, execution: dict[str, Any]) -> bool:
        """Take an execution; says whether there was a response."""
        item = members(execution.get("item"))
        name, folder = word(item.get("name")) or UNNAMED, self._folders.get(word(item.get("id")))
        suite = name if folder is None else f"{folder} / {name}"
        cases = [self._case(suite, *outcome) for outcome in _outcomes(execution)]
        self.cases.extend(cases)
        response = members(execution.get("response"))
        duration_ms = number(response.get("responseTime"))
        if duration_ms is None:
            return False
        of_script = execution.get("id") not in (None, item.get("id"))
        status, failure = _status(response.get("code")), _failure(cases, response)
        self.samples.append(
            {
                "duration_ms": duration_ms,
                "name": self._told(f"{name} (pm.sendRequest)" if of_script else name),
                "method": self._told(word(member(execution, "request", "method"))),
                "status_code": status,
                "success": failure is None,
                "error": self._told(failure),
                "bytes_received": count(response.get("responseSize")),
                "group": self._told(folder),
                "weight": 1,
            }
        )
        return True

    def _case(self, suite: str, case: str, status: str, error: dict[str, Any]) -> dict[str, object]:
        return {
            "suite": self._told(suite),
            "case": self._told(case),
            "status": status,
            "message": self._told(_message(error)) if error else None,
            "details": self._told(word(error.get("stack"))),
        }

    def _told(self, words: str | None) -> str | None:
        """Mask a text and only then cut it: the beginning of a secret is one, too."""
        return masked(words, self._secrets)[:LONGEST_TEXT] if words else None


# --- of an execution ---


def _outcomes(execution: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Yield case, status and error: of the request if it broke, of scripts that broke, and of assertions."""
    if "requestError" in execution:
        yield "request", "error", members(execution["requestError"]) or {"message": "it broke"}
    for key, script in _SCRIPTS.items():
        for broken in listed(execution.get(key)):
            yield script, "error", members(member(broken, "error")) or {"message": "it broke"}
    for assertion in map(members, listed(execution.get("assertions"))):
        error = members(assertion.get("error"))
        status = "skipped" if assertion.get("skipped") is True else "failed" if error else "passed"
        yield word(assertion.get("assertion")) or UNNAMED, status, error


def _failure(cases: Sequence[dict[str, object]], response: dict[str, Any]) -> str | None:
    """Tell why a request failed: its assertions decide, since some expect a 404; without any, the status does."""
    for case in cases:
        if case["status"] in ("failed", "error"):
            return f"{case['case']}: {case['message']}"
    status = _status(response.get("code"))
    if any(case["status"] == "passed" for case in cases) or (status is not None and 100 <= status < 400):
        return None
    said = word(response.get("status"))
    return " ".join(str(part) for part in (status, said) if part is not None) or "no status"


def _message(error: dict[str, Any]) -> str:
    """Tell an error in words; those of the network have fields only: connect, ECONNREFUSED, address and port."""
    words = word(error.get("message"))
    if words is None:
        place = ":".join(str(error[key]) for key in ("address", "port") if isinstance(error.get(key), str | int))
        words = " ".join(filter(None, (word(error.get(key)) for key in ("syscall", "code")))) or "it broke"
        return f"{words} {place}".strip()
    name = word(error.get("name"))
    return words if name in (None, "AssertionError", "Error") else f"{name}: {words}"


def _folders(collection: dict[str, Any]) -> dict[str | None, str]:
    """Give the folder of each item by its id, with those it lies in: ``Shop / Basket``."""
    found: dict[str | None, str] = {}
    left = [(item, "") for item in listed(collection.get("item"))]
    while left:
        entry, folder = left.pop()
        item = members(entry)
        if folder:
            found[word(item.get("id"))] = folder
        name = word(item.get("name")) or UNNAMED
        inner = f"{folder} / {name}" if folder else name
        left.extend((inside, inner) for inside in listed(item.get("item")))
    return found


# --- what strangers write where something else is expected ---


def _status(code: Any) -> int | None:
    number = count(code)
    return number if number is not None and 100 <= number <= 999 else None


def _time(epoch_ms: Any) -> datetime | None:
    milliseconds = number(epoch_ms)
    if milliseconds is None or milliseconds >= _TIME_END_MS:
        return None
    return datetime.fromtimestamp(milliseconds / 1000, UTC)
