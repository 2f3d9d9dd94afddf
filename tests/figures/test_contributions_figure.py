import re

import plotly.graph_objects as go
import pytest

from ator_lib.analysis.explain.explanation import explain
from ator_lib.analysis.explain.result import ExplanationResult
from ator_lib.errors import UsageError
from ator_lib.figures import theme
from ator_lib.figures.contributions import contributions_figure
from ator_lib.figures.explanation import explanation_html
from tests.analysis.explain.made import AFTER, BEFORE, RESULT, cell, data


def made(endpoints: int) -> ExplanationResult:
    """All endpoints a little slower, the first much; one in ten requests of the last went to it."""
    names = [f"/{n}" for n in range(endpoints)]
    before = [cell(name, 100, segment=part) for name in names for part in range(10)]
    after = [cell(name, 100, 11.0 + 50 * (name == "/0"), segment=part) for name in names for part in range(10)]
    after.append(cell("/0", 50, 61.0, status_code=500, success=False, segment=9))
    return explain([data(AFTER, *after)], [data(BEFORE, *before)], RESULT)


SMALL, LARGE = made(2), made(60)


def bars(figure: go.Figure, name: str) -> list[go.Bar]:
    return [trace for trace in figure.data if isinstance(trace, go.Bar) and trace.name == name and trace.width[0]]


def test_the_bars_lead_to_the_whole_change() -> None:
    """In every panel: one begins where the other ended, and all together are as long as the black one."""
    figure = contributions_figure(SMALL)
    whole = SMALL.moved[0].difference
    for axis in {trace.yaxis for trace in figure.data}:
        mine = [t for t in figure.data if isinstance(t, go.Bar) and t.yaxis == axis and t.name != "whole change"]
        assert sum(length for trace in mine for length in trace.x) == pytest.approx(whole)
        ends = [base + length for trace in mine for base, length in zip(trace.base, trace.x, strict=True)]
        assert any(end == pytest.approx(whole) for end in ends)
    assert all(trace.x[0] == pytest.approx(whole) for trace in bars(figure, "whole change"))


def test_sixty_endpoints_are_as_legible_as_two() -> None:
    """Those that contribute most have a row each, the others one together; rows are as high as ever."""
    labels = contributions_figure(LARGE).layout.yaxis.ticktext
    assert len(labels) == 12
    assert (labels[0], labels[-2], labels[-1]) == ("GET /0", "50 others", "<b>whole change</b>")
    for result in (SMALL, LARGE):
        figure = contributions_figure(result)
        panels = [axis for axis in figure.layout if axis.startswith("yaxis")]
        rows = sum(len(figure.layout[axis].ticktext) for axis in panels)
        drawn_px = figure.layout.height - figure.layout.margin.t - figure.layout.margin.b
        assert drawn_px / rows > 20


def test_every_row_says_its_figure_and_the_axis_its_unit() -> None:
    """Contribution and share at the bar's end; milliseconds below the last panel alone."""
    figure = contributions_figure(SMALL)
    written = [text for trace in figure.data if trace.type == "scatter" for text in trace.text or ()]
    assert all(re.fullmatch(r" ([+-][\d.,]+|0) ms( \(-?\d+ %\))?", text) for text in written)
    titles = [figure.layout[axis].title.text for axis in figure.layout if axis.startswith("xaxis")]
    assert [title for title in titles if title] == ["change of the mean (ms)"]
    assert contributions_figure(SMALL, "error_rate").layout.title.text.startswith("Error rate: 0 % → ")


def test_own_change_and_mix_are_told_apart_without_colours() -> None:
    """Two colours of the palette, and one of them hatched; the legend names each once."""
    figure = contributions_figure(SMALL)
    looks = {t.name: (t.marker.color, t.marker.pattern.shape) for t in figure.data if isinstance(t, go.Bar)}
    assert looks["own change"] == (theme.PURPLE, "")
    assert looks["change of mix"] == (theme.SKY, "/")
    assert sorted(t.name for t in figure.data if t.showlegend) == sorted(looks)


def test_times_are_drawn_as_they_came() -> None:
    """From the beginning of the run to its end, however they are ranked."""
    figure = contributions_figure(SMALL)
    panels = [figure.layout[axis].ticktext for axis in figure.layout if axis.startswith("yaxis")]
    (times,) = [labels for labels in panels if labels[0] == "0–10 % of the run"]
    assert times[9] == "90–100 % of the run"


def test_names_are_no_markup() -> None:
    """Neither in the figure nor in the table."""
    result = explain([data(AFTER, cell("/<b>x", 9, 20.0))], [data(BEFORE, cell("/<b>x", 9))], RESULT)
    assert "<b>x" not in contributions_figure(result).to_json()
    assert "<b>x" not in explanation_html(result)


def test_nothing_known_is_said_in_the_figure() -> None:
    """Instead of empty axes."""
    figure = contributions_figure(explain([data(AFTER)], [data(BEFORE)], RESULT))
    assert figure.layout.annotations[0].text == "not known of both sides"


def test_no_change_is_said_in_the_figure() -> None:
    """Bars of no length say less than words."""
    same = [cell("/a", 100, 11.1), cell("/b", 50, 3.3)]
    figure = contributions_figure(explain([data(AFTER, *same)], [data(BEFORE, *same)], RESULT))
    assert figure.layout.annotations[0].text == "the mean did not change"


def test_an_unknown_measure_names_those_that_there_are() -> None:
    """A slip of the pen is answered with what to write."""
    with pytest.raises(UsageError, match="there are mean_ms, beyond_p95, error_rate"):
        contributions_figure(SMALL, "p95_ms")


def test_the_table_is_bounded() -> None:
    """It says how many rows there are besides."""
    assert "Mean, by endpoint: 10 of 60 rows" in explanation_html(LARGE)
