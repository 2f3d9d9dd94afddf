"""What a workspace can say of its runs: comparisons, trends, gates, notebooks and reports."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any, TypeAlias, cast

import pandas as pd

from ator_lib.errors import NoBaselineError, NotFoundError, UsageError
from ator_lib.model import Annotation, Run, RunVerdict
from ator_lib.workspace.annotations import AnnotationTable
from ator_lib.workspace.base import BaseWorkspace
from ator_lib.workspace.baselines import Search, found_by, search_of
from ator_lib.workspace.comparison import Comparison, compare_runs
from ator_lib.workspace.durations import seconds_of
from ator_lib.workspace.gate import AnyGates, Gate, evaluate_gates
from ator_lib.workspace.parts import Parts
from ator_lib.workspace.reporting import check_place, execute_notebook, write_report
from ator_lib.workspace.run import RunHandle
from ator_lib.workspace.side_by_side import SideBySide, compare_each
from ator_lib.workspace.trend import Trend, trend_of
from ator_lib.workspace.verdicts import judge_runs, verdict_of, verdicts_frame

AnyRun: TypeAlias = int | str | RunHandle
"""A run by its id, by the name that it is pinned under, or by a handle."""


class Analyses(BaseWorkspace[RunHandle]):
    """The questions that need results; ``Workspace`` adds where these come from."""

    def __init__(self, parts: Parts) -> None:
        super().__init__(parts.registry, parts.locations, parts.baselines, lease_s=parts.lease_s)
        self.parts = parts
        """The rooms, for those who build on them, such as the server."""
        self.annotations = AnnotationTable(parts)
        """Marks on runs: ``list``, ``remove``; ``annotate`` makes one."""

    def compare(
        self,
        contender: AnyRun | Sequence[AnyRun],
        baseline: AnyRun | Sequence[AnyRun] | Search = "previous",
        **options: Any,
    ) -> Comparison:
        """Compare runs; either side is one run or several.

        Parameters
        ----------
        baseline
            Runs, or names that they are pinned under. ``"previous"`` and ``"last-success"`` are the last earlier run
            of the same test, stream, environment and location, ``"previous:5"`` the last five; a mapping is a search
            of the history: ``{"stream": "main", "last": 5}``.
        options
            Those of ``CompareOptions``: ``minimum_effect``, ``waive``, ``mapping``, ``warm_up`` and more.

        Raises
        ------
        NoBaselineError
            No earlier run is like that, or the one that is named is gone.
        """
        runs = self._several(contender)
        return compare_runs(runs, self._baseline(baseline, runs), options)

    def side_by_side(
        self,
        runs: AnyRun | Sequence[AnyRun],
        baseline: AnyRun | Sequence[AnyRun] | Search | None = None,
        **options: Any,
    ) -> SideBySide:
        """Compare each of several runs with the same baseline, by default the first of them; as ``compare`` does."""
        chosen = self._several(runs)
        if baseline is None:
            return compare_each(chosen[1:], chosen[:1], options)
        return compare_each(chosen, self._baseline(baseline, chosen), options)

    def notebook(
        self,
        name: str | Path,
        output: Path | str | None = None,
        *,
        parameters: Mapping[str, Any] | None = None,
        report: Path | str | None = None,
    ) -> Path:
        """Execute a bundled notebook by name, or your own by path, on this workspace.

        Returns the executed notebook (``output``, by default beside the caller, named after the notebook).
        With ``report`` it is also written as one HTML file.
        """
        return execute_notebook(self.parts, name, output, parameters or {}, report)

    def report(
        self,
        subject: AnyRun | Comparison | Trend,
        path: Path | str = "report.html",
        *,
        baseline: AnyRun | Sequence[AnyRun] | Search | None = None,
    ) -> Path:
        """Write the report of a run, a comparison or a trend; a run is compared with ``baseline`` if one is given.

        The path's end says what it is: ``.html`` a page in one file, that needs no network and has pictures for viewers
        without scripts where there is a Chromium; ``.json``, ``.xml`` (JUnit), ``.md`` (Markdown). No secret of
        the environment, of attributes that are named like one, or of a URL is in any. Returns the path.

        Raises
        ------
        UsageError
            Another end, or a folder that does not exist.
        NotebookError
            The page's notebook failed; it is kept beside the page.
        """
        check_place(Path(path))
        if isinstance(subject, Comparison | Trend):
            if baseline is not None:
                raise UsageError("a comparison has its baseline, and a trend needs none: only a run's report takes one")
            return write_report(self.parts, subject, Path(path))
        against = None if baseline is None else self.compare(subject, baseline)
        return write_report(self.parts, self._one(subject), Path(path), against=against)

    def gate(
        self,
        run: AnyRun,
        gates: AnyGates = "gates.yaml",
        baseline: AnyRun | Sequence[AnyRun] | Search | None = None,
        *,
        strict: bool = False,
        allow_no_baseline: bool = False,
    ) -> Gate:
        """Say whether a run holds what a gate file asks for: its path, or what would stand in it.

        ``baseline``, as for ``compare``, goes before the file's. ``strict``: not enough evidence stops a pipeline, too;
        ``allow_no_baseline``: nothing to compare with does not.
        """
        return evaluate_gates(
            self._one(run),
            gates,
            baseline,
            parts=self.parts,
            find=self._baseline,
            compare=self.compare,
            strict=strict,
            allow_no_baseline=allow_no_baseline,
        )

    def trend(self, test: str | Sequence[str], metric: str = "p95_ms", by: str = "name", **options: Any) -> Trend:
        """Follow a metric over a test's runs that succeeded or failed: where its level changed, and what differs there.

        ``by``: a series per endpoint (``name``), one of whole runs (``total``), or one per value of a text column of
        the registry or of an attribute. ``options``: ``stream``, ``environment``, ``location``, ``since``, ``until`` as
        for ``history``; ``last``: only so many runs; ``minimum_effect``: the smallest change that counts (0.05 is 5 %).
        """
        return trend_of(self.parts, {"test": test, "metric": metric, "by": by, **options})

    def judge(self, limit: int = 20, since: str | float | timedelta = timedelta(days=7)) -> int:
        """Compare recent runs that nobody has judged yet with their baselines, and keep the verdicts; says how many.

        Runs that succeeded or failed and started within ``since`` ("7d"), the latest first. The baseline is the run
        that is pinned under the name of the test, if it began earlier, else the last success like the run.
        """
        return judge_runs(self.parts, limit=limit, since_s=seconds_of(since, "since"))

    def verdict(self, run: AnyRun, *, judge: bool = True) -> RunVerdict | None:
        """Say what a run is judged to be against its baseline, as ``judge`` does: the kept verdict, or one made now.

        Null for a run that has not ended by itself, or has no requests; with ``judge=False`` only what is kept.
        """
        return verdict_of(self.parts, self._one(run).record, judges=judge)

    def verdicts(
        self,
        *,
        limit: int = 20,
        since: Any = None,
        until: Any = None,
        test: str | Sequence[str] | None = None,
        verdict: str | Sequence[str] | None = None,
    ) -> pd.DataFrame:
        """List the verdicts of runs that were judged, the latest run first; compares nothing.

        Parameters
        ----------
        limit
            At most so many.
        since, until, test
            Which runs, as for ``history``.
        verdict
            One, or a list of them: ``"regressed"``.

        Raises
        ------
        UsageError
            There is no such verdict, or a filter is off.
        """
        where = {"since": since, "until": until, "test": test}
        return verdicts_frame(self.parts, where, verdict=verdict, limit=limit)

    def annotate(
        self, run: AnyRun, text: str, *, resets: bool = True, metric: str | None = None, name: str | None = None
    ) -> Annotation:
        """Mark a run with what is known of it, for trends; of one ``metric`` or endpoint (``name``), or all.

        With ``resets`` a new level begins there: the change is shown with the text, and not judged.
        """
        return self.annotations.add(self._one(run).run_id, text, resets=resets, metric=metric, name=name)

    # --- handles ---

    def _handle(self, run: Run, *, lease_s: float | None = None) -> RunHandle:
        return RunHandle(run, self.parts, lease_s=lease_s)

    def _baseline(
        self, baseline: AnyRun | Sequence[AnyRun] | Search, contender: Sequence[RunHandle]
    ) -> list[RunHandle]:
        search = search_of(baseline)
        if search is None:
            try:
                return self._several(cast("AnyRun | Sequence[AnyRun]", baseline))
            except NotFoundError as error:  # deleted, or never pinned
                raise NoBaselineError(str(error)) from error
        return [self._foreign(run) for run in found_by(self.parts, search, [run.record for run in contender])]

    def _one(self, run: AnyRun) -> RunHandle:
        if isinstance(run, str):
            run = self.baselines.get(run).run_id
        return run if isinstance(run, RunHandle) else self.get(run)

    def _several(self, runs: AnyRun | Sequence[AnyRun]) -> list[RunHandle]:
        if isinstance(runs, str | RunHandle) or not isinstance(runs, Iterable):  # a number may be NumPy's
            return [self._one(runs)]
        return [self._one(run) for run in runs]
