from __future__ import annotations

import base64
import json
import time
from datetime import UTC, datetime, timedelta
from enum import Enum
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sqlalchemy import Engine, text

from ator_lib.errors import UsageError
from ator_lib.model import RunRequest
from ator_lib.registry.pages import ORDERS
from ator_lib.registry.quantities import FIGURES
from ator_lib.registry.registry import Registry
from ator_lib.sql.engine import write


@pytest.mark.parametrize(
    ("pattern", "ids"),
    [
        ("main", [1]),
        ("MAIN%", [2, 1]),
        ("%2", [2]),
        ("feature_x", [3]),
        ("Feature%X", [4, 3]),
        ("a\\b", [6]),
        ("%", [6, 5, 4, 3, 2, 1]),
        ("nothing", []),
    ],
)
def test_streams_by_pattern(registry: Registry, streams: list[str], pattern: str, ids: list[int]) -> None:
    """``%`` is the only wildcard, and case does not matter."""
    assert [run.run_id for run in registry.history({"stream": pattern}).runs] == ids


def test_pages(registry: Registry, streams: list[str]) -> None:
    """The newest come first, and the cursor of a page gives the next one."""
    first = registry.history(limit=4)
    second = registry.history(limit=4, cursor=first.next_cursor)
    assert [run.run_id for run in first.runs + second.runs] == [6, 5, 4, 3, 2, 1]
    assert second.next_cursor is None
    assert registry.history(limit=6).next_cursor is None
    assert registry.history(limit=0).runs == ()
    with pytest.raises(UsageError, match="limit -1 is not possible"):
        registry.history(limit=-1)


def test_filters_hold_together(registry: Registry, streams: list[str]) -> None:
    """Test, status and location are compared exactly, and all must hold."""
    registry.complete(1, "failure")
    assert [run.run_id for run in registry.history({"status": "failure"}).runs] == [1]
    assert [run.run_id for run in registry.history({"status": "failure", "location": "lab-m"}).runs] == [1]
    assert registry.history({"status": "failure", "location": "lab-f"}).runs == ()
    assert [run.run_id for run in registry.history({"location": "lab-f"}).runs] == [4, 3]
    assert [run.run_id for run in registry.history({"test": "main-2"}).runs] == [2]
    with pytest.raises(UsageError, match="give one of queued, running, success"):
        registry.history({"status": "done"})


def test_since(registry: Registry, streams: list[str], engine: Engine) -> None:
    """By the start, or by the queueing of what never started; the time must have a zone."""
    with write(engine) as connection:
        for statement in (
            "UPDATE test_executions SET start_time = '2026-01-01 00:00:00.000000' WHERE run_id <= 3",
            "UPDATE test_executions SET start_time = NULL WHERE run_id IN (4, 5)",
            "UPDATE test_executions SET queued_at = '2026-02-01 00:00:00.000000' WHERE run_id = 5",
        ):
            connection.execute(text(statement))
    new_year = datetime(2026, 1, 1, tzinfo=UTC)
    assert [run.run_id for run in registry.history({"since": new_year}).runs] == [6, 5, 3, 2, 1]
    assert [run.run_id for run in registry.history({"since": new_year + timedelta(microseconds=1)}).runs] == [6, 5]
    assert [run.run_id for run in registry.history({"since": "2026-01-01"}).runs] == [6, 5, 3, 2, 1]
    assert [run.run_id for run in registry.history({"until": "2026-01-01T01:00+01:00"}).runs] == []
    assert [run.run_id for run in registry.history({"until": "2026-01-01T01:00"}).runs] == [3, 2, 1]
    for odd in ("yesterday", "9999-12-31T23:59-12:00", 7):
        with pytest.raises(UsageError, match="is no time"):
            registry.history({"since": odd})


