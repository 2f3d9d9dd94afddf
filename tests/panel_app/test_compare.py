from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import panel as pn
import pytest

import ator_lib as ator
from panel_app.chart import Chart
from panel_app.compare_view import Answer
from panel_app.pages.compare import ComparePage
from tests.panel_app.conftest import VIEWER, refreshed, shown
from tests.support.shop_runs import ingest_shop_runs

EVIL = "/<b>cart</b>🛒" + "x" * 500


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ator.Workspace]:
    """Give a workspace with the runs 1 to 8 of a shop, its search slower from run 6 on, and run 9 of another test."""
    workspace = ator.connect(tmp_path_factory.mktemp("shop") / "data")
    files = tmp_path_factory.mktemp("files")
    ingest_shop_runs(workspace, files)
    (files / "other.csv").write_text(
        "started_at,duration_ms,name,success\n"
        + "".join(f"2026-04-01T00:00:{n % 60:02d}Z,{10 + n % 7},{EVIL},true\n" for n in range(600))
    )
    workspace.ingest(files / "other.csv", test="cart", stream="main", location="lab-1")
    yield workspace
    workspace.parts.engine.dispose()


@pytest.fixture(autouse=True, scope="module")
def nothing_shared() -> Iterator[None]:
    """Let these tests share comparisons, as sessions do."""
    yield
    pn.state.cache.clear()


def opened(workspace: ator.Workspace, query: str) -> ComparePage:
    """Give the page at that query, as a viewer sees it in the end."""
    return refreshed(ComparePage(workspace, VIEWER), query)


def answered(workspace: ator.Workspace, query: str) -> ComparePage:
    """Give the page at that query, as a viewer sees it before the figures are drawn."""
    page = ComparePage(workspace, VIEWER)
    page.go(query)
    page.display(page.read())
    return page


def table_of(html: str) -> list[list[str]]:
    """Give the texts of the rows of the table of changes."""
    (table,) = re.findall(r'<table class="changes[^"]*">(.*?)</table>', html, re.DOTALL)
    rows = re.findall(r"<tr[^>]*>(.*?)</tr>", table, re.DOTALL)[1:]
    return [[plain(cell) for cell in re.findall(r"<td[^>]*>(.*?)</td>", row, re.DOTALL)] for row in rows]


def plain(html: str) -> str:
    """Give what is read of HTML."""
    return " ".join(re.sub(r"<[^>]+>", "", html).split())


def titles(page: ComparePage) -> list[str]:
    """Give the headings of the cards that are shown, from top to bottom."""
    return [plain(title) for title in re.findall(r"<h2>(.*?)</h2>", shown(page))]


def charts(page: ComparePage) -> list[str]:
    """Give the labels of the charts that draw something."""
    return [chart.label for chart in page.__panel__().select(Chart) if chart.figure]


def code_of(page: ComparePage) -> dict[str, Any]:
    """Execute the code for this view, and give its names."""
    names: dict[str, Any] = {}
    (lines,) = re.findall(r"<code>(import ator_lib.*?)</code>", page._code.html, re.DOTALL)
    exec(lines.replace("&#39;", "'").replace("&gt;", ">"), names)
    names["ws"].parts.engine.dispose()
    return names


def test_the_answer_comes_first_then_whether_the_runs_may_be_compared(shop: ator.Workspace) -> None:
    """Verdict and sentence, checks, verdicts by endpoint, figures, notes."""
    page = opened(shop, "?run=8&baseline=5")

    html = shown(page)
    assert "<h1>Run 8 against run 5</h1>" in html
    assert '<span class="badge regressed">regressed</span>' in html
    assert "GET /search mean +5" in html
    assert titles(page)[2:5] == ["May they be compared?", "Verdicts", "Changes"]
    assert charts(page) == ["Changes with their intervals", "Latency distributions of both sides"]
    assert "How far this carries" in html
    assert not page.is_live


def test_the_verdicts_do_not_wait_for_the_figures(shop: ator.Workspace) -> None:
    """Nor do figures of another comparison stay below them; those of the same one do."""
    page = answered(shop, "?run=8&baseline=5")
    assert titles(page)[2:4] == ["May they be compared?", "Verdicts"]
    assert charts(page) == []

    refreshed(page, "?run=8&baseline=5")
    page.go("?run=8&baseline=5&search=orders")
    page.display(page.read())
    assert len(charts(page)) == 2

    page.go("?run=8&baseline=4")
    page.display(page.read())
    assert charts(page) == []


def test_checks_that_failed_are_open_and_the_others_are_folded(shop: ator.Workspace) -> None:
    """The reader sees at once what stands against a comparison."""
    html = shown(answered(shop, "?run=8&baseline=5")).partition("May they be compared?")[2]

    before_folded, _, folded = html.partition("</section>")[0].partition("<details")
    assert "1 of 26 checks failed" in before_folded
    assert "Synthetic data" in before_folded
    assert "checks passed</summary>" in folded
    assert "could not be checked</summary>" in folded


