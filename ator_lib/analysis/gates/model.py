"""One gate as a pydantic model: what may stand in it, and whether it makes sense."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationInfo, field_validator, model_validator

from ator_lib.analysis.gates.measures import MEASURES, OVER_TIME, RELATIVE, Measure, measure_of
from ator_lib.analysis.gates.text import fields_of
from ator_lib.analysis.gates.units import BYTES, CASES, MILLISECONDS, POINTS, REQUESTS, SECONDS, SHARE, read_quantity
from ator_lib.analysis.metrics import METRICS

LIMITS = {"below": "<", "at_most": "<=", "equals": "=", "at_least": ">=", "above": ">"}
"""Fields that set a limit to one figure → their sign."""
NEVER = {"never_above": ">", "never_below": "<"}
"""Fields that say what must never be for some time → their sign."""

WITHOUT = {"regression": None, "failed cases": "failed_cases", "new failures": "new_failures"}
"""What a run may be asked to be without → the measure that must be 0; null if a comparison says it."""

SHORTEST_S = 1.0
"""What is shorter cannot be seen in intervals of a second."""

_DEMANDS = (*LIMITS, *NEVER, "no_worse_than", "without")
_COUNTS = (REQUESTS, CASES, BYTES)
_OF_PLANNED = "of planned"


@dataclass(frozen=True, kw_only=True)
class Bound:
    """Where a demand ends: a figure in the measure's unit, or a share of what was planned."""

    value: float
    of_planned: bool = False


class Strict(BaseModel):
    """Takes the fields that it has, and no other."""

    model_config = ConfigDict(extra="forbid", frozen=True, arbitrary_types_allowed=True)


