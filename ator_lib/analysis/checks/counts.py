"""Whether there are requests on both sides, of the same endpoints, and enough of them."""

from __future__ import annotations

from collections.abc import Iterator

from ator_lib.analysis.checks.check import Check, Sides, percent, run_names, totals
from ator_lib.analysis.run_data import TOTAL, RunData
from ator_lib.analysis.wording import listed
from ator_lib.model import RunStatus

MINIMUM_REQUESTS = 20
"""Per run: a median needs ten values on each side."""
_MOST_NAMED = 5


def count_checks(sides: Sides) -> Iterator[Check]:
    """Check that the runs ended and what they have figures of."""
    yield _finished(sides)
    yield _requests(sides)
    yield _failures(sides)
    yield _endpoints(sides)


def _finished(sides: Sides) -> Check:
    cut_short = [run for run in sides.runs if run.status not in (RunStatus.SUCCESS, RunStatus.FAILURE)]
    message = f"{run_names(cut_short)} did not run to the end" if cut_short else "all ran to their end"
    is_live = not all(run.status.is_final for run in sides.runs)
    return sides.check("finished", lambda run: str(run.status), ok=not cut_short, message=message, blocking=is_live)


def _requests(sides: Sides) -> Check:
    none = [run for run in sides.runs if not _count(run)]
    few = [run for run in sides.runs if _count(run) < MINIMUM_REQUESTS]
    message = "enough in every run"
    if few:
        message = f"none in {run_names(none)}" if none else f"fewer than {MINIMUM_REQUESTS} in {run_names(few)}"
    return sides.check("requests", lambda run: str(_count(run)), ok=not few, message=message, blocking=bool(none))


def _count(run: RunData) -> int:
    return int(totals(run).get("requests", 0))


def _failures(sides: Sides) -> Check:
    def told(run: RunData) -> str | None:
        rate = totals(run).get("error_rate")
        return None if rate is None else percent(rate)

    all_failed = [run for run in sides.runs if totals(run).get("error_rate") == 1]
    message = "not every request failed"
    if all_failed:
        message = f"every request of {run_names(all_failed)} failed: its latencies are those of errors"
    return sides.check("failures", told, ok=not all_failed, message=message, blocking=True)


def _endpoints(sides: Sides) -> Check:
    names = [{end for run in side for end in run.summary_rows() if end != TOTAL} for side in sides]
    common = names[0] & names[1]
    lonely = sorted(names[0] ^ names[1], key=lambda endpoint: (endpoint.label, endpoint))
    message = f"all {len(common)} are on both sides"
    if lonely:
        labels = listed((endpoint.label for endpoint in lonely), _MOST_NAMED)
        message = f"on one side only, so the totals mix other requests: {labels}"
    return Check(
        name="endpoints",
        baseline=f"{len(names[0])} endpoints",
        contender=f"{len(names[1])} endpoints",
        ok=not lonely and bool(common),
        blocking=not common,
        message=f"endpoints: {message if common else 'none is on both sides; mapping= says which are the same'}",
    )
