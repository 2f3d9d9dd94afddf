"""Limits to figures of a run: endpoints, patterns, Apdex, and what cannot be measured."""

from __future__ import annotations

import math
from typing import Any

import pytest

from ator_lib.analysis.gates.data import Score
from ator_lib.analysis.run_data import TOTAL, Endpoint
from tests.analysis.gates.made import GET_A, GET_B, POST_A, data, result, row


@pytest.mark.parametrize(
    ("gate", "outcome"),
    [
        ("p95_ms < 100", "failed"),
        ("p95_ms <= 100", "passed"),
        ("p95_ms < 100.001", "passed"),
        ("requests = 1000", "passed"),
        ("requests > 1000", "failed"),
        ("requests >= 1000", "passed"),
        ("duration_s >= 1 min", "passed"),
        ("error_rate <= 0 %", "passed"),
    ],
)
def test_signs_mean_what_they_say(gate: str, outcome: str) -> None:
    """A figure that is exactly at its limit is below none."""
    assert row(gate, data()).outcome == outcome


def test_a_row_has_its_figures() -> None:
    """In the unit that stands beside them; a share is in percent."""
    found = row("error_rate < 1 %", data({TOTAL: {"error_rate": 0.025}}))
    assert (found.measured, found.limit, found.unit) == (2.5, 1.0, "%")
    assert (found.metric, found.endpoint, found.message) == ("error_rate", "total", "2.5 % is not below 1 %")


def test_a_failure_by_little_is_seen() -> None:
    """No rounding hides it."""
    assert row("p95_ms < 300", data({TOTAL: {"p95_ms": 300.04}})).message == "300.04 ms is not below 300 ms"


def test_every_endpoint_of_a_pattern_must_hold() -> None:
    """The worst one speaks, and those that fail are named."""
    known = data({GET_A: {"p95_ms": 250.0}, POST_A: {"p95_ms": 900.0}, GET_B: {"p95_ms": 310.0}, TOTAL: {}})
    found = row('p95_ms of "%" < 300', known)
    assert (found.outcome, found.endpoint, found.measured) == ("failed", "POST /a", 900.0)
    assert found.message == "900 ms is not below 300 ms (POST /a); 2 of 3 endpoints: GET /b%20c, POST /a"
    assert row('p95_ms of "GET /a%" < 300', known).outcome == "passed"
    assert row('p95_ms of "%" < 1000', known).message == "900 ms (POST /a), of 3 endpoints the nearest to failing"


@pytest.mark.parametrize(
    ("of", "measured"),
    [("GET /a", 1.0), ("GET /b%20c", 3.0), ("/b%20c", 3.0), ("/a", 2.0), ("GET%", 3.0), ("%/a", 2.0)],
)
def test_endpoints_are_named_by_label_by_name_or_by_pattern(of: str, measured: float) -> None:
    """A name that has a per cent sign is itself before it is a pattern."""
    known = data({GET_A: {"p95_ms": 1.0}, POST_A: {"p95_ms": 2.0}, GET_B: {"p95_ms": 3.0}, TOTAL: {}})
    assert row(f'p95_ms of "{of}" < 300', known).measured == measured


def test_an_unknown_endpoint_is_never_a_silent_pass() -> None:
    """It has no verdict, and the message has what is near."""
    found = result(['p95_ms of "GET /aa" < 300', "requests > 1"], data())
    assert (found.verdict, found.exit_code) == ("no verdict", 4)
    assert found.rows[0].message == "no endpoint is called 'GET /aa': did you mean 'GET /a'?"
    assert found.rows[0].reason == "not measured"


