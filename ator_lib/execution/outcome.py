"""How a run ended, decided from facts: a pure function."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from ator_lib.model import RunOutcome, RunStatus, StatusReason
from ator_lib.written import count, percent


@dataclass(frozen=True, kw_only=True)
class Totals:
    """What the results of a run say in sum.

    ``answered`` counts requests that got any HTTP status; ``commonest_error`` is null without failures, and where
    nobody says why.
    """

    requests: int
    failures: int
    answered: int
    commonest_error: str | None = None


def judge(
    *,
    stopped: bool,
    tool_failure: RunOutcome | None,
    totals: Totals | None,
    ingest_error: str | None,
    max_error_rate: float,
    host: str | None,
) -> RunOutcome:
    """Decide the final status of a load run.

    The first that applies: stopped by somebody, the tool failed, results could not be kept,
    no requests, no answers, too many failures, success.

    Parameters
    ----------
    totals
        Null when there are no readable results.
    max_error_rate
        Share of failed requests (0 to 1) above which the run is a failure.
    """
    if stopped:
        return RunOutcome(status=RunStatus.CANCELLED, reason=StatusReason.STOPPED_BY_USER, error=ingest_error)
    if tool_failure is not None:
        return tool_failure
    if ingest_error is not None:
        return _failure(StatusReason.INGEST_FAILED, ingest_error)
    if totals is None or totals.requests == 0:
        return _failure(
            StatusReason.NO_REQUESTS,
            "the tool ended well but made no request: give it more time, or tasks that send requests",
        )
    if totals.answered == 0 and totals.failures == totals.requests:
        return _failure(
            StatusReason.HOST_UNREACHABLE,
            f"no request got an answer from {host or 'the host'}{_told(' (', totals.commonest_error, ')')}: "
            "check the address and that the server is up",
        )
    error_rate = totals.failures / totals.requests
    if error_rate > max_error_rate:
        return _failure(
            StatusReason.REQUESTS_FAILED,
            f"{count(totals.failures)} of {count(totals.requests)} requests failed "
            f"({percent(error_rate)}, allowed {percent(max_error_rate)})"
            f"{_told('; most often: ', totals.commonest_error)}",
        )
    return RunOutcome(status=RunStatus.SUCCESS)


def _told(before: str, words: str | None, behind: str = "") -> str:
    return f"{before}{words}{behind}" if words else ""


def _failure(reason: StatusReason, error: str) -> RunOutcome:
    return RunOutcome(status=RunStatus.FAILURE, reason=reason, error=error)


def judge_cases(statuses: Mapping[str, int]) -> RunOutcome:
    """Decide how a run of functional tests ended, from the number of cases of each status."""
    bad = {status: statuses[status] for status in ("failed", "error") if statuses.get(status)}
    if not bad:
        return RunOutcome(status=RunStatus.SUCCESS)
    told = " and ".join(f"{number} {status}" for status, number in bad.items())
    return _failure(StatusReason.TESTS_FAILED, f"of {sum(statuses.values())} cases, {told}")
