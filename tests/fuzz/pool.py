"""Many trials on all processors, each watched from outside: a hang or a crash is a finding, too."""

from __future__ import annotations

import faulthandler
import os
import resource
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import get_context
from pathlib import Path
from tempfile import TemporaryDirectory

import ator_lib as ator
from tests.fuzz.trial import LONGEST_S, Failure, try_out

MOST_MEMORY = 3 * 2**30
"""Bytes of a process; the largest inputs have a tenth of a gigabyte."""

MARKS = "marks"
"""A folder with a file for each seed that is being tried."""

_AT_ONCE = 50


def tried(first: int, count: int, folder: Path) -> Iterator[tuple[int, Failure | str | None]]:
    """Yield how many are done, and each failure, as they come."""
    starts = range(first, first + count, _AT_ONCE)
    left = {tuple(range(start, min(start + _AT_ONCE, first + count))) for start in starts}
    done = 0
    (folder / MARKS).mkdir()
    while left:
        with ProcessPoolExecutor(os.cpu_count(), get_context("spawn")) as pool:
            futures = {pool.submit(_try_batch, seeds, folder): seeds for seeds in left}
            try:
                for future in as_completed(futures):
                    failures = future.result()
                    left.remove(futures[future])
                    done += len(futures[future])
                    yield from ((done, failure) for failure in [*failures, None])
            except BrokenProcessPool:
                pass
        if left:
            suspects = _taken_marks(folder / MARKS)
            yield done, f"a process died, or hung for more than {LONGEST_S:.0f} s, at one of the seeds {suspects}"
            left = {tuple(seed for seed in seeds if seed not in suspects) for seeds in left} if suspects else set()


def _taken_marks(folder: Path) -> list[int]:
    marks = list(folder.iterdir())
    for mark in marks:
        mark.unlink()
    return [int(mark.name) for mark in marks]


def _try_batch(seeds: tuple[int, ...], folder: Path) -> list[Failure]:
    with TemporaryDirectory(dir=folder) as data:
        workspace = ator.connect(data)
        return [failure for seed in seeds if (failure := _try_one(workspace, seed, folder)) is not None]


def _try_one(workspace: ator.Workspace, seed: int, folder: Path) -> Failure | None:
    mark = folder / MARKS / str(seed)
    mark.touch()
    faulthandler.dump_traceback_later(LONGEST_S, exit=True)  # also out of code that no signal gets into
    try:
        failure = try_out(workspace, seed)
    finally:
        faulthandler.cancel_dump_traceback_later()
        mark.unlink()
    used = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    if failure is None and used > MOST_MEMORY:
        return Failure(seed=seed, story="this process", fault=f"it used {used / 2**20:.0f} MB up to here")
    return failure
