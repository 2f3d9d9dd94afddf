"""Requests of a live run by endpoint and by the way in which they failed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import pyarrow as pa

from ator_lib.model import MOST_ENDPOINTS, MOST_ERRORS, EndpointProgress, ErrorProgress
from ator_lib.written import cut

_MOST_KINDS = 1000
"""Ways to fail that are counted: a tool whose errors are all different does not fill the memory."""
_LONGEST = 300
"""Characters of a name in a live table."""

_Endpoint = tuple[str, str | None]


class Recent(NamedTuple):
    """The last requests of one process: the seconds that they cover, and each one's endpoint and duration."""

    span_s: float
    codes: np.ndarray
    durations: np.ndarray


class EndpointCounts:
    """Counts every request of a run once, under a number for its endpoint."""

    def __init__(self) -> None:
        self._codes: dict[_Endpoint, int] = {}
        self._requests = np.zeros(0, np.int64)
        self._failures = np.zeros(0, np.int64)
        self._errors: Counter[tuple[str, str | None, str]] = Counter()

    def take(self, batch: pa.RecordBatch) -> np.ndarray:
        """Count a batch, and give the number of each request's endpoint."""
        codes = self._codes_of(batch)
        failed = ~batch.column("success").to_numpy(zero_copy_only=False)
        self._requests = _added(self._requests, codes, len(self._codes))
        self._failures = _added(self._failures, codes[failed], len(self._codes))
        if failed.any() and "error" in batch.schema.names:
            self._count_errors(batch.filter(pa.array(failed)))
        return codes

    def progress(self, recent: Sequence[Recent]) -> tuple[EndpointProgress, ...]:
        """Say how the endpoints with most requests are doing."""
        shown = np.argsort(-self._requests, kind="stable")[:MOST_ENDPOINTS]
        place_of = np.full(len(self._requests), len(shown), np.uint8)  # all others share the place after the last
        place_of[shown] = np.arange(len(shown))
        endpoints = list(self._codes)
        figures = _figures(recent, place_of, len(shown))
        return tuple(
            EndpointProgress(
                name=cut(endpoints[code][0], _LONGEST),
                method=endpoints[code][1],
                requests=int(self._requests[code]),
                failures=int(self._failures[code]),
                throughput_rps=rate,
                p95_ms=p95,
            )
            for code, (rate, p95) in zip(shown, figures, strict=True)
        )

    def errors(self) -> tuple[ErrorProgress, ...]:
        """Say how requests failed most often."""
        return tuple(
            ErrorProgress(name=cut(name, _LONGEST), method=method, error=cut(error, _LONGEST), requests=count)
            for (name, method, error), count in self._errors.most_common(MOST_ERRORS)
        )

    def _codes_of(self, batch: pa.RecordBatch) -> np.ndarray:
        names = batch.column("name").dictionary_encode(null_encoding="encode")
        methods = _method_column(batch).dictionary_encode(null_encoding="encode")
        count = len(methods.dictionary)
        pairs = names.indices.to_numpy().astype(np.int64) * count + methods.indices.to_numpy()
        distinct, which = np.unique(pairs, return_inverse=True)
        each = (divmod(int(pair), count) for pair in distinct)
        words = [(names.dictionary[n].as_py() or "", methods.dictionary[m].as_py()) for n, m in each]
        known = [self._codes.setdefault(endpoint, len(self._codes)) for endpoint in words]
        return np.array(known, np.int64)[which]

    def _count_errors(self, failed: pa.RecordBatch) -> None:
        kinds = pa.table(
            [failed.column("name"), _method_column(failed), failed.column("error")], ["name", "method", "error"]
        )
        for kind in kinds.group_by(kinds.column_names, use_threads=False).aggregate([([], "count_all")]).to_pylist():
            key = (kind["name"] or "", kind["method"], kind["error"] or "")
            if key in self._errors or len(self._errors) < _MOST_KINDS:
                self._errors[key] += kind["count_all"]


def _figures(recent: Sequence[Recent], place_of: np.ndarray, size: int) -> list[tuple[float | None, float | None]]:
    """Give throughput and p95 of the endpoint at each place; ``None`` where nothing was heard of lately."""
    heard = [(part, place_of[part.codes]) for part in recent if part.span_s > 0]
    if not heard:
        return [(None, None)] * size
    rates = np.zeros(size + 1)
    for part, places in heard:
        rates += np.bincount(places, minlength=size + 1) / part.span_s
    places = np.concatenate([places for _, places in heard])
    order = np.argsort(places, kind="stable")  # of bytes: in one pass
    durations = np.concatenate([part.durations for part, _ in heard])[order]
    ends = np.cumsum(np.bincount(places, minlength=size + 1))[:-1]
    each = zip(rates[:size], np.split(durations, ends)[:size], strict=True)
    return [(float(rate), _p95(some) if some.size else None) for rate, some in each]


def _p95(durations: np.ndarray) -> float:
    """As ``numpy.percentile`` does, in a tenth of the time for few values."""
    place = (len(durations) - 1) * 0.95
    below = int(place)
    above = min(below + 1, len(durations) - 1)
    ranked = np.partition(durations, (below, above))
    return float(ranked[below] + (ranked[above] - ranked[below]) * (place - below))


def _added(counts: np.ndarray, codes: np.ndarray, size: int) -> np.ndarray:
    new = np.bincount(codes, minlength=size)
    new[: len(counts)] += counts
    return new


def _method_column(batch: pa.RecordBatch) -> pa.Array:
    return batch.column("method") if "method" in batch.schema.names else pa.nulls(batch.num_rows, pa.string())
