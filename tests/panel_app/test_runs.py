from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from html import unescape
from urllib.parse import parse_qs

import pytest

import ator_lib as ator
from panel_app.pages.runs import MOST_SELECTED, PAGE, RunsPage
from panel_app.runs_table import CHOSEN, ORDERS
from tests.panel_app.conftest import RUNNER, VIEWER, refreshed, shown
from tests.support.histories import add_history, add_run

ODD = "<b>“é”\U0001f600</b>&\"'" + "x" * 450


def runs_page(ws: ator.Workspace, query: str = "?", visitor: object = RUNNER) -> RunsPage:
    """Open the page of runs at that query."""
    return refreshed(RunsPage(ws, visitor), query)  # type: ignore[arg-type]  # any visitor


def listed(page: RunsPage) -> list[int]:
    """Give the ids of the runs in the table, from top to bottom."""
    return [int(run_id) for run_id in re.findall(r'<tr id="run-(\d+)"', shown(page))]


def links(page: RunsPage, text: str) -> list[str]:
    """Give where the links with that text or label lead."""
    found = re.findall(r'<a ([^>]*href="[^"]*"[^>]*)>(.*?)</a>', shown(page), re.DOTALL)
    plain = [(unescape(attributes), unescape(re.sub("<[^>]*>", "", words)).strip()) for attributes, words in found]
    hits = [attributes for attributes, words in plain if text == words or f'aria-label="{text}"' in attributes]
    return [match[1] for attributes in hits if (match := re.search('href="([^"]*)"', attributes))]


def two_runs(ws: ator.Workspace, **differing: Sequence[object]) -> None:
    """Add runs 1 and 2 that differ in these columns."""
    add_history(ws.parts.engine, [100.0, 600.0], **{name: list(values) for name, values in differing.items()})


# --- the table ---


def test_runs_stand_newest_first_with_their_figures(ws: ator.Workspace) -> None:
    """Each row leads to its run and tells how it went."""
    two_runs(ws)
    page = runs_page(ws)
    first = shown(page).split('<tr id="run-2"')[1].split("</tr>")[0]

    assert listed(page) == [2, 1]
    assert '<a href="/run?run_id=2">Run 2</a>' in first
    assert all(f">{value}<" in first for value in ("checkout", "600", "success"))


def test_every_order_is_offered_and_holds(ws: ator.Workspace) -> None:
    """What stands above a column sorts by it; numbers begin with the highest."""
    two_runs(ws, stream=("b", "a"))

    assert links(runs_page(ws), "p95, ms") == ["?order=-p95_ms"]
    assert listed(runs_page(ws, "?order=p95_ms")) == [1, 2]
    assert listed(runs_page(ws, "?order=stream")) == [2, 1]
    assert [len(ws.history(order=order)) for order in ORDERS] == [2] * len(ORDERS)


def test_columns_can_be_chosen(ws: ator.Workspace) -> None:
    """Those that are ticked are shown, in their own order, and the run always is."""
    two_runs(ws, environment=("staging", "prod"))
    everything = "&".join(f"columns={column.key}" for column in CHOSEN)
    html = shown(runs_page(ws, f"?{everything}"))

    assert "staging" not in shown(runs_page(ws, "?columns=tool")).split("<tbody>")[1]
    assert [html.split("<thead>")[1].count(f">{column.heading}<") for column in CHOSEN] == [1] * len(CHOSEN)


def test_a_page_has_fifty_runs_and_leads_to_the_others(ws: ator.Workspace) -> None:
    """First, previous, next and last page are links; the state else stays."""
    add_history(ws.parts.engine, [1.0] * (2 * PAGE + 1))
    page = runs_page(ws, f"?order=run_id&offset={PAGE}")

    assert listed(page) == list(range(PAGE + 1, 2 * PAGE + 1))
    assert "51–100 of 101" in shown(page)
    assert links(page, "First page")[0] == links(page, "Previous page")[0] == "?order=run_id"
    assert links(page, "Next page")[0] == links(page, "Last page")[0] == "?order=run_id&offset=100"
    assert links(page, "p95, ms") == ["?order=-p95_ms"]  # another order begins with its first page


def test_page_beyond_the_last_run_leads_back(ws: ator.Workspace) -> None:
    """Runs may have been deleted since the link was made."""
    two_runs(ws)
    page = runs_page(ws, "?offset=500")

    assert links(page, "Go to the last page") == ["?"]


def test_empty_workspace_says_what_to_do_next(ws: ator.Workspace) -> None:
    """Without runs the page names the commands that make some, and where to upload."""
    page = runs_page(ws)

    assert "There are no runs yet." in shown(page)
    assert links(page, "upload a result file") == ["/upload"]


def test_odd_names_are_shown_as_they_are(ws: ator.Workspace) -> None:
    """HTML and emoji are text, and a long name has its whole self as a title."""
    two_runs(ws, test=(ODD, "checkout"), stream=("main", ODD))
    ws.baselines.pin(ODD[:100], 1)
    html = shown(runs_page(ws, f"?test={ODD[:3]}%25"))

    assert "<b>" not in html
    assert html.count(unescape(ODD[:3]).replace("<", "&lt;").replace(">", "&gt;")) > 1


def test_only_web_addresses_become_links(ws: ator.Workspace) -> None:
    """A dashboard's address comes from whoever registered the run."""
    two_runs(ws, dashboard_url=("javascript:alert(1)", "https://example.org/d"))
    html = shown(runs_page(ws, "?columns=dashboard_url"))

    assert 'href="https://example.org/d"' in html
    assert "javascript" not in html


