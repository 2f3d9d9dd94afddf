"""``--json`` and ``--json-file``: of each name a histogram of response times, and the requests of each second."""

from __future__ import annotations

import math
import operator
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

import numpy as np

from ator_lib import schema
from ator_lib.errors import ResultsError
from ator_lib.readers import json_documents
from ator_lib.readers.base import Findings, Source
from ator_lib.readers.locust.counters import TOTAL, Count, Key
from ator_lib.readers.locust.history import LATEST_S
from ator_lib.readers.locust.rows import LARGEST_COUNT

_STEPS = ((100, 1), (1_000, 10), (10_000, 100), (math.inf, 1_000))
"""Response times below a limit are multiples of a step, in ms: Locust rounds them."""

_MOST_SECONDS = 7 * 86_400
_Number = TypeVar("_Number", int, float)


@dataclass(kw_only=True)
class Histogram:
    """What Locust says of the requests of a name; ``started_s`` and ``ended_s`` are seconds since 1970."""

    requests: int = 0
    untimed: int = 0
    failures: int = 0
    total_ms: float = 0.0
    min_ms: float = math.inf
    max_ms: float = 0.0
    bytes_received: int = 0
    started_s: float = math.inf
    ended_s: float = 0.0
    response_times: Counter[float] = field(default_factory=Counter)
    requests_in: Counter[int] = field(default_factory=Counter)
    failures_in: Counter[int] = field(default_factory=Counter)

    def add(self, other: Histogram) -> None:
        """Add the requests of another process, or of another name."""
        self.requests += other.requests
        self.untimed += other.untimed
        self.failures += other.failures
        self.total_ms += other.total_ms
        self.min_ms = min(self.min_ms, other.min_ms)
        self.max_ms = max(self.max_ms, other.max_ms)
        self.bytes_received += other.bytes_received
        self.started_s = min(self.started_s, other.started_s)
        self.ended_s = max(self.ended_s, other.ended_s)
        self.response_times.update(other.response_times)
        self.requests_in.update(other.requests_in)
        self.failures_in.update(other.failures_in)

    @property
    def count(self) -> Count:
        """What had been counted in the end."""
        return Count(requests=self.requests, failures=self.failures, total_ms=self.total_ms)

    @property
    def is_rounded_as_usual(self) -> bool:
        """Whether response times have two significant digits; a locustfile can round them in its own way."""
        return all(value % _step(value) == 0 for value in self.response_times)

    def summary(self, key: Key) -> dict[str, Any]:
        """Give a row of ``schema.SUMMARIES``; percentiles follow the rule, over response times as they were rounded."""
        counted = {"name": key.name, "method": key.method, "requests": self.requests, "failures": self.failures}
        timed = self.requests - self.untimed
        if timed <= 0 or not self.response_times:
            return counted
        measured = {
            "mean_ms": self.total_ms / timed,
            "min_ms": self.min_ms if math.isfinite(self.min_ms) else None,
            "max_ms": self.max_ms,
            "bytes_received": self.bytes_received,
        }
        return counted | measured | _percentiles(self.response_times)

    def bins(self, key: Key) -> Iterator[dict[str, Any]]:
        """Give rows of ``schema.DISTRIBUTIONS``: what was rounded to a value lies around it."""
        for value in sorted(self.response_times):
            lower, upper = value - _step(math.nextafter(value, 0)) / 2, value + _step(value) / 2
            counted = {"count": self.response_times[value], "name": key.name, "method": key.method}
            yield counted | {"lower_ms": max(lower, 0.0), "upper_ms": upper}


