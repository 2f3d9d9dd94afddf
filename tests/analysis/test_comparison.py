import json
import math
from dataclasses import replace

import numpy as np
import pyarrow as pa
import pytest

from ator_lib.analysis.comparison import CompareOptions, ComparisonRow, RunData, Verdict, compare
from ator_lib.analysis.result import power_in_words
from ator_lib.analysis.run_data import Endpoint
from ator_lib.errors import UsageError
from ator_lib.model import LoadProfile
from tests.analysis.synthetic import EndpointSamples, Truth, made_run, made_samples, run_data

TRUTHS = {"/a": Truth(median_ms=20), "/b": Truth(median_ms=60), "/c": Truth(median_ms=15)}
QUICK = CompareOptions(replicates=200)


def _row(result, name: str | None, metric: str) -> ComparisonRow:
    return next(row for row in result.rows if (row.name, row.metric) == (name, metric))


def _verdicts(result) -> dict[str | None, Verdict]:
    return {endpoint.name: endpoint.verdict for endpoint in result.endpoints}


def _with_summaries(run: RunData, **changes) -> RunData:
    rows = [{**row, **changes} for row in run.summaries.to_pylist()]
    return replace(run, summaries=pa.Table.from_pylist(rows, run.summaries.schema))


def test_a_slower_endpoint_is_named_and_the_others_are_not():
    """A median 40 % up on one of three endpoints: that one regressed, with the truth inside its interval."""
    result = compare([made_run({**TRUTHS, "/b": Truth(median_ms=84)}, seed=2)], [made_run(TRUTHS, seed=1)], QUICK)
    verdicts = _verdicts(result)
    assert result.verdict is verdicts["/b"] is Verdict.REGRESSED
    assert Verdict.REGRESSED not in (verdicts["/a"], verdicts["/c"])
    row = _row(result, "/b", "p95_ms")
    assert row.low < 0.4 < row.high
    assert row.change == pytest.approx(row.contender / row.baseline - 1)
    assert row.difference == pytest.approx(row.contender - row.baseline)


def test_a_faster_endpoint_improved():
    """The same, the other way round."""
    result = compare([made_run({**TRUTHS, "/b": Truth(median_ms=40)}, seed=2)], [made_run(TRUTHS, seed=1)], QUICK)
    assert result.verdict is _verdicts(result)["/b"] is Verdict.IMPROVED


def test_more_errors_are_a_regression_in_percentage_points():
    """From no errors to 10 %: judged by the difference, as there is no ratio to 0; and latencies get a warning."""
    result = compare([made_run({**TRUTHS, "/a": Truth(error_rate=0.1)}, seed=2)], [made_run(TRUTHS, seed=1)], QUICK)
    row = _row(result, "/a", "error_rate")
    assert (row.verdict, row.interval_of, row.change) == (Verdict.REGRESSED, "difference", None)
    assert row.low < 0.1 < row.high
    assert any("read those of total, GET /a with the error rate" in note for note in result.notes)


def test_point_estimates_of_single_runs_are_their_summaries():
    """Nothing is recomputed from histograms where exact figures exist."""
    baseline = made_run(TRUTHS, seed=1)
    result = compare([made_run(TRUTHS, seed=2)], [baseline], QUICK)
    for endpoint, summary in baseline.summary_rows().items():
        assert _row(result, endpoint.name, "p99_ms").baseline == summary["p99_ms"]
        assert _row(result, endpoint.name, "throughput_rps").baseline == summary["throughput_rps"]


def test_several_runs_are_pooled_and_percentiles_never_averaged():
    """A side's p95 is that of all its requests; its error rate is failures over requests."""
    samples = [made_samples({"/a": truth}, seed=i) for i, truth in enumerate((Truth(), Truth(median_ms=400)))]
    side = [run_data(s, run_id=10 + i) for i, s in enumerate(samples)]
    row = _row(compare([made_run({"/a": Truth()}, seed=2)], side, QUICK), "/a", "p95_ms")
    raw = np.concatenate([s[("/a", "GET")].duration_ms for s in samples])
    assert row.baseline == pytest.approx(np.quantile(raw, 0.95), rel=0.011)


def test_throughput_judges_only_open_load():
    """Under closed load it is shown with an interval and no verdict; under open load it counts."""
    closed = compare([made_run(TRUTHS, seed=2)], [made_run(TRUTHS, seed=1)], QUICK)
    row = _row(closed, "/a", "throughput_rps")
    assert row.verdict is row.p_value is None
    assert row.low < 0 < row.high
    open_load = {"load_profile": LoadProfile(model="open")}
    halved = {**TRUTHS, "/a": Truth(median_ms=20, requests=1500), "/b": Truth(median_ms=60, requests=4500)}
    opened = compare([made_run(halved, seed=2, **open_load)], [made_run(TRUTHS, seed=1, **open_load)], QUICK)
    assert _row(opened, "/a", "throughput_rps").verdict is Verdict.REGRESSED
    assert _row(opened, "/b", "throughput_rps").verdict is Verdict.IMPROVED