# --- choosing runs ---


def test_two_selected_runs_are_compared_with_the_oldest_as_baseline(ws: ator.Workspace) -> None:
    """Whatever the order in which they were chosen."""
    two_runs(ws)
    page = runs_page(ws, "?selected=1&selected=2")

    assert links(page, "Compare 2 runs") == ["/compare?run=2&baseline=1"]
    assert "Run 1, the oldest, is the baseline." in shown(page)
    assert links(page, "Clear") == ["?"]


def test_many_selected_runs_are_each_compared_with_the_oldest(ws: ator.Workspace) -> None:
    """There is no cap of five or ten."""
    page = add_history(ws.parts.engine, [1.0] * 20) and runs_page(
        ws, "?" + "&".join(f"selected={n}" for n in range(1, 21))
    )
    asked = parse_qs(links(page, "Compare 20 runs")[0].removeprefix("/compare?"))

    assert (asked["baseline"], len(asked["run"]), asked["each"]) == (["1"], 19, ["1"])


def test_selection_outlives_pages_and_filters(ws: ator.Workspace) -> None:
    """Runs that are not on the page stand in the form of those that are."""
    two_runs(ws, stream=("main", "feature"))
    page = runs_page(ws, "?stream=main&selected=2")
    form = shown(page).split('aria-label="Selection">')[1]

    assert listed(page) == [1]
    assert '<input type="hidden" name="selected" value="2">' in form
    assert '<input type="hidden" name="stream" value="main">' in form
    assert links(page, "Select this page") == ["?stream=main&selected=2&selected=1"]
    assert links(page, "Remove the filter Stream") == ["?selected=2"]


def test_a_full_selection_says_so(ws: ator.Workspace) -> None:
    """All of it stands in the address, so there is an end."""
    two_runs(ws)
    page = runs_page(ws, "?" + "&".join(f"selected={n}" for n in range(2, MOST_SELECTED + 2)))

    assert "More cannot be selected." in shown(page)
    assert 'value="1" aria-label="Select run 1" disabled' in shown(page)
    assert 'value="2" aria-label="Select run 2" checked' in shown(page)


# --- what can be done ---


def test_runners_can_cancel_and_pin(ws: ator.Workspace) -> None:
    """A run that has not ended can be cancelled, one with results pinned under its test's name; all by doors."""
    two_runs(ws)
    running = ws.register(test="checkout")
    html = shown(runs_page(ws))

    assert f'data-post="/cancel" data-body=\'{{"run_id": {running.run_id}}}\'' in html
    assert html.count('data-post="/baselines/{answer}" data-method="PUT"') == 2
    assert 'data-answer="checkout"' in html


def test_pinned_runs_say_so_and_can_be_unpinned(ws: ator.Workspace) -> None:
    """The name of the baseline stands beside the run; any name makes a working door."""
    two_runs(ws)
    ws.baselines.pin("a/b c?é", 1)
    html = shown(runs_page(ws))

    assert '<span class="cut">a/b c?é</span>' in html
    assert 'data-post="/baselines/a%2Fb%20c%3F%C3%A9" data-method="DELETE"' in html


def test_viewers_are_offered_no_change(ws: ator.Workspace) -> None:
    """They see which runs are pinned, and can compare."""
    two_runs(ws)
    ws.register()
    ws.baselines.pin("release", 1)
    html = shown(runs_page(ws, visitor=VIEWER))

    assert "release" in html
    assert "data-post" not in html
    assert 'name="selected"' in html


def test_page_is_live_while_there_may_be_news(ws: ator.Workspace) -> None:
    """The newest runs change, and those that run; what has ended does not."""
    two_runs(ws)

    assert runs_page(ws).is_live
    assert not runs_page(ws, "?order=p95_ms").is_live
    ws.register()
    assert runs_page(ws, "?order=p95_ms").is_live


def test_open_page_follows_what_changes(ws: ator.Workspace) -> None:
    """Be it the runs, their pins, or what is chosen of the same runs."""
    two_runs(ws)
    page = runs_page(ws)
    ws.baselines.pin("release", 1)
    pinned = shown(refreshed(page))
    chosen = shown(refreshed(page, "?selected=1"))
    ws.register()

    assert "release" in pinned
    assert "1 selected" in chosen
    assert listed(refreshed(page)) == [3, 2, 1]


def test_running_run_tells_how_long_it_has_been_running(ws: ator.Workspace) -> None:
    """Its duration counts until now."""
    began = datetime.now(UTC) - timedelta(minutes=5)
    add_run(ws.parts.engine, {}, status="running", start_time=began, tool=None)

    assert ">5 min 0" in shown(runs_page(ws))


# --- the code ---


@pytest.mark.parametrize(
    "query",
    ["?", "?test=check%25&status=success&order=-p95_ms", "?attribute=build=7&offset=1", "?p95_ms=200..&tag=a,b"],
)
def test_code_gives_the_runs_that_are_shown(ws: ator.Workspace, query: str) -> None:
    """The lines run as they are, and find the same."""
    two_runs(ws, attributes=({"build": 7, "tags": ["a", "b"]}, {"build": "7", "tags": ["b", "a"]}))
    page = runs_page(ws, query)
    *_, counting, listing = page.code(page.read()).splitlines()

    assert list(eval(listing, {"ws": ws}).run_id) == listed(page)
    assert f"of {eval(counting, {'ws': ws})}" in shown(page)
