"""One condition for a comparison, and the two sides that it looks at."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from ator_lib.analysis.run_data import TOTAL, RunData


@dataclass(frozen=True, kw_only=True)
class Check:
    """One condition for a comparison.

    Attributes
    ----------
    baseline, contender
        The facts as text; null where they are not known.
    ok
        Null where a fact is unknown: it is printed and does not block.
    blocking
        Whether a failure makes the verdict ``not comparable``.
    waived
        It failed, and the caller accepts that: it does not block.
    """

    name: str
    baseline: str | None
    contender: str | None
    ok: bool | None
    blocking: bool
    message: str
    waived: bool = False

    @property
    def blocks(self) -> bool:
        """Whether this check makes the verdict ``not comparable``."""
        return self.ok is False and self.blocking and not self.waived


class Sides(NamedTuple):
    """The runs that are compared."""

    baseline: Sequence[RunData]
    contender: Sequence[RunData]

    @property
    def runs(self) -> tuple[RunData, ...]:
        """All of them."""
        return (*self.baseline, *self.contender)

    def check(
        self,
        name: str,
        told: Callable[[RunData], str | None],
        *,
        ok: bool | None,
        message: str,
        blocking: bool = False,
    ) -> Check:
        """Make a check that shows a fact of every run, each different one once a side."""
        baseline, contender = (distinct(told(run) for run in side) for side in self)
        return Check(
            name=name, baseline=baseline, contender=contender, ok=ok, blocking=blocking, message=f"{name}: {message}"
        )


def distinct(facts: Iterable[str | None]) -> str | None:
    """Each different fact once, in the runs' order; ``None`` if nothing is known."""
    texts = dict.fromkeys("unknown" if fact is None else fact for fact in facts)
    return None if set(texts) <= {"unknown"} else ", ".join(texts)


def totals(run: RunData) -> Mapping[str, Any]:
    """Give the summary of the whole run; empty if there is none."""
    return run.summary_rows().get(TOTAL, {})


def length_s(run: RunData) -> float:
    """Give the seconds of a run's load, those that are left out among them; 0 where nobody knows them."""
    return float(totals(run).get("duration_s") or 0.0) + run.warm_up_s


def run_names(runs: Iterable[RunData]) -> str:
    """Name runs in a message."""
    ids = [str(run.run_id) for run in runs]
    return f"run{'s' * (len(ids) > 1)} {', '.join(ids)}"


def percent(share: float) -> str:
    """Write a share of 0 to 1."""
    return f"{share * 100:.3g} %"
