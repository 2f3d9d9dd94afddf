"""Ingest and formats from the command line."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from ator_lib.cli.app import app
from ator_lib.model import IngestReport
from tests.cli.conftest import Ator
from tests.support.files import synthetic_csv
from tests.support.recording_workspace import STARTED, RecordingWorkspace

REPORT = IngestReport(
    files=("a.jtl", "b.jtl"),
    format="jtl",
    tool="jmeter",
    tool_version="5.6",
    precision="exact",
    rows_read=103,
    rows_kept=100,
    rows_rejected=3,
    truncated=True,
    started_at=STARTED,
    ended_at=STARTED,
    computed=("summaries", "timeline"),
    taken=("samples",),
    notes=("timeStamp has no time zone: its times were read as UTC",),
)


def test_what_was_said_is_passed_on(ator: Ator, workspace: RecordingWorkspace) -> None:
    """Files, format, columns, zone, start, share and identity; what was not said is not."""
    workspace.report = REPORT
    words = "ingest a.jtl b.jtl --format jtl --map duration_ms=latency:s,name=url --timezone Europe/Berlin"
    more = "--started-at 2026-11-21T10:00:00 --max-rejected 5% --test t --attribute commit=abc"
    result = ator(*words.split(), *more.split())
    assert (result.exit_code, result.stdout) == (0, "7\n")
    ((name, files, passed),) = workspace.calls
    assert (name, files) == ("ingest", ([Path("a.jtl"), Path("b.jtl")],))
    assert passed == {
        "run": None,
        "format": "jtl",
        "columns": {"duration_ms": "latency:s", "name": "url"},
        "timezone": "Europe/Berlin",
        "started_at": "2026-11-21T10:00:00",
        "max_rejected_rate": 0.05,
        "test": "t",
        "attributes": {"commit": "abc"},
    }


def test_the_report_is_told(ator: Ator, workspace: RecordingWorkspace) -> None:
    """Rows, what is missing, what was taken for granted, and where the rejected rows are."""
    workspace.report = REPORT
    told = ator("ingest", "a.jtl").stderr
    assert "103 rows read as jtl, written by jmeter 5.6: 100 kept, 3 rejected" in told
    assert "the end is missing" in told
    assert "read as UTC" in told
    assert "rejected()" in told


def test_the_report_is_in_the_json(ator: Ator, workspace: RecordingWorkspace) -> None:
    """The object of ``register``, and the report as JSON that reads back."""
    workspace.report = REPORT
    answer = json.loads(ator("ingest", "a.jtl", "--json").stdout)
    assert answer["run_id"] == 7
    assert IngestReport.from_json(answer["ingest"]) == REPORT


def test_a_share_that_is_none(ator: Ator, workspace: RecordingWorkspace) -> None:
    """What it looks like is said."""
    result = ator("ingest", "a.jtl", "--max-rejected=many")
    assert result.exit_code == 2
    assert "0.01 or 1%" in result.stderr
    assert workspace.calls == []


def test_a_preview_keeps_nothing(tmp_path: Path) -> None:
    """It tells what would be read and the figures, for people or as JSON; a file of no results is exit code 2."""
    file = synthetic_csv(tmp_path / "samples.csv")
    words = ["--data", str(tmp_path / "data"), "ingest", str(file), "--preview"]
    told, plain = (CliRunner().invoke(app, [*words, *more]) for more in ([], ["--json"]))

    assert (told.exit_code, plain.exit_code) == (0, 0)
    assert "3 rows read as samples: 3 kept" in told.stderr
    assert "/synthetic/0" in told.stdout
    assert json.loads(plain.stdout)["total"]["requests"] == 3
    assert CliRunner().invoke(app, ["--data", str(tmp_path / "data"), "history", "--json"]).stdout == "[]\n"
    file.write_bytes(b"\x7fELF")
    assert CliRunner().invoke(app, words).exit_code == 2


def test_a_preview_is_of_files(ator: Ator) -> None:
    """A query for InfluxDB is asked, or not."""
    result = ator("ingest", "--flux", "query.flux", "--preview")
    assert (result.exit_code, "--preview looks into files" in result.stderr) == (2, True)


@pytest.mark.parametrize("share", ["2", "-1%", "nan"])
def test_a_share_that_cannot_be(tmp_path: Path, share: str) -> None:
    """It is between 0 and 1; the library says so."""
    file = synthetic_csv(tmp_path / "samples.csv")
    words = ["--data", str(tmp_path / "data"), "ingest", str(file), f"--max-rejected={share}"]
    result = CliRunner().invoke(app, words)
    assert (result.exit_code, result.stdout) == (2, "")
    assert "0.01 for 1%" in result.stderr


@pytest.mark.parametrize("start", ["0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00", "soon"])
def test_a_start_that_is_none(tmp_path: Path, start: str) -> None:
    """Also what is no time in UTC only."""
    file = synthetic_csv(tmp_path / "samples.csv")
    words = ["--data", str(tmp_path / "data"), "ingest", str(file), f"--started-at={start}"]
    result = CliRunner().invoke(app, words)
    assert (result.exit_code, result.stdout) == (2, "")
    assert f"started_at {start!r} is no time" in result.stderr


def test_a_map_that_is_none(ator: Ator) -> None:
    """The part that is off is shown."""
    result = ator("ingest", "a.csv", "--map", "duration_ms")
    assert result.exit_code == 2
    assert "'duration_ms' is not of the form ours=theirs" in result.stderr


def test_a_flux_query_in_place_of_files(ator: Ator, workspace: RecordingWorkspace, tmp_path: Path) -> None:
    """The query of the file, where InfluxDB is, and what kind of run it becomes."""
    query = tmp_path / "load.flux"
    query.write_text('from(bucket: "load")')
    result = ator("ingest", "--flux", query, "--influx", "http://h:8086", "--bucket", "load", "--run", 7)
    assert result.exit_code == 0
    ((name, asked, passed),) = workspace.calls
    assert (name, asked) == ("ingest_flux", ('from(bucket: "load")',))
    assert {"url": "http://h:8086", "bucket": "load", "org": None, "run": 7}.items() <= passed.items()


def test_either_files_or_a_query(ator: Ator, workspace: RecordingWorkspace, tmp_path: Path) -> None:
    """Not both and not neither; a query that is not there is named."""
    for words in (["ingest"], ["ingest", "a.jtl", "--flux", "q.flux"], ["ingest", "--flux", tmp_path / "none.flux"]):
        result = ator(*words)
        assert result.exit_code == 2
        assert "--flux" in result.stderr
    assert workspace.calls == []


def test_runs_are_exported_to_influx(ator: Ator, workspace: RecordingWorkspace) -> None:
    """By id or by the name of a baseline; the token is no option."""
    result = ator("export", "7", "--run", "good", "--influx", "http://h:8086", "--bucket", "load", "--json")
    assert json.loads(result.stdout) == {"points": {"7": 42, "good": 42}}
    where = {"url": "http://h:8086", "bucket": "load", "org": None}
    assert workspace.calls == [("export_influx", (7,), where), ("export_influx", ("good",), where)]


def test_a_file_becomes_a_run(tmp_path: Path) -> None:
    """On a real store: the same file again is the same run; a bad one is bad input and changes nothing."""
    file = synthetic_csv(tmp_path / "samples.csv")
    words = ["--data", str(tmp_path / "data"), "ingest", "--json", "--test", "t"]
    first, again = (CliRunner().invoke(app, [*words, str(file)]) for _ in range(2))
    assert json.loads(first.stdout)["ingest"]["rows_kept"] == 3
    assert first.stdout == again.stdout
    bad = tmp_path / "bad.csv"
    bad.write_text("what is this")
    refused = CliRunner().invoke(app, [*words, str(bad)])
    assert (refused.exit_code, refused.stdout) == (2, "")
    assert "bad.csv" in refused.stderr


def test_formats_are_listed(ator: Ator) -> None:
    """Name, files, precision and limits of each, for people and for programs."""
    assert "samples" in ator("formats").stdout
    rows = json.loads(ator("formats", "--json").stdout)
    assert {"name", "tool", "files", "gives", "precision", "limits"} == set(rows[0])
