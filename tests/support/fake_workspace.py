"""Made-up runs in memory behind the public surface that pages use. All numbers are synthetic."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import uuid4

import numpy as np
import pandas as pd
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from ator_lib.errors import ConflictError, NotFoundError
from ator_lib.model import (
    Holder,
    IngestReport,
    LoadProfile,
    LocationStatus,
    LocationUse,
    Progress,
    QueuePlace,
    Run,
    RunStatus,
)
from ator_lib.workspace.frames import locations_frame, queue_frame, runs_frame


class FakeWorkspace:
    """Holds records that a test adds; ``capacities`` names the locations."""

    def __init__(self, capacities: Mapping[str, str] | None = None) -> None:
        self.data = Path("synthetic-data")
        self.capacities = {name: Decimal(capacity) for name, capacity in (capacities or {}).items()}
        self.statuses: dict[str, LocationStatus] = {}
        self.starts: dict[int, datetime] = {}
        self.records: dict[int, Run] = {}
        self.results: dict[int, str] = {}
        self.logs: dict[int, str] = {}
        self.failing: Exception | None = None
        self.looks = 0
        self.locations = FakeLocations(self)

    def add(self, *, results: bool | str = False, log: str = "", **fields: Any) -> Run:
        """Add a run; it runs since two minutes ago unless told otherwise.

        ``results``: whether there are any, or which ones instead of samples: ``cases``, ``metrics``, ``summary``,
        or ``purged``.
        """
        run_id = len(self.records) + 1
        started = datetime.now(UTC) - timedelta(minutes=2)
        known = {"status": RunStatus.RUNNING, "start_time": started, "location": "lab-1", "factor": Decimal("0.4")}
        run = Run(id=uuid4(), run_id=run_id, **{**known, **fields})
        self.records[run_id] = run
        self.logs[run_id] = log
        self._keep(run_id, results)
        return run

    def change(self, run_id: int, *, results: bool | str = False, **fields: Any) -> None:
        """Change a run's record."""
        self.records[run_id] = replace(self.records[run_id], **fields)
        self._keep(run_id, results)

    def _keep(self, run_id: int, results: bool | str) -> None:
        if results:
            self.results[run_id] = "samples" if results is True else str(results)

    def get(self, run_id: int) -> FakeRun:
        self._look()
        if run_id not in self.records:
            raise NotFoundError(f"there is no run {run_id}")
        return FakeRun(self, self.records[run_id])

    def running(self) -> pd.DataFrame:
        self._look()
        return runs_frame([run for run in self._newest_first() if run.status is RunStatus.RUNNING])

    def queue(self) -> pd.DataFrame:
        return queue_frame(place for name in self.capacities for place in self._places(self.locations.use(name)))

    def _places(self, use: LocationUse) -> Iterator[QueuePlace]:
        for index, waiting in enumerate(use.waiting):
            start = self.starts.get(waiting.run_id)
            note = "by the last runs: 3 of 'checkout'" if start else f"no history of {use.holders[0].test!r}"
            yield QueuePlace(
                run=self.records[waiting.run_id],
                position=index + 1,
                waits_for=use.holders + use.waiting[:index],
                estimated_start=start,
                estimate_note=note,
            )

    def history(self, *, limit: int = 100) -> pd.DataFrame:
        return runs_frame(self._newest_first()[:limit])

    def _look(self) -> None:
        self.looks += 1
        if self.failing is not None:
            raise self.failing

    def _newest_first(self) -> list[Run]:
        return sorted(self.records.values(), key=lambda run: -run.run_id)


class FakeLocations:
    """The locations of a made-up workspace."""

    def __init__(self, workspace: FakeWorkspace) -> None:
        self._workspace = workspace

    def list(self) -> pd.DataFrame:
        return locations_frame(self.use(name) for name in self._workspace.capacities)

    def use(self, name: str) -> LocationUse:
        holders = self._those(RunStatus.RUNNING, name)
        return LocationUse(
            name=name,
            capacity=self._workspace.capacities[name],
            taken=sum((holder.factor for holder in holders), Decimal(0)),
            holders=holders,
            waiting=self._those(RunStatus.QUEUED, name),
            status=self._workspace.statuses.get(name, LocationStatus.ONLINE),
        )

    def _those(self, status: RunStatus, name: str) -> tuple[Holder, ...]:
        return tuple(
            Holder(run_id=run.run_id, test=run.test, factor=run.factor or Decimal(0))
            for run in self._workspace.records.values()
            if run.status is status and run.location == name
        )


