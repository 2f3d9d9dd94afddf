"""How a run did at each heartbeat, as users see it: until its results take its place."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import ator_lib as ator
from ator_lib import RemoteRun, RunHandle, Workspace
from ator_lib.errors import NotFoundError, UsageError
from ator_lib.model import EndpointProgress, Progress
from ator_lib.server.app import create_app
from ator_lib.workspace.parts import Parts
from tests.support.files import synthetic_csv
from tests.support.served import listening

COLUMNS = ["elapsed_s", "at", "users", "requests", "failures", "throughput_rps", "p95_ms", "error_rate"]


@pytest.fixture
def run(parts: Parts) -> RunHandle:
    """A run under a lease."""
    return Workspace(parts).register(test="shop", lease=60)


@pytest.fixture
def remote(parts: Parts, run: RunHandle) -> Iterator[RemoteRun]:
    """The same run behind a server."""
    with listening(create_app(Workspace(parts), {})) as url:
        yield ator.connect(url).get(run.run_id)


def beat(parts: Parts, run: RunHandle, elapsed_s: float, **figures: Any) -> None:
    endpoints = (EndpointProgress(name="/a", requests=1),)
    progress = Progress(elapsed_s=elapsed_s, endpoints=endpoints, **figures)
    parts.registry.renew(run.run_id, run.record.lease_id or "", lease_s=60, progress=progress)


@pytest.mark.parametrize("parts", ["sqlite"], indirect=True)
def test_a_table_of_points(parts: Parts, run: RunHandle, remote: RemoteRun) -> None:
    """The same here and behind a server, empty at first; later points alone for views that know the others."""
    empty = run.progress()
    assert (list(empty.columns), len(empty)) == (COLUMNS, 0)
    beat(parts, run, 2.0, requests=5, users=3, throughput_rps=2.5)
    beat(parts, run, 4.0, requests=9, failures=2)
    frame = run.progress()
    assert frame.requests.tolist() == [5, 9]
    assert frame.users.isna().tolist() == [False, True]
    assert frame.error_rate.tolist() == [0.0, 0.5]
    assert frame.dtypes.drop("at").equals(empty.dtypes.drop("at"))
    assert remote.progress().equals(frame)
    for handle in (run, remote):
        later = handle.progress(since_s=frame.elapsed_s.iloc[0])
        assert later.elapsed_s.tolist() == [4.0]
        assert later.error_rate.isna().all()  # nobody knows here how many failed before
        assert [len(trace.x) for trace in handle.progress_figure().data] == [2] * 4
        for bad in (-1, float("nan"), "soon", []):
            with pytest.raises(UsageError, match="no number of seconds"):
                handle.progress(since_s=bad)


@pytest.mark.parametrize("comes_last", ["the end", "the results", "a cancellation"])
def test_results_take_the_place_of_points(parts: Parts, tmp_path: Path, comes_last: str) -> None:
    """Once the run has ended and has them, whichever comes last; the last figures stay, without their details."""
    ws = Workspace(parts)
    run = ws.register(test="shop", lease=60)
    beat(parts, run, 2.0, requests=5)
    file = synthetic_csv(tmp_path / "samples.csv")
    if comes_last == "the results":
        run.complete("success")
        assert len(run.progress()) == 1
        ws.ingest(file, run=run)
    else:
        ws.ingest(file, run=run)
        assert len(run.progress()) == 1
        run.complete("cancelled" if comes_last == "a cancellation" else "success")
    assert run.progress().empty
    assert run.refresh().record.progress == Progress(elapsed_s=2.0, requests=5)


@pytest.mark.parametrize("parts", ["sqlite"], indirect=True)
def test_of_a_run_that_was_deleted(parts: Parts, run: RunHandle) -> None:
    """It is told."""
    run.complete("success")
    Workspace(parts).delete(run)
    with pytest.raises(NotFoundError):
        run.progress()
