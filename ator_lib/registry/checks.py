"""What callers may say, and the words for what they may not."""

from __future__ import annotations

import json
import operator
from collections.abc import Mapping
from typing import Any

from ator_lib.errors import AtorError, ConflictError, LeaseLostError, NotFoundError, UsageError
from ator_lib.model import Run, RunStatus

OUTCOMES = (RunStatus.SUCCESS, RunStatus.FAILURE, RunStatus.CANCELLED)
"""The statuses that a caller may complete a run with."""

_MOST_RUN_ID = 2**31 - 1
"""What the column can hold: a number outside is no run, and not a driver's error."""

_LONGEST_LEASE_S = 366 * 24 * 3600


def checked_id(run_id: int) -> int:
    """Return the id as a plain number, whatever kind of whole number it is (NumPy's, from a DataFrame).

    Raises
    ------
    NotFoundError
        No run could have it.
    UsageError
        It is no whole number.
    """
    try:
        number = operator.index(run_id)
    except TypeError:
        raise UsageError(f"a run id is a whole number, not {run_id!r}") from None
    if abs(number) > _MOST_RUN_ID:
        raise not_found(number)
    return number


def checked_lease(lease_s: float) -> float:
    """Return a lease in seconds.

    Raises
    ------
    UsageError
        It is not above 0, or longer than a year.
    """
    if not 0 < lease_s <= _LONGEST_LEASE_S:
        raise UsageError(f"a lease of {lease_s} s is not possible; give seconds above 0 and up to a year")
    return float(lease_s)


def checked_status(status: RunStatus | str, words: tuple[RunStatus, ...] = tuple(RunStatus)) -> RunStatus:
    """Return the status of that name.

    Raises
    ------
    UsageError
        It is not one of ``words``, which the message lists.
    """
    if status not in words:
        raise UsageError(f"unknown status {str(status)!r}; give one of {', '.join(words)}")
    return RunStatus(status)


def checked_attributes(attributes: Mapping[str, Any]) -> dict[str, Any]:
    """Return attributes as they will be read back: JSON has lists for tuples and text for keys.

    Raises
    ------
    UsageError
        They are no JSON.
    """
    try:
        kept: dict[str, Any] = json.loads(json.dumps(dict(attributes), allow_nan=False))
    except (TypeError, ValueError, RecursionError) as error:
        raise UsageError(f"the attributes cannot be kept: {error}; give values that JSON has") from None
    return kept


def not_found(run_id: int) -> NotFoundError:
    """Say that there is no such run."""
    return NotFoundError(f"there is no run {run_id}; the history lists the run ids")


def why_not_completed(run: Run, lease_id: str | None) -> AtorError:
    """Say why a run was not completed by a caller that showed this lease."""
    if lease_id is not None:
        return lease_lost(run)
    if run.status.is_final:
        return ConflictError(f"run {run.run_id} ended as {run.status} already; a final status never changes")
    if run.status is RunStatus.QUEUED:
        return ConflictError(f"run {run.run_id} is queued and has not started; cancel it")
    return ConflictError(f"run {run.run_id} is being executed; cancel it, and its executor completes it")


def lease_lost(run: Run) -> LeaseLostError:
    """Say that the lease that was shown does not hold."""
    state = f"it ended as {run.status}" if run.status.is_final else "the lease is over or not the run's"
    return LeaseLostError(f"the lease shown for run {run.run_id} does not hold: {state}. Its tool must be stopped.")
