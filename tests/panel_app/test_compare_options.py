from __future__ import annotations

import ator_lib as ator
from ator_lib.analysis.metrics import METRICS
from panel_app.compare_options import options_of
from panel_app.metrics import COMPARED
from panel_app.pages.compare import ComparePage
from tests.panel_app.conftest import VIEWER, refreshed, shown


def test_all_metrics_of_a_comparison_have_a_name() -> None:
    """The page knows what the library compares."""
    assert COMPARED.keys() == METRICS.keys()


def test_options_are_read_as_written() -> None:
    """One share is for all relative metrics; by name, endpoints have their own."""
    asked = options_of(minimum_effect="0.1", warm_up="auto", waive=["tool"], mapping="")
    assert asked["minimum_effect"] == dict.fromkeys((m for m in METRICS if METRICS[m].relative), 0.1)
    assert asked["waive"] == ["tool"]

    asked = options_of(minimum_effect="p95_ms of GET /a=b=0.2; error_rate=0.02", warm_up="5", waive=[], mapping="")
    assert asked == {"minimum_effect": {"p95_ms of GET /a=b": 0.2, "error_rate": 0.02}, "warm_up": 5.0}


def test_a_run_that_has_not_ended_cannot_be_compared_yet(ws: ator.Workspace) -> None:
    """The page says so, and what there is to choose from."""
    run = ws.register(test="shop")
    other = ws.register(test="shop")

    assert f"run {other.run_id} is running" in shown(
        refreshed(ComparePage(ws, VIEWER), f"?run={other.run_id}&baseline={run.run_id}")
    )


def test_an_empty_workspace_says_what_to_do(ws: ator.Workspace) -> None:
    """There is nothing to choose from."""
    assert "There are no runs to compare yet." in shown(refreshed(ComparePage(ws, VIEWER), "?"))
