"""Runs counted, listed by their values, found by numbers, and read with their figures."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from ator_lib.errors import UsageError
from ator_lib.model import HistoryPage
from ator_lib.registry.registry import Registry


def test_figures_come_with_the_runs(registry: Registry, measured: None) -> None:
    """Those of all requests, in the same answer; nothing for runs without results, and unless they are asked for."""
    page = registry.history(figures=True, order="run_id")
    assert [figures and (figures.requests, figures.failures, figures.p95_ms) for figures in page.figures] == [
        (200, 2, 80.5),
        None,
        (1000, 2, None),
        None,
    ]
    assert page.figures[0] is not None
    assert page.figures[0].error_rate == 0.01
    assert registry.history().figures == ()


def test_numbers_are_searched_for(registry: Registry, measured: None) -> None:
    """Ids as they are, others by range, each end included; what is unknown lies in none."""
    searches: list[tuple[dict[str, Any], list[int]]] = [
        ({"run_id": 3}, [3]),
        ({"run_id": [4, 1, 99]}, [4, 1]),
        ({"run_id": []}, []),
        ({"factor": (0.25, 9)}, [3, 1]),
        ({"factor": (Decimal("9.01"), None)}, [2]),
        ({"duration_s": (90.25, 90.25)}, [1]),
        ({"duration_s": [None, 300]}, [3, 1]),
        ({"requests": (201, None)}, [3]),
        ({"p95_ms": (None, 1000)}, [1]),
        ({"error_rate": (0.005, 1), "status": "success"}, [1]),
        ({"any_of": [{"requests": (1000, 1000)}, {"run_id": 2}]}, [3, 2]),
    ]
    for where, ids in searches:
        assert [run.run_id for run in registry.history(where).runs] == ids, where
        assert registry.count(where) == len(ids), where


def test_numbers_that_are_none(registry: Registry) -> None:
    """They are refused in words, wherever they are said."""
    refused: list[tuple[dict[str, Any], str]] = [
        ({"run_id": "seven"}, "whole number"),
        ({"run_id": 1.5}, "whole number"),
        ({"run_id": list(range(10_001))}, "at most 10,000"),
        ({"duration_s": 5}, "give the least and the most"),
        ({"duration_s": (None, None)}, "give the least and the most"),
        ({"p95_ms": (1, 2, 3)}, "give the least and the most"),
        ({"p95_ms": ("1", 2)}, "give the least and the most"),
        ({"factor": (float("nan"), 2)}, "give the least and the most"),
        ({"factor": (Decimal("sNaN"), 2)}, "give the least and the most"),
        ({"requests": (10**400, None)}, "give the least and the most"),
    ]
    for where, message in refused:
        with pytest.raises(UsageError, match=message):
            registry.history(where)
        with pytest.raises(UsageError, match=message):
            registry.count(where)
        with pytest.raises(UsageError, match=message):
            registry.values("test", where)


def test_values_of_a_field(registry: Registry, described: None) -> None:
    """Each once and in order, of the runs that match; unknown ones are none."""
    assert registry.values("test", {}) == ["checkout", "search"]
    assert registry.values("stream", {}) == ["main"]
    assert registry.values("environment", {"test": "search"}) == ["env_3", "env_4"]
    assert registry.values("environment", {"environment": "%_4"}) == ["env_4"]
    assert registry.values("tool", {"test": "none"}) == []
    for odd in ("factor", "attributes", "id; --", ""):
        with pytest.raises(UsageError, match="there are no values of"):
            registry.values(odd, {})


def test_runs_are_counted(registry: Registry, described: None) -> None:
    """Of the whole registry, or those that match."""
    assert (registry.count({}), registry.count({"test": "search"}), registry.count({"tag": "n2"})) == (4, 2, 1)
    assert registry.count({"test": "none"}) == 0


def test_a_page_can_be_named_by_its_offset(registry: Registry, streams: list[str]) -> None:
    """It leaves out so many; beyond the end there is nothing."""
    page = registry.history(limit=2, offset=3)
    assert [run.run_id for run in page.runs] == [3, 2]
    assert [run.run_id for run in registry.history(limit=2, cursor=page.next_cursor).runs] == [1]
    assert registry.history(limit=2, offset=99) == HistoryPage(runs=())
    for odd in (-1, 1.5, 10**9):
        with pytest.raises(UsageError, match=r"offset .* is not possible"):
            registry.history(offset=odd)  # type: ignore[arg-type]
