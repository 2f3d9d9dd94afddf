"""What a caller may decide about a comparison."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

from ator_lib.analysis.metrics import METRICS
from ator_lib.analysis.run_data import Endpoint
from ator_lib.errors import UsageError

AUTO = "auto"
"""Value of ``warm_up``: as the data show it."""
OF = " of "
"""Stands between a metric and an endpoint."""


@dataclass(frozen=True, kw_only=True)
class CompareOptions:
    """How a comparison decides; the defaults are the ones that its error rates are stated for.

    Attributes
    ----------
    false_discovery_rate
        The level of all verdicts together: the expected share of false alarms among all alarms, and the probability of
        any alarm where nothing has changed.
    confidence
        Of the intervals, per row and not corrected for the number of rows.
    minimum_effect
        Smallest change that matters, by metric (``"p95_ms"``) or by metric and endpoint (``"p95_ms of GET /search"``);
        metrics left out keep their default (``metrics.METRICS``): 0.05 is 5 %, for ``error_rate`` 0.01 is one
        percentage point.
    run_noise
        Metric name → assumed standard deviation from run to run (log scale; ``error_rate``: absolute).
    mapping
        Endpoints that changed their names: the baseline's label → the contender's (``{"GET /v1/a": "GET /v2/a"}``).
    warm_up
        Seconds at the beginning of every run that are left out; ``"auto"`` finds them in the data, 0 leaves out none.
    waive
        Names of checks that may fail without blocking the verdict.
    replicates, seed
        Of the bootstrap: the same seed gives the same answer. 200 replicates are enough for a standard error (Efron and
        Tibshirani, "An Introduction to the Bootstrap", 1993, chapter 6).

    Raises
    ------
    UsageError
        A value out of its range, or a metric that does not exist.
    """

    false_discovery_rate: float = 0.02
    confidence: float = 0.95
    minimum_effect: Mapping[str, float] = field(default_factory=dict)
    run_noise: Mapping[str, float] = field(default_factory=dict)
    mapping: Mapping[str, str] = field(default_factory=dict)
    warm_up: float | str = AUTO
    waive: Collection[str] = ()
    replicates: int = 200
    seed: int = 20_240_229

    def __post_init__(self) -> None:
        for name in ("false_discovery_rate", "confidence"):
            if not 0 < _number(name, getattr(self, name)) < 1:
                raise UsageError(f"{name} is {getattr(self, name)}: give a number between 0 and 1.")
        if _number("replicates", self.replicates) < 100:
            raise UsageError(f"replicates is {self.replicates}: a standard error needs 100 or more.")
        if isinstance(self.waive, str):
            raise UsageError(f"waive is {self.waive!r}: give a list of names of checks.")
        if self.warm_up != AUTO and not 0 <= _number("warm_up", self.warm_up) < math.inf:
            raise UsageError(f"warm_up is {self.warm_up}: give seconds, 0 for none, or {AUTO!r}.")
        _check_values("minimum_effect", {name.partition(OF)[0]: value for name, value in self.minimum_effect.items()})
        _check_values("run_noise", self.run_noise)

    def minimum_effect_of(self, metric: str, endpoint: Endpoint | None = None) -> float:
        """Return the smallest change of ``metric`` that matters: the endpoint's, if it has one of its own."""
        general = self.minimum_effect.get(metric, METRICS[metric].minimum_effect)
        return general if endpoint is None else self.minimum_effect.get(f"{metric}{OF}{endpoint.label}", general)

    def run_noise_of(self, metric: str) -> float:
        """Return the standard deviation from run to run that is assumed for ``metric``."""
        return self.run_noise.get(metric, METRICS[metric].run_noise)

    def to_dict(self) -> dict[str, Any]:
        """Return every option with the value that was used, JSON-ready."""
        return {
            "false_discovery_rate": self.false_discovery_rate,
            "confidence": self.confidence,
            "minimum_effect": {**{name: self.minimum_effect_of(name) for name in METRICS}, **self.minimum_effect},
            "run_noise": {name: self.run_noise_of(name) for name in METRICS},
            "mapping": dict(self.mapping),
            "warm_up": self.warm_up,
            "waive": sorted(self.waive),
            "replicates": self.replicates,
            "seed": self.seed,
        }


def _check_values(option: str, values: Mapping[str, float]) -> None:
    for metric, value in values.items():
        if metric not in METRICS:
            raise UsageError(f"{option} names the metric {metric!r}, which is not compared: use {', '.join(METRICS)}.")
        if not 0 <= _number(f"{option} of {metric}", value) < math.inf:
            raise UsageError(f"{option} of {metric} is {value}: give a number of at least 0.")


def _number(name: str, value: object) -> float:
    """Return nan for nan, which is in no range."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise UsageError(f"{name} is {value!r}: give a number.")
    return value
