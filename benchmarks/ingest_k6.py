"""Points of k6 as lines of JSON from the file to the committed store, beside DuckDB's bare COPY of the same lines.

    python -m benchmarks.ingest_k6 [REQUESTS]

Each job runs in a process of its own, on a file that is in the page cache. On a machine with other work the seconds of
CPU are worth more than those of the clock. Takes some minutes and 5 GB of disk.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from benchmarks._report import report
from benchmarks.ingest import Figures, measured

REQUESTS = 1_000_000
PHASES = ("sending", "waiting", "receiving")


def make(requests: int, file: Path) -> None:
    """Write a run of 25 minutes: 50 names, some failures, a check each, an iteration of three requests each."""
    import duckdb

    values = {
        "http_reqs": "1",
        "http_req_duration": "round(sending + waiting + receiving, 6)",
        "http_req_blocked": "round(random() * 0.01, 6)",
        "http_req_connecting": "0",
        "http_req_tls_handshaking": "0",
        **{f"http_req_{phase}": phase for phase in PHASES},
        "http_req_failed": "failed::INTEGER",
    }
    others = {"data_sent": "606", "data_received": "8029", "iteration_duration": "312.5", "iterations": "1"}
    plain = """'"group":"","scenario":"default"'"""
    lines = [point(metric, value, "tags") for metric, value in values.items()]
    lines += [point("checks", "(NOT failed)::INTEGER", f"""'"check":"status is 200",' || {plain}""")]
    iteration = ", ".join(point(metric, value, plain) for metric, value in others.items())
    sql = f"""
    WITH drawn AS (
        SELECT i, i * 7919 % 50 AS name, random() < 0.01 AS failed, round(random() * 0.1, 6) AS sending,
            round(-80 * ln(1 - random()), 6) AS waiting, round(random(), 6) AS receiving,
            strftime(make_timestamp(1777879800000000 + i * 1500), '%Y-%m-%dT%H:%M:%S.%f') || '001+02:00' AS time
        FROM range({requests}) AS numbers(i)
    ),
    tagged AS (
        SELECT *, '"expected_response":"' || (NOT failed) || '","group":"::shop","method":"GET",'
            || '"name":"https://shop.test/api/v1/products/' || name || '","proto":"HTTP/2.0","scenario":"default",'
            || '"status":"' || if(failed, 503, 200) || '","tls_version":"tls1.3",'
            || '"url":"https://shop.test/api/v1/products/' || name || '"' AS tags
        FROM drawn
    )
    SELECT unnest([{", ".join(lines)}] || if(i % 3 = 2, [{iteration}], []) || if(i % 700 = 0,
        [{point("vus", "50", "''")}, {point("vus_max", "50", "''")}], [])) FROM tagged
    """
    duckdb.execute(f"COPY ({sql}) TO '{file}' (FORMAT csv, HEADER false, DELIMITER '\x01', QUOTE '', ESCAPE '')")


def point(metric: str, value: str, tags: str) -> str:
    """Return SQL for a line."""
    head = f"""'{{"metric":"{metric}","type":"Point","data":{{"time":"' || time || '","value":'"""
    return f"""{head} || {value} || ',"tags":{{' || {tags} || '}}}}}}'"""


def bare(file: Path, folder: Path) -> Callable[[], None]:
    """DuckDB: every line into Parquet as it is."""
    import duckdb

    sql = f"COPY (SELECT * FROM read_ndjson('{file}')) TO '{folder / 'bare.parquet'}'"
    return lambda: duckdb.execute(sql)


def ours(file: Path, folder: Path) -> Callable[[], None]:
    """``ws.ingest``: recognised, hashed, put together, summarised, its timeline made, committed."""
    import ator_lib as ator

    workspace = ator.connect(folder / "data")

    def run() -> None:
        workspace.ingest(file, test="shop")

    return run


JOBS = {job.__name__: job for job in (bare, ours)}


def in_process(*arguments: str | Path | int) -> Figures:
    """Run this file with some arguments; give what it prints."""
    command = [sys.executable, "-m", "benchmarks.ingest_k6", *map(str, arguments)]
    done = subprocess.run(command, stdout=subprocess.PIPE, check=True, env={**os.environ, "PYTHONWARNINGS": "ignore"})
    found: Figures = json.loads(done.stdout or "{}")
    return found


def compare(requests: int) -> None:
    """Measure both on one file and print the ratios."""
    with tempfile.TemporaryDirectory() as name:
        folder, file = Path(name), Path(name) / "points.json"
        in_process("make", requests, file)
        print(f"{requests} requests, {file.stat().st_size / 1e9:.2f} GB", flush=True)
        figures = {}
        for job in JOBS:
            figures[job] = in_process(job, file, folder)
            print("  {}: {clock:.2f} s, {cpu:.2f} s of CPU, {mb:.0f} MB".format(job, **figures[job]), flush=True)
    for unit in ("clock", "cpu"):
        report(f"ingest of k6, s by {unit} (peer: bare)", figures["ours"][unit], figures["bare"][unit], "≤ 2")
    report("ingest of k6, peak MB (peer: bare)", figures["ours"]["mb"], figures["bare"]["mb"], "ours ≤ 1500")


def main(arguments: list[str]) -> None:
    """Compare, or be one of the processes of that."""
    match arguments:
        case ["make", requests, file]:
            make(int(requests), Path(file))
        case [job, file, folder]:
            print(json.dumps(measured(JOBS[job](Path(file), Path(folder)), 1)))
        case _:
            compare(int(arguments[0]) if arguments else REQUESTS)


if __name__ == "__main__":
    main(sys.argv[1:])
