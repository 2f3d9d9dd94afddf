"""Judging runs against their baselines, each once, and what they were judged to be."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import fields
from datetime import UTC, datetime
from typing import Any

import pandas as pd

from ator_lib.analysis.verdicts import METHOD_VERSION, Verdict
from ator_lib.errors import AtorError, NoBaselineError, StoreUnavailableError, UsageError
from ator_lib.model import Run, RunVerdict
from ator_lib.registry.statements import ENDED
from ator_lib.registry.verdicts import RUN_COLUMNS, Verdicts
from ator_lib.results import index
from ator_lib.workspace.baselines import began, found_by, search_of
from ator_lib.workspace.comparison import Comparison, compare_runs
from ator_lib.workspace.parts import Parts
from ator_lib.workspace.run import RunHandle

NO_BASELINE = "no earlier run to compare with"
_LAST_SUCCESS = search_of("last-success") or {}
_MOST_VERDICTS = 100_000


def judge_runs(parts: Parts, *, limit: int, since_s: float) -> int:
    """Judge runs without a verdict that started in the last ``since_s`` seconds, the latest first; says how many.

    Whoever judges the same runs at the same time comes to the same verdicts. One that cannot be compared is judged
    as that, and holds no other one up.

    Raises
    ------
    StoreUnavailableError
        The database went away; what was judged by then is kept.
    """
    verdicts = _verdicts(parts)
    return sum(_judge(parts, verdicts, run)[1] for run in verdicts.missing(since_s=since_s, limit=_checked(limit)))


def verdict_of(parts: Parts, run: Run, *, judges: bool = True) -> RunVerdict | None:
    """Return the verdict of a run, judged now if it has none or was compared with nothing; ``None``: nobody judges it.

    What there was nothing to compare with may have a baseline by now. Without ``judges`` only what is kept.
    """
    verdicts = _verdicts(parts)
    kept = verdicts.get(run.run_id)
    if not judges or (kept is not None and kept.baseline_run_ids):
        return kept
    if run.status.value not in ENDED or not index.with_requests(parts.engine, [run.run_id]):
        return None
    return _judge(parts, verdicts, run)[0]


def verdicts_frame(
    parts: Parts, where: Mapping[str, Any], *, verdict: str | Sequence[str] | None, limit: int
) -> pd.DataFrame:
    """Give a row per judged run: what is known of the run, and the fields of ``RunVerdict``.

    Raises
    ------
    UsageError
        There is no such verdict, or a filter is off.
    """
    wanted = None if verdict is None else _words(verdict)
    rows = _verdicts(parts).list(where, verdicts_wanted=wanted, limit=_checked(limit))
    own = [field.name for field in fields(RunVerdict) if field.name != "run_id"]
    frame = pd.DataFrame(rows, columns=[*RUN_COLUMNS, *own])
    for column in ("start_time", "end_time", "judged_at"):
        frame[column] = pd.to_datetime(frame[column], utc=True)
    return frame.astype(dict.fromkeys(("change", "low", "high"), float))


def _verdicts(parts: Parts) -> Verdicts:
    return Verdicts(parts.engine, METHOD_VERSION)


def _judge(parts: Parts, verdicts: Verdicts, run: Run) -> tuple[RunVerdict, bool]:
    """Judge a run; says also whether that is kept: not if the run or what is pinned changed meanwhile."""
    pinned = verdicts.pinned(run.test)
    verdict = _judged(parts, run, pinned)
    return verdict, verdicts.keep(verdict, pinned=pinned)


def _judged(parts: Parts, run: Run, pinned: int | None) -> RunVerdict:
    try:
        baseline = _baseline(parts, run, pinned)
        comparison = compare_runs([RunHandle(run, parts)], [RunHandle(record, parts) for record in baseline], {})
    except StoreUnavailableError:
        raise
    except NoBaselineError:
        return _compared_with_nothing(run, None, NO_BASELINE)
    except AtorError as error:
        return _compared_with_nothing(run, Verdict.NOT_COMPARABLE, f"{Verdict.NOT_COMPARABLE}: {error}")
    return _of_comparison(run, baseline, comparison)


def _baseline(parts: Parts, run: Run, pinned: int | None) -> list[Run]:
    """Return the run that is pinned for the test, unless this one is as old, else the last success like it."""
    if pinned is not None:
        record = parts.registry.get(pinned)
        if began(record) < began(run):
            return [record]
    return found_by(parts, _LAST_SUCCESS, [run])


def _of_comparison(run: Run, baseline: Sequence[Run], comparison: Comparison) -> RunVerdict:
    loudest = comparison.loudest
    change: dict[str, Any] = {}
    if loudest is not None:
        change = {"name": loudest.endpoint.label, "metric": loudest.metric, "change": loudest.effect}
        change |= {"low": loudest.low, "high": loudest.high}
    return RunVerdict(
        run_id=run.run_id,
        baseline_run_ids=tuple(record.run_id for record in baseline),
        verdict=comparison.verdict,
        headline=comparison.headline,
        judged_at=datetime.now(UTC),
        **change,
    )


def _compared_with_nothing(run: Run, verdict: Verdict | None, headline: str) -> RunVerdict:
    word = None if verdict is None else verdict.value
    return RunVerdict(
        run_id=run.run_id, baseline_run_ids=(), verdict=word, headline=headline, judged_at=datetime.now(UTC)
    )


def _words(verdict: str | Sequence[str]) -> list[str]:
    wanted = [verdict] if isinstance(verdict, str) else list(verdict)
    known = [word.value for word in Verdict]
    if unknown := [word for word in wanted if word not in known]:
        raise UsageError(f"there is no verdict {', '.join(map(repr, unknown))}: there are {', '.join(known)}")
    return [str(word) for word in wanted]


def _checked(limit: int) -> int:
    if type(limit) is not int or not 0 <= limit <= _MOST_VERDICTS:
        raise UsageError(f"limit {limit!r} is not possible; give how many verdicts at most, up to {_MOST_VERDICTS:,}")
    return limit
