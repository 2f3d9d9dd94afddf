"""What a reader of a trend must know of how far it carries."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

import numpy as np
import pyarrow as pa

from ator_lib.analysis.trend.kinds import unit_factor
from ator_lib.analysis.trend.query import NAMES, TrendQuery
from ator_lib.analysis.trend.result import ChangeKind, LevelChange, TrendSeries
from ator_lib.analysis.trend.words import FEWEST_RUNS
from ator_lib.analysis.wording import listed, plural

_MOST_NAMED = 5


def notes_of(
    query: TrendQuery, runs: pa.Table, series: Sequence[TrendSeries], changes: Sequence[LevelChange]
) -> Iterator[str]:
    """Give the notes of a trend, the most important first."""
    yield from _kinds(changes)
    yield from _mixtures(query, runs)
    yield from _short_series(series)
    yield from _gaps(query, runs, series)
    yield from _constants(series)
    yield from _outliers(query, runs, series)
    if unknown := runs["started_at"].null_count:
        yield f"When {plural(unknown, 'run')} started is not known: the order is that in which results came in."


def _kinds(changes: Sequence[LevelChange]) -> Iterator[str]:
    counts = Counter(change.kind for change in changes)
    if counts[ChangeKind.COMMON_SHIFT]:
        yield (
            "A common shift is one that most endpoints have at the same run: a layer that they share, or the "
            "environment. It counts as a change until somebody shows that it is the environment."
        )
    if faults := counts[ChangeKind.UNIT_FAULT]:
        yield (
            f"{plural(faults, 'change is', 'changes are')} by the factor of a unit (60, 1,000 or 1,000,000) in all "
            "figures of the kind: probably another unit, which is no verdict on what was tested."
        )


def _mixtures(query: TrendQuery, runs: pa.Table) -> Iterator[str]:
    """Tell of runs that are not alike; a change of the tool at a change is named there, too."""
    for name in ("tool", "stream", "environment", "location"):
        counts = Counter(value for value in runs[name].to_pylist() if value is not None)
        if len(counts) > 1 and query.by != name:
            told = listed((f"{value} ({count:,})" for value, count in counts.most_common()), _MOST_NAMED)
            remedy = (
                "their figures are not measured alike" if name == "tool" else f"choose with {name}=, or by={name!r}"
            )
            yield f"The runs are of {len(counts)} {name}s, {told}: {remedy}."


def _short_series(series: Sequence[TrendSeries]) -> Iterator[str]:
    short = [one.known for one in series if one.known < FEWEST_RUNS]
    if short:
        who = "The series have" if len(short) == len(series) else f"{len(short):,} of {len(series):,} series have"
        yield (
            f"{who} figures of fewer than {FEWEST_RUNS} runs (at most {max(short)}): they are shown, and changes of "
            "their levels are not looked for."
        )


def _gaps(query: TrendQuery, runs: pa.Table, series: Sequence[TrendSeries]) -> Iterator[str]:
    known = np.zeros(runs.num_rows, bool)
    for one in series:
        known[one.places[np.isfinite(one.values)]] = True
    if missing := int((~known).sum()):
        yield (
            f"{plural(missing, 'run')} of {runs.num_rows:,} {'has' if missing == 1 else 'have'} no {query.label}: they "
            "are gaps, and count for nothing."
        )
    if query.by != NAMES:
        return
    partly = sum(1 for one in series if one.known < known[one.places[0] :].sum())
    if partly:
        yield f"{partly:,} of {len(series):,} series are not in all of the runs since their first one."


def _constants(series: Sequence[TrendSeries]) -> Iterator[str]:
    frozen = [
        one.label for one in series if one.known >= FEWEST_RUNS and np.nanmax(one.values) == np.nanmin(one.values) != 0
    ]
    if frozen:
        yield f"The figures of all runs are identical in {listed(frozen, _MOST_NAMED)}: is something frozen?"


def _outliers(query: TrendQuery, runs: pa.Table, series: Sequence[TrendSeries]) -> Iterator[str]:
    count = sum(int(one.is_outlier.sum()) for one in series)
    if not count:
        return
    yield (
        f"{plural(count, 'value is', 'values are')} far from the level of the runs around them: shown as outliers, "
        "and they move no level."
    )
    faults: Counter[int] = Counter()
    for one in series:
        for index in np.flatnonzero(one.is_outlier) if query.metric.endswith(("_ms", "_rps")) else ():
            if one.levels[index] > 0 and unit_factor(one.values[index] / one.levels[index]) is not None:
                faults[int(one.places[index])] += 1
    odd = [place for place, times in faults.items() if times > len(series) / 2]
    if odd:
        ids = listed(runs["run_id"].take(pa.array(sorted(odd))).to_pylist(), _MOST_NAMED)
        yield f"Run {ids} is 60, 1,000 or 1,000,000 times its level, or that part of it: probably another unit."