@pytest.mark.parametrize(
    ("where", "ids"),
    [
        ({"repo": "repo-2"}, [2]),
        ({"repo": "REPO-2"}, []),
        ({"repo": "REPO-%"}, [4, 3, 2, 1]),
        ({"lac": ["LAC.1", "LAC.3", "none"]}, [3, 1]),
        ({"environment": "env_1"}, [1]),
        ({"environment": "env%2"}, [2]),
        ({"triggered_by": "%@EXAMPLE", "test": "search"}, [4, 3]),
        ({"type": "load", "tool": "k6"}, [4]),
        ({"status": ["success", "failure"]}, [3, 1]),
        ({"status_reason": "fine"}, [1]),
        ({"location": ["lab-4", "%2"]}, [4, 2]),
        ({"stream": []}, []),
        ({"test": None, "stream": "MAIN"}, [3, 1]),
        ({"tag": "nightly"}, [4, 3, 2, 1]),
        ({"tag": ["nightly", "n2"]}, [2]),
        ({"tag": "night%"}, []),
        ({"attributes": {"git": "0f3c"}}, [1]),
        ({"attributes": {"build": 12}}, [1]),
        ({"attributes": {"build": "12"}}, []),
        ({"attributes": {"final": True}}, [2]),
        ({"attributes": {"final": 1}}, []),
        ({"attributes": {"half": 0.5, "git": "0f3c"}}, []),
        ({"attributes": {'od"d': "x"}}, []),
        ({"any_of": [{"test": "search"}, {"repo": "repo-1"}]}, [4, 3, 1]),
        ({"any_of": [{"test": "search", "tool": "k6"}, {"any_of": [{"lac": "LAC.2"}]}], "type": "load"}, [4, 2]),
        ({"any_of": []}, []),
        ({"test": "'; DROP TABLE test_executions; --"}, []),
    ],
)
def test_filters(registry: Registry, described: None, where: dict[str, Any], ids: list[int]) -> None:
    """Everything in a filter must hold; lists and ``any_of`` mean any of it."""
    assert [run.run_id for run in registry.history(where).runs] == ids


class Words(str, Enum):  # noqa: UP042  # its str() is "Words.SEARCH"
    SEARCH = "search"
    NIGHTLY = "nightly"


def test_filters_of_other_libraries(registry: Registry, described: None) -> None:
    """Texts, numbers and times as pandas and NumPy give them; those without a zone are UTC."""
    first = registry.get(1).start_time
    assert first is not None
    for since in (
        pd.Timestamp(first),
        pd.Timestamp(first).tz_localize(None),
        pd.Timestamp(first).tz_convert("Asia/Tokyo"),
    ):
        assert len(registry.history({"since": since}).runs) == 4
        assert len(registry.history({"until": since}).runs) == 0
    assert [run.run_id for run in registry.history({"test": np.str_("search"), "tag": [np.str_("n3")]}).runs] == [3]
    assert [run.run_id for run in registry.history({"attributes": {"half": np.float64(0.5)}}).runs] == [4]
    assert [run.run_id for run in registry.history({"test": Words.SEARCH, "tag": [Words.NIGHTLY]}).runs] == [4, 3]
    for odd in ({"since": pd.NaT}, {"test": np.int64(7)}, {"attributes": {"build": np.datetime64(0, "s")}}):
        with pytest.raises(UsageError):
            registry.history(odd)


