"""A workspace that notes what it is asked, for tests of what the command line passes on."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import uuid4

import pandas as pd

from ator_lib.model import Baseline, Holder, IngestReport, LocationUse, QueuePlace, Run, RunStatus
from ator_lib.workspace.frames import baselines_frame, locations_frame, queue_frame, runs_frame
from ator_lib.workspace.handle import BaseHandle
from ator_lib.workspace.tables import BaselineTable, LocationTable
from ator_lib.workspace.workspace import Workspace

Calls = list[tuple[str, tuple[Any, ...], dict[str, Any]]]

STARTED = datetime(2020, 1, 31, 12, tzinfo=UTC)


def made_up_run(run_id: int = 7, **fields: Any) -> Run:
    """Make a running run at lab-1."""
    known = {"test": "nightly", "location": "lab-1", "factor": Decimal("0.4"), "start_time": STARTED}
    return Run(id=uuid4(), run_id=run_id, **{"status": RunStatus.RUNNING, **known, **fields})


def made_up_place(run_id: int, position: int, waits_for: list[int], **fields: Any) -> QueuePlace:
    """Make a place in the queue of lab-1."""
    known = {"estimated_start": None, "estimate_note": "no history of 'nightly'"}
    return QueuePlace(
        run=made_up_run(run_id, status=RunStatus.QUEUED, start_time=None, queued_at=STARTED),
        position=position,
        waits_for=tuple(Holder(run_id=ahead, test="nightly", factor=Decimal("0.4")) for ahead in waits_for),
        **{**known, **fields},
    )


class RecordingWorkspace(Workspace):
    """Answers with the runs and places that a test gives it; ``calls`` has what it was asked to change or search."""

    def __repr__(self) -> str:
        return f"RecordingWorkspace({self.calls})"

    def __init__(self) -> None:
        self.calls: Calls = []
        self.runs = [made_up_run()]
        self.places: list[QueuePlace] = []
        self.next_cursor: str | None = None
        self.report: IngestReport | None = None
        self.locations = RecordingLocations(self.calls)
        self.baselines = RecordingBaselines(self.calls)

    def _note(self, name: str, *positional: Any, **words: Any) -> Any:
        self.calls.append((name, positional, words))
        return BaseHandle(self.runs[0], None, lease_s=30)  # type: ignore[arg-type]  # nobody asks it

    def register(self, **words: Any) -> Any:
        return self._note("register", **words)

    def ingest(self, files: Any, **words: Any) -> Any:
        handle = self._note("ingest", files, **words)
        handle.ingest_report = lambda: self.report
        return handle

    def ingest_flux(self, flux: str, **words: Any) -> Any:
        handle = self._note("ingest_flux", flux, **words)
        handle.ingest_report = lambda: self.report
        return handle

    def export_influx(self, run: Any, **words: Any) -> int:
        self._note("export_influx", run, **words)
        return 42

    def execute(self, runner: Any, **words: Any) -> Any:
        words.pop("on_started")(self.runs[0])
        handle = self._note("execute", runner, **words)
        handle.has_results = False
        return handle

    def get(self, run_id: int) -> Any:
        return BaseHandle(made_up_run(run_id, status=RunStatus.SUCCESS), None, lease_s=30)  # type: ignore[arg-type]

    def update(self, run_id: int, **words: Any) -> Any:
        return self._note("update", run_id, **words)

    def delete(self, run: Any) -> None:
        self._note("delete", run.run_id)

    def reap(self) -> pd.DataFrame:
        return runs_frame(self.runs)

    def running(self) -> pd.DataFrame:
        return runs_frame(self.runs)

    def queue(self, location: str | None = None) -> pd.DataFrame:
        self._note("queue", location)
        return queue_frame(self.places)

    def history(self, **words: Any) -> pd.DataFrame:
        self._note("history", **words)
        frame = runs_frame(self.runs)
        frame.attrs["next_cursor"] = self.next_cursor
        return frame


class RecordingLocations(LocationTable):
    """Has one location, lab-1."""

    def __init__(self, calls: Calls) -> None:
        self._calls = calls
        self._use = LocationUse(name="lab-1", capacity=Decimal(1), taken=Decimal("0.4"), holders=())

    def list(self) -> pd.DataFrame:
        return locations_frame([self._use])

    def add(self, name: str, **words: Any) -> LocationUse:
        self._calls.append(("add", (name,), words))
        return self._use

    def change(self, name: str, **words: Any) -> LocationUse:
        self._calls.append(("change", (name,), words))
        return self._use


class RecordingBaselines(BaselineTable):
    """Has one baseline, release-7."""

    def __init__(self, calls: Calls) -> None:
        self._calls = calls
        self._baseline = Baseline(name="release-7", run_id=7, pinned_at=STARTED + timedelta(days=1))

    def list(self) -> pd.DataFrame:
        return baselines_frame([self._baseline])

    def pin(self, name: str, run: Any) -> Baseline:
        self._calls.append(("pin", (name, run), {}))
        return self._baseline

    def remove(self, name: str) -> Baseline:
        self._calls.append(("remove", (name,), {}))
        return self._baseline
