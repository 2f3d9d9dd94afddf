"""Comparisons as users hold them."""

from __future__ import annotations

import html
from collections.abc import Mapping, Sequence
from dataclasses import fields
from typing import TYPE_CHECKING, Any

import pandas as pd

from ator_lib.errors import UsageError

if TYPE_CHECKING:
    from plotly.graph_objects import Figure

    from ator_lib.analysis.options import CompareOptions
    from ator_lib.analysis.result import ComparisonResult
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
    ) -> None:
        self._result = result
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
    def table(self) -> pd.DataFrame:
        """A row per endpoint (and the total) and metric.

        name, method, scope, metric, baseline, contender, difference (absolute), change (relative),
        low and high (the interval), verdict (null where the metric does not judge).
        """
        return pd.DataFrame(self.to_dict()["rows"])

    @property
    def endpoints(self) -> pd.DataFrame:
        """The verdict of every endpoint and of the total."""
        return pd.DataFrame(self.to_dict()["endpoints"])

    @property
    def checks(self) -> pd.DataFrame:
        """Whether the runs may be compared at all: a row per check with its figures."""
        return pd.DataFrame(self.to_dict()["checks"])

    @property
    def notes(self) -> tuple[str, ...]:
        """What the reader must know of how far the answer carries."""
        return self._result.notes

    def figure(self) -> Figure:
        """Draw the changes with their intervals, a row per endpoint and metric."""
        from ator_lib.figures.comparison import comparison_figure

        return comparison_figure(self._result)

    def to_dict(self) -> dict[str, Any]:
        """Everything, ready for JSON."""
        return self._result.to_dict()

    def __repr__(self) -> str:
        return f"Comparison({self.headline!r})"

    def _repr_html_(self) -> str:
        notes = "".join(f"<li>{html.escape(note)}</li>" for note in self.notes)
        table = self.table.to_html(index=False, float_format="{:.3f}".format, na_rep="")
        return f"<p><b>{html.escape(self.headline)}</b></p>{table}<ul>{notes}</ul>"


def compare_runs(contender: Sequence[RunHandle], baseline: Sequence[RunHandle], given: Mapping[str, Any]) -> Comparison:
    """Read what the analysis needs of every run, and compare."""
    from ator_lib.analysis.comparison import compare  # SciPy: not for those who only register
    from ator_lib.workspace.comparing import load

    options = options_of(given)
    result = compare(*load(contender, baseline, options), options)
    return Comparison(result, contender=contender, baseline=baseline, options=given)


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
