from __future__ import annotations

import json
from typing import Any

import httpx
import pytest

from tests.server.conftest import refused, registered


@pytest.fixture
def api_with_runs(api: httpx.Client) -> httpx.Client:
    """Seven runs of two tests on three streams; the first one has failed."""
    for number in range(6):
        test, stream = ("checkout", "main") if number % 2 else ("search", "Release/7")
        registered(api, test=test, stream=stream, attributes={"build": number, "commit": str(number)}, tags=["nightly"])
    registered(api, test="odd_%", stream="x_y\\z")
    api.post("/complete", json={"run_id": 1, "status": "failure"})
    return api


def found(api: httpx.Client, **params: Any) -> list[int]:
    answer = api.get("/history", params=params)
    assert answer.status_code == 200, answer.text
    return [run["run_id"] for run in answer.json()["executions"]]


def test_status_lists_what_runs(api_with_runs: httpx.Client) -> None:
    """Oldest first."""
    assert [run["run_id"] for run in api_with_runs.get("/status").json()["running"]] == [2, 3, 4, 5, 6, 7]


def test_history_is_paged_newest_first(api_with_runs: httpx.Client) -> None:
    """Following the cursor gives each run once, and ends."""
    pages, cursor = [], None
    while cursor is not None or not pages:
        answer = api_with_runs.get("/history", params={"limit": 3} | ({"cursor": cursor} if cursor else {})).json()
        pages.append([run["run_id"] for run in answer["executions"]])
        cursor = answer["next_cursor"]

    assert pages == [[7, 6, 5], [4, 3, 2], [1]]


def test_filters_hold_together(api_with_runs: httpx.Client) -> None:
    """Repeated ones take any; ``any_of`` takes alternatives as JSON."""
    any_of = json.dumps([{"status": "failure"}, {"attributes": {"build": 3}}])

    assert found(api_with_runs, test="checkout") == [6, 4, 2]
    assert found(api_with_runs, test=["checkout", "odd_%"], order="run_id") == [2, 4, 6, 7]
    assert found(api_with_runs, stream="release%", tag="nightly") == [5, 3, 1]
    assert found(api_with_runs, test="search", status="failure") == [1]
    assert found(api_with_runs, any_of=any_of) == [4, 1]


def test_attributes_are_json_or_text(api_with_runs: httpx.Client) -> None:
    """``50`` is the number, ``"50"`` the text."""
    assert found(api_with_runs, attribute="build=3") == [4]
    assert found(api_with_runs, attribute='commit="3"') == [4]
    assert found(api_with_runs, attribute="commit=3") == []
    assert found(api_with_runs, attribute=["build=3", 'commit="2"']) == []


@pytest.mark.parametrize("stream", ["x_y\\z", "x_y%", "%\\z", "X_Y\\Z"])
def test_only_percent_is_a_wildcard(api_with_runs: httpx.Client, stream: str) -> None:
    """``_`` and the backslash stand for themselves."""
    assert found(api_with_runs, stream=stream) == [7]


@pytest.mark.parametrize("stream", ["xzy\\z", "x_y\\\\z", "'; DROP TABLE test_executions; --", "' OR 1=1 --"])
def test_metacharacters_find_nothing_else(api_with_runs: httpx.Client, stream: str) -> None:
    """They reach the database as a value."""
    assert found(api_with_runs, stream=stream) == []
    assert len(found(api_with_runs)) == 7


def test_a_time_without_a_zone_is_utc(api_with_runs: httpx.Client) -> None:
    """Both forms mean the same moment; the end is not included."""
    start = api_with_runs.get("/runs/4").json()["start_time"]
    naive = start.removesuffix("+00:00")

    assert found(api_with_runs, since=naive) == found(api_with_runs, since=start)
    assert found(api_with_runs, until=naive) == found(api_with_runs, until=start)
    assert 4 in found(api_with_runs, since=naive)
    assert 4 not in found(api_with_runs, until=naive)
    assert found(api_with_runs, since="9999-12-31T23:59:59") == []


@pytest.mark.parametrize(
    "params",
    [
        {"since": "yesterday"}, {"since": "9999-12-31T23:59:59-14:00"}, {"until": "0001-01-01T00:00:00+14:00"},
        {"status": "gone"}, {"order": "-attributes"}, {"cursor": "x"}, {"limit": 0}, {"limit": 1001}, {"strem": "main"},
        {"attribute": "build"}, {"any_of": "{"}, {"any_of": "[[[[["}, {"any_of": "[NaN]"}, {"any_of": "[5]"},
        {"stream": "a\0b"}, {"test": "x" * 10_001},
    ],
    ids=str,
)  # fmt: skip
def test_a_search_that_makes_no_sense_is_refused(empty_api: httpx.Client, params: dict[str, Any]) -> None:
    """And so is a filter that is not known: it would silently filter nothing."""
    refused(empty_api.get("/history", params=params), 422, "invalid")


def test_runs_are_counted_and_their_values_listed(api_with_runs: httpx.Client) -> None:
    """By the filters of the history."""
    assert api_with_runs.get("/history/count").json() == {"count": 7}
    assert api_with_runs.get("/history/count", params={"test": "checkout"}).json() == {"count": 3}
    assert api_with_runs.get("/history/values/test").json() == {"values": ["checkout", "odd_%", "search"]}
    answer = api_with_runs.get("/history/values/stream", params={"test": ["search", "odd_%"]})
    assert answer.json() == {"values": ["Release/7", "x_y\\z"]}


def test_a_page_by_offset_and_runs_by_number(api_with_runs: httpx.Client) -> None:
    """Repeat the number for several; a range is one of ``any_of``."""
    assert found(api_with_runs, limit=2, offset=4) == [3, 2]
    assert found(api_with_runs, run_id=[2, 5, 99]) == [5, 2]
    assert found(api_with_runs, any_of=json.dumps([{"duration_s": [0, 3600]}])) == [1]


def test_figures_are_null_without_results(api_with_runs: httpx.Client) -> None:
    """And not there unless they are asked for."""
    with_figures = api_with_runs.get("/history", params={"figures": True, "order": "-p95_ms"}).json()["executions"]
    assert [run["figures"] for run in with_figures] == [None] * 7
    assert "figures" not in api_with_runs.get("/history").json()["executions"][0]


@pytest.mark.parametrize(
    "path", ["/history/values/id", "/history/count?limit=5", "/history?offset=-1", "/history?run_id=x"]
)
def test_what_cannot_be_counted_or_listed_is_refused(empty_api: httpx.Client, path: str) -> None:
    """A page's words make no sense of a count, and not every field is a text."""
    refused(empty_api.get(path), 422, "invalid")
