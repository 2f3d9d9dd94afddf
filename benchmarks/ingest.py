"""Ten million rows of JMeter from the file to the committed store, beside DuckDB's bare COPY and beside pandas.

    python -m benchmarks.ingest [ROWS]

Each job runs in a process of its own, on a file that is in the page cache. On a machine with other work the seconds of
CPU are worth more than those of the clock. Takes some minutes and 3 GB of disk.
"""

from __future__ import annotations

import hashlib
import json
import os
import resource
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from statistics import median
from time import perf_counter, process_time
from typing import Any

from benchmarks._report import report

ROWS = 10_000_000
ROUNDS = 5
PERCENTILES = [0.5, 0.75, 0.9, 0.95, 0.99, 0.999]
QUANTILES = "quantile_cont(duration_ms, [0.5, 0.95, 0.99]) AS quantiles"

Figures = dict[str, float]


def make(rows: int, file: Path) -> None:
    """Write a JTL of an hour: 50 labels, log-normal latencies, some errors, in the order in which requests ended."""
    import duckdb

    sql = f"""
    WITH drawn AS (
        SELECT i, (random() * 50)::INTEGER % 50 AS label, random() AS failing, (random() * 400)::INTEGER AS early_ms,
            sqrt(-2 * ln(1 - random())) * cos(2 * pi() * random()) AS normal
        FROM range({rows}) AS numbers(i)
    ),
    lasted AS (SELECT *, greatest(1, exp(3.5 + label / 25 + 0.6 * normal))::INTEGER AS elapsed FROM drawn)
    SELECT 1760000000000 + i * 3600000 // {rows} - early_ms AS "timeStamp", elapsed, 'GET /items/' || label AS label,
        CASE WHEN failing < 0.004 THEN '500' WHEN failing < 0.005
            THEN 'Non HTTP response code: java.net.SocketTimeoutException' ELSE '200' END AS "responseCode",
        CASE WHEN failing < 0.004 THEN 'Internal Server Error' WHEN failing < 0.005
            THEN 'Non HTTP response message: Read timed out' ELSE 'OK' END AS "responseMessage",
        'Thread Group 1-' || (i * 7919 % 200 + 1) AS "threadName", 'text' AS "dataType", failing >= 0.005 AS success,
        CASE WHEN failing < 0.004 THEN 'Test failed: code expected to equal /200/, but was /500/' END
            AS "failureMessage",
        500 + label * 31 + i % 97 AS bytes, 300 + label AS "sentBytes", 200 AS "grpThreads", 200 AS "allThreads",
        'http://shop.test/items/' || label AS "URL", elapsed * 9 // 10 AS "Latency", 0 AS "IdleTime", i % 3 AS "Connect"
    FROM lasted
    """
    duckdb.execute(f"COPY ({sql}) TO '{file}' (FORMAT csv, HEADER)")


def bare(file: Path, folder: Path) -> Callable[[], None]:
    """DuckDB: nothing but the reader's own SELECT into Parquet."""
    from ator_lib.readers.base import NO_OPTIONS, Source
    from ator_lib.readers.formats import reader

    query: Any = reader("jtl").read([Source(path=file, name=file.name)], NO_OPTIONS).samples
    sql = f"COPY ({query.sql}) TO '{folder / 'bare.parquet'}' (FORMAT parquet, COMPRESSION zstd)"
    return lambda: query.connection.execute(sql)


def ours(file: Path, folder: Path) -> Callable[[], None]:
    """``ws.ingest``: recognised, hashed, read, summarised, its timeline made, committed."""
    import ator_lib as ator

    workspace = ator.connect(folder / "data")

    def run() -> None:
        workspace.ingest(file, test="shop")

    return run


