"""What a gate can be about: each measure with its unit and its good direction, in one table."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from ator_lib import schema
from ator_lib.analysis.gates.units import APDEX, BYTES, CASES, MILLISECONDS, RATE, REQUESTS, SECONDS, SHARE, Unit
from ator_lib.analysis.metrics import METRICS
from ator_lib.analysis.wording import near


@dataclass(frozen=True, kw_only=True)
class Measure:
    """A figure of a run that a gate may set a limit to.

    Attributes
    ----------
    higher_is_better
        Null where neither direction is the good one.
    source
        ``requests`` (a column of ``schema.SUMMARIES``), ``apdex`` or ``cases``.
    is_bare
        It was named without the unit that its full name has, so a number beside it needs one.
    """

    name: str
    unit: Unit
    higher_is_better: bool | None
    source: str = "requests"
    is_bare: bool = False

    @property
    def is_latency(self) -> bool:
        """Whether it says how long requests took."""
        return self.unit is MILLISECONDS


def _requests() -> Iterable[Measure]:
    """Take the figures of ``schema.SUMMARIES``."""
    others = {
        "requests": (REQUESTS, True),
        "failures": (REQUESTS, False),
        "duration_s": (SECONDS, None),
        "throughput_rps": (RATE, True),
        "error_rate": (SHARE, False),
        "bytes_received": (BYTES, None),
    }
    for name in schema.SUMMARIES.names:
        if name in others or name.endswith("_ms"):
            unit, higher_is_better = others.get(name, (MILLISECONDS, False))
            yield Measure(name=name, unit=unit, higher_is_better=higher_is_better)


MEASURES: dict[str, Measure] = {
    measure.name: measure
    for measure in (
        *_requests(),
        Measure(name="apdex", unit=APDEX, higher_is_better=True, source="apdex"),
        *(
            Measure(name=name, unit=unit, higher_is_better=higher_is_better, source="cases")
            for name, unit, higher_is_better in (
                ("cases", CASES, True),
                ("pass_rate", SHARE, True),
                ("passed_cases", CASES, True),
                ("failed_cases", CASES, False),
                ("skipped_cases", CASES, False),
                ("new_failures", CASES, False),
            )
        ),
    )
}
"""Measure name → measure, in the order in which errors list them."""

OVER_TIME = ("throughput_rps", "error_rate", "mean_ms", *schema.PERCENTILES, "max_ms")
"""Measures that can be followed over time."""

RELATIVE = tuple(METRICS)
"""Measures that a comparison judges."""


def _bare(name: str) -> str:
    return name.removesuffix("_ms").removesuffix("_rps").removesuffix("_s").replace("_", ".")


_BARE = {_bare(name): name for name in MEASURES if name.endswith(("_ms", "_rps", "_s"))}


def measure_of(name: str) -> Measure:
    """Find a measure by its name, or by its name without the unit (``p95``, ``p99.9``, ``throughput``).

    Raises
    ------
    ValueError
        There is none; the message names what is nearest.

    Examples
    --------
    >>> measure_of("p99.9").name, measure_of("p99.9").is_bare
    ('p99_9_ms', True)
    """
    if name in MEASURES:
        return MEASURES[name]
    if name in _BARE:
        return replace(MEASURES[_BARE[name]], is_bare=True)
    raise ValueError(f"no metric is called {name!r}{near(name, [*MEASURES, *_BARE], otherwise=[*MEASURES])}")
