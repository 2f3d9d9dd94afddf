"""The cards of a trend: what is asked, the answer, its changes and marks, and the run that somebody points at."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from ator_lib import written
from panel_app.links import compare_link, run_link
from panel_app.markup import render
from panel_app.metrics import FOLLOWED
from panel_app.trend_view import Followed, Row, TrendAnswer

if TYPE_CHECKING:
    from ator_lib import Workspace
    from panel_app.page import Visitor
    from panel_app.pages.trends import TrendsPage

RANGES = {"7 days": 7, "30 days": 30, "90 days": 90, "all": 0}

GROUPS = ("name", "total", "stream", "environment", "location", "tool", "triggered_by")
"""What series may be told apart by; attributes of the runs, too."""

PLACES = ("stream", "environment", "location")

MOST_CHANGES = 100
MOST_VALUES = 20
MOST_SERIES = 1000


def form_html(page: TrendsPage, workspace: Workspace) -> str:
    """Show what is asked, and offer what there is."""
    of_test = {"test": page.test}
    offered = {name: workspace.values(name, **of_test) for name in PLACES}
    own = ("test", "metric", "by", *PLACES, "days", "since", "until", "last", "minimum_effect")
    return render(
        "trend_form.html",
        asked=page,
        defaults={name: page.param[name].default for name in ("metric", "by")},
        metrics=FOLLOWED,
        groups=GROUPS,
        tests=workspace.values("test"),
        offered=offered,
        ranges=RANGES,
        chosen_days=None if page.since or page.until else page.days,
        kept=page.kept(*own),
        link=page.link,
    )


def heading_html(page: TrendsPage, answer: TrendAnswer) -> str:
    """Head the chart with the answer, and the choice of series."""
    found = answer.found
    changed = {change["series"] for change in found.changes}
    return render(
        "trend_heading.html",
        metric=FOLLOWED[page.metric],
        verdict=found.trend.verdict,
        headline=written.sentence(found.trend.headline),
        runs=found.table["run_id"].nunique(),
        labels=found.labels[:MOST_SERIES],
        changed=changed,
        chosen=answer.series,
        kept=page.kept("series"),
        kept_beside_point=page.kept("point"),
        point=page.point,
        link=page.link,
    )


def changes_html(found: Followed, metric: str, series: Sequence[str], link: Callable[..., str]) -> str:
    """Show where levels changed, the latest first, of the series that are drawn."""
    changes = [change for change in found.changes if not series or change["series"] in series]
    return render(
        "trend_changes.html",
        changes=[_written(change, metric) for change in changes[:MOST_CHANGES]],
        hidden=len(changes) - MOST_CHANGES,
        link=link,
        run_link=run_link,
        compare_link=compare_link,
    )


def _written(change: Row, metric: str) -> Row:
    unit = "points" if metric == "error_rate" else "%"
    size = change["after"] - change["before"] if metric == "error_rate" else change["change"]
    return change | {
        "levels": " → ".join(written.measured(metric, change[side]) for side in ("before", "after")),
        "size": written.change(size, unit=unit),
        "interval": written.interval(change["low"], change["high"]),
    }


def marks_html(marks: Sequence[Row], visitor: Visitor) -> str:
    """Show what people said of these runs; who may change something can take it away."""
    labels = FOLLOWED
    return render("trend_marks.html", marks=marks, metrics=labels, may_run=visitor.may_run, run_link=run_link)


def point_html(page: TrendsPage, answer: TrendAnswer) -> str:
    """Show the run that somebody points at; who may change something can mark it."""
    point: Any = answer.point
    return render(
        "trend_point.html",
        run=point.run,
        metric=page.metric,
        label=FOLLOWED[page.metric],
        values=[row | {"text": written.measured(page.metric, row["value"])} for row in point.values[:MOST_VALUES]],
        hidden=len(point.values) - MOST_VALUES,
        changes=[_written(change, page.metric) for change in point.changes],
        previous_run_id=point.previous_run_id,
        names=answer.found.labels[:MOST_SERIES] if page.by == "name" else [],
        may_run=page.visitor.may_run,
        link=page.link,
        run_link=run_link,
        compare_link=compare_link,
    )
