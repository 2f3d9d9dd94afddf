"""Trends of made signals with known truth."""

from __future__ import annotations

from datetime import timedelta

import numpy as np
import pytest

from ator_lib.analysis.trend.trend import Evidence, History
from ator_lib.analysis.verdicts import Verdict
from tests.analysis.trend.histories import START, made_history, mark, noisy, summaries, trend

STEP = noisy((100, 20), (130, 15))


def test_a_step_is_found_with_its_run_size_and_interval() -> None:
    """The first run of the new level, both levels, and the true change within the interval."""
    result = trend(made_history({"/a": STEP, "/b": noisy((50, 35), seed=2)}))
    (change,) = result.changes
    assert (change.series, change.run_id, change.previous_run_id) == ("GET /a", 21, 20)
    assert change.started_at == START + timedelta(days=20)
    assert (change.verdict, change.kind) == (Verdict.REGRESSED, "change")
    assert change.before == pytest.approx(100, rel=0.02)
    assert change.low is not None
    assert change.high is not None
    assert change.low < 0.3 < change.high
    assert result.verdict is Verdict.REGRESSED
    assert result.headline.startswith("GET /a p95 regressed at run 21 (2026-01-21): 1")


def test_the_level_stands_beside_every_run() -> None:
    """It is what the change says of its two sides."""
    result = trend(made_history({"/a": STEP}))
    levels = result.table()["level"].to_pylist()
    assert (levels[0], levels[19], levels[20], levels[34]) == (
        *(result.changes[0].before,) * 2,
        *(result.changes[0].after,) * 2,
    )


@pytest.mark.parametrize(("metric", "verdict"), [("p95_ms", "regressed"), ("throughput_rps", "improved")])
def test_the_good_direction_is_the_metrics(metric: str, verdict: str) -> None:
    """More milliseconds are worse, more requests per second are better."""
    assert [change.verdict for change in trend(made_history({"/a": STEP}), metric).changes] == [verdict]


def test_a_metric_without_a_good_direction_has_no_verdict() -> None:
    """More bytes may be either; the change is told."""
    result = trend(made_history({"/a": STEP}), "bytes_received")
    assert [(change.run_id, change.verdict) for change in result.changes] == [(21, None)]
    assert "GET /a bytes received changed at run 21" in result.headline
    assert result.verdict is None


def test_a_single_outlier_is_shown_and_moves_nothing() -> None:
    """Whatever its size."""
    values = noisy((100, 30))
    values[12] = 5000.0
    result = trend(made_history({"/a": values}))
    assert result.changes == ()
    assert np.flatnonzero(result.series[0].is_outlier).tolist() == [12]
    assert result.table()["value"][12].as_py() == 5000.0
    assert any("1 value is far from the level" in note for note in result.notes)


def test_a_single_run_in_another_unit_is_told() -> None:
    """It is an outlier, and so for most series."""
    lines = {f"/{n}": noisy((100, 20), seed=n) for n in range(3)}
    for values in lines.values():
        values[7] /= 1000
    assert "Run 8 is 60, 1,000 or 1,000,000 times its level" in " ".join(trend(made_history(lines)).notes)


def test_changes_below_the_minimum_effect_do_not_count() -> None:
    """By default 5 %; the caller may ask for less."""
    history = made_history({"/a": noisy((100, 40), (103, 40), spread=0.003)})
    assert trend(history).changes == ()
    assert [change.run_id for change in trend(history, minimum_effect=0.02).changes] == [41]


def test_error_rates_change_by_points() -> None:
    """From nothing there is no ratio: the interval is of the difference."""
    result = trend(made_history({"/a": [0.0] * 12 + noisy((0.05, 12))}), "error_rate")
    (change,) = result.changes
    assert (change.run_id, change.change, change.verdict) == (13, None, Verdict.REGRESSED)
    assert change.low != change.high
    assert (change.low, change.high) == (pytest.approx(0.05, abs=0.002), pytest.approx(0.05, abs=0.002))
    assert trend(made_history({"/a": [0.0] * 12 + [0.005] * 12}), "error_rate").changes == ()