def test_a_check_that_forbids_a_verdict_can_be_waived_and_counts_again(shop: ator.Workspace) -> None:
    """By a link that makes it a part of the address."""
    refused = shown(answered(shop, "?run=9&baseline=8"))
    assert '<span class="badge not-comparable">' in refused
    waive = re.search(r'href="(\?[^"]*waive=test[^"]*)"[^>]*>Compare all the same', refused)
    assert waive is not None

    waived = shown(answered(shop, waive[1].replace("&amp;", "&")))
    assert "Checks that may fail: test." in waived
    assert '<span class="unseen">waived: </span>' in waived


def test_without_a_baseline_it_is_the_run_before_which_link_and_report_name(shop: ator.Workspace) -> None:
    """What is shared means the same tomorrow."""
    html = shown(answered(shop, "?run=8"))

    assert "<h1>Run 8 against run 7</h1>" in html
    assert 'data-copy="/compare?run=8&amp;baseline=7"' in html
    assert 'href="/compare/report?contender=8&amp;baseline=7"' in html


def test_the_baseline_may_be_a_search(shop: ator.Workspace) -> None:
    """As ``ws.compare`` takes it."""
    assert "<h1>Run 8 against runs 7, 6, 5</h1>" in shown(answered(shop, "?run=8&baseline=previous:3"))


def test_the_table_has_a_row_per_endpoint_and_a_change_per_metric(shop: ator.Workspace) -> None:
    """What needs eyes is on top, below the whole run; signs say what colours say."""
    rows = table_of(shown(answered(shop, "?run=8&baseline=5")))

    assert [row[0] for row in rows] == ["All requests", "GET /search", "GET /orders", "GET /products"]
    assert rows[1][1] == "regressed"
    assert rows[1][2].startswith("◆ regressed +5")
    assert rows[2][1] == "not enough evidence"
    assert not rows[2][2].startswith("◆")


def test_one_metric_is_shown_with_its_figures(shop: ator.Workspace) -> None:
    """Both sides, the change, its interval, and why there is no clearer verdict."""
    rows = table_of(shown(answered(shop, "?run=8&baseline=5&metric=p99_ms")))

    (search,) = [row for row in rows if row[0] == "GET /search"]
    assert [figure.endswith(" ms") for figure in search[2:4]] == [True, True]
    assert search[6] == "800 requests on a side, and p99 needs 1000"


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ("verdict=regressed", ["All requests", "GET /search"]),
        ("search=ORD", ["GET /orders"]),
        ("order=-name", ["All requests", "GET /search", "GET /products", "GET /orders"]),
        ("order=-p95_ms", ["All requests", "GET /search"]),
        ("metric=p95_ms&order=-contender", ["All requests", "GET /search", "GET /orders", "GET /products"]),
        ("metric=p95_ms&order=p50_ms", ["All requests", "GET /search"]),
    ],
)
def test_the_table_is_filtered_and_sorted(shop: ator.Workspace, query: str, names: list[str]) -> None:
    """By verdict, by a part of the name, by any column; a column that is not there is no order."""
    rows = table_of(shown(answered(shop, f"?run=8&baseline=5&{query}")))

    assert [row[0] for row in rows][: len(names)] == names


def test_a_filter_that_matches_nothing_can_be_undone(shop: ator.Workspace) -> None:
    """The empty table says how."""
    html = shown(answered(shop, "?run=8&baseline=5&search=%F0%9F%98%80"))

    assert "No endpoint matches." in html
    assert '<a href="?run=8&amp;baseline=5" data-view>Show all 4</a>' in html


def test_several_runs_are_one_side_or_each_by_itself(shop: ator.Workspace) -> None:
    """Beside each other they are a table with a column per run, each cell coloured by its own verdict."""
    together = opened(shop, "?run=8&run=7&baseline=5&baseline=4")
    assert "<h1>Runs 8, 7 against runs 5, 4</h1>" in shown(together)

    each = opened(shop, "?run=5&run=6&run=7&baseline=4&each=1")
    html = shown(each)
    assert "<h1>3 runs side by side</h1>" in html
    (search,) = [row for row in table_of(html) if row[0] == "GET /search"]
    assert [cell.startswith("◆") for cell in search[1:]] == [False, True, True]
    assert 'href="?run=6&amp;baseline=4"' in html
    assert charts(each) == ["Changes with their intervals"]
    assert "May they be compared?" not in html


def test_side_by_side_without_a_baseline_the_first_run_is_it(shop: ator.Workspace) -> None:
    """As ``ws.side_by_side`` has it."""
    html = shown(answered(shop, "?run=1&run=7&each=1"))

    assert "<h1>2 runs side by side</h1>" in html
    contenders, _, baseline = html.partition("<h2>Baseline</h2>")
    assert "Run 7</a>" in contenders
    assert "Run 1</a>" in baseline.partition("</div>")[0]


