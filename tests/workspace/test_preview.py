"""Files are looked into, and nothing of them is kept."""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd
import pytest

import ator_lib as ator
from ator_lib.workspace.preview import MOST_LISTED
from tests.support.files import synthetic_csv

RECORDED = Path(__file__).parents[1] / "recorded"
FILES = [
    RECORDED / "jtl" / "all-columns.csv",
    RECORDED / "jtl" / "two-generators",
    RECORDED / "hey" / "summary.txt",
    RECORDED / "influx" / "host.csv",
    RECORDED / "junit" / "nested.xml",
]


@pytest.fixture
def ws(empty_data: Path) -> ator.Workspace:
    """Connect to an empty workspace."""
    return ator.connect(empty_data)


@pytest.mark.parametrize("file", FILES, ids=lambda file: f"{file.parent.name}/{file.name}")
def test_a_preview_says_what_an_ingest_would(ws: ator.Workspace, file: Path) -> None:
    """The report, the figures and the rows are those that the run has afterwards."""
    preview = ws.preview(file)
    run = ws.ingest(file)

    assert preview.report == run.ingest_report()
    assert preview.format == preview.report.format
    pd.testing.assert_frame_equal(preview.summary, run.summary())
    pd.testing.assert_frame_equal(preview.rejected, run.rejected())
    held = {"samples": len(run.samples()), "cases": len(run.cases()), "metrics": len(run.metrics())}
    assert {table: preview.tables.get(table, 0) for table in held} == held


def test_nothing_is_kept(ws: ator.Workspace, tmp_path: Path) -> None:
    """No run, no results, no file."""
    ws.preview(synthetic_csv(tmp_path / "samples.csv"))
    with pytest.raises(ator.ResultsError):
        ws.preview(tmp_path / "samples.csv", format="k6")

    assert ws.history().empty
    assert [path.name for path in (ws.data / "uploads").iterdir()] == []
    assert not (ws.data / "results").exists()


@pytest.mark.parametrize("content", [b"", b"\x7fELF\x02\x01\x01" + bytes(100), b"\x89PNG\r\n\x1a\n" + bytes(100)])
def test_what_is_no_result_is_told_like_at_an_ingest(ws: ator.Workspace, tmp_path: Path, content: bytes) -> None:
    """Nothing, a program and a picture: the same sentence."""
    file = tmp_path / "file"
    file.write_bytes(content)
    with pytest.raises(ator.ResultsError) as previewed:
        ws.preview(file)
    with pytest.raises(ator.ResultsError) as ingested:
        ws.ingest(file)

    assert str(previewed.value) == str(ingested.value)


def test_the_files_are_read_as_it_is_said(ws: ator.Workspace, tmp_path: Path) -> None:
    """Columns, zone and the share of rows that may be left out are those of ``ingest``."""
    file = tmp_path / "odd.csv"
    file.write_text("when,took,endpoint,success\n2026-11-21T10:00:00,0.25,a,true\n2026-11-21T10:00:01,broken,a,true\n")
    columns = {"started_at": "when", "duration_ms": "took:s", "name": "endpoint"}
    preview = ws.preview(file, format="samples", columns=columns, timezone="Europe/Berlin", max_rejected_rate=0.5)

    assert list(preview.summary["p50_ms"]) == [250.0, 250.0]
    assert f"{preview.report.started_at:%H:%M}" == "09:00"
    assert list(preview.rejected["line"]) == [3]
    with pytest.raises(ator.ResultsError, match="1 of 2 rows cannot be read"):
        ws.preview(file, format="samples", columns=columns)


def test_it_shows_itself_and_is_plain_data(ws: ator.Workspace, tmp_path: Path) -> None:
    """In a notebook as sentences and a table; as JSON with the busiest endpoints only."""
    file = tmp_path / "many.csv"
    rows = [
        f"2026-11-21T10:00:{row:02},5.0,true,endpoint {number}" for number in range(30) for row in range(number + 1)
    ]
    file.write_text("\n".join(["started_at,duration_ms,success,name", *rows]))
    preview = ws.preview(file)

    assert "465 rows read" in preview._repr_html_()
    assert "endpoint 29" in preview._repr_html_()
    assert repr(preview) == "Preview(465 rows read as samples: 465 kept)"
    document = json.loads(json.dumps(preview.to_dict(), allow_nan=False))
    assert [row["name"] for row in document["endpoints"]] == [f"endpoint {29 - n}" for n in range(MOST_LISTED)]
    assert (document["total"]["requests"], document["tables"]["samples"]) == (465, 465)
    assert document["lines"] == preview.report.lines()
