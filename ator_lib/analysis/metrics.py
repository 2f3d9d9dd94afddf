"""The metrics that a comparison judges: good direction, scale, and defaults, in one table."""

from __future__ import annotations

from dataclasses import dataclass

from ator_lib.schema import PERCENTILES


@dataclass(frozen=True, kw_only=True)
class Metric:
    """A metric of ``schema.SUMMARIES`` and how a change of it is read.

    Attributes
    ----------
    relative
        Changes are ratios, worked on as natural logarithms. Otherwise they are absolute differences, because the
        usual baseline (an error rate of 0) has no ratio.
    minimum_effect
        The smallest change that matters by default: 0.05 is 5 % of a relative metric, 0.01 is one percentage
        point of the error rate.
    run_noise
        The standard deviation from run to run, beyond what a run shows inside itself, that is assumed until
        repeated runs show it: on the log scale for relative metrics.
    quantile
        Which quantile of the durations it is; ``None`` for the others.
    """

    name: str
    label: str
    higher_is_better: bool
    relative: bool
    minimum_effect: float
    run_noise: float
    quantile: float | None = None

    @property
    def is_latency(self) -> bool:
        """Whether it is a figure of the durations, which endpoints that share a layer have in common."""
        return self.name.endswith("_ms")


def _latency(name: str) -> Metric:
    return Metric(
        name=name,
        label=name.removesuffix("_ms"),
        higher_is_better=False,
        relative=True,
        minimum_effect=0.05,
        run_noise=0.02,
        quantile=PERCENTILES.get(name),
    )


METRICS: dict[str, Metric] = {
    metric.name: metric
    for metric in (
        Metric(
            name="throughput_rps",
            label="throughput",
            higher_is_better=True,
            relative=True,
            minimum_effect=0.05,
            run_noise=0.02,
        ),
        Metric(
            name="error_rate",
            label="error rate",
            higher_is_better=False,
            relative=False,
            minimum_effect=0.01,
            run_noise=0.002,
        ),
        _latency("mean_ms"),
        _latency("p50_ms"),
        _latency("p95_ms"),
        _latency("p99_ms"),
    )
}
"""Metric name → metric, in the order in which they are shown."""


def metric_label(metric: str) -> str:
    """Name a figure of the summaries as people say it, also one that is not compared.

    Examples
    --------
    >>> metric_label("p99_9_ms"), metric_label("throughput_rps"), metric_label("bytes_received")
    ('p99.9', 'throughput', 'bytes received')
    """
    if metric in METRICS:
        return METRICS[metric].label
    bare = metric.removesuffix("_ms").removesuffix("_rps").removesuffix("_s")
    return bare.replace("p99_9", "p99.9").replace("_", " ")
