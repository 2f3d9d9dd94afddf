"""One side's requests, summed by endpoint, by status and by tenth of the run."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any, TypeVar

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from ator_lib.analysis.blocks import run_blocks
from ator_lib.analysis.explain.data import SEGMENTS, ExplainData
from ator_lib.analysis.run_data import TOTAL, Endpoint

Key = TypeVar("Key")

Rename = Callable[[Endpoint], Endpoint]
"""Which endpoint of the contender one of the baseline is."""

UNTIMED = "unknown time"
_TIMELINE_TOLERANCE = 0.01


@dataclass(frozen=True, kw_only=True)
class Part:
    """Sums over requests; null is not known. ``data.BREAKDOWN`` explains the fields."""

    requests: float
    duration_ms: float | None
    failures: float | None
    beyond: float | None
    connect_ms: float = 0.0
    first_byte_ms: float = 0.0
    rest_ms: float = 0.0
    with_connect: float = 0.0
    with_ttfb: float = 0.0

    def __add__(self, other: Part) -> Part:
        sums: dict[str, Any] = {name: _sum(getattr(self, name), getattr(other, name)) for name in _FIELDS}
        return Part(**sums)


_FIELDS = tuple(field.name for field in fields(Part))


@dataclass(frozen=True, kw_only=True)
class Side:
    """The runs of a side together; ``statuses`` and ``times`` are null where a run cannot tell."""

    endpoints: Mapping[Endpoint, Part]
    statuses: Mapping[str, Part] | None
    times: Mapping[str, Part] | None

    @property
    def whole(self) -> Part | None:
        """All requests; null if there are none."""
        return _together(self.endpoints.values())


def side_of(runs: Sequence[ExplainData], beyond_ms: float | None, rename: Rename = lambda endpoint: endpoint) -> Side:
    """Put the runs of a side together: each request counts the same."""
    endpoints = _merged(_endpoints(run, beyond_ms) for run in runs)
    renamed = _merged({rename(endpoint): part} for endpoint, part in endpoints.items())
    times = [_times(run) for run in runs]
    return Side(
        endpoints=renamed,
        statuses=_merged(map(_statuses, runs)) if all(run.cells is not None for run in runs) else None,
        times=None if None in times else _merged(found for found in times if found is not None),
    )


def _endpoints(run: ExplainData, beyond_ms: float | None) -> dict[Endpoint, Part]:
    if run.cells is not None:
        return {Endpoint(name, method): part for (name, method), part in _grouped(run.cells, "name", "method").items()}
    rows = run.run.summary_rows()
    named = {endpoint: row for endpoint, row in rows.items() if endpoint != TOTAL and row["requests"]}
    shares = {} if beyond_ms is None else _shares_beyond(run, beyond_ms)
    total = {endpoint: row for endpoint, row in rows.items() if row["requests"]}
    return {endpoint: _summarised(row, shares.get(endpoint)) for endpoint, row in (named or total).items()}


def _summarised(row: Mapping[str, Any], share_beyond: float | None) -> Part:
    requests = row["requests"]
    return Part(
        requests=requests,
        duration_ms=None if row["mean_ms"] is None else row["mean_ms"] * requests,
        failures=row["failures"],
        beyond=None if share_beyond is None else share_beyond * requests,
    )


def _shares_beyond(run: ExplainData, beyond_ms: float) -> dict[Endpoint, float]:
    """Read the share of requests beyond a limit off the histograms, a bin that it cuts taken as even."""
    shares = {}
    for endpoint, blocks in run_blocks(run.run).items():
        width = blocks.upper_ms - blocks.lower_ms
        above = np.clip((blocks.upper_ms - beyond_ms) / np.where(width > 0, width, 1.0), 0.0, 1.0)
        counts = blocks.counts.sum(axis=0)
        shares[endpoint] = float(counts @ above / counts.sum()) if counts.sum() else 0.0
    return shares


def _statuses(run: ExplainData) -> dict[str, Part]:
    found = {} if run.cells is None else _grouped(run.cells, "status_code", "success")
    return _merged({_status_label(*key): part} for key, part in found.items())


def _status_label(code: int | None, success: bool) -> str:
    known = "no status" if code is None else str(code)
    return known if success else f"{known}, failed"


def _times(run: ExplainData) -> dict[str, Part] | None:
    """Sum by tenth of the run; null if nobody knows when its requests started."""
    if run.cells is None:
        return _times_of_timeline(run)
    found = {key[0]: part for key, part in _grouped(run.cells, "segment").items()}
    if set(found) <= {None}:
        return None
    return {_time_label(segment): part for segment, part in found.items()}


def _time_label(segment: int | None) -> str:
    return UNTIMED if segment is None else f"{segment * 10}–{segment * 10 + 10} % of the run"


def _times_of_timeline(run: ExplainData) -> dict[str, Part] | None:
    """Sum the whole run's intervals, each where it starts; null if they do not hold (nearly) all that the run has."""
    whole = _together(_endpoints(run, None).values())
    rows = run.timeline.filter(pc.and_(pc.is_null(run.timeline["name"]), pc.greater(run.timeline["requests"], 0)))
    if whole is None or whole.duration_ms is None or not rows.num_rows or rows["mean_ms"].null_count:
        return None
    starts = rows["interval_start"].cast(pa.int64()).to_numpy()
    segments = (starts - starts.min()) * SEGMENTS // (starts.max() - starts.min() + 1)
    requests, failures = (rows[name].to_numpy().astype(float) for name in ("requests", "failures"))
    durations = requests * rows["mean_ms"].to_numpy()
    parts = {}
    for segment in np.unique(segments):
        here = segments == segment
        sums = (float(values[here].sum()) for values in (requests, durations, failures))
        part = dict(zip(("requests", "duration_ms", "failures"), sums, strict=True))
        parts[_time_label(int(segment))] = Part(**part, beyond=None)
    return _as_whole(parts, whole)


