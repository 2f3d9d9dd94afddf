"""HTTP archives (HAR) of browsers and proxies: each entry that went to a server is a sample.

Cookies, headers, bodies and the queries of URLs stay behind: they hold secrets.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Any, ClassVar

import pyarrow as pa

from ator_lib import schema
from ator_lib.errors import ResultsError
from ator_lib.readers import json_documents, tables
from ator_lib.readers.base import Findings, Format, Reading, ReadOptions, Source, moment_of
from ator_lib.readers.json_documents import count, member, number, word
from ator_lib.readers.text_documents import path_of

_BATCH = 10_000
_BEGINNING = re.compile(rb'\s*\{\s*"log"\s*:\s*\{')
_KEYS = re.compile(rb'"(?:entries|creator|browser|pages)"\s*:')
_UNTIL_FIRST_BYTE = ("blocked", "dns", "connect", "send", "wait")
_PHASES = (*_UNTIL_FIRST_BYTE, "receive")  # ssl is a part of connect


class HarReader:
    """Reads archives, an entry at a time."""

    about: ClassVar[Format] = Format(
        name="har",
        files="HTTP archives (*.har) of browsers, proxies and Playwright",
        gives="samples",
        precision="exact, at the resolution of the browser's clock",
        limits="requests are named by the path of their URL; what came from a cache or is no HTTP is left out",
    )

    def recognises(self, source: Source) -> bool:
        """Say whether it begins with a log that has entries, pages or a creator."""
        return bool(_BEGINNING.match(source.head)) and bool(_KEYS.search(source.head))

    def read(self, sources: Sequence[Source], options: ReadOptions) -> Reading:
        """Read the archives of a run.

        Raises
        ------
        ResultsError
            While the samples are consumed: a file is no JSON, or there is no request in any.
        """
        findings = Findings()
        creator = _creator(sources[0])
        return Reading(
            tool=word(member(creator, "name")),
            tool_version=word(member(creator, "version")),
            precision=schema.EXACT,
            samples=tables.stream(_batches(sources, options, findings)),
            findings=findings,
        )


def _batches(sources: Sequence[Source], options: ReadOptions, findings: Findings) -> Iterator[pa.RecordBatch]:
    kept = left_out = 0
    rows: list[dict[str, object]] = []
    for source in sources:
        for entry in json_documents.items(source, "log.entries.item", findings):
            if not _went_to_server(entry):
                left_out += 1
            elif (row := _row(entry, source, options, findings)) is not None:
                rows.append(row)
                kept += 1
            if len(rows) == _BATCH:
                yield from tables.table(schema.SAMPLES, rows).to_batches()
                rows = []
    yield from tables.table(schema.SAMPLES, rows).to_batches()
    if left_out:
        findings.note(
            f"{left_out} entries were left out: they came from a cache, or are web sockets or data in the page"
        )
    if not kept and not findings.rejected:
        raise ResultsError(f"{', '.join(source.name for source in sources[:5])} holds no request to a server.")


def _creator(source: Source) -> Any:
    return next(json_documents.items(source, "log.creator", Findings()), None)


def _went_to_server(entry: Any) -> bool:
    url = word(member(entry, "request", "url")) or ""
    is_stream = member(entry, "_resourceType") == "websocket" or url.startswith(("ws:", "wss:"))
    return not (member(entry, "_fromCache") or is_stream or url.startswith(("data:", "blob:")))


def _row(entry: Any, source: Source, options: ReadOptions, findings: Findings) -> dict[str, object] | None:
    # -1 says that there was no such phase, and number knows nothing below 0
    phases = {phase: number(member(entry, "timings", phase)) for phase in _PHASES}
    known = [milliseconds for milliseconds in phases.values() if milliseconds is not None]
    duration_ms = number(member(entry, "time"))
    if duration_ms is None and not known:
        findings.reject(source, None, "it has no time", word(member(entry, "startedDateTime")))
        return None
    status = count(member(entry, "response", "status"))
    success = status is not None and 100 <= status < 400
    until_first_byte = [phases[phase] or 0.0 for phase in _UNTIL_FIRST_BYTE]
    return {
        "started_at": moment_of(word(member(entry, "startedDateTime")), "startedDateTime", options, findings),
        "duration_ms": sum(known) if duration_ms is None else duration_ms,
        "name": path_of(word(member(entry, "request", "url")) or ""),
        "method": word(member(entry, "request", "method")),
        "status_code": status if status is not None and 100 <= status <= 999 else None,
        "success": success,
        "error": None if success else _error(entry),
        "connect_ms": phases["connect"],
        "ttfb_ms": sum(until_first_byte) if status and phases["wait"] is not None else None,
        "bytes_sent": _bytes(member(entry, "request")),
        "bytes_received": _bytes(member(entry, "response")),
        "weight": 1,
    }


def _error(entry: Any) -> str:
    """Say why a request failed, in the words of the browser (``net::ERR_…``) or of the server."""
    response = member(entry, "response")
    told = [member(response, key) for key in ("_error", "_failureText", "statusText")]
    return next(filter(None, map(word, [member(entry, "_error"), *told])), "no response")


def _bytes(message: Any) -> int | None:
    """Give the bytes on the wire: what the browser says of them, or headers and body."""
    transferred = count(member(message, "_transferSize"))
    body, headers = count(member(message, "bodySize")), count(member(message, "headersSize"))
    return transferred or (None if body is None else body + (headers or 0))
