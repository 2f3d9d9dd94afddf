"""The three forms that k6's summary has had, as one.

- ``--summary-export``: a metric is its values, and a threshold is true when it was crossed
- what ``handleSummary`` is given: values, thresholds that are ok or not, and the length of the run
- both since k6 2 (1.5 on request): a list of metrics, checks without groups, version and time, but no thresholds
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from ator_lib.readers.json_documents import BEYOND_COUNT, listed, members

_QUERY_VALUE = re.compile(r"=[^&#,}]*")


@dataclass(frozen=True, kw_only=True)
class Metric:
    """Values by the names that k6 gives them, and thresholds with whether they were kept.

    Rates have ``matches`` and ``total`` in every form. They count what they are named after: the matches of
    ``http_req_failed`` (older forms call them ``passes``) are requests that failed.
    """

    values: Mapping[str, float]
    thresholds: Mapping[str, bool] = field(default_factory=dict)

    def count(self, name: str) -> int | None:
        """Give a value that is a number of something; ``None`` if it is not there, or none."""
        found = self.values.get(name)
        return None if found is None or not 0 <= found <= BEYOND_COUNT else round(found)


NO_METRIC = Metric(values={})


@dataclass(frozen=True, kw_only=True)
class Check:
    """How often a check of a script passed and failed."""

    group: str
    name: str
    passes: int
    fails: int


@dataclass(frozen=True, kw_only=True)
class Summary:
    """What k6 says at the end of a run; times and version are ``None`` where the form does not have them."""

    metrics: Mapping[str, Metric]
    checks: Sequence[Check]
    duration_s: float | None
    generated_at: datetime | None = None
    version: str | None = None

    def metric(self, name: str) -> Metric:
        """Give a metric, empty if it is not there."""
        return self.metrics.get(name, NO_METRIC)


def summary_of(document: Mapping[str, Any]) -> Summary:
    """Take from a document what is a summary in it; whatever is of another kind than it should be is left out."""
    if isinstance(document.get("results"), dict):
        return _new(document)
    metrics = {_name(name): _metric(members(metric)) for name, metric in members(document.get("metrics")).items()}
    duration_ms = _number(members(document.get("state")).get("testRunDurationMs"))
    return Summary(
        metrics=metrics,
        checks=list(_checks(members(document.get("root_group")))),
        duration_s=_divisor(metrics) if duration_ms is None else duration_ms / 1000,
    )


def _new(document: Mapping[str, Any]) -> Summary:
    results, metadata = members(document["results"]), members(document.get("metadata"))
    metrics = [members(metric) for metric in listed(results.get("metrics"))]
    checks = listed(members(results.get("checks")).get("results"))
    version = metadata.get("k6_version", metadata.get("k6Version"))  # as files have it, and as the schema has it
    return Summary(
        metrics={_name(metric.get("name")): _metric(metric) for metric in metrics},
        checks=[_check("", members(check)) for check in checks],
        duration_s=_number(members(document.get("config")).get("duration")),
        generated_at=_time(metadata.get("generated_at", metadata.get("generatedAt"))),
        version=version if isinstance(version, str) else None,
    )


def _metric(metric: Mapping[str, Any]) -> Metric:
    is_flat = "values" not in metric
    given = metric if is_flat else members(metric["values"])
    values = {name: number for name, value in given.items() if (number := _number(value)) is not None}
    if "passes" in values and "fails" in values:
        values |= {"matches": values["passes"], "total": values["passes"] + values["fails"]}
    told = members(metric.get("thresholds")).items()
    kept = {_text(rule): result is not True if is_flat else members(result).get("ok") is True for rule, result in told}
    return Metric(values=values, thresholds=kept)


def _checks(root: Mapping[str, Any]) -> Iterator[Check]:
    """Yield the checks of all groups; groups and checks are lists in one form and objects by name in the other."""
    waiting = [root]
    while waiting:
        group = waiting.pop()
        path = _text(group.get("path", "")).removeprefix("::").replace("::", " / ")
        for check in _each(group.get("checks")):
            yield _check(path, check)
        waiting += reversed(_each(group.get("groups")))


def _check(group: str, check: Mapping[str, Any]) -> Check:
    passes, fails = (round(min(max(_number(check.get(key)) or 0, 0), BEYOND_COUNT)) for key in ("passes", "fails"))
    return Check(group=group, name=_text(check.get("name")), passes=passes, fails=fails)


def _divisor(metrics: Mapping[str, Metric]) -> float | None:
    """Work out the length of the run, by which k6 divides counts to get rates."""
    counters = (metric.values for metric in metrics.values() if metric.values.keys() >= {"count", "rate"})
    return next((values["count"] / values["rate"] for values in counters if values["rate"]), None)


# --- what may stand in place of a value ---


def _each(value: Any) -> list[Mapping[str, Any]]:
    return [members(member) for member in (value.values() if isinstance(value, dict) else listed(value))]


def _number(value: Any) -> float | None:
    is_number = isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < 1e15
    return float(value) if is_number else None


def _name(value: Any) -> str:
    """Give the name of a metric, and in its tags no values in the query of a URL: they may be secrets."""
    name = _text(value)
    return _QUERY_VALUE.sub("", name) if "://" in name and "?" in name else name


def _text(value: Any) -> str:
    return str(value).encode(errors="replace").decode()  # JSON can spell half a character


def _time(value: Any) -> datetime | None:
    try:
        moment = datetime.fromisoformat(str(value))
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError):
        return None
