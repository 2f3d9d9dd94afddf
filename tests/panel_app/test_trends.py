from __future__ import annotations

import json
import re
import shutil
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

import ator_lib as ator
from ator_lib.analysis.trend.query import TREND_METRICS
from panel_app.chart import Chart
from panel_app.fragment import Fragment
from panel_app.metrics import FOLLOWED
from panel_app.page import Visitor
from panel_app.pages.trends import TrendsPage
from panel_app.trend_view import TrendAnswer
from tests.panel_app.conftest import RUNNER, VIEWER, refreshed, shown
from tests.support.histories import START, add_history, add_run

EVIL = "<b>cart</b> 🛒" + "x" * 400


@pytest.fixture(scope="module")
def history_data(empty_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make the data folder of 20 runs of a test, the endpoint slower from run 11 on, with another commit."""
    folder = shutil.copytree(empty_template, tmp_path_factory.mktemp("history") / "data")
    commits = [{"git_commit": "new" if run >= 10 else "old"} for run in range(20)]
    workspace = ator.connect(folder)
    add_history(workspace.parts.engine, steps(20, 10), attributes=commits, stream="main", location="lab-1")
    workspace.parts.engine.dispose()
    return folder


@pytest.fixture
def ws(history_data: Path, tmp_path: Path) -> Iterator[ator.Workspace]:
    """Return a workspace of its own with these runs."""
    workspace = ator.connect(shutil.copytree(history_data, tmp_path / "data"))
    yield workspace
    workspace.parts.engine.dispose()


def steps(runs: int, half: int) -> list[float]:
    """Give figures that are half as high again from a run on, with a little noise."""
    return [(150 if run >= half else 100) + run % 3 for run in range(runs)]


def opened(workspace: ator.Workspace, query: str = "?test=checkout", visitor: Visitor = VIEWER) -> TrendsPage:
    """Give the page at that query."""
    return refreshed(TrendsPage(workspace, visitor), query)


def card(page: TrendsPage, label: str) -> str:
    """Give the HTML of the card of that label; empty if it is not shown."""
    cards = [one.html for one in page.__panel__().select(Fragment) if f'aria-label="{label}"' in one.html]
    return cards[0] if cards else ""


def figure(page: TrendsPage) -> dict[str, Any]:
    """Give what is drawn."""
    (chart,) = page.__panel__().select(Chart)
    return json.loads(chart.figure) if chart.figure else {}


def panels(page: TrendsPage) -> list[str]:
    """Give the headings of the panels that are drawn."""
    return [note["text"] for note in figure(page)["layout"]["annotations"]]


def click(page: TrendsPage, data: Any) -> None:
    """Click on a point that carries this."""
    (chart,) = page.__panel__().select(Chart)
    chart._handle_msg({"click": data})


def test_without_a_test_there_are_tests_to_choose_from(ws: ator.Workspace) -> None:
    """Each with the number of its runs and its latest verdict; what ran last comes first."""
    add_run(ws.parts.engine, {(None, None): 1.0}, number=30, test=EVIL)
    add_run(ws.parts.engine, {}, number=31, test="running", status="running")

    html = card(opened(ws, "?"), "Tests")

    assert re.findall(r'data-view>([^<]*)</a></td>\s*<td data-label="Runs" class="n">(\d+)', html) == [
        (EVIL.replace("<", "&lt;").replace(">", "&gt;"), "1"),
        ("checkout", "20"),
    ]
    assert "<b>cart" not in html


def test_the_latest_verdict_of_a_test_stands_beside_it(ws: ator.Workspace) -> None:
    """With its run."""
    ws.verdict(20)

    html = card(opened(ws, "?"), "Tests")
    assert '<a href="/run?run_id=20">Run 20</a>' in html


def test_an_empty_workspace_says_what_to_do(empty_template: Path, tmp_path: Path) -> None:
    """There is no test yet."""
    empty = ator.connect(shutil.copytree(empty_template, tmp_path / "empty"))

    assert "No test has a run that has ended." in shown(opened(empty, "?"))
    empty.parts.engine.dispose()


def test_a_trend_says_since_when_and_what_differs(ws: ator.Workspace) -> None:
    """The verdict and its sentence, and each change with its runs and a way to their comparison."""
    page = opened(ws)

    html = shown(page)
    assert "<h1>Trend of checkout</h1>" in html
    assert '<span class="badge regressed">regressed</span>' in html
    assert "GET /a p95 regressed at run 11" in html
    changes = card(page, "Changes")
    assert '<a href="/run?run_id=11">Run 11</a>' in changes
    assert '<a href="/compare?run=11&amp;baseline=10">Compare with run 10</a>' in changes
    assert "101 ms → 151 ms" in changes
    assert "git_commit old → new" in changes
    assert panels(page) == ["<b>GET /a</b>"]


def test_a_steady_test_has_no_change(ws: ator.Workspace) -> None:
    """That is said, with what it means."""
    assert "No level changed." in card(opened(ws, "?test=checkout&last=9"), "Changes")


@pytest.mark.parametrize("data", [11, ["words", 11, 10]])
def test_a_click_on_a_point_shows_its_run(ws: ator.Workspace, data: Any) -> None:
    """A run, or the change that begins with it: its figures, and the way to it and to its comparison."""
    page = opened(ws)
    click(page, data)
    refreshed(page, page.query)

    html = card(page, "Chosen run")
    assert page.query == "?test=checkout&point=11"
    assert "151 ms" in html
    assert '<a class="action main" href="/run?run_id=11">Open run 11</a>' in html
    assert '<a class="action" href="/compare?run=11&amp;baseline=10">' in html


@pytest.mark.parametrize("data", [None, "words", ["words"], {}])
def test_a_click_on_what_is_no_run_shows_nothing(ws: ator.Workspace, data: Any) -> None:
    """Lines and levels carry none."""
    page = TrendsPage(ws, VIEWER, test="checkout")
    click(page, data)

    assert page.point == 0


def test_the_points_of_the_figure_carry_their_runs(ws: ator.Workspace) -> None:
    """So that a click tells which one it was."""
    changes = [trace for trace in figure(opened(ws))["data"] if trace["name"] == "regressed"]

    assert [data[1:] for trace in changes for data in trace["customdata"]] == [[11, 10]]


def test_what_is_below_a_figure_keeps_its_place_without_the_title(ws: ator.Workspace) -> None:
    """The page has the title: the figure is less high by its room, so that the legend is not moved out of it."""
    made = ws.trend("checkout").figure().layout
    drawn = figure(opened(ws))["layout"]

    assert "title" not in drawn or not drawn["title"]
    assert drawn["height"] - drawn["margin"]["t"] == made.height - made.margin.t
    assert drawn["margin"]["t"] < made.margin.t


@pytest.mark.parametrize("point", [1, 4711])
def test_a_first_run_has_none_before_and_an_unknown_one_is_not_shown(ws: ator.Workspace, point: int) -> None:
    """Links may be old."""
    html = card(opened(ws, f"?test=checkout&point={point}"), "Chosen run")

    assert ("Open run 1" in html) == (point == 1)
    assert "Compare with" not in html


def test_marks_are_shown_and_set_and_removed_by_who_may_change_runs(ws: ator.Workspace) -> None:
    """A viewer sees them only."""
    ws.annotate(11, "new <b>database</b>", resets=True)
    seen, changed = (opened(ws, "?test=checkout&point=11", who) for who in (VIEWER, RUNNER))

    assert "new &lt;b&gt;database&lt;/b&gt;" in card(seen, "Marks")
    assert 'data-post="/annotations/1" data-method="DELETE"' in card(changed, "Marks")
    assert 'data-send="/runs/11/annotations"' in card(changed, "Chosen run")
    assert "data-post" not in shown(seen)
    assert "data-send" not in shown(seen)
    assert "“new &lt;b&gt;database&lt;/b&gt;”" in card(seen, "Changes")


def test_lines_are_chosen(ws: ator.Workspace) -> None:
    """Of many, those that somebody wants to see; names that are not there are ignored."""
    for number in range(20, 28):
        add_run(ws.parts.engine, {(f"/{name}", "GET"): 10.0 + number for name in "abc"}, number)

    page = opened(ws, "?test=checkout&series=GET+%2Fb&series=GET+%2Fnope")
    assert panels(page) == ["<b>GET /b</b>"]
    assert "1 of 3 lines" in shown(page)
    assert "GET /a" not in card(page, "Changes")


def test_a_range_is_chosen_by_days(ws: ator.Workspace) -> None:
    """The last day is included; a range from today on has a name of its own."""
    day = (START + timedelta(days=11)).strftime("%Y-%m-%d")

    page = opened(ws, f"?test=checkout&since=2026-01-03&until={day}")
    assert "p95 over 10 runs" in shown(page)

    today = datetime.now(UTC)
    add_run(ws.parts.engine, {("/a", "GET"): 1.0, (None, None): 1.0}, (today - START).days - 3)
    page = opened(ws, "?test=checkout&days=7")
    assert "p95 over 1 run<" in shown(page)
    assert 'aria-current="true">7 days</a>' in shown(page)


def test_the_form_keeps_what_it_does_not_show(ws: ator.Workspace) -> None:
    """What is as by default is sent as nothing."""
    html = card(opened(ws, "?test=checkout&point=11&days=100&by=total"), "What is followed")

    assert '<input type="hidden" name="point" value="11">' in html
    assert '<input type="hidden" name="days" value="100">' in html
    assert '<option value="" selected>p95</option>' in html
    assert 'name="by" list="groups" value="total"' in html
    assert '<option value="lab-1"></option>' in html


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("test=chekout", "did you mean &#39;checkout&#39;?"),
        ("test=checkout&stream=%3Cb%3E", "stream=&#39;&lt;b&gt;&#39;; its streams are main"),
        ("test=checkout&by=nothing", "by=&#39;nothing&#39; tells no runs apart"),
        ("test=checkout&minimum_effect=much", "minimum_effect is no number"),
        ("test=checkout&minimum_effect=-1", "minimum_effect=-1.0 is not possible"),
        ("test=checkout&metric=throughput_rps", "none has a figure throughput_rps"),
        ("test=checkout&until=9999-12-31&since=9999-12-31", "ask for fewer of these"),
    ],
)
def test_what_has_no_trend_is_said_below_the_form(ws: ator.Workspace, query: str, words: str) -> None:
    """With the library's sentence; nothing of an earlier trend is left."""
    page = opened(ws)
    refreshed(page, f"?{query}")

    assert words in card(page, "No trend")
    assert 'id="test"' in shown(page)
    assert card(page, "Changes") == ""
    assert figure(page) == {}


@pytest.mark.parametrize(
    "query",
    [
        "test=checkout",
        "test=checkout&metric=mean_ms&by=git_commit&stream=main&last=15&minimum_effect=0.01&series=new",
        "test=checkout&since=2026-01-03&until=2026-01-12&by=total&days=7",
    ],
)
def test_the_code_gives_the_same_in_a_notebook(ws: ator.Workspace, query: str) -> None:
    """The same runs, answer and changes."""
    page = opened(ws, f"?{query}")
    names = executed(page)

    answer = page.read()
    assert isinstance(answer, TrendAnswer)
    assert names["trend"].parameters == answer.found.trend.parameters
    assert names["trend"].headline == answer.found.trend.headline


def test_the_code_lists_the_tests(ws: ator.Workspace) -> None:
    """As they are shown."""
    assert executed(opened(ws, "?"))["tests"] == {"checkout": 20}


def executed(page: TrendsPage) -> dict[str, Any]:
    """Execute the code for this view, and give its names."""
    names: dict[str, Any] = {}
    (lines,) = re.findall(r"<code>(import ator_lib.*?)</code>", page._code.html, re.DOTALL)
    exec(lines.replace("&#39;", "'").replace("&#34;", '"'), names)
    names["ws"].parts.engine.dispose()
    return names


def test_a_trend_is_shared_until_there_is_a_run_or_a_mark_more(ws: ator.Workspace) -> None:
    """So that a page that stays open is up to date, and costs little."""

    def followed() -> object:
        answer = TrendsPage(ws, VIEWER, test="checkout", by="total").read()
        assert isinstance(answer, TrendAnswer)
        return answer.found

    first = followed()
    assert followed() is first

    add_run(ws.parts.engine, {("/a", "GET"): 150.0, (None, None): 150.0}, 20)
    second = followed()
    assert second is not first

    ws.annotate(3, "odd", resets=False)
    assert followed() is not second


def test_all_figures_of_runs_can_be_followed() -> None:
    """The page knows what the library follows."""
    assert FOLLOWED.keys() == set(TREND_METRICS)