def test_fewer_than_six_runs_have_no_change() -> None:
    """They are drawn, and a note says why nothing is said of them."""
    result = trend(made_history({"/a": [1.0, 1.0, 1.0, 9.0, 9.0]}))
    assert (result.changes, result.verdict) == ((), Verdict.NOT_ENOUGH_EVIDENCE)
    assert result.headline == "too few runs: 5 runs, and a change of p95 needs 6 to be seen"
    assert "fewer than 6 runs (at most 5)" in " ".join(result.notes)
    assert [change.run_id for change in trend(made_history({"/a": noisy((100, 3), (300, 3))})).changes] == [4]


def history_with_short_series(short: int, long: int = 1) -> History:
    """Make a history of 51 runs: some endpoints are in all of them, others in the last three."""
    lines: dict[str, list[float | None]] = {f"/long{n}": [*noisy((100, 51), seed=n)] for n in range(long)}
    return made_history(lines | {f"/short{n}": [*[None] * 48, 1.0, 2.0, 3.0] for n in range(short)})


def test_one_series_does_not_speak_for_those_that_nobody_could_look_at() -> None:
    """The verdict is open, and the headline counts what was looked at."""
    result = trend(history_with_short_series(119))
    assert result.verdict is Verdict.NOT_ENOUGH_EVIDENCE
    assert result.headline == (
        "not enough evidence: no change of p95 found in the 1 of 120 series that has 6 runs or more, over 51 runs"
    )


@pytest.mark.parametrize(("short", "verdict"), [(1, "no change"), (2, "not enough evidence")])
def test_a_few_new_endpoints_leave_the_verdict_to_the_others(short: int, verdict: str) -> None:
    """A tenth of them at most; they are counted all the same."""
    result = trend(history_with_short_series(short, long=10 - short))
    assert str(result.verdict) == verdict
    assert result.headline.startswith(f"{verdict}: ")
    assert f" found in the {10 - short} of 10 series that have 6 runs or more, over 51 runs" in result.headline


def test_no_change_says_that_none_was_found() -> None:
    """It is not ruled out; the verdict stands first, for where it is shown beside the rest.

    A series without any figure is not counted.
    """
    result = trend(made_history({"/a": noisy((100, 35)), "/b": [None] * 35}))
    assert result.headline == "no change: none of p95 found in 1 series over 35 runs"
    assert result.verdict is Verdict.NO_CHANGE


def test_an_outlier_is_shown_where_levels_are_mixed() -> None:
    """A change that is found or not does not widen what is usual, and does not make outliers of all its runs."""
    few = [158.7, 166.3, 164.4, 160.7, 292.8, 174.1, 147.4, 161.1, 161.4, 206.0, 201.9, 188.1, 224.6, 197.6]
    found = trend(made_history({"/a": few}))
    assert [change.run_id for change in found.changes] == [10]
    assert np.flatnonzero(found.series[0].is_outlier).tolist() == [4]
    mixed = trend(made_history({"/a": few}), minimum_effect=0.4)
    assert mixed.changes == ()
    assert mixed.series[0].is_outlier[4]
    assert mixed.series[0].is_outlier[9:].sum() <= 1


def test_identical_values_are_told() -> None:
    """They are no change, and perhaps frozen."""
    result = trend(made_history({"/a": [7.0] * 20, "/b": noisy((50, 20))}))
    assert (result.changes, result.verdict) == ((), Verdict.NO_CHANGE)
    assert "identical in GET /a: is something frozen?" in " ".join(result.notes)
    assert not result.series[0].is_outlier.any()


def test_a_metric_that_half_of_the_runs_lack_is_a_gap() -> None:
    """The change is found among the others, at its own run."""
    values = [value if n % 2 else None for n, value in enumerate(noisy((100, 30), (140, 30)))]
    result = trend(made_history({"/a": values}))
    assert [(change.run_id, change.previous_run_id) for change in result.changes] == [(32, 31)]
    assert result.notes[0].startswith("30 runs of 60 have no p95")
    assert result.table()["value"].null_count == 30


def test_many_series_of_noise_alone_are_hardly_ever_alarming() -> None:
    """Thirty endpoints at once are judged like one."""
    rng = np.random.default_rng(5)
    alarms = 0
    for _ in range(10):
        shared = rng.normal(0, 0.02, 60)
        lines = {f"/{n}": (100 * np.exp(shared + rng.normal(0, 0.05, 60))).tolist() for n in range(30)}
        alarms += bool(trend(made_history(lines)).changes)
    assert alarms <= 1


