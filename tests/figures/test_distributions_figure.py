import json
from dataclasses import replace

import numpy as np
import pyarrow as pa
import pytest

from ator_lib import schema
from ator_lib.analysis.run_data import TOTAL, Endpoint
from ator_lib.figures import theme
from ator_lib.figures.distributions import MOST_PANELS, distributions_figure
from tests.analysis.synthetic import Truth, made_run, made_samples, run_data

ENDPOINT = Endpoint("/a", "GET")
TRUTHS = {"/a": Truth(requests=4000)}


def _thick(figure, colour):
    return next(t for t in figure.data if t.line.color == colour and t.line.width == 3)


def test_a_curve_is_the_samples_quantiles_within_a_bin():
    """Latency at a share is what the samples say, to the bin on either side; the curve ends where ten are beyond."""
    samples = made_samples(TRUTHS, seed=1)
    figure = distributions_figure([run_data(samples)], [made_run(TRUTHS, seed=2)], [ENDPOINT])
    curve = _thick(figure, theme.CONTENDER)
    durations = samples[("/a", "GET")].duration_ms
    expected = np.quantile(durations, 1 - 1 / np.asarray(curve.x))
    assert curve.y == pytest.approx(expected, rel=0.02)
    assert curve.x[-1] == pytest.approx(len(durations) / 10)


def test_sides_have_their_colours_and_differ_in_grey():
    """Blue and dashed is the baseline, orange and solid the contender, and the legend names each once."""
    figure = distributions_figure([made_run(TRUTHS, seed=1)], [made_run(TRUTHS, seed=2)], [TOTAL, ENDPOINT])
    named = {trace.name: (trace.line.color, trace.line.dash) for trace in figure.data if trace.showlegend}
    assert named == {"baseline": (theme.BASELINE, "dash"), "contender": (theme.CONTENDER, "solid")}
    assert sum(bool(trace.showlegend) for trace in figure.data) == 2


def test_several_runs_are_thin_lines_and_their_requests_the_thick_one():
    """Histograms are added: the thick line of two runs is that of all their requests."""
    pair = [made_run(TRUTHS, seed=1, run_sd=0.3), made_run(TRUTHS, seed=2, run_sd=0.3)]
    figure = distributions_figure(pair, [made_run(TRUTHS, seed=3)], [ENDPOINT])
    thin = [t for t in figure.data if t.line.color == theme.CONTENDER and t.line.width == 1]
    assert [trace.name for trace in thin] == ["synthetic 1", "synthetic 2"]
    at_90 = [float(np.interp(10, t.x, t.y)) for t in (*thin, _thick(figure, theme.CONTENDER))]
    assert min(at_90[:2]) < at_90[2] < max(at_90[:2])


def test_sixty_endpoints_are_twelve_panels_in_the_callers_order():
    """The first twelve have a panel; the title says how many there are."""
    truths = {f"/{i}": Truth(requests=50) for i in range(60)}
    run = made_run(truths, seed=1)
    wanted = [Endpoint(name, "GET") for name in reversed(truths)]
    figure = distributions_figure([run], [run], wanted)
    headings = [note.text for note in figure.layout.annotations]
    assert headings == [endpoint.label for endpoint in wanted[:MOST_PANELS]]
    assert "12 of 60" in figure.layout.title.text
    assert len(figure.to_json()) < 300_000


def test_without_histograms_the_tools_percentiles_are_drawn():
    """A summary of a tool is six points, and nothing is made up between or beyond them."""
    run = made_run(TRUTHS, seed=1)
    bare = run_data({}, run_id=2)
    coarse = replace(bare, summaries=run.summaries)
    figure = distributions_figure([coarse], [run], [ENDPOINT])
    curve = _thick(figure, theme.CONTENDER)
    row = run.summary_rows()[ENDPOINT]
    assert list(curve.y) == [row[name] for name in schema.PERCENTILES]


def test_an_endpoint_of_one_side_is_drawn_and_none_is_said():
    """What one side has is shown; of nothing there are words."""
    run, empty = made_run(TRUTHS, seed=1), run_data({}, run_id=2)
    figure = distributions_figure([run], [empty], [ENDPOINT])
    assert _thick(figure, theme.CONTENDER).y is not None
    assert {trace.name for trace in figure.data if trace.showlegend} == {"baseline", "contender"}
    nothing = distributions_figure([empty], [empty], [ENDPOINT])
    assert not nothing.data
    assert nothing.layout.annotations[0].text == "no distributions to compare"


@pytest.mark.parametrize("duration_ms", [0.0, 5.0])
def test_identical_durations_are_a_flat_line(duration_ms):
    """Not even a latency of 0 breaks the axis."""
    bins = {"name": "/a", "method": "GET", "block_start": None, "lower_ms": duration_ms, "upper_ms": duration_ms}
    table = pa.Table.from_pylist([{**bins, "count": 40}], schema.DISTRIBUTIONS)
    run = replace(run_data({}, run_id=2), distributions=table)
    figure = distributions_figure([run], [run], [ENDPOINT])
    assert set(_thick(figure, theme.BASELINE).y) == {duration_ms}
    json.loads(figure.to_json())
