"""Identical runs: how often a comparison says that something changed when nothing did.

Every pair is two sides of runs of one made system, with the noise that ``_simulated_runs`` describes; 500 to 10,000
requests per endpoint and run. A pair counts as a false alarm if anything in it is called regressed or improved: the
total, the common shift, or any metric of any endpoint. At the default level that may be so in 2 % of the pairs.

    python -m benchmarks.eval_identical          1,000 pairs a line, a quarter of an hour of CPU
    python -m benchmarks.eval_identical quick    100 pairs a line
"""

from __future__ import annotations

import math
import sys
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from multiprocessing import Pool

import numpy as np

from ator_lib.analysis.comparison import CompareOptions, ComparisonRow, Verdict, judged_rows
from ator_lib.analysis.verdicts import combine
from benchmarks._simulated_runs import Noise, made_run, made_system

ALARMS = (Verdict.REGRESSED, Verdict.IMPROVED)
TARGET = 0.02


@dataclass(frozen=True, kw_only=True)
class Design:
    """How many endpoints and runs a pair has, and what noise."""

    endpoints: int
    contender: int
    baseline: int
    noise: Noise = field(default_factory=Noise)
    words: str = "as described"


DESIGNS = (
    Design(endpoints=20, contender=1, baseline=3),
    Design(endpoints=20, contender=3, baseline=5),
    Design(endpoints=8, contender=1, baseline=3),
    Design(endpoints=5, contender=1, baseline=3),
    Design(endpoints=3, contender=2, baseline=3),
    Design(endpoints=1, contender=1, baseline=3),
)


def judged_pair(task: tuple[Design, int]) -> tuple[frozenset[str], Verdict]:
    """Make one pair and judge it: the scopes in which there was an alarm, and the verdict of the run."""
    design, seed = task
    generator = np.random.default_rng([design.endpoints, design.contender, design.baseline, seed])
    requests = np.exp(generator.uniform(math.log(500), math.log(10_000), design.endpoints))
    system = made_system(generator, [int(count) for count in requests])
    number = design.contender + design.baseline
    runs = [made_run(generator, system, design.noise, run_id=run_id) for run_id in range(number)]
    rows = judged_rows(
        runs[design.baseline :], runs[: design.baseline], judges_throughput=True, options=CompareOptions()
    )
    return frozenset(row.scope for row in alarms(rows)), combine(row.verdict for row in rows)


def alarms(rows: Iterable[ComparisonRow]) -> list[ComparisonRow]:
    """Return the rows that claim a change."""
    return [row for row in rows if row.verdict in ALARMS]


def upper_bound(found: int, number: int) -> float:
    """Return the upper end of the two-sided 95 % Wilson interval of a share."""
    z = 1.96
    share = found / number
    spread = z * math.sqrt(share * (1 - share) / number + z**2 / (4 * number**2))
    return (share + z**2 / (2 * number) + spread) / (1 + z**2 / number)


def print_alarms(designs: Iterable[Design], pairs: int) -> None:
    """Print a line per design; ``total``, ``common`` and ``endpoint`` are the pairs with alarms there."""
    print(
        f"{'endpoints':>9} {'runs':>6} {'alarms':>7} {'at most':>8} {'total':>6} {'common':>7} {'endpoint':>9} "
        f"{'no change':>10}  noise"
    )
    with Pool() as workers:
        for design in designs:
            found = workers.map(judged_pair, [(design, seed) for seed in range(pairs)], chunksize=5)
            number = sum(bool(scopes) for scopes, _ in found)
            counts = Counter(scope for scopes, _ in found for scope in scopes)
            quiet = sum(verdict is Verdict.NO_CHANGE for _, verdict in found)
            print(
                f"{design.endpoints:>9} {f'{design.contender} v {design.baseline}':>6} {number / pairs:>7.1%} "
                f"{upper_bound(number, pairs):>8.1%} {counts['total']:>6} {counts['common']:>7} {counts['name']:>9} "
                f"{quiet / pairs:>10.0%}  {design.words}",
                flush=True,
            )


def main() -> None:
    """Print the alarms of every design."""
    pairs = 100 if "quick" in sys.argv[1:] else 1000
    print(f"{pairs} pairs of identical runs a line; alarms allowed in {TARGET:.0%} of them (at most: 95 % interval)")
    print_alarms(DESIGNS, pairs)


if __name__ == "__main__":
    main()
