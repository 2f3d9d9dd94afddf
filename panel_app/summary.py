"""The summary of a run: the total on top, then a row per request name, sorted and searched as chosen."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Any

import pandas as pd

from ator_lib import written
from panel_app.frames import records
from panel_app.markup import render
from panel_app.run_results import label_of
from panel_app.sorting import Column, headings, ordered

_DIGITS = ("throughput_rps", "mean_ms", "p50_ms", "p90_ms", "p95_ms", "p99_ms", "max_ms")

WRITE: Mapping[str, Callable[[Any], str]] = MappingProxyType(
    {
        **dict.fromkeys(("requests", "failures"), written.count),
        "error_rate": written.percent,
        **dict.fromkeys(_DIGITS, written.digits),
    }
)
"""How the figures of SUMMARIES are written."""

COLUMNS = (
    Column(key="name", heading="Request"),
    Column(key="requests", heading="Requests", kind="n"),
    Column(key="failures", heading="Failures", kind="n"),
    Column(key="error_rate", heading="Errors", kind="n"),
    Column(key="throughput_rps", heading="Requests/s", kind="n"),
    Column(key="mean_ms", heading="Mean, ms", kind="n"),
    Column(key="p50_ms", heading="p50, ms", kind="n"),
    Column(key="p90_ms", heading="p90, ms", kind="n"),
    Column(key="p95_ms", heading="p95, ms", kind="n"),
    Column(key="p99_ms", heading="p99, ms", kind="n"),
    Column(key="max_ms", heading="Max, ms", kind="n"),
)

SECONDARY = ("failures", "mean_ms", "p90_ms", "max_ms")
"""Left out where there is little room."""

ORDERS = [sign + column.key for column in COLUMNS for sign in ("", "-")]

SEARCHED_FROM = 20
"""With more rows than that there is a field to search them."""

MOST_ROWS = 50
"""Rows that are shown unless all are asked for."""

Endpoint = tuple[str | None, str | None]
"""Name and method."""


def summary_html(
    summary: pd.DataFrame,
    courses: Mapping[Endpoint, list[float | None]],
    *,
    order: str,
    find: str,
    is_all: bool,
    link: Callable[..., str],
    kept: Sequence[tuple[str, str]],
) -> str:
    """Show SUMMARIES rows in an order of ``ORDERS``: the total first, whatever it is.

    Parameters
    ----------
    courses
        The p95 over the run of each row; a row that has none shows none.
    find
        A part of the names to be shown, in any case; empty for all.
    is_all
        Show more than ``MOST_ROWS``, too.
    kept
        The state that a search carries along.
    """
    rows = records(summary)
    total = [row for row in rows if row["scope"] == "total"]
    named = ordered([row for row in rows if row["scope"] != "total"], order)
    found = [row for row in named if find.casefold() in label_of(row).casefold()]
    shown = found if is_all else found[:MOST_ROWS]
    return render(
        "summary.html",
        headings=headings(COLUMNS, order),
        rows=[_written(row, courses) for row in total + shown],
        has_courses=bool(courses),
        link=link,
        secondary=SECONDARY,
        find=find,
        is_searched=len(named) > SEARCHED_FROM,
        found=len(found),
        hidden=len(found) - len(shown),
        kept=kept,
        precision=", ".join(dict.fromkeys(row["precision"] for row in rows)),
    )


def _written(row: dict[str, Any], courses: Mapping[Endpoint, list[float | None]]) -> dict[str, Any]:
    is_total = row["scope"] == "total"
    bad = {"failures", "error_rate"} if row["failures"] else set()
    return {
        **{key: write(row[key]) for key, write in WRITE.items()},
        "name": "All requests" if is_total else label_of(row),
        "course": courses.get((row["name"], row["method"]), []),
        "is_total": is_total,
        "bad": bad,
    }
