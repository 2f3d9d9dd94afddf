import pytest

from ator_lib.analysis.verdicts import Verdict
from ator_lib.figures import theme


def test_every_verdict_has_its_own_look():
    """No two verdicts share colour and marker, so that they differ in print as well."""
    looks = [theme.VERDICTS[verdict] for verdict in Verdict]
    assert len({symbol for _, symbol in looks}) == len(Verdict)


def test_baseline_and_contender_differ_for_everybody():
    """Both sides have colours of the Okabe-Ito palette, never the same one."""
    assert {theme.BASELINE, theme.CONTENDER} <= set(theme.LINES)
    assert theme.BASELINE != theme.CONTENDER


def test_names_are_no_markup():
    """A name with a tag in it is shown as it is written."""
    assert theme.short("<b>&x</b>") == "&lt;b&gt;&amp;x&lt;/b&gt;"
    figure = theme.empty_figure('<a href="javascript:x">run</a>')
    assert "<a" not in figure.layout.title.text


def test_long_names_are_cut_but_stay_apart():
    """Names that would look the same after the cut keep more of themselves."""
    names = [f"/api/v1/resources/{i}/with/a/long/tail/of/words" for i in range(3)]
    labels = theme.short_labels(names, most=30)
    assert len(set(labels)) == 3
    assert len(theme.short("x" * 100, 30)) == 30


def test_long_titles_are_wrapped():
    """A headline of two lines gets the room of two lines."""
    long = theme.empty_figure("word " * 40)
    assert "<br>" in long.layout.title.text
    assert long.layout.margin.t > theme.empty_figure("word").layout.margin.t


@pytest.mark.parametrize("values", [[0.02, 0.9], [1.0, 1.0], [5, 70_000], [3]])
def test_log_ticks_enclose_the_values(values):
    """There is a tick at or below the smallest value and at or above the largest, and never too many."""
    ticks = theme.log_ticks(values)
    assert ticks[0] <= min(values) <= max(values) <= ticks[-1]
    assert len(ticks) <= 12
