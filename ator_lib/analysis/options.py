"""What a caller may decide about a comparison."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

from ator_lib.analysis.metrics import METRICS
from ator_lib.errors import UsageError


@dataclass(frozen=True, kw_only=True)
class CompareOptions:
    """How a comparison decides; the defaults are the ones that its error rates are stated for.

    Attributes
    ----------
    false_discovery_rate
        Benjamini-Hochberg level: the expected share of false alarms among all alarms.
    confidence
        Of the intervals, per row and not corrected for the number of rows.
    minimum_effect
        Metric name → smallest change that matters; metrics left out keep their default
        (``metrics.METRICS``): 0.05 is 5 %, for ``error_rate`` 0.01 is one percentage point.
    run_noise
        Metric name → assumed standard deviation from run to run (log scale; ``error_rate``: absolute).
    waive
        Names of checks that may fail without blocking the verdict.
    replicates, seed
        Of the bootstrap: the same seed gives the same answer.

    Raises
    ------
    UsageError
        A value out of its range, or a metric that does not exist.
    """

    false_discovery_rate: float = 0.02
    confidence: float = 0.95
    minimum_effect: Mapping[str, float] = field(default_factory=dict)
    run_noise: Mapping[str, float] = field(default_factory=dict)
    waive: Collection[str] = ()
    replicates: int = 1000
    seed: int = 20_240_229

    def __post_init__(self) -> None:
        for name in ("false_discovery_rate", "confidence"):
            if not 0 < getattr(self, name) < 1:
                raise UsageError(f"{name} is {getattr(self, name)}: give a number between 0 and 1.")
        if self.replicates < 100:
            raise UsageError(f"replicates is {self.replicates}: a standard error needs 100 or more.")
        for name in ("minimum_effect", "run_noise"):
            _check_metrics(name, getattr(self, name))

    def minimum_effect_of(self, metric: str) -> float:
        """Return the smallest change of ``metric`` that matters."""
        return self.minimum_effect.get(metric, METRICS[metric].minimum_effect)

    def run_noise_of(self, metric: str) -> float:
        """Return the standard deviation from run to run that is assumed for ``metric``."""
        return self.run_noise.get(metric, METRICS[metric].run_noise)

    def to_dict(self) -> dict[str, Any]:
        """Return every option with the value that was used, JSON-ready."""
        return {
            "false_discovery_rate": self.false_discovery_rate,
            "confidence": self.confidence,
            "minimum_effect": {name: self.minimum_effect_of(name) for name in METRICS},
            "run_noise": {name: self.run_noise_of(name) for name in METRICS},
            "waive": sorted(self.waive),
            "replicates": self.replicates,
            "seed": self.seed,
        }


def _check_metrics(option: str, values: Mapping[str, float]) -> None:
    for metric, value in values.items():
        if metric not in METRICS:
            raise UsageError(f"{option} names the metric {metric!r}, which is not compared: use {', '.join(METRICS)}.")
        if not (math.isfinite(value) and value >= 0):
            raise UsageError(f"{option} of {metric} is {value}: give a number of at least 0.")