def histograms(sources: Sequence[Source], findings: Findings) -> dict[Key, Histogram]:
    """Read and add up what processes counted, each name by itself and all together; of equal files one counts.

    Raises
    ------
    ResultsError
        A file is no JSON, or spans more time than a test can take.
    """
    merged: dict[Key, Histogram] = {}
    documents: list[list[Any]] = []
    for source in sources:
        document = list(json_documents.items(source, "item", findings))
        if document in documents:
            findings.note(f"{source.name} says what another file says already: it was counted once")
            continue
        documents.append(document)
        for item in document:
            try:
                key, histogram = _entry(item)
            except ValueError as error:
                findings.reject(source, None, str(error), repr(item))
                continue
            except (TypeError, LookupError, AttributeError):
                findings.reject(source, None, "it is no entry of Locust's statistics", repr(item))
                continue
            finally:
                findings.rows_read = (findings.rows_read or 0) + 1
            merged.setdefault(key, Histogram()).add(histogram)
            merged.setdefault(TOTAL, Histogram()).add(histogram)
    if merged and (seconds := merged[TOTAL].requests_in) and max(seconds) - min(seconds) > _MOST_SECONDS:
        named = ", ".join(source.name for source in sources[:5])
        raise ResultsError(f"{named} has requests more than {_MOST_SECONDS} seconds apart: no test takes that long.")
    return merged


def timeline(histograms: Mapping[Key, Histogram]) -> list[dict[str, Any]]:
    """Give rows of ``schema.TIMELINE``, one per second; Locust keeps no response times of it."""
    seconds = histograms[TOTAL].requests_in
    if not seconds:
        return []
    return [
        {
            "interval_start": second * 1_000_000,
            "interval_s": 1.0,
            "name": key.name,
            "method": key.method,
            "requests": counted.requests_in[second],
            "failures": counted.failures_in[second],
            "throughput_rps": float(counted.requests_in[second]),
        }
        for second in range(min(seconds), max(seconds) + 1)
        for key, counted in histograms.items()
        if key == TOTAL or counted.requests_in[second]
    ]


def _entry(item: Any) -> tuple[Key, Histogram]:
    key = Key(str(item["name"]), str(item["method"]) or None)
    started_s, ended_s = item.get("start_time"), item.get("last_request_timestamp")
    least_ms = item.get("min_response_time")
    return key, Histogram(
        requests=_count(item["num_requests"]),
        untimed=_count(item.get("num_none_requests") or 0),
        failures=_count(item["num_failures"], item["num_requests"] + 1),
        total_ms=_number(item["total_response_time"]),
        min_ms=math.inf if least_ms is None else _number(least_ms),
        max_ms=_number(item["max_response_time"]),
        bytes_received=round(_number(item.get("total_content_length") or 0)),
        started_s=_number(started_s, LATEST_S) if started_s else math.inf,
        ended_s=_number(ended_s, LATEST_S) if ended_s else 0.0,
        response_times=_response_times(item["response_times"]),
        requests_in=_per_second(item.get("num_reqs_per_sec")),
        failures_in=_per_second(item.get("num_fail_per_sec")),
    )


def _response_times(counts: Mapping[str, int]) -> Counter[float]:
    read: Counter[float] = Counter()
    for time_ms, count in counts.items():  # some versions write both "120" and "120.0"
        read[_number(float(time_ms))] += _count(count)
    return read


def _per_second(counts: Mapping[str, int] | None) -> Counter[int]:
    return Counter({_count(int(second), LATEST_S): _count(count) for second, count in (counts or {}).items()})


def _count(value: int, largest: int = LARGEST_COUNT) -> int:
    return operator.index(_number(value, largest))


def _number(value: _Number, largest: int = LARGEST_COUNT) -> _Number:
    if not 0 <= value < largest:
        raise ValueError(f"{value!r} is nothing that Locust counts or measures")
    return value


def _step(value: float) -> int:
    return next(step for limit, step in _STEPS if value < limit)


def _percentiles(response_times: Mapping[float, int]) -> dict[str, float]:
    """Interpolate between order statistics (Hyndman-Fan type 7), each value standing for its count."""
    values = np.array(sorted(response_times))
    counts = np.cumsum([response_times[value] for value in values])
    if not counts[-1]:
        return {}
    rank = np.array(list(schema.PERCENTILES.values())) * (counts[-1] - 1)
    below, above = (values[np.searchsorted(counts, edge, side="right")] for edge in (np.floor(rank), np.ceil(rank)))
    interpolated = below + (rank - np.floor(rank)) * (above - below)
    return dict(zip(schema.PERCENTILES, interpolated.tolist(), strict=True))
