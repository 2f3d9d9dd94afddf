"""Several runs beside each other, each compared with the same baseline."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import pandas as pd

from ator_lib.errors import UsageError
from ator_lib.workspace.comparison import options_of

if TYPE_CHECKING:
    from plotly.graph_objects import Figure

    from ator_lib.analysis.result import ComparisonResult
    from ator_lib.workspace.run import RunHandle


class SideBySide:
    """Runs of any number and any tool against one baseline. Shows itself in a notebook."""

    def __init__(self, results: Mapping[int, ComparisonResult]) -> None:
        self._results = dict(results)

    @property
    def verdicts(self) -> dict[int, str]:
        """The verdict of each run, by its id. Each comparison is judged by itself, as ``ws.compare`` does."""
        return {run_id: str(result.verdict) for run_id, result in self._results.items()}

    @property
    def table(self) -> pd.DataFrame:
        """A row per run, endpoint (and the total) and metric: ``run_id`` and the columns of a comparison's table."""
        return pd.DataFrame(
            [{"run_id": run_id, **row} for run_id, result in self._results.items() for row in result.to_dict()["rows"]]
        )

    @property
    def headlines(self) -> dict[int, str]:
        """The answer for each run in one sentence, by its id."""
        return {run_id: result.headline() for run_id, result in self._results.items()}

    def figure(self, metric: str = "p95_ms") -> Figure:
        """Draw how a metric of each run differs from the baseline, with intervals, a row per endpoint."""
        from ator_lib.figures.side_by_side import side_by_side_figure

        return side_by_side_figure(self._results, metric)

    def to_dict(self) -> dict[str, Any]:
        """Everything, ready for JSON: a list of comparisons."""
        comparisons = [{"run_id": run_id, **result.to_dict()} for run_id, result in self._results.items()]
        return {"comparisons": comparisons}

    def __repr__(self) -> str:
        return f"SideBySide({self.verdicts!r})"

    def _repr_html_(self) -> str:
        from ator_lib.figures.tables import side_by_side_html

        return side_by_side_html(self.to_dict()["comparisons"])


def compare_each(runs: Sequence[RunHandle], baseline: Sequence[RunHandle], given: Mapping[str, Any]) -> SideBySide:
    """Compare every run with the baseline; each is read once, and the same warm-up is left out of all.

    Raises
    ------
    UsageError
        There is no run but the baseline.
    """
    from ator_lib.analysis.comparison import compare
    from ator_lib.workspace.comparing import load

    if not runs:
        raise UsageError("side by side are two runs or more: name another one")
    options = options_of(given)
    loaded, against = load(runs, baseline, options)
    return SideBySide({run.run_id: compare([run], against, options) for run in loaded})
