"""The figures of a run: what each is drawn from, and what to say where there is nothing to draw."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import pyarrow as pa
import pyarrow.compute as pc

from ator_lib.analysis.run_data import TOTAL, Endpoint
from ator_lib.errors import UsageError
from ator_lib.figures.distribution import distribution_figure
from ator_lib.figures.endpoints import endpoints_figure, latency_figure
from ator_lib.figures.errors import errors_figure
from ator_lib.figures.heatmap import heatmap_figure
from ator_lib.figures.timeline import timeline_figure
from ator_lib.results import index
from ator_lib.workspace.part import RunPart

if TYPE_CHECKING:
    from plotly.graph_objects import Figure

Kind = Literal["timeline", "heatmap", "endpoints", "latency", "distribution", "errors"]

_OF_THE_WHOLE = ("distribution", "errors")
"""Kinds that are drawn from what is kept of the whole run."""


@dataclass(frozen=True, kw_only=True)
class Pictures:
    """Draws a part of a run; ``interval_s`` null is one that can be read, ``endpoints`` null is the total."""

    part: RunPart
    title: str
    interval_s: float | None = None
    endpoints: Sequence[str] | None = None

    def draw(self, kind: Kind) -> Figure:
        """Draw one kind of figure."""
        drawings = {
            "timeline": self._timeline,
            "heatmap": self._heatmap,
            "endpoints": lambda: endpoints_figure(self.part.summaries(), title=f"{self.title}: latency by endpoint"),
            "latency": lambda: latency_figure(self.part.summaries(), title=f"{self.title}: latency by percentile"),
            "distribution": self._distribution,
            "errors": self._errors,
        }
        if kind not in drawings:
            raise UsageError(f"no figure {kind!r}: there are {', '.join(drawings)}")
        if kind in _OF_THE_WHOLE and not self.part.is_whole:
            raise UsageError(f"the figure {kind!r} is of the whole run: leave since and until out")
        if kind != "distribution" and self.endpoints is not None:
            raise UsageError(f"the figure {kind!r} shows what it shows of all endpoints: leave endpoints out")
        figure = drawings[kind]()
        return figure if figure.data else figure.update_annotations(text=self._instead(kind))

    def _timeline(self) -> Figure:
        rows = self._rows(total_only=True)
        return timeline_figure(rows, window=self.part.window, title=self.title, whole=self.interval_s is not None)

    def _heatmap(self) -> Figure:
        title = f"{self.title}: p95 by endpoint over time"
        return heatmap_figure(self._rows(), title=title, whole=self.interval_s is not None)

    def _distribution(self) -> Figure:
        summaries, part = self.part.summaries(), self.part
        found = part.parts.store.distributions(part.ingest_id)
        title = f"{self.title}: latency distribution"
        return distribution_figure(found, summaries, self._chosen(summaries), title=title)

    def _chosen(self, summaries: pa.Table) -> list[Endpoint]:
        if not self.endpoints:
            return [TOTAL]
        wanted = [self.endpoints] if isinstance(self.endpoints, str) else self.endpoints
        names = zip(summaries["name"].to_pylist(), summaries["method"].to_pylist(), strict=True)
        known = {endpoint.label: endpoint for endpoint in (Endpoint.named(*name) for name in names)}
        if unknown := [str(label) for label in wanted if label not in known]:
            raise UsageError(f"the run has no endpoint {', '.join(unknown)}: there are {', '.join(known)}")
        return [known[label] for label in wanted]

    def _errors(self) -> Figure:
        found = self.part.parts.store.errors(self.part.ingest_id)
        return errors_figure(found, title=f"{self.title}: failed requests")

    def _rows(self, *, total_only: bool = False) -> pa.Table:
        return self.part.timeline(self.interval_s or self.part.readable_s(), total_only=total_only)

    def _instead(self, kind: Kind) -> str:
        """Say what there is instead of what was asked for."""
        totals = index.summaries(self.part.parts.engine, [self.part.run_id]).filter(pc.field("scope") == "total")
        requests, failures = (pc.sum(totals[column]).as_py() or 0 for column in ("requests", "failures"))
        if not requests:
            return self._beside()
        if not self.part.is_whole:
            return "no requests in this part of the run"
        if kind == "errors":
            told = f"{failures:,} of {requests:,} requests failed,<br>but the source does not say how"
            return told if failures else f"none of {requests:,} requests failed"
        if kind in ("timeline", "heatmap"):
            of_what = " of endpoints" if kind == "heatmap" else ""
            return f"the source has no timeline{of_what}:<br>see run.summary()"
        what = "distribution" if kind == "distribution" else "percentiles"
        return f"the source has no {what}:<br>see run.summary()"

    def _beside(self) -> str:
        part = self.part
        cases = index.cases(part.parts.engine, [part.run_id]).num_rows
        measured = part.parts.store.metrics(part.ingest_id).num_rows
        found = [f"{cases:,} test cases: see run.cases()"] if cases else []
        found += [f"{measured:,} measurements: see run.metrics()"] if measured else []
        return "<br>".join(["no requests" + (", but" if found else ""), *found])
