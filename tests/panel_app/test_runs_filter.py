from __future__ import annotations

import re
from datetime import timedelta
from decimal import Decimal
from urllib.parse import parse_qs

import pytest

import ator_lib as ator
from panel_app.pages.runs import RunsPage
from panel_app.runs_filter import LABELS, RANGES, TEXTS
from tests.panel_app.conftest import RUNNER, shown
from tests.panel_app.test_runs import links, listed, runs_page, two_runs
from tests.support.histories import START


def found(ws: ator.Workspace, query: str) -> list[int]:
    """Give the ids of the runs that the page at that query has read."""
    page = RunsPage(ws, RUNNER)
    page.go(query)
    return [run["run_id"] for run in page.read().runs]


@pytest.mark.parametrize("name", TEXTS)
def test_each_text_can_be_filtered(ws: ator.Workspace, name: str) -> None:
    """A text is compared as a whole, and % stands for any; its values are suggested."""
    two_runs(ws, **{name: ("some-one", "another")})
    page = runs_page(ws, f"?{name}=some-one")

    assert listed(page) == [1]
    assert found(ws, f"?{name}=%25other") == [2]
    assert found(ws, f"?{name}=some") == []
    assert f'<datalist id="values-{name}"><option value="another"></option><option value="some-one">' in shown(page)
    assert links(page, f"Remove the filter {LABELS[name]}") == ["?"]


def test_each_figure_can_be_filtered(ws: ator.Workspace) -> None:
    """A range takes its least and its most, and one number just that; what has no such figure is in no range."""
    ended = [START + timedelta(minutes=1), START + timedelta(days=1, minutes=10)]
    two_runs(ws, factor=(Decimal("0.2"), Decimal("0.8")), end_time=ended)
    latencies = {f"p{n}_ms": {"200..": [2], "..200": [1], "100..600": [2, 1], "600": [2]} for n in (50, 95, 99)}
    expected = latencies | {
        "factor": {"0.5..": [2], "0.2": [1]},
        "duration_s": {"60": [1], "61..": [2]},
        "requests": {"100": [2, 1], "101..": []},
        "failures": {"..0": [2, 1], "1..": []},
        "throughput_rps": {"0..": []},
        "error_rate": {"0..": []},
    }

    assert set(expected) == set(RANGES)
    assert {name: {one: found(ws, f"?{name}={one}") for one in ranges} for name, ranges in expected.items()} == expected


def test_ranges_are_in_the_units_that_are_shown(ws: ator.Workspace) -> None:
    """An error rate is written in percent, so it is searched in percent."""
    assert runs_page(ws, "?error_rate=1..5").where() == {"error_rate": (0.01, 0.05)}
    assert runs_page(ws, "?p95_ms=200").where() == {"p95_ms": (200, 200)}
    two_runs(ws)
    assert found(ws, "?p95_ms=200..") == [2]
    assert found(ws, "?p95_ms=..200") == [1]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("status=failure", [2]),
        ("status=failure&status=success", [2, 1]),
        ("run_id=1", [1]),
        ("run_id=2,%201,", [2, 1]),
        ("since=2026-01-02", [2]),
        ("until=2026-01-02", [1]),
        ("since=2026-01-01T12:00Z", [2]),
        ("run_id=99999999999999999999", []),
        ("tag=nightly", [2, 1]),
        ("tag=nightly,%20spike", [2]),
        ("tag=,", [2, 1]),
        ("attribute=git_commit=0f3c", [1]),
        ("attribute=build=7", [2, 1]),
        ("attribute=is_release=true", [2]),
        ("attribute=note=a=b", [2]),
        ("attribute=note=%5B1%5D", []),
        ("test=checkout&status=success&p95_ms=..200", [1]),
    ],
)
def test_filters_find(ws: ator.Workspace, query: str, expected: list[int]) -> None:
    """All filters given must hold; a value of an attribute may be kept as a number or as its text."""
    attributes = (
        {"tags": ["nightly"], "git_commit": "0f3c", "build": 7},
        {"tags": ["nightly", "spike"], "build": "7", "is_release": True, "note": "a=b"},
    )
    two_runs(ws, attributes=attributes, status=("success", "failure"))

    assert found(ws, f"?{query}") == expected


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("run_id=seven", "“seven” is no run"),
        ("p95_ms=fast", "p95, ms: “fast” is no range"),
        ("p95_ms=..", "“..” is no range"),
        ("duration_s=nan..", "Duration, s: “nan..” is no range"),
        ("attribute=git_commit", "is no attribute"),
        ("since=tomorrow", "is no time"),
        ("test=%00", "NUL"),
        ("status=nope", "status=nope"),
        ("offset=-1", "offset=-1"),
        ("order=size", "order=size"),
        ("columns=size", "columns=size"),
        ("selected=all", "selected=all"),
    ],
)
def test_what_cannot_be_searched_is_said(ws: ator.Workspace, query: str, words: str) -> None:
    """The form stays, so that it can be put right."""
    two_runs(ws)
    html = shown(runs_page(ws, f"?{query}"))

    assert words in html
    assert "unexpected" not in html
    assert 'name="stream"' in html


def test_no_match_offers_a_wider_search(ws: ator.Workspace) -> None:
    """Texts are compared as a whole, which is not what everybody expects."""
    two_runs(ws)
    page = runs_page(ws, "?test=check&status=failure")

    assert "No run matches these filters." in shown(page)
    assert parse_qs(links(page, "look for them anywhere")[0][1:]) == {"test": ["%check%"], "status": ["failure"]}
    assert links(page, "show all runs") == links(page, "Reset all") == ["?"]


def test_folded_filters_are_open_when_one_of_them_is_set(ws: ator.Workspace) -> None:
    """What filters must be seen."""
    assert '<details class="folded">' in shown(runs_page(ws, "?test=a"))
    assert '<details class="folded" open>' in shown(runs_page(ws, "?p95_ms=1.."))


def test_a_changed_filter_keeps_the_rest_but_the_page(ws: ator.Workspace) -> None:
    """The form of the filters carries order, columns and selection, and begins with the first page."""
    two_runs(ws)
    html = shown(runs_page(ws, "?order=-p95_ms&columns=test&selected=1&offset=0&tag=x"))
    form = html.split('<form data-view aria-label="Filters">')[1].split("</form>")[0]

    assert re.findall('type="hidden" name="(.*?)" value="(.*?)"', form) == [
        ("order", "-p95_ms"),
        ("columns", "test"),
        ("selected", "1"),
    ]


def test_the_address_holds_the_whole_state(ws: ator.Workspace) -> None:
    """A link gives the same view again, whatever is in it."""
    texts = {name: f"%{name} & é%" for name in (*TEXTS, "tag", "attribute", "run_id", "since", "until", *RANGES)}
    page = RunsPage(ws, RUNNER, **texts, status=["failure"], selected=[3, 1], columns=["lac"], offset=50, order="-test")
    again = RunsPage(ws, RUNNER)
    again.go(page.query)

    assert again.query == page.query
    assert all(getattr(again, name) == getattr(page, name) for name in page.state_names())
