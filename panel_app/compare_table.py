"""The tables of comparisons: a row per endpoint, with all metrics or one, or with a column per run."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from ator_lib import written
from panel_app.compare_view import Compared, EachCompared, Row
from panel_app.markup import render
from panel_app.metrics import COMPARED
from panel_app.sorting import Column, headings, ordered

VERDICTS = ("regressed", "improved", "not enough evidence", "no change", "not comparable")
"""What a comparison may say, and the order in which it is read: what needs eyes first."""

SIGNS: Mapping[str | None, str] = MappingProxyType({"regressed": "◆", "improved": "■"})
"""As in the figures: who cannot tell the colours can tell the shapes."""

MOST_ROWS = 500

_ENDPOINT = (Column(key="name", heading="Endpoint"), Column(key="verdict", heading="Verdict", kind="fixed"))
ALL_METRICS = (*_ENDPOINT, *(Column(key=key, heading=label, kind="n") for key, label in COMPARED.items()))
ONE_METRIC = (
    *_ENDPOINT,
    Column(key="baseline", heading="Baseline", kind="n"),
    Column(key="contender", heading="Contender", kind="n"),
    Column(key="effect", heading="Change", kind="n"),
    Column(key="interval", heading="Interval, 95 %", kind="n", is_sortable=False),
    Column(key="reason", heading="Why no clearer verdict", is_sortable=False),
)

ORDERS = [
    sign + column.key
    for column in dict.fromkeys((*ALL_METRICS, *ONE_METRIC))
    if column.is_sortable
    for sign in ("", "-")
]

_SCOPES = ("total", "common", "name")
_TITLES = {"total": "All requests", "common": "Common to all endpoints"}


@dataclass(frozen=True, kw_only=True)
class Filters:
    """What of a table is shown, and in which order; empty is all, and ``search`` is a part of an endpoint's label."""

    metric: str = ""
    verdict: str = ""
    search: str = ""
    order: str = "verdict"

    def has(self, row: Row) -> bool:
        """Whether a row is shown."""
        return self.verdict in ("", row["verdict"]) and self.search.casefold() in row["name"].casefold()


def endpoints_html(found: Compared, filters: Filters, link: Callable[..., str], **form: Any) -> str:
    """Show a comparison's verdicts: of all metrics, a change a cell, or of one with its figures."""
    rows = _of_metric(found, filters.metric) if filters.metric else _of_all(found)
    columns = ONE_METRIC if filters.metric else ALL_METRICS
    order = filters.order if filters.order.removeprefix("-") in {column.key for column in columns} else "verdict"
    return _table("compare_table.html", rows, filters, order, headings=headings(columns, order), link=link, **form)


def each_html(found: EachCompared, runs: Sequence[int], filters: Filters, link: Callable[..., str], **form: Any) -> str:
    """Show the changes of one metric: a row per endpoint, a column per run."""
    cells: dict[tuple[str, str], dict[int, Row]] = {}
    for row in found.rows:
        if row["metric"] == filters.metric:
            cells.setdefault((row["scope"], label_of(row)), {})[row["run_id"]] = cell_of(row)
    rows = [
        {"name": name, "scope": scope, "cells": changes, "verdict": _worst(changes.values())}
        for (scope, name), changes in cells.items()
    ]
    said = found.side_by_side.verdicts
    answers = {"runs": [run_id for run_id in runs if run_id in said], "said": said}
    headlines = found.side_by_side.headlines
    return _table("compare_each.html", rows, filters, "verdict", **answers, headlines=headlines, link=link, **form)


def _table(template: str, rows: Sequence[Row], filters: Filters, order: str, **values: Any) -> str:
    shown = _ordered([row for row in rows if filters.has(row)], order)
    return render(
        template,
        rows=shown[:MOST_ROWS],
        hidden=len(shown) - MOST_ROWS,
        all=len(rows),
        filters=filters,
        metrics=COMPARED,
        verdicts=VERDICTS,
        signs=SIGNS,
        **values,
    )


def label_of(row: Row) -> str:
    """Name an endpoint with its method, or what stands for all of them."""
    return _TITLES.get(row["scope"]) or " ".join(filter(None, (row["method"], row["name"])))


def cell_of(row: Row) -> Row:
    """Make of a row what a cell shows: the change, the verdict, and the figures for whoever points at it."""
    metric = row["metric"]
    unit = "points" if row["interval_of"] == "difference" else "%"
    sides = " → ".join(written.measured(metric, row[side]) for side in ("baseline", "contender"))
    bounds = written.interval(row["low"], row["high"])
    told = [str(row["verdict"] or "shown, not judged"), sides]
    told += [f"interval {bounds} {unit}"] if bounds != written.MISSING else []
    told += [row["reason"]] if row["reason"] else []
    return {
        "text": written.change(row["effect"], unit=unit),
        "effect": row["effect"],
        "verdict": row["verdict"],
        "told": "; ".join(told),
    }


def _of_all(found: Compared) -> list[Row]:
    changes: dict[tuple[str, str], dict[str, Row]] = {}
    for row in found.rows:
        changes.setdefault((row["scope"], label_of(row)), {})[row["metric"]] = cell_of(row)
    rows = []
    for one in found.endpoints:
        cells = changes[one["scope"], label_of(one)]
        effects = {metric: cells[metric]["effect"] if metric in cells else None for metric in COMPARED}
        rows.append(
            {"name": label_of(one), "scope": one["scope"], "verdict": one["verdict"], "cells": cells, **effects}
        )
    return rows


def _of_metric(found: Compared, metric: str) -> list[Row]:
    return [
        {
            **{key: row[key] for key in ("scope", "verdict", "baseline", "contender", "effect")},
            "name": label_of(row),
            "cells": {
                "baseline": _fact(written.measured(metric, row["baseline"])),
                "contender": _fact(written.measured(metric, row["contender"])),
                "effect": cell_of(row),
                "interval": _fact(written.interval(row["low"], row["high"])),
                "reason": _fact(row["reason"] or ""),
            },
        }
        for row in found.rows
        if row["metric"] == metric
    ]


def _fact(text: str) -> Row:
    """Make a cell that nobody judges."""
    return {"text": text, "verdict": None, "told": ""}


def _worst(cells: Iterable[Row]) -> str | None:
    said = {cell["verdict"] for cell in cells}
    return next((verdict for verdict in VERDICTS if verdict in said), None)


def _ordered(rows: Sequence[Row], order: str) -> list[Row]:
    """Put the whole run first, whatever the order, then what the endpoints have in common."""
    ranked = [row | {"rank": _rank(row["verdict"])} for row in sorted(rows, key=lambda row: str(row["name"]))]
    found = ordered(ranked, order.replace("verdict", "rank"))
    return sorted(found, key=lambda row: _SCOPES.index(row["scope"]))


def _rank(verdict: str | None) -> int:
    return VERDICTS.index(verdict) if verdict in VERDICTS else len(VERDICTS)
