"""Gates relative to a baseline: what the comparison says of a change, and what it cannot."""

from __future__ import annotations

from typing import Any

import pytest

from ator_lib.analysis.gates.data import Missing
from ator_lib.analysis.gates.document import gates_of
from ator_lib.analysis.gates.relative import comparisons_for
from ator_lib.analysis.gates.result import GateRow
from ator_lib.analysis.run_data import COMMON, TOTAL, Endpoint
from tests.analysis.gates.made import GET_A, GET_B, POST_A, data, result, row


def compared(endpoint: Endpoint = TOTAL, metric: str = "p99_ms", **fields: Any) -> dict[str, Any]:
    """Make a row of a comparison."""
    known = {
        "scope": endpoint.scope,
        "name": endpoint.name,
        "method": endpoint.method,
        "metric": metric,
        "difference": 1.0,
        "change": 0.01,
        "low": 0.0,
        "high": 0.02,
        "interval_of": "change",
        "common": None,
        "verdict": "no change",
        "reason": None,
        "runs_needed": None,
    }
    return {**known, **fields}


def answer(*rows: dict[str, Any], verdict: str = "no change") -> dict[str, Any]:
    """Make what ``Comparison.to_dict`` gives."""
    endpoints = [{name: row[name] for name in ("scope", "name", "method", "verdict")} for row in rows]
    baseline = [{"run_id": 1, "label": "run 1"}]
    return {
        "verdict": verdict,
        "headline": f"{verdict}: so it is",
        "rows": rows,
        "endpoints": endpoints,
        "checks": [],
        "baseline": baseline,
    }


def judged(gate: str, *rows: dict[str, Any], verdict: str = "no change") -> GateRow:
    return row(gate, data(comparisons={0: answer(*rows, verdict=verdict)}))


@pytest.mark.parametrize(
    ("fields", "outcome", "message"),
    [
        ({}, "passed", "+1.0 %, +2.0 % at worst"),
        ({"verdict": "regressed", "change": 0.3, "high": 0.4}, "failed", "+30 %, +40 % at worst: regressed"),
        ({"verdict": "improved", "change": -0.3, "high": -0.2}, "passed", "-30 %, -20 % at worst"),
        ({"verdict": "not enough evidence", "change": -0.08, "high": -0.01}, "passed", "-8.0 %, -1.0 % at worst"),
        (
            {"verdict": "not enough evidence", "change": 0.05, "high": 0.2, "runs_needed": 4},
            "unknown",
            "+5.0 %, +20 % at worst: not enough evidence; about 4 runs on each side would show it",
        ),
        ({"verdict": "not enough evidence", "high": None}, "unknown", "+1.0 %: not enough evidence"),
    ],
)
def test_the_comparison_decides(fields: dict[str, Any], outcome: str, message: str) -> None:
    """A point estimate within the limit is no pass: the interval must be, too."""
    found = judged("p99 no worse than 10 %", compared(**fields))
    assert (found.outcome, found.message, found.limit, found.unit) == (outcome, message, 10.0, "%")


def test_throughput_gets_worse_downwards() -> None:
    """And a rate of errors by points."""
    rate = compared(metric="throughput_rps", change=-0.02, low=-0.12, high=0.08, verdict="not enough evidence")
    assert judged("throughput no worse than 10 %", rate).message == "-2.0 %, -12 % at worst: not enough evidence"
    assert judged("throughput no worse than 15 %", rate).outcome == "passed"
    errors = compared(metric="error_rate", interval_of="difference", difference=0.002, change=None, high=0.004)
    assert judged("error_rate no worse than 1 point", errors).message == "+0.2 points, +0.4 points at worst"


def test_too_little_evidence_stops_only_the_strict() -> None:
    """It is no pass in either case."""
    known = data(comparisons={0: answer(compared(verdict="not enough evidence", high=0.5))})
    for strict, code in ((False, 0), (True, 4)):
        found = result(["p99 no worse than 10 %"], known, strict=strict)
        assert (found.verdict, found.exit_code) == ("no verdict", code)


