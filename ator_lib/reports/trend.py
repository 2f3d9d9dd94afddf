"""What the report of a trend says."""

from __future__ import annotations

from collections.abc import Sequence

from ator_lib.analysis.verdicts import Verdict
from ator_lib.figures.trend_html import level_columns
from ator_lib.reports.content import MOST_ROWS, Content, Record, section
from ator_lib.reports.facts import ReportFacts
from ator_lib.reports.junit import JUnitCase


def trend_content(answer: Record, changes: Sequence[Record], about: ReportFacts) -> Content:
    """Say what ``Trend.to_dict()`` says; ``changes`` are the rows of ``Trend.changes``."""
    columns = level_columns(answer["parameters"]["metric"])
    latest = list(reversed(changes))[:MOST_ROWS]
    return Content(
        about=about,
        document={"trend": answer},
        sections=[section("Changes of levels, the latest first", columns, latest)] if latest else [],
        notes=answer["notes"],
        cases=[_case(series, changes) for series in dict.fromkeys(row["series"] for row in answer["rows"])],
    )


def _case(series: str, changes: Sequence[Record]) -> JUnitCase:
    """Give a series as a case: it fails where its latest judged change is a regression, which then still holds."""
    judged = [change for change in changes if change["series"] == series and change["verdict"] is not None]
    latest = judged[-1] if judged else None
    return JUnitCase(
        name=str(series),
        classname="trend",
        outcome="failed" if latest and latest["verdict"] == Verdict.REGRESSED else "passed",
        message=f"{latest['verdict']} since run {latest['run_id']}" if latest else "no change",
    )
