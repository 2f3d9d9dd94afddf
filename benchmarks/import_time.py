"""``import ator_lib`` beside ``import pandas``, and the CPU time of ``ator --help``.

Each measurement is a whole fresh interpreter; the two take turns, so that whatever else the machine
does falls on both.
"""

from __future__ import annotations

import resource
import subprocess
import sys
from statistics import median

from benchmarks._report import report

ROUNDS = 15
HELP_TARGET_S = 0.5


def cpu_s(*arguments: str) -> float:
    """Return the CPU seconds, user and system, of one interpreter with these arguments."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run([sys.executable, *arguments], check=True, stdout=subprocess.DEVNULL)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return (after.ru_utime - before.ru_utime) + (after.ru_stime - before.ru_stime)


def main() -> None:
    """Measure in alternation and print the medians."""
    for module in ("ator_lib", "pandas"):  # warm: bytecode and the disk's cache
        cpu_s("-c", f"import {module}")
    turns = [(cpu_s("-c", "import ator_lib"), cpu_s("-c", "import pandas")) for _ in range(ROUNDS)]
    ours, peer = (median(times) for times in zip(*turns, strict=True))
    report("import ator_lib, CPU s (peer: import pandas)", ours, peer, "ratio ≤ 0.2")
    help_s = median(cpu_s("-m", "ator_lib.cli", "--help") for _ in range(ROUNDS))
    report("ator --help, CPU s (peer: the limit of 0.5 s)", help_s, HELP_TARGET_S, "ratio ≤ 1")


if __name__ == "__main__":
    main()