def test_what_all_endpoints_share_is_part_of_the_change() -> None:
    """An endpoint that is slower with all others is slower: its own part alone would look like no change."""
    own = compared(GET_A, change=0.31, common=0.30, low=-0.01, high=0.03)
    shared = compared(COMMON, change=0.30, low=0.25, high=0.35, verdict="regressed")
    found = judged('p99 of "GET /a" no worse than 10 %', own, shared)
    assert (found.outcome, found.measured) == ("failed", pytest.approx(31))
    assert found.message.endswith("regressed with all endpoints")
    unclear = {**shared, "verdict": "not enough evidence", "low": -0.05}
    assert judged('p99 of "GET /a" no worse than 10 %', own, unclear).outcome == "unknown"
    assert judged('no regression of "GET /a"', own, shared).message == "all endpoints regressed together"


def test_what_is_shared_adds_to_the_uncertainty() -> None:
    """By the root of the sum of squares: 1.01 times e to the root of 0.03² + 0.04²."""
    own = compared(GET_A, change=0.01, common=0.0, low=-0.02, high=1.01 * 1.030454533953517 - 1)
    shared = compared(COMMON, change=0.0, high=0.040810774192388)
    found = judged('p99 of "GET /a" no worse than 10 %', own, shared)
    assert found.message == "+1.0 %, +6.2 % at worst"


@pytest.mark.parametrize(
    ("gate", "verdict", "outcome", "reason"),
    [
        ("no regression", "no change", "passed", None),
        ("no regression", "improved", "passed", None),
        ("no regression", "regressed", "failed", None),
        ("no regression", "not enough evidence", "unknown", "not enough evidence"),
        ("no regression", "not comparable", "unknown", "not comparable"),
        ("p99 no worse than 10 %", "not comparable", "unknown", "not comparable"),
    ],
)
def test_the_verdict_of_the_comparison_is_a_gate_too(gate: str, verdict: str, outcome: str, reason: str | None) -> None:
    """What cannot be compared is never a pass."""
    found = judged(gate, compared(), verdict=verdict)
    assert (found.outcome, found.reason) == (outcome, reason)


@pytest.mark.parametrize(
    ("gate", "rows", "told"),
    [
        ('p99 of "GET /a" no worse than 10 %', [compared()], "it is not on both sides"),
        ('no regression of "GET /a"', [compared()], "it is not on both sides"),
        ("p99 no worse than 10 %", [compared(verdict=None, reason="too few requests")], "too few requests"),
        ('p99 of "GET /c" no worse than 10 %', [compared()], "no endpoint is called 'GET /c': did you mean 'GET /a'"),
    ],
)
def test_a_row_that_is_not_there_is_no_pass(gate: str, rows: list[dict[str, Any]], told: str) -> None:
    """Each says why."""
    found = judged(gate, *rows)
    assert found.outcome == "unknown"
    assert found.message.startswith(told)


def test_no_baseline_is_no_verdict_unless_allowed() -> None:
    """The first run of a test has none."""
    known = data(comparisons={0: Missing(reason="no baseline: it is the first")})
    found = result(["p99 no worse than 10 %", "requests > 1"], known)
    assert (found.verdict, found.exit_code, found.rows[0].reason) == ("no verdict", 4, "no baseline")
    allowed = result(["p99 no worse than 10 %", "requests > 1"], known, allow_no_baseline=True)
    assert (allowed.verdict, allowed.exit_code) == ("passed", 0)
    assert allowed.rows[0].message == "waived: no baseline is needed yet (no baseline: it is the first)"


def test_gates_share_a_comparison_where_they_can() -> None:
    """Unless they ask of the same figure for different effects; "no regression" has the default ones."""
    gates = gates_of(
        [
            *("p99 no worse than 10 %", 'p99 of "GET %" no worse than 10 %', 'p99 of "GET /a" no worse than 20 %'),
            *("no regression", "p95_ms < 3", "no regression of /a"),
        ]
    ).gates
    assert comparisons_for(gates, [GET_A, POST_A, GET_B, TOTAL]) == [
        ({"p99_ms of total": 0.1, "p99_ms of GET /a": 0.1, "p99_ms of GET /b%20c": 0.1}, [0, 1]),
        ({"p99_ms of GET /a": 0.2}, [2]),
        ({}, [3, 5]),
    ]


def test_notes_say_what_it_was_compared_with() -> None:
    """Waived checks, too."""
    check = {"name": "tool", "ok": False, "waived": True, "message": "tool differs (a and b)"}
    known = data(comparisons={0: {**answer(compared()), "checks": [check]}})
    assert result(["no regression"], known).notes == (
        "compared with run 1",
        "waived check tool: tool differs (a and b)",
    )