def test_a_time_without_a_zone_is_utc_wherever_it_is_said(
    registry: Registry, described: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not that of the machine which asks."""
    start = registry.get(1).start_time
    assert start is not None
    monkeypatch.setenv("TZ", "Asia/Tokyo")
    time.tzset()
    try:
        assert len(registry.history({"since": start.replace(tzinfo=None)}).runs) == 4
        assert len(registry.history({"until": start.replace(tzinfo=None)}).runs) == 0
    finally:
        monkeypatch.undo()
        time.tzset()


@pytest.mark.parametrize(
    ("where", "message"),
    [
        ({"colour": "red"}, "there is no filter colour: there are test, stream"),
        ({"test": 7}, "test=7 cannot be searched for: give a text"),
        ({"test": [7]}, "must be text"),
        ({"test": "a\0"}, "NUL"),
        ({"any_of": {"test": "x"}}, "give a list"),
        ({"any_of": ["x"]}, "a filter is a mapping"),
        ({"any_of": [{"any_of": [{"any_of": [{"any_of": [{"any_of": [{"any_of": [{}]}]}]}]}]}]}, "five times"),
        ({"attributes": "git"}, "attributes is a mapping"),
        ({"attributes": {"git": ["0f3c"]}}, "can be searched for texts"),
        ({"attributes": {"git": float("inf")}}, "can be searched for texts"),
        ("test", "a filter is a mapping"),
    ],
)
def test_filters_that_are_off(registry: Registry, where: Any, message: str) -> None:
    """Each one is told what there is."""
    with pytest.raises(UsageError, match=message):
        registry.history(where)


def test_pages_of_every_order_have_each_run_once(registry: Registry, measured: None) -> None:
    """Also where values are equal or unknown, which come last in either direction; by cursor and by offset."""
    for order in (name for column in ORDERS for name in (column, f"-{column}")):
        column = order.removeprefix("-")
        runs, cursor = [], None
        while True:
            page = registry.history(limit=1, order=order, cursor=cursor)
            runs += page.runs
            cursor = page.next_cursor
            if cursor is None:
                break
        assert sorted(run.run_id for run in runs) == [1, 2, 3, 4], order
        assert runs == [run for n in range(4) for run in registry.history(limit=1, order=order, offset=n).runs], order
        whole = registry.history(order=order, figures=True)
        assert runs == list(whole.runs), order
        values = [getattr(of, column, None) for of in (whole.figures if column in FIGURES else runs)]
        known = [value for value in values if value is not None]
        assert known == sorted(known, reverse=order.startswith("-")), order
        assert values[len(known) :] == [None] * (len(values) - len(known)), order


def test_a_foreign_cursor_is_refused(registry: Registry, described: None) -> None:
    """Another order's, or no cursor at all."""
    cursor = registry.history(limit=1).next_cursor
    assert cursor is not None
    for odd in (cursor[:-3], "", "%%%", "W10", "ü", "eyJhIjogMX0"):
        with pytest.raises(UsageError, match="the cursor is not one of this search"):
            registry.history(cursor=odd)
    with pytest.raises(UsageError, match="the cursor is not one of this search"):
        registry.history(cursor=cursor, order="test")
    for odd in (
        [["-run_id", 7, True]],
        ["-factor", "much", 1],
        ["-requests", 10**400, 1],
        ["-start_time", 5, 1],
        ["-test", 5, 1],
    ):
        sent = base64.urlsafe_b64encode(json.dumps(odd).encode()).decode()
        with pytest.raises(UsageError, match="the cursor is not one of this search"):
            registry.history(cursor=sent, order=str(odd[0]) if len(odd) > 1 else "-run_id")
    for unknown in ("attributes", None):
        with pytest.raises(UsageError, match=f"runs cannot be ordered by {unknown!r}"):
            registry.history(order=unknown)  # type: ignore[arg-type]


def test_tags_are_added_and_taken_off(registry: Registry, described: None) -> None:
    """Each is kept once, in order, beside the other attributes; ended runs take them, too."""
    assert registry.update(1, add_tags=["b", "a", "b"], remove_tags=["n1", "never"]).tags == ("a", "b", "nightly")
    assert registry.update(1, attributes={"git": "new"}).attributes == {
        "git": "new",
        "build": 12,
        "tags": ["a", "b", "nightly"],
    }
    for odd in ([""], [" "], ["x" * 201], [7], "word"):
        with pytest.raises(UsageError, match="tag"):
            registry.update(1, add_tags=odd)
    with pytest.raises(UsageError, match="tags are a list"):
        registry.register(RunRequest(attributes={"tags": "word"}))
