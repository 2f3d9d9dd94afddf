"""One endpoint of twenty is 10 % slower: how often a comparison finds it, and names it and no other.

The runs are those of ``_simulated_runs``. The change is on all durations of the endpoint, or only on its tail (from
nothing at the 80th percentile to +10 % at the 95th). Found means: the run's verdict is regressed, that endpoint's is,
and no other endpoint's is regressed or improved.

    python -m benchmarks.eval_power          the stated design (100 pairs a line), then the power curves
    python -m benchmarks.eval_power quick    a fifth of the pairs
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from multiprocessing import Pool
from multiprocessing.pool import Pool as Workers

import numpy as np

from ator_lib.analysis.comparison import CompareOptions, judged_rows
from benchmarks._simulated_runs import Noise, Slower, made_name, made_run, made_system
from benchmarks.eval_identical import alarms

ENDPOINTS = 20
FACTOR = 1.10
TARGET = 0.9
REQUESTS = (1_000, 2_000, 5_000, 10_000, 20_000, 50_000)
RUNS = (1, 2, 3, 4, 5)


@dataclass(frozen=True, kw_only=True)
class Design:
    """What is run, and what is wrong with it."""

    requests: int = 20_000
    contender: int = 3
    baseline: int = 5
    correlation: float = 0.6
    tail_only: bool = False


def judged_pair(task: tuple[Design, int]) -> tuple[bool, bool, bool]:
    """Make a pair and judge it: whether the change was found and named, whether by its p95, and whether another was."""
    design, seed = task
    generator = np.random.default_rng([design.requests, design.contender, design.baseline, seed])
    system = made_system(generator, [design.requests] * ENDPOINTS)
    slow = Slower(endpoint=int(generator.integers(ENDPOINTS)), factor=FACTOR, tail_only=design.tail_only)
    noise = Noise(correlation=design.correlation)
    baseline = [made_run(generator, system, noise, run_id=run_id) for run_id in range(design.baseline)]
    contender = [
        made_run(generator, system, noise, run_id=design.baseline + run_id, slower=slow)
        for run_id in range(design.contender)
    ]
    rows = judged_rows(contender, baseline, judges_throughput=True, options=CompareOptions())
    named = [(row.endpoint, row.metric) for row in alarms(rows) if row.scope == "name"]
    right = made_name(slow.endpoint)
    others = any(endpoint != right for endpoint, _ in named)
    return bool(named) and not others, (right, "p95_ms") in named, others


def shares(workers: Workers, design: Design, pairs: int) -> Sequence[float]:
    """Return the shares of pairs found and named, found by the p95, and with a wrong endpoint named."""
    found = workers.map(judged_pair, [(design, seed) for seed in range(pairs)], chunksize=2)
    shares: Sequence[float] = np.mean(found, axis=0).tolist()
    return shares


def main() -> None:
    """Print the stated design, then the curves."""
    pairs = 20 if "quick" in sys.argv[1:] else 100
    with Pool() as workers:
        print(f"+10 % on one endpoint of {ENDPOINTS}, 5 baseline and 3 contender runs of 20,000 requests per endpoint")
        print(f"{pairs} pairs a line; to be found: {TARGET:.0%}")
        print(f"{'correlation':>11} {'what':>9} {'found':>6} {'by p95':>6} {'wrong one named':>15}")
        for correlation in (0.0, 0.3, 0.6):
            for tail_only in (False, True):
                right, by_p95, wrong = shares(workers, Design(correlation=correlation, tail_only=tail_only), pairs)
                what = "tail" if tail_only else "all of it"
                print(f"{correlation:>11} {what:>9} {right:>6.1%} {by_p95:>6.1%} {wrong:>15.1%}", flush=True)
        for tail_only in (False, True):
            print_curve(workers, pairs // 4, tail_only=tail_only)


def print_curve(workers: Workers, pairs: int, *, tail_only: bool) -> None:
    """Print the share found and named, by requests per endpoint and run (down) and runs a side (across)."""
    what = "its tail only" if tail_only else "all of it"
    print(f"\n+10 % on one endpoint of {ENDPOINTS}, {what}, correlation 0.6; {pairs} pairs a cell")
    print(f"{'requests':>9}" + "".join(f"{f'{runs} v {runs}':>8}" for runs in RUNS))
    for requests in REQUESTS:
        cells = [
            shares(workers, Design(requests=requests, contender=runs, baseline=runs, tail_only=tail_only), pairs)[0]
            for runs in RUNS
        ]
        print(f"{requests:>9,}" + "".join(f"{share:>8.0%}" for share in cells), flush=True)


if __name__ == "__main__":
    main()