def test_a_regression_is_not_outweighed_by_a_later_improvement_elsewhere() -> None:
    """The headline is about what the verdict says; a series that came back has improved."""
    back = noisy((100, 10), (150, 10), (100, 15), seed=3)
    lines = {"/worse": noisy((100, 15), (150, 20)), "/better": noisy((100, 25), (60, 10), seed=2), "/back": back}
    result = trend(made_history(lines))
    assert result.verdict is Verdict.REGRESSED
    assert result.headline.startswith("GET /worse p95 regressed at run 16")
    assert result.headline.endswith("; 3 more changes")
    assert trend(made_history({"/back": back})).verdict is Verdict.IMPROVED


# --- marks ---


def test_a_mark_resets_the_level() -> None:
    """The change there has the mark's text and no verdict."""
    result = trend(made_history({"/a": STEP}, [mark(21)]))
    (change,) = result.changes
    assert (change.run_id, change.kind, change.verdict, change.text) == (21, "marked", None, "new server")
    assert (change.p_value, change.low) == (None, None)
    assert result.verdict is Verdict.NO_CHANGE
    assert result.headline == (
        "no change: none of p95 found that nobody explained, in 1 series over 35 runs; 1 marked change"
    )


@pytest.mark.parametrize(
    "other", [{"resets": False}, {"metric": "p50_ms"}, {"name": "/b"}, {"run_id": 99}, {"name": "POST /a"}]
)
def test_marks_about_something_else_change_nothing(other: dict[str, object]) -> None:
    """Remarks, and marks of another metric, endpoint or run."""
    result = trend(made_history({"/a": STEP}, [mark(**{"run_id": 21, **other})]))
    assert [change.kind for change in result.changes] == ["change"]


@pytest.mark.parametrize("name", ["/a", "GET /a"])
def test_a_mark_names_its_endpoint_with_or_without_method(name: str) -> None:
    """The other endpoint's change stays judged."""
    result = trend(made_history({"/a": STEP, "/b": noisy((50, 20), (80, 15))}, [mark(21, name=name)]))
    assert {change.series: str(change.kind) for change in result.changes} == {"GET /a": "marked", "GET /b": "change"}


def test_a_mark_holds_from_the_next_run_of_a_series_on() -> None:
    """Where the marked run itself lacks the endpoint."""
    values: list[float | None] = [*STEP]
    values[20] = None
    history = made_history({"/a": values, "/b": noisy((50, 35))}, [mark(21)])
    kept = history.values.filter(history.values["value"].is_valid())
    result = trend(type(history)(runs=history.runs, values=kept, annotations=history.annotations))
    assert ("GET /a", 22, "marked") in [(change.series, change.run_id, str(change.kind)) for change in result.changes]


# --- what a change seems to be ---


def latencies(run_id: int, factor: float, **other: float) -> dict[str, object]:
    """Figures of an endpoint that are all by one factor."""
    return (
        {"run_id": run_id, "name": "/a"} | dict.fromkeys(("mean_ms", "p50_ms", "p95_ms", "p99_ms"), 10 * factor) | other
    )


def test_another_unit_is_no_verdict() -> None:
    """All latencies are a thousand times what they were."""
    rows = summaries([latencies(20, 1), latencies(21, 1000)])
    result = trend(made_history({"/a": noisy((10, 20), (10_000, 10))}), evidence=Evidence(summaries=rows))
    assert [(str(change.kind), change.verdict) for change in result.changes] == [("unit fault", None)]
    assert "by the factor of a unit" in result.notes[0]


def test_one_latency_that_moves_alone_is_a_change() -> None:
    """However close its factor is to that of a unit."""
    rows = summaries([latencies(20, 1), latencies(21, 1, p95_ms=10_000)])
    result = trend(made_history({"/a": noisy((10, 20), (10_000, 10))}), evidence=Evidence(summaries=rows))
    assert [change.kind for change in result.changes] == ["change"]


