"""What a report says, in whichever version of Artillery."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from ator_lib.readers.json_documents import members, number
from ator_lib.readers.text_documents import ALL_REQUESTS

_LATENCIES = {
    **{each: f"{each}_ms" for each in ("mean", "min", "max", "p50", "p75", "p90", "p95", "p99")},
    "median": "p50_ms",
    "p999": "p99_9_ms",
}
_ABOUT_ANSWER = "Failed "
"""How errors begin that are about an answer: a capture, a match, an expectation."""

_LATEST_MS = 253_402_300_799_000  # the end of the year 9999


@dataclass(frozen=True, kw_only=True)
class Counted:
    """What it says of some requests; without a name of their own they are all.

    Parameters
    ----------
    answers
        Number by status; 0 is no status (web sockets).
    errors
        Number by words.
    latencies
        Columns of ``schema.SUMMARIES``, over the answered requests.
    """

    name: str = ALL_REQUESTS
    sent: int
    answers: Mapping[str, int] = field(default_factory=dict)
    errors: Mapping[str, int] = field(default_factory=dict)
    latencies: Mapping[str, float] = field(default_factory=dict)
    bytes_received: int | None = None

    @property
    def bad_answers(self) -> int:
        """How many had a bad status."""
        return sum(requests for status, requests in self.answers.items() if _is_bad(status))

    @property
    def refused_answers(self) -> int:
        """How many the test did not take, perhaps for their status."""
        return sum(requests for words, requests in self.errors.items() if words.startswith(_ABOUT_ANSWER))

    @property
    def unanswered(self) -> int:
        """How many ended without an answer."""
        return sum(self.errors.values()) - self.refused_answers

    @property
    def failures(self) -> int:
        """How many failed at least: a refused answer may be one with a bad status."""
        return min(self.unanswered + max(self.bad_answers, self.refused_answers), self.sent)

    def summary(self) -> dict[str, Any]:
        """Give a row of ``schema.SUMMARIES``."""
        counted = {"name": self.name, "requests": self.sent, "failures": self.failures}
        return {**counted, "bytes_received": self.bytes_received, **self.latencies}

    def failed(self) -> Iterator[dict[str, Any]]:
        """Yield rows of ``schema.ERRORS``."""
        for words, requests in self.errors.items():
            yield {"name": self.name, "error": words, "requests": requests}
        for status, requests in self.answers.items():
            if _is_bad(status):
                yield {"name": self.name, "status_code": int(status), "requests": requests}


@dataclass(frozen=True, kw_only=True)
class Period:
    """A part of the time, about ten seconds; ``users`` at its end, where the report says it."""

    started_at: datetime
    seconds: float
    counted: Counted
    users: int | None = None

    def row(self) -> dict[str, Any]:
        """Give a row of ``schema.TIMELINE``; failures may be of requests that were sent before."""
        latencies = {
            f"{each}_ms": self.counted.latencies.get(f"{each}_ms") for each in ("mean", "p50", "p95", "p99", "max")
        }
        return latencies | {
            "interval_start": self.started_at,
            "interval_s": self.seconds,
            "users": self.users,
            "requests": self.counted.sent,
            "failures": self.counted.failures,
            "throughput_rps": self.counted.sent / self.seconds,
        }


@dataclass(frozen=True, kw_only=True)
class Report:
    """A whole report; ``endpoints`` are known from a plugin only."""

    total: Counted
    endpoints: Sequence[Counted] = ()
    periods: Sequence[Period]
    started_at: datetime | None
    ended_at: datetime | None
    precision: str


def latencies(summary: Any) -> dict[str, float]:
    """Give what Artillery says of durations, where it does not say ``null``."""
    said = members(summary)
    return {
        _LATENCIES[key]: ms for key, value in said.items() if key in _LATENCIES and (ms := number(value)) is not None
    }


def time(value: Any) -> datetime | None:
    """Read a time: milliseconds since 1970, as a number or a text, or ISO 8601 with a zone."""
    try:
        if re.fullmatch(r"\d{1,15}", str(value)):
            return datetime.fromtimestamp(int(value) / 1000, UTC) if 0 < int(value) < _LATEST_MS else None
        written = datetime.fromisoformat(str(value)[:40])
        return written.astimezone(UTC) if written.tzinfo else None
    except (ValueError, OverflowError):
        return None


def _is_bad(status: str) -> bool:
    return re.fullmatch(r"[4-9]\d\d", status) is not None
