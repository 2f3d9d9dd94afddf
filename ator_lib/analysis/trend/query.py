"""What a trend is asked for; JSON-ready, so that a notebook can ask for the same again."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, fields
from datetime import date
from typing import Any

import pyarrow.types as kinds

from ator_lib import schema
from ator_lib.analysis.metrics import METRICS, metric_label
from ator_lib.analysis.plain import plain
from ator_lib.analysis.wording import near
from ator_lib.errors import UsageError

NAMES, TOTAL = "name", "total"
"""``by``: a series per endpoint, or one of the whole run."""

TREND_METRICS = tuple(f.name for f in schema.SUMMARIES if kinds.is_floating(f.type) or kinds.is_integer(f.type))
"""Every figure of ``schema.SUMMARIES``."""

_UNDIRECTED = frozenset({"requests", "duration_s", "bytes_received"})
_MINIMUM_EFFECT = 0.05

Texts = str | Sequence[str]


@dataclass(frozen=True, kw_only=True)
class TrendQuery:
    """A metric of a test's runs, told apart by something.

    Attributes
    ----------
    test, stream, environment, location
        Which runs, as in ``Workspace.history``: a text or a list of them, ``%`` stands for any text.
    by
        ``name``: a series per endpoint; ``total``: the whole run; else a text column of the registry or an attribute
        of the runs, with a series of totals per value.
    since, until
        Times between which the runs started; UTC without a zone.
    last
        Only so many runs, the latest.
    minimum_effect
        The smallest change of a level that matters: 0.05 is 5 % (the default), for ``error_rate`` 0.01 is one
        percentage point (the default).

    Raises
    ------
    UsageError
        A metric that does not exist, or a number out of its range.
    """

    test: Texts
    metric: str = "p95_ms"
    by: str = NAMES
    stream: Texts | None = None
    environment: Texts | None = None
    location: Texts | None = None
    since: date | str | None = None
    until: date | str | None = None
    last: int | None = None
    minimum_effect: float | None = None

    def __post_init__(self) -> None:
        check_metric(self.metric)
        if not self.test:
            raise UsageError("a trend is of a test: give its name")
        if not _is_name(self.by):
            raise UsageError(
                f"by={self.by!r} is not possible: give name, total, a column such as stream, or an attribute"
            )
        if self.last is not None and not _is_count(self.last):
            raise UsageError(f"last={self.last!r} is not possible: give how many runs, from 1 on")
        if self.minimum_effect is not None and not _is_size(self.minimum_effect):
            raise UsageError(f"minimum_effect={self.minimum_effect!r} is not possible: give at least 0, such as 0.05")

    @property
    def is_relative(self) -> bool:
        """Whether changes are ratios; else they are differences, as the usual value is 0."""
        return METRICS[self.metric].relative if self.metric in METRICS else True

    @property
    def higher_is_better(self) -> bool | None:
        """The good direction of the metric; ``None``: it has none."""
        if self.metric in METRICS:
            return METRICS[self.metric].higher_is_better
        return None if self.metric in _UNDIRECTED else False

    @property
    def effect(self) -> float:
        """The minimum effect that is used."""
        if self.minimum_effect is not None:
            return float(self.minimum_effect)
        return METRICS[self.metric].minimum_effect if self.metric in METRICS else _MINIMUM_EFFECT

    @property
    def tests(self) -> str:
        """The tests as people say them."""
        return self.test if isinstance(self.test, str) else ", ".join(self.test)

    @property
    def label(self) -> str:
        """The metric as people say it."""
        return metric_label(self.metric)

    def where(self) -> dict[str, Any]:
        """Return the filters of the history."""
        asked = ("test", "stream", "environment", "location", "since", "until")
        return {name: getattr(self, name) for name in asked if getattr(self, name) is not None}

    def to_dict(self) -> dict[str, Any]:
        """Return every field as JSON has it: what ``Workspace.trend`` takes."""
        return {field.name: plain(getattr(self, field.name)) for field in fields(self)}


def _is_name(value: Any) -> bool:
    return isinstance(value, str) and bool(value) and '"' not in value


def _is_count(value: Any) -> bool:
    return type(value) is int and 1 <= value < 2**63


def _is_size(value: Any) -> bool:
    return isinstance(value, int | float) and 0 <= value < math.inf


def check_metric(metric: str) -> None:
    """Make sure that runs may have such a figure.

    Raises
    ------
    UsageError
        There is no such metric.
    """
    if metric not in TREND_METRICS:
        raise UsageError(f"there is no metric {metric!r}{near(str(metric), TREND_METRICS)}")
