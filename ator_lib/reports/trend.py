"""What the report of a trend says."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from ator_lib.analysis.trend.words import FEWEST_RUNS
from ator_lib.analysis.verdicts import Verdict
from ator_lib.analysis.wording import plural
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
        cases=[_case(series, changes, known) for series, known in _known(answer["rows"]).items()],
    )


def _known(rows: Sequence[Record]) -> dict[str, int]:
    """Count the figures of each series."""
    counts: Counter[str] = Counter()
    for row in rows:
        counts[row["series"]] += row["value"] is not None
    return dict(counts)


def _case(series: str, changes: Sequence[Record], known: int) -> JUnitCase:
    """Give a series as a case: it fails where its latest judged change is a regression, which then still holds."""
    mine = [change for change in changes if change["series"] == series]
    judged = [change for change in mine if change["verdict"] is not None]
    if not mine and known < FEWEST_RUNS:
        message = f"not looked at: {plural(known, 'run')}, and a change needs {FEWEST_RUNS} to be seen"
        return JUnitCase(name=str(series), classname="trend", outcome="skipped", message=message)
    latest = judged[-1] if judged else None
    none = "no change found that is judged" if mine else "no change found"
    return JUnitCase(
        name=str(series),
        classname="trend",
        outcome="failed" if latest and latest["verdict"] == Verdict.REGRESSED else "passed",
        message=f"{latest['verdict']} since run {latest['run_id']}" if latest else none,
    )
