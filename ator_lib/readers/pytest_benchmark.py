"""What pytest-benchmark saves as JSON: the rounds of each benchmark, or statistics of them (times in seconds)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, ClassVar

import pyarrow as pa

from ator_lib import schema
from ator_lib.errors import ResultsError
from ator_lib.readers import json_documents, tables
from ator_lib.readers.base import Findings, Format, Reading, ReadOptions, Source, only
from ator_lib.readers.json_documents import count, listed, members, number

_SUMMARY = "tool summary"
_MARKS = (b'"benchmarks"', b'"commit_info"', b'"min_rounds"')
_STATISTICS = {  # of SUMMARIES → of the tool, whose quartile is the median of the upper half
    "mean_ms": "mean",
    "min_ms": "min",
    "max_ms": "max",
    "p50_ms": "median",
    "p75_ms": "q3",
}


class PytestBenchmarkReader:
    """Reads one file, as a whole."""

    about: ClassVar[Format] = Format(
        name="pytest-benchmark",
        tool="pytest-benchmark",
        files="--benchmark-json, --benchmark-save (with --benchmark-save-data: all rounds)",
        gives="samples, a row per round; without the rounds summaries",
        precision="exact; means where a round has several iterations",
        limits="rounds have no times of their own; of percentiles statistics hold p50 and p75 only",
    )

    def recognises(self, source: Source) -> bool:
        """Say whether it is JSON with two of the keys that only such a file has together."""
        return json_documents.begins_object(source) and sum(mark in source.head for mark in _MARKS) > 1

    def read(self, sources: Sequence[Source], options: ReadOptions) -> Reading:
        """Read the rounds, if the file has those of all benchmarks, else the statistics.

        Raises
        ------
        ResultsError
            It is no such document, has no benchmark, or there are several files.
        """
        source = only(sources, "pytest-benchmark")
        document = json_documents.load_object(source)
        findings = Findings()
        benchmarks = list(_benchmarks(source, document, findings))
        if not benchmarks:
            raise ResultsError(f"{source.name} holds no benchmark with its rounds: it is none of pytest-benchmark's.")
        for sentence in _circumstances(document):
            findings.note(sentence)
        has_rounds = all(benchmark.rounds_ms for benchmark in benchmarks)
        saved_at = _saved_at(document)
        return Reading(
            tool="pytest-benchmark",
            tool_version=document["version"] if isinstance(document.get("version"), str) else None,
            precision=_precision(benchmarks) if has_rounds else _SUMMARY,
            samples=tables.stream(_samples(benchmarks)) if has_rounds else None,
            summaries=None if has_rounds else _summaries(benchmarks),
            started_at=saved_at,
            ended_at=saved_at,
            findings=findings,
        )


@dataclass(frozen=True, kw_only=True)
class _Benchmark:
    """A benchmark; ``rounds_ms`` is empty where the file has statistics only."""

    name: str
    group: str | None
    iterations: int
    rounds_ms: list[float | None]
    summary: dict[str, Any]


def _benchmarks(source: Source, document: Mapping[str, Any], findings: Findings) -> Iterator[_Benchmark]:
    for place, entry in enumerate(listed(document.get("benchmarks")), 1):
        if (benchmark := _benchmark(members(entry))) is not None:
            yield benchmark
        else:
            findings.reject(source, None, f"benchmark {place} has no name, or no rounds", str(entry))


def _benchmark(entry: Mapping[str, Any]) -> _Benchmark | None:
    stats = members(entry.get("stats"))
    name = entry.get("fullname") or entry.get("name")
    rounds, iterations = count(stats.get("rounds")), count(stats.get("iterations", 1))
    rounds_ms = [_milliseconds(seconds) for seconds in listed(stats.get("data"))]
    if not isinstance(name, str) or not rounds or not iterations or None in rounds_ms:
        return None
    summary = {column: _milliseconds(stats.get(key)) for column, key in _STATISTICS.items()}
    deviation = _milliseconds(stats.get("stddev")) if rounds > 1 else None
    return _Benchmark(
        name=name,
        group=entry["group"] if isinstance(entry.get("group"), str) else None,
        iterations=iterations,
        rounds_ms=rounds_ms,
        summary={"name": name, "requests": rounds, "failures": 0, "stddev_ms": deviation, **summary},
    )


def _milliseconds(seconds: Any) -> float | None:
    known = number(seconds)
    return None if known is None else known * 1000


# --- the canonical tables ---


def _precision(benchmarks: Sequence[_Benchmark]) -> str:
    most = max(benchmark.iterations for benchmark in benchmarks)
    return schema.EXACT if most == 1 else f"means of up to {most} iterations a round"


def _samples(benchmarks: Sequence[_Benchmark]) -> Iterator[pa.RecordBatch]:
    for benchmark in benchmarks:
        rows = len(benchmark.rounds_ms)
        yield tables.samples_batch(
            rows,
            duration_ms=benchmark.rounds_ms,
            name=pa.repeat(benchmark.name, rows),
            success=pa.repeat(True, rows),
            group=pa.repeat(pa.scalar(benchmark.group, pa.string()), rows),
        )


def _summaries(benchmarks: Sequence[_Benchmark]) -> pa.Table:
    return tables.summaries([benchmark.summary for benchmark in benchmarks], precision=_SUMMARY)


# --- when, where and of what ---


def _saved_at(document: Mapping[str, Any]) -> datetime | None:
    """Give the time at which the benchmarks were done and saved; versions before 4 leave out that it is UTC."""
    try:
        saved_at = datetime.fromisoformat(document.get("datetime", ""))
        return (saved_at if saved_at.tzinfo else saved_at.replace(tzinfo=UTC)).astimezone(UTC)
    except (TypeError, ValueError, OverflowError):
        return None


def _circumstances(document: Mapping[str, Any]) -> Iterator[str]:
    machine, commit = members(document.get("machine_info")), members(document.get("commit_info"))
    keys = ("python_implementation", "python_version", "system", "machine")
    if known := [machine[key] for key in keys if isinstance(machine.get(key), str)]:
        yield f"run with {' '.join(known)}"
    if isinstance(commit.get("id"), str) and commit["id"] != "unversioned":
        yield f"of commit {commit['id']}" + (" with uncommitted changes" if commit.get("dirty") else "")
