"""Reads the result of autocannon."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, ClassVar

import pyarrow as pa

from ator_lib import schema
from ator_lib.errors import ResultsError
from ator_lib.readers import tables
from ator_lib.readers.base import Findings, Format, Reading, ReadOptions, Source, only
from ator_lib.readers.json_documents import begins_object, count, load_object, member, members, number
from ator_lib.readers.text_documents import ALL_REQUESTS, path_of

PRECISION = "1 ms"

_MARKS = (b'"latency"', b'"throughput"', b'"non2xx"', b'"timeouts"')
_PERCENTILES = {
    **{f"p{percent}": f"p{percent}_ms" for percent in (50, 75, 90, 99)},
    **dict.fromkeys(("p99_9", "p999"), "p99_9_ms"),
}
_CLASSES = ("1xx", "3xx", "4xx", "5xx")


class AutocannonReader:
    """Reads one result."""

    about: ClassVar[Format] = Format(
        name="autocannon",
        tool="autocannon",
        files="autocannon --json",
        gives="summaries, errors",
        precision=PRECISION,
        limits="one name for all requests; no p95; failures are what has no 2xx answer",
    )

    def recognises(self, source: Source) -> bool:
        """Say whether it is JSON with the keys of a result."""
        return begins_object(source, _MARKS)

    def read(self, sources: Sequence[Source], options: ReadOptions) -> Reading:
        """Read a result.

        Raises
        ------
        ResultsError
            There are several, it is damaged, or tells of no request.
        """
        source = only(sources, "a run of autocannon")
        result = load_object(source)
        findings = Findings()
        name = _name(result)
        answered, unanswered = count(member(result, "requests", "total")) or 0, _unanswered(result)
        if not answered + sum(unanswered.values()):
            raise ResultsError(f"{source.name} holds no requests: autocannon got no answer and met no error.")
        if (bad := sum(answer["requests"] for answer in _bad_answers(result))) > answered:
            raise ResultsError(f"{source.name} contradicts itself: {bad} answers of {answered} failed.")
        failed: list[dict[str, Any]] = [
            {"name": name, "error": error, "requests": n} for error, n in unanswered.items() if n
        ]
        failed += [{"name": name, **answer} for answer in _bad_answers(result)]
        started_at, ended_at = _time(result.get("start")), _time(result.get("finish"))
        row = {
            "name": name,
            "requests": answered + sum(unanswered.values()),
            "failures": sum(error["requests"] for error in failed),
            "bytes_received": count(member(result, "throughput", "total")),
            **_latencies(result, answered, findings),
        }
        return Reading(
            tool="autocannon",
            precision=PRECISION,
            summaries=tables.summaries([row], precision=PRECISION, duration_s=number(result.get("duration"))),
            errors=tables.table(schema.ERRORS, sorted(failed, key=lambda error: -error["requests"])),
            metrics=_users(result, started_at),
            started_at=started_at,
            ended_at=ended_at,
            findings=findings,
        )


def _name(result: Mapping[str, Any]) -> str:
    title, url = result.get("title"), result.get("url")
    if isinstance(title, str) and title:
        return title
    return path_of(url) if isinstance(url, str) else ALL_REQUESTS  # several URLs are a list


def _unanswered(result: Mapping[str, Any]) -> dict[str, int]:
    """Give the errors without an answer by their words; autocannon counts timeouts among its errors, too."""
    timeouts = count(result.get("timeouts")) or 0
    return {"timeout": timeouts, "connection error": max((count(result.get("errors")) or 0) - timeouts, 0)}


def _bad_answers(result: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield answers that count as failures, by status as far as that is known; early versions know its class only."""
    non_2xx = count(result.get("non2xx")) or 0
    statuses = members(result.get("statusCodeStats"))
    by_status = {
        code: count(member(statuses, code, "count")) for code in statuses if re.fullmatch(r"[013-9]\d\d", code)
    }
    by_class = {name: count(result.get(name)) for name in _CLASSES}
    if sum(filter(None, by_status.values())) == non_2xx:
        yield from ({"status_code": int(code), "requests": n} for code, n in by_status.items() if n)
    elif sum(filter(None, by_class.values())) == non_2xx:
        yield from ({"error": name, "requests": n} for name, n in by_class.items() if n)
    else:
        yield {"error": "no 2xx answer", "requests": non_2xx}
    # a bad status comes with a bad body, most often
    if (unexpected := (count(result.get("mismatches")) or 0) - non_2xx) > 0:
        yield {"error": "unexpected body", "requests": unexpected}


def _latencies(result: Mapping[str, Any], answered: int, findings: Findings) -> dict[str, float | None]:
    """Give what was measured; where nothing was, autocannon writes zeros, and the largest number for the least."""
    said = {key: number(value) for key, value in members(result.get("latency")).items()}
    measured = said.get("totalCount", answered)
    if not measured or said.get("min") is None or said.get("average") is None:
        findings.note(
            "autocannon measured no latency: no answer came, or none with a 2xx status, if it looks at no other"
        )
        return {}
    if measured > answered:
        findings.note(
            f"of {measured:.0f} latencies {measured - answered:.0f} were made up by autocannon for a steady rate (-R): "
            "it counts the wait of 1 ms steps, so all but the highest are too low (--ignoreCoordinatedOmission)"
        )
    elif measured < answered:
        findings.note(f"latencies are of {measured:.0f} answers out of {answered}: those with a 2xx status")
    percentiles = {column: said[key] for key, column in _PERCENTILES.items() if key in said}
    return percentiles | {
        "mean_ms": said["average"],
        "min_ms": said["min"],
        "max_ms": said.get("max"),
        "stddev_ms": tables.of_sample(said.get("stddev"), measured),  # autocannon divides by n
    }


def _users(result: Mapping[str, Any], started_at: datetime | None) -> pa.Table:
    connections = number(result.get("connections"))
    if connections is None or started_at is None:
        return schema.METRICS.empty_table()
    row = {"timestamp": started_at, "metric": "users", "value": connections, "source": "autocannon"}
    return tables.table(schema.METRICS, [row])


def _time(value: Any) -> datetime | None:
    try:
        time = datetime.fromisoformat(str(value)[:40])
        return time.astimezone(UTC) if time.tzinfo else None
    except (ValueError, OverflowError):
        return None
