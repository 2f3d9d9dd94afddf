"""What a trend reads, on both databases."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import Engine

from ator_lib.analysis.trend.data import History
from ator_lib.registry.history import ids_query
from ator_lib.results.trend import history
from tests.support.histories import START, add_history, add_run


def read(engine: Engine, by: str = "name", **options: Any) -> History:
    return history(engine, ids_query({"test": "checkout"}), "p95_ms", **{"by": by, "last": None, **options})


def test_runs_are_in_the_order_of_their_starts(engine: Engine) -> None:
    """Not in that of their numbers; who does not know its start stands where its results came in."""
    third, first = add_run(engine, {}, 3), add_run(engine, {}, 1)
    second = add_run(engine, {}, 2, start_time=None)
    runs = read(engine).runs
    assert runs["run_id"].to_pylist() == [first, second, third]
    assert runs["started_at"].to_pylist()[1] is None


def test_only_runs_that_match_and_have_results(engine: Engine) -> None:
    """And of these the last ones, if asked."""
    ids = add_history(engine, [1.0, 2.0, 3.0])
    add_history(engine, [9.0], test="search")
    assert read(engine).runs["run_id"].to_pylist() == ids
    assert read(engine, last=2).runs["run_id"].to_pylist() == ids[1:]
    assert sorted(read(engine, last=2).values["value"].to_pylist()) == [2.0, 3.0]


def test_values_of_endpoints_or_of_whole_runs(engine: Engine) -> None:
    """A row per run and name, or per run; a figure that there is not is null."""
    add_run(engine, {("/a", "GET"): 5.0, ("/b", None): None, (None, None): 7.0})
    rows = read(engine).values.to_pylist()
    assert sorted((row["name"], row["method"], row["value"]) for row in rows) == [
        ("/a", "GET", 5.0),
        ("/b", None, None),
    ]
    assert [row["value"] for row in read(engine, "total").values.to_pylist()] == [7.0]


def test_runs_are_told_apart_by_a_column(engine: Engine) -> None:
    """As they have it."""
    add_history(engine, [1.0, 2.0], stream=["main", None])
    assert read(engine, "stream").runs["series"].to_pylist() == ["main", None]


@pytest.mark.parametrize(
    ("value", "text"),
    [("x'y", "x'y"), (7, "7"), (True, "true"), (False, "false"), (None, None)],
)
def test_runs_are_told_apart_by_an_attribute(engine: Engine, value: object, text: str | None) -> None:
    """Its value as a text, the same on either database."""
    add_history(engine, [1.0, 2.0], attributes=[{"a.b c": value}, {"other": 1}])
    assert read(engine, "a.b c", is_attribute=True).runs["series"].to_pylist() == [text, None]


def test_nothing_matches(engine: Engine) -> None:
    """Both tables are there, without a row."""
    found = read(engine)
    assert (found.runs.num_rows, found.values.num_rows) == (0, 0)


def test_facts_of_the_runs(engine: Engine) -> None:
    """The tool is the run's; its version is that of its files."""
    add_history(engine, [1.0], environment="staging", location="lab")
    (run,) = read(engine).runs.to_pylist()
    assert run["started_at"] == START
    facts = {name: run[name] for name in ("tool", "tool_version", "environment", "location", "stream")}
    assert facts == {
        "tool": "locust",
        "tool_version": "2.47",
        "environment": "staging",
        "location": "lab",
        "stream": None,
    }