@pytest.mark.parametrize(
    ("figures", "told"),
    [
        ({}, "the run has no requests"),
        ({TOTAL: {"p95_ms": None}}, "p95_ms was not measured"),
        ({TOTAL: {"p95_ms": math.nan}}, "p95_ms was not measured"),
        ({TOTAL: {"failures": 1000, "error_rate": 1.0}}, "all 1,000 requests failed, so their latencies are those of"),
    ],
)
def test_what_cannot_be_measured_is_unknown(figures: dict[Endpoint, dict[str, Any]], told: str) -> None:
    """A missing figure holds no limit, and errors are quick."""
    found = row("p95_ms < 300", data(figures))
    assert found.outcome == "unknown"
    assert found.message.startswith(told)


def test_an_infinite_figure_fails() -> None:
    """It is on the wrong side of every limit, and JSON has no number for it."""
    found = result(["max_ms < 300"], data({TOTAL: {"max_ms": math.inf}}))
    assert found.verdict == "failed"
    assert found.to_dict()["rows"][0]["measured"] is None


def test_a_figure_that_is_next_to_nothing_is_short() -> None:
    """Not three hundred zeros."""
    assert row("p95_ms < 300", data({TOTAL: {"p95_ms": 1e-300}})).message == "1e-300 ms"


def test_a_figure_that_is_not_exact_says_so() -> None:
    """The reader may want to know how far it carries."""
    known = data({TOTAL: {"precision": "2 significant digits"}})
    assert row("p95_ms < 300", known).message == "100 ms (precision: 2 significant digits)"
    assert result(["p95_ms < 300"], known).notes == ("precision of durations: 2 significant digits",)


def test_the_rate_may_be_a_share_of_what_was_planned() -> None:
    """Unknown where nobody knows what that was."""
    known = {TOTAL: {"throughput_rps": 94.0}}
    gate = "throughput >= 95 % of planned"
    assert row(gate, data(known, planned_rps=100.0)).message == "94 rps is not at least 95 rps"
    assert row(gate, data(known, planned_rps=98.0)).outcome == "passed"
    assert row(gate, data(known)).outcome == "unknown"


@pytest.mark.parametrize(
    ("low", "high", "outcome"),
    [
        (0.91, 0.91, "passed"),
        (0.89, 0.89, "failed"),
        (0.91, 0.95, "passed"),
        (0.8, 0.85, "failed"),
        (0.8, 0.95, "unknown"),
    ],
)
def test_apdex_that_is_not_known_exactly_is_judged_if_it_can_be(low: float, high: float, outcome: str) -> None:
    """Both ends of what it may be must agree."""
    known = data(apdex={500.0: {TOTAL: Score(low=low, high=high)}})
    assert row("apdex(500 ms) >= 0.9", known).outcome == outcome


def test_a_waived_gate_is_shown_and_has_no_say() -> None:
    """With the reason, and with what it would have said."""
    found = result([{"gate": "p95_ms < 1", "waived": "ticket 7"}, "requests > 1"], data())
    assert (found.verdict, found.exit_code) == ("passed", 0)
    assert found.rows[0].message == "waived: ticket 7 (100 ms is not below 1 ms)"


def test_nothing_but_waived_gates_is_no_pass() -> None:
    """Nothing was looked at."""
    assert result([{"gate": "p95_ms < 1", "waived": "ticket 7"}], data()).verdict == "no verdict"


def test_a_run_that_was_cut_short_passes_nothing() -> None:
    """Its figures are of a part of the test; a gate that fails is a failure all the same."""
    known = data(cut_short="it is cancelled (stopped_by_user)")
    found = result(["requests > 1"], known)
    assert (found.verdict, found.exit_code) == ("no verdict", 4)
    assert found.rows[0].message == "its figures are of a part of the test: it is cancelled (stopped_by_user)"
    assert result(["p95_ms < 1"], known).exit_code == 1


def test_the_headline_says_what_failed_first() -> None:
    """Before what is unknown, waived or passed."""
    found = result(["requests > 1", "p99_ms < 1", 'p95_ms of "x" < 1'], data())
    assert found.headline == "failed: 1 failed, 1 unknown, 1 passed; p99_ms < 1: 100 ms is not below 1 ms"
