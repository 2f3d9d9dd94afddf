import numpy as np
import pyarrow as pa
import pytest

from ator_lib import schema
from ator_lib.analysis.run_data import TOTAL, Endpoint
from ator_lib.figures import theme
from ator_lib.figures.distribution import MOST_ENDPOINTS, distribution_figure
from tests.analysis.synthetic import Truth, made_run

A = Endpoint("/a", "GET")
RUN = made_run({"/a": Truth(requests=4000), "/b": Truth(requests=500)}, seed=1)


def _outlines(figure):
    return [trace for trace in figure.data if trace.mode == "lines"]


def _bins(rows, name=None):
    columns = ("name", "lower_ms", "upper_ms", "count")
    return pa.Table.from_pylist([dict(zip(columns, (name, *row), strict=True)) for row in rows], schema.DISTRIBUTIONS)


def test_the_outline_holds_all_requests():
    """Steps of equal ratio whose shares add up to nearly all; a thousandth at most lies beyond the picture."""
    (outline,) = _outlines(distribution_figure(RUN.distributions, RUN.summaries, [TOTAL]))
    shares, edges = np.asarray(outline.y)[:-1], np.asarray(outline.x)
    assert 99.9 <= shares.sum() <= 100 + 1e-9
    assert np.diff(np.log(edges)) == pytest.approx(np.log(edges[1] / edges[0]))
    assert outline.fill == "tozeroy"


def test_the_percentiles_of_the_summary_are_marked():
    """Each in its colour, with its value in the legend: as exact as the summary, not as the bins."""
    figure = distribution_figure(RUN.distributions, RUN.summaries, [A])
    row = next(row for row in RUN.summaries.to_pylist() if row["name"] == "/a")
    marks = {trace.line.color: trace for trace in figure.data if trace.showlegend is not False}
    for column, colour in theme.PERCENTILES.items():
        assert list(marks[colour].x) == [row[column]] * 2
        assert marks[colour].name == f"{column.removesuffix('_ms')} {row[column]:,.4g} ms"


def test_two_endpoints_are_two_lines_over_the_same_axis():
    """The legend names each once, and shapes mark the percentiles on the lines."""
    figure = distribution_figure(RUN.distributions, RUN.summaries, [A, Endpoint("/b", "GET")])
    first, second = _outlines(figure)
    assert list(first.x) == list(second.x)
    assert (first.name, second.name) == ("GET /a", "GET /b")
    marks = [trace for trace in figure.data if trace.mode == "markers"]
    assert [list(trace.marker.symbol) for trace in marks] == [list(theme.SYMBOLS.values())] * 2
    assert all(min(trace.y) > 0 for trace in marks)


def test_a_run_whose_requests_took_the_same_has_one_step():
    """No narrower than what is known."""
    (outline,) = _outlines(distribution_figure(_bins([(10.0, 10.1, 7)]), schema.SUMMARIES.empty_table(), [TOTAL]))
    assert list(outline.y) == [100.0, 100.0]


@pytest.mark.parametrize("rows", [[(0.0, 1.0, 5), (1.0, 2.0, 5)], [(0.0, 1e-3, 5)], [(5.0, 5.0, 3), (7.0, 7.0, 3)]])
def test_odd_bins_of_tools_are_drawn(rows):
    """From 0 on, which a logarithmic axis has not, and of no width."""
    (outline,) = _outlines(distribution_figure(_bins(rows), schema.SUMMARIES.empty_table(), [TOTAL]))
    assert min(outline.x) > 0
    assert np.isfinite(np.asarray(outline.y, dtype=float)).all()


def test_a_name_is_no_markup_and_others_are_counted():
    """As in every figure; more lines than colours would not be told apart."""
    names = [f"<b>{n}</b>" for n in range(MOST_ENDPOINTS + 2)]
    bins = pa.concat_tables([_bins([(1.0, 2.0, 5), (2.0, 4.0, 5)], name) for name in names])
    figure = distribution_figure(bins, schema.SUMMARIES.empty_table(), [Endpoint(name, None) for name in names])
    assert len(_outlines(figure)) == MOST_ENDPOINTS
    assert _outlines(figure)[0].name == "&lt;b&gt;0&lt;/b&gt;"
    assert figure.layout.title.text.endswith(f", {MOST_ENDPOINTS} of {MOST_ENDPOINTS + 2} endpoints")


def test_without_a_histogram_nothing_is_drawn():
    """The caller says what there is instead."""
    assert not distribution_figure(schema.DISTRIBUTIONS.empty_table(), RUN.summaries, [TOTAL]).data
