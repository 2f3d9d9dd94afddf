import pytest

from ator_lib.analysis.comparison import CompareOptions, ComparisonResult, compare
from ator_lib.figures import theme
from ator_lib.figures.comparison import comparison_figure
from tests.analysis.synthetic import Truth, made_run, run_data

TRUTHS = {"/a": Truth(), "/b": Truth(median_ms=60)}


def _result(contender: dict[str, Truth], baseline: dict[str, Truth] = TRUTHS, **options) -> ComparisonResult:
    return compare(
        [made_run(contender, seed=2)], [made_run(baseline, seed=1)], CompareOptions(replicates=100, **options)
    )


SLOWER = _result({**TRUTHS, "/b": Truth(median_ms=90)})


def _dots(figure, colour):
    return [trace for trace in figure.data if trace.marker.color == colour and trace.x[0] is not None]


def _column(figure, axis):
    return [trace for trace in figure.data if trace.xaxis == axis and trace.x[0] is not None]


def test_a_regression_is_a_dot_with_its_interval_in_its_colour():
    """Change in percent where the row says, interval as error bars, in the verdict's colour."""
    row = next(r for r in SLOWER.rows if (r.name, r.metric) == ("/b", "p95_ms"))
    figure = comparison_figure(SLOWER)
    trace = next(t for t in _dots(figure, theme.VERDICTS[row.verdict][0]) if t.xaxis == "x2")
    index = list(trace.y).index(list(figure.layout.yaxis.ticktext).index("GET /b"))
    assert trace.x[index] == pytest.approx(100 * row.change)
    assert trace.x[index] + trace.error_x.array[index] == pytest.approx(100 * row.high)
    assert trace.x[index] - trace.error_x.arrayminus[index] == pytest.approx(100 * row.low)


def test_every_figure_of_the_result_is_drawn_once():
    """As many dots as rows with a change, over all metrics and verdicts."""
    figure = comparison_figure(SLOWER)
    drawn = sum(len(trace.x) for trace in figure.data if trace.x[0] is not None)
    assert drawn == sum(row.effect is not None for row in SLOWER.rows)


def test_the_band_is_the_minimum_effect_that_was_used():
    """The caller's option is what is shaded, in the metric's own column."""
    figure = comparison_figure(_result(TRUTHS, minimum_effect={"p95_ms": 0.12}))
    bands = {shape.xref: shape.x1 for shape in figure.layout.shapes if shape.type == "rect"}
    assert bands == {"x": 5.0, "x2": 12.0, "x3": 5.0, "x4": 5.0, "x5": 1.0, "x6": 5.0}


def test_an_endpoint_has_a_band_of_its_own_where_the_caller_says_so():
    """Rows with another minimum effect are shaded that far, and only those."""
    figure = comparison_figure(_result(TRUTHS, minimum_effect={"p95_ms of GET /b": 0.3}))
    place = list(figure.layout.yaxis.ticktext).index("GET /b")
    bands = {(s.y0, s.y1): s.x1 for s in figure.layout.shapes if s.type == "rect" and s.xref == "x2"}
    assert bands[(place - 0.5, place + 0.5)] == 30.0
    assert set(bands.values()) == {5.0, 30.0}


def test_a_common_shift_is_a_row_and_the_dots_are_each_endpoints_own():
    """All endpoints 30 % slower: one dot beside "all endpoints", and none of the others is far out."""
    names = [f"/{i}" for i in range(10)]
    baseline = [made_run({n: Truth() for n in names}, seed=i) for i in range(1, 4)]
    contender = [made_run({n: Truth(median_ms=52) for n in names}, seed=i) for i in range(4, 7)]
    result = compare(contender, baseline, CompareOptions(replicates=100))
    figure = comparison_figure(result)
    assert list(figure.layout.yaxis.ticktext)[:2] == ["<b>total</b>", "<b>all endpoints</b>"]
    drawn = {y: x for trace in _column(figure, "x") for x, y in zip(trace.x, trace.y, strict=True)}
    assert drawn[1] == pytest.approx(30, abs=5)
    assert all(abs(drawn[place]) < 12 for place in range(2, 12))
    hover = next(trace.customdata[list(trace.y).index(2)][0] for trace in _column(figure, "x") if 2 in trace.y)
    assert "beside the common shift of +" in hover


def test_what_needs_eyes_is_on_top():
    """The total first, then the regressed endpoints; the title is the headline."""
    figure = comparison_figure(SLOWER)
    assert list(figure.layout.yaxis.ticktext) == ["<b>total</b>", "GET /b", "GET /a"]
    assert figure.layout.title.text.startswith("Regressed: GET /b p")


def test_sixty_endpoints_have_room():
    """The figure grows with the endpoints, and the legend names each verdict once."""
    many = {f"/{i}": Truth(requests=100) for i in range(60)}
    figure = comparison_figure(_result(many, many))
    assert figure.layout.height > 60 * 20
    legend = [trace.name for trace in figure.data if trace.showlegend]
    assert len(legend) == len(set(legend)) == len(theme.VERDICTS)


def test_an_endpoint_on_one_side_is_named_without_a_dot():
    """It stays in the list, marked, so that nobody misses it."""
    figure = comparison_figure(_result({**TRUTHS, "/new": Truth()}))
    assert "<i>GET /new (one side)</i>" in figure.layout.yaxis.ticktext


def test_nothing_to_compare_is_said():
    """Empty runs are words, not a plot of nothing."""
    figure = comparison_figure(compare([run_data({}, run_id=2)], [run_data({}, run_id=1)]))
    assert not figure.data
    assert figure.layout.annotations[0].text == "no figures to compare"