class GateSpec(Strict):
    """One demand on a measure of a run, of some of its endpoints, or of its cases.

    Written as a text, as a mapping with that text under ``gate``, or as a mapping of these fields.
    """

    name: str | None = None
    gate: str | None = None
    metric: Measure | None = None
    target: float | None = None
    of: str | None = None
    below: Bound | None = None
    at_most: Bound | None = None
    equals: Bound | None = None
    at_least: Bound | None = None
    above: Bound | None = None
    never_above: Bound | None = None
    never_below: Bound | None = None
    for_s: float | None = Field(default=None, alias="for")
    after_s: float | None = Field(default=None, alias="after")
    no_worse_than: float | None = None
    without: Literal["regression", "failed cases", "new failures"] | None = None
    waived: str | None = Field(default=None, min_length=1)

    @property
    def demand(self) -> str:
        """The name of the one field that says what is asked for."""
        return next(name for name in _DEMANDS if getattr(self, name) is not None)

    @property
    def is_relative(self) -> bool:
        """Whether a comparison with a baseline decides it."""
        return self.no_worse_than is not None or self.without == "regression"

    @property
    def needs_baseline(self) -> bool:
        """Whether it cannot be decided without runs to compare with."""
        return self.is_relative or self.measure.name == "new_failures"

    @property
    def measure(self) -> Measure:
        """What is looked at; "no regression" has no single one."""
        return MEASURES[WITHOUT[self.without or ""] or ""] if self.metric is None else self.metric

    @property
    def sign(self) -> str:
        """Of a limit, or of what must never be."""
        return {**LIMITS, **NEVER, "without": "="}[self.demand]

    @property
    def bound(self) -> Bound:
        """Of a limit, or of what must never be."""
        given = getattr(self, self.demand)
        return given if isinstance(given, Bound) else Bound(value=0.0)

    @property
    def title(self) -> str:
        """What reports call it: its name, its text, or the text that it would have."""
        return self.name or self.gate or self._text()

    def _text(self) -> str:
        of = f' of "{self.of}"' if self.of else ""
        if self.metric is None:
            return f"no {self.without}{of}"
        target = "" if self.target is None else f"({MILLISECONDS.write(self.target)})"
        subject = f"{self.metric.name}{target}{of}"
        if self.no_worse_than is not None:
            unit = SHARE if METRICS[self.metric.name].relative else POINTS
            return f"{subject} no worse than {unit.write(self.no_worse_than)}"
        unit = SHARE if self.bound.of_planned else self.metric.unit
        planned = f" {_OF_PLANNED}" * self.bound.of_planned
        limit = f"{subject} {self.sign} {unit.write(self.bound.value)}{planned}"
        return limit if self.for_s is None else f"never {limit} for {SECONDS.write(self.for_s)}"

    @model_validator(mode="before")
    @classmethod
    def _spell_out(cls, given: Any) -> Any:
        """Turn a text into the fields that it stands for."""
        if isinstance(given, str):
            given = {"gate": given}
        if not isinstance(given, Mapping):
            raise ValueError("a gate is a text or a mapping")
        if "gate" not in given:
            return given
        if beside := sorted(map(str, given.keys() - {"gate", "name", "waived"})):
            raise ValueError(f"the text of a gate says all of it, so {', '.join(beside)} cannot stand beside it")
        return {**given, **fields_of(str(given["gate"]))}

    @field_validator("metric", mode="before")
    @classmethod
    def _find_measure(cls, given: object) -> Measure:
        return measure_of(str(given))

    @field_validator("target", mode="before")
    @classmethod
    def _read_target(cls, given: object) -> float:
        target = read_quantity(given, MILLISECONDS, needs_unit=True)
        if target == 0:
            raise ValueError("no request is answered within 0 ms: write such as apdex(500 ms)")
        return target

    @field_validator(*LIMITS, *NEVER, mode="before")
    @classmethod
    def _read_bound(cls, given: object, info: ValidationInfo) -> Bound:
        measure, written = _measure(info), str(given).strip()
        if written.endswith(_OF_PLANNED):
            share = read_quantity(written.removesuffix(_OF_PLANNED), SHARE, needs_unit=True)
            return Bound(value=share, of_planned=True)
        return Bound(value=read_quantity(given, measure.unit, needs_unit=measure.is_bare))

    @field_validator("for_s", "after_s", mode="before")
    @classmethod
    def _read_time(cls, given: object) -> float:
        return read_quantity(given, SECONDS, needs_unit=True)

    @field_validator("no_worse_than", mode="before")
    @classmethod
    def _read_change(cls, given: object, info: ValidationInfo) -> float:
        name = _measure(info).name
        if name not in RELATIVE:
            raise ValueError(f"{name} is not compared with a baseline: use {', '.join(RELATIVE)}")
        return read_quantity(given, SHARE if METRICS[name].relative else POINTS, needs_unit=True)

    @model_validator(mode="after")
    def _makes_sense(self) -> GateSpec:
        given = [name for name in _DEMANDS if getattr(self, name) is not None]
        if len(given) != 1:
            told = f"this one has {' and '.join(given)}" if given else "this one has none"
            raise ValueError(f"a gate has exactly one of {', '.join(_DEMANDS)}, and {told}")
        for problem in (self._measure_problem(), self._limit_problem(), self._time_problem()):
            if problem:
                raise ValueError(problem)
        return self

    def _measure_problem(self) -> str | None:
        if (self.metric is None) != (self.without is not None):
            return "metric is missing" if self.metric is None else f"no {self.without} says all: leave out the metric"
        is_apdex = self.metric is not None and self.metric.source == "apdex"
        if is_apdex != (self.target is not None):
            needed = "apdex needs its target: write such as apdex(500 ms) >= 0.9"
            return needed if is_apdex else "only apdex has a target"
        return None

    def _limit_problem(self) -> str | None:
        if self.metric is None or self.demand not in (*LIMITS, *NEVER):
            return None
        if self.bound.of_planned and (self.metric.name != "throughput_rps" or self.demand in NEVER):
            return f"only throughput_rps has a limit {_OF_PLANNED}, and not over time"
        if self.demand == "equals" and self.metric.unit not in _COUNTS:
            return f"{self.metric.name} is never exactly as planned: use a limit to one side"
        is_floor = self.sign in (">", ">=")
        if self.demand in LIMITS and self.sign != "=" and self.metric.higher_is_better is (not is_floor):
            turned = self.sign.translate(str.maketrans("<>", "><"))
            return f"a gate says what must hold, and {self.metric.name} is better the other way: write {turned}"
        return None

    def _time_problem(self) -> str | None:
        if self.demand not in NEVER:
            return None if self.for_s is self.after_s is None else "for and after need never_above or never_below"
        if self.for_s is None:
            return "for is missing: write such as never p90 > 1 s for 10 s"
        if self.for_s < SHORTEST_S:
            return f"for is shorter than {SECONDS.write(SHORTEST_S)}, in which nothing can be seen"
        if self.metric is not None and self.metric.name not in OVER_TIME:
            return f"{self.metric.name} is not followed over time: use {', '.join(OVER_TIME)}"
        return None


def _measure(info: ValidationInfo) -> Measure:
    """Give the gate's measure, which stands before its limits."""
    measure = info.data.get("metric")
    if not isinstance(measure, Measure):
        raise ValueError("it needs a metric that there is")
    return measure
