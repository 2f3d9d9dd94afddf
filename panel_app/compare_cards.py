"""The cards of a comparison but for its table: the answer, the checks, what the change is made of."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import groupby
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from ator_lib import written
from panel_app.compare_table import label_of
from panel_app.compare_view import Answer, Compared, Explained, Row
from panel_app.links import run_link
from panel_app.markup import render

if TYPE_CHECKING:
    from plotly.graph_objects import Figure

MARKS = MappingProxyType({"blocks": "✕", "waived": "!", "warns": "!", "fine": "✓", "unknown": "?"})
"""What a check says → its sign."""

MEASURES = MappingProxyType(
    {"mean_ms": "Mean", "beyond_p95": "Requests beyond the baseline's p95", "error_rate": "Error rate"}
)
"""What an explanation takes apart."""

KINDS = MappingProxyType(
    {
        "endpoint": "By endpoint",
        "endpoint phase": "By endpoint and phase",
        "phase": "By phase of a request",
        "status": "By status",
        "time": "By time in the run",
        "shift": "Shared by all endpoints, or not",
    }
)
"""The ways to take it apart."""

MOST_PARTS = 10

Link = Callable[..., str]


def head_html(answer: Answer, link: Link, *, report: str | None, path: str) -> str:
    """Show the verdict, the sentence that says why, and the runs."""
    found, asked = answer.found, answer.asked
    verdict = headline = ""
    title = f"{len(asked.runs)} runs side by side"
    if isinstance(found, Compared):
        verdict, headline = found.comparison.verdict, found.comparison.headline
        title = f"{_named(asked.runs)} against {_named(found.baseline)}".replace("r", "R", 1)
    runs = list(asked.runs) if asked.baseline or not asked.each else list(asked.runs[1:])
    baseline = list(found.baseline)
    lasting = link(baseline=[str(run_id) for run_id in baseline], run=runs)
    return render(
        "compare.html",
        title=title,
        said=verdict,
        headline=written.sentence(written.because(headline, verdict)) if headline else "",
        runs=runs,
        baseline=baseline,
        facts=answer.facts,
        each=asked.each,
        report=report,
        lasting=path + lasting,
        link=link,
        run_link=run_link,
    )


def _named(run_ids: Sequence[int]) -> str:
    return written.runs({run_id: f"run {run_id}" for run_id in run_ids})


def checks_html(checks: Sequence[Row], waived: Sequence[str], link: Link) -> str:
    """Show the checks: those that failed open, those that passed or could not be made folded."""
    rows = [check | {"kind": _kind(check)} for check in checks]
    told = [row for row in rows if row["kind"] in ("blocks", "waived", "warns")]
    of_kind = {kind: [row for row in rows if row["kind"] == kind] for kind in MARKS}
    blocking = len(of_kind["blocks"])
    failed = "no check failed" if not told else f"{len(told)} of {len(rows)} checks failed"
    return render(
        "compare_checks.html",
        summary=f"{failed}{f', {blocking} of them so that no verdict holds' if blocking else ''}",
        told=sorted(told, key=lambda row: list(MARKS).index(row["kind"])),
        fine=of_kind["fine"],
        unknown=of_kind["unknown"],
        marks=MARKS,
        waived=list(waived),
        link=link,
    )


def _kind(check: Row) -> str:
    if check["ok"] is None:
        return "unknown"
    if check["ok"]:
        return "fine"
    return "waived" if check["waived"] else "blocks" if check["blocking"] else "warns"


def distributions_html(found: Compared, chosen: Sequence[str], link: Link, *, kept: list[tuple[str, str]]) -> str:
    """Head the distributions with a choice of endpoints."""
    labels = [
        "total" if one["scope"] == "total" else label_of(one) for one in found.endpoints if one["scope"] != "common"
    ]
    return render("compare_distributions.html", endpoints=labels, chosen=list(chosen), link=link, kept=kept)


def not_explained_html(link: Link, *, is_asked: bool) -> str:
    """Offer to take the change apart, or say that this is being done."""
    said = "Reading the runs once more …"
    return render("compare_explained.html", is_open=is_asked, headline=said, moved=[], link=link)


def contributions(explained: Explained, link: Link) -> tuple[str, Figure, str]:
    """Show what the change is made of: heading, figure and tables."""
    heading = render(
        "compare_explained.html",
        is_open=True,
        headline=written.sentence(explained.explanation.headline),
        moved=explained.moved,
        measure=explained.measure,
        measures=MEASURES,
        link=link,
    )
    return heading, explained.figure, _parts_html(explained)


def _parts_html(explained: Explained) -> str:
    """Show what contributes to the change of the measure, a table for each way to take it apart."""
    parts = []
    for kind, group in groupby(explained.rows, key=lambda row: row["kind"]):
        rows = list(group)
        shown = [_part(row, explained.measure) for row in rows[:MOST_PARTS]]
        parts.append({"kind": kind, "title": KINDS[kind], "rows": shown, "hidden": len(rows) - len(shown)})
    return render("compare_parts.html", parts=parts, notes=explained.explanation.notes)


def _part(row: Row, measure: str) -> dict[str, Any]:
    own = {side: written.measured(_as_metric(measure), row[side]) for side in ("baseline", "contender")}
    added = {key: _added(measure, row[key]) for key in ("own", "mix", "contribution")}
    return {"part": row["part"], **own, **added, "share": written.change(row["share"])}


def _as_metric(measure: str) -> str:
    return measure if measure == "mean_ms" else "error_rate"  # the others are shares of the requests, too


def _added(measure: str, value: float) -> str:
    if measure == "mean_ms":
        return f"{'+' if value > 0 else ''}{written.digits(value)} ms"
    return written.change(value, unit="points")
