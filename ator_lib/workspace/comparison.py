"""Comparisons as users hold them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import fields
from typing import TYPE_CHECKING, Any

import pandas as pd

from ator_lib.errors import UsageError
from ator_lib.workspace.shown import shown_frame

if TYPE_CHECKING:
    from plotly.graph_objects import Figure

    from ator_lib.analysis.options import CompareOptions
    from ator_lib.analysis.result import ComparisonResult, ComparisonRow
    from ator_lib.analysis.run_data import RunData
    from ator_lib.workspace.comparison_pictures import Kind
    from ator_lib.workspace.explanation import Explanation
    from ator_lib.workspace.run import RunHandle


class Comparison:
    """The answer to "did it get worse?". Shows itself in a notebook."""

    def __init__(
        self,
        result: ComparisonResult,
        *,
        contender: Sequence[RunHandle],
        baseline: Sequence[RunHandle],
        options: Mapping[str, Any],
        read: tuple[Sequence[RunData], Sequence[RunData]],
    ) -> None:
        self._result = result
        self._read = read
        self._contender = tuple(contender)
        self._baseline = tuple(baseline)
        self._given = dict(options)

    @property
    def parameters(self) -> dict[str, Any]:
        """What makes this comparison again: the ids of ``contender`` and ``baseline``, and the ``options`` given."""
        sides = {"contender": self._contender, "baseline": self._baseline}
        ids = {side: [run.run_id for run in runs] for side, runs in sides.items()}
        return {**ids, "options": dict(self._given)}

    @property
    def verdict(self) -> str:
        """``regressed``, ``improved``, ``no change``, ``not enough evidence`` or ``not comparable``."""
        return str(self._result.verdict)

    @property
    def headline(self) -> str:
        """The answer in one sentence."""
        return self._result.headline()

    @property
    def loudest(self) -> ComparisonRow | None:
        """The change that speaks loudest for the verdict; null unless that is ``regressed`` or ``improved``."""
        return self._result.loudest

    @property
    def table(self) -> pd.DataFrame:
        """A row per endpoint (and the total) and metric.

        name, method, scope, metric, baseline, contender, difference (absolute), change (relative),
        low and high (the interval), verdict (null where the metric does not judge).
        """
        from ator_lib.figures.tables import changes_html

        return shown_frame(self.to_dict()["rows"], changes_html)

    @property
    def endpoints(self) -> pd.DataFrame:
        """The verdict of every endpoint and of the total."""
        from ator_lib.figures.tables import endpoints_html

        return shown_frame(self.to_dict()["endpoints"], endpoints_html)

    @property
    def checks(self) -> pd.DataFrame:
        """Whether the runs may be compared at all: a row per check with its figures."""
        from ator_lib.figures.tables import checks_html

        return shown_frame(self.to_dict()["checks"], checks_html)

    @property
    def notes(self) -> tuple[str, ...]:
        """What the reader must know of how far the answer carries."""
        return self._result.notes

    def figure(
        self, kind: Kind = "changes", *, endpoints: Sequence[str] | None = None, most: int | None = None
    ) -> Figure:
        """Draw the comparison with plotly.

        Parameters
        ----------
        kind
            ``changes``: the changes with their intervals, a row per endpoint; ``distributions``: the latencies of both
            sides laid over each other, a panel per endpoint, those that need eyes first.
        endpoints
            The endpoints to draw, such as ``"GET /search"`` or ``"total"``.
        most
            Draw at most so many: those that need eyes first.

        Raises
        ------
        UsageError
            Another kind, or an endpoint that is not compared.
        """
        from ator_lib.workspace.comparison_pictures import draw

        return draw(self._result, self._read, kind, endpoints, most)

    def explain(self) -> Explanation:
        """Take the change of the whole run apart: what of it each endpoint, phase, status and time contributes.

        Reads the runs once more.
        """
        from ator_lib.workspace.explanation import explain_comparison

        return explain_comparison(self._contender[0]._parts, self._result, *self._read)

    def to_dict(self) -> dict[str, Any]:
        """Everything, ready for JSON."""
        return self._result.to_dict()

    def __repr__(self) -> str:
        return f"Comparison({self.headline!r})"

    def _repr_html_(self) -> str:
        from ator_lib.figures.tables import comparison_html

        return comparison_html(self.to_dict())


def compare_runs(contender: Sequence[RunHandle], baseline: Sequence[RunHandle], given: Mapping[str, Any]) -> Comparison:
    """Read what the analysis needs of every run, and compare."""
    from ator_lib.analysis.comparison import compare  # SciPy: not for those who only register
    from ator_lib.workspace.comparing import load

    options = options_of(given)
    read = load(contender, baseline, options)
    return Comparison(compare(*read, options), contender=contender, baseline=baseline, options=given, read=read)


def options_of(given: Mapping[str, Any]) -> CompareOptions:
    """Make options of what a caller gave by name.

    Raises
    ------
    UsageError
        An option that does not exist, or a value that is none.
    """
    from ator_lib.analysis.options import CompareOptions

    known = [option.name for option in fields(CompareOptions)]
    if unknown := [name for name in given if name not in known]:
        raise UsageError(f"a comparison has no option {', '.join(unknown)}: it has {', '.join(known)}")
    return CompareOptions(**given)
