import math

import pyarrow as pa
import pytest

from ator_lib import schema
from ator_lib.figures.heatmap import heatmap_figure
from tests.analysis.synthetic import Truth, made_run

RUN = made_run({"/fast": Truth(median_ms=10, requests=2000), "/slow": Truth(median_ms=400, requests=300)}, seed=1)


def _cells(figure) -> list[list[float]]:
    return figure.data[0].customdata[..., 0].tolist()


def test_a_row_per_endpoint_and_a_column_per_interval():
    """The slowest endpoint is on top; each cell is the p95 that the timeline has."""
    figure = heatmap_figure(RUN.timeline)
    assert list(figure.layout.yaxis.ticktext) == ["GET /slow", "GET /fast"]
    rows = sorted((r for r in RUN.timeline.to_pylist() if r["name"] == "/fast"), key=lambda r: r["interval_start"])
    assert _cells(figure)[1] == pytest.approx([row["p95_ms"] for row in rows], rel=1e-5)


def test_an_interval_without_a_request_is_an_empty_cell():
    """What was not measured has no colour."""
    rows = RUN.timeline.to_pylist()
    missing = sorted({row["interval_start"] for row in rows})[3]
    kept = [row for row in rows if (row["name"], row["interval_start"]) != ("/slow", missing)]
    cells = _cells(heatmap_figure(pa.Table.from_pylist(kept, schema.TIMELINE)))
    assert [place for place, value in enumerate(cells[0]) if math.isnan(value)] == [3]


def test_many_endpoints_are_summed_up():
    """The thirty busiest are named; of the others, the highest p95 is one row at the bottom."""
    many = made_run({f"/{i}": Truth(requests=40 + i, median_ms=300.0 - i) for i in range(300)}, seed=1)
    figure = heatmap_figure(many.timeline)
    labels = figure.layout.yaxis.ticktext
    assert (len(labels), labels[-1]) == (31, "270 others, the highest")
    assert "GET /299" in labels
    assert "GET /0" not in labels
    quiet = [row for row in many.timeline.to_pylist() if row["name"] and int(row["name"][1:]) < 270]
    assert max(_cells(figure)[-1]) == pytest.approx(max(row["p95_ms"] for row in quiet if row["p95_ms"]), rel=1e-5)


def test_a_timeline_of_the_run_alone_is_said():
    """Where no endpoint has a timeline there is nothing to draw."""
    assert not heatmap_figure(schema.TIMELINE.empty_table()).data
