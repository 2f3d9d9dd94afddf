"""The final status of a load run, decided from facts."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from ator_lib.execution.outcome import Totals, judge
from ator_lib.execution.totals import totals_of
from ator_lib.model import RunOutcome, RunStatus, StatusReason
from ator_lib.results.parquet import ParquetStore
from tests.results.synthetic import failed, reading

CRASH = RunOutcome(status=RunStatus.FAILURE, reason=StatusReason.TOOL_ERROR, error="crashed")


def facts(**changed: Any) -> dict[str, Any]:
    good = {
        "stopped": False,
        "tool_failure": None,
        "totals": Totals(requests=1000, failures=10, answered=1000, commonest_error="500"),
        "ingest_error": None,
        "max_error_rate": 0.01,
        "host": "http://shop",
    }
    return {**good, **changed}


@pytest.mark.parametrize(
    ("changed", "status", "reason"),
    [
        ({}, RunStatus.SUCCESS, None),
        (
            {"totals": Totals(requests=1000, failures=11, answered=1000)},
            RunStatus.FAILURE,
            StatusReason.REQUESTS_FAILED,
        ),
        ({"totals": Totals(requests=0, failures=0, answered=0)}, RunStatus.FAILURE, StatusReason.NO_REQUESTS),
        ({"totals": None}, RunStatus.FAILURE, StatusReason.NO_REQUESTS),
        ({"totals": Totals(requests=5, failures=5, answered=0)}, RunStatus.FAILURE, StatusReason.HOST_UNREACHABLE),
        ({"totals": Totals(requests=5, failures=5, answered=5)}, RunStatus.FAILURE, StatusReason.REQUESTS_FAILED),
        ({"tool_failure": CRASH}, RunStatus.FAILURE, StatusReason.TOOL_ERROR),
        ({"ingest_error": "disk full"}, RunStatus.FAILURE, StatusReason.INGEST_FAILED),
        ({"stopped": True, "tool_failure": CRASH, "totals": None}, RunStatus.CANCELLED, StatusReason.STOPPED_BY_USER),
    ],
)
def test_first_reason_that_applies_decides(
    changed: dict[str, Any], status: RunStatus, reason: StatusReason | None
) -> None:
    """Stopped before tool failure before lost results before no requests before failed ones."""
    outcome = judge(**facts(**changed))
    assert (outcome.status, outcome.reason) == (status, reason)


def test_exactly_the_allowed_error_rate_is_a_success() -> None:
    """The limit is what may happen, not what may not."""
    assert judge(**facts(max_error_rate=0.01)).status is RunStatus.SUCCESS


@pytest.mark.parametrize(
    ("answered", "words"),
    [(0, "no request got an answer from http://shop: check"), (3, "3 of 3 requests failed (100 %, allowed 1.00 %)")],
)
def test_a_failure_without_words_is_not_worded(answered: int, words: str) -> None:
    """Not every tool says why."""
    error = judge(**facts(totals=Totals(requests=3, failures=3, answered=answered))).error or ""
    assert words in error
    assert not any(word in error for word in ("None", "most often"))


def test_a_failure_without_words_is_told_by_its_status(tmp_path: Path) -> None:
    """JMeter may be told to save the code and not the message."""
    staged = ParquetStore(tmp_path).write(
        reading([failed(status_code=503, error=None), failed(error="lost"), failed(status_code=503, error=None)])
    )
    totals = totals_of(staged)
    assert totals is not None
    assert totals.commonest_error == "status 503"


def test_unreachable_host_is_named_with_its_error() -> None:
    """A run without a single answer says where it went and what the network said."""
    totals = Totals(requests=3, failures=3, answered=0, commonest_error="ConnectionRefusedError")
    error = judge(**facts(totals=totals)).error or ""
    assert "http://shop" in error
    assert "ConnectionRefusedError" in error
