"""Runs are exported to InfluxDB as they end, or when asked to; what happens there costs no run."""

from __future__ import annotations

from pathlib import Path

import pytest

import ator_lib as ator
from ator_lib.errors import SettingsError, StoreError, UsageError
from ator_lib.execution.mirror import MIRROR_ERROR, MirrorWarning
from tests.support.files import synthetic_csv
from tests.support.influx import TOKEN, InfluxServer


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