@pytest.mark.parametrize(("mean_ms", "kind"), [(10.0, "unit fault"), (10_000.0, "change")])
def test_throughput_in_another_unit_leaves_the_latency_as_it_is(mean_ms: float, kind: str) -> None:
    """A server that really answers a thousandth of the requests takes longer for each."""
    rows = [
        {"run_id": run, "name": name, "throughput_rps": rate, "mean_ms": mean}
        for run, rate, mean in ((20, 1000.0, 10.0), (21, 1.0, mean_ms))
        for name in ("/a", "/b")
    ]
    history = made_history({"/a": noisy((1000, 20), (1, 10)), "/b": noisy((1000, 30))})
    result = trend(history, "throughput_rps", evidence=Evidence(summaries=summaries(rows)))
    assert [change.kind for change in result.changes] == [kind]


def test_a_shift_of_most_endpoints_is_common_and_still_a_regression() -> None:
    """The headline counts the endpoints; who moved elsewhere is not among them."""
    lines = {f"/{n}": noisy((100, 20), (140, 20), seed=n) for n in range(6)}
    lines |= {"/still": noisy((100, 40), seed=7), "/other": noisy((100, 8), (150, 32), seed=8)}
    result = trend(made_history(lines))
    kinds = {change.series: str(change.kind) for change in result.changes}
    assert kinds == dict.fromkeys([f"GET /{n}" for n in range(6)], "common shift") | {"GET /other": "change"}
    assert {change.verdict for change in result.changes} == {Verdict.REGRESSED}
    assert result.headline.startswith("p95 of 6 of 8 series regressed together at run 21")
    assert "until somebody shows that it is the environment" in result.notes[0]


def test_two_endpoints_are_no_common_shift() -> None:
    """Two that change at once may do so for reasons of their own."""
    lines = {f"/{n}": noisy((100, 20), (140, 20), seed=n) for n in range(2)}
    assert {str(change.kind) for change in trend(made_history(lines)).changes} == {"change"}


def test_what_differs_between_the_two_runs_is_named() -> None:
    """Of nested attributes the inner one, of lists what came and went."""
    before = {"tool": "jmeter", "git_commit": "0f3c", "tags": ["a", "b"], "build": {"jdk": 17}}
    after = {"tool": "locust", "git_commit": "91ab", "tags": ["b", "c"], "build": {"jdk": 21}}
    (change,) = trend(made_history({"/a": STEP}), evidence=Evidence(facts={20: before, 21: after})).changes
    assert change.to_row()["what"] == "tool jmeter → locust; git_commit 0f3c → 91ab; tags -a +c; build.jdk 17 → 21"
    assert change.to_dict()["what"][1] == {"attribute": "git_commit", "before": "0f3c", "after": "91ab"}


def test_runs_that_are_not_alike_are_told() -> None:
    """Of tools always, of environments unless they are what the series are told apart by."""
    facts = {"tool": ["jmeter"] * 10 + ["locust"] * 25, "environment": ["a"] * 5 + ["b"] * 30}
    notes = " ".join(trend(made_history({"/a": STEP}, **facts)).notes)
    assert "2 tools, locust (25), jmeter (10): their figures are not measured alike" in notes
    assert "2 environments, b (30), a (5): choose with environment=, or by='environment'" in notes


def test_series_of_a_column() -> None:
    """A series per value, and one of the runs that have none; the runs between are no gaps."""
    streams = ["main", "dev", None] * 20
    result = trend(made_history({"/a": noisy((100, 60))}, series=streams, stream=streams), by="stream")
    assert [one.label for one in result.series] == ["dev", "main", "no stream"]
    assert [len(one.places) for one in result.series] == [20] * 3
    assert not any("gaps" in note or "streams" in note for note in result.notes)


def test_runs_that_do_not_say_when_they_started() -> None:
    """They stand in their order, and it is said."""
    result = trend(made_history({"/a": STEP}, started_at=[None] * 35))
    assert result.changes[0].started_at is None
    assert "at run 21:" in result.headline
    assert result.notes[-1].startswith("When 35 runs started is not known")


def test_the_answer_is_ready_for_json() -> None:
    """And has all rows, changes and marks."""
    import json

    values: list[float | None] = [*STEP]
    values[3] = float("nan")
    answer = trend(made_history({"/a": values}, [mark(5, resets=False)])).to_dict()
    assert json.loads(json.dumps(answer, allow_nan=False)) == answer
    assert (len(answer["rows"]), len(answer["changes"]), len(answer["marks"]), answer["runs"]) == (35, 1, 1, 35)
    assert answer["rows"][3]["value"] is None
