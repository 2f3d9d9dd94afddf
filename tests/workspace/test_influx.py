"""Runs are exported to InfluxDB as they end, or when asked to; what happens there costs no run."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import ator_lib as ator
from ator_lib.errors import SettingsError, StoreError, UsageError
from ator_lib.execution.mirror import MIRROR_ERROR, MirrorWarning
from ator_lib.server.app import create_app
from tests.support.files import synthetic_csv
from tests.support.influx import TOKEN, InfluxServer
from tests.support.served import listening, wait_until


@pytest.fixture
def mirrored(influx_server: InfluxServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ator.Workspace:
    """A workspace whose settings say that runs go to the server as they end."""
    target = influx_server.influx
    for name, value in {"URL": target.url, "BUCKET": target.bucket, "TOKEN": target.token, "MIRROR": "1"}.items():
        monkeypatch.setenv(f"ATOR_INFLUX_{name}", value)
    return ator.connect(tmp_path / "data")


def test_ingested_runs_are_mirrored(mirrored: ator.Workspace, influx_server: InfluxServer, tmp_path: Path) -> None:
    """Summaries of both names and the total, and the timeline, under the run's id."""
    run = mirrored.ingest(synthetic_csv(tmp_path / "samples.csv"), test="t")
    summaries = [line for line in influx_server.lines if line.startswith("ator_summary")]
    assert len(summaries) == len(run.summary()) == 3
    assert len([line for line in influx_server.lines if line.startswith("ator_timeline")]) == len(run.timeline())
    assert all(f"run_id={run.run_id}," in line for line in influx_server.lines)
    assert TOKEN not in repr(mirrored.parts)


ENDS: dict[str, Callable[[ator.Workspace, Any], object]] = {
    "by the workspace": lambda workspace, run: workspace.complete(run, "success"),
    "by its handle": lambda _, run: run.complete("failure"),
    "by leaving its block": lambda _, run: run.__enter__().__exit__(None, None, None),
    "cancelled by the workspace": lambda workspace, run: workspace.cancel(run),
    "cancelled by its handle": lambda _, run: run.cancel(),
}


@pytest.mark.parametrize("end", ENDS.values(), ids=list(ENDS))
def test_a_registered_run_is_mirrored_when_it_ends(
    mirrored: ator.Workspace,
    influx_server: InfluxServer,
    tmp_path: Path,
    end: Callable[[ator.Workspace, Any], object],
) -> None:
    """Not while it runs, though it has results; then at the time of its end."""
    run = mirrored.register(test="t")
    mirrored.ingest(synthetic_csv(tmp_path / "samples.csv"), run=run)
    assert influx_server.lines == []
    end(mirrored, run)
    ended_at = mirrored.get(run).record.end_time
    assert ended_at is not None
    assert summary_times(influx_server) == {int(ended_at.timestamp() * 10**6) * 1000}


@pytest.mark.parametrize("end", ["complete", "cancel"])
def test_a_run_that_ends_at_a_server_is_mirrored_by_it(
    mirrored: ator.Workspace, influx_server: InfluxServer, tmp_path: Path, end: str
) -> None:
    """Soon after the answer, which does not wait for InfluxDB."""
    with listening(create_app(mirrored, {})) as url:
        run = ator.connect(url).register(test="t")
        run.upload(synthetic_csv(tmp_path / "samples.csv"))  # type: ignore[attr-defined]
        assert influx_server.lines == []
        run.cancel() if end == "cancel" else run.complete("success")
        wait_until(lambda: len(influx_server.lines) > 0)


def test_a_run_without_results_is_not_mirrored(mirrored: ator.Workspace, influx_server: InfluxServer) -> None:
    """That is no failure of the mirror."""
    assert mirrored.register(test="t").complete("success").record.attributes == {}
    assert influx_server.batches == 0


def test_a_run_without_times_is_not_doubled(
    mirrored: ator.Workspace, influx_server: InfluxServer, tmp_path: Path
) -> None:
    """Its points stand at the time when it was ingested, also when they are written again."""
    timeless = tmp_path / "timeless.csv"
    timeless.write_text("duration_ms,success\n1,true\n")
    run = mirrored.ingest(timeless, test="t")
    once = list(influx_server.lines)
    mirrored.export_influx(run)
    assert sorted(influx_server.lines) == sorted(once * 2)
    assert len(summary_times(influx_server)) == 1


def summary_times(server: InfluxServer) -> set[int]:
    """Give the nanoseconds of the summaries' points."""
    return {int(line.rsplit(" ", 1)[1]) for line in server.lines if line.startswith("ator_summary")}


def test_the_returned_run_says_why_it_was_not_mirrored(
    mirrored: ator.Workspace, influx_server: InfluxServer, tmp_path: Path
) -> None:
    """As of an ingested run."""
    run = mirrored.register(test="t")
    mirrored.ingest(synthetic_csv(tmp_path / "samples.csv"), run=run)
    influx_server.refused = {0}
    with pytest.warns(MirrorWarning, match="whole, and was not mirrored"):
        run.complete("success")
    assert run.status == "success"
    assert "400" in run.record.attributes[MIRROR_ERROR]


def test_a_run_that_cannot_be_mirrored_is_whole(
    mirrored: ator.Workspace, influx_server: InfluxServer, tmp_path: Path
) -> None:
    """It is a warning, the run says why, and it can be exported later."""
    influx_server.refused = {0}
    with pytest.warns(MirrorWarning, match="whole, and was not mirrored"):
        run = mirrored.ingest(synthetic_csv(tmp_path / "samples.csv"), test="t")
    assert run.status == "success"
    assert len(run.samples()) == 3
    assert "400" in run.record.attributes[MIRROR_ERROR]
    assert mirrored.export_influx(run) == len(influx_server.lines) > 0


def test_a_lost_batch_of_an_export_is_an_error(
    mirrored: ator.Workspace, influx_server: InfluxServer, tmp_path: Path
) -> None:
    """Who asked for it is told."""
    run = mirrored.ingest(synthetic_csv(tmp_path / "samples.csv"), test="t")
    influx_server.refused = {1}
    with pytest.raises(StoreError, match="is not whole"):
        mirrored.export_influx(run)


def test_where_influx_is_must_be_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """By an argument or a setting; a mirror needs the setting."""
    workspace = ator.connect(tmp_path / "data")
    run = workspace.ingest(synthetic_csv(tmp_path / "samples.csv"), test="t")
    with pytest.raises(UsageError, match="ATOR_INFLUX_URL"):
        workspace.export_influx(run)
    with pytest.raises(SettingsError, match="bucket"):
        workspace.export_influx(run, url="http://127.0.0.1:1")
    monkeypatch.setenv("ATOR_INFLUX_MIRROR", "1")
    with pytest.raises(SettingsError, match="ATOR_INFLUX_URL"):
        ator.connect(tmp_path / "data")


def test_a_query_that_is_not_answered_makes_no_run(mirrored: ator.Workspace) -> None:
    """The server here answers none."""
    with pytest.raises(StoreError, match="did not answer the query"):
        mirrored.ingest_flux('from(bucket: "load")', test="t")
    assert mirrored.history().empty
