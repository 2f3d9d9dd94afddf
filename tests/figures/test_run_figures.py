import json
import math
from datetime import UTC, datetime, timedelta

import pyarrow as pa
import pyarrow.compute as pc
import pytest

from ator_lib import schema
from ator_lib.figures.endpoints import endpoints_figure, latency_figure
from ator_lib.figures.timeline import timeline_figure
from tests.analysis.synthetic import Truth, made_run, run_data

RUN = made_run({"/a": Truth(error_rate=0.05), "/<b>": Truth(median_ms=200)}, seed=1)


def _named(figure, name):
    return next(trace for trace in figure.data if trace.name == name)


def _replaced(table: pa.Table, column: str, values: list) -> pa.Table:
    index = table.schema.get_field_index(column)
    return table.set_column(index, table.schema.field(index), pa.array(values, table.schema.field(index).type))


def test_the_timeline_shows_the_runs_own_rows():
    """Throughput, failures, users and three percentiles of the whole run, by UTC time, with units on the axes."""
    figure = timeline_figure(RUN.timeline, title="Run 1")
    named = [trace.name for trace in figure.data if trace.name]
    assert named == ["requests", "failures", "users", "p50", "p95", "p99"]
    total = [row for row in RUN.timeline.to_pylist() if row["name"] is None]
    assert list(_named(figure, "requests").y) == [row["throughput_rps"] for row in total]
    assert sum(_named(figure, "failures").y) * 2.0 == pytest.approx(sum(row["failures"] for row in total))
    assert str(_named(figure, "p95").x[0]).startswith("2026-03-01T00:00:00")
    titles = [figure.layout[axis].title.text for axis in ("yaxis", "yaxis2", "yaxis3", "xaxis3")]
    assert titles == ["requests/s", "users", "latency (ms)", "time (UTC), in intervals of 2 s"]


def test_a_timeline_without_users_has_no_empty_row():
    """What was not measured has no axis."""
    timeline = _replaced(RUN.timeline, "users", [None] * RUN.timeline.num_rows)
    figure = timeline_figure(timeline)
    assert "users" not in [trace.name for trace in figure.data]
    assert len([axis for axis in figure.layout if axis.startswith("yaxis")]) == 2


def test_an_interval_without_latency_is_a_gap():
    """Null is a gap in the line, never a zero."""
    total = RUN.timeline.filter(pc.is_null(RUN.timeline["name"]))
    values = [None if place == 3 else 1.0 for place in range(total.num_rows)]
    drawn = _named(timeline_figure(_replaced(total, "p95_ms", values)), "p95").y
    assert [place for place, value in enumerate(drawn) if math.isnan(value)] == [3]


def test_an_interval_that_the_load_hardly_covered_is_no_collapse():
    """Rates are those of the part that the load covered, and the last moments are no interval of their own."""
    start = datetime(2026, 3, 1, tzinfo=UTC)
    rows = [
        {"interval_start": start + timedelta(seconds=s), "interval_s": 1.0, "requests": n, "failures": 0}
        for s, n in enumerate([25, 40, 40, 2])
    ]
    timeline = pa.Table.from_pylist([{**row, "throughput_rps": row["requests"]} for row in rows], schema.TIMELINE)
    window = (start + timedelta(seconds=0.375), start + timedelta(seconds=3.05))
    drawn = _named(timeline_figure(timeline, window=window), "requests").y
    assert list(drawn) == [pytest.approx(40), 40, 40]


def test_bands_end_where_latencies_are_missing():
    """What lies between two percentiles is shaded, in one piece for each stretch that is known."""
    total = RUN.timeline.filter(pc.is_null(RUN.timeline["name"])).slice(0, 5)
    gapped = _replaced(total, "p95_ms", [20.0, 21.0, None, 22.0, 23.0])
    band = next(trace for trace in timeline_figure(gapped).data if trace.fill == "toself")
    upper = [20.0, 21.0, 22.0, 23.0]
    assert sum(math.isnan(value) for value in band.y) == 2
    assert [value for value in band.y if value in upper] == [21.0, 20.0, 23.0, 22.0]


def test_a_timeline_of_p95_alone_is_one_line():
    """A tool's own timeline has what the tool told: other percentiles and bands are left out."""
    bare = RUN.timeline
    for column in ("users", "p50_ms", "p99_ms"):
        bare = _replaced(bare, column, [None] * bare.num_rows)
    figure = timeline_figure(bare)
    assert [trace.name for trace in figure.data] == ["requests", "failures", "p95"]


def test_a_timeline_without_latencies_has_no_panel_for_them():
    """Throughput alone is a figure, too."""
    bare = RUN.timeline
    for column in ("mean_ms", "p50_ms", "p95_ms", "p99_ms"):
        bare = _replaced(bare, column, [None] * bare.num_rows)
    assert [trace.name for trace in timeline_figure(bare).data] == ["requests", "failures", "users"]


def test_endpoints_are_ordered_and_every_one_is_named():
    """The total first, then the highest p95; names are escaped; the figure grows with the endpoints."""
    figure = endpoints_figure(RUN.summaries)
    assert list(figure.layout.yaxis.ticktext) == ["total", "GET /&lt;b&gt;", "GET /a"]
    assert figure.layout.xaxis.title.text == "latency (ms)"
    many = made_run({f"/{i}": Truth(requests=20) for i in range(60)}, seed=1)
    tall = endpoints_figure(many.summaries)
    assert len(tall.layout.yaxis.ticktext) == 61
    assert tall.layout.height - figure.layout.height >= 58 * 20


def test_endpoints_beyond_sixty_are_one_row():
    """The range of those with the lowest p95 is one grey line, named by their number."""
    many = made_run({f"/{i}": Truth(requests=20, median_ms=10.0 + i) for i in range(300)}, seed=1)
    figure = endpoints_figure(many.summaries)
    labels = figure.layout.yaxis.ticktext
    assert (len(labels), labels[0], labels[-1]) == (62, "total", "240 others")
    assert "GET /0" not in labels
    assert figure.layout.height < 1800


def test_percentile_lines_of_many_endpoints_name_the_slowest():
    """Six colours can be told apart: the six slowest and the total are named, no endpoint is left out."""
    run = made_run({f"/{i}": Truth(requests=200, median_ms=10.0 * (i + 1)) for i in range(20)}, seed=1)
    figure = latency_figure(run.summaries)
    drawn = [trace for trace in figure.data if trace.y[0] is not None]
    assert len(drawn) == 21
    named = [trace.name for trace in drawn if trace.showlegend]
    assert len(named) == 7
    assert [trace.name for trace in figure.data if trace.y[0] is None] == ["14 others"]
    assert "GET /19" in named
    assert "GET /0" not in named


@pytest.mark.parametrize(
    "figure",
    [
        timeline_figure(schema.TIMELINE.empty_table()),
        latency_figure(schema.SUMMARIES.empty_table()),
        endpoints_figure(run_data({}).summaries),
    ],
)
def test_no_requests_are_said(figure):
    """An empty run is words, not a plot of nothing."""
    assert not figure.data
    assert figure.layout.annotations[0].text == "no requests"


def test_figures_are_json_and_leave_the_tables_alone():
    """They travel to browsers as JSON, with the same content each time."""
    before = RUN.summaries.to_pylist(), RUN.timeline.to_pylist()
    for make, table in (
        (timeline_figure, RUN.timeline),
        (latency_figure, RUN.summaries),
        (endpoints_figure, RUN.summaries),
    ):
        assert json.loads(make(table).to_json()) == json.loads(make(table).to_json())
    assert (RUN.summaries.to_pylist(), RUN.timeline.to_pylist()) == before
