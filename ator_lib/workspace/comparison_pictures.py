"""The figures of a comparison."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal

from ator_lib.analysis.matching import matched
from ator_lib.analysis.result import ComparisonResult
from ator_lib.analysis.run_data import COMMON, Endpoint, RunData
from ator_lib.errors import UsageError
from ator_lib.figures.comparison import comparison_figure, ordered_endpoints
from ator_lib.figures.distributions import distributions_figure
from ator_lib.written import runs

if TYPE_CHECKING:
    from plotly.graph_objects import Figure

Kind = Literal["changes", "distributions"]


def draw(
    result: ComparisonResult,
    read: tuple[Sequence[RunData], Sequence[RunData]],
    kind: str,
    endpoints: Sequence[str] | None,
    most: int | None = None,
) -> Figure:
    """Draw one kind of figure; see ``Comparison.figure``."""
    ordered = ordered_endpoints(result)
    if kind == "changes":
        return comparison_figure(result, endpoints=_chosen(ordered, endpoints)[:most])
    if kind != "distributions":
        raise UsageError(f"no figure {kind!r}: there are changes, distributions")
    contender, baseline = read
    renamed = matched(baseline, contender, result.options)
    chosen = _chosen([endpoint for endpoint in ordered if endpoint != COMMON], endpoints)[:most]
    return distributions_figure(contender, renamed, chosen, title=_title(result))


def _chosen(ordered: Sequence[Endpoint], labels: Sequence[str] | None) -> list[Endpoint]:
    known = {endpoint.label: endpoint for endpoint in ordered}
    if labels is None:
        return list(ordered)
    if unknown := [label for label in labels if label not in known]:
        raise UsageError(f"no endpoint {', '.join(unknown)} is compared: there are {', '.join(known)}")
    return [known[label] for label in labels]


def _title(result: ComparisonResult) -> str:
    sides = (runs({run.run_id: run.label for run in side}) for side in (result.contender, result.baseline))
    return f"Latency of {' against '.join(sides)}"