def _as_whole(parts: Mapping[str, Part], whole: Part) -> dict[str, Part] | None:
    """Scale sums by the little that a tool's rounding has made of them; null if it is more."""
    together = _together(parts.values())
    if together is None or not together.duration_ms or together.requests != whole.requests:
        return None
    factor = (whole.duration_ms or 0.0) / together.duration_ms
    if abs(factor - 1) > _TIMELINE_TOLERANCE or together.failures != whole.failures:
        return None
    return {
        label: Part(
            requests=part.requests,
            duration_ms=(part.duration_ms or 0.0) * factor,
            failures=part.failures,
            beyond=None,
        )
        for label, part in parts.items()
    }


_SUMS = [name for name in _FIELDS if name != "failures"]


def _grouped(cells: pa.Table, *keys: str) -> dict[tuple[Any, ...], Part]:
    """Sum cells by some of their columns."""
    failures = pc.if_else(cells["success"], 0, cells["requests"])
    table = cells.append_column("failures", failures)
    names = [*_SUMS, "failures"]
    keep_nulls = pc.ScalarAggregateOptions(skip_nulls=False)
    sums = table.group_by(list(keys)).aggregate([(name, "sum", keep_nulls) for name in names])
    return {
        tuple(row[key] for key in keys): Part(**{name: row[f"{name}_sum"] for name in names})
        for row in sums.to_pylist()
    }


def _merged(found: Iterable[Mapping[Key, Part]]) -> dict[Key, Part]:
    merged: dict[Key, Part] = {}
    for parts in found:
        for key, part in parts.items():
            merged[key] = merged[key] + part if key in merged else part
    return merged


def _together(parts: Iterable[Part]) -> Part | None:
    return _merged({None: part} for part in parts).get(None)


def _sum(one: float | None, other: float | None) -> float | None:
    return None if one is None or other is None else one + other
