"""What the page of trends tells; a trend is shared between sessions until there is another run or mark."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pandas as pd
import panel as pn

from ator_lib import NotFoundError, UsageError
from panel_app.frames import records
from panel_app.shared import shared_of

if TYPE_CHECKING:
    from plotly.graph_objects import Figure

    from ator_lib import Trend, Workspace

TRENDS, FIGURES = 8, 16
"""So many are kept for all sessions."""

ENDED = ["success", "failure"]
"""The status of runs that trends are made of."""

MOST_TESTS = 100
"""Of more, the others are found by their names."""

TESTS_FOR_S = 30
"""All sessions share one list of tests, this fresh."""

JUDGED = 500
"""So many of the latest verdicts are looked through for those of tests."""

_NEVER = datetime.min.replace(tzinfo=UTC)

Row = dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class Followed:
    """A trend, its labels, and a row per run and series."""

    trend: Trend
    labels: list[str]
    table: pd.DataFrame
    changes: list[Row]
    marks: list[Row]


@dataclass(frozen=True, kw_only=True)
class Point:
    """A run that somebody points at: what is known of it, its figures by series, and the changes that begin there."""

    run: Row
    values: list[Row]
    changes: list[Row]
    previous_run_id: int | None


@dataclass(frozen=True, kw_only=True)
class TrendAnswer:
    """A trend with what is drawn of it."""

    found: Followed
    figure: Figure
    series: list[str]
    point: Point | None


@dataclass(frozen=True, kw_only=True)
class Tests:
    """Tests to choose from, each with its runs and what the latest one that was judged is; ``all`` are their names."""

    tests: list[Row]
    all: list[str]


def look(workspace: Workspace, asked: Mapping[str, Any], series: list[str], point: int) -> TrendAnswer | str:
    """Follow a metric; gives a sentence where that cannot be done."""
    try:
        key = (repr(asked), _state(workspace, asked["test"]))
        found: Followed = shared_of(workspace, "trends", TRENDS).get(key, lambda: _followed(workspace, asked))
    except (NotFoundError, UsageError) as error:
        return str(error)
    chosen = [label for label in series if label in found.labels]
    figure: Figure = shared_of(workspace, "figures of trends", FIGURES).get(
        (key, tuple(chosen)), lambda: found.trend.figure(chosen or None)
    )
    return TrendAnswer(found=found, figure=figure, series=chosen, point=_point(workspace, found, point))


def tests(workspace: Workspace) -> Tests:
    """List the tests that have runs; those that ran last come first."""
    rows: list[Row] = pn.state.as_cached(
        "tests",
        _tests,  # type: ignore[arg-type]  # wrongly annotated: it is called with the keywords
        ttl=TESTS_FOR_S,
        workspace=workspace,
    )
    return Tests(tests=rows, all=workspace.values("test"))


def _state(workspace: Workspace, test: str) -> Hashable:
    """Give what is another once a trend may be: there is a run more or less, or a mark."""
    latest = workspace.history(test=test, status=ENDED, limit=1)["run_id"].tolist()
    return workspace.count(test=test, status=ENDED), *latest, *workspace.annotations.list()["annotation_id"]


def _followed(workspace: Workspace, asked: Mapping[str, Any]) -> Followed:
    trend = workspace.trend(**asked)
    table = trend.table
    return Followed(
        trend=trend,
        labels=sorted(str(label) for label in table["series"].unique()),
        table=table,
        changes=records(trend.changes)[::-1],
        marks=records(trend.marks)[::-1],
    )


def _point(workspace: Workspace, found: Followed, run_id: int) -> Point | None:
    here = found.table[found.table["run_id"] == run_id]
    if here.empty:
        return None
    beside = found.table[found.table["series"].isin(here["series"])].drop_duplicates("run_id")
    ids = beside.sort_values(["started_at", "run_id"])["run_id"].tolist()
    place = ids.index(run_id)
    return Point(
        run=next(iter(records(workspace.history(run_id=run_id))), {"run_id": run_id}),
        values=records(here),
        changes=[change for change in found.changes if change["run_id"] == run_id],
        previous_run_id=ids[place - 1] if place else None,
    )


def _tests(workspace: Workspace) -> list[Row]:
    judged: dict[str, Row] = {}
    for verdict in records(workspace.verdicts(limit=JUDGED)):
        judged.setdefault(verdict["test"], verdict)
    rows = [_test(workspace, test, judged.get(test)) for test in workspace.values("test")[:MOST_TESTS]]
    return sorted((row for row in rows if row["runs"]), key=lambda row: row["latest"] or _NEVER, reverse=True)


def _test(workspace: Workspace, test: str, judged: Row | None) -> Row:
    where: dict[str, Any] = {"test": test, "status": ENDED}
    latest = records(workspace.history(**where, limit=1))
    return {
        "test": test,
        "runs": workspace.count(**where) if latest else 0,
        "latest": latest[0]["start_time"] if latest else None,
        "judged": judged,
    }
