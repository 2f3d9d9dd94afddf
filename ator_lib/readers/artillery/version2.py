"""The report of Artillery 2: counters and summaries by the names of metrics, of all the time and every ten seconds."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from ator_lib.readers.artillery.report import Counted, Period, Report, latencies, time
from ator_lib.readers.json_documents import counts, member, members

_PERIOD_S = 10.0
_PLUGIN = "plugins.metrics-by-endpoint"
_TIMES = re.compile(r"(.+?)\.response_time\.")
_OURS = ("http", "socketio")
"""Whose response times are not those of endpoints."""


def parse(document: Mapping[str, Any]) -> Report:
    """Take a document apart."""
    aggregate, parts = document.get("aggregate"), document.get("intermediate")
    periods = list(_periods(parts if isinstance(parts, list) else []))
    return Report(
        total=_counted(aggregate),
        endpoints=list(_endpoints(aggregate)),
        periods=sorted(periods, key=lambda period: period.started_at),
        started_at=time(member(aggregate, "firstMetricAt")),
        ended_at=time(member(aggregate, "lastMetricAt")),
        precision="±1%",  # DDSketch with that relative accuracy
    )


def _counted(part: Any) -> Counted:
    counters = counts(member(part, "counters"))
    return Counted(
        sent=counters.get("http.requests", 0),
        answers=_below("http.codes.", counters),
        errors=_below("errors.", counters),
        latencies=latencies(_summaries(part).get("http.response_time")),
        bytes_received=counters.get("http.downloaded_bytes"),
    )


def _below(prefix: str, counters: Mapping[str, int]) -> dict[str, int]:
    return {name.removeprefix(prefix): n for name, n in counters.items() if name.startswith(prefix)}


def _summaries(part: Any) -> dict[str, Any]:
    """Give the summaries of durations; early versions wrote them as histograms alone."""
    return members(member(part, "summaries") or member(part, "histograms"))


def _endpoints(part: Any) -> Iterator[Counted]:
    counters, summaries = counts(member(part, "counters")), _summaries(part)
    spaces = {_PLUGIN, *(found[1] for key in summaries if (found := _TIMES.match(key)))} - set(_OURS)
    for space in sorted(spaces):
        by_name: dict[str, dict[str, dict[str, int]]] = {}
        for key, requests in _below(f"{space}.", counters).items():
            if found := re.fullmatch(r"(.+)\.(codes|errors)\.(.+)", key):
                name, kind, what = found.groups()
                by_name.setdefault(name, {"codes": {}, "errors": {}})[kind][what] = requests
        for name, counted in by_name.items():
            yield Counted(
                name=name,
                sent=sum(counted["codes"].values()) + sum(counted["errors"].values()),
                answers=counted["codes"],
                errors=counted["errors"],
                latencies=latencies(summaries.get(f"{space}.response_time.{name}")),
            )


def _periods(parts: list[Any]) -> Iterator[Period]:
    """Yield periods, which Artillery dates by their beginnings."""
    for part in parts:
        if (started_at := time(member(part, "period"))) is not None:
            yield Period(started_at=started_at, seconds=_PERIOD_S, counted=_counted(part))
