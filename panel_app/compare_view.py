"""What the page of comparisons tells, asked of the workspace; answers are shared, since results never change."""

from __future__ import annotations

import time
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from ator_lib import ConflictError, NoBaselineError, NotFoundError, UsageError
from panel_app.frames import records
from panel_app.shared import shared_of

if TYPE_CHECKING:
    from plotly.graph_objects import Figure

    from ator_lib import Comparison, Explanation, SideBySide, Workspace

COMPARISONS, FIGURES = 16, 32
"""So many are kept for all sessions; a comparison holds what it has read."""

FOUND_FOR_S = 60
"""What "the run before" is found to be holds so long; runs that are named by their ids are compared once."""

OFFERED = 30
"""Runs to choose from."""

Row = dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class Asked:
    """What is compared: ``ws.compare``'s arguments, or ``ws.side_by_side``'s if ``each``.

    Parameters
    ----------
    baseline
        Ids as text, names, or a search such as ``previous:5``; none is the library's default.
    endpoints
        Whose distributions; none is as the library chooses.
    explain, measure
        Whether, and which figure of the whole run, is taken apart.
    """

    runs: tuple[int, ...]
    baseline: tuple[str, ...] = ()
    each: bool = False
    options: Mapping[str, Any] = field(default_factory=dict)
    metric: str = "p95_ms"
    endpoints: tuple[str, ...] = ()
    explain: bool = False
    measure: str = ""

    @property
    def against(self) -> Any:
        """The baseline as ``ws.compare`` takes it; null if none is given."""
        sides = [int(text) if text.isdecimal() else text for text in self.baseline]
        return (sides[0] if len(sides) == 1 else sides) if sides else None

    @property
    def key(self) -> Hashable:
        """The same for those who ask for the same."""
        is_fixed = all(text.isdecimal() for text in self.baseline) and (self.baseline or self.each)
        moment = 0 if is_fixed else int(time.monotonic() / FOUND_FOR_S)
        return self.runs, self.baseline, self.each, repr(self.options), moment


@dataclass(frozen=True, kw_only=True)
class Compared:
    """One comparison as rows for templates."""

    comparison: Comparison
    rows: list[Row]
    endpoints: list[Row]
    checks: list[Row]
    baseline: tuple[int, ...]


@dataclass(frozen=True, kw_only=True)
class EachCompared:
    """Several comparisons with the same baseline, as rows for templates."""

    side_by_side: SideBySide
    rows: list[Row]
    baseline: tuple[int, ...]


@dataclass(frozen=True, kw_only=True)
class Answer:
    """A comparison, or several beside each other; ``facts`` are of the runs."""

    asked: Asked
    found: Compared | EachCompared
    facts: Mapping[int, Row]


@dataclass(frozen=True, kw_only=True)
class Pictures:
    """What is drawn of an answer, which takes as long as to find it; distributions only of one comparison."""

    answer: Answer
    changes: Figure
    distributions: Figure | None = None


@dataclass(frozen=True, kw_only=True)
class Explained:
    """What a change is made of, for which runs are read once more."""

    answer: Answer
    explanation: Explanation
    rows: list[Row]
    moved: list[Row]
    measure: str
    figure: Figure


DRAWN = 60
"""Endpoints in the figure of changes; browsers take seconds for hundreds."""


@dataclass(frozen=True, kw_only=True)
class Choice:
    """Runs to choose from, since none is chosen, or since those that are cannot be compared (``problem``)."""

    runs: list[Row]
    tests: list[str]
    problem: str = ""


def look(workspace: Workspace, asked: Asked) -> Answer | str:
    """Compare; gives a sentence where that cannot be done."""
    try:
        found = _found(workspace, asked)
        ids = [*asked.runs, *found.baseline]
        facts = {row["run_id"]: row for row in records(workspace.history(run_id=ids, limit=len(ids)))}
        return Answer(asked=asked, found=found, facts=facts)
    except (NoBaselineError, NotFoundError, ConflictError, UsageError) as error:
        return str(error)