def test_a_change_is_taken_apart_when_somebody_asks(shop: ator.Workspace) -> None:
    """It reads the runs once more, so it waits for a click."""
    assert "Take the change apart" in shown(opened(shop, "?run=8&baseline=5"))

    page = opened(shop, "?run=8&baseline=5&explain=1")
    assert charts(page)[-1] == "What the change is made of"
    assert "<summary>By endpoint</summary>" in shown(page)
    assert "GET /search" in shown(page).partition("By endpoint</summary>")[2]


def test_distributions_of_chosen_endpoints_are_drawn(shop: ator.Workspace) -> None:
    """By default as the library orders them."""
    page = opened(shop, "?run=8&baseline=5&endpoint=GET+%2Forders")

    (chart,) = [chart for chart in page.__panel__().select(Chart) if chart.label.startswith("Latency")]
    assert [note["text"] for note in json.loads(chart.figure)["layout"]["annotations"]] == ["GET /orders"]
    assert "1 of 4 endpoints" in shown(page)


def test_options_decide(shop: ator.Workspace) -> None:
    """A larger smallest effect is another answer; the card says what is not as by default."""
    html = shown(answered(shop, "?run=8&baseline=5&minimum_effect=0.9"))

    assert '<span class="badge regressed">regressed</span> GET' not in html
    assert '<h1>Run 8 against run 5</h1><span><span class="badge regressed' not in html
    assert "How it is decided: minimum effect</summary>" in html
    assert "/compare/report" not in html  # a report has the default options


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("run=4711", "there is no run 4711"),
        ("run=99999999999999999999999999", "there is no run 9999"),
        ("run=8&baseline=8", "run 8 is named twice"),
        ("run=8&baseline=nope", "there is no baseline &#39;nope&#39;"),
        ("run=1", "No run with requests before run 1"),
        ("run=8&minimum_effect=much", "minimum_effect is &#39;much&#39;, which is no number"),
        ("run=8&warm_up=-1", "warm_up is -1.0"),
        ("run=8&waive=%3Cb%3E", "o check is called &lt;b&gt;"),
        ("run=8&mapping=a", "mapping is &#39;a&#39;: write NAME -&gt; VALUE"),
        ("run=8&endpoint=%2Fnope", "o endpoint /nope is compared"),
    ],
)
def test_what_cannot_be_compared_is_said_beside_the_runs_to_choose_from(
    shop: ator.Workspace, query: str, words: str
) -> None:
    """With the library's sentence, and the chosen runs still ticked."""
    page = opened(shop, f"?{query}")

    html = shown(page)
    assert words.lower() in html.lower()
    assert "<h1>Compare runs</h1>" in html
    assert 'aria-label="Run 7 is a contender"' in html
    assert charts(page) == []


def test_runs_are_chosen_from_the_latest_of_a_test(shop: ator.Workspace) -> None:
    """Those that are chosen already are ticked, and stay in the list."""
    html = shown(answered(shop, "?choose=1&run=8&baseline=5&test=cart"))

    assert re.findall(r'name="run" value="(\d+)"[^>]* checked', html) == ["8"]
    assert re.findall(r'name="baseline" value="(\d+)"[^>]* checked', html) == ["5"]
    assert re.findall(r'type="checkbox" name="run" value="(\d+)"', html) == ["8", "5", "9"]
    assert '<input type="hidden" name="run" value="8">' in html


def test_names_are_no_markup(shop: ator.Workspace) -> None:
    """An endpoint of 500 letters with HTML in its name is text."""
    html = shown(answered(shop, "?run=9&baseline=8&search=cart"))

    assert "&lt;b&gt;cart&lt;/b&gt;🛒xxx" in html
    assert "<b>cart" not in html


@pytest.mark.parametrize(
    "query",
    [
        "run=8&baseline=5&metric=p95_ms&verdict=no+change&explain=1&endpoint=total&minimum_effect=0.9",
        "run=6&run=7&each=1&baseline=4&search=sea",
    ],
)
def test_the_code_gives_the_same_in_a_notebook(shop: ator.Workspace, query: str) -> None:
    """With the filters of the view."""
    page = opened(shop, f"?{query}")
    names = code_of(page)

    rows = table_of(shown(page))
    table = names["table"]
    assert table.groupby(["scope", "name", "method"], dropna=False).ngroups == len(rows)
    if "each" in names:
        assert names["each"].verdicts == {6: "regressed", 7: "regressed"}
    else:
        assert names["comparison"].headline.partition(": ")[2][1:] in shown(page)
        assert names["comparison"].verdict in shown(page)


def test_sessions_share_a_comparison(shop: ator.Workspace) -> None:
    """Results never change, so whoever asks for the same gets the same, whatever is filtered."""
    one, other, another = (
        ComparePage(shop, VIEWER, run=[8], baseline=["5"], **state)
        for state in ({}, {"metric": "p95_ms", "order": "name"}, {"minimum_effect": "0.9"})
    )
    found = [answer.found for page in (one, other, another) if isinstance(answer := page.read(), Answer)]

    assert found[0] is found[1]
    assert found[0] is not found[2]
