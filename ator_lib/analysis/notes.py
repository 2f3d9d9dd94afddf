"""What a comparison could not see, in sentences that stand beside its verdict."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from ator_lib.analysis.checks import is_open, run_names
from ator_lib.analysis.evidence import ASSUMED_NOISE_DF
from ator_lib.analysis.metrics import METRICS
from ator_lib.analysis.options import CompareOptions
from ator_lib.analysis.result import ComparisonRow, power_in_words
from ator_lib.analysis.run_data import COMMON, RunData
from ator_lib.analysis.student import critical_value
from ator_lib.analysis.verdicts import Verdict
from ator_lib.analysis.wording import size


def limits(
    contender: Sequence[RunData], baseline: Sequence[RunData], rows: Sequence[ComparisonRow], options: CompareOptions
) -> tuple[str, ...]:
    """Return the notes of a comparison."""
    return (
        *_between_runs(len(contender), len(baseline), rows, options),
        *_summaries(contender, baseline, rows),
        *_common_shift(rows),
        *_power(rows),
        *_load(contender, baseline),
        *_failed_requests(rows),
    )


def _between_runs(
    contender: int, baseline: int, rows: Sequence[ComparisonRow], options: CompareOptions
) -> Iterator[str]:
    """Say what is known of the noise between runs, of the p95, or else the first latency or metric that is judged."""
    metrics = ("p95_ms", *sorted(METRICS, key=lambda name: not METRICS[name].is_latency))
    metric = next((name for name in metrics if _judges(rows, name)), None)
    if metric is None:
        return
    noise, label = options.run_noise_of(metric), METRICS[metric].label
    if contender + baseline > 2:
        yield (
            f"Noise between runs was observed ({contender} contender and {baseline} baseline runs) and moderated "
            f"by an assumed {noise * 100:g} % standard deviation."
        )
        if baseline == 1:
            yield "There is one baseline run: whether it was like others before it cannot be seen."
        return
    half = critical_value(options.confidence, ASSUMED_NOISE_DF) * noise * 2**0.5
    yield (
        "One run a side cannot show how much identical runs differ. A standard deviation from run to run of "
        f"{noise * 100:g} % is assumed for {label}, which alone widens its interval by ±{half * 100:.1f} %."
    )
    if half >= options.minimum_effect_of(metric):
        yield (
            f"So “no change” within ±{options.minimum_effect_of(metric) * 100:g} % cannot be shown for {label} with "
            "one run a side: give several runs a side."
        )


def _judges(rows: Sequence[ComparisonRow], *metrics: str) -> bool:
    return any(row.p_value is not None for row in rows if row.metric in metrics)


def _summaries(
    contender: Sequence[RunData], baseline: Sequence[RunData], rows: Sequence[ComparisonRow]
) -> Iterator[str]:
    runs = [run for run in (*baseline, *contender) if run.is_summary]
    if not runs or not _judges(rows, *METRICS):
        return
    yield (
        f"Of {run_names(runs)} there are only the tool's own summaries (or no times of requests). How much such a "
        "run varies inside cannot be seen: it is part of how the runs of a side differ, by which they are judged."
    )
    percentiles = [metric.name for metric in METRICS.values() if metric.quantile is not None]
    if any(not run.distributions.num_rows for run in runs) and _judges(rows, *percentiles):
        yield (
            "Percentiles of several such runs cannot be put together, so a side has none: "
            "the change is that of each run's own, by which the sides differ."
        )


def _common_shift(rows: Sequence[ComparisonRow]) -> Iterator[str]:
    common = {row.metric: row for row in rows if row.scope == "common" and row.change is not None}
    if not common:
        return
    shifts = ", ".join(f"{METRICS[metric].label} {100 * (row.change or 0):+.1f} %" for metric, row in common.items())
    yield (
        f"What is common to all endpoints ({shifts}) is judged as a row of its own, “{COMMON.label}”, and taken out of "
        "what each endpoint is judged by."
    )
    if any(row.verdict is Verdict.REGRESSED for row in common.values()):
        yield (
            "All endpoints became slower together: a layer that they share, or the environment. It counts as a "
            "regression until the environment is shown to have done it."
        )


def _power(rows: Sequence[ComparisonRow]) -> Iterator[str]:
    """Say what the design can find: the typical endpoint's (without endpoints, the total's) detectable changes."""
    named = [row for row in rows if row.scope == "name"] or rows
    found = {
        metric.label: sorted(r.detectable for r in named if r.metric == metric.name and r.detectable is not None)
        for metric in METRICS.values()
        if metric.is_latency
    }
    changes = ", ".join(f"{label} from {size(values[len(values) // 2])}" for label, values in found.items() if values)
    if changes:
        yield f"Changes that this design finds in four of five cases, for a typical endpoint: {changes} on."
    hint = power_in_words(rows)
    if hint:
        yield f"Where there is not enough evidence, {hint}."


def _load(contender: Sequence[RunData], baseline: Sequence[RunData]) -> Iterator[str]:
    if not is_open((*contender, *baseline)):
        yield (
            "The load is closed, or its model is not known: a stall also holds back the requests that would have "
            "met it (coordinated omission), so the high percentiles are lower bounds, and throughput is an outcome."
        )


def _failed_requests(rows: Sequence[ComparisonRow]) -> Iterator[str]:
    names = [r.endpoint.label for r in rows if r.metric == "error_rate" and r.verdict is Verdict.REGRESSED]
    if names:
        yield (
            f"Latencies include failed requests, which may be faster than good answers: "
            f"read those of {', '.join(names)} with the error rate."
        )