def test_few_requests_are_not_enough_evidence():
    """300 requests hold a p95 and no p99: its figures are shown, with the number that it needs."""
    few = {"/a": Truth(requests=300)}
    result = compare([made_run(few, seed=2)], [made_run(few, seed=1)], QUICK)
    row = _row(result, "/a", "p99_ms")
    assert row.verdict is Verdict.NOT_ENOUGH_EVIDENCE
    assert row.reason == "300 requests on a side, and p99 needs 1000"
    assert row.change is not None
    assert row.low is None
    assert _row(result, "/a", "p95_ms").low is not None


def test_single_runs_say_that_they_cannot_see_noise_between_runs():
    """The note gives the assumption; with repeated runs another one says what was observed."""
    single = compare([made_run(TRUTHS, seed=2)], [made_run(TRUTHS, seed=1)], QUICK)
    assert "One run a side cannot show how much identical runs differ" in single.notes[0]
    assert "2 %" in single.notes[0]
    repeated = compare([made_run(TRUTHS, seed=i) for i in (1, 2)], [made_run(TRUTHS, seed=i) for i in (3, 4)], QUICK)
    assert repeated.notes[0].startswith("Noise between runs was observed (2 contender and 2 baseline runs)")


def test_repeated_quiet_runs_show_no_change():
    """Five long, quiet runs a side can rule out a change of 5 %."""
    quiet = {"/a": Truth(requests=20_000, sigma=0.2, wave_sd=0.0)}
    sides = [[made_run(quiet, seed=s + i, run_sd=0.005) for i in range(5)] for s in (1, 11)]
    assert compare(*sides, QUICK).verdict is Verdict.NO_CHANGE


def test_an_endpoint_on_one_side_only_is_not_comparable_and_rules_out_no_change():
    """It is shown with the figures of its side, and the check names it."""
    lonely = {**TRUTHS, "/new": Truth()}
    result = compare([made_run(lonely, seed=2)], [made_run(TRUTHS, seed=1)], QUICK)
    row = _row(result, "/new", "p50_ms")
    assert (row.baseline, row.change, row.verdict) == (None, None, Verdict.NOT_COMPARABLE)
    assert row.contender > 0
    assert _verdicts(result)["/new"] is Verdict.NOT_COMPARABLE
    check = next(check for check in result.checks if check.name == "endpoints")
    assert "GET /new" in check.message
    assert result.verdict is Verdict.NOT_ENOUGH_EVIDENCE


def test_a_new_slow_endpoint_is_no_regression_of_the_total():
    """Totals of other requests are not judged, unless the caller waives that check by name."""
    runs = [made_run({**TRUTHS, "/new": Truth(median_ms=500)}, seed=2)], [made_run(TRUTHS, seed=1)]
    row = _row(compare(*runs, QUICK), None, "p95_ms")
    assert row.verdict is Verdict.NOT_COMPARABLE
    assert row.change > 1
    waived = compare(*runs, replace(QUICK, waive=["endpoints"]))
    assert _row(waived, None, "p95_ms").verdict is Verdict.REGRESSED


def test_same_name_with_another_method_is_another_endpoint():
    """GET and POST of a path are not mixed."""
    samples = made_samples({"/a": Truth()}, seed=1)
    both = run_data({**samples, ("/a", "POST"): samples[("/a", "GET")]}, run_id=1)
    other = run_data({**samples, ("/a", "POST"): samples[("/a", "GET")]}, run_id=2)
    labels = [Endpoint(e.name, e.method).label for e in compare([other], [both], QUICK).endpoints]
    assert labels == ["total", "GET /a", "POST /a"]


def test_a_metric_that_one_side_lacks_is_not_enough_evidence():
    """Missing on one side is said; missing on both is not judged, and neither fails."""
    baseline, contender = made_run(TRUTHS, seed=1), made_run(TRUTHS, seed=2)
    one = compare([contender], [_with_summaries(baseline, p99_ms=None)], QUICK)
    row = _row(one, "/a", "p99_ms")
    assert (row.verdict, row.reason) == (Verdict.NOT_ENOUGH_EVIDENCE, "not measured in the baseline")
    both = compare([_with_summaries(contender, p99_ms=math.nan)], [_with_summaries(baseline, p99_ms=None)], QUICK)
    assert _row(both, "/a", "p99_ms").verdict is None
    assert json.dumps(both.to_dict(), allow_nan=False)


