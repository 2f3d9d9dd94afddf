"""Try thousands of damaged files: ``python -m tests.fuzz [FIRST] [HOW MANY]``; one of them again: its seed, and 1."""

from __future__ import annotations

import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.fuzz.pool import tried

MUTANTS = 10_000


def main(first: int = 0, count: int = MUTANTS) -> int:
    """Try so many mutants, print those that fail with their seeds, and return how many they are."""
    started = time.monotonic()
    failures = 0
    with TemporaryDirectory(prefix="ator-fuzz-") as folder:
        for done, failure in tried(first, count, Path(folder)):
            failures += failure is not None
            if failure is not None:
                print(f"\r{failure}")
            elif sys.stderr.isatty():
                print(f"\r{done} of {count}", end="", file=sys.stderr)
    print(f"\r{count} damaged files in {time.monotonic() - started:.0f} s: {failures} failures")
    return failures


if __name__ == "__main__":
    sys.exit(bool(main(*map(int, sys.argv[1:]))))