def draw(workspace: Workspace, answer: Answer) -> Pictures | str:
    """Draw an answer; gives a sentence where an endpoint is not compared whose distributions are wanted."""
    asked, found = answer.asked, answer.found
    if isinstance(found, EachCompared):
        changes = _drawn(workspace, asked, asked.metric, lambda: found.side_by_side.figure(asked.metric))
        return Pictures(answer=answer, changes=changes)
    try:
        return Pictures(
            answer=answer,
            changes=_drawn(workspace, asked, "changes", lambda: found.comparison.figure(most=DRAWN)),
            distributions=_distributions(workspace, asked, found.comparison),
        )
    except UsageError as error:
        return str(error)


def explain(workspace: Workspace, answer: Answer) -> Explained | None:
    """Take the change of one comparison apart, if that is asked for."""
    asked, found = answer.asked, answer.found
    if not asked.explain or not isinstance(found, Compared):
        return None
    explanation: Explanation = shared_of(workspace, "explanations", COMPARISONS).get(
        asked.key, found.comparison.explain
    )
    moved = records(explanation.moved)
    measures = [row["measure"] for row in moved]
    measure = asked.measure if asked.measure in measures else next(iter(measures), "")
    return Explained(
        answer=answer,
        explanation=explanation,
        rows=[row for row in records(explanation.table) if row["measure"] == measure],
        moved=moved,
        measure=measure,
        figure=_drawn(workspace, asked, ("contributions", measure), lambda: explanation.figure(measure or None)),
    )


def choices(workspace: Workspace, test: str, chosen: Sequence[int], problem: str = "") -> Choice:
    """Look for runs that can be compared: those that are chosen, and the latest, of a test if one is given."""
    where: dict[str, Any] = {"status": ["success", "failure"]} | ({"test": test} if test else {})
    latest = records(workspace.history(**where, limit=OFFERED, figures=True))
    known = {row["run_id"] for row in latest}
    others = [run_id for run_id in chosen if run_id not in known]
    kept = records(workspace.history(run_id=others, limit=len(others), figures=True)) if others else []
    return Choice(runs=kept + latest, tests=workspace.values("test"), problem=problem)


def _found(workspace: Workspace, asked: Asked) -> Compared | EachCompared:
    make = _each if asked.each else _whole
    found: Compared | EachCompared = shared_of(workspace, "comparisons", COMPARISONS).get(
        asked.key, lambda: make(workspace, asked)
    )
    return found


def _whole(workspace: Workspace, asked: Asked) -> Compared:
    against = {} if asked.against is None else {"baseline": asked.against}
    comparison = workspace.compare(list(asked.runs), **against, **asked.options)
    answer = comparison.to_dict()
    return Compared(
        comparison=comparison,
        rows=answer["rows"],
        endpoints=answer["endpoints"],
        checks=answer["checks"],
        baseline=tuple(comparison.parameters["baseline"]),
    )


def _each(workspace: Workspace, asked: Asked) -> EachCompared:
    each = workspace.side_by_side(list(asked.runs), asked.against, **asked.options)
    comparisons = each.to_dict()["comparisons"]
    return EachCompared(
        side_by_side=each,
        rows=[{"run_id": one["run_id"], **row} for one in comparisons for row in one["rows"]],
        baseline=tuple(run["run_id"] for run in comparisons[0]["baseline"]),
    )


def _distributions(workspace: Workspace, asked: Asked, comparison: Comparison) -> Figure:
    endpoints = list(asked.endpoints) or None
    return _drawn(
        workspace,
        asked,
        ("distributions", asked.endpoints),
        lambda: comparison.figure("distributions", endpoints=endpoints),
    )


def _drawn(workspace: Workspace, asked: Asked, what: Hashable, draw: Any) -> Figure:
    figure: Figure = shared_of(workspace, "figures of comparisons", FIGURES).get((asked.key, what), draw)
    return figure
