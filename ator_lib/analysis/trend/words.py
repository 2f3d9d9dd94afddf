"""A trend in a sentence."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ator_lib.analysis.trend.query import TrendQuery
from ator_lib.analysis.trend.result import ChangeKind, LevelChange, TrendSeries
from ator_lib.analysis.verdicts import Verdict
from ator_lib.analysis.wording import plural, short
from ator_lib.written import signed

FEWEST_RUNS = 6
"""A change point is looked for among so many runs or more."""

MOST_SERIES = 0.9
"""Share of the series with figures that must have so many runs before all of them together are said not to change.

A few may be new or rare, and the headline counts them; of a history that is mostly such, nobody knows.
"""

_JUDGED = (ChangeKind.CHANGE, ChangeKind.COMMON_SHIFT)


def headline_of(query: TrendQuery, series: Sequence[TrendSeries], changes: Sequence[LevelChange], runs: int) -> str:
    """Tell the latest change that speaks for the verdict, and how many others there are.

    For example ``GET /search p95 regressed at run 57 (2026-10-03): 12.1 → 18.3 ms, +51 % (+45 % … +57 %)``.
    """
    spoken_for = _speaking(changes)
    if spoken_for:
        told, counted = _latest(query, series, spoken_for)
        return "; ".join([told, *_others(changes, counted)])
    if not _seen(series):
        known = max((one.known for one in series), default=0)
        return f"too few runs: {plural(known, 'run')}, and a change of {query.label} needs {FEWEST_RUNS} to be seen"
    verdict = verdict_of(series, changes)
    none = "none" if verdict is Verdict.NO_CHANGE else "no change"
    found = f"{none} of {query.label} found{' that nobody explained,' if changes else ''}"
    return "; ".join([f"{verdict}: {found} in {_looked_at(series)} over {plural(runs, 'run')}", *_others(changes, 0)])


def verdict_of(series: Sequence[TrendSeries], changes: Sequence[LevelChange]) -> Verdict | None:
    """Give where the series stand by their last changes; null if these have no good direction.

    As in a comparison a regression is not outweighed by an improvement elsewhere. What a mark explained stands no more.
    ``no change`` means that none was found, where ``MOST_SERIES`` could be looked at: it rules none out.
    """
    if spoken_for := _speaking(changes):
        return spoken_for[0].verdict
    seen = _seen(series)
    is_most = seen and seen >= MOST_SERIES * sum(one.known > 0 for one in series)
    return Verdict.NO_CHANGE if is_most else Verdict.NOT_ENOUGH_EVIDENCE


def _speaking(changes: Sequence[LevelChange]) -> list[LevelChange]:
    """Give the last changes of the series that regressed; if none did, of those that improved; else of all."""
    last = {change.series: change for change in changes if change.kind is not ChangeKind.UNIT_FAULT}
    standing = [change for change in changes if change is last.get(change.series) and change.kind in _JUDGED]
    chosen = ([c for c in standing if c.verdict is verdict] for verdict in (Verdict.REGRESSED, Verdict.IMPROVED, None))
    return next((some for some in chosen if some), [])


def _seen(series: Sequence[TrendSeries]) -> int:
    """Count the series that a change can be seen in."""
    return sum(one.known >= FEWEST_RUNS for one in series)


def _looked_at(series: Sequence[TrendSeries]) -> str:
    seen, known = _seen(series), sum(one.known > 0 for one in series)
    if seen == known:
        return plural(known, "series", "series")
    return f"the {seen:,} of {known:,} series that {'has' if seen == 1 else 'have'} {FEWEST_RUNS} runs or more,"


def _latest(query: TrendQuery, series: Sequence[TrendSeries], changes: Sequence[LevelChange]) -> tuple[str, int]:
    """Tell the loudest change at the latest run, and how many of the changes that covers."""
    here = [change for change in changes if change.run_id == changes[-1].run_id]
    loudest = min(here, key=lambda change: (-abs(change.change or 0.0), change.series))
    if loudest.kind is not ChangeKind.COMMON_SHIFT:
        return f"{_subject(query, loudest)} {_spoken(query, loudest)}", 1
    alike = [change for change in here if change.kind is loudest.kind]
    return _shift(query, series, alike), len(alike)


def _others(changes: Sequence[LevelChange], counted: int) -> list[str]:
    more = sum(change.kind in _JUDGED for change in changes) - counted
    marked = sum(change.kind is ChangeKind.MARKED for change in changes)
    faults = sum(change.kind is ChangeKind.UNIT_FAULT for change in changes)
    counts = [(more, "more change" if counted else "earlier change"), (marked, "marked change"), (faults, "unit fault")]
    return [plural(count, what) for count, what in counts if count]


def _subject(query: TrendQuery, change: LevelChange) -> str:
    return f"{change.series} {query.label}"


def _spoken(query: TrendQuery, change: LevelChange) -> str:
    if query.is_relative:
        unit = " ms" if query.metric.endswith("_ms") else "/s" if query.metric.endswith("_rps") else ""
        figures = f"{short(change.before)} → {short(change.after)}{unit}"
    else:
        figures = f"{change.before * 100:.3g} % → {change.after * 100:.3g} %"
    size = f", {signed(change.change)} %" if query.is_relative and change.change is not None else ""
    bounds = ""
    if size and change.low is not None and change.high is not None:
        bounds = f" ({signed(change.low)} % … {signed(change.high)} %)"
    return f"{_did(change)} {_where(change)}: {figures}{size}{bounds}"


def _shift(query: TrendQuery, series: Sequence[TrendSeries], alike: Sequence[LevelChange]) -> str:
    sizes = [change.change for change in alike if change.change is not None]
    typical = f": {signed(float(np.median(sizes)))} % in the median" if sizes and query.is_relative else ""
    return (
        f"{query.label} of {len(alike)} of {plural(len(series), 'series', 'series')} {_did(alike[0])} together "
        f"{_where(alike[0])}{typical}"
    )


def _did(change: LevelChange) -> str:
    return "changed" if change.verdict is None else str(change.verdict)


def _where(change: LevelChange) -> str:
    when = f" ({change.started_at:%Y-%m-%d})" if change.started_at else ""
    return f"at run {change.run_id}{when}"
