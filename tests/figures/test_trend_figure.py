from __future__ import annotations

import numpy as np
import plotly.graph_objects as go
import pytest

from ator_lib.figures.trend import trend_figure
from tests.analysis.trend.histories import made_history, mark, noisy, trend

TITLES = {
    "error_rate": "error rate",
    "throughput_rps": "throughput (requests/s)",
    "bytes_received": "bytes received",
}


def lines(count: int, runs: int = 30) -> dict[str, list[float]]:
    """Give endpoints of which every third changes."""
    half = runs // 2
    return {f"/{n:02}": noisy((100, half), (150 if n % 3 == 0 else 100, runs - half), seed=n) for n in range(count)}


def named(figure: go.Figure, name: str) -> list[go.Scatter]:
    return [trace for trace in figure.data if trace.name == name]


def test_few_series_have_a_panel_each() -> None:
    """With the dots, the level and the change; each has its line in the legend once."""
    figure = trend_figure(trend(made_history(lines(2))))
    assert [note.text for note in figure.layout.annotations] == ["<b>GET /00</b>", "<b>GET /01</b>"]
    assert [trace.showlegend for trace in named(figure, "run")] == [True, False]
    (change,) = named(figure, "regressed")
    assert change.error_y.array[0] > 0
    words, run_id, previous_run_id = change.customdata[0]
    assert "GET /00" in words
    assert run_id - previous_run_id == 1


@pytest.mark.parametrize("count", [20, 60])
def test_many_series_have_a_map(count: int) -> None:
    """Its rows are all series; those that changed have a panel, too, but for at most six."""
    figure = trend_figure(trend(made_history(lines(count))))
    (heat,) = (trace for trace in figure.data if isinstance(trace, go.Heatmap))
    assert heat.z.shape == (count, 30)
    assert len(named(figure, "run")) == 6
    assert figure.layout.annotations[-1].text == f"<b>All {count} series</b>, from the median"
    assert len({*figure.layout.yaxis7.ticktext}) == count


def test_too_many_series_are_those_that_changed_last() -> None:
    """And the figure says how many there are."""
    figure = trend_figure(trend(made_history(lines(70))))
    assert figure.layout.annotations[-1].text == "<b>60 of 70 series</b>, from the median"


def test_outliers_and_gaps() -> None:
    """An outlier is a cross, and the line goes on without it; a run without a figure interrupts it."""
    values: list[float | None] = [*noisy((100, 30))]
    values[10], values[20] = 900.0, None
    figure = trend_figure(trend(made_history({"/a": values})))
    assert named(figure, "outlier")[0].customdata.tolist() == [11]
    (dots,) = named(figure, "run")
    assert 11 not in dots.customdata
    assert dots.customdata[np.isnan(dots.y)].tolist() == [21]


def test_all_outliers_and_changes_of_very_many_runs_are_drawn() -> None:
    """Of the others every so-many-th, and the axis says so."""
    values = noisy((100, 2500), (150, 2500), spread=0.01)
    values[33] = 900.0
    figure = trend_figure(trend(made_history({"/a": values})))
    assert len(named(figure, "run")[0].x) <= 1_005
    assert 34 in named(figure, "outlier")[0].customdata
    assert {2500, 2501} <= {*named(figure, "run")[0].customdata.tolist()}
    assert "every 5th run" in figure.layout.xaxis.title.text


def test_marks() -> None:
    """Those that reset are changes, remarks are triangles; their texts are no markup."""
    marks = [mark(16, "<new>"), mark(20, "<odd>", resets=False)]
    figure = trend_figure(trend(made_history(lines(1), marks)))
    assert "&lt;new&gt;" in named(figure, "marked")[0].customdata[0][0]
    assert list(named(figure, "remark")[0].customdata) == [["&lt;odd&gt;", 20]]


def test_runs_without_a_start_stand_in_their_order() -> None:
    """The axis counts them."""
    figure = trend_figure(trend(made_history(lines(1), started_at=[None] * 30)))
    assert figure.layout.xaxis.title.text == "runs, in order"
    assert named(figure, "run")[0].x[0] == 1


@pytest.mark.parametrize("metric", TITLES)
def test_every_metric_has_an_axis(metric: str) -> None:
    """With its unit where it has one; identical values, too."""
    result = trend(made_history({"/a": [0.5] * 10}), metric)
    title = trend_figure(result).layout.yaxis.title.text
    assert (
        title
        == {
            "error_rate": "error rate",
            "throughput_rps": "throughput (requests/s)",
            "bytes_received": "bytes received",
        }[metric]
    )


def test_values_over_decades_have_a_logarithmic_axis() -> None:
    """Else the small ones could not be seen."""
    figure = trend_figure(trend(made_history({"/a": noisy((1, 10), (1000, 10))})))
    assert figure.layout.yaxis.type == "log"
