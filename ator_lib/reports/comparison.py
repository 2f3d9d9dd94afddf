"""What the report of a comparison says."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from ator_lib.analysis.metrics import metric_label
from ator_lib.analysis.verdicts import Verdict
from ator_lib.figures.rows import label_of
from ator_lib.figures.tables import CHECK_COLUMNS, change_columns, judged_change
from ator_lib.reports.content import MOST_ROWS, Content, Record, Section, section
from ator_lib.reports.facts import ReportFacts
from ator_lib.reports.junit import JUnitCase
from ator_lib.written import MISSING

_OUTCOMES = {
    Verdict.REGRESSED: "failed",
    Verdict.NOT_COMPARABLE: "error",
    Verdict.NOT_ENOUGH_EVIDENCE: "skipped",
}
"""What CI systems know; all else has passed."""
_CLEAR = (Verdict.REGRESSED, Verdict.IMPROVED)


def comparison_content(answer: Record, about: ReportFacts) -> Content:
    """Say what ``Comparison.to_dict()`` says."""
    return Content(
        about=about,
        document={"comparison": answer},
        sections=comparison_sections(answer),
        notes=comparison_notes(answer),
        cases=comparison_cases(answer),
    )


def comparison_sections(answer: Record) -> list[Section]:
    """Give the figures of the whole run, what changed of the endpoints, and the checks that say no."""
    rows = [row for row in answer["rows"] if row["scope"] != "name" or row["verdict"] in _CLEAR]
    shown = sorted(rows, key=lambda row: row["scope"] == "name")[:MOST_ROWS]
    failed = [check for check in answer["checks"] if check["ok"] is False]
    sections = [section("Changes", change_columns(shown), shown)]
    return sections + ([section("Checks that say no", CHECK_COLUMNS, failed)] if failed else [])


def comparison_notes(answer: Record) -> list[str]:
    """Say how many endpoints there are of each verdict, and how far all of it carries."""
    verdicts = Counter(endpoint["verdict"] for endpoint in answer["endpoints"] if endpoint["scope"] == "name")
    counts = ", ".join(f"{count} {verdict}" for verdict, count in verdicts.most_common())
    return ([f"Endpoints: {counts}."] if counts else []) + list(answer["notes"])


def comparison_cases(answer: Record) -> list[JUnitCase]:
    """Give a case per endpoint and one for the whole run; and one per check, a failed one being an error."""
    endpoints = [_case(endpoint, answer["rows"]) for endpoint in answer["endpoints"]]
    return endpoints + [_check_case(check) for check in answer["checks"]]


def _case(endpoint: Record, rows: Sequence[Record]) -> JUnitCase:
    verdict = str(endpoint["verdict"])
    of_it = [row for row in rows if all(row[name] == endpoint[name] for name in ("scope", "name", "method"))]
    written = section("", change_columns(of_it)[1:], of_it)
    pairs = [zip(written.columns, row, strict=True) for row in written.rows]
    details = [", ".join(f"{name}: {cell}" for name, cell in row if cell != MISSING) for row in pairs]
    loud = [f"{metric_label(row['metric'])} {judged_change(row)}" for row in of_it if row["verdict"] == verdict]
    return JUnitCase(
        name=label_of(endpoint),
        classname="comparison",
        outcome=_OUTCOMES.get(endpoint["verdict"], "passed"),
        message=f"{verdict}: {', '.join(loud)}" if endpoint["verdict"] in _CLEAR else verdict,
        details="\n".join(details),
    )


def _check_case(check: Record) -> JUnitCase:
    stops = check["ok"] is False and check["blocking"] and not check["waived"]
    unknown = "unknown" if check["ok"] is None else ""
    return JUnitCase(
        name=str(check["name"]),
        classname="check",
        outcome="error" if stops else "skipped" if unknown else "passed",
        message=str(check["message"]) or unknown,
    )
