"""The figures of a run: what each is drawn from, and what to say where there is nothing to draw."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import pyarrow as pa
import pyarrow.compute as pc

from ator_lib.errors import UsageError
from ator_lib.figures.endpoints import endpoints_figure, latency_figure
from ator_lib.figures.errors import errors_figure
from ator_lib.figures.heatmap import heatmap_figure
from ator_lib.figures.intervals import readable_s
from ator_lib.figures.timeline import timeline_figure
from ator_lib.results import index
from ator_lib.results.staging import STORED_INTERVAL_S
from ator_lib.workspace.parts import Parts

if TYPE_CHECKING:
    from plotly.graph_objects import Figure

Kind = Literal["timeline", "heatmap", "endpoints", "latency", "errors"]


@dataclass(frozen=True, kw_only=True)
class Pictures:
    """Draws one run; ``interval_s`` null is one that can be read."""

    parts: Parts
    run_id: int
    ingest_id: str
    title: str
    interval_s: float | None = None

    def draw(self, kind: Kind) -> Figure:
        """Draw one kind of figure."""
        drawings = {
            "timeline": self._timeline,
            "heatmap": self._heatmap,
            "endpoints": lambda: endpoints_figure(self._summaries(), title=f"{self.title}: latency by endpoint"),
            "latency": lambda: latency_figure(self._summaries(), title=f"{self.title}: latency by percentile"),
            "errors": self._errors,
        }
        if kind not in drawings:
            raise UsageError(f"no figure {kind!r}: there are {', '.join(drawings)}")
        figure = drawings[kind]()
        return figure if figure.data else figure.update_annotations(text=self._instead(kind))

    def _timeline(self) -> Figure:
        window = index.window_of(self.parts.engine, self.run_id)
        return timeline_figure(self._rows(), window=window, title=self.title, whole=self.interval_s is not None)

    def _heatmap(self) -> Figure:
        title = f"{self.title}: p95 by endpoint over time"
        return heatmap_figure(self._rows(), title=title, whole=self.interval_s is not None)

    def _errors(self) -> Figure:
        return errors_figure(self.parts.store.errors(self.ingest_id), title=f"{self.title}: failed requests")

    def _rows(self) -> pa.Table:
        return self.parts.store.timeline(self.ingest_id, self.interval_s or self._readable_s())

    def _readable_s(self) -> float:
        """Only samples can be cut anew; without them, the figure merges the intervals that there are."""
        window = index.window_of(self.parts.engine, self.run_id)
        report = index.report_of(self.parts.engine, self.run_id)
        is_taken = report is not None and "timeline" in report.taken
        if window is None or is_taken or index.samples_purged_at(self.parts.engine, self.run_id):
            return STORED_INTERVAL_S
        return readable_s((window[1] - window[0]).total_seconds())

    def _summaries(self) -> pa.Table:
        return index.summaries(self.parts.engine, [self.run_id])

    def _instead(self, kind: Kind) -> str:
        """Say what there is instead of what was asked for."""
        totals = self._summaries().filter(pc.field("scope") == "total")
        requests, failures = (pc.sum(totals[column]).as_py() or 0 for column in ("requests", "failures"))
        if not requests:
            return self._beside()
        if kind == "errors":
            told = f"{failures:,} of {requests:,} requests failed,<br>but the source does not say how"
            return told if failures else f"none of {requests:,} requests failed"
        if kind in ("timeline", "heatmap"):
            of_what = " of endpoints" if kind == "heatmap" else ""
            return f"the source has no timeline{of_what}:<br>see run.summary()"
        return "the source has no percentiles:<br>see run.summary()"

    def _beside(self) -> str:
        cases = index.cases(self.parts.engine, [self.run_id]).num_rows
        measured = self.parts.store.metrics(self.ingest_id).num_rows
        found = [f"{cases:,} test cases: see run.cases()"] if cases else []
        found += [f"{measured:,} measurements: see run.metrics()"] if measured else []
        return "<br>".join(["no requests" + (", but" if found else ""), *found])