@pytest.mark.parametrize("value", [0.0, -5.0])
def test_durations_that_are_not_above_zero_have_no_ratio(value):
    """A zero or negative percentile is shown and not judged by a logarithm of it."""
    baseline = _with_summaries(made_run(TRUTHS, seed=1), p50_ms=value)
    row = _row(compare([made_run(TRUTHS, seed=2)], [baseline], QUICK), "/a", "p50_ms")
    assert (row.verdict, row.reason) == (Verdict.NOT_ENOUGH_EVIDENCE, "not above 0 in the baseline")


def test_one_sample_and_identical_values_are_answered():
    """One request, and thousands of equal ones: an answer each, no warning and no failure."""
    one = EndpointSamples(at_s=np.array([1.0]), duration_ms=np.array([12.0]), failed=np.array([False]))
    runs = [run_data({("/a", "GET"): one}, run_id=i) for i in (1, 2)]
    assert compare(runs[:1], runs[1:], QUICK).verdict is Verdict.NOT_ENOUGH_EVIDENCE
    constant = {"/a": Truth(sigma=0.0, wave_sd=0.0)}
    same = [made_run(constant, seed=i, run_sd=0.0) for i in (1, 2)]
    row = _row(compare(same[:1], same[1:], QUICK), "/a", "p95_ms")
    assert row.change == pytest.approx(0)
    assert row.low < 0 < row.high


def test_runs_without_requests_are_not_comparable():
    """Two empty runs are not "no change"."""
    result = compare([run_data({}, run_id=2)], [run_data({}, run_id=1)], QUICK)
    assert result.verdict is Verdict.NOT_COMPARABLE
    assert "requests: none" in result.headline()


def test_the_same_input_gives_the_same_answer_in_any_order():
    """Deterministic, and the order of runs within a side has no meaning."""
    runs = [made_run(TRUTHS, seed=i) for i in range(1, 5)]
    first = compare(runs[:2], runs[2:], QUICK).to_dict()
    assert compare(runs[:2], runs[2:], QUICK).to_dict() == first
    assert compare(runs[1::-1], runs[:1:-1], QUICK).to_dict() == first


def test_the_order_of_rows_in_the_tables_has_no_meaning():
    """Shuffled tables are the same run."""
    runs = [made_run(TRUTHS, seed=i) for i in (1, 2)]
    order = np.random.default_rng(0).permutation(runs[1].distributions.num_rows)
    shuffled = replace(runs[1], distributions=runs[1].distributions.take(pa.array(order)))
    assert compare(runs[:1], [shuffled], QUICK).to_dict() == compare(runs[:1], runs[1:], QUICK).to_dict()


def test_no_table_is_changed():
    """Callers keep their tables as they were."""
    runs = [made_run(TRUTHS, seed=i) for i in (1, 2)]
    copies = [[pa.Table.from_pylist(t.to_pylist(), t.schema) for t in _tables(run)] for run in runs]
    compare(runs[:1], runs[1:], QUICK)
    assert all(
        t.equals(c) for run, kept in zip(runs, copies, strict=True) for t, c in zip(_tables(run), kept, strict=True)
    )


def _tables(run: RunData) -> tuple[pa.Table, ...]:
    return run.summaries, run.distributions, run.timeline


def test_the_answer_is_json_ready():
    """Plain values under the published keys, infinity and nan left out."""
    answer = compare([made_run(TRUTHS, seed=2)], [made_run(TRUTHS, seed=1)], QUICK).to_dict()
    assert json.loads(json.dumps(answer, allow_nan=False)) == answer
    assert {"verdict", "rows", "endpoints", "checks", "notes", "contender", "baseline"} <= answer.keys()
    columns = {"scope", "name", "method", "metric", "baseline", "contender", "change", "low", "high", "verdict"}
    assert columns <= answer["rows"][0].keys()
    assert answer["baseline"] == [{"run_id": 1, "label": "synthetic 1"}]


def test_the_headline_names_the_endpoint_metric_and_interval():
    """One sentence that can stand alone in a mail."""
    result = compare([made_run({**TRUTHS, "/b": Truth(median_ms=90)}, seed=2)], [made_run(TRUTHS, seed=1)], QUICK)
    assert result.headline().startswith("regressed: GET /b p")
    assert " % (" in result.headline()


