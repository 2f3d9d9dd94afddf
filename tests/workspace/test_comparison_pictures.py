import pytest

from ator_lib.analysis.comparison import CompareOptions, compare
from ator_lib.errors import UsageError
from ator_lib.figures import theme
from ator_lib.workspace.comparison_pictures import draw
from tests.analysis.synthetic import Truth, made_run

TRUTHS = {"/a": Truth(), "/b": Truth(median_ms=60)}
SIDES = ([made_run({**TRUTHS, "/b": Truth(median_ms=120)}, seed=2)], [made_run(TRUTHS, seed=1)])


def headings(figure) -> list[str]:
    return [note.text for note in figure.layout.annotations]


def test_distributions_begin_with_what_needs_eyes():
    """The total, then the endpoint that got slower; what it is of stands above."""
    figure = draw(compare(*SIDES, CompareOptions(replicates=100)), SIDES, "distributions", None)
    assert headings(figure) == ["<b>total</b>", "GET /b", "GET /a"]
    assert figure.layout.title.text == "Latency of synthetic 2 against synthetic 1"


def test_the_caller_chooses_endpoints():
    """By the names that tables have."""
    result = compare(*SIDES, CompareOptions(replicates=100))
    assert headings(draw(result, SIDES, "distributions", ["GET /a"])) == ["GET /a"]
    with pytest.raises(UsageError, match="no endpoint GET /nowhere is compared: there are total, GET /b"):
        draw(result, SIDES, "distributions", ["GET /nowhere"])


def test_changes_are_drawn_of_chosen_endpoints_or_of_those_that_need_eyes():
    """Hundreds would take a browser seconds: the first ones are those that changed."""
    result = compare(*SIDES, CompareOptions(replicates=100))
    assert draw(result, SIDES, "changes", None, 2).layout.yaxis.ticktext == ("<b>total</b>", "GET /b")
    assert draw(result, SIDES, "changes", ["GET /a"]).layout.yaxis.ticktext == ("GET /a",)


def test_renamed_endpoints_lie_over_each_other():
    """The mapping of the comparison is that of its figures."""
    sides = ([made_run({"/v2": Truth()}, seed=2)], [made_run({"/v1": Truth()}, seed=1)])
    options = CompareOptions(replicates=100, mapping={"GET /v1": "GET /v2"})
    figure = draw(compare(*sides, options), sides, "distributions", ["GET /v2"])
    assert {trace.line.color for trace in figure.data if len(trace.y)} == {theme.BASELINE, theme.CONTENDER}


def test_another_kind_is_refused():
    """The message says which there are."""
    with pytest.raises(UsageError, match="there are changes, distributions"):
        draw(compare(*SIDES, CompareOptions(replicates=100)), SIDES, "pie", None)
