"""Identical runs in places that are not as the comparison assumes: noisier, quieter, or known from one run only.

No level is promised here. The lines show what the assumed noise (2 % from run to run) is worth where it is wrong.

    python -m benchmarks.eval_noise          300 pairs a line, some minutes of CPU
    python -m benchmarks.eval_noise quick    50 pairs a line
"""

from __future__ import annotations

import sys

from benchmarks._simulated_runs import Noise
from benchmarks.eval_identical import Design, print_alarms

DESIGNS = tuple(
    Design(endpoints=endpoints, contender=contender, baseline=baseline, noise=noise, words=words)
    for endpoints, contender, baseline, noise, words in (
        (20, 1, 3, Noise(run_sd=0.005), "runs differ by 0.5 %"),
        (20, 1, 3, Noise(run_sd=0.04), "runs differ by 4 %"),
        (5, 1, 3, Noise(run_sd=0.04), "runs differ by 4 %"),
        (20, 3, 5, Noise(run_sd=0.08), "runs differ by 8 %"),
        (5, 3, 5, Noise(run_sd=0.08), "runs differ by 8 %"),
        (20, 1, 3, Noise(own_sd=0.03), "each endpoint differs by 3 % of its own"),
        (20, 3, 5, Noise(own_sd=0.03), "each endpoint differs by 3 % of its own"),
        (20, 1, 3, Noise(correlation=0.9, wave_sd=0.15), "high waves (15 %, correlation 0.9)"),
        (20, 1, 3, Noise(warm_up=3.0), "a warm-up that begins four times as slow, left in"),
        (20, 1, 1, Noise(), "one run a side"),
        (5, 1, 1, Noise(), "one run a side"),
    )
)


def main() -> None:
    """Print the alarms of every design."""
    pairs = 50 if "quick" in sys.argv[1:] else 300
    print(f"{pairs} pairs of identical runs a line, in noise that the comparison does not assume")
    print_alarms(DESIGNS, pairs)


if __name__ == "__main__":
    main()
