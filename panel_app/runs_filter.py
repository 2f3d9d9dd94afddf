"""What the page of runs is asked to show: its filters as state, as a search, and as words."""

from __future__ import annotations

import json
from collections.abc import Callable
from math import isfinite
from types import MappingProxyType
from typing import Any

import param

from ator_lib import RunStatus, UsageError, written

TEXTS = MappingProxyType(
    {
        "test": "Test",
        "stream": "Stream",
        "environment": "Environment",
        "location": "Location",
        "tool": "Tool",
        "type": "Type",
        "repo": "Repository",
        "lac": "LAC",
        "triggered_by": "Started by",
        "status_reason": "Reason",
    }
)
"""Filters that take a text or a pattern, and what they are called; the most asked first."""

OTHERS = MappingProxyType(
    {"run_id": "Run", "tag": "Tag", "attribute": "Attribute", "since": "Started since", "until": "Started before"}
)

RANGES = MappingProxyType(
    {
        "factor": "Factor",
        "duration_s": "Duration, s",
        "requests": "Requests",
        "failures": "Failures",
        "throughput_rps": "Requests/s",
        "error_rate": "Errors, %",
        "p50_ms": "p50, ms",
        "p95_ms": "p95, ms",
        "p99_ms": "p99, ms",
    }
)
"""Filters that take the least and the most."""

LABELS = MappingProxyType({**OTHERS, **TEXTS, "status": "Status", **RANGES})

_RANGE = ".."


class RunsFilter(param.Parameterized):
    """Filters of runs as they stand in the address; an empty one filters nothing."""

    run_id = param.String(default="", doc="A number, or several with commas between.")
    test = param.String(default="")
    stream = param.String(default="")
    environment = param.String(default="")
    location = param.String(default="")
    status = param.ListSelector(default=[], objects=[status.value for status in RunStatus])
    tool = param.String(default="")
    type = param.String(default="")
    repo = param.String(default="")
    lac = param.String(default="")
    triggered_by = param.String(default="")
    status_reason = param.String(default="")
    tag = param.String(default="", doc="One, or several with commas between that must all be there.")
    attribute = param.String(default="", doc="``name=value``.")
    since = param.String(default="", doc="A day or a time, UTC if it has no zone.")
    until = param.String(default="", doc="The same; the end is not included.")
    factor = param.String(default="", doc="As all that follow ``200..500``, ``200..``, ``..500`` or ``200``.")
    duration_s = param.String(default="")
    requests = param.String(default="")
    failures = param.String(default="")
    throughput_rps = param.String(default="")
    error_rate = param.String(default="", doc="In percent.")
    p50_ms = param.String(default="")
    p95_ms = param.String(default="")
    p99_ms = param.String(default="")

    @property
    def filters(self) -> dict[str, Any]:
        """The filters that are set, by name, as they were written."""
        said = {name: getattr(self, name) for name in LABELS}
        return {name: value if isinstance(value, list) else value.strip() for name, value in said.items() if value}

    def where(self) -> dict[str, Any]:
        """Give what ``ws.history`` takes.

        Raises
        ------
        UsageError
            A number, a range or an attribute cannot be read.
        """
        where: dict[str, Any] = {}
        for name, value in self.filters.items():
            where |= _read(name, value)
        return where


def _read(name: str, value: Any) -> dict[str, Any]:
    if name in RANGES:
        return {name: _range(name, value)}
    return _READ[name](value) if name in _READ else {name: value}


def _run_ids(text: str) -> dict[str, Any]:
    try:
        return {"run_id": [int(one) for one in _parts(text)]}
    except ValueError:
        raise UsageError(f"“{written.cut(text, 40)}” is no run: write its number, or several with commas") from None


def _tags(text: str) -> dict[str, Any]:
    tags = _parts(text)
    return {"tag": tags if len(tags) > 1 else tags[0]} if tags else {}


def _attribute(text: str) -> dict[str, Any]:
    """Read ``name=value``; a number or a boolean may have been kept as one, or as its text."""
    name, equals, value = (part.strip() for part in text.partition("="))
    if not (name and equals):
        raise UsageError(f"“{written.cut(text, 40)}” is no attribute: write name=value, such as git_commit=0f3c")
    try:
        other = json.loads(value)
    except (ValueError, RecursionError):
        other = value
    if other == value or not isinstance(other, bool | int | float | str):
        return {"attributes": {name: value}}
    return {"any_of": [{"attributes": {name: other}}, {"attributes": {name: value}}]}


_READ: MappingProxyType[str, Callable[[str], dict[str, Any]]] = MappingProxyType(
    {"run_id": _run_ids, "tag": _tags, "attribute": _attribute}
)


def _parts(text: str) -> list[str]:
    return [part.strip() for part in text.split(",") if part.strip()]


def _range(name: str, text: str) -> tuple[float | None, float | None]:
    least, separator, most = text.partition(_RANGE)
    try:
        low, high = _bound(least, name), _bound(most if separator else least, name)
    except ValueError:
        low = high = None
    if low is None and high is None:
        words = f"{LABELS[name]}: “{written.cut(text, 40)}” is no range: write 200..500, 200.. or ..500"
        raise UsageError(words)
    return low, high


def _bound(text: str, name: str) -> float | None:
    if not text.strip():
        return None
    number = float(text)
    if not isfinite(number):
        raise ValueError(text)
    return number / 100 if name == "error_rate" else number
