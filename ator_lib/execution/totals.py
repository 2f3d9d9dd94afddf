"""What staged results say in sum."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ator_lib.execution.outcome import Totals
from ator_lib.results.base import StagedResults


def totals_of(staged: StagedResults) -> Totals | None:
    """Sum up the requests of staged results for their judgement; ``None`` when they hold nothing of requests."""
    total = next((row for row in staged.summaries.to_pylist() if row["scope"] == "total"), None)
    if total is None:
        return None
    errors = staged.errors.to_pylist()
    unanswered = sum(row["requests"] for row in errors if row["status_code"] is None)
    return Totals(
        requests=total["requests"],
        failures=total["failures"],
        answered=total["requests"] - unanswered,
        commonest_error=_words(errors[0]) if errors else None,
    )


def _words(error: Mapping[str, Any]) -> str | None:
    """Give the words of a failure, or at least its status."""
    status = None if error["status_code"] is None else f"status {error['status_code']}"
    return error["error"] or status
