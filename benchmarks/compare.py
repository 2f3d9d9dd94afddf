"""Two runs of ten million samples compared, beside the two bare DuckDB queries for p50, p95 and p99 of each endpoint.

    python -m benchmarks.compare [ROWS]

Both read the same Parquet files. Each job runs in a process of its own, on files that are in the page cache; on a
machine with other work the seconds of CPU are worth more than those of the clock. Takes a minute or two and 0.5 GB of
disk.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from statistics import median
from time import perf_counter, process_time
from typing import TYPE_CHECKING, Any

from benchmarks._report import report

if TYPE_CHECKING:
    import ator_lib as ator

ROWS = 10_000_000
ROUNDS = 3
SLOWER = 1.1
"""By how much one endpoint of the second run is slower."""
WARM_UP_S = 60

Figures = dict[str, float]


def make(rows: int, folder: Path) -> None:
    """Keep two runs, of which the second has an endpoint that is slower."""
    import ator_lib as ator

    workspace = ator.connect(folder / "data")
    for seed, slower in ((0.1, 1.0), (0.2, SLOWER)):
        keep(workspace, rows, slower, seed=seed)


def keep(
    workspace: ator.Workspace, rows: int, slower: float, *, endpoints: int = 50, seed: float = 0.1
) -> ator.RunHandle:
    """Keep a run of an hour: log-normal latencies, one request of 200 fails; one endpoint is slower by a factor."""
    import duckdb

    with tempfile.TemporaryDirectory(dir=workspace.data) as name:
        file = Path(name) / "samples.parquet"
        connection = duckdb.connect(config={"threads": 1})  # or the seed would mean nothing
        connection.execute("SET enable_progress_bar = false")
        connection.execute(f"SELECT setseed({seed})")
        connection.execute(f"COPY ({_requests(rows, slower, endpoints)}) TO '{file}' (FORMAT parquet)")
        return workspace.ingest(file, test="shop", tool="locust")


def _requests(rows: int, slower: float, endpoints: int) -> str:
    return f"""
    WITH drawn AS (
        SELECT i, (random() * {endpoints})::INTEGER % {endpoints} AS label, random() AS failing,
            sqrt(-2 * ln(1 - random())) * cos(2 * pi() * random()) AS normal
        FROM range({rows}) AS numbers(i)
    )
    SELECT make_timestamptz((1760000000000000 + i * 3600000000 // {rows})::BIGINT) AS started_at,
        exp(3.5 + label / 25 + 0.6 * normal) * if(label = 7, {slower}, 1) AS duration_ms, '/items/' || label AS name,
        'GET' AS method, if(failing < 0.005, 500, 200)::SMALLINT AS status_code, failing >= 0.005 AS success
    FROM drawn
    """


def ours(folder: Path, **options: Any) -> Callable[[], object]:
    """``ws.compare``: checks, intervals and verdicts of 50 endpoints and of the whole run."""
    import ator_lib as ator

    workspace = ator.connect(folder / "data")
    return lambda: workspace.compare(2, 1, **options).verdict


def ours_cut(folder: Path) -> Callable[[], object]:
    """``ws.compare`` without the first minute of both."""
    return ours(folder, warm_up=WARM_UP_S)


def bare(folder: Path) -> Callable[[], object]:
    """DuckDB: nothing but p50, p95 and p99 by name of either run."""
    import duckdb

    figures = "SELECT name, quantile_cont(duration_ms, [0.5, 0.95, 0.99]) AS quantiles"
    files = sorted(folder.glob("data/results/*/samples.parquet"))
    return lambda: [duckdb.execute(f"{figures} FROM read_parquet('{file}') GROUP BY name").df() for file in files]


JOBS = {job.__name__: job for job in (bare, ours, ours_cut)}


def measured(job: Callable[[], object]) -> Figures:
    """Do a job; give its seconds by the clock and of CPU: the first time, and the median of more."""
    taken = []
    for _ in range(1 + ROUNDS):
        begin, worked = perf_counter(), process_time()
        job()
        taken.append((perf_counter() - begin, process_time() - worked))
    clock, cpu = (median(values) for values in zip(*taken[1:], strict=True))
    return {"first": taken[0][0], "clock": clock, "cpu": cpu}


def in_process(*arguments: str | Path | int) -> Figures:
    """Run this file with some arguments; give what it prints."""
    command = [sys.executable, "-m", "benchmarks.compare", *map(str, arguments)]
    done = subprocess.run(command, stdout=subprocess.PIPE, check=True, env={**os.environ, "PYTHONWARNINGS": "ignore"})
    found: Figures = json.loads(done.stdout or "{}")
    return found


def compare(rows: int) -> None:
    """Measure all jobs on the same files and print the ratios."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        in_process("make", rows, folder)
        print(f"2 runs of {rows} samples", flush=True)
        figures = {}
        for job in JOBS:
            figures[job] = in_process(job, folder)
            print("  {}: {clock:.2f} s, {cpu:.2f} s of CPU, {first:.2f} s at first".format(job, **figures[job]))
    for job, what in (("ours", "compared"), ("ours_cut", "compared without a warm-up")):
        for unit in ("clock", "cpu"):
            name = f"two runs {what}, s by {unit} (peer: bare quantiles)"
            report(name, figures[job][unit], figures["bare"][unit], "≤ 3")


def main(arguments: list[str]) -> None:
    """Compare, or be one of the processes of that."""
    match arguments:
        case ["make", rows, folder]:
            make(int(rows), Path(folder))
        case [job, folder]:
            print(json.dumps(measured(JOBS[job](Path(folder)))))
        case _:
            compare(int(arguments[0]) if arguments else ROWS)


if __name__ == "__main__":
    main(sys.argv[1:])