def pandas(file: Path, folder: Path) -> Callable[[], None]:
    """pandas, to the same tables: hashed, read, summaries, timeline of a second, users, Parquet."""
    import pandas as pd

    figures = {"elapsed": ["size", "mean", "std", "min", "max"], "success": ["sum"], "bytes": ["sum"]}

    def by(frame: Any, keys: list[str], percentiles: list[float]) -> Any:
        groups = frame.groupby(keys)
        told = groups.agg(figures)
        told.columns = [" ".join(names) for names in told.columns]
        return told.join(groups["elapsed"].quantile(percentiles).unstack())

    def total(frame: Any) -> Any:
        told = [frame[column].agg(names) for column, names in figures.items()]
        return pd.concat([*told, frame["elapsed"].quantile(PERCENTILES)]).to_frame("total").rename(index=str)

    def run() -> None:
        with file.open("rb") as content:
            hashlib.file_digest(content, "sha256")
        unused = {"dataType", "grpThreads", "URL", "IdleTime"}
        frame = pd.read_csv(file, usecols=lambda column: column not in unused, low_memory=False)
        frame["started_at"] = pd.to_datetime(frame.pop("timeStamp"), unit="ms", utc=True)
        frame["status_code"] = pd.to_numeric(frame["responseCode"], errors="coerce").astype("Int16")
        said = frame.pop("failureMessage").fillna(frame.pop("responseCode") + ": " + frame.pop("responseMessage"))
        frame["error"] = said.mask(frame["success"])
        frame["second"] = frame["started_at"].dt.floor("s")
        tables = {
            "names": by(frame, ["label"], PERCENTILES),
            "total": total(frame),
            "timeline": by(frame, ["second", "label"], [0.5, 0.95, 0.99]),
            "whole": by(frame, ["second"], [0.5, 0.95, 0.99]),
            "users": frame.groupby("second")[["allThreads"]].max(),
        }
        for name, table in tables.items():
            table.rename(columns=str).to_parquet(folder / f"pandas-{name}.parquet")
        frame.drop(columns=["second", "allThreads"]).to_parquet(folder / "pandas.parquet", compression="zstd")

    return run


def bare_query(file: Path, folder: Path) -> Callable[[], None]:
    """DuckDB: exact percentiles of each endpoint from its bare Parquet."""
    import duckdb

    sql = f"SELECT name, {QUANTILES} FROM read_parquet('{folder / 'bare.parquet'}') GROUP BY name"
    return lambda: duckdb.sql(sql).df()


def our_query(file: Path, folder: Path) -> Callable[[], None]:
    """``ws.sql``: the same from the store."""
    import ator_lib as ator

    workspace = ator.connect(folder / "data")
    return lambda: workspace.sql(f"SELECT name, {QUANTILES} FROM samples WHERE run_id = 1 GROUP BY name")


JOBS = {job.__name__: job for job in (bare, ours, pandas, bare_query, our_query)}


def measured(job: Callable[[], Any], rounds: int) -> Figures:
    """Do a job; give its seconds by the clock and of CPU, the median of the rounds, and the process's peak memory."""
    taken = []
    for _ in range(rounds):
        begin, worked = perf_counter(), process_time()
        job()
        taken.append((perf_counter() - begin, process_time() - worked))
    clock, cpu = (median(values) for values in zip(*taken, strict=True))
    return {"clock": clock, "cpu": cpu, "mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024}


def in_process(*arguments: str | Path | int) -> Figures:
    """Run this file with some arguments; give what it prints."""
    command = [sys.executable, "-m", "benchmarks.ingest", *map(str, arguments)]
    done = subprocess.run(command, stdout=subprocess.PIPE, check=True, env={**os.environ, "PYTHONWARNINGS": "ignore"})
    found: Figures = json.loads(done.stdout or "{}")
    return found


def compare(rows: int) -> None:
    """Measure all jobs on one file and print the ratios."""
    with tempfile.TemporaryDirectory() as name:
        folder, file = Path(name), Path(name) / "results.jtl"
        in_process("make", rows, file)
        print(f"{rows} rows, {file.stat().st_size / 1e9:.2f} GB", flush=True)
        figures = {}
        for job in JOBS:
            figures[job] = in_process(job, file, folder)
            print("  {}: {clock:.2f} s, {cpu:.2f} s of CPU, {mb:.0f} MB".format(job, **figures[job]), flush=True)
    for peer, target in (("bare", "≤ 1.8"), ("pandas", "≤ 0.5")):
        for unit in ("clock", "cpu"):
            report(f"ingest, s by {unit} (peer: {peer})", figures["ours"][unit], figures[peer][unit], target)
    report("ingest, peak MB (peer: pandas)", figures["ours"]["mb"], figures["pandas"]["mb"], "≤ 0.25")
    for unit in ("clock", "cpu"):
        report(f"p50, p95, p99 by name, s by {unit} (peer: bare)", *_both(figures, unit), "≤ 1.5")


def _both(figures: dict[str, Figures], unit: str) -> tuple[float, float]:
    return figures["our_query"][unit], figures["bare_query"][unit]


def main(arguments: list[str]) -> None:
    """Compare, or be one of the processes of that."""
    match arguments:
        case ["make", rows, file]:
            make(int(rows), Path(file))
        case [job, file, folder]:
            rounds = ROUNDS if job.endswith("query") else 1
            print(json.dumps(measured(JOBS[job](Path(file), Path(folder)), rounds)))
        case _:
            compare(int(arguments[0]) if arguments else ROWS)


if __name__ == "__main__":
    main(sys.argv[1:])