class FakeRun:
    """A handle with made-up results, if the workspace says that the run has some."""

    def __init__(self, workspace: FakeWorkspace, record: Run) -> None:
        self.record = record
        self._workspace = workspace

    @property
    def run_id(self) -> int:
        return self.record.run_id

    @property
    def status(self) -> RunStatus:
        return self.record.status

    def summary(self) -> pd.DataFrame:
        rows = [_summary("name", "/orders/{id}", "GET", 1.0), _summary("name", "/orders", "POST", 2.2)]
        summary = pd.DataFrame([*rows, _summary("total", None, None, 1.4)])
        return summary.iloc[:0] if self._has_no_requests() else summary

    def errors(self) -> pd.DataFrame:
        row = {"name": "/orders", "method": "POST", "status_code": 503, "error": "Service Unavailable", "requests": 37}
        return pd.DataFrame([row]).iloc[: 0 if self._results() == "summary" else 1]

    def cases(self) -> pd.DataFrame:
        number = 4000 if self._results() == "cases" else 0
        statuses = ["passed", "skipped", "passed", "error", "failed"]
        return pd.DataFrame(
            {
                "suite": "suite",
                "case": [f"case {n}" for n in range(number)],
                "status": [statuses[n % 1000] if n % 1000 < 5 else "passed" for n in range(number)],
                "duration_ms": 12.5,
                "message": [None if n % 1000 in (0, 2) else f"message {n}" for n in range(number)],
                "details": None,
            }
        )

    def metrics(self) -> pd.DataFrame:
        names = ["cpu", "memory"] * 1000 if self._results() == "metrics" else []
        return pd.DataFrame({"timestamp": self.record.start_time, "metric": names, "value": 1.0})

    def ingest_report(self) -> IngestReport:
        return IngestReport(
            tool="locust",
            tool_version=None,
            precision="exact",
            rows_read=4000,
            rows_kept=4000,
            rows_rejected=0,
            truncated=False,
            started_at=None,
            ended_at=None,
            computed=(),
            taken=(self._results(),),
            notes=("times without a zone are read as UTC",),
        )

    def log(self) -> str:
        return self._workspace.logs[self.run_id]

    def figure(self, kind: str = "timeline", *, interval: str = "1s") -> go.Figure:
        if self._results() in ("cases", "metrics", "summary"):
            return go.Figure()
        if self._results() == "purged" and interval != "1s":
            raise NotFoundError(f"the samples of run {self.run_id} expired on 2026-03-04: its summary is left")
        points = max(2, int(120 / pd.Timedelta(interval).total_seconds()))
        wave = np.sin(np.linspace(0, 9, points))
        figure = make_subplots(rows=2, shared_xaxes=True, subplot_titles=("Throughput", "Latency"))
        figure.add_scatter(y=100 + 9 * wave, name="requests/s", row=1, col=1)
        figure.add_scatter(y=40 + 7 * wave, name="p95, ms", row=2, col=1)
        return figure

    def _has_no_requests(self) -> bool:
        return self._results() in ("cases", "metrics")

    def _results(self) -> str:
        if self.run_id not in self._workspace.results:
            final = self.status.is_final
            raise (NotFoundError if final else ConflictError)(f"run {self.run_id} has no results")
        return self._workspace.results[self.run_id]


def busy_workspace() -> FakeWorkspace:
    """Two running runs at one of two locations, and finished ones."""
    workspace = FakeWorkspace({"lab-1": "1", "lab-2": "2"})
    load = LoadProfile(users=50, spawn_rate=10, run_time_s=120, host="http://127.0.0.1:8000")
    ended: dict[str, Any] = {"end_time": datetime.now(UTC), "tool": "locust", "load_profile": load}
    ended["attributes"] = {"synthetic": True}
    workspace.add(
        test="checkout", stream="main", status=RunStatus.SUCCESS, results=True, log="all users spawned\n" * 300, **ended
    )
    workspace.add(
        test="search", stream="release/7", status=RunStatus.FAILURE, status_reason="requests_failed",
        error="4.1 % of the requests failed; at most 1 % may", results=True, **ended,
    )  # fmt: skip
    workspace.add(test="import", status=RunStatus.ABANDONED, status_reason="lease_expired", **ended)
    progress = Progress(elapsed_s=120.0, requests=12_480, failures=25, users=50, throughput_rps=104.2, p95_ms=83.4)
    workspace.add(test="checkout", stream="main", tool="locust", factor=Decimal("0.4"), progress=progress)
    workspace.add(test="by hand", stream="feature/a-rather-long-stream-name", factor=Decimal("0.45"))
    return workspace


def _summary(scope: str, name: str | None, method: str | None, slower: float) -> dict[str, Any]:
    latencies = {"mean_ms": 21.5, "min_ms": 2.1, "max_ms": 1431.7, "p50_ms": 18.2, "p75_ms": 26.0, "p90_ms": 41.9}
    latencies |= {"p95_ms": 63.4, "p99_ms": 180.5, "p99_9_ms": 912.0}
    counts = {
        "requests": 12_480,
        "failures": 37,
        "duration_s": 120.0,
        "throughput_rps": 104.0,
        "error_rate": 37 / 12_480,
    }
    return {
        "scope": scope,
        "name": name,
        "method": method,
        **counts,
        **{column: ms * slower for column, ms in latencies.items()},
        "precision": "exact",
    }