def test_options_of_the_caller_decide():
    """A larger minimum effect turns a regression into something that does not matter."""
    runs = [made_run({**TRUTHS, "/b": Truth(median_ms=84)}, seed=2)], [made_run(TRUTHS, seed=1)]
    tolerant = replace(QUICK, minimum_effect=dict.fromkeys(("mean_ms", "p50_ms", "p95_ms", "p99_ms"), 0.8))
    assert compare(*runs, QUICK).verdict is Verdict.REGRESSED
    assert compare(*runs, tolerant).verdict is Verdict.NO_CHANGE


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"minimum_effect": {"p96_ms": 0.1}}, "'p96_ms', which is not compared: use throughput_rps"),
        ({"run_noise": {"p95_ms": -1}}, "run_noise of p95_ms is -1"),
        ({"minimum_effect": {"p95_ms": math.nan}}, "minimum_effect of p95_ms is nan"),
        ({"minimum_effect": {"p95 of GET /a": 0.1}}, "'p95', which is not compared"),
        ({"minimum_effect": {"p95_ms of GET /a": "10 %"}}, "minimum_effect of p95_ms is '10 %': give a number"),
        ({"warm_up": "long"}, "warm_up is 'long'"),
        ({"warm_up": -1}, "warm_up is -1: give seconds, 0 for none, or 'auto'"),
        ({"warm_up": math.nan}, "warm_up is nan"),
        ({"waive": "tool"}, "waive is 'tool': give a list"),
        ({"confidence": 1}, "confidence is 1"),
        ({"replicates": 3}, "replicates is 3"),
    ],
)
def test_options_out_of_range_are_refused(options, message):
    """A wrong option is said before anything is computed."""
    with pytest.raises(UsageError, match=message):
        CompareOptions(**options)


def test_a_minimum_effect_of_one_endpoint_is_for_that_one():
    """What may change by 80 % there must not elsewhere."""
    slower = {name: replace(truth, median_ms=truth.median_ms * 1.4) for name, truth in TRUTHS.items()}
    metrics = ("mean_ms", "p50_ms", "p95_ms", "p99_ms")
    tolerant = replace(QUICK, minimum_effect={f"{metric} of GET /b": 0.8 for metric in metrics})
    result = compare([made_run(slower, seed=2)], [made_run(TRUTHS, seed=1)], tolerant)
    verdicts = _verdicts(result)
    assert verdicts["/a"] is verdicts["/c"] is Verdict.REGRESSED
    assert verdicts["/b"] is Verdict.NO_CHANGE
    assert result.to_dict()["options"]["minimum_effect"]["p95_ms of GET /b"] == 0.8


def test_not_enough_evidence_says_what_could_have_been_seen_and_what_would_settle_it():
    """Rows carry the detectable change and the runs; the headline and a note say it of p95."""
    few = {"/a": Truth(requests=400)}
    result = compare([made_run(few, seed=2)], [made_run(few, seed=1)], QUICK)
    row = _row(result, "/a", "p95_ms")
    assert row.verdict is Verdict.NOT_ENOUGH_EVIDENCE
    assert row.detectable > 0.05
    assert row.runs_needed > 1
    words = f"about {row.runs_needed} runs a side would settle it"
    assert words in result.headline()
    assert any(words in note for note in result.notes)
    assert _row(result, "/a", "p99_ms").detectable is None
    assert f"p95 changes from {row.detectable:.0%} on".replace("%", " %") in result.headline()

    wild = replace(row, detectable=3200.0)
    assert power_in_words([wild]).startswith("p95 changes from more than 1,000 % on could be seen")


def test_means_of_several_runs_are_those_of_all_requests():
    """A run with twice the requests counts twice."""
    side = [made_run({"/a": Truth(requests=n, median_ms=m)}, seed=n) for n, m in ((1000, 40), (2000, 80))]
    row = _row(compare([made_run({"/a": Truth()}, seed=2)], side, QUICK), "/a", "mean_ms")
    means = [run.summary_rows()[Endpoint("/a", "GET")]["mean_ms"] for run in side]
    assert row.baseline == pytest.approx((means[0] + 2 * means[1]) / 3)


def test_all_failures_are_not_comparable():
    """The latencies of errors are no basis for a verdict."""
    failing = {"/a": Truth(error_rate=1.0)}
    result = compare([made_run(failing, seed=2)], [made_run(failing, seed=1)], QUICK)
    assert result.verdict is Verdict.NOT_COMPARABLE
    assert "every request of runs 1, 2 failed" in result.headline()


def test_sides_without_runs_or_with_the_same_run_are_refused():
    """A run cannot be its own baseline."""
    run = made_run(TRUTHS, seed=1)
    with pytest.raises(UsageError, match="there is no baseline run"):
        compare([run], [])
    with pytest.raises(UsageError, match="run 1 is named twice"):
        compare([run], [run])
